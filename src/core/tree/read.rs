//! Reading nodes and leaves.

use std::collections::HashMap;

use uuid::Uuid;

use crate::change::Change;
use crate::error::{Error, Result};
use crate::node::{Node, NodeId};
use crate::path::NodePath;
use crate::ports::{Count, Meta};
use crate::principal::Rights;
use crate::tree::{Read, ReadOptions, Tree};
use crate::workspace::Workspace;

impl Tree {
    /// The node at a path. `/` answers a collection with [`NodeId::ROOT`].
    pub async fn stat(&self, path: &NodePath) -> Result<Node> {
        let _ = path;
        Err(Error::NotImplemented("stat"))
    }

    /// The node with a uuid and its path, if this principal can reach it.
    pub async fn find(&self, uuid: Uuid) -> Result<(NodePath, Node)> {
        let _ = uuid;
        Err(Error::NotImplemented("find"))
    }

    /// What this principal may do at a path that exists.
    pub async fn rights(&self, path: &NodePath) -> Result<Rights> {
        let _ = path;
        Err(Error::NotImplemented("rights"))
    }

    /// Opens a leaf: checks the conditions, then hands out its bytes.
    pub async fn read(&self, path: &NodePath, options: &ReadOptions) -> Result<Read> {
        let _ = (path, options);
        Err(Error::NotImplemented("read"))
    }

    /// Direct children of a collection in numbers.
    pub async fn count(&self, path: &NodePath) -> Result<Count> {
        let _ = path;
        Err(Error::NotImplemented("count"))
    }

    /// Metadata of nodes that this tree has handed out, in one query, by node.
    pub async fn meta(
        &self,
        nodes: &[NodeId],
        namespace: Option<&str>,
    ) -> Result<HashMap<NodeId, Vec<Meta>>> {
        let _ = (nodes, namespace);
        Err(Error::NotImplemented("meta"))
    }

    /// Workspaces this principal may read, by slug; the administrators' context has none.
    pub async fn workspaces(&self) -> Result<Vec<(Workspace, Rights)>> {
        Err(Error::NotImplemented("workspaces"))
    }

    /// A workspace by slug, uuid or alias, if this principal may read it.
    pub async fn workspace(&self, name: &str) -> Result<(Workspace, Rights)> {
        let _ = name;
        Err(Error::NotImplemented("workspaces"))
    }

    /// Changes after a sequence number that happened where this principal may read, with paths as
    /// it names them, and the number to go on from.
    pub async fn changes(&self, after: i64, limit: usize) -> Result<(Vec<Change>, i64)> {
        let _ = (after, limit);
        Err(Error::NotImplemented("changes"))
    }
}
