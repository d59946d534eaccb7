//! Who failed too often. In memory, per gateway: a restart forgives.
//!
//! Only guessing counts: a login is locked out of *passwords*, while tokens, keys and credentials
//! that were verified lately go on working, so that nobody can lock a colleague's clients out.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use moka::sync::Cache;

use crate::identity::secrets::Digest;

/// Failures that are forgiven within [`WINDOW`].
const FREE: u32 = 10;
const FIRST_LOCK: Duration = Duration::from_secs(60);
const LONGEST_LOCK: Duration = Duration::from_secs(15 * 60);
/// A login without failures for so long starts afresh.
const WINDOW: Duration = Duration::from_secs(30 * 60);
/// Logins remembered; strangers can invent any number.
const LOGINS: u64 = 50_000;

#[derive(Default)]
struct Failures {
    count: u32,
    locked_until: Option<Instant>,
}

pub(super) struct Lockout {
    by_login: Cache<Digest, Arc<Mutex<Failures>>>,
}

impl Lockout {
    pub(super) fn new() -> Self {
        Self { by_login: Cache::builder().max_capacity(LOGINS).time_to_idle(WINDOW).build() }
    }

    pub(super) fn is_locked(&self, login: &Digest, now: Instant) -> bool {
        self.by_login.get(login).is_some_and(|failures| {
            failures
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .locked_until
                .is_some_and(|until| now < until)
        })
    }

    /// The tenth failure locks for a minute, each one after that for twice as long.
    pub(super) fn failed(&self, login: Digest, now: Instant) {
        let failures = self.by_login.get_with(login, Arc::default);
        let mut failures = failures.lock().unwrap_or_else(PoisonError::into_inner);
        failures.count = failures.count.saturating_add(1);
        if failures.count >= FREE {
            let doublings = (failures.count - FREE).min(8);
            failures.locked_until = Some(now + (FIRST_LOCK * 2_u32.pow(doublings)).min(LONGEST_LOCK));
        }
    }

    pub(super) fn succeeded(&self, login: &Digest) {
        self.by_login.invalidate(login);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALICE: Digest = [1; 32];
    const BOB: Digest = [2; 32];

    #[test]
    fn the_tenth_failure_locks_for_a_minute_and_the_next_for_two() {
        let (lockout, start) = (Lockout::new(), Instant::now());
        for _ in 0..9 {
            lockout.failed(ALICE, start);
            assert!(!lockout.is_locked(&ALICE, start));
        }
        lockout.failed(ALICE, start);
        assert!(lockout.is_locked(&ALICE, start + Duration::from_secs(59)));
        assert!(!lockout.is_locked(&ALICE, start + Duration::from_secs(60)));
        assert!(!lockout.is_locked(&BOB, start), "another login is not affected");

        let later = start + Duration::from_secs(60);
        lockout.failed(ALICE, later);
        assert!(lockout.is_locked(&ALICE, later + Duration::from_secs(119)));
        assert!(!lockout.is_locked(&ALICE, later + Duration::from_secs(120)));
    }

    #[test]
    fn the_lock_grows_to_a_quarter_of_an_hour_and_no_further() {
        let (lockout, start) = (Lockout::new(), Instant::now());
        for _ in 0..10_000 {
            lockout.failed(ALICE, start);
        }
        assert!(lockout.is_locked(&ALICE, start + Duration::from_secs(899)));
        assert!(!lockout.is_locked(&ALICE, start + Duration::from_secs(900)));
    }

    #[test]
    fn success_forgives() {
        let (lockout, start) = (Lockout::new(), Instant::now());
        for _ in 0..9 {
            lockout.failed(ALICE, start);
        }
        lockout.succeeded(&ALICE);
        lockout.failed(ALICE, start);
        assert!(!lockout.is_locked(&ALICE, start));
    }
}
