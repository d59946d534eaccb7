//! API keys: pairs of an id and a secret. Known gap: no door restriction by client address.

use subtle::ConstantTimeEq as _;
use uuid::Uuid;

use crate::error::{Error, Result};
use crate::http::date::now_ns;
use crate::identity::kept::{self, Kept as _};
use crate::identity::tokens::{self, check_scope, expiry};
use crate::identity::verify::{Proof, check_time, wrong};
use crate::identity::{ApiKey, Identity, User, secrets, users};
use crate::principal::Scope;

const ID_PREFIX: &str = "cg";
const ID_ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const ID_RANDOM: usize = 18;
const SECRET_ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const SECRET_LENGTH: usize = 40;

/// A key to make.
#[derive(Debug, Clone, Default)]
pub struct NewKey {
    pub label: String,
    pub scope: Scope,
    pub expires_in_s: Option<u64>,
}

/// Whether a text has the form of a key's id.
pub(super) fn is_id(text: &str) -> bool {
    text.strip_prefix(ID_PREFIX).is_some_and(|random| {
        random.len() == ID_RANDOM && random.bytes().all(|byte| ID_ALPHABET.contains(&byte))
    })
}

impl Identity {
    /// Makes an API key; the secret is shown this once.
    pub async fn create_key(&self, user: Uuid, new: NewKey) -> Result<(ApiKey, String)> {
        let id = format!("{ID_PREFIX}{}", secrets::random_of(ID_ALPHABET, ID_RANDOM));
        let secret = secrets::random_of(SECRET_ALPHABET, SECRET_LENGTH);
        let key = ApiKey {
            sealed_secret: self.inner.secrets.seal(&id, &secret)?,
            id,
            user,
            label: users::text("label", new.label)?,
            scope: check_scope(new.scope)?,
            created_ns: now_ns(),
            expires_ns: expiry(new.expires_in_s),
        };
        // Named by the digest of its secret, so that the secret alone can serve as a password.
        let name = self.inner.secrets.name_of(&secret);
        let key = self
            .commit(move |txn| {
                Box::pin(async move {
                    tokens::check_user(txn, user).await?;
                    txn.put_record(&key.record_named(name)?).await?;
                    Ok(key)
                })
            })
            .await?;
        Ok((key, secret))
    }

    /// Keys of one user, or of all; expired ones are left out.
    pub async fn keys(&self, user: Option<Uuid>) -> Result<Vec<ApiKey>> {
        let owner = user.map(|user| user.to_string());
        let mut keys: Vec<ApiKey> = self.all(owner.as_deref()).await?;
        keys.retain(|key| check_time(key.expires_ns).is_ok());
        keys.sort_by(|one, other| (one.created_ns, &one.id).cmp(&(other.created_ns, &other.id)));
        Ok(keys)
    }

    /// Deletes a key, and ends what was signed in with it.
    pub async fn delete_key(&self, id: &str) -> Result<()> {
        let id = id.to_owned();
        self.commit(move |txn| {
            Box::pin(async move {
                let Some(key) = kept::get::<ApiKey>(txn, &id).await? else {
                    return Err(Error::NotFound(id));
                };
                tokens::delete_refresh_tokens(txn, key.user, Some(&via(&id))).await?;
                txn.delete_record(ApiKey::KIND, &id).await?;
                Ok(())
            })
        })
        .await
    }

    /// A key that was found by its id. `None` when there is none; wrong when the secret is.
    pub(super) async fn key_proof(&self, id: &str, secret: Option<&str>) -> Result<Option<Proof>> {
        let Some(key) = self.get::<ApiKey>(id).await? else { return Ok(None) };
        let own = self.inner.secrets.unseal(id, &key.sealed_secret)?;
        if secret.is_some_and(|secret| !bool::from(secret.as_bytes().ct_eq(own.as_bytes()))) {
            return Err(wrong());
        }
        self.proof_of_key(key, own).await.map(Some)
    }

    /// A key by its secret alone, which clients give as the user's password.
    pub(super) async fn prove_key_secret(&self, secret: &str) -> Result<Option<Proof>> {
        if secret.len() != SECRET_LENGTH {
            return Ok(None);
        }
        match self.by_name::<ApiKey>(&self.inner.secrets.name_of(secret)).await? {
            Some(key) => self.proof_of_key(key, secret.to_owned()).await.map(Some),
            None => Ok(None),
        }
    }

    async fn proof_of_key(&self, key: ApiKey, secret: String) -> Result<Proof> {
        check_time(key.expires_ns)?;
        let user: User = self.active_user(key.user).await?;
        Ok(Proof {
            scope: key.scope,
            expires_ns: key.expires_ns,
            secret: Some(secret),
            via: Some(via(&key.id)),
            ..Proof::of(user)
        })
    }
}

/// How what rests on a key names it.
pub(super) fn via(id: &str) -> String {
    format!("key:{id}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_have_one_form() {
        assert!(is_id("cgABCDEFGHIJKLMNOP27"));
        for text in
            ["", "cg", "alice", "cgABCDEFGHIJKLMNOP2", "cgABCDEFGHIJKLMNOP277", "cgABCDEFGHIJKLMNOP28"]
        {
            assert!(!is_id(text), "{text}");
        }
    }
}
