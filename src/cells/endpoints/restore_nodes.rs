//! `POST /a/tree/restore`: from the recycle bin back to where a node was removed from.
//!
//! Done before the answer; the jobs of the answer are finished ones. The mobile client sends a path
//! without its workspace, and the node's uuid: a uuid decides.

use cellgate_core::http::Response;
use cellgate_core::{Error, NodePath, Tree};
use serde::{Deserialize, Serialize};

use crate::error::CellsError;
use crate::jobs::now_s;
use crate::json;
use crate::model::NodeIn;
use crate::route::{Access, Call, Endpoint};

pub const ENDPOINTS: &[Endpoint] = &[Endpoint {
    method: "POST",
    path: "/a/tree/restore",
    operation: "RestoreNodes",
    access: Access::User,
    handler: |call| Box::pin(restore_nodes(call)),
}];

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct RestoreNodesRequest {
    #[serde(deserialize_with = "json::nullable")]
    nodes: Vec<NodeIn>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct RestoreNodesResponse {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    restore_jobs: Vec<BackgroundJobResult>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct BackgroundJobResult {
    uuid: String,
    label: &'static str,
    node_uuid: String,
}

async fn restore_nodes(call: Call) -> Result<Response, CellsError> {
    let started_s = now_s();
    let tree = call.tree()?.clone();
    let request: RestoreNodesRequest = json::read(call.body).await?;
    let mut wanted = Vec::with_capacity(request.nodes.len());
    for node in &request.nodes {
        wanted.push(locate(&tree, node).await?);
    }
    let login = tree.principal().login.clone();
    // A client that hangs up must not leave half of its list undone.
    let restored: Vec<String> = tokio::spawn(async move {
        let mut restored = Vec::with_capacity(wanted.len());
        for path in wanted {
            restored.push(tree.restore(&path).await?.node.uuid.to_string());
        }
        Ok::<_, Error>(restored)
    })
    .await
    .map_err(Error::internal)??;
    let label = "Restoring from the recycle bin";
    let job = |node_uuid| {
        let uuid = call.state.jobs.finished("copy-move", label, &login, started_s);
        BackgroundJobResult { uuid, label, node_uuid }
    };
    json::ok(&RestoreNodesResponse { restore_jobs: restored.into_iter().map(job).collect() })
}

async fn locate(tree: &Tree, node: &NodeIn) -> Result<NodePath, CellsError> {
    if node.uuid.is_empty() {
        let path = NodePath::parse(&node.path)?;
        tree.stat(&path).await?;
        return Ok(path);
    }
    let uuid = node.uuid.parse().map_err(|_| CellsError::bad_request("`Uuid` is not a uuid"))?;
    Ok(tree.find(uuid).await?.0)
}
