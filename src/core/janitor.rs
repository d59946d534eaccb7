//! The janitor: background work that no request waits for.
//!
//! Removed trees are taken apart in limbo a batch of rows at a time, blobs that nothing refers to go
//! from their datasources, and what has expired is deleted. All of it is resumed after a crash,
//! because what is to be done is written in the index.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use uuid::Uuid;

use crate::core::Core;
use crate::error::Result;
use crate::http::date::now_ns;
use crate::node::{Node, NodeId};
use crate::ports::{Form, Span, Txn};
use crate::tree::release_node;
use crate::tree::uploads::drop_upload;

/// Rows per commit: others write in between.
const BATCH: usize = 500;
/// How often it looks without being woken.
const INTERVAL: Duration = Duration::from_secs(30);
/// A hidden copy older than this belongs to a process that is gone.
const COPY_ABANDONED_NS: i64 = 24 * 3_600 * 1_000_000_000;

/// Name of a removed tree's root in limbo; says whose blobs it held.
pub(crate) fn limbo_name(datasource: &str, uuid: Uuid) -> String {
    format!("removed:{datasource}:{}", uuid.simple())
}

/// Name of a copy that is being built in limbo.
pub(crate) fn copying_name(datasource: &str, uuid: Uuid) -> String {
    format!("copying:{datasource}:{}", uuid.simple())
}

#[derive(Default)]
pub(crate) struct Janitor {
    notify: Arc<Notify>,
}

impl Janitor {
    /// There may be something to do.
    pub fn wake(&self) {
        self.notify.notify_one();
    }

    /// Works until the core is dropped or stopped.
    pub fn start(core: &Core) -> tokio::task::JoinHandle<()> {
        let (core, notify) = (core.downgrade(), core.janitor().notify.clone());
        tokio::spawn(async move {
            loop {
                // Bursts of small writes are cleaned up after together.
                let _ = tokio::time::timeout(INTERVAL, notify.notified()).await;
                tokio::time::sleep(Duration::from_millis(200)).await;
                let Some(core) = core.upgrade() else { return };
                if let Err(error) = core.clean_up().await {
                    tracing::warn!(error = %error.chain(), "cleaning up failed, it is tried again");
                }
            }
        })
    }
}

impl Core {
    /// Does what there is to do now.
    pub(crate) async fn clean_up(&self) -> Result<()> {
        while self.commit(|txn| Box::pin(purge_limbo(txn))).await? {}
        self.remove_discarded_blobs().await?;
        let now = now_ns();
        let expired = self
            .inner
            .index
            .uploads()
            .await?
            .into_iter()
            .filter(|upload| upload.expires_ns <= now)
            .map(|upload| upload.id);
        for id in expired {
            self.commit(move |txn| Box::pin(async move { drop_upload(txn, id).await })).await?;
        }
        self.commit(move |txn| Box::pin(async move { txn.delete_expired_locks(now).await })).await?;
        for mounted in self.all_mounted() {
            if mounted.bytes.form() == Form::Structured {
                mounted.bytes.empty_bin().await?;
            }
        }
        self.identity().purge_expired().await
    }

    async fn remove_discarded_blobs(&self) -> Result<()> {
        loop {
            let discarded =
                self.commit(|txn| Box::pin(async move { txn.discarded_blobs(BATCH).await })).await?;
            if discarded.is_empty() {
                return Ok(());
            }
            let mut by_datasource: HashMap<String, Vec<Uuid>> = HashMap::new();
            for (datasource, blob) in &discarded {
                by_datasource.entry(datasource.clone()).or_default().push(*blob);
            }
            let mut done = Vec::new();
            for (datasource, blobs) in by_datasource {
                match self.mounted(&datasource).await {
                    Ok(mounted) => mounted.bytes.remove(&blobs).await?,
                    // A datasource that was deleted takes its blobs along.
                    Err(crate::Error::NotFound(_)) => {}
                    Err(error) => return Err(error),
                }
                done.extend(blobs);
            }
            self.commit(move |txn| {
                Box::pin(async move {
                    for blob in done {
                        txn.forget_blob(blob).await?;
                    }
                    Ok(())
                })
            })
            .await?;
        }
    }
}

/// Takes apart one batch of what is in limbo, deepest first; says whether there is more.
async fn purge_limbo(txn: &mut dyn Txn) -> Result<bool> {
    let span = Span { limit: BATCH, ..Span::default() };
    let abandoned = now_ns() - COPY_ABANDONED_NS;
    let roots = txn.children(NodeId::LIMBO, &span).await?;
    let mut budget = BATCH;
    for root in roots {
        let Some(datasource) = doomed(&root, abandoned) else { continue };
        // Depth first; the stack holds what is left of each level on the way down.
        let mut stack = vec![root.clone()];
        while let Some(node) = stack.last().cloned() {
            if budget == 0 {
                return Ok(true);
            }
            let span = Span { limit: budget, ..Span::default() };
            let mut children = Vec::new();
            if node.is_collection() {
                for parent in [node.id, node.id.removed_below(), node.id.shadows_below()] {
                    children = txn.children(parent, &span).await?;
                    if !children.is_empty() {
                        break;
                    }
                }
            }
            if children.is_empty() {
                release_node(txn, &datasource, &node).await?;
                stack.pop();
                budget -= 1;
                continue;
            }
            for child in children {
                if child.is_collection() {
                    stack.push(child);
                    break;
                }
                release_node(txn, &datasource, &child).await?;
                budget = budget.saturating_sub(1);
            }
        }
    }
    Ok(false)
}

/// The datasource of a root in limbo that is to go.
fn doomed(root: &Node, abandoned_ns: i64) -> Option<String> {
    let mut words = root.name.split(':');
    let (state, datasource) = (words.next()?, words.next()?);
    let doomed = state == "removed" || (state == "copying" && root.created_ns < abandoned_ns);
    doomed.then(|| datasource.to_owned())
}
