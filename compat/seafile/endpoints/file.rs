//! Files in v2: `/api2/repos/<id>/file/?p=`, download links included, and `…/file/detail/?p=`.
//!
//! A rename and a move answer 301 with a `Location`, which is success here: libraries that follow it
//! turn the POST into a GET and receive a download link.
//!
//! Gap: links to blocks and share links (`op`).

use cellgate_core::Error;
use cellgate_core::http::Response;
use http::{HeaderValue, StatusCode};
use serde_json::json;

use crate::endpoints::repos::iso;
use crate::endpoints::work::{self, Call2};
use crate::error::SeafileError;
use crate::library::{Library, inside, inside_folder, quoted};
use crate::links::{self, Action, Link};
use crate::route::{Access, Call, Endpoint};
use crate::{ids, json};

pub const ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        method: "GET",
        path: "/api2/repos/{id}/file",
        operation: "download-link",
        access: Access::User,
        handler: |call| Box::pin(download_link(call)),
    },
    Endpoint {
        method: "POST",
        path: "/api2/repos/{id}/file",
        operation: "post-file",
        access: Access::User,
        handler: |call| Box::pin(post(call)),
    },
    Endpoint {
        method: "DELETE",
        path: "/api2/repos/{id}/file",
        operation: "delete-file",
        access: Access::User,
        handler: |call| Box::pin(delete(call)),
    },
    Endpoint {
        method: "GET",
        path: "/api2/repos/{id}/file/detail",
        operation: "file-detail",
        access: Access::User,
        handler: |call| Box::pin(detail(call)),
    },
];

async fn download_link(call: Call) -> Result<Response, SeafileError> {
    let tree = call.tree()?;
    let reuse = call.query.bit("reuse")?;
    match call.query.text("op") {
        "" | "download" => {}
        "downloadblks" | "sharelink" => {
            return Err(SeafileError::not_implemented("this op is not implemented."));
        }
        _ => return Err(SeafileError::invalid("op")),
    }
    let library = Library::open(&tree, &call.param(0)?).await?;
    let path = library.path(work::path_of(&call.query)?)?;
    let node = work::file(&tree, &path).await?;
    let link =
        Link { action: Action::Download, library: library.workspace.uuid, path: inside(&path), once: !reuse };
    let secret = links::create(&tree, &link).await?;
    let name = quoted(path.name().unwrap_or_default());
    let mut response = json::ok(&json!(format!("{}/seafhttp/files/{secret}/{name}", call.base)));
    if let Ok(oid) = HeaderValue::from_str(&ids::of(&node)) {
        response.headers_mut().insert("oid", oid);
    }
    Ok(response)
}

async fn detail(call: Call) -> Result<Response, SeafileError> {
    let tree = call.tree()?;
    let library = Library::open(&tree, &call.param(0)?).await?;
    let path = library.path(work::path_of(&call.query)?)?;
    let node = work::file(&tree, &path).await?;
    Ok(json::ok(&json!({
        "type": "file",
        "id": ids::of(&node),
        "name": path.name(),
        "permission": library.permission(),
        "mtime": node.mtime_s(),
        "last_modified": iso(node.mtime_ns),
        "last_modifier_email": "",
        "last_modifier_name": "",
        "last_modifier_contact_email": "",
        "last_modifier_avatar": "",
        "size": node.size,
        "starred": false,
        "comment_total": 0,
        "can_edit": false,
    })))
}

async fn post(mut call: Call) -> Result<Response, SeafileError> {
    let tree = call.tree()?;
    let form = call.form().await?;
    let library = Library::open(&tree, &call.param(0)?).await?;
    let path = work::target(&library, &call.query)?;
    let call2 = Call2 { tree: &tree, library: &library, base: &call.base, reload: work::reload(&call) };
    match form.text("operation") {
        "create" => {
            let made = work::create(&tree, &path).await?;
            work::answer_v2(&call2, StatusCode::CREATED, json!("success"), &made.path, "file").await
        }
        "rename" => {
            work::file(&tree, &path).await?;
            let to = work::renamed(&path, &form)?;
            if to == path {
                let text = "The new name is the same to the old";
                return Err(SeafileError::Message(StatusCode::CONFLICT, text.into()));
            }
            let done = work::rename(&tree, &path, &to).await?;
            let status = StatusCode::MOVED_PERMANENTLY;
            work::answer_v2(&call2, status, json!("success"), &done.path, "file").await
        }
        operation @ ("move" | "copy") => {
            work::file(&tree, &path).await?;
            let (target, dir) = work::destination(&tree, ("dst_repo", &form), ("dst_dir", &form)).await?;
            let to = dir.join(path.name().unwrap_or_default())?;
            let (done, status) = if operation == "move" {
                (work::rename(&tree, &path, &to).await?, StatusCode::MOVED_PERMANENTLY)
            } else {
                (work::copy(&tree, &path, &to).await?, StatusCode::OK)
            };
            let object = json!({
                "repo_id": target.id(),
                "parent_dir": inside_folder(&dir),
                "obj_name": done.path.name(),
            });
            // The listing that `reloaddir` asks for is that of the folder the client is in.
            if call2.reload {
                return work::reloaded(&tree, &library, &path).await;
            }
            let there = Call2 { library: &target, ..call2 };
            work::answer_v2(&there, status, object, &done.path, "file").await
        }
        _ => Err(SeafileError::bad_request("Operation not supported.")),
    }
}

/// Success even when there is nothing; a folder given as `p` goes too.
async fn delete(call: Call) -> Result<Response, SeafileError> {
    let tree = call.tree()?;
    let library = Library::open(&tree, &call.param(0)?).await?;
    let path = work::target(&library, &call.query)?;
    match work::remove(&tree, &path).await {
        Ok(()) | Err(SeafileError::Core(Error::NotFound(_) | Error::NotACollection(_))) => {}
        Err(error) => return Err(error),
    }
    if work::reload(&call) {
        return work::reloaded(&tree, &library, &path).await;
    }
    Ok(json::success(StatusCode::OK))
}
