//! Several entries at once: `…/sync-batch-move-item/` and its relatives, and `copy-move-task/`.
//!
//! A move is one commit here, so nothing runs in the background: the asynchronous forms answer when
//! the work is done, with no task to ask for.

use cellgate_core::http::Response;
use cellgate_core::{Error, NodePath, Tree};
use serde_json::{Value, json};

use crate::endpoints::work;
use crate::error::SeafileError;
use crate::json;
use crate::library::Library;
use crate::params::Params;
use crate::route::{Access, Call, Endpoint};

pub const ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        method: "POST",
        path: "/api/v2.1/repos/sync-batch-copy-item",
        operation: "sync-batch-copy-item",
        access: Access::User,
        handler: |call| Box::pin(batch(call, Work::Copy, json!({ "success": true }))),
    },
    Endpoint {
        method: "POST",
        path: "/api/v2.1/repos/sync-batch-move-item",
        operation: "sync-batch-move-item",
        access: Access::User,
        handler: |call| Box::pin(batch(call, Work::Move, json!({ "success": true }))),
    },
    Endpoint {
        method: "POST",
        path: "/api/v2.1/repos/async-batch-copy-item",
        operation: "async-batch-copy-item",
        access: Access::User,
        handler: |call| Box::pin(batch(call, Work::Copy, json!({ "task_id": "" }))),
    },
    Endpoint {
        method: "POST",
        path: "/api/v2.1/repos/async-batch-move-item",
        operation: "async-batch-move-item",
        access: Access::User,
        handler: |call| Box::pin(batch(call, Work::Move, json!({ "task_id": "" }))),
    },
    Endpoint {
        method: "DELETE",
        path: "/api/v2.1/repos/batch-delete-item",
        operation: "batch-delete-item",
        access: Access::User,
        handler: |call| Box::pin(batch_delete(call)),
    },
    Endpoint {
        method: "POST",
        path: "/api/v2.1/copy-move-task",
        operation: "copy-move-task",
        access: Access::User,
        handler: |call| Box::pin(copy_move_task(call)),
    },
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Work {
    Copy,
    Move,
}

async fn batch(mut call: Call, work: Work, answer: Value) -> Result<Response, SeafileError> {
    let tree = call.tree()?;
    let form = call.form().await?;
    let names: Vec<&str> = form.all("src_dirents").collect();
    if names.is_empty() {
        return Err(SeafileError::invalid("src_dirents"));
    }
    transfer(&tree, &form, &names, work).await?;
    Ok(json::ok(&answer))
}

async fn copy_move_task(mut call: Call) -> Result<Response, SeafileError> {
    let tree = call.tree()?;
    let form = call.form().await?;
    let work = match form.text("operation") {
        "copy" => Work::Copy,
        "move" => Work::Move,
        _ => return Err(SeafileError::invalid("operation")),
    };
    transfer(&tree, &form, &[form.need("src_dirent_name")?], work).await?;
    Ok(json::ok(&json!({})))
}

/// Everything named is looked for before the first entry goes.
async fn transfer(tree: &Tree, form: &Params, names: &[&str], work: Work) -> Result<(), SeafileError> {
    let source = work::destination(tree, ("src_repo_id", form), ("src_parent_dir", form))
        .await
        .map(|(_, path)| path)?;
    let (_, target) = work::destination(tree, ("dst_repo_id", form), ("dst_parent_dir", form)).await?;
    let mut pairs: Vec<(NodePath, NodePath)> = Vec::with_capacity(names.len());
    for name in names {
        let (from, to) = (source.join(name)?, target.join(name)?);
        tree.stat(&from).await?;
        if target.is_within(&from) {
            return Err(SeafileError::bad_request(format!("Can not move or copy {name} into itself.")));
        }
        pairs.push((from, to));
    }
    let tree = tree.clone();
    // A client that hangs up must not leave half of its list undone.
    tokio::spawn(async move {
        for (from, to) in &pairs {
            match work {
                Work::Copy => work::copy(&tree, from, to).await?,
                Work::Move => work::rename(&tree, from, to).await?,
            };
        }
        Ok(())
    })
    .await
    .map_err(Error::internal)?
}

/// Names that are missing are skipped.
async fn batch_delete(mut call: Call) -> Result<Response, SeafileError> {
    let tree = call.tree()?;
    let form = call.form().await?;
    let library = Library::open(&tree, form.need("repo_id")?).await?;
    let folder = library.path(form.need("parent_dir")?)?;
    let paths = form.all("dirents").map(|name| folder.join(name)).collect::<Result<Vec<_>, _>>()?;
    if paths.is_empty() {
        return Err(SeafileError::invalid("dirents"));
    }
    work::folder(&tree, &folder).await?;
    let removing = tree.clone();
    tokio::spawn(async move {
        for path in &paths {
            match work::remove(&removing, path).await {
                Ok(()) | Err(SeafileError::Core(Error::NotFound(_))) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    })
    .await
    .map_err(Error::internal)??;
    work::removed_v21(&tree, &library).await
}
