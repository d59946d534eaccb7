//! JSON that is indented down to a depth and on one line below it.

use std::io::{self, Write};

use serde_json::ser::Formatter;

/// Containers at this depth and above stand on lines of their own: the entry, its request and its
/// answer, their lists.
const DEPTH: usize = 3;

pub struct Layout {
    /// Spaces in front of everything.
    offset: usize,
    depth: usize,
    filled: bool,
}

impl Layout {
    pub fn new(offset: usize) -> Self {
        Self { offset, depth: 0, filled: false }
    }

    fn begin<W: ?Sized + Write>(&mut self, writer: &mut W, bracket: &[u8]) -> io::Result<()> {
        self.depth += 1;
        self.filled = false;
        writer.write_all(bracket)
    }

    fn between<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        if !first {
            writer.write_all(b",")?;
        }
        self.next(writer)
    }

    fn next<W: ?Sized + Write>(&self, writer: &mut W) -> io::Result<()> {
        if self.depth > DEPTH {
            return writer.write_all(b" ");
        }
        writer.write_all(b"\n")?;
        write!(writer, "{:1$}", "", self.offset + self.depth)
    }

    fn end<W: ?Sized + Write>(&mut self, writer: &mut W, bracket: &[u8]) -> io::Result<()> {
        if self.filled {
            match self.depth > DEPTH {
                true => writer.write_all(b" ")?,
                false => {
                    self.depth -= 1;
                    self.next(writer)?;
                    self.depth += 1;
                }
            }
        }
        self.depth -= 1;
        self.filled = true;
        writer.write_all(bracket)
    }
}

impl Formatter for Layout {
    fn begin_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.begin(writer, b"[")
    }

    fn end_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.end(writer, b"]")
    }

    fn begin_array_value<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        self.between(writer, first)
    }

    fn end_array_value<W: ?Sized + Write>(&mut self, _writer: &mut W) -> io::Result<()> {
        self.filled = true;
        Ok(())
    }

    fn begin_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.begin(writer, b"{")
    }

    fn end_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.end(writer, b"}")
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        self.between(writer, first)
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b": ")
    }

    fn end_object_value<W: ?Sized + Write>(&mut self, _writer: &mut W) -> io::Result<()> {
        self.filled = true;
        Ok(())
    }
}
