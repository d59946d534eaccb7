//! Copying and renaming.
//!
//! Within one datasource a rename is one row and a copy of a leaf shares its blob. A copied
//! collection is built out of sight, in limbo, a batch of rows per commit, and appears with the last
//! one. Between datasources, and into `structured` ones, bytes have to be copied leaf by leaf; there
//! a copy that fails half-way leaves the leaves it has made.

use crate::change::ChangeKind;
use crate::content::{Algorithm, Checksum};
use crate::digest::Digester;
use crate::error::{Error, Result};
use crate::http::date::now_ns;
use crate::listing::{Depth, Listing};
use crate::node::{Attributes, Content, Node, NodeId, NodeKind};
use crate::parts;
use crate::path::NodePath;
use crate::ports::{Form, NewNode, Source, Span, Stamp, Txn};
use crate::tree::access::{Found, Place, fresh_etag, shown};
use crate::tree::content::{Held, StagedGuard, base64, into_stream, release};
use crate::tree::mime;
use crate::tree::write::Dress;
use crate::tree::{Existing, Parents, Removal, Remove, TAGS, Transfer, Tree, Write, Written};

/// Rows of a hidden copy per commit: long enough to share the fsync, short enough to let others in.
const COPY_BATCH: usize = 500;
/// Namespaces of metadata that a copy takes along.
const COPIED_META: [&str; 2] = ["dav", "user"];

impl Tree {
    /// Renames or moves a node with all below it, in one commit within a datasource.
    pub async fn rename(&self, from: &NodePath, to: &NodePath, how: &Transfer) -> Result<Written> {
        let (source, target) =
            (self.place_below_root(from, "move").await?, self.place_below_root(to, "move to").await?);
        self.find_at(&source).await?;
        self.find_at(&target).await?;
        if source.mounted.root.id != target.mounted.root.id {
            return self.move_across(from, to, how).await;
        }
        let (tree, how) = (self.clone(), how.clone());
        let written = self
            .core
            .commit(move |txn| Box::pin(async move { tree.rename_in(txn, &source, target, &how).await }))
            .await?;
        self.core.janitor().wake();
        Ok(written)
    }

    pub(crate) async fn rename_in(
        &self,
        txn: &mut dyn Txn,
        source: &Place,
        mut target: Place,
        how: &Transfer,
    ) -> Result<Written> {
        let from = self.find_in(txn, source).await?;
        let mut node = self.leaving(txn, source, &from, how).await?;
        let mut to = self.find_in(txn, &target).await?;
        if to.ancestry.iter().any(|above| above.id == node.id) {
            return Err(Error::Conflict(format!("`{}` cannot be moved onto or into itself", source.path)));
        }
        let replaced = self.arriving(txn, &mut target, &mut to, how).await?;
        if let Some(replaced) = &replaced
            && from.ancestry.iter().any(|above| above.id == replaced.id)
        {
            return Err(Error::Conflict(format!("`{}` holds what would replace it", target.path)));
        }
        let old_parent = node.parent;
        if let Some(replaced) = &replaced {
            // An editor that saves by renaming replaces a content, too.
            if replaced.is_leaf() && node.is_leaf() && target.leaves_markers() {
                self.leave_marker(txn, &target, &to).await?;
            } else {
                self.detach(txn, &target, &to).await?;
            }
            to.ancestry.pop();
            to.missing = 1;
        }
        self.make_collections(txn, &target, &mut to, 1).await?;
        let (Some(parent), Some(name)) = (to.ancestry.last(), target.names.last()) else {
            return Err(Error::internal("a move without a target"));
        };
        node.parent = parent.id;
        mime::rename(&mut node, name);
        txn.update_node(&node).await?;
        self.inherit(txn, &target, &node).await?;
        let now = now_ns();
        txn.touch(old_parent, now, &fresh_etag()).await?;
        if parent.id != old_parent {
            txn.touch(parent.id, now, &fresh_etag()).await?;
            self.left(txn, source, &from).await?;
        }
        let change =
            self.change(ChangeKind::Move, &node, Some(source.admin_path()), Some(target.admin_path()));
        txn.append_change(&change).await?;
        if target.mounted.bytes.form() == Form::Structured {
            target.mounted.bytes.rename(&source.names, &target.names)?;
        }
        let path = target.path.clone();
        Ok(Written { node: shown(&target, node), path, created: replaced.is_none() })
    }

    /// Checks that a node may leave its place, and answers it.
    pub(crate) async fn leaving(
        &self,
        txn: &mut dyn Txn,
        source: &Place,
        from: &Found,
        how: &Transfer,
    ) -> Result<Node> {
        self.require_read(source, from)?;
        let node = from.node().cloned().ok_or_else(|| Error::NotFound(source.path.to_string()))?;
        if source.is_root() {
            return Err(Error::Denied { path: source.path.to_string(), right: "move" });
        }
        self.require_write(source, from, "move")?;
        how.source.check_write(Some(&node), &source.path.to_string())?;
        self.require_unlocked(txn, source, from, true, &how.tokens).await?;
        self.require_unlocked_below(txn, &source.path, &node, &how.tokens).await?;
        Ok(node)
    }

    /// Checks that a node may arrive at a place, and answers the one it replaces. `target` changes
    /// when a free name is taken.
    async fn arriving(
        &self,
        txn: &mut dyn Txn,
        target: &mut Place,
        to: &mut Found,
        how: &Transfer,
    ) -> Result<Option<Node>> {
        self.require_write(target, to, "write")?;
        if target.is_root() {
            return Err(Error::Denied { path: target.path.to_string(), right: "replace" });
        }
        self.require_collections(target, to)?;
        if to.missing > 1 && how.parents == Parents::MustExist {
            return Err(Error::ParentMissing(target.path.to_string()));
        }
        let shown_path = target.path.to_string();
        how.target.check_write(to.node(), &shown_path)?;
        let mut replaced = to.node().cloned();
        if how.leaf_only && replaced.as_ref().is_some_and(Node::is_collection) {
            return Err(Error::IsACollection(shown_path));
        }
        if let Some(node) = &replaced {
            match how.existing {
                Existing::Refuse => return Err(Error::AlreadyExists(shown_path)),
                Existing::Replace => {
                    let node = node.clone();
                    self.require_unlocked_below(txn, &target.path, &node, &how.tokens).await?;
                }
                Existing::Rename => {
                    *target = self.free_name(txn, target, to).await?;
                    to.ancestry.pop();
                    to.missing = 1;
                    replaced = None;
                }
            }
        }
        self.require_unlocked(txn, target, to, true, &how.tokens).await?;
        Ok(replaced)
    }

    /// Takes the node at a place out of the tree, into limbo; the janitor does the rest. Whoever
    /// calls appends the change.
    pub(crate) async fn detach(&self, txn: &mut dyn Txn, place: &Place, found: &Found) -> Result<()> {
        let Some(node) = found.node() else { return Ok(()) };
        let mut ids = vec![node.id];
        let mut locks = txn.locks_on(&ids, now_ns()).await?;
        if node.is_collection() {
            locks.extend(txn.locks_below(node.id, now_ns()).await?);
        }
        for lock in locks {
            txn.delete_lock(&lock.token).await?;
        }
        ids.clear();
        let mut gone = node.clone();
        gone.parent = NodeId::LIMBO;
        gone.name = crate::janitor::limbo_name(&place.mounted.name, node.uuid);
        txn.update_node(&gone).await?;
        if place.mounted.bytes.form() == Form::Structured {
            place.mounted.bytes.detach(&place.names)?;
        }
        Ok(())
    }

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
        use futures_util::TryStreamExt as _;
        let stamp = Stamp { size: node.size, mtime_ns: node.mtime_ns };
        let bits =
            self.open_content(&place.mounted, &node.content, &place.names, stamp, 0, node.size).await?;
        let mut digester = Digester::new(algorithms);
        let mut stream = into_stream(bits);
        while let Some(bytes) = stream.try_next().await? {
            digester.update(&bytes).await?;
        }
        let mut digests = Attributes::default();
        for sum in digester.finish().await?.1 {
            digests.set(Checksum::attribute(sum.algorithm), base64(&sum.value));
        }
        Ok(digests)
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

    /// A collection within one `flat` datasource: built in limbo, then attached.
    async fn copy_hidden(&self, source: Place, target: Place, node: Node, how: &Transfer) -> Result<Written> {
        // Refused before the work where that can be known; the last commit checks again.
        let (tree, place, checked) = (self.clone(), target.clone(), how.clone());
        self.core
            .commit(move |txn| {
                Box::pin(async move {
                    let mut place = place;
                    let mut to = tree.find_in(txn, &place).await?;
                    tree.arriving(txn, &mut place, &mut to, &checked).await.map(|_| ())
                })
            })
            .await?;
        let name = crate::janitor::copying_name(&source.mounted.name, uuid::Uuid::new_v4());
        let original = node.clone();
        let root = self
            .core
            .commit(move |txn| {
                Box::pin(async move {
                    let root = txn.insert_node(&copy_of(&original, NodeId::LIMBO, name)).await?;
                    for namespace in COPIED_META {
                        txn.copy_meta(original.id, root.id, namespace).await?;
                    }
                    Ok(root)
                })
            })
            .await?;
        let built = match how.shallow {
            true => Ok(()),
            false => self.copy_below(&source, node.id, root.id).await,
        };
        let attached = match built {
            Ok(()) => self.attach(root.clone(), target, how).await,
            Err(error) => Err(error),
        };
        if attached.is_err() {
            let datasource = source.mounted.name.clone();
            self.core
                .commit(move |txn| {
                    Box::pin(async move {
                        let mut root = root;
                        root.name = crate::janitor::limbo_name(&datasource, root.uuid);
                        txn.update_node(&root).await
                    })
                })
                .await?;
        }
        self.core.janitor().wake();
        attached
    }

    /// Copies the content of one collection into a hidden one, a batch of rows per commit.
    async fn copy_below(&self, source: &Place, from: NodeId, to: NodeId) -> Result<()> {
        let workspace = source.workspace.as_ref().map(|workspace| workspace.uuid);
        let mut open = vec![(from, to, None::<String>)];
        while let Some((from, to, after)) = open.pop() {
            let tree = self.clone();
            let (deeper, next) = self
                .core
                .commit(move |txn| {
                    Box::pin(async move {
                        let span =
                            Span { from: after, exclusive: true, limit: COPY_BATCH, ..Span::default() };
                        let children = txn.children(from, &span).await?;
                        let next = (children.len() == COPY_BATCH)
                            .then(|| children.last().map(Node::sort_key))
                            .flatten();
                        let mut deeper = Vec::new();
                        for child in children {
                            let hidden = workspace.is_some()
                                && tree.principal.nodes.get(&child.id).is_some_and(|rights| !rights.read);
                            if hidden {
                                continue;
                            }
                            let copy = copy_of(&child, to, child.name.clone());
                            let copy = txn.insert_node(&copy).await?;
                            for namespace in COPIED_META {
                                txn.copy_meta(child.id, copy.id, namespace).await?;
                            }
                            if child.is_collection() {
                                deeper.push((child.id, copy.id, None));
                            }
                        }
                        Ok((deeper, next))
                    })
                })
                .await?;
            if next.is_some() {
                open.push((from, to, next));
            }
            open.extend(deeper);
        }
        Ok(())
    }

    /// Gives a hidden copy its place, replacing what is there.
    async fn attach(&self, root: Node, target: Place, how: &Transfer) -> Result<Written> {
        let (tree, how) = (self.clone(), how.clone());
        self.core
            .commit(move |txn| {
                Box::pin(async move {
                    let (mut root, mut target) = (root, target);
                    let mut to = tree.find_in(txn, &target).await?;
                    let replaced = tree.arriving(txn, &mut target, &mut to, &how).await?;
                    if replaced.is_some() {
                        tree.detach(txn, &target, &to).await?;
                        to.ancestry.pop();
                        to.missing = 1;
                    }
                    tree.make_collections(txn, &target, &mut to, 1).await?;
                    let (Some(parent), Some(name)) = (to.ancestry.last(), target.names.last()) else {
                        return Err(Error::internal("a copy without a target"));
                    };
                    root.parent = parent.id;
                    root.name.clone_from(name);
                    txn.update_node(&root).await?;
                    txn.touch(parent.id, now_ns(), &fresh_etag()).await?;
                    let to = Some(target.admin_path());
                    txn.append_change(&tree.change(ChangeKind::Create, &root, None, to)).await?;
                    let path = target.path.clone();
                    Ok(Written { node: shown(&target, root), path, created: replaced.is_none() })
                })
            })
            .await
    }

    /// A collection between datasources or on disk: node by node.
    async fn copy_each(&self, from: &NodePath, to: &NodePath, how: &Transfer) -> Result<Written> {
        let mut target = to.clone();
        let mut made = match how.existing {
            Existing::Replace => match self.stat(to).await {
                Ok(_) => {
                    let gone = Remove {
                        removal: Removal::Permanent,
                        conditions: how.target.clone(),
                        tokens: how.tokens.clone(),
                        ..Remove::default()
                    };
                    self.remove(to, &gone).await?;
                    false
                }
                Err(Error::NotFound(_)) => true,
                Err(error) => return Err(error),
            },
            Existing::Refuse | Existing::Rename => true,
        };
        let existing = if how.existing == Existing::Replace { Existing::Refuse } else { how.existing };
        let root = self.create_collection(&target, how.parents, existing, &how.tokens).await?;
        target.clone_from(&root.path);
        made &= root.created;
        if !how.shallow {
            let below = Transfer { tokens: how.tokens.clone(), ..Transfer::default() };
            let mut listing = Listing { depth: Depth::Infinity, ..Listing::default() };
            loop {
                let page = self.list(from, &listing).await?;
                for entry in page.entries {
                    let (from, to) = (from.descend(&entry.key)?, target.descend(&entry.key)?);
                    if entry.node.is_collection() {
                        self.create_collection(&to, Parents::MustExist, Existing::Replace, &how.tokens)
                            .await?;
                    } else {
                        Box::pin(self.copy(&from, &to, &below)).await?;
                    }
                }
                match page.next {
                    Some(next) => listing.after = Some(next),
                    None => break,
                }
            }
        }
        Ok(Written { created: made, ..root })
    }

    /// Between datasources: copy, then remove for good. The source goes last, so a failure leaves it.
    async fn move_across(&self, from: &NodePath, to: &NodePath, how: &Transfer) -> Result<Written> {
        let source = self.place_below_root(from, "move").await?;
        let (tree, checked) = (self.clone(), how.clone());
        self.core
            .commit(move |txn| {
                Box::pin(async move {
                    let found = tree.find_in(txn, &source).await?;
                    tree.leaving(txn, &source, &found, &checked).await.map(|_| ())
                })
            })
            .await?;
        let written = self.copy(from, to, how).await?;
        let gone = Remove {
            removal: Removal::Permanent,
            conditions: how.source.clone(),
            tokens: how.tokens.clone(),
            ..Remove::default()
        };
        self.remove(from, &gone).await?;
        Ok(written)
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

fn copy_of(node: &Node, parent: NodeId, name: String) -> NewNode {
    NewNode {
        uuid: uuid::Uuid::now_v7(),
        parent,
        name,
        kind: node.kind,
        size: node.size,
        mtime_ns: node.mtime_ns,
        created_ns: now_ns(),
        etag: if node.is_collection() { fresh_etag() } else { node.etag.clone() },
        mime: node.mime.clone(),
        content: node.content.clone(),
        attributes: node.attributes.clone(),
        version: None,
    }
}

/// Lets go of everything a node below limbo refers to; its row goes next.
pub(crate) async fn release_node(txn: &mut dyn Txn, datasource: &str, node: &Node) -> Result<()> {
    let versions = txn.versions(node.id).await?;
    txn.delete_node(node.id).await?;
    release(txn, datasource, &node.content).await?;
    for version in versions {
        release(txn, datasource, &version.content).await?;
    }
    Ok(())
}
