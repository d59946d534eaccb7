//! Bodies between s3s and the core.
//!
//! s3s verifies a body's signature while the core reads it, so what is wrong with it arrives as an
//! error of the stream. The core calls that a body that broke off; [`Fault`] keeps what it was.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use cellgate_core::Error;
use cellgate_core::http::{self as core_http, BoxError};
use cellgate_core::ports::{Bits, ByteStream};
use futures_util::StreamExt as _;
use http::StatusCode;
use http_body::{Frame, SizeHint};
use http_body_util::BodyExt as _;
use s3s::stream::aws_chunked_stream::AwsChunkedStreamError;
use s3s::stream::upload_stream::UploadStreamError;
use s3s::{S3Error, S3ErrorCode};
use sha2::{Digest as _, Sha256};
use sync_wrapper::SyncStream;

use crate::error;

/// What was wrong with a body, if anything.
#[derive(Clone, Default)]
pub(crate) struct Fault(Arc<Mutex<Option<S3Error>>>);

impl Fault {
    /// The body's own fault, or else what the core said.
    pub(crate) fn or(&self, error: Error) -> S3Error {
        let fault = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        fault.unwrap_or_else(|| error::answer(error))
    }

    fn set(&self, fault: S3Error) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(fault);
    }
}

/// A request's body as the core takes it.
pub(crate) fn incoming(body: Option<s3s::dto::StreamingBlob>) -> (ByteStream, Fault) {
    let fault = Fault::default();
    let Some(body) = body else { return (Box::pin(futures_util::stream::empty()), fault) };
    let seen = fault.clone();
    let stream = body.map(move |item| {
        item.map_err(|cause| {
            seen.set(classify(&cause));
            Error::BrokenBody(cause.to_string())
        })
    });
    (Box::pin(stream), fault)
}

fn classify(cause: &BoxError) -> S3Error {
    if let Some(UploadStreamError::Sha256Mismatch) = cause.downcast_ref() {
        return sha256_mismatch();
    }
    if let Some(cause) = cause.downcast_ref::<AwsChunkedStreamError>() {
        return match cause {
            AwsChunkedStreamError::SignatureMismatch => S3Error::new(S3ErrorCode::SignatureDoesNotMatch),
            AwsChunkedStreamError::Underlying(_)
            | AwsChunkedStreamError::FormatError
            | AwsChunkedStreamError::Incomplete
            | AwsChunkedStreamError::LengthMismatch => S3Error::new(S3ErrorCode::IncompleteBody),
            AwsChunkedStreamError::ChunkMetaTooLarge(..)
            | AwsChunkedStreamError::ChunkDataTooLarge(..)
            | AwsChunkedStreamError::TrailersTooLarge(..)
            | AwsChunkedStreamError::TooManyTrailerHeaders(..) => {
                error::with(S3ErrorCode::InvalidRequest, "a chunk of the body is too large")
            }
        };
    }
    S3Error::new(S3ErrorCode::IncompleteBody)
}

pub(crate) fn sha256_mismatch() -> S3Error {
    error::custom(
        "XAmzContentSHA256Mismatch",
        StatusCode::BAD_REQUEST,
        "the provided `x-amz-content-sha256` header does not match what was computed",
    )
}

/// Bytes of the core as s3s sends them.
pub(crate) fn outgoing(bits: Bits) -> s3s::Body {
    match bits {
        Bits::Whole(bytes) => s3s::Body::from(bytes),
        Bits::Stream(bytes) => s3s::dto::StreamingBlob::wrap::<_, Error>(SyncStream::new(bytes)).into(),
    }
}

pub(crate) fn stream(bits: Bits) -> ByteStream {
    match bits {
        Bits::Whole(bytes) => Box::pin(futures_util::stream::iter([Ok(bytes)])),
        Bits::Stream(bytes) => bytes,
    }
}

/// What went by of a watched body.
#[derive(Default)]
struct Seen {
    broken: bool,
    digest: Option<[u8; 32]>,
}

/// Tells what was wrong with the XML body of a POST. s3s reads those itself and answers 500 to
/// whatever happens while reading.
pub(crate) struct Watch {
    seen: Arc<Mutex<Seen>>,
    expected: Option<[u8; 32]>,
}

impl Watch {
    /// `expected` is the value of `x-amz-content-sha256`, if that is a digest.
    pub(crate) fn over(body: core_http::Body, expected: Option<[u8; 32]>) -> (core_http::Body, Self) {
        let seen = Arc::new(Mutex::new(Seen::default()));
        let watched = Watched { inner: body, hasher: Sha256::new(), seen: seen.clone() };
        (watched.boxed_unsync(), Self { seen, expected })
    }

    pub(crate) fn fault(&self) -> Option<S3Error> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.broken {
            return Some(S3Error::new(S3ErrorCode::IncompleteBody));
        }
        (seen.digest.is_some() && self.expected.is_some() && seen.digest != self.expected)
            .then(sha256_mismatch)
    }
}

struct Watched {
    inner: core_http::Body,
    hasher: Sha256,
    seen: Arc<Mutex<Seen>>,
}

impl http_body::Body for Watched {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let frame = ready!(Pin::new(&mut self.inner).poll_frame(cx));
        match &frame {
            Some(Ok(frame)) => {
                if let Some(bytes) = frame.data_ref() {
                    self.hasher.update(bytes);
                }
            }
            Some(Err(_)) => self.seen.lock().unwrap_or_else(PoisonError::into_inner).broken = true,
            None => {}
        }
        // s3s may stop at the announced length, before the end shows itself.
        let so_far = self.hasher.clone().finalize().into();
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).digest = Some(so_far);
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
