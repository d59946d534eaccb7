//! What a listing asks for and answers.

use crate::node::Node;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Depth {
    /// Direct children.
    #[default]
    One,
    /// Everything below, depth first.
    Infinity,
}

/// A question for one page of a collection's content, in S3 key order: UTF-8 bytes of the key
/// relative to the collection, where a collection's key ends in a slash.
#[derive(Debug, Clone, Default)]
pub struct Listing {
    pub depth: Depth,
    /// Resume behind this relative key. Any text will do, it need not name a node.
    pub after: Option<String>,
    /// Only keys that begin with this name prefix (no slash in it).
    pub name_prefix: Option<String>,
    /// At most so many entries; 0 takes [`PAGE_DEFAULT`].
    pub limit: usize,
}

pub const PAGE_DEFAULT: usize = 1_000;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Relative to the listed collection; ends in `/` for a collection.
    pub key: String,
    pub node: Node,
    /// For a collection met at [`Depth::Infinity`]: known to have nothing (visible) below.
    pub empty: bool,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    pub entries: Vec<Entry>,
    /// The `after` of the next page; `None` when this is the last one.
    pub next: Option<String>,
}
