//! The adapter under dav-server: one node of one request as its file system.
//!
//! dav-server answers OPTIONS, GET of several ranges, and PATCH (`X-Update-Range`, SabreDAV's
//! partial update). Each concerns one resource, and the guard has parsed its path already, so the
//! path that dav-server hands over is ignored: there is only one normaliser. What dav-server cannot
//! say (its error type has twelve values and no text) waits in [`Caller::failure`] for the guard.

use std::fmt;
use std::io::SeekFrom;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::{Buf, Bytes};
use cellgate_core::http::conditional::{Conditions, ETags};
use cellgate_core::http::range::RangeSpec;
use cellgate_core::ports::ByteStream;
use cellgate_core::tree::{ReadOptions, Write, Written, given_mime};
use cellgate_core::{Error, Node, NodePath, Tree};
use dav_server::davpath::DavPath;
use dav_server::fs::{
    DavDirEntry, DavFile, DavMetaData, FsError, FsFuture, FsResult, FsStream, GuardedFileSystem, OpenOptions,
    ReadDirMeta,
};
use futures_util::{StreamExt, TryStreamExt, stream};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// What dav-server carries to every call of the file system.
#[derive(Clone)]
pub struct Caller {
    pub tree: Tree,
    pub path: NodePath,
    pub conditions: Conditions,
    pub tokens: Vec<String>,
    failure: Arc<Mutex<Option<Error>>>,
}

impl Caller {
    pub fn new(tree: Tree, path: NodePath, conditions: Conditions, tokens: Vec<String>) -> Self {
        Self { tree, path, conditions, tokens, failure: Arc::default() }
    }

    /// The core's own error, when there was one.
    pub fn failure(&self) -> Option<Error> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn fail(&self, error: Error) -> FsError {
        let answer = plain(&error);
        *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
        answer
    }
}

/// A status close enough for dav-server to stop; the guard answers with the real error.
fn plain(error: &Error) -> FsError {
    match error {
        Error::NotFound(_) => FsError::NotFound,
        Error::Denied { .. } => FsError::Forbidden,
        _ => FsError::GeneralFailure,
    }
}

#[derive(Clone)]
pub struct Adapter;

impl GuardedFileSystem<Caller> for Adapter {
    fn open<'a>(
        &'a self,
        _path: &'a DavPath,
        options: OpenOptions,
        caller: &'a Caller,
    ) -> FsFuture<'a, Box<dyn DavFile>> {
        Box::pin(async move {
            let node = caller.tree.stat(&caller.path).await.map_err(|error| caller.fail(error))?;
            if node.is_collection() {
                return Err(caller.fail(Error::IsACollection(caller.path.to_string())));
            }
            if !options.write {
                return Ok(Box::new(Reading { caller: caller.clone(), node, at: 0, ahead: None }) as _);
            }
            caller
                .conditions
                .check_write(Some(&node), &caller.path.to_string())
                .map_err(|error| caller.fail(error))?;
            let Some(expected) = options.size else { return Err(FsError::NotImplemented) };
            let start = if options.append { node.size } else { 0 };
            Ok(Box::new(Patching { caller: caller.clone(), node, start, expected, received: 0, sink: None })
                as _)
        })
    }

    fn read_dir<'a>(
        &'a self,
        _path: &'a DavPath,
        _meta: ReadDirMeta,
        _caller: &'a Caller,
    ) -> FsFuture<'a, FsStream<Box<dyn DavDirEntry>>> {
        Box::pin(async { Err(FsError::NotImplemented) })
    }

    fn metadata<'a>(&'a self, _path: &'a DavPath, caller: &'a Caller) -> FsFuture<'a, Box<dyn DavMetaData>> {
        Box::pin(async move {
            let node = caller.tree.stat(&caller.path).await.map_err(|error| plain(&error))?;
            Ok(Box::new(Attributes(node)) as _)
        })
    }

    fn symlink_metadata<'a>(
        &'a self,
        path: &'a DavPath,
        caller: &'a Caller,
    ) -> FsFuture<'a, Box<dyn DavMetaData>> {
        self.metadata(path, caller)
    }
}

#[derive(Debug, Clone)]
struct Attributes(Node);

fn system_time(ns: i64) -> SystemTime {
    match u64::try_from(ns) {
        Ok(ns) => UNIX_EPOCH + Duration::from_nanos(ns),
        Err(_) => UNIX_EPOCH,
    }
}

impl DavMetaData for Attributes {
    fn len(&self) -> u64 {
        self.0.size
    }

    fn modified(&self) -> FsResult<SystemTime> {
        Ok(system_time(self.0.mtime_ns))
    }

    fn created(&self) -> FsResult<SystemTime> {
        Ok(system_time(self.0.created_ns))
    }

    fn is_dir(&self) -> bool {
        self.0.is_collection()
    }

    fn etag(&self) -> Option<String> {
        (!self.0.etag.is_empty()).then(|| self.0.etag.clone())
    }
}

/// Only the content that was there when the file was opened; another one in between is an error.
fn only(node: &Node) -> Conditions {
    Conditions { if_match: Some(ETags::List(vec![node.etag.clone()])), ..Conditions::default() }
}

async fn bytes_from(caller: &Caller, node: &Node, range: RangeSpec) -> Result<ByteStream, Error> {
    let options = ReadOptions { range: Some(range), conditions: only(node), version: None };
    let read = caller.tree.read(&caller.path, &options).await?;
    Ok(read.bits.into_stream())
}

/// A file being read range by range.
struct Reading {
    caller: Caller,
    node: Node,
    at: u64,
    /// What comes at `at`, and what was taken from it but not asked for yet.
    ahead: Option<(Bytes, ByteStreamCell)>,
}

/// `DavFile` must be `Sync`; a stream is not. It is only ever touched through `&mut`.
type ByteStreamCell = Mutex<ByteStream>;

impl fmt::Debug for Reading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reading").field("node", &self.node.id).field("at", &self.at).finish()
    }
}

impl Reading {
    async fn next(&mut self, count: usize) -> Result<Bytes, Error> {
        if self.at >= self.node.size {
            return Err(Error::RangeNotSatisfiable { size: self.node.size });
        }
        let (mut bytes, mut rest) = match self.ahead.take() {
            Some(ahead) => ahead,
            None => {
                let rest = bytes_from(&self.caller, &self.node, RangeSpec::From(self.at, None)).await?;
                (Bytes::new(), Mutex::new(rest))
            }
        };
        while bytes.is_empty() {
            let stream = rest.get_mut().unwrap_or_else(PoisonError::into_inner);
            bytes = match stream.try_next().await? {
                Some(bytes) => bytes,
                // Answering with nothing would make dav-server send zeros instead.
                None => return Err(Error::BrokenBody("the file ended early".into())),
            };
        }
        let piece = bytes.split_to(count.min(bytes.len()));
        self.at += piece.len() as u64;
        self.ahead = Some((bytes, rest));
        Ok(piece)
    }
}

impl DavFile for Reading {
    fn metadata(&mut self) -> FsFuture<'_, Box<dyn DavMetaData>> {
        let node = self.node.clone();
        Box::pin(async move { Ok(Box::new(Attributes(node)) as _) })
    }

    fn write_buf(&mut self, _buf: Box<dyn Buf + Send>) -> FsFuture<'_, ()> {
        Box::pin(async { Err(FsError::Forbidden) })
    }

    fn write_bytes(&mut self, _bytes: Bytes) -> FsFuture<'_, ()> {
        Box::pin(async { Err(FsError::Forbidden) })
    }

    fn read_bytes(&mut self, count: usize) -> FsFuture<'_, Bytes> {
        Box::pin(async move { self.next(count).await.map_err(|error| self.caller.fail(error)) })
    }

    fn seek(&mut self, to: SeekFrom) -> FsFuture<'_, u64> {
        Box::pin(async move {
            let SeekFrom::Start(at) = to else { return Err(FsError::NotImplemented) };
            if at != self.at {
                self.ahead = None;
                self.at = at;
            }
            Ok(at)
        })
    }

    fn flush(&mut self) -> FsFuture<'_, ()> {
        Box::pin(async { Ok(()) })
    }
}

/// A file being patched: its new content is what stands before the patch, the patch, and what
/// stands behind it, written as one leaf on condition that the old content is still there.
struct Patching {
    caller: Caller,
    node: Node,
    start: u64,
    expected: u64,
    received: u64,
    sink: Option<Sink>,
}

struct Sink {
    pieces: mpsc::Sender<Piece>,
    outcome: JoinHandle<Result<Written, Error>>,
}

enum Piece {
    Bytes(Bytes),
    /// The patch is whole. Without this the write fails, and nothing of it stays.
    End,
}

impl fmt::Debug for Patching {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Patching").field("node", &self.node.id).field("start", &self.start).finish()
    }
}

impl Patching {
    fn begin(&self) -> Sink {
        let (pieces, receiver) = mpsc::channel(4);
        let (caller, node) = (self.caller.clone(), self.node.clone());
        let (start, end) = (self.start, self.start.saturating_add(self.expected));
        let outcome = tokio::spawn(async move {
            let part = |from: u64, to: u64| {
                let (caller, node) = (caller.clone(), node.clone());
                stream::once(async move {
                    if from >= to {
                        return Ok(Box::pin(stream::empty()) as ByteStream);
                    }
                    bytes_from(&caller, &node, RangeSpec::From(from, Some(to - 1))).await
                })
                .try_flatten()
            };
            let body: ByteStream =
                Box::pin(part(0, start).chain(patch(receiver)).chain(part(end, node.size)));
            let mut attributes = node.attributes.clone();
            attributes.forget_bytes();
            let how = Write {
                conditions: only(&node),
                size: Some(node.size.max(end)),
                mime: given_mime(&node),
                attributes,
                tokens: caller.tokens.clone(),
                ..Write::default()
            };
            caller.tree.write(&caller.path, body, how).await
        });
        Sink { pieces, outcome }
    }

    async fn put(&mut self, bytes: Bytes) {
        self.received += bytes.len() as u64;
        if self.sink.is_none() {
            self.sink = Some(self.begin());
        }
        if let Some(sink) = &self.sink {
            // A receiver that is gone has failed; `finish` learns why.
            let _ = sink.pieces.send(Piece::Bytes(bytes)).await;
        }
    }

    async fn finish(&mut self) -> Result<(), Error> {
        if self.received != self.expected {
            return Err(Error::LengthMismatch { expected: self.expected, received: self.received });
        }
        let sink = self.sink.take().unwrap_or_else(|| self.begin());
        let _ = sink.pieces.send(Piece::End).await;
        drop(sink.pieces);
        self.node = sink.outcome.await.map_err(Error::internal)??.node;
        Ok(())
    }
}

/// The pieces as a body that ends well only behind [`Piece::End`].
fn patch(receiver: mpsc::Receiver<Piece>) -> impl futures_util::Stream<Item = Result<Bytes, Error>> + Send {
    stream::try_unfold(Some(receiver), |receiver| async move {
        let Some(mut receiver) = receiver else { return Ok(None) };
        match receiver.recv().await {
            Some(Piece::Bytes(bytes)) => Ok(Some((bytes, Some(receiver)))),
            Some(Piece::End) => Ok(None),
            None => Err(Error::BrokenBody("the patch ended early".into())),
        }
    })
}

impl DavFile for Patching {
    fn metadata(&mut self) -> FsFuture<'_, Box<dyn DavMetaData>> {
        let node = self.node.clone();
        Box::pin(async move { Ok(Box::new(Attributes(node)) as _) })
    }

    fn write_buf(&mut self, mut buf: Box<dyn Buf + Send>) -> FsFuture<'_, ()> {
        let bytes = buf.copy_to_bytes(buf.remaining());
        self.write_bytes(bytes)
    }

    fn write_bytes(&mut self, bytes: Bytes) -> FsFuture<'_, ()> {
        Box::pin(async move {
            self.put(bytes).await;
            Ok(())
        })
    }

    fn read_bytes(&mut self, _count: usize) -> FsFuture<'_, Bytes> {
        Box::pin(async { Err(FsError::Forbidden) })
    }

    fn seek(&mut self, to: SeekFrom) -> FsFuture<'_, u64> {
        Box::pin(async move {
            match to {
                // Behind the end there would be a hole; dav-server makes this a 416.
                SeekFrom::Start(at) if at > self.node.size => Err(FsError::GeneralFailure),
                SeekFrom::Start(0) if self.start > 0 => Ok(self.start),
                SeekFrom::Start(at) => {
                    self.start = at;
                    Ok(at)
                }
                SeekFrom::End(_) | SeekFrom::Current(_) => Err(FsError::NotImplemented),
            }
        })
    }

    fn flush(&mut self) -> FsFuture<'_, ()> {
        Box::pin(async move { self.finish().await.map_err(|error| self.caller.fail(error)) })
    }
}
