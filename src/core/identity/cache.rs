//! What was verified lately, so that a password costs as little as a token and neither costs a
//! query.
//!
//! Entries are found by a keyed digest of the credential and hold for five minutes, and only while
//! the directory is as it was *before* the credential was looked up: an entry filled during a
//! change carries the older epoch and does not count. After a change, everything is looked up
//! again; only the hashing of a password is spared while the user's stored hash is the same, or
//! each change would cost every connected client's password a hash.

use std::sync::Arc;
use std::time::Duration;

use moka::sync::Cache as Moka;

use crate::identity::secrets::Digest;
use crate::principal::SharedPrincipal;

const TTL: Duration = Duration::from_secs(300);
const GOOD_ENTRIES: u64 = 50_000;
/// Small and apart, so that guesses never push verified credentials out.
const WRONG_ENTRIES: u64 = 10_000;
/// Logins whose passwords are being verified.
const LOGINS: u64 = 10_000;

/// A verified credential. The door's scope is not part of the verdict: it is checked on each use.
#[derive(Clone)]
pub(super) struct Known {
    pub(super) principal: SharedPrincipal,
    /// When the credential itself ends, whatever the cache's own time.
    pub(super) expires_ns: Option<i64>,
    /// What the client signs with, for access keys.
    pub(super) secret: Option<String>,
    /// The token or key it rests on, for what is handed out in exchange.
    pub(super) via: Option<String>,
    /// The stored hash that the password matched.
    pub(super) matched: Option<String>,
}

pub(super) struct Cache {
    good: Moka<Digest, (u64, Arc<Known>)>,
    /// Passwords that did not match, with the digest of the stored hash they did not match.
    wrong: Moka<Digest, Digest>,
    turns: Moka<Digest, Arc<tokio::sync::Mutex<()>>>,
}

impl Cache {
    pub(super) fn new() -> Self {
        Self {
            good: Moka::builder().max_capacity(GOOD_ENTRIES).time_to_live(TTL).build(),
            wrong: Moka::builder().max_capacity(WRONG_ENTRIES).time_to_live(TTL).build(),
            turns: Moka::builder().max_capacity(LOGINS).time_to_idle(TTL).build(),
        }
    }

    pub(super) fn get(&self, credential: &Digest, epoch: u64) -> Option<Arc<Known>> {
        let (filled, known) = self.good.get(credential)?;
        (filled == epoch).then_some(known)
    }

    /// `epoch` is the one read before the credential was looked up.
    pub(super) fn put(&self, credential: Digest, epoch: u64, known: Arc<Known>) {
        self.good.insert(credential, (epoch, known));
    }

    /// As [`Self::get`], whatever has changed since: for what can be checked again.
    pub(super) fn get_stale(&self, credential: &Digest) -> Option<Arc<Known>> {
        self.good.get(credential).map(|(_, known)| known)
    }

    pub(super) fn is_wrong(&self, credential: &Digest, stored: &Digest) -> bool {
        self.wrong.get(credential).as_ref() == Some(stored)
    }

    pub(super) fn put_wrong(&self, credential: Digest, stored: Digest) {
        self.wrong.insert(credential, stored);
    }

    /// One password of a login is verified at a time: a client that opens with sixteen connections
    /// costs one hash, and one that guesses keeps nobody else waiting.
    pub(super) fn turn(&self, login: Digest) -> Arc<tokio::sync::Mutex<()>> {
        self.turns.get_with(login, Arc::default)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::principal::{Principal, Scope};

    fn known() -> Arc<Known> {
        let principal = Principal {
            login: "alice".into(),
            uuid: uuid::Uuid::nil(),
            display_name: String::new(),
            email: String::new(),
            admin: false,
            group: "/".into(),
            workspaces: std::collections::HashMap::new(),
            nodes: std::collections::HashMap::new(),
            scope: Scope::default(),
            scope_path: None,
        };
        Arc::new(Known {
            principal: Arc::new(principal),
            expires_ns: None,
            secret: None,
            via: None,
            matched: None,
        })
    }

    #[test]
    fn an_entry_filled_during_a_change_never_counts() {
        let cache = Cache::new();
        // Looked up at epoch 4; the change to 5 came before the entry was put.
        cache.put([1; 32], 4, known());
        assert!(cache.get(&[1; 32], 5).is_none());
        assert!(cache.get(&[1; 32], 4).is_some());
        assert!(cache.get(&[2; 32], 4).is_none());
    }

    #[test]
    fn a_wrong_password_is_remembered_with_what_it_did_not_match() {
        let cache = Cache::new();
        cache.put_wrong([1; 32], [8; 32]);
        assert!(cache.is_wrong(&[1; 32], &[8; 32]));
        assert!(!cache.is_wrong(&[1; 32], &[9; 32]), "the user has a new password since");
    }
}
