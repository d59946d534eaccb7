//! Listings: pages in S3 key order, one index range per page and level.

use std::collections::VecDeque;

use crate::error::{Error, Result};
use crate::listing::{Depth, Entry, Listing, PAGE_DEFAULT, Page};
use crate::node::{Node, NodeId};
use crate::path::NodePath;
use crate::ports::Span;
use crate::principal::ScopeCover;
use crate::tree::Tree;

/// Largest page, whatever is asked for.
const PAGE_MAX: usize = 10_000;
/// Siblings fetched at a time on the way down; a page of a deep listing crosses many folders.
const WALK_SPAN: usize = 256;

impl Tree {
    /// One page of a collection's content. Listing `/` yields the workspaces this principal may
    /// read (administrators' context: the datasources).
    pub async fn list(&self, path: &NodePath, listing: &Listing) -> Result<Page> {
        let limit = page_limit(listing.limit);
        let mut walk = Walk::open(self, path, listing, false, false).await?;
        // One more than asked for tells whether there is a next page.
        let mut entries = walk.batch(limit + 1).await?;
        let next = if entries.len() > limit {
            entries.truncate(limit);
            entries.last().map(|entry| entry.key.clone())
        } else {
            None
        };
        if listing.depth == Depth::Infinity {
            mark_empty(&mut entries, &walk, next.is_some()).await?;
        }
        Ok(Page { entries, next })
    }
}

/// The size of a page that is asked for by number.
pub(crate) fn page_limit(asked: usize) -> usize {
    match asked {
        0 => PAGE_DEFAULT,
        limit => limit.min(PAGE_MAX),
    }
}

/// A depth-first walk that remembers, per level, where it is.
pub(crate) struct Walk<'a> {
    tree: &'a Tree,
    base: &'a NodePath,
    prefix: &'a str,
    depth: Depth,
    /// Whether the delete markers of each collection are met too, and the collections that hold
    /// nothing else, by two more ranges per level.
    markers: bool,
    levels: Vec<Level>,
}

struct Level {
    /// `None` is the root of the context.
    parent: Option<NodeId>,
    /// Key of the collection, relative to the base; ends in `/` unless empty.
    key: String,
    ready: VecDeque<Node>,
    /// Sort key behind which to fetch; `None` from the beginning.
    from: Option<String>,
    inclusive: bool,
    ended: bool,
}

impl<'a> Walk<'a> {
    /// A walk that meets what only has versions; `inclusive` begins with the key it resumes at.
    pub async fn versions(
        tree: &'a Tree,
        base: &'a NodePath,
        listing: &'a Listing,
        inclusive: bool,
    ) -> Result<Self> {
        Self::open(tree, base, listing, true, inclusive).await
    }

    async fn open(
        tree: &'a Tree,
        base: &'a NodePath,
        listing: &'a Listing,
        markers: bool,
        inclusive: bool,
    ) -> Result<Self> {
        let prefix = listing.name_prefix.as_deref().unwrap_or_default();
        if prefix.contains('/') {
            return Err(Error::InvalidArgument("a name prefix cannot contain a slash".into()));
        }
        let root = match tree.place(base).await? {
            None => None,
            Some(place) => {
                let known = match tree.stat(base).await {
                    Ok(node) if node.is_leaf() => Err(Error::NotACollection(place.path.to_string())),
                    stat => stat.map(|node| node.id),
                };
                match known {
                    Err(Error::NotFound(_) | Error::NotACollection(_)) if markers => {
                        tree.shadow_at(&place).await?.map_or(known, Ok).map(Some)?
                    }
                    known => Some(known?),
                }
            }
        };
        let mut walk = Self { tree, base, prefix, depth: listing.depth, markers, levels: Vec::new() };
        walk.enter(root, listing.after.as_deref().unwrap_or_default(), inclusive).await?;
        Ok(walk)
    }

    /// The next entries; fewer than asked for at the end.
    pub async fn batch(&mut self, count: usize) -> Result<Vec<Entry>> {
        let mut entries = Vec::with_capacity(count.min(WALK_SPAN));
        while entries.len() < count {
            match self.next(count - entries.len()).await? {
                Some(entry) => entries.push(entry),
                None => break,
            }
        }
        Ok(entries)
    }

    /// Opens the levels on the way to `after`, each just behind it; the innermost at it, when that is
    /// `inclusive`.
    async fn enter(&mut self, root: Option<NodeId>, after: &str, inclusive: bool) -> Result<()> {
        let (mut parent, mut key, mut rest) = (root, String::new(), after);
        loop {
            let (head, tail) = match rest.split_once('/') {
                Some((head, tail)) if self.depth == Depth::Infinity => (head, Some(tail)),
                _ => (rest, None),
            };
            let Some(tail) = tail else {
                let from = (!rest.is_empty()).then(|| rest.to_owned());
                self.levels.push(Level::new(parent, key, from, inclusive));
                return Ok(());
            };
            let sort_key = format!("{head}/");
            // Behind the collection itself; if it exists, its rest comes first.
            self.levels.push(Level::new(parent, key.clone(), Some(sort_key.clone()), false));
            let Some(id) = self.collection_at(parent, &key, head).await? else { return Ok(()) };
            key.push_str(&sort_key);
            parent = Some(id);
            rest = tail;
        }
    }

    async fn collection_at(&self, parent: Option<NodeId>, key: &str, name: &str) -> Result<Option<NodeId>> {
        let Some(parent) = parent else {
            let nodes = self.tree.list_root().await?;
            return Ok(nodes.into_iter().find(|node| node.name == name).map(|node| node.id));
        };
        let (names, index) = ([name.to_owned()], &self.tree.core.inner.index);
        let mut node = index.chain(parent, &names).await?.pop().filter(Node::is_collection);
        if node.is_none() && self.markers {
            node = index.chain(parent.shadows_below(), &names).await?.pop();
        }
        let visible = node;
        Ok(visible.filter(|node| self.visible(key, node)).map(|node| node.id))
    }

    async fn next(&mut self, wanted: usize) -> Result<Option<Entry>> {
        loop {
            let outermost = self.levels.len() == 1;
            let Some(level) = self.levels.last_mut() else { return Ok(None) };
            if let Some(node) = level.ready.pop_front() {
                let key = format!("{}{}", level.key, node.sort_key());
                let level_key = level.key.clone();
                if !self.visible(&level_key, &node) {
                    continue;
                }
                if node.is_collection() && self.depth == Depth::Infinity {
                    self.levels.push(Level::new(Some(node.id), key.clone(), None, false));
                }
                return Ok(Some(Entry { key, node, empty: false }));
            }
            if level.ended {
                self.levels.pop();
                continue;
            }
            let span = Span {
                from: level.from.clone(),
                exclusive: !level.inclusive,
                prefix: (outermost && !self.prefix.is_empty()).then(|| self.prefix.to_owned()),
                limit: if self.depth == Depth::One { wanted } else { wanted.clamp(2, WALK_SPAN) },
            };
            let index = &self.tree.core.inner.index;
            let mut nodes = match level.parent {
                Some(parent) if self.markers => {
                    let mut nodes = index.children(parent, &span).await?;
                    for hidden in [parent.removed_below(), parent.shadows_below()] {
                        nodes.extend(index.children(hidden, &span).await?);
                    }
                    // Stable: what is there comes before the marker of what was.
                    nodes.sort_by_cached_key(Node::sort_key);
                    nodes
                }
                Some(parent) => index.children(parent, &span).await?,
                None => root_span(self.tree.list_root().await?, &span),
            };
            level.ended = nodes.len() < span.limit;
            // A collection hides the one that was in shadow there.
            nodes.dedup_by(|next, node| {
                next.is_collection() && node.is_collection() && next.name == node.name
            });
            nodes.truncate(span.limit);
            if let Some(last) = nodes.last() {
                level.from = Some(last.sort_key());
                level.inclusive = false;
            }
            level.ready = nodes.into();
        }
    }

    /// Rights that begin at a node, and the scope of the credential. The collection itself was
    /// checked with its whole ancestry; what is left is each child's own.
    fn visible(&self, level_key: &str, node: &Node) -> bool {
        let principal = &self.tree.principal;
        if self.tree.context == crate::tree::Context::Admin {
            return true;
        }
        if principal.nodes.get(&node.id).is_some_and(|rights| !rights.read) {
            return false;
        }
        if principal.scope_path.is_none() {
            return true;
        }
        let path = level_key
            .split('/')
            .filter(|name| !name.is_empty())
            .fold(self.base.clone(), |path, name| path.join_known(name))
            .join_known(&node.name);
        principal.scope_covers(&path) != ScopeCover::Outside
    }
}

impl Level {
    fn new(parent: Option<NodeId>, key: String, from: Option<String>, inclusive: bool) -> Self {
        Self { parent, key, ready: VecDeque::new(), from, inclusive, ended: false }
    }
}

/// The same span over the few entries of the context's root, which are no siblings in the index.
fn root_span(mut nodes: Vec<Node>, span: &Span) -> Vec<Node> {
    nodes.sort_by_key(Node::sort_key);
    nodes.retain(|node| {
        let key = node.sort_key();
        let behind =
            span.from.as_ref().is_none_or(|from| if span.exclusive { key > *from } else { key >= *from });
        behind && span.prefix.as_ref().is_none_or(|prefix| node.name.starts_with(prefix.as_str()))
    });
    nodes.truncate(span.limit);
    nodes
}

/// A collection is empty when the walk met nothing of it before the next key. Only the last entry of
/// a cut page needs a look.
async fn mark_empty(entries: &mut [Entry], walk: &Walk<'_>, cut: bool) -> Result<()> {
    let count = entries.len();
    for at in 0..count {
        let next = entries.get(at + 1).map(|entry| entry.key.clone());
        let Some(entry) = entries.get_mut(at) else { continue };
        if !entry.node.is_collection() {
            continue;
        }
        entry.empty = match next {
            Some(next) => !next.starts_with(&entry.key),
            None if cut => {
                let span = Span { limit: 1, ..Span::default() };
                let index = &walk.tree.core.inner.index;
                index.children(entry.node.id, &span).await?.is_empty()
            }
            None => true,
        };
    }
    Ok(())
}
