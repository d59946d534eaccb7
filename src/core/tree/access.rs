//! Paths to nodes, rights, locks: what every operation begins with.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use uuid::Uuid;

use crate::change::{ChangeKind, NewChange};
use crate::core::Mounted;
use crate::error::{Error, Result};
use crate::http::date::now_ns;
use crate::identity::workspaces;
use crate::lock::Lock;
use crate::node::{Attributes, Content, Node, NodeId, NodeKind};
use crate::path::NodePath;
use crate::ports::{NewNode, Txn};
use crate::principal::{Door, Rights, ScopeCover};
use crate::tree::folders::imply;
use crate::tree::shadows::appear;
use crate::tree::{Context, Tree};
use crate::workspace::{RECYCLE_BIN, Workspace};

/// Where a path leads: a datasource and the names below its root. Says nothing of existence.
#[derive(Clone)]
pub(crate) struct Place {
    pub path: NodePath,
    /// `None` in the administrators' context.
    pub workspace: Option<Arc<Workspace>>,
    pub mounted: Arc<Mounted>,
    /// Names below the datasource's root: those of the workspace's root, then the path's own.
    pub names: Vec<String>,
    /// How many of `names` are the workspace's root.
    pub root_len: usize,
}

impl Place {
    /// Whether this is the root of a workspace or of a datasource.
    pub fn is_root(&self) -> bool {
        self.names.len() == self.root_len
    }

    pub fn recycles(&self) -> bool {
        self.workspace.as_ref().is_some_and(|workspace| workspace.recycle)
    }

    /// Whether this is the recycle bin or something in it.
    pub fn in_recycle_bin(&self) -> bool {
        self.names.get(self.root_len).is_some_and(|name| name == RECYCLE_BIN)
    }

    /// `/<datasource>/…`, as the change feed names it.
    pub fn admin_path(&self) -> String {
        admin_path(&self.mounted.name, &self.names)
    }

    /// The same place with the last name replaced.
    pub fn with_name(&self, name: &str) -> Result<Self> {
        let mut place = self.clone();
        place.path = place.path.parent().unwrap_or_default().join(name)?;
        place.names.pop();
        place.names.push(name.to_owned());
        Ok(place)
    }

    /// The user's path of a node `names` below this datasource's root; they must be within the
    /// workspace.
    pub fn path_of(&self, names: &[String]) -> NodePath {
        let first = self.path.first().unwrap_or_default();
        names
            .iter()
            .skip(self.root_len)
            .fold(NodePath::root().join_known(first), |path, name| path.join_known(name))
    }
}

pub(crate) fn admin_path(datasource: &str, names: &[String]) -> String {
    let mut path = format!("/{datasource}");
    for name in names {
        path.push('/');
        path.push_str(name);
    }
    path
}

/// What exists at a place: the nodes from the datasource's root down, and the names that have none.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    /// Never empty: begins with the datasource's root.
    pub ancestry: Vec<Node>,
    pub missing: usize,
}

impl Found {
    pub fn node(&self) -> Option<&Node> {
        if self.missing == 0 { self.ancestry.last() } else { None }
    }

    /// The collection that holds, or would hold, the node; `None` when that is missing too.
    pub fn parent(&self) -> Option<&Node> {
        match self.missing {
            0 => self.ancestry.iter().rev().nth(1),
            1 => self.ancestry.last(),
            _ => None,
        }
    }
}

/// A value that never repeats, for collections whose children changed.
pub(crate) fn fresh_etag() -> String {
    Uuid::new_v4().simple().to_string()
}

impl Tree {
    /// Finds out where a path leads. `None` is the root of the context.
    pub(crate) async fn place(&self, path: &NodePath) -> Result<Option<Place>> {
        let Some(first) = path.first() else { return Ok(None) };
        let below = path.names().get(1..).unwrap_or_default();
        if self.context == Context::Admin {
            let mounted = self.core.mounted(first).await?;
            return Ok(Some(Place {
                path: path.clone(),
                workspace: None,
                mounted,
                names: below.to_vec(),
                root_len: 0,
            }));
        }
        if self.principal.scope_covers(path) == ScopeCover::Outside {
            return Err(Error::NotFound(path.to_string()));
        }
        let workspaces = self.core.identity().workspaces().await?;
        let workspace = workspaces
            .iter()
            .find(|workspace| workspace.slug == *first)
            .filter(|workspace| self.sees(workspace))
            .ok_or_else(|| Error::NotFound(path.to_string()))?;
        let mounted = self.core.mounted(&workspace.datasource).await?;
        let mut names = match workspace.root.is_empty() {
            true => Vec::with_capacity(below.len()),
            false => self.root_of(workspace)?.names().to_vec(),
        };
        let root_len = names.len();
        names.extend_from_slice(below);
        Ok(Some(Place {
            path: path.clone(),
            workspace: Some(Arc::clone(workspace)),
            mounted,
            names,
            root_len,
        }))
    }

    /// Where a workspace of this principal begins in its datasource.
    pub(crate) fn root_of(&self, workspace: &Workspace) -> Result<NodePath> {
        NodePath::parse(&workspace.root.replace("{login}", &self.principal.login))
    }

    /// Like [`Tree::place`], for operations that make no sense on the root of the context.
    pub(crate) async fn place_below_root(&self, path: &NodePath, right: &'static str) -> Result<Place> {
        let place = self.place(path).await?.ok_or_else(|| Error::Denied { path: "/".into(), right })?;
        place.require_no_folder_id()?;
        Ok(place)
    }

    /// Whether the workspace exists for this principal.
    pub(crate) fn sees(&self, workspace: &Workspace) -> bool {
        let rights = self.principal.workspaces.get(&workspace.uuid).copied().unwrap_or_default();
        rights.read || rights.write
    }

    /// What exists at a place, from outside a transaction. Makes a workspace's root on first use.
    pub(crate) async fn find_at(&self, place: &Place) -> Result<Found> {
        let index = &self.core.inner.index;
        let mut chain = index.chain(place.mounted.root.id, &place.names).await?;
        if chain.len() < place.root_len {
            Box::pin(self.make_root(place)).await?;
            chain = index.chain(place.mounted.root.id, &place.names).await?;
        }
        found(place, chain)
    }

    /// The same inside a transaction.
    pub(crate) async fn find_in(&self, txn: &mut dyn Txn, place: &Place) -> Result<Found> {
        let chain = txn.chain(place.mounted.root.id, &place.names).await?;
        // Every operation makes sure of the root before it commits; it went with its workspace.
        if chain.len() < place.root_len {
            return Err(Error::NotFound(place.path.to_string()));
        }
        found(place, chain)
    }

    /// Rights at the deepest node that exists.
    pub(crate) fn rights_at(&self, place: &Place, found: &Found) -> Rights {
        let Some(workspace) = &place.workspace else {
            return Rights::ALL;
        };
        if self.principal.scope_covers(&place.path) == ScopeCover::Passage {
            return Rights::READ.and(self.principal.rights(workspace.uuid, &found.ancestry));
        }
        self.principal.rights(workspace.uuid, &found.ancestry)
    }

    /// What one may not read does not exist for one.
    pub(crate) fn require_read(&self, place: &Place, found: &Found) -> Result<()> {
        if self.rights_at(place, found).read {
            return Ok(());
        }
        Err(Error::NotFound(place.path.to_string()))
    }

    pub(crate) fn require_write(&self, place: &Place, found: &Found, right: &'static str) -> Result<()> {
        let rights = self.rights_at(place, found);
        if rights.write {
            return Ok(());
        }
        if rights.read {
            return Err(Error::Denied { path: place.path.to_string(), right });
        }
        Err(Error::NotFound(place.path.to_string()))
    }

    /// A leaf on the way to a missing node stops everything that wants to create it.
    pub(crate) fn require_collections(&self, place: &Place, found: &Found) -> Result<()> {
        match found.ancestry.last() {
            Some(last) if found.missing > 0 && last.is_leaf() => {
                let known = place.names.len() - found.missing;
                Err(Error::NotACollection(
                    place.path_of(place.names.get(..known).unwrap_or_default()).to_string(),
                ))
            }
            _ => Ok(()),
        }
    }

    /// Locks that stop a change of the node at a place: its own, deep ones above, and, where a name
    /// appears or disappears (`membership`), any on its parent (RFC 4918 §7.4).
    pub(crate) async fn require_unlocked(
        &self,
        txn: &mut dyn Txn,
        place: &Place,
        found: &Found,
        membership: bool,
        tokens: &[String],
    ) -> Result<()> {
        let ids: Vec<NodeId> = found.ancestry.iter().map(|node| node.id).collect();
        let locks = txn.locks_on(&ids, now_ns()).await?;
        if locks.is_empty() {
            return Ok(());
        }
        let own = found.node().map(|node| node.id);
        let parent = found.parent().map(|node| node.id);
        let standing: Vec<&Lock> = locks
            .iter()
            .filter(|lock| lock.deep || Some(lock.node) == own || (membership && Some(lock.node) == parent))
            .collect();
        self.require_tokens(&place.path, &standing, tokens)
    }

    /// Locks anywhere below stop a move or removal of what holds them.
    pub(crate) async fn require_unlocked_below(
        &self,
        txn: &mut dyn Txn,
        path: &NodePath,
        node: &Node,
        tokens: &[String],
    ) -> Result<()> {
        if node.is_leaf() {
            return Ok(());
        }
        let locks = txn.locks_below(node.id, now_ns()).await?;
        self.require_tokens(path, &locks.iter().collect::<Vec<_>>(), tokens)
    }

    /// A node is free when it has no lock, or when one of its locks is this principal's and its
    /// token was presented (shared locks: any one of them is enough).
    fn require_tokens(&self, path: &NodePath, locks: &[&Lock], tokens: &[String]) -> Result<()> {
        let holds = |lock: &Lock| lock.principal == self.principal.login && tokens.contains(&lock.token);
        for lock in locks {
            let freed = locks.iter().any(|other| other.node == lock.node && holds(other));
            if !freed {
                return Err(Error::Locked { path: path.to_string(), owner: lock.principal.clone() });
            }
        }
        Ok(())
    }

    /// A change of the feed, by this principal, through this door, now.
    pub(crate) fn change(
        &self,
        kind: ChangeKind,
        node: &Node,
        from: Option<String>,
        to: Option<String>,
    ) -> NewChange {
        NewChange {
            node: node.id,
            uuid: node.uuid,
            kind,
            collection: node.is_collection(),
            from,
            to,
            size: node.size,
            etag: node.etag.clone(),
            principal: self.principal.login.clone(),
            door: self.door,
            at_ns: now_ns(),
        }
    }

    /// Inserts the missing collections of a place, all names but `keep` last ones, and answers the
    /// innermost. `found` grows with them.
    pub(crate) async fn make_collections(
        &self,
        txn: &mut dyn Txn,
        place: &Place,
        found: &mut Found,
        keep: usize,
    ) -> Result<()> {
        while found.missing > keep {
            self.make_collection(txn, place, found, None).await?;
        }
        Ok(())
    }

    /// Inserts the first missing collection of a place; one with a given uuid was asked for by itself.
    pub(crate) async fn make_collection(
        &self,
        txn: &mut dyn Txn,
        place: &Place,
        found: &mut Found,
        uuid: Option<Uuid>,
    ) -> Result<()> {
        let known = place.names.len() - found.missing;
        let (Some(name), Some(parent)) = (place.names.get(known), found.ancestry.last()) else {
            return Err(Error::internal("a place has fewer names than it is missing"));
        };
        let parent_id = parent.id;
        let names = place.names.get(..=known).unwrap_or_default();
        let now = now_ns();
        let mtime_ns = match place.mounted.bytes.form() {
            crate::ports::Form::Flat => now,
            crate::ports::Form::Structured => place.mounted.bytes.create_dir(names)?.mtime_ns,
        };
        let mut new = new_collection(parent_id, name, mtime_ns);
        match uuid {
            Some(uuid) => new.uuid = uuid,
            None if self.speaks_keys() => imply(&mut new.attributes),
            None => {}
        }
        let mut node = appear(txn, &new).await?;
        if node.uuid != new.uuid && uuid.is_some() {
            // What came back has a history, and the uuid that it was asked for with.
            node.uuid = new.uuid;
            txn.update_node(&node).await?;
        }
        txn.touch(parent_id, now, &fresh_etag()).await?;
        let to = admin_path(&place.mounted.name, names);
        txn.append_change(&self.change(ChangeKind::Create, &node, None, Some(to))).await?;
        found.ancestry.push(node);
        found.missing -= 1;
        Ok(())
    }

    /// Makes the root folder of a workspace (everybody's own, in a personal one).
    async fn make_root(&self, place: &Place) -> Result<()> {
        let system = Tree { door: Door::System, context: Context::Admin, ..self.clone() };
        let mut root = place.clone();
        root.names.truncate(place.root_len);
        self.core
            .commit(move |txn| -> BoxFuture<'_, Result<()>> {
                Box::pin(async move {
                    // A folder without its workspace would swallow what is written to it.
                    if let Some(workspace) = &root.workspace
                        && !workspaces::is_kept(txn, workspace).await?
                    {
                        return Err(Error::NotFound(root.path.to_string()));
                    }
                    let chain = txn.chain(root.mounted.root.id, &root.names).await?;
                    let mut found = found(&root, chain)?;
                    system.require_collections(&root, &found)?;
                    system.make_collections(txn, &root, &mut found, 0).await
                })
            })
            .await
    }
}

fn found(place: &Place, chain: Vec<Node>) -> Result<Found> {
    let missing = place.names.len().saturating_sub(chain.len());
    let mut ancestry = Vec::with_capacity(chain.len() + 1);
    ancestry.push(place.mounted.root.clone());
    ancestry.extend(chain);
    Ok(Found { ancestry, missing })
}

pub(crate) fn new_collection(parent: NodeId, name: &str, mtime_ns: i64) -> NewNode {
    NewNode {
        uuid: Uuid::now_v7(),
        parent,
        name: name.to_owned(),
        kind: NodeKind::Collection,
        size: 0,
        mtime_ns,
        created_ns: now_ns(),
        etag: fresh_etag(),
        mime: String::new(),
        content: Content::None,
        attributes: Attributes::default(),
        version: None,
    }
}

/// A workspace root is shown under the workspace's slug, a datasource root under its name.
pub(crate) fn shown(place: &Place, mut node: Node) -> Node {
    if let Some(name) = place.path.name()
        && node.name != name
    {
        name.clone_into(&mut node.name);
    }
    node
}
