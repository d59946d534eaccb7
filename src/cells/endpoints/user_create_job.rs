//! `PUT /a/jobs/user/{JobName}`: `move` and `copy`.
//!
//! A move is one commit, so it is done before the answer, and a copy too; the job of the answer is a
//! finished one. The work goes on when the client hangs up.
//!
//! Not built: `compress`, `extract`, `remote-download`, `datasource-resync`, `import-p8`.

use cellgate_core::http::Response;
use cellgate_core::tree::{Existing, Transfer};
use cellgate_core::{Error, NodePath, Tree};
use http::StatusCode;
use serde::{Deserialize, Serialize};

use crate::error::CellsError;
use crate::jobs::now_s;
use crate::json;
use crate::route::{Access, Call, Endpoint};

pub const ENDPOINTS: &[Endpoint] = &[Endpoint {
    method: "PUT",
    path: "/a/jobs/user/{JobName}",
    operation: "UserCreateJob",
    access: Access::User,
    handler: |call| Box::pin(user_create_job(call)),
}];

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct UserJobRequest {
    /// A JSON document inside a string.
    #[serde(deserialize_with = "json::nullable")]
    json_parameters: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Parameters {
    nodes: Vec<String>,
    target: String,
    /// Whether `target` is the folder to put the nodes into, or the complete new path.
    #[serde(default)]
    target_parent: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct UserJobResponse {
    job_uuid: String,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Work {
    Copy,
    Move,
}

async fn user_create_job(call: Call) -> Result<Response, CellsError> {
    let started_s = now_s();
    let (work, label) = match call.param()?.as_str() {
        "copy" => (Work::Copy, "Copying files"),
        "move" => (Work::Move, "Moving files"),
        "compress" | "extract" | "remote-download" | "datasource-resync" | "import-p8" => {
            return Err(CellsError::not_implemented("this job is not implemented"));
        }
        _ => return Err(CellsError::Refused(StatusCode::NOT_FOUND, "no such job".into())),
    };
    let tree = call.tree()?.clone();
    let request: UserJobRequest = json::read(call.body).await?;
    let pairs = pairs(&request)?;
    for (from, to) in &pairs {
        tree.stat(from).await?;
        if from.depth() < 2 || to.depth() < 2 {
            let text = "please do not modify directly the root of a workspace";
            return Err(CellsError::Refused(StatusCode::FORBIDDEN, text.into()));
        }
    }
    let login = tree.principal().login.clone();
    tokio::spawn(async move { transfer(&tree, work, &pairs).await }).await.map_err(Error::internal)??;
    let job_uuid = call.state.jobs.finished("copy-move", label, &login, started_s);
    json::ok(&UserJobResponse { job_uuid })
}

/// From where to where.
fn pairs(request: &UserJobRequest) -> Result<Vec<(NodePath, NodePath)>, CellsError> {
    let parameters: Parameters = serde_json::from_str(&request.json_parameters).map_err(|_| {
        CellsError::bad_request(
            "`JsonParameters` is not a JSON text with `nodes`, `target` and `targetParent`",
        )
    })?;
    let target = NodePath::parse(&parameters.target)?;
    if parameters.nodes.is_empty() {
        return Err(CellsError::bad_request("`nodes` is empty"));
    }
    if parameters.nodes.len() > 1 && !parameters.target_parent {
        return Err(CellsError::bad_request("several nodes need a folder for a target: `targetParent`"));
    }
    let mut pairs = Vec::with_capacity(parameters.nodes.len());
    for node in &parameters.nodes {
        let from = NodePath::parse(node)?;
        let to = match from.name() {
            Some(name) if parameters.target_parent => target.join(name)?,
            _ => target.clone(),
        };
        pairs.push((from, to));
    }
    Ok(pairs)
}

async fn transfer(tree: &Tree, work: Work, pairs: &[(NodePath, NodePath)]) -> Result<(), Error> {
    // A taken name gets a number; Cells never replaces here.
    let how = Transfer { existing: Existing::Rename, ..Transfer::default() };
    for (from, to) in pairs {
        match work {
            // Nothing to do, and its own name must not count as taken.
            Work::Move if from == to => continue,
            Work::Move => tree.rename(from, to, &how).await?,
            Work::Copy => tree.copy(from, to, &how).await?,
        };
    }
    Ok(())
}
