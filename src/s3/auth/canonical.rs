//! The canonical request of V4, written straight into the buffer that is hashed.

use http::request::Parts;
use percent_encoding::percent_decode_str;
use s3s::{S3Error, S3ErrorCode, S3Result};

use super::query::Query;

/// What a signer may have made of one request.
#[derive(Clone, Copy)]
pub(super) struct Reading {
    pub(super) raw: Raw,
    /// A parameter that was added after signing.
    pub(super) without: &'static [&'static str],
}

/// What was signed as it was sent: some leave characters as they are that others encode.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Raw {
    Nothing,
    Path,
    /// Older curl does not even sort the query.
    PathAndQuery,
}

/// The request up to the digest of its payload, which is the last line.
pub(super) fn head(
    request: &Parts,
    query: &Query,
    signed_headers: &str,
    reading: Reading,
) -> S3Result<Vec<u8>> {
    let mut text = Vec::with_capacity(512);
    text.extend_from_slice(request.method.as_str().as_bytes());
    text.push(b'\n');
    let path = request.uri.path();
    match reading.raw {
        Raw::Nothing => encode(&mut text, percent_decode_str(path), true),
        Raw::Path | Raw::PathAndQuery => text.extend_from_slice(path.as_bytes()),
    }
    text.push(b'\n');
    match reading.raw {
        Raw::Nothing | Raw::Path => parameters(&mut text, query, reading.without),
        Raw::PathAndQuery => text.extend_from_slice(request.uri.query().unwrap_or_default().as_bytes()),
    }
    text.push(b'\n');
    for name in signed_headers.split(';') {
        header(&mut text, request, name)?;
    }
    text.push(b'\n');
    text.extend_from_slice(signed_headers.as_bytes());
    text.push(b'\n');
    Ok(text)
}

/// Whether a path holds characters that signers treat differently.
pub(super) fn is_ambiguous(path: &str) -> bool {
    !path.bytes().all(|byte| is_unreserved(byte) || matches!(byte, b'/' | b'%'))
}

fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~')
}

fn encode(text: &mut Vec<u8>, bytes: impl Iterator<Item = u8>, keep_slash: bool) {
    const HEX: [u8; 16] = *b"0123456789ABCDEF";
    for byte in bytes {
        if is_unreserved(byte) || (keep_slash && byte == b'/') {
            text.push(byte);
        } else {
            let digit = |value: u8| HEX.get(usize::from(value)).copied().unwrap_or_default();
            text.extend_from_slice(&[b'%', digit(byte >> 4), digit(byte & 15)]);
        }
    }
}

/// Sorted as they are encoded, by name, then by value.
fn parameters(text: &mut Vec<u8>, query: &Query, without: &[&str]) {
    let encoded = |plain: &str| {
        let mut text = Vec::with_capacity(plain.len() + 8);
        encode(&mut text, plain.bytes(), false);
        text
    };
    let mut pairs: Vec<_> = query
        .pairs()
        .filter(|(name, _)| *name != "X-Amz-Signature" && !without.contains(name))
        .map(|(name, value)| (encoded(name), encoded(value)))
        .collect();
    pairs.sort();
    for (at, (name, value)) in pairs.iter().enumerate() {
        if at > 0 {
            text.push(b'&');
        }
        text.extend_from_slice(name);
        text.push(b'=');
        text.extend_from_slice(value);
    }
}

/// One line: all values of the header, joined, without the spaces that may be folded on the way.
fn header(text: &mut Vec<u8>, request: &Parts, name: &str) -> S3Result<()> {
    text.extend_from_slice(name.as_bytes());
    text.push(b':');
    let mut any = false;
    for value in request.headers.get_all(name) {
        if any {
            text.push(b',');
        }
        any = true;
        trim(text, value.as_bytes());
    }
    if !any {
        match (name, request.uri.authority()) {
            // HTTP/2 has no Host header.
            ("host", Some(authority)) => text.extend_from_slice(authority.as_str().as_bytes()),
            // Some sign a length that their HTTP library leaves out.
            ("content-length", _) => text.push(b'0'),
            _ => return Err(S3Error::new(S3ErrorCode::SignatureDoesNotMatch)),
        }
    }
    text.push(b'\n');
    Ok(())
}

fn trim(text: &mut Vec<u8>, value: &[u8]) {
    let mut space = false;
    for byte in value.trim_ascii() {
        if *byte == b' ' {
            space = true;
            continue;
        }
        if std::mem::take(&mut space) {
            text.push(b' ');
        }
        text.push(*byte);
    }
}
