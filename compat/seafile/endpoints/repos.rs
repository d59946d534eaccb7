//! Libraries: `GET /api2/repos/`, `/api2/repos/<id>/` and the same in v2.1.

use std::collections::HashMap;

use cellgate_core::http::{Response, date};
use cellgate_core::listing::Listing;
use cellgate_core::{Node, NodePath, Tree};
use serde_json::{Value, json};

use crate::endpoints::work;
use crate::error::SeafileError;
use crate::library::{Library, email, listed, name};
use crate::route::{Access, Call, Endpoint};
use crate::{ids, json};

pub const ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        method: "GET",
        path: "/api2/repos",
        operation: "list-repos",
        access: Access::User,
        handler: |call| Box::pin(list_repos(call)),
    },
    Endpoint {
        method: "GET",
        path: "/api2/repos/{id}",
        operation: "get-repo",
        access: Access::User,
        handler: |call| Box::pin(get_repo(call)),
    },
    Endpoint {
        method: "GET",
        path: "/api/v2.1/repos",
        operation: "list-repos-v2.1",
        access: Access::User,
        handler: |call| Box::pin(list_repos_v21(call)),
    },
    Endpoint {
        method: "GET",
        path: "/api/v2.1/repos/{id}",
        operation: "get-repo-v2.1",
        access: Access::User,
        handler: |call| Box::pin(get_repo_v21(call)),
    },
];

/// An ISO time with its offset written out: older Python does not read `Z`.
pub fn iso(ns: i64) -> String {
    let time = date::rfc3339(ns);
    format!("{}+00:00", time.trim_end_matches('Z'))
}

/// The caller's libraries with their root nodes, newest first.
async fn libraries(tree: &Tree) -> Result<Vec<(Library, Node)>, SeafileError> {
    let mut roots: HashMap<String, Node> = HashMap::new();
    let mut listing = Listing::default();
    loop {
        let page = tree.list(&NodePath::root(), &listing).await?;
        roots.extend(page.entries.into_iter().map(|entry| (entry.node.name.clone(), entry.node)));
        listing.after = page.next;
        if listing.after.is_none() {
            break;
        }
    }
    let mut libraries: Vec<(Library, Node)> = tree
        .workspaces()
        .await?
        .into_iter()
        .filter_map(|(workspace, rights)| {
            let root = roots.remove(&workspace.slug)?;
            Some((Library { workspace, rights }, root))
        })
        .collect();
    libraries.sort_by_key(|(_, root)| std::cmp::Reverse(root.mtime_ns));
    Ok(libraries)
}

/// Whether a library is of one of the kinds asked for; none is all.
fn is_wanted(library: &Library, kinds: &[&str]) -> bool {
    let own: &[&str] = if library.workspace.is_personal() { &["mine"] } else { &["org", "public"] };
    kinds.is_empty() || own.iter().any(|kind| kinds.contains(kind))
}

async fn list_repos(call: Call) -> Result<Response, SeafileError> {
    let tree = call.tree()?;
    let kinds: Vec<&str> = call.query.text("type").split(',').filter(|kind| !kind.is_empty()).collect();
    let part = call.query.text("nameContains").to_lowercase();
    let found = libraries(&tree).await?;
    let entries: Vec<Value> = found
        .iter()
        .filter(|(library, _)| is_wanted(library, &kinds))
        .filter(|(library, _)| library.workspace.label.to_lowercase().contains(&part))
        .map(|(library, root)| listed(library, root, tree.principal()))
        .collect();
    let mut response = json::ok(&Value::Array(entries));
    response.headers_mut().insert("enable_encrypted_library", http::HeaderValue::from_static("False"));
    Ok(response)
}

async fn list_repos_v21(call: Call) -> Result<Response, SeafileError> {
    let tree = call.tree()?;
    let kinds: Vec<&str> = call.query.all("type").collect();
    let principal = tree.principal();
    let entry = |(library, root): &(Library, Node)| {
        let personal = library.workspace.is_personal();
        json!({
            "type": if personal { "mine" } else { "public" },
            "repo_id": library.id(),
            "repo_name": library.workspace.label,
            "owner_email": if personal { email(principal) } else { "Organization".into() },
            "owner_name": if personal { name(principal) } else { "Organization" },
            "owner_contact_email": if personal { email(principal) } else { String::new() },
            "last_modified": iso(root.mtime_ns),
            "modifier_email": "",
            "modifier_name": "",
            "modifier_contact_email": "",
            "size": 0,
            "encrypted": false,
            "permission": library.permission(),
            "starred": false,
            "monitored": false,
            "status": if library.rights.write { "normal" } else { "read-only" },
            "salt": "",
        })
    };
    let found = libraries(&tree).await?;
    let repos: Vec<Value> =
        found.iter().filter(|(library, _)| is_wanted(library, &kinds)).map(entry).collect();
    Ok(json::ok(&json!({ "repos": repos })))
}

async fn get_repo(call: Call) -> Result<Response, SeafileError> {
    let tree = call.tree()?;
    let library = Library::open(&tree, &call.param(0)?).await?;
    let path = library.path("/")?;
    let root = tree.stat(&path).await?;
    Ok(json::ok(&json!({
        "type": "repo",
        "id": library.id(),
        "owner": if library.workspace.is_personal() { "self" } else { "share" },
        "name": library.workspace.label,
        "mtime": root.mtime_s(),
        "size": 0,
        "encrypted": false,
        "root": work::folder_id(&tree, &library, &path, &root).await?,
        "permission": library.permission(),
        "modifier_email": "",
        "modifier_contact_email": "",
        "modifier_name": "",
        "file_count": 0,
        "head_commit_id": ids::commit(&root),
    })))
}

async fn get_repo_v21(call: Call) -> Result<Response, SeafileError> {
    let tree = call.tree()?;
    let library = Library::open(&tree, &call.param(0)?).await?;
    let root = tree.stat(&library.path("/")?).await?;
    let principal = tree.principal();
    let personal = library.workspace.is_personal();
    Ok(json::ok(&json!({
        "repo_id": library.id(),
        "repo_name": library.workspace.label,
        "owner_email": if personal { email(principal) } else { "Organization".into() },
        "owner_name": if personal { name(principal) } else { "Organization" },
        "owner_contact_email": if personal { email(principal) } else { String::new() },
        "size": 0,
        "encrypted": false,
        "file_count": 0,
        "permission": library.permission(),
        "no_quota": true,
        "is_admin": false,
        "is_virtual": false,
        "has_been_shared_out": false,
        "lib_need_decrypt": false,
        "last_modified": iso(root.mtime_ns),
        "status": if library.rights.write { "normal" } else { "read-only" },
    })))
}
