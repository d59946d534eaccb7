//! HAR 1.2 files, as browsers, mitmproxy, Charles and our own recorder write them.

mod error;

use std::io::Read;
use std::path::Path;

pub use error::HarError;

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
    pub fn read(_path: impl AsRef<Path>, _limits: &Limits) -> Result<Self, HarError> {
        Err(HarError::NotHar("reading is not built yet"))
    }

    pub fn read_from(_reader: impl Read, _limits: &Limits) -> Result<Self, HarError> {
        Err(HarError::NotHar("reading is not built yet"))
    }

    pub fn write(&self, _path: impl AsRef<Path>) -> std::io::Result<()> {
        Err(std::io::Error::other("writing is not built yet"))
    }
}
