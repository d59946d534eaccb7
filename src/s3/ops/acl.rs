//! `PutBucketAcl`, `PutObjectAcl`.
//!
//! The one access list there is cannot be changed: its owner may do everything, and nobody else is
//! named. Setting just that is accepted, as Amazon does where lists are switched off; `s3cmd cp` and
//! `s3cmd modify` do so with every object they touch.

use cellgate_core::Tree;
use s3s::dto::{
    AccessControlPolicy, Permission, PutBucketAclInput, PutBucketAclOutput, PutObjectAclInput,
    PutObjectAclOutput,
};
use s3s::{S3Error, S3ErrorCode, S3Request, S3Response, S3Result};

use super::bucket::owner;
use super::{Ops, missing};

pub(crate) async fn put_bucket_acl(
    ops: &Ops,
    req: S3Request<PutBucketAclInput>,
) -> S3Result<S3Response<PutBucketAclOutput>> {
    let (tree, _) = ops.open(&req.extensions, &req.input.bucket).await?;
    check(&tree, req.input.acl.is_some(), req.input.access_control_policy.as_ref())?;
    Ok(S3Response::new(PutBucketAclOutput::default()))
}

pub(crate) async fn put_object_acl(
    ops: &Ops,
    req: S3Request<PutObjectAclInput>,
) -> S3Result<S3Response<PutObjectAclOutput>> {
    let (tree, bucket) = ops.open(&req.extensions, &req.input.bucket).await?;
    tree.stat(bucket.key(&req.input.key)?.path()).await.map_err(missing)?;
    check(&tree, req.input.acl.is_some(), req.input.access_control_policy.as_ref())?;
    Ok(S3Response::new(PutObjectAclOutput::default()))
}

/// `canned`: other lists than the private ones were refused with the headers.
fn check(tree: &Tree, canned: bool, list: Option<&AccessControlPolicy>) -> S3Result<()> {
    if canned != list.is_some() && list.is_none_or(|list| is_private(tree, list)) {
        return Ok(());
    }
    Err(S3Error::new(S3ErrorCode::AccessControlListNotSupported))
}

fn is_private(tree: &Tree, list: &AccessControlPolicy) -> bool {
    let me = owner(tree.principal()).id;
    let grants = list.grants.as_deref().unwrap_or_default();
    !grants.is_empty()
        && grants.iter().all(|grant| {
            let all = grant.permission.as_ref().map(Permission::as_str) == Some(Permission::FULL_CONTROL);
            all && grant.grantee.as_ref().is_some_and(|grantee| grantee.id == me)
        })
}
