//! HAR 1.2 files, as browsers, mitmproxy, Charles and our own recorder write them.
//!
//! Generous with what programs leave out or add, strict with what cannot be understood: then the
//! message names the entry. Fields of our own, as the specification allows them: `_encoding` of
//! `postData` (HAR has base64 for answers only), `_length` and `_sha256` of a body that was left out and
//! of what was left out of a form, `_target` for `OPTIONS *`.
//!
//! Known gaps: the HTTP version and the cache of an entry are not kept; a response body is what the
//! program decoded, so a text in another character set comes as UTF-8.

mod body;
mod convert;
mod cookies;
mod date;
mod entry;
mod error;
pub(crate) mod form;
mod guard;
mod layout;
mod parts;
mod raw;
mod read;
mod url;
mod write;

use std::fs::File;
use std::io::Read;
use std::path::Path;

pub use error::{At, HarError};
pub use write::Writer;

use crate::exchange::Exchange;

/// What a reader takes in before it refuses.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Bytes of the whole file.
    pub file: u64,
    /// Bytes of one body, decoded.
    pub body: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { file: 1 << 30, body: 64 << 20 }
    }
}

#[derive(Debug, Clone, PartialEq)]
pub struct Recording {
    /// `log.comment`: where the recording comes from.
    pub comment: Option<String>,
    /// Name and version of the program that wrote it.
    pub creator: String,
    /// In the order they started; numbered as in the file.
    pub exchanges: Vec<Exchange>,
    /// Entries that are no calls to replay, by number, and why.
    pub skipped: Vec<(usize, String)>,
    /// What a reader of the file should know but need not act on.
    pub notes: Vec<String>,
}

impl Recording {
    pub fn read(path: impl AsRef<Path>, limits: &Limits) -> Result<Self, HarError> {
        let file = File::open(path)?;
        // Known beforehand for a file: no reason to read a gigabyte first.
        if file.metadata()?.len() > limits.file {
            return Err(HarError::FileTooLarge { limit: limits.file });
        }
        Self::read_from(file, limits)
    }

    pub fn read_from(reader: impl Read, limits: &Limits) -> Result<Self, HarError> {
        read::read(reader, limits)
    }

    /// Writes all exchanges into a file, in place of one that is there. A failure half-way leaves
    /// that one as it was.
    pub fn write(&self, path: impl AsRef<Path>) -> std::io::Result<()> {
        let path = path.as_ref();
        let mut part = path.as_os_str().to_owned();
        part.push(".part");
        let written = Writer::create(&part, self.comment.as_deref())
            .and_then(|mut writer| self.exchanges.iter().try_for_each(|exchange| writer.append(exchange)));
        let moved = written.and_then(|()| std::fs::rename(&part, path));
        if moved.is_err() {
            let _ = std::fs::remove_file(&part);
        }
        moved
    }
}

#[cfg(test)]
mod tests;
