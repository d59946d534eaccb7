//! An HTTP/1.1 client that changes nothing of what it is given.
//!
//! The target goes out as it was recorded, with its `//`, `%2F` and `..`; redirects are not followed,
//! since what the recorded client did next is the next call. One connection is kept open, as long as
//! the server likes.
//!
//! Known gaps: HTTP/2; targets with bytes that no URI may have, which hyper refuses.

mod answer;
mod connect;
mod content;
mod request;

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use cellgate_record::Answered;
use http::header::{CONTENT_LENGTH, HOST, TRANSFER_ENCODING};
use http::{HeaderName, HeaderValue, Method, Uri};
use http_body::{Frame, SizeHint};
use hyper::client::conn::http1::SendRequest;
use tokio::time::timeout;

pub use self::connect::{Authorities, Origin};
pub use self::content::{Content, Made};
pub use self::request::{Body, Framing, Request};

/// For the head of an answer: some operations walk a whole tree first.
const PATIENCE: Duration = Duration::from_secs(300);

#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// There is no connection to be had.
    #[error("cannot connect to {origin}: {why}")]
    Connect { origin: String, why: String },
    #[error("cannot be sent: {0}")]
    Unsendable(String),
    #[error("no answer: {0}")]
    NoAnswer(String),
    #[error("the answer broke off: {0}")]
    BrokenAnswer(String),
}

pub struct Client {
    origin: Origin,
    connector: connect::Connector,
    kept: Option<SendRequest<Outgoing>>,
}

impl Client {
    pub fn new(origin: Origin, authorities: &Authorities) -> Result<Self, String> {
        let connector = connect::Connector::new(&origin, authorities)?;
        Ok(Self { origin, connector, kept: None })
    }

    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Opens the connection, to find out whether there is somebody.
    pub async fn greet(&mut self) -> Result<(), SendError> {
        self.kept = Some(self.connect().await?);
        Ok(())
    }

    /// Sends a request and reads its answer, of which at most `keep` bytes are kept.
    pub async fn send(&mut self, request: &Request, keep: u64) -> Result<Answered, SendError> {
        // Said before anything is sent.
        head(request)?;
        let kept = self.kept.take().filter(|kept| !kept.is_closed());
        let reused = kept.is_some();
        let mut connection = match kept {
            Some(kept) => kept,
            None => self.connect().await?,
        };
        let answer = match exchange(&mut connection, request).await {
            // A server closes idle connections whenever it likes, perhaps just now.
            Err(Failure::Hyper(error)) if reused && may_try_again(&error, &request.method) => {
                connection = self.connect().await?;
                exchange(&mut connection, request).await
            }
            other => other,
        }?;
        let answered = answer::read(answer, keep).await?;
        self.kept = Some(connection);
        Ok(answered)
    }

    async fn connect(&self) -> Result<SendRequest<Outgoing>, SendError> {
        self.connector
            .connect(&self.origin)
            .await
            .map_err(|why| SendError::Connect { origin: self.origin.to_string(), why })
    }
}

enum Failure {
    Hyper(hyper::Error),
    Other(SendError),
}

impl From<Failure> for SendError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Hyper(error) => Self::NoAnswer(chain(&error)),
            Failure::Other(error) => error,
        }
    }
}

async fn exchange(
    connection: &mut SendRequest<Outgoing>,
    request: &Request,
) -> Result<http::Response<hyper::body::Incoming>, Failure> {
    connection.ready().await.map_err(Failure::Hyper)?;
    let head = head(request).map_err(Failure::Other)?;
    match timeout(PATIENCE, connection.send_request(head.map(|()| Outgoing::of(request)))).await {
        Ok(answer) => answer.map_err(Failure::Hyper),
        Err(_) => {
            let why = format!("the server said nothing for {} s", PATIENCE.as_secs());
            Err(Failure::Other(SendError::NoAnswer(why)))
        }
    }
}

/// Whether the server has certainly not acted on the request, or would act on it twice alike.
fn may_try_again(error: &hyper::Error, method: &str) -> bool {
    let harmless = matches!(method, "GET" | "HEAD" | "OPTIONS" | "PROPFIND" | "REPORT");
    error.is_canceled() || (harmless && (error.is_incomplete_message() || error.is_closed()))
}

fn head(request: &Request) -> Result<http::Request<()>, SendError> {
    let wrong = |what: String| SendError::Unsendable(what);
    let method = Method::from_bytes(request.method.as_bytes())
        .map_err(|_| wrong(format!("`{}` is no method", request.method)))?;
    if !request.target.starts_with('/') && request.target != "*" {
        return Err(wrong("the target does not begin with `/`".into()));
    }
    // hyper would cut it off there without a word.
    if request.target.contains('#') {
        return Err(wrong("the target holds a `#`".into()));
    }
    let uri = Uri::try_from(request.target.as_str())
        .map_err(|error| wrong(format!("the target is no URI: {error}")))?;
    let mut head = http::Request::new(());
    *head.method_mut() = method;
    *head.uri_mut() = uri;
    let headers = head.headers_mut();
    for (name, value) in &request.headers {
        let key = HeaderName::from_bytes(name.as_bytes())
            .map_err(|_| wrong(format!("`{name}` is no header name")))?;
        let value = HeaderValue::from_bytes(value.as_bytes())
            .map_err(|_| wrong(format!("header `{name}` holds a control character")))?;
        headers.append(key, value);
    }
    if !headers.contains_key(HOST) {
        return Err(wrong("it has no `Host`".into()));
    }
    match request.framing {
        Framing::None => {}
        Framing::Length => {
            headers.insert(CONTENT_LENGTH, request.body.length().into());
        }
        Framing::Chunked => {
            headers.insert(TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
        }
    }
    Ok(head)
}

/// A body on its way out.
struct Outgoing {
    pieces: Box<dyn Iterator<Item = Bytes> + Send>,
    left: Option<u64>,
}

impl Outgoing {
    fn of(request: &Request) -> Self {
        let left = match request.framing {
            Framing::None => return Self { pieces: Box::new(std::iter::empty()), left: Some(0) },
            Framing::Length => Some(request.body.length()),
            Framing::Chunked => None,
        };
        Self { pieces: request.body.pieces(), left }
    }
}

impl http_body::Body for Outgoing {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let piece = self.pieces.next();
        if let (Some(left), Some(piece)) = (&mut self.left, &piece) {
            *left = left.saturating_sub(piece.len() as u64);
        }
        Poll::Ready(piece.map(|piece| Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.left == Some(0)
    }

    fn size_hint(&self) -> SizeHint {
        self.left.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

/// An error and what is behind it, on one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests;
