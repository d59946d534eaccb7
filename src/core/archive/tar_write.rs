//! Tar as GNU writes it: names of any length in a record of their own, sizes of any size in base 256.
//! Every tar that is in use reads that, the one of busybox included, which skips pax records.

use tar::{EntryType, Header};

use crate::archive::engine::Entry;
use crate::error::{Error, Result};

const BLOCK_BYTES: u64 = 512;
/// A name that is this long or shorter fits into the header.
const NAME_MAX_BYTES: usize = 100;

#[derive(Default)]
pub(super) struct TarWriter {
    expected: u64,
    size: u64,
}

impl TarWriter {
    pub(super) fn begin(&mut self, entry: &Entry, out: &mut Vec<u8>) -> Result<()> {
        let name = entry.name.as_bytes();
        if name.len() > NAME_MAX_BYTES {
            let length = name.len() as u64 + 1;
            header(b"././@LongLink", EntryType::GNULongName, length, 0o644, 0, out)?;
            out.extend_from_slice(name);
            out.push(0);
            pad(length, out);
        }
        let (kind, mode) = match entry.collection {
            true => (EntryType::Directory, 0o755),
            false => (EntryType::Regular, 0o644),
        };
        let name = name.get(..NAME_MAX_BYTES).unwrap_or(name);
        header(name, kind, entry.size, mode, u64::try_from(entry.mtime_s).unwrap_or(0), out)?;
        *self = Self { expected: entry.size, size: 0 };
        Ok(())
    }

    pub(super) fn content(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        self.size += bytes.len() as u64;
        out.extend_from_slice(bytes);
    }

    pub(super) fn end(&mut self, out: &mut Vec<u8>) -> Result<()> {
        if self.size != self.expected {
            return Err(Error::internal("a leaf has another size than it said"));
        }
        pad(self.size, out);
        Ok(())
    }

    /// Two empty blocks.
    pub(super) fn trailer() -> Vec<u8> {
        vec![0; 1024]
    }
}

fn header(name: &[u8], kind: EntryType, size: u64, mode: u32, mtime: u64, out: &mut Vec<u8>) -> Result<()> {
    let mut header = Header::new_gnu();
    let fields = header.as_gnu_mut().ok_or_else(|| Error::internal("a tar header of another form"))?;
    for (to, from) in fields.name.iter_mut().zip(name) {
        *to = *from;
    }
    header.set_entry_type(kind);
    header.set_size(size);
    header.set_mode(mode);
    header.set_mtime(mtime);
    header.set_uid(0);
    header.set_gid(0);
    header.set_cksum();
    out.extend_from_slice(header.as_bytes());
    Ok(())
}

/// Fills the last block of a content.
fn pad(size: u64, out: &mut Vec<u8>) {
    let missing = usize::try_from((BLOCK_BYTES - size % BLOCK_BYTES) % BLOCK_BYTES).unwrap_or(0);
    out.resize(out.len() + missing, 0);
}
