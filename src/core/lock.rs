//! Locks: one kind for every door.

use serde::{Deserialize, Serialize};

use crate::node::NodeId;
use crate::principal::Door;

/// A write lock on a node, or on a collection and all below it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lock {
    /// `urn:uuid:…`; knowing it is not enough, it must be presented by its principal.
    pub token: String,
    pub node: NodeId,
    /// Login of the principal that took it.
    pub principal: String,
    /// What the client said of its owner (WebDAV: the inner XML of `D:owner`). Shown as it came.
    pub owner: String,
    /// Whether everything below is locked too.
    pub deep: bool,
    pub shared: bool,
    pub door: Door,
    pub created_ns: i64,
    pub expires_ns: i64,
}

/// What a caller asks for.
#[derive(Debug, Clone)]
pub struct LockRequest {
    pub owner: String,
    pub deep: bool,
    pub shared: bool,
    /// Seconds asked for; `None` takes the default. Granted: at most [`LOCK_MAX_S`].
    pub timeout_s: Option<u64>,
    /// Create an empty leaf when there is no node yet (RFC 4918 §7.3).
    pub create: bool,
    /// Tokens the caller holds already.
    pub tokens: Vec<String>,
}

pub const LOCK_DEFAULT_S: u64 = 600;
/// A day: long enough for an editor left open overnight, short enough to end by itself.
pub const LOCK_MAX_S: u64 = 86_400;
