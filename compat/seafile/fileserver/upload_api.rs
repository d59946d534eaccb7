//! `POST /seafhttp/upload-api/<link>` and `update-api`, with their browser variants `upload-aj` and
//! `update-aj`, which always answer the array.
//!
//! A link made for `/` (clients fetch it without `p`) is good for every folder of the library that its
//! user may write: old scripts post another `parent_dir` to it. A link for a folder is for that one.
//!
//! Gap: chunked uploads (`Content-Range`), and progress of indexing, of which there is none.

use cellgate_core::http::conditional::{Conditions, ETags};
use cellgate_core::http::{Response, full, incoming};
use cellgate_core::tree::{Existing, Parents, Write, Written};
use cellgate_core::{Error, NodePath, Tree};
use http::{HeaderValue, StatusCode, header};
use serde_json::{Value, json};

use crate::error::SeafileError;
use crate::fileserver::form::{self, Form};
use crate::library::Library;
use crate::links::{self, Action, Redeemed};
use crate::route::{self, Access, Call, Endpoint};
use crate::{ids, json};

/// Whether the answer is always JSON.
const BROWSER: bool = true;

pub const ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        method: "POST",
        path: "/seafhttp/upload-api/{link}",
        operation: "upload-api",
        access: Access::Anyone,
        handler: |call| Box::pin(receive(call, Action::Upload, !BROWSER)),
    },
    Endpoint {
        method: "POST",
        path: "/seafhttp/upload-aj/{link}",
        operation: "upload-aj",
        access: Access::Anyone,
        handler: |call| Box::pin(receive(call, Action::Upload, BROWSER)),
    },
    Endpoint {
        method: "POST",
        path: "/seafhttp/update-api/{link}",
        operation: "update-api",
        access: Access::Anyone,
        handler: |call| Box::pin(receive(call, Action::Update, !BROWSER)),
    },
    Endpoint {
        method: "POST",
        path: "/seafhttp/update-aj/{link}",
        operation: "update-aj",
        access: Access::Anyone,
        handler: |call| Box::pin(receive(call, Action::Update, BROWSER)),
    },
];

fn refused(status: u16, text: &str) -> SeafileError {
    SeafileError::Upload(status, text.into())
}

async fn receive(mut call: Call, action: Action, browser: bool) -> Result<Response, SeafileError> {
    let redeemed = links::redeem(&call.core, &call.param(0)?).await.map_err(SeafileError::upload)?;
    let Some(redeemed) = redeemed else { return Err(refused(403, "Access token not found.")) };
    if redeemed.link.action != action {
        return Err(refused(403, "Operation does not match access token."));
    }
    if call.headers.contains_key(header::CONTENT_RANGE) {
        return Err(refused(501, "Chunked upload is not implemented."));
    }
    let replace = call.query.get("replace").map(str::to_owned);
    let as_json = browser || call.query.get("ret-json").is_some();
    let content_type = call.headers.get(header::CONTENT_TYPE);
    let content_type = content_type.and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    let body = incoming(call.take_body());

    let login = redeemed.tree.principal().login.clone();
    // From here on errors are the upload server's, also those that other rooms speak of otherwise.
    let stored =
        store(redeemed, action, replace, &content_type, body).await.map_err(|error| match error {
            SeafileError::Core(error) => SeafileError::upload(error),
            SeafileError::Message(status, text) => SeafileError::Upload(status.as_u16(), text),
            error => error,
        })?;
    let mut response = answer(&stored, as_json);
    route::note_principal(&mut response, &login);
    Ok(response)
}

async fn store(
    redeemed: Redeemed,
    action: Action,
    replace: Option<String>,
    content_type: &str,
    body: cellgate_core::ports::ByteStream,
) -> Result<Vec<Written>, SeafileError> {
    let Redeemed { tree, link, .. } = redeemed;
    let library = Library::open(&tree, &link.library.to_string()).await?;
    let near = library.path(&link.path)?;
    let form = form::read(&tree, &near, content_type, body).await?;
    if form.files.is_empty() {
        return Err(refused(400, "No file in multipart form."));
    }
    let aim = match action {
        Action::Update => update_aim(&library, &form)?,
        Action::Upload | Action::Download => upload_aim(&tree, &library, &near, &form, replace).await?,
    };
    let Form { files, mtime_ns, .. } = form;
    // The form is complete: a client that hangs up now still gets all of its files stored.
    let stored = tokio::spawn(async move {
        let mut stored = Vec::with_capacity(files.len());
        for file in files {
            let path = match &aim.target {
                Target::File(path) => path.clone(),
                Target::Folder(folder) => folder.join(&file.name)?,
            };
            let how = Write {
                conditions: aim.conditions.clone(),
                parents: aim.parents,
                existing: existing(&tree, &path, aim.replace).await?,
                mtime_ns,
                ..Write::default()
            };
            stored.push(tree.write_draft(&path, file.draft, how).await?);
        }
        Ok::<_, Error>(stored)
    })
    .await
    .map_err(Error::internal)??;
    Ok(stored)
}

/// Where the files of a form go, and how.
struct Aim {
    target: Target,
    conditions: Conditions,
    parents: Parents,
    replace: bool,
}

enum Target {
    /// Each under its own name.
    Folder(NodePath),
    File(NodePath),
}

async fn upload_aim(
    tree: &Tree,
    library: &Library,
    near: &NodePath,
    form: &Form,
    query_replace: Option<String>,
) -> Result<Aim, SeafileError> {
    let replace = match form.replace.as_deref().or(query_replace.as_deref()) {
        None | Some("0") => false,
        Some("1") => true,
        Some(_) => return Err(refused(400, "Invalid argument replace.")),
    };
    let parent_dir = form.parent_dir.as_deref().ok_or_else(|| refused(400, "No parent_dir given."))?;
    let parent = library.path(parent_dir).map_err(|_| refused(400, "Invalid parent dir."))?;
    // A link made for the library's root is good for all of it; see the module documentation.
    if parent != *near && near.depth() > 1 {
        return Err(refused(403, "Parent dir doesn't match."));
    }
    match tree.stat(&parent).await {
        Ok(node) if node.is_collection() => {}
        Ok(_) | Err(Error::NotFound(_) | Error::NotACollection(_)) => {
            return Err(refused(400, "Parent dir doesn't exist."));
        }
        Err(error) => return Err(error.into()),
    }
    let relative = form.relative_path.as_str();
    if relative.starts_with(['/', '\\']) {
        return Err(refused(400, "Invalid relative path"));
    }
    let folder = parent.descend(relative).map_err(|_| refused(400, "Invalid relative path"))?;
    let parents = if folder == parent { Parents::MustExist } else { Parents::Create };
    Ok(Aim { target: Target::Folder(folder), conditions: Conditions::default(), parents, replace })
}

fn update_aim(library: &Library, form: &Form) -> Result<Aim, SeafileError> {
    if form.files.len() > 1 {
        return Err(refused(400, "More than one file in the form."));
    }
    let target = form.target_file.as_deref().filter(|target| !target.is_empty());
    let target = target.ok_or_else(|| refused(400, "No target_file given."))?;
    let path = library.path(target)?;
    if path.depth() < 2 {
        return Err(refused(400, "Invalid target_file."));
    }
    Ok(Aim {
        target: Target::File(path),
        // It must exist; checked with the commit, and answered 441.
        conditions: Conditions { if_match: Some(ETags::Any), ..Conditions::default() },
        parents: Parents::MustExist,
        replace: true,
    })
}

/// The original lets a file replace a whole folder of its name. Never that: such a file gets a number.
async fn existing(tree: &Tree, path: &NodePath, replace: bool) -> Result<Existing, Error> {
    if !replace {
        return Ok(Existing::Rename);
    }
    match tree.stat(path).await {
        Ok(node) if node.is_collection() => Ok(Existing::Rename),
        Ok(_) | Err(Error::NotFound(_) | Error::NotACollection(_)) => Ok(Existing::Replace),
        Err(error) => Err(error),
    }
}

/// The array, or the bare ids with a tab between them: no quotes, no line end.
fn answer(stored: &[Written], as_json: bool) -> Response {
    if as_json {
        let entry = |written: &Written| {
            let (name, size) = (written.path.name(), written.node.size);
            json!({ "name": name, "id": ids::of(&written.node), "size": size })
        };
        let entries: Vec<Value> = stored.iter().map(entry).collect();
        return json::answer(StatusCode::OK, &Value::Array(entries));
    }
    let found: Vec<String> = stored.iter().map(|written| ids::of(&written.node)).collect();
    let mut response = Response::new(full(found.join("\t")));
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, plain);
    response
}
