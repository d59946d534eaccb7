//! The body that goes out for a recorded one.
//!
//! Texts by which a client speaks to its server get fresh values; the content of files goes out as it
//! is. What the recording lacks is replaced by made bytes of the same length.

use std::borrow::Cow;

use bytes::Bytes;
use cellgate_record::{Form, Payload, Sent, names};

use crate::Values;
use crate::auth::{boundary, form_fields};
use crate::send::{Body, Content, Made};
use crate::sign::{Frames, frames_of};

/// How fresh values are written into a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Of a file, or nothing that is known.
    Content,
    Form,
    Json,
    Xml,
    Multipart,
}

impl Kind {
    pub fn of(sent: &Sent, protocol: Option<&str>) -> Self {
        // What is put somewhere is a file, except where PUT calls a function.
        if sent.method == "PUT" && !matches!(protocol, Some("cells" | "seafile")) {
            return Self::Content;
        }
        let mime = sent.header("content-type").unwrap_or_default().to_ascii_lowercase();
        let mime = mime.split(';').next().unwrap_or_default().trim();
        match mime {
            "application/x-www-form-urlencoded" => Self::Form,
            "multipart/form-data" => Self::Multipart,
            _ if mime.ends_with("json") => Self::Json,
            _ if mime.ends_with("xml") => Self::Xml,
            // Many S3 and WebDAV clients leave the type away.
            "" | "application/octet-stream" | "text/plain" => {
                match sent.body.bytes().and_then(|bytes| bytes.first()) {
                    Some(b'{') => Self::Json,
                    Some(b'<') => Self::Xml,
                    _ => Self::Content,
                }
            }
            _ => Self::Content,
        }
    }
}

/// What of a body has to have fresh values before it can be sent.
pub fn texts(sent: &Sent, kind: Kind) -> Vec<String> {
    if kind == Kind::Multipart {
        return form_fields(sent).into_iter().map(|(_, value)| value).collect();
    }
    let Some(bytes) = sent.body.bytes() else { return Vec::new() };
    match kind {
        Kind::Content | Kind::Multipart => Vec::new(),
        Kind::Form | Kind::Json | Kind::Xml => vec![String::from_utf8_lossy(bytes).into_owned()],
    }
}

/// The fresh body. `Err` says why there can be none. Of a request that was `turned_away` for want of
/// credentials nobody read it.
pub fn body(
    sent: &Sent,
    kind: Kind,
    number: usize,
    turned_away: bool,
    values: &Values,
) -> Result<Body, String> {
    let streaming = sent.header("x-amz-content-sha256").filter(|hash| hash.starts_with("STREAMING-"));
    let signed = streaming.is_some_and(|hash| hash.starts_with("STREAMING-AWS4-HMAC-SHA256-PAYLOAD"));
    match &sent.body {
        Payload::Bytes(bytes) if bytes.is_empty() => match announced(sent) {
            // Refused before the client sent it, or not kept by the program that recorded.
            0 => Ok(Body::EMPTY),
            length => Ok(Body::Plain(Content::Made(Made::new(&format!("entry {number}"), length)))),
        },
        Payload::Bytes(bytes) if streaming.is_some() => Ok(match frames_of(bytes, signed) {
            Some(frames) => Body::Framed(frames),
            None => Body::Plain(Content::Bytes(bytes.clone())),
        }),
        Payload::Bytes(bytes) => Ok(Body::Plain(Content::Bytes(with_values(sent, kind, bytes, values)))),
        Payload::Form(form) => {
            let boundary = sent.header("content-type").and_then(boundary);
            boundary.map(|boundary| in_parts(form, &boundary, number, values)).ok_or_else(|| lacks("form"))
        }
        Payload::Omitted { length, sha256 } => {
            let mark = sha256.clone().unwrap_or_else(|| format!("entry {number}"));
            match kind {
                Kind::Content => {}
                _ if turned_away => {}
                Kind::Multipart => return Err(lacks("form")),
                Kind::Form | Kind::Json | Kind::Xml => return Err(lacks("request")),
            }
            if streaming.is_none() {
                return Ok(Body::Plain(Content::Made(Made::new(&mark, *length))));
            }
            let length =
                sent.header("x-amz-decoded-content-length").and_then(|text| text.trim().parse().ok());
            let length = length.ok_or("it has no `x-amz-decoded-content-length`")?;
            let trailers = sent
                .header("x-amz-trailer")
                .map(|names| names.split(',').map(|name| (name.trim().to_owned(), String::new())).collect());
            let content = Content::Made(Made::new(&mark, length));
            Ok(Body::Framed(Frames::around(content, trailers.unwrap_or_default(), signed)))
        }
    }
}

/// A form put together again, made bytes in the place of files that were left out.
fn in_parts(form: &Form, boundary: &str, number: usize, values: &Values) -> Body {
    let mut pieces = Vec::with_capacity(form.parts.len() * 2 + 1);
    let text = |text: String| Content::Bytes(Bytes::from(text));
    for (at, part) in form.parts.iter().enumerate() {
        let end = if at == 0 { "" } else { "\r\n" };
        pieces.push(text(format!("{end}--{boundary}\r\n{}\r\n", part.head())));
        pieces.push(match &part.content {
            cellgate_record::Content::Omitted { length, sha256 } => {
                let mark = sha256.clone().unwrap_or_else(|| format!("entry {number}, part {at}"));
                Content::Made(Made::new(&mark, *length))
            }
            cellgate_record::Content::Bytes(bytes) => match std::str::from_utf8(bytes) {
                Ok(field) if !part.is_file() => text(values.substitute(field).into_owned()),
                _ => Content::Bytes(bytes.clone()),
            },
        });
    }
    let end = if pieces.is_empty() { "" } else { "\r\n" };
    pieces.push(text(format!("{end}--{boundary}--\r\n")));
    Body::Form(pieces)
}

fn lacks(what: &str) -> String {
    format!("the recording lacks the text of its {what}: record it again with a higher limit for bodies")
}

fn announced(sent: &Sent) -> u64 {
    sent.header("content-length").and_then(|text| text.trim().parse().ok()).unwrap_or_default()
}

fn with_values(sent: &Sent, kind: Kind, bytes: &Bytes, values: &Values) -> Bytes {
    if kind == Kind::Multipart {
        let boundary = sent.header("content-type").and_then(boundary);
        return boundary.map_or_else(|| bytes.clone(), |boundary| multipart(bytes, &boundary, values));
    }
    let Ok(text) = std::str::from_utf8(bytes) else { return bytes.clone() };
    let fresh = match kind {
        Kind::Content | Kind::Multipart => return bytes.clone(),
        // A form is written like a query.
        Kind::Form => {
            let target = format!("/?{text}");
            let fresh = values.substitute_target(&target);
            Cow::Owned(fresh.strip_prefix("/?").unwrap_or(text).to_owned())
        }
        Kind::Json => escaped(text, values, |value| {
            let quoted = serde_json::Value::from(value).to_string();
            quoted.get(1..quoted.len().saturating_sub(1)).unwrap_or_default().to_owned()
        }),
        Kind::Xml => escaped(text, values, |value| quick_xml::escape::escape(value).into_owned()),
    };
    match fresh {
        Cow::Borrowed(_) => bytes.clone(),
        Cow::Owned(fresh) => Bytes::from(fresh),
    }
}

/// Secrets may hold quotes and angle brackets; ids and paths are written as the client wrote them.
fn escaped<'a>(text: &'a str, values: &Values, escape: impl Fn(&str) -> String) -> Cow<'a, str> {
    let mut fresh = String::with_capacity(text.len());
    let mut copied = 0;
    for name in names(text) {
        let Some(value) = values.get(name.whole) else { continue };
        fresh.push_str(&values.substitute(text.get(copied..name.range.start).unwrap_or_default()));
        fresh.push_str(&escape(value));
        copied = name.range.end;
    }
    if copied == 0 {
        return values.substitute(text);
    }
    fresh.push_str(&values.substitute(text.get(copied..).unwrap_or_default()));
    Cow::Owned(fresh)
}

/// Fresh values in the fields that are no files.
fn multipart(bytes: &Bytes, boundary: &str, values: &Values) -> Bytes {
    let mark = format!("--{boundary}");
    let mut fresh = Vec::with_capacity(bytes.len());
    let mut rest = bytes.as_ref();
    while let Some(at) = find(rest, mark.as_bytes()) {
        field(rest.get(..at).unwrap_or_default(), values, &mut fresh);
        fresh.extend_from_slice(mark.as_bytes());
        rest = rest.get(at + mark.len()..).unwrap_or_default();
    }
    fresh.extend_from_slice(rest);
    Bytes::from(fresh)
}

fn field(part: &[u8], values: &Values, fresh: &mut Vec<u8>) {
    let body = find(part, b"\r\n\r\n").map(|at| at + 4);
    let (head, body) = body.and_then(|at| part.split_at_checked(at)).unwrap_or((part, &[]));
    fresh.extend_from_slice(head);
    let text = std::str::from_utf8(body).ok().filter(|_| find(head, b"filename").is_none());
    match text {
        Some(text) => fresh.extend_from_slice(values.substitute(text).as_bytes()),
        None => fresh.extend_from_slice(body),
    }
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}

#[cfg(test)]
mod tests {
    use cellgate_record::Part;

    use super::*;
    use crate::testing::{sent, sent_with};

    fn values(name: &str, fresh: &str) -> Values {
        let mut values = Values::default();
        values.set(name, fresh);
        values
    }

    fn fresh(sent: &Sent, values: &Values) -> String {
        let kind = Kind::of(sent, None);
        let body = body(sent, kind, 1, false, values).unwrap();
        let bytes: Vec<u8> = body.pieces().flat_map(|piece| piece.to_vec()).collect();
        assert_eq!(bytes.len() as u64, body.length());
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn secrets_are_written_as_each_form_wants_them() {
        let values = values("__password_1__", "a\"b&c +<d");
        for (mime, body, expected) in [
            (
                "application/x-www-form-urlencoded",
                "userid=x&password=__password_1__",
                "userid=x&password=a%22b%26c%20%2B%3Cd",
            ),
            ("application/json", r#"{"p":"__password_1__"}"#, r#"{"p":"a\"b&c +<d"}"#),
            ("text/xml", "<p>__password_1__</p>", "<p>a&quot;b&amp;c +&lt;d</p>"),
        ] {
            assert_eq!(fresh(&sent_with("POST", "/index.php", mime, body), &values), expected, "{mime}");
        }
    }

    #[test]
    fn files_stay_as_they_are() {
        let values = values("__jwt_1__", "fresh");
        for (method, mime) in [("PUT", "text/xml"), ("PUT", ""), ("POST", "image/png")] {
            let sent = sent_with(method, "/dav/my-files/a", mime, "<__jwt_1__>");
            assert_eq!(fresh(&sent, &values), "<__jwt_1__>", "{method} {mime}");
        }
    }

    #[test]
    fn a_form_gets_its_fields_and_keeps_its_files() {
        let mime = "multipart/form-data; boundary=b";
        let form = |token: &str| {
            format!(
                "--b\r\nContent-Disposition: form-data; name=\"secure_token\"\r\n\r\n{token}\r\n\
                 --b\r\nContent-Disposition: form-data; name=\"f\"; filename=\"a\"\r\n\r\n__jwt_1__\r\n--b--\r\n"
            )
        };
        let mut values = values("__secure_token_1__", "fresh");
        values.set("__jwt_1__", "other");
        let sent = sent_with("POST", "/index.php", mime, &form("__secure_token_1__"));
        assert_eq!(fresh(&sent, &values), form("fresh"));
        assert_eq!(texts(&sent, Kind::Multipart), ["__secure_token_1__"]);
    }

    #[test]
    fn what_is_lacking_is_made_or_said() {
        let mut put = sent("PUT", "/dav/my-files/a", &[]);
        put.body = Payload::Omitted { length: 2_000_000, sha256: Some("ab".into()) };
        assert_eq!(body(&put, Kind::Content, 1, false, &Values::default()).unwrap().length(), 2_000_000);
        // Not well-formed, or recorded by a program that does not take forms apart.
        let mut form = sent_with("POST", "/index.php", "multipart/form-data; boundary=b", "");
        form.body = put.body.clone();
        assert!(body(&form, Kind::of(&form, None), 1, false, &Values::default()).is_err());
        assert!(body(&form, Kind::of(&form, None), 1, true, &Values::default()).is_ok());
    }

    #[test]
    fn a_form_in_parts_is_put_together_again() {
        let part = |name: &str, file: Option<&str>, content| Part {
            name: name.into(),
            file_name: file.map(str::to_owned),
            content_type: None,
            headers: Vec::new(),
            content,
        };
        let field = |text: &'static str| cellgate_record::Content::Bytes(text.into());
        let parts = vec![
            part("secure_token", None, field("__secure_token_1__")),
            part("f", Some("a.bin"), cellgate_record::Content::Omitted { length: 10, sha256: None }),
        ];
        let mut form = sent_with("POST", "/index.php", "multipart/form-data; boundary=b", "");
        form.body = Payload::Form(Form { length: 300, parts });
        assert_eq!(texts(&form, Kind::of(&form, None)), ["__secure_token_1__"]);

        let body = body(&form, Kind::Multipart, 1, false, &values("__secure_token_1__", "fresh")).unwrap();
        let bytes: Vec<u8> = body.pieces().flat_map(|piece| piece.to_vec()).collect();
        assert_eq!(bytes.len() as u64, body.length());
        let head = "--b\r\nContent-Disposition: form-data; name=\"secure_token\"\r\n\r\nfresh\r\n\
                    --b\r\nContent-Disposition: form-data; name=\"f\"; filename=\"a.bin\"\r\n\r\n";
        assert_eq!(&bytes[..head.len()], head.as_bytes());
        assert_eq!(&bytes[head.len() + 10..], b"\r\n--b--\r\n");
    }

    #[test]
    fn a_body_that_was_announced_only_is_made() {
        let put = sent("PUT", "/dav/my-files/a", &[("Content-Length", "5"), ("Expect", "100-continue")]);
        assert_eq!(body(&put, Kind::Content, 1, false, &Values::default()).unwrap().length(), 5);
    }
}
