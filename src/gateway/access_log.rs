//! One line and a few numbers per request, written when its body has gone out.
//!
//! Never a query (presigned URLs are credentials), never a header; a link token in a path is masked.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, PoisonError, RwLock};
use std::task::{Context, Poll};
use std::time::Instant;

use bytes::Bytes;
use cellgate_core::http::{Body, BoxError, Note, Request, Response};
use cellgate_core::principal::Door;
use http_body::{Frame, SizeHint};

/// What is known before the answer.
pub struct Line {
    method: http::Method,
    path: String,
    peer: SocketAddr,
    id: String,
    door: Option<Door>,
    note: Note,
    status: u16,
    begun: Instant,
    bytes: u64,
}

impl Line {
    pub fn of(request: &Request, peer: SocketAddr, id: String, door: Option<Door>) -> Self {
        Self {
            method: request.method().clone(),
            path: masked(request.uri().path()),
            peer,
            id,
            door,
            note: Note::default(),
            status: 0,
            begun: Instant::now(),
            bytes: 0,
        }
    }

    pub fn answer(&mut self, response: &mut Response, begun: Instant) {
        self.note = response.extensions_mut().remove::<Note>().unwrap_or_default();
        self.status = response.status().as_u16();
        self.begun = begun;
    }

    fn write(&self) {
        let door = self.door.map_or("none", Door::as_str);
        let seconds = self.begun.elapsed().as_secs_f64();
        let numbers = Numbers::of(door, self.status);
        numbers.requests.increment(1);
        numbers.bytes.increment(self.bytes);
        numbers.seconds.record(seconds);
        tracing::info!(
            target: "access",
            id = %self.id,
            peer = %self.peer.ip(),
            door,
            principal = self.note.principal.as_deref().unwrap_or("-"),
            operation = self.note.operation.unwrap_or("-"),
            method = %self.method,
            path = %self.path,
            status = self.status,
            bytes = self.bytes,
            ms = format_args!("{:.3}", seconds * 1e3),
        );
    }
}

/// Where the numbers of a door's answers with one status go.
struct Numbers {
    requests: metrics::Counter,
    bytes: metrics::Counter,
    seconds: metrics::Histogram,
}

impl Numbers {
    /// Kept for good: finding them by name takes longer than all that is done with them. There are
    /// few doors and few statuses.
    fn of(door: &'static str, status: u16) -> Arc<Self> {
        static KNOWN: RwLock<BTreeMap<(&str, u16), Arc<Numbers>>> = RwLock::new(BTreeMap::new());
        if let Some(known) = KNOWN.read().unwrap_or_else(PoisonError::into_inner).get(&(door, status)) {
            return known.clone();
        }
        let text = status.to_string();
        let numbers = Arc::new(Self {
            requests: metrics::counter!("cellgate_requests_total", "door" => door, "status" => text),
            bytes: metrics::counter!("cellgate_response_bytes_total", "door" => door),
            seconds: metrics::histogram!("cellgate_request_seconds", "door" => door),
        });
        KNOWN.write().unwrap_or_else(PoisonError::into_inner).insert((door, status), numbers.clone());
        numbers
    }
}

/// Whoever knows the token of a Seafile link holds the link.
fn masked(path: &str) -> String {
    let Some(rest) = path.strip_prefix("/seafhttp/") else { return path.to_owned() };
    let mut words: Vec<&str> = rest.split('/').collect();
    if let Some(token) = words.get_mut(1) {
        *token = "…";
    }
    format!("/seafhttp/{}", words.join("/"))
}

/// A response's body that is counted, and logged when it ends or is dropped.
pub struct Logged {
    body: Body,
    line: Line,
}

impl Logged {
    pub fn new(body: Body, line: Line) -> Self {
        Self { body, line }
    }
}

impl http_body::Body for Logged {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let frame = Pin::new(&mut self.body).poll_frame(context);
        if let Poll::Ready(Some(Ok(frame))) = &frame
            && let Some(bytes) = frame.data_ref()
        {
            self.line.bytes += bytes.len() as u64;
        }
        if let Poll::Ready(Some(Err(error))) = &frame {
            tracing::warn!(id = %self.line.id, %error, "an answer broke off");
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Logged {
    fn drop(&mut self) {
        self.line.write();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn link_tokens_are_masked() {
        assert_eq!(masked("/seafhttp/upload-api/0123-abc"), "/seafhttp/upload-api/…");
        assert_eq!(masked("/seafhttp/files/0123/a/b.txt"), "/seafhttp/files/…/a/b.txt");
        assert_eq!(masked("/io/x/y"), "/io/x/y");
    }
}
