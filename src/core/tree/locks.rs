//! Taking, renewing and giving back locks.

use uuid::Uuid;

use crate::error::{Error, Result};
use crate::http::date::now_ns;
use crate::lock::{LOCK_DEFAULT_S, LOCK_MAX_S, Lock, LockRequest};
use crate::node::{Content, NodeId};
use crate::path::NodePath;
use crate::ports::{Form, Txn};
use crate::tree::Tree;
use crate::tree::access::{Found, Place};
use crate::tree::content::{Held, StagedGuard};
use crate::tree::write::Dress;

/// MD5 of nothing: the ETag of an empty leaf.
const EMPTY_MD5: &str = "d41d8cd98f00b204e9800998ecf8427e";

impl Tree {
    /// Locks a node; the flag says whether an empty leaf was created for it.
    pub async fn lock(&self, path: &NodePath, request: &LockRequest) -> Result<(Lock, bool)> {
        let place = self.place_below_root(path, "lock").await?;
        let found = self.find_at(&place).await?;
        // On disk an empty leaf is a file too, and it is made before the commit like any other.
        let held =
            if found.node().is_none() && request.create && place.mounted.bytes.form() == Form::Structured {
                let staged = place.mounted.bytes.stage(Some(0)).await?.finish().await?;
                Some(Held::Staged(StagedGuard::new(place.mounted.clone(), staged)))
            } else {
                None
            };
        let (tree, request) = (self.clone(), request.clone());
        let held = std::sync::Arc::new(held);
        let bytes = held.clone();
        let locked = self
            .core
            .commit(move |txn| {
                Box::pin(async move { tree.lock_in(txn, place, bytes.as_ref().as_ref(), &request).await })
            })
            .await?;
        if let Some(Some(Held::Staged(guard))) = std::sync::Arc::into_inner(held)
            && locked.1
        {
            guard.keep().await;
        }
        Ok(locked)
    }

    async fn lock_in(
        &self,
        txn: &mut dyn Txn,
        place: Place,
        held: Option<&Held>,
        request: &LockRequest,
    ) -> Result<(Lock, bool)> {
        txn.delete_expired_locks(now_ns()).await?;
        let found = self.find_in(txn, &place).await?;
        self.require_write(&place, &found, "lock")?;
        self.require_no_conflict(txn, &place, &found, request).await?;
        let (node, created) = match found.node() {
            Some(node) => (node.id, false),
            None if !request.create => return Err(Error::NotFound(place.path.to_string())),
            None => {
                self.require_collections(&place, &found)?;
                if found.missing > 1 {
                    return Err(Error::ParentMissing(place.path.to_string()));
                }
                self.require_unlocked(txn, &place, &found, true, &request.tokens).await?;
                let content = if held.is_some() { Content::Path } else { Content::None };
                let dress = Dress {
                    size: 0,
                    etag: EMPTY_MD5.to_owned(),
                    mime: None,
                    mtime_ns: None,
                    attributes: crate::node::Attributes::default(),
                };
                let written = self.settle_leaf(txn, place.clone(), found, content, held, dress).await?;
                (written.node.id, true)
            }
        };
        let now = now_ns();
        let lock = Lock {
            token: format!("urn:uuid:{}", Uuid::new_v4()),
            node,
            principal: self.principal.login.clone(),
            owner: request.owner.clone(),
            deep: request.deep,
            shared: request.shared,
            door: self.door,
            created_ns: now,
            expires_ns: expiry(now, request.timeout_s),
        };
        txn.put_lock(&lock).await?;
        Ok((lock, created))
    }

    /// An exclusive lock stands alone; shared ones stand together (RFC 4918 §6.2).
    async fn require_no_conflict(
        &self,
        txn: &mut dyn Txn,
        place: &Place,
        found: &Found,
        request: &LockRequest,
    ) -> Result<()> {
        let now = now_ns();
        let ids: Vec<NodeId> = found.ancestry.iter().map(|node| node.id).collect();
        let own = found.node().map(|node| node.id);
        let mut standing: Vec<Lock> = txn
            .locks_on(&ids, now)
            .await?
            .into_iter()
            .filter(|lock| lock.deep || Some(lock.node) == own)
            .collect();
        if let (true, Some(own)) = (request.deep, own) {
            standing.extend(txn.locks_below(own, now).await?);
        }
        match standing.iter().find(|lock| !(lock.shared && request.shared)) {
            Some(lock) => Err(Error::Locked { path: place.path.to_string(), owner: lock.principal.clone() }),
            None => Ok(()),
        }
    }

    /// Renews a lock this principal holds on the path (or above it, when deep).
    pub async fn refresh_lock(&self, path: &NodePath, token: &str, timeout_s: Option<u64>) -> Result<Lock> {
        let place = self.place_below_root(path, "lock").await?;
        let (tree, token) = (self.clone(), token.to_owned());
        self.core
            .commit(move |txn| {
                Box::pin(async move {
                    let mut lock = tree.held(txn, &place, &token).await?;
                    if lock.principal != tree.principal.login {
                        return Err(Error::Locked { path: place.path.to_string(), owner: lock.principal });
                    }
                    lock.expires_ns = expiry(now_ns(), timeout_s);
                    txn.put_lock(&lock).await?;
                    Ok(lock)
                })
            })
            .await
    }

    /// Gives a lock back. Its own principal may, and whoever may administer.
    pub async fn unlock(&self, path: &NodePath, token: &str) -> Result<()> {
        let place = self.place_below_root(path, "unlock").await?;
        let (tree, token) = (self.clone(), token.to_owned());
        self.core
            .commit(move |txn| {
                Box::pin(async move {
                    let lock = tree.held(txn, &place, &token).await?;
                    if lock.principal != tree.principal.login && !tree.principal.admin {
                        return Err(Error::Denied { path: place.path.to_string(), right: "unlock" });
                    }
                    txn.delete_lock(&token).await
                })
            })
            .await
    }

    /// The lock with a token, if it holds for a place.
    async fn held(&self, txn: &mut dyn Txn, place: &Place, token: &str) -> Result<Lock> {
        let found = self.find_in(txn, place).await?;
        self.require_read(place, &found)?;
        let absent = || Error::NoSuchLock(place.path.to_string());
        let lock = txn.lock(token, now_ns()).await?.ok_or_else(absent)?;
        let own = found.node().map(|node| node.id);
        let holds =
            Some(lock.node) == own || (lock.deep && found.ancestry.iter().any(|node| node.id == lock.node));
        if holds { Ok(lock) } else { Err(absent()) }
    }

    /// Locks that hold for a path: on the node, and deep ones above it, each with the path it
    /// stands on.
    pub async fn locks(&self, path: &NodePath) -> Result<Vec<(NodePath, Lock)>> {
        let Some(place) = self.place(path).await? else { return Ok(Vec::new()) };
        let found = self.find_at(&place).await?;
        self.require_read(&place, &found)?;
        let ids: Vec<NodeId> = found.ancestry.iter().map(|node| node.id).collect();
        let own = found.node().map(|node| node.id);
        let locks = self.core.inner.index.locks_on(&ids, now_ns()).await?;
        Ok(locks
            .into_iter()
            .filter(|lock| lock.deep || Some(lock.node) == own)
            .filter_map(|lock| {
                let depth = found.ancestry.iter().position(|node| node.id == lock.node)?;
                Some((place.path_of(place.names.get(..depth)?), lock))
            })
            .collect())
    }

    /// Locks that stand on nodes of a listing, without those from above.
    pub async fn locks_on(&self, nodes: &[NodeId]) -> Result<Vec<Lock>> {
        if nodes.is_empty() {
            return Ok(Vec::new());
        }
        self.core.inner.index.locks_on(nodes, now_ns()).await
    }

    /// Fails with [`Error::Locked`] if a write at this path (or, `deep`, anywhere below) would be
    /// stopped by a lock whose token is not among `tokens`. For doors whose protocol asks before
    /// it acts; every mutation checks by itself.
    pub async fn check_locks(&self, path: &NodePath, deep: bool, tokens: &[String]) -> Result<()> {
        let place = self.place_below_root(path, "write").await?;
        let (tree, tokens) = (self.clone(), tokens.to_vec());
        self.core
            .commit(move |txn| {
                Box::pin(async move {
                    let found = tree.find_in(txn, &place).await?;
                    let membership = found.node().is_none();
                    tree.require_unlocked(txn, &place, &found, membership, &tokens).await?;
                    match found.node() {
                        Some(node) if deep => {
                            tree.require_unlocked_below(txn, &place.path, node, &tokens).await
                        }
                        _ => Ok(()),
                    }
                })
            })
            .await
    }
}

fn expiry(now_ns: i64, timeout_s: Option<u64>) -> i64 {
    let seconds = timeout_s.unwrap_or(LOCK_DEFAULT_S).clamp(1, LOCK_MAX_S);
    now_ns.saturating_add(i64::try_from(seconds).unwrap_or(0).saturating_mul(1_000_000_000))
}
