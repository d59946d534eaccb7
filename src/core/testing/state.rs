//! The tables of the in-memory index, and the questions that are asked of them.

use std::collections::BTreeMap;
use std::ops::Bound;

use bytes::Bytes;
use uuid::Uuid;

use crate::change::Change;
use crate::lock::Lock;
use crate::node::{Content, Extent, Node, NodeId, NodeKind};
use crate::ports::{Count, Meta, Record, Span, Version};
use crate::upload::{Part, Upload};

#[derive(Clone, Default)]
pub(super) struct State {
    pub nodes: BTreeMap<NodeId, Node>,
    /// Parent and sort key. A name has no slash, so a leaf's key never equals a collection's.
    pub siblings: BTreeMap<(NodeId, String), NodeId>,
    pub uuids: BTreeMap<Uuid, NodeId>,
    /// By node, namespace, name.
    pub meta: BTreeMap<(NodeId, String, String), String>,
    pub versions: BTreeMap<Uuid, Version>,
    pub inline: BTreeMap<Uuid, Bytes>,
    pub extents: BTreeMap<Uuid, Vec<Extent>>,
    /// Datasource by blob.
    pub discarded: BTreeMap<Uuid, String>,
    pub locks: BTreeMap<String, Lock>,
    pub changes: BTreeMap<i64, Change>,
    pub uploads: BTreeMap<Uuid, Upload>,
    pub parts: BTreeMap<(Uuid, u32), Part>,
    /// By kind and id.
    pub records: BTreeMap<(String, String), Record>,
    /// The last id given out. Not rolled back: an id is never used twice.
    pub last_node: i64,
}

impl State {
    pub fn node(&self, id: NodeId) -> Option<Node> {
        self.nodes.get(&id).cloned()
    }

    pub fn node_by_uuid(&self, uuid: Uuid) -> Option<Node> {
        self.uuids.get(&uuid).and_then(|id| self.node(*id))
    }

    pub fn child(&self, parent: NodeId, name: &str) -> Option<&Node> {
        let id = self
            .siblings
            .get(&(parent, name.to_owned()))
            .or_else(|| self.siblings.get(&(parent, format!("{name}/"))))?;
        // A name that ends in a slash is no name, although it would find a sort key.
        self.nodes.get(id).filter(|node| node.name == name)
    }

    pub fn chain(&self, from: NodeId, names: &[String]) -> Vec<Node> {
        let mut found = Vec::new();
        let mut at = from;
        for name in names {
            let Some(node) = self.child(at, name) else { break };
            at = node.id;
            found.push(node.clone());
        }
        found
    }

    pub fn ancestry(&self, id: NodeId) -> Vec<Node> {
        let mut up = Vec::new();
        let mut at = id;
        while let Some(node) = self.nodes.get(&at) {
            assert!(up.len() <= self.nodes.len(), "node {} is its own ancestor", id.0);
            at = node.parent;
            up.push(node.clone());
        }
        up.reverse();
        up
    }

    fn siblings_from(&self, parent: NodeId, from: Bound<String>) -> impl Iterator<Item = &Node> {
        let from = match from {
            Bound::Included(key) => Bound::Included((parent, key)),
            Bound::Excluded(key) => Bound::Excluded((parent, key)),
            Bound::Unbounded => Bound::Included((parent, String::new())),
        };
        self.siblings
            .range((from, Bound::Unbounded))
            .take_while(move |((of, _), _)| *of == parent)
            .filter_map(|(_, id)| self.nodes.get(id))
    }

    pub fn children(&self, parent: NodeId, span: &Span) -> Vec<Node> {
        let prefix = span.prefix.as_deref().unwrap_or_default();
        let from = match &span.from {
            Some(from) if from.as_str() >= prefix && span.exclusive => Bound::Excluded(from.clone()),
            Some(from) if from.as_str() >= prefix => Bound::Included(from.clone()),
            _ => Bound::Included(prefix.to_owned()),
        };
        self.siblings_from(parent, from)
            .take_while(|node| node.name.starts_with(prefix))
            .take(span.limit)
            .cloned()
            .collect()
    }

    pub fn has_children(&self, parent: NodeId) -> bool {
        self.siblings_from(parent, Bound::Unbounded).next().is_some()
    }

    pub fn count_children(&self, parent: NodeId) -> Count {
        let mut count = Count::default();
        for node in self.siblings_from(parent, Bound::Unbounded) {
            match node.kind {
                NodeKind::Leaf => {
                    count.leaves += 1;
                    count.bytes += node.size;
                }
                NodeKind::Collection => count.collections += 1,
            }
        }
        count
    }

    pub fn meta(&self, nodes: &[NodeId], namespace: Option<&str>) -> Vec<Meta> {
        let mut nodes = nodes.to_vec();
        nodes.sort_unstable();
        nodes.dedup();
        nodes
            .into_iter()
            .flat_map(|node| {
                self.meta
                    .range((node, String::new(), String::new())..)
                    .take_while(move |((of, ..), _)| *of == node)
            })
            .filter(|((_, of, _), _)| namespace.is_none_or(|namespace| namespace == of))
            .map(|((node, namespace, name), value)| Meta {
                node: *node,
                namespace: namespace.clone(),
                name: name.clone(),
                value: value.clone(),
            })
            .collect()
    }

    pub fn versions(&self, nodes: &[NodeId]) -> Vec<Version> {
        let mut versions: Vec<_> =
            self.versions.values().filter(|version| nodes.contains(&version.node)).cloned().collect();
        versions.sort_by_key(|version| (version.node, std::cmp::Reverse(version.at_ns), version.id));
        versions
    }

    pub fn is_referenced(&self, content: &Content) -> bool {
        self.nodes.values().any(|node| node.content == *content)
            || self.versions.values().any(|version| version.content == *content)
            || self.parts.values().any(|part| part.content == *content)
            || self.extents.values().flatten().any(|extent| extent.content == content.to_text())
    }

    pub fn locks(&self, now_ns: i64) -> Vec<Lock> {
        let mut locks: Vec<_> =
            self.locks.values().filter(|lock| lock.expires_ns > now_ns).cloned().collect();
        locks.sort_by(|a, b| (a.created_ns, &a.token).cmp(&(b.created_ns, &b.token)));
        locks
    }

    pub fn locks_on(&self, nodes: &[NodeId], now_ns: i64) -> Vec<Lock> {
        self.locks(now_ns).into_iter().filter(|lock| nodes.contains(&lock.node)).collect()
    }

    pub fn locks_below(&self, id: NodeId, now_ns: i64) -> Vec<Lock> {
        let below = |node| node != id && self.ancestry(node).iter().any(|above| above.id == id);
        self.locks(now_ns).into_iter().filter(|lock| below(lock.node)).collect()
    }

    pub fn lock(&self, token: &str, now_ns: i64) -> Option<Lock> {
        self.locks.get(token).filter(|lock| lock.expires_ns > now_ns).cloned()
    }

    pub fn changes(&self, after: i64, limit: usize) -> Vec<Change> {
        self.changes
            .range((Bound::Excluded(after), Bound::Unbounded))
            .take(limit)
            .map(|(_, change)| change.clone())
            .collect()
    }

    pub fn last_change(&self) -> i64 {
        self.changes.last_key_value().map_or(0, |(seq, _)| *seq)
    }

    pub fn uploads(&self) -> Vec<Upload> {
        let mut uploads: Vec<_> = self.uploads.values().cloned().collect();
        uploads.sort_by_key(|upload| (upload.created_ns, upload.id));
        uploads
    }

    pub fn parts(&self, upload: Uuid, after: u32, limit: usize) -> Vec<Part> {
        self.parts
            .range((Bound::Excluded((upload, after)), Bound::Included((upload, u32::MAX))))
            .take(limit)
            .map(|(_, part)| part.clone())
            .collect()
    }

    pub fn record(&self, kind: &str, id: &str) -> Option<Record> {
        self.records.get(&(kind.to_owned(), id.to_owned())).cloned()
    }

    pub fn record_by_name(&self, kind: &str, name: &str) -> Option<Record> {
        if name.is_empty() {
            return None;
        }
        self.of_kind(kind).find(|record| record.name == name).cloned()
    }

    pub fn records(&self, kind: &str, owner: Option<&str>) -> Vec<Record> {
        let mut records: Vec<_> = self
            .of_kind(kind)
            .filter(|record| owner.is_none_or(|owner| owner == record.owner))
            .cloned()
            .collect();
        records.sort_by(|a, b| (&a.name, &a.id).cmp(&(&b.name, &b.id)));
        records
    }

    pub fn of_kind<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a Record> {
        self.records
            .range((kind.to_owned(), String::new())..)
            .take_while(move |((of, _), _)| of == kind)
            .map(|(_, record)| record)
    }
}
