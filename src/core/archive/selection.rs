//! Selections: nodes that a user chose in one request and downloads as one archive in the next.
//!
//! Kept as records, because the next request may come to another gateway. A selection holds paths
//! and grants nothing: what is read is checked when it is read.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::error::{Error, Result};
use crate::http::date::now_ns;
use crate::node::Node;
use crate::path::NodePath;
use crate::ports::Record;
use crate::tree::Tree;

/// Kind of the records.
pub(crate) const KIND: &str = "selection";
const EXPIRES_AFTER_NS: i64 = 3_600 * 1_000_000_000;
/// Most nodes in one selection, and most bytes of their paths.
const NODES_MAX: usize = 10_000;
const PATHS_MAX_BYTES: usize = 1024 * 1024;

#[derive(Serialize, Deserialize)]
struct Selection {
    paths: Vec<String>,
}

impl Tree {
    /// Keeps a list of nodes for an hour, or until its archive was downloaded. Each must exist, and
    /// comes back as it is.
    pub async fn create_selection(&self, nodes: &[NodePath]) -> Result<(Uuid, Vec<Node>)> {
        if nodes.is_empty() || nodes.len() > NODES_MAX {
            return Err(Error::InvalidArgument(format!("a selection has 1 to {NODES_MAX} nodes")));
        }
        if nodes.iter().any(NodePath::is_root) {
            return Err(Error::InvalidArgument(
                "select workspaces or what is in them, not all at once".into(),
            ));
        }
        let paths: Vec<String> = nodes.iter().map(NodePath::to_string).collect();
        let size = paths.iter().map(String::len).sum::<usize>();
        if size > PATHS_MAX_BYTES {
            return Err(Error::TooLarge { size: size as u64, limit: PATHS_MAX_BYTES as u64 });
        }
        let mut found = Vec::with_capacity(nodes.len());
        for path in nodes {
            found.push(self.stat(path).await?);
        }
        let id = Uuid::new_v4();
        let record = Record {
            kind: KIND.to_owned(),
            id: id.to_string(),
            name: String::new(),
            owner: self.principal.uuid.to_string(),
            expires_ns: Some(now_ns() + EXPIRES_AFTER_NS),
            body: serde_json::to_string(&Selection { paths }).map_err(Error::internal)?,
        };
        self.core.commit(move |txn| Box::pin(async move { txn.put_record(&record).await })).await?;
        Ok((id, found))
    }

    /// The nodes of a selection; `None` when there is none, or it is another's.
    pub(super) async fn selection(&self, id: Uuid) -> Result<Option<Vec<NodePath>>> {
        let Some(record) = self.core.inner.index.record(KIND, &id.to_string()).await? else {
            return Ok(None);
        };
        let expired = record.expires_ns.is_some_and(|expires| expires <= now_ns());
        if expired || record.owner != self.principal.uuid.to_string() {
            return Ok(None);
        }
        let selection: Selection = serde_json::from_str(&record.body).map_err(Error::internal)?;
        let nodes: Result<Vec<NodePath>> = selection.paths.iter().map(|path| NodePath::parse(path)).collect();
        nodes.map(Some)
    }

    pub(super) async fn drop_selection(&self, id: Uuid) -> Result<()> {
        let id = id.to_string();
        self.core
            .commit(move |txn| {
                Box::pin(async move {
                    txn.delete_record(KIND, &id).await?;
                    Ok(())
                })
            })
            .await
    }
}
