//! Reading: small files whole, larger ones in pieces, blobs as open files.
//!
//! What the page cache holds is read on the spot (`RWF_NOWAIT`), which costs less than handing it to
//! another thread; only what must come from the disk is. The file is opened before the answer, so
//! a later rename, replacement or removal does not disturb a reader.

use std::io::IoSliceMut;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;

use bytes::Bytes;
use cellgate_core::error::{Error, Result};
use cellgate_core::ports::{Bits, ByteStream, OpenFile, Stamp, Stretch};
use futures_util::stream;
use rustix::fs::{self, Advice, FileType, Stat};
use rustix::io::{self, Errno, ReadWriteFlags, retry_on_intr};

use super::buffers::Buffer;
use super::fault::fault;
use super::offload::offload;

/// Largest answer that comes whole, and the size of a stream's pieces.
pub const PIECE_BYTES: u64 = 256 * 1024;
/// Of a blob, larger answers are handed out as the open file: copying them would cost more.
const WHOLE_BYTES: u64 = 16 * 1024;

/// What a file says of itself.
pub fn stamp(stat: &Stat) -> Stamp {
    Stamp {
        size: if is(stat, FileType::RegularFile) { u64::try_from(stat.st_size).unwrap_or(0) } else { 0 },
        // Widths differ between architectures.
        #[allow(clippy::useless_conversion, clippy::unnecessary_fallible_conversions)]
        mtime_ns: i64::from(stat.st_mtime)
            .saturating_mul(1_000_000_000)
            .saturating_add(i64::try_from(stat.st_mtime_nsec).unwrap_or(0)),
    }
}

pub fn is(stat: &Stat, kind: FileType) -> bool {
    FileType::from_raw_mode(stat.st_mode) == kind
}

/// An open file and what it must stay like.
#[derive(Debug)]
pub struct Opened {
    fd: OwnedFd,
    datasource: String,
    /// For the log: the blob's id or the path.
    what: String,
    /// A file in an adopted folder: its name for the caller, and its stamp in the index.
    expected: Option<(String, Stamp)>,
}

impl Opened {
    /// A blob of ours: nobody changes it.
    pub fn blob(fd: OwnedFd, datasource: &str, what: String) -> Self {
        Self { fd, datasource: datasource.to_owned(), what, expected: None }
    }

    /// A file that others may change: it must be a regular file and bear this stamp.
    pub fn file(fd: OwnedFd, datasource: &str, what: String, shown: String, stamp: Stamp) -> Result<Self> {
        let opened = Self { fd, datasource: datasource.to_owned(), what, expected: Some((shown, stamp)) };
        opened.check()?;
        Ok(opened)
    }

    /// Fails when the file is no longer what the index believes.
    pub fn check(&self) -> Result<()> {
        let Some((shown, expected)) = &self.expected else { return Ok(()) };
        let stat = fs::fstat(&self.fd).map_err(|errno| self.fault(errno))?;
        if is(&stat, FileType::RegularFile) && stamp(&stat) == *expected {
            return Ok(());
        }
        Err(changed(shown))
    }

    pub fn fault(&self, errno: Errno) -> Error {
        fault(&self.datasource, &format!("read {}", self.what), errno)
    }

    /// Another handle on the same open file.
    pub fn try_clone(&self) -> std::io::Result<OwnedFd> {
        self.fd.try_clone()
    }

    fn short(&self, offset: u64) -> Error {
        Error::internal(format!("datasource `{}`: {} ends at byte {offset}", self.datasource, self.what))
    }

    /// Fills `buffer` from `offset`. Answers how far it came: all of it, unless the file ends or
    /// `flags` forbid waiting.
    fn fill(&self, buffer: &mut [u8], offset: u64, flags: ReadWriteFlags) -> Result<usize, Errno> {
        let mut filled = 0;
        while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            let mut slices = [IoSliceMut::new(rest)];
            let at = offset + filled as u64;
            match retry_on_intr(|| io::preadv2(&self.fd, &mut slices, at, flags)) {
                Ok(0) => break,
                Ok(read) => filled += read,
                // Not in memory, or a file system that cannot tell.
                Err(_) if !flags.is_empty() => break,
                Err(errno) => return Err(errno),
            }
        }
        Ok(filled)
    }

    /// Fills all of `buffer`, off the request threads as soon as the disk is needed.
    async fn fill_whole(self: Arc<Self>, mut buffer: Buffer, offset: u64) -> Result<Buffer> {
        let ready = self.fill(buffer.as_mut(), offset, ReadWriteFlags::NOWAIT).unwrap_or(0);
        if ready == buffer.as_ref().len() {
            return Ok(buffer);
        }
        let at = offset + ready as u64;
        offload(move || {
            let rest = buffer.as_mut().get_mut(ready..).unwrap_or_default();
            let (want, got) = (rest.len(), self.fill(rest, at, ReadWriteFlags::empty()));
            match got.map_err(|errno| self.fault(errno))? {
                got if got == want => Ok(buffer),
                got => Err(self.short(at + got as u64)),
            }
        })
        .await?
    }
}

impl AsFd for Opened {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// The error that makes the core look again.
pub fn changed(shown: &str) -> Error {
    Error::Unavailable(format!("`{shown}` changed on disk"))
}

/// Reads `[start, end)`.
pub async fn read(opened: Opened, start: u64, end: u64) -> Result<Bits> {
    let size = end.saturating_sub(start);
    if size > PIECE_BYTES {
        // Only advice: a larger read-ahead window.
        let _ = fs::fadvise(&opened, start, std::num::NonZeroU64::new(size), Advice::Sequential);
    }
    let opened = Arc::new(opened);
    // What others may change has to be looked at after it was read.
    if size > WHOLE_BYTES && opened.expected.is_none() {
        return Ok(Bits::File(Stretch { file: opened, start, end }));
    }
    if size > PIECE_BYTES {
        return Ok(Bits::Stream(pieces(opened, start, end)));
    }
    let buffer = Buffer::of(usize::try_from(size).map_err(Error::internal)?);
    let buffer = opened.clone().fill_whole(buffer, start).await?;
    // Written to while it was read.
    opened.check()?;
    Ok(Bits::Whole(Bytes::from_owner(buffer)))
}

impl OpenFile for Opened {
    fn fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }

    /// Looks at both ends: what lies between was read ahead with them, or is soon.
    fn is_cached(&self, start: u64, end: u64) -> bool {
        let mut byte = [0];
        [start, end.saturating_sub(1)]
            .into_iter()
            .all(|at| self.fill(&mut byte, at, ReadWriteFlags::NOWAIT).is_ok_and(|read| read == 1))
    }

    fn stream(self: Arc<Self>, start: u64, end: u64) -> ByteStream {
        pieces(self, start, end)
    }
}

fn pieces(opened: Arc<Opened>, start: u64, end: u64) -> ByteStream {
    Box::pin(stream::try_unfold((opened, start), move |(opened, at)| async move {
        if at >= end {
            return Ok(None);
        }
        let size = (end - at).min(PIECE_BYTES);
        let buffer = Buffer::of(usize::try_from(size).map_err(Error::internal)?);
        let buffer = opened.clone().fill_whole(buffer, at).await?;
        if at + size == end {
            opened.check()?;
        }
        Ok(Some((Bytes::from_owner(buffer), (opened, at + size))))
    }))
}
