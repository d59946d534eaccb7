//! Reading nodes and leaves.

use std::collections::{HashMap, HashSet};

use uuid::Uuid;

use crate::change::{Change, ChangeKind};
use crate::error::{Error, Result};
use crate::http::date::now_ns;
use crate::node::{Attributes, Content, Node, NodeId, NodeKind};
use crate::path::NodePath;
use crate::ports::{Bits, Count, Meta, Stamp};
use crate::principal::Rights;
use crate::tree::access::{Place, shown};
use crate::tree::folder_id::{self, folder_id};
use crate::tree::{Context, Read, ReadOptions, Tree, VersionRef};
use crate::workspace::Workspace;

/// How often a read starts over when the leaf changes on disk under it.
const READ_TRIES: u32 = 3;

impl Tree {
    /// The node at a path. `/` answers a collection with [`NodeId::ROOT`].
    pub async fn stat(&self, path: &NodePath) -> Result<Node> {
        let Some(place) = self.place(path).await? else { return Ok(root_node()) };
        self.stat_at(&place).await
    }

    async fn stat_at(&self, place: &Place) -> Result<Node> {
        let mut found = self.find_at(place).await?;
        self.require_read(place, &found)?;
        if place.is_folder_id() {
            return folder_id(place, &found);
        }
        match found.ancestry.pop() {
            Some(node) if found.missing == 0 => Ok(shown(place, node)),
            _ => Err(Error::NotFound(place.path.to_string())),
        }
    }

    /// The node with a uuid and its path, if this principal can reach it.
    pub async fn find(&self, uuid: Uuid) -> Result<(NodePath, Node)> {
        let absent = || Error::NotFound(uuid.to_string());
        let index = &self.core.inner.index;
        let node = index.node_by_uuid(uuid).await?.ok_or_else(absent)?;
        let ancestry = index.ancestry(node.id).await?;
        let Some((root, below)) = ancestry.split_first() else { return Err(absent()) };
        if root.parent != NodeId::ROOT {
            return Err(absent()); // on its way out
        }
        let names: Vec<String> = below.iter().map(|node| node.name.clone()).collect();
        let path = self.path_to(&root.name, &names).await?.ok_or_else(absent)?;
        let node = self.stat(&path).await?;
        Ok((path, node))
    }

    /// How this principal names a node of a datasource; `None` when it cannot reach it.
    pub(crate) async fn path_to(&self, datasource: &str, names: &[String]) -> Result<Option<NodePath>> {
        let join = |first: &str, names: &[String]| {
            names.iter().fold(NodePath::root().join_known(first), |path, name| path.join_known(name))
        };
        if self.context == Context::Admin {
            return Ok(Some(join(datasource, names)));
        }
        for workspace in self.core.identity().workspaces().await?.iter() {
            if workspace.datasource != datasource || !self.sees(workspace) {
                continue;
            }
            let root = self.root_of(workspace)?;
            if let Some(inner) = names.strip_prefix(root.names()) {
                return Ok(Some(join(&workspace.slug, inner)));
            }
        }
        Ok(None)
    }

    /// What this principal may do at a path that exists.
    pub async fn rights(&self, path: &NodePath) -> Result<Rights> {
        let Some(place) = self.place(path).await? else { return Ok(Rights::READ) };
        let found = self.find_at(&place).await?;
        self.require_read(&place, &found)?;
        if found.node().is_none() {
            return Err(Error::NotFound(path.to_string()));
        }
        Ok(self.rights_at(&place, &found))
    }

    /// Opens a leaf: checks the conditions, then hands out its bytes.
    pub async fn read(&self, path: &NodePath, options: &ReadOptions) -> Result<Read> {
        let place = self.place(path).await?.ok_or_else(|| Error::IsACollection(path.to_string()))?;
        let mut tries = 0;
        loop {
            tries += 1;
            let node = match options.version {
                // Boxed, as all that is rare here: small reads are what is asked for most.
                Some(version) => Box::pin(self.stat_version(path, version)).await?,
                None => self.stat_at(&place).await?,
            };
            if node.is_collection() {
                return Err(Error::IsACollection(path.to_string()));
            }
            options.conditions.check_read(&node, &path.to_string())?;
            let range = options.range.map(|range| node.resolve(range)).transpose()?;
            let (start, end) = range.map_or((0, node.size), |range| (range.start, range.end));
            if place.is_folder_id() {
                let bits = Bits::Whole(folder_id::content(&node, start, end));
                return Ok(Read { node, range, bits });
            }
            let stamp = Stamp { size: node.size, mtime_ns: node.mtime_ns };
            let opened =
                self.open_content(&place.mounted, &node.content, &place.names, stamp, start, end).await;
            match opened {
                Ok(bits) => return Ok(Read { node, range, bits }),
                // The content was replaced, or the file changed on disk, between the two looks.
                Err(error) if tries < READ_TRIES && !matches!(error, Error::NotImplemented(_)) => {
                    if options.version.is_some() {
                        Box::pin(self.stat_version(path, VersionRef::Id(node.version_id()))).await?;
                    } else if node.content == Content::Path {
                        Box::pin(self.repair(&place)).await?;
                    } else if self.stat_at(&place).await? == node {
                        return Err(error);
                    }
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Brings the index row of a `structured` leaf in line with the disk.
    async fn repair(&self, place: &Place) -> Result<()> {
        let (tree, place) = (self.clone(), place.clone());
        self.core
            .commit(move |txn| {
                Box::pin(async move {
                    let found = tree.find_in(txn, &place).await?;
                    let Some(node) = found.node() else { return Ok(()) };
                    let on_disk = place.mounted.bytes.look(&place.names)?;
                    crate::resync::settle(txn, &place.mounted, &place.names, node, on_disk).await?;
                    Ok(())
                })
            })
            .await?;
        self.core.janitor().wake();
        Ok(())
    }

    /// Direct children of a collection in numbers.
    pub async fn count(&self, path: &NodePath) -> Result<Count> {
        let Some(place) = self.place(path).await? else {
            let collections = self.list_root().await?.len() as u64;
            return Ok(Count { leaves: 0, collections, bytes: 0 });
        };
        let node = self.stat_at(&place).await?;
        self.core.inner.index.count_children(node.id).await
    }

    /// Which of the collections that this tree has handed out have children, in one query. Children
    /// that the principal may not see count.
    pub async fn occupied(&self, nodes: &[NodeId]) -> Result<HashSet<NodeId>> {
        Ok(self.core.inner.index.occupied(nodes).await?.into_iter().collect())
    }

    /// Metadata of nodes that this tree has handed out, in one query, by node.
    pub async fn meta(
        &self,
        nodes: &[NodeId],
        namespace: Option<&str>,
    ) -> Result<HashMap<NodeId, Vec<Meta>>> {
        let mut by_node: HashMap<NodeId, Vec<Meta>> = HashMap::new();
        if nodes.is_empty() {
            return Ok(by_node);
        }
        for meta in self.core.inner.index.meta(nodes, namespace).await? {
            by_node.entry(meta.node).or_default().push(meta);
        }
        Ok(by_node)
    }

    /// Workspaces this principal may read, by slug; the administrators' context has none.
    pub async fn workspaces(&self) -> Result<Vec<(Workspace, Rights)>> {
        let workspaces = self.core.identity().workspaces().await?;
        Ok(workspaces
            .iter()
            .filter(|workspace| self.shows(workspace))
            .map(|workspace| (Workspace::clone(workspace), self.workspace_rights(workspace)))
            .collect())
    }

    fn shows(&self, workspace: &Workspace) -> bool {
        let path = NodePath::root().join_known(&workspace.slug);
        self.context == Context::User
            && self.sees(workspace)
            && self.principal.scope_covers(&path) != crate::principal::ScopeCover::Outside
    }

    fn workspace_rights(&self, workspace: &Workspace) -> Rights {
        self.principal.rights(workspace.uuid, &[])
    }

    /// A workspace by slug, uuid or alias, if this principal may read it.
    pub async fn workspace(&self, name: &str) -> Result<(Workspace, Rights)> {
        let workspaces = self.core.identity().workspaces().await?;
        workspaces
            .iter()
            .find(|workspace| workspace.answers_to(name) && self.shows(workspace))
            .map(|workspace| (Workspace::clone(workspace), self.workspace_rights(workspace)))
            .ok_or_else(|| Error::NotFound(name.to_owned()))
    }

    /// Changes after a sequence number that happened where this principal may read, with paths as
    /// it names them, and the number to go on from.
    pub async fn changes(&self, after: i64, limit: usize) -> Result<(Vec<Change>, i64)> {
        let rows = self.core.inner.index.changes(after, limit).await?;
        let next = rows.last().map_or(after, |row| row.seq);
        let mut seen = Vec::with_capacity(rows.len());
        for mut row in rows {
            let from = self.visible_path(row.change.from.as_deref()).await?;
            let to = self.visible_path(row.change.to.as_deref()).await?;
            if from.is_none() && to.is_none() {
                continue;
            }
            // A move into or out of what one sees looks like a removal or a creation.
            row.change.kind = match (row.change.kind, &from, &to) {
                (ChangeKind::Move, None, Some(_)) => ChangeKind::Create,
                (ChangeKind::Move, Some(_), None) => ChangeKind::Remove,
                (kind, _, _) => kind,
            };
            (row.change.from, row.change.to) = (from, to);
            seen.push(row);
        }
        Ok((seen, next))
    }

    async fn visible_path(&self, admin_path: Option<&str>) -> Result<Option<String>> {
        let Some(admin_path) = admin_path else { return Ok(None) };
        let path = NodePath::parse(admin_path)?;
        let Some((datasource, names)) = path.names().split_first() else { return Ok(None) };
        let Some(path) = self.path_to(datasource, names).await? else { return Ok(None) };
        let covered = self.principal.scope_covers(&path) == crate::principal::ScopeCover::Full;
        if !covered {
            return Ok(None);
        }
        if !self.principal.nodes.is_empty() {
            // Rights on single nodes: ask what still exists of the path.
            let Some(place) = self.place(&path).await? else { return Ok(None) };
            let found = self.find_at(&place).await?;
            if !self.rights_at(&place, &found).read {
                return Ok(None);
            }
        }
        Ok(Some(path.to_string()))
    }

    /// The entries of the context's root.
    pub(crate) async fn list_root(&self) -> Result<Vec<Node>> {
        let mut nodes = Vec::new();
        if self.context == Context::Admin {
            for config in self.core.identity().datasources().await? {
                nodes.push(self.core.mounted(&config.name).await?.root.clone());
            }
            return Ok(nodes);
        }
        for (workspace, _) in self.workspaces().await? {
            let path = NodePath::root().join(&workspace.slug)?;
            match self.stat(&path).await {
                Ok(node) => nodes.push(node),
                // A datasource that is away hides its workspaces, not everybody's.
                Err(Error::Unavailable(why)) => {
                    tracing::warn!(workspace = workspace.slug, why, "workspace left out of a listing");
                }
                Err(Error::NotFound(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(nodes)
    }
}

fn root_node() -> Node {
    Node {
        id: NodeId::ROOT,
        uuid: Uuid::nil(),
        parent: NodeId::ROOT,
        name: String::new(),
        kind: NodeKind::Collection,
        size: 0,
        mtime_ns: now_ns(),
        created_ns: 0,
        etag: "root".to_owned(),
        mime: String::new(),
        content: Content::None,
        attributes: Attributes::default(),
        version: None,
    }
}
