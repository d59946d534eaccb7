//! Access and refresh tokens, personal tokens, API keys.

use uuid::Uuid;

use crate::error::{Error, Result};
use crate::identity::{ApiKey, Identity, Token, TokenKind};
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

/// A key to make.
#[derive(Debug, Clone, Default)]
pub struct NewKey {
    pub label: String,
    pub scope: Scope,
    pub expires_in_s: Option<u64>,
}

impl Identity {
    /// Signs in with login and password (or a personal token as password).
    pub async fn sign_in(&self, login: &str, password: &str, door: Door) -> Result<SignIn> {
        let _ = (login, password, door);
        Err(Error::NotImplemented("sign-in"))
    }

    /// Exchanges a refresh token, once, for new tokens.
    pub async fn refresh(&self, refresh_token: &str, door: Door) -> Result<SignIn> {
        let _ = (refresh_token, door);
        Err(Error::NotImplemented("refresh"))
    }

    /// Ends what a token opened: refresh, personal, link or access token. Unknown ones are fine.
    pub async fn revoke(&self, token: &str) -> Result<()> {
        let _ = token;
        Err(Error::NotImplemented("revoke"))
    }

    /// Makes a token for a user; the secret is shown this once.
    pub async fn create_token(&self, user: Uuid, new: NewToken) -> Result<(Token, String)> {
        let _ = (user, new);
        Err(Error::NotImplemented("tokens"))
    }

    /// Finds an unexpired token of one kind by its secret.
    pub async fn token(&self, kind: TokenKind, secret: &str) -> Result<Option<Token>> {
        let _ = (kind, secret);
        Err(Error::NotImplemented("tokens"))
    }

    pub async fn tokens(&self, user: Uuid) -> Result<Vec<Token>> {
        let _ = user;
        Err(Error::NotImplemented("tokens"))
    }

    pub async fn delete_token(&self, token: Uuid) -> Result<()> {
        let _ = token;
        Err(Error::NotImplemented("tokens"))
    }

    /// Makes an API key; the secret is shown this once.
    pub async fn create_key(&self, user: Uuid, new: NewKey) -> Result<(ApiKey, String)> {
        let _ = (user, new);
        Err(Error::NotImplemented("keys"))
    }

    pub async fn keys(&self, user: Option<Uuid>) -> Result<Vec<ApiKey>> {
        let _ = user;
        Err(Error::NotImplemented("keys"))
    }

    pub async fn delete_key(&self, id: &str) -> Result<()> {
        let _ = id;
        Err(Error::NotImplemented("keys"))
    }
}
