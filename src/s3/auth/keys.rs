//! Signing keys of V4, derived once a day per secret and region.

use std::time::Duration;

use hmac::{Hmac, KeyInit as _, Mac as _};
use moka::sync::Cache;
use s3s::{S3Error, S3ErrorCode, S3Result};
use sha2::Sha256;

/// A signing key, primed: what it signs costs two blocks less.
pub(super) type Key = Hmac<Sha256>;

const ENTRIES: u64 = 10_000;
/// A key is of one day; a link of a week goes on using its own.
const TTL: Duration = Duration::from_secs(24 * 3600);

/// Only what is derived is kept here. Whose secret it is, and whether that still holds, is asked of
/// the core at each request.
#[derive(Clone)]
pub(crate) struct Keys(Cache<String, Key>);

impl Keys {
    pub(crate) fn new() -> Self {
        Self(Cache::builder().max_capacity(ENTRIES).time_to_live(TTL).build())
    }

    /// `date` is the day of the credential, `20300101`.
    pub(super) fn get(&self, secret: &str, date: &str, region: &str) -> S3Result<Key> {
        // The day has one length and a region no line break, so no two of these run together.
        let name = format!("{date}{region}\n{secret}");
        if let Some(key) = self.0.get(&name) {
            return Ok(key);
        }
        let key = derive(secret, date, region)?;
        self.0.insert(name, key.clone());
        Ok(key)
    }
}

fn derive(secret: &str, date: &str, region: &str) -> S3Result<Key> {
    let day = sign(primed(format!("AWS4{secret}").as_bytes())?, date.as_bytes());
    let region = sign(primed(&day)?, region.as_bytes());
    let service = sign(primed(&region)?, b"s3");
    primed(&sign(primed(&service)?, b"aws4_request"))
}

fn primed(key: &[u8]) -> S3Result<Key> {
    Key::new_from_slice(key).map_err(|_| S3Error::new(S3ErrorCode::InternalError))
}

pub(super) fn sign(mut key: Key, text: &[u8]) -> [u8; 32] {
    key.update(text);
    key.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_differ_by_secret_day_and_region() {
        let keys = Keys::new();
        let text = |secret: &str, date: &str, region: &str| {
            hex::encode(sign(keys.get(secret, date, region).unwrap(), b"x"))
        };
        let one = text("s", "20300101", "r");
        assert_eq!(one, text("s", "20300101", "r"));
        for other in [text("t", "20300101", "r"), text("s", "20300102", "r"), text("s", "20300101", "q")] {
            assert_ne!(one, other);
        }
    }
}
