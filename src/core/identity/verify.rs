//! Credentials to principals.
//!
//! ```text
//! Password   verified lately? -> an API key's id and secret -> a token or a key's secret as
//!            password -> locked out? -> the user's password, one at a time per login
//! Token      verified lately? -> id:secret of a key -> access token (JWT) -> stored token
//! AccessKey  verified lately? -> id of a key -> access token -> stored token
//! Session    its record, then the user's principal
//! ```
//!
//! Expiry and the scope's doors are checked on every use, also of what was verified lately.

use std::sync::Arc;
use std::time::Instant;

use uuid::Uuid;

use crate::error::{Error, Result, Unauthenticated};
use crate::http::date::now_ns;
use crate::identity::cache::Known;
use crate::identity::secrets::Digest;
use crate::identity::{Credentials, GATEWAY_SECRET, Identity, User, access_token, keys, password};
use crate::principal::{Door, Principal, Scope, SharedPrincipal};

/// Longer texts are no credentials of ours. An access token has some 350 bytes; S3 access keys of
/// old clients were to be let in up to 4 KiB.
const MAX_BYTES: usize = password::MAX_BYTES;

/// What a door needs to verify an S3 signature.
#[derive(Clone)]
pub struct SigningKey {
    /// The secret the client signed with.
    pub secret: String,
    pub principal: SharedPrincipal,
}

/// What a credential turned out to be.
pub(super) struct Proof {
    pub(super) user: User,
    pub(super) scope: Scope,
    pub(super) expires_ns: Option<i64>,
    pub(super) secret: Option<String>,
    pub(super) via: Option<String>,
    /// The stored hash that the password matched.
    pub(super) matched: Option<String>,
}

impl Proof {
    pub(super) fn of(user: User) -> Self {
        Self { user, scope: Scope::default(), expires_ns: None, secret: None, via: None, matched: None }
    }
}

pub(super) fn refused(why: Unauthenticated) -> Error {
    Error::Unauthenticated(why)
}

pub(super) fn wrong() -> Error {
    refused(Unauthenticated::Wrong)
}

/// Whether this error is a verdict about a credential, not a failure to reach one.
fn is_wrong(error: &Error) -> bool {
    matches!(error, Error::Unauthenticated(Unauthenticated::Wrong))
}

/// A credential holds until the instant it expires, and no longer.
pub(super) fn check_time(expires_ns: Option<i64>) -> Result<()> {
    match expires_ns {
        Some(expires_ns) if expires_ns <= now_ns() => Err(refused(Unauthenticated::Expired)),
        _ => Ok(()),
    }
}

pub(super) fn check_door(scope: &Scope, door: Door) -> Result<()> {
    if scope.doors.is_empty() || scope.doors.contains(&door) {
        Ok(())
    } else {
        Err(refused(Unauthenticated::OutOfScope))
    }
}

impl Identity {
    /// Verifies credentials for one door.
    pub async fn verify(&self, credentials: &Credentials, door: Door) -> Result<SharedPrincipal> {
        let principal = match credentials {
            Credentials::Anonymous => return Err(refused(Unauthenticated::Missing)),
            Credentials::Verified(principal) => Arc::clone(principal),
            Credentials::Password { login, password } => {
                self.by_password(login, password).await?.principal.clone()
            }
            Credentials::Token(token) => self.by_token(token).await?.principal.clone(),
            Credentials::AccessKey(key) => self.by_access_key(key).await?.principal.clone(),
            Credentials::Session(secret) => {
                let session = self.session(secret).await?.ok_or_else(|| refused(Unauthenticated::Expired))?;
                self.session_principal(&session).await?
            }
        };
        check_door(&principal.scope, door)?;
        Ok(principal)
    }

    /// The secret and principal behind an S3 access key: an API key has its own secret, a token is
    /// its own proof and is accompanied by [`super::GATEWAY_SECRET`]. The scope's doors are checked
    /// when the principal is used.
    pub async fn signing_key(&self, access_key: &str) -> Result<SigningKey> {
        let known = self.by_access_key(access_key).await?;
        let secret = known.secret.clone().ok_or_else(wrong)?;
        Ok(SigningKey { secret, principal: Arc::clone(&known.principal) })
    }

    /// The principal of a user under a scope, for those who hold a record that names the user: a
    /// session, a link.
    pub(super) async fn principal_of(&self, user: Uuid, scope: &Scope) -> Result<SharedPrincipal> {
        let limits = serde_json::to_string(scope).map_err(Error::internal)?;
        let key = self.inner.secrets.digest("user", &[&user.to_string(), &limits]);
        let epoch = self.epoch();
        if let Some(known) = self.inner.verified.get(&key, epoch) {
            return Ok(Arc::clone(&known.principal));
        }
        let user = self.active_user(user).await?;
        let proof = Proof { scope: scope.clone(), ..Proof::of(user) };
        Ok(Arc::clone(&self.remember(key, epoch, proof).await?.principal))
    }

    /// The user, unless deleted or locked.
    pub(super) async fn active_user(&self, uuid: Uuid) -> Result<User> {
        self.user_by_uuid(uuid).await?.filter(|user| !user.locked).ok_or_else(wrong)
    }

    async fn by_token(&self, token: &str) -> Result<Arc<Known>> {
        let key = self.inner.secrets.digest("token", &[token]);
        let epoch = self.epoch();
        if let Some(known) = self.lately(&key, epoch)? {
            return Ok(known);
        }
        Box::pin(self.prove_bearer(token, key, epoch)).await
    }

    async fn prove_bearer(&self, token: &str, key: Digest, epoch: u64) -> Result<Arc<Known>> {
        let proof = match token.split_once(':') {
            Some((id, secret)) => self.prove_key(id, Some(secret)).await?.ok_or_else(wrong)?,
            None => self.prove_token(token).await?,
        };
        self.remember(key, epoch, proof).await
    }

    async fn by_access_key(&self, access_key: &str) -> Result<Arc<Known>> {
        let key = self.inner.secrets.digest("access key", &[access_key]);
        let epoch = self.epoch();
        if let Some(known) = self.lately(&key, epoch)? {
            return Ok(known);
        }
        // Boxed: what is not remembered is rare, and large.
        Box::pin(self.prove_access_key(access_key, key, epoch)).await
    }

    async fn prove_access_key(&self, access_key: &str, key: Digest, epoch: u64) -> Result<Arc<Known>> {
        let proof = match self.prove_key(access_key, None).await? {
            Some(proof) => proof,
            None => Proof { secret: Some(GATEWAY_SECRET.into()), ..self.prove_token(access_key).await? },
        };
        self.remember(key, epoch, proof).await
    }

    pub(super) async fn by_password(&self, login: &str, password: &str) -> Result<Arc<Known>> {
        let key = self.inner.secrets.digest("password", &[login, password]);
        let epoch = self.epoch();
        if let Some(known) = self.lately(&key, epoch)? {
            return Ok(known);
        }
        Box::pin(self.prove_pair(login, password, key, epoch)).await
    }

    async fn prove_pair(&self, login: &str, password: &str, key: Digest, epoch: u64) -> Result<Arc<Known>> {
        if login.len() > MAX_BYTES || password.len() > MAX_BYTES {
            return Err(wrong());
        }
        if let Some(proof) = self.prove_instead_of_password(login, password).await? {
            return self.remember(key, epoch, proof).await;
        }
        self.prove_password(login, password, key).await
    }

    /// Keys and tokens are accepted where clients only know login and password. They are looked up
    /// before the lockout: nobody guesses them.
    async fn prove_instead_of_password(&self, login: &str, password: &str) -> Result<Option<Proof>> {
        if let Some(proof) = self.prove_key(login, Some(password)).await? {
            return Ok(Some(proof));
        }
        let proof = match self.prove_token(password).await {
            Ok(proof) => Some(proof),
            Err(error) if is_wrong(&error) => self.prove_key_secret(password).await?,
            Err(error) => return Err(error),
        };
        // Cells: the token's login must be the Basic user name.
        Ok(proof.filter(|proof| proof.user.login == login))
    }

    async fn prove_password(&self, login: &str, password: &str, key: Digest) -> Result<Arc<Known>> {
        let account = self.inner.secrets.digest("login", &[login]);
        let turn = self.inner.verified.turn(account);
        let _turn = turn.lock().await;
        loop {
            // While waiting, the same password may have been verified for another connection.
            let epoch = self.epoch();
            if let Some(known) = self.lately(&key, epoch)? {
                return Ok(known);
            }
            let user = self.user(login).await?;
            let verdict = self.check_password(user.as_ref(), password, key, account).await?;
            let user = user.filter(|user| !user.locked && verdict != password::Verdict::Wrong);
            let Some(user) = user else { return Err(wrong()) };
            if verdict == password::Verdict::Right {
                let matched = Some(user.password.clone());
                return self.remember(key, epoch, Proof { matched, ..Proof::of(user) }).await;
            }
            // The upgrade is a change of the directory itself, and others may have made one at the
            // same time: look again.
            self.upgrade_password(&user, password).await?;
        }
    }

    /// Whether this is the user's password, by what is remembered or by hashing it. Counts failures.
    async fn check_password(
        &self,
        user: Option<&User>,
        password: &str,
        key: Digest,
        account: Digest,
    ) -> Result<password::Verdict> {
        let inner = &self.inner;
        let stored = user.map(|user| user.password.as_str()).unwrap_or_default();
        let locked = user.is_some_and(|user| user.locked);
        let matched = inner.verified.get_stale(&key).and_then(|known| known.matched.clone());
        if !locked && matched.as_deref() == Some(stored) {
            // Something in the directory has changed, but not this password.
            return Ok(password::Verdict::Right);
        }
        if inner.lockout.is_locked(&account, Instant::now()) {
            return Err(refused(Unauthenticated::LockedOut));
        }
        // A client with an outdated password asks again and again: that is one failure, not ten.
        let checked = inner.secrets.digest("stored", &[stored]);
        if inner.verified.is_wrong(&key, &checked) {
            return Ok(password::Verdict::Wrong);
        }
        let permit = inner.hashing.turn().await?;
        let verdict = inner.hashing.verify(permit, password, stored).await?;
        if verdict == password::Verdict::Wrong {
            inner.verified.put_wrong(key, checked);
        }
        if locked || verdict == password::Verdict::Wrong {
            inner.lockout.failed(account, Instant::now());
        } else {
            inner.lockout.succeeded(&account);
        }
        Ok(verdict)
    }

    /// What was verified lately and still holds.
    fn lately(&self, key: &Digest, epoch: u64) -> Result<Option<Arc<Known>>> {
        let Some(known) = self.inner.verified.get(key, epoch) else { return Ok(None) };
        check_time(known.expires_ns)?;
        Ok(Some(known))
    }

    /// `epoch` is the one read before the proof was begun.
    async fn remember(&self, key: Digest, epoch: u64, proof: Proof) -> Result<Arc<Known>> {
        let known = Arc::new(Known {
            principal: self.principal(&proof.user, proof.scope).await?,
            expires_ns: proof.expires_ns,
            secret: proof.secret,
            via: proof.via,
            matched: proof.matched,
        });
        self.inner.verified.put(key, epoch, Arc::clone(&known));
        Ok(known)
    }

    /// An access token or a stored one.
    async fn prove_token(&self, token: &str) -> Result<Proof> {
        if token.is_empty() || token.len() > MAX_BYTES {
            return Err(wrong());
        }
        if access_token::looks_like_one(token) {
            return self.prove_access_token(token).await;
        }
        self.prove_stored_token(token).await
    }

    /// An API key by its id, with its secret unless a signature has proved it. `None` when this is
    /// no key's id.
    async fn prove_key(&self, id: &str, secret: Option<&str>) -> Result<Option<Proof>> {
        if !keys::is_id(id) {
            return Ok(None);
        }
        self.key_proof(id, secret).await
    }
}

impl Principal {
    /// Whether the credential holds for a door.
    pub fn may_enter(&self, door: Door) -> bool {
        check_door(&self.scope, door).is_ok()
    }
}
