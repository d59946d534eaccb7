//! Links that the API hands out and the file server redeems.
//!
//! A link is a token of its user, for an hour, for one action at one place; it carries the limits of
//! the credential it was made with. It is kept in the directory, so any gateway can redeem it.

use cellgate_core::identity::{NewToken, Token, TokenKind};
use cellgate_core::{Core, Credentials, Door, Error, Tree};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::error::SeafileError;

/// As long as the original's.
const LIFETIME_S: u64 = 3_600;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    Download,
    Upload,
    Update,
}

/// What a link is for; kept as the token's payload.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Link {
    pub action: Action,
    pub library: Uuid,
    /// Inside the library: the file, or the folder to upload into.
    pub path: String,
    /// Gone after the first download.
    #[serde(default)]
    pub once: bool,
}

/// Makes a link and answers its secret, the last part of its URL.
pub async fn create(tree: &Tree, link: &Link) -> Result<String, Error> {
    let principal = tree.principal();
    let new = NewToken {
        kind: TokenKind::Link,
        label: String::new(),
        scope: principal.scope.clone(),
        expires_in_s: Some(LIFETIME_S),
        payload: serde_json::to_string(link).map_err(Error::internal)?,
    };
    let (_, secret) = tree.core().identity().create_token(principal.uuid, new).await?;
    Ok(secret)
}

/// A link that holds: what it is for, and the tree of who made it.
pub struct Redeemed {
    pub token: Token,
    pub link: Link,
    pub tree: Tree,
}

/// `Ok(None)` when the link is unknown or expired.
pub async fn redeem(core: &Core, secret: &str) -> Result<Option<Redeemed>, Error> {
    let identity = core.identity();
    let Some(token) = identity.token(TokenKind::Link, secret).await? else { return Ok(None) };
    let Ok(link) = serde_json::from_str(&token.payload) else { return Ok(None) };
    let principal = match identity.token_principal(&token, Door::Seafile).await {
        Ok(principal) => principal,
        Err(Error::Unauthenticated(_)) => return Ok(None),
        Err(error) => return Err(error),
    };
    let tree = core.open(&Credentials::Verified(principal), Door::Seafile).await?;
    Ok(Some(Redeemed { token, link, tree }))
}

impl Redeemed {
    /// Spends a link that holds once. Whoever deletes the token has it: of two requests at the same
    /// time, one is told that there is no such link.
    pub async fn spend(&self) -> Result<(), SeafileError> {
        if !self.link.once {
            return Ok(());
        }
        match self.tree.core().identity().delete_token(self.token.uuid).await {
            Ok(()) => Ok(()),
            Err(Error::NotFound(_)) => {
                Err(SeafileError::Download(http::StatusCode::FORBIDDEN, "Access token not found".into()))
            }
            Err(error) => Err(SeafileError::download(error)),
        }
    }
}
