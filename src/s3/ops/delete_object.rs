//! `DeleteObject`, `DeleteObjects`.
//!
//! S3 deletes for good: nothing goes to a recycle bin. Where versions are kept, an object leaves a
//! delete marker and its versions; one of those, or the marker, is deleted by its id. A folder's key
//! (`folder/`) deletes the folder only when it is empty; what else it holds has keys of its own. As with
//! Amazon a key that is not there gets a delete marker as well, but not below an object (`a/b` beside
//! `a`), and no folder's.

use cellgate_core::http::conditional::Conditions;
use cellgate_core::listing::FileVersion;
use cellgate_core::node::NodeKind;
use cellgate_core::tree::{Removal, Remove, VersionRef};
use cellgate_core::{Error, Tree};
use futures_util::{StreamExt as _, stream};
use s3s::dto::{
    DeleteObjectInput, DeleteObjectOutput, DeleteObjectsInput, DeleteObjectsOutput, DeletedObject,
    Error as FailedObject, ObjectIdentifier,
};
use s3s::{S3Error, S3ErrorCode, S3Request, S3Response, S3Result};

use super::{Ops, survive};
use crate::address::{Bucket, Key};
use crate::{error, headers, versions};

/// Amazon's limit on one request.
const KEYS_MAX: usize = 1_000;
/// Removals that wait for one commit together.
const AT_ONCE: usize = 128;

pub(crate) async fn delete_object(
    ops: &Ops,
    req: S3Request<DeleteObjectInput>,
) -> S3Result<S3Response<DeleteObjectOutput>> {
    let (tree, bucket) = ops.open(&req.extensions, &req.input.bucket).await?;
    let version = versions::asked(req.input.version_id.as_deref())?;
    let how = Remove {
        conditions: headers::write_conditions(&req.headers)?,
        size: req.input.if_match_size.map(|size| u64::try_from(size).unwrap_or(u64::MAX)),
        mtime_s: req.input.if_match_last_modified_time.as_ref().map(headers::seconds),
        ..Remove::default()
    };
    let gone = delete(tree, bucket.key(&req.input.key)?, version, how).await?;
    let (version_id, marker) = match gone {
        Gone::Nothing => (req.input.version_id, false),
        Gone::Version(version) => (Some(versions::name(version.reference())), version.marker),
        Gone::Marked(marker) => (Some(versions::name(marker.reference())), true),
    };
    let delete_marker = marker.then_some(true);
    Ok(S3Response::new(DeleteObjectOutput { delete_marker, version_id, ..DeleteObjectOutput::default() }))
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
                (object, outcome)
            }
        })
        .buffered(AT_ONCE)
        .collect()
        .await;
    let quiet = asked.quiet.unwrap_or(false);
    let mut output = DeleteObjectsOutput::default();
    for (object, outcome) in outcomes {
        match outcome {
            Ok(_) if quiet => {}
            Ok(gone) => output.deleted.get_or_insert_default().push(deleted(object, gone)),
            Err(error) => output.errors.get_or_insert_default().push(FailedObject {
                code: Some(error.code().as_str().to_owned()),
                message: error.message().map(str::to_owned),
                key: Some(object.key),
                version_id: object.version_id,
            }),
        }
    }
    Ok(S3Response::new(output))
}

/// What a deletion did.
enum Gone {
    /// There was nothing to delete, or nothing with versions.
    Nothing,
    Version(Box<FileVersion>),
    /// The object, which left this delete marker.
    Marked(Box<FileVersion>),
}

fn deleted(object: ObjectIdentifier, gone: Gone) -> DeletedObject {
    let mut deleted =
        DeletedObject { key: Some(object.key), version_id: object.version_id, ..DeletedObject::default() };
    match gone {
        Gone::Nothing => {}
        Gone::Version(version) if !version.marker => {}
        Gone::Version(marker) | Gone::Marked(marker) => {
            deleted.delete_marker = Some(true);
            deleted.delete_marker_version_id = Some(versions::name(marker.reference()));
        }
    }
    deleted
}

async fn delete_one(tree: Tree, bucket: &Bucket, object: &ObjectIdentifier) -> S3Result<Gone> {
    let version = versions::asked(object.version_id.as_deref())?;
    let if_match = object
        .e_tag
        .as_ref()
        .map(|tag| cellgate_core::http::conditional::ETags::List(vec![tag.value().to_owned()]));
    let how = Remove {
        conditions: Conditions { if_match, ..Conditions::default() },
        size: object.size.map(|size| u64::try_from(size).unwrap_or(u64::MAX)),
        mtime_s: object.last_modified_time.as_ref().map(headers::seconds),
        ..Remove::default()
    };
    delete(tree, bucket.key(&object.key)?, version, how).await
}

/// What is not there is deleted already; but no condition holds for it.
async fn delete(tree: Tree, key: Key, version: Option<VersionRef>, how: Remove) -> S3Result<Gone> {
    let conditional = how.conditions != Conditions::default() || how.size.is_some() || how.mtime_s.is_some();
    let absent = |path| match conditional {
        true => Err(error::answer(Error::PreconditionFailed(path))),
        false => Ok(Gone::Nothing),
    };
    match remove(tree, key, version, how).await {
        Ok(gone) => Ok(gone),
        Err(Error::NotFound(path) | Error::ParentMissing(path) | Error::NoSuchVersion(path)) => absent(path),
        // With a version: what it would bring back has no place.
        Err(Error::NotACollection(path)) if version.is_none() => absent(path),
        Err(Error::NotEmpty(_)) => Ok(Gone::Nothing),
        Err(error) => Err(error::answer(error)),
    }
}

async fn remove(tree: Tree, key: Key, version: Option<VersionRef>, how: Remove) -> Result<Gone, Error> {
    // Workspaces are no objects: `io/<workspace>/` can be listed, never deleted.
    if key.path().depth() < 2 {
        return Err(Error::NotFound(key.path().to_string()));
    }
    match (&key, version) {
        (Key::Leaf(_), Some(version)) => {
            let gone = survive(async move { tree.remove_version(key.path(), version, &how).await }).await?;
            return Ok(Gone::Version(Box::new(gone)));
        }
        // A folder has the one version `null`.
        (Key::Folder(path), Some(VersionRef::Id(_))) => return Err(Error::NoSuchVersion(path.to_string())),
        _ => {}
    }
    let kind = match &key {
        Key::Leaf(_) => NodeKind::Leaf,
        Key::Folder(_) => NodeKind::Collection,
    };
    let how = Remove { removal: Removal::Marked, only_empty: true, kind: Some(kind), ..how };
    let removed = survive(async move { tree.remove(key.path(), &how).await }).await?;
    Ok(removed.marker.map_or(Gone::Nothing, |marker| Gone::Marked(Box::new(marker))))
}
