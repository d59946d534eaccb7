//! Parameters of a call: query, then body, then path; a later one replaces an earlier one of the
//! same name, as PHP merges them.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// Ordered pairs, with what came in the body marked.
#[derive(Debug, Clone, Default)]
pub struct Params {
    pairs: Vec<Pair>,
}

#[derive(Debug, Clone)]
struct Pair {
    name: String,
    value: String,
    posted: bool,
}

impl Params {
    /// Reads a query string.
    pub fn from_query(query: Option<&str>) -> Self {
        let mut params = Self::default();
        params.extend_form(query.unwrap_or_default().as_bytes(), false);
        params
    }

    /// Adds the pairs of an `application/x-www-form-urlencoded` text. What is not UTF-8 after
    /// decoding is replaced by U+FFFD, which no stored name matches by accident.
    pub fn extend_form(&mut self, form: &[u8], posted: bool) {
        let pairs = form.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty());
        for pair in pairs {
            let mut halves = pair.splitn(2, |byte| *byte == b'=');
            let name = decode_form(halves.next().unwrap_or_default());
            let value = decode_form(halves.next().unwrap_or_default());
            self.pairs.push(Pair { name, value, posted });
        }
    }

    /// Adds a field of the body.
    pub fn post(&mut self, name: &str, value: String) {
        self.pairs.push(Pair { name: name.to_owned(), value, posted: true });
    }

    /// Puts a value from the path over whatever query and body said.
    pub fn bind(&mut self, name: &str, value: String) {
        self.pairs.retain(|pair| pair.name != name);
        self.pairs.push(Pair { name: name.to_owned(), value, posted: false });
    }

    pub fn get(&self, name: &str) -> Option<&str> {
        self.last(name).map(|pair| pair.value.as_str())
    }

    /// The value, unless it is missing or empty.
    pub fn filled(&self, name: &str) -> Option<&str> {
        self.get(name).filter(|value| !value.is_empty())
    }

    /// Several flags of the protocol act on presence, whatever their value.
    pub fn has(&self, name: &str) -> bool {
        self.last(name).is_some()
    }

    /// Flags that mean something only when they are literally `true`.
    pub fn is_true(&self, name: &str) -> bool {
        self.get(name) == Some("true")
    }

    /// Whether the value came with the body.
    pub fn posted(&self, name: &str) -> Option<&str> {
        self.last(name).filter(|pair| pair.posted).map(|pair| pair.value.as_str())
    }

    /// Values of a PHP array: `name[]`, `name[0]`.
    pub fn list<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.pairs
            .iter()
            .filter(move |pair| {
                let index = pair.name.strip_prefix(name).and_then(|rest| rest.strip_prefix('['));
                index.and_then(|rest| rest.strip_suffix(']')).is_some()
            })
            .map(|pair| pair.value.as_str())
    }

    /// The nodes a call is about: `nodes[]`, else `file`, `file_0`, …, else the value the path has
    /// for `node` or `nodes`.
    ///
    /// The original reads a selection from the path for `file` alone; the rest of the path values
    /// it ignores, so that its own documented URLs for `delete` do nothing.
    pub fn selection(&self) -> Vec<String> {
        let listed: Vec<String> = self.list("nodes").chain(self.list("node")).map(plain_path).collect();
        if !listed.is_empty() {
            return listed;
        }
        let mut files: Vec<String> =
            (0..).map_while(|index| self.get(&format!("file_{index}"))).map(plain_path).collect();
        // `POST …/delete/` binds `/` to the path parameter; beside `file_0` that is no choice.
        if let Some(file) = self.filled("file")
            && (files.is_empty() || file != "/")
        {
            files.insert(0, plain_path(file));
        }
        if files.is_empty() {
            files.extend(self.filled("nodes").or_else(|| self.filled("node")).map(plain_path));
        }
        files
    }

    fn last(&self, name: &str) -> Option<&Pair> {
        self.pairs.iter().rev().find(|pair| pair.name == name)
    }
}

/// A path as a parameter gives it: as it is, or as `base64encoded:<base64>`. What is not valid
/// base64 of UTF-8 stays as it is, and names nothing.
fn plain_path(value: &str) -> String {
    value
        .strip_prefix("base64encoded:")
        .and_then(|text| STANDARD.decode(text).ok())
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .unwrap_or_else(|| value.to_owned())
}

/// One name or value of a form: `+` is a space, `%XX` a byte.
pub fn decode_form(text: &[u8]) -> String {
    let spaced: Cow<'_, [u8]> = if text.contains(&b'+') {
        text.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect::<Vec<u8>>().into()
    } else {
        text.into()
    };
    percent_encoding::percent_decode(&spaced).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(text: &str) -> Params {
        let mut params = Params::default();
        params.extend_form(text.as_bytes(), true);
        params
    }

    #[test]
    fn body_wins_over_query_and_path_wins_over_both() {
        let mut params = Params::from_query(Some("dir=%2Fa&options=al"));
        params.extend_form(b"dir=/b", true);
        assert_eq!(params.get("dir"), Some("/b"));
        assert_eq!(params.posted("dir"), Some("/b"));
        assert_eq!(params.posted("options"), None);
        params.bind("dir", "/c".into());
        assert_eq!(params.get("dir"), Some("/c"));
    }

    #[test]
    fn form_values_are_decoded_once() {
        let params = form("a=b+c&d=%2523&e&f=x=y&g=%c3%a9");
        assert_eq!(params.get("a"), Some("b c"));
        assert_eq!(params.get("d"), Some("%23"));
        assert_eq!(params.get("e"), Some(""));
        assert_eq!(params.get("f"), Some("x=y"));
        assert_eq!(params.get("g"), Some("é"));
    }

    #[test]
    fn flags_act_on_presence_or_on_the_word_true() {
        let params = form("auto_rename=false&ignore_exists=1&recursive=true");
        assert!(params.has("auto_rename"));
        assert!(!params.is_true("ignore_exists"));
        assert!(params.is_true("recursive"));
    }

    #[test]
    fn selections_in_every_form() {
        let cases: [(&str, &[&str]); 9] = [
            ("file=/a", &["/a"]),
            ("file_0=/a&file_1=/b", &["/a", "/b"]),
            ("file=/a&file_0=/b", &["/a", "/b"]),
            ("file=/&file_0=/b", &["/b"]),
            ("nodes[]=/a&nodes[]=/b&file=/c", &["/a", "/b"]),
            ("nodes%5B0%5D=/a&nodes%5B1%5D=/b", &["/a", "/b"]),
            ("node[0]=/a", &["/a"]),
            ("file=base64encoded:L2EgYg==", &["/a b"]),
            ("options=al", &[]),
        ];
        for (text, expected) in cases {
            assert_eq!(form(text).selection(), expected, "{text}");
        }
        let mut params = form("");
        params.bind("nodes", "/x".into());
        assert_eq!(params.selection(), ["/x"]);
    }
}
