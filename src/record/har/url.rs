//! A URL as HAR has it, into origin and raw target, nothing normalised.

/// Why a URL gives no call.
#[derive(Debug, PartialEq, Eq)]
pub enum Unfit {
    /// Not HTTP: web socket, `data:`, an extension.
    Scheme(String),
    Bad(&'static str),
}

/// `https://host:port` and everything behind it, the fragment left away.
///
/// A user and password in the URL are left away as well: programs send them as a header, and an
/// origin must not hold a secret.
pub fn split(url: &str) -> Result<(String, String), Unfit> {
    let Some((scheme, rest)) = url.split_once(':') else { return Err(Unfit::Bad("it has no scheme")) };
    let letters = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.');
    if scheme.is_empty() || !scheme.chars().all(letters) {
        return Err(Unfit::Bad("it has no scheme"));
    }
    let scheme = scheme.to_ascii_lowercase();
    if scheme != "http" && scheme != "https" {
        return Err(Unfit::Scheme(scheme));
    }
    let Some(rest) = rest.strip_prefix("//") else { return Err(Unfit::Bad("it has no host")) };
    if rest.chars().any(|c| c.is_ascii_control() || c == ' ') {
        return Err(Unfit::Bad("it holds a space or a control character"));
    }
    let rest = rest.split_once('#').map_or(rest, |(before, _)| before);
    let (authority, target) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    if !is_host(host) {
        return Err(Unfit::Bad("it has no proper host"));
    }
    let target = if target.starts_with('/') { target.to_owned() } else { format!("/{target}") };
    Ok((format!("{scheme}://{host}"), target))
}

/// A name, an IPv4 address or an IPv6 address in brackets, with or without a port.
fn is_host(text: &str) -> bool {
    let (name, port) = match text.strip_prefix('[') {
        Some(rest) => match rest.split_once(']') {
            Some((address, port)) => (address, port.strip_prefix(':').or(port.is_empty().then_some(""))),
            None => return false,
        },
        None => match text.split_once(':') {
            Some((name, port)) => (name, Some(port)),
            None => (text, Some("")),
        },
    };
    let known = |c: char| c.is_alphanumeric() || matches!(c, '-' | '.' | '_' | '~' | '%' | ':');
    !name.is_empty()
        && name.chars().all(known)
        && port.is_some_and(|port| port.is_empty() || port.parse::<u16>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_stays_as_it_was_sent() {
        for (url, origin, target) in [
            ("http://h/", "http://h", "/"),
            (
                "https://h.example:8443/a%2Fb/../c?d=e%20f&g",
                "https://h.example:8443",
                "/a%2Fb/../c?d=e%20f&g",
            ),
            ("http://h//a/%2F..;x", "http://h", "//a/%2F..;x"),
            ("http://h", "http://h", "/"),
            ("http://h?x=1", "http://h", "/?x=1"),
            ("http://h/a?b=http://x/#frag", "http://h", "/a?b=http://x/"),
            ("HTTP://H/A", "http://H", "/A"),
            ("http://[::1]:80/x", "http://[::1]:80", "/x"),
            ("http://user:pw@h/x@y", "http://h", "/x@y"),
            ("http://müller.example/é", "http://müller.example", "/é"),
        ] {
            assert_eq!(split(url), Ok((origin.to_owned(), target.to_owned())), "{url}");
        }
    }

    #[test]
    fn what_is_not_http_is_named() {
        for scheme in ["ws", "wss", "data", "blob", "chrome-extension", "moz-extension", "file", "about"] {
            assert_eq!(split(&format!("{scheme}://x/y")), Err(Unfit::Scheme(scheme.to_owned())));
        }
        assert_eq!(split("data:text/plain,hello"), Err(Unfit::Scheme("data".to_owned())));
    }

    #[test]
    fn bad_urls_are_refused() {
        for url in [
            "",
            "/only/a/path",
            "http:/h/x",
            "http://",
            "http:///x",
            "http://h:99999/",
            "http://a b/",
            "http://h/a b",
            "http://h/\0",
            "http://h/a\nb",
            "http://[::1/",
            "http://h:80:90/",
            "http://h\\x/",
            "é://h/",
        ] {
            assert!(matches!(split(url), Err(Unfit::Bad(_))), "{url}: {:?}", split(url));
        }
    }
}
