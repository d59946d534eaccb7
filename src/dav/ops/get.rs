//! `GET` and `HEAD`: a leaf, a range of it, or (by dav-server) several ranges.

use cellgate_core::http::range::{ByteRange, RangeSpec};
use cellgate_core::http::{Response, content, date, empty};
use cellgate_core::tree::{Read, ReadOptions};
use cellgate_core::{Error, Node};
use http::{HeaderMap, HeaderValue, StatusCode, header};

use crate::Call;
use crate::error::{DavError, Result};
use crate::headers::text;
use crate::ops::patch::through_library;
use crate::ops::{status, validators};

/// Ranges beyond this many, or overlapping ones, are ignored (RFC 9110 §14.2): a header of 60 KiB
/// must not make us send a file ten thousand times.
const RANGES_MAX: usize = 16;

enum Wanted {
    Whole,
    One(RangeSpec),
    Several(String),
}

pub async fn head(call: Call) -> Result<Response> {
    let node = leaf(&call).await?;
    call.conditions.check_read(&node, &call.path.to_string())?;
    let mut response = status(StatusCode::OK);
    describe(&mut response, &node);
    response.headers_mut().insert(header::CONTENT_LENGTH, node.size.into());
    Ok(response)
}

pub async fn get(call: Call) -> Result<Response> {
    let range = match text(&call.parts.headers, "range") {
        None => None,
        // The ranges of a list can be judged, and `If-Range` be compared, only with the node at hand.
        Some(range) if range.contains(',') || call.parts.headers.contains_key(header::IF_RANGE) => {
            let node = leaf(&call).await?;
            call.conditions.check_read(&node, &call.path.to_string())?;
            let wanted =
                if current(&call.parts.headers, &node) { several(range, node.size)? } else { Wanted::Whole };
            match wanted {
                Wanted::Several(ranges) => return multipart(call, &ranges).await,
                Wanted::Whole => None,
                Wanted::One(one) => {
                    let read = read(&call, Some(one)).await?;
                    if read.node.etag == node.etag {
                        return Ok(answer(read));
                    }
                    // Replaced since it was compared: the range would be of another content.
                    None
                }
            }
        }
        Some(range) => RangeSpec::parse(range),
    };
    Ok(answer(read(&call, range).await?))
}

async fn leaf(call: &Call) -> Result<Node> {
    let node = call.tree.stat(&call.path).await?;
    if node.is_collection() {
        return Err(Error::IsACollection(call.path.to_string()).into());
    }
    Ok(node)
}

async fn read(call: &Call, range: Option<RangeSpec>) -> Result<Read> {
    let options = ReadOptions { range, conditions: call.conditions.clone(), version: None };
    Ok(call.tree.read(&call.path, &options).await?)
}

fn answer(read: Read) -> Response {
    let Read { node, range, bits: bytes } = read;
    let length = range.map_or(node.size, ByteRange::len);
    let mut response = if length == 0 { Response::new(empty()) } else { content(bytes) };
    describe(&mut response, &node);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_LENGTH, length.into());
    if let Some(range) = range {
        if let Ok(value) = HeaderValue::from_str(&range.content_range(node.size)) {
            headers.insert(header::CONTENT_RANGE, value);
        }
        *response.status_mut() = StatusCode::PARTIAL_CONTENT;
    }
    response
}

fn describe(response: &mut Response, node: &Node) {
    validators(response, node);
    let mime = HeaderValue::from_str(&node.mime).ok().filter(|value| !value.is_empty());
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        mime.unwrap_or_else(|| HeaderValue::from_static("application/octet-stream")),
    );
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    // Files come from users and are shown on the origin that holds the sign-in pages.
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("script-src 'none'"));
}

/// `If-Range` (RFC 9110 §13.1.5): whether the client's part is of this content.
fn current(headers: &HeaderMap, node: &Node) -> bool {
    match text(headers, "if-range") {
        None => !headers.contains_key(header::IF_RANGE),
        Some(tag) if tag.starts_with('"') => tag.trim_matches('"') == node.etag,
        // A weak tag never matches here.
        Some(tag) if tag.starts_with("W/") => false,
        Some(when) => date::parse_http(when) == Some(node.mtime_s()),
    }
}

/// Reads a list of ranges against a size.
fn several(header: &str, size: u64) -> Result<Wanted> {
    let Some(list) = header.strip_prefix("bytes=") else { return Ok(Wanted::Whole) };
    let mut spans = Vec::new();
    for (count, span) in list.split(',').map(str::trim).filter(|span| !span.is_empty()).enumerate() {
        let Some(spec) = RangeSpec::parse(&format!("bytes={span}")).filter(|_| count < RANGES_MAX) else {
            return Ok(Wanted::Whole);
        };
        spans.extend(spec.resolve(size));
    }
    match spans.as_slice() {
        [] => Err(Error::RangeNotSatisfiable { size }.into()),
        [one] => Ok(Wanted::One(RangeSpec::From(one.start, Some(one.end - 1)))),
        _ => {
            let mut sorted = spans.clone();
            sorted.sort_by_key(|span| span.start);
            if sorted.windows(2).any(|pair| matches!(pair, [a, b] if b.start < a.end)) {
                return Ok(Wanted::Whole);
            }
            let text: Vec<_> = spans.iter().map(|span| format!("{}-{}", span.start, span.end - 1)).collect();
            Ok(Wanted::Several(format!("bytes={}", text.join(","))))
        }
    }
}

async fn multipart(mut call: Call, ranges: &str) -> Result<Response> {
    let value = HeaderValue::from_str(ranges).map_err(|_| DavError::bad_request("unreadable Range"))?;
    call.parts.headers.insert(header::RANGE, value);
    let (response, failure) = through_library(call, http::Method::GET, empty()).await;
    match failure {
        Some(error) => Err(error.into()),
        None => Ok(response),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_ranges_that_would_cost_too_much_are_ignored() {
        let seen = |header: &str| match several(header, 100) {
            Ok(Wanted::Whole) => "whole".to_owned(),
            Ok(Wanted::One(spec)) => format!("{spec:?}"),
            Ok(Wanted::Several(text)) => text,
            Err(_) => "416".to_owned(),
        };
        assert_eq!(seen("bytes=0-9, 50-59,-5"), "bytes=0-9,50-59,95-99");
        assert_eq!(seen("bytes=0-9,200-"), "From(0, Some(9))");
        assert_eq!(seen("bytes=200-,300-"), "416");
        assert_eq!(seen("bytes=0-9,5-20"), "whole");
        assert_eq!(seen("bytes=0-9,x"), "whole");
        let many: Vec<_> = (0..17).map(|n| format!("{}-{}", n * 2, n * 2)).collect();
        assert_eq!(seen(&format!("bytes={}", many.join(","))), "whole");
    }
}
