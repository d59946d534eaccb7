//! Access tokens: JWTs of ten minutes, signed with HS256.
//!
//! Short enough for an S3 access key in a URL, and of characters that need no escaping there: no
//! `/`, `:` or `=`. Clients read `name` and `exp` from them at most; what a user may do is looked up
//! at each verification, so that a deleted or locked user's tokens end at once.

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::error::{Error, Result};
use crate::http::date::now_ns;
use crate::identity::tokens::Revoked;
use crate::identity::verify::{Proof, check_time, wrong};
use crate::identity::{Identity, User};
use crate::principal::Scope;

const ISSUER: &str = "cellgate";
pub(super) const NS: i64 = 1_000_000_000;

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Claims {
    iss: String,
    /// Uuid of the user.
    sub: Uuid,
    /// Login; what Cells clients show and keep as the account's name.
    name: String,
    iat: i64,
    exp: i64,
    /// A uuid of version 7: its milliseconds tell whether the token is older than a new password.
    pub(super) jti: Uuid,
    /// Limits of the key or token this one was exchanged for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    limits: Option<Scope>,
    /// That key or token; when it is gone, so is this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    via: Option<String>,
}

impl Claims {
    pub(super) fn new(user: &User, scope: &Scope, via: Option<String>, expires_in_s: i64) -> Self {
        let now_s = now_ns() / NS;
        Self {
            iss: ISSUER.into(),
            sub: user.uuid,
            name: user.login.clone(),
            iat: now_s,
            exp: now_s.saturating_add(expires_in_s),
            jti: Uuid::now_v7(),
            limits: (*scope != Scope::default()).then(|| scope.clone()),
            via,
        }
    }

    pub(super) fn expires_s(&self) -> i64 {
        self.exp
    }

    pub(super) fn expires_ns(&self) -> i64 {
        self.exp.saturating_mul(NS)
    }

    /// When it was made, to the millisecond.
    fn made_ns(&self) -> i64 {
        let made = self.jti.get_timestamp().map(|stamp| stamp.to_unix());
        made.and_then(|(s, ns)| i64::try_from(s).ok()?.checked_mul(NS)?.checked_add(i64::from(ns)))
            .unwrap_or(0)
    }
}

/// Three base64url parts. Whether it is ours, its signature tells.
pub(super) fn looks_like_one(token: &str) -> bool {
    token.starts_with("eyJ") && token.bytes().filter(|&byte| byte == b'.').count() == 2
}

impl Identity {
    pub(super) fn sign(&self, claims: &Claims) -> Result<String> {
        let key = EncodingKey::from_secret(&self.inner.secrets.jwt);
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), claims, &key).map_err(Error::internal)
    }

    /// The claims of a token that we signed, expired or not; `None` when it is none of ours.
    pub(super) fn claims(&self, token: &str) -> Option<Claims> {
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_issuer(&[ISSUER]);
        // Expiry is checked by `check_time`, to the second and after the signature.
        validation.validate_exp = false;
        let key = DecodingKey::from_secret(&self.inner.secrets.jwt);
        jsonwebtoken::decode::<Claims>(token, &key, &validation).ok().map(|data| data.claims)
    }

    pub(super) async fn prove_access_token(&self, token: &str) -> Result<Proof> {
        let claims = self.claims(token).ok_or_else(wrong)?;
        check_time(Some(claims.expires_ns()))?;
        if self.get::<Revoked>(&claims.jti.to_string()).await?.is_some() {
            return Err(wrong());
        }
        let user = self.active_user(claims.sub).await?;
        if let Some(note) = self.get::<Revoked>(&Revoked::id_of_user(user.uuid)).await?
            && claims.made_ns() <= note.at_ns
        {
            return Err(wrong());
        }
        if let Some(via) = &claims.via
            && !self.still_holds(via).await?
        {
            return Err(wrong());
        }
        Ok(Proof {
            expires_ns: Some(claims.expires_ns()),
            scope: claims.limits.unwrap_or_default(),
            via: claims.via,
            ..Proof::of(user)
        })
    }
}
