//! Nodes: what the tree is made of.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A node's key in the index. Stable for the node's life; renames keep it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct NodeId(pub i64);

impl NodeId {
    /// Parent of the datasource roots: the administrators' `/`.
    pub const ROOT: Self = Self(0);
    /// Hidden parent of what is being removed or not attached yet. Nothing resolves through it.
    pub const LIMBO: Self = Self(-1);

    /// Hidden parent of the delete markers that stand in a collection: no path and no listing leads
    /// there, only the history of versions does.
    #[must_use]
    pub fn removed_below(self) -> Self {
        Self(-2 - self.0)
    }

    /// Hidden parent of the collections that hold nothing but delete markers: it is as hidden, and
    /// apart from the markers, which may bear the same names.
    #[must_use]
    pub fn shadows_below(self) -> Self {
        Self(i64::MIN + self.0)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NodeKind {
    Leaf,
    Collection,
}

/// Attributes of a leaf's content that came with it and leave with it: `cache-control`,
/// `content-encoding`, `x-amz-meta-*`, digests. Keys are lower case.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Attributes(pub BTreeMap<String, String>);

impl Attributes {
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str)
    }

    pub fn set(&mut self, key: impl Into<String>, value: impl Into<String>) {
        self.0.insert(key.into(), value.into());
    }

    /// Sets, or with `None` removes.
    pub fn change(&mut self, set: &[(String, Option<String>)]) {
        for (key, value) in set {
            match value {
                Some(value) => self.set(key, value),
                None => drop(self.0.remove(key)),
            }
        }
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// A file or a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    pub id: NodeId,
    /// The identity that protocols show and that survives renames.
    pub uuid: Uuid,
    pub parent: NodeId,
    /// Last segment of the path it was asked by: a workspace root bears the workspace's slug here.
    pub name: String,
    pub kind: NodeKind,
    /// Bytes of a leaf; 0 for a collection.
    pub size: u64,
    /// Modification time, nanoseconds since the epoch.
    pub mtime_ns: i64,
    /// Creation time, nanoseconds since the epoch.
    pub created_ns: i64,
    /// Entity tag without quotes: MD5 of the content, `<hex>-<parts>` for multipart; for a
    /// collection a value that changes when its direct children do.
    pub etag: String,
    /// Media type; empty for a collection.
    pub mime: String,
    /// Where a leaf's bytes are.
    pub content: Content,
    pub attributes: Attributes,
    /// Names the present content of a leaf; `None` when it was written while its workspace kept no
    /// versions.
    pub version: Option<Uuid>,
}

impl Node {
    /// The id of the present content, which it keeps as an earlier version.
    pub fn version_id(&self) -> Uuid {
        self.version.unwrap_or(self.uuid)
    }

    pub fn is_collection(&self) -> bool {
        self.kind == NodeKind::Collection
    }

    pub fn is_leaf(&self) -> bool {
        self.kind == NodeKind::Leaf
    }

    /// The position among its siblings: UTF-8 byte order, a collection sorts as `name/`.
    pub fn sort_key(&self) -> String {
        sort_key(&self.name, self.kind)
    }

    /// Modification time in whole seconds since the epoch.
    pub fn mtime_s(&self) -> i64 {
        self.mtime_ns.div_euclid(1_000_000_000)
    }
}

pub fn sort_key(name: &str, kind: NodeKind) -> String {
    match kind {
        NodeKind::Leaf => name.to_owned(),
        NodeKind::Collection => format!("{name}/"),
    }
}

/// Where a leaf's bytes are kept. The text form is what the index stores.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Content {
    /// A collection, or an empty leaf.
    None,
    /// In the index itself: small content shares the commit's one fsync.
    Inline(Uuid),
    /// One blob of the datasource, by id (`flat`).
    Blob(Uuid),
    /// Several blobs, or ranges of them, read one after the other; the list is kept in the index. A
    /// completed multipart upload, so that completing copies nothing.
    Extents(Uuid),
    /// The file at the node's own path in the datasource (`structured`).
    Path,
}

impl Content {
    /// `""`, `i<uuid>`, `b<uuid>`, `x<uuid>` or `p`.
    pub fn to_text(&self) -> String {
        match self {
            Self::None => String::new(),
            Self::Inline(id) => format!("i{}", id.simple()),
            Self::Blob(id) => format!("b{}", id.simple()),
            Self::Extents(id) => format!("x{}", id.simple()),
            Self::Path => "p".to_owned(),
        }
    }

    /// Reads the text form; `None` when it is none.
    pub fn from_text(text: &str) -> Option<Self> {
        if text.is_empty() {
            return Some(Self::None);
        }
        if text == "p" {
            return Some(Self::Path);
        }
        let (kind, id) = text.split_at_checked(1)?;
        let id = Uuid::try_parse(id).ok()?;
        match kind {
            "i" => Some(Self::Inline(id)),
            "b" => Some(Self::Blob(id)),
            "x" => Some(Self::Extents(id)),
            _ => None,
        }
    }
}

/// One piece of [`Content::Extents`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Extent {
    /// [`Content::Inline`] or [`Content::Blob`], as text.
    pub content: String,
    /// Where it begins in what holds it.
    pub start: u64,
    pub size: u64,
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A leaf of that many bytes, for tests of what is computed from one.
    pub fn leaf(size: u64) -> Node {
        Node {
            id: NodeId(1),
            uuid: Uuid::nil(),
            parent: NodeId::ROOT,
            name: "leaf".to_owned(),
            kind: NodeKind::Leaf,
            size,
            mtime_ns: 0,
            created_ns: 0,
            etag: String::new(),
            mime: String::new(),
            content: Content::None,
            attributes: Attributes::default(),
            version: None,
        }
    }

    #[test]
    fn content_survives_its_text_form() {
        let id = Uuid::new_v4();
        for content in
            [Content::None, Content::Inline(id), Content::Blob(id), Content::Extents(id), Content::Path]
        {
            assert_eq!(Content::from_text(&content.to_text()), Some(content));
        }
        for text in ["q", "b", "bxyz", "é"] {
            assert_eq!(Content::from_text(text), None);
        }
    }

    #[test]
    fn collections_sort_as_if_they_ended_in_a_slash() {
        let mut keys = [
            sort_key("a", NodeKind::Collection),
            sort_key("a.txt", NodeKind::Leaf),
            sort_key("a0", NodeKind::Leaf),
        ];
        keys.sort();
        assert_eq!(keys, ["a.txt", "a/", "a0"]);
    }
}
