//! Writing leaves, making collections, setting metadata.

use crate::error::{Error, Result};
use crate::node::Node;
use crate::path::NodePath;
use crate::ports::ByteStream;
use crate::tree::{Existing, Parents, Tree, Write, Written};

impl Tree {
    /// Writes a leaf: answers once its bytes and its index row are durable and visible.
    pub async fn write(&self, path: &NodePath, body: ByteStream, how: Write) -> Result<Written> {
        let _ = (path, body, how);
        Err(Error::NotImplemented("write"))
    }

    /// Makes a collection. An existing collection is [`Error::AlreadyExists`] with
    /// [`Existing::Refuse`] and answered as it is with [`Existing::Replace`].
    pub async fn create_collection(
        &self,
        path: &NodePath,
        parents: Parents,
        existing: Existing,
        tokens: &[String],
    ) -> Result<Written> {
        let _ = (path, parents, existing, tokens);
        Err(Error::NotImplemented("create_collection"))
    }

    /// Replaces what `set` names of a leaf's attributes (`None` removes), media type or
    /// modification time, without touching its content.
    pub async fn set_attributes(
        &self,
        path: &NodePath,
        set: &[(String, Option<String>)],
        mime: Option<String>,
        mtime_ns: Option<i64>,
        tokens: &[String],
    ) -> Result<Node> {
        let _ = (path, set, mime, mtime_ns, tokens);
        Err(Error::NotImplemented("set_attributes"))
    }

    /// Sets (or with `None` removes) metadata of a node, all or nothing.
    pub async fn set_meta(
        &self,
        path: &NodePath,
        namespace: &str,
        values: &[(String, Option<String>)],
        tokens: &[String],
    ) -> Result<Node> {
        let _ = (path, namespace, values, tokens);
        Err(Error::NotImplemented("set_meta"))
    }
}
