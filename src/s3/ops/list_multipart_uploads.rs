//! `ListMultipartUploads`: the caller's own uploads that are going on.

use s3s::dto::{
    CommonPrefix, Initiator, ListMultipartUploadsInput, ListMultipartUploadsOutput, MultipartUpload,
    StorageClass,
};
use s3s::{S3Request, S3Response, S3Result};
use uuid::Uuid;

use super::Ops;
use super::bucket::owner;
use super::list_objects::{Encoding, limit};
use super::multipart::key_of;
use crate::{checksums, error, headers, listing};

pub(crate) async fn list_multipart_uploads(
    ops: &Ops,
    req: S3Request<ListMultipartUploadsInput>,
) -> S3Result<S3Response<ListMultipartUploadsOutput>> {
    let (tree, bucket) = ops.open(&req.extensions, &req.input.bucket).await?;
    let input = req.input;
    let encoding = Encoding::of(input.encoding_type.as_ref())?;
    let limit = limit(input.max_uploads)?;
    let prefix = input.prefix.clone().unwrap_or_default();
    let delimiter = input.delimiter.clone().unwrap_or_default();
    let marker = Marker::of(input.key_marker.as_deref(), input.upload_id_marker.as_deref())?;

    let mut open: Vec<_> = tree
        .uploads(bucket.root())
        .await
        .map_err(error::answer)?
        .into_iter()
        .filter_map(|upload| Some((key_of(&bucket, &upload)?, upload.id.to_string(), upload)))
        .filter(|(key, id, _)| key.starts_with(&prefix) && marker.is_before(key, id))
        .collect();
    open.sort_by(|(key, id, _), (other, other_id, _)| (key, id).cmp(&(other, other_id)));

    let owner = owner(tree.principal());
    let mut uploads = Vec::new();
    let mut groups: Vec<String> = Vec::new();
    let mut last = None;
    let mut truncated = false;
    for (key, id, upload) in open {
        let group = listing::group(&key, &prefix, &delimiter);
        // A group is one entry, and the marker that names it stands for all of it.
        if group.as_ref().is_some_and(|group| groups.last() == Some(group) || marker.key == Some(group)) {
            continue;
        }
        if uploads.len() + groups.len() == limit {
            truncated = limit > 0;
            break;
        }
        last = Some((group.clone().unwrap_or_else(|| key.clone()), group.is_none().then(|| id.clone())));
        match group {
            Some(group) => groups.push(group),
            None => uploads.push(MultipartUpload {
                key: Some(encoding.write(&key)),
                upload_id: Some(id),
                initiated: Some(headers::timestamp(upload.created_ns)),
                initiator: Some(Initiator { display_name: owner.display_name.clone(), id: owner.id.clone() }),
                owner: Some(owner.clone()),
                storage_class: Some(StorageClass::from_static(StorageClass::STANDARD)),
                checksum_algorithm: upload.declared().map(|of| checksums::algorithm_name(of.algorithm)),
                checksum_type: upload.declared().map(|of| checksums::type_of(of.of)),
            }),
        }
    }
    let (next_key, next_id) = last.filter(|_| truncated).unzip();
    let prefixes = groups.iter().map(|group| CommonPrefix { prefix: Some(encoding.write(group)) }).collect();
    Ok(S3Response::new(ListMultipartUploadsOutput {
        bucket: Some(input.bucket),
        prefix: Some(encoding.write(&prefix)),
        delimiter: input.delimiter.map(|delimiter| encoding.write(&delimiter)),
        key_marker: Some(encoding.write(input.key_marker.as_deref().unwrap_or_default())),
        upload_id_marker: Some(input.upload_id_marker.unwrap_or_default()),
        next_key_marker: next_key.map(|key| encoding.write(&key)),
        next_upload_id_marker: next_id.flatten(),
        max_uploads: i32::try_from(limit).ok(),
        is_truncated: Some(truncated),
        uploads: Some(uploads),
        common_prefixes: Some(prefixes),
        encoding_type: input.encoding_type,
        request_charged: None,
    }))
}

/// Where a page begins: behind a key, or behind one upload of it.
///
/// Ids compare in the order in which uploads began. So an id marks its place also when its upload has
/// ended since the page before.
struct Marker<'a> {
    key: Option<&'a str>,
    id: Option<String>,
}

impl<'a> Marker<'a> {
    /// An id without a key says nothing, as Amazon has it.
    fn of(key: Option<&'a str>, id: Option<&str>) -> S3Result<Self> {
        let key = key.filter(|key| !key.is_empty());
        let id = match id.filter(|id| key.is_some() && !id.is_empty()) {
            None => None,
            Some(text) => {
                let id = Uuid::try_parse(text);
                let wrong = |_| error::argument("upload-id-marker", text, "Invalid uploadId marker");
                Some(id.map_err(wrong)?.to_string())
            }
        };
        Ok(Self { key, id })
    }

    fn is_before(&self, key: &str, id: &str) -> bool {
        match (self.key, &self.id) {
            (None, _) => true,
            (Some(marker), None) => key > marker,
            (Some(marker), Some(last)) => (key, id) > (marker, last.as_str()),
        }
    }
}
