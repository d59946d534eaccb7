//! Content before its place.
//!
//! A multipart form may carry a file before the fields that say where it goes (Seadroid, n8n and many
//! curl lines do). So its bytes are taken in first, as durable as any, and get their path when it is
//! known: one commit, like every write.

use crate::error::{Error, Result};
use crate::path::NodePath;
use crate::ports::ByteStream;
use crate::tree::content::Received;
use crate::tree::write::Dress;
use crate::tree::{Tree, Write, Written};

/// Bytes that were taken in whole and are no node's yet. Dropped, they leave nothing.
pub struct Draft {
    datasource: String,
    received: Received,
}

impl Tree {
    /// Takes in a body for some path in the collection `near`, which must be writable.
    pub async fn draft(&self, near: &NodePath, body: ByteStream) -> Result<Draft> {
        let place = self.place_below_root(near, "write").await?;
        self.require_write(&place, &self.find_at(&place).await?, "write")?;
        let received = self.receive(&place.mounted, body, &mut Write::default()).await?;
        Ok(Draft { datasource: place.mounted.name.clone(), received })
    }

    /// Writes a leaf from a draft, under the same rules as [`Tree::write`]. What `how` says of the
    /// body itself (size, digests) is too late here.
    pub async fn write_draft(&self, path: &NodePath, draft: Draft, mut how: Write) -> Result<Written> {
        if how.size.is_some() || !how.checksums.is_empty() || how.late.is_some() {
            return Err(Error::NotImplemented("checking a body after it was taken in"));
        }
        let place = self.place_below_root(path, "write").await?;
        if place.mounted.name != draft.datasource {
            return Err(Error::Conflict(format!("`{path}` is in another datasource")));
        }
        self.check_leaf(&place, &self.find_at(&place).await?, &how)?;
        let dress = Dress::of(&draft.received, &mut how);
        self.commit_leaf(place, draft.received.bytes, dress, how).await
    }
}
