//! One call on its way: what is known of it so far, and written when it ends, however it ends.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use http::{HeaderMap, request, response};
use time::OffsetDateTime;
use tokio::sync::OwnedSemaphorePermit;

use super::copy::Decoded;
use super::scribe::Page;
use super::sent::SentCopy;
use crate::exchange::{Answered, Exchange, Payload, Sent};

/// The request body as far as it has passed; the connection to the upstream draws it.
pub struct Passed {
    pub copy: SentCopy,
    /// Its last byte has passed.
    pub whole: bool,
    /// The client left in the middle of it.
    pub broken: bool,
}

pub type SharedPassed = Arc<Mutex<Passed>>;

/// How it went; said in the entry's comment unless all went well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    Whole,
    ClientLeft,
    NoUpstream,
    NoAnswer,
    NotHttp,
    UpstreamBroke,
    Refused,
}

struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: Decoded,
}

/// Writes itself when dropped: the last byte has gone, or the connection.
pub struct Call {
    started: OffsetDateTime,
    clock: Instant,
    sent: Option<Sent>,
    passed: SharedPassed,
    limit: usize,
    answer: Option<Answer>,
    pub end: End,
    page: Page,
    room: Option<OwnedSemaphorePermit>,
}

impl Call {
    pub fn new(
        head: &request::Parts,
        origin: String,
        limit: usize,
        page: Page,
        room: OwnedSemaphorePermit,
    ) -> Self {
        let target = head.uri.path_and_query().map_or("/", |target| target.as_str());
        let sent = Sent {
            method: head.method.as_str().to_owned(),
            origin,
            target: if target.is_empty() { "/".to_owned() } else { target.to_owned() },
            headers: pairs(&head.headers),
            body: Payload::EMPTY,
        };
        let copy = SentCopy::new(limit, sent.form_parser(limit));
        let passed = Passed { copy, whole: false, broken: false };
        Self {
            started: OffsetDateTime::now_utc(),
            clock: Instant::now(),
            sent: Some(sent),
            passed: Arc::new(Mutex::new(passed)),
            limit,
            answer: None,
            end: End::ClientLeft,
            page,
            room: Some(room),
        }
    }

    pub fn passed(&self) -> SharedPassed {
        self.passed.clone()
    }

    pub fn answered(&mut self, head: &response::Parts) {
        let mut codings = head.headers.get_all(http::header::CONTENT_ENCODING).iter();
        let coding = match (codings.next(), codings.next()) {
            (Some(coding), None) => coding.to_str().ok(),
            // Several, one over the other, which nobody sends.
            _ => None,
        };
        let body = Decoded::new(self.limit, coding);
        self.answer = Some(Answer { status: head.status.as_u16(), headers: pairs(&head.headers), body });
    }

    /// Nothing is written of it.
    pub fn forget(mut self) {
        self.sent = None;
    }

    pub fn body(&mut self, bytes: &[u8]) {
        if let Some(answer) = &mut self.answer {
            answer.body.push(bytes);
        }
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        let (Some(mut sent), Some(room)) = (self.sent.take(), self.room.take()) else { return };
        let took = self.clock.elapsed();
        let (passed, whole) = {
            let mut passed = self.passed.lock().unwrap_or_else(PoisonError::into_inner);
            if passed.broken && self.end == End::NoAnswer {
                self.end = End::ClientLeft;
            }
            (std::mem::replace(&mut passed.copy, SentCopy::new(0, None)), passed.whole)
        };
        let declared: Option<u64> = sent.header("content-length").and_then(|length| length.parse().ok());
        sent.body = match passed.payload() {
            Payload::Omitted { length, sha256 } => {
                Payload::Omitted { length, sha256: sha256.filter(|_| whole) }
            }
            // The upstream had seen enough: the client would have sent all of it.
            Payload::Bytes(bytes) if !whole && self.end == End::Whole => match declared {
                Some(length) if length > bytes.len() as u64 => Payload::Omitted { length, sha256: None },
                _ => Payload::Bytes(bytes),
            },
            kept => kept,
        };
        let (mut response, mut coded) =
            (Answered { status: 0, headers: Vec::new(), body: Payload::EMPTY }, false);
        if let Some(answer) = self.answer.take() {
            (response.body, coded) = answer.body.payload();
            (response.status, response.headers) = (answer.status, answer.headers);
        }
        let exchange = Exchange {
            number: 0,
            started: self.started,
            took,
            comment: comment(self.end, response.status, coded).map(str::to_owned),
            request: sent,
            response,
        };
        self.page.write(exchange, room);
    }
}

fn comment(end: End, status: u16, coded: bool) -> Option<&'static str> {
    match end {
        End::Whole if coded => Some("the content coding of the answer could not be undone"),
        End::Whole => None,
        End::ClientLeft if status == 0 => Some("the client left before there was an answer"),
        End::ClientLeft => Some("the client left before the answer was whole"),
        End::NoUpstream => Some("the recorder's own answer: the upstream could not be reached"),
        End::NoAnswer => Some("the upstream closed the connection without an answer"),
        End::NotHttp => Some("the recorder's own answer: what the upstream answered is not HTTP"),
        End::UpstreamBroke => Some("the upstream broke off before its answer was whole"),
        End::Refused => Some("the recorder's own answer: it does not do this"),
    }
}

fn pairs(headers: &HeaderMap) -> Vec<(String, String)> {
    let text = |bytes: &[u8]| match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        // What old servers mean by bytes beyond ASCII (RFC 9110 5.5).
        Err(_) => bytes.iter().copied().map(char::from).collect(),
    };
    headers.iter().map(|(name, value)| (name.as_str().to_owned(), text(value.as_bytes()))).collect()
}
