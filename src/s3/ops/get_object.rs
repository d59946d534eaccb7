//! `GetObject`, `HeadObject`.
//!
//! A key that ends in a slash is a folder: empty, `application/x-directory`. Known gaps: parts of a
//! multipart object cannot be addressed (`partNumber`), nor can versions.

use cellgate_core::http::conditional::Conditions;
use cellgate_core::http::date;
use cellgate_core::http::range::RangeSpec;
use cellgate_core::tree::ReadOptions;
use cellgate_core::{Error, Node, NodePath, Tree};
use http::header::{
    CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_LENGTH, CONTENT_RANGE,
    CONTENT_TYPE, EXPIRES, IF_RANGE, RANGE,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use s3s::{Body, S3Error, S3ErrorCode, S3Response, S3Result};

use super::{DirectRequest, Ops};
use crate::address::Key;
use crate::{auth, body, error, headers};

/// The ETag of a folder's key, as of every empty object.
pub(crate) const EMPTY_MD5: &str = "d41d8cd98f00b204e9800998ecf8427e";

pub(crate) async fn get_object(ops: &Ops, req: DirectRequest) -> S3Result<S3Response<Body>> {
    let (tree, bucket) = ops.open(&req.extensions, &req.bucket).await?;
    refuse_versions(req.parameter("versionId"))?;
    let overrides = overrides(&req)?;
    let conditions = Conditions::from_headers(&req.headers);
    let path = match bucket.key(&req.key)? {
        Key::Leaf(path) => path,
        Key::Folder(path) => return folder(&tree, &path, &conditions, overrides).await,
    };
    let part = match req.parameter("partNumber") {
        None => None,
        Some("1") => Some(1),
        Some(_) => return Err(error::unsupported("reading a single part")),
    };
    let head = req.method == Method::HEAD;
    let (node, range, content) = if head {
        let node = tree.stat(&path).await.map_err(missing)?;
        leaf(&node)?;
        conditions.check_read(&node, &path.to_string()).map_err(error::answer)?;
        let range = range(&req, Some(&node))?.map(|range| range.resolve(node.size)).transpose();
        (node, range.map_err(error::answer)?, None)
    } else {
        let current = match req.headers.contains_key(IF_RANGE) {
            true => Some(tree.stat(&path).await.map_err(missing)?),
            false => None,
        };
        let options =
            ReadOptions { range: range(&req, current.as_ref())?, conditions, ..ReadOptions::default() };
        let read = tree.read(&path, &options).await.map_err(missing)?;
        (read.node, read.range, Some(read.bits))
    };
    // Without the list of parts, only what was never in parts has a first one.
    if part.is_some() && node.etag.contains('-') {
        return Err(error::unsupported("reading a single part"));
    }
    let mut answer = headers::object(&node);
    let length = range.map_or(node.size, |range| range.len());
    answer.insert(CONTENT_LENGTH, HeaderValue::from(length));
    match range {
        Some(range) => headers::insert(&mut answer, CONTENT_RANGE.as_str(), &range.content_range(node.size)),
        // Of the whole content only: SDKs check what they got against it.
        None if req
            .header("x-amz-checksum-mode")?
            .is_some_and(|mode| mode.eq_ignore_ascii_case("enabled")) =>
        {
            answer.extend(headers::checksums(&node.attributes));
        }
        None => {}
    }
    answer.extend(overrides);
    let body = content.map_or_else(Body::empty, body::outgoing);
    let partial = range.is_some() || part.is_some();
    Ok(respond(body, answer, partial))
}

fn respond(body: Body, headers: HeaderMap, partial: bool) -> S3Response<Body> {
    let mut response = S3Response::with_headers(body, headers);
    response.status = Some(if partial { StatusCode::PARTIAL_CONTENT } else { StatusCode::OK });
    response
}

/// The range asked for. A header that is no single range is ignored, and so is one under an
/// `If-Range` that does not hold (RFC 9110 13.1.5, 14.2).
fn range(req: &DirectRequest, current: Option<&Node>) -> S3Result<Option<RangeSpec>> {
    let Some(range) = req.header(RANGE.as_str())?.and_then(RangeSpec::parse) else { return Ok(None) };
    let (Some(validator), Some(node)) = (req.header(IF_RANGE.as_str())?, current) else {
        return Ok(Some(range));
    };
    let holds = match date::parse_http(validator) {
        Some(seconds) => node.mtime_s() == seconds,
        None => validator.trim_matches('"') == node.etag,
    };
    Ok(holds.then_some(range))
}

async fn folder(
    tree: &Tree,
    path: &NodePath,
    conditions: &Conditions,
    overrides: HeaderMap,
) -> S3Result<S3Response<Body>> {
    let node = as_object(tree.stat(path).await.map_err(missing)?)?;
    conditions.check_read(&node, &path.to_string()).map_err(error::answer)?;
    let mut answer = headers::object(&node);
    answer.insert(CONTENT_LENGTH, HeaderValue::from(0));
    answer.extend(overrides);
    Ok(respond(Body::empty(), answer, false))
}

/// A folder as the empty object that its key names.
fn as_object(node: Node) -> S3Result<Node> {
    if !node.is_collection() || node.is_implied() {
        return Err(S3Error::new(S3ErrorCode::NoSuchKey));
    }
    Ok(Node { etag: EMPTY_MD5.to_owned(), mime: "application/x-directory".to_owned(), size: 0, ..node })
}

/// A folder's key without its slash names no object.
pub(crate) fn leaf(node: &Node) -> S3Result<()> {
    if node.is_leaf() { Ok(()) } else { Err(S3Error::new(S3ErrorCode::NoSuchKey)) }
}

/// To a reader, what is something else than an object is not there.
pub(crate) fn missing(error: Error) -> S3Error {
    match error {
        Error::IsACollection(_) | Error::NotACollection(_) => S3Error::new(S3ErrorCode::NoSuchKey),
        other => error::answer(other),
    }
}

/// `null` is the one version that an unversioned bucket has.
pub(crate) fn refuse_versions(version: Option<&str>) -> S3Result<()> {
    match version {
        None | Some("" | "null") => Ok(()),
        Some(_) => Err(error::unsupported("addressing a version")),
    }
}

/// `response-*`: what the caller wants the answer to say. Signed with the URL, so that a link can
/// fix the name of the download.
fn overrides(req: &DirectRequest) -> S3Result<HeaderMap> {
    const NAMES: [(&str, HeaderName); 6] = [
        ("response-content-type", CONTENT_TYPE),
        ("response-content-language", CONTENT_LANGUAGE),
        ("response-expires", EXPIRES),
        ("response-cache-control", CACHE_CONTROL),
        ("response-content-disposition", CONTENT_DISPOSITION),
        ("response-content-encoding", CONTENT_ENCODING),
    ];
    let mut overrides = HeaderMap::new();
    for (name, header) in NAMES {
        let Some(value) = req.parameter(name) else { continue };
        let value = HeaderValue::from_bytes(value.as_bytes())
            .map_err(|_| error::invalid(format!("parameter `{name}` cannot be a header")))?;
        overrides.insert(header, value);
    }
    if auth::attachment_only() {
        overrides.insert(CONTENT_DISPOSITION, HeaderValue::from_static("attachment"));
    }
    Ok(overrides)
}
