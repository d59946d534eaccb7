//! Multipart uploads: create, upload part, complete, abort, list parts, list uploads.
//!
//! Parts are uploads of the core. Known gaps: the checksum of the whole in
//! `CompleteMultipartUpload` (the parts' are checked) and the composite one in answers.

use cellgate_core::NodePath;
use cellgate_core::content::{Algorithm, Checksum};
use cellgate_core::http::Client;
use cellgate_core::tree::uploads::{Complete, PartRef};
use cellgate_core::tree::{Existing, Parents, Write};
use cellgate_core::upload::{PART_MAX, Part as StoredPart, Upload};
use http::header::HOST;
use s3s::dto::{
    AbortMultipartUploadInput, AbortMultipartUploadOutput, CompleteMultipartUploadInput,
    CompleteMultipartUploadOutput, CompletedPart, CreateMultipartUploadInput, CreateMultipartUploadOutput,
    Initiator, ListPartsInput, ListPartsOutput, Part, StorageClass, UploadPartInput, UploadPartOutput,
};
use s3s::{S3Error, S3ErrorCode, S3Request, S3Response, S3Result};
use uuid::Uuid;

use super::bucket::owner;
use super::list_objects::{Encoding, limit};
use super::put_object::length;
use super::{Ops, survive};
use crate::address::Bucket;
use crate::headers::{self, Promised};
use crate::{body, error};

pub(crate) use super::list_multipart_uploads::list_multipart_uploads;

/// Amazon's smallest part, but for the last one.
const PART_MIN_BYTES: u64 = 5 * 1024 * 1024;

pub(crate) async fn create_multipart_upload(
    ops: &Ops,
    req: S3Request<CreateMultipartUploadInput>,
) -> S3Result<S3Response<CreateMultipartUploadOutput>> {
    let (tree, bucket) = ops.open(&req.extensions, &req.input.bucket).await?;
    let path = bucket.leaf_target(&req.input.key)?;
    let (attributes, mime) = headers::content(&req.headers)?;
    let upload = tree.create_upload(&path, attributes, mime, None).await.map_err(error::answer)?;
    Ok(S3Response::new(CreateMultipartUploadOutput {
        bucket: Some(req.input.bucket),
        key: Some(req.input.key),
        upload_id: Some(upload.id.to_string()),
        // Echoed: SDKs go on with what they announced.
        checksum_algorithm: req.input.checksum_algorithm,
        checksum_type: req.input.checksum_type,
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
    let write = Write {
        size: Some(length(req.input.content_length)?),
        checksums: promised.checksums,
        compute: promised.compute,
        late: promised.late,
        ..Write::default()
    };
    let (content, fault) = body::incoming(req.input.body);
    let part = tree.write_part(&path, id, number, content, write).await.map_err(|error| fault.or(error))?;
    let checksums = headers::checksums(&part.digests);
    let output = UploadPartOutput { e_tag: Some(headers::etag(&part.etag)), ..UploadPartOutput::default() };
    Ok(S3Response::with_headers(output, checksums))
}

pub(crate) async fn complete_multipart_upload(
    ops: &Ops,
    req: S3Request<CompleteMultipartUploadInput>,
) -> S3Result<S3Response<CompleteMultipartUploadOutput>> {
    let (tree, bucket) = ops.open(&req.extensions, &req.input.bucket).await?;
    let path = bucket.leaf_target(&req.input.key)?;
    let id = upload_id(&req.input.upload_id)?;
    let location = location(&req, &bucket, &path);
    let asked = req.input.multipart_upload.and_then(|upload| upload.parts).unwrap_or_default();
    let parts = part_list(&asked)?;
    let how = Complete {
        parts: Some(parts),
        min_part_bytes: PART_MIN_BYTES,
        write: Write {
            conditions: headers::write_conditions(&req.headers)?,
            parents: Parents::Create,
            existing: Existing::Replace,
            size: req.input.mpu_object_size.map(|size| u64::try_from(size).unwrap_or(u64::MAX)),
            ..Write::default()
        },
        ..Complete::default()
    };
    // Joining large parts on disk takes a while: a client that gives up must not undo it.
    let written = survive(async move { tree.complete_upload(&path, id, how).await });
    let node = written.await.map_err(error::answer)?.node;
    Ok(S3Response::new(CompleteMultipartUploadOutput {
        bucket: Some(req.input.bucket),
        key: Some(req.input.key),
        e_tag: Some(headers::etag(&node.etag)),
        location: Some(location),
        ..CompleteMultipartUploadOutput::default()
    }))
}

/// Where the new object is, as the client reached us.
fn location(req: &S3Request<CompleteMultipartUploadInput>, bucket: &Bucket, path: &NodePath) -> String {
    let secure = req.extensions.get::<Client>().is_some_and(|client| client.secure);
    let host = req.headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let key = Encoding::Url.write(&bucket.key_of(path).unwrap_or_default());
    let scheme = if secure { "https" } else { "http" };
    format!("{scheme}://{host}/{}/{key}", bucket.name())
}

fn part_list(asked: &[CompletedPart]) -> S3Result<Vec<PartRef>> {
    if asked.is_empty() || asked.len() > PART_MAX as usize {
        return Err(S3Error::new(S3ErrorCode::MalformedXML));
    }
    let mut parts: Vec<PartRef> = Vec::with_capacity(asked.len());
    for part in asked {
        let number = part_number(part.part_number.unwrap_or(-1))?;
        if parts.last().is_some_and(|last| last.number >= number) {
            return Err(S3Error::new(S3ErrorCode::InvalidPartOrder));
        }
        let etag = part.e_tag.as_ref().ok_or_else(|| S3Error::new(S3ErrorCode::MalformedXML))?;
        parts.push(PartRef { number, etag: Some(etag.value().to_owned()), digests: claimed(part)? });
    }
    Ok(parts)
}

/// The digests that a client repeats in its list of parts.
fn claimed(part: &CompletedPart) -> S3Result<Vec<Checksum>> {
    [
        (Algorithm::Crc32, &part.checksum_crc32),
        (Algorithm::Crc32c, &part.checksum_crc32c),
        (Algorithm::Crc64Nvme, &part.checksum_crc64nvme),
        (Algorithm::Sha1, &part.checksum_sha1),
        (Algorithm::Sha256, &part.checksum_sha256),
    ]
    .into_iter()
    .filter_map(|(algorithm, value)| Some((algorithm, value.as_deref()?)))
    .map(|(algorithm, value)| {
        let value =
            headers::decode(algorithm, value).ok_or_else(|| S3Error::new(S3ErrorCode::InvalidPart))?;
        Ok(Checksum { algorithm, value })
    })
    .collect()
}

pub(crate) async fn abort_multipart_upload(
    ops: &Ops,
    req: S3Request<AbortMultipartUploadInput>,
) -> S3Result<S3Response<AbortMultipartUploadOutput>> {
    let (tree, bucket) = ops.open(&req.extensions, &req.input.bucket).await?;
    let path = bucket.leaf_target(&req.input.key)?;
    let id = upload_id(&req.input.upload_id)?;
    survive(async move { tree.abort_upload(&path, id).await }).await.map_err(error::answer)?;
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
    let after = u32::try_from(marker).map_err(|_| error::invalid("the marker must not be negative"))?;
    tree.upload(&path, id).await.map_err(error::answer)?;
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
        ..ListPartsOutput::default()
    }))
}

fn shown(part: &StoredPart) -> Part {
    let digest = |algorithm| digest(part, algorithm).map(str::to_owned);
    Part {
        part_number: i32::try_from(part.number).ok(),
        e_tag: Some(headers::etag(&part.etag)),
        size: i64::try_from(part.size).ok(),
        last_modified: Some(headers::timestamp(part.at_ns)),
        checksum_crc32: digest(Algorithm::Crc32),
        checksum_crc32c: digest(Algorithm::Crc32c),
        checksum_crc64nvme: digest(Algorithm::Crc64Nvme),
        checksum_sha1: digest(Algorithm::Sha1),
        checksum_sha256: digest(Algorithm::Sha256),
        ..Part::default()
    }
}

/// A digest that was checked or asked for when the part came, in base64.
fn digest(part: &StoredPart, algorithm: Algorithm) -> Option<&str> {
    part.digests.get(&Checksum::attribute(algorithm))
}

/// An id that is none belongs to no upload.
pub(crate) fn upload_id(text: &str) -> S3Result<Uuid> {
    Uuid::try_parse(text).map_err(|_| S3Error::new(S3ErrorCode::NoSuchUpload))
}

pub(crate) fn part_number(number: i32) -> S3Result<u32> {
    u32::try_from(number)
        .ok()
        .filter(|number| (1..=PART_MAX).contains(number))
        .ok_or_else(|| error::invalid("part number must be an integer between 1 and 10000"))
}

/// The key that an upload will have.
pub(crate) fn key_of(bucket: &Bucket, upload: &Upload) -> Option<String> {
    bucket.key_of(&NodePath::parse(&upload.path).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(number: i32, etag: Option<&str>) -> CompletedPart {
        CompletedPart {
            part_number: Some(number),
            e_tag: etag.map(headers::etag),
            ..CompletedPart::default()
        }
    }

    #[test]
    fn part_lists_are_checked_before_anything_is_looked_up() {
        let code = |asked: &[CompletedPart]| part_list(asked).unwrap_err().code().as_str().to_owned();
        assert_eq!(code(&[]), "MalformedXML");
        assert_eq!(code(&[part(1, None)]), "MalformedXML");
        assert_eq!(code(&[part(2, Some("a")), part(1, Some("b"))]), "InvalidPartOrder");
        assert_eq!(code(&[part(1, Some("a")), part(1, Some("a"))]), "InvalidPartOrder");
        assert_eq!(code(&[part(0, Some("a"))]), "InvalidArgument");
        assert_eq!(code(&[part(10_001, Some("a"))]), "InvalidArgument");
        assert_eq!(part_list(&[part(1, Some("a")), part(10_000, Some("b"))]).unwrap().len(), 2);
    }
}
