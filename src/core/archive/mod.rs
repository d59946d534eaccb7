//! Archives: made of the tree on the way out, and read as if they were folders.
//!
//! | file | what |
//! |---|---|
//! | `pack` | which nodes an archive is made of; its bytes as a stream |
//! | `engine` | the sequence of entries as bytes: zip, tar, gzip around it |
//! | `zip_write`, `tar_write` | headers and directories of the two formats |
//! | `spool` | a zip's directory, kept aside once it is large |
//! | `selection` | lists of nodes that are to be downloaded as one archive |
//! | `members` | what is inside an archive of the tree: look up, list, read |
//! | `ranged`, `inflate` | bytes of the archive, plain and decompressed |
//! | `zip_read`, `tar_read` | the entries of an archive, one after the other |
//!
//! Making an archive reads the tree page by page and holds one page, one piece of one leaf and the
//! state of one compressor. Each leaf is opened once, so its content is whole; one that cannot be
//! read to its end breaks the stream off, because an archive that was closed over it would look
//! whole. What compresses or decompresses runs off the request threads.
//!
//! Known gaps: members of archives in archives, sparse files, links and devices in tar, zip
//! compression other than deflate, encrypted members, archives in several volumes.

mod engine;
mod inflate;
mod members;
mod pack;
mod ranged;
mod selection;
mod spool;
mod tar_read;
mod tar_write;
mod zip_read;
mod zip_write;

#[cfg(test)]
mod tests;

pub use members::Member;
pub use pack::Pack;
pub(crate) use selection::KIND as SELECTION;

use crate::error::{Error, Result};

/// What kind of archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Zip,
    Tar,
    TarGz,
}

impl Format {
    /// The format that a name promises, and the name without its ending.
    pub fn of_name(name: &str) -> Option<(Self, &str)> {
        [(".zip", Self::Zip), (".tar", Self::Tar), (".tar.gz", Self::TarGz)].into_iter().find_map(
            |(ending, format)| {
                let (stem, rest) = name.split_at_checked(name.len().checked_sub(ending.len())?)?;
                (!stem.is_empty() && rest.eq_ignore_ascii_case(ending)).then_some((format, stem))
            },
        )
    }

    pub fn mime(self) -> &'static str {
        match self {
            Self::Zip => "application/zip",
            Self::Tar => "application/x-tar",
            Self::TarGz => "application/gzip",
        }
    }
}

/// Less than this is computed in place: handing it to another thread costs more.
const INLINE_BYTES: usize = 4 * 1024;

/// Runs what takes computing off the request threads, if it is worth it.
async fn compute<T: Send + 'static>(weight: usize, work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    if weight <= INLINE_BYTES {
        return Ok(work());
    }
    tokio::task::spawn_blocking(work).await.map_err(Error::internal)
}
