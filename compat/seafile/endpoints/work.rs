//! What several endpoints do with the tree. Mutations go on when the client hangs up.

use cellgate_core::http::Response;
use cellgate_core::tree::{Existing, Parents, Remove, Transfer, Write, Written};
use cellgate_core::{Error, Node, NodePath, Tree};
use futures_util::stream;
use http::StatusCode;
use serde_json::{Value, json};

use crate::error::SeafileError;
use crate::library::{Library, inside, quoted};
use crate::listing::{self, Question, Version};
use crate::params::Params;
use crate::route::{self, Call};
use crate::{ids, json};

/// A target whose taken name gets a number: Seafile never replaces outside of uploads.
fn free_name() -> Transfer {
    Transfer { existing: Existing::Rename, ..Transfer::default() }
}

/// Runs a mutation to its end, whatever becomes of the request.
async fn whole<T, F>(work: F) -> Result<T, Error>
where
    T: Send + 'static,
    F: Future<Output = Result<T, Error>> + Send + 'static,
{
    tokio::spawn(work).await.map_err(Error::internal)?
}

/// `p`, or `path` as some clients write it.
pub fn path_of(query: &Params) -> Result<&str, SeafileError> {
    query
        .get("p")
        .or_else(|| query.get("path"))
        .filter(|path| !path.is_empty())
        .ok_or_else(|| SeafileError::bad_request("Path is missing."))
}

/// The node at `p` of a mutation, which is never the library itself.
pub fn target(library: &Library, query: &Params) -> Result<NodePath, SeafileError> {
    let path = library.path(path_of(query)?)?;
    if path.depth() < 2 {
        return Err(SeafileError::bad_request("Path is invalid."));
    }
    Ok(path)
}

pub async fn folder(tree: &Tree, path: &NodePath) -> Result<Node, SeafileError> {
    let missing = || SeafileError::not_found(format!("Folder {} not found.", inside(path)));
    match tree.stat(path).await {
        Ok(node) if node.is_collection() => Ok(node),
        Ok(_) | Err(Error::NotFound(_) | Error::NotACollection(_)) => Err(missing()),
        Err(error) => Err(error.into()),
    }
}

/// The id of one folder: whether it is empty takes a look into it.
pub async fn folder_id(
    tree: &Tree,
    library: &Library,
    path: &NodePath,
    folder: &Node,
) -> Result<String, SeafileError> {
    Ok(if listing::is_empty(tree, library, path).await? { ids::EMPTY.to_owned() } else { ids::of(folder) })
}

pub async fn file(tree: &Tree, path: &NodePath) -> Result<Node, SeafileError> {
    let missing = || SeafileError::not_found(format!("File {} not found.", inside(path)));
    match tree.stat(path).await {
        Ok(node) if node.is_leaf() => Ok(node),
        Ok(_) | Err(Error::NotFound(_) | Error::NotACollection(_)) => Err(missing()),
        Err(error) => Err(error.into()),
    }
}

/// Makes a folder. A taken name gets a number, unless parents were asked for as well: then a folder
/// that is there is left as it is.
pub async fn mkdir(tree: &Tree, path: &NodePath, form: &Params) -> Result<Written, SeafileError> {
    let (parents, existing) = if form.is_true("create_parents") {
        (Parents::Create, Existing::Replace)
    } else {
        (Parents::MustExist, Existing::Rename)
    };
    let (tree, path) = (tree.clone(), path.clone());
    let made = whole(async move { tree.create_collection(&path, parents, existing, &[]).await }).await;
    Ok(made?)
}

/// Makes an empty file.
pub async fn create(tree: &Tree, path: &NodePath) -> Result<Written, SeafileError> {
    let (tree, path) = (tree.clone(), path.clone());
    let how = Write { existing: Existing::Rename, size: Some(0), ..Write::default() };
    Ok(whole(async move { tree.write(&path, Box::pin(stream::empty()), how).await }).await?)
}

/// The sibling that `newname` names.
pub fn renamed(path: &NodePath, form: &Params) -> Result<NodePath, SeafileError> {
    let newname = form.need("newname")?;
    let parent = path.parent().unwrap_or_default();
    parent.join(newname).map_err(|_| SeafileError::invalid("newname"))
}

pub async fn rename(tree: &Tree, from: &NodePath, to: &NodePath) -> Result<Written, SeafileError> {
    if from == to {
        let node = tree.stat(from).await?;
        return Ok(Written { node, path: from.clone(), created: false });
    }
    let (tree, from, to) = (tree.clone(), from.clone(), to.clone());
    Ok(whole(async move { tree.rename(&from, &to, &free_name()).await }).await?)
}

pub async fn copy(tree: &Tree, from: &NodePath, to: &NodePath) -> Result<Written, SeafileError> {
    let (tree, from, to) = (tree.clone(), from.clone(), to.clone());
    Ok(whole(async move { tree.copy(&from, &to, &free_name()).await }).await?)
}

/// The folder that `dst_repo` and `dst_dir` name, in a library of its own perhaps.
pub async fn destination(
    tree: &Tree,
    repo: (&str, &Params),
    dir: (&str, &Params),
) -> Result<(Library, NodePath), SeafileError> {
    let library = Library::open(tree, repo.1.need(repo.0)?).await?;
    let path = library.path(dir.1.need(dir.0)?)?;
    folder(tree, &path).await?;
    Ok((library, path))
}

pub async fn remove(tree: &Tree, path: &NodePath) -> Result<(), SeafileError> {
    let (tree, path) = (tree.clone(), path.clone());
    whole(async move { tree.remove(&path, &Remove::default()).await }).await?;
    Ok(())
}

/// The answer of a v2 call that made or moved something: `reloaddir` asks for the listing of the
/// folder it is in instead (old python-seafile does).
pub async fn answer_v2(
    call: &Call2<'_>,
    status: StatusCode,
    body: Value,
    written: &NodePath,
    kind: &str,
) -> Result<Response, SeafileError> {
    if call.reload {
        return reloaded(call.tree, call.library, written).await;
    }
    let mut response = json::answer(status, &body);
    let (id, path) = (call.library.id(), quoted(&inside(written)));
    route::location(&mut response, &format!("{}/api2/repos/{id}/{kind}/?p={path}", call.base));
    Ok(response)
}

/// What [`answer_v2`] needs to know of the call.
pub struct Call2<'a> {
    pub tree: &'a Tree,
    pub library: &'a Library,
    pub base: &'a str,
    pub reload: bool,
}

/// The listing of the folder that holds (or held) a node.
pub async fn reloaded(tree: &Tree, library: &Library, of: &NodePath) -> Result<Response, SeafileError> {
    let parent = of.parent().unwrap_or_default();
    let node = folder(tree, &parent).await?;
    let question = Question { version: Version::V2, kind: None, recursive: false, known: None };
    Ok(listing::answer(tree, library, &parent, &node, question).await?)
}

/// Whether the parent's listing is wanted for an answer.
pub fn reload(call: &Call) -> bool {
    call.query.get("reloaddir").is_some_and(|value| value.eq_ignore_ascii_case("true"))
}

/// `{"success":true,"commit_id":…}` of a v2.1 removal in a folder.
pub async fn removed_v21(tree: &Tree, library: &Library) -> Result<Response, SeafileError> {
    let root = tree.stat(&library.path("/")?).await?;
    Ok(json::ok(&json!({ "success": true, "commit_id": ids::commit(&root) })))
}
