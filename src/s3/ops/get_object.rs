//! `GetObject`, `HeadObject`.
//!
//! A key that ends in a slash is a folder: empty, `application/x-directory`.
//! A version that is asked for is answered as it was. What a delete
//! marker hides is missing, and the answer says so.

use cellgate_core::http::conditional::Conditions;
use cellgate_core::http::date;
use cellgate_core::http::range::RangeSpec;
use cellgate_core::tree::{ReadOptions, VersionRef};
use cellgate_core::{Error, Node, NodePath, Tree};
use http::header::{
    CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_LENGTH, CONTENT_RANGE,
    CONTENT_TYPE, EXPIRES, IF_RANGE, RANGE,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use s3s::{Body, S3Error, S3ErrorCode, S3Response, S3Result};

use super::multipart::part_number;
use super::{DirectRequest, Ops};
use crate::address::Key;
use crate::{auth, body, error, headers, versions};

/// The ETag of a folder's key, as of every empty object.
/// Where Cells keeps thumbnails, beside the workspaces.
const THUMBNAILS: &str = "pydio-thumbstore";
pub(crate) const EMPTY_MD5: &str = "d41d8cd98f00b204e9800998ecf8427e";

pub(crate) async fn get_object(ops: &Ops, req: DirectRequest) -> S3Result<S3Response<Body>> {
    let (tree, bucket) = ops.open(&req.extensions, &req.bucket).await?;
    let version = versions::asked(req.parameter("versionId"))?;
    let overrides = overrides(&req)?;
    let conditions = Conditions::from_headers(&req.headers);
    let path = match bucket.key(&req.key)? {
        Key::Leaf(path) => path,
        Key::Folder(path) => {
            return Box::pin(folder(&tree, &path, &req, &conditions, overrides)).await;
        }
    };
    let part = part(&req)?;
    let failed = |error| match (part, error) {
        (Some(_), Error::RangeNotSatisfiable { .. }) => no_such_part(),
        (_, error) => missing(error),
    };
    let found = async || match versions::stat(&tree, &path, version).await {
        Ok(node) => Ok(node),
        Err(error) => Err(Box::pin(absent(&tree, &path, version, error)).await),
    };
    let head = req.method == Method::HEAD;
    let (node, range, content) = if head {
        let node = found().await?;
        leaf(&node)?;
        conditions.check_read(&node, &path.to_string()).map_err(error::answer)?;
        let range = part.map_or_else(|| range(&req, Some(&node)), |part| Ok(Some(part)))?;
        let range = range.filter(|range| !is_end_of_nothing(*range, node.size));
        let range = range.map(|range| node.resolve(range)).transpose().map_err(failed)?;
        (node, range, None)
    } else {
        let current = match req.headers.contains_key(IF_RANGE) {
            true => Some(found().await?),
            false => None,
        };
        let range = part.map_or_else(|| range(&req, current.as_ref()), |part| Ok(Some(part)))?;
        let mut options = ReadOptions { range, conditions, version };
        let read = match tree.read(&path, &options).await {
            Ok(read) => read,
            Err(Error::RangeNotSatisfiable { size })
                if range.is_some_and(|range| is_end_of_nothing(range, size)) =>
            {
                options.range = None;
                tree.read(&path, &options).await.map_err(missing)?
            }
            Err(error @ (Error::NotFound(_) | Error::IsADeleteMarker(_))) => {
                return Err(Box::pin(absent(&tree, &path, version, error)).await);
            }
            Err(error) => return Err(failed(error)),
        };
        (read.node, read.range, Some(read.bits))
    };
    let mut answer = headers::object(&node);
    versions::stamp(&mut answer, versions::VERSION_ID, versions::of(&tree, &path, &node).await);
    let length = range.map_or(node.size, |range| range.len());
    answer.insert(CONTENT_LENGTH, HeaderValue::from(length));
    // An empty object has a first part, but no range to name it by.
    let range = range.filter(|range| !range.is_empty());
    if let Some(range) = range {
        headers::insert(&mut answer, CONTENT_RANGE.as_str(), &range.content_range(node.size));
    }
    if let (Some(_), Some(count)) = (part, node.part_count()) {
        answer.insert("x-amz-mp-parts-count", HeaderValue::from(count));
    }
    if checksum_mode(&req)? {
        // Of what is sent only: SDKs check what they got against it.
        match (part, range) {
            (Some(RangeSpec::Part(number)), _) if node.part_count().is_some() => {
                let piece = node.pieces(number.saturating_sub(1), 1).pop();
                answer.extend(headers::digests(piece.into_iter().flat_map(|piece| piece.digests)));
                headers::checksum_type(&mut answer, &node.attributes);
            }
            (None, Some(_)) => {}
            _ => answer.extend(headers::checksums(&node.attributes)),
        }
    }
    answer.extend(overrides);
    let mut extensions = http::Extensions::new();
    if let Some(content) = &content {
        content.note(&mut extensions);
    }
    let body = content.map_or_else(Body::empty, body::outgoing);
    Ok(S3Response { extensions, ..respond(body, answer, range.is_some()) })
}

pub(super) fn respond(body: Body, headers: HeaderMap, partial: bool) -> S3Response<Body> {
    let mut response = S3Response::with_headers(body, headers);
    response.status = Some(if partial { StatusCode::PARTIAL_CONTENT } else { StatusCode::OK });
    response
}

/// The part asked for.
fn part(req: &DirectRequest) -> S3Result<Option<RangeSpec>> {
    let Some(number) = req.parameter("partNumber") else { return Ok(None) };
    let number = part_number(number.parse().unwrap_or(-1))?;
    if req.headers.contains_key(RANGE) {
        return Err(error::with(
            S3ErrorCode::InvalidRequest,
            "Cannot specify both Range header and partNumber query parameter",
        ));
    }
    Ok(Some(RangeSpec::Part(number)))
}

fn no_such_part() -> S3Error {
    error::custom(
        "InvalidPartNumber",
        StatusCode::RANGE_NOT_SATISFIABLE,
        "The requested partnumber is not satisfiable.",
    )
}

/// The range asked for. A header that is no single range is ignored, and so is one under an
/// `If-Range` that does not hold (RFC 9110 13.1.5, 14.2).
pub(super) fn range(req: &DirectRequest, current: Option<&Node>) -> S3Result<Option<RangeSpec>> {
    let Some(range) = req.header(&RANGE)?.and_then(RangeSpec::parse) else { return Ok(None) };
    let (Some(validator), Some(node)) = (req.header(&IF_RANGE)?, current) else {
        return Ok(Some(range));
    };
    let holds = match date::parse_http(validator) {
        Some(seconds) => node.mtime_s() == seconds,
        None => validator.trim_matches('"') == node.etag,
    };
    Ok(holds.then_some(range))
}

fn checksum_mode(req: &DirectRequest) -> S3Result<bool> {
    Ok(req.header("x-amz-checksum-mode")?.is_some_and(|mode| mode.eq_ignore_ascii_case("enabled")))
}

/// RFC 9110 14.1.2: the last bytes of what has none are all of it.
fn is_end_of_nothing(range: RangeSpec, size: u64) -> bool {
    size == 0 && matches!(range, RangeSpec::Suffix(1..))
}

async fn folder(
    tree: &Tree,
    path: &NodePath,
    req: &DirectRequest,
    conditions: &Conditions,
    overrides: HeaderMap,
) -> S3Result<S3Response<Body>> {
    let node = as_object(tree.stat(path).await.map_err(missing)?)?;
    conditions.check_read(&node, &path.to_string()).map_err(error::answer)?;
    let mut answer = headers::object(&node);
    answer.insert(CONTENT_LENGTH, HeaderValue::from(0));
    if let Some(range) = range(req, Some(&node))?.filter(|range| !is_end_of_nothing(*range, 0)) {
        range.resolve(0).map_err(error::answer)?;
    }
    if checksum_mode(req)? {
        answer.extend(headers::checksums(&node.attributes));
    }
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

/// Why there is nothing to read at a path.
async fn absent(tree: &Tree, path: &NodePath, version: Option<VersionRef>, cause: Error) -> S3Error {
    if path.first() == Some(THUMBNAILS) && matches!(cause, Error::NotFound(_)) {
        return error::with(S3ErrorCode::NotImplemented, "thumbnails are not implemented");
    }
    versions::missing(tree, path, version, cause).await
}

/// To a reader, what is something else than an object is not there.
pub(crate) fn missing(error: Error) -> S3Error {
    match error {
        Error::IsACollection(_) | Error::NotACollection(_) => S3Error::new(S3ErrorCode::NoSuchKey),
        other => error::answer(other),
    }
}

/// `response-*`: what the caller wants the answer to say. Signed with the URL, so that a link can
/// fix the name of the download.
pub(super) fn overrides(req: &DirectRequest) -> S3Result<HeaderMap> {
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
