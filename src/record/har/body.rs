//! Bodies: text, base64, forms taken apart, and what is said of those that were left away.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};

use super::convert::find;
use super::{Limits, form, parts, raw};
use crate::exchange::Payload;

pub fn sent(
    data: Option<raw::PostData>,
    body_size: Option<f64>,
    headers: &[(String, String)],
    limits: &Limits,
    notes: &mut Vec<String>,
) -> Result<Payload, String> {
    let declared: Option<u64> = find(headers, "content-length").and_then(|value| value.trim().parse().ok());
    let left_away = || {
        let length = size(body_size).or(declared).unwrap_or_default();
        let chunked = find(headers, "transfer-encoding").is_some();
        if length > 0 || chunked { Payload::Omitted { length, sha256: None } } else { Payload::EMPTY }
    };
    let Some(data) = data else { return Ok(left_away()) };
    if data.text.is_none()
        && let Some(params) = data.params.as_deref().filter(|params| !params.is_empty())
    {
        if let Some(length) = data.length {
            let form = parts::form(params, length)?;
            let kept =
                form.parts.iter().filter_map(|part| part.content.bytes()).map(|bytes| bytes.len() as u64);
            return match kept.sum::<u64>() > limits.body {
                true => Err(format!("the request body is larger than {} bytes", limits.body)),
                false => Ok(Payload::Form(form)),
            };
        }
        let kind = find(headers, "content-type").or(data.mime_type.as_deref()).unwrap_or_default();
        if let Some(form) = parts::without_file(params, kind, declared) {
            return Ok(Payload::Form(form));
        }
    }
    if let Some(length) = data.length
        && data.text.is_none()
    {
        return omitted(length, data.sha256, "request");
    }
    let params = data.params.filter(|params| !params.is_empty());
    let (text, params) = match (data.text, params) {
        (None, None) => return Ok(left_away()),
        // A text beside parameters is what they were taken from, unless it is empty.
        (Some(text), Some(params)) if text.0.is_empty() => (None, Some(params)),
        (text, params) => (text, params),
    };
    let bytes = match (text, params) {
        (Some(text), _) => match data.encoding.as_deref() {
            Some("utf-8") => text.0,
            Some(encoding) => decoded(&text.0, encoding, "request")?,
            None => match unmangled(without_headers(text.0), declared) {
                Some(bytes) => bytes,
                None => {
                    notes.push("its request body was no text and came without its bytes".to_owned());
                    return Ok(Payload::Omitted { length: declared.unwrap_or_default(), sha256: None });
                }
            },
        },
        (None, params) => {
            let kind = find(headers, "content-type").or(data.mime_type.as_deref()).unwrap_or_default();
            form::rebuilt(&params.unwrap_or_default(), kind)
        }
    };
    kept(bytes, limits, "request")
}

pub fn answered(
    content: Option<raw::Content>,
    body_size: Option<f64>,
    headers: &[(String, String)],
    bodiless: bool,
    limits: &Limits,
) -> Result<Payload, String> {
    let declared = || find(headers, "content-length").and_then(|value| value.trim().parse().ok());
    let Some(content) = content else {
        let length = if bodiless { 0 } else { size(body_size).or_else(declared).unwrap_or_default() };
        return Ok(if length > 0 { Payload::Omitted { length, sha256: None } } else { Payload::EMPTY });
    };
    if let Some(text) = content.text {
        let bytes = match content.encoding.as_deref().filter(|encoding| !encoding.is_empty()) {
            Some(encoding) => decoded(&text.0, encoding, "response")?,
            None => text.0,
        };
        return kept(bytes, limits, "response");
    }
    if let Some(length) = content.length {
        return omitted(length, content.sha256, "response");
    }
    if bodiless {
        return Ok(Payload::EMPTY);
    }
    let length = size(content.size).or_else(|| size(body_size)).or_else(declared).unwrap_or_default();
    Ok(if length > 0 { Payload::Omitted { length, sha256: None } } else { Payload::EMPTY })
}

/// What can stand in a HAR as it is.
pub fn readable(bytes: &[u8]) -> Option<&str> {
    let readable = |c: char| !c.is_control() || matches!(c, '\t' | '\n' | '\r');
    std::str::from_utf8(bytes).ok().filter(|text| text.chars().all(readable))
}

/// Sizes are -1 or 0 where a program does not know.
fn size(size: Option<f64>) -> Option<u64> {
    size.filter(|size| (1.0..9e15).contains(size)).map(|size| size as u64)
}

fn kept(bytes: Vec<u8>, limits: &Limits, side: &str) -> Result<Payload, String> {
    if bytes.len() as u64 > limits.body {
        return Err(format!("the {side} body is larger than {} bytes", limits.body));
    }
    Ok(Payload::Bytes(bytes.into()))
}

fn omitted(length: u64, sha256: Option<String>, side: &str) -> Result<Payload, String> {
    hash(sha256.as_deref(), side)?;
    Ok(Payload::Omitted { length, sha256 })
}

pub fn hash(sha256: Option<&str>, side: &str) -> Result<(), String> {
    let proper =
        |hash: &str| hash.len() == 64 && hash.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    match sha256.is_some_and(|hash| !proper(hash)) {
        true => Err(format!("`_sha256` of the {side} body is no SHA-256 in lower-case hexadecimal")),
        false => Ok(()),
    }
}

pub fn decoded(text: &[u8], encoding: &str, side: &str) -> Result<Vec<u8>, String> {
    if !encoding.eq_ignore_ascii_case("base64") {
        return Err(format!("the {side} body is in an encoding that is not known"));
    }
    // Wrapped lines and a missing padding are seen; both are unambiguous.
    let packed: Vec<u8> = text.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
    STANDARD
        .decode(&packed)
        .or_else(|_| STANDARD_NO_PAD.decode(&packed))
        .map_err(|_| format!("the {side} body is not base64"))
}

/// Older versions of Firefox put the headers of a multipart body in front of it.
fn without_headers(text: Vec<u8>) -> Vec<u8> {
    let starts =
        |prefix: &[u8]| text.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix));
    if !starts(b"content-type: multipart/") && !starts(b"content-length: ") {
        return text;
    }
    let end = text.windows(4).position(|window| window == b"\r\n\r\n");
    let body = end.and_then(|end| text.get(end + 4..)).filter(|body| body.starts_with(b"--"));
    body.map_or(text.clone(), <[u8]>::to_vec)
}

/// The bytes of a text that was no text. mitmproxy writes a byte as the character of its number;
/// then there are as many characters as `Content-Length` says. Browsers put U+FFFD in their place:
/// then the bytes are lost, which is `None`.
fn unmangled(text: Vec<u8>, declared: Option<u64>) -> Option<Vec<u8>> {
    let Some(declared) = declared.filter(|declared| *declared != text.len() as u64) else {
        return Some(text);
    };
    let Ok(words) = std::str::from_utf8(&text) else { return Some(text) };
    if words.contains('\u{fffd}') {
        return None;
    }
    let narrow: Option<Vec<u8>> = words.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect();
    match narrow {
        Some(bytes) if bytes.len() as u64 == declared => Some(bytes),
        // Shortened by a name in place of a secret, or written with other line ends.
        _ => Some(text),
    }
}
