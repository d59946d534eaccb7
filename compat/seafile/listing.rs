//! Folder listings: arrays without paging.
//!
//! Folders first, each by lower-case name, as in the original, up to some thousand entries; what is
//! longer, and what is recursive, comes in the order of the index, streamed, so that a listing of any
//! length costs a page of memory.

use std::collections::VecDeque;

use bytes::Bytes;
use cellgate_core::http::{Response, settle};
use cellgate_core::listing::{Depth, Entry, Listing};
use cellgate_core::workspace::RECYCLE_BIN;
use cellgate_core::{Error, Node, NodeId, NodeKind, NodePath, Tree};
use futures_util::stream;
use http::HeaderValue;
use serde::Serialize;

use crate::library::{Library, inside, inside_folder};
use crate::{ids, json};

/// Longest listing that is sorted.
const SORTED_MAX: usize = 10_000;
/// Entries per piece of the answer.
const PIECE: usize = 1_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// An array; `parent_dir` in recursive listings alone.
    V2,
    /// An object around it; `parent_dir` always.
    V21,
}

#[derive(Debug, Clone)]
pub struct Question {
    pub version: Version,
    pub kind: Option<NodeKind>,
    pub recursive: bool,
    /// The folder id that the client has the listing of.
    pub known: Option<String>,
}

#[derive(Serialize)]
struct Dirent<'a> {
    r#type: &'static str,
    id: String,
    name: &'a str,
    mtime: i64,
    permission: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent_dir: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    starred: Option<bool>,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    modifier: Option<Modifier>,
}

/// Nothing keeps who wrote a file last.
#[derive(Serialize, Default)]
struct Modifier {
    modifier_email: &'static str,
    modifier_name: &'static str,
    modifier_contact_email: &'static str,
}

/// The answer to a listing of a folder that was found.
pub async fn answer(
    tree: &Tree,
    library: &Library,
    path: &NodePath,
    folder: &Node,
    question: Question,
) -> Result<Response, Error> {
    let (version, recursive) = (question.version, question.recursive);
    let mut walk = Walk {
        tree: tree.clone(),
        base: path.clone(),
        permission: library.permission(),
        hide_bin: hides_bin(library, path),
        question,
        after: None,
        exhausted: false,
        ready: VecDeque::new(),
        any: false,
    };
    walk.begin().await?;
    let oid = walk.oid(folder);
    if walk.question.known.as_ref() == Some(&oid) {
        let mut response = json::ok(&serde_json::json!("uptodate"));
        response.headers_mut().insert("oid", HeaderValue::from_str(&oid).map_err(Error::internal)?);
        return Ok(response);
    }
    let (before, after) = match (version, recursive) {
        (Version::V2, _) => ("[".to_owned(), "]"),
        (Version::V21, true) => (r#"{"dirent_list":["#.to_owned(), "]}"),
        (Version::V21, false) => {
            let permission = library.permission();
            (format!(r#"{{"user_perm":"{permission}","dir_id":"{oid}","dirent_list":["#), "]}")
        }
    };
    let writer = Writer { walk, before: Some(before), after: Some(after), any: false };
    let pieces = stream::try_unfold(writer, |mut writer| async move {
        Ok::<_, Error>(writer.next().await?.map(|bytes| (bytes, writer)))
    });
    let mut response = Response::new(settle(Box::pin(pieces)).await?);
    let headers = response.headers_mut();
    headers.insert(http::header::CONTENT_TYPE, json::content_type());
    headers.insert("oid", HeaderValue::from_str(&oid).map_err(Error::internal)?);
    headers.insert("dir_perm", HeaderValue::from_static(library.permission()));
    Ok(response)
}

/// Whether nothing is in a folder. A library's bin is not part of it.
pub async fn is_empty(tree: &Tree, library: &Library, path: &NodePath) -> Result<bool, Error> {
    let hide_bin = hides_bin(library, path);
    let page = tree.list(path, &Listing { limit: 2, ..Listing::default() }).await?;
    Ok(!page.entries.iter().any(|entry| !(hide_bin && is_in_bin(&entry.key))))
}

fn hides_bin(library: &Library, path: &NodePath) -> bool {
    library.workspace.recycle && path.depth() == 1
}

fn is_in_bin(key: &str) -> bool {
    key.strip_prefix(RECYCLE_BIN).is_some_and(|rest| rest.starts_with('/'))
}

struct Walk {
    tree: Tree,
    base: NodePath,
    permission: &'static str,
    hide_bin: bool,
    question: Question,
    after: Option<String>,
    exhausted: bool,
    ready: VecDeque<Entry>,
    /// Something is in the folder, asked for or not.
    any: bool,
}

impl Walk {
    /// Gathers what can be sorted, and sorts it if that is all.
    async fn begin(&mut self) -> Result<(), Error> {
        if self.question.recursive {
            return self.page().await;
        }
        while !self.exhausted && self.ready.len() <= SORTED_MAX {
            self.page().await?;
        }
        if self.exhausted {
            let key = |entry: &Entry| (entry.node.is_leaf(), entry.node.name.to_lowercase());
            self.ready.make_contiguous().sort_by_cached_key(key);
        }
        Ok(())
    }

    /// The id of this state of the folder. It covers every direct child with its content, which the
    /// folder's own node does not; where the listing is not at hand as a whole, it is one that no
    /// client can have.
    fn oid(&self, folder: &Node) -> String {
        if !self.any && self.exhausted {
            return ids::EMPTY.to_owned();
        }
        if self.question.recursive || !self.exhausted {
            return ids::unique();
        }
        ids::listing(folder, self.ready.iter().map(|entry| &entry.node))
    }

    async fn page(&mut self) -> Result<(), Error> {
        let listing = Listing {
            depth: if self.question.recursive { Depth::Infinity } else { Depth::One },
            after: self.after.take(),
            name_prefix: None,
            limit: PIECE,
        };
        let page = self.tree.list(&self.base, &listing).await?;
        self.after = page.next.map(|next| if self.is_in_bin(&next) { after_bin() } else { next });
        self.exhausted = self.after.is_none();
        let mut entries = page.entries;
        if !self.question.recursive {
            self.mark_empty(&mut entries).await?;
        }
        for entry in entries {
            if self.is_in_bin(&entry.key) {
                continue;
            }
            self.any = true;
            if self.question.kind.is_none_or(|kind| kind == entry.node.kind) {
                self.ready.push_back(entry);
            }
        }
        Ok(())
    }

    /// What recursive listings know of folders, the others ask: once for the whole page.
    async fn mark_empty(&self, entries: &mut [Entry]) -> Result<(), Error> {
        let folders = entries.iter().filter(|entry| entry.node.is_collection());
        let ids: Vec<NodeId> = folders.map(|entry| entry.node.id).collect();
        let occupied = self.tree.occupied(&ids).await?;
        for entry in entries.iter_mut().filter(|entry| entry.node.is_collection()) {
            entry.empty = !occupied.contains(&entry.node.id);
        }
        Ok(())
    }

    fn is_in_bin(&self, key: &str) -> bool {
        self.hide_bin && is_in_bin(key)
    }

    async fn next(&mut self) -> Result<Option<Vec<Entry>>, Error> {
        while self.ready.is_empty() {
            if self.exhausted {
                return Ok(None);
            }
            self.page().await?;
        }
        Ok(Some(self.ready.drain(..self.ready.len().min(PIECE)).collect()))
    }

    fn dirent<'a>(&self, entry: &'a Entry) -> Dirent<'a> {
        let node = &entry.node;
        let shows_parent = self.question.recursive || self.question.version == Version::V21;
        Dirent {
            r#type: if node.is_collection() { "dir" } else { "file" },
            id: if entry.empty { ids::EMPTY.to_owned() } else { ids::of(node) },
            name: &node.name,
            mtime: node.mtime_s(),
            permission: self.permission,
            parent_dir: shows_parent.then(|| parent_dir(&self.base, &entry.key)),
            size: node.is_leaf().then_some(node.size),
            starred: (node.is_leaf() || self.question.version == Version::V21).then_some(false),
            modifier: node.is_leaf().then(Modifier::default),
        }
    }
}

/// A cursor behind everything in the bin, however full it is.
fn after_bin() -> String {
    format!("{RECYCLE_BIN}/{}", char::MAX)
}

/// The folder of an entry: with a slash at its end on the first level, without one below it.
fn parent_dir(base: &NodePath, key: &str) -> String {
    match key.trim_end_matches('/').rsplit_once('/') {
        None => inside_folder(base),
        Some((above, _)) => format!("{}/{above}", inside(base).trim_end_matches('/')),
    }
}

struct Writer {
    walk: Walk,
    before: Option<String>,
    after: Option<&'static str>,
    any: bool,
}

impl Writer {
    async fn next(&mut self) -> Result<Option<Bytes>, Error> {
        if let Some(before) = self.before.take() {
            return Ok(Some(before.into()));
        }
        let Some(entries) = self.walk.next().await? else {
            return Ok(self.after.take().map(|after| Bytes::from_static(after.as_bytes())));
        };
        let mut out = Vec::with_capacity(entries.len() * 256);
        for entry in &entries {
            if self.any {
                out.push(b',');
            }
            self.any = true;
            serde_json::to_writer(&mut out, &self.walk.dirent(entry)).map_err(Error::internal)?;
        }
        Ok(Some(out.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parents_by_the_rule_of_the_reference() {
        let root = NodePath::parse("/ws").unwrap();
        let foo = NodePath::parse("/ws/foo").unwrap();
        assert_eq!(parent_dir(&root, "a.txt"), "/");
        assert_eq!(parent_dir(&root, "sub/"), "/");
        assert_eq!(parent_dir(&root, "sub/a.txt"), "/sub");
        assert_eq!(parent_dir(&foo, "a.txt"), "/foo/");
        assert_eq!(parent_dir(&foo, "sub/deep/"), "/foo/sub");
    }
}
