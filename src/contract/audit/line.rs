//! One line of an access log, as far as the audit reads it.

use std::borrow::Cow;

/// What a line says. A field that its format does not have is `None`.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Line<'a> {
    /// `None` for what was no HTTP request: a connection closed without one, TLS spoken to a plain port.
    pub request: Option<Request<'a>>,
    pub status: Option<u16>,
    pub agent: Option<Cow<'a, str>>,
    pub user: Option<Cow<'a, str>>,
    /// Seconds since 1970.
    pub time: Option<i64>,
}

#[derive(Debug, PartialEq, Eq)]
pub struct Request<'a> {
    pub method: Cow<'a, str>,
    /// Raw, without scheme, host and query.
    pub path: Cow<'a, str>,
    /// Raw, without the `?`.
    pub query: Option<Cow<'a, str>>,
}

impl<'a> Request<'a> {
    /// Of a request line: `GET /a?b HTTP/1.1`. The target may hold spaces, which bad clients send.
    pub fn of_line(line: Cow<'a, str>) -> Option<Self> {
        match line {
            Cow::Borrowed(line) => {
                let (method, target) = split(line)?;
                Self::of(Cow::Borrowed(method), Cow::Borrowed(target))
            }
            Cow::Owned(line) => {
                let (method, target) = split(&line)?;
                Self::of(Cow::Owned(method.to_owned()), Cow::Owned(target.to_owned()))
            }
        }
    }

    pub fn of(method: Cow<'a, str>, target: Cow<'a, str>) -> Option<Self> {
        if !is_method(&method) {
            return None;
        }
        let (path, query) = match target {
            Cow::Borrowed(target) => {
                let (path, query) = parts(target)?;
                (Cow::Borrowed(path), query.map(Cow::Borrowed))
            }
            Cow::Owned(target) => {
                let (path, query) = parts(&target)?;
                (Cow::Owned(path.to_owned()), query.map(|query| Cow::Owned(query.to_owned())))
            }
        };
        Some(Self { method, path, query })
    }
}

fn split(line: &str) -> Option<(&str, &str)> {
    let (method, rest) = line.split_once(' ')?;
    let target = match rest.rsplit_once(' ') {
        Some((target, version)) if version.starts_with("HTTP/") => target,
        // HTTP/0.9, or a version that was cut off.
        _ => rest,
    };
    Some((method, target))
}

fn is_method(method: &str) -> bool {
    (1..=32).contains(&method.len())
        && method.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'-' || byte == b'_')
}

/// Path and query; the target of `OPTIONS *` is the path `*`.
fn parts(target: &str) -> Option<(&str, Option<&str>)> {
    let target = match target.split_once("://") {
        Some((scheme, rest))
            if scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https") =>
        {
            rest.find(['/', '?']).and_then(|at| rest.get(at..)).unwrap_or("/")
        }
        _ => target,
    };
    let (path, query) = match target.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (target, None),
    };
    let path = if path.is_empty() { "/" } else { path };
    (path.starts_with('/') || path == "*").then_some((path, query))
}

/// Undoes the escapes of a log: `\x22`, `\"`, `\\`, `\n`, and `"` of nginx's JSON. What is not
/// UTF-8 then is replaced.
pub fn text(raw: &[u8]) -> Cow<'_, str> {
    if !raw.contains(&b'\\') {
        return String::from_utf8_lossy(raw);
    }
    let mut plain = Vec::with_capacity(raw.len());
    let mut rest = raw;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte != b'\\' {
            plain.push(byte);
            continue;
        }
        let Some((&kind, after)) = rest.split_first() else {
            plain.push(b'\\');
            break;
        };
        rest = after;
        match kind {
            b'x' => match hex(rest, 2) {
                Some(code) => {
                    plain.extend(u8::try_from(code));
                    rest = rest.get(2..).unwrap_or_default();
                }
                None => plain.extend(b"\\x"),
            },
            b'u' => match hex(rest, 4) {
                Some(code) => {
                    let letter = char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
                    plain.extend(letter.encode_utf8(&mut [0; 4]).bytes());
                    rest = rest.get(4..).unwrap_or_default();
                }
                None => plain.extend(b"\\u"),
            },
            b'n' => plain.push(b'\n'),
            b'r' => plain.push(b'\r'),
            b't' => plain.push(b'\t'),
            b'b' => plain.push(8),
            b'f' => plain.push(12),
            b'v' => plain.push(11),
            other => plain.push(other),
        }
    }
    Cow::Owned(
        String::from_utf8(plain).unwrap_or_else(|bad| String::from_utf8_lossy(bad.as_bytes()).into_owned()),
    )
}

fn hex(raw: &[u8], digits: usize) -> Option<u32> {
    let digits = raw.get(..digits)?;
    digits.iter().try_fold(0, |number, digit| Some(number * 16 + char::from(*digit).to_digit(16)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(line: &str) -> Option<(String, String, Option<String>)> {
        Request::of_line(line.into())
            .map(|found| (found.method.into(), found.path.into(), found.query.map(Cow::into_owned)))
    }

    #[test]
    fn request_lines_are_split() {
        let found = |method: &str, path: &str, query: Option<&str>| {
            Some((method.to_owned(), path.to_owned(), query.map(str::to_owned)))
        };
        assert_eq!(request("GET /a%20b?c=d HTTP/1.1"), found("GET", "/a%20b", Some("c=d")));
        assert_eq!(request("GET /a b HTTP/1.1"), found("GET", "/a b", None));
        assert_eq!(request("GET /a"), found("GET", "/a", None));
        assert_eq!(request("OPTIONS * HTTP/1.1"), found("OPTIONS", "*", None));
        assert_eq!(request("GET https://old.example/x?y HTTP/1.1"), found("GET", "/x", Some("y")));
        assert_eq!(request("GET http://old.example HTTP/1.1"), found("GET", "/", None));
        assert_eq!(request("VERSION-CONTROL /x HTTP/1.1"), found("VERSION-CONTROL", "/x", None));
        assert_eq!(request("GET /?url=http://x/ HTTP/1.1"), found("GET", "/", Some("url=http://x/")));
    }

    #[test]
    fn what_is_no_request_is_none() {
        for line in [
            "",
            "-",
            "\u{16}\u{3}\u{1}\u{2}",
            "\u{16}\u{3}\u{1} \u{fffd}",
            "CONNECT host:443 HTTP/1.1",
            "MGLNDD_1",
        ] {
            assert_eq!(request(line), None, "{line:?}");
        }
    }

    #[test]
    fn escapes_are_undone() {
        assert_eq!(text(br#"say \x22hi\x22"#), "say \"hi\"");
        assert_eq!(text(br#"say \"hi\" \\ \xc3\xa9 \t"#), "say \"hi\" \\ é \t");
        assert_eq!(text(br"a\/b"), "a/b");
        assert_eq!(text(b"plain"), "plain");
        assert_eq!(text(b"\xff\\xZZ\\"), "\u{fffd}\\xZZ\\");
        assert_eq!(text(br"\ud800"), "\u{fffd}");
    }
}
