//! Files on their way in.
//!
//! Small content waits in memory and is created, written and made durable in one step off the
//! request threads; larger content goes to the file in batches.

use std::fs::File;
use std::io::{self, IoSlice, Write};
use std::num::NonZeroU64;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use cellgate_core::error::{Error, Result};
use cellgate_core::ports::{Staged, Staging};
use rustix::fs::{self, Advice};
use uuid::Uuid;

use super::area::Area;
use super::fault::errno;
use super::offload::offload;

/// Bytes gathered before a system call.
const BATCH_BYTES: usize = 256 * 1024;
/// How much is written before the disk is told to begin with it: what has gone out while the rest
/// still came need not be waited for at the end.
const WRITEBACK_BYTES: u64 = 16 << 20;
/// Pieces below this are copied together instead of kept: one byte must not hold on to the network
/// buffer it came in.
const COPIED_BYTES: usize = 4 * 1024;
/// Freeing the blocks of a larger file takes long enough to be worth a thread.
const QUICK_UNLINK_BYTES: u64 = 64 << 20;

/// A file being written into staging.
pub struct FsStaging {
    /// `None` after a failure: what is on disk is incomplete and gone.
    draft: Option<Box<Draft>>,
}

impl FsStaging {
    pub fn new(area: Arc<Area>) -> Self {
        Self { draft: Some(Box::new(Draft::new(area))) }
    }

    fn take(&mut self) -> Result<Box<Draft>> {
        self.draft.take().ok_or_else(|| Error::internal("a staged file was written to after a failure"))
    }
}

#[async_trait]
impl Staging for FsStaging {
    async fn write(&mut self, bytes: Bytes) -> Result<()> {
        let mut draft = self.take()?;
        draft.push(bytes);
        if draft.waiting >= BATCH_BYTES {
            draft = offload(move || draft.flush().map(|()| draft)).await??;
        }
        self.draft = Some(draft);
        Ok(())
    }

    async fn finish(mut self: Box<Self>) -> Result<Staged> {
        let mut draft = self.take()?;
        // The draft comes back unkept: should this future be dropped meanwhile, so is the file.
        draft = offload(move || draft.settle().map(|()| draft)).await??;
        Ok(draft.keep())
    }
}

/// A staged file that removes itself unless it is kept.
pub struct Draft {
    area: Arc<Area>,
    id: Uuid,
    file: Option<File>,
    queue: Vec<Bytes>,
    /// Small pieces, copied together; after everything in `queue`.
    tail: BytesMut,
    waiting: usize,
    written: u64,
    /// Where the bytes begin that the disk has not been told of.
    told: u64,
    kept: bool,
}

impl Draft {
    pub fn new(area: Arc<Area>) -> Self {
        Self {
            area,
            id: Uuid::new_v4(),
            file: None,
            queue: Vec::new(),
            tail: BytesMut::new(),
            waiting: 0,
            written: 0,
            told: 0,
            kept: false,
        }
    }

    fn push(&mut self, bytes: Bytes) {
        self.waiting += bytes.len();
        if bytes.len() < COPIED_BYTES {
            self.tail.extend_from_slice(&bytes);
        } else {
            self.end_tail();
            self.queue.push(bytes);
        }
    }

    fn end_tail(&mut self) {
        if !self.tail.is_empty() {
            self.queue.push(self.tail.split().freeze());
        }
    }

    /// The file, created at its first use.
    pub fn file(&mut self) -> Result<&mut File> {
        if self.file.is_none() {
            let file =
                self.area.create(self.id).map_err(|errno| self.area.fault("create a staged file", errno))?;
            self.file = Some(file);
        }
        self.file.as_mut().ok_or_else(|| Error::internal("a staged file is not open"))
    }

    /// Notes bytes that were written past the queue, straight into [`Draft::file`].
    pub fn note_written(&mut self, bytes: u64) {
        self.written += bytes;
    }

    fn flush(&mut self) -> Result<()> {
        self.end_tail();
        let queue = std::mem::take(&mut self.queue);
        let outcome = write_all(self.file()?, &queue);
        outcome.map_err(|error| self.area.fault("write a staged file", errno(&error)))?;
        self.written += self.waiting as u64;
        self.waiting = 0;
        self.begin_writeback();
        Ok(())
    }

    /// Starts writing to the disk, without waiting. `DONTNEED` on bytes that were just written does
    /// that and no more: they stay cached for as long as they are dirty.
    fn begin_writeback(&mut self) {
        let Some(new) = NonZeroU64::new(self.written - self.told) else { return };
        if self.area.relaxed() || new.get() < WRITEBACK_BYTES {
            return;
        }
        if let Some(file) = &self.file {
            // Only advice: the sync at the end is what counts.
            let _ = fs::fadvise(file, self.told, Some(new), Advice::DontNeed);
        }
        self.told = self.written;
    }

    /// Writes what waits and makes all of it durable.
    pub fn settle(&mut self) -> Result<()> {
        self.flush()?;
        match &self.file {
            Some(file) => self.area.settle(file),
            None => Ok(()),
        }
    }

    /// Leaves the file in staging, under its id.
    pub fn keep(mut self) -> Staged {
        self.kept = true;
        Staged { blob: self.id, size: self.written }
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if self.kept || self.file.is_none() {
            return;
        }
        let (area, id, file) = (self.area.clone(), self.id, self.file.take());
        let clean = move || {
            area.discard(id);
            // The blocks are freed with the last handle.
            drop(file);
        };
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) if self.written > QUICK_UNLINK_BYTES => drop(runtime.spawn_blocking(clean)),
            _ => clean(),
        }
    }
}

fn write_all(file: &mut File, pieces: &[Bytes]) -> io::Result<()> {
    let mut slices: Vec<IoSlice<'_>> = pieces.iter().map(|piece| IoSlice::new(piece)).collect();
    let mut rest = slices.as_mut_slice();
    while !rest.is_empty() {
        match file.write_vectored(rest) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => IoSlice::advance_slices(&mut rest, written),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
