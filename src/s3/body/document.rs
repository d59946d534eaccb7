//! Bodies that are documents: XML, as almost all requests send that store no object.
//!
//! The core checks the digests that an object's body is promised to have; those of a document are
//! checked here, before anybody acts on it. `CompleteMultipartUpload` has in `x-amz-checksum-…` the
//! digest of the object, so that only its `Content-MD5` is the document's.

use bytes::BytesMut;
use cellgate_core::http::{self as core_http, Request};
use http::request::Parts;
use http::{HeaderMap, Method};
use http_body::Body as _;
use s3s::{S3Error, S3ErrorCode, S3Result};

use super::digest::{self, more};
use crate::headers::{CHECKSUM, Promised};
use crate::{error, route};

/// 1,000 keys to delete, or 10,000 parts to complete, fit well.
pub(crate) const MAX_BYTES: usize = 8 * 1024 * 1024;

/// Sub-resources of an object that are written as documents.
const WRITTEN: [&str; 4] = ["acl", "legal-hold", "retention", "tagging"];

/// Whether there is anything to read, or a promise about nothing.
pub(crate) fn may_be(request: &Request) -> bool {
    !request.body().is_end_stream() || request.headers().contains_key("content-md5")
}

/// Reads a document and checks it; other bodies stay as they are.
pub(crate) async fn check(request: Request) -> S3Result<Request> {
    let (parts, mut body) = request.into_parts();
    if !is_document(&parts)? {
        return Ok(Request::from_parts(parts, body));
    }
    let promised = promised(&parts)?;
    let mut document = BytesMut::new();
    while let Some(bytes) = more(&mut body).await? {
        if document.len() + bytes.len() > MAX_BYTES {
            return Err(S3Error::new(S3ErrorCode::MaxMessageLengthExceeded));
        }
        document.extend_from_slice(&bytes);
    }
    let document = document.freeze();
    let mut checksums = promised.checksums;
    if let Some(late) = promised.late {
        checksums.extend(late().map_err(error::answer)?);
    }
    digest::check(checksums, &document).await?;
    if declares(&document) {
        return Err(S3Error::new(S3ErrorCode::MalformedXML));
    }
    Ok(Request::from_parts(parts, core_http::full(document)))
}

fn is_document(request: &Parts) -> S3Result<bool> {
    let path = route::decode(request.uri.path())?;
    let (_, key) = route::split_bucket(&path);
    let written = |(name, _): (String, String)| WRITTEN.contains(&name.as_str());
    Ok(match request.method {
        Method::POST => true,
        Method::PUT => key.is_empty() || route::parameters(request.uri.query()).any(written),
        _ => false,
    })
}

fn promised(request: &Parts) -> S3Result<Promised> {
    let of_upload = |(name, _): (String, String)| matches!(name.as_str(), "uploadId" | "uploads");
    if route::parameters(request.uri.query()).any(of_upload) {
        return Promised::of(&without_checksums(&request.headers), &request.extensions);
    }
    Promised::of(&request.headers, &request.extensions)
}

/// Whether a document type is declared, which could define entities: nobody's requests have one, and
/// parsers differ in what they make of it.
fn declares(document: &[u8]) -> bool {
    let mut rest = document.strip_prefix(b"\xef\xbb\xbf").unwrap_or(document);
    loop {
        rest = rest.trim_ascii_start();
        let end: &[u8] = match rest {
            [b'<', b'?', ..] => b"?>",
            [b'<', b'!', b'-', b'-', ..] => b"-->",
            other => return other.starts_with(b"<!"),
        };
        let Some(at) = memchr::memmem::find(rest, end) else { return false };
        rest = rest.get(at + end.len()..).unwrap_or_default();
    }
}

fn without_checksums(headers: &HeaderMap) -> HeaderMap {
    let others = headers.iter().filter(|(name, _)| !name.as_str().starts_with(CHECKSUM));
    others.map(|(name, value)| (name.clone(), value.clone())).collect()
}
