//! JSON answers.
//!
//! Compact: scripts cut the token out of `{"token":"…"}` with sed, and strip the quotes of a link by
//! taking off its first and last character. So there are no blanks and no line ends.

use cellgate_core::http::{Response, full};
use http::{HeaderValue, StatusCode, header};
use serde_json::{Value, json};

pub fn answer(status: StatusCode, value: &Value) -> Response {
    let mut response = Response::new(full(value.to_string()));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, content_type());
    response
}

pub fn content_type() -> HeaderValue {
    HeaderValue::from_static("application/json; charset=utf-8")
}

pub fn ok(value: &Value) -> Response {
    answer(StatusCode::OK, value)
}

/// `"success"`, with its quotes: n8n compares the text.
pub fn success(status: StatusCode) -> Response {
    answer(status, &json!("success"))
}
