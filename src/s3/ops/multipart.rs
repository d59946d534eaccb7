//! Multipart uploads: create, upload part, abort, list parts. Parts are uploads of the core.

use cellgate_core::tree::Write;
use cellgate_core::upload::{PART_MAX, Part as StoredPart, Upload};
use cellgate_core::{Error, NodePath};
use s3s::dto::{
    AbortMultipartUploadInput, AbortMultipartUploadOutput, CreateMultipartUploadInput,
    CreateMultipartUploadOutput, Initiator, ListPartsInput, ListPartsOutput, Part, StorageClass,
    UploadPartInput, UploadPartOutput,
};
use s3s::{S3Error, S3ErrorCode, S3Request, S3Response, S3Result};
use uuid::Uuid;

use super::bucket::owner;
use super::list_objects::limit;
use super::put_object::length;
use super::{Ops, survive};
use crate::address::Bucket;
use crate::checksums::{self, fill};
use crate::headers::{self, Promised};
use crate::{body, error};

pub(crate) async fn create_multipart_upload(
    ops: &Ops,
    req: S3Request<CreateMultipartUploadInput>,
) -> S3Result<S3Response<CreateMultipartUploadOutput>> {
    let (tree, bucket) = ops.open(&req.extensions, &req.input.bucket).await?;
    let path = bucket.leaf_target(&req.input.key)?;
    let (mut attributes, mime) = headers::new_object(&req.headers)?;
    let digest = checksums::announced(&req.headers)?;
    match digest {
        Some(digest) => digest.declare(&mut attributes),
        None => checksums::BY_DEFAULT.assume(&mut attributes),
    }
    let upload = tree.create_upload(&path, attributes, mime, None).await.map_err(error::answer)?;
    Ok(S3Response::new(CreateMultipartUploadOutput {
        bucket: Some(req.input.bucket),
        key: Some(req.input.key),
        upload_id: Some(upload.id.to_string()),
        // SDKs go on with what they announced.
        checksum_algorithm: digest.map(|digest| checksums::algorithm_name(digest.algorithm)),
        checksum_type: digest.map(|digest| checksums::type_of(digest.of)),
        ..CreateMultipartUploadOutput::default()
    }))
}

pub(crate) async fn upload_part(
    ops: &Ops,
    req: S3Request<UploadPartInput>,
) -> S3Result<S3Response<UploadPartOutput>> {
    let (tree, bucket) = ops.open(&req.extensions, &req.input.bucket).await?;
    let path = bucket.leaf_target(&req.input.key)?;
    let id = upload_id(&req.input.upload_id)?;
    let number = part_number(req.input.part_number)?;
    let promised = Promised::of(&req.headers, &req.extensions)?;
    checksums::check_promised(&req.headers, &promised)?;
    let lacking = checksums::check_part(&tree.upload(&path, id).await.map_err(error::answer)?, &promised)?;
    let write = Write {
        size: Some(length(req.input.content_length)?),
        checksums: promised.checksums,
        compute: promised.compute.into_iter().chain(lacking).collect(),
        late: promised.late,
        ..Write::default()
    };
    let (content, fault) = body::incoming(req.input.body);
    let part = tree.write_part(&path, id, number, content, write).await.map_err(|error| fault.or(error))?;
    let checksums = headers::digests(checksums::of_part(&part.digests));
    let output = UploadPartOutput { e_tag: Some(headers::etag(&part.etag)), ..UploadPartOutput::default() };
    Ok(S3Response::with_headers(output, checksums))
}

pub(crate) async fn abort_multipart_upload(
    ops: &Ops,
    req: S3Request<AbortMultipartUploadInput>,
) -> S3Result<S3Response<AbortMultipartUploadOutput>> {
    let (tree, bucket) = ops.open(&req.extensions, &req.input.bucket).await?;
    let path = bucket.leaf_target(&req.input.key)?;
    let id = upload_id(&req.input.upload_id)?;
    let begun_s = req.input.if_match_initiated_time.as_ref().map(headers::seconds);
    match survive(async move { tree.abort_upload(&path, id, begun_s).await }).await {
        // What began at that time is not there, as asked.
        Err(Error::NoSuchUpload(_)) if begun_s.is_some() => {}
        aborted => aborted.map_err(error::answer)?,
    }
    Ok(S3Response::new(AbortMultipartUploadOutput::default()))
}

pub(crate) async fn list_parts(
    ops: &Ops,
    req: S3Request<ListPartsInput>,
) -> S3Result<S3Response<ListPartsOutput>> {
    let (tree, bucket) = ops.open(&req.extensions, &req.input.bucket).await?;
    let path = bucket.leaf_target(&req.input.key)?;
    let id = upload_id(&req.input.upload_id)?;
    let limit = limit(req.input.max_parts)?;
    let marker = req.input.part_number_marker.unwrap_or(0);
    let after = u32::try_from(marker).map_err(|_| {
        let text = format!("Argument {marker} must be an integer between 0 and 2147483647");
        error::argument("part-number-marker", &marker.to_string(), text)
    })?;
    let upload = tree.upload(&path, id).await.map_err(error::answer)?;
    let digest = upload.declared();
    // One more than asked for tells whether there are more.
    let mut parts = tree.parts(&path, id, after, limit + 1).await.map_err(error::answer)?;
    let truncated = parts.len() > limit;
    parts.truncate(limit);
    let last = parts.last().and_then(|part| i32::try_from(part.number).ok());
    let owner = owner(tree.principal());
    Ok(S3Response::new(ListPartsOutput {
        bucket: Some(req.input.bucket),
        key: Some(req.input.key),
        upload_id: Some(req.input.upload_id),
        part_number_marker: Some(marker),
        next_part_number_marker: Some(last.unwrap_or(marker)),
        max_parts: i32::try_from(limit).ok(),
        is_truncated: Some(truncated),
        parts: Some(parts.iter().map(shown).collect()),
        initiator: Some(Initiator { display_name: owner.display_name.clone(), id: owner.id.clone() }),
        owner: Some(owner),
        storage_class: Some(StorageClass::from_static(StorageClass::STANDARD)),
        checksum_algorithm: digest.map(|digest| checksums::algorithm_name(digest.algorithm)),
        checksum_type: digest.map(|digest| checksums::type_of(digest.of)),
        ..ListPartsOutput::default()
    }))
}

fn shown(stored: &StoredPart) -> Part {
    let mut part = Part {
        part_number: i32::try_from(stored.number).ok(),
        e_tag: Some(headers::etag(&stored.etag)),
        size: i64::try_from(stored.size).ok(),
        last_modified: Some(headers::timestamp(stored.at_ns)),
        ..Part::default()
    };
    fill!(part, checksums::of_part(&stored.digests));
    part
}

/// An id that is none belongs to no upload.
pub(crate) fn upload_id(text: &str) -> S3Result<Uuid> {
    Uuid::try_parse(text).map_err(|_| S3Error::new(S3ErrorCode::NoSuchUpload))
}

pub(crate) fn part_number(number: i32) -> S3Result<u32> {
    u32::try_from(number)
        .ok()
        .filter(|number| (1..=PART_MAX).contains(number))
        .ok_or_else(|| error::invalid("Part number must be an integer between 1 and 10000, inclusive."))
}

/// The key that an upload will have.
pub(crate) fn key_of(bucket: &Bucket, upload: &Upload) -> Option<String> {
    bucket.key_of(&NodePath::parse(&upload.path).ok()?)
}
