//! The bytes of an archive in the tree, by offset.
//!
//! Every read asks for the same ETag, so what is put together from several reads is of one content.

use bytes::{Bytes, BytesMut};
use futures_util::TryStreamExt;

use crate::error::{Error, Result};
use crate::http::conditional::{Conditions, ETags};
use crate::http::range::RangeSpec;
use crate::node::Node;
use crate::path::NodePath;
use crate::ports::ByteStream;
use crate::tree::{ReadOptions, Tree, into_stream};

/// What is read at a time; also the most that [`Ranged::bytes`] hands out.
pub(super) const WINDOW_BYTES: u64 = 256 * 1024;

#[derive(Clone)]
pub(super) struct Ranged {
    tree: Tree,
    pub(super) path: NodePath,
    pub(super) node: Node,
    window: Bytes,
    window_at: u64,
}

impl Ranged {
    pub(super) fn new(tree: Tree, path: NodePath, node: Node) -> Self {
        Self { tree, path, node, window: Bytes::new(), window_at: 0 }
    }

    pub(super) fn size(&self) -> u64 {
        self.node.size
    }

    /// Exactly the bytes `[at, at + length)`, or the archive is damaged.
    pub(super) async fn bytes(&mut self, at: u64, length: u64) -> Result<Bytes> {
        let end = at.checked_add(length).filter(|end| *end <= self.size() && length <= WINDOW_BYTES);
        let end = end.ok_or_else(|| self.damaged("it ends too early"))?;
        if at < self.window_at || end > self.window_at + self.window.len() as u64 {
            let until = at.saturating_add(WINDOW_BYTES).min(self.size());
            let mut read = self.stream(at, until).await?;
            let mut window = BytesMut::new();
            while let Some(bytes) = read.try_next().await? {
                window.extend_from_slice(&bytes);
            }
            (self.window, self.window_at) = (window.freeze(), at);
        }
        let from = usize::try_from(at - self.window_at).map_err(Error::internal)?;
        let to = usize::try_from(end - self.window_at).map_err(Error::internal)?;
        if to > self.window.len() {
            return Err(Error::internal("a read handed out less than it was asked for"));
        }
        Ok(self.window.slice(from..to))
    }

    /// The bytes `[start, end)` as they come.
    pub(super) async fn stream(&self, start: u64, end: u64) -> Result<ByteStream> {
        if start >= end {
            return Ok(Box::pin(futures_util::stream::empty()));
        }
        if end > self.size() {
            return Err(self.damaged("it ends too early"));
        }
        let options = ReadOptions {
            range: Some(RangeSpec::From(start, Some(end - 1))),
            conditions: Conditions {
                if_match: Some(ETags::List(vec![self.node.etag.clone()])),
                ..Conditions::default()
            },
            version: None,
        };
        match self.tree.read(&self.path, &options).await {
            Ok(read) => Ok(into_stream(read.bits)),
            Err(Error::PreconditionFailed(_)) => {
                Err(Error::Unavailable(format!("`{}` changed while it was read", self.path)))
            }
            Err(error) => Err(error),
        }
    }

    pub(super) fn damaged(&self, why: &str) -> Error {
        Error::InvalidArgument(format!("`{}` cannot be read as an archive: {why}", self.path))
    }
}
