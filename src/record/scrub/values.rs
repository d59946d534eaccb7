//! Known secrets, found wherever they stand in a text, in whatever encoding.

use std::collections::HashMap;

use percent_encoding::{AsciiSet, utf8_percent_encode};

use super::edits::{UNRESERVED, xml_escaped};
use super::name::name_at;

/// As long as the shortest value that is looked for.
const START: usize = 8;
const BITS: usize = 1 << 16;

/// The values by their first bytes, and a bit for each such beginning: nearly every place of a text
/// is passed over by one look at a bit.
pub struct Values {
    by_start: HashMap<[u8; START], Vec<(String, String)>>,
    bits: Vec<u64>,
}

impl Default for Values {
    fn default() -> Self {
        Self { by_start: HashMap::new(), bits: vec![0; BITS / 64] }
    }
}

impl Values {
    /// `value` has at least eight bytes.
    pub fn add(&mut self, value: &str, name: &str) {
        for form in forms(value) {
            let Some(start) = form.as_bytes().first_chunk::<START>() else { continue };
            let bit = bit(start);
            if let Some(word) = self.bits.get_mut(bit / 64) {
                *word |= 1 << (bit % 64);
            }
            let list = self.by_start.entry(*start).or_default();
            list.push((form, name.to_owned()));
            // A value may begin with another one; the longer one is meant then.
            list.sort_by_key(|(form, _)| std::cmp::Reverse(form.len()));
        }
    }

    pub fn replaced(&self, text: &str) -> Option<String> {
        let mut out: Option<String> = None;
        let (mut at, mut copied) = (0, 0);
        while let Some(start) = text.as_bytes().get(at..).and_then(|rest| rest.first_chunk::<START>()) {
            if start.starts_with(b"__")
                && let Some(name) = name_at(text, at)
            {
                at = name.range.end;
                continue;
            }
            match self.at(text, at, start) {
                Some((form, name)) => {
                    let out = out.get_or_insert_with(|| String::with_capacity(text.len()));
                    out.push_str(text.get(copied..at).unwrap_or_default());
                    out.push_str(name);
                    at += form.len();
                    copied = at;
                }
                None => at += 1,
            }
        }
        let mut out = out?;
        out.push_str(text.get(copied..).unwrap_or_default());
        Some(out)
    }

    fn at(&self, text: &str, at: usize, start: &[u8; START]) -> Option<&(String, String)> {
        let bit = bit(start);
        if self.bits.get(bit / 64).is_none_or(|word| word & (1 << (bit % 64)) == 0) {
            return None;
        }
        let rest = text.as_bytes().get(at..)?;
        self.by_start.get(start)?.iter().find(|(form, _)| rest.starts_with(form.as_bytes()))
    }
}

fn bit(start: &[u8; START]) -> usize {
    // The top bits of a product depend on all bytes (Fibonacci hashing).
    (u64::from_le_bytes(*start).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 48) as usize
}

/// Left as they are by Python's `quote`, JavaScript's `encodeURIComponent`, HTML forms.
const PYTHON: &AsciiSet = &UNRESERVED.remove(b'/');
const SCRIPT: &AsciiSet = &UNRESERVED.remove(b'!').remove(b'\'').remove(b'(').remove(b')').remove(b'*');
const FORM: &AsciiSet = &UNRESERVED.remove(b'*').add(b'~');

/// A value as it stands in a URL, in JSON, in XML.
fn forms(value: &str) -> Vec<String> {
    let encoded = |set| utf8_percent_encode(value, set).to_string();
    let json = serde_json::to_string(value).unwrap_or_default();
    let json = json.get(1..json.len().saturating_sub(1)).unwrap_or_default().to_owned();
    let mut forms = vec![
        value.to_owned(),
        encoded(UNRESERVED),
        encoded(PYTHON),
        encoded(SCRIPT),
        encoded(FORM).replace("%20", "+"),
        lower_escapes(&encoded(UNRESERVED)),
        encoded(UNRESERVED).replace('%', "%25"),
        json.replace('/', "\\/"),
        json,
        xml_escaped(value),
    ];
    forms.sort();
    forms.dedup();
    forms
}

fn lower_escapes(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut left = 0;
    for c in text.chars() {
        out.push(if left > 0 { c.to_ascii_lowercase() } else { c });
        left = if c == '%' { 2 } else { usize::saturating_sub(left, 1) };
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_found_in_every_encoding() {
        let mut values = Values::default();
        values.add("p&\"ß /x+y~'", "__password_1__");
        for text in [
            "a p&\"ß /x+y~' b",
            "a p%26%22%C3%9F%20%2Fx%2By~%27 b",
            "a p%26%22%c3%9f%20%2fx%2by~%27 b",
            "a p%26%22%C3%9F%20/x%2By~%27 b",
            "a p%26%22%C3%9F+%2Fx%2By%7E%27 b",
            "a p%2526%2522%25C3%259F%2520%252Fx%252By~%2527 b",
            "a p&\\\"ß /x+y~' b",
            "a p&\\\"ß \\/x+y~' b",
            "a p&amp;&quot;ß /x+y~&#39; b",
        ] {
            assert_eq!(values.replaced(text).as_deref(), Some("a __password_1__ b"), "{text}");
        }
        assert_eq!(values.replaced("nothing of it"), None);
    }

    #[test]
    fn the_longer_value_is_meant_and_names_stay() {
        let mut values = Values::default();
        values.add("abcdefgh", "__token_1__");
        values.add("abcdefghij", "__token_2__");
        values.add("__token_", "__token_3__");
        let text = "abcdefghijabcdefghi__token_1__ é";
        assert_eq!(values.replaced(text).as_deref(), Some("__token_2____token_1__i__token_1__ é"));
    }
}
