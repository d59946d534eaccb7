//! Taking, renewing and giving back locks.

use crate::error::{Error, Result};
use crate::lock::{Lock, LockRequest};
use crate::path::NodePath;
use crate::tree::Tree;

impl Tree {
    /// Locks a node; the flag says whether an empty leaf was created for it.
    pub async fn lock(&self, path: &NodePath, request: &LockRequest) -> Result<(Lock, bool)> {
        let _ = (path, request);
        Err(Error::NotImplemented("lock"))
    }

    /// Renews a lock this principal holds on the path (or above it, when deep).
    pub async fn refresh_lock(&self, path: &NodePath, token: &str, timeout_s: Option<u64>) -> Result<Lock> {
        let _ = (path, token, timeout_s);
        Err(Error::NotImplemented("refresh_lock"))
    }

    /// Gives a lock back. Its own principal may, and whoever may administer.
    pub async fn unlock(&self, path: &NodePath, token: &str) -> Result<()> {
        let _ = (path, token);
        Err(Error::NotImplemented("unlock"))
    }

    /// Locks that hold for a path: on the node, and deep ones above it, each with the path it
    /// stands on.
    pub async fn locks(&self, path: &NodePath) -> Result<Vec<(NodePath, Lock)>> {
        let _ = path;
        Err(Error::NotImplemented("locks"))
    }

    /// For a whole listing at once: the locks on each of these direct children of `path`, without
    /// those from above.
    pub async fn locks_on(&self, nodes: &[crate::node::NodeId]) -> Result<Vec<Lock>> {
        let _ = nodes;
        Err(Error::NotImplemented("locks"))
    }

    /// Fails with [`Error::Locked`] if a write at this path (or, `deep`, anywhere below) would be
    /// stopped by a lock whose token is not among `tokens`. For doors whose protocol asks before
    /// it acts; every mutation checks by itself.
    pub async fn check_locks(&self, path: &NodePath, deep: bool, tokens: &[String]) -> Result<()> {
        let _ = (path, deep, tokens);
        Err(Error::NotImplemented("locks"))
    }
}
