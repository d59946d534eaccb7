//! The server behind the recorder.

use std::fmt;
use std::str::FromStr;

use http::Uri;

/// `https://old.example:8443/pydio`; the path is put in front of every target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upstream {
    pub(super) secure: bool,
    pub(super) host: String,
    pub(super) port: u16,
    /// As `Host` has it: with a port only where one was given.
    pub(super) authority: String,
    /// Without a slash at the end.
    pub(super) path: String,
}

impl FromStr for Upstream {
    type Err = String;

    fn from_str(url: &str) -> Result<Self, String> {
        // The URL is not repeated: it may hold a password.
        let wrong = |why: &str| format!("{why}, as in `https://files.example.com`");
        let uri: Uri = url.parse().map_err(|_| wrong("expected the URL of a server"))?;
        let secure = match uri.scheme_str() {
            Some("http") => false,
            Some("https") => true,
            _ => return Err(wrong("expected `http://` or `https://`")),
        };
        let authority = uri.authority().ok_or_else(|| wrong("expected the URL of a server"))?;
        if authority.as_str().contains('@') {
            return Err(wrong("expected no login in the URL: clients sign in by themselves"));
        }
        if uri.query().is_some() {
            return Err(wrong("expected no query"));
        }
        Ok(Self {
            secure,
            host: authority.host().trim_start_matches('[').trim_end_matches(']').to_owned(),
            port: authority.port_u16().unwrap_or(if secure { 443 } else { 80 }),
            authority: authority.as_str().to_owned(),
            path: uri.path().trim_end_matches('/').to_owned(),
        })
    }
}

impl fmt::Display for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.origin(), self.path)
    }
}

impl Upstream {
    pub(super) fn origin(&self) -> String {
        format!("{}://{}", if self.secure { "https" } else { "http" }, self.authority)
    }

    /// The target with the path in front, otherwise as it is; `*` has no path.
    pub(super) fn target(&self, uri: &Uri) -> Result<Uri, http::Error> {
        let target = uri.path_and_query().map_or("/", |target| target.as_str());
        // `OPTIONS http://host` means the server itself.
        let target = if target.is_empty() { "/" } else { target };
        let target = if target == "*" { target.to_owned() } else { format!("{}{target}", self.path) };
        Ok(target.parse()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_of_servers() {
        let upstream: Upstream = "https://old.example/pydio/".parse().unwrap();
        assert_eq!((upstream.port, upstream.to_string().as_str()), (443, "https://old.example/pydio"));
        for (target, sent) in [
            ("/a?b", "/pydio/a?b"),
            ("//a/%2F..;x?", "/pydio//a/%2F..;x?"),
            ("*", "*"),
            ("http://h/x", "/pydio/x"),
        ] {
            assert_eq!(upstream.target(&target.parse().unwrap()).unwrap().to_string(), sent, "{target}");
        }
        let upstream: Upstream = "http://[::1]:8080".parse().unwrap();
        assert_eq!((upstream.host.as_str(), upstream.port, upstream.path.as_str()), ("::1", 8080, ""));
        for url in ["", "old.example", "ftp://h", "http://", "http://a:secret@h/", "http://h/?x", "/x"] {
            let error = url.parse::<Upstream>().unwrap_err();
            assert!(error.starts_with("expected ") && !error.contains("secret"), "{url}: {error}");
        }
    }
}
