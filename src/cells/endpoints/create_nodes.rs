//! `POST /a/tree/create`: folders, and small text files.
//!
//! Nodes are made in the order of the list, missing parents on the way: cec posts every missing ancestor
//! top-down in one request. All paths are checked before the first node is made; a node that cannot be
//! made stops the rest. Not built: templates.

use std::collections::HashSet;

use bytes::Bytes;
use cellgate_core::http::Response;
use cellgate_core::tree::{Existing, Parents, Write};
use cellgate_core::{Error, NodeKind, NodePath, Tree};
use futures_util::stream;
use serde::{Deserialize, Serialize};

use crate::error::CellsError;
use crate::json;
use crate::model::{NodeIn, TreeNode};
use crate::route::{Access, Call, Endpoint};

pub const ENDPOINTS: &[Endpoint] = &[Endpoint {
    method: "POST",
    path: "/a/tree/create",
    operation: "CreateNodes",
    access: Access::User,
    handler: |call| Box::pin(create_nodes(call)),
}];

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct CreateNodesRequest {
    #[serde(rename = "Nodes", deserialize_with = "json::nullable")]
    nodes: Vec<NodeIn>,
    #[serde(rename = "TemplateUUID", deserialize_with = "json::nullable")]
    template: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct NodesCollection {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    children: Vec<TreeNode>,
}

/// A node to make.
enum New {
    Leaf(NodePath, Bytes),
    Collection(NodePath),
}

async fn create_nodes(call: Call) -> Result<Response, CellsError> {
    let tree = call.tree()?.clone();
    let request: CreateNodesRequest = json::read(call.body).await?;
    if !request.template.is_empty() {
        return Err(CellsError::not_implemented("templates are not implemented"));
    }
    if request.nodes.is_empty() {
        return Err(CellsError::bad_request("please provide at least one node to create"));
    }
    let mut seen = HashSet::new();
    let mut wanted = Vec::with_capacity(request.nodes.len());
    for node in &request.nodes {
        let path = NodePath::parse(&node.path)?;
        if seen.insert(path.clone()) {
            wanted.push(match node.kind {
                Some(NodeKind::Leaf) => New::Leaf(path, contents(node)?),
                // Whatever is no leaf is a folder, a node without a type included.
                Some(NodeKind::Collection) | None => New::Collection(path),
            });
        }
    }
    // A client that hangs up must not leave half of its list undone.
    let children =
        tokio::spawn(async move { create(&tree, wanted).await }).await.map_err(Error::internal)??;
    json::ok(&NodesCollection { children })
}

/// The text of a file to make: `MetaStore.Contents`, which is JSON text. Cells writes a blank when
/// there is none.
fn contents(node: &NodeIn) -> Result<Bytes, CellsError> {
    let Some(encoded) = node.meta_store.get("Contents") else { return Ok(Bytes::from_static(b" ")) };
    let text: String = serde_json::from_str(encoded)
        .map_err(|_| CellsError::bad_request("`Contents` is not a JSON-encoded string"))?;
    Ok(text.into())
}

async fn create(tree: &Tree, wanted: Vec<New>) -> Result<Vec<TreeNode>, Error> {
    let mut children = Vec::with_capacity(wanted.len());
    for new in wanted {
        let written = match new {
            New::Collection(path) => {
                tree.create_collection(&path, Parents::Create, Existing::Refuse, &[]).await?
            }
            New::Leaf(path, text) => {
                let how = Write {
                    parents: Parents::Create,
                    existing: Existing::Refuse,
                    size: Some(text.len() as u64),
                    mime: Some("text/plain".into()),
                    ..Write::default()
                };
                let body = stream::iter([Ok(text)]);
                tree.write(&path, Box::pin(body), how).await?
            }
        };
        children.push(TreeNode::new(&written.path, &written.node));
    }
    Ok(children)
}
