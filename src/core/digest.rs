//! Digests of a body as it streams by.
//!
//! MD5 is the ceiling of a large write, so beyond the first MiB it runs beside the writing, on a
//! thread of its own, fed through a short queue of shared buffers.

use bytes::Bytes;
use crc_fast::CrcAlgorithm;
use md5::Digest as _;
use tokio::task::JoinHandle;
use xxhash_rust::xxh3::Xxh3;
use xxhash_rust::xxh64::Xxh64;

use crate::content::{Algorithm, Checksum};
use crate::error::{Error, Result};
use crate::feed::{Feed, feed};

/// Bodies up to this size are hashed in place: handing them to a thread costs more.
const INLINE_BYTES: usize = 1024 * 1024;

/// MD5 always (the ETag), others as asked.
pub(crate) enum Digester {
    Inline {
        hashers: Box<Hashers>,
        seen: usize,
    },
    Beside {
        feed: Feed<Bytes>,
        task: JoinHandle<Box<Hashers>>,
    },
    /// Between the two, for the length of one call.
    Moving,
}

impl Digester {
    pub fn new(algorithms: &[Algorithm]) -> Self {
        Self::Inline { hashers: Box::new(Hashers::new(algorithms)), seen: 0 }
    }

    pub async fn update(&mut self, bytes: &Bytes) -> Result<()> {
        if let Self::Inline { hashers, seen } = self {
            *seen += bytes.len();
            if *seen <= INLINE_BYTES {
                hashers.update(bytes);
                return Ok(());
            }
            if let Self::Inline { mut hashers, .. } = std::mem::replace(self, Self::Moving) {
                let (feed, mut meal) = feed::<Bytes>();
                let task = tokio::task::spawn_blocking(move || {
                    while let Some(bytes) = meal.take() {
                        hashers.update(&bytes);
                    }
                    hashers
                });
                *self = Self::Beside { feed, task };
            }
        }
        match self {
            Self::Beside { feed, .. } => feed.send(bytes.clone(), bytes.len()).await.map_err(|_| lost()),
            _ => Err(Error::internal("a digest was left between two places")),
        }
    }

    /// MD5 in hex, and every digest that was asked for.
    pub async fn finish(self) -> Result<(String, Vec<Checksum>)> {
        let hashers = match self {
            Self::Inline { hashers, .. } => hashers,
            Self::Beside { feed, task } => {
                drop(feed);
                task.await.map_err(Error::internal)?
            }
            Self::Moving => return Err(Error::internal("a digest was left between two places")),
        };
        Ok(hashers.finish())
    }
}

fn lost() -> Error {
    Error::internal("the digest thread ended early")
}

pub(crate) struct Hashers {
    md5: md5::Md5,
    others: Vec<(Algorithm, Hasher)>,
}

enum Hasher {
    /// The one that runs anyway.
    Md5,
    Sha1(sha1::Sha1),
    Sha256(sha2::Sha256),
    Sha512(sha2::Sha512),
    Crc(crc_fast::Digest),
    XxHash64(Xxh64),
    XxHash3(Box<Xxh3>),
    XxHash128(Box<Xxh3>),
}

impl Hasher {
    fn new(algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::ContentMd5 | Algorithm::Md5 => Self::Md5,
            Algorithm::Sha1 => Self::Sha1(sha1::Sha1::new()),
            Algorithm::Sha256 => Self::Sha256(sha2::Sha256::new()),
            Algorithm::Sha512 => Self::Sha512(sha2::Sha512::new()),
            Algorithm::Crc32 => Self::crc(CrcAlgorithm::Crc32IsoHdlc),
            Algorithm::Crc32c => Self::crc(CrcAlgorithm::Crc32Iscsi),
            Algorithm::Crc64Nvme => Self::crc(CrcAlgorithm::Crc64Nvme),
            Algorithm::XxHash64 => Self::XxHash64(Xxh64::new(0)),
            Algorithm::XxHash3 => Self::XxHash3(Box::default()),
            Algorithm::XxHash128 => Self::XxHash128(Box::default()),
        }
    }

    fn crc(algorithm: CrcAlgorithm) -> Self {
        Self::Crc(crc_fast::Digest::new(algorithm))
    }

    fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Md5 => {}
            Self::Sha1(hasher) => hasher.update(bytes),
            Self::Sha256(hasher) => hasher.update(bytes),
            Self::Sha512(hasher) => hasher.update(bytes),
            Self::Crc(hasher) => hasher.update(bytes),
            Self::XxHash64(hasher) => hasher.update(bytes),
            Self::XxHash3(hasher) | Self::XxHash128(hasher) => hasher.update(bytes),
        }
    }

    fn finish(self, algorithm: Algorithm, md5: &[u8]) -> Vec<u8> {
        match self {
            Self::Md5 => md5.to_vec(),
            Self::Sha1(hasher) => hasher.finalize().to_vec(),
            Self::Sha256(hasher) => hasher.finalize().to_vec(),
            Self::Sha512(hasher) => hasher.finalize().to_vec(),
            Self::Crc(hasher) => crc_bytes(algorithm, hasher.finalize()),
            Self::XxHash64(hasher) => hasher.digest().to_be_bytes().to_vec(),
            Self::XxHash3(hasher) => hasher.digest().to_be_bytes().to_vec(),
            Self::XxHash128(hasher) => hasher.digest128().to_be_bytes().to_vec(),
        }
    }
}

impl Hashers {
    pub fn new(algorithms: &[Algorithm]) -> Self {
        let mut others: Vec<(Algorithm, Hasher)> = Vec::with_capacity(algorithms.len());
        for algorithm in algorithms {
            if others.iter().all(|(other, _)| other != algorithm) {
                others.push((*algorithm, Hasher::new(*algorithm)));
            }
        }
        Self { md5: md5::Md5::new(), others }
    }

    pub fn update(&mut self, bytes: &[u8]) {
        self.md5.update(bytes);
        for (_, hasher) in &mut self.others {
            hasher.update(bytes);
        }
    }

    pub fn finish(self) -> (String, Vec<Checksum>) {
        let md5 = self.md5.finalize();
        let value = |(algorithm, hasher): (Algorithm, Hasher)| Checksum {
            algorithm,
            value: hasher.finish(algorithm, &md5),
        };
        let checksums = self.others.into_iter().map(value).collect();
        (hex::encode(md5), checksums)
    }
}

fn crc(algorithm: Algorithm) -> Option<CrcAlgorithm> {
    match algorithm {
        Algorithm::Crc32 => Some(CrcAlgorithm::Crc32IsoHdlc),
        Algorithm::Crc32c => Some(CrcAlgorithm::Crc32Iscsi),
        Algorithm::Crc64Nvme => Some(CrcAlgorithm::Crc64Nvme),
        _ => None,
    }
}

fn crc_bytes(algorithm: Algorithm, value: u64) -> Vec<u8> {
    value.to_be_bytes().into_iter().skip(8 - algorithm.width().min(8)).collect()
}

/// The CRC of a whole from those of its pieces and their sizes; `None` for what is no CRC.
pub(crate) fn join(algorithm: Algorithm, pieces: &[(Vec<u8>, u64)]) -> Option<Vec<u8>> {
    let crc = crc(algorithm)?;
    let number = |bytes: &[u8]| bytes.iter().fold(0_u64, |number, byte| (number << 8) | u64::from(*byte));
    let mut pieces = pieces.iter();
    let mut whole = number(&pieces.next()?.0);
    for (value, size) in pieces {
        if *size > 0 {
            whole = crc_fast::checksum_combine(crc, whole, number(value), *size);
        }
    }
    Some(crc_bytes(algorithm, whole))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Check values of the CRC catalogue and of RFC 1321, FIPS 180 for `123456789` and `abc`.
    #[tokio::test]
    async fn digests_match_their_published_check_values() {
        let mut digester = Digester::new(&Algorithm::ALL);
        digester.update(&Bytes::from_static(b"123456789")).await.unwrap();
        let (md5, sums) = digester.finish().await.unwrap();
        assert_eq!(md5, "25f9e794323b453885f5181f1b624d0b");
        let value = |algorithm| {
            hex::encode(&sums.iter().find(|sum: &&Checksum| sum.algorithm == algorithm).unwrap().value)
        };
        assert_eq!(value(Algorithm::Crc32), "cbf43926");
        assert_eq!(value(Algorithm::Crc32c), "e3069283");
        assert_eq!(value(Algorithm::Crc64Nvme), "ae8b14860a799888");
        assert_eq!(value(Algorithm::Sha1), "f7c3bc1d808e04732adf679965ccc34ca7ae3441");
        assert!(value(Algorithm::Sha512).starts_with("d9e6762dd1c8eaf6d61b3c6192fc408d4d6d5f11"));
        assert_eq!(value(Algorithm::XxHash64), "8cb841db40e6ae83");
        assert!(sums.iter().all(|sum| sum.value.len() == sum.algorithm.width()));
    }

    /// The sanity vectors of xxHash for no input and seed 0.
    #[test]
    fn xxh3_of_nothing_is_the_published_one() {
        let (_, sums) = Hashers::new(&[Algorithm::XxHash3, Algorithm::XxHash128]).finish();
        let values: Vec<String> = sums.iter().map(|sum| hex::encode(&sum.value)).collect();
        assert_eq!(values, ["2d06800538d394c2", "99aa06d3014798d86001c324468d497f"]);
    }

    #[tokio::test]
    async fn a_large_body_has_the_same_digest_as_a_small_one_in_pieces() {
        let block = Bytes::from(vec![7_u8; 300_000]);
        let (mut beside, mut whole) = (Digester::new(&[]), md5::Md5::new());
        for _ in 0..10 {
            beside.update(&block).await.unwrap();
            whole.update(&block);
        }
        assert!(matches!(beside, Digester::Beside { .. }));
        assert_eq!(beside.finish().await.unwrap().0, hex::encode(whole.finalize()));
    }
}
