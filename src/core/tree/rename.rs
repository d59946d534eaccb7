//! Renaming: within one datasource one row; between two a copy, then a removal.

use crate::change::ChangeKind;
use crate::error::{Error, Result};
use crate::http::date::now_ns;
use crate::path::NodePath;
use crate::ports::{Form, Txn};
use crate::tree::access::{Place, fresh_etag, shown};
use crate::tree::{Removal, Remove, Transfer, Tree, Written, mime};

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
