//! `GetBucketTagging`, `PutBucketTagging`, `DeleteBucketTagging`.
//!
//! Tags are of a workspace, so they are set at its own bucket; by whom, the core decides. Who sees the
//! workspace may read them. `io` and `data` hold several workspaces and have none.

use http::StatusCode;
use s3s::dto::{
    DeleteBucketTaggingInput, DeleteBucketTaggingOutput, GetBucketTaggingInput, GetBucketTaggingOutput,
    PutBucketTaggingInput, PutBucketTaggingOutput,
};
use s3s::{S3Request, S3Response, S3Result};

use super::{Answered, Ops, survive};
use crate::error;
use crate::tags::Tags;

pub(crate) async fn get_bucket_tagging(
    ops: &Ops,
    req: S3Request<GetBucketTaggingInput>,
) -> S3Result<S3Response<GetBucketTaggingOutput>> {
    let (tree, bucket) = ops.open(&req.extensions, &req.input.bucket).await?;
    let tags = match bucket.root().first() {
        Some(slug) => Tags::written(&tree.workspace(slug).await.map_err(error::answer)?.0.tags),
        None => Tags::default(),
    };
    if tags.len() == 0 {
        return Err(error::custom("NoSuchTagSet", StatusCode::NOT_FOUND, "The TagSet does not exist."));
    }
    Ok(S3Response::new(GetBucketTaggingOutput { tag_set: tags.into_document() }))
}

pub(crate) async fn put_bucket_tagging(
    ops: &Ops,
    req: S3Request<PutBucketTaggingInput>,
) -> S3Result<S3Response<PutBucketTaggingOutput>> {
    let (tree, bucket) = ops.open(&req.extensions, &req.input.bucket).await?;
    let tags = Tags::of_bucket(req.input.tagging.tag_set)?.text();
    let Some(slug) = bucket.root().first().map(str::to_owned) else {
        return Err(error::unsupported("tagging a bucket that holds several workspaces"));
    };
    let done = survive(async move { tree.set_workspace_tags(&slug, &tags).await });
    done.await.map_err(error::answer)?;
    let mut response = S3Response::new(PutBucketTaggingOutput::default());
    // As Amazon does; s3s would say 200.
    response.extensions.insert(Answered(StatusCode::NO_CONTENT));
    Ok(response)
}

pub(crate) async fn delete_bucket_tagging(
    ops: &Ops,
    req: S3Request<DeleteBucketTaggingInput>,
) -> S3Result<S3Response<DeleteBucketTaggingOutput>> {
    let (tree, bucket) = ops.open(&req.extensions, &req.input.bucket).await?;
    if let Some(slug) = bucket.root().first().map(str::to_owned) {
        let done = survive(async move { tree.set_workspace_tags(&slug, "").await });
        done.await.map_err(error::answer)?;
    }
    Ok(S3Response::new(DeleteBucketTaggingOutput::default()))
}
