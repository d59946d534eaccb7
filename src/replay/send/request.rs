//! A request that is ready to be sent.

use bytes::Bytes;

use crate::send::Content;
use crate::sign::Frames;

#[derive(Debug, Clone)]
pub struct Request {
    pub method: String,
    /// Path and query, sent as they are.
    pub target: String,
    /// In order. `Host` is among them; what frames the body is not.
    pub headers: Vec<(String, String)>,
    pub body: Body,
    pub framing: Framing,
}

#[derive(Debug, Clone)]
pub enum Body {
    Plain(Content),
    /// The `aws-chunked` coding of S3.
    Framed(Frames),
    /// A form, some of whose files the recording lacks: what goes out piece by piece.
    Form(Vec<Content>),
}

/// How the end of the body is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// No body, and nothing that says so.
    None,
    Length,
    Chunked,
}

impl Body {
    pub const EMPTY: Self = Self::Plain(Content::EMPTY);

    pub fn length(&self) -> u64 {
        match self {
            Self::Plain(content) => content.length(),
            Self::Framed(frames) => frames.length(),
            Self::Form(pieces) => pieces.iter().map(Content::length).sum(),
        }
    }

    /// The content that it consists of.
    pub fn contents(&self) -> &[Content] {
        match self {
            Self::Plain(content) | Self::Framed(Frames { content, .. }) => std::slice::from_ref(content),
            Self::Form(pieces) => pieces,
        }
    }

    /// What goes over the wire, from first to last.
    pub fn pieces(&self) -> Box<dyn Iterator<Item = Bytes> + Send> {
        match self {
            Self::Plain(content) => content.pieces(),
            Self::Framed(frames) => Box::new(frames.pieces()),
            Self::Form(pieces) => Box::new(pieces.clone().into_iter().flat_map(|piece| piece.pieces())),
        }
    }
}

impl Request {
    /// The first header of a name, whatever its case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// Sets the first header of a name in its place, or adds it at the end.
    pub fn set_header(&mut self, name: &str, value: &str) {
        match self.headers.iter_mut().find(|(known, _)| known.eq_ignore_ascii_case(name)) {
            Some((_, old)) => value.clone_into(old),
            None => self.headers.push((name.to_owned(), value.to_owned())),
        }
    }

    pub fn remove_header(&mut self, name: &str) {
        self.headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
    }
}
