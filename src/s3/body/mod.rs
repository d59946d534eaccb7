//! Bodies between the wire and the core.
//!
//! [`uncover`] makes of every form of body a plain one, which is verified while the core reads it:
//! its SHA-256, the frames, signatures and trailers of `aws-chunked`. What is wrong arrives as an
//! error of the stream, before its end, so nothing of it is ever stored; [`Fault`] keeps what it was,
//! for the core only sees a body that broke off.
//!
//! | `x-amz-content-sha256` | verified |
//! |---|---|
//! | a digest | the body's SHA-256, whoever sends it |
//! | `UNSIGNED-PAYLOAD`, none | nothing |
//! | `STREAMING-UNSIGNED-PAYLOAD-TRAILER` | frames and trailers |
//! | `STREAMING-AWS4-HMAC-SHA256-PAYLOAD[-TRAILER]` | the same, and that V4 signed each of them |

mod chunks;
mod digest;
pub(crate) mod document;
pub(crate) mod form;

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use cellgate_core::Error;
use cellgate_core::http::{self as core_http, BoxError};
use cellgate_core::ports::{Bits, ByteStream};
use futures_util::{StreamExt as _, stream as streams};
use http::header::CONTENT_LENGTH;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use http_body::{Body as _, Frame, SizeHint};
use http_body_util::{BodyExt as _, StreamBody};
use s3s::{S3Error, S3ErrorCode, S3Result};
use sync_wrapper::SyncStream;

use self::chunks::Chunks;
use self::digest::Hashed;
use crate::auth::{CALL, Chain, EMPTY_SHA256};
use crate::{error, headers};

pub(crate) const CONTENT_SHA256: &str = "x-amz-content-sha256";
pub(crate) const UNSIGNED: &str = "UNSIGNED-PAYLOAD";
const DECODED_LENGTH: &str = "x-amz-decoded-content-length";
/// What is read of a body before its signature is known to hold.
const GATHERED_MAX_BYTES: u64 = 1024 * 1024;

/// What was wrong with a body, if anything.
#[derive(Clone, Default)]
pub(crate) struct Fault(Arc<Mutex<Option<S3Error>>>);

impl Fault {
    /// The body's own fault, or else what the core said.
    pub(crate) fn or(&self, error: Error) -> S3Error {
        self.take().unwrap_or_else(|| error::answer(error))
    }

    pub(crate) fn take(&self) -> Option<S3Error> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn set(&self, fault: S3Error) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(fault);
    }

    /// Keeps the fault, and gives the stream something to end with.
    fn keep(&self, fault: S3Error) -> BoxError {
        let text = fault.message().unwrap_or("the body is not what was announced").to_owned();
        self.set(fault);
        text.into()
    }
}

/// The trailers of a body, once it has been read; in the extensions of its request.
#[derive(Clone, Default)]
pub(crate) struct Trailers(Arc<Mutex<HeaderMap>>);

impl Trailers {
    pub(crate) fn take(&self) -> HeaderMap {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn set(&self, trailers: HeaderMap) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = trailers;
    }
}

/// [`EMPTY_SHA256`] in bytes.
const NOTHING: [u8; 32] = [
    0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24, 0x27,
    0xae, 0x41, 0xe4, 0x64, 0x9b, 0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55,
];

/// What a request announces of its body.
#[derive(Debug, PartialEq, Eq)]
enum Announced {
    Plain,
    Digest([u8; 32]),
    Chunks { signed: bool, trailers: bool },
}

impl Announced {
    fn of(headers: &HeaderMap) -> S3Result<Self> {
        let chunks = |signed, trailers| Ok(Self::Chunks { signed, trailers });
        match headers::text(headers, CONTENT_SHA256)? {
            None | Some(UNSIGNED) => Ok(Self::Plain),
            Some(EMPTY_SHA256) => Ok(Self::Digest(NOTHING)),
            Some("STREAMING-UNSIGNED-PAYLOAD-TRAILER") => chunks(false, true),
            Some("STREAMING-AWS4-HMAC-SHA256-PAYLOAD") => chunks(true, false),
            Some("STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER") => chunks(true, true),
            Some(
                "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD"
                | "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER",
            ) => Err(error::unsupported("a body signed with Signature Version 4A")),
            Some(said) => {
                let digest = hex::decode(said).ok().and_then(|digest| digest.try_into().ok());
                digest.map(Self::Digest).ok_or_else(|| {
                    error::argument(
                        CONTENT_SHA256,
                        said,
                        "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, \
                         STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER, \
                         STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD, \
                         STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER or a valid sha256 value.",
                    )
                })
            }
        }
    }
}

/// Refuses an `x-amz-content-sha256` that nothing can be: no signature over it would help.
pub(crate) fn check_announced(headers: &HeaderMap) -> S3Result<()> {
    Announced::of(headers).map(|_| ())
}

/// Makes a body plain, to be verified on its way, and takes out the headers that describe its form.
/// `chain` is there where V4 has signed the request.
pub(crate) fn uncover(
    request: &mut Parts,
    body: core_http::Body,
    chain: Option<Chain>,
    fault: &Fault,
) -> S3Result<core_http::Body> {
    let announced = Announced::of(&request.headers)?;
    request.headers.remove(CONTENT_SHA256);
    let decoded = headers::text(&request.headers, DECODED_LENGTH)?.map(str::parse::<u64>);
    request.headers.remove(DECODED_LENGTH);
    let fault = fault.clone();
    match announced {
        Announced::Plain if body.is_end_stream() => Ok(body),
        Announced::Plain => Ok(Plain { body, fault }.boxed_unsync()),
        Announced::Digest(digest) if body.is_end_stream() => match digest == NOTHING {
            true => Ok(body),
            false => Err(sha256_mismatch(&digest, EMPTY_SHA256)),
        },
        Announced::Digest(digest) => Ok(stream_of(Hashed::new(body, digest), fault)),
        Announced::Chunks { signed, trailers } => {
            // Only what stores a body takes one in chunks; nobody signs chunks but V4.
            if request.method != Method::PUT || (signed && chain.is_none()) {
                return Err(error::with(
                    S3ErrorCode::InvalidRequest,
                    "The value of x-amz-content-sha256 header is invalid.",
                ));
            }
            let Some(Ok(length)) = decoded else { return Err(missing_length()) };
            request.headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
            let names = headers::announced_trailers(&request.headers)?;
            let found = Trailers::default();
            request.extensions.insert(found.clone());
            let chunks = Chunks::new(body, length, chain.filter(|_| signed));
            let chunks = if trailers { chunks.with_trailers(names, found) } else { chunks };
            Ok(stream_of(chunks, fault))
        }
    }
}

/// Something that reads a body and checks it.
trait Reader: Send + 'static {
    /// `None` only once all of it has been found to be right.
    fn next(&mut self) -> impl Future<Output = S3Result<Option<Bytes>>> + Send;
}

fn stream_of(reader: impl Reader, fault: Fault) -> core_http::Body {
    let stream = streams::unfold(Some((reader, fault)), |state| async move {
        let (mut reader, fault) = state?;
        match reader.next().await {
            Ok(Some(bytes)) => Some((Ok(Frame::data(bytes)), Some((reader, fault)))),
            Ok(None) => None,
            Err(error) => Some((Err(fault.keep(error)), None)),
        }
    });
    StreamBody::new(stream).boxed_unsync()
}

/// The digest of a body that is short enough to be read before it is trusted.
pub(crate) async fn gathered_digest(headers: &HeaderMap, body: &mut core_http::Body) -> S3Result<String> {
    let too_long = || {
        error::with(
            S3ErrorCode::InvalidRequest,
            "Missing required header for this request: x-amz-content-sha256",
        )
    };
    let length = headers::text(headers, &CONTENT_LENGTH)?;
    if length.and_then(|length| length.parse::<u64>().ok()).is_none_or(|length| length > GATHERED_MAX_BYTES) {
        return Err(too_long());
    }
    let mut whole = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|_| incomplete())?.into_data() else { continue };
        if (whole.len() + data.len()) as u64 > GATHERED_MAX_BYTES {
            return Err(too_long());
        }
        whole.extend_from_slice(&data);
    }
    let whole = whole.freeze();
    let digest = digest::of(&whole);
    *body = core_http::full(whole);
    Ok(digest)
}

/// A body that is verified by its length alone.
struct Plain {
    body: core_http::Body,
    fault: Fault,
}

impl http_body::Body for Plain {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        Poll::Ready(frame.map(|frame| frame.map_err(|_| self.fault.keep(incomplete()))))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A request's body as the core takes it.
pub(crate) fn incoming(body: Option<s3s::dto::StreamingBlob>) -> (ByteStream, Fault) {
    let fault = CALL.try_with(|call| call.fault.clone()).unwrap_or_default();
    let Some(body) = body else { return (Box::pin(streams::empty()), fault) };
    (stream_in(body), fault)
}

/// Bytes on their way to the core, to which every fault is a body that broke off.
pub(crate) fn stream_in<S>(body: S) -> ByteStream
where
    S: futures_util::Stream<Item = Result<Bytes, BoxError>> + Send + 'static,
{
    Box::pin(body.map(|item| item.map_err(|cause| Error::BrokenBody(cause.to_string()))))
}

pub(crate) fn incomplete() -> S3Error {
    error::with(S3ErrorCode::IncompleteBody, "The request body terminated unexpectedly")
}

fn length_mismatch() -> S3Error {
    error::with(
        S3ErrorCode::IncompleteBody,
        "You did not provide the number of bytes specified by the Content-Length HTTP header",
    )
}

fn missing_length() -> S3Error {
    error::with(S3ErrorCode::MissingContentLength, "You must provide the Content-Length HTTP header.")
}

fn sha256_mismatch(promised: &[u8; 32], computed: &str) -> S3Error {
    let mismatch = error::custom(
        "XAmzContentSHA256Mismatch",
        StatusCode::BAD_REQUEST,
        "The provided 'x-amz-content-sha256' header does not match what was computed.",
    );
    let promised = hex::encode(promised);
    error::with_fields(
        mismatch,
        &[("ClientComputedContentSHA256", &promised), ("S3ComputedContentSHA256", computed)],
    )
}

/// Bytes of the core as s3s sends them.
pub(crate) fn outgoing(bits: Bits) -> s3s::Body {
    match bits {
        Bits::Whole(bytes) => s3s::Body::from(bytes),
        bits => s3s::dto::StreamingBlob::wrap::<_, Error>(SyncStream::new(bits.into_stream())).into(),
    }
}
