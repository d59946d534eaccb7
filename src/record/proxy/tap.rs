//! Bodies on their way, with a look at each frame.

use std::pin::Pin;
use std::sync::PoisonError;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;

use super::call::{Call, End, SharedPassed};

/// What the client sends.
pub struct RequestBody {
    body: Incoming,
    passed: SharedPassed,
}

impl RequestBody {
    pub fn new(body: Incoming, passed: SharedPassed) -> Self {
        let tap = Self { body, passed };
        if tap.body.is_end_stream() {
            tap.whole();
        }
        tap
    }

    fn whole(&self) {
        self.passed.lock().unwrap_or_else(PoisonError::into_inner).whole = true;
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        match &polled {
            Poll::Ready(Some(Ok(frame))) => {
                if let Some(data) = frame.data_ref() {
                    self.passed.lock().unwrap_or_else(PoisonError::into_inner).copy.push(data);
                }
                if self.body.is_end_stream() {
                    self.whole();
                }
            }
            Poll::Ready(None) => self.whole(),
            Poll::Ready(Some(Err(_))) => {
                self.passed.lock().unwrap_or_else(PoisonError::into_inner).broken = true;
            }
            Poll::Pending => {}
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// What the upstream answers, or we in its place. The call ends with it.
pub struct AnswerBody<B = Incoming> {
    body: B,
    call: Option<Call>,
}

impl<B: Body<Data = Bytes>> AnswerBody<B> {
    /// `call` has its answer's head; `end` is how it ends when all of the body has gone.
    pub fn new(body: B, mut call: Call, end: End) -> Self {
        let whole = body.is_end_stream();
        // Until then it is the client that leaves when this is dropped.
        call.end = if whole || end != End::Whole { end } else { End::ClientLeft };
        Self { body, call: Some(call) }
    }

    fn end(&mut self, end: End) {
        if let Some(mut call) = self.call.take() {
            if call.end == End::ClientLeft {
                call.end = end;
            }
            drop(call);
        }
    }
}

impl<B: Body<Data = Bytes> + Unpin> Body for AnswerBody<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        match &polled {
            Poll::Ready(Some(Ok(frame))) => {
                if let (Some(call), Some(data)) = (&mut self.call, frame.data_ref()) {
                    call.body(data);
                }
                if self.body.is_end_stream() {
                    self.end(End::Whole);
                }
            }
            Poll::Ready(None) => self.end(End::Whole),
            Poll::Ready(Some(Err(_))) => self.end(End::UpstreamBroke),
            Poll::Pending => {}
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
