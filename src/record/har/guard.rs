//! The bytes of a file on their way to the JSON reader: byte order mark, size, nesting.
//!
//! The JSON reader has a limit of depth for what it keeps, but none for what it skips.

use std::io::{BufRead, Read};

use super::error::HarError;

/// Deeper than any HAR is; initiator stacks of browsers are the deepest part known.
const DEPTH_MAX: usize = 256;

/// Passes bytes on until one of the limits is reached, and then remembers which.
pub struct Guard<R> {
    inner: R,
    limit: u64,
    passed: u64,
    depth: usize,
    in_string: bool,
    escaped: bool,
    pub refused: Option<Refused>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    Size,
    Depth,
}

impl<R: BufRead> Guard<R> {
    /// Skips a byte order mark, and refuses what is no UTF-8 text from its first bytes.
    pub fn new(mut inner: R, limit: u64) -> Result<Self, HarError> {
        let start = inner.fill_buf()?;
        match start {
            [] => return Err(HarError::NotHar("the file is empty")),
            [0xef, 0xbb, 0xbf, ..] => inner.consume(3),
            [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => {
                return Err(HarError::NotHar("it is UTF-16; save it as UTF-8"));
            }
            [0x1f, 0x8b, ..] | [0x78, 0x01 | 0x5e | 0x9c | 0xda, ..] => {
                return Err(HarError::NotHar("it is compressed; unpack it first"));
            }
            _ => {}
        }
        Ok(Self { inner, limit, passed: 0, depth: 0, in_string: false, escaped: false, refused: None })
    }

    fn look(&mut self, byte: u8) {
        if self.in_string {
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' => self.escaped = true,
                b'"' => self.in_string = false,
                _ => {}
            }
            return;
        }
        match byte {
            b'"' => self.in_string = true,
            b'{' | b'[' => self.depth += 1,
            b'}' | b']' => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
    }
}

impl<R: BufRead> Read for Guard<R> {
    /// Called for a byte at a time by the JSON reader, so that what is refused is where it reads.
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let count = self.inner.read(into)?;
        self.passed += count as u64;
        for byte in into.iter().take(count) {
            self.look(*byte);
        }
        if self.passed > self.limit {
            self.refused = Some(Refused::Size);
        } else if self.depth > DEPTH_MAX {
            self.refused = Some(Refused::Depth);
        }
        match self.refused {
            Some(_) => Err(std::io::Error::other("refused")),
            None => Ok(count),
        }
    }
}
