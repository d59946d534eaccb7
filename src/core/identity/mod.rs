//! Identity: who exists, what they may do, and how they prove it.
//!
//! Everything here is kept as records of the directory. Verified credentials are remembered for
//! minutes under a keyed hash and forgotten the moment anything in the directory changes.
//!
//! | file | what |
//! |---|---|
//! | `credentials` | what a caller presents |
//! | `model` | users, groups, roles, grants, keys, tokens, sessions as kept |
//! | `kept` | those types as records: read and written in one line |
//! | `users`, `groups`, `grants`, `workspaces` | creating, changing and deleting what exists |
//! | `rights` | a user's grants merged into a principal |
//! | `password` | Argon2id for new hashes; Pydio 8 and Cells forms verify and are upgraded |
//! | `verify` | credentials to principals |
//! | `cache`, `lockout` | what was verified lately; who failed too often |
//! | `tokens`, `access_token`, `keys` | stored tokens, JWTs, API keys |
//! | `sessions` | sessions of browsers and of the Pydio 8 flow |
//! | `secrets` | the installation's keys: digests, sealing, random texts |

mod access_token;
mod cache;
mod credentials;
mod grants;
mod groups;
mod kept;
mod keys;
mod lockout;
mod model;
mod password;
mod rights;
mod secrets;
mod sessions;
#[cfg(test)]
mod tests;
mod tokens;
mod users;
mod verify;
pub(crate) mod workspaces;

pub use credentials::Credentials;
pub use keys::NewKey;
pub use model::{ApiKey, Grant, Group, Role, Session, Subject, Target, Token, TokenKind, User};
pub use tokens::{NewToken, SignIn};
pub use users::{NewUser, UserChange};
pub use verify::SigningKey;

use std::sync::{Arc, RwLock};

use tokio::sync::watch;

use self::workspaces::Workspaces;
use crate::error::Result;
use crate::ports::Index;

/// The secret that accompanies an access key which is itself a token; public by design of the
/// original (`reference/cells-s3-dav-auth.md` 3.2).
pub const GATEWAY_SECRET: &str = "gatewaysecret";

/// See the module documentation. Cheap to clone.
#[derive(Clone)]
pub struct Identity {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) index: Arc<dyn Index>,
    secrets: secrets::Secrets,
    verified: cache::Cache,
    lockout: lockout::Lockout,
    hashing: password::Pool,
    /// Ticks with every change of the directory.
    epoch: watch::Receiver<u64>,
    /// All workspaces, as of an epoch.
    workspaces: RwLock<Option<(u64, Workspaces)>>,
    access_token_s: u64,
    refresh_token_s: u64,
}

impl Identity {
    /// Loads the installation's server key, creating it on the first start.
    pub(crate) async fn load(index: Arc<dyn Index>, settings: &crate::Settings) -> Result<Self> {
        let secrets = secrets::Secrets::load(&*index).await?;
        let epoch = index.directory_epoch();
        Ok(Self {
            inner: Arc::new(Inner {
                index,
                secrets,
                verified: cache::Cache::new(),
                lockout: lockout::Lockout::new(),
                hashing: password::Pool::new(),
                epoch,
                workspaces: RwLock::new(None),
                access_token_s: settings.access_token_s,
                refresh_token_s: settings.refresh_token_s,
            }),
        })
    }

    /// The state of the directory that a read started now sees at least.
    fn epoch(&self) -> u64 {
        *self.inner.epoch.borrow()
    }

    /// Drops what has expired: tokens, sessions, keys, notes of revocation.
    pub(crate) async fn purge_expired(&self) -> Result<()> {
        let now_ns = crate::http::date::now_ns();
        self.commit(move |txn| {
            Box::pin(async move {
                for kind in ["token", "session", "key", "revoked", crate::archive::SELECTION] {
                    txn.delete_expired_records(kind, now_ns).await?;
                }
                Ok(())
            })
        })
        .await
    }
}
