//! What was verified lately, so that a password costs as little as a token and neither costs a
//! query.
//!
//! Entries are found by a keyed digest of the credential and hold for five minutes, and only while
//! the directory is as it was *before* the credential was looked up: an entry filled during a
//! change carries the older epoch and never counts.

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
}

pub(super) struct Cache {
    good: Moka<Digest, (u64, Arc<Known>)>,
    wrong: Moka<Digest, u64>,
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

    pub(super) fn is_wrong(&self, credential: &Digest, epoch: u64) -> bool {
        self.wrong.get(credential) == Some(epoch)
    }

    pub(super) fn put_wrong(&self, credential: Digest, epoch: u64) {
        self.wrong.insert(credential, epoch);
    }

    /// One password of a login is verified at a time: a client that opens with sixteen connections
    /// costs one hash, and one that guesses keeps nobody else waiting.
    pub(super) fn turn(&self, login: Digest) -> Arc<tokio::sync::Mutex<()>> {
        self.turns.get_with(login, Arc::default)
    }
}
