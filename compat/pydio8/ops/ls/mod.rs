//! `ls`: a folder's content, or chosen nodes.
//!
//! The tree lists in byte order of names; this protocol shows folders first, then files, without
//! regard to case. So a folder is read page by page and only the rows that can still be on the page
//! asked for are kept: at most twice `max(500, 200 × page)` of them, whatever the size of the
//! folder ([`gather`]). A recursive listing streams.
//!
//! Known gaps: the content of archives (`dir=/a.zip/x`), `page_position`, remote sorting (the
//! original has it switched off by default and then ignores its parameters, as here), recursion in
//! JSON.

mod gather;
mod recursive;

use std::collections::HashMap;

use cellgate_core::error::Error;
use cellgate_core::http::Response;
use cellgate_core::node::{NodeId, NodeKind};
use cellgate_core::workspace::RECYCLE_BIN;
use cellgate_core::{NodePath, Tree};
use http::header::USER_AGENT;

use crate::call::Call;
use crate::error::Fault;
use crate::ops::ls::gather::{Slice, gather};
use crate::params::Params;
use crate::place::{Place, inside};
use crate::render::listing::{Document, Pagination};
use crate::render::node::{Attributes, Row, Show, attributes};
use crate::render::{Format, JSON, XML, ok};

/// What is listed of a folder, and how much of each node is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Options {
    folders: bool,
    archives: bool,
    files: bool,
    full: bool,
}

impl Options {
    fn parse(letters: &str) -> Self {
        let has = |letter| letters.contains(letter);
        let all = has('a') || !letters.contains(['d', 'z', 'f']);
        Self { folders: all || has('d'), archives: all || has('z'), files: all || has('f'), full: has('l') }
    }
}

pub async fn ls(call: Call) -> Result<Response, Fault> {
    if !call.place.rights.read {
        return Ok(crate::render::envelope::Envelope::default().respond(http::StatusCode::OK, call.format));
    }
    if call.params.is_true("page_position") {
        return Err(Fault::NotBuilt("page_position".into()));
    }
    let options = Options::parse(call.params.filled("options").unwrap_or("a"));
    let (dir, page) = anchor(call.params.filled("dir").unwrap_or("/"));
    let chosen = chosen(&call.params, dir);
    if !chosen.is_empty() {
        return selection(&call, options, &chosen).await;
    }
    let path = call.place.path(dir)?;
    let folder = open(&call, &path).await?;
    if call.params.is_true("recursive") {
        if call.format == Format::Json {
            return Err(Fault::NotBuilt("A recursive listing in JSON".into()));
        }
        return recursive::respond(call, options, path, folder).await;
    }
    let slice = gather(&call, options, &path, page).await?;
    let view = View::of(&call, options, &path).await?;
    let document = Document {
        root: view.root(&folder, &path),
        pagination: Some(slice.pagination).filter(|pagination| wants_pagination(&call, pagination)),
        children: view.children(&call.tree, &path, &slice).await?,
    };
    Ok(render(&document, call.format))
}

/// The nodes that were asked for by name; those that do not exist are left out.
async fn selection(call: &Call, options: Options, chosen: &[String]) -> Result<Response, Fault> {
    let root = call.place.path("/")?;
    let folder = Row::from(&call.tree.stat(&root).await?);
    let view = View::of(call, options, &root).await?;
    let mut children = Vec::new();
    for path in chosen {
        let Ok(path) = call.place.path(path) else { continue };
        let row = match call.tree.stat(&path).await {
            Ok(node) => Row::from(&node),
            Err(Error::NotFound(_) | Error::NotACollection(_) | Error::ParentMissing(_)) => continue,
            Err(error) => return Err(error.into()),
        };
        children.push((path, row));
    }
    let ids: Vec<NodeId> = children.iter().map(|(_, row)| row.id).collect();
    let locks = view.locks(&call.tree, &ids).await?;
    let children = children
        .iter()
        .map(|(path, row)| (inside(path), view.node(row, &inside(path), locks.get(&row.id).copied(), None)))
        .collect();
    let document = Document { root: view.root(&folder, &root), pagination: None, children };
    Ok(render(&document, call.format))
}

fn render(document: &Document, format: Format) -> Response {
    match format {
        Format::Xml => ok(XML, document.xml()),
        Format::Json => ok(JSON, document.json()),
    }
}

/// Splits the page off a folder: `/a%23n`, where the four characters are literal. Forms carry them
/// encoded twice.
fn anchor(dir: &str) -> (&str, u64) {
    let Some((folder, page)) = dir.rsplit_once("%23") else { return (dir, 1) };
    match page.parse() {
        Ok(page) => (if folder.is_empty() { "/" } else { folder }, page),
        Err(_) => (dir, 1),
    }
}

/// The paths of `file`, `file_0`, … or `nodes[]`; a relative one is inside the folder.
fn chosen(params: &Params, dir: &str) -> Vec<String> {
    let absolute = |path: String| if path.starts_with('/') { path } else { format!("{dir}/{path}") };
    params.selection().into_iter().filter(|path| !path.is_empty()).map(absolute).collect()
}

/// These clients take a `pagination` element for a node when there is a single page.
fn wants_pagination(call: &Call, pagination: &Pagination) -> bool {
    const WITHOUT: [&str; 4] =
        ["python-requests", "Apache-HttpClient", "Pydio-Native", "ajaxplorer-ios-client"];
    let agent = call.headers.get(USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    pagination.total > 1 || !WITHOUT.iter().any(|name| agent.contains(name))
}

/// The folder that is listed. The bin can be listed before anything was removed into it.
async fn open(call: &Call, path: &NodePath) -> Result<Row, Fault> {
    let trouble = || {
        let url = format!("pydio://{}{}", call.place.workspace.slug, inside(path));
        Fault::text(format!(
            "There was a problem trying to open folder {url}, please check your Administrator"
        ))
    };
    match call.tree.stat(path).await {
        Ok(node) if node.is_collection() => Ok(Row::from(&node)),
        Ok(_) | Err(Error::NotACollection(_) | Error::ParentMissing(_)) => Err(trouble()),
        Err(Error::NotFound(_)) if call.place.bin().as_ref() == Some(path) => Ok(absent_bin(call)),
        Err(Error::NotFound(_)) => Err(trouble()),
        Err(error) => Err(error.into()),
    }
}

/// The bin of a workspace from which nothing was removed yet: as old as the workspace, for these
/// clients know it from its first day on.
fn absent_bin(call: &Call) -> Row {
    Row {
        id: NodeId::LIMBO,
        name: RECYCLE_BIN.to_owned(),
        kind: NodeKind::Collection,
        size: 0,
        mtime_s: call.place.workspace.created_ns.div_euclid(1_000_000_000),
    }
}

fn is_bin(call: &Call, folder: &NodePath, row: &Row) -> bool {
    call.place.workspace.recycle && Place::is_root(folder) && row.name == RECYCLE_BIN && row.is_collection()
}

/// How the nodes of one answer are shown: what is asked once and holds for all of them.
#[derive(Clone)]
struct View {
    full: bool,
    /// The bin is a child of the folder.
    has_bin: bool,
    /// The bin is the folder.
    is_bin: bool,
    bin_filled: bool,
    readonly: bool,
    login: String,
    now_s: i64,
}

impl View {
    async fn of(call: &Call, options: Options, folder: &NodePath) -> Result<Self, Error> {
        let has_bin = call.place.workspace.recycle && Place::is_root(folder);
        let is_bin = call.place.bin().as_ref() == Some(folder);
        let bin = call.place.bin().filter(|_| is_bin || (has_bin && options.full));
        let bin_filled = match bin {
            Some(bin) => is_filled(&call.tree, &bin).await?,
            None => false,
        };
        Ok(Self {
            full: options.full,
            has_bin,
            is_bin,
            bin_filled,
            readonly: !rights_below(&call.tree, folder).await?,
            login: call.tree.principal().login.clone(),
            now_s: call.now_s,
        })
    }

    fn root(&self, row: &Row, path: &NodePath) -> Attributes {
        let path = inside(path);
        let show = Show {
            path: &path,
            root: true,
            has_recycle: self.has_bin,
            bin: self.is_bin.then_some(self.bin_filled),
            readonly: self.readonly,
            now_s: self.now_s,
            ..Show::default()
        };
        attributes(row, &show)
    }

    fn node(&self, row: &Row, path: &str, locked: Option<bool>, has_children: Option<bool>) -> Attributes {
        let is_bin = self.has_bin && row.is_collection() && path.strip_prefix('/') == Some(RECYCLE_BIN);
        let show = Show {
            path,
            readonly: self.readonly,
            short: !self.full,
            bin: is_bin.then_some(self.bin_filled),
            has_children,
            locked,
            now_s: self.now_s,
            ..Show::default()
        };
        attributes(row, &show)
    }

    async fn children(
        &self,
        tree: &Tree,
        folder: &NodePath,
        slice: &Slice,
    ) -> Result<Vec<(String, Attributes)>, Error> {
        let ids: Vec<NodeId> = slice.rows.iter().map(|row| row.id).collect();
        let locks = self.locks(tree, &ids).await?;
        let prefix = prefix_of(folder);
        let shown = slice.rows.iter().map(|row| {
            let path = format!("{prefix}/{}", row.name);
            let attributes = self.node(row, &path, locks.get(&row.id).copied(), None);
            (path, attributes)
        });
        Ok(shown.collect())
    }

    /// Which nodes are locked, and whether by the caller: one question for the whole page.
    async fn locks(&self, tree: &Tree, ids: &[NodeId]) -> Result<HashMap<NodeId, bool>, Error> {
        if !self.full || ids.is_empty() {
            return Ok(HashMap::new());
        }
        let locks = tree.locks_on(ids).await?;
        Ok(locks.into_iter().map(|lock| (lock.node, lock.principal == self.login)).collect())
    }
}

/// The path of a folder as a prefix of its children's.
fn prefix_of(folder: &NodePath) -> String {
    if Place::is_root(folder) { String::new() } else { inside(folder) }
}

async fn is_filled(tree: &Tree, path: &NodePath) -> Result<bool, Error> {
    match tree.count(path).await {
        Ok(count) => Ok(count.leaves + count.collections > 0),
        Err(Error::NotFound(_)) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Whether the caller may write in a folder.
async fn rights_below(tree: &Tree, folder: &NodePath) -> Result<bool, Error> {
    match tree.rights(folder).await {
        Ok(rights) => Ok(rights.write),
        Err(Error::NotFound(_)) => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_letters() {
        let options = |folders, archives, files, full| Options { folders, archives, files, full };
        assert_eq!(Options::parse("al"), options(true, true, true, true));
        assert_eq!(Options::parse("a"), options(true, true, true, false));
        assert_eq!(Options::parse("d"), options(true, false, false, false));
        assert_eq!(Options::parse("dz"), options(true, true, false, false));
        assert_eq!(Options::parse("l"), options(true, true, true, true));
    }

    #[test]
    fn the_page_is_behind_a_literal_anchor() {
        assert_eq!(anchor("/a%232"), ("/a", 2));
        assert_eq!(anchor("%233"), ("/", 3));
        assert_eq!(anchor("/a%23b"), ("/a%23b", 1));
        assert_eq!(anchor("/a#2"), ("/a#2", 1));
        assert_eq!(anchor("/"), ("/", 1));
    }
}
