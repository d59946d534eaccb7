//! `CompleteMultipartUpload`: the parts of an upload become one object.
//!
//! Asked again by a client that missed the answer, it answers the same while the object is still what
//! the first time made, as Amazon does.

use cellgate_core::content::{Algorithm, Checksum};
use cellgate_core::http::Client;
use cellgate_core::parts::{DigestOf, WholeDigest};
use cellgate_core::tree::uploads::{Complete, PartRef};
use cellgate_core::tree::{Existing, Parents, Write};
use cellgate_core::upload::PART_MAX;
use cellgate_core::{Error, NodePath};
use http::header::HOST;
use s3s::dto::{CompleteMultipartUploadInput, CompleteMultipartUploadOutput, CompletedPart};
use s3s::{S3Error, S3ErrorCode, S3Request, S3Response, S3Result};

use super::list_objects::Encoding;
use super::multipart::{part_number, upload_id};
use super::put_object::{OBJECT_MAX_BYTES, write_failed};
use super::{Ops, survive};
use crate::address::Bucket;
use crate::checksums::{self, Claim, fill};
use crate::domains::HostBucket;
use crate::{error, headers, versions};

/// Amazon's smallest part, but for the last one.
const PART_MIN_BYTES: u64 = 5 * 1024 * 1024;
const SIZE: &str = "x-amz-mp-object-size";

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
    let size = match req.input.mpu_object_size {
        None => None,
        Some(size) => Some(u64::try_from(size).map_err(|_| {
            let text = format!("Value for {SIZE} header is less than zero: '{size}'");
            error::with(S3ErrorCode::InvalidRequest, text)
        })?),
    };
    // What is not there any more may be complete already: the core knows.
    let declared = match tree.upload(&path, id).await {
        Ok(upload) => upload.declared(),
        Err(Error::NoSuchUpload(_)) => None,
        Err(error) => return Err(error::answer(error)),
    };
    let claim = Claim::of(&req.headers, declared)?;
    check_digests(declared, &claim, &parts)?;
    let conditions = headers::write_conditions(&req.headers)?;
    let how = Complete {
        parts: Some(parts),
        min_part_bytes: PART_MIN_BYTES,
        max_bytes: OBJECT_MAX_BYTES,
        digest_of: claim.of,
        write: Write {
            conditions: conditions.clone(),
            parents: Parents::Create,
            existing: Existing::Replace,
            size,
            checksums: claim.checksums,
            ..Write::default()
        },
    };
    // Joining large parts on disk takes a while: a client that gives up must not undo it.
    let (worker, at) = (tree.clone(), path.clone());
    let written = match survive(async move { worker.complete_upload(&at, id, how).await }).await {
        Ok(written) => written,
        Err(Error::LengthMismatch { expected, received }) => {
            let text = format!(
                "The provided '{SIZE}' header value {expected} does not match what was computed: {received}"
            );
            return Err(error::with(S3ErrorCode::InvalidRequest, text));
        }
        Err(error) => return Err(write_failed(&tree, &path, &conditions, error).await),
    };
    let attributes = &written.node.attributes;
    let mut output = CompleteMultipartUploadOutput {
        bucket: Some(req.input.bucket),
        key: Some(req.input.key),
        e_tag: Some(headers::etag(&written.node.etag)),
        location: Some(location),
        version_id: versions::made(&written.node),
        checksum_type: checksums::kept_type(attributes).map(checksums::type_of),
        ..CompleteMultipartUploadOutput::default()
    };
    fill!(output, checksums::kept(attributes));
    Ok(S3Response::new(output))
}

/// Where the new object is, as the client reached us.
fn location(req: &S3Request<CompleteMultipartUploadInput>, bucket: &Bucket, path: &NodePath) -> String {
    let secure = req.extensions.get::<Client>().is_some_and(|client| client.secure);
    let host = req.headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let key = Encoding::Url.write(&bucket.key_of(path).unwrap_or_default());
    let scheme = if secure { "https" } else { "http" };
    match req.extensions.get::<HostBucket>() {
        Some(_) => format!("{scheme}://{host}/{key}"),
        None => format!("{scheme}://{host}/{}/{key}", bucket.name()),
    }
}

fn part_list(asked: &[CompletedPart]) -> S3Result<Vec<PartRef>> {
    if asked.is_empty() || asked.len() > PART_MAX as usize {
        return Err(S3Error::new(S3ErrorCode::MalformedXML));
    }
    let mut parts: Vec<PartRef> = Vec::with_capacity(asked.len());
    for part in asked {
        let number = part.part_number.ok_or_else(|| S3Error::new(S3ErrorCode::MalformedXML))?;
        if number < 1 {
            return Err(error::argument("PartNumber", &number.to_string(), "PartNumber must be >= 1"));
        }
        let number = part_number(number)?;
        if parts.last().is_some_and(|last| last.number >= number) {
            return Err(S3Error::new(S3ErrorCode::InvalidPartOrder));
        }
        let etag = part.e_tag.as_ref().ok_or_else(|| S3Error::new(S3ErrorCode::MalformedXML))?;
        parts.push(PartRef { number, etag: Some(etag.value().to_owned()), digest: claimed(part)? });
    }
    Ok(parts)
}

/// Of the digests that a client repeats, those of another kind than the upload's are none of its
/// parts'. A digest of digests is only as good as those: Amazon wants each of them repeated.
fn check_digests(declared: Option<WholeDigest>, claim: &Claim, parts: &[PartRef]) -> S3Result<()> {
    if let (Some(count), Some(sum)) = (claim.parts, claim.checksums.first())
        && count != parts.len()
    {
        return Err(error::answer(sum.failed(Vec::new())));
    }
    let Some(WholeDigest { algorithm, of }) = declared else { return Ok(()) };
    for part in parts {
        let number = part.number;
        match &part.digest {
            None if of == DigestOf::Parts => {
                let text = format!(
                    "The upload was created using a {} checksum. The complete request must include the \
                     checksum for each part. It was missing for part {number} in the request.",
                    algorithm.as_str(),
                );
                return Err(error::with(S3ErrorCode::InvalidRequest, text));
            }
            Some(digest) if digest.algorithm != algorithm => {
                let text = format!(
                    "The {} you specified for part {number} did not match what we received.",
                    digest.algorithm.as_str()
                );
                return Err(error::with(S3ErrorCode::BadDigest, text));
            }
            _ => {}
        }
    }
    Ok(())
}

/// The digest that a client repeats in its list of parts.
fn claimed(part: &CompletedPart) -> S3Result<Option<Checksum>> {
    let sent: Vec<(Algorithm, &str)> = [
        (Algorithm::Crc32, &part.checksum_crc32),
        (Algorithm::Crc32c, &part.checksum_crc32c),
        (Algorithm::Crc64Nvme, &part.checksum_crc64nvme),
        (Algorithm::Sha1, &part.checksum_sha1),
        (Algorithm::Sha256, &part.checksum_sha256),
        (Algorithm::Sha512, &part.checksum_sha512),
        (Algorithm::Md5, &part.checksum_md5),
        (Algorithm::XxHash64, &part.checksum_xxhash64),
        (Algorithm::XxHash3, &part.checksum_xxhash3),
        (Algorithm::XxHash128, &part.checksum_xxhash128),
    ]
    .into_iter()
    .filter_map(|(algorithm, value)| Some((algorithm, value.as_deref()?)))
    .collect();
    match sent.as_slice() {
        [] => Ok(None),
        [(algorithm, text)] => match headers::decode(*algorithm, text) {
            Some(value) => Ok(Some(Checksum { algorithm: *algorithm, value })),
            None => Err(unreadable(text)),
        },
        several => {
            let name = |algorithm: &Algorithm| algorithm.as_str().to_ascii_uppercase();
            let listed = several.iter().map(|(algorithm, text)| format!("{}:{text};", name(algorithm)));
            Err(unreadable(&listed.collect::<String>()))
        }
    }
}

fn unreadable(value: &str) -> S3Error {
    error::argument("Checksum", value, "Invalid Base64 or multiple checksums present in request")
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
