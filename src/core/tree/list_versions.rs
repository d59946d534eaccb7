//! Listings of versions: pages in key order, the versions of each leaf newest first.

use crate::error::Result;
use crate::listing::{Depth, FileVersion, Listing, VersionEntry, VersionListing, VersionPage};
use crate::node::NodeId;
use crate::path::NodePath;
use crate::tree::Tree;
use crate::tree::list::{Walk, page_limit};
use crate::tree::versions::flatten;

/// Leaves whose versions are asked for in one query.
const AT_ONCE: usize = 128;

impl Tree {
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
}
