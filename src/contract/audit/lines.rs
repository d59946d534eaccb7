//! The lines of a log file, one at a time, also of a compressed one.
//!
//! Memory does not grow with the file, nor with a line: what is longer than [`LONGEST`] is cut.

use std::io::{self, BufRead, BufReader, Read};

use flate2::bufread::MultiGzDecoder;

/// Longest line that is kept; nginx and Apache refuse longer requests by default.
pub const LONGEST: usize = 64 * 1024;

const BUFFER: usize = 256 * 1024;

pub struct Lines<'r> {
    reader: Box<dyn BufRead + 'r>,
    line: Vec<u8>,
}

impl<'r> Lines<'r> {
    /// Of a text, or of gzip, which its first bytes tell.
    pub fn of(reader: impl Read + 'r) -> io::Result<Self> {
        let mut reader = BufReader::with_capacity(BUFFER, reader);
        let compressed = reader.fill_buf()?.starts_with(&[0x1f, 0x8b]);
        let reader: Box<dyn BufRead + 'r> = if compressed {
            // Rotation appends members.
            Box::new(BufReader::with_capacity(BUFFER, MultiGzDecoder::new(reader)))
        } else {
            Box::new(reader)
        };
        Ok(Self { reader, line: Vec::new() })
    }

    /// The next line, without its end.
    pub fn next(&mut self) -> io::Result<Option<&[u8]>> {
        self.line.clear();
        let read = (&mut self.reader).take(LONGEST as u64).read_until(b'\n', &mut self.line)?;
        if read == 0 {
            return Ok(None);
        }
        if self.line.last() == Some(&b'\n') {
            self.line.pop();
        } else if read == LONGEST {
            self.reader.skip_until(b'\n')?;
        }
        if self.line.last() == Some(&b'\r') {
            self.line.pop();
        }
        Ok(Some(&self.line))
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn all(bytes: &[u8]) -> Vec<Vec<u8>> {
        let mut lines = Lines::of(bytes).unwrap();
        let mut found = Vec::new();
        while let Some(line) = lines.next().unwrap() {
            found.push(line.to_vec());
        }
        found
    }

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        writer.write_all(text).unwrap();
        writer.finish().unwrap()
    }

    #[test]
    fn ends_of_lines_are_taken_off() {
        assert_eq!(all(b"a\r\n\nb"), [b"a".to_vec(), b"".to_vec(), b"b".to_vec()]);
        assert_eq!(all(b""), Vec::<Vec<u8>>::new());
    }

    #[test]
    fn gzip_of_several_members_is_read() {
        let members = [gzip(b"a\nb\n"), gzip(b"c\n")].concat();
        assert_eq!(all(&members), [b"a".to_vec(), b"b".to_vec(), b"c".to_vec()]);
    }

    #[test]
    fn a_truncated_gzip_is_an_error() {
        let whole = gzip(&b"10.0.0.7 - - \n".repeat(1000));
        let mut lines = Lines::of(&whole[..whole.len() / 2]).unwrap();
        let error = loop {
            match lines.next() {
                Ok(Some(_)) => {}
                Ok(None) => panic!("a file that broke off was read to its end"),
                Err(error) => break error,
            }
        };
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
    }

    #[test]
    fn a_long_line_is_cut_and_the_next_one_is_whole() {
        let text = [b"x".repeat(LONGEST * 3), b"\nnext\n".to_vec()].concat();
        let lines = all(&text);
        assert_eq!(lines.iter().map(Vec::len).collect::<Vec<_>>(), [LONGEST, 4]);
        let exact = [b"x".repeat(LONGEST - 1), b"\nnext\n".to_vec()].concat();
        assert_eq!(all(&exact).iter().map(Vec::len).collect::<Vec<_>>(), [LONGEST - 1, 4]);
    }
}
