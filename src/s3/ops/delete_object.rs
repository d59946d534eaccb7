//! `DeleteObject`, `DeleteObjects`.
//!
//! S3 deletes for good: nothing goes to a recycle bin. A folder's key (`folder/`) deletes the folder
//! only when it is empty; what else it holds has keys of its own.

use cellgate_core::http::conditional::Conditions;
use cellgate_core::node::NodeKind;
use cellgate_core::tree::{Removal, Remove};
use cellgate_core::{Error, Tree};
use futures_util::{StreamExt as _, stream};
use s3s::dto::{
    DeleteObjectInput, DeleteObjectOutput, DeleteObjectsInput, DeleteObjectsOutput, DeletedObject,
    Error as FailedObject, ObjectIdentifier, Timestamp,
};
use s3s::{S3Error, S3ErrorCode, S3Request, S3Response, S3Result};
use time::OffsetDateTime;

use super::{Ops, get_object, survive};
use crate::address::{Bucket, Key};
use crate::{error, headers};

/// Amazon's limit on one request.
const KEYS_MAX: usize = 1_000;
/// Removals that wait for one commit together.
const AT_ONCE: usize = 128;

pub(crate) async fn delete_object(
    ops: &Ops,
    req: S3Request<DeleteObjectInput>,
) -> S3Result<S3Response<DeleteObjectOutput>> {
    let (tree, bucket) = ops.open(&req.extensions, &req.input.bucket).await?;
    get_object::refuse_versions(req.input.version_id.as_deref())?;
    let how = Remove {
        conditions: headers::write_conditions(&req.headers)?,
        size: req.input.if_match_size.map(|size| u64::try_from(size).unwrap_or(u64::MAX)),
        mtime_s: req.input.if_match_last_modified_time.as_ref().map(seconds),
        ..Remove::default()
    };
    delete(tree, bucket.key(&req.input.key)?, how).await?;
    Ok(S3Response::new(DeleteObjectOutput::default()))
}

pub(crate) async fn delete_objects(
    ops: &Ops,
    req: S3Request<DeleteObjectsInput>,
) -> S3Result<S3Response<DeleteObjectsOutput>> {
    let (tree, bucket) = ops.open(&req.extensions, &req.input.bucket).await?;
    let asked = req.input.delete;
    let control = |object: &ObjectIdentifier| object.key.chars().any(|c| c.is_ascii_control());
    if asked.objects.is_empty() || asked.objects.len() > KEYS_MAX || asked.objects.iter().any(control) {
        return Err(S3Error::new(S3ErrorCode::MalformedXML));
    }
    let outcomes: Vec<_> = stream::iter(asked.objects)
        .map(|object| {
            let (tree, bucket) = (tree.clone(), &bucket);
            async move {
                let outcome = delete_one(tree, bucket, &object).await;
                (object.key, outcome)
            }
        })
        .buffered(AT_ONCE)
        .collect()
        .await;
    let quiet = asked.quiet.unwrap_or(false);
    let mut output = DeleteObjectsOutput::default();
    for (key, outcome) in outcomes {
        match outcome {
            Ok(()) if quiet => {}
            Ok(()) => output
                .deleted
                .get_or_insert_default()
                .push(DeletedObject { key: Some(key), ..DeletedObject::default() }),
            Err(error) => output.errors.get_or_insert_default().push(FailedObject {
                code: Some(error.code().as_str().to_owned()),
                message: error.message().map(str::to_owned),
                key: Some(key),
                version_id: None,
            }),
        }
    }
    Ok(S3Response::new(output))
}

async fn delete_one(tree: Tree, bucket: &Bucket, object: &ObjectIdentifier) -> S3Result<()> {
    get_object::refuse_versions(object.version_id.as_deref())?;
    let if_match = object
        .e_tag
        .as_ref()
        .map(|tag| cellgate_core::http::conditional::ETags::List(vec![tag.value().to_owned()]));
    let how = Remove {
        conditions: Conditions { if_match, ..Conditions::default() },
        size: object.size.map(|size| u64::try_from(size).unwrap_or(u64::MAX)),
        mtime_s: object.last_modified_time.as_ref().map(seconds),
        ..Remove::default()
    };
    delete(tree, bucket.key(&object.key)?, how).await
}

/// What is not there is deleted already; but no condition holds for it.
async fn delete(tree: Tree, key: Key, how: Remove) -> S3Result<()> {
    let conditional = how.conditions != Conditions::default() || how.size.is_some() || how.mtime_s.is_some();
    match remove(tree, key, how).await {
        Ok(()) => Ok(()),
        Err(Error::NotFound(path) | Error::ParentMissing(path) | Error::NotACollection(path)) => {
            if conditional {
                return Err(error::answer(Error::PreconditionFailed(path)));
            }
            Ok(())
        }
        Err(Error::NotEmpty(_)) => Ok(()),
        Err(error) => Err(error::answer(error)),
    }
}

async fn remove(tree: Tree, key: Key, how: Remove) -> Result<(), Error> {
    // Workspaces are no objects: `io/<workspace>/` can be listed, never deleted.
    if key.path().depth() < 2 {
        return Err(Error::NotFound(key.path().to_string()));
    }
    let kind = match &key {
        Key::Leaf(_) => NodeKind::Leaf,
        Key::Folder(_) => NodeKind::Collection,
    };
    let how = Remove { removal: Removal::Permanent, only_empty: true, kind: Some(kind), ..how };
    survive(async move { tree.remove(key.path(), &how).await }).await?;
    Ok(())
}

/// Seconds since the epoch.
fn seconds(time: &Timestamp) -> i64 {
    let time: OffsetDateTime = time.clone().into();
    time.unix_timestamp()
}
