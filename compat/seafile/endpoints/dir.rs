//! Folders in v2: `/api2/repos/<id>/dir/?p=`.

use cellgate_core::NodeKind;
use cellgate_core::http::Response;
use http::StatusCode;
use serde_json::json;

use crate::endpoints::work::{self, Call2};
use crate::error::SeafileError;
use crate::json;
use crate::library::Library;
use crate::listing::{self, Question, Version};
use crate::params::Params;
use crate::route::{Access, Call, Endpoint};

pub const ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        method: "GET",
        path: "/api2/repos/{id}/dir",
        operation: "list-dir",
        access: Access::User,
        handler: |call| Box::pin(list(call)),
    },
    Endpoint {
        method: "POST",
        path: "/api2/repos/{id}/dir",
        operation: "post-dir",
        access: Access::User,
        handler: |call| Box::pin(post(call)),
    },
    Endpoint {
        method: "DELETE",
        path: "/api2/repos/{id}/dir",
        operation: "delete-dir",
        access: Access::User,
        handler: |call| Box::pin(delete(call)),
    },
];

/// What a listing of either version asks for.
pub fn question(query: &Params, version: Version) -> Result<Question, SeafileError> {
    let kind = match query.text("t") {
        "" => None,
        "f" => Some(NodeKind::Leaf),
        "d" => Some(NodeKind::Collection),
        _ => return Err(SeafileError::invalid("t")),
    };
    Ok(Question { version, kind, recursive: query.bit("recursive")?, known: None })
}

async fn list(call: Call) -> Result<Response, SeafileError> {
    let tree = call.tree()?;
    let known = call.query.get("oid").map(str::to_owned);
    let question = Question { known, ..question(&call.query, Version::V2)? };
    let library = Library::open(&tree, &call.param(0)?).await?;
    let path = library.path(call.query.get("p").unwrap_or("/"))?;
    let node = work::folder(&tree, &path).await?;
    Ok(listing::answer(&tree, &library, &path, &node, question).await?)
}

async fn post(mut call: Call) -> Result<Response, SeafileError> {
    let tree = call.tree()?;
    let form = call.form().await?;
    let library = Library::open(&tree, &call.param(0)?).await?;
    let path = work::target(&library, &call.query)?;
    let call2 = Call2 { tree: &tree, library: &library, base: &call.base, reload: work::reload(&call) };
    match form.text("operation") {
        "mkdir" => {
            let made = work::mkdir(&tree, &path, &form).await?;
            work::answer_v2(&call2, StatusCode::CREATED, json!("success"), &made.path, "dir").await
        }
        "rename" => {
            work::folder(&tree, &path).await?;
            let done = work::rename(&tree, &path, &work::renamed(&path, &form)?).await?;
            if call2.reload {
                return work::reloaded(&tree, &library, &done.path).await;
            }
            Ok(json::success(StatusCode::OK))
        }
        _ => Err(SeafileError::bad_request("Operation not supported.")),
    }
}

async fn delete(call: Call) -> Result<Response, SeafileError> {
    let tree = call.tree()?;
    let library = Library::open(&tree, &call.param(0)?).await?;
    let path = work::target(&library, &call.query)?;
    work::folder(&tree, &path).await?;
    work::remove(&tree, &path).await?;
    if work::reload(&call) {
        return work::reloaded(&tree, &library, &path).await;
    }
    Ok(json::success(StatusCode::OK))
}
