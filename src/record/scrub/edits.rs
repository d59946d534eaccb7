//! Replacements within a text, gathered first and made at once.

use std::borrow::Cow;
use std::ops::Range;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

#[derive(Default)]
pub struct Edits(Vec<(Range<usize>, String)>);

impl Edits {
    pub fn push(&mut self, range: Range<usize>, replacement: String) {
        self.0.push((range, replacement));
    }

    /// The text with its replacements; `None` where nothing changes. Of two that overlap, the one
    /// that begins first is made, and of those the longer one.
    pub fn apply(mut self, text: &str) -> Option<String> {
        self.0.sort_by_key(|(range, _)| (range.start, std::cmp::Reverse(range.end)));
        let mut out = String::with_capacity(text.len());
        let mut copied = 0;
        for (range, replacement) in &self.0 {
            if range.start < copied {
                continue;
            }
            out.push_str(text.get(copied..range.start)?);
            out.push_str(replacement);
            copied = range.end;
        }
        out.push_str(text.get(copied..)?);
        (out != text).then_some(out)
    }
}

/// Percent-encoded as RFC 3986 would have it at least.
pub const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A query's or form's value as it was meant; `+` is a space there.
pub fn url_decoded(text: &str) -> Cow<'_, str> {
    if !text.contains(['%', '+']) {
        return Cow::Borrowed(text);
    }
    let spaced = text.replace('+', " ");
    Cow::Owned(percent_decode_str(&spaced).decode_utf8_lossy().into_owned())
}

pub fn url_encoded(text: &str) -> String {
    utf8_percent_encode(text, UNRESERVED).to_string()
}

pub fn xml_unescaped(text: &str) -> Cow<'_, str> {
    if !text.contains('&') {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        out.push_str(before);
        let entity = after.split_once(';').filter(|(name, _)| name.len() <= 8);
        match entity.and_then(|(name, after)| Some((entity_char(name)?, after))) {
            Some((c, after)) => {
                out.push(c);
                rest = after;
            }
            None => {
                out.push('&');
                rest = after;
            }
        }
    }
    out.push_str(rest);
    Cow::Owned(out)
}

fn entity_char(name: &str) -> Option<char> {
    match name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => {
            let digits = name.strip_prefix('#')?;
            let code = match digits.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => digits.parse().ok()?,
            };
            char::from_u32(code)
        }
    }
}

pub fn xml_escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_are_made_in_order_and_never_twice() {
        let mut edits = Edits::default();
        edits.push(6..7, "Z".to_owned());
        edits.push(0..2, "X".to_owned());
        edits.push(1..3, "Y".to_owned());
        edits.push(0..1, "W".to_owned());
        assert_eq!(edits.apply("abcdefg").as_deref(), Some("XcdefZ"));
        assert_eq!(Edits::default().apply("abc"), None);
    }

    #[test]
    fn entities_are_undone() {
        assert_eq!(xml_unescaped("&amp;&lt;&#39;&#x27;&nbsp;& &;é"), "&<''&nbsp;& &;é");
        assert_eq!(xml_escaped("a&<>\"'"), "a&amp;&lt;&gt;&quot;&#39;");
    }
}
