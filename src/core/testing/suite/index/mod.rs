//! Cases for any index. Each gets a fresh one.

pub(super) mod changes;
pub(super) mod commits;
pub(super) mod content;
pub(super) mod locks;
pub(super) mod meta;
pub(super) mod moves;
pub(super) mod nodes;
pub(super) mod records;
pub(super) mod siblings;
pub(super) mod uploads;

use std::sync::Arc;
use std::time::Duration;

use uuid::Uuid;

use crate::node::{Attributes, Content, Node, NodeId, NodeKind};
use crate::ports::{Index, NewNode, Span};

const SECOND: i64 = 1_000_000_000;
/// 2096-10-02T07:06:40Z: the present of every case. Far enough ahead that nothing here has expired
/// by a store's own clock.
const NOW: i64 = 4_000_000_000 * SECOND;
/// Longer than anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

fn leaf(parent: NodeId, name: &str) -> NewNode {
    NewNode {
        uuid: Uuid::new_v4(),
        parent,
        name: name.to_owned(),
        kind: NodeKind::Leaf,
        size: 5,
        mtime_ns: NOW,
        created_ns: NOW,
        etag: "5d41402abc4b2a76b9719d911017c592".into(),
        mime: "text/plain".into(),
        content: Content::Blob(Uuid::new_v4()),
        attributes: Attributes::default(),
        version: None,
    }
}

fn collection(parent: NodeId, name: &str) -> NewNode {
    NewNode {
        kind: NodeKind::Collection,
        size: 0,
        etag: "first".into(),
        mime: String::new(),
        content: Content::None,
        ..leaf(parent, name)
    }
}

async fn insert(index: &Arc<dyn Index>, new: NewNode) -> Node {
    txn!(index, |txn| txn.insert_node(&new).await).unwrap()
}

/// A datasource root.
async fn root(index: &Arc<dyn Index>) -> Node {
    insert(index, collection(NodeId::ROOT, "ds")).await
}

/// Inserts children of `parent`, all in one commit; a name that ends in a slash is a collection.
async fn fill(index: &Arc<dyn Index>, parent: NodeId, names: &[&str]) -> Vec<Node> {
    let new: Vec<NewNode> = names
        .iter()
        .map(|name| match name.strip_suffix('/') {
            Some(name) => collection(parent, name),
            None => leaf(parent, name),
        })
        .collect();
    txn!(index, |txn| {
        let mut nodes = Vec::new();
        for new in &new {
            nodes.push(txn.insert_node(new).await?);
        }
        Ok(nodes)
    })
    .unwrap()
}

fn all() -> Span {
    Span { limit: 10_000, ..Span::default() }
}

fn keys(nodes: &[Node]) -> Vec<String> {
    nodes.iter().map(Node::sort_key).collect()
}

fn names(path: &str) -> Vec<String> {
    path.split('/').filter(|name| !name.is_empty()).map(str::to_owned).collect()
}
