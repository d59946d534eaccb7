//! Files in v2.1: `/api/v2.1/repos/<id>/file/?p=`. rclone copies, moves and renames with it.
//!
//! Gap: `revert` and the locks of the professional edition.

use cellgate_core::Error;
use cellgate_core::http::Response;
use cellgate_core::{Node, NodePath};
use serde_json::json;

use crate::endpoints::repos::iso;
use crate::endpoints::work;
use crate::error::SeafileError;
use crate::library::{Library, inside};
use crate::route::{Access, Call, Endpoint};
use crate::{ids, json};

pub const ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        method: "GET",
        path: "/api/v2.1/repos/{id}/file",
        operation: "get-file-v2.1",
        access: Access::User,
        handler: |call| Box::pin(get(call)),
    },
    Endpoint {
        method: "POST",
        path: "/api/v2.1/repos/{id}/file",
        operation: "post-file-v2.1",
        access: Access::User,
        handler: |call| Box::pin(post(call)),
    },
    Endpoint {
        method: "DELETE",
        path: "/api/v2.1/repos/{id}/file",
        operation: "delete-file-v2.1",
        access: Access::User,
        handler: |call| Box::pin(delete(call)),
    },
];

fn object(library: &Library, path: &NodePath, node: &Node) -> Response {
    let parent = path.parent().unwrap_or_default();
    json::ok(&json!({
        "type": "file",
        "repo_id": library.id(),
        "parent_dir": inside(&parent),
        "obj_name": path.name(),
        "obj_id": ids::of(node),
        "size": node.size,
        "mtime": iso(node.mtime_ns),
        "is_locked": false,
        "can_preview": false,
        "can_edit": false,
    }))
}

async fn get(call: Call) -> Result<Response, SeafileError> {
    let tree = call.tree()?;
    let library = Library::open(&tree, &call.param(0)?).await?;
    let path = library.path(work::path_of(&call.query)?)?;
    let node = work::file(&tree, &path).await?;
    Ok(object(&library, &path, &node))
}

async fn post(mut call: Call) -> Result<Response, SeafileError> {
    let tree = call.tree()?;
    // rclone always sends all four keys, empty when unused.
    let form = call.form().await?;
    let library = Library::open(&tree, &call.param(0)?).await?;
    let path = work::target(&library, &call.query)?;
    match form.text("operation") {
        "create" => {
            let made = work::create(&tree, &path).await?;
            Ok(object(&library, &made.path, &made.node))
        }
        "rename" => {
            work::file(&tree, &path).await?;
            let to = work::renamed(&path, &form)?;
            if to == path {
                return Err(SeafileError::invalid("newname"));
            }
            let done = work::rename(&tree, &path, &to).await?;
            Ok(object(&library, &done.path, &done.node))
        }
        operation @ ("move" | "copy") => {
            work::file(&tree, &path).await?;
            let (target, dir) = work::destination(&tree, ("dst_repo", &form), ("dst_dir", &form)).await?;
            let to = dir.join(path.name().unwrap_or_default())?;
            let done = if operation == "move" {
                work::rename(&tree, &path, &to).await?
            } else {
                work::copy(&tree, &path, &to).await?
            };
            Ok(object(&target, &done.path, &done.node))
        }
        "revert" => Err(SeafileError::not_implemented("revert is not implemented.")),
        _ => Err(SeafileError::invalid("operation")),
    }
}

async fn delete(call: Call) -> Result<Response, SeafileError> {
    let tree = call.tree()?;
    let library = Library::open(&tree, &call.param(0)?).await?;
    let path = work::target(&library, &call.query)?;
    match work::remove(&tree, &path).await {
        Ok(()) => work::removed_v21(&tree, &library).await,
        Err(SeafileError::Core(Error::NotFound(_) | Error::NotACollection(_))) => {
            Ok(json::ok(&json!({ "success": true })))
        }
        Err(error) => Err(error),
    }
}
