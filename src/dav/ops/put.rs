//! `PUT`: the body becomes a leaf, streamed; conditions and locks are checked with the commit.

use cellgate_core::Error;
use cellgate_core::http::{Body, Response, incoming};
use cellgate_core::tree::Write;
use http::{HeaderMap, HeaderValue, header};

use crate::Call;
use crate::error::{DavError, Result};
use crate::headers::{checksums, oc_mtime_ns, text};
use crate::ops::{created_or_replaced, detached, status, validators};

pub async fn put(call: Call, body: Body) -> Result<Response> {
    let headers = &call.parts.headers;
    if call.slash {
        return Err(DavError::not_allowed("a URL that ends in a slash names a collection"));
    }
    // RFC 9110 §14.5: a part taken for the whole would destroy the rest.
    if headers.contains_key(header::CONTENT_RANGE) {
        return Err(DavError::bad_request("PUT with Content-Range is not supported, use PATCH"));
    }
    // Nor is a chunk of ownCloud's clients the file: they send all of them to names of their own.
    if headers.contains_key("oc-chunked") {
        return Err(Error::NotImplemented("an upload in chunks (OC-Chunked)").into());
    }
    let mtime_ns = oc_mtime_ns(headers)?;
    let how = Write {
        conditions: call.conditions.clone(),
        size: size(headers)?,
        checksums: checksums(headers)?,
        mtime_ns,
        mime: mime(headers),
        tokens: call.tokens.clone(),
        ..Write::default()
    };
    let Call { tree, path, .. } = call;
    let written = detached(async move { tree.write(&path, incoming(body), how).await }).await?;

    let mut response = status(created_or_replaced(written.created));
    validators(&mut response, &written.node);
    if mtime_ns.is_some() {
        response.headers_mut().insert("x-oc-mtime", HeaderValue::from_static("accepted"));
    }
    Ok(response)
}

/// What the client announced. Finder streams without a length and puts it here instead, and would
/// otherwise leave a torn file behind when the connection breaks.
fn size(headers: &HeaderMap) -> Result<Option<u64>> {
    let announced = text(headers, "content-length").or_else(|| text(headers, "x-expected-entity-length"));
    announced.map(|length| length.parse().map_err(|_| DavError::bad_request("unreadable length"))).transpose()
}

/// The client's media type, unless it is what tools send when they know nothing.
fn mime(headers: &HeaderMap) -> Option<String> {
    let mime = text(headers, "content-type")?;
    let vague = ["application/octet-stream", "application/x-www-form-urlencoded"];
    (!mime.is_empty() && !vague.iter().any(|vague| mime.eq_ignore_ascii_case(vague))).then(|| mime.to_owned())
}
