//! What all doors share of HTTP: the request and response types, and headers that mean the same in
//! every protocol.

pub mod conditional;
pub mod date;
pub mod range;

use std::net::SocketAddr;

use bytes::Bytes;
use futures_util::future::{BoxFuture, ready};
use futures_util::{StreamExt, TryStreamExt};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, BodyStream, Empty, Full, StreamBody};

use crate::error::Error;
use crate::ports::{Bits, ByteStream};
use crate::principal::Door;

pub type BoxError = Box<dyn std::error::Error + Send + Sync>;
pub type Body = UnsyncBoxBody<Bytes, BoxError>;
pub type Request = http::Request<Body>;
pub type Response = http::Response<Body>;

/// One protocol on the shared listener.
pub trait Protocol: Send + Sync + 'static {
    /// Short name for logs and metrics.
    fn door(&self) -> Door;
    /// Path prefixes this protocol owns, on whole segments.
    fn mounts(&self) -> &'static [&'static str];
    /// Whether every path under this host is this protocol's, the mounts of others too.
    fn owns_host(&self, _host: &str) -> bool {
        false
    }
    /// Whether a request outside of all mounts is this protocol's all the same.
    fn recognizes(&self, _request: &Request) -> bool {
        false
    }
    /// Answers a request. Errors are rendered in the protocol's own form, so there is no `Result`.
    fn serve(&self, request: Request) -> BoxFuture<'static, Response>;
}

/// What the listener knows of the caller; in the extensions of every request.
#[derive(Debug, Clone)]
pub struct Client {
    pub address: SocketAddr,
    /// Whether the client reached us, or the trusted proxy before us, over TLS.
    pub secure: bool,
    /// Shown to the client and in the log.
    pub request_id: String,
}

/// What a door tells the access log; in the extensions of its response.
#[derive(Debug, Clone, Default)]
pub struct Note {
    /// Login, when one was verified.
    pub principal: Option<String>,
    /// The protocol's own name of the operation.
    pub operation: Option<&'static str>,
}

/// The host that a request is for, without its port.
pub fn host(request: &Request) -> Option<&str> {
    let named = request.headers().get(http::header::HOST).and_then(|host| host.to_str().ok());
    let host = request.uri().authority().map(http::uri::Authority::as_str).or(named)?;
    match host.rsplit_once(':') {
        // The colons of an IPv6 address stand in brackets.
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => Some(name),
        _ => Some(host),
    }
}

pub fn empty() -> Body {
    Empty::new().map_err(|never| match never {}).boxed_unsync()
}

pub fn full(bytes: impl Into<Bytes>) -> Body {
    Full::new(bytes.into()).map_err(|never| match never {}).boxed_unsync()
}

/// Streams bytes of the core to a client. An error breaks the connection off, so that a client
/// never takes a torn body for a whole one.
pub fn stream(bytes: ByteStream) -> Body {
    StreamBody::new(bytes.map_ok(http_body::Frame::data).map_err(|error| Box::new(error) as BoxError))
        .boxed_unsync()
}

/// How much of an answer [`settle`] gathers before it lets it go.
const SETTLE_BYTES: usize = 64 * 1024;

/// Turns a generated answer into a body: gathers its beginning first, so that an early failure
/// still gets a status of its own and a short answer a length; what is longer streams.
pub async fn settle(mut bytes: ByteStream) -> Result<Body, Error> {
    let mut head = bytes::BytesMut::new();
    while head.len() < SETTLE_BYTES {
        match bytes.try_next().await? {
            Some(more) => head.extend_from_slice(&more),
            None => return Ok(full(head.freeze())),
        }
    }
    let head = futures_util::stream::once(ready(Ok(head.freeze())));
    Ok(stream(Box::pin(head.chain(bytes))))
}

pub fn bits(bits: Bits) -> Body {
    match bits {
        Bits::Whole(bytes) => full(bytes),
        Bits::Stream(bytes) => stream(bytes),
        Bits::File(stretch) => stream(stretch.into_stream()),
    }
}

/// An answer whose body is these bytes and nothing else.
pub fn content(content: Bits) -> Response {
    let mut extensions = http::Extensions::new();
    content.note(&mut extensions);
    let mut response = Response::new(bits(content));
    *response.extensions_mut() = extensions;
    response
}

/// A request's body as the core takes it.
pub fn incoming<B>(body: B) -> ByteStream
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: std::fmt::Display,
{
    Box::pin(BodyStream::new(body).filter_map(|frame| {
        ready(match frame {
            Ok(frame) => frame.into_data().ok().map(Ok),
            Err(error) => Some(Err(Error::BrokenBody(error.to_string()))),
        })
    }))
}

/// Reads a small body whole.
pub async fn collect<B>(body: B, limit_bytes: usize) -> Result<Bytes, Error>
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: std::fmt::Display,
{
    let mut stream = incoming(body);
    let mut whole = bytes::BytesMut::new();
    while let Some(bytes) = stream.try_next().await? {
        if whole.len() + bytes.len() > limit_bytes {
            return Err(Error::TooLarge {
                size: (whole.len() + bytes.len()) as u64,
                limit: limit_bytes as u64,
            });
        }
        whole.extend_from_slice(&bytes);
    }
    Ok(whole.freeze())
}
