//! What stands for what: names of secrets, ids and links of earlier answers.

use std::borrow::Cow;
use std::collections::HashMap;

/// Recorded values and the fresh ones that stand for them.
#[derive(Debug, Clone, Default)]
pub struct Values {
    fresh: HashMap<String, String>,
}

impl Values {
    pub fn set(&mut self, recorded: &str, fresh: &str) {
        self.fresh.insert(recorded.to_owned(), fresh.to_owned());
    }

    pub fn get(&self, recorded: &str) -> Option<&str> {
        self.fresh.get(recorded).map(String::as_str)
    }

    /// The recording's login, and the one that the replay uses for it.
    pub fn set_login(&mut self, recorded: &str, fresh: &str) {
        self.set(recorded, fresh);
    }

    /// `https://old.example.com` of the recording, and the target that answers in its place.
    pub fn set_origin(&mut self, recorded: &str, fresh: &str) {
        self.set(recorded, fresh);
    }

    /// A recorded body that the replay sends another one for.
    pub fn set_content(&mut self, recorded_sha256: &str, fresh_sha256: &str) {
        self.set(recorded_sha256, fresh_sha256);
    }

    /// A header value or a body, with fresh values in the place of recorded ones.
    pub fn substitute<'a>(&self, text: &'a str) -> Cow<'a, str> {
        Cow::Borrowed(text)
    }

    /// A request target, in which values may be percent-encoded.
    pub fn substitute_target<'a>(&self, target: &'a str) -> Cow<'a, str> {
        Cow::Borrowed(target)
    }

    /// Names of secrets in a text that nothing stands for yet.
    pub fn missing(&self, _text: &str) -> Vec<String> {
        Vec::new()
    }
}
