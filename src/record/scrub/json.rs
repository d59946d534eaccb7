//! JSON, looked through as text: what is no secret keeps its bytes, its order and its numbers.

use super::edits::Edits;
use super::kind;
use super::scan::Scan;

struct Level {
    object: bool,
    /// The key whose value comes; that of a list is the key of its parent.
    key: Option<String>,
}

impl Scan<'_> {
    pub fn json(&mut self, text: &str) -> Option<String> {
        let pair = is_key_pair(text);
        let mut edits = Edits::default();
        let mut levels: Vec<Level> = Vec::new();
        let mut at = 0;
        while let Some(byte) = text.as_bytes().get(at) {
            match byte {
                b'{' | b'[' => {
                    let object = *byte == b'{';
                    let key = levels.last().and_then(|level| level.key.clone()).filter(|_| !object);
                    levels.push(Level { object, key });
                    at += 1;
                }
                b'}' | b']' => {
                    levels.pop();
                    at += 1;
                }
                b'"' => {
                    let Some(end) = string_end(text, at) else { break };
                    let span = text.get(at..end).unwrap_or_default();
                    let value: Option<String> = serde_json::from_str(span).ok();
                    let is_key = levels.last().is_some_and(|level| level.object)
                        && text.get(end..).is_some_and(|rest| rest.trim_start().starts_with(':'));
                    if is_key {
                        if let Some(level) = levels.last_mut() {
                            level.key = value;
                        }
                    } else if let Some(value) = value {
                        let key = levels.last().and_then(|level| level.key.as_deref()).unwrap_or_default();
                        if let Some(new) = self.json_value(key, &value, pair && levels.len() == 1) {
                            edits.push(at..end, serde_json::to_string(&new).unwrap_or_default());
                        }
                    }
                    at = end;
                }
                b'-' | b'0'..=b'9' => {
                    let rest = text.get(at..).unwrap_or_default();
                    let in_number =
                        |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'+' | b'.');
                    let length = rest.bytes().take_while(in_number).count().max(1);
                    let key = levels.last().and_then(|level| level.key.as_deref()).unwrap_or_default();
                    // Some scripts send a password of digits without quotes.
                    if self.field(key) == Some(kind::PASSWORD) && length > 1 {
                        let name = self.ledger.name(kind::PASSWORD, rest.get(..length).unwrap_or_default());
                        edits.push(at..at + length, format!("\"{name}\""));
                    }
                    at += length;
                }
                _ => at += 1,
            }
        }
        edits.apply(text)
    }

    fn json_value(&mut self, key: &str, value: &str, pair: bool) -> Option<String> {
        let kind = match key {
            "t" if pair => Some(kind::AUTH_TOKEN),
            "p" if pair => Some(kind::SECRET),
            // Of the policy of an S3 form.
            "x-amz-credential" => return Some(self.credential(value)).filter(|new| new != value),
            _ => self.field(key),
        };
        match kind {
            Some(kind) => Some(self.ledger.name(kind, value)).filter(|name| name != value),
            None => self.text(value),
        }
    }
}

/// Where a string that begins at `start` has ended.
fn string_end(text: &str, start: usize) -> Option<usize> {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(start + 1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return Some(at + 1),
            _ => {}
        }
    }
    None
}

/// Pydio 8's token and its private half: `{"t":"…","p":"…"}` and nothing else.
fn is_key_pair(text: &str) -> bool {
    text.len() < 4096
        && serde_json::from_str::<std::collections::BTreeMap<String, String>>(text)
            .is_ok_and(|map| map.keys().eq(["p", "t"]))
}
