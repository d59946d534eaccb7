//! The inside of a transaction in memory.
//!
//! It works on a state that no reader sees. Every write notes how to undo it there and how to do it
//! again on the state that readers see, so that neither a commit nor a rollback copies the tables.

use std::collections::BTreeMap;
use std::sync::RwLock;

use async_trait::async_trait;
use bytes::Bytes;
use tokio::sync::OwnedMutexGuard;
use uuid::Uuid;

use super::state::State;
use crate::change::{Change, NewChange};
use crate::error::{Error, Result};
use crate::lock::Lock;
use crate::node::{Content, Extent, Node, NodeId};
use crate::ports::{Meta, NewNode, Record, Span, Txn, Version};
use crate::upload::{Part, Upload};

type Step = Box<dyn FnOnce(&mut State) + Send>;
type Table<K, V> = fn(&mut State) -> &mut BTreeMap<K, V>;

pub(super) struct MemoryTxn {
    state: OwnedMutexGuard<State>,
    undo: Vec<Step>,
    redo: Vec<Step>,
    pub directory_changed: bool,
}

/// Undoes whatever was not published: a mutation that failed, or one that panicked.
impl Drop for MemoryTxn {
    fn drop(&mut self) {
        for step in self.undo.drain(..).rev() {
            step(&mut self.state);
        }
    }
}

fn put<K: Ord, V>(table: &mut BTreeMap<K, V>, key: K, value: Option<V>) -> Option<V> {
    match value {
        Some(value) => table.insert(key, value),
        None => table.remove(&key),
    }
}

impl MemoryTxn {
    pub fn new(state: OwnedMutexGuard<State>) -> Self {
        Self { state, undo: Vec::new(), redo: Vec::new(), directory_changed: false }
    }

    /// Makes the writes visible, all at once. Still holds the writer's turn until it is dropped.
    pub fn publish(&mut self, visible: &RwLock<State>) {
        let mut visible = visible.write().unwrap();
        for step in self.redo.drain(..) {
            step(&mut visible);
        }
        self.undo.clear();
    }

    pub fn last_change(&self) -> i64 {
        self.state.last_change()
    }

    fn set<K, V>(&mut self, table: Table<K, V>, key: K, value: Option<V>) -> Option<V>
    where
        K: Ord + Clone + Send + 'static,
        V: Clone + Send + 'static,
    {
        let old = put(table(&mut self.state), key.clone(), value.clone());
        let (before, undone) = (old.clone(), key.clone());
        self.undo.push(Box::new(move |state| {
            put(table(state), undone, before);
        }));
        self.redo.push(Box::new(move |state| {
            put(table(state), key, value);
        }));
        old
    }

    fn remove_where<K, V>(&mut self, table: Table<K, V>, gone: impl Fn(&K, &V) -> bool)
    where
        K: Ord + Clone + Send + 'static,
        V: Clone + Send + 'static,
    {
        let rows = table(&mut self.state).iter().filter(|(key, value)| gone(key, value));
        let keys: Vec<K> = rows.map(|(key, _)| key.clone()).collect();
        for key in keys {
            self.set(table, key, None);
        }
    }

    /// Writes the row and both of its indexes.
    fn set_node(&mut self, node: Node) -> Result<()> {
        let taken = |other: &Node| other.id != node.id;
        if self.state.child(node.parent, &node.name).is_some_and(taken)
            || self.state.node_by_uuid(node.uuid).is_some_and(|other| taken(&other))
        {
            return Err(Error::AlreadyExists(node.name));
        }
        self.unset_node(node.id);
        self.set(|state| &mut state.siblings, (node.parent, node.sort_key()), Some(node.id));
        self.set(|state| &mut state.uuids, node.uuid, Some(node.id));
        self.set(|state| &mut state.nodes, node.id, Some(node));
        Ok(())
    }

    fn unset_node(&mut self, id: NodeId) -> bool {
        let Some(old) = self.set(|state| &mut state.nodes, id, None) else { return false };
        self.set(|state| &mut state.siblings, (old.parent, old.sort_key()), None);
        self.set(|state| &mut state.uuids, old.uuid, None);
        true
    }

    fn must_exist(&self, id: NodeId) -> Result<Node> {
        self.state.node(id).ok_or_else(|| Error::internal(format!("there is no node {}", id.0)))
    }
}

#[async_trait]
impl Txn for MemoryTxn {
    async fn chain(&mut self, from: NodeId, names: &[String]) -> Result<Vec<Node>> {
        Ok(self.state.chain(from, names))
    }

    async fn node(&mut self, id: NodeId) -> Result<Option<Node>> {
        Ok(self.state.node(id))
    }

    async fn child(&mut self, parent: NodeId, name: &str) -> Result<Option<Node>> {
        Ok(self.state.child(parent, name).cloned())
    }

    async fn ancestry(&mut self, id: NodeId) -> Result<Vec<Node>> {
        Ok(self.state.ancestry(id))
    }

    async fn children(&mut self, parent: NodeId, span: &Span) -> Result<Vec<Node>> {
        Ok(self.state.children(parent, span))
    }

    async fn insert_node(&mut self, new: &NewNode) -> Result<Node> {
        self.state.last_node += 1;
        let node = Node {
            id: NodeId(self.state.last_node),
            uuid: new.uuid,
            parent: new.parent,
            name: new.name.clone(),
            kind: new.kind,
            size: new.size,
            mtime_ns: new.mtime_ns,
            created_ns: new.created_ns,
            etag: new.etag.clone(),
            mime: new.mime.clone(),
            content: new.content.clone(),
            attributes: new.attributes.clone(),
            version: new.version,
        };
        self.set_node(node.clone())?;
        Ok(node)
    }

    async fn update_node(&mut self, node: &Node) -> Result<()> {
        self.must_exist(node.id)?;
        self.set_node(node.clone())
    }

    async fn touch(&mut self, id: NodeId, mtime_ns: i64, etag: &str) -> Result<()> {
        if let Some(node) = self.state.node(id) {
            let node = Node { mtime_ns, etag: etag.to_owned(), ..node };
            self.set(|state| &mut state.nodes, id, Some(node));
        }
        Ok(())
    }

    async fn delete_node(&mut self, id: NodeId) -> Result<()> {
        if self.state.has_children(id) {
            return Err(Error::internal(format!("node {} still has children", id.0)));
        }
        if self.unset_node(id) {
            self.remove_where(|state| &mut state.locks, |_, lock| lock.node == id);
            self.remove_where(|state| &mut state.meta, |(node, ..), _| *node == id);
            self.remove_where(|state| &mut state.versions, |_, version| version.node == id);
        }
        Ok(())
    }

    async fn meta(&mut self, node: NodeId, namespace: &str) -> Result<Vec<Meta>> {
        Ok(self.state.meta(&[node], Some(namespace)))
    }

    async fn set_meta(
        &mut self,
        node: NodeId,
        namespace: &str,
        name: &str,
        value: Option<&str>,
    ) -> Result<()> {
        if value.is_some() {
            self.must_exist(node)?;
        }
        let key = (node, namespace.to_owned(), name.to_owned());
        self.set(|state| &mut state.meta, key, value.map(str::to_owned));
        Ok(())
    }

    async fn copy_meta(&mut self, from: NodeId, to: NodeId, namespace: &str) -> Result<()> {
        self.must_exist(to)?;
        let copied = self.state.meta(&[from], Some(namespace));
        self.remove_where(|state| &mut state.meta, |(node, of, _), _| *node == to && of == namespace);
        for Meta { namespace, name, value, .. } in copied {
            self.set(|state| &mut state.meta, (to, namespace, name), Some(value));
        }
        Ok(())
    }

    async fn insert_version(&mut self, version: &Version) -> Result<()> {
        self.must_exist(version.node)?;
        self.set(|state| &mut state.versions, version.id, Some(version.clone()));
        Ok(())
    }

    async fn versions(&mut self, node: NodeId) -> Result<Vec<Version>> {
        Ok(self.state.versions(&[node]))
    }

    async fn move_versions(&mut self, from: NodeId, to: NodeId) -> Result<()> {
        self.must_exist(to)?;
        for version in self.state.versions(&[from]) {
            let moved = Version { node: to, ..version };
            self.set(|state| &mut state.versions, moved.id, Some(moved));
        }
        Ok(())
    }

    async fn delete_version(&mut self, id: Uuid) -> Result<()> {
        self.set(|state| &mut state.versions, id, None);
        Ok(())
    }

    async fn put_inline(&mut self, id: Uuid, bytes: &[u8]) -> Result<()> {
        self.set(|state| &mut state.inline, id, Some(Bytes::copy_from_slice(bytes)));
        Ok(())
    }

    async fn put_extents(&mut self, id: Uuid, extents: &[Extent]) -> Result<()> {
        self.set(|state| &mut state.extents, id, Some(extents.to_vec()));
        Ok(())
    }

    async fn extents(&mut self, id: Uuid) -> Result<Option<Vec<Extent>>> {
        Ok(self.state.extents.get(&id).cloned())
    }

    async fn is_referenced(&mut self, content: &Content) -> Result<bool> {
        Ok(self.state.is_referenced(content))
    }

    async fn delete_inline(&mut self, id: Uuid) -> Result<()> {
        self.set(|state| &mut state.inline, id, None);
        self.set(|state| &mut state.extents, id, None);
        Ok(())
    }

    async fn discard_blob(&mut self, datasource: &str, blob: Uuid) -> Result<()> {
        self.set(|state| &mut state.discarded, blob, Some(datasource.to_owned()));
        Ok(())
    }

    async fn discarded_blobs(&mut self, limit: usize) -> Result<Vec<(String, Uuid)>> {
        let rows = self.state.discarded.iter().take(limit);
        Ok(rows.map(|(blob, datasource)| (datasource.clone(), *blob)).collect())
    }

    async fn forget_blob(&mut self, blob: Uuid) -> Result<()> {
        self.set(|state| &mut state.discarded, blob, None);
        Ok(())
    }

    async fn locks_on(&mut self, nodes: &[NodeId], now_ns: i64) -> Result<Vec<Lock>> {
        Ok(self.state.locks_on(nodes, now_ns))
    }

    async fn locks_below(&mut self, id: NodeId, now_ns: i64) -> Result<Vec<Lock>> {
        Ok(self.state.locks_below(id, now_ns))
    }

    async fn lock(&mut self, token: &str, now_ns: i64) -> Result<Option<Lock>> {
        Ok(self.state.lock(token, now_ns))
    }

    async fn put_lock(&mut self, lock: &Lock) -> Result<()> {
        self.must_exist(lock.node)?;
        self.set(|state| &mut state.locks, lock.token.clone(), Some(lock.clone()));
        Ok(())
    }

    async fn delete_lock(&mut self, token: &str) -> Result<()> {
        self.set(|state| &mut state.locks, token.to_owned(), None);
        Ok(())
    }

    async fn delete_expired_locks(&mut self, now_ns: i64) -> Result<()> {
        self.remove_where(|state| &mut state.locks, |_, lock| lock.expires_ns <= now_ns);
        Ok(())
    }

    async fn append_change(&mut self, change: &NewChange) -> Result<i64> {
        let seq = self.state.last_change() + 1;
        self.set(|state| &mut state.changes, seq, Some(Change { seq, change: change.clone() }));
        Ok(seq)
    }

    async fn put_upload(&mut self, upload: &Upload) -> Result<()> {
        self.set(|state| &mut state.uploads, upload.id, Some(upload.clone()));
        Ok(())
    }

    async fn upload(&mut self, id: Uuid) -> Result<Option<Upload>> {
        Ok(self.state.uploads.get(&id).cloned())
    }

    async fn delete_upload(&mut self, id: Uuid) -> Result<()> {
        self.set(|state| &mut state.uploads, id, None);
        self.remove_where(|state| &mut state.parts, |(upload, _), _| *upload == id);
        Ok(())
    }

    async fn put_part(&mut self, part: &Part) -> Result<Option<Part>> {
        if !self.state.uploads.contains_key(&part.upload) {
            return Err(Error::NoSuchUpload(part.upload.to_string()));
        }
        Ok(self.set(|state| &mut state.parts, (part.upload, part.number), Some(part.clone())))
    }

    async fn parts(&mut self, upload: Uuid) -> Result<Vec<Part>> {
        Ok(self.state.parts(upload, 0, usize::MAX))
    }

    async fn record(&mut self, kind: &str, id: &str) -> Result<Option<Record>> {
        Ok(self.state.record(kind, id))
    }

    async fn record_by_name(&mut self, kind: &str, name: &str) -> Result<Option<Record>> {
        Ok(self.state.record_by_name(kind, name))
    }

    async fn records(&mut self, kind: &str, owner: Option<&str>) -> Result<Vec<Record>> {
        Ok(self.state.records(kind, owner))
    }

    async fn put_record(&mut self, record: &Record) -> Result<()> {
        let named = self.state.record_by_name(&record.kind, &record.name);
        if named.is_some_and(|other| other.id != record.id) {
            return Err(Error::AlreadyExists(record.name.clone()));
        }
        let key = (record.kind.clone(), record.id.clone());
        self.set(|state| &mut state.records, key, Some(record.clone()));
        self.directory_changed |= !Record::is_of_use(&record.kind);
        Ok(())
    }

    async fn delete_record(&mut self, kind: &str, id: &str) -> Result<bool> {
        let old = self.set(|state| &mut state.records, (kind.to_owned(), id.to_owned()), None);
        self.directory_changed |= old.is_some() && !Record::is_of_use(kind);
        Ok(old.is_some())
    }

    async fn delete_expired_records(&mut self, kind: &str, now_ns: i64) -> Result<()> {
        let expired = |record: &Record| record.expires_ns.is_some_and(|at| at <= now_ns);
        self.directory_changed |= self.state.of_kind(kind).any(expired) && !Record::is_of_use(kind);
        self.remove_where(|state| &mut state.records, |(of, _), record| of == kind && expired(record));
        Ok(())
    }
}
