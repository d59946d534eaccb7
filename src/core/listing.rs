//! What a listing asks for and answers.

use uuid::Uuid;

use crate::node::{Attributes, Node};
use crate::tree::VersionRef;

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

/// One version of a leaf.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileVersion {
    pub id: Uuid,
    /// Written while its workspace kept no versions: [`VersionRef::Unversioned`].
    pub unversioned: bool,
    /// What a reader gets who asks for no version, or the marker that stands for nothing.
    pub latest: bool,
    /// A removal, not a content.
    pub marker: bool,
    pub size: u64,
    pub mtime_ns: i64,
    pub etag: String,
    pub attributes: Attributes,
}

/// A question for one page of the versions in a collection, ordered by key as [`Listing`] is, then
/// newest first.
#[derive(Debug, Clone, Default)]
pub struct VersionListing {
    pub depth: Depth,
    /// Resume behind this relative key, or, with a version, behind that one of it.
    pub after: Option<(String, Option<VersionRef>)>,
    /// Only keys that begin with this name prefix (no slash in it).
    pub name_prefix: Option<String>,
    /// At most so many entries; 0 takes [`PAGE_DEFAULT`].
    pub limit: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VersionEntry {
    Version {
        key: String,
        version: Box<FileVersion>,
    },
    /// `empty` is known at [`Depth::Infinity`]; a folder of delete markers is empty.
    Collection {
        key: String,
        node: Box<Node>,
        empty: bool,
    },
}

impl VersionEntry {
    pub fn key(&self) -> &str {
        match self {
            Self::Version { key, .. } | Self::Collection { key, .. } => key,
        }
    }

    /// The `after` that goes on behind this entry.
    pub fn cursor(&self) -> (String, Option<VersionRef>) {
        match self {
            Self::Version { key, version } => (key.clone(), Some(version.reference())),
            Self::Collection { key, .. } => (key.clone(), None),
        }
    }
}

impl FileVersion {
    /// How to ask for it.
    pub fn reference(&self) -> VersionRef {
        if self.unversioned { VersionRef::Unversioned } else { VersionRef::Id(self.id) }
    }

    /// Whether it is the one asked for.
    pub fn is(&self, asked: VersionRef) -> bool {
        asked.names(self.id, self.unversioned)
    }
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VersionPage {
    pub entries: Vec<VersionEntry>,
    /// The `after` of the next page; `None` when this is the last one.
    pub next: Option<(String, Option<VersionRef>)>,
}
