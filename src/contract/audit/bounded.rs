//! Counters that do not grow without end, whatever a log holds.

use std::borrow::Cow;
use std::collections::HashMap;

/// Texts, numbered from 1 as they come. Beyond a limit new ones are all 0.
pub struct Names {
    limit: usize,
    numbers: HashMap<String, u32>,
    names: Vec<String>,
    overflow: bool,
}

/// The number of all names that found no place.
pub const OTHERS: u32 = 0;

impl Names {
    pub fn up_to(limit: usize) -> Self {
        Self { limit, numbers: HashMap::new(), names: Vec::new(), overflow: false }
    }

    pub fn number(&mut self, name: Cow<'_, str>) -> u32 {
        if let Some(number) = self.numbers.get(name.as_ref()) {
            return *number;
        }
        if self.names.len() >= self.limit {
            self.overflow = true;
            return OTHERS;
        }
        let name = name.into_owned();
        self.names.push(name.clone());
        // The limits of this module's users are far below that of the type.
        let number = u32::try_from(self.names.len()).unwrap_or(OTHERS);
        self.numbers.insert(name, number);
        number
    }

    pub fn name(&self, number: u32) -> Option<&str> {
        let at = usize::try_from(number).ok()?.checked_sub(1)?;
        self.names.get(at).map(String::as_str)
    }

    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Whether there were more than it holds.
    pub fn overflowed(&self) -> bool {
        self.overflow
    }
}

/// Counts by name. Beyond a limit new names are counted together.
#[derive(Debug)]
pub struct Counts {
    limit: usize,
    counts: HashMap<String, u64>,
    others: u64,
}

impl Counts {
    pub fn up_to(limit: usize) -> Self {
        Self { limit, counts: HashMap::new(), others: 0 }
    }

    pub fn add(&mut self, name: &str) {
        if let Some(count) = self.counts.get_mut(name) {
            *count += 1;
        } else if self.counts.len() < self.limit {
            self.counts.insert(name.to_owned(), 1);
        } else {
            self.others += 1;
        }
    }

    /// The most frequent first.
    pub fn sorted(&self) -> Vec<(&str, u64)> {
        let mut counts: Vec<_> = self.counts.iter().map(|(name, count)| (name.as_str(), *count)).collect();
        counts.sort_by(|one, other| other.1.cmp(&one.1).then_with(|| one.0.cmp(other.0)));
        counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_beyond_the_limit_share_a_number() {
        let mut names = Names::up_to(2);
        assert_eq!(names.number("a".into()), 1);
        assert_eq!(names.number("b".into()), 2);
        assert!(!names.overflowed());
        assert_eq!(names.number("c".into()), OTHERS);
        assert_eq!(names.number("a".into()), 1);
        assert!(names.overflowed());
        assert_eq!((names.name(2), names.name(OTHERS)), (Some("b"), None));
    }

    #[test]
    fn counts_beyond_the_limit_are_counted_together() {
        let mut counts = Counts::up_to(2);
        for name in ["b", "a", "b", "c", "d"] {
            counts.add(name);
        }
        assert_eq!(counts.sorted(), [("b", 2), ("a", 1)]);
        assert_eq!(counts.others, 2);
    }
}
