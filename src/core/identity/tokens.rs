//! Tokens that are kept: personal, refresh, Seafile, link. And signing in, which hands out an
//! access token with a refresh token.
//!
//! A secret is kept as its keyed digest only. What is exchanged for a scoped or expiring credential
//! inherits its limits and ends with it. Known gap: refreshing twice with one refresh token fails
//! at once, without the grace that would forgive two racing processes.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::error::{Error, Result, Unauthenticated};
use crate::http::date::now_ns;
use crate::identity::access_token::{self, Claims, NS};
use crate::identity::kept::{self, Kept};
use crate::identity::verify::{Proof, check_door, check_time, refused, wrong};
use crate::identity::{ApiKey, Identity, Token, TokenKind, User, secrets, users};
use crate::path::NodePath;
use crate::ports::Txn;
use crate::principal::{Door, Scope, SharedPrincipal};

/// What a sign-in hands out.
#[derive(Clone)]
pub struct SignIn {
    pub principal: SharedPrincipal,
    /// JWT.
    pub access_token: String,
    /// Seconds until it expires.
    pub expires_in_s: u64,
    pub expires_at_s: i64,
    pub refresh_token: String,
}

/// A token to make.
#[derive(Debug, Clone)]
pub struct NewToken {
    pub kind: TokenKind,
    pub label: String,
    pub scope: Scope,
    /// Seconds from now; `None` never expires.
    pub expires_in_s: Option<u64>,
    pub payload: String,
}

/// A note that something which was valid no longer is: an access token by its `jti`, a stored token
/// by its uuid, all access tokens of a user up to an instant. Record kind `revoked`. Putting one
/// also tells every gateway's cache that the directory has changed.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Revoked {
    id: String,
    pub(super) at_ns: i64,
    /// When nothing it speaks of can be valid any more.
    expires_ns: i64,
}

impl Kept for Revoked {
    const KIND: &'static str = "revoked";
    fn id(&self) -> String {
        self.id.clone()
    }
    fn expires(&self) -> Option<i64> {
        Some(self.expires_ns)
    }
}

impl Revoked {
    fn new(id: String, expires_ns: i64) -> Self {
        Self { id, at_ns: now_ns(), expires_ns }
    }

    pub(super) fn id_of_user(user: Uuid) -> String {
        format!("user:{user}")
    }

    /// All access tokens a user has now; those made later are good.
    pub(super) fn access_tokens_of(user: Uuid, access_token_s: u64) -> Self {
        Self::new(Self::id_of_user(user), expiry(Some(access_token_s)).unwrap_or(i64::MAX))
    }
}

/// What a refresh token rests on, as its payload.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Basis {
    /// The key or token that was used to sign in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    via: Option<String>,
    /// When that expires.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    until_ns: Option<i64>,
}

impl Identity {
    /// Signs in with login and password (or a personal token as password).
    pub async fn sign_in(&self, login: &str, password: &str, door: Door) -> Result<SignIn> {
        let known = self.by_password(login, password).await?;
        check_door(&known.principal.scope, door)?;
        let basis = Basis { via: known.via.clone(), until_ns: known.expires_ns };
        let (secret, name) = self.new_secret(TokenKind::Refresh);
        let token = self.refresh_token(known.principal.uuid, known.principal.scope.clone(), &basis)?;
        let user = self
            .commit(move |txn| {
                Box::pin(async move {
                    let user = active_user(txn, token.user).await?;
                    txn.put_record(&token.record_named(name)?).await?;
                    Ok(user)
                })
            })
            .await?;
        self.signed_in(&user, &known.principal.scope, basis, secret).await
    }

    /// Exchanges a refresh token, once, for new tokens.
    pub async fn refresh(&self, refresh_token: &str, door: Door) -> Result<SignIn> {
        let used = self.inner.secrets.name_of(refresh_token);
        let (secret, name) = self.new_secret(TokenKind::Refresh);
        let this = self.clone();
        let (user, scope, basis) = self
            .commit(move |txn| {
                Box::pin(async move {
                    let token = kept::by_name::<Token>(txn, &used).await?.ok_or_else(wrong)?;
                    if token.kind != TokenKind::Refresh {
                        return Err(wrong());
                    }
                    check_time(token.expires_ns)?;
                    check_door(&token.scope, door)?;
                    let basis: Basis = serde_json::from_str(&token.payload).unwrap_or_default();
                    let user = active_user(txn, token.user).await?;
                    txn.delete_record(Token::KIND, &token.id()).await?;
                    let next = this.refresh_token(user.uuid, token.scope.clone(), &basis)?;
                    txn.put_record(&next.record_named(name)?).await?;
                    Ok((user, token.scope, basis))
                })
            })
            .await?;
        self.signed_in(&user, &scope, basis, secret).await
    }

    fn refresh_token(&self, user: Uuid, scope: Scope, basis: &Basis) -> Result<Token> {
        let sliding = expiry(Some(self.inner.refresh_token_s));
        Ok(Token {
            uuid: Uuid::new_v4(),
            kind: TokenKind::Refresh,
            user,
            label: String::new(),
            scope,
            created_ns: now_ns(),
            expires_ns: earlier(sliding, basis.until_ns),
            payload: serde_json::to_string(basis).map_err(Error::internal)?,
        })
    }

    async fn signed_in(&self, user: &User, scope: &Scope, basis: Basis, refresh: String) -> Result<SignIn> {
        let life_s = i64::try_from(self.inner.access_token_s).unwrap_or(i64::MAX);
        let left_s = basis.until_ns.map_or(life_s, |until_ns| (until_ns - now_ns()) / NS);
        let expires_in_s = life_s.min(left_s).max(0);
        let claims = Claims::new(user, scope, basis.via, expires_in_s);
        Ok(SignIn {
            principal: self.principal_of(user.uuid, scope).await?,
            access_token: self.sign(&claims)?,
            expires_in_s: expires_in_s.unsigned_abs(),
            expires_at_s: claims.expires_s(),
            refresh_token: refresh,
        })
    }

    /// Ends what a token opened: refresh, personal, link or access token. Unknown ones are fine.
    pub async fn revoke(&self, token: &str) -> Result<()> {
        if access_token::looks_like_one(token) {
            let Some(claims) = self.claims(token) else { return Ok(()) };
            let note = Revoked::new(claims.jti.to_string(), claims.expires_ns());
            return self.commit(move |txn| Box::pin(async move { kept::put(txn, &note).await })).await;
        }
        let name = self.inner.secrets.name_of(token);
        // Most that is thrown at a log-out is unknown: no need to commit nothing.
        if self.by_name::<Token>(&name).await?.is_none() {
            return Ok(());
        }
        self.commit(move |txn| {
            Box::pin(async move {
                match kept::by_name::<Token>(txn, &name).await? {
                    Some(token) => delete(txn, &token).await,
                    None => Ok(()),
                }
            })
        })
        .await
    }

    /// Makes a token for a user; the secret is shown this once.
    pub async fn create_token(&self, user: Uuid, new: NewToken) -> Result<(Token, String)> {
        let token = new_token(user, new)?;
        let (secret, name) = self.new_secret(token.kind);
        let token = self.keep_token(token, name).await?;
        Ok((token, secret))
    }

    /// The token of this kind and label that the user has already, or a new one: Seafile clients
    /// sign in on each run and expect the same token each time. Its secret is derived from its uuid
    /// under the server key, so that it can be told again without being kept.
    pub async fn standing_token(&self, user: Uuid, new: NewToken) -> Result<(Token, String)> {
        let standing = self.all::<Token>(Some(&user.to_string())).await?.into_iter().find(|token| {
            token.kind == new.kind
                && token.label == new.label
                && token.scope == new.scope
                && token.payload == new.payload
                && check_time(token.expires_ns).is_ok()
        });
        if let Some(token) = standing {
            let secret = self.standing_secret(&token)?;
            if self.token(token.kind, &secret).await?.is_some_and(|found| found.uuid == token.uuid) {
                return Ok((token, secret));
            }
        }
        let token = new_token(user, new)?;
        let secret = self.standing_secret(&token)?;
        let name = self.inner.secrets.name_of(&secret);
        Ok((self.keep_token(token, name).await?, secret))
    }

    /// Signs in with login and password for the standing token of a label. A key or token that was
    /// used instead of the password limits it: its scope and expiry hold, and it ends with it.
    pub async fn standing_sign_in(
        &self,
        login: &str,
        password: &str,
        label: &str,
        door: Door,
    ) -> Result<(SharedPrincipal, String)> {
        let known = self.by_password(login, password).await?;
        check_door(&known.principal.scope, door)?;
        let basis = Basis { via: known.via.clone(), until_ns: known.expires_ns };
        let left_s = basis.until_ns.map(|until_ns| u64::try_from((until_ns - now_ns()) / NS).unwrap_or(0));
        let new = NewToken {
            kind: TokenKind::Seafile,
            label: label.to_owned(),
            scope: known.principal.scope.clone(),
            expires_in_s: left_s,
            payload: serde_json::to_string(&basis).map_err(Error::internal)?,
        };
        let (_, secret) = self.standing_token(known.principal.uuid, new).await?;
        Ok((known.principal.clone(), secret))
    }

    fn standing_secret(&self, token: &Token) -> Result<String> {
        if token.kind != TokenKind::Seafile {
            return Err(Error::InvalidArgument("only Seafile tokens can be told again".into()));
        }
        let mut secret = hex::encode(self.inner.secrets.digest("standing token", &[&token.id()]));
        secret.truncate(40);
        Ok(secret)
    }

    async fn keep_token(&self, token: Token, name: String) -> Result<Token> {
        self.commit(move |txn| {
            Box::pin(async move {
                check_user(txn, token.user).await?;
                txn.put_record(&token.record_named(name)?).await?;
                Ok(token)
            })
        })
        .await
    }

    /// Finds an unexpired token of one kind by its secret.
    pub async fn token(&self, kind: TokenKind, secret: &str) -> Result<Option<Token>> {
        let token = self.by_name::<Token>(&self.inner.secrets.name_of(secret)).await?;
        Ok(token.filter(|token| token.kind == kind && check_time(token.expires_ns).is_ok()))
    }

    /// The principal on whose behalf a token was made, within the token's limits.
    pub async fn token_principal(&self, token: &Token, door: Door) -> Result<SharedPrincipal> {
        check_time(token.expires_ns)?;
        check_door(&token.scope, door)?;
        self.principal_of(token.user, &token.scope).await
    }

    /// The unexpired tokens of a user, oldest first.
    pub async fn tokens(&self, user: Uuid) -> Result<Vec<Token>> {
        let mut tokens: Vec<Token> = self.all(Some(&user.to_string())).await?;
        tokens.retain(|token| check_time(token.expires_ns).is_ok());
        tokens.sort_by_key(|token| (token.created_ns, token.uuid));
        Ok(tokens)
    }

    /// Deletes a token, and ends what was signed in with it.
    pub async fn delete_token(&self, token: Uuid) -> Result<()> {
        let uuid = token.to_string();
        self.commit(move |txn| {
            Box::pin(async move {
                match kept::get::<Token>(txn, &uuid).await? {
                    Some(token) => delete(txn, &token).await,
                    None => Err(Error::NotFound(uuid)),
                }
            })
        })
        .await
    }

    /// A personal or Seafile token.
    pub(super) async fn prove_stored_token(&self, secret: &str) -> Result<Proof> {
        let token = self.by_name::<Token>(&self.inner.secrets.name_of(secret)).await?.ok_or_else(wrong)?;
        match token.kind {
            TokenKind::Personal | TokenKind::Seafile => {}
            // These open one thing each, through the call that is theirs.
            TokenKind::Refresh | TokenKind::Link => return Err(wrong()),
        }
        check_time(token.expires_ns)?;
        // A token that was signed in for ends with what it was signed in with.
        let basis = serde_json::from_str::<Basis>(&token.payload).unwrap_or_default().via;
        if let Some(basis) = basis
            && token.kind == TokenKind::Seafile
            && !self.still_holds(&basis).await?
        {
            return Err(wrong());
        }
        let user = self.active_user(token.user).await?;
        Ok(Proof {
            scope: token.scope,
            expires_ns: token.expires_ns,
            via: Some(via(token.uuid)),
            ..Proof::of(user)
        })
    }

    /// Whether the key or token that something rests on is still there.
    pub(super) async fn still_holds(&self, basis: &str) -> Result<bool> {
        Ok(match basis.split_once(':') {
            Some(("token", uuid)) => {
                self.get::<Token>(uuid).await?.is_some_and(|token| check_time(token.expires_ns).is_ok())
            }
            Some(("key", id)) => {
                self.get::<ApiKey>(id).await?.is_some_and(|key| check_time(key.expires_ns).is_ok())
            }
            _ => false,
        })
    }

    /// A new secret of a kind, and the name it is kept under.
    fn new_secret(&self, kind: TokenKind) -> (String, String) {
        let secret = match kind {
            TokenKind::Personal | TokenKind::Refresh => secrets::random_base64url(),
            TokenKind::Seafile => secrets::random_hex40(),
            // Seafile's file server hands out hyphenated uuids.
            TokenKind::Link => Uuid::new_v4().to_string(),
        };
        let name = self.inner.secrets.name_of(&secret);
        (secret, name)
    }
}

fn new_token(user: Uuid, new: NewToken) -> Result<Token> {
    Ok(Token {
        uuid: Uuid::new_v4(),
        kind: new.kind,
        user,
        label: users::text("label", new.label)?,
        scope: check_scope(new.scope)?,
        created_ns: now_ns(),
        expires_ns: expiry(new.expires_in_s),
        payload: new.payload,
    })
}

/// How what rests on a token names it.
fn via(token: Uuid) -> String {
    format!("token:{token}")
}

/// When something ends that ends so many seconds from now.
pub(super) fn expiry(in_s: Option<u64>) -> Option<i64> {
    let in_ns = i64::try_from(in_s?).unwrap_or(i64::MAX).saturating_mul(NS);
    Some(now_ns().saturating_add(in_ns))
}

fn earlier(one: Option<i64>, other: Option<i64>) -> Option<i64> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

/// A scope whose path is a path, in its one form.
pub(super) fn check_scope(mut scope: Scope) -> Result<Scope> {
    if let Some(path) = &scope.path {
        scope.path = Some(NodePath::parse(path)?.to_string());
    }
    Ok(scope)
}

pub(super) async fn check_user(txn: &mut dyn Txn, user: Uuid) -> Result<()> {
    match txn.record(User::KIND, &user.to_string()).await? {
        Some(_) => Ok(()),
        None => Err(Error::NotFound(user.to_string())),
    }
}

async fn active_user(txn: &mut dyn Txn, user: Uuid) -> Result<User> {
    kept::get::<User>(txn, &user.to_string())
        .await?
        .filter(|user| !user.locked)
        .ok_or_else(|| refused(Unauthenticated::Wrong))
}

async fn delete(txn: &mut dyn Txn, token: &Token) -> Result<()> {
    txn.delete_record(Token::KIND, &token.id()).await?;
    match token.kind {
        TokenKind::Refresh | TokenKind::Link => Ok(()),
        TokenKind::Personal | TokenKind::Seafile => {
            delete_refresh_tokens(txn, token.user, Some(&via(token.uuid))).await?;
            // Stores need not announce changes of tokens, of which a busy door makes many; this
            // note is announced, and caches let go of the token.
            let hour_ns = expiry(Some(3600)).unwrap_or(i64::MAX);
            kept::put(txn, &Revoked::new(token.id(), hour_ns)).await
        }
    }
}

/// Deletes a user's refresh tokens: all, or those that rest on one key or token.
pub(super) async fn delete_refresh_tokens(txn: &mut dyn Txn, user: Uuid, basis: Option<&str>) -> Result<()> {
    for token in kept::all::<Token>(txn, Some(&user.to_string())).await? {
        if token.kind != TokenKind::Refresh {
            continue;
        }
        let rests_on = serde_json::from_str::<Basis>(&token.payload).unwrap_or_default().via;
        if basis.is_none() || basis == rests_on.as_deref() {
            txn.delete_record(Token::KIND, &token.id()).await?;
        }
    }
    Ok(())
}
