//! Which comparison a body gets.

use bytes::Bytes;
use cellgate_record::{Answered, Payload, Sent};
use sha2::{Digest, Sha256};

use super::headers::essence;
use super::{Comparison, UNREAD, json, tree, xml};
use crate::Weight;
use crate::reader::Field;

/// What a body is, by its type and its beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    /// Somebody's file: every byte counts.
    Content,
    Page,
    Xml,
    Json,
    Text,
    Other,
}

pub fn is_empty(answer: &Answered) -> bool {
    answer.body.length() == 0
}

pub fn compare(c: &mut Comparison<'_>, request: &Sent, recorded: &Answered, fresh: &Answered) {
    if request.method == "HEAD" || matches!(recorded.status, 204 | 304) {
        return;
    }
    // What a failure says is in its status, to clients that look no further.
    let read = recorded.status < 400 || c.reader.reads_failures();
    let (before, now) = match (&recorded.body, &fresh.body) {
        (Payload::Bytes(before), Payload::Bytes(now)) => (before, now),
        _ => return by_hash(c, request, recorded, fresh),
    };
    if before == now && nothing_stands_in(c, before) {
        return;
    }
    if before.is_empty() || now.is_empty() {
        return one_empty(c, request, recorded, fresh, read);
    }
    match shape(c.reader.protocol(), request, recorded) {
        Shape::Content => content(c, before, now),
        Shape::Page if before == now => {}
        Shape::Page => {
            c.note(
                Weight::Compatible,
                "body",
                None,
                None,
                Some("a page for people; its text was not compared"),
            );
        }
        Shape::Xml => match (tree::parse(before), tree::parse(now)) {
            (Ok(before), Ok(now)) => xml::document(c, &before, &now, read),
            (Err(_), Err(_)) => text(c, before, now, read),
            (a, b) => broken(c, "XML", a.err(), b.err(), before, now, read),
        },
        Shape::Json => match (serde_json::from_slice(before), serde_json::from_slice(now)) {
            (Ok(before), Ok(now)) => json::document(c, &before, &now, read),
            (Err(_), Err(_)) => text(c, before, now, read),
            (Err(_), _) if is_lines(before) => text(c, before, now, read),
            (a, b) => {
                let said = |error: serde_json::Error| error.to_string();
                broken(c, "JSON", a.err().map(said), b.err().map(said), before, now, read);
            }
        },
        Shape::Text => text(c, before, now, read),
        Shape::Other => bytes(c, before, now, read, None),
    }
}

/// Equal bytes are equal values, unless names are to be bound, or an identifier ought to be another here.
fn nothing_stands_in(c: &Comparison<'_>, body: &Bytes) -> bool {
    let Ok(text) = std::str::from_utf8(body) else { return true };
    cellgate_record::names(text).next().is_none() && c.values.substitute(text) == text
}

fn shape(protocol: &str, request: &Sent, recorded: &Answered) -> Shape {
    let kind = essence(recorded.header("content-type").unwrap_or_default());
    if is_content(protocol, request, recorded) {
        return Shape::Content;
    }
    let start = recorded.body.bytes().map(|bytes| bytes.get(..bytes.len().min(256)).unwrap_or_default());
    let start = String::from_utf8_lossy(start.unwrap_or_default())
        .trim_start_matches('\u{feff}')
        .trim_start()
        .to_lowercase();
    let page = start.starts_with("<!doctype html") || start.starts_with("<html");
    if page || kind == "text/html" || kind == "application/xhtml+xml" {
        return Shape::Page;
    }
    if kind.ends_with("/xml") || kind.ends_with("+xml") || start.starts_with("<?xml") {
        return Shape::Xml;
    }
    if kind.ends_with("/json") || kind.ends_with("+json") || kind.ends_with("ndjson") {
        return Shape::Json;
    }
    // Old scripts answer JSON as text, and some answers have no type at all.
    if (kind.starts_with("text/") || kind.is_empty()) && start.starts_with(['{', '[']) {
        return Shape::Json;
    }
    if kind.is_empty() && start.starts_with('<') {
        return Shape::Xml;
    }
    let form = kind == "application/x-www-form-urlencoded" || kind.ends_with("/javascript");
    if kind.starts_with("text/") || form { Shape::Text } else { Shape::Other }
}

/// A file, of whatever type: its bytes are the user's, even where they are XML.
fn is_content(protocol: &str, request: &Sent, recorded: &Answered) -> bool {
    if request.method != "GET" && !(request.method == "POST" && protocol == "pydio8") {
        return false;
    }
    if !(200..300).contains(&recorded.status) {
        return false;
    }
    let has = |name: &str| recorded.header(name).is_some();
    let attached = recorded.header("content-disposition").is_some();
    let file = has("accept-ranges") || has("content-range") || (has("etag") && has("last-modified"));
    protocol == "webdav" || recorded.status == 206 || attached || file
}

fn content(c: &mut Comparison<'_>, before: &Bytes, now: &Bytes) {
    let replaced = c.values.content(&hex::encode(Sha256::digest(before)));
    if replaced.is_some_and(|sha256| sha256 == hex::encode(Sha256::digest(now))) {
        return;
    }
    let texts = (std::str::from_utf8(before), std::str::from_utf8(now));
    // A file that was uploaded with fresh values in it comes back with them.
    if let (Ok(before), Ok(now)) = texts
        && c.values.substitute(before) == now
    {
        return;
    }
    if c.values.replaced_contents() && before.len() == now.len() {
        let why = "bodies were left out of this recording and others sent; only the length was compared";
        c.note(Weight::Compatible, "body", None, None, Some(why));
        return;
    }
    bytes(c, before, now, true, None);
}

/// Where at least one side is known by length and hash alone.
fn by_hash(c: &mut Comparison<'_>, request: &Sent, recorded: &Answered, fresh: &Answered) {
    let (before, now) = (&recorded.body, &fresh.body);
    let lengths = (before.length(), now.length());
    let hashes = (sha256(before), sha256(now));
    let expected = hashes.0.as_deref().map(|hash| c.values.content(hash).unwrap_or(hash).to_owned());
    if expected.is_some() && hashes.1.is_some() && (expected == hashes.1 || hashes.0 == hashes.1) {
        return;
    }
    // A listing of another day has another hash, and often another length.
    if matches!(shape(c.reader.protocol(), request, recorded), Shape::Xml | Shape::Json | Shape::Page) {
        let why = "left out of the recording; not compared";
        return c.note(Weight::Compatible, "body", None, None, Some(why));
    }
    if lengths.0 != lengths.1 {
        let said = (format!("{} bytes", lengths.0), format!("{} bytes", lengths.1));
        c.note(Weight::Different, "body", Some(&said.0), Some(&said.1), Some("another length"));
        return;
    }
    if expected.is_none() || hashes.1.is_none() {
        c.note(
            Weight::Compatible,
            "body",
            None,
            None,
            Some("left out of the recording; only the length was compared"),
        );
    } else if c.values.replaced_contents() {
        let why = "bodies were left out of this recording and others sent; only the length was compared";
        c.note(Weight::Compatible, "body", None, None, Some(why));
    } else {
        let short =
            |hash: Option<&str>| format!("sha256 {}…", hash.and_then(|hash| hash.get(..16)).unwrap_or("?"));
        let said = (short(expected.as_deref()), short(hashes.1.as_deref()));
        c.note(
            Weight::Different,
            "body",
            Some(&said.0),
            Some(&said.1),
            Some("another content of the same length"),
        );
    }
}

fn sha256(body: &Payload) -> Option<String> {
    match body {
        Payload::Bytes(bytes) => Some(hex::encode(Sha256::digest(bytes))),
        Payload::Omitted { sha256, .. } => sha256.clone(),
        // Only of requests.
        Payload::Form(_) => None,
    }
}

fn one_empty(c: &mut Comparison<'_>, request: &Sent, recorded: &Answered, fresh: &Answered, read: bool) {
    let (before, now) = (recorded.body.length(), fresh.body.length());
    let kind = |answer: &Answered| essence(answer.header("content-type").unwrap_or_default());
    let gone = now == 0;
    let answer = if gone { recorded } else { fresh };
    let people = matches!(kind(answer).as_str(), "text/html" | "text/plain");
    let asked = matches!(request.method.as_str(), "GET" | "POST" | "PROPFIND" | "REPORT");
    let weight = match () {
        () if !read => Weight::Compatible,
        // A text beside a status that says it all.
        () if people && (recorded.status >= 300 || !asked) => Weight::Compatible,
        () if !gone && (recorded.status >= 300 || !asked) => Weight::Compatible,
        () => Weight::Different,
    };
    let why = match (weight, gone) {
        (Weight::Compatible, true) => UNREAD,
        (Weight::Different, true) => "missing",
        (_, false) => "additional",
    };
    let said = |length: u64| format!("{length} bytes");
    c.note(weight, "body", Some(&said(before)), Some(&said(now)), Some(why));
}

fn broken(
    c: &mut Comparison<'_>,
    what: &str,
    before_error: Option<String>,
    now_error: Option<String>,
    before: &Bytes,
    now: &Bytes,
    read: bool,
) {
    let why = match (before_error, now_error) {
        (Some(error), _) => format!("the recorded body is no {what} ({error}), the fresh one is"),
        (None, Some(error)) => format!("the recorded body is {what}, the fresh one is not ({error})"),
        (None, None) => return,
    };
    bytes(c, before, now, read, Some(why));
}

fn bytes(c: &mut Comparison<'_>, before: &Bytes, now: &Bytes, read: bool, why: Option<String>) {
    if before == now {
        return;
    }
    let at = before.iter().zip(now.iter()).take_while(|(a, b)| a == b).count();
    let weight = if read { Weight::Different } else { Weight::Compatible };
    let said = |length: usize| format!("{length} bytes");
    let why = why.unwrap_or_else(|| format!("they differ from byte {at} on"));
    c.note(weight, "body", Some(&said(before.len())), Some(&said(now.len())), Some(&why));
}

/// Several values of JSON, one a line, as streams of changes are.
fn is_lines(body: &Bytes) -> bool {
    let first = body.split(|byte| *byte == b'\n').next().unwrap_or_default();
    body.contains(&b'\n')
        && serde_json::from_slice::<serde_json::Value>(first).is_ok_and(|value| value.is_object())
}

/// Line by line; lines of JSON by structure, `name: value` with the name as the field's.
fn text(c: &mut Comparison<'_>, before: &Bytes, now: &Bytes, read: bool) {
    let (Ok(before), Ok(now)) = (std::str::from_utf8(before), std::str::from_utf8(now)) else {
        return bytes(c, before, now, read, None);
    };
    let (before, now): (Vec<&str>, Vec<&str>) = (lines(before), lines(now));
    for (at, (a, b)) in before.iter().zip(&now).enumerate() {
        let place = if before.len() == 1 { "body".to_owned() } else { format!("line {}", at + 1) };
        let values = (serde_json::from_str(a), serde_json::from_str(b));
        if let (Ok(serde_json::Value::Object(a)), Ok(serde_json::Value::Object(b))) = values {
            json::value(c, "", &place, &a.into(), &b.into(), read);
            continue;
        }
        match (name_of(a), name_of(b)) {
            (Some((name, a)), Some((other, b))) if name == other => {
                c.leaf(Field { parent: "", name }, &format!("{place} {name}"), a, b, read);
            }
            _ => c.leaf(Field { parent: "", name: "" }, &place, a, b, read),
        }
    }
    if before.len() != now.len() {
        let weight = if read { Weight::Different } else { Weight::Compatible };
        let said = |count: usize| format!("{count} lines");
        c.note(weight, "body", Some(&said(before.len())), Some(&said(now.len())), None);
    }
}

fn lines(text: &str) -> Vec<&str> {
    text.trim_end_matches(['\r', '\n']).lines().collect()
}

/// `LAST_SEQ:12`, `name=value`.
fn name_of(line: &str) -> Option<(&str, &str)> {
    let (name, value) = line.split_once([':', '='])?;
    let word = !name.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-');
    (word && !value.starts_with("//")).then_some((name, value.trim()))
}
