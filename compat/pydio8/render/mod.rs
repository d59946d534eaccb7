//! Answers: one content, in XML or JSON.
//!
//! | file | what |
//! |---|---|
//! | `node` | a node's attributes, as listings and diffs show them |
//! | `envelope` | messages and diffs |
//! | `listing` | the document of `ls` |
//! | `element` | documents that exist as elements only: the registry |
//! | `xml`, `json` | the writers |

pub mod element;
pub mod envelope;
pub mod json;
pub mod listing;
pub mod node;
pub mod xml;

use bytes::Bytes;
use cellgate_core::http::{Response, full};
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, StatusCode};

use crate::params::Params;

pub const XML: &str = "text/xml; charset=UTF-8";
pub const JSON: &str = "application/json; charset=UTF-8";
/// Java reads `stat` only under exactly this.
pub const BARE_JSON: &str = "application/json";
pub const TEXT: &str = "text/plain; charset=UTF-8";
/// What PHP puts on a body nobody typed; the Java SDK looks the header up without asking whether
/// it is there.
pub const HTML: &str = "text/html; charset=UTF-8";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Xml,
    Json,
}

impl Format {
    /// For answers: `format=json`, or JSON as the first thing accepted.
    pub fn of(headers: &HeaderMap, params: &Params) -> Self {
        if params.get("format") == Some("json") { Self::Json } else { Self::accepted(headers) }
    }

    /// For errors, which the original writes from the request as it came: `format=json` counts only
    /// when it was posted.
    pub fn of_error(headers: &HeaderMap, params: &Params) -> Self {
        if params.posted("format") == Some("json") { Self::Json } else { Self::accepted(headers) }
    }

    fn accepted(headers: &HeaderMap) -> Self {
        let first = headers.get(ACCEPT).and_then(|value| value.to_str().ok());
        let first = first.and_then(|value| value.split(',').next()).map(str::trim);
        if first == Some(BARE_JSON) { Self::Json } else { Self::Xml }
    }
}

/// A response with a body that is known whole.
pub fn respond(status: StatusCode, content_type: &'static str, body: impl Into<Bytes>) -> Response {
    let body: Bytes = body.into();
    let length = body.len();
    let mut response = Response::new(full(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    // On a 204 the header is forbidden (RFC 9110 §8.6).
    if status != StatusCode::NO_CONTENT {
        headers.insert(http::header::CONTENT_LENGTH, HeaderValue::from(length));
    }
    response
}

pub fn ok(content_type: &'static str, body: impl Into<Bytes>) -> Response {
    respond(StatusCode::OK, content_type, body)
}

/// HTTP 200 with nothing in it: what several actions answer on success.
pub fn blank() -> Response {
    ok(HTML, Bytes::new())
}
