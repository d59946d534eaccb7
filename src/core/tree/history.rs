//! What a commit does to the history of a leaf.
//!
//! A leaf's history is its row, which is the newest version, and the [`Version`] rows that hang on
//! it. A removal that is to be undone leaves a *delete marker*: the row moves, with its history, to
//! the hidden parent [`NodeId::removed_below`] of its collection, where no path and no listing of the
//! tree leads. So a removed leaf is gone for every operation that does not ask for versions, and its
//! collection is empty when only markers are left in it (`shadows`); they go with it. Where nothing is
//! to be removed, a marker is a row of its own, on top of the one before if there is one.
//!
//! A leaf that appears where a marker stands takes over the marker's history. At most one version
//! of a leaf was written while its workspace kept none (S3's `null` version).

use uuid::Uuid;

use crate::change::ChangeKind;
use crate::error::{Error, Result};
use crate::http::date::now_ns;
use crate::node::{Attributes, Content, Node, NodeId, NodeKind};
use crate::ports::{Form, NewNode, Txn, Version};
use crate::tree::Tree;
use crate::tree::access::{Found, Place, fresh_etag};
use crate::tree::content::release;
use crate::tree::mime;
use crate::tree::shadows::{cast, fade, shade_in};
use crate::workspace::Versioning;

impl Place {
    /// Whether replaced contents are kept here. A `structured` datasource has one file per path, so
    /// what it replaces is gone.
    pub fn versioning(&self) -> Versioning {
        match &self.workspace {
            Some(workspace) if self.mounted.bytes.form() == Form::Flat => workspace.versioning(),
            _ => Versioning::Off,
        }
    }

    /// Whether a removal leaves a marker here. What is in the recycle bin was removed before.
    pub fn leaves_markers(&self) -> bool {
        self.versioning() != Versioning::Off && !self.in_recycle_bin()
    }

    fn keeps(&self) -> usize {
        match self.versioning() {
            Versioning::Off => 0,
            _ => self.workspace.as_ref().map_or(0, |workspace| workspace.versions as usize),
        }
    }

    /// Id of a version that is written here now.
    pub fn new_version(&self) -> Option<Uuid> {
        (self.versioning() == Versioning::Enabled).then(Uuid::new_v4)
    }
}

impl Node {
    /// Whether this is a delete marker, in its hidden place.
    pub(crate) fn is_marker(&self) -> bool {
        self.is_leaf() && self.parent < NodeId::LIMBO
    }

    /// The leaf as it was in an earlier version.
    pub(crate) fn as_of(&self, version: Version) -> Self {
        let mime = if version.mime.is_empty() { self.mime.clone() } else { version.mime };
        Self {
            size: version.size,
            mtime_ns: version.mtime_ns,
            etag: version.etag,
            mime,
            content: version.content,
            attributes: version.attributes,
            version: (!version.unversioned).then_some(version.id),
            ..self.clone()
        }
    }
}

impl Tree {
    /// Keeps what a leaf was as a version where the workspace does, else lets go of it. The leaf's
    /// row bears its successor already.
    pub(crate) async fn retire(&self, txn: &mut dyn Txn, place: &Place, old: Node) -> Result<()> {
        let datasource = &place.mounted.name;
        let keep = place.keeps();
        let (id, was_unversioned) = (old.id, old.version.is_none());
        let is_unversioned = place.versioning() != Versioning::Enabled;
        if keep == 0 || (was_unversioned && is_unversioned) {
            release(txn, datasource, &old.content).await?;
        } else {
            self.keep(txn, old).await?;
        }
        if is_unversioned && !was_unversioned {
            drop_unversioned(txn, datasource, id).await?;
        }
        if keep > 0 { trim(txn, datasource, id, keep).await } else { Ok(()) }
    }

    /// Notes the leaf as it is as an earlier version of itself.
    async fn keep(&self, txn: &mut dyn Txn, old: Node) -> Result<()> {
        // Versions are told apart by time, also when the clock stands still or is set back.
        let newest = txn.versions(old.id).await?.first().map_or(0, |version| version.at_ns);
        txn.insert_version(&Version {
            marker: old.is_marker(),
            id: old.version_id(),
            node: old.id,
            size: old.size,
            mtime_ns: old.mtime_ns,
            unversioned: old.version.is_none(),
            etag: old.etag,
            content: old.content,
            principal: self.principal.login.clone(),
            at_ns: now_ns().max(newest + 1),
            mime: old.mime,
            attributes: old.attributes,
        })
        .await
    }

    /// Gives a leaf that has just appeared the history of the marker that stood there.
    pub(crate) async fn inherit(&self, txn: &mut dyn Txn, place: &Place, node: &Node) -> Result<()> {
        if place.versioning() == Versioning::Off || node.is_collection() {
            return Ok(());
        }
        let Some(marker) = txn.child(node.parent.removed_below(), &node.name).await? else { return Ok(()) };
        self.absorb(txn, place, marker, node).await?;
        trim(txn, &place.mounted.name, node.id, place.keeps()).await
    }

    async fn absorb(&self, txn: &mut dyn Txn, place: &Place, marker: Node, into: &Node) -> Result<()> {
        let own = txn.versions(into.id).await?;
        let taken = into.version.is_none() || own.iter().any(|version| version.unversioned);
        let id = marker.id;
        if taken || marker.version.is_none() {
            drop_unversioned(txn, &place.mounted.name, id).await?;
        }
        if !(taken && marker.version.is_none()) {
            self.keep(txn, marker).await?;
        }
        txn.move_versions(id, into.id).await?;
        txn.delete_node(id).await
    }

    /// Takes a leaf out of the tree and leaves a delete marker, behind which its versions stay.
    /// Whoever calls appends the change.
    pub(crate) async fn leave_marker(
        &self,
        txn: &mut dyn Txn,
        place: &Place,
        found: &Found,
    ) -> Result<Option<Node>> {
        let Some(old) = found.node().cloned() else { return Ok(None) };
        self.forget_locks(txn, &old).await?;
        let hidden = old.parent.removed_below();
        // Left from a time when nobody looked: the workspace kept no versions meanwhile.
        if let Some(older) = txn.child(hidden, &old.name).await? {
            self.absorb(txn, place, older, &old).await?;
        }
        let marker = Node { parent: hidden, version: place.new_version(), ..emptied(&old) };
        txn.update_node(&marker).await?;
        self.retire(txn, place, old).await?;
        Ok(Some(marker))
    }

    /// Leaves a delete marker where no leaf is: one on top of another, as often as it is asked for.
    /// The tree stays as it is, so nothing is told to its feed.
    pub(crate) async fn mark_absent(
        &self,
        txn: &mut dyn Txn,
        place: &Place,
        found: &Found,
        tokens: &[String],
    ) -> Result<Node> {
        self.require_read(place, found)?;
        self.require_collections(place, found)?;
        let shade = shade_in(txn, place, found).await?;
        let shade = shade.ok_or_else(|| Error::NotFound(place.path.to_string()))?;
        let old = match shade.markers() {
            Some(hidden) => txn.child(hidden, shade.name).await?,
            None => None,
        };
        // Rights that were set on the leaf hold for what is left of it.
        let mut seen = found.clone();
        seen.ancestry.extend(shade.shadows.iter().chain(&old).cloned());
        self.require_write(place, &seen, "remove")?;
        self.require_unlocked(txn, place, found, true, tokens).await?;
        let Some(old) = old else {
            let hidden = cast(txn, &shade).await?;
            return txn.insert_node(&first_marker(place, hidden, shade.name)).await;
        };
        let marker = Node { version: place.new_version(), ..emptied(&old) };
        txn.update_node(&marker).await?;
        self.retire(txn, place, old).await?;
        Ok(marker)
    }

    async fn forget_locks(&self, txn: &mut dyn Txn, node: &Node) -> Result<()> {
        for lock in txn.locks_on(&[node.id], now_ns()).await? {
            txn.delete_lock(&lock.token).await?;
        }
        Ok(())
    }

    /// The leaf at a place, or the delete marker of one.
    pub(crate) async fn leaf_or_marker(
        &self,
        txn: &mut dyn Txn,
        place: &Place,
        found: &Found,
    ) -> Result<Option<Node>> {
        if let Some(node) = found.node().filter(|node| node.is_leaf()) {
            return Ok(Some(node.clone()));
        }
        let Some(shade) = shade_in(txn, place, found).await? else { return Ok(None) };
        match shade.markers() {
            Some(hidden) => txn.child(hidden, shade.name).await,
            None => Ok(None),
        }
    }

    /// Lets the newest earlier version of a leaf, or of a marker, take the place of the present one;
    /// without any, nothing is left.
    pub(crate) async fn drop_newest(
        &self,
        txn: &mut dyn Txn,
        place: &Place,
        found: &Found,
        old: Node,
    ) -> Result<()> {
        let shade = shade_in(txn, place, found).await?;
        let shade = shade.ok_or_else(|| Error::internal("a version without a collection"))?;
        let parent = shade.collection;
        let was_there = !old.is_marker();
        let next = txn.versions(old.id).await?.into_iter().next();
        let mut is_there = false;
        let mut node = old.clone();
        match next {
            None if was_there => self.detach(txn, place, found).await?,
            None => txn.delete_node(old.id).await?,
            Some(next) => {
                txn.delete_version(next.id).await?;
                is_there = !next.marker;
                if is_there {
                    self.require_collections(place, found)?;
                    self.make_collections(txn, place, &mut found.clone(), 1).await?;
                }
                node = old.as_of(next);
                node.parent = if is_there { parent } else { parent.removed_below() };
                if was_there && !is_there {
                    self.forget_locks(txn, &old).await?;
                }
                txn.update_node(&node).await?;
                release(txn, &place.mounted.name, &old.content).await?;
            }
        }
        let at = Some(place.admin_path());
        let change = match (was_there, is_there) {
            (true, true) => Some(self.change(ChangeKind::Update, &node, None, at)),
            (true, false) => Some(self.change(ChangeKind::Remove, &old, at, None)),
            (false, true) => Some(self.change(ChangeKind::Create, &node, None, at)),
            (false, false) => None,
        };
        if let Some(change) = change {
            txn.append_change(&change).await?;
        }
        if was_there != is_there {
            txn.touch(parent, now_ns(), &fresh_etag()).await?;
        }
        if is_there {
            return Ok(());
        }
        fade(txn, &shade).await?;
        self.left(txn, place, found).await
    }
}

fn first_marker(place: &Place, hidden: NodeId, name: &str) -> NewNode {
    let now = now_ns();
    NewNode {
        uuid: Uuid::now_v7(),
        parent: hidden,
        name: name.to_owned(),
        kind: NodeKind::Leaf,
        size: 0,
        mtime_ns: now,
        created_ns: now,
        etag: String::new(),
        mime: mime::mime_of(name),
        content: Content::None,
        attributes: Attributes::default(),
        version: place.new_version(),
    }
}

fn emptied(node: &Node) -> Node {
    Node {
        size: 0,
        mtime_ns: now_ns(),
        etag: String::new(),
        content: Content::None,
        attributes: Attributes::default(),
        ..node.clone()
    }
}

async fn drop_unversioned(txn: &mut dyn Txn, datasource: &str, node: NodeId) -> Result<()> {
    for version in txn.versions(node).await?.into_iter().filter(|version| version.unversioned) {
        txn.delete_version(version.id).await?;
        release(txn, datasource, &version.content).await?;
    }
    Ok(())
}

/// Lets go of the oldest versions beyond those that are kept. Markers are counted by themselves: who
/// removes again and again what is gone pushes no content out.
async fn trim(txn: &mut dyn Txn, datasource: &str, node: NodeId, keep: usize) -> Result<()> {
    let (mut contents, mut markers) = (0, 0);
    for version in txn.versions(node).await? {
        let count = if version.marker { &mut markers } else { &mut contents };
        *count += 1;
        if *count > keep {
            txn.delete_version(version.id).await?;
            release(txn, datasource, &version.content).await?;
        }
    }
    Ok(())
}
