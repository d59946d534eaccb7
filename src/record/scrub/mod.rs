//! Secrets become names: `__password_1__` for each password, the same one for the same value.
//!
//! Found in three ways. By position: credentials in headers, cookies, parameters, fields of forms,
//! JSON and XML whose name says what they hold. By shape: tokens of three parts, links of Seafile's
//! file server. By value: what has a name already, wherever it stands in a text, in whatever
//! encoding; values of fewer than eight characters, and those a text would say anyway, only at their
//! position.
//!
//! The forms of what is stored: `Basic` with login and name decoded, `Basic alice:__password_1__`;
//! the policy of an S3 form as JSON, decoded; signatures of chunks as zeros. `Content-Length` and
//! checksums of a body stay what they were, also where a name in it changed its length.
//!
//! Known gaps: a text is read as UTF-8; binary bodies, files within forms, and bodies in a content
//! coding are not looked into. A secret that stands where nothing tells it, before the call that
//! tells it, is found only where all calls are learnt from first.

mod chunks;
mod edits;
mod headers;
mod json;
mod kind;
mod ledger;
mod multipart;
mod name;
mod scan;
mod shape;
mod values;
mod xml;

use bytes::Bytes;

use self::ledger::Ledger;
use self::scan::Scan;
use crate::exchange::{Answered, Exchange, Payload, Sent};
use crate::har::form::boundary;

pub use name::{Name, is_name, names};

const ROUNDS_MAX: usize = 8;

/// Remembers which value has which name, over all exchanges it is given.
#[derive(Default)]
pub struct Scrubber {
    ledger: Ledger,
}

impl Scrubber {
    pub fn new() -> Self {
        Self::default()
    }

    /// Learns the secrets of an exchange without changing it. Given all exchanges first, a scrubber
    /// finds each secret also in those before the one that tells it.
    pub fn learn(&mut self, exchange: &Exchange) {
        self.by_position(&mut exchange.clone());
    }

    /// Puts names in place of secrets. What has names already stays as it is.
    pub fn scrub(&mut self, exchange: &mut Exchange) {
        // A name in place of a part of broken markup lets its next reader see other places in it:
        // repeated until nothing changes, which is the second time for anything well-formed.
        for _ in 0..ROUNDS_MAX {
            let before = exchange.clone();
            self.by_position(exchange);
            self.by_value(exchange);
            if *exchange == before {
                break;
            }
        }
    }

    /// How many different secrets of each kind have got a name.
    pub fn counts(&self) -> impl Iterator<Item = (&'static str, usize)> {
        self.ledger.counts()
    }

    fn by_position(&mut self, exchange: &mut Exchange) {
        for text in texts(exchange) {
            self.ledger.reserve(text);
        }
        let path = exchange.request.path().to_owned();
        let mut scan = Scan::new(&mut self.ledger, &path);
        sent(&mut scan, &mut exchange.request);
        answered(&mut scan, &mut exchange.response);
    }

    fn by_value(&mut self, exchange: &mut Exchange) {
        let Exchange { request, response, comment, .. } = exchange;
        let headers = request.headers.iter_mut().chain(&mut response.headers).map(|(_, value)| value);
        for text in headers.chain(comment).chain([&mut request.target]) {
            if let Some(new) = self.ledger.replaced(text) {
                *text = new;
            }
        }
        let boundary = request.header("content-type").and_then(boundary);
        self.body_by_value(&mut request.body, boundary.as_deref());
        self.body_by_value(&mut response.body, None);
    }

    fn body_by_value(&mut self, body: &mut Payload, form: Option<&str>) {
        let bytes = match body {
            Payload::Bytes(bytes) => bytes,
            Payload::Form(form) => return multipart::form_by_value(form, &self.ledger),
            Payload::Omitted { .. } => return,
        };
        let new = match std::str::from_utf8(bytes) {
            Ok(text) => self.ledger.replaced(text).map(Bytes::from),
            // Text fields beside a binary file.
            Err(_) => form.and_then(|boundary| self.fields_by_value(bytes, boundary)),
        };
        if let Some(new) = new {
            *bytes = new;
        }
    }

    fn fields_by_value(&self, body: &Bytes, boundary: &str) -> Option<Bytes> {
        let mut out = Vec::with_capacity(body.len());
        let mut copied = 0;
        for part in multipart::parts(body, boundary) {
            let content =
                body.get(part.content.clone()).and_then(|content| std::str::from_utf8(content).ok());
            if let Some(new) = content.and_then(|content| self.ledger.replaced(content)) {
                out.extend_from_slice(body.get(copied..part.content.start)?);
                out.extend_from_slice(new.as_bytes());
                copied = part.content.end;
            }
        }
        out.extend_from_slice(body.get(copied..)?);
        (copied > 0).then(|| out.into())
    }
}

/// All texts of an exchange in which a name may stand.
fn texts(exchange: &Exchange) -> impl Iterator<Item = &str> {
    let Exchange { request, response, .. } = exchange;
    let headers = request.headers.iter().chain(&response.headers).map(|(_, value)| value.as_str());
    let bodies = [&request.body, &response.body].into_iter().filter_map(Payload::bytes);
    let bodies = bodies.filter_map(|bytes| std::str::from_utf8(bytes).ok());
    let form = match &request.body {
        Payload::Form(form) => Some(form),
        Payload::Bytes(_) | Payload::Omitted { .. } => None,
    };
    let form = form.into_iter().flat_map(multipart::texts);
    std::iter::once(request.target.as_str()).chain(headers).chain(bodies).chain(form)
}

fn sent(scan: &mut Scan<'_>, request: &mut Sent) {
    let target = match request.target.split_once('?') {
        Some((path, query)) => {
            let new_path = scan.plain(path).unwrap_or_else(|| path.to_owned());
            let new_query = scan.query(query).unwrap_or_else(|| query.to_owned());
            format!("{new_path}?{new_query}")
        }
        None => scan.plain(&request.target).unwrap_or_else(|| request.target.clone()),
    };
    request.target = target;
    scan.headers(&mut request.headers);
    let chunked = chunks::is_chunked(request);
    let kind = request.header("content-type").unwrap_or_default().to_ascii_lowercase();
    let boundary = request.header("content-type").and_then(boundary);
    let body = match &mut request.body {
        Payload::Bytes(body) => body,
        Payload::Form(form) => return scan.form(form),
        Payload::Omitted { .. } => return,
    };
    let new = match boundary {
        _ if chunked => chunks::zeroed(body),
        Some(boundary) => scan.multipart(body, &boundary),
        None => text_body(scan, body, &kind),
    };
    if let Some(new) = new {
        *body = new;
    }
}

fn answered(scan: &mut Scan<'_>, response: &mut Answered) {
    scan.headers(&mut response.headers);
    let kind = response.header("content-type").unwrap_or_default().to_ascii_lowercase();
    let Payload::Bytes(body) = &mut response.body else { return };
    if let Some(new) = text_body(scan, body, &kind) {
        *body = new;
    }
}

fn text_body(scan: &mut Scan<'_>, body: &Bytes, kind: &str) -> Option<Bytes> {
    let text = std::str::from_utf8(body).ok()?;
    // curl calls whatever it posts a form.
    let form = kind.starts_with("application/x-www-form-urlencoded")
        && !text.trim_start().starts_with(['{', '[', '<']);
    let new = if form { scan.query(text) } else { scan.text(text) };
    new.map(Bytes::from)
}

#[cfg(test)]
mod tests;
