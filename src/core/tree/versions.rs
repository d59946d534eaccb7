//! Versions of leaves: which there are, what was in them, bringing them back, removing them.
//!
//! Every content has an id, which it keeps when another one replaces it. How many earlier ones stay
//! is the workspace's `versions`; keeping is settled in `history`, with the commit that replaces.
//! In the administrators' context and in `structured` datasources nothing is kept.

use uuid::Uuid;

use crate::change::ChangeKind;
use crate::error::{Error, Result};
use crate::listing::{Depth, FileVersion, Listing, VersionEntry, VersionListing, VersionPage};
use crate::node::{Node, NodeId};
use crate::path::NodePath;
use crate::ports::{Form, Txn, Version};
use crate::tree::access::{Found, Place, shown};
use crate::tree::content::release;
use crate::tree::list::{Walk, page_limit};
use crate::tree::{Existing, Remove, Transfer, Tree, Written};
use crate::workspace::{VERSIONS_DEFAULT, Versioning, Workspace};

/// Leaves whose versions are asked for in one query.
const AT_ONCE: usize = 128;

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
        let keeps = |one: &Workspace| one.slug == *first && one.versioning() != Versioning::Off;
        if !workspaces.iter().any(keeps) {
            return Ok(Versioning::Off);
        }
        Ok(self.place(path).await?.map_or(Versioning::Off, |place| place.versioning()))
    }

    /// Lets a workspace keep versions from now on, or no new ones. For who manages it.
    pub async fn set_versioning(&self, name: &str, enabled: bool) -> Result<()> {
        let (mut workspace, _) = self.workspace(name).await?;
        if !self.manages(&workspace) {
            return Err(Error::Denied { path: format!("/{}", workspace.slug), right: "change" });
        }
        if self.core.mounted(&workspace.datasource).await?.bytes.form() == Form::Structured {
            return Err(Error::NotImplemented("keeping versions in a structured datasource"));
        }
        if workspace.versions == 0 {
            workspace.versions = VERSIONS_DEFAULT;
        }
        workspace.versions_suspended = !enabled;
        self.core.identity().put_workspace(workspace).await.map(drop)
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

    /// One page of the versions of everything in a collection, in key order, newest first.
    pub async fn list_versions(&self, path: &NodePath, asked: &VersionListing) -> Result<VersionPage> {
        let limit = page_limit(asked.limit);
        let listing = Listing {
            depth: asked.depth,
            after: asked.after.as_ref().map(|(key, _)| key.clone()),
            name_prefix: asked.name_prefix.clone(),
            limit,
        };
        let mut resume = asked.after.as_ref().and_then(|(key, version)| Some((key.clone(), (*version)?)));
        let mut walk = Walk::versions(self, path, &listing, resume.is_some()).await?;
        let mut entries: Vec<VersionEntry> = Vec::new();
        let mut before = None;
        while entries.len() <= limit {
            let wanted = (limit + 1 - entries.len()).min(AT_ONCE);
            let batch = walk.batch(wanted).await?;
            let ended = batch.len() < wanted;
            let leaves: Vec<NodeId> =
                batch.iter().filter(|entry| entry.node.is_leaf()).map(|entry| entry.node.id).collect();
            let mut earlier = self.core.inner.index.versions(&leaves).await?;
            for entry in batch {
                if entry.node.is_collection() {
                    entries.push(VersionEntry::Collection {
                        key: entry.key,
                        node: Box::new(entry.node),
                        empty: false,
                    });
                    continue;
                }
                let (own, others) = earlier.into_iter().partition(|version| version.node == entry.node.id);
                earlier = others;
                let mut versions: Vec<FileVersion> = flatten(&entry.node, own).collect();
                if before.as_ref() == Some(&entry.key)
                    && let Some(first) = versions.first_mut()
                {
                    first.latest = false;
                }
                if let Some((key, version)) = &resume
                    && *key == entry.key
                {
                    let at = versions.iter().position(|one| one.is(*version));
                    // One that is gone by now does not hide the rest.
                    versions.drain(..at.map_or(0, |at| at + 1));
                    resume = None;
                }
                before = Some(entry.key.clone());
                let key = entry.key;
                entries.extend(
                    versions.into_iter().map(|version| VersionEntry::Version {
                        key: key.clone(),
                        version: Box::new(version),
                    }),
                );
            }
            if ended {
                break;
            }
        }
        let more = entries.len() > limit;
        entries.truncate(limit);
        if asked.depth == Depth::Infinity {
            self.mark_empty(&mut entries).await?;
        }
        let next = more.then(|| entries.last().map(VersionEntry::cursor)).flatten();
        Ok(VersionPage { entries, next })
    }

    async fn mark_empty(&self, entries: &mut [VersionEntry]) -> Result<()> {
        let collections: Vec<NodeId> = entries
            .iter()
            .filter_map(|entry| match entry {
                VersionEntry::Collection { node, .. } => Some(node.id),
                VersionEntry::Version { .. } => None,
            })
            .collect();
        let occupied = self.occupied(&collections).await?;
        for entry in entries {
            if let VersionEntry::Collection { node, empty, .. } = entry {
                *empty = !occupied.contains(&node.id);
            }
        }
        Ok(())
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
    match earlier.into_iter().find(|row| asked.is(row)) {
        None => Err(Error::NoSuchVersion(place.path.to_string())),
        Some(row) if row.marker => Err(Error::IsADeleteMarker(place.path.to_string())),
        Some(row) => Ok(node.as_of(row)),
    }
}

fn flatten(node: &Node, earlier: Vec<Version>) -> impl Iterator<Item = FileVersion> {
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
