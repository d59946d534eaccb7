//! Copying leaves. Within one `flat` datasource a copy shares the blob of its source; between
//! datasources, and into `structured` ones, the bytes have to be copied.

use crate::content::{Algorithm, Checksum};
use crate::error::{Error, Result};
use crate::node::{Attributes, Content, Node, NodeId, NodeKind};
use crate::parts;
use crate::path::NodePath;
use crate::ports::{Form, Source, Stamp, Txn};
use crate::tree::access::Place;
use crate::tree::content::{Held, StagedGuard, digested, into_stream};
use crate::tree::write::Dress;
use crate::tree::{TAGS, Transfer, Tree, Write, Written, mime};

/// Namespaces of metadata that a copy takes along.
pub(crate) const COPIED_META: [&str; 2] = ["dav", "user"];

impl Tree {
    /// Copies a node with all below it. The copy appears whole or not at all within `flat`
    /// datasources, and shares their blobs.
    pub async fn copy(&self, from: &NodePath, to: &NodePath, how: &Transfer) -> Result<Written> {
        let (source, target) =
            (self.place_below_root(from, "copy").await?, self.place_below_root(to, "copy to").await?);
        let found = self.find_at(&source).await?;
        self.require_read(&source, &found)?;
        let node = match how.version {
            Some(version) => self.stat_version(from, version).await?,
            None => found.node().ok_or_else(|| Error::NotFound(from.to_string()))?.clone(),
        };
        if how.leaf_only && node.is_collection() {
            return Err(Error::IsACollection(from.to_string()));
        }
        self.find_at(&target).await?;
        if node.is_collection() && target.path != source.path && target.path.is_within(&source.path) {
            return Err(Error::Conflict(format!("`{from}` cannot be copied into itself")));
        }
        let shares =
            source.mounted.root.id == target.mounted.root.id && source.mounted.bytes.form() == Form::Flat;
        match (node.kind, shares) {
            (NodeKind::Leaf, true) => self.copy_leaf(source, target, &node, how).await,
            (NodeKind::Leaf, false) => self.copy_bytes(&source, target, node, how).await,
            (NodeKind::Collection, true) if from != to => self.copy_hidden(source, target, node, how).await,
            (NodeKind::Collection, _) if from == to => {
                Err(Error::Conflict(format!("`{from}` cannot be copied onto itself")))
            }
            (NodeKind::Collection, _) => self.copy_each(from, to, how).await,
        }
    }

    /// A leaf within one `flat` datasource: a second row for the same content.
    async fn copy_leaf(&self, source: Place, target: Place, seen: &Node, how: &Transfer) -> Result<Written> {
        let lacking = lacking(seen, how);
        let digests = match lacking.is_empty() {
            true => Attributes::default(),
            false => self.digest(&source, seen, &lacking).await?,
        };
        let read = (!lacking.is_empty()).then(|| seen.content.clone());
        let (tree, how) = (self.clone(), how.clone());
        let written = self
            .core
            .commit(move |txn| {
                Box::pin(async move {
                    let from = tree.find_in(txn, &source).await?;
                    tree.require_read(&source, &from)?;
                    let node = tree.version_in(txn, &source, &from, how.version).await?;
                    how.source.check_write(Some(&node), &source.path.to_string())?;
                    if node.is_collection() {
                        return Err(Error::IsACollection(source.path.to_string()));
                    }
                    if read.is_some_and(|content| content != node.content) {
                        return Err(Error::Unavailable(format!("`{}` keeps changing", source.path)));
                    }
                    let mut dress = copied_dress(&node, &how);
                    dress.attributes.0.extend(digests.0);
                    tree.arrive_leaf(txn, target, node.content.clone(), None, dress, Some(node.id), &how)
                        .await
                })
            })
            .await?;
        self.core.janitor().wake();
        Ok(written)
    }

    /// Reads a leaf through further digests.
    async fn digest(&self, place: &Place, node: &Node, algorithms: &[Algorithm]) -> Result<Attributes> {
        let stamp = Stamp { size: node.size, mtime_ns: node.mtime_ns };
        let bits =
            self.open_content(&place.mounted, &node.content, &place.names, stamp, 0, node.size).await?;
        Ok(digested(into_stream(bits), algorithms).await?.1)
    }

    /// Puts a copied leaf at its target. `origin` is where its metadata is taken from.
    #[allow(clippy::too_many_arguments)]
    async fn arrive_leaf(
        &self,
        txn: &mut dyn Txn,
        mut target: Place,
        content: Content,
        held: Option<&Held>,
        dress: Dress,
        origin: Option<NodeId>,
        how: &Transfer,
    ) -> Result<Written> {
        let mut to = self.find_in(txn, &target).await?;
        let replaced = self.arriving(txn, &mut target, &mut to, how).await?;
        if replaced.as_ref().is_some_and(Node::is_collection) {
            self.detach(txn, &target, &to).await?;
            to.ancestry.pop();
            to.missing = 1;
        }
        let mut written = self.settle_leaf(txn, target, to, content, held, dress).await?;
        // A collection that made room was a node too.
        written.created = replaced.is_none();
        if let Some(origin) = origin
            && origin != written.node.id
        {
            for namespace in COPIED_META {
                txn.copy_meta(origin, written.node.id, namespace).await?;
            }
        }
        Ok(written)
    }

    /// A leaf whose bytes have to be copied: between datasources, or to another path on disk.
    async fn copy_bytes(&self, source: &Place, target: Place, node: Node, how: &Transfer) -> Result<Written> {
        how.source.check_write(Some(&node), &source.path.to_string())?;
        let stamp = Stamp { size: node.size, mtime_ns: node.mtime_ns };
        let same_disk = source.mounted.root.id == target.mounted.root.id;
        let lacking = lacking(&node, how);
        let mut digests = Attributes::default();
        let (held, size) = if same_disk && node.content == Content::Path {
            let path = Source::Path { names: &source.names, stamp };
            let staged = source.mounted.bytes.duplicate(path).await?;
            let size = staged.size;
            if !lacking.is_empty() {
                digests = self.digest(source, &node, &lacking).await?;
            }
            (Held::Staged(StagedGuard::new(target.mounted.clone(), staged)), size)
        } else {
            let bits =
                self.open_content(&source.mounted, &node.content, &source.names, stamp, 0, node.size).await?;
            let mut write = Write { size: Some(node.size), compute: lacking, ..Write::default() };
            let received = self.receive(&target.mounted, into_stream(bits), &mut write).await?;
            digests = received.digests;
            (received.bytes, received.size)
        };
        let mut dress = copied_dress(&node, how);
        dress.size = size;
        dress.attributes.0.extend(digests.0);
        let (tree, how, origin) = (self.clone(), how.clone(), node.id);
        let work = async move {
            let held = std::sync::Arc::new(held);
            let (worker, bytes, core) = (tree.clone(), held.clone(), tree.core.clone());
            let written = core
                .commit(move |txn| {
                    Box::pin(async move {
                        let content = crate::tree::content::put_content(txn, &target.mounted, &bytes).await?;
                        worker
                            .arrive_leaf(txn, target, content, Some(&bytes), dress, Some(origin), &how)
                            .await
                    })
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
}

/// The digests to read the source for: those it is asked for and has only of its parts, or not.
fn lacking(node: &Node, how: &Transfer) -> Vec<Algorithm> {
    let has = |algorithm: &Algorithm| {
        node.attributes.get(&Checksum::attribute(*algorithm)).is_some_and(|value| !value.contains('-'))
    };
    how.compute.iter().filter(|algorithm| !has(algorithm)).copied().collect()
}

fn copied_dress(node: &Node, how: &Transfer) -> Dress {
    let (mut attributes, mime) = match &how.replace {
        Some((attributes, mime)) => {
            let mut attributes = attributes.clone();
            // Digests belong to the bytes, which stay.
            for (key, value) in &node.attributes.0 {
                if parts::is_of_bytes(key) || key == TAGS {
                    attributes.set(key.clone(), value.clone());
                }
            }
            (attributes, mime.clone())
        }
        None => (node.attributes.clone(), mime::given_mime(node)),
    };
    parts::forget_upload(&mut attributes);
    if !how.compute.is_empty() {
        parts::keep_digests(&mut attributes, &how.compute);
    }
    match how.tags.as_deref() {
        None => {}
        Some("") => {
            attributes.0.remove(TAGS);
        }
        Some(tags) => attributes.set(TAGS, tags),
    }
    Dress { size: node.size, etag: node.etag.clone(), mime, mtime_ns: None, attributes }
}
