//! Calls of fixtures that are known not to behave as recorded: `fixtures/known.toml`.
//!
//! Nothing is forgiven by that: a call that is listed and behaves fails as much as one that misbehaves
//! and is not listed, so the file says what is so today.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use crate::Outcome;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    fixture: BTreeMap<String, Vec<Entry>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    /// Numbers of calls in the fixture.
    calls: Vec<u64>,
    verdict: Bad,
    /// What is missing, for a reader.
    why: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Bad {
    Different,
    Unsupported,
}

/// For each fixture, what its calls are known to give.
#[derive(Default)]
pub struct Known(BTreeMap<String, BTreeMap<u64, Bad>>);

impl Known {
    pub fn read(path: &Path) -> Outcome<Self> {
        let wrong = |why: String| format!("`{}`: {why}", path.display());
        let text = std::fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
        Self::parse(&text).map_err(wrong)
    }

    fn parse(text: &str) -> Outcome<Self> {
        let file: File = toml::from_str(text).map_err(|error| error.to_string())?;
        let mut known = BTreeMap::new();
        for (fixture, entries) in file.fixture {
            let mut calls = BTreeMap::new();
            for entry in entries {
                if entry.why.trim().is_empty() || entry.calls.is_empty() {
                    return Err(format!("{fixture}: an entry needs calls, and a reason"));
                }
                for call in entry.calls {
                    if calls.insert(call, entry.verdict).is_some() {
                        return Err(format!("{fixture}: call {call} is listed twice"));
                    }
                }
            }
            known.insert(fixture, calls);
        }
        Ok(Self(known))
    }

    pub fn fixtures(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// What is not as listed, a line each.
    pub fn surprises(&self, fixture: &str, found: &BTreeMap<u64, Bad>) -> Vec<String> {
        let none = BTreeMap::new();
        let known = self.0.get(fixture).unwrap_or(&none);
        let mut lines = Vec::new();
        for (call, bad) in found {
            match known.get(call) {
                Some(listed) if listed == bad => {}
                Some(listed) => lines.push(format!("call {call} is {bad:?}, listed as {listed:?}")),
                None => lines.push(format!("call {call} is {bad:?}")),
            }
        }
        for call in known.keys().filter(|call| !found.contains_key(call)) {
            lines.push(format!("call {call} behaves: take it off fixtures/known.toml"));
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known() -> Known {
        Known::parse(
            "[[fixture.\"a/b/c\"]]\ncalls = [2, 3]\nverdict = \"unsupported\"\nwhy = \"shares are not built\"\n",
        )
        .unwrap()
    }

    #[test]
    fn what_is_listed_and_so_is_no_surprise() {
        let found = BTreeMap::from([(2, Bad::Unsupported), (3, Bad::Unsupported)]);
        assert!(known().surprises("a/b/c", &found).is_empty());
        assert!(known().surprises("other", &BTreeMap::new()).is_empty());
    }

    #[test]
    fn every_other_outcome_is_told() {
        let found = BTreeMap::from([(1, Bad::Different), (2, Bad::Different)]);
        let told = known().surprises("a/b/c", &found);
        assert_eq!(told.len(), 3, "{told:?}");
        assert!(told.iter().any(|line| line.starts_with("call 1 is Different")));
        assert!(told.iter().any(|line| line.contains("listed as Unsupported")));
        assert!(told.iter().any(|line| line.contains("call 3 behaves")));
    }

    #[test]
    fn a_reason_is_due() {
        let text = "[[fixture.\"a\"]]\ncalls = [2]\nverdict = \"different\"\nwhy = \" \"\n";
        assert!(Known::parse(text).is_err());
        assert!(Known::parse("[[fixture.\"a\"]]\ncalls = [2]\nverdict = \"same\"\nwhy = \"x\"\n").is_err());
    }
}
