//! `MemoryIndex`: an index without a disk.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, RwLock, RwLockReadGuard};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::FutureExt;
use tokio::sync::{Mutex, watch};
use uuid::Uuid;

use super::state::State;
use super::txn::MemoryTxn;
use crate::change::Change;
use crate::error::{Error, Result};
use crate::lock::Lock;
use crate::node::{Extent, Node, NodeId};
use crate::ports::{Count, Index, Meta, Mutation, Record, Span, Version, View};
use crate::upload::{Part, Upload};

/// One mutation at a time, visible to readers all at once when it has succeeded. Cheap to clone;
/// clones are the same index.
#[derive(Clone)]
pub struct MemoryIndex {
    shared: Arc<Shared>,
}

struct Shared {
    /// What readers see.
    visible: RwLock<State>,
    /// What the next mutation works on; equal to `visible` while nobody holds it.
    working: Arc<Mutex<State>>,
    epoch: watch::Sender<u64>,
    signal: watch::Sender<i64>,
    fail_next: AtomicBool,
}

impl Default for MemoryIndex {
    fn default() -> Self {
        Self::new()
    }
}

impl MemoryIndex {
    pub fn new() -> Self {
        Self::of(State::default())
    }

    fn of(state: State) -> Self {
        let last_change = state.last_change();
        Self {
            shared: Arc::new(Shared {
                visible: RwLock::new(state.clone()),
                working: Arc::new(Mutex::new(state)),
                epoch: watch::Sender::new(0),
                signal: watch::Sender::new(last_change),
                fail_next: AtomicBool::new(false),
            }),
        }
    }

    /// A new index with the same content, as if the database had been copied.
    pub fn fork(&self) -> Self {
        let mut state = self.state().clone();
        // Commits publish rows, not the counter: without this a fork would hand out ids again.
        state.last_node = state.nodes.keys().map(|id| id.0).max().unwrap_or(0);
        Self::of(state)
    }

    /// Lets the next commit fail as a full disk would: its mutation runs, and nothing of it stays.
    pub fn fail_next_commit(&self) {
        self.shared.fail_next.store(true, Ordering::SeqCst);
    }

    fn state(&self) -> RwLockReadGuard<'_, State> {
        self.shared.visible.read().unwrap()
    }
}

#[async_trait]
impl Index for MemoryIndex {
    async fn commit(&self, mutation: Mutation) -> Result<()> {
        let shared = self.shared.clone();
        // A task of its own: like a store's, a commit goes on when its caller is dropped.
        let run = tokio::spawn(async move {
            let mut txn = MemoryTxn::new(shared.working.clone().lock_owned().await);
            // A mutation that waits for anything else would hold up every other writer of a real
            // store, so it fails here too.
            mutation(&mut txn)
                .now_or_never()
                .ok_or_else(|| Error::internal("a mutation waits for something outside its transaction"))??;
            if shared.fail_next.swap(false, Ordering::SeqCst) {
                return Err(Error::Unavailable("the index (as the test asked)".into()));
            }
            txn.publish(&shared.visible);
            if txn.directory_changed {
                shared.epoch.send_modify(|epoch| *epoch += 1);
            }
            let last = txn.last_change();
            shared.signal.send_if_modified(|signal| std::mem::replace(signal, last) != last);
            Ok(())
        });
        run.await.map_err(Error::internal)?
    }

    fn directory_epoch(&self) -> watch::Receiver<u64> {
        self.shared.epoch.subscribe()
    }

    fn change_signal(&self) -> watch::Receiver<i64> {
        self.shared.signal.subscribe()
    }
}

#[async_trait]
impl View for MemoryIndex {
    async fn chain(&self, from: NodeId, names: &[String]) -> Result<Vec<Node>> {
        Ok(self.state().chain(from, names))
    }

    async fn node(&self, id: NodeId) -> Result<Option<Node>> {
        Ok(self.state().node(id))
    }

    async fn node_by_uuid(&self, uuid: Uuid) -> Result<Option<Node>> {
        Ok(self.state().node_by_uuid(uuid))
    }

    async fn ancestry(&self, id: NodeId) -> Result<Vec<Node>> {
        Ok(self.state().ancestry(id))
    }

    async fn children(&self, parent: NodeId, span: &Span) -> Result<Vec<Node>> {
        Ok(self.state().children(parent, span))
    }

    async fn count_children(&self, parent: NodeId) -> Result<Count> {
        Ok(self.state().count_children(parent))
    }

    async fn occupied(&self, nodes: &[NodeId]) -> Result<Vec<NodeId>> {
        let state = self.state();
        let mut occupied: Vec<NodeId> = nodes.iter().copied().filter(|id| state.has_children(*id)).collect();
        occupied.sort_unstable();
        occupied.dedup();
        Ok(occupied)
    }

    async fn meta(&self, nodes: &[NodeId], namespace: Option<&str>) -> Result<Vec<Meta>> {
        Ok(self.state().meta(nodes, namespace))
    }

    async fn versions(&self, nodes: &[NodeId]) -> Result<Vec<Version>> {
        Ok(self.state().versions(nodes))
    }

    async fn inline(&self, id: Uuid) -> Result<Option<Bytes>> {
        Ok(self.state().inline.get(&id).cloned())
    }

    async fn extents(&self, id: Uuid) -> Result<Option<Vec<Extent>>> {
        Ok(self.state().extents.get(&id).cloned())
    }

    async fn locks_on(&self, nodes: &[NodeId], now_ns: i64) -> Result<Vec<Lock>> {
        Ok(self.state().locks_on(nodes, now_ns))
    }

    async fn locks(&self, now_ns: i64) -> Result<Vec<Lock>> {
        Ok(self.state().locks(now_ns))
    }

    async fn lock(&self, token: &str, now_ns: i64) -> Result<Option<Lock>> {
        Ok(self.state().lock(token, now_ns))
    }

    async fn changes(&self, after: i64, limit: usize) -> Result<Vec<Change>> {
        Ok(self.state().changes(after, limit))
    }

    async fn last_change(&self) -> Result<i64> {
        Ok(self.state().last_change())
    }

    async fn upload(&self, id: Uuid) -> Result<Option<Upload>> {
        Ok(self.state().uploads.get(&id).cloned())
    }

    async fn uploads(&self) -> Result<Vec<Upload>> {
        Ok(self.state().uploads())
    }

    async fn parts(&self, upload: Uuid, after: u32, limit: usize) -> Result<Vec<Part>> {
        Ok(self.state().parts(upload, after, limit))
    }

    async fn record(&self, kind: &str, id: &str) -> Result<Option<Record>> {
        Ok(self.state().record(kind, id))
    }

    async fn record_by_name(&self, kind: &str, name: &str) -> Result<Option<Record>> {
        Ok(self.state().record_by_name(kind, name))
    }

    async fn records(&self, kind: &str, owner: Option<&str>) -> Result<Vec<Record>> {
        Ok(self.state().records(kind, owner))
    }
}
