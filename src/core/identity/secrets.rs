//! The installation's keys, and what is made with them: digests, sealed texts, random texts.

use aes_gcm::aead::{Aead, KeyInit as _, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use rand::Rng as _;
use sha2::Sha256;
use uuid::Uuid;

use crate::error::{Error, Result};
use crate::ports::{self, Index, Record};

/// Name of the setting that holds the server key.
pub(super) const SERVER_KEY: &str = "server-key";
const NONCE_BYTES: usize = 12;

/// What a secret is looked up and remembered by.
pub(super) type Digest = [u8; 32];

/// Keys of this installation, derived from one random server key kept as a record.
pub(super) struct Secrets {
    /// Signs access tokens (HS256).
    pub(super) jwt: [u8; 32],
    /// Encrypts what SigV4 must recompute.
    seal: [u8; 32],
    /// Digests secrets for storage and for the cache. Kept primed, for it is on the hot path.
    digest: Hmac<Sha256>,
}

impl Secrets {
    /// Reads the server key, or makes it. Two gateways that start at once on one index end up with
    /// the same key: the store refuses the second record of that name.
    pub(super) async fn load(index: &dyn Index) -> Result<Self> {
        if let Some(key) = stored(index).await? {
            return Self::derive(&key);
        }
        let mut key = [0_u8; 64];
        rand::fill(&mut key);
        let record = Record {
            kind: super::workspaces::SETTING.into(),
            id: Uuid::new_v4().to_string(),
            name: SERVER_KEY.into(),
            owner: String::new(),
            expires_ns: None,
            body: format!("\"{}\"", hex::encode(key)),
        };
        let made = ports::commit(index, move |txn| {
            Box::pin(async move {
                if txn.record_by_name(&record.kind, SERVER_KEY).await?.is_none() {
                    txn.put_record(&record).await?;
                }
                Ok(())
            })
        })
        .await;
        match made {
            Ok(()) | Err(Error::AlreadyExists(_)) => {}
            Err(error) => return Err(error),
        }
        let key = stored(index).await?.ok_or_else(|| Error::internal("the server key was not kept"))?;
        Self::derive(&key)
    }

    pub(super) fn derive(server_key: &[u8]) -> Result<Self> {
        let derived = |label: &str| -> Result<[u8; 32]> {
            let mut mac = mac(server_key)?;
            mac.update(label.as_bytes());
            Ok(mac.finalize().into_bytes().into())
        };
        Ok(Self {
            jwt: derived("cellgate access tokens")?,
            seal: derived("cellgate sealed secrets")?,
            digest: mac(&derived("cellgate digests")?)?,
        })
    }

    /// A keyed digest of some texts, under a label that says what they are. Each text goes in with
    /// its length, so that no two lists of texts run together.
    pub(super) fn digest(&self, label: &str, texts: &[&str]) -> Digest {
        let mut mac = self.digest.clone();
        for text in std::iter::once(&label).chain(texts) {
            mac.update(&(text.len() as u64).to_be_bytes());
            mac.update(text.as_bytes());
        }
        mac.finalize().into_bytes().into()
    }

    /// The name under which the secret of a token, session or key is kept.
    pub(super) fn name_of(&self, secret: &str) -> String {
        hex::encode(self.digest("secret", &[secret]))
    }

    /// Encrypts a secret; `owner` is bound to it, so that a sealed text moved to another record
    /// does not open.
    pub(super) fn seal(&self, owner: &str, secret: &str) -> Result<String> {
        let mut nonce = [0_u8; NONCE_BYTES];
        rand::fill(&mut nonce);
        let payload = Payload { msg: secret.as_bytes(), aad: owner.as_bytes() };
        let sealed = self
            .cipher()?
            .encrypt(&Nonce::from(nonce), payload)
            .map_err(|_| Error::internal("a secret could not be sealed"))?;
        Ok(URL_SAFE_NO_PAD.encode([&nonce[..], &sealed].concat()))
    }

    pub(super) fn unseal(&self, owner: &str, sealed: &str) -> Result<String> {
        let broken = || Error::internal(format!("the sealed secret of {owner} does not open"));
        let bytes = URL_SAFE_NO_PAD.decode(sealed).map_err(|_| broken())?;
        let (nonce, sealed) = bytes.split_first_chunk::<NONCE_BYTES>().ok_or_else(broken)?;
        let payload = Payload { msg: sealed, aad: owner.as_bytes() };
        let opened = self.cipher()?.decrypt(&Nonce::from(*nonce), payload).map_err(|_| broken())?;
        String::from_utf8(opened).map_err(|_| broken())
    }

    fn cipher(&self) -> Result<Aes256Gcm> {
        Aes256Gcm::new_from_slice(&self.seal).map_err(Error::internal)
    }
}

async fn stored(index: &dyn Index) -> Result<Option<Vec<u8>>> {
    let Some(record) = index.record_by_name(super::workspaces::SETTING, SERVER_KEY).await? else {
        return Ok(None);
    };
    let damaged = || Error::internal("the server key is damaged");
    let text: String = serde_json::from_str(&record.body).map_err(|_| damaged())?;
    let key = hex::decode(text).map_err(|_| damaged())?;
    if key.len() == 64 { Ok(Some(key)) } else { Err(damaged()) }
}

fn mac(key: &[u8]) -> Result<Hmac<Sha256>> {
    Hmac::<Sha256>::new_from_slice(key).map_err(Error::internal)
}

/// 43 characters of base64url: personal and refresh tokens, sessions.
pub(super) fn random_base64url() -> String {
    let mut bytes = [0_u8; 32];
    rand::fill(&mut bytes);
    URL_SAFE_NO_PAD.encode(bytes)
}

/// 40 hex digits.
pub(super) fn random_hex40() -> String {
    let mut bytes = [0_u8; 20];
    rand::fill(&mut bytes);
    hex::encode(bytes)
}

/// `length` characters drawn evenly from an ASCII alphabet.
pub(super) fn random_of(alphabet: &[u8], length: usize) -> String {
    let mut rng = rand::rng();
    (0..length)
        .filter_map(|_| alphabet.get(rng.random_range(0..alphabet.len())).map(|&byte| char::from(byte)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secrets() -> Secrets {
        Secrets::derive(&[7; 64]).unwrap()
    }

    #[test]
    fn a_sealed_secret_opens_for_its_owner_only() {
        let sealed = secrets().seal("cgA", "hush").unwrap();
        assert!(!sealed.contains("hush"));
        assert_eq!(secrets().unseal("cgA", &sealed).unwrap(), "hush");
        assert!(secrets().unseal("cgB", &sealed).is_err());
        assert!(Secrets::derive(&[8; 64]).unwrap().unseal("cgA", &sealed).is_err());
        assert_ne!(sealed, secrets().seal("cgA", "hush").unwrap(), "each sealing has its own nonce");
        for broken in ["", "AAAA", "not base64!"] {
            assert!(secrets().unseal("cgA", broken).is_err(), "{broken}");
        }
    }

    #[test]
    fn digests_keep_labels_and_texts_apart() {
        let digest = |label, texts: &[&str]| secrets().digest(label, texts);
        assert_eq!(digest("a", &["b", "c"]), digest("a", &["b", "c"]));
        assert_ne!(digest("a", &["b", "c"]), digest("a", &["bc"]));
        assert_ne!(digest("a", &["b", "c"]), digest("ab", &["c"]));
        assert_ne!(digest("a", &["b"]), Secrets::derive(&[8; 64]).unwrap().digest("a", &["b"]));
    }

    // RFC 4231, test case 2: the derivation is plain HMAC-SHA256.
    #[test]
    fn the_mac_is_hmac_sha256() {
        let mut mac = mac(b"Jefe").unwrap();
        mac.update(b"what do ya want for nothing?");
        assert_eq!(
            hex::encode(mac.finalize().into_bytes()),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
    }

    #[test]
    fn random_texts_have_their_protocols_shape() {
        let text = random_base64url();
        assert_eq!(text.len(), 43);
        assert!(text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'));
        assert_eq!(random_hex40().len(), 40);
        assert_ne!(random_hex40(), random_hex40());
        assert!(random_of(b"AB", 200).bytes().all(|b| b == b'A' || b == b'B'));
    }
}
