//! What an engine is to the rest of the index, and the ports on top of any engine.

use std::future::Future;

use async_trait::async_trait;
use bytes::Bytes;
use cellgate_core::Result;
use cellgate_core::change::Change;
use cellgate_core::lock::Lock;
use cellgate_core::node::{Extent, Node, NodeId};
use cellgate_core::ports::{Count, Index, Meta, Mutation, Record, Span, Version, View};
use cellgate_core::upload::{Part, Upload};
use tokio::sync::watch;
use uuid::Uuid;

use super::queries;
use super::session::Session;
use super::sqlite::Lookups;
use super::txn::Effects;

/// How long a read may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cost {
    /// A lookup or a page: microseconds.
    Short,
    /// As long as the data make it.
    Long,
}

impl Cost {
    /// A page of up to a few thousand rows is still short.
    fn of(limit: usize) -> Self {
        if limit <= 2_000 { Self::Short } else { Self::Long }
    }
}

pub trait Engine: Send + Sync + 'static {
    type Reader: Session;

    /// A connection that sees the latest commit.
    fn reader(&self, cost: Cost) -> impl Future<Output = Result<Self::Reader>> + Send;
    fn commit(&self, mutation: Mutation) -> impl Future<Output = Result<()>> + Send;
    fn signals(&self) -> &Signals;
    /// What was looked up before; engines on the network have none.
    fn lookups(&self) -> Option<&Lookups> {
        None
    }
    /// Commits what is waiting, then closes; later mutations are refused.
    fn close(&self) -> impl Future<Output = ()> + Send;
}

/// What the index announces.
#[derive(Debug)]
pub struct Signals {
    directory: watch::Sender<u64>,
    change: watch::Sender<i64>,
}

impl Signals {
    pub fn new(last_change: i64) -> Self {
        Self { directory: watch::Sender::new(0), change: watch::Sender::new(last_change) }
    }

    pub fn announce(&self, effects: Effects) {
        if effects.directory {
            self.directory.send_modify(|epoch| *epoch += 1);
        }
        self.change.send_if_modified(|last| {
            let newer = effects.last_change > *last;
            if newer {
                *last = effects.last_change;
            }
            newer
        });
    }
}

/// The ports over an engine.
pub struct Database<E>(pub E);

#[async_trait]
impl<E: Engine> View for Database<E> {
    async fn chain(&self, from: NodeId, names: &[String]) -> Result<Vec<Node>> {
        let lookups = self.0.lookups().and_then(|lookups| Some((lookups, lookups.now()?)));
        if let Some((lookups, stamp)) = &lookups
            && let Some(chain) = lookups.chain(stamp, from, names)
        {
            return Ok(chain);
        }
        let chain = queries::chain(&mut self.0.reader(Cost::Short).await?, from, names).await?;
        if let Some((lookups, stamp)) = &lookups {
            lookups.keep_chain(stamp, &chain);
        }
        Ok(chain)
    }

    async fn node(&self, id: NodeId) -> Result<Option<Node>> {
        queries::node(&mut self.0.reader(Cost::Short).await?, id).await
    }

    async fn node_by_uuid(&self, uuid: Uuid) -> Result<Option<Node>> {
        queries::node_by_uuid(&mut self.0.reader(Cost::Short).await?, uuid).await
    }

    async fn ancestry(&self, id: NodeId) -> Result<Vec<Node>> {
        queries::ancestry(&mut self.0.reader(Cost::Short).await?, id).await
    }

    async fn children(&self, parent: NodeId, span: &Span) -> Result<Vec<Node>> {
        queries::children(&mut self.0.reader(Cost::of(span.limit)).await?, parent, span).await
    }

    async fn count_children(&self, parent: NodeId) -> Result<Count> {
        queries::count_children(&mut self.0.reader(Cost::Long).await?, parent).await
    }

    async fn occupied(&self, nodes: &[NodeId]) -> Result<Vec<NodeId>> {
        queries::occupied(&mut self.0.reader(Cost::of(nodes.len())).await?, nodes).await
    }

    async fn meta(&self, nodes: &[NodeId], namespace: Option<&str>) -> Result<Vec<Meta>> {
        queries::meta(&mut self.0.reader(Cost::of(nodes.len())).await?, nodes, namespace).await
    }

    async fn versions(&self, nodes: &[NodeId]) -> Result<Vec<Version>> {
        queries::versions(&mut self.0.reader(Cost::of(nodes.len())).await?, nodes).await
    }

    async fn inline(&self, id: Uuid) -> Result<Option<Bytes>> {
        let lookups = self.0.lookups();
        if let Some(bytes) = lookups.and_then(|lookups| lookups.inline(id)) {
            return Ok(Some(bytes));
        }
        let bytes = queries::inline(&mut self.0.reader(Cost::Short).await?, id).await?;
        if let (Some(lookups), Some(bytes)) = (lookups, &bytes) {
            lookups.keep_inline(id, bytes);
        }
        Ok(bytes)
    }

    async fn extents(&self, id: Uuid) -> Result<Option<Vec<Extent>>> {
        queries::extents(&mut self.0.reader(Cost::Short).await?, id).await
    }

    async fn locks_on(&self, nodes: &[NodeId], now_ns: i64) -> Result<Vec<Lock>> {
        queries::locks_on(&mut self.0.reader(Cost::of(nodes.len())).await?, nodes, now_ns).await
    }

    async fn locks(&self, now_ns: i64) -> Result<Vec<Lock>> {
        queries::locks(&mut self.0.reader(Cost::Long).await?, now_ns).await
    }

    async fn lock(&self, token: &str, now_ns: i64) -> Result<Option<Lock>> {
        queries::lock(&mut self.0.reader(Cost::Short).await?, token, now_ns).await
    }

    async fn changes(&self, after: i64, limit: usize) -> Result<Vec<Change>> {
        queries::changes(&mut self.0.reader(Cost::of(limit)).await?, after, limit).await
    }

    async fn last_change(&self) -> Result<i64> {
        queries::last_change(&mut self.0.reader(Cost::Short).await?).await
    }

    async fn upload(&self, id: Uuid) -> Result<Option<Upload>> {
        queries::upload(&mut self.0.reader(Cost::Short).await?, id).await
    }

    async fn uploads(&self) -> Result<Vec<Upload>> {
        queries::uploads(&mut self.0.reader(Cost::Long).await?).await
    }

    async fn parts(&self, upload: Uuid, after: u32, limit: usize) -> Result<Vec<Part>> {
        queries::parts(&mut self.0.reader(Cost::of(limit)).await?, upload, after, limit).await
    }

    async fn record(&self, kind: &str, id: &str) -> Result<Option<Record>> {
        queries::record(&mut self.0.reader(Cost::Short).await?, kind, id).await
    }

    async fn record_by_name(&self, kind: &str, name: &str) -> Result<Option<Record>> {
        queries::record_by_name(&mut self.0.reader(Cost::Short).await?, kind, name).await
    }

    async fn records(&self, kind: &str, owner: Option<&str>) -> Result<Vec<Record>> {
        let cost = if owner.is_some() { Cost::Short } else { Cost::Long };
        queries::records(&mut self.0.reader(cost).await?, kind, owner).await
    }
}

#[async_trait]
impl<E: Engine> Index for Database<E> {
    async fn commit(&self, mutation: Mutation) -> Result<()> {
        self.0.commit(mutation).await
    }

    fn directory_epoch(&self) -> watch::Receiver<u64> {
        self.0.signals().directory.subscribe()
    }

    fn change_signal(&self) -> watch::Receiver<i64> {
        self.0.signals().change.subscribe()
    }
}
