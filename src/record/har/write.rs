//! Writing: a file that is a whole HAR after every entry.
//!
//! The closing brackets are written with each entry and written over by the next one, so a recorder
//! that is killed leaves what it had. Indented by one space down to the fields of an exchange, what
//! lies deeper (a header, a cookie) on one line: a line of difference is a line of meaning.

use std::fs::File;
use std::io::{self, Seek as _, SeekFrom, Write as _};
use std::path::Path;

use serde::Serialize as _;

use super::entry::Entry;
use super::layout::Layout;
use crate::exchange::Exchange;

const CLOSING: &str = "\n  ]\n }\n}\n";

pub struct Writer {
    file: File,
    /// Where the closing brackets begin.
    end: u64,
    written: usize,
}

impl Writer {
    /// Begins a file, in place of one that is there.
    pub fn create(path: impl AsRef<Path>, comment: Option<&str>) -> io::Result<Self> {
        Self::begin(File::create(path)?, comment)
    }

    /// Begins a file; one that is there is an error.
    pub fn create_new(path: impl AsRef<Path>, comment: Option<&str>) -> io::Result<Self> {
        Self::begin(File::create_new(path)?, comment)
    }

    fn begin(mut file: File, comment: Option<&str>) -> io::Result<Self> {
        let mut start = String::from("{\n \"log\": {\n  \"version\": \"1.2\",\n  \"creator\": ");
        start.push_str(&format!(
            "{{ \"name\": \"cellgate\", \"version\": \"{}\" }},\n",
            env!("CARGO_PKG_VERSION")
        ));
        if let Some(comment) = comment {
            start.push_str(&format!("  \"comment\": {},\n", serde_json::to_string(comment)?));
        }
        start.push_str("  \"entries\": [");
        let end = start.len() as u64;
        start.push_str(CLOSING);
        file.write_all(start.as_bytes())?;
        Ok(Self { file, end, written: 0 })
    }

    /// Writes an entry behind those that are there. Its number is its place, not what it says.
    pub fn append(&mut self, exchange: &Exchange) -> io::Result<()> {
        let mut text = Vec::from(if self.written == 0 { "\n   " } else { ",\n   " });
        let mut json = serde_json::Serializer::with_formatter(&mut text, Layout::new(3));
        Entry::of(exchange).serialize(&mut json)?;
        let end = self.end + text.len() as u64;
        text.extend_from_slice(CLOSING.as_bytes());
        self.file.seek(SeekFrom::Start(self.end))?;
        // One call, so that a kill falls before or after it.
        self.file.write_all(&text)?;
        self.end = end;
        self.written += 1;
        Ok(())
    }

    /// A writer whose every entry fails.
    #[cfg(test)]
    pub fn read_only_for_test(path: &Path) -> Self {
        #[allow(clippy::unwrap_used)]
        Self { file: File::open(path).unwrap(), end: 0, written: 0 }
    }

    /// Entries written so far.
    pub fn written(&self) -> usize {
        self.written
    }
}
