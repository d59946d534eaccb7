//! Many values, found in a text as whole words and replaced.
//!
//! The index is by the first word of each value, so that a text is read once, whatever the number of
//! values, and a new value costs one insertion.

use std::borrow::Cow;
use std::collections::HashMap;

use super::MOST;
use super::view::{View, is_word};

/// What must not stand next to a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edge {
    /// Letters, digits and underscores: an identifier may follow a prefix, as in `copy-move-<uuid>`.
    Word,
    /// Also what names and addresses are made of: `alice` is not in `alice.txt`.
    Segment,
    /// For `host:port`, where neither another label nor another port may follow.
    Host,
}

impl Edge {
    fn refuses(self, neighbour: u8) -> bool {
        is_word(neighbour)
            || match self {
                Self::Word => false,
                Self::Segment => matches!(neighbour, b'.' | b'-' | b'@' | b'+' | b'~'),
                Self::Host => matches!(neighbour, b'.' | b'-' | b':' | b'@'),
            }
    }
}

#[derive(Debug, Clone)]
struct Entry {
    /// Bytes of the value before its first word.
    before: usize,
    value: String,
    with: String,
    edge: Edge,
}

/// Where a replaced text goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Into {
    /// A header or body: encoded only where the replaced text was.
    Text,
    /// A request target: what may not stand in one is always encoded.
    Target,
}

#[derive(Debug, Clone, Default)]
pub struct Index {
    by_word: HashMap<Vec<u8>, Vec<Entry>>,
    count: usize,
}

const LONGEST_VALUE: usize = 16 * 1024;

impl Index {
    /// Later settings of one value replace earlier ones. A value without any word is not kept.
    pub fn set(&mut self, value: &str, with: &str, edge: Edge) {
        if value.len() > LONGEST_VALUE || with.len() > LONGEST_VALUE {
            return;
        }
        let bytes = value.as_bytes();
        let Some(before) = bytes.iter().position(|byte| is_word(*byte)) else { return };
        let word: Vec<u8> = bytes.iter().skip(before).copied().take_while(|byte| is_word(*byte)).collect();
        let entries = self.by_word.entry(word).or_default();
        if let Some(known) = entries.iter_mut().find(|entry| entry.value == value) {
            with.clone_into(&mut known.with);
            known.edge = edge;
            return;
        }
        if self.count >= MOST {
            return;
        }
        let at = entries.partition_point(|entry| entry.value.len() >= value.len());
        entries.insert(at, Entry { before, value: value.to_owned(), with: with.to_owned(), edge });
        self.count += 1;
    }

    pub fn get(&self, value: &str) -> Option<&str> {
        let word: Vec<u8> =
            value.bytes().skip_while(|byte| !is_word(*byte)).take_while(|byte| is_word(*byte)).collect();
        let entries = self.by_word.get(&word)?;
        entries.iter().find(|entry| entry.value == value).map(|entry| entry.with.as_str())
    }

    pub fn replace<'a>(&self, text: &'a str, into: Into) -> Cow<'a, str> {
        if self.by_word.is_empty() {
            return Cow::Borrowed(text);
        }
        let view = View::of(text);
        let bytes = view.bytes();
        let mut out = String::new();
        let mut copied = 0; // in `text`
        let mut done = 0; // in `bytes`
        let mut at = 0;
        while let Some(byte) = bytes.get(at) {
            if !is_word(*byte) {
                at += 1;
                continue;
            }
            let word = at;
            while bytes.get(at).is_some_and(|byte| is_word(*byte)) {
                at += 1;
            }
            let entries = bytes.get(word..at).and_then(|word| self.by_word.get(word));
            let Some((entry, start)) = entries.and_then(|entries| fitting(entries, bytes, word, done)) else {
                continue;
            };
            let end = start + entry.value.len();
            let place = view.place(start, end);
            out.push_str(text.get(copied..place.start).unwrap_or_default());
            out.push_str(&view.encode(start, end, &entry.with, into == Into::Target));
            copied = place.end;
            done = end;
            at = at.max(end);
        }
        if copied == 0 && out.is_empty() {
            return Cow::Borrowed(text);
        }
        out.push_str(text.get(copied..).unwrap_or_default());
        Cow::Owned(out)
    }
}

/// The longest value whose first word is at `word`, and where it begins.
fn fitting<'a>(entries: &'a [Entry], bytes: &[u8], word: usize, done: usize) -> Option<(&'a Entry, usize)> {
    entries.iter().find_map(|entry| {
        let start = word.checked_sub(entry.before).filter(|start| *start >= done)?;
        let end = start + entry.value.len();
        (bytes.get(start..end)? == entry.value.as_bytes()).then_some(())?;
        let before = start.checked_sub(1).and_then(|at| bytes.get(at));
        // Quotes and brackets are edges of their own.
        let clear = |end: Option<&u8>, neighbour: Option<&u8>| {
            end.is_none_or(|end| !is_word(*end)) || neighbour.is_none_or(|byte| !entry.edge.refuses(*byte))
        };
        // A profile is no login, though the administrator's are often spelled alike.
        let profile = entry.edge == Edge::Segment && bytes.get(..start)?.ends_with(b"profile:");
        let value = entry.value.as_bytes();
        (clear(value.first(), before) && clear(value.last(), bytes.get(end)) && !profile)
            .then_some((entry, start))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index(values: &[(&str, &str)]) -> Index {
        let mut index = Index::default();
        values.iter().for_each(|(value, with)| index.set(value, with, Edge::Word));
        index
    }

    #[test]
    fn only_whole_words_are_replaced_and_longer_values_first() {
        let index = index(&[("abc", "X"), ("abc-def", "Y"), ("(abc)", "Z")]);
        assert_eq!(
            index.replace("abc abcd zabc abc-def abc-de a_abc", Into::Text),
            "X abcd zabc Y X-de a_abc"
        );
        assert_eq!(index.replace("f(abc) %28abc%29", Into::Text), "fZ Z");
        assert!(matches!(index.replace("nothing here", Into::Text), Cow::Borrowed(_)));
    }

    #[test]
    fn encoded_text_stays_encoded_as_often_as_it_was() {
        let index = index(&[("urn:uuid:1", "urn:uuid:é/2")]);
        assert_eq!(index.replace("/a%2Furn:uuid:1/b", Into::Target), "/a%2Furn:uuid:%C3%A9%2F2/b");
        assert_eq!(index.replace("?t=urn%3Auuid%3a1&x", Into::Target), "?t=urn%3Auuid%3A%C3%A9%2F2&x");
        assert_eq!(
            index.replace("?t=urn%253Auuid%253A1", Into::Target),
            "?t=urn%253Auuid%253A%25C3%25A9%252F2"
        );
        assert_eq!(index.replace("<urn:uuid:1>", Into::Text), "<urn:uuid:é/2>");
    }

    #[test]
    fn a_login_is_a_segment_and_no_profile() {
        let mut index = Index::default();
        index.set("admin", "bob", Edge::Segment);
        let text = "/admin/ admin.txt my-admin user:admin profile:admin admin@x %2Fadmin%2F";
        assert_eq!(
            index.replace(text, Into::Text),
            "/bob/ admin.txt my-admin user:bob profile:admin admin@x %2Fbob%2F"
        );
    }

    #[test]
    fn hosts_end_where_their_port_does() {
        let mut index = Index::default();
        index.set("http://old.example:80", "http://127.0.0.1:9", Edge::Host);
        assert_eq!(
            index.replace("http://old.example:80/a http://old.example:8080/", Into::Text),
            "http://127.0.0.1:9/a http://old.example:8080/"
        );
    }
}
