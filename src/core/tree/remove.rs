//! Removing and restoring.

use crate::change::ChangeKind;
use crate::error::{Error, Result};
use crate::http::conditional::Conditions;
use crate::http::date::now_ns;
use crate::node::{Node, NodeKind};
use crate::path::NodePath;
use crate::ports::Txn;
use crate::tree::access::{Found, Place, fresh_etag, shown};
use crate::tree::folders::occupied;
use crate::tree::shadows::{hide, remembers};
use crate::tree::versions::newest;
use crate::tree::write::numbered;
use crate::tree::{Existing, Parents, Removal, Remove, Removed, Transfer, Tree, Written};
use crate::workspace::RECYCLE_BIN;

/// Metadata of a node in the bin: the path inside its workspace that it came from.
const ORIGIN: (&str, &str) = ("core", "recycle-origin");

impl Remove {
    /// Whether the node is as large and as old as the client believes.
    pub(crate) fn check(&self, node: &Node, path: &NodePath) -> Result<()> {
        if self.size.is_some_and(|size| size != node.size)
            || self.mtime_s.is_some_and(|mtime_s| mtime_s != node.mtime_s())
        {
            return Err(Error::PreconditionFailed(path.to_string()));
        }
        Ok(())
    }

    /// Whether a leaf that is not there is to have a delete marker. No condition holds for it.
    fn marks_absent(&self) -> bool {
        self.removal == Removal::Marked
            && self.kind == Some(NodeKind::Leaf)
            && self.conditions == Conditions::default()
            && self.size.is_none()
            && self.mtime_s.is_none()
    }
}

impl Tree {
    /// Removes a node and everything below it. A missing node is [`Error::NotFound`]; S3 makes
    /// that its 204.
    pub async fn remove(&self, path: &NodePath, how: &Remove) -> Result<Removed> {
        let place = self.place_below_root(path, "remove").await?;
        self.find_at(&place).await?;
        let (tree, how) = (self.clone(), how.clone());
        let removed = self
            .core
            .commit(move |txn| Box::pin(async move { tree.remove_in(txn, &place, &how).await }))
            .await?;
        self.core.janitor().wake();
        Ok(removed)
    }

    async fn remove_in(&self, txn: &mut dyn Txn, place: &Place, how: &Remove) -> Result<Removed> {
        let found = self.find_in(txn, place).await?;
        if how.marks_absent() && place.leaves_markers() && !found.node().is_some_and(Node::is_leaf) {
            let node = self.mark_absent(txn, place, &found, &how.tokens).await?;
            let marker = Some(newest(&node));
            return Ok(Removed { node: shown(place, node), marker, recycled_to: None });
        }
        let transfer =
            Transfer { source: how.conditions.clone(), tokens: how.tokens.clone(), ..Transfer::default() };
        let node = self.leaving(txn, place, &found, &transfer).await?;
        let hidden = self.speaks_keys() && node.is_implied();
        if how.kind.is_some_and(|kind| kind != node.kind || hidden) {
            return Err(Error::NotFound(place.path.to_string()));
        }
        how.check(&node, &place.path)?;
        let not_empty = || Error::NotEmpty(place.path.to_string());
        if how.only_empty && node.is_collection() && occupied(txn, node.id).await? {
            if self.unmake_key(txn, place, &node).await? {
                return Ok(Removed { node: shown(place, node), marker: None, recycled_to: None });
            }
            return Err(not_empty());
        }
        if how.removal == Removal::Recycle && place.recycles() && !place.in_recycle_bin() {
            return self.recycle(txn, place, &found, how).await;
        }
        let parent = node.parent;
        let marker = if how.removal == Removal::Marked && node.is_leaf() && place.leaves_markers() {
            self.leave_marker(txn, place, &found).await?
        } else if how.removal == Removal::Marked && how.only_empty && remembers(txn, node.id).await? {
            if !hide(txn, &node).await? {
                return Err(not_empty());
            }
            None
        } else {
            self.detach(txn, place, &found).await?;
            None
        };
        txn.touch(parent, now_ns(), &fresh_etag()).await?;
        self.left(txn, place, &found).await?;
        let from = Some(place.admin_path());
        txn.append_change(&self.change(ChangeKind::Remove, &node, from, None)).await?;
        let marker = marker.map(|marker| newest(&marker));
        Ok(Removed { node: shown(place, node), marker, recycled_to: None })
    }

    /// Moves a node into its workspace's bin under a free name, and notes where it was.
    async fn recycle(
        &self,
        txn: &mut dyn Txn,
        place: &Place,
        found: &Found,
        how: &Remove,
    ) -> Result<Removed> {
        let Some(node) = found.node() else { return Err(Error::NotFound(place.path.to_string())) };
        let name = place.path.name().unwrap_or_default();
        // Locks end with what they protected, as with any removal.
        let mut locks = txn.locks_on(&[node.id], now_ns()).await?;
        locks.extend(txn.locks_below(node.id, now_ns()).await?);
        for lock in locks {
            txn.delete_lock(&lock.token).await?;
        }
        let mut bin = place.clone();
        bin.names.truncate(place.root_len);
        bin.names.push(RECYCLE_BIN.to_owned());
        bin.path = place.path_of(&bin.names);
        let mut in_bin = self.find_in(txn, &bin).await?;
        self.require_collections(&bin, &in_bin)?;
        self.make_collections(txn, &bin, &mut in_bin, 0).await?;
        let parent = in_bin.node().ok_or_else(|| Error::internal("the recycle bin is missing"))?.id;
        let mut free = name.to_owned();
        let mut number = 0;
        while txn.child(parent, &free).await?.is_some() {
            number += 1;
            free = numbered(name, number);
        }
        let mut target = bin.clone();
        target.names.push(free.clone());
        target.path = bin.path.join_known(&free);
        let origin = place.path.below_first().to_string();
        txn.set_meta(node.id, ORIGIN.0, ORIGIN.1, Some(&origin)).await?;
        // The move asks again for what the removal was granted: the locks above and on the parent.
        let transfer =
            Transfer { existing: Existing::Refuse, tokens: how.tokens.clone(), ..Transfer::default() };
        let written = self.rename_in(txn, place, target, &transfer).await?;
        Ok(Removed { node: written.node, marker: None, recycled_to: Some(written.path) })
    }

    /// Where a node in the recycle bin was removed from.
    pub async fn origin(&self, path: &NodePath) -> Result<Option<NodePath>> {
        let node = self.stat(path).await?;
        let mut meta = self.meta(&[node.id], Some(ORIGIN.0)).await?;
        let origin = meta.remove(&node.id).unwrap_or_default().into_iter().find(|meta| meta.name == ORIGIN.1);
        match (origin, path.first()) {
            (Some(origin), Some(first)) => Ok(Some(NodePath::root().join(first)?.descend(&origin.value)?)),
            _ => Ok(None),
        }
    }

    /// Moves a node in the recycle bin back to where it was removed from, making parents as needed.
    pub async fn restore(&self, path: &NodePath) -> Result<Written> {
        let origin = self
            .origin(path)
            .await?
            .ok_or_else(|| Error::Conflict(format!("`{path}` was not removed from anywhere")))?;
        let how = Transfer { parents: Parents::Create, existing: Existing::Refuse, ..Transfer::default() };
        let written = self.rename(path, &origin, &how).await?;
        let node = written.node.id;
        self.core
            .commit(move |txn| Box::pin(async move { txn.set_meta(node, ORIGIN.0, ORIGIN.1, None).await }))
            .await?;
        Ok(written)
    }
}
