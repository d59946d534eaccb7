//! Uploads in parts.

use uuid::Uuid;

use crate::error::{Error, Result};
use crate::node::Attributes;
use crate::path::NodePath;
use crate::ports::ByteStream;
use crate::tree::{Tree, Write, Written};
use crate::upload::{Part, Upload};

/// A part as the client believes it is stored.
#[derive(Debug, Clone)]
pub struct PartRef {
    pub number: u32,
    /// Without quotes; `None` does not check.
    pub etag: Option<String>,
}

/// How to complete an upload.
#[derive(Default)]
pub struct Complete {
    /// Parts in ascending order; `None` takes all that are stored.
    pub parts: Option<Vec<PartRef>>,
    /// Smallest part but the last one; 0 does not check.
    pub min_part_bytes: u64,
    /// Conditions, parents and tokens of the write; its size and checksums are of the whole.
    pub write: Write,
}

impl Tree {
    /// Begins an upload to a path that may be written.
    pub async fn create_upload(
        &self,
        path: &NodePath,
        attributes: Attributes,
        mime: Option<String>,
        mtime_ns: Option<i64>,
    ) -> Result<Upload> {
        let _ = (path, attributes, mime, mtime_ns);
        Err(Error::NotImplemented("uploads"))
    }

    /// An upload of this principal to this path.
    pub async fn upload(&self, path: &NodePath, id: Uuid) -> Result<Upload> {
        let _ = (path, id);
        Err(Error::NotImplemented("uploads"))
    }

    /// Stores one part; a part with that number is replaced.
    pub async fn write_part(
        &self,
        path: &NodePath,
        id: Uuid,
        number: u32,
        body: ByteStream,
        how: Write,
    ) -> Result<Part> {
        let _ = (path, id, number, body, how);
        Err(Error::NotImplemented("uploads"))
    }

    /// Parts with a number above `after`, ascending.
    pub async fn parts(&self, path: &NodePath, id: Uuid, after: u32, limit: usize) -> Result<Vec<Part>> {
        let _ = (path, id, after, limit);
        Err(Error::NotImplemented("uploads"))
    }

    /// Open uploads of this principal below a path, in key order.
    pub async fn uploads(&self, below: &NodePath) -> Result<Vec<Upload>> {
        let _ = below;
        Err(Error::NotImplemented("uploads"))
    }

    /// Makes the parts one leaf. The ETag is MD5 over the parts' MD5s, `-`, their number.
    pub async fn complete_upload(&self, path: &NodePath, id: Uuid, how: Complete) -> Result<Written> {
        let _ = (path, id, how);
        Err(Error::NotImplemented("uploads"))
    }

    /// Drops an upload and its parts.
    pub async fn abort_upload(&self, path: &NodePath, id: Uuid) -> Result<()> {
        let _ = (path, id);
        Err(Error::NotImplemented("uploads"))
    }
}
