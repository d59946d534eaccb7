//! `GetBucketVersioning`, `PutBucketVersioning`.
//!
//! Keeping versions is a workspace's habit, so it is asked and set at the workspace's own bucket; who
//! may set it, the core decides. `Enabled` keeps what the workspace is configured to keep, or the
//! core's default number of earlier versions: the oldest beyond go. `io` and `data` hold several
//! workspaces and answer no status; their objects have versions as their workspaces keep them.
//! Renaming a file through another door takes its versions along, and removing it there for good
//! removes them. Known gaps: MFA delete; `structured` datasources keep no versions (501).

use cellgate_core::workspace::Versioning;
use s3s::dto::{
    BucketVersioningStatus, GetBucketVersioningInput, GetBucketVersioningOutput, MFADelete,
    PutBucketVersioningInput, PutBucketVersioningOutput,
};
use s3s::{S3Error, S3ErrorCode, S3Request, S3Response, S3Result};

use super::{Ops, survive};
use crate::error;

pub(crate) async fn get_bucket_versioning(
    ops: &Ops,
    req: S3Request<GetBucketVersioningInput>,
) -> S3Result<S3Response<GetBucketVersioningOutput>> {
    let (tree, bucket) = ops.open(&req.extensions, &req.input.bucket).await?;
    let status = match tree.versioning(bucket.root()).await.map_err(error::answer)? {
        Versioning::Off => None,
        Versioning::Enabled => Some(BucketVersioningStatus::ENABLED),
        Versioning::Suspended => Some(BucketVersioningStatus::SUSPENDED),
    };
    Ok(S3Response::new(GetBucketVersioningOutput {
        status: status.map(BucketVersioningStatus::from_static),
        ..GetBucketVersioningOutput::default()
    }))
}

pub(crate) async fn put_bucket_versioning(
    ops: &Ops,
    req: S3Request<PutBucketVersioningInput>,
) -> S3Result<S3Response<PutBucketVersioningOutput>> {
    let (tree, bucket) = ops.open(&req.extensions, &req.input.bucket).await?;
    let asked = req.input.versioning_configuration;
    let illegal = || {
        S3Error::with_message(
            S3ErrorCode::IllegalVersioningConfigurationException,
            "the versioning status can only be `Enabled` or `Suspended`",
        )
    };
    let status = asked.status.as_ref().map(BucketVersioningStatus::as_str);
    let enabled = match status.ok_or_else(illegal)? {
        BucketVersioningStatus::ENABLED => true,
        BucketVersioningStatus::SUSPENDED => false,
        _ => return Err(S3Error::new(S3ErrorCode::MalformedXML)),
    };
    if asked.mfa_delete.is_some_and(|mfa| mfa.as_str() == MFADelete::ENABLED) {
        return Err(error::unsupported("MFA delete"));
    }
    let Some(slug) = bucket.root().first().map(str::to_owned) else {
        return Err(error::with(
            S3ErrorCode::InvalidBucketState,
            "this bucket holds several workspaces: set the versioning of a workspace at its own bucket",
        ));
    };
    let done = survive(async move { tree.set_versioning(&slug, enabled).await });
    done.await.map_err(error::answer)?;
    Ok(S3Response::new(PutBucketVersioningOutput::default()))
}
