//! Which node a request means.
//!
//! A key is `<workspace>/<path>` in the one bucket `io`. It ends in a slash where it means a folder.
//! Keys that no node can have (empty segments, `.`, `..`, control characters, too long) are refused
//! before anything is looked up; [`NodePath`] alone decides what a name may be.

use cellgate_core::NodePath;
use cellgate_core::path::NAME_MAX_BYTES;
use http::{HeaderMap, Method};
use percent_encoding::percent_decode_str;
use s3s::{S3Error, S3ErrorCode, S3Result};

use crate::error;

/// The only bucket.
pub(crate) const BUCKET: &str = "io";
/// Amazon's limit, in bytes of UTF-8.
const KEY_MAX_BYTES: usize = 1_024;

/// What a key names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Key {
    Leaf(NodePath),
    /// The key ended in a slash.
    Folder(NodePath),
}

impl Key {
    /// Reads a decoded key. One leading slash is dropped, as Cells does.
    pub(crate) fn parse(key: &str) -> S3Result<Self> {
        if key.len() > KEY_MAX_BYTES {
            return Err(S3Error::new(S3ErrorCode::KeyTooLongError));
        }
        let key = key.strip_prefix('/').unwrap_or(key);
        let (names, folder) = match key.strip_suffix('/') {
            Some(names) => (names, true),
            None => (key, false),
        };
        // `NodePath` would take `a//b` for `a/b`: two keys for one object.
        if names.split('/').any(str::is_empty) {
            return Err(error::invalid("a key has no empty segments"));
        }
        let path = NodePath::parse(names).map_err(|refused| {
            if names.split('/').any(|name| name.len() > NAME_MAX_BYTES) {
                S3Error::new(S3ErrorCode::KeyTooLongError)
            } else {
                error::answer(refused)
            }
        })?;
        Ok(if folder { Self::Folder(path) } else { Self::Leaf(path) })
    }

    /// Reads a key that something is to be written to: it needs a workspace and a name in it.
    pub(crate) fn parse_target(key: &str) -> S3Result<Self> {
        let key = Self::parse(key)?;
        match &key {
            Self::Leaf(path) if path.depth() < 2 => Err(error::denied(
                "objects are kept in workspaces: begin the key with one, as in `personal-files/a.txt`",
            )),
            Self::Leaf(_) | Self::Folder(_) => Ok(key),
        }
    }

    pub(crate) fn path(&self) -> &NodePath {
        match self {
            Self::Leaf(path) | Self::Folder(path) => path,
        }
    }
}

/// The path of an object that is written part by part: never a folder.
pub(crate) fn leaf_target(key: &str) -> S3Result<NodePath> {
    match Key::parse_target(key)? {
        Key::Leaf(path) => Ok(path),
        Key::Folder(_) => Err(error::invalid("a key that ends in a slash is a folder and takes no content")),
    }
}

/// The folder part of a listing's prefix, and what the names in it must begin with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) folder: NodePath,
    /// The folder as keys begin with it: empty, or ending in a slash.
    pub(crate) text: String,
    pub(crate) rest: String,
}

impl Place {
    /// `None` when no key can begin with this prefix.
    pub(crate) fn of(prefix: &str) -> Option<Self> {
        let (folder, rest) = match prefix.rfind('/') {
            Some(at) => (prefix.get(..at)?, prefix.get(at + 1..)?),
            None => {
                return Some(Self { folder: NodePath::root(), text: String::new(), rest: rest_of(prefix)? });
            }
        };
        if folder.split('/').any(str::is_empty) {
            return None;
        }
        let folder = NodePath::parse(folder).ok()?;
        let text = format!("{}/", folder.key());
        Some(Self { folder, text, rest: rest_of(rest)? })
    }
}

/// The beginning of a name, as names are kept. `.` and `..` are no names, but may begin one.
fn rest_of(rest: &str) -> Option<String> {
    if rest.is_empty() || rest == "." || rest == ".." {
        return Some(rest.to_owned());
    }
    Some(NodePath::root().join(rest).ok()?.name()?.to_owned())
}

/// Bucket and key of a decoded, absolute path; the key is empty for the bucket itself.
pub(crate) fn split_bucket(path: &str) -> (&str, &str) {
    let path = path.strip_prefix('/').unwrap_or(path);
    path.split_once('/').unwrap_or((path, ""))
}

pub(crate) fn decode(text: &str) -> S3Result<String> {
    Ok(percent_decode_str(text)
        .decode_utf8()
        .map_err(|_| S3Error::new(S3ErrorCode::InvalidURI))?
        .into_owned())
}

/// Sub-resources of an object, by which s3s tells operations apart.
const SUB_RESOURCES: [&str; 9] = [
    "acl",
    "annotation",
    "annotationName",
    "attributes",
    "legal-hold",
    "retention",
    "tagging",
    "torrent",
    "uploadId",
];

/// Operations that do not go through the typed inputs of s3s.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direct {
    /// s3s refuses a copy source in a bucket of two letters.
    Copy,
    /// s3s answers 400 to lists of entity tags, several ranges and broken dates, where RFC 9110
    /// has meanings for them.
    Read,
}

impl Direct {
    pub(crate) fn of(method: &Method, path: &str, query: Option<&str>, headers: &HeaderMap) -> Option<Self> {
        if method == Method::PUT {
            return headers.contains_key("x-amz-copy-source").then_some(Self::Copy);
        }
        if method != Method::GET && method != Method::HEAD {
            return None;
        }
        let (_, key) = split_bucket(path);
        let sub_resource = parameters(query).any(|(name, _)| SUB_RESOURCES.contains(&name.as_str()));
        (!key.is_empty() && (method == Method::HEAD || !sub_resource)).then_some(Self::Read)
    }
}

/// The decoded parameters of a query, in order. `+` is a space, as s3s reads it.
pub(crate) fn parameters(query: Option<&str>) -> impl Iterator<Item = (String, String)> + '_ {
    query.unwrap_or_default().split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decode_form(name), decode_form(value))
    })
}

fn decode_form(text: &str) -> String {
    percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaf(path: &str) -> Key {
        Key::Leaf(NodePath::parse(path).unwrap())
    }

    #[test]
    fn keys_name_nodes() {
        for (key, path) in [
            ("ws/a.txt", "/ws/a.txt"),
            ("/ws/a.txt", "/ws/a.txt"),
            ("ws/a b", "/ws/a b"),
            ("ws/a%20b", "/ws/a%20b"),
            ("ws/a+b", "/ws/a+b"),
            ("ws/é/[x]", "/ws/é/[x]"),
            ("ws/e\u{301}", "/ws/é"),
            ("ws", "/ws"),
        ] {
            assert_eq!(Key::parse(key).unwrap(), leaf(path), "{key}");
        }
        let folder = Key::parse("ws/a/").unwrap();
        assert_eq!(folder, Key::Folder(NodePath::parse("/ws/a").unwrap()));
    }

    #[test]
    fn keys_without_a_node_are_refused() {
        for key in
            ["", "/", "//ws", "ws//a", "ws/a//", "ws/./a", "ws/../a", "..", "ws/a\0b", "ws/a\nb", "ws/\u{7f}"]
        {
            let refused = Key::parse(key).unwrap_err();
            assert_eq!(refused.code(), &S3ErrorCode::InvalidArgument, "{key:?}");
        }
        let long_name = format!("ws/{}", "n".repeat(256));
        let long_key = format!("ws/{}", "n/".repeat(600));
        for key in [long_name, long_key] {
            assert_eq!(Key::parse(&key).unwrap_err().code(), &S3ErrorCode::KeyTooLongError);
        }
    }

    #[test]
    fn objects_need_a_workspace() {
        assert_eq!(Key::parse_target("a.txt").unwrap_err().code(), &S3ErrorCode::AccessDenied);
        assert!(Key::parse_target("ws/a.txt").is_ok());
        assert_eq!(leaf_target("ws/a/").unwrap_err().code(), &S3ErrorCode::InvalidArgument);
    }

    #[test]
    fn prefixes_are_strings_not_folders() {
        let place = |prefix: &str| Place::of(prefix).map(|place| (place.text, place.rest));
        let some = |text: &str, rest: &str| Some((text.to_owned(), rest.to_owned()));
        assert_eq!(place(""), some("", ""));
        assert_eq!(place("ws"), some("", "ws"));
        assert_eq!(place("ws/"), some("ws/", ""));
        assert_eq!(place("ws/Rep"), some("ws/", "Rep"));
        assert_eq!(place("ws/a/.."), some("ws/a/", ".."));
        assert_eq!(place("ws/a/."), some("ws/a/", "."));
        for prefix in ["/", "/ws", "ws//", "ws//a", "ws/../a", "ws/\u{1}", "ws/./"] {
            assert_eq!(place(prefix), None, "{prefix:?}");
        }
    }

    #[test]
    fn reads_and_copies_are_ours() {
        let none = HeaderMap::new();
        let mut copy = HeaderMap::new();
        copy.insert("x-amz-copy-source", http::HeaderValue::from_static("io/ws/a"));
        let of = |method: Method, path: &str, query: &str, headers: &HeaderMap| {
            Direct::of(&method, path, Some(query), headers)
        };
        assert_eq!(of(Method::GET, "/io/ws/a", "", &none), Some(Direct::Read));
        assert_eq!(of(Method::HEAD, "/io/ws/a", "x-id=HeadObject", &none), Some(Direct::Read));
        assert_eq!(of(Method::GET, "/io/ws/a", "versionId=1", &none), Some(Direct::Read));
        assert_eq!(of(Method::PUT, "/io/ws/a", "", &copy), Some(Direct::Copy));
        assert_eq!(of(Method::PUT, "/io/ws/a", "", &none), None);
        assert_eq!(of(Method::GET, "/io/ws/a", "uploadId=1", &none), None);
        assert_eq!(of(Method::GET, "/io/ws/a", "%61cl", &none), None);
        assert_eq!(of(Method::GET, "/io/", "list-type=2", &none), None);
        assert_eq!(of(Method::GET, "/", "", &none), None);
        assert_eq!(of(Method::DELETE, "/io/ws/a", "", &none), None);
    }

    #[test]
    fn buckets_and_keys_part_at_the_first_slash() {
        assert_eq!(split_bucket("/io/ws/a"), ("io", "ws/a"));
        assert_eq!(split_bucket("/io"), ("io", ""));
        assert_eq!(split_bucket("/io/"), ("io", ""));
        assert_eq!(split_bucket("/io//ws"), ("io", "/ws"));
    }
}
