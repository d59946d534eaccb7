//! `ListBuckets`, `HeadBucket`, `CreateBucket`.
//!
//! There is one bucket, `io`; it holds what the caller's workspaces hold. It cannot be made or
//! deleted. Cells also shows it as `data`, which is not built.

use cellgate_core::http::date;
use cellgate_core::principal::Principal;
use s3s::dto::{
    Bucket, CreateBucketInput, CreateBucketOutput, HeadBucketInput, HeadBucketOutput, ListBucketsInput,
    ListBucketsOutput, Owner,
};
use s3s::{S3Request, S3Response, S3Result};

use super::Ops;
use crate::{error, headers, route};

/// The region SDKs fall back to; every other one is accepted in signatures as well.
pub(crate) const REGION: &str = "us-east-1";

pub(crate) async fn list_buckets(
    ops: &Ops,
    req: S3Request<ListBucketsInput>,
) -> S3Result<S3Response<ListBucketsOutput>> {
    let tree = ops.tree(&req.extensions).await?;
    let workspaces = tree.workspaces().await.map_err(error::answer)?;
    let oldest = workspaces.iter().map(|(workspace, _)| workspace.created_ns).filter(|ns| *ns > 0).min();
    let bucket = Bucket {
        name: Some(route::BUCKET.to_owned()),
        creation_date: Some(headers::timestamp(oldest.unwrap_or_else(date::now_ns))),
        ..Bucket::default()
    };
    let shown = req.input.prefix.as_ref().is_none_or(|prefix| route::BUCKET.starts_with(prefix.as_str()));
    Ok(S3Response::new(ListBucketsOutput {
        buckets: Some(if shown { vec![bucket] } else { Vec::new() }),
        owner: Some(owner(tree.principal())),
        prefix: req.input.prefix,
        ..ListBucketsOutput::default()
    }))
}

pub(crate) async fn head_bucket(
    ops: &Ops,
    req: S3Request<HeadBucketInput>,
) -> S3Result<S3Response<HeadBucketOutput>> {
    ops.tree(&req.extensions).await?;
    let output = HeadBucketOutput { bucket_region: Some(REGION.to_owned()), ..HeadBucketOutput::default() };
    Ok(S3Response::new(output))
}

/// 200 for the bucket that is there: rclone and the SDKs' helpers make sure of it before they
/// upload, and `us-east-1` answers its owner so.
pub(crate) fn create_bucket(req: S3Request<CreateBucketInput>) -> S3Result<S3Response<CreateBucketOutput>> {
    if req.input.bucket != route::BUCKET {
        return Err(error::unsupported("making a bucket"));
    }
    let location = Some(format!("/{}", route::BUCKET));
    Ok(S3Response::new(CreateBucketOutput { location, ..CreateBucketOutput::default() }))
}

/// Objects have no owners here: the caller owns what the caller sees.
pub(crate) fn owner(principal: &Principal) -> Owner {
    Owner { display_name: Some(principal.login.clone()), id: Some(principal.uuid.simple().to_string()) }
}
