//! What happens to every request whatever its door: limits, an id, a span, a caught panic, a line
//! in the access log, and an honest end of refused uploads.

use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use cellgate_core::http::{BoxError, Client, Protocol, Request, Response};
use cellgate_core::ports::Stretch;
use futures_util::FutureExt;
use http::{HeaderValue, Method, StatusCode, Version, header};
use http_body::{Body as _, Frame, SizeHint};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tokio::time::Sleep;
use tracing::Instrument;

use crate::access_log::{Line, Logged};
use crate::dispatch::{Dispatch, plain};
use crate::listener::HEADERS_MAX_BYTES;
use crate::wire::{Announced, UnreadFile};

pub type Answer = http::Response<Logged>;

#[derive(Clone)]
pub struct Service {
    dispatch: Dispatch,
    body_idle: Duration,
}

impl Service {
    pub fn new(dispatch: Dispatch, body_idle: Duration) -> Self {
        Self { dispatch, body_idle }
    }

    pub async fn serve(
        &self,
        request: http::Request<Incoming>,
        peer: SocketAddr,
        wire: Option<Announced>,
    ) -> Answer {
        let begun = Instant::now();
        let secure = wire.is_none();
        let unread = request.version() < Version::HTTP_2 && *request.method() != Method::HEAD;
        let expects = request.version() < Version::HTTP_2 && request.headers().contains_key(header::EXPECT);
        // Reading a body that was only announced would ask the client for it.
        let announced = expects || request.version() >= Version::HTTP_2;
        let polled = announced.then(|| Arc::new(AtomicBool::new(false)));
        let mut request: Request = request.map(|body| {
            if body.is_end_stream() && !announced {
                return cellgate_core::http::empty();
            }
            let (polled, idle) = (polled.clone(), self.body_idle);
            let body = Watched { body: Some(body), polled, idle, timer: None };
            body.boxed_unsync()
        });
        let request_id = request_id();
        request.extensions_mut().insert(Client { address: peer, secure, request_id: request_id.clone() });

        let protocol = self.dispatch.door(&request);
        let door = protocol.map(Protocol::door);
        let mut line = Line::of(&request, peer, request_id.clone(), door);
        let span = tracing::info_span!(
            "request",
            id = %request_id,
            door = door.map(|door| door.as_str()),
            method = %request.method()
        );
        let mut response = if header_bytes(&request) > HEADERS_MAX_BYTES as usize {
            closing(plain(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "more than 64 KiB of headers\n"))
        } else {
            // A panic in a library ends one request, not the server.
            AssertUnwindSafe(Dispatch::serve(protocol, request))
                .catch_unwind()
                .instrument(span)
                .await
                .unwrap_or_else(|_| {
                    tracing::error!(id = %request_id, "a handler panicked");
                    closing(plain(StatusCode::INTERNAL_SERVER_ERROR, "internal error\n"))
                })
        };
        // Nobody read the announced body, and hyper may take its first bytes for the next request
        // (RFC 9110 §10.1.1 lets us close).
        if expects && polled.is_some_and(|polled| !polled.load(Ordering::Relaxed)) {
            response = closing(response);
        }
        line.answer(&mut response, begun);
        let stretch = response.extensions_mut().remove::<Stretch>();
        // The one whole body that was promised, not what an answer once was to have.
        let stretch = stretch.filter(|stretch| {
            unread
                && response.headers().get(header::CONTENT_LENGTH).is_some_and(|length| {
                    length.to_str().is_ok_and(|length| length.parse() == Ok(stretch.end - stretch.start))
                })
        });
        response.map(|body| match (wire, stretch) {
            (Some(wire), Some(stretch)) => Logged::new(UnreadFile::new(stretch, wire).boxed_unsync(), line),
            _ => Logged::new(body, line),
        })
    }
}

fn closing(mut response: Response) -> Response {
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}

fn header_bytes(request: &Request) -> usize {
    let lines: usize =
        request.headers().iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
    lines + request.uri().path_and_query().map_or(0, |path| path.as_str().len())
}

/// 16 upper-case hex digits, as S3 clients expect of a request id.
fn request_id() -> String {
    format!("{:016X}", rand::random::<u64>())
}

/// A request's body that knows whether anybody read it, and gives up on a silent client.
struct Watched {
    /// `None` once what nobody wants is being read.
    body: Option<Incoming>,
    /// Where it was only announced: the client may wait for a word before it sends, or has other ways
    /// to be told to stop.
    polled: Option<Arc<AtomicBool>>,
    idle: Duration,
    /// Only while waiting: most bodies are there already.
    timer: Option<Pin<Box<Sleep>>>,
}

/// What is read of a body that nobody wants any more: a part of an upload, as clients choose them.
const UNWANTED_MAX_BYTES: u64 = 64 * 1024 * 1024;
const UNWANTED_MAX: Duration = Duration::from_secs(5);

/// A refused request whose body is on its way: closing now would reset the connection under the client
/// before it has read why (RFC 9112 9.6), and Node's fetch then reports EPIPE instead of our 403. What is
/// short is read to its end.
impl Drop for Watched {
    fn drop(&mut self) {
        let Some(mut body) = self.body.take() else { return };
        let asked_for = self.polled.as_ref().is_none_or(|polled| polled.load(Ordering::Relaxed));
        let short = body.size_hint().lower() <= UNWANTED_MAX_BYTES;
        if !asked_for || !short || body.is_end_stream() {
            return;
        }
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        runtime.spawn(tokio::time::timeout(UNWANTED_MAX, async move {
            let mut seen = 0_u64;
            while let Some(Ok(frame)) = body.frame().await {
                seen = seen.saturating_add(frame.data_ref().map_or(0, |data| data.len() as u64));
                if seen > UNWANTED_MAX_BYTES {
                    break;
                }
            }
        }));
    }
}

impl http_body::Body for Watched {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if let Some(polled) = &self.polled {
            polled.store(true, Ordering::Relaxed);
        }
        let Some(body) = &mut self.body else { return Poll::Ready(None) };
        if let Poll::Ready(frame) = Pin::new(body).poll_frame(context) {
            self.timer = None;
            return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
        }
        let idle = self.idle;
        let timer = self.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep(idle)));
        match timer.as_mut().poll(context) {
            Poll::Ready(()) => Poll::Ready(Some(Err("the client sent nothing for too long".into()))),
            Poll::Pending => Poll::Pending,
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(http_body::Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or_else(SizeHint::default, http_body::Body::size_hint)
    }
}
