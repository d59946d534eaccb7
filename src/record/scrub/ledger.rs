//! Which value has which name.

use std::collections::{BTreeMap, HashMap};

use super::kind::{self, Kind};
use super::name::{is_name, names};
use super::shape;
use super::values::Values;

#[derive(Default)]
pub struct Ledger {
    names: HashMap<String, String>,
    /// The highest number of each kind, given by us or found in a text.
    highest: HashMap<String, u32>,
    counts: BTreeMap<Kind, usize>,
    values: Values,
}

impl Ledger {
    /// The name of a secret; the same for the same value, wherever it stands. What is a name already,
    /// or no secret by its value, comes back as it is.
    pub fn name(&mut self, kind: Kind, value: &str) -> String {
        if value.is_empty() || is_name(value) || is_word(kind, value) {
            return value.to_owned();
        }
        if let Some(name) = self.names.get(value) {
            return name.clone();
        }
        let kind = if shape::is_jwt(value) { kind::JWT } else { kind };
        let number = self.highest.entry(kind.to_owned()).or_default();
        *number = number.saturating_add(1);
        let name = format!("__{kind}_{number}__");
        *self.counts.entry(kind).or_default() += 1;
        self.names.insert(value.to_owned(), name.clone());
        if stands_out(kind, value) {
            self.values.add(value, &name);
        }
        name
    }

    /// Keeps the names of a text for what they stand for there.
    pub fn reserve(&mut self, text: &str) {
        for name in names(text) {
            let highest = self.highest.entry(name.kind.to_owned()).or_default();
            *highest = (*highest).max(name.number);
        }
    }

    /// A text with the names of all values known; `None` where there is none of them in it.
    pub fn replaced(&self, text: &str) -> Option<String> {
        self.values.replaced(text)
    }

    /// How many secrets of each kind have a name.
    pub fn counts(&self) -> impl Iterator<Item = (Kind, usize)> {
        self.counts.iter().map(|(kind, count)| (*kind, *count))
    }
}

/// Values that say that there is no secret, or which one of the public ones it is.
fn is_word(kind: Kind, value: &str) -> bool {
    matches!(value, "true" | "false" | "null" | "undefined" | "deleted")
        // The access key that all clients of Pydio Cells share.
        || (kind == kind::ACCESS_KEY && value == "gateway")
        || (kind == kind::CODE && value == "required")
}

/// Whether a value may be looked for everywhere: long enough, and not what a text would say anyway.
fn stands_out(kind: Kind, value: &str) -> bool {
    let mixed =
        value.bytes().any(|byte| byte.is_ascii_digit()) && value.bytes().any(|byte| !byte.is_ascii_digit());
    value.len() >= 8
        && !kind::is_name_of_field(value)
        && match kind {
            // Languages, themes, dates; and access keys that are logins, which stay readable.
            kind::COOKIE => mixed || value.len() >= 16,
            kind::ACCESS_KEY => mixed && value.len() >= 16,
            _ => true,
        }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_keeps_its_name() {
        let mut ledger = Ledger::default();
        assert_eq!(ledger.name("password", "right"), "__password_1__");
        assert_eq!(ledger.name("password", "wrong"), "__password_2__");
        assert_eq!(ledger.name("token", "right"), "__password_1__");
        assert_eq!(ledger.name("token", "__password_1__"), "__password_1__");
        assert_eq!(ledger.name("cookie", "deleted"), "deleted");
        assert_eq!(ledger.name("access_key", "gateway"), "gateway");
        assert_eq!(ledger.counts().collect::<Vec<_>>(), [("password", 2)]);
    }

    #[test]
    fn names_of_a_text_are_not_given_again() {
        let mut ledger = Ledger::default();
        ledger.reserve("Basic alice:__password_7__");
        assert_eq!(ledger.name("password", "x"), "__password_8__");
    }
}
