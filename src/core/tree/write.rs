//! Writing leaves, making collections, setting metadata.

use crate::change::ChangeKind;
use crate::error::{Error, Result};
use crate::http::date::now_ns;
use crate::node::{Attributes, Content, Node, NodeKind};
use crate::path::NodePath;
use crate::ports::{ByteStream, Form, NewNode, Txn};
use crate::tree::access::{Found, Place, fresh_etag, shown};
use crate::tree::content::{Held, Received, put_content};
use crate::tree::folder_id::FOLDER_ID;
use crate::tree::mime;
use crate::tree::{Existing, Parents, Tree, Write, Written};

/// How many names `Existing::Rename` tries before it gives up.
const RENAME_TRIES: u32 = 1_000;

/// Everything of a new content but its bytes.
pub(crate) struct Dress {
    pub size: u64,
    pub etag: String,
    pub mime: Option<String>,
    pub mtime_ns: Option<i64>,
    pub attributes: Attributes,
}

impl Dress {
    pub(crate) fn of(received: &Received, how: &mut Write) -> Self {
        let mut attributes = std::mem::take(&mut how.attributes);
        attributes.0.extend(received.digests.0.clone());
        Self {
            size: received.size,
            etag: received.md5.clone(),
            mime: how.mime.take(),
            mtime_ns: how.mtime_ns,
            attributes,
        }
    }
}

impl Tree {
    /// Writes a leaf: answers once its bytes and its index row are durable and visible.
    pub async fn write(&self, path: &NodePath, body: ByteStream, mut how: Write) -> Result<Written> {
        if path.name() == Some(FOLDER_ID) {
            return self.write_folder_id(path, body, how).await;
        }
        let place = self.place_below_root(path, "write").await?;
        // Refused before the body is read where that can be known; the commit checks again.
        self.check_leaf(&place, &self.find_at(&place).await?, &how)?;
        let received = self.receive(&place.mounted, body, &mut how).await?;
        let dress = Dress::of(&received, &mut how);
        self.commit_leaf(place, received.bytes, dress, how).await
    }

    /// Puts received bytes into the tree. Runs to its end even if the caller is dropped, so that
    /// the bytes are either the tree's or removed.
    pub(crate) async fn commit_leaf(
        &self,
        place: Place,
        held: Held,
        dress: Dress,
        how: Write,
    ) -> Result<Written> {
        let tree = self.clone();
        let work = async move {
            let held = std::sync::Arc::new(held);
            let (worker, bytes, core) = (tree.clone(), held.clone(), tree.core.clone());
            let written = core
                .commit(move |txn| {
                    Box::pin(async move { worker.put_leaf(txn, place, &bytes, dress, &how).await })
                })
                .await?;
            if let Some(Held::Staged(guard)) = std::sync::Arc::into_inner(held) {
                guard.keep().await;
            }
            tree.core.janitor().wake();
            Ok(written)
        };
        tokio::spawn(work).await.map_err(Error::internal)?
    }

    pub(crate) fn check_leaf(&self, place: &Place, found: &Found, how: &Write) -> Result<()> {
        self.require_write(place, found, "write")?;
        if place.is_root() {
            return Err(Error::IsACollection(place.path.to_string()));
        }
        self.require_collections(place, found)?;
        if found.missing > 1 && how.parents == Parents::MustExist {
            return Err(Error::ParentMissing(place.path.to_string()));
        }
        match (found.node(), how.existing) {
            (Some(_), Existing::Refuse) => return Err(Error::AlreadyExists(place.path.to_string())),
            (Some(node), Existing::Replace) if node.is_collection() => {
                return Err(Error::IsACollection(place.path.to_string()));
            }
            (Some(_), Existing::Rename) => return Ok(()),
            _ => {}
        }
        how.conditions.check_write(found.node(), &place.path.to_string())
    }

    async fn put_leaf(
        &self,
        txn: &mut dyn Txn,
        mut place: Place,
        held: &Held,
        dress: Dress,
        how: &Write,
    ) -> Result<Written> {
        let mut found = self.find_in(txn, &place).await?;
        self.check_leaf(&place, &found, how)?;
        if found.node().is_some() && how.existing == Existing::Rename {
            place = self.free_name(txn, &place, &found).await?;
            found.ancestry.pop();
            found.missing = 1;
        }
        let membership = found.node().is_none();
        self.require_unlocked(txn, &place, &found, membership, &how.tokens).await?;
        let content = put_content(txn, &place.mounted, held).await?;
        self.settle_leaf(txn, place, found, content, Some(held), dress).await
    }

    /// Gives a checked place its content: inserts the leaf, or replaces what it had. `held` is what
    /// a `structured` datasource publishes, as the last step.
    pub(crate) async fn settle_leaf(
        &self,
        txn: &mut dyn Txn,
        place: Place,
        mut found: Found,
        content: Content,
        held: Option<&Held>,
        dress: Dress,
    ) -> Result<Written> {
        let now = now_ns();
        let mut attributes = dress.attributes;
        let mime = mime::settled(dress.mime, place.path.name().unwrap_or_default(), &mut attributes);
        let mtime_ns = dress.mtime_ns.unwrap_or(now);
        let old = if found.missing == 0 { found.ancestry.pop() } else { None };
        let created = old.is_none();
        if created {
            self.make_collections(txn, &place, &mut found, 1).await?;
        }
        let mut node = match old {
            None => {
                let parent = found.ancestry.last().map(|node| node.id);
                let (Some(parent), Some(name)) = (parent, place.names.last()) else {
                    return Err(Error::internal("a leaf without a parent"));
                };
                let new = NewNode {
                    uuid: uuid::Uuid::now_v7(),
                    parent,
                    name: name.clone(),
                    kind: NodeKind::Leaf,
                    size: dress.size,
                    mtime_ns,
                    created_ns: now,
                    etag: dress.etag,
                    mime,
                    content,
                    attributes,
                    version: place.new_version(),
                };
                let node = txn.insert_node(&new).await?;
                self.inherit(txn, &place, &node).await?;
                txn.touch(parent, now, &fresh_etag()).await?;
                node
            }
            Some(old) => {
                let mut node = old.clone();
                node.size = dress.size;
                node.mtime_ns = mtime_ns;
                node.etag = dress.etag;
                node.mime = mime;
                node.content = content;
                node.attributes = attributes;
                node.version = place.new_version();
                txn.update_node(&node).await?;
                self.retire(txn, &place, old).await?;
                node
            }
        };
        let kind = if created { ChangeKind::Create } else { ChangeKind::Update };
        let change = self.change(kind, &node, None, Some(place.admin_path()));
        txn.append_change(&change).await?;
        if place.mounted.bytes.form() == Form::Structured
            && let Some(Held::Staged(guard)) = held
        {
            let stamp = place.mounted.bytes.publish(guard.blob(), &place.names, dress.mtime_ns)?;
            // The disk's time is the stamp by which outside changes are told.
            if stamp.mtime_ns != node.mtime_ns {
                node.mtime_ns = stamp.mtime_ns;
                txn.update_node(&node).await?;
            }
        }
        let path = place.path.clone();
        Ok(Written { node: shown(&place, node), path, created })
    }

    /// The next free name beside a taken one: `a.txt`, `a (1).txt`, `a (2).txt`.
    pub(crate) async fn free_name(&self, txn: &mut dyn Txn, place: &Place, found: &Found) -> Result<Place> {
        let (Some(parent), Some(name)) = (found.parent(), place.path.name()) else {
            return Err(Error::internal("a taken name without a parent"));
        };
        for number in 1..=RENAME_TRIES {
            let candidate = numbered(name, number);
            if txn.child(parent.id, &candidate).await?.is_none() {
                return place.with_name(&candidate);
            }
        }
        Err(Error::AlreadyExists(place.path.to_string()))
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
        self.create_collection_with(path, parents, existing, None, tokens).await
    }

    /// The same, with attributes of its own; one that is there already takes them over.
    pub async fn create_collection_with(
        &self,
        path: &NodePath,
        parents: Parents,
        existing: Existing,
        attributes: Option<Attributes>,
        tokens: &[String],
    ) -> Result<Written> {
        let mut place = self.place_below_root(path, "create").await?;
        self.find_at(&place).await?;
        let (tree, tokens) = (self.clone(), tokens.to_vec());
        let attributes = self.by_name(attributes);
        self.core
            .commit(move |txn| {
                Box::pin(async move {
                    let mut found = tree.find_in(txn, &place).await?;
                    if let Some(node) = found.node() {
                        tree.require_read(&place, &found)?;
                        let refused =
                            existing == Existing::Refuse && !(tree.speaks_keys() && node.is_implied());
                        if refused || (existing == Existing::Replace && node.is_leaf()) {
                            return Err(Error::AlreadyExists(place.path.to_string()));
                        }
                        if existing != Existing::Rename {
                            let (mut node, path) = (node.clone(), place.path.clone());
                            if let Some(attributes) = attributes.filter(|new| *new != node.attributes) {
                                tree.require_write(&place, &found, "change")?;
                                tree.require_unlocked(txn, &place, &found, false, &tokens).await?;
                                node.attributes = attributes;
                                txn.update_node(&node).await?;
                                let to = Some(place.admin_path());
                                txn.append_change(&tree.change(ChangeKind::Meta, &node, None, to)).await?;
                            }
                            return Ok(Written { node: shown(&place, node), path, created: false });
                        }
                        place = tree.free_name(txn, &place, &found).await?;
                        found.ancestry.pop();
                        found.missing = 1;
                    }
                    tree.require_write(&place, &found, "create")?;
                    tree.require_collections(&place, &found)?;
                    if found.missing > 1 && parents == Parents::MustExist {
                        return Err(Error::ParentMissing(place.path.to_string()));
                    }
                    tree.require_unlocked(txn, &place, &found, true, &tokens).await?;
                    tree.make_collections(txn, &place, &mut found, 0).await?;
                    let mut node =
                        found.ancestry.pop().ok_or_else(|| Error::internal("a new collection is missing"))?;
                    if let Some(attributes) = attributes.filter(|attributes| !attributes.is_empty()) {
                        node.attributes = attributes;
                        txn.update_node(&node).await?;
                    }
                    let path = place.path.clone();
                    Ok(Written { node: shown(&place, node), path, created: true })
                })
            })
            .await
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
        let set = set.to_vec();
        self.change_node(path, tokens, move |txn, place, mut node| {
            Box::pin(async move {
                node.attributes.change(&set);
                if mime.is_some() {
                    node.mime = mime::settled(mime, &node.name, &mut node.attributes);
                }
                if let Some(mtime_ns) = mtime_ns {
                    node.mtime_ns = mtime_ns;
                    if node.content == Content::Path {
                        node.mtime_ns = place.mounted.bytes.set_mtime(&place.names, mtime_ns)?.mtime_ns;
                    }
                }
                txn.update_node(&node).await?;
                Ok(node)
            })
        })
        .await
    }

    /// Sets (or with `None` removes) metadata of a node, all or nothing.
    pub async fn set_meta(
        &self,
        path: &NodePath,
        namespace: &str,
        values: &[(String, Option<String>)],
        tokens: &[String],
    ) -> Result<Node> {
        let (namespace, values) = (namespace.to_owned(), values.to_vec());
        self.change_node(path, tokens, move |txn, _, node| {
            Box::pin(async move {
                for (name, value) in &values {
                    txn.set_meta(node.id, &namespace, name, value.as_deref()).await?;
                }
                Ok(node)
            })
        })
        .await
    }

    /// A change of an existing node that leaves its place and content alone.
    async fn change_node<F>(&self, path: &NodePath, tokens: &[String], work: F) -> Result<Node>
    where
        F: for<'t> FnOnce(
                &'t mut dyn Txn,
                &'t Place,
                Node,
            ) -> futures_util::future::BoxFuture<'t, Result<Node>>
            + Send
            + 'static,
    {
        let place = self.place_below_root(path, "change").await?;
        self.find_at(&place).await?;
        let (tree, tokens) = (self.clone(), tokens.to_vec());
        self.core
            .commit(move |txn| {
                Box::pin(async move {
                    let found = tree.find_in(txn, &place).await?;
                    tree.require_read(&place, &found)?;
                    let node =
                        found.node().cloned().ok_or_else(|| Error::NotFound(place.path.to_string()))?;
                    tree.require_write(&place, &found, "change")?;
                    tree.require_unlocked(txn, &place, &found, false, &tokens).await?;
                    let node = work(txn, &place, node).await?;
                    let to = Some(place.admin_path());
                    txn.append_change(&tree.change(ChangeKind::Meta, &node, None, to)).await?;
                    Ok(shown(&place, node))
                })
            })
            .await
    }
}

/// `a.txt` → `a (1).txt`; what has no extension gets the number at its end.
pub(crate) fn numbered(name: &str, number: u32) -> String {
    match name.rsplit_once('.') {
        Some((stem, extension)) if !stem.is_empty() => format!("{stem} ({number}).{extension}"),
        _ => format!("{name} ({number})"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_name_gets_a_number_before_its_extension() {
        for (name, expected) in [
            ("a.txt", "a (2).txt"),
            ("a", "a (2)"),
            (".profile", ".profile (2)"),
            ("a.tar.gz", "a.tar (2).gz"),
        ] {
            assert_eq!(numbered(name, 2), expected);
        }
    }
}
