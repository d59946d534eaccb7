//! The change feed: every committed mutation appends one row in its own transaction.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::node::NodeId;
use crate::principal::Door;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ChangeKind {
    Create,
    /// New content of an existing leaf.
    Update,
    /// Renamed or moved; `from` and `to` are both set.
    Move,
    Remove,
    /// Metadata or attributes only.
    Meta,
}

impl ChangeKind {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Move => "move",
            Self::Remove => "remove",
            Self::Meta => "meta",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Self::Create, Self::Update, Self::Move, Self::Remove, Self::Meta]
            .into_iter()
            .find(|kind| kind.as_str() == text)
    }
}

/// A change before it has its place in the feed. Paths are administrators' paths
/// (`/<datasource>/…`), so that every reader can map them to what it may see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewChange {
    pub node: NodeId,
    pub uuid: Uuid,
    pub kind: ChangeKind,
    pub collection: bool,
    pub from: Option<String>,
    pub to: Option<String>,
    pub size: u64,
    pub etag: String,
    /// Login; empty for the gateway itself (adoption, sweeps).
    pub principal: String,
    pub door: Door,
    pub at_ns: i64,
}

/// One row of the feed. Sequence numbers rise in commit order; a reader that keeps the last one it
/// saw misses none and sees each once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    pub seq: i64,
    pub change: NewChange,
}
