//! `GET /a/tree/stat/{Node}`: one node, by path.

use cellgate_core::http::Response;
use cellgate_core::{Error, NodePath, Tree};
use http::StatusCode;
use serde::Serialize;

use crate::error::CellsError;
use crate::json;
use crate::model::{self, TreeNode};
use crate::route::{Access, Call, Endpoint};

pub const ENDPOINTS: &[Endpoint] = &[Endpoint {
    method: "GET",
    path: "/a/tree/stat/{Node}",
    operation: "HeadNode",
    access: Access::User,
    handler: |call| Box::pin(head_node(call)),
}];

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct HeadNodeResponse {
    success: bool,
    node: TreeNode,
}

async fn head_node(call: Call) -> Result<Response, CellsError> {
    let tree = call.tree()?.clone();
    let node = find(&tree, call.param()).await.map_err(|error| match error {
        // cec reads 404 as "not there"; on any other refusal it asks again and again for ten seconds.
        CellsError::Core(
            error @ (Error::Denied { .. } | Error::InvalidName(_) | Error::NotACollection(_)),
        ) => CellsError::Refused(StatusCode::NOT_FOUND, error.to_string()),
        error => error,
    })?;
    json::ok(&HeadNodeResponse { success: true, node })
}

async fn find(tree: &Tree, param: Result<String, CellsError>) -> Result<TreeNode, CellsError> {
    let path = NodePath::parse(&param?)?;
    Ok(model::stat(tree, &path).await?)
}
