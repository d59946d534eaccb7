//! `GetObjectTagging`, `PutObjectTagging`, `DeleteObjectTagging`.
//!
//! Tags are of the content: an overwrite leaves them behind with its version, where they can be changed
//! as well; and changing them changes neither ETag nor time.

use cellgate_core::tree::{TAGS, VersionRef};
use cellgate_core::{Node, Tree};
use s3s::dto::{
    DeleteObjectTaggingInput, DeleteObjectTaggingOutput, GetObjectTaggingInput, GetObjectTaggingOutput,
    PutObjectTaggingInput, PutObjectTaggingOutput,
};
use s3s::{S3Error, S3ErrorCode, S3Request, S3Response, S3Result};

use super::get_object::missing;
use super::{Ops, survive};
use crate::address::Key;
use crate::tags::Tags;
use crate::{error, versions};

pub(crate) async fn get_object_tagging(
    ops: &Ops,
    req: S3Request<GetObjectTaggingInput>,
) -> S3Result<S3Response<GetObjectTaggingOutput>> {
    let (tree, bucket) = ops.open(&req.extensions, &req.input.bucket).await?;
    let version = versions::asked(req.input.version_id.as_deref())?;
    let key = bucket.key(&req.input.key)?;
    let node = match (&key, version) {
        (Key::Leaf(path), Some(asked)) => match tree.stat_version(path, asked).await {
            Ok(node) => node,
            Err(error) => return Err(versions::missing(&tree, path, version, error).await),
        },
        _ => object(&tree, &key).await?,
    };
    let tag_set = Tags::kept(&node.attributes).into_document();
    let version_id = versions::of(&tree, key.path(), &node).await;
    Ok(S3Response::new(GetObjectTaggingOutput { tag_set, version_id }))
}

pub(crate) async fn put_object_tagging(
    ops: &Ops,
    req: S3Request<PutObjectTaggingInput>,
) -> S3Result<S3Response<PutObjectTaggingOutput>> {
    let (tree, bucket) = ops.open(&req.extensions, &req.input.bucket).await?;
    let version = versions::asked(req.input.version_id.as_deref())?;
    let tags = Tags::of_document(req.input.tagging.tag_set)?;
    let version_id = set(tree, bucket.key(&req.input.key)?, version, tags).await?;
    Ok(S3Response::new(PutObjectTaggingOutput { version_id }))
}

pub(crate) async fn delete_object_tagging(
    ops: &Ops,
    req: S3Request<DeleteObjectTaggingInput>,
) -> S3Result<S3Response<DeleteObjectTaggingOutput>> {
    let (tree, bucket) = ops.open(&req.extensions, &req.input.bucket).await?;
    let version = versions::asked(req.input.version_id.as_deref())?;
    let version_id = set(tree, bucket.key(&req.input.key)?, version, Tags::default()).await?;
    Ok(S3Response::new(DeleteObjectTaggingOutput { version_id }))
}

/// Sets the tags of an object; answers its version's name.
async fn set(tree: Tree, key: Key, version: Option<VersionRef>, tags: Tags) -> S3Result<Option<String>> {
    let set = [(TAGS.to_owned(), Some(tags.text()).filter(|text| !text.is_empty()))];
    let (worker, path) = (tree.clone(), key.path().clone());
    let node = match (&key, version) {
        (Key::Leaf(_), Some(asked)) => {
            let of = path.clone();
            let changed = survive(async move { worker.set_version_attributes(&of, asked, &set, &[]).await });
            match changed.await {
                Ok(node) => node,
                Err(error) => return Err(versions::missing(&tree, &path, version, error).await),
            }
        }
        _ => {
            object(&tree, &key).await?;
            let of = path.clone();
            let changed = survive(async move { worker.set_attributes(&of, &set, None, None, &[]).await });
            changed.await.map_err(error::answer)?
        }
    };
    Ok(versions::of(&tree, &path, &node).await)
}

/// The node that a key names as an object.
async fn object(tree: &Tree, key: &Key) -> S3Result<Node> {
    let node = tree.stat(key.path()).await.map_err(missing)?;
    match key {
        Key::Leaf(_) if node.is_leaf() => Ok(node),
        Key::Folder(_) if node.is_collection() && !node.is_implied() => Ok(node),
        _ => Err(S3Error::new(S3ErrorCode::NoSuchKey)),
    }
}
