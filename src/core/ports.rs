//! What a store provides. Doors never see these traits; [`crate::Tree`] is their only way in.
//!
//! Two halves: the *index* (nodes, locks, changes, records) and *datasources* (bytes). Reads take
//! `&self` and see the latest commit. Writes are closures over a [`Txn`]: the store runs what is
//! waiting as one transaction, each closure in its own savepoint, and answers after the commit is
//! on disk. So every rule is checked with the commit it guards, and is written once, here in core.

use std::os::fd::BorrowedFd;
use std::pin::Pin;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::Stream;
use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use uuid::Uuid;

use crate::change::{Change, NewChange};
use crate::error::{Error, Result};
use crate::lock::Lock;
use crate::node::{Attributes, Content, Extent, Node, NodeId, NodeKind};
use crate::upload::{Part, Upload};

/// Bytes on their way, in either direction.
pub type ByteStream = Pin<Box<dyn Stream<Item = Result<Bytes>> + Send>>;

/// A span of siblings in `sort_key` order (UTF-8 bytes).
#[derive(Debug, Clone, Default)]
pub struct Span {
    /// First sort key; `None` starts at the beginning.
    pub from: Option<String>,
    /// Whether `from` itself is left out.
    pub exclusive: bool,
    /// Only names that begin with this.
    pub prefix: Option<String>,
    pub limit: usize,
}

/// A node that is to be inserted. The store picks the id.
#[derive(Debug, Clone)]
pub struct NewNode {
    pub uuid: Uuid,
    pub parent: NodeId,
    pub name: String,
    pub kind: NodeKind,
    pub size: u64,
    pub mtime_ns: i64,
    pub created_ns: i64,
    pub etag: String,
    pub mime: String,
    pub content: Content,
    pub attributes: Attributes,
    /// See [`Node::version`].
    pub version: Option<Uuid>,
}

/// One value of a node's metadata: dead properties, user metadata, recycle origin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Meta {
    pub node: NodeId,
    /// Whose vocabulary: `dav`, `user`, `core`, ….
    pub namespace: String,
    pub name: String,
    pub value: String,
}

/// An earlier content of a leaf, or an earlier removal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    pub id: Uuid,
    pub node: NodeId,
    pub size: u64,
    pub mtime_ns: i64,
    pub etag: String,
    pub content: Content,
    /// Who replaced it.
    pub principal: String,
    /// When it was replaced: the order of a leaf's versions.
    pub at_ns: i64,
    /// Empty in rows that knew no media type yet.
    pub mime: String,
    pub attributes: Attributes,
    /// Written while its workspace kept no versions; a leaf has at most one of these.
    pub unversioned: bool,
    /// A removal: it has no content.
    pub marker: bool,
}

/// A typed document of the directory: users, roles, keys, sessions, settings. Small, read by key,
/// written rarely, and growing a field with every protocol, so they share one table; the types
/// live in [`crate::identity`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// `user`, `group`, `role`, `grant`, `workspace`, `datasource`, `key`, `token`, `session`, ….
    pub kind: String,
    /// Unique within the kind.
    pub id: String,
    /// A second unique key within the kind: login, slug, token digest. Empty when there is none.
    pub name: String,
    /// What it hangs on, for listing: the user of a token, the group of a user.
    pub owner: String,
    /// Nanoseconds since the epoch after which it counts as gone; `None` never.
    pub expires_ns: Option<i64>,
    /// JSON.
    pub body: String,
}

impl Record {
    /// Tokens and sessions come, slide and expire as people work: would each of them tick
    /// [`Index::directory_epoch`], a busy door would have nothing verified for long. They are looked
    /// up at every use or expire by themselves; one that ends early leaves a `revoked` record behind,
    /// which ticks.
    pub fn is_of_use(kind: &str) -> bool {
        matches!(kind, "token" | "session")
    }
}

/// Reads outside a transaction: the latest committed state, from any thread.
#[async_trait]
pub trait View: Send + Sync {
    /// Follows `names` from `from`, as far as nodes exist: the answer's last node is the deepest
    /// one found. `from` itself is not part of the answer. One round trip.
    async fn chain(&self, from: NodeId, names: &[String]) -> Result<Vec<Node>>;
    async fn node(&self, id: NodeId) -> Result<Option<Node>>;
    async fn node_by_uuid(&self, uuid: Uuid) -> Result<Option<Node>>;
    /// From the topmost ancestor (a datasource root, or [`NodeId::LIMBO`]'s child) to the node
    /// itself. Empty when the node does not exist.
    async fn ancestry(&self, id: NodeId) -> Result<Vec<Node>>;
    /// One index range.
    async fn children(&self, parent: NodeId, span: &Span) -> Result<Vec<Node>>;
    /// How many leaves and collections stand directly below, and the bytes of the leaves.
    async fn count_children(&self, parent: NodeId) -> Result<Count>;
    /// Which of many nodes have children, in one query, ascending; what they are is not read.
    async fn occupied(&self, nodes: &[NodeId]) -> Result<Vec<NodeId>>;
    /// Metadata of many nodes in one query, ordered by node, namespace, name.
    async fn meta(&self, nodes: &[NodeId], namespace: Option<&str>) -> Result<Vec<Meta>>;
    /// Earlier versions of many leaves in one query: by node, newest first.
    async fn versions(&self, nodes: &[NodeId]) -> Result<Vec<Version>>;
    /// Bytes that are kept in the index. They never change under their id, so outside of a transaction
    /// they may be answered for a while after they have gone.
    async fn inline(&self, id: Uuid) -> Result<Option<Bytes>>;
    async fn extents(&self, id: Uuid) -> Result<Option<Vec<Extent>>>;
    /// Unexpired locks that stand on any of these nodes.
    async fn locks_on(&self, nodes: &[NodeId], now_ns: i64) -> Result<Vec<Lock>>;
    /// All unexpired locks, oldest first.
    async fn locks(&self, now_ns: i64) -> Result<Vec<Lock>>;
    async fn lock(&self, token: &str, now_ns: i64) -> Result<Option<Lock>>;
    /// Changes with a sequence number above `after`, in order.
    async fn changes(&self, after: i64, limit: usize) -> Result<Vec<Change>>;
    /// The highest sequence number that any reader can see; 0 before the first change.
    async fn last_change(&self) -> Result<i64>;
    async fn upload(&self, id: Uuid) -> Result<Option<Upload>>;
    /// Open uploads, oldest first.
    async fn uploads(&self) -> Result<Vec<Upload>>;
    /// Parts with a number above `after`, ascending.
    async fn parts(&self, upload: Uuid, after: u32, limit: usize) -> Result<Vec<Part>>;
    async fn record(&self, kind: &str, id: &str) -> Result<Option<Record>>;
    async fn record_by_name(&self, kind: &str, name: &str) -> Result<Option<Record>>;
    /// All of a kind, or those of one owner, ordered by name, then id.
    async fn records(&self, kind: &str, owner: Option<&str>) -> Result<Vec<Record>>;
}

/// Direct children in numbers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Count {
    pub leaves: u64,
    pub collections: u64,
    pub bytes: u64,
}

/// The inside of a transaction: reads see its own writes.
#[async_trait]
pub trait Txn: Send {
    async fn chain(&mut self, from: NodeId, names: &[String]) -> Result<Vec<Node>>;
    async fn node(&mut self, id: NodeId) -> Result<Option<Node>>;
    async fn child(&mut self, parent: NodeId, name: &str) -> Result<Option<Node>>;
    async fn ancestry(&mut self, id: NodeId) -> Result<Vec<Node>>;
    async fn children(&mut self, parent: NodeId, span: &Span) -> Result<Vec<Node>>;
    async fn insert_node(&mut self, node: &NewNode) -> Result<Node>;
    /// Writes every column of the row with this id, parent and name included.
    async fn update_node(&mut self, node: &Node) -> Result<()>;
    /// Sets modification time and ETag of a collection whose children changed.
    async fn touch(&mut self, id: NodeId, mtime_ns: i64, etag: &str) -> Result<()>;
    /// Deletes one row that has no children, with its locks, metadata and versions. The contents
    /// of versions must have been released before.
    async fn delete_node(&mut self, id: NodeId) -> Result<()>;

    async fn meta(&mut self, node: NodeId, namespace: &str) -> Result<Vec<Meta>>;
    /// Sets or, with `None`, removes one value.
    async fn set_meta(
        &mut self,
        node: NodeId,
        namespace: &str,
        name: &str,
        value: Option<&str>,
    ) -> Result<()>;
    /// Copies all metadata of one namespace from node to node, replacing what is there.
    async fn copy_meta(&mut self, from: NodeId, to: NodeId, namespace: &str) -> Result<()>;

    async fn insert_version(&mut self, version: &Version) -> Result<()>;
    /// Earlier versions of a leaf, newest first.
    async fn versions(&mut self, node: NodeId) -> Result<Vec<Version>>;
    /// Makes all versions of one leaf those of another.
    async fn move_versions(&mut self, from: NodeId, to: NodeId) -> Result<()>;
    async fn delete_version(&mut self, id: Uuid) -> Result<()>;

    async fn put_inline(&mut self, id: Uuid, bytes: &[u8]) -> Result<()>;
    async fn put_extents(&mut self, id: Uuid, extents: &[Extent]) -> Result<()>;
    async fn extents(&mut self, id: Uuid) -> Result<Option<Vec<Extent>>>;
    /// Whether any node, version, upload part or extent list still refers to this content.
    async fn is_referenced(&mut self, content: &Content) -> Result<bool>;
    /// Drops inline bytes or an extent list.
    async fn delete_inline(&mut self, id: Uuid) -> Result<()>;
    /// Notes a blob that nothing refers to any more; it is removed after the commit.
    async fn discard_blob(&mut self, datasource: &str, blob: Uuid) -> Result<()>;
    /// Blobs noted by [`Txn::discard_blob`] and not yet [`Txn::forget_blob`]ten.
    async fn discarded_blobs(&mut self, limit: usize) -> Result<Vec<(String, Uuid)>>;
    async fn forget_blob(&mut self, blob: Uuid) -> Result<()>;

    async fn locks_on(&mut self, nodes: &[NodeId], now_ns: i64) -> Result<Vec<Lock>>;
    /// Unexpired locks on descendants of this node.
    async fn locks_below(&mut self, id: NodeId, now_ns: i64) -> Result<Vec<Lock>>;
    async fn lock(&mut self, token: &str, now_ns: i64) -> Result<Option<Lock>>;
    async fn put_lock(&mut self, lock: &Lock) -> Result<()>;
    async fn delete_lock(&mut self, token: &str) -> Result<()>;
    async fn delete_expired_locks(&mut self, now_ns: i64) -> Result<()>;

    /// Appends to the change feed; the sequence number follows commit order.
    async fn append_change(&mut self, change: &NewChange) -> Result<i64>;

    async fn put_upload(&mut self, upload: &Upload) -> Result<()>;
    async fn upload(&mut self, id: Uuid) -> Result<Option<Upload>>;
    /// Deletes the upload and its parts' rows.
    async fn delete_upload(&mut self, id: Uuid) -> Result<()>;
    /// Inserts a part or replaces the one with its number, answering the replaced one.
    async fn put_part(&mut self, part: &Part) -> Result<Option<Part>>;
    async fn parts(&mut self, upload: Uuid) -> Result<Vec<Part>>;

    async fn record(&mut self, kind: &str, id: &str) -> Result<Option<Record>>;
    async fn record_by_name(&mut self, kind: &str, name: &str) -> Result<Option<Record>>;
    async fn records(&mut self, kind: &str, owner: Option<&str>) -> Result<Vec<Record>>;
    /// Inserts or replaces by (kind, id). Another record with the same non-empty name is
    /// [`Error::AlreadyExists`].
    async fn put_record(&mut self, record: &Record) -> Result<()>;
    async fn delete_record(&mut self, kind: &str, id: &str) -> Result<bool>;
    async fn delete_expired_records(&mut self, kind: &str, now_ns: i64) -> Result<()>;
}

/// One mutation: rules and writes together.
pub type Mutation = Box<dyn for<'t> FnOnce(&'t mut dyn Txn) -> BoxFuture<'t, Result<()>> + Send>;

/// The index: one consistent memory of everything but file bytes.
#[async_trait]
pub trait Index: View {
    /// Runs the mutation in a savepoint of the next group commit and answers once that commit is
    /// durable and visible to every [`View`] read. An error leaves nothing of it.
    async fn commit(&self, mutation: Mutation) -> Result<()>;
    /// Ticks whenever records of the directory may have changed, here or in another process. Not for
    /// records that come and go with use ([`Record::is_of_use`]).
    fn directory_epoch(&self) -> watch::Receiver<u64>;
    /// The newest sequence number, as soon as this process knows of it.
    fn change_signal(&self) -> watch::Receiver<i64>;
}

/// Commits a closure and hands out its value.
pub async fn commit<T, F>(index: &dyn Index, work: F) -> Result<T>
where
    T: Send + 'static,
    F: for<'t> FnOnce(&'t mut dyn Txn) -> BoxFuture<'t, Result<T>> + Send + 'static,
{
    let (send, receive) = tokio::sync::oneshot::channel();
    index
        .commit(Box::new(move |txn| {
            Box::pin(async move {
                let value = work(txn).await?;
                // The receiver is gone only when the caller was dropped; the commit stands then.
                let _ = send.send(value);
                Ok(())
            })
        }))
        .await?;
    receive.await.map_err(|_| Error::internal("the store acknowledged a mutation it did not run"))
}

/// How a datasource lays out its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Form {
    /// Blobs by id: a rename never touches storage.
    Flat,
    /// A file's path on disk is its path in the tree; existing folders are adopted.
    Structured,
}

/// Bytes that are on disk, durable, and not yet part of the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Staged {
    pub blob: Uuid,
    pub size: u64,
}

/// A file being written into staging. Dropped unfinished, it leaves nothing.
#[async_trait]
pub trait Staging: Send {
    async fn write(&mut self, bytes: Bytes) -> Result<()>;
    /// Makes the bytes durable (unless the datasource is relaxed) and keeps them in staging under
    /// their id until they are promoted, published or discarded.
    async fn finish(self: Box<Self>) -> Result<Staged>;
}

/// What the disk says of a published file: how the index recognises outside changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    pub size: u64,
    pub mtime_ns: i64,
}

/// Something found on disk by [`Datasource::scan`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    pub name: String,
    pub kind: NodeKind,
    pub stamp: Stamp,
}

/// Which bytes to read.
#[derive(Debug, Clone, Copy)]
pub enum Source<'a> {
    Blob(Uuid),
    /// Names below the datasource root (`structured`). `stamp` is what the index believes; a file
    /// that differs is answered with [`Error::Unavailable`] so that the caller repairs and retries.
    Path {
        names: &'a [String],
        stamp: Stamp,
    },
}

/// Bytes handed out by a datasource. Small ones come whole.
pub enum Bits {
    Whole(Bytes),
    Stream(ByteStream),
    File(Stretch),
}

impl Bits {
    /// Notes a stretch of a file in the extensions of the answer whose whole body it is: the
    /// listener may send it unread.
    pub fn note(&self, extensions: &mut http::Extensions) {
        if let Self::File(stretch) = self {
            extensions.insert(stretch.clone());
        }
    }

    pub fn into_stream(self) -> ByteStream {
        match self {
            Self::Whole(bytes) => Box::pin(futures_util::stream::once(std::future::ready(Ok(bytes)))),
            Self::Stream(bytes) => bytes,
            Self::File(stretch) => stretch.into_stream(),
        }
    }
}

/// An open file that nobody changes.
pub trait OpenFile: Send + Sync {
    fn fd(&self) -> BorrowedFd<'_>;
    /// Whether `[start, end)` seems to be in memory: who sends it then need not wait for the disk.
    fn is_cached(&self, start: u64, end: u64) -> bool;
    /// Reads `[start, end)`.
    fn stream(self: Arc<Self>, start: u64, end: u64) -> ByteStream;
}

/// The bytes `[start, end)` of an open file. The listener can send them unread.
#[derive(Clone)]
pub struct Stretch {
    pub file: Arc<dyn OpenFile>,
    pub start: u64,
    pub end: u64,
}

impl Stretch {
    pub fn into_stream(self) -> ByteStream {
        self.file.stream(self.start, self.end)
    }
}

/// A place where bytes are kept.
///
/// `flat` keeps blobs: `stage` → commit → `promote`. A staged blob is readable under its id at once;
/// `promote` only moves it out of the area that is swept at start, so a crash between commit and
/// promotion loses nothing.
/// `structured` keeps a folder tree: `stage` → inside the commit `publish` onto the path.
#[async_trait]
pub trait Datasource: Send + Sync {
    fn form(&self) -> Form;
    /// Content up to this many bytes is kept inline in the index.
    fn inline_limit(&self) -> u64;
    async fn stage(&self, expected_size: Option<u64>) -> Result<Box<dyn Staging>>;
    /// Moves committed blobs out of staging.
    async fn promote(&self, blobs: &[Uuid]) -> Result<()>;
    /// Removes blobs wherever they are; a missing one is fine.
    async fn remove(&self, blobs: &[Uuid]) -> Result<()>;
    /// Reads `[start, end)`; never returns fewer bytes without an error.
    async fn read(&self, source: Source<'_>, start: u64, end: u64) -> Result<Bits>;
    /// A durable copy of a file under a new staged id, by reflink where the file system can.
    async fn duplicate(&self, source: Source<'_>) -> Result<Staged>;

    // What follows is for `structured` only and runs inside a commit: quick system calls, no
    // content. Each leaves things as they were when it fails.

    /// Renames a staged blob onto a path, replacing a file there.
    fn publish(&self, blob: Uuid, names: &[String], mtime_ns: Option<i64>) -> Result<Stamp>;
    fn create_dir(&self, names: &[String]) -> Result<Stamp>;
    /// Renames within the datasource; the target does not exist.
    fn rename(&self, from: &[String], to: &[String]) -> Result<()>;
    /// Moves a path out of the tree into the bin of the sweeper.
    fn detach(&self, names: &[String]) -> Result<()>;
    /// Sets a file's modification time.
    fn set_mtime(&self, names: &[String], mtime_ns: i64) -> Result<Stamp>;
    /// The uuid in the hidden file of a folder, see [`FOLDER_ID`](crate::tree::FOLDER_ID).
    fn folder_id(&self, names: &[String]) -> Result<Option<Uuid>>;
    /// What stands at a path now; `None` when nothing does.
    fn look(&self, names: &[String]) -> Result<Option<Found>>;

    /// The direct children of a folder, without our own files, symbolic links and special files.
    async fn scan(&self, names: &[String]) -> Result<Vec<Found>>;
    /// Reads a whole file through MD5, for adoption. Hex.
    async fn digest(&self, names: &[String]) -> Result<String>;
    /// Start-up: blobs found in staging. The core promotes those the index knows and removes the rest.
    async fn staged(&self) -> Result<Vec<Uuid>>;
    /// Empties the sweeper's bin.
    async fn empty_bin(&self) -> Result<()>;
}

/// What a datasource needs to be opened; kept as a record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatasourceConfig {
    /// First segment of administrators' paths.
    pub name: String,
    pub form: Form,
    /// Folder of the bytes. Relative paths are below the data folder.
    pub path: String,
    /// Skip the fsync of content: an acknowledged write may be lost by a power cut.
    #[serde(default)]
    pub relaxed: bool,
    /// `flat`: content up to this many bytes goes into the index. Default 16 KiB.
    #[serde(default = "inline_default")]
    pub inline_limit_bytes: u64,
}

impl DatasourceConfig {
    /// A flat one in the data folder.
    pub(crate) fn flat(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            form: Form::Flat,
            path: format!("datasources/{name}"),
            relaxed: false,
            inline_limit_bytes: INLINE_DEFAULT_BYTES,
        }
    }
}

/// What goes into the index by default: at this size one row is cheaper than one file with its own
/// fsync.
pub const INLINE_DEFAULT_BYTES: u64 = 16 * 1024;

fn inline_default() -> u64 {
    INLINE_DEFAULT_BYTES
}

/// Opens datasources from their configuration.
#[async_trait]
pub trait Backends: Send + Sync {
    async fn open(&self, config: &DatasourceConfig) -> Result<Arc<dyn Datasource>>;
}
