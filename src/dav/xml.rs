//! XML going out: escaping and the small documents. Multistatus is written by `props`.

pub const CONTENT_TYPE: &str = "text/xml; charset=utf-8";
pub const PROLOG: &str = "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n";

/// Appends character data. What XML cannot say at all becomes U+FFFD.
pub fn push_text(out: &mut Vec<u8>, text: &str) {
    push_escaped(out, text, false);
}

/// Appends ` name="value"`.
pub fn push_attribute(out: &mut Vec<u8>, name: &str, value: &str) {
    out.push(b' ');
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"=\"");
    push_escaped(out, value, true);
    out.push(b'"');
}

fn push_escaped(out: &mut Vec<u8>, text: &str, attribute: bool) {
    let bytes = text.as_bytes();
    let mut done = 0;
    for (at, byte) in bytes.iter().enumerate() {
        let replacement: &[u8] = match byte {
            b'&' => b"&amp;",
            b'<' => b"&lt;",
            b'>' => b"&gt;",
            b'"' if attribute => b"&quot;",
            // A reader would normalise these away.
            b'\r' => b"&#13;",
            b'\n' if attribute => b"&#10;",
            b'\t' if attribute => b"&#9;",
            b'\t' | b'\n' => continue,
            0..=0x1F => "\u{FFFD}".as_bytes(),
            // U+FFFE and U+FFFF: allowed in a name, not in XML.
            0xEF if matches!(bytes.get(at + 1..at + 3), Some([0xBF, 0xBE | 0xBF])) => {
                out.extend_from_slice(bytes.get(done..at).unwrap_or_default());
                out.extend_from_slice("\u{FFFD}".as_bytes());
                done = at + 3;
                continue;
            }
            _ => continue,
        };
        out.extend_from_slice(bytes.get(done..at).unwrap_or_default());
        out.extend_from_slice(replacement);
        done = at + 1;
    }
    out.extend_from_slice(bytes.get(done..).unwrap_or_default());
}

/// The body of a failed precondition (RFC 4918 §16).
pub fn error_body(element: &str, href: Option<&str>) -> Vec<u8> {
    let mut out = Vec::from(PROLOG.as_bytes());
    out.extend_from_slice(b"<D:error xmlns:D=\"DAV:\">");
    push_condition(&mut out, element, href);
    out.extend_from_slice(b"</D:error>\n");
    out
}

fn push_condition(out: &mut Vec<u8>, element: &str, href: Option<&str>) {
    out.extend_from_slice(b"<D:");
    out.extend_from_slice(element.as_bytes());
    match href {
        Some(href) => {
            out.extend_from_slice(b"><D:href>");
            push_text(out, href);
            out.extend_from_slice(b"</D:href></D:");
            out.extend_from_slice(element.as_bytes());
            out.push(b'>');
        }
        None => out.extend_from_slice(b"/>"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_escaped() {
        let mut out = Vec::new();
        push_text(&mut out, "a<b>&\"é\r\n\u{FFFE}\u{FFFF}\u{FFFD}z");
        assert_eq!(String::from_utf8(out).unwrap(), "a&lt;b&gt;&amp;\"é&#13;\n\u{FFFD}\u{FFFD}\u{FFFD}z");
        let mut out = Vec::new();
        push_attribute(&mut out, "a", "\"\n<");
        assert_eq!(String::from_utf8(out).unwrap(), " a=\"&quot;&#10;&lt;\"");
    }

    #[test]
    fn preconditions_name_the_resource() {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        assert!(text(error_body("lock-token-submitted", Some("/dav/a&b"))).contains(
            "<D:error xmlns:D=\"DAV:\"><D:lock-token-submitted><D:href>/dav/a&amp;b</D:href></D:lock-token-submitted></D:error>"
        ));
        assert!(text(error_body("propfind-finite-depth", None)).contains("<D:propfind-finite-depth/>"));
    }
}
