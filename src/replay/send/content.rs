//! Bytes to be sent: those of the recording, or others of the same length where it lacks them.

use bytes::Bytes;
use sha2::{Digest as _, Sha256};

/// How much of a made content is in memory at a time.
const PIECE: u64 = 64 * 1024;

#[derive(Debug, Clone, PartialEq)]
pub enum Content {
    Bytes(Bytes),
    Made(Made),
}

impl Content {
    pub const EMPTY: Self = Self::Bytes(Bytes::new());

    pub fn length(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::Made(made) => made.length,
        }
    }

    /// From first to last, none of them empty.
    pub fn pieces(&self) -> Box<dyn Iterator<Item = Bytes> + Send> {
        match self {
            Self::Bytes(bytes) if bytes.is_empty() => Box::new(std::iter::empty()),
            Self::Bytes(bytes) => Box::new(std::iter::once(bytes.clone())),
            Self::Made(made) => Box::new(made.pieces(0, made.length)),
        }
    }

    /// A part of it. What is asked for beyond its end is not there.
    pub fn slice(&self, from: u64, length: u64) -> Box<dyn Iterator<Item = Bytes> + Send> {
        let from = from.min(self.length());
        let to = from.saturating_add(length).min(self.length());
        match self {
            Self::Bytes(bytes) => match (usize::try_from(from), usize::try_from(to)) {
                (Ok(from), Ok(to)) if from < to => Box::new(std::iter::once(bytes.slice(from..to))),
                _ => Box::new(std::iter::empty()),
            },
            Self::Made(made) => Box::new(made.pieces(from, to)),
        }
    }

    /// Lower-case hexadecimal.
    pub fn sha256(&self) -> String {
        let mut hasher = Sha256::new();
        self.pieces().for_each(|piece| hasher.update(&piece));
        hex::encode(hasher.finalize())
    }
}

/// Bytes that look random and are the same in every run: a recorded content that was sent twice is
/// one content in the replay as well.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Made {
    seed: u64,
    length: u64,
}

impl Made {
    /// In place of a body of this length; `mark` is its digest, or what else tells it from others.
    pub fn new(mark: &str, length: u64) -> Self {
        let digest = Sha256::digest(mark.as_bytes());
        let seed = digest.iter().take(8).fold(0, |seed, byte| (seed << 8) | u64::from(*byte));
        Self { seed, length }
    }

    fn pieces(self, from: u64, to: u64) -> impl Iterator<Item = Bytes> + Send {
        let mut at = from;
        std::iter::from_fn(move || {
            if at >= to {
                return None;
            }
            let end = to.min(at.saturating_add(PIECE));
            let piece = self.bytes(at, end);
            at = end;
            Some(piece)
        })
    }

    fn bytes(self, from: u64, to: u64) -> Bytes {
        let mut bytes = Vec::with_capacity(usize::try_from(to - from).unwrap_or_default() + 8);
        let mut word = from / 8;
        // The first word may begin before, the last end behind.
        let skip = usize::try_from(from % 8).unwrap_or_default();
        while word * 8 < to {
            bytes.extend_from_slice(&mix(self.seed.wrapping_add(word)).to_le_bytes());
            word += 1;
        }
        bytes.drain(..skip);
        bytes.truncate(usize::try_from(to - from).unwrap_or_default());
        Bytes::from(bytes)
    }
}

/// The finalizer of SplitMix64: neighbouring numbers give unrelated ones.
fn mix(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9E37_79B9_7F4A_7C15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(pieces: impl Iterator<Item = Bytes>) -> Vec<u8> {
        pieces.flat_map(|piece| piece.to_vec()).collect()
    }

    #[test]
    fn made_bytes_are_the_same_in_every_run_and_by_any_cut() {
        let content = Content::Made(Made::new("abc", 200_001));
        let whole = all(content.pieces());
        assert_eq!(whole.len(), 200_001);
        assert_eq!(whole, all(Content::Made(Made::new("abc", 200_001)).pieces()));
        assert_ne!(whole, all(Content::Made(Made::new("abd", 200_001)).pieces()));
        for (from, length) in [(0, 1), (3, 9), (65_535, 2), (65_536, 100_000), (200_000, 9), (200_001, 1)] {
            let cut = all(content.slice(from, length));
            let to = (from + length).min(200_001) as usize;
            assert_eq!(cut, whole[from as usize..to], "{from} {length}");
        }
    }

    #[test]
    fn a_digest_is_of_all_pieces() {
        // The digest of nothing, and of `abc` (FIPS 180-2, B.1).
        assert_eq!(
            Content::EMPTY.sha256(),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
        assert_eq!(
            Content::Bytes(Bytes::from_static(b"abc")).sha256(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }
}
