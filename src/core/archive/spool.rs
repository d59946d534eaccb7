//! The directory of a zip until its entries have ended.
//!
//! It grows with the number of entries, and memory must not: beyond a size it is kept in the
//! staging area of a datasource, like a body that has no place yet.

use std::sync::Arc;

use bytes::Bytes;

use crate::core::Mounted;
use crate::error::Result;
use crate::ports::{ByteStream, Source, Staging};
use crate::tree::{StagedGuard, into_stream};

/// Some 4,000 entries.
const HELD_MAX_BYTES: usize = 512 * 1024;

pub(super) struct Spool {
    mounted: Arc<Mounted>,
    held: Vec<u8>,
    staging: Option<Box<dyn Staging>>,
    pub(super) size: u64,
}

impl Spool {
    pub(super) fn new(mounted: Arc<Mounted>) -> Self {
        Self { mounted, held: Vec::new(), staging: None, size: 0 }
    }

    pub(super) async fn push(&mut self, bytes: Vec<u8>) -> Result<()> {
        self.size += bytes.len() as u64;
        self.held.extend_from_slice(&bytes);
        if self.held.len() >= HELD_MAX_BYTES {
            self.put_aside().await?;
        }
        Ok(())
    }

    async fn put_aside(&mut self) -> Result<()> {
        let staging = match &mut self.staging {
            Some(staging) => staging,
            None => self.staging.insert(self.mounted.bytes.stage(None).await?),
        };
        staging.write(std::mem::take(&mut self.held).into()).await
    }

    /// Everything that was pushed. What was put aside goes when the answer is dropped.
    pub(super) async fn replay(mut self) -> Result<Replay> {
        if self.staging.is_none() {
            let held = Bytes::from(self.held);
            return Ok(Replay { bytes: into_stream(crate::ports::Bits::Whole(held)), _staged: None });
        }
        self.put_aside().await?;
        let Some(staging) = self.staging.take() else {
            return Err(crate::Error::internal("a spool without its file"));
        };
        let guard = StagedGuard::new(self.mounted.clone(), staging.finish().await?);
        let bits = self.mounted.bytes.read(Source::Blob(guard.blob()), 0, self.size).await?;
        Ok(Replay { bytes: into_stream(bits), _staged: Some(guard) })
    }
}

pub(super) struct Replay {
    pub(super) bytes: ByteStream,
    _staged: Option<StagedGuard>,
}
