//! Folders in v2.1: `/api/v2.1/repos/<id>/dir/?p=` and `…/dir/detail/?path=`.
//!
//! Gap: `revert`, thumbnails and metadata in listings.

use cellgate_core::Tree;
use cellgate_core::http::Response;
use cellgate_core::tree::Written;
use serde_json::json;

use crate::endpoints::dir::question;
use crate::endpoints::repos::iso;
use crate::endpoints::work;
use crate::error::SeafileError;
use crate::json;
use crate::library::{Library, inside, inside_folder};
use crate::listing::{self, Version};
use crate::route::{Access, Call, Endpoint};

pub const ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        method: "GET",
        path: "/api/v2.1/repos/{id}/dir",
        operation: "list-dir-v2.1",
        access: Access::User,
        handler: |call| Box::pin(list(call)),
    },
    Endpoint {
        method: "POST",
        path: "/api/v2.1/repos/{id}/dir",
        operation: "post-dir-v2.1",
        access: Access::User,
        handler: |call| Box::pin(post(call)),
    },
    Endpoint {
        method: "DELETE",
        path: "/api/v2.1/repos/{id}/dir",
        operation: "delete-dir-v2.1",
        access: Access::User,
        handler: |call| Box::pin(delete(call)),
    },
    Endpoint {
        method: "GET",
        path: "/api/v2.1/repos/{id}/dir/detail",
        operation: "dir-detail",
        access: Access::User,
        handler: |call| Box::pin(detail(call)),
    },
];

async fn list(call: Call) -> Result<Response, SeafileError> {
    let tree = call.tree()?;
    let question = question(&call.query, Version::V21)?;
    let library = Library::open(&tree, &call.param(0)?).await?;
    // python-seafile sends both spellings.
    let asked = call.query.get("p").or_else(|| call.query.get("path")).unwrap_or("/");
    let path = library.path(asked)?;
    let node = work::folder(&tree, &path).await?;
    Ok(listing::answer(&tree, &library, &path, &node, question).await?)
}

async fn post(mut call: Call) -> Result<Response, SeafileError> {
    let tree = call.tree()?;
    let form = call.form().await?;
    let library = Library::open(&tree, &call.param(0)?).await?;
    let path = work::target(&library, &call.query)?;
    match form.text("operation") {
        "mkdir" => object(&tree, &library, &work::mkdir(&tree, &path, &form).await?).await,
        "rename" => {
            work::folder(&tree, &path).await?;
            let to = work::renamed(&path, &form)?;
            object(&tree, &library, &work::rename(&tree, &path, &to).await?).await
        }
        "revert" => Err(SeafileError::not_implemented("revert is not implemented.")),
        _ => Err(SeafileError::invalid("operation")),
    }
}

async fn object(tree: &Tree, library: &Library, written: &Written) -> Result<Response, SeafileError> {
    let parent = written.path.parent().unwrap_or_default();
    Ok(json::ok(&json!({
        "type": "dir",
        "repo_id": library.id(),
        "parent_dir": inside(&parent),
        "obj_name": written.path.name(),
        "obj_id": work::folder_id(tree, library, &written.path, &written.node).await?,
        "mtime": iso(written.node.mtime_ns),
    })))
}

async fn delete(call: Call) -> Result<Response, SeafileError> {
    let tree = call.tree()?;
    let library = Library::open(&tree, &call.param(0)?).await?;
    let path = work::target(&library, &call.query)?;
    work::folder(&tree, &path).await?;
    work::remove(&tree, &path).await?;
    work::removed_v21(&tree, &library).await
}

async fn detail(call: Call) -> Result<Response, SeafileError> {
    let tree: Tree = call.tree()?;
    let library = Library::open(&tree, &call.param(0)?).await?;
    let asked = call.query.get("path").or_else(|| call.query.get("p")).unwrap_or_default();
    let path = library.path(asked)?;
    if path.depth() < 2 {
        return Err(SeafileError::invalid("path"));
    }
    let node = work::folder(&tree, &path).await?;
    Ok(json::ok(&json!({
        "repo_id": library.id(),
        "path": inside_folder(&path),
        "name": path.name(),
        "mtime": iso(node.mtime_ns),
        "permission": library.permission(),
    })))
}
