//! `MemoryDatasource`: bytes in memory, in both forms.
//!
//! `structured` is a folder tree with modification times that never repeat, so that a stamp tells
//! two contents of equal size apart as a disk's clock would.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use futures_util::stream;
use md5::{Digest, Md5};
use uuid::Uuid;

use crate::error::{Error, Result};
use crate::http::date::now_ns;
use crate::node::NodeKind;
use crate::ports::{Bits, Datasource, Form, Found, Source, Staged, Staging, Stamp};
use crate::tree::FOLDER_ID;

/// Longer reads are streamed in pieces of this size, so that tests meet both forms of [`Bits`].
const PIECE_BYTES: usize = 64 * 1024;

/// Cheap to clone; clones are the same datasource.
#[derive(Clone)]
pub struct MemoryDatasource {
    form: Form,
    inline_limit: u64,
    disk: Arc<Mutex<Disk>>,
}

#[derive(Clone)]
struct Disk {
    blobs: HashMap<Uuid, Blob>,
    root: Folder,
    bin: Vec<Entry>,
    last_mtime_ns: i64,
    duplicates: usize,
}

#[derive(Clone)]
struct Blob {
    bytes: Bytes,
    staged: bool,
}

#[derive(Clone)]
struct Folder {
    mtime_ns: i64,
    entries: BTreeMap<String, Entry>,
}

#[derive(Clone)]
enum Entry {
    File { bytes: Bytes, mtime_ns: i64 },
    Folder(Folder),
}

impl Entry {
    fn found(&self, name: &str) -> Found {
        let (kind, size, mtime_ns) = match self {
            Self::File { bytes, mtime_ns } => (NodeKind::Leaf, bytes.len() as u64, *mtime_ns),
            Self::Folder(folder) => (NodeKind::Collection, 0, folder.mtime_ns),
        };
        Found { name: name.to_owned(), kind, stamp: Stamp { size, mtime_ns } }
    }
}

fn shown(names: &[String]) -> String {
    format!("/{}", names.join("/"))
}

impl Folder {
    fn entry(&self, names: &[String]) -> Option<&Entry> {
        let (first, rest) = names.split_first()?;
        let entry = self.entries.get(first)?;
        match (entry, rest) {
            (_, []) => Some(entry),
            (Entry::Folder(folder), _) => folder.entry(rest),
            (Entry::File { .. }, _) => None,
        }
    }

    fn folder(&mut self, names: &[String]) -> Option<&mut Self> {
        let Some((first, rest)) = names.split_first() else { return Some(self) };
        match self.entries.get_mut(first)? {
            Entry::Folder(folder) => folder.folder(rest),
            Entry::File { .. } => None,
        }
    }
}

impl Disk {
    /// The present, and later than every time given out before.
    fn tick(&mut self) -> i64 {
        self.last_mtime_ns = now_ns().max(self.last_mtime_ns + 1);
        self.last_mtime_ns
    }

    /// The folder that holds a path, and the path's last name.
    fn holder<'a>(&mut self, names: &'a [String]) -> Result<(&mut Folder, &'a String)> {
        let (name, above) =
            names.split_last().ok_or_else(|| Error::Conflict("the root stays where it is".into()))?;
        let folder = self.root.folder(above).ok_or_else(|| Error::ParentMissing(shown(names)))?;
        Ok((folder, name))
    }

    fn put(&mut self, names: &[String], entry: Entry) -> Result<()> {
        let now = self.tick();
        let (folder, name) = self.holder(names)?;
        folder.entries.insert(name.clone(), entry);
        folder.mtime_ns = now;
        Ok(())
    }

    fn take(&mut self, names: &[String]) -> Result<Entry> {
        let now = self.tick();
        let (folder, name) = self.holder(names)?;
        let entry = folder.entries.remove(name).ok_or_else(|| Error::NotFound(shown(names)))?;
        folder.mtime_ns = now;
        Ok(entry)
    }

    fn bytes(&self, source: Source<'_>) -> Result<Bytes> {
        match source {
            Source::Blob(id) => {
                let blob = self.blobs.get(&id).ok_or_else(|| Error::NotFound(format!("blob {id}")))?;
                Ok(blob.bytes.clone())
            }
            Source::Path { names, stamp } => match self.root.entry(names) {
                Some(Entry::File { bytes, mtime_ns })
                    if (Stamp { size: bytes.len() as u64, mtime_ns: *mtime_ns }) == stamp =>
                {
                    Ok(bytes.clone())
                }
                _ => Err(Error::Unavailable(format!("`{}` has changed on disk", shown(names)))),
            },
        }
    }
}

impl MemoryDatasource {
    pub fn new(form: Form, inline_limit: u64) -> Self {
        let root = Folder { mtime_ns: now_ns(), entries: BTreeMap::new() };
        let disk = Disk { blobs: HashMap::new(), root, bin: Vec::new(), last_mtime_ns: 0, duplicates: 0 };
        // A structured file is at its path, never in the index.
        let inline_limit = if form == Form::Flat { inline_limit } else { 0 };
        Self { form, inline_limit, disk: Arc::new(Mutex::new(disk)) }
    }

    /// Keeps nothing inline: every content is a blob.
    pub fn flat() -> Self {
        Self::new(Form::Flat, 0)
    }

    pub fn structured() -> Self {
        Self::new(Form::Structured, 0)
    }

    /// A new datasource with a copy of all bytes.
    pub fn fork(&self) -> Self {
        let disk = self.disk().clone();
        Self { disk: Arc::new(Mutex::new(disk)), ..*self }
    }

    /// Blobs that are kept, staged ones included.
    pub fn blob_count(&self) -> usize {
        self.disk().blobs.len()
    }

    /// How many contents were copied by the datasource itself, and not read and written again.
    pub fn duplicate_count(&self) -> usize {
        self.disk().duplicates
    }

    /// How many things wait in the sweeper's bin.
    pub fn bin_count(&self) -> usize {
        self.disk().bin.len()
    }

    /// Writes a file behind the core's back, with its folders.
    pub fn outside_write(&self, path: &str, content: &str) {
        let names: Vec<String> = path.split('/').map(str::to_owned).collect();
        let mut disk = self.disk();
        for depth in 1..names.len() {
            let (above, _) = names.split_at(depth);
            if disk.root.entry(above).is_none() {
                let mtime_ns = disk.tick();
                let folder = Folder { mtime_ns, entries: BTreeMap::new() };
                disk.put(above, Entry::Folder(folder)).unwrap();
            }
        }
        let mtime_ns = disk.tick();
        let bytes = Bytes::copy_from_slice(content.as_bytes());
        disk.put(&names, Entry::File { bytes, mtime_ns }).unwrap();
    }

    /// Removes a file or folder behind the core's back.
    pub fn outside_remove(&self, path: &str) {
        let names: Vec<String> = path.split('/').map(str::to_owned).collect();
        self.disk().take(&names).unwrap();
    }

    /// Loses a blob, as a broken disk would.
    pub fn lose_blob(&self, blob: Uuid) {
        self.disk().blobs.remove(&blob).expect("a blob that exists");
    }

    fn disk(&self) -> MutexGuard<'_, Disk> {
        self.disk.lock().unwrap()
    }

    fn keep_staged(&self, bytes: Bytes) -> Staged {
        let staged = Staged { blob: Uuid::new_v4(), size: bytes.len() as u64 };
        self.disk().blobs.insert(staged.blob, Blob { bytes, staged: true });
        staged
    }

    /// What only a folder tree can do.
    fn tree(&self) -> Result<MutexGuard<'_, Disk>> {
        match self.form {
            Form::Structured => Ok(self.disk()),
            Form::Flat => Err(Error::internal("a flat datasource has no paths")),
        }
    }
}

struct MemoryStaging {
    datasource: MemoryDatasource,
    bytes: BytesMut,
}

#[async_trait]
impl Staging for MemoryStaging {
    async fn write(&mut self, bytes: Bytes) -> Result<()> {
        self.bytes.extend_from_slice(&bytes);
        Ok(())
    }

    async fn finish(self: Box<Self>) -> Result<Staged> {
        Ok(self.datasource.keep_staged(self.bytes.freeze()))
    }
}

#[async_trait]
impl Datasource for MemoryDatasource {
    fn form(&self) -> Form {
        self.form
    }

    fn inline_limit(&self) -> u64 {
        self.inline_limit
    }

    async fn stage(&self, _expected_size: Option<u64>) -> Result<Box<dyn Staging>> {
        Ok(Box::new(MemoryStaging { datasource: self.clone(), bytes: BytesMut::new() }))
    }

    async fn promote(&self, blobs: &[Uuid]) -> Result<()> {
        let mut disk = self.disk();
        for id in blobs {
            let blob = disk.blobs.get_mut(id).ok_or_else(|| Error::NotFound(format!("blob {id}")))?;
            blob.staged = false;
        }
        Ok(())
    }

    async fn remove(&self, blobs: &[Uuid]) -> Result<()> {
        let mut disk = self.disk();
        for id in blobs {
            disk.blobs.remove(id);
        }
        Ok(())
    }

    async fn read(&self, source: Source<'_>, start: u64, end: u64) -> Result<Bits> {
        let bytes = self.disk().bytes(source)?;
        if start > end || end > bytes.len() as u64 {
            return Err(Error::internal(format!("bytes {start} to {end} of {}", bytes.len())));
        }
        let bytes = bytes.slice(start as usize..end as usize);
        if bytes.len() <= PIECE_BYTES {
            return Ok(Bits::Whole(bytes));
        }
        let starts = (0..bytes.len()).step_by(PIECE_BYTES);
        Ok(Bits::Stream(Box::pin(stream::iter(starts.map(move |start| {
            let end = (start + PIECE_BYTES).min(bytes.len());
            Ok(bytes.slice(start..end))
        })))))
    }

    async fn duplicate(&self, source: Source<'_>) -> Result<Staged> {
        let bytes = {
            let mut disk = self.disk();
            disk.duplicates += 1;
            disk.bytes(source)?
        };
        Ok(self.keep_staged(bytes))
    }

    fn publish(&self, blob: Uuid, names: &[String], mtime_ns: Option<i64>) -> Result<Stamp> {
        let mut disk = self.tree()?;
        let bytes = disk.bytes(Source::Blob(blob))?;
        if let Some(Entry::Folder(_)) = disk.root.entry(names) {
            return Err(Error::IsACollection(shown(names)));
        }
        let mtime_ns = mtime_ns.unwrap_or_else(|| disk.tick());
        let stamp = Stamp { size: bytes.len() as u64, mtime_ns };
        disk.put(names, Entry::File { bytes, mtime_ns })?;
        disk.blobs.remove(&blob);
        Ok(stamp)
    }

    fn create_dir(&self, names: &[String]) -> Result<Stamp> {
        let mut disk = self.tree()?;
        if disk.root.entry(names).is_some() {
            return Err(Error::AlreadyExists(shown(names)));
        }
        let mtime_ns = disk.tick();
        disk.put(names, Entry::Folder(Folder { mtime_ns, entries: BTreeMap::new() }))?;
        Ok(Stamp { size: 0, mtime_ns })
    }

    fn rename(&self, from: &[String], to: &[String]) -> Result<()> {
        let mut disk = self.tree()?;
        if disk.root.entry(to).is_some() {
            return Err(Error::AlreadyExists(shown(to)));
        }
        if to.starts_with(from) {
            return Err(Error::Conflict(format!("`{}` cannot go into itself", shown(from))));
        }
        disk.holder(to)?;
        let entry = disk.take(from)?;
        disk.put(to, entry)
    }

    fn detach(&self, names: &[String]) -> Result<()> {
        let mut disk = self.tree()?;
        let entry = disk.take(names)?;
        disk.bin.push(entry);
        Ok(())
    }

    fn set_mtime(&self, names: &[String], mtime_ns: i64) -> Result<Stamp> {
        let mut disk = self.tree()?;
        let (folder, name) = disk.holder(names)?;
        match folder.entries.get_mut(name) {
            Some(Entry::File { bytes, mtime_ns: kept }) => {
                *kept = mtime_ns;
                Ok(Stamp { size: bytes.len() as u64, mtime_ns })
            }
            Some(Entry::Folder(_)) => Err(Error::IsACollection(shown(names))),
            None => Err(Error::NotFound(shown(names))),
        }
    }

    fn folder_id(&self, names: &[String]) -> Result<Option<Uuid>> {
        let mut names = names.to_vec();
        names.push(FOLDER_ID.to_owned());
        Ok(match self.tree()?.root.entry(&names) {
            Some(Entry::File { bytes, .. }) => Uuid::try_parse_ascii(bytes).ok(),
            _ => None,
        })
    }

    fn look(&self, names: &[String]) -> Result<Option<Found>> {
        let disk = self.tree()?;
        let Some(name) = names.last() else {
            let stamp = Stamp { size: 0, mtime_ns: disk.root.mtime_ns };
            return Ok(Some(Found { name: String::new(), kind: NodeKind::Collection, stamp }));
        };
        Ok(disk.root.entry(names).map(|entry| entry.found(name)))
    }

    async fn scan(&self, names: &[String]) -> Result<Vec<Found>> {
        let mut disk = self.tree()?;
        if let Some(Entry::File { .. }) = disk.root.entry(names) {
            return Err(Error::NotACollection(shown(names)));
        }
        let folder = disk.root.folder(names).ok_or_else(|| Error::NotFound(shown(names)))?;
        let shown = folder.entries.iter().filter(|(name, _)| *name != FOLDER_ID);
        Ok(shown.map(|(name, entry)| entry.found(name)).collect())
    }

    async fn digest(&self, names: &[String]) -> Result<String> {
        match self.tree()?.root.entry(names) {
            Some(Entry::File { bytes, .. }) => Ok(hex::encode(Md5::digest(bytes))),
            Some(Entry::Folder(_)) => Err(Error::IsACollection(shown(names))),
            None => Err(Error::NotFound(shown(names))),
        }
    }

    async fn staged(&self) -> Result<Vec<Uuid>> {
        let disk = self.disk();
        Ok(disk.blobs.iter().filter(|(_, blob)| blob.staged).map(|(id, _)| *id).collect())
    }

    async fn empty_bin(&self) -> Result<()> {
        self.disk().bin.clear();
        Ok(())
    }
}
