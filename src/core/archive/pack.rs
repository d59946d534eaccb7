//! Which nodes an archive is made of, and its bytes.

use std::collections::{HashSet, VecDeque};

use bytes::Bytes;
use futures_util::TryStreamExt;
use futures_util::stream;
use uuid::Uuid;

use crate::archive::engine::{Engine, Entry};
use crate::archive::spool::{Replay, Spool};
use crate::archive::{Format, compute};
use crate::error::{Error, Result};
use crate::listing::{Depth, Listing};
use crate::node::Node;
use crate::path::NodePath;
use crate::ports::ByteStream;
use crate::tree::{ReadOptions, Tree, into_stream};
use crate::workspace::RECYCLE_BIN;

/// Entries in memory at a time.
const PAGE: usize = 256;
/// What is sent at a time, at least: small leaves share a piece.
const PIECE_BYTES: usize = 64 * 1024;
/// Ends the name under which a selection is downloaded: `<uuid>-selection.zip`.
const SELECTION_ENDING: &str = "-selection";

/// An archive that is not there, but can be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pack {
    pub format: Format,
    nodes: Vec<NodePath>,
    selection: Option<Uuid>,
}

impl Pack {
    /// An archive of what is in one collection, or of several nodes, each under its own name.
    pub fn of(nodes: Vec<NodePath>, format: Format) -> Self {
        Self { format, nodes, selection: None }
    }
}

impl Tree {
    /// The archive that a path asks for where there is no node: `<collection>.zip`, or
    /// `<uuid>-selection.zip` in any collection. [`Error::NotFound`] when it asks for none.
    pub async fn pack_at(&self, path: &NodePath) -> Result<Pack> {
        let absent = || Error::NotFound(path.to_string());
        let (format, stem) = path.name().and_then(Format::of_name).ok_or_else(absent)?;
        let parent = path.parent().unwrap_or_default();
        let selected = stem.strip_suffix(SELECTION_ENDING).and_then(|id| Uuid::try_parse(id).ok());
        if let Some(id) = selected
            && let Some(nodes) = self.selection(id).await?
            && self.stat(&parent).await?.is_collection()
        {
            return Ok(Pack { format, nodes, selection: Some(id) });
        }
        let collection = parent.join(stem)?;
        if !self.stat(&collection).await?.is_collection() {
            return Err(absent());
        }
        Ok(Pack::of(vec![collection], format))
    }

    /// Makes an archive. Nodes that are gone or may not be read are left out, and so are recycle
    /// bins below what was asked for; [`Error::NotFound`] when nothing is left. An error of the
    /// stream is the end of it: what came so far is no archive.
    pub async fn pack(&self, pack: Pack) -> Result<ByteStream> {
        let mut roots = VecDeque::new();
        let mut names = HashSet::new();
        let alone = pack.nodes.len() == 1;
        for path in &pack.nodes {
            let node = match self.stat(path).await {
                Ok(node) => node,
                Err(error) if is_out_of_reach(&error) => continue,
                Err(error) => return Err(error),
            };
            // The content of a collection that is packed alone stands at the top, as in Cells.
            let prefix = if alone && node.is_collection() {
                String::new()
            } else {
                free_name(path.name().unwrap_or_default(), &mut names)
            };
            roots.push_back(Root { path: path.clone(), node, prefix });
        }
        let Some(first) = roots.front() else {
            return Err(Error::NotFound(pack.nodes.first().cloned().unwrap_or_default().to_string()));
        };
        let place = self.place_below_root(&first.path, "pack").await?;
        let packer = Packer {
            walk: Walk { tree: self.clone(), roots, below: None, ready: VecDeque::new() },
            engine: Some(Box::new(Engine::new(pack.format))),
            body: None,
            spool: Some(Spool::new(place.mounted)),
            replay: None,
            directory_bytes: 0,
            selection: pack.selection,
        };
        let pieces = stream::try_unfold(packer, |mut packer| async move {
            Ok(packer.next().await?.map(|bytes| (bytes, packer)))
        });
        Ok(Box::pin(pieces))
    }
}

/// The name itself, or with a number: selected nodes may come from several collections.
fn free_name(name: &str, taken: &mut HashSet<String>) -> String {
    let (stem, ending) = match name.rsplit_once('.') {
        Some((stem, ending)) if !stem.is_empty() => (stem, format!(".{ending}")),
        _ => (name, String::new()),
    };
    let mut free = name.to_owned();
    let mut number = 0;
    while !taken.insert(free.clone()) {
        number += 1;
        free = format!("{stem} ({number}){ending}");
    }
    free
}

/// Gone meanwhile, or not for this principal: no reason to refuse the rest.
fn is_out_of_reach(error: &Error) -> bool {
    matches!(
        error,
        Error::NotFound(_) | Error::Denied { .. } | Error::NotACollection(_) | Error::IsACollection(_)
    )
}

struct Root {
    path: NodePath,
    node: Node,
    /// Its name in the archive; empty for a collection whose content stands at the top.
    prefix: String,
}

/// A node on its way into the archive.
struct Item {
    path: NodePath,
    node: Node,
    name: String,
}

/// The nodes, page by page.
struct Walk {
    tree: Tree,
    roots: VecDeque<Root>,
    below: Option<Below>,
    ready: VecDeque<Item>,
}

/// What is left of a collection.
struct Below {
    path: NodePath,
    prefix: String,
    after: Option<String>,
}

impl Walk {
    async fn next(&mut self) -> Result<Option<Item>> {
        loop {
            if let Some(item) = self.ready.pop_front() {
                return Ok(Some(item));
            }
            if let Some(below) = self.below.take() {
                self.page(below).await?;
                continue;
            }
            let Some(Root { path, node, prefix }) = self.roots.pop_front() else { return Ok(None) };
            if node.is_leaf() {
                return Ok(Some(Item { path, node, name: prefix }));
            }
            let top = prefix.is_empty();
            let inner = if top { String::new() } else { format!("{prefix}/") };
            self.below = Some(Below { path: path.clone(), prefix: inner.clone(), after: None });
            if !top {
                return Ok(Some(Item { path, node, name: inner }));
            }
        }
    }

    async fn page(&mut self, mut below: Below) -> Result<()> {
        let listing =
            Listing { depth: Depth::Infinity, after: below.after.take(), limit: PAGE, ..Listing::default() };
        let page = self.tree.list(&below.path, &listing).await?;
        let bin = format!("{RECYCLE_BIN}/");
        let at_workspace = below.path.depth() == 1;
        let mut next = page.next;
        for entry in page.entries {
            if at_workspace && entry.key.starts_with(&bin) {
                // Behind all that the bin holds, whatever its names are.
                next = next.filter(|next| !next.starts_with(&bin)).or(Some(format!("{bin}{}", char::MAX)));
                continue;
            }
            let name = format!("{}{}", below.prefix, entry.key);
            self.ready.push_back(Item { path: below.path.descend(&entry.key)?, node: entry.node, name });
        }
        if next.is_some() {
            self.below = Some(Below { after: next, ..below });
        }
        Ok(())
    }
}

struct Packer {
    walk: Walk,
    /// Absent while it computes elsewhere, and at the end.
    engine: Option<Box<Engine>>,
    /// The content of the entry that is being written.
    body: Option<ByteStream>,
    spool: Option<Spool>,
    replay: Option<Replay>,
    directory_bytes: u64,
    selection: Option<Uuid>,
}

impl Packer {
    async fn next(&mut self) -> Result<Option<Bytes>> {
        loop {
            if let Some(replay) = &mut self.replay {
                match replay.bytes.try_next().await? {
                    Some(bytes) if bytes.is_empty() => continue,
                    Some(bytes) => return Ok(Some(bytes)),
                    None => {
                        self.replay = None;
                        return self.finish().await.map(Some);
                    }
                }
            }
            let Some(engine) = &mut self.engine else { return Ok(None) };
            if engine.ready() >= PIECE_BYTES {
                return Ok(Some(engine.take()));
            }
            if let Some(body) = &mut self.body {
                match body.try_next().await? {
                    Some(bytes) => {
                        self.run(bytes.len(), move |engine| engine.content(&bytes)).await?;
                    }
                    None => {
                        self.body = None;
                        self.end_entry().await?;
                    }
                }
                continue;
            }
            match self.walk.next().await? {
                Some(item) => self.begin_entry(item).await?,
                None => {
                    let rest = engine.take();
                    self.replay_directory().await?;
                    if !rest.is_empty() {
                        return Ok(Some(rest));
                    }
                }
            }
        }
    }

    async fn begin_entry(&mut self, item: Item) -> Result<()> {
        let (node, body) = if item.node.is_collection() {
            (item.node, None)
        } else {
            // Content and size are of one moment: this one, not that of the listing.
            match self.walk.tree.read(&item.path, &ReadOptions::default()).await {
                Ok(read) => (read.node, Some(into_stream(read.bits))),
                Err(error) if is_out_of_reach(&error) => {
                    return match self.walk.tree.stat(&item.path).await {
                        // The node is there, its content is not.
                        Ok(node) if node.is_leaf() => Err(error),
                        _ => Ok(()),
                    };
                }
                Err(error) => return Err(error),
            }
        };
        let entry = Entry {
            name: item.name,
            collection: node.is_collection(),
            size: node.size,
            mtime_s: node.mtime_s(),
            mime: node.mime,
        };
        let Some(engine) = &mut self.engine else { return Err(lost()) };
        engine.begin(&entry)?;
        match body.filter(|_| entry.size > 0) {
            Some(body) => self.body = Some(body),
            None => self.end_entry().await?,
        }
        Ok(())
    }

    async fn end_entry(&mut self) -> Result<()> {
        let Some(engine) = &mut self.engine else { return Err(lost()) };
        engine.end()?;
        let directory = engine.take_directory();
        match &mut self.spool {
            Some(spool) => spool.push(directory).await,
            None => Err(lost()),
        }
    }

    async fn replay_directory(&mut self) -> Result<()> {
        let spool = self.spool.take().ok_or_else(lost)?;
        self.directory_bytes = spool.size;
        self.replay = Some(spool.replay().await?);
        Ok(())
    }

    async fn finish(&mut self) -> Result<Bytes> {
        // Before the last byte goes: who has the whole archive cannot have it again.
        if let Some(id) = self.selection.take() {
            self.walk.tree.drop_selection(id).await?;
        }
        let mut engine = self.engine.take().ok_or_else(lost)?;
        engine.finish(self.directory_bytes)
    }

    async fn run(
        &mut self,
        weight: usize,
        work: impl FnOnce(&mut Engine) -> Result<()> + Send + 'static,
    ) -> Result<()> {
        let mut engine = self.engine.take().ok_or_else(lost)?;
        let (engine, done) = compute(weight, move || {
            let done = work(&mut engine);
            (engine, done)
        })
        .await?;
        self.engine = Some(engine);
        done
    }
}

fn lost() -> Error {
    Error::internal("an archive went on after its end")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_a_selection_are_told_apart() {
        let mut taken = HashSet::new();
        let names: Vec<String> = ["a.txt", "a.txt", "a.txt", "b", "b", ".env", ".env"]
            .into_iter()
            .map(|name| free_name(name, &mut taken))
            .collect();
        assert_eq!(names, ["a.txt", "a (1).txt", "a (2).txt", "b", "b (1)", ".env", ".env (1)"]);
    }

    #[test]
    fn endings_name_formats() {
        for (name, format) in [
            ("a.zip", Some((Format::Zip, "a"))),
            ("a.b.tar.gz", Some((Format::TarGz, "a.b"))),
            ("a.tar", Some((Format::Tar, "a"))),
            ("é.ZIP", Some((Format::Zip, "é"))),
            (".zip", None),
            ("é", None),
            ("zip", None),
            ("a.gz", None),
            ("a.zip.txt", None),
        ] {
            assert_eq!(Format::of_name(name), format, "{name}");
        }
    }
}
