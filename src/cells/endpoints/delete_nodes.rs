//! `POST /a/tree/delete`: into the recycle bin, or for good.
//!
//! A removal is one commit here whatever is below the node, so it is done before the answer; the jobs
//! of the answer are finished ones. Everything is checked before the first node goes.

use cellgate_core::http::Response;
use cellgate_core::tree::{Removal, Remove};
use cellgate_core::workspace::RECYCLE_BIN;
use cellgate_core::{Error, NodePath, Tree};
use http::StatusCode;
use serde::{Deserialize, Serialize};

use crate::error::CellsError;
use crate::jobs::now_s;
use crate::json;
use crate::model::NodeIn;
use crate::route::{Access, Call, Endpoint};

pub const ENDPOINTS: &[Endpoint] = &[Endpoint {
    method: "POST",
    path: "/a/tree/delete",
    operation: "DeleteNodes",
    access: Access::User,
    handler: |call| Box::pin(delete_nodes(call)),
}];

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct DeleteNodesRequest {
    #[serde(deserialize_with = "json::nullable")]
    nodes: Vec<NodeIn>,
    #[serde(deserialize_with = "json::nullable")]
    remove_permanently: bool,
}

#[derive(Default, Serialize)]
#[serde(rename_all = "PascalCase")]
struct DeleteNodesResponse {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    delete_jobs: Vec<BackgroundJobResult>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct BackgroundJobResult {
    uuid: String,
    label: &'static str,
}

async fn delete_nodes(call: Call) -> Result<Response, CellsError> {
    let started_s = now_s();
    let tree = call.tree()?.clone();
    let request: DeleteNodesRequest = json::read(call.body).await?;
    let mut paths = Vec::with_capacity(request.nodes.len());
    for node in &request.nodes {
        let path = NodePath::parse(&node.path)?;
        if path.depth() < 2 {
            let text = "please do not modify directly the root of a workspace";
            return Err(CellsError::Refused(StatusCode::FORBIDDEN, text.into()));
        }
        tree.stat(&path).await?;
        if !paths.contains(&path) {
            paths.push(path);
        }
    }
    let login = tree.principal().login.clone();
    let permanently = request.remove_permanently;
    // A client that hangs up must not leave half of its list undone.
    let (recycled, removed) = tokio::spawn(async move { delete(&tree, paths, permanently).await })
        .await
        .map_err(Error::internal)??;

    let mut response = DeleteNodesResponse::default();
    let mut job = |prefix, label| {
        let uuid = call.state.jobs.finished(prefix, label, &login, started_s);
        response.delete_jobs.push(BackgroundJobResult { uuid, label });
    };
    if recycled {
        job("copy-move", "Moving to the recycle bin");
    }
    if removed {
        job("delete", "Deleting files");
    }
    json::ok(&response)
}

/// Answers whether something went into a bin, and whether something went for good.
async fn delete(tree: &Tree, paths: Vec<NodePath>, permanently: bool) -> Result<(bool, bool), Error> {
    let (mut recycled, mut removed) = (false, false);
    for path in paths {
        // What is in the bin goes for good, and so does the bin: deleting it is Cells' "empty bin".
        let in_bin = path.names().iter().skip(1).any(|name| name == RECYCLE_BIN);
        let removal = if permanently || in_bin { Removal::Permanent } else { Removal::Recycle };
        match tree.remove(&path, &Remove { removal, ..Remove::default() }).await {
            Ok(done) if done.recycled_to.is_some() => recycled = true,
            Ok(_) => removed = true,
            // Gone since it was checked, perhaps below another node of the list: as wished.
            Err(Error::NotFound(_)) => {}
            Err(error) => return Err(error),
        }
    }
    Ok((recycled, removed))
}
