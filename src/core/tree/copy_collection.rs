//! Copying collections.
//!
//! Within one `flat` datasource a copy is built out of sight, in limbo, a batch of rows per commit, and
//! appears with the last one. Between datasources, and into `structured` ones, it is made node by node;
//! there a copy that fails half-way leaves the leaves it has made.

use crate::change::ChangeKind;
use crate::error::{Error, Result};
use crate::http::date::now_ns;
use crate::listing::{Depth, Listing};
use crate::node::{Node, NodeId};
use crate::path::NodePath;
use crate::ports::{NewNode, Span};
use crate::tree::access::{Place, fresh_etag, shown};
use crate::tree::copy::COPIED_META;
use crate::tree::{Existing, Parents, Removal, Remove, Transfer, Tree, Written};

/// Rows of a hidden copy per commit: long enough to share the fsync, short enough to let others in.
const COPY_BATCH: usize = 500;

impl Tree {
    /// A collection within one `flat` datasource: built in limbo, then attached.
    pub(crate) async fn copy_hidden(
        &self,
        source: Place,
        target: Place,
        node: Node,
        how: &Transfer,
    ) -> Result<Written> {
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
    pub(crate) async fn copy_each(&self, from: &NodePath, to: &NodePath, how: &Transfer) -> Result<Written> {
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
