//! `PROPFIND` (RFC 4918 §9.1): a node, or a collection and what is directly in it.
//!
//! A listing is written page by page while the next page is being read: the first bytes leave before
//! the listing ends, and memory holds two pages whatever the size. Locks and dead properties are
//! looked up once per page, and only when asked for.

use std::collections::HashMap;

use cellgate_core::http::{Body, Request, Response, collect, date, stream};
use cellgate_core::listing::{Entry, Listing};
use cellgate_core::lock::Lock;
use cellgate_core::ports::{ByteStream, Meta};
use cellgate_core::{Error, Node, NodeId, NodeKind, NodePath, Tree};
use futures_util::stream::try_unfold;
use http::{HeaderValue, StatusCode, header};
use tokio::task::JoinHandle;

use crate::Call;
use crate::document::BODY_MAX_BYTES;
use crate::error::{DavError, Result};
use crate::headers::{Depth, depth};
use crate::ops::xml_response;
use crate::props::{self, DEAD, MULTISTATUS_CLOSE, MULTISTATUS_OPEN, Selection, Sheet, active_lock};
use crate::route::{href, push_name};
use crate::xml::{CONTENT_TYPE, PROLOG};

/// Short, so that the first byte is early; small folders end with it.
const FIRST_PAGE: usize = 200;
const PAGE: usize = 1_000;
const CHUNK_BYTES: usize = 64 * 1024;

pub async fn propfind(call: Call, body: Body) -> Result<Response> {
    // A missing Depth means infinity (§9.1), which is refused; one level is what such clients want.
    let deep = match depth(&call.parts.headers)?.unwrap_or(Depth::One) {
        Depth::Zero => false,
        Depth::One => true,
        Depth::Infinity => {
            return Err(DavError::Condition(StatusCode::FORBIDDEN, "propfind-finite-depth"));
        }
    };
    let body = collect(body, BODY_MAX_BYTES).await?;
    let selection = Selection::parse(&body)?;
    let now_ns = date::now_ns();
    let mut sheet = Sheet::new(selection, call.microsoft, now_ns);

    let Call { tree, path, .. } = call;
    let node = tree.stat(&path).await?;
    let lookup = Lookup { dead: sheet.needs_dead(), locks: sheet.needs_locks() };
    let base = href(&path, node.is_collection()).into_bytes();

    let mut out = Vec::with_capacity(CHUNK_BYTES + 8 * 1024);
    out.extend_from_slice(PROLOG.as_bytes());
    out.extend_from_slice(MULTISTATUS_OPEN.as_bytes());
    let inherited = own_response(&mut out, &mut sheet, &tree, &path, &node, &base, lookup).await?;

    if !(deep && node.is_collection()) {
        out.extend_from_slice(MULTISTATUS_CLOSE.as_bytes());
        return Ok(xml_response(StatusCode::MULTI_STATUS, out));
    }
    let first = fetch(tree.clone(), path.clone(), None, FIRST_PAGE, lookup).await?;
    let mut walk =
        Walk { tree, path, lookup, sheet, base, inherited, out, page: first, next: None, done: false };
    walk.advance();
    if walk.next.is_none() {
        walk.render(usize::MAX);
        walk.out.extend_from_slice(MULTISTATUS_CLOSE.as_bytes());
        return Ok(xml_response(StatusCode::MULTI_STATUS, walk.out));
    }
    let chunks: ByteStream = Box::pin(try_unfold(walk, |mut walk| async move {
        Ok(walk.chunk().await?.map(|chunk| (chunk.into(), walk)))
    }));
    let mut response = Response::new(stream(chunks));
    *response.status_mut() = StatusCode::MULTI_STATUS;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(CONTENT_TYPE));
    Ok(response)
}

/// `PROPFIND /`: a collection with `dav` in it, for clients that walk down from the site's root.
pub async fn site(request: Request) -> Result<Response> {
    let deep = match depth(request.headers())?.unwrap_or(Depth::One) {
        Depth::Zero => false,
        Depth::One => true,
        Depth::Infinity => {
            return Err(DavError::Condition(StatusCode::FORBIDDEN, "propfind-finite-depth"));
        }
    };
    let body = collect(request.into_body(), BODY_MAX_BYTES).await?;
    let mut sheet = Sheet::new(Selection::parse(&body)?, false, date::now_ns());
    let mut out = Vec::from(PROLOG.as_bytes());
    out.extend_from_slice(MULTISTATUS_OPEN.as_bytes());
    let names: &[(&str, &[u8])] = &[("", b"/"), ("dav", b"/dav/")];
    for (name, href) in names.iter().take(if deep { 2 } else { 1 }) {
        let node = collection(name);
        sheet.response(&mut out, &props::Entry { href, node: &node, dead: &[], locks: &[], inherited: b"" });
    }
    out.extend_from_slice(MULTISTATUS_CLOSE.as_bytes());
    Ok(xml_response(StatusCode::MULTI_STATUS, out))
}

fn collection(name: &str) -> Node {
    Node {
        id: NodeId::ROOT,
        uuid: Default::default(),
        parent: NodeId::ROOT,
        name: name.to_owned(),
        kind: NodeKind::Collection,
        size: 0,
        mtime_ns: 0,
        created_ns: 0,
        etag: String::new(),
        mime: String::new(),
        content: cellgate_core::node::Content::None,
        attributes: Default::default(),
        version: None,
    }
}

/// Which further tables a listing needs.
#[derive(Debug, Clone, Copy)]
struct Lookup {
    dead: bool,
    locks: bool,
}

/// Writes the response of the asked node itself. Answers the `activelock` elements that everything
/// below it has in common.
async fn own_response(
    out: &mut Vec<u8>,
    sheet: &mut Sheet,
    tree: &Tree,
    path: &NodePath,
    node: &Node,
    base: &[u8],
    lookup: Lookup,
) -> Result<Vec<u8>> {
    // The list of workspaces is no node: it has neither locks nor properties of its own.
    let own = !path.is_root();
    let dead = match lookup.dead && own {
        true => tree.meta(&[node.id], Some(DEAD)).await?.remove(&node.id).unwrap_or_default(),
        false => Vec::new(),
    };
    let (mut above, mut below) = (Vec::new(), Vec::new());
    if lookup.locks && own {
        let now_ns = date::now_ns();
        for (at, lock) in tree.locks(path).await? {
            let root = if at == *path { base.to_vec() } else { href(&at, true).into_bytes() };
            active_lock(&mut above, &lock, &root, now_ns);
            if lock.deep {
                active_lock(&mut below, &lock, &root, now_ns);
            }
        }
    }
    let entry = props::Entry { href: base, node, dead: &dead, locks: &[], inherited: &above };
    sheet.response(out, &entry);
    Ok(below)
}

/// One page with what belongs to its nodes.
struct Fetched {
    entries: std::vec::IntoIter<Entry>,
    next: Option<String>,
    dead: HashMap<NodeId, Vec<Meta>>,
    locks: HashMap<NodeId, Vec<Lock>>,
}

async fn fetch(
    tree: Tree,
    path: NodePath,
    after: Option<String>,
    limit: usize,
    lookup: Lookup,
) -> Result<Fetched, Error> {
    let page = tree.list(&path, &Listing { after, limit, ..Listing::default() }).await?;
    let ids: Vec<NodeId> = match lookup.dead || lookup.locks {
        true => page.entries.iter().map(|entry| entry.node.id).collect(),
        false => Vec::new(),
    };
    let dead = match lookup.dead && !ids.is_empty() {
        true => tree.meta(&ids, Some(DEAD)).await?,
        false => HashMap::new(),
    };
    let mut locks: HashMap<NodeId, Vec<Lock>> = HashMap::new();
    if lookup.locks && !ids.is_empty() {
        for lock in tree.locks_on(&ids).await? {
            locks.entry(lock.node).or_default().push(lock);
        }
    }
    Ok(Fetched { entries: page.entries.into_iter(), next: page.next, dead, locks })
}

/// A listing on its way out.
struct Walk {
    tree: Tree,
    path: NodePath,
    lookup: Lookup,
    sheet: Sheet,
    /// Encoded URL of the collection, with its slash.
    base: Vec<u8>,
    inherited: Vec<u8>,
    out: Vec<u8>,
    page: Fetched,
    next: Option<JoinHandle<Result<Fetched, Error>>>,
    done: bool,
}

impl Walk {
    /// Begins to read the page behind the present one.
    fn advance(&mut self) {
        self.next = self.page.next.take().map(|after| {
            tokio::spawn(fetch(self.tree.clone(), self.path.clone(), Some(after), PAGE, self.lookup))
        });
    }

    /// The next piece of the body; `None` when all is written.
    async fn chunk(&mut self) -> Result<Option<Vec<u8>>, Error> {
        while !self.done && self.out.len() < CHUNK_BYTES {
            self.render(CHUNK_BYTES);
            if self.out.len() >= CHUNK_BYTES {
                break;
            }
            // What is written need not wait for what is being read.
            if self.next.as_ref().is_some_and(|next| !next.is_finished()) && !self.out.is_empty() {
                break;
            }
            match self.next.take() {
                Some(next) => {
                    self.page = next.await.map_err(Error::internal)??;
                    self.advance();
                }
                None => {
                    self.out.extend_from_slice(MULTISTATUS_CLOSE.as_bytes());
                    self.done = true;
                }
            }
        }
        if self.out.is_empty() {
            return Ok(None);
        }
        let following = Vec::with_capacity(if self.done { 0 } else { CHUNK_BYTES + 8 * 1024 });
        Ok(Some(std::mem::replace(&mut self.out, following)))
    }

    /// Writes entries of the present page until there are `limit` bytes.
    fn render(&mut self, limit: usize) {
        let base_len = self.base.len();
        while self.out.len() < limit {
            let Some(Entry { node, .. }) = self.page.entries.next() else { break };
            push_name(&mut self.base, &node.name);
            if node.is_collection() {
                self.base.push(b'/');
            }
            let dead = self.page.dead.get(&node.id).map(Vec::as_slice).unwrap_or_default();
            let locks = self.page.locks.get(&node.id).map(Vec::as_slice).unwrap_or_default();
            let entry =
                props::Entry { href: &self.base, node: &node, dead, locks, inherited: &self.inherited };
            self.sheet.response(&mut self.out, &entry);
            self.base.truncate(base_len);
        }
    }
}
