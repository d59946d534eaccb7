//! `GET /api2/repos/<id>/upload-link/?p=` and `update-link/?p=`.
//!
//! The URL comes without a query unless `replace=1` asked for one: python-seafile and iOS append theirs
//! as text.

use cellgate_core::http::Response;
use http::StatusCode;
use serde_json::json;

use crate::endpoints::work;
use crate::error::SeafileError;
use crate::json;
use crate::library::{Library, inside};
use crate::links::{self, Action, Link};
use crate::route::{Access, Call, Endpoint};

pub const ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        method: "GET",
        path: "/api2/repos/{id}/upload-link",
        operation: "upload-link",
        access: Access::User,
        handler: |call| Box::pin(link(call, Action::Upload)),
    },
    Endpoint {
        method: "GET",
        path: "/api2/repos/{id}/update-link",
        operation: "update-link",
        access: Access::User,
        handler: |call| Box::pin(link(call, Action::Update)),
    },
];

async fn link(call: Call, action: Action) -> Result<Response, SeafileError> {
    let tree = call.tree()?;
    let replace = call.query.bit("replace")?;
    let flavour = match call.query.get("from") {
        None | Some("api") => "api",
        Some("web") => "aj",
        Some(_) => return Err(SeafileError::invalid("from")),
    };
    let asked = call.query.get("p").unwrap_or("/");
    if asked.is_empty() {
        return Err(SeafileError::invalid("p"));
    }
    let library = Library::open(&tree, &call.param(0)?).await?;
    let path = library.path(asked)?;
    work::folder(&tree, &path).await?;
    if !tree.rights(&path).await?.write {
        let text = "You do not have permission to access this folder.";
        return Err(SeafileError::Message(StatusCode::FORBIDDEN, text.into()));
    }
    let link = Link { action, library: library.workspace.uuid, path: inside(&path), once: false };
    let secret = links::create(&tree, &link).await?;
    let verb = if action == Action::Update { "update" } else { "upload" };
    let query = if replace && action == Action::Upload { "?replace=1" } else { "" };
    Ok(json::ok(&json!(format!("{}/seafhttp/{verb}-{flavour}/{secret}{query}", call.base))))
}
