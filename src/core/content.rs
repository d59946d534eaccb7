//! Digests that a body is checked against while it streams.

use crate::error::{Error, Result};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Algorithm {
    Md5,
    Sha1,
    Sha256,
    Crc32,
    Crc32c,
    Crc64Nvme,
}

impl Algorithm {
    pub const ALL: [Self; 6] =
        [Self::Md5, Self::Sha1, Self::Sha256, Self::Crc32, Self::Crc32c, Self::Crc64Nvme];

    /// Lower case, as in `x-amz-checksum-*`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Md5 => "md5",
            Self::Sha1 => "sha1",
            Self::Sha256 => "sha256",
            Self::Crc32 => "crc32",
            Self::Crc32c => "crc32c",
            Self::Crc64Nvme => "crc64nvme",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.as_str().eq_ignore_ascii_case(text))
    }
}

/// A digest and its bytes (big endian for CRCs, as S3 sends them).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checksum {
    pub algorithm: Algorithm,
    pub value: Vec<u8>,
}

impl Checksum {
    /// Key under which a verified digest is kept in [`crate::node::Attributes`]; the value is base64.
    pub fn attribute(algorithm: Algorithm) -> String {
        format!("checksum:{}", algorithm.as_str())
    }
}

/// Digests that become known only after the body: the trailers of a chunked upload.
pub type LateChecksums = Box<dyn FnOnce() -> Result<Vec<Checksum>> + Send + Sync>;

/// Compares what was computed with what was promised.
pub(crate) fn verify(promised: &[Checksum], computed: &[Checksum]) -> Result<()> {
    for checksum in promised {
        let held = computed.iter().find(|other| other.algorithm == checksum.algorithm);
        if held.is_none_or(|held| held.value != checksum.value) {
            return Err(Error::ChecksumMismatch { algorithm: checksum.algorithm.as_str() });
        }
    }
    Ok(())
}
