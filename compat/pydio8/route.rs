//! What a request path asks for. Pure.
//!
//! The whole path is percent-decoded once before it is split, so `%2F` is a separator; `+` stays a
//! plus. The original also lets an encoded `?` cut the rest of the path off, so that
//! `delete/a%3Fb` deletes `a`: here it stays part of the name.

use http::Method;
use percent_encoding::percent_decode_str;

/// Where a request goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Route {
    /// `/api/<workspace>/<action>[/<rest>]`.
    Action { workspace: String, action: String, rest: String },
    /// `/index.php`, or the root when the listener hands it over.
    Session,
    /// `/api/v2/…`.
    V2,
    /// Below `/api`, and nothing we know; or a method that no action has.
    Nowhere,
    /// Percent-encoding of something that is not UTF-8.
    Malformed,
}

/// Reads method and raw path.
pub fn route(method: &Method, raw_path: &str) -> Route {
    let Some(rest) = raw_path.strip_prefix("/api").filter(|rest| rest.is_empty() || rest.starts_with('/'))
    else {
        return match *method {
            Method::GET | Method::POST => Route::Session,
            _ => Route::Nowhere,
        };
    };
    if rest == "/v2" || rest.starts_with("/v2/") {
        return Route::V2;
    }
    let Ok(decoded) = percent_decode_str(rest).decode_utf8() else {
        return Route::Malformed;
    };
    let mut parts = decoded.trim_start_matches('/').splitn(3, '/');
    let (workspace, action) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    // PUT is not the original's, but scripts from its predecessors upload with it.
    let known_method = match *method {
        Method::GET | Method::POST => true,
        Method::PUT => action == "upload",
        _ => false,
    };
    if workspace.is_empty() || action.is_empty() || !known_method {
        return Route::Nowhere;
    }
    Route::Action {
        workspace: workspace.to_owned(),
        action: action.to_owned(),
        rest: parts.next().unwrap_or_default().to_owned(),
    }
}

/// Binds the rest of a path to the names of an action's pattern. The values win over those of query
/// and body.
///
/// At most as many pieces as names, the last one takes the remainder. A name with `+` is a path: it
/// gets its leading slash back, and is `/` when there is nothing left for it. Other names without a
/// piece are left out.
pub fn bind(pattern: &'static str, rest: &str) -> Vec<(&'static str, String)> {
    let names: Vec<&'static str> =
        pattern.trim_matches('/').split('/').filter(|name| !name.is_empty()).collect();
    let rest = rest.trim_matches('/');
    let mut pieces = rest.splitn(names.len().max(1), '/');
    let mut bound = Vec::with_capacity(names.len());
    for name in names {
        let piece = pieces.next().filter(|piece| !piece.is_empty());
        let (name, is_path) = name.strip_suffix('+').map_or((name, false), |name| (name, true));
        match piece {
            Some(piece) if is_path => bound.push((name, format!("/{piece}"))),
            Some(piece) => bound.push((name, piece.to_owned())),
            None if is_path => bound.push((name, "/".to_owned())),
            None => {}
        }
    }
    bound
}

#[cfg(test)]
mod tests {
    use super::*;

    fn action(workspace: &str, action: &str, rest: &str) -> Route {
        Route::Action { workspace: workspace.into(), action: action.into(), rest: rest.into() }
    }

    #[test]
    fn paths_as_clients_write_them() {
        let cases = [
            ("/api/my-files/ls", action("my-files", "ls", "")),
            ("/api/my-files/ls/", action("my-files", "ls", "")),
            ("/api/1/ls/a/b/", action("1", "ls", "a/b/")),
            ("/api/ws/stat/a%20b+c", action("ws", "stat", "a b+c")),
            ("/api/ws/stat/a%2Fb", action("ws", "stat", "a/b")),
            ("/api/ws/stat/a%3Fb", action("ws", "stat", "a?b")),
            ("/api/ws/stat/a%252Fb", action("ws", "stat", "a%2Fb")),
            ("/api/ws/mkdir//x", action("ws", "mkdir", "/x")),
            ("/api/ws/upload/put/docs", action("ws", "upload", "put/docs")),
            ("/api/pydio/state/user/repositories", action("pydio", "state", "user/repositories")),
            ("/api/ws/stat/%C3%A9", action("ws", "stat", "é")),
            ("/api/ws/stat/%C3", Route::Malformed),
            ("/api", Route::Nowhere),
            ("/api/", Route::Nowhere),
            ("/api/ws", Route::Nowhere),
            ("/api/ws/", Route::Nowhere),
            ("/api/v2", Route::V2),
            ("/api/v2/fs/x", Route::V2),
            ("/api/v22/ls", action("v22", "ls", "")),
            ("/index.php", Route::Session),
            ("/", Route::Session),
        ];
        for (path, expected) in cases {
            assert_eq!(route(&Method::GET, path), expected, "{path}");
            assert_eq!(route(&Method::POST, path), expected, "{path}");
        }
    }

    #[test]
    fn put_uploads_and_does_nothing_else() {
        let upload = route(&Method::PUT, "/api/ws/upload/input_stream/d");
        assert_eq!(upload, action("ws", "upload", "input_stream/d"));
        for (method, path) in [
            (Method::PUT, "/api/ws/ls"),
            (Method::PUT, "/index.php"),
            (Method::DELETE, "/api/ws/delete/x"),
            (Method::HEAD, "/api/ws/download/x"),
        ] {
            assert_eq!(route(&method, path), Route::Nowhere, "{method} {path}");
        }
    }

    #[test]
    fn path_segments_become_parameters() {
        type Bound<'a> = &'a [(&'a str, &'a str)];
        let cases: [(&'static str, &str, Bound<'_>); 9] = [
            ("/dir+", "a/b/", &[("dir", "/a/b")]),
            ("/dir+", "", &[("dir", "/")]),
            ("/dir+", "/", &[("dir", "/")]),
            ("/file+", "/x", &[("file", "/x")]),
            ("/", "ignored", &[]),
            ("/input_stream/dir+", "put/a/b", &[("input_stream", "put"), ("dir", "/a/b")]),
            ("/input_stream/dir+", "put", &[("input_stream", "put"), ("dir", "/")]),
            ("/input_stream/dir+", "", &[("dir", "/")]),
            ("/nodes+", "x", &[("nodes", "/x")]),
        ];
        for (pattern, rest, expected) in cases {
            let expected: Vec<_> =
                expected.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
            assert_eq!(bind(pattern, rest), expected, "{pattern} {rest}");
        }
    }
}
