//! What is inside an archive of the tree. Read only: to every write the archive is a leaf.
//!
//! A path goes into an archive where a leaf has the name of one: `/ws/docs.zip/inner/a.txt`. Folders
//! that no entry names exist when something is below them. An entry counts by its first appearance.
//! Names that lead elsewhere (absolute, `..`) or that no node could have are not shown.

use std::collections::BTreeMap;

use md5::{Digest as _, Md5};
use uuid::Uuid;

use crate::archive::Format;
use crate::archive::ranged::Ranged;
use crate::archive::tar_read::TarReader;
use crate::archive::zip_read::{ZipEntry, ZipReader};
use crate::error::{Error, Result};
use crate::http::range::ByteRange;
use crate::listing::Entry;
use crate::node::{Attributes, Content, Node, NodeId, NodeKind, sort_key};
use crate::path::NodePath;
use crate::ports::{Bits, ByteStream};
use crate::tree::{Tree, mime_of};

/// Entries that are looked at in one archive.
const ENTRIES_MAX: usize = 1_000_000;
/// Members of one folder that are listed.
const LISTED_MAX: usize = 10_000;
/// Longest name of an entry.
const NAME_MAX_BYTES: usize = 4_096;

/// A member of an archive. Its node is in no index: the ETag follows from the archive's.
pub struct Member {
    pub node: Node,
    /// Where the content is; `None` for a folder.
    content: Option<Source>,
}

enum Source {
    Zip(Ranged, ZipEntry),
    Tar(TarReader),
}

impl Member {
    /// Whether [`Member::open`] takes a range.
    pub fn is_seekable(&self) -> bool {
        match &self.content {
            Some(Source::Zip(_, entry)) => entry.is_seekable(),
            Some(Source::Tar(reader)) => reader.is_seekable(),
            None => false,
        }
    }

    /// The content, or a range of it where it is seekable.
    pub async fn open(self, range: Option<ByteRange>) -> Result<Bits> {
        let span = range.filter(|_| self.is_seekable()).map(|range| (range.start, range.end));
        let bytes: ByteStream = match self.content {
            Some(Source::Zip(archive, entry)) => entry.open(&archive, span).await?,
            Some(Source::Tar(reader)) => reader.open(self.node.size, span).await?,
            None => return Err(Error::IsACollection(self.node.name)),
        };
        Ok(Bits::Stream(bytes))
    }
}

impl Tree {
    /// A member of an archive by its path. [`Error::NotFound`] when the path leads into none, or
    /// the archive has no such member.
    pub async fn member(&self, path: &NodePath) -> Result<Member> {
        let Some(inside) = self.inside(path).await? else { return Err(Error::NotFound(path.to_string())) };
        let mut entries = inside.entries(self).await?;
        while let Some(found) = entries.next().await? {
            if found.path == inside.below && found.kind == NodeKind::Leaf {
                let node = found.node(&inside);
                return Ok(Member { node, content: Some(entries.content()?) });
            }
            if found.path.is_within(&inside.below) {
                let folder = Found { path: inside.below.clone(), kind: NodeKind::Collection, ..found };
                return Ok(Member { node: folder.node(&inside), content: None });
            }
        }
        Err(Error::NotFound(path.to_string()))
    }

    /// What is in an archive, or in a folder of one, in key order. [`Error::NotFound`] when the path
    /// names neither.
    pub async fn members(&self, path: &NodePath) -> Result<Vec<Entry>> {
        let absent = || Error::NotFound(path.to_string());
        let inside = self.inside(path).await?.ok_or_else(absent)?;
        let mut listed: BTreeMap<String, Node> = BTreeMap::new();
        let mut exists = inside.below.is_root();
        let mut entries = inside.entries(self).await?;
        while let Some(found) = entries.next().await? {
            if !found.path.is_within(&inside.below) {
                continue;
            }
            if found.path == inside.below && found.kind == NodeKind::Leaf {
                return Err(Error::NotACollection(path.to_string()));
            }
            exists = true;
            let depth = inside.below.depth();
            let Some(name) = found.path.names().get(depth) else { continue };
            let itself = found.path.depth() == depth + 1;
            let kind = if itself { found.kind } else { NodeKind::Collection };
            let key = sort_key(name, kind);
            if listed.contains_key(&key) {
                continue;
            }
            if listed.len() >= LISTED_MAX {
                return Err(Error::InvalidArgument(format!(
                    "`{path}` has more than {LISTED_MAX} members, which are not listed"
                )));
            }
            let child = Found { path: inside.below.join(name)?, kind, ..found };
            listed.insert(key, child.node(&inside));
        }
        if !exists {
            return Err(absent());
        }
        Ok(listed.into_iter().map(|(key, node)| Entry { key, node, empty: false }).collect())
    }

    /// The archive that a path leads to or into.
    async fn inside(&self, path: &NodePath) -> Result<Option<Inside>> {
        let mut archive = NodePath::root();
        for (depth, name) in path.names().iter().enumerate() {
            archive = archive.join(name)?;
            let Some((format, _)) = Format::of_name(name).filter(|_| depth > 0) else { continue };
            match self.stat(&archive).await {
                Ok(node) if node.is_leaf() => {
                    let below = path.names().get(depth + 1..).unwrap_or_default().join("/");
                    let below = NodePath::parse(&below)?;
                    return Ok(Some(Inside { archive, node, format, below }));
                }
                Ok(_) => {}
                Err(Error::NotFound(_)) => return Ok(None),
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }
}

/// A place in an archive.
struct Inside {
    archive: NodePath,
    node: Node,
    format: Format,
    /// Relative to the archive.
    below: NodePath,
}

impl Inside {
    async fn entries(&self, tree: &Tree) -> Result<Entries> {
        let archive = Ranged::new(tree.clone(), self.archive.clone(), self.node.clone());
        let reader = match self.format {
            Format::Zip => Reader::Zip(ZipReader::open(archive).await?),
            Format::Tar => Reader::Tar(TarReader::plain(archive)),
            Format::TarGz => Reader::Tar(TarReader::gzip(archive).await?),
        };
        Ok(Entries { reader, seen: 0, zip: None })
    }
}

enum Reader {
    Zip(ZipReader),
    Tar(TarReader),
}

/// The entries of an archive that can be shown.
struct Entries {
    reader: Reader,
    seen: usize,
    /// The record of the entry that was handed out last.
    zip: Option<ZipEntry>,
}

struct Found {
    path: NodePath,
    kind: NodeKind,
    size: u64,
    mtime_s: i64,
}

impl Entries {
    async fn next(&mut self) -> Result<Option<Found>> {
        loop {
            self.seen += 1;
            if self.seen > ENTRIES_MAX {
                return Err(Error::InvalidArgument(format!(
                    "the archive has more than {ENTRIES_MAX} entries"
                )));
            }
            let (name, collection, size, mtime_s) = match &mut self.reader {
                Reader::Zip(zip) => {
                    let Some(entry) = zip.next().await? else { return Ok(None) };
                    let name = entry.name.clone();
                    let (size, mtime_s) = (entry.size, entry.mtime_s);
                    self.zip = Some(entry);
                    (name.clone(), name.ends_with('/'), size, mtime_s)
                }
                Reader::Tar(tar) => {
                    let Some(entry) = tar.next().await? else { return Ok(None) };
                    (entry.name, entry.collection, entry.size, entry.mtime_s)
                }
            };
            let Some(path) = inner_path(&name) else { continue };
            let kind = if collection { NodeKind::Collection } else { NodeKind::Leaf };
            return Ok(Some(Found { path, kind, size, mtime_s }));
        }
    }

    /// The content of the entry that was handed out last.
    fn content(self) -> Result<Source> {
        match (self.reader, self.zip) {
            (Reader::Zip(zip), Some(entry)) => Ok(Source::Zip(zip.archive().clone(), entry)),
            (Reader::Tar(tar), _) => Ok(Source::Tar(tar)),
            (Reader::Zip(_), None) => Err(Error::internal("content of no entry")),
        }
    }
}

/// The path of an entry; `None` when it is not to be shown. `./a` is what tar writes for `a`.
fn inner_path(name: &str) -> Option<NodePath> {
    let name = name.trim_start_matches("./");
    if name.len() > NAME_MAX_BYTES || name.starts_with('/') {
        return None;
    }
    NodePath::parse(name).ok().filter(|path| !path.is_root())
}

impl Found {
    fn node(&self, inside: &Inside) -> Node {
        let name = self.path.name().unwrap_or_default().to_owned();
        let leaf = self.kind == NodeKind::Leaf;
        let mtime_ns = self.mtime_s.saturating_mul(1_000_000_000);
        let hash = |what: &str| -> [u8; 16] { Md5::digest(format!("{what} {}", self.path)).into() };
        Node {
            id: NodeId::LIMBO,
            uuid: uuid::Builder::from_md5_bytes(hash(&Uuid::to_string(&inside.node.uuid))).into_uuid(),
            parent: inside.node.id,
            kind: self.kind,
            size: if leaf { self.size } else { 0 },
            mtime_ns,
            created_ns: mtime_ns,
            // In the form of an upload in parts, which no client takes for the digest of the content.
            etag: format!("{}-1", hex::encode(hash(&inside.node.etag))),
            mime: if leaf { mime_of(&name) } else { String::new() },
            name,
            content: Content::None,
            attributes: Attributes::default(),
            version: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_lead_elsewhere_are_hidden() {
        for (name, path) in [
            ("a/b.txt", Some("/a/b.txt")),
            ("./a", Some("/a")),
            ("a/", Some("/a")),
            ("a//b", Some("/a/b")),
            ("e\u{301}", Some("/é")),
            ("./", None),
            ("/etc/passwd", None),
            ("../a", None),
            ("a/../../b", None),
            ("a/./b", None),
            ("a\nb", None),
            ("", None),
        ] {
            assert_eq!(inner_path(name).map(|path| path.to_string()).as_deref(), path, "{name:?}");
        }
        assert_eq!(inner_path(&"a/".repeat(3_000)), None);
        assert_eq!(inner_path(&"a/".repeat(200)), None, "deeper than any node");
    }
}
