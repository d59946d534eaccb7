//! The entries of a tar, one header after the other; of a compressed one, in passing.

use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt as _, stream};
use tar::{EntryType, Header, PaxExtensions};

use crate::archive::inflate::Inflate;
use crate::archive::ranged::Ranged;
use crate::error::{Error, Result};
use crate::ports::ByteStream;

const BLOCK_BYTES: usize = 512;
/// Longest record that says more of the next entry: names and pax values.
const RECORD_MAX_BYTES: u64 = 64 * 1024;
/// A compressed tar is read so far: as much as it holds compressed, times this.
const GROWTH_MAX: u64 = 200;
/// Small ones may grow more.
const GROWTH_FREE_BYTES: u64 = 256 * 1024 * 1024;

pub(super) struct TarReader {
    source: Source,
    /// What is left of the last entry, with its padding.
    skip: u64,
}

enum Source {
    Plain { archive: Ranged, at: u64 },
    Gzip { archive: Ranged, inflate: Inflate, held: Bytes },
}

pub(super) struct TarEntry {
    pub(super) name: String,
    pub(super) collection: bool,
    pub(super) size: u64,
    pub(super) mtime_s: i64,
}

/// What records before an entry say of it.
#[derive(Default)]
struct Said {
    name: Option<Vec<u8>>,
    size: Option<u64>,
    mtime_s: Option<i64>,
    sparse: bool,
}

impl TarReader {
    pub(super) fn plain(archive: Ranged) -> Self {
        Self { source: Source::Plain { archive, at: 0 }, skip: 0 }
    }

    pub(super) async fn gzip(archive: Ranged) -> Result<Self> {
        let limit = archive.size().saturating_mul(GROWTH_MAX).max(GROWTH_FREE_BYTES);
        let bytes = archive.stream(0, archive.size()).await?;
        let inflate = Inflate::gzip(bytes, limit, archive.path.to_string());
        Ok(Self { source: Source::Gzip { archive, inflate, held: Bytes::new() }, skip: 0 })
    }

    /// The next file or folder. Its content comes next, until this is called again.
    pub(super) async fn next(&mut self) -> Result<Option<TarEntry>> {
        let mut said = Said::default();
        loop {
            let skip = std::mem::take(&mut self.skip);
            self.source.skip(skip).await?;
            let Some(block) = self.source.block().await? else { return Ok(None) };
            if block.iter().all(|byte| *byte == 0) {
                return Ok(None);
            }
            let header = Header::from_byte_slice(&block);
            if !is_header(header, &block) {
                return Err(self.damaged("a header is broken"));
            }
            let kind = header.entry_type();
            let mut size = header.entry_size().map_err(|_| self.damaged("a size is broken"))?;
            let is_record = matches!(
                kind,
                EntryType::GNULongName
                    | EntryType::GNULongLink
                    | EntryType::XHeader
                    | EntryType::XGlobalHeader
            );
            if !is_record {
                size = said.size.unwrap_or(size);
            }
            self.skip = size
                .checked_next_multiple_of(BLOCK_BYTES as u64)
                .ok_or_else(|| self.damaged("a size is broken"))?;
            match kind {
                EntryType::GNULongName | EntryType::XHeader => {
                    let record = self.record(size).await?;
                    said.read(kind, &record);
                    continue;
                }
                EntryType::GNULongLink | EntryType::XGlobalHeader => continue,
                _ => {}
            }
            let said = std::mem::take(&mut said);
            let name = said.name.unwrap_or_else(|| header.path_bytes().into_owned());
            let collection = match kind {
                EntryType::Directory => true,
                // Before POSIX, a folder was a file whose name ends in a slash.
                EntryType::Regular | EntryType::Continuous => name.ends_with(b"/"),
                _ => continue,
            };
            let Some(name) = String::from_utf8(name).ok().filter(|_| !said.sparse) else { continue };
            let mtime_s = said.mtime_s.unwrap_or_else(|| {
                header.mtime().ok().and_then(|mtime| i64::try_from(mtime).ok()).unwrap_or(0)
            });
            return Ok(Some(TarEntry { name, collection, size: if collection { 0 } else { size }, mtime_s }));
        }
    }

    pub(super) fn is_seekable(&self) -> bool {
        matches!(self.source, Source::Plain { .. })
    }

    /// The content of the entry that [`TarReader::next`] handed out last; `[start, end)` of it where
    /// the archive is seekable.
    pub(super) async fn open(self, size: u64, span: Option<(u64, u64)>) -> Result<ByteStream> {
        match self.source {
            Source::Plain { archive, at } => {
                let (from, to) = span.unwrap_or((0, size));
                archive.stream(at.saturating_add(from), at.saturating_add(to)).await
            }
            Source::Gzip { archive, inflate, held } => {
                let state = (archive, inflate, held, size);
                let content =
                    stream::try_unfold(state, |(archive, mut inflate, mut held, left)| async move {
                        if left == 0 {
                            return Ok(None);
                        }
                        if held.is_empty() {
                            held =
                                inflate.next().await?.ok_or_else(|| archive.damaged("it ends too early"))?;
                        }
                        let piece =
                            held.split_to(held.len().min(usize::try_from(left).unwrap_or(usize::MAX)));
                        let left = left - piece.len() as u64;
                        Ok(Some((piece, (archive, inflate, held, left))))
                    });
                Ok(content.boxed())
            }
        }
    }

    /// The content of a record, which is skipped to the end of its last block.
    async fn record(&mut self, size: u64) -> Result<Bytes> {
        if size > RECORD_MAX_BYTES {
            return Err(self.damaged("a name is too long"));
        }
        let length = usize::try_from(self.skip).map_err(Error::internal)?;
        self.skip = 0;
        let record = self.source.exact(length).await?;
        let record = record.ok_or_else(|| self.damaged("it ends too early"))?;
        Ok(record.slice(..usize::try_from(size).map_err(Error::internal)?))
    }

    pub(super) fn archive(&self) -> &Ranged {
        match &self.source {
            Source::Plain { archive, .. } | Source::Gzip { archive, .. } => archive,
        }
    }

    fn damaged(&self, why: &str) -> Error {
        self.archive().damaged(why)
    }
}

impl Said {
    fn read(&mut self, kind: EntryType, record: &[u8]) {
        if kind == EntryType::GNULongName {
            self.name = record.split(|byte| *byte == 0).next().map(<[u8]>::to_vec);
            return;
        }
        for extension in PaxExtensions::new(record).flatten() {
            match (extension.key(), extension.value()) {
                (Ok("path"), _) => self.name = Some(extension.value_bytes().to_vec()),
                (Ok("size"), Ok(size)) => self.size = size.parse().ok(),
                (Ok("mtime"), Ok(mtime)) => {
                    self.mtime_s = mtime.split('.').next().and_then(|seconds| seconds.parse().ok());
                }
                (Ok(key), _) if key.starts_with("GNU.sparse.") => self.sparse = true,
                _ => {}
            }
        }
    }
}

impl Source {
    /// The next block; `None` at the end, as of a tar that was cut behind an entry.
    async fn block(&mut self) -> Result<Option<Bytes>> {
        if let Self::Plain { archive, at } = self
            && *at == archive.size()
        {
            return Ok(None);
        }
        self.exact(BLOCK_BYTES).await
    }

    /// So many bytes; `None` when the content ended right before them.
    async fn exact(&mut self, length: usize) -> Result<Option<Bytes>> {
        match self {
            Self::Plain { archive, at } => {
                let bytes = archive.bytes(*at, length as u64).await?;
                *at += length as u64;
                Ok(Some(bytes))
            }
            Self::Gzip { archive, inflate, held } => {
                let mut whole = BytesMut::new();
                while whole.len() < length {
                    if held.is_empty() {
                        match inflate.next().await? {
                            Some(bytes) => *held = bytes,
                            None if whole.is_empty() => return Ok(None),
                            None => return Err(archive.damaged("it ends too early")),
                        }
                    }
                    whole.extend_from_slice(&held.split_to(held.len().min(length - whole.len())));
                }
                Ok(Some(whole.freeze()))
            }
        }
    }

    async fn skip(&mut self, mut length: u64) -> Result<()> {
        match self {
            Self::Plain { archive, at } => {
                let to = at.checked_add(length).filter(|to| *to <= archive.size());
                *at = to.ok_or_else(|| archive.damaged("it ends too early"))?;
            }
            Self::Gzip { archive, inflate, held } => {
                while length > 0 {
                    if held.is_empty() {
                        *held = inflate.next().await?.ok_or_else(|| archive.damaged("it ends too early"))?;
                    }
                    let some = held.len().min(usize::try_from(length).unwrap_or(usize::MAX));
                    let _ = held.split_to(some);
                    length -= some as u64;
                }
            }
        }
        Ok(())
    }
}

/// Whether a block has the checksum of a header: the sum of its bytes, its own field as blanks.
fn is_header(header: &Header, block: &[u8]) -> bool {
    let sum: u32 = block
        .iter()
        .enumerate()
        .map(|(at, byte)| if (148..156).contains(&at) { 32 } else { u32::from(*byte) })
        .sum();
    header.cksum().is_ok_and(|written| written == sum)
}
