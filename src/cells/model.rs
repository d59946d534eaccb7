//! Nodes as Cells writes them: `treeNode`.

use std::collections::{BTreeMap, HashMap};

use cellgate_core::listing::Entry;
use cellgate_core::lock::Lock;
use cellgate_core::ports::{Count, Meta};
use cellgate_core::{Error, Node, NodeId, NodeKind, NodePath, Rights, Tree, Workspace};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use crate::json;

/// Namespace of the metadata that users see.
const USER_META: &str = "user";

/// A node on its way out. `Type` is never left out: cec dereferences it unchecked; only the virtual
/// root has none.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct TreeNode {
    #[serde(skip_serializing_if = "String::is_empty")]
    pub uuid: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub path: String,
    #[serde(rename = "Type", skip_serializing_if = "str::is_empty")]
    pub kind: &'static str,
    #[serde(serialize_with = "json::as_text", skip_serializing_if = "json::zero")]
    pub size: i64,
    #[serde(rename = "MTime", serialize_with = "json::as_text", skip_serializing_if = "json::zero")]
    pub mtime: i64,
    #[serde(skip_serializing_if = "json::zero")]
    pub mode: i64,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub etag: String,
    /// Values are JSON texts: a string keeps its quotes. The web UI parses every one of them.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub meta_store: BTreeMap<String, String>,
}

impl TreeNode {
    /// A node at its path as the caller names it, with what the node itself says.
    pub fn new(path: &NodePath, node: &Node) -> Self {
        if path.is_root() {
            return Self::default();
        }
        let mut shown = Self {
            uuid: node.uuid.to_string(),
            path: path.key(),
            kind: match node.kind {
                NodeKind::Leaf => "LEAF",
                NodeKind::Collection => "COLLECTION",
            },
            size: i64::try_from(node.size).unwrap_or(i64::MAX),
            mtime: node.mtime_s(),
            mode: 0o777,
            etag: node.etag.clone(),
            meta_store: BTreeMap::new(),
        };
        shown.set("name", path.name().unwrap_or(&node.name));
        if node.is_leaf() {
            shown.set("mime", node.mime.as_str());
        } else if shown.etag.is_empty() {
            shown.etag = "-1".into();
        }
        shown
    }

    /// Sets one value of the MetaStore, encoded.
    pub fn set(&mut self, key: &str, value: impl Into<Value>) {
        self.meta_store.insert(key.to_owned(), value.into().to_string());
    }

    /// Adds the numbers of a collection's direct children.
    pub fn set_count(&mut self, count: Count) {
        self.set("ChildrenCount", count.leaves + count.collections);
        self.set("ChildrenFiles", count.leaves);
        self.set("ChildrenFolders", count.collections);
    }

    /// Adds what a listing of the root says of a workspace.
    pub fn set_workspace(&mut self, workspace: &Workspace, rights: Rights) {
        self.set("name", workspace.label.as_str());
        self.set("ws_uuid", workspace.uuid.to_string());
        self.set("ws_slug", workspace.slug.as_str());
        self.set("ws_label", workspace.label.as_str());
        if !workspace.description.is_empty() {
            self.set("ws_description", workspace.description.as_str());
        }
        // `ADMIN` is a workspace made by an administrator; `ROOM` would be a cell. cec compares
        // the quoted text.
        self.set("ws_scope", "ADMIN");
        self.set("ws_permissions", rights.to_string());
        self.set("ws_root", true);
        if !workspace.recycle {
            self.set("ws_skip_recycle", true);
        }
        if !rights.write {
            self.set("node_readonly", true);
        }
    }
}

/// What a whole page of nodes needs beside the nodes: two queries, whatever its length.
pub struct Extras {
    meta: HashMap<NodeId, Vec<Meta>>,
    locks: HashMap<NodeId, Lock>,
}

impl Extras {
    pub async fn of(tree: &Tree, nodes: &[NodeId]) -> Result<Self, Error> {
        if nodes.is_empty() {
            return Ok(Self { meta: HashMap::new(), locks: HashMap::new() });
        }
        let meta = tree.meta(nodes, Some(USER_META)).await?;
        let locks = tree.locks_on(nodes).await?.into_iter().map(|lock| (lock.node, lock)).collect();
        Ok(Self { meta, locks })
    }

    pub async fn of_entries(tree: &Tree, entries: &[Entry]) -> Result<Self, Error> {
        let ids: Vec<NodeId> = entries.iter().map(|entry| entry.node.id).collect();
        Self::of(tree, &ids).await
    }

    pub fn apply(&self, id: NodeId, shown: &mut TreeNode) {
        for meta in self.meta.get(&id).into_iter().flatten() {
            // A value that some other door wrote may be bare text; one value that is not JSON would
            // break a whole listing in the web UI.
            let value =
                serde_json::from_str(&meta.value).unwrap_or_else(|_| Value::String(meta.value.clone()));
            shown.set(&meta.name, value);
        }
        if let Some(lock) = self.locks.get(&id) {
            shown.set("content_lock", lock.principal.as_str());
        }
    }
}

/// A single node with everything a stat shows.
pub async fn stat(tree: &Tree, path: &NodePath) -> Result<TreeNode, Error> {
    let node = match tree.stat(path).await {
        // It may be in an archive.
        Err(Error::NotFound(_)) => return Ok(TreeNode::new(path, &tree.member(path).await?.node)),
        found => found?,
    };
    let mut shown = TreeNode::new(path, &node);
    if path.is_root() {
        return Ok(shown);
    }
    Extras::of(tree, &[node.id]).await?.apply(node.id, &mut shown);
    if let (Some(slug), 1) = (path.first(), path.depth()) {
        let (workspace, rights) = tree.workspace(slug).await?;
        shown.set_workspace(&workspace, rights);
    }
    if node.is_collection() {
        shown.set_count(tree.count(path).await?);
    }
    Ok(shown)
}

/// A node as clients post it; what they repeat of its state is ignored.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct NodeIn {
    #[serde(deserialize_with = "json::nullable")]
    pub path: String,
    #[serde(deserialize_with = "json::nullable")]
    pub uuid: String,
    #[serde(rename = "Type", deserialize_with = "kind")]
    pub kind: Option<NodeKind>,
    #[serde(deserialize_with = "json::texts")]
    pub meta_store: BTreeMap<String, String>,
}

/// `treeNodeType`, by name or number; `UNKNOWN` is `None`.
pub fn kind<'de, D: Deserializer<'de>>(from: D) -> Result<Option<NodeKind>, D::Error> {
    match Value::deserialize(from)? {
        Value::Null => Ok(None),
        Value::String(name) => kind_of(&name).ok_or_else(|| serde::de::Error::custom("unknown node type")),
        Value::Number(number) => match number.as_u64() {
            Some(0) => Ok(None),
            Some(1) => Ok(Some(NodeKind::Leaf)),
            Some(2) => Ok(Some(NodeKind::Collection)),
            _ => Err(serde::de::Error::custom("unknown node type")),
        },
        _ => Err(serde::de::Error::custom("unknown node type")),
    }
}

/// The outer `None` is a name that is none.
pub fn kind_of(name: &str) -> Option<Option<NodeKind>> {
    match name {
        "" | "UNKNOWN" => Some(None),
        "LEAF" => Some(Some(NodeKind::Leaf)),
        "COLLECTION" => Some(Some(NodeKind::Collection)),
        _ => None,
    }
}
