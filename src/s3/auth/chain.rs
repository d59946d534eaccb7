//! The signatures of the chunks of a body: each one signs the one before.

use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use super::keys::{Key, sign};

/// SHA-256 of nothing, which stands for the chunk's own headers.
pub(crate) const EMPTY_SHA256: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

pub(crate) struct Chain {
    key: Key,
    /// Time and scope, as lines of every text to sign.
    scope: String,
    previous: String,
}

impl Chain {
    /// `seed` is the signature of the request itself.
    pub(super) fn new(key: Key, scope: String, seed: String) -> Self {
        Self { key, scope, previous: seed }
    }

    /// Whether this is the signature of the next chunk.
    pub(crate) fn chunk(&mut self, digest: [u8; 32], signature: &str) -> bool {
        let digest = hex::encode(digest);
        let (scope, previous) = (&self.scope, &self.previous);
        self.next(
            &format!("AWS4-HMAC-SHA256-PAYLOAD\n{scope}\n{previous}\n{EMPTY_SHA256}\n{digest}"),
            signature,
        )
    }

    /// Whether this is the signature of the trailers, given their canonical lines.
    pub(crate) fn trailers(&mut self, lines: &str, signature: &str) -> bool {
        let digest = hex::encode(Sha256::digest(lines));
        let (scope, previous) = (&self.scope, &self.previous);
        self.next(&format!("AWS4-HMAC-SHA256-TRAILER\n{scope}\n{previous}\n{digest}"), signature)
    }

    fn next(&mut self, text: &str, signature: &str) -> bool {
        let computed = hex::encode(sign(self.key.clone(), text.as_bytes()));
        let holds = computed.as_bytes().ct_eq(signature.as_bytes()).into();
        self.previous = computed;
        holds
    }
}

/// Whether a signature in hex is that of a text.
pub(super) fn signs(key: &Key, text: &str, signature: &str) -> bool {
    let computed = hex_of(&sign(key.clone(), text.as_bytes()));
    computed.0.ct_eq(signature.as_bytes()).into()
}

/// A digest in hex, on the stack.
pub(super) struct Hex([u8; 64]);

pub(super) fn hex_of(digest: &[u8; 32]) -> Hex {
    let mut text = [b'0'; 64];
    // The lengths fit.
    let _ = hex::encode_to_slice(digest, &mut text);
    Hex(text)
}

impl Hex {
    pub(super) fn text(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}
