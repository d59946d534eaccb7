//! Uploads in parts: S3 multipart, Seafile chunks, Pydio 8 partial uploads are one mechanism.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::node::{Attributes, Content};
use crate::principal::Door;

/// Highest part number (S3's limit, and ours).
pub const PART_MAX: u32 = 10_000;

/// An upload that is going on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Upload {
    pub id: Uuid,
    /// Where the node will be, as its principal names it (`/<workspace>/…`).
    pub path: String,
    /// The datasource that holds the parts.
    pub datasource: String,
    pub principal: String,
    pub door: Door,
    pub created_ns: i64,
    pub expires_ns: i64,
    pub mime: Option<String>,
    pub mtime_ns: Option<i64>,
    pub attributes: Attributes,
}

/// A part that is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    pub upload: Uuid,
    /// 1 to [`PART_MAX`].
    pub number: u32,
    pub size: u64,
    /// MD5, hex.
    pub etag: String,
    /// [`Content::Inline`], [`Content::Blob`], or [`Content::Extents`] of another leaf's.
    pub content: Content,
    pub at_ns: i64,
    /// Further digests, `checksum:<algorithm>` → base64.
    pub digests: Attributes,
}
