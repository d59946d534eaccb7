//! An exchange as a HAR entry. Fields that begin with `_` are ours, as the specification allows.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;

use super::body::readable;
use super::convert::find;
use super::{cookies, date, parts};
use crate::exchange::{Answered, Exchange, Payload, Sent};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Entry<'a> {
    started_date_time: String,
    time: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    comment: Option<&'a str>,
    request: Request<'a>,
    response: Response<'a>,
    cache: Nothing,
    timings: Timings,
}

#[derive(Serialize)]
struct Nothing {}

#[derive(Serialize)]
struct Timings {
    send: f64,
    wait: f64,
    receive: f64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Request<'a> {
    method: &'a str,
    url: String,
    #[serde(rename = "_target", skip_serializing_if = "Option::is_none")]
    target: Option<&'a str>,
    http_version: &'static str,
    headers: Vec<Pair<'a>>,
    query_string: Vec<Pair<'a>>,
    cookies: Vec<cookies::Listed<'a>>,
    headers_size: i8,
    body_size: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    post_data: Option<PostData<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Response<'a> {
    status: u16,
    status_text: &'a str,
    http_version: &'static str,
    headers: Vec<Pair<'a>>,
    cookies: Vec<cookies::Listed<'a>>,
    #[serde(rename = "redirectURL")]
    redirect_url: &'a str,
    headers_size: i8,
    /// On the wire; not kept, as bodies are recorded without their coding.
    body_size: i8,
    content: Content<'a>,
}

#[derive(Serialize)]
struct Pair<'a> {
    name: Cow<'a, str>,
    value: Cow<'a, str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PostData<'a> {
    mime_type: &'a str,
    #[serde(flatten)]
    body: Body<'a>,
    #[serde(rename = "_encoding", skip_serializing_if = "Option::is_none")]
    encoding: Option<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    params: Vec<parts::Param<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Content<'a> {
    size: u64,
    mime_type: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    encoding: Option<&'static str>,
    #[serde(flatten)]
    body: Body<'a>,
}

#[derive(Serialize)]
struct Body<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<Cow<'a, str>>,
    #[serde(rename = "_length", skip_serializing_if = "Option::is_none")]
    length: Option<u64>,
    #[serde(rename = "_sha256", skip_serializing_if = "Option::is_none")]
    sha256: Option<&'a str>,
}

impl<'a> Entry<'a> {
    pub fn of(exchange: &'a Exchange) -> Self {
        let ms = (exchange.took.as_secs_f64() * 1e6).round() / 1e3;
        Self {
            started_date_time: date::write(exchange.started),
            time: ms,
            comment: exchange.comment.as_deref(),
            request: request(&exchange.request),
            response: response(&exchange.response),
            cache: Nothing {},
            // Only their sum is known.
            timings: Timings { send: 0.0, wait: ms, receive: 0.0 },
        }
    }
}

fn request(sent: &Sent) -> Request<'_> {
    let star = sent.target == "*";
    Request {
        method: &sent.method,
        url: format!("{}{}", sent.origin, if star { "/" } else { &sent.target }),
        target: star.then_some("*"),
        http_version: "HTTP/1.1",
        headers: pairs(&sent.headers),
        query_string: query(sent.query().unwrap_or_default()),
        cookies: cookies::listed(&sent.headers),
        headers_size: -1,
        body_size: sent.body.length(),
        post_data: post_data(sent),
    }
}

fn response(answered: &Answered) -> Response<'_> {
    let (body, encoding) = body(&answered.body);
    let status = http::StatusCode::from_u16(answered.status).ok();
    Response {
        status: answered.status,
        status_text: status.and_then(|status| status.canonical_reason()).unwrap_or_default(),
        http_version: "HTTP/1.1",
        headers: pairs(&answered.headers),
        cookies: cookies::listed(&answered.headers),
        redirect_url: find(&answered.headers, "location").unwrap_or_default(),
        headers_size: -1,
        body_size: -1,
        content: Content {
            size: answered.body.length(),
            mime_type: find(&answered.headers, "content-type").unwrap_or_default(),
            encoding,
            body,
        },
    }
}

/// None for a request without a body, unless its headers speak of one: a reader would take it for
/// left away.
fn post_data(sent: &Sent) -> Option<PostData<'_>> {
    let speaks = |name| find(&sent.headers, name).is_some_and(|value| value.trim() != "0");
    if sent.body == Payload::EMPTY && !speaks("content-length") && !speaks("transfer-encoding") {
        return None;
    }
    let (body, mut encoding) = body(&sent.body);
    // A name in place of a secret has changed the length. A reader who sees a length that does not
    // fit would look for bytes behind the text.
    let fits = |text: &str| find(&sent.headers, "content-length") == Some(text.len().to_string().as_str());
    if body.text.as_deref().is_some_and(|text| !text.is_ascii() && !fits(text)) && encoding.is_none() {
        encoding = Some("utf-8");
    }
    let mime_type = find(&sent.headers, "content-type").unwrap_or_default();
    let params = match &sent.body {
        Payload::Form(form) => parts::listed(form),
        Payload::Bytes(_) | Payload::Omitted { .. } => Vec::new(),
    };
    Some(PostData { mime_type, body, encoding, params })
}

/// Text as it is where it is text, anything else as base64.
fn body(payload: &Payload) -> (Body<'_>, Option<&'static str>) {
    match payload {
        Payload::Omitted { length, sha256 } => {
            (Body { text: None, length: Some(*length), sha256: sha256.as_deref() }, None)
        }
        Payload::Form(form) => (Body { text: None, length: Some(form.length), sha256: None }, None),
        Payload::Bytes(bytes) => match readable(bytes) {
            Some(text) => (Body { text: Some(text.into()), length: None, sha256: None }, None),
            None => {
                let text = Some(STANDARD.encode(bytes).into());
                (Body { text, length: None, sha256: None }, Some("base64"))
            }
        },
    }
}

fn pairs(headers: &[(String, String)]) -> Vec<Pair<'_>> {
    headers.iter().map(|(name, value)| Pair { name: name.into(), value: value.into() }).collect()
}

fn query(query: &str) -> Vec<Pair<'_>> {
    let decoded = |text| percent_encoding::percent_decode_str(text).decode_utf8_lossy();
    query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Pair { name: decoded(name), value: decoded(value) }
        })
        .collect()
}
