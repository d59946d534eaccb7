//! `PutBucketOwnershipControls`, and why there is no `DeleteBucketOwnershipControls`.
//!
//! The bucket's owner owns what is in it and access lists mean nothing, which Amazon calls
//! `BucketOwnerEnforced`. Setting that changes nothing and is accepted, since tools set it where they
//! mean to switch lists off. Anything else, no controls at all too, would bring lists back: 501.

use s3s::dto::{
    DeleteBucketOwnershipControlsInput, DeleteBucketOwnershipControlsOutput, ObjectOwnership,
    PutBucketOwnershipControlsInput, PutBucketOwnershipControlsOutput,
};
use s3s::{S3Error, S3ErrorCode, S3Request, S3Response, S3Result};

use super::Ops;
use crate::error;

/// How it is.
const ENFORCED: &str = ObjectOwnership::BUCKET_OWNER_ENFORCED;
const OTHERS: [&str; 2] = [ObjectOwnership::BUCKET_OWNER_PREFERRED, ObjectOwnership::OBJECT_WRITER];

pub(crate) async fn put_bucket_ownership_controls(
    ops: &Ops,
    req: S3Request<PutBucketOwnershipControlsInput>,
) -> S3Result<S3Response<PutBucketOwnershipControlsOutput>> {
    let malformed = || S3Error::new(S3ErrorCode::MalformedXML);
    let [rule] = req.input.ownership_controls.rules.as_slice() else { return Err(malformed()) };
    let asked = rule.object_ownership.as_str();
    if asked != ENFORCED && !OTHERS.contains(&asked) {
        return Err(malformed());
    }
    ops.open(&req.extensions, &req.input.bucket).await?;
    if asked != ENFORCED {
        return Err(other_ownership());
    }
    Ok(S3Response::new(PutBucketOwnershipControlsOutput::default()))
}

pub(crate) async fn delete_bucket_ownership_controls(
    ops: &Ops,
    req: S3Request<DeleteBucketOwnershipControlsInput>,
) -> S3Result<S3Response<DeleteBucketOwnershipControlsOutput>> {
    ops.open(&req.extensions, &req.input.bucket).await?;
    Err(other_ownership())
}

/// Refuses what a bucket cannot be made with.
pub(super) fn check_new(asked: Option<&ObjectOwnership>) -> S3Result<()> {
    match asked.map(ObjectOwnership::as_str) {
        None | Some(ENFORCED) => Ok(()),
        Some(other) if OTHERS.contains(&other) => Err(other_ownership()),
        Some(unknown) => {
            let invalid = error::invalid(format!("Invalid x-amz-object-ownership header: {unknown}"));
            Err(error::with_fields(invalid, &[("ArgumentName", "x-amz-object-ownership")]))
        }
    }
}

fn other_ownership() -> S3Error {
    error::unsupported("object ownership other than BucketOwnerEnforced")
}
