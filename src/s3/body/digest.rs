//! SHA-256 of a body as it streams by, and of each of its chunks.
//!
//! Beyond the first MiB hashing goes on beside the reading, on a thread of its own that is fed shared
//! buffers, as the core does with MD5: a large upload takes as long as the slowest of these, not as
//! all of them together.

use bytes::Bytes;
use cellgate_core::content::Checksum;
use cellgate_core::feed::{Feed, feed};
use cellgate_core::http as core_http;
use http_body_util::BodyExt as _;
use s3s::{S3Error, S3ErrorCode, S3Result};
use sha2::{Digest as _, Sha256};
use tokio::task::JoinHandle;

use super::{Reader, incomplete, sha256_mismatch};
use crate::auth::Chain;
use crate::error;

/// Bodies up to this size are hashed in place: handing them to a thread costs more.
const INLINE_BYTES: usize = 1024 * 1024;

pub(super) fn of(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// Checks a whole document, a long one beside the requests that this thread serves meanwhile.
pub(super) async fn check(promised: Vec<Checksum>, document: &Bytes) -> S3Result<()> {
    if promised.is_empty() || document.len() <= INLINE_BYTES {
        return Checksum::check(&promised, document).map_err(error::answer);
    }
    let document = document.clone();
    let task = tokio::task::spawn_blocking(move || Checksum::check(&promised, &document));
    task.await.map_err(|_| lost())?.map_err(error::answer)
}

/// The next bytes of a body, if there are more.
pub(super) async fn more(body: &mut core_http::Body) -> S3Result<Option<Bytes>> {
    loop {
        match body.frame().await {
            None => return Ok(None),
            Some(Err(_)) => return Err(incomplete()),
            Some(Ok(frame)) => match frame.into_data() {
                Ok(bytes) if !bytes.is_empty() => return Ok(Some(bytes)),
                _ => {}
            },
        }
    }
}

/// A plain body whose digest was announced.
pub(super) struct Hashed {
    body: core_http::Body,
    verifier: Verifier,
    expected: [u8; 32],
}

impl Hashed {
    pub(super) fn new(body: core_http::Body, expected: [u8; 32]) -> Self {
        Self { body, verifier: Verifier::new(None), expected }
    }
}

impl Reader for Hashed {
    async fn next(&mut self) -> S3Result<Option<Bytes>> {
        if let Some(bytes) = more(&mut self.body).await? {
            self.verifier.update(&bytes).await?;
            return Ok(Some(bytes));
        }
        let hashing = self.verifier.finish().await?;
        let computed = <[u8; 32]>::from(hashing.hasher.finalize());
        if computed != self.expected {
            return Err(sha256_mismatch(&self.expected, &hex::encode(computed)));
        }
        Ok(None)
    }
}

/// Hashes, and checks the signature of each chunk where there is a chain of them.
pub(super) enum Verifier {
    Inline {
        hashing: Box<Hashing>,
        seen: usize,
    },
    Beside {
        feed: Feed<Meal>,
        task: JoinHandle<S3Result<Box<Hashing>>>,
    },
    /// Done, or between the two for the length of one call.
    Gone,
}

pub(super) enum Meal {
    Bytes(Bytes),
    /// The end of a chunk, and its signature.
    End(String),
}

pub(super) struct Hashing {
    hasher: Sha256,
    pub(super) chain: Option<Chain>,
}

impl Hashing {
    fn end_chunk(&mut self, signature: &str) -> S3Result<()> {
        let digest = self.hasher.finalize_reset().into();
        let signed = self.chain.as_mut().is_none_or(|chain| chain.chunk(digest, signature));
        if signed { Ok(()) } else { Err(S3Error::new(S3ErrorCode::SignatureDoesNotMatch)) }
    }

    fn take(&mut self, meal: Meal) -> S3Result<()> {
        match meal {
            Meal::Bytes(bytes) => self.hasher.update(&bytes),
            Meal::End(signature) => self.end_chunk(&signature)?,
        }
        Ok(())
    }
}

impl Verifier {
    pub(super) fn new(chain: Option<Chain>) -> Self {
        Self::Inline { hashing: Box::new(Hashing { hasher: Sha256::new(), chain }), seen: 0 }
    }

    pub(super) async fn update(&mut self, bytes: &Bytes) -> S3Result<()> {
        self.take(Meal::Bytes(bytes.clone())).await
    }

    pub(super) async fn end_chunk(&mut self, signature: String) -> S3Result<()> {
        self.take(Meal::End(signature)).await
    }

    async fn take(&mut self, meal: Meal) -> S3Result<()> {
        if let Self::Inline { hashing, seen } = self {
            if let Meal::Bytes(bytes) = &meal {
                *seen += bytes.len();
            }
            if *seen <= INLINE_BYTES {
                return hashing.take(meal);
            }
            self.set_aside();
        }
        let Self::Beside { feed, .. } = self else { return Err(lost()) };
        let bytes = match &meal {
            Meal::Bytes(bytes) => bytes.len(),
            Meal::End(signature) => signature.len(),
        };
        if feed.send(meal, bytes).await.is_ok() {
            return Ok(());
        }
        // The thread stops at the first signature that is wrong.
        match self.finish().await {
            Ok(_) => Err(lost()),
            Err(fault) => Err(fault),
        }
    }

    fn set_aside(&mut self) {
        let Self::Inline { mut hashing, .. } = std::mem::replace(self, Self::Gone) else { return };
        let (feed, mut meals) = feed();
        let task = tokio::task::spawn_blocking(move || {
            while let Some(meal) = meals.take() {
                hashing.take(meal)?;
            }
            Ok(hashing)
        });
        *self = Self::Beside { feed, task };
    }

    /// Waits until everything so far is hashed and found to be signed.
    pub(super) async fn finish(&mut self) -> S3Result<Box<Hashing>> {
        match std::mem::replace(self, Self::Gone) {
            Self::Inline { hashing, .. } => Ok(hashing),
            Self::Beside { feed, task } => {
                drop(feed);
                task.await.map_err(|_| lost())?
            }
            Self::Gone => Err(lost()),
        }
    }
}

fn lost() -> S3Error {
    S3Error::new(S3ErrorCode::InternalError)
}
