//! Versions of leaves: which there are, what was in them, bringing them back, removing them.
//!
//! Every content has an id, which it keeps when another one replaces it. How many earlier ones stay
//! is the workspace's `versions`; keeping is settled in `history`, with the commit that replaces, and
//! `list_versions` lists them.
//! In the administrators' context and in `structured` datasources nothing is kept.

use std::sync::Arc;

use uuid::Uuid;

use crate::change::ChangeKind;
use crate::error::{Error, Result};
use crate::listing::FileVersion;
use crate::node::Node;
use crate::path::NodePath;
use crate::ports::{Form, Txn, Version};
use crate::tree::access::{Found, Place, shown};
use crate::tree::content::release;
use crate::tree::{Existing, Remove, Transfer, Tree, Written};
use crate::workspace::{VERSIONS_DEFAULT, Versioning, Workspace};

/// How a version is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VersionRef {
    Id(Uuid),
    /// The one that was written while its workspace kept no versions.
    Unversioned,
}

impl VersionRef {
    pub(crate) fn names(self, id: Uuid, unversioned: bool) -> bool {
        match self {
            Self::Id(asked) => asked == id,
            Self::Unversioned => unversioned,
        }
    }

    fn is_newest(self, node: &Node) -> bool {
        self.names(node.version_id(), node.version.is_none())
    }

    fn is(self, version: &Version) -> bool {
        self.names(version.id, version.unversioned)
    }
}

impl Tree {
    /// Whether replaced contents are kept at a path.
    pub async fn versioning(&self, path: &NodePath) -> Result<Versioning> {
        // Asked with every read of some doors: most workspaces say no at once.
        let Some(first) = path.first() else { return Ok(Versioning::Off) };
        let workspaces = self.core.identity().workspaces().await?;
        let keeps = |one: &Arc<Workspace>| one.slug == *first && one.versioning() != Versioning::Off;
        if !workspaces.iter().any(keeps) {
            return Ok(Versioning::Off);
        }
        Ok(self.place(path).await?.map_or(Versioning::Off, |place| place.versioning()))
    }

    /// Lets a workspace keep versions from now on, or no new ones. For who manages it.
    pub async fn set_versioning(&self, name: &str, enabled: bool) -> Result<()> {
        let workspace = self.managed(name).await?;
        if self.core.mounted(&workspace.datasource).await?.bytes.form() == Form::Structured {
            return Err(Error::NotImplemented("keeping versions in a structured datasource"));
        }
        let change = move |workspace: &mut Workspace| {
            if workspace.versions == 0 {
                workspace.versions = VERSIONS_DEFAULT;
            }
            workspace.versions_suspended = !enabled;
        };
        self.core.identity().change_workspace(workspace.uuid, change).await.map(drop)
    }

    /// All versions of a leaf, newest first. Of a removed one too, whose newest is a delete marker.
    pub async fn versions(&self, path: &NodePath) -> Result<Vec<FileVersion>> {
        let (_, node) = self.leaf_at(path).await?;
        let node = node.ok_or_else(|| Error::NotFound(path.to_string()))?;
        let earlier = self.core.inner.index.versions(&[node.id]).await?;
        Ok(flatten(&node, earlier).collect())
    }

    /// The delete marker at a path where nothing else is.
    pub async fn marker(&self, path: &NodePath) -> Result<Option<FileVersion>> {
        let (_, node) = self.leaf_at(path).await?;
        Ok(node.filter(Node::is_marker).map(|node| newest(&node)))
    }

    /// A leaf as it was in one of its versions.
    pub async fn stat_version(&self, path: &NodePath, version: VersionRef) -> Result<Node> {
        let (place, node) = self.leaf_at(path).await?;
        let node = node.ok_or_else(|| Error::NoSuchVersion(path.to_string()))?;
        if version.is_newest(&node) {
            return present(&place, node);
        }
        let earlier = self.core.inner.index.versions(&[node.id]).await?;
        Ok(shown(&place, earlier_one(&place, &node, earlier, version)?))
    }

    /// The same within a commit, as the source of a copy; `None` is the present one.
    pub(crate) async fn version_in(
        &self,
        txn: &mut dyn Txn,
        place: &Place,
        found: &Found,
        version: Option<VersionRef>,
    ) -> Result<Node> {
        let Some(version) = version else {
            return found.node().cloned().ok_or_else(|| Error::NotFound(place.path.to_string()));
        };
        let node = self.leaf_or_marker(txn, place, found).await?;
        let node = node.ok_or_else(|| Error::NoSuchVersion(place.path.to_string()))?;
        if version.is_newest(&node) {
            return present(place, node);
        }
        let earlier = txn.versions(node.id).await?;
        earlier_one(place, &node, earlier, version)
    }

    /// Makes a version current again: a new content, the same bytes. What it replaces becomes a
    /// version itself.
    pub async fn restore_version(
        &self,
        path: &NodePath,
        version: VersionRef,
        tokens: &[String],
    ) -> Result<Written> {
        let how = Transfer {
            version: Some(version),
            existing: Existing::Replace,
            tokens: tokens.to_vec(),
            ..Transfer::default()
        };
        self.copy(path, path, &how).await
    }

    /// Removes one version for good, a delete marker likewise. When it is the newest, the one before
    /// takes its place; without one nothing is left. Answers what was removed.
    pub async fn remove_version(
        &self,
        path: &NodePath,
        version: VersionRef,
        how: &Remove,
    ) -> Result<FileVersion> {
        let place = self.place_below_root(path, "remove").await?;
        self.find_at(&place).await?;
        let (tree, how) = (self.clone(), how.clone());
        let removed = self
            .core
            .commit(move |txn| {
                Box::pin(async move { tree.remove_version_in(txn, &place, version, &how).await })
            })
            .await?;
        self.core.janitor().wake();
        Ok(removed)
    }

    async fn remove_version_in(
        &self,
        txn: &mut dyn Txn,
        place: &Place,
        version: VersionRef,
        how: &Remove,
    ) -> Result<FileVersion> {
        let found = self.find_in(txn, place).await?;
        self.require_read(place, &found)?;
        let absent = || Error::NoSuchVersion(place.path.to_string());
        let node = self.leaf_or_marker(txn, place, &found).await?.ok_or_else(absent)?;
        self.require_write(place, &found, "remove")?;
        let is_newest = version.is_newest(&node);
        self.require_unlocked(txn, place, &found, is_newest, &how.tokens).await?;
        let check = |version: &Node| {
            how.conditions.check_write(Some(version), &place.path.to_string())?;
            how.check(version, &place.path)
        };
        if is_newest {
            check(&node)?;
            let removed = newest(&node);
            self.drop_newest(txn, place, &found, node).await?;
            return Ok(removed);
        }
        let earlier = txn.versions(node.id).await?.into_iter().find(|row| version.is(row));
        let earlier = earlier.ok_or_else(absent)?;
        check(&node.as_of(earlier.clone()))?;
        txn.delete_version(earlier.id).await?;
        release(txn, &place.mounted.name, &earlier.content).await?;
        if !node.is_marker() {
            let to = Some(place.admin_path());
            txn.append_change(&self.change(ChangeKind::Meta, &node, None, to)).await?;
        }
        Ok(file_version(earlier))
    }

    /// Replaces what `set` names of one version's attributes (`None` removes), without touching its
    /// content. Answers the leaf as of it.
    pub async fn set_version_attributes(
        &self,
        path: &NodePath,
        version: VersionRef,
        set: &[(String, Option<String>)],
        tokens: &[String],
    ) -> Result<Node> {
        let place = self.place_below_root(path, "change").await?;
        self.find_at(&place).await?;
        let (tree, set, tokens) = (self.clone(), set.to_vec(), tokens.to_vec());
        self.core
            .commit(move |txn| {
                Box::pin(async move {
                    let found = tree.find_in(txn, &place).await?;
                    tree.require_read(&place, &found)?;
                    let node = tree.leaf_or_marker(txn, &place, &found).await?;
                    let node = node.ok_or_else(|| Error::NoSuchVersion(place.path.to_string()))?;
                    let mut seen = found.clone();
                    seen.ancestry.push(node.clone());
                    tree.require_write(&place, &seen, "change")?;
                    tree.require_unlocked(txn, &place, &found, false, &tokens).await?;
                    let changed = if version.is_newest(&node) {
                        let mut changed = present(&place, node.clone())?;
                        changed.attributes.change(&set);
                        txn.update_node(&Node { attributes: changed.attributes.clone(), ..node.clone() })
                            .await?;
                        changed
                    } else {
                        let earlier = txn.versions(node.id).await?;
                        let mut row = one_of(&place, earlier, version)?;
                        row.attributes.change(&set);
                        txn.delete_version(row.id).await?;
                        txn.insert_version(&row).await?;
                        shown(&place, node.as_of(row))
                    };
                    if !node.is_marker() {
                        let to = Some(place.admin_path());
                        txn.append_change(&tree.change(ChangeKind::Meta, &node, None, to)).await?;
                    }
                    Ok(changed)
                })
            })
            .await
    }

    /// The leaf at a path, or its delete marker. A folder stands beside a marker of its name.
    async fn leaf_at(&self, path: &NodePath) -> Result<(Place, Option<Node>)> {
        let place = self.place(path).await?.ok_or_else(|| Error::IsACollection(path.to_string()))?;
        let mut found = self.find_at(&place).await?;
        self.require_read(&place, &found)?;
        if found.node().is_some_and(Node::is_leaf) {
            return Ok((place, found.ancestry.pop()));
        }
        let shade = self.shade_at(&place, &found).await?;
        let Some((hidden, shade)) = shade.and_then(|shade| Some((shade.markers()?, shade))) else {
            return Ok((place, None));
        };
        let names = std::slice::from_ref(shade.name);
        let marker = self.core.inner.index.chain(hidden, names).await?.pop();
        if let Some(marker) = &marker {
            // Rights that were set on the leaf hold for what is left of it.
            found.ancestry.extend(shade.shadows);
            found.ancestry.push(marker.clone());
            self.require_read(&place, &found)?;
        }
        Ok((place, marker))
    }
}

fn present(place: &Place, node: Node) -> Result<Node> {
    match node.is_marker() {
        true => Err(Error::IsADeleteMarker(place.path.to_string())),
        false => Ok(shown(place, node)),
    }
}

fn earlier_one(place: &Place, node: &Node, earlier: Vec<Version>, asked: VersionRef) -> Result<Node> {
    Ok(node.as_of(one_of(place, earlier, asked)?))
}

fn one_of(place: &Place, earlier: Vec<Version>, asked: VersionRef) -> Result<Version> {
    match earlier.into_iter().find(|row| asked.is(row)) {
        None => Err(Error::NoSuchVersion(place.path.to_string())),
        Some(row) if row.marker => Err(Error::IsADeleteMarker(place.path.to_string())),
        Some(row) => Ok(row),
    }
}

pub(crate) fn flatten(node: &Node, earlier: Vec<Version>) -> impl Iterator<Item = FileVersion> {
    std::iter::once(newest(node)).chain(earlier.into_iter().map(file_version))
}

pub(crate) fn newest(node: &Node) -> FileVersion {
    FileVersion {
        id: node.version_id(),
        unversioned: node.version.is_none(),
        latest: true,
        marker: node.is_marker(),
        size: node.size,
        mtime_ns: node.mtime_ns,
        etag: node.etag.clone(),
        attributes: node.attributes.clone(),
    }
}

fn file_version(version: Version) -> FileVersion {
    FileVersion {
        id: version.id,
        unversioned: version.unversioned,
        latest: false,
        marker: version.marker,
        size: version.size,
        mtime_ns: version.mtime_ns,
        etag: version.etag,
        attributes: version.attributes,
    }
}
