//! Children of a collection, page by page, as Cells counts and orders them.
//!
//! The core lists in key order with a cursor; Cells asks by offset and may ask for another order. In
//! key order (the default, `name`) nothing but the current page is in memory. Any other order needs
//! all children at once: that is a sort of the whole folder, and costs it.
//!
//! Key order compares bytes and a folder sorts as `name/`, so `a` may follow `a.txt`; Cells' own order
//! depends on its database's collation.

use std::cmp::Ordering;
use std::collections::VecDeque;

use cellgate_core::listing::{Depth, Entry, Listing, PAGE_DEFAULT};
use cellgate_core::{Error, NodeKind, NodePath, Tree};
use serde::Serialize;

use crate::json;

/// Which children, in which order.
#[derive(Debug, Clone, Default)]
pub struct Question {
    pub kind: Option<NodeKind>,
    pub recursive: bool,
    /// Leave out names that begin with a dot, as Cells' listings do.
    pub hide_dots: bool,
    pub order: Order,
    pub descending: bool,
    pub offset: u64,
    /// 0 is all.
    pub limit: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Order {
    #[default]
    Name,
    NameIgnoringCase,
    Mtime,
    Size,
    /// Leaves after collections.
    Leaf,
}

impl Order {
    /// Unknown fields are ignored, as in Cells.
    pub fn parse(field: &str) -> Self {
        match field {
            "name_ci" => Self::NameIgnoringCase,
            "mtime" => Self::Mtime,
            "size" => Self::Size,
            "leaf" | "type" => Self::Leaf,
            _ => Self::Name,
        }
    }

    fn compare(self, a: &Entry, b: &Entry) -> Ordering {
        let own = match self {
            Self::Name => Ordering::Equal,
            Self::NameIgnoringCase => a.node.name.to_lowercase().cmp(&b.node.name.to_lowercase()),
            Self::Mtime => a.node.mtime_ns.cmp(&b.node.mtime_ns),
            Self::Size => a.node.size.cmp(&b.node.size),
            Self::Leaf => a.node.is_leaf().cmp(&b.node.is_leaf()),
        };
        own.then_with(|| a.key.cmp(&b.key))
    }
}

/// A walk over the answer to a [`Question`].
pub struct Walk {
    tree: Tree,
    path: NodePath,
    question: Question,
    after: Option<String>,
    exhausted: bool,
    sorted: Option<VecDeque<Entry>>,
    /// How many there are, where the index cannot count them: in an archive.
    pub counted: Option<u64>,
    skipped: u64,
    pub returned: u64,
    /// Whether a child was left out because of its name.
    pub hidden: bool,
}

impl Walk {
    pub fn new(tree: Tree, path: NodePath, question: Question) -> Self {
        Self {
            tree,
            path,
            question,
            after: None,
            exhausted: false,
            sorted: None,
            counted: None,
            skipped: 0,
            returned: 0,
            hidden: false,
        }
    }

    /// A walk over members of an archive, which come all at once and in key order.
    pub fn over(tree: Tree, path: NodePath, question: Question, members: Vec<Entry>) -> Self {
        let mut walk = Self::new(tree, path, question);
        walk.exhausted = true;
        let shown = walk.filter(members);
        walk.counted = Some(shown.len() as u64);
        walk.sorted = Some(walk.sort(shown));
        walk
    }

    pub fn path(&self) -> &NodePath {
        &self.path
    }

    /// The next entries; `None` at the end.
    pub async fn next(&mut self) -> Result<Option<Vec<Entry>>, Error> {
        loop {
            let Some(mut entries) = self.ordered().await? else { return Ok(None) };
            let skip = (self.question.offset - self.skipped).min(entries.len() as u64);
            self.skipped += skip;
            entries.drain(..usize::try_from(skip).unwrap_or(usize::MAX));
            if self.question.limit > 0 {
                let left = self.question.limit - self.returned;
                entries.truncate(usize::try_from(left).unwrap_or(usize::MAX));
            }
            self.returned += entries.len() as u64;
            if self.question.limit > 0 && self.returned >= self.question.limit {
                self.exhausted = true;
                self.sorted = None;
            }
            if !entries.is_empty() {
                return Ok(Some(entries));
            }
        }
    }

    /// The next entries in the order asked for, before offset and limit.
    async fn ordered(&mut self) -> Result<Option<Vec<Entry>>, Error> {
        if self.sorted.is_none() && self.question.order == Order::Name && !self.question.descending {
            return self.page().await;
        }
        if self.sorted.is_none() && !self.exhausted {
            let mut all = Vec::new();
            while let Some(page) = self.page().await? {
                all.extend(page);
            }
            self.sorted = Some(self.sort(all));
        }
        let Some(sorted) = &mut self.sorted else { return Ok(None) };
        let some: Vec<Entry> = sorted.drain(..sorted.len().min(PAGE_DEFAULT)).collect();
        Ok(if some.is_empty() { None } else { Some(some) })
    }

    fn sort(&self, mut all: Vec<Entry>) -> VecDeque<Entry> {
        all.sort_by(|a, b| self.question.order.compare(a, b));
        if self.question.descending {
            all.reverse();
        }
        all.into()
    }

    /// One page of the index, without what is filtered out.
    async fn page(&mut self) -> Result<Option<Vec<Entry>>, Error> {
        if self.exhausted {
            return Ok(None);
        }
        let listing = Listing {
            depth: if self.question.recursive { Depth::Infinity } else { Depth::One },
            after: self.after.take(),
            name_prefix: None,
            limit: PAGE_DEFAULT,
        };
        let page = self.tree.list(&self.path, &listing).await?;
        self.exhausted = page.next.is_none();
        self.after = page.next;
        Ok(Some(self.filter(page.entries)))
    }

    fn filter(&mut self, mut entries: Vec<Entry>) -> Vec<Entry> {
        entries.retain(|entry| {
            let hidden = self.question.hide_dots && entry.node.name.starts_with('.');
            self.hidden |= hidden;
            !hidden && self.question.kind.is_none_or(|kind| kind == entry.node.kind)
        });
        entries
    }
}

/// `restPagination`; members that are zero are left out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Pagination {
    #[serde(skip_serializing_if = "json::zero")]
    limit: i64,
    #[serde(skip_serializing_if = "json::zero")]
    current_offset: i64,
    #[serde(skip_serializing_if = "json::zero")]
    total: i64,
    #[serde(skip_serializing_if = "json::zero")]
    current_page: i64,
    #[serde(skip_serializing_if = "json::zero")]
    total_pages: i64,
    #[serde(skip_serializing_if = "json::zero")]
    next_offset: i64,
    #[serde(skip_serializing_if = "json::zero")]
    prev_offset: i64,
}

impl Pagination {
    /// Cells leaves it out of a short first page. cec dereferences it unchecked whenever a page is
    /// full, and goes on to `Total`; so a full page and every later one bear it, even an empty one.
    pub fn of(question: &Question, returned: u64, total: u64, hidden: bool) -> Option<Self> {
        let (limit, offset) = (question.limit, question.offset);
        if limit == 0 || (offset == 0 && returned < limit) {
            return None;
        }
        let number = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
        let next = offset.saturating_add(limit);
        Some(Self {
            limit: number(limit),
            current_offset: number(offset),
            total: number(total),
            current_page: number(offset / limit + 1),
            // Hidden children are in the total, so the pages cannot be told.
            total_pages: if hidden { -1 } else { number(total.div_ceil(limit)) },
            next_offset: if next < total { number(next) } else { 0 },
            prev_offset: number(offset.saturating_sub(limit)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pagination(limit: u64, offset: u64, returned: u64, total: u64) -> String {
        let question = Question { limit, offset, ..Question::default() };
        match Pagination::of(&question, returned, total, false) {
            Some(pagination) => serde_json::to_string(&pagination).unwrap(),
            None => "none".into(),
        }
    }

    #[test]
    fn pagination_as_the_reference_shows_it() {
        // 3.2: the second of three pages, without `PrevOffset` because it is 0.
        assert_eq!(
            pagination(100, 100, 100, 250),
            r#"{"Limit":100,"CurrentOffset":100,"Total":250,"CurrentPage":2,"TotalPages":3,"NextOffset":200}"#
        );
        assert_eq!(
            pagination(100, 200, 50, 250),
            r#"{"Limit":100,"CurrentOffset":200,"Total":250,"CurrentPage":3,"TotalPages":3,"PrevOffset":100}"#
        );
        assert_eq!(pagination(0, 0, 250, 250), "none");
        assert_eq!(pagination(100, 0, 99, 99), "none");
        // cec: exactly a full page, and the empty page after it.
        assert!(pagination(100, 0, 100, 100).contains("\"Total\":100"));
        assert!(pagination(100, 100, 0, 100).contains("\"Total\":100"));
    }
}
