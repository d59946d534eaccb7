//! One call and its answer, free of what HAR repeats.

use std::time::Duration;

use bytes::Bytes;
use sha2::{Digest as _, Sha256};
use time::OffsetDateTime;

use crate::form::{Form, Parser};
use crate::har::form::boundary;

#[derive(Debug, Clone, PartialEq)]
pub struct Exchange {
    /// The entry's place in its file, from 1. Messages and reports name it.
    pub number: usize,
    pub started: OffsetDateTime,
    /// From the first byte of the request to the last of the answer.
    pub took: Duration,
    pub request: Sent,
    pub response: Answered,
    /// What the recording's author says about it.
    pub comment: Option<String>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Sent {
    pub method: String,
    /// `https://files.example.com:8443`, without a slash at the end.
    pub origin: String,
    /// Path and query as they were sent, still encoded, beginning with `/`; `*` of `OPTIONS *`.
    pub target: String,
    /// In order, names as they were sent.
    pub headers: Vec<(String, String)>,
    pub body: Payload,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Answered {
    /// 0 where the client got no answer.
    pub status: u16,
    pub headers: Vec<(String, String)>,
    /// Without content coding: what `Content-Encoding` names has been undone where it is known.
    pub body: Payload,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Payload {
    /// All of it; empty where there was none.
    Bytes(Bytes),
    /// Left out of the recording for its size, or not kept by whoever recorded.
    Omitted {
        length: u64,
        /// Lower-case hexadecimal.
        sha256: Option<String>,
    },
    /// A form that was too large as a whole; only of requests.
    Form(Form),
}

impl Payload {
    pub const EMPTY: Self = Self::Bytes(Bytes::new());

    pub fn length(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::Omitted { length, .. } => *length,
            Self::Form(form) => form.length,
        }
    }

    /// Leaves it out where it is longer than `limit`.
    pub fn within(self, limit: usize) -> Self {
        match self {
            Self::Bytes(bytes) if bytes.len() > limit => {
                let sha256 = Some(hex::encode(Sha256::digest(&bytes)));
                Self::Omitted { length: bytes.len() as u64, sha256 }
            }
            kept => kept,
        }
    }

    pub fn bytes(&self) -> Option<&Bytes> {
        match self {
            Self::Bytes(bytes) => Some(bytes),
            Self::Omitted { .. } | Self::Form(_) => None,
        }
    }
}

/// The first header of a name, whatever its case.
fn header<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
}

impl Sent {
    pub fn header(&self, name: &str) -> Option<&str> {
        header(&self.headers, name)
    }

    /// Leaves out of the body what is longer than `limit`; a form stays one.
    pub fn limit_body(&mut self, limit: usize) {
        let body = std::mem::replace(&mut self.body, Payload::EMPTY);
        let form = match &body {
            Payload::Bytes(bytes) if bytes.len() > limit => self.form_parser(limit).and_then(|mut parser| {
                parser.push(bytes);
                parser.finish()
            }),
            _ => None,
        };
        self.body = form.map_or_else(|| body.within(limit), Payload::Form);
    }

    /// For a body that is a form by its type.
    pub(crate) fn form_parser(&self, limit: usize) -> Option<Parser> {
        let kind = self.header("content-type")?;
        let form = kind.get(..19).is_some_and(|start| start.eq_ignore_ascii_case("multipart/form-data"));
        Parser::new(&boundary(kind).filter(|_| form)?, limit)
    }

    /// The part of the target before the query.
    pub fn path(&self) -> &str {
        self.target.split_once('?').map_or(self.target.as_str(), |(path, _)| path)
    }

    pub fn query(&self) -> Option<&str> {
        self.target.split_once('?').map(|(_, query)| query)
    }
}

impl Answered {
    pub fn header(&self, name: &str) -> Option<&str> {
        header(&self.headers, name)
    }
}
