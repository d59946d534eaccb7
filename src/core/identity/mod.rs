//! Identity: who exists, what they may do, and how they prove it.
//!
//! Everything here is kept as records of the directory. Verified credentials are remembered for
//! minutes under a keyed hash and forgotten the moment anything in the directory changes.
//!
//! | file | what |
//! |---|---|
//! | `credentials` | what a caller presents |
//! | `model` | users, groups, roles, grants, keys, tokens, sessions as kept |
//! | `password` | Argon2id for new hashes; Pydio 8 and Cells forms verify and are upgraded |
//! | `verify` | credentials to principals: caching, lockout, scopes |
//! | `tokens` | access and refresh tokens, personal tokens, API keys |
//! | `sessions` | sessions of browsers and of the Pydio 8 flow |
//! | `admin` | creating, changing and deleting what exists |

mod admin;
mod credentials;
mod model;
mod password;
mod sessions;
mod tokens;
mod verify;

pub use admin::{NewUser, UserChange};
pub use credentials::Credentials;
pub use model::{ApiKey, Grant, Group, Role, Session, Subject, Target, Token, TokenKind, User};
pub use tokens::{NewKey, NewToken, SignIn};
pub use verify::SigningKey;

use std::sync::Arc;

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
    pub(crate) secrets: Secrets,
    pub(crate) verified: verify::Cache,
}

/// Keys of this installation, derived from one random server key kept as a record.
pub(crate) struct Secrets {
    /// Signs access tokens (HS256).
    pub(crate) jwt: [u8; 32],
    /// Encrypts what SigV4 must recompute.
    pub(crate) seal: [u8; 32],
    /// Keys the digests under which secrets are stored and credentials are cached.
    pub(crate) digest: [u8; 32],
}
