//! `POST /a/tree/selection`: nodes that are downloaded together.
//!
//! The archive is fetched from the S3 door, as `<folder>/<SelectionUUID>-selection.zip` under any
//! folder, by the same user, once, within an hour. `TargetAction` is accepted without effect. Not
//! built (501): `Persist`, selections that are kept.

use cellgate_core::http::Response;
use cellgate_core::{NodePath, Tree};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::error::CellsError;
use crate::json;
use crate::model::{NodeIn, TreeNode};
use crate::route::{Access, Call, Endpoint};

pub const ENDPOINTS: &[Endpoint] = &[Endpoint {
    method: "POST",
    path: "/a/tree/selection",
    operation: "CreateSelection",
    access: Access::User,
    handler: |call| Box::pin(create_selection(call)),
}];

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct CreateSelectionRequest {
    #[serde(deserialize_with = "json::nullable")]
    nodes: Vec<NodeIn>,
    #[serde(deserialize_with = "json::nullable")]
    persist: bool,
}

#[derive(Serialize)]
struct CreateSelectionResponse {
    #[serde(rename = "Nodes")]
    nodes: Vec<TreeNode>,
    #[serde(rename = "SelectionUUID")]
    selection_uuid: String,
}

async fn create_selection(call: Call) -> Result<Response, CellsError> {
    let tree = call.tree()?.clone();
    let request: CreateSelectionRequest = json::read(call.body).await?;
    if request.persist {
        return Err(CellsError::not_implemented("selections that are kept are not implemented"));
    }
    let mut paths = Vec::with_capacity(request.nodes.len());
    for node in &request.nodes {
        paths.push(path_of(&tree, node).await?);
    }
    let (id, nodes) = tree.create_selection(&paths).await?;
    let nodes = paths.iter().zip(&nodes).map(|(path, node)| TreeNode::new(path, node)).collect();
    json::ok(&CreateSelectionResponse { nodes, selection_uuid: id.to_string() })
}

/// By path, else by uuid.
async fn path_of(tree: &Tree, node: &NodeIn) -> Result<NodePath, CellsError> {
    if !node.path.is_empty() {
        return Ok(NodePath::parse(&node.path)?);
    }
    let uuid = Uuid::try_parse(&node.uuid).map_err(|_| CellsError::bad_request("a node has no path"))?;
    Ok(tree.find(uuid).await?.0)
}
