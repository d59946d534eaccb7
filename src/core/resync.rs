//! Adoption of existing folders and repair after outside changes.
//!
//! A `structured` datasource is walked folder by folder; what differs from the index is settled in
//! batches, each looking at the disk again inside its commit, so that it never undoes a write that
//! happened meanwhile. An adopted leaf gets an ETag from its time and size (not of MD5's form, so no
//! client takes it for one): reading a whole archive through MD5 first would make adoption take hours.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::change::{ChangeKind, NewChange};
use crate::core::{Core, Mounted};
use crate::error::{Error, Result};
use crate::http::date::now_ns;
use crate::listing::PAGE_DEFAULT;
use crate::node::{Attributes, Content, Node, NodeId, NodeKind};
use crate::ports::{Form, Found, NewNode, Source, Span, Stamp, Txn};
use crate::principal::Door;
use crate::tree::{admin_path, fresh_etag, mime_of, new_collection};

/// Names settled per commit.
const BATCH: usize = 500;

/// What a resync found and did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Report {
    pub added: u64,
    pub updated: u64,
    pub removed: u64,
    /// Leaves of a `flat` datasource whose blob is gone.
    pub missing: u64,
}

impl Report {
    fn add(&mut self, other: Self) {
        self.added += other.added;
        self.updated += other.updated;
        self.removed += other.removed;
        self.missing += other.missing;
    }
}

impl Core {
    /// Brings the index in line with the disk of a `structured` datasource, and checks that every
    /// blob of a `flat` one exists.
    pub async fn resync(&self, datasource: &str) -> Result<Report> {
        let mounted = self.mounted(datasource).await?;
        match mounted.bytes.form() {
            Form::Structured => self.resync_structured(&mounted).await,
            Form::Flat => self.check_blobs(&mounted).await,
        }
    }

    async fn resync_structured(&self, mounted: &Arc<Mounted>) -> Result<Report> {
        let mut report = Report::default();
        let mut open = vec![(Vec::<String>::new(), mounted.root.id)];
        while let Some((names, id)) = open.pop() {
            let on_disk = mounted.bytes.scan(&names).await?;
            let known = self.children_of(id).await?;
            let differing = differing(&on_disk, &known);
            for batch in differing.chunks(BATCH) {
                let (mounted, names, batch) = (mounted.clone(), names.clone(), batch.to_vec());
                let done = self
                    .commit(move |txn| {
                        Box::pin(async move { settle_names(txn, &mounted, &names, id, &batch).await })
                    })
                    .await?;
                report.add(done);
            }
            // Folders as they are now, those just adopted included.
            for node in self.children_of(id).await?.into_values() {
                if node.is_collection() {
                    let mut below = names.clone();
                    below.push(node.name.clone());
                    open.push((below, node.id));
                }
            }
        }
        self.janitor().wake();
        Ok(report)
    }

    async fn children_of(&self, id: NodeId) -> Result<BTreeMap<String, Node>> {
        let mut children = BTreeMap::new();
        let mut span = Span { limit: PAGE_DEFAULT, exclusive: true, ..Span::default() };
        loop {
            let page = self.inner.index.children(id, &span).await?;
            span.from = page.last().map(Node::sort_key);
            let ended = page.len() < span.limit;
            children.extend(page.into_iter().map(|node| (node.name.clone(), node)));
            if ended {
                return Ok(children);
            }
        }
    }

    async fn check_blobs(&self, mounted: &Arc<Mounted>) -> Result<Report> {
        let mut report = Report::default();
        let mut open = vec![mounted.root.id];
        while let Some(id) = open.pop() {
            for node in self.children_of(id).await?.into_values() {
                if node.is_collection() {
                    open.push(node.id);
                } else if let Content::Blob(blob) = node.content {
                    let last = node.size.saturating_sub(1);
                    let read = mounted.bytes.read(Source::Blob(blob), last, node.size).await;
                    if let Err(error) = read {
                        tracing::error!(node = %node.uuid, %blob, error = %error.chain(), "blob missing");
                        report.missing += 1;
                    }
                }
            }
        }
        Ok(report)
    }
}

/// Names whose disk and index disagree.
fn differing(on_disk: &[Found], known: &BTreeMap<String, Node>) -> Vec<String> {
    let present: BTreeSet<&str> = on_disk.iter().map(|found| found.name.as_str()).collect();
    let changed = on_disk
        .iter()
        .filter(|found| known.get(&found.name).is_none_or(|node| !agrees(node, found)))
        .map(|found| found.name.clone());
    let gone = known.keys().filter(|name| !present.contains(name.as_str())).cloned();
    changed.chain(gone).collect()
}

fn agrees(node: &Node, found: &Found) -> bool {
    node.kind == found.kind
        && (node.is_collection() || (Stamp { size: node.size, mtime_ns: node.mtime_ns }) == found.stamp)
}

async fn settle_names(
    txn: &mut dyn Txn,
    mounted: &Mounted,
    parent_names: &[String],
    parent: NodeId,
    batch: &[String],
) -> Result<Report> {
    let mut report = Report::default();
    for name in batch {
        let mut names = parent_names.to_vec();
        names.push(name.clone());
        let on_disk = mounted.bytes.look(&names)?;
        match txn.child(parent, name).await? {
            Some(node) => report.add(settle(txn, mounted, &names, &node, on_disk).await?),
            None => {
                if let Some(found) = on_disk {
                    adopt(txn, mounted, parent, &names, &found).await?;
                    report.added += 1;
                }
            }
        }
    }
    if report != Report::default() {
        txn.touch(parent, now_ns(), &fresh_etag()).await?;
    }
    Ok(report)
}

/// Brings one known node in line with what stands at its path now.
pub(crate) async fn settle(
    txn: &mut dyn Txn,
    mounted: &Mounted,
    names: &[String],
    node: &Node,
    on_disk: Option<Found>,
) -> Result<Report> {
    match on_disk {
        Some(found) if agrees(node, &found) => Ok(Report::default()),
        Some(found) if node.is_leaf() && found.kind == NodeKind::Leaf => {
            let mut node = node.clone();
            node.size = found.stamp.size;
            node.mtime_ns = found.stamp.mtime_ns;
            node.etag = stamp_etag(found.stamp);
            // Digests of the content that was replaced.
            node.attributes.forget_bytes();
            txn.update_node(&node).await?;
            let to = Some(admin_path(&mounted.name, names));
            txn.append_change(&outside(ChangeKind::Update, &node, None, to)).await?;
            Ok(Report { updated: 1, ..Report::default() })
        }
        replaced => {
            let mut gone = node.clone();
            gone.parent = NodeId::LIMBO;
            gone.name = crate::janitor::limbo_name(&mounted.name, node.uuid);
            txn.update_node(&gone).await?;
            let from = Some(admin_path(&mounted.name, names));
            txn.append_change(&outside(ChangeKind::Remove, node, from, None)).await?;
            let mut report = Report { removed: 1, ..Report::default() };
            if let Some(found) = replaced {
                adopt(txn, mounted, node.parent, names, &found).await?;
                report.added = 1;
            }
            Ok(report)
        }
    }
}

async fn adopt(
    txn: &mut dyn Txn,
    mounted: &Mounted,
    parent: NodeId,
    names: &[String],
    found: &Found,
) -> Result<()> {
    let mut new = match found.kind {
        NodeKind::Collection => new_collection(parent, &found.name, found.stamp.mtime_ns),
        NodeKind::Leaf => NewNode {
            uuid: uuid::Uuid::new_v4(),
            parent,
            name: found.name.clone(),
            kind: NodeKind::Leaf,
            size: found.stamp.size,
            mtime_ns: found.stamp.mtime_ns,
            created_ns: found.stamp.mtime_ns,
            etag: stamp_etag(found.stamp),
            mime: mime_of(&found.name),
            content: Content::Path,
            attributes: Attributes::default(),
            version: None,
        },
    };
    let fresh = new.uuid;
    if found.kind == NodeKind::Collection {
        new.uuid = mounted.bytes.folder_id(names)?.unwrap_or(fresh);
    }
    let node = match txn.insert_node(&new).await {
        // A folder that was copied on disk with the id in it.
        Err(Error::AlreadyExists(_)) if new.uuid != fresh => {
            new.uuid = fresh;
            txn.insert_node(&new).await?
        }
        inserted => inserted?,
    };
    let to = Some(admin_path(&mounted.name, names));
    txn.append_change(&outside(ChangeKind::Create, &node, None, to)).await?;
    Ok(())
}

fn stamp_etag(stamp: Stamp) -> String {
    format!("{:x}-{:x}", stamp.mtime_ns, stamp.size)
}

/// A change that nobody made through a door.
fn outside(kind: ChangeKind, node: &Node, from: Option<String>, to: Option<String>) -> NewChange {
    NewChange {
        node: node.id,
        uuid: node.uuid,
        kind,
        collection: node.is_collection(),
        from,
        to,
        size: node.size,
        etag: node.etag.clone(),
        principal: String::new(),
        door: Door::System,
        at_ns: now_ns(),
    }
}
