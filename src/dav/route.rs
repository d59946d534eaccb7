//! What comes in: which method on which node, and the URLs that headers carry.
//!
//! Paths are decoded once, segment by segment, before [`NodePath`] sees them: an encoded slash or
//! NUL inside a segment is refused, so no later reader can split it differently.

use cellgate_core::NodePath;
use http::{HeaderMap, Uri, header};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode, utf8_percent_encode};

use crate::error::DavError;

/// Where this door stands.
pub const MOUNT: &str = "/dav";

/// Everything but the unreserved characters of RFC 3986: what every client decodes alike.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    Options,
    Get,
    Head,
    Put,
    Patch,
    Delete,
    MkCol,
    Copy,
    Move,
    PropFind,
    PropPatch,
    Lock,
    Unlock,
}

/// What a request may ask for.
pub const METHODS: [(&str, Method); 14] = [
    ("OPTIONS", Method::Options),
    ("GET", Method::Get),
    // Cells answers a POST on a file like a GET (golang.org/x/net/webdav does).
    ("POST", Method::Get),
    ("HEAD", Method::Head),
    ("PUT", Method::Put),
    ("PATCH", Method::Patch),
    ("DELETE", Method::Delete),
    ("MKCOL", Method::MkCol),
    ("COPY", Method::Copy),
    ("MOVE", Method::Move),
    ("PROPFIND", Method::PropFind),
    ("PROPPATCH", Method::PropPatch),
    ("LOCK", Method::Lock),
    ("UNLOCK", Method::Unlock),
];

impl Method {
    pub fn of(method: &http::Method) -> Option<Self> {
        METHODS.iter().find(|(name, _)| *name == method.as_str()).map(|(_, method)| *method)
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Options => "OPTIONS",
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
            Self::MkCol => "MKCOL",
            Self::Copy => "COPY",
            Self::Move => "MOVE",
            Self::PropFind => "PROPFIND",
            Self::PropPatch => "PROPPATCH",
            Self::Lock => "LOCK",
            Self::Unlock => "UNLOCK",
        }
    }
}

/// What a request is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// `/`: not ours, but Windows walks down from it and wants answers.
    Site,
    Node {
        path: NodePath,
        /// Whether the URL ended in a slash: the client takes it for a collection.
        slash: bool,
    },
}

/// Reads the path of a request.
pub fn target(raw: &str) -> Result<Target, DavError> {
    if raw == "/" {
        return Ok(Target::Site);
    }
    let below = below_mount(raw).ok_or_else(|| DavError::not_found("no such resource"))?;
    Ok(Target::Node { path: node_path(below)?, slash: raw.ends_with('/') })
}

/// The part behind the mount, on whole segments: `/davfoo` is not ours.
fn below_mount(raw: &str) -> Option<&str> {
    raw.strip_prefix(MOUNT).filter(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn node_path(raw: &str) -> Result<NodePath, DavError> {
    let mut decoded = String::with_capacity(raw.len());
    for segment in raw.split('/').filter(|segment| !segment.is_empty()) {
        let segment = decode(segment)?;
        decoded.push('/');
        decoded.push_str(&segment);
    }
    Ok(NodePath::parse(&decoded)?)
}

fn decode(segment: &str) -> Result<String, DavError> {
    let mut escapes = segment.split('%').skip(1);
    if !escapes
        .all(|rest| matches!(rest.as_bytes(), [a, b, ..] if a.is_ascii_hexdigit() && b.is_ascii_hexdigit()))
    {
        return Err(DavError::bad_request("the URL has a malformed percent escape"));
    }
    let bytes: Vec<u8> = percent_decode(segment.as_bytes()).collect();
    if bytes.iter().any(|byte| matches!(byte, b'/' | 0)) {
        return Err(DavError::bad_request("the URL has an encoded slash or NUL in a name"));
    }
    String::from_utf8(bytes).map_err(|_| DavError::bad_request("the URL is not UTF-8"))
}

/// The URL path of a node: encoded, with a slash behind a collection.
pub fn href(path: &NodePath, collection: bool) -> String {
    let mut href = String::from(MOUNT);
    for name in path.names() {
        href.push('/');
        href.extend(utf8_percent_encode(name, SEGMENT));
    }
    if collection {
        href.push('/');
    }
    href
}

/// Appends one encoded name.
pub fn push_name(out: &mut Vec<u8>, name: &str) {
    for piece in utf8_percent_encode(name, SEGMENT) {
        out.extend_from_slice(piece.as_bytes());
    }
}

/// How the client names this server: what a `Destination` is compared with.
#[derive(Debug, Clone, Default)]
pub struct Hosts(Vec<String>);

impl Hosts {
    /// `Host` (or `:authority`), and what a proxy says the client asked for.
    pub fn of(uri: &Uri, headers: &HeaderMap) -> Self {
        let text = |name: header::HeaderName| {
            headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
        };
        let forwarded = headers
            .get("x-forwarded-host")
            .and_then(|value| value.to_str().ok())
            .map(|hosts| hosts.split(',').map(|host| host.trim().to_owned()).collect::<Vec<_>>());
        Self(
            uri.authority()
                .map(|authority| authority.as_str().to_owned())
                .into_iter()
                .chain(text(header::HOST))
                .chain(forwarded.unwrap_or_default())
                .map(|host| without_default_port(&host))
                .collect(),
        )
    }

    fn knows(&self, authority: &str) -> bool {
        // Credentials in the URL say nothing about the host.
        let host = authority.rsplit('@').next().unwrap_or(authority);
        let host = without_default_port(host);
        self.0.iter().any(|known| known.eq_ignore_ascii_case(&host))
    }
}

fn without_default_port(host: &str) -> String {
    host.strip_suffix(":80").or_else(|| host.strip_suffix(":443")).unwrap_or(host).to_owned()
}

/// Reads a URL that a header carries: absolute, or an absolute path. `None` when it points to
/// another server or beside the mount.
pub fn local(url: &str, hosts: &Hosts) -> Result<Option<(NodePath, bool)>, DavError> {
    let url = url.trim();
    let path = match url.split_once("://") {
        Some((scheme, rest)) if !url.starts_with('/') => {
            if !scheme.eq_ignore_ascii_case("http") && !scheme.eq_ignore_ascii_case("https") {
                return Ok(None);
            }
            let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
            if !hosts.knows(authority) {
                return Ok(None);
            }
            path
        }
        _ if url.starts_with('/') => url,
        _ => return Err(DavError::bad_request("the URL is neither absolute nor an absolute path")),
    };
    let path = path.split(['?', '#']).next().unwrap_or_default();
    match below_mount(path) {
        Some(below) => Ok(Some((node_path(below)?, path.ends_with('/')))),
        None => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(raw: &str) -> Option<String> {
        match target(raw) {
            Ok(Target::Node { path, .. }) => Some(path.to_string()),
            _ => None,
        }
    }

    #[test]
    fn paths_are_decoded_once() {
        for (raw, expected) in [
            ("/dav", "/"),
            ("/dav/", "/"),
            ("/dav//ws///a", "/ws/a"),
            ("/dav/ws/a%20b", "/ws/a b"),
            ("/dav/ws/a%2520b", "/ws/a%20b"),
            ("/dav/ws/e%CC%81", "/ws/é"),
            ("/dav/ws/a+b", "/ws/a+b"),
        ] {
            assert_eq!(path(raw).as_deref(), Some(expected), "{raw}");
        }
        assert_eq!(target("/").ok(), Some(Target::Site));
    }

    #[test]
    fn paths_that_could_be_read_two_ways_are_refused() {
        for raw in [
            "/dav/ws/a%2Fb",
            "/dav/ws/a%2fb",
            "/dav/ws/%00",
            "/dav/ws/%FF",
            "/dav/ws/..",
            "/dav/ws/%2E%2e/x",
            "/dav/ws/./x",
            "/dav/ws/100%",
            "/dav/ws/%zz",
            "/dav/ws/%0A",
            "/davfoo",
            "/davfoo/x",
            "/a",
        ] {
            assert!(target(raw).is_err(), "{raw}");
        }
    }

    #[test]
    fn hrefs_decode_to_what_they_name() {
        let name = "a b%&<>\"'é😀#?;+[x]";
        let node = NodePath::root().join("ws").unwrap().join(name).unwrap();
        assert_eq!(path(&href(&node, false)), Some(node.to_string()));
        assert_eq!(href(&NodePath::root(), true), "/dav/");
        assert_eq!(href(&NodePath::parse("/w/ä").unwrap(), true), "/dav/w/%C3%A4/");
    }

    #[test]
    fn destinations_are_ours_or_nobodys() {
        let mut headers = HeaderMap::new();
        headers.insert("host", "Files.example:80".parse().unwrap());
        headers.insert("x-forwarded-host", "outside.example".parse().unwrap());
        let hosts = Hosts::of(&Uri::from_static("/dav/x"), &headers);
        let of = |url: &str| local(url, &hosts).map(|found| found.map(|(path, _)| path.to_string()));
        for (url, expected) in [
            ("http://files.example/dav/w/a%20b", Some("/w/a b")),
            ("https://files.example:443/dav/w/a", Some("/w/a")),
            ("http://outside.example/dav/w/a", Some("/w/a")),
            ("http://user@files.example/dav/w/a?x=1", Some("/w/a")),
            ("/dav/w/a/", Some("/w/a")),
            ("/dav", Some("/")),
            ("http://other.example/dav/w/a", None),
            ("http://files.example:8080/dav/w/a", None),
            ("http://files.example/davfoo.txt", None),
            ("http://files.example", None),
            ("ftp://files.example/dav/w/a", None),
            ("/io/w/a", None),
        ] {
            assert_eq!(of(url).unwrap().as_deref(), expected, "{url}");
        }
        for url in ["", "w/a", "/dav/w/..", "http://files.example/dav/w/%2F"] {
            assert!(of(url).is_err(), "{url}");
        }
    }
}
