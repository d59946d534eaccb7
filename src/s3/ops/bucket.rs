//! `ListBuckets`, `HeadBucket`, `CreateBucket`.
//!
//! `io` and `data` hold what the caller's workspaces hold; each workspace is a bucket as well.
//! Known gap: buckets cannot be made or deleted.

use cellgate_core::http::date;
use cellgate_core::principal::Principal;
use s3s::dto::{
    Bucket, CreateBucketInput, CreateBucketOutput, HeadBucketInput, HeadBucketOutput, ListBucketsInput,
    ListBucketsOutput, Owner,
};
use s3s::{S3Request, S3Response, S3Result};

use super::Ops;
use crate::address::WHOLE;
use crate::{error, headers};

/// The region SDKs fall back to; every other one is accepted in signatures as well.
pub(crate) const REGION: &str = "us-east-1";

pub(crate) async fn list_buckets(
    ops: &Ops,
    req: S3Request<ListBucketsInput>,
) -> S3Result<S3Response<ListBucketsOutput>> {
    let tree = ops.tree(&req.extensions).await?;
    let workspaces = tree.workspaces().await.map_err(error::answer)?;
    let oldest = workspaces.iter().map(|(workspace, _)| workspace.created_ns).filter(|ns| *ns > 0).min();
    let whole = WHOLE.map(|name| (name.to_owned(), oldest.unwrap_or_else(date::now_ns)));
    let own = workspaces.into_iter().map(|(workspace, _)| (workspace.slug, workspace.created_ns));
    let prefix = req.input.prefix.as_deref().unwrap_or_default();
    let buckets = whole
        .into_iter()
        .chain(own)
        .filter(|(name, _)| name.starts_with(prefix))
        .map(|(name, created_ns)| Bucket {
            name: Some(name),
            creation_date: Some(headers::timestamp(created_ns)),
            ..Bucket::default()
        })
        .collect();
    Ok(S3Response::new(ListBucketsOutput {
        buckets: Some(buckets),
        owner: Some(owner(tree.principal())),
        prefix: req.input.prefix,
        ..ListBucketsOutput::default()
    }))
}

pub(crate) async fn head_bucket(
    ops: &Ops,
    req: S3Request<HeadBucketInput>,
) -> S3Result<S3Response<HeadBucketOutput>> {
    ops.open(&req.extensions, &req.input.bucket).await?;
    let output = HeadBucketOutput { bucket_region: Some(REGION.to_owned()), ..HeadBucketOutput::default() };
    Ok(S3Response::new(output))
}

/// 200 for a bucket that is there: rclone and the SDKs' helpers make sure of it before they
/// upload, and `us-east-1` answers its owner so.
pub(crate) async fn create_bucket(
    ops: &Ops,
    req: S3Request<CreateBucketInput>,
) -> S3Result<S3Response<CreateBucketOutput>> {
    if ops.open(&req.extensions, &req.input.bucket).await.is_err() {
        return Err(error::unsupported("making a bucket"));
    }
    let location = Some(format!("/{}", req.input.bucket));
    Ok(S3Response::new(CreateBucketOutput { location, ..CreateBucketOutput::default() }))
}

/// Objects have no owners here: the caller owns what the caller sees.
pub(crate) fn owner(principal: &Principal) -> Owner {
    Owner { display_name: Some(principal.login.clone()), id: Some(principal.uuid.simple().to_string()) }
}
