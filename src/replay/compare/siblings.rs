//! Which entry of a recorded list is which of the fresh one.

use std::collections::{HashMap, VecDeque};

/// Positions in both lists.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Pairing {
    pub pairs: Vec<(usize, usize)>,
    pub missing: Vec<usize>,
    pub additional: Vec<usize>,
    /// The key by which they were told apart; `None`: by their order.
    pub key: Option<usize>,
}

impl Pairing {
    pub fn reordered(&self) -> bool {
        self.pairs.windows(2).any(|two| matches!(two, [a, b] if a.1 > b.1))
    }
}

/// Pairs by the first of `keys` that tells all entries of each list apart.
///
/// `stands` gives the fresh key that is to be expected for a recorded one; `could` whether two keys that are
/// left over may be of one entry, as new identifiers are.
pub fn pair(
    recorded: usize,
    fresh: usize,
    keys: usize,
    recorded_key: impl Fn(usize, usize) -> Option<String>,
    fresh_key: impl Fn(usize, usize) -> Option<String>,
    stands: impl Fn(&str) -> String,
    could: impl Fn(usize, &str, &str) -> bool,
) -> Pairing {
    // One entry each: to say where they differ says more than that one is gone and another came.
    if recorded <= 1 && fresh <= 1 {
        return by_order(recorded, fresh);
    }
    for key in 0..keys {
        let before = distinct(recorded, |at| recorded_key(at, key));
        let now = distinct(fresh, |at| fresh_key(at, key));
        if let (Some(before), Some(now)) = (before, now) {
            return by_key(key, &before, &now, &stands, &could);
        }
    }
    by_order(recorded, fresh)
}

fn by_order(recorded: usize, fresh: usize) -> Pairing {
    let both = recorded.min(fresh);
    Pairing {
        pairs: (0..both).map(|at| (at, at)).collect(),
        missing: (both..recorded).collect(),
        additional: (both..fresh).collect(),
        key: None,
    }
}

/// All keys, if every entry has one and no two the same.
fn distinct(count: usize, key: impl Fn(usize) -> Option<String>) -> Option<Vec<String>> {
    let keys: Vec<String> = (0..count).map(key).collect::<Option<_>>()?;
    let mut seen = std::collections::HashSet::new();
    keys.iter().all(|key| seen.insert(key.as_str())).then_some(keys)
}

fn by_key(
    key: usize,
    recorded: &[String],
    fresh: &[String],
    stands: impl Fn(&str) -> String,
    could: impl Fn(usize, &str, &str) -> bool,
) -> Pairing {
    let mut left: HashMap<&str, usize> =
        fresh.iter().enumerate().map(|(at, key)| (key.as_str(), at)).collect();
    let mut found: Vec<Option<usize>> = vec![None; recorded.len()];
    for (before, slot) in recorded.iter().zip(&mut found) {
        *slot = left.remove(before.as_str()).or_else(|| left.remove(stands(before).as_str()));
    }
    let mut rest: Vec<usize> = left.into_values().collect();
    rest.sort_unstable();
    let mut rest = VecDeque::from(rest);
    let mut failures = 0;
    for (before, slot) in recorded.iter().zip(&mut found) {
        if slot.is_some() || failures >= GIVE_UP {
            continue;
        }
        let fits = |at: &usize| fresh.get(*at).is_some_and(|now| could(key, before, now));
        // Of many that fit, the first is as good as any: their order is all there is.
        match rest.iter().take(LOOK_AHEAD).position(fits) {
            Some(position) => (*slot, failures) = (rest.remove(position), 0),
            None => failures += 1,
        }
    }
    Pairing {
        pairs: found.iter().enumerate().filter_map(|(at, slot)| slot.map(|fresh| (at, fresh))).collect(),
        missing: found.iter().enumerate().filter(|(_, slot)| slot.is_none()).map(|(at, _)| at).collect(),
        additional: rest.into(),
        key: Some(key),
    }
}

/// Keep lists of thousands that have nothing in common from being compared each with each.
const LOOK_AHEAD: usize = 16;
const GIVE_UP: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    fn lists(recorded: &[&str], fresh: &[&str]) -> Pairing {
        let key = |list: &[&str], at: usize| {
            list.get(at).filter(|key| !key.is_empty()).map(|key| (*key).to_owned())
        };
        pair(
            recorded.len(),
            fresh.len(),
            1,
            |at, _| key(recorded, at),
            |at, _| key(fresh, at),
            |key| key.replace("old", "new"),
            |_, a, b| a.starts_with("id") && b.starts_with("id"),
        )
    }

    #[test]
    fn entries_are_paired_by_key() {
        let paired = lists(&["a", "b", "c"], &["c", "a", "b"]);
        assert_eq!(paired.pairs, [(0, 1), (1, 2), (2, 0)]);
        assert!(paired.reordered() && paired.missing.is_empty() && paired.additional.is_empty());
    }

    #[test]
    fn what_stands_for_another_is_found() {
        let paired = lists(&["a-old", "id1", "gone"], &["came", "id9", "a-new"]);
        assert_eq!(paired.pairs, [(0, 2), (1, 1)]);
        assert_eq!((paired.missing, paired.additional), (vec![2], vec![0]));
    }

    #[test]
    fn without_a_key_the_order_counts() {
        assert_eq!(lists(&["a", "a"], &["a", "b", "c"]).key, None);
        assert_eq!(lists(&["a", ""], &["a", "b", "c"]).additional, [2]);
        assert_eq!(lists(&["a"], &["b"]).pairs, [(0, 0)]);
        assert_eq!(lists(&[], &["b", "c"]).additional, [0, 1]);
    }
}
