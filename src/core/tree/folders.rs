//! Why a collection is there, where keys are all that a client knows.
//!
//! To S3, `a/b` needs no `a/`: the collection comes with the first key below it and leaves with the
//! last. Other doors make collections that stay. An attribute tells which is which:
//!
//! | `folder` | |
//! |---|---|
//! | `implied` | came with a key below it; no object of its own |
//! | `key` | was written as a key, `a/`; an object, also beside what it holds |
//! | none | made as a collection; an object as long as it is empty |
//!
//! An implied collection that another door empties stays, as a collection of that door.

use crate::change::ChangeKind;
use crate::error::Result;
use crate::http::date::now_ns;
use crate::node::{Attributes, Node, NodeId};
use crate::ports::{Span, Txn};
use crate::principal::Door;
use crate::tree::Tree;
use crate::tree::access::{Found, Place, fresh_etag};
use crate::tree::shadows::{hide, remembers};

const FOLDER: &str = "folder";
const IMPLIED: &str = "implied";
const KEY: &str = "key";

impl Node {
    /// Whether this collection is there for what it holds only.
    pub fn is_implied(&self) -> bool {
        self.attributes.get(FOLDER) == Some(IMPLIED)
    }

    /// Whether this collection was written as a key.
    pub fn is_key(&self) -> bool {
        self.attributes.get(FOLDER) == Some(KEY)
    }
}

/// Marks a collection that comes with a key below it.
pub(crate) fn imply(attributes: &mut Attributes) {
    attributes.set(FOLDER, IMPLIED);
}

impl Tree {
    /// Whether this door's clients know keys and nothing else.
    pub(crate) fn speaks_keys(&self) -> bool {
        self.door == Door::S3
    }

    /// The attributes of a collection that is asked for by name.
    pub(crate) fn by_name(&self, attributes: Option<Attributes>) -> Option<Attributes> {
        if !self.speaks_keys() {
            return attributes;
        }
        let mut attributes = attributes.unwrap_or_default();
        attributes.set(FOLDER, KEY);
        Some(attributes)
    }

    /// Takes the key of a collection away that still holds others; answers whether it had one.
    pub(crate) async fn unmake_key(&self, txn: &mut dyn Txn, place: &Place, node: &Node) -> Result<bool> {
        if !self.speaks_keys() || !node.is_key() {
            return Ok(false);
        }
        let mut node = node.clone();
        node.attributes = Attributes::default();
        imply(&mut node.attributes);
        txn.update_node(&node).await?;
        let to = Some(place.admin_path());
        txn.append_change(&self.change(ChangeKind::Meta, &node, None, to)).await?;
        Ok(true)
    }

    /// What becomes of the collections above a node that has left `place`.
    pub(crate) async fn left(&self, txn: &mut dyn Txn, place: &Place, found: &Found) -> Result<()> {
        let known = place.names.len().min(found.ancestry.len());
        for depth in (place.root_len + 1..known).rev() {
            let Some(node) = found.ancestry.get(depth).filter(|node| node.is_implied()) else { break };
            if occupied(txn, node.id).await? {
                break;
            }
            let mut above = place.clone();
            above.names.truncate(depth);
            above.path = place.path_of(&above.names);
            let ancestry = found.ancestry.iter().take(depth + 1).cloned().collect();
            let at = Found { ancestry, missing: 0 };
            if !self.speaks_keys() || self.require_unlocked(txn, &above, &at, true, &[]).await.is_err() {
                let mut kept = node.clone();
                kept.attributes.0.remove(FOLDER);
                kept.etag = fresh_etag();
                kept.mtime_ns = now_ns();
                txn.update_node(&kept).await?;
                break;
            }
            if remembers(txn, node.id).await? {
                if !hide(txn, node).await? {
                    break;
                }
            } else {
                self.detach(txn, &above, &at).await?;
            }
            txn.touch(node.parent, now_ns(), &fresh_etag()).await?;
            let from = Some(above.admin_path());
            txn.append_change(&self.change(ChangeKind::Remove, node, from, None)).await?;
        }
        Ok(())
    }
}

/// Whether anything has this parent.
pub(crate) async fn occupied(txn: &mut dyn Txn, parent: NodeId) -> Result<bool> {
    Ok(!txn.children(parent, &Span { limit: 1, ..Span::default() }).await?.is_empty())
}
