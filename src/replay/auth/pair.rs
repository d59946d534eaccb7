//! Token pairs of Pydio 8 (reference pydio8-v1, 1.5): `auth_token` and an `auth_hash` over the path.
//!
//! A server may have no such tokens; its clients then send Basic on every call, and so does the replay.

use std::collections::HashMap;

use cellgate_record::{Exchange, Sent, is_name, names};
use hmac::{Hmac, KeyInit as _, Mac as _};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, percent_encode};
use sha2::Sha256;

use super::fields::{field, fields};
use crate::Values;

/// What PHP's `rawurlencode` of that server leaves as it is.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.');

/// The private halves of recorded tokens.
#[derive(Debug, Default)]
pub struct Pairs {
    private: HashMap<String, String>,
}

/// How a call with a recorded pair goes out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signed {
    /// With a hash of the fresh pair, or a wrong one as recorded.
    Pair,
    /// There is no fresh pair: Basic has to come with it.
    Basic,
}

impl Pairs {
    /// Learns the pairs that a recorded server gave out.
    pub fn learn(&mut self, exchange: &Exchange) {
        let Some(body) = exchange.response.body.bytes().filter(|body| body.len() < 4096) else { return };
        let Ok(pair) = serde_json::from_slice::<serde_json::Value>(body) else { return };
        let half = |name| pair.get(name).and_then(|value| value.as_str()).filter(|value| is_name(value));
        if let (Some(token), Some(private)) = (half("t"), half("p")) {
            self.private.insert(token.to_owned(), private.to_owned());
        }
    }

    /// Binds the names in the hash of a call. `None` where it has no pair.
    pub fn sign(&self, sent: &Sent, refused: bool, values: &mut Values) -> Option<Signed> {
        let fields = fields(sent);
        let (token, hash) = (field(&fields, "auth_token")?, field(&fields, "auth_hash")?);
        // Both halves have names, or the hash has one as a whole.
        let (nonce, signature) = hash.split_once(':').unwrap_or(("", hash));
        if !is_name(token) || !is_name(signature) {
            return None;
        }
        let fresh = values.get(token).zip(self.private.get(token).and_then(|private| values.get(private)));
        let number = super::random(40);
        let (made, signed) = match fresh {
            Some((token, private)) if !refused => {
                let path = values.substitute_target(sent.path()).into_owned();
                (hash_of(token, private, &number, &path), Signed::Pair)
            }
            Some(_) => ("0".repeat(64), Signed::Pair),
            None => ("0".repeat(64), if refused { Signed::Pair } else { Signed::Basic }),
        };
        let unbound: Vec<String> = names(token)
            .filter(|name| values.get(name.whole).is_none())
            .map(|name| name.whole.to_owned())
            .collect();
        for name in unbound {
            values.set(&name, &super::random(24));
        }
        if nonce.is_empty() {
            values.set(signature, &format!("{number}:{made}"));
        } else {
            values.set(nonce, &number);
            values.set(signature, &made);
        }
        Some(signed)
    }
}

fn hash_of(token: &str, private: &str, nonce: &str, path: &str) -> String {
    let uri: Vec<String> = path
        .trim_end_matches('/')
        .split('/')
        .map(|segment| {
            let bytes: Vec<u8> = percent_decode_str(&segment.replace('+', " ")).collect();
            percent_encode(&bytes, SEGMENT).to_string()
        })
        .collect();
    let text = format!("{}:{nonce}:{private}", uri.join("/"));
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(token.as_bytes()) else {
        // HMAC takes keys of any length.
        return String::new();
    };
    mac.update(text.as_bytes());
    hex::encode(mac.finalize().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{answered, exchange, sent};

    /// The vector of the reference, 1.5.
    #[test]
    fn the_hash_of_the_reference() {
        assert_eq!(
            hash_of("tok", "priv", "n1", "/api/my-files/ls/a%20b/"),
            "a18646f11f91ac8a0adb7ec50d765d54e80eef240e63980a76552644245db018"
        );
        // Written otherwise, it is the same path.
        assert_eq!(
            hash_of("tok", "priv", "n1", "/api/my-files/ls/a+b"),
            hash_of("tok", "priv", "n1", "/api/my-files/ls/a%20b/")
        );
    }

    fn call() -> Sent {
        sent(
            "GET",
            "/api/my-files/ls/a%20b/?auth_token=__token_1__&auth_hash=__nonce_1__%3A__signature_1__",
            &[],
        )
    }

    fn learnt() -> Pairs {
        let mut pairs = Pairs::default();
        let given = answered(200, r#"{"t":"__token_1__","p":"__secret_1__"}"#);
        pairs.learn(&exchange(1, sent("GET", "/api/pydio/keystore_generate_auth_token/x", &[]), given));
        pairs
    }

    #[test]
    fn a_fresh_pair_signs_and_a_refused_one_signs_wrongly() {
        let mut values = Values::default();
        values.set("__token_1__", "tok");
        values.set("__secret_1__", "priv");
        assert_eq!(learnt().sign(&call(), false, &mut values), Some(Signed::Pair));
        let nonce = values.get("__nonce_1__").unwrap().to_owned();
        let expected = hash_of("tok", "priv", &nonce, "/api/my-files/ls/a%20b/");
        assert_eq!(values.get("__signature_1__"), Some(expected.as_str()));
        assert_eq!(learnt().sign(&call(), true, &mut values), Some(Signed::Pair));
        assert_ne!(values.get("__signature_1__"), Some(expected.as_str()));
    }

    #[test]
    fn a_hash_that_has_one_name_is_made_as_a_whole() {
        let mut values = Values::default();
        let target = "/api/my-files/ls/?auth_token=__token_1__&auth_hash=__auth_hash_1__";
        assert_eq!(learnt().sign(&sent("GET", target, &[]), false, &mut values), Some(Signed::Basic));
        assert!(values.get("__auth_hash_1__").unwrap().contains(':'));
    }

    #[test]
    fn without_a_fresh_pair_it_is_basic() {
        let mut values = Values::default();
        assert_eq!(learnt().sign(&call(), false, &mut values), Some(Signed::Basic));
        assert!(values.missing(&call().target).is_empty());
        assert_eq!(learnt().sign(&sent("GET", "/api/my-files/ls/", &[]), false, &mut values), None);
    }
}
