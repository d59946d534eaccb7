//! Digests of a body as it streams by.
//!
//! MD5 is the ceiling of a large write, so beyond the first MiB it runs beside the writing, on a
//! thread of its own, fed through a short channel of shared buffers.

use bytes::Bytes;
use md5::Digest as _;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::content::{Algorithm, Checksum};
use crate::error::{Error, Result};

/// Bodies up to this size are hashed in place: handing them to a thread costs more.
const INLINE_BYTES: usize = 1024 * 1024;

/// MD5 always (the ETag), others as asked.
pub(crate) enum Digester {
    Inline {
        hashers: Box<Hashers>,
        seen: usize,
    },
    Beside {
        feed: mpsc::Sender<Bytes>,
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
                let (feed, mut meal) = mpsc::channel::<Bytes>(16);
                let task = tokio::task::spawn_blocking(move || {
                    while let Some(bytes) = meal.blocking_recv() {
                        hashers.update(&bytes);
                    }
                    hashers
                });
                *self = Self::Beside { feed, task };
            }
        }
        match self {
            Self::Beside { feed, .. } => feed.send(bytes.clone()).await.map_err(lost),
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

fn lost(_: mpsc::error::SendError<Bytes>) -> Error {
    Error::internal("the digest thread ended early")
}

pub(crate) struct Hashers {
    md5: md5::Md5,
    keep_md5: bool,
    sha1: Option<sha1::Sha1>,
    sha256: Option<sha2::Sha256>,
    crcs: Vec<(Algorithm, crc_fast::Digest)>,
}

impl Hashers {
    pub fn new(algorithms: &[Algorithm]) -> Self {
        let wants = |algorithm| algorithms.contains(&algorithm);
        Self {
            md5: md5::Md5::new(),
            keep_md5: wants(Algorithm::Md5),
            sha1: wants(Algorithm::Sha1).then(sha1::Sha1::new),
            sha256: wants(Algorithm::Sha256).then(sha2::Sha256::new),
            crcs: algorithms
                .iter()
                .filter_map(|algorithm| Some((*algorithm, crc(*algorithm)?)))
                .map(|(algorithm, crc)| (algorithm, crc_fast::Digest::new(crc)))
                .collect(),
        }
    }

    pub fn update(&mut self, bytes: &[u8]) {
        self.md5.update(bytes);
        if let Some(sha1) = &mut self.sha1 {
            sha1.update(bytes);
        }
        if let Some(sha256) = &mut self.sha256 {
            sha256.update(bytes);
        }
        for (_, crc) in &mut self.crcs {
            crc.update(bytes);
        }
    }

    pub fn finish(self) -> (String, Vec<Checksum>) {
        let md5 = self.md5.finalize();
        let mut checksums = Vec::new();
        if self.keep_md5 {
            checksums.push(Checksum { algorithm: Algorithm::Md5, value: md5.to_vec() });
        }
        if let Some(sha1) = self.sha1 {
            checksums.push(Checksum { algorithm: Algorithm::Sha1, value: sha1.finalize().to_vec() });
        }
        if let Some(sha256) = self.sha256 {
            checksums.push(Checksum { algorithm: Algorithm::Sha256, value: sha256.finalize().to_vec() });
        }
        for (algorithm, crc) in self.crcs {
            checksums.push(Checksum { algorithm, value: crc_bytes(algorithm, crc.finalize()) });
        }
        (hex::encode(md5), checksums)
    }
}

fn crc(algorithm: Algorithm) -> Option<crc_fast::CrcAlgorithm> {
    match algorithm {
        Algorithm::Crc32 => Some(crc_fast::CrcAlgorithm::Crc32IsoHdlc),
        Algorithm::Crc32c => Some(crc_fast::CrcAlgorithm::Crc32Iscsi),
        Algorithm::Crc64Nvme => Some(crc_fast::CrcAlgorithm::Crc64Nvme),
        Algorithm::Md5 | Algorithm::Sha1 | Algorithm::Sha256 => None,
    }
}

fn crc_bytes(algorithm: Algorithm, value: u64) -> Vec<u8> {
    let width = if algorithm == Algorithm::Crc64Nvme { 8 } else { 4 };
    value.to_be_bytes().into_iter().skip(8 - width).collect()
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
