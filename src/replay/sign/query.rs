//! The parameters of a target. What is not changed stays as it was written.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// What RFC 3986 does not call unreserved.
pub const NAMES: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

pub fn encode(text: &str) -> String {
    utf8_percent_encode(text, NAMES).to_string()
}

/// Bytes as percent-encoding says, `+` as a space: servers read parameters like that.
pub fn decode(text: &str) -> String {
    percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned()
}

#[derive(Debug, Clone)]
pub struct Query {
    path: String,
    pairs: Option<Vec<String>>,
}

impl Query {
    pub fn of(target: &str) -> Self {
        match target.split_once('?') {
            Some((path, query)) => {
                Self { path: path.to_owned(), pairs: Some(query.split('&').map(str::to_owned).collect()) }
            }
            None => Self { path: target.to_owned(), pairs: None },
        }
    }

    pub fn path(&self) -> &str {
        &self.path
    }

    /// Decoded, in order.
    pub fn parameters(&self) -> impl Iterator<Item = (String, String)> {
        self.pairs.iter().flatten().filter(|pair| !pair.is_empty()).map(|pair| split(pair))
    }

    /// The first value of a name.
    pub fn get(&self, name: &str) -> Option<String> {
        self.parameters().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    pub fn position(&self, name: &str) -> Option<usize> {
        self.parameters().position(|(known, _)| known == name)
    }

    /// Replaces the value of the first parameter of a name, if there is one.
    pub fn set(&mut self, name: &str, value: &str) {
        let known = |pair: &&mut String| split(pair).0 == name;
        if let Some(pair) = self.pairs.iter_mut().flatten().find(known) {
            let raw = pair.split_once('=').map_or(pair.as_str(), |(raw, _)| raw);
            *pair = format!("{raw}={}", encode(value));
        }
    }

    pub fn remove(&mut self, name: &str) {
        if let Some(pairs) = &mut self.pairs {
            pairs.retain(|pair| split(pair).0 != name);
        }
    }

    pub fn target(&self) -> String {
        match &self.pairs {
            Some(pairs) => format!("{}?{}", self.path, pairs.join("&")),
            None => self.path.clone(),
        }
    }
}

fn split(pair: &str) -> (String, String) {
    let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
    (decode(name), decode(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_changed_stays_as_written() {
        let mut query = Query::of("/io//a%2fb?x=%2f&Signature=a%2Bb&y&z=");
        assert_eq!(query.get("Signature").as_deref(), Some("a+b"));
        query.set("Signature", "c/d");
        assert_eq!(query.target(), "/io//a%2fb?x=%2f&Signature=c%2Fd&y&z=");
        query.remove("Signature");
        query.set("absent", "1");
        assert_eq!(query.target(), "/io//a%2fb?x=%2f&y&z=");
        assert_eq!(Query::of("/io?").target(), "/io?");
        assert_eq!(Query::of("/io").target(), "/io");
    }
}
