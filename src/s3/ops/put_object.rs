//! `PutObject`: one request body becomes one leaf node.
//!
//! A key that ends in a slash and has no content makes a folder, which keeps its metadata: rclone
//! notes the times of directories so.

use cellgate_core::content::{Algorithm, Checksum};
use cellgate_core::http::conditional::Conditions;
use cellgate_core::node::Attributes;
use cellgate_core::tree::{Existing, Parents, Write};
use cellgate_core::{Error, NodePath, Tree};
use futures_util::TryStreamExt as _;
use http::HeaderValue;
use s3s::dto::{PutObjectInput, PutObjectOutput};
use s3s::{S3Error, S3ErrorCode, S3Request, S3Response, S3Result};

use super::{Ops, survive};
use crate::address::Key;
use crate::headers::{self, Promised};
use crate::{body, checksums, error, versions};

/// Amazon's limit, 5 TiB.
pub(crate) const OBJECT_MAX_BYTES: u64 = 5 << 40;

pub(crate) async fn put_object(
    ops: &Ops,
    req: S3Request<PutObjectInput>,
) -> S3Result<S3Response<PutObjectOutput>> {
    let (tree, bucket) = ops.open(&req.extensions, &req.input.bucket).await?;
    let key = bucket.target(&req.input.key)?;
    let size = length(req.input.content_length)?;
    let conditions = headers::write_conditions(&req.headers)?;
    let promised = Promised::of(&req.headers, &req.extensions)?;
    checksums::check_promised(&req.headers, &promised)?;
    let default = checksums::by_default(&promised);
    let (mut attributes, mime) = headers::new_object(&req.headers)?;
    let (content, fault) = body::incoming(req.input.body);
    let path = match key {
        Key::Leaf(path) => path,
        Key::Folder(path) => {
            if size > 0 {
                return Err(error::invalid("a key that ends in a slash is a folder and takes no content"));
            }
            // To its end: the signature of an empty body is verified there.
            content.try_for_each(|_| async { Ok(()) }).await.map_err(|error| fault.or(error))?;
            let new_only = conditions.if_none_match.is_some();
            if conditions.if_match.is_some() {
                return Err(error::unsupported("If-Match on a folder"));
            }
            let digests = folder_digests(promised, default).map_err(error::answer)?;
            attributes.0.extend(digests.0.clone());
            make_folder(tree, path, new_only, attributes).await.map_err(error::answer)?;
            let e_tag = Some(headers::etag(super::get_object::EMPTY_MD5));
            let output = PutObjectOutput { e_tag, ..PutObjectOutput::default() };
            return Ok(S3Response::with_headers(output, headers::checksums(&digests)));
        }
    };
    let write = Write {
        conditions: conditions.clone(),
        parents: Parents::Create,
        existing: Existing::Replace,
        size: Some(size),
        checksums: promised.checksums,
        compute: promised.compute.into_iter().chain(default).collect(),
        late: promised.late,
        mime,
        attributes,
        ..Write::default()
    };
    let node = match tree.write(&path, content, write).await {
        Ok(written) => written.node,
        Err(error @ Error::PreconditionFailed(_)) => {
            return Err(write_failed(&tree, &path, &conditions, error).await);
        }
        Err(error) => return Err(fault.or(error)),
    };
    let output = PutObjectOutput {
        e_tag: Some(headers::etag(&node.etag)),
        version_id: versions::made(&node),
        ..PutObjectOutput::default()
    };
    let mut more = headers::checksums(&node.attributes);
    more.insert("x-amz-object-size", HeaderValue::from(node.size));
    Ok(S3Response::with_headers(output, more))
}

/// The digests of a folder's key: those of nothing.
fn folder_digests(promised: Promised, default: Option<Algorithm>) -> Result<Attributes, Error> {
    let late = promised.late.map(|late| late()).transpose()?.unwrap_or_default();
    let mut digests = Attributes::default();
    for sum in promised.checksums.into_iter().chain(late) {
        let nothing = sum.algorithm.of_nothing();
        if sum.value != nothing {
            return Err(sum.failed(nothing));
        }
        sum.keep(&mut digests);
    }
    if let Some(algorithm) = default {
        Checksum { algorithm, value: algorithm.of_nothing() }.keep(&mut digests);
    }
    Ok(digests)
}

/// The announced length. Without one nobody could tell a whole body from one that was cut off.
pub(crate) fn length(announced: Option<i64>) -> S3Result<u64> {
    let length = announced
        .and_then(|length| u64::try_from(length).ok())
        .ok_or_else(|| S3Error::new(S3ErrorCode::MissingContentLength))?;
    if length > OBJECT_MAX_BYTES {
        return Err(error::answer(Error::TooLarge { size: length, limit: OBJECT_MAX_BYTES }));
    }
    Ok(length)
}

/// Why a write did not happen. To Amazon, `If-Match` on what is not there is a missing key, not a
/// failed condition.
pub(crate) async fn write_failed(
    tree: &Tree,
    path: &NodePath,
    conditions: &Conditions,
    error: Error,
) -> S3Error {
    if let Error::PreconditionFailed(_) = &error
        && conditions.if_match.is_some()
        && matches!(tree.stat(path).await, Err(Error::NotFound(_)))
    {
        return S3Error::new(S3ErrorCode::NoSuchKey);
    }
    error::answer(error)
}

/// Makes a folder, or gives the one that is there other attributes.
pub(crate) async fn make_folder(
    tree: Tree,
    path: NodePath,
    new_only: bool,
    attributes: Attributes,
) -> Result<(), Error> {
    // A workspace is there or is not; no door but the administrators' makes one.
    if path.depth() < 2 {
        return match tree.stat(&path).await {
            Ok(_) if new_only => Err(Error::AlreadyExists(path.to_string())),
            Ok(_) => Ok(()),
            Err(error) => Err(error),
        };
    }
    let existing = if new_only { Existing::Refuse } else { Existing::Replace };
    let made = survive(async move {
        tree.create_collection_with(&path, Parents::Create, existing, Some(attributes), &[]).await
    });
    made.await?;
    Ok(())
}
