//! `UploadPartCopy`: a range of one object becomes a part of another.

use cellgate_core::http::range::RangeSpec;
use cellgate_core::tree::ReadOptions;
use s3s::{Body, S3Response, S3Result};

use super::copy_object::{Source, document, source_failed};
use super::get_object::leaf;
use super::multipart::{part_number, upload_id};
use super::{DirectRequest, Ops, survive};
use crate::address::Key;
use crate::{checksums, error, headers, versions};

pub(crate) async fn upload_part_copy(ops: &Ops, req: DirectRequest) -> S3Result<S3Response<Body>> {
    let (tree, bucket) = ops.open(&req.extensions, &req.bucket).await?;
    let path = bucket.leaf_target(&req.key)?;
    // What is wrong by itself is said before what is not there.
    let number = req.parameter("partNumber").unwrap_or_default().parse().unwrap_or(-1);
    let number = part_number(number)?;
    let source = Source::of(&req)?;
    let id = upload_id(req.parameter("uploadId").unwrap_or_default())?;
    let (Key::Leaf(from), version) = source.open(&tree).await? else {
        return Err(error::invalid("a folder has no content to copy"));
    };
    let upload = tree.upload(&path, id).await.map_err(error::answer)?;
    let node = versions::stat(&tree, &from, version).await.map_err(versions::source_missing)?;
    leaf(&node)?;
    let source_version = versions::of(&tree, &from, &node).await;
    let range = match req.header("x-amz-copy-source-range")? {
        None => None,
        Some(range) => Some(source_range(range, node.size)?),
    };
    let conditions = headers::source_conditions(&req.headers)?;
    let options = ReadOptions { range, conditions, version };
    let part = survive(async move { tree.copy_part(&from, &options, &path, id, number).await });
    let part = part.await.map_err(source_failed)?;
    // Amazon shows what the upload announced, and not what is computed by default.
    let announced =
        |(algorithm, _): &(_, &str)| upload.declared().is_some_and(|digest| digest.algorithm == *algorithm);
    let more = checksums::elements(checksums::kept(&part.digests).filter(announced));
    let mut answer = document("CopyPartResult", &part.etag, part.at_ns, &more);
    versions::stamp(&mut answer.headers, versions::SOURCE_VERSION_ID, source_version);
    Ok(answer)
}

/// `bytes=first-last`, both given, both within the source: unlike `Range`, nothing is ignored.
fn source_range(header: &str, size: u64) -> S3Result<RangeSpec> {
    match RangeSpec::parse(header) {
        Some(range @ RangeSpec::From(_, Some(last))) if last < size => Ok(range),
        Some(RangeSpec::From(_, Some(_))) => {
            Err(error::invalid(format!("Range specified is not valid for source object of size: {size}")))
        }
        _ => Err(error::invalid(
            "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the \
             zero-based offsets of the first and last bytes to copy",
        )),
    }
}

#[cfg(test)]
mod tests {
    use s3s::S3ErrorCode;

    use super::*;

    #[test]
    fn ranges_must_be_whole_and_inside() {
        assert_eq!(source_range("bytes=0-9", 10).unwrap(), RangeSpec::From(0, Some(9)));
        for header in
            ["bytes=0-10", "bytes=10-10", "0-9", "bytes=0-", "bytes=-5", "bytes=5-2", "bytes=0-1,3-4", ""]
        {
            assert_eq!(
                source_range(header, 10).unwrap_err().code(),
                &S3ErrorCode::InvalidArgument,
                "{header}"
            );
        }
    }
}
