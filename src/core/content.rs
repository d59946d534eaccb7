//! Digests that a body is checked against while it streams.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::error::{Error, Result};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Algorithm {
    /// Of RFC 1864's header: checked, and not kept as a digest of the content, which the ETag is.
    ContentMd5,
    Md5,
    Sha1,
    Sha256,
    Sha512,
    Crc32,
    Crc32c,
    Crc64Nvme,
    XxHash64,
    XxHash3,
    XxHash128,
}

impl Algorithm {
    /// Those that are kept.
    pub const ALL: [Self; 10] = [
        Self::Md5,
        Self::Sha1,
        Self::Sha256,
        Self::Sha512,
        Self::Crc32,
        Self::Crc32c,
        Self::Crc64Nvme,
        Self::XxHash64,
        Self::XxHash3,
        Self::XxHash128,
    ];

    /// Lower case, as in `x-amz-checksum-*`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ContentMd5 => "content-md5",
            Self::Md5 => "md5",
            Self::Sha1 => "sha1",
            Self::Sha256 => "sha256",
            Self::Sha512 => "sha512",
            Self::Crc32 => "crc32",
            Self::Crc32c => "crc32c",
            Self::Crc64Nvme => "crc64nvme",
            Self::XxHash64 => "xxhash64",
            Self::XxHash3 => "xxhash3",
            Self::XxHash128 => "xxhash128",
        }
    }

    /// Bytes of a digest.
    pub fn width(self) -> usize {
        match self {
            Self::Crc32 | Self::Crc32c => 4,
            Self::Crc64Nvme | Self::XxHash64 | Self::XxHash3 => 8,
            Self::ContentMd5 | Self::Md5 | Self::XxHash128 => 16,
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha512 => 64,
        }
    }

    /// The digest of an empty content.
    pub fn of_nothing(self) -> Vec<u8> {
        let (_, sums) = crate::digest::Hashers::new(&[self]).finish();
        sums.into_iter().next().map(|sum| sum.value).unwrap_or_default()
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.as_str().eq_ignore_ascii_case(text))
    }
}

/// A digest and its bytes (big endian for numbers, as S3 sends them).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checksum {
    pub algorithm: Algorithm,
    pub value: Vec<u8>,
}

impl Checksum {
    /// Keeps it, unless it is one that only checks.
    pub fn keep(&self, attributes: &mut crate::node::Attributes) {
        if self.algorithm != Algorithm::ContentMd5 {
            attributes.set(Self::attribute(self.algorithm), STANDARD.encode(&self.value));
        }
    }

    /// Checks something that is held as a whole.
    pub fn check(promised: &[Self], content: &[u8]) -> Result<()> {
        let algorithms: Vec<_> = promised.iter().map(|checksum| checksum.algorithm).collect();
        let mut hashers = crate::digest::Hashers::new(&algorithms);
        hashers.update(content);
        verify(promised, &hashers.finish().1)
    }

    /// The error of a promise that what was computed does not hold.
    pub fn failed(&self, computed: Vec<u8>) -> Error {
        let (algorithm, promised) = (self.algorithm.as_str(), self.value.clone());
        Error::ChecksumMismatch { algorithm, promised, computed }
    }

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
            return Err(checksum.failed(held.map(|held| held.value.clone()).unwrap_or_default()));
        }
    }
    Ok(())
}
