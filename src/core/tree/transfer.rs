//! What copying and renaming ask of a place: whether a node may leave it or arrive there, and what
//! happens to the one that is replaced.

use crate::error::{Error, Result};
use crate::http::date::now_ns;
use crate::node::{Node, NodeId};
use crate::ports::{Form, Txn};
use crate::tree::access::{Found, Place};
use crate::tree::content::release;
use crate::tree::{Existing, Parents, Transfer, Tree};

impl Tree {
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
    pub(crate) async fn arriving(
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
