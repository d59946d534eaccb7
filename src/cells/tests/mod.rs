//! The door through `Protocol::serve`, over a core in memory.

mod access;
mod create_nodes;
mod create_selection;
mod delete_nodes;
mod front_session;
mod jobs;
mod list_admin_tree;
mod listings;

use cellgate_core::testing::{Answer, TestCore, request, serve, test_core};
use serde_json::Value;

use crate::Cells;

/// A door over a fresh installation.
async fn door() -> (TestCore, Cells) {
    let core = test_core().await;
    let cells = Cells::new(core.core.clone());
    (core, cells)
}

async fn get(cells: &Cells, login: &str, path: &str) -> Answer {
    serve(cells, request("GET", path).basic(login)).await
}

async fn post(cells: &Cells, login: &str, path: &str, body: Value) -> Answer {
    serve(cells, request("POST", path).basic(login).json(&body)).await
}

/// The paths of an answer's `Nodes`.
fn paths(answer: &Answer) -> Vec<String> {
    let json = answer.json();
    let nodes = json["Nodes"].as_array().cloned().unwrap_or_default();
    nodes.iter().map(|node| node["Path"].as_str().unwrap_or("").to_owned()).collect()
}
