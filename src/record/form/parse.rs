//! A form taken apart while it passes, in bounded memory.
//!
//! Only what is well-formed to the letter is taken apart (RFC 7578, RFC 2046 5.1): a server may read
//! anything else in another way. Of fields and of files each at most `limit` bytes are kept in all.

use super::{Content, DISPOSITION, Form, Part, disposition};
use crate::copy::Copy;

/// Of one part.
const HEAD_MAX: usize = 16 * 1024;
const PARTS_MAX: usize = 1000;
/// RFC 2046 allows 70.
const BOUNDARY_MAX: usize = 200;
/// White space behind a boundary.
const PADDING_MAX: usize = 64;

pub struct Parser {
    /// With the line end before it, which belongs to it.
    delimiter: Vec<u8>,
    state: State,
    /// What could be the beginning of something.
    pending: Vec<u8>,
    length: u64,
    parts: Vec<Part>,
    fields_left: usize,
    files_left: usize,
}

enum State {
    /// Nothing may stand before the first boundary.
    Start,
    Delimited,
    Head,
    Content(Box<(Part, Copy)>),
    /// Behind the last boundary, where a line end may stand.
    End,
    Broken,
}

impl Parser {
    /// `None` for what is no boundary.
    pub fn new(boundary: &str, limit: usize) -> Option<Self> {
        let proper =
            !boundary.is_empty() && boundary.len() <= BOUNDARY_MAX && !boundary.contains(['\r', '\n']);
        proper.then(|| Self {
            delimiter: format!("\r\n--{boundary}").into_bytes(),
            state: State::Start,
            pending: b"\r\n".to_vec(),
            length: 0,
            parts: Vec::new(),
            fields_left: limit,
            files_left: limit,
        })
    }

    pub fn push(&mut self, bytes: &[u8]) {
        self.length += bytes.len() as u64;
        if matches!(self.state, State::Broken) {
            return;
        }
        self.pending.extend_from_slice(bytes);
        let mut pending = std::mem::take(&mut self.pending);
        let mut done = 0;
        while let Some(used) = self.step(pending.get(done..).unwrap_or_default()) {
            done += used;
        }
        if matches!(self.state, State::Broken) {
            pending = Vec::new();
        } else {
            pending.drain(..done);
        }
        self.pending = pending;
    }

    /// The form, if it was one and is whole.
    pub fn finish(self) -> Option<Form> {
        let whole = matches!(self.state, State::End) && matches!(self.pending.as_slice(), b"" | b"\r\n");
        (whole && !self.parts.is_empty()).then_some(Form { length: self.length, parts: self.parts })
    }

    /// How many bytes are done with; `None` where more are needed first.
    fn step(&mut self, bytes: &[u8]) -> Option<usize> {
        match std::mem::replace(&mut self.state, State::Broken) {
            State::Start => {
                let seen = bytes.get(..self.delimiter.len());
                if seen == Some(&self.delimiter) {
                    self.state = State::Delimited;
                    return Some(self.delimiter.len());
                }
                if seen.is_none() && self.delimiter.starts_with(bytes) {
                    self.state = State::Start;
                }
                None
            }
            State::Delimited => self.delimited(bytes),
            State::Head => self.head(bytes),
            State::Content(part) => self.content(part, bytes),
            State::End => {
                if b"\r\n".starts_with(bytes) {
                    self.state = State::End;
                }
                None
            }
            State::Broken => None,
        }
    }

    fn delimited(&mut self, bytes: &[u8]) -> Option<usize> {
        if bytes.starts_with(b"--") {
            self.state = State::End;
            return Some(2);
        }
        let padding = bytes.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        let rest = bytes.get(padding..).unwrap_or_default();
        if rest.starts_with(b"\r\n") {
            self.state = State::Head;
            return Some(padding + 2);
        }
        if padding < PADDING_MAX && (b"\r\n".starts_with(rest) || bytes == b"-") {
            self.state = State::Delimited;
        }
        None
    }

    fn head(&mut self, bytes: &[u8]) -> Option<usize> {
        let within = bytes.get(..bytes.len().min(HEAD_MAX)).unwrap_or_default();
        let Some(end) = find(within, b"\r\n\r\n") else {
            if bytes.len() < HEAD_MAX {
                self.state = State::Head;
            }
            return None;
        };
        let part = part(bytes.get(..end)?)?;
        if self.parts.len() >= PARTS_MAX {
            return None;
        }
        let left = if part.is_file() { self.files_left } else { self.fields_left };
        self.state = State::Content(Box::new((part, Copy::new(left))));
        Some(end + 4)
    }

    fn content(&mut self, mut content: Box<(Part, Copy)>, bytes: &[u8]) -> Option<usize> {
        let Some(at) = find(bytes, &self.delimiter) else {
            // The rest may be the beginning of a delimiter.
            let safe = bytes.len().saturating_sub(self.delimiter.len() - 1);
            content.1.push(bytes.get(..safe)?);
            self.state = State::Content(content);
            return (safe > 0).then_some(safe);
        };
        content.1.push(bytes.get(..at)?);
        let (mut part, copy) = *content;
        part.content = copy.payload().into();
        if let Content::Bytes(bytes) = &part.content {
            let left = if part.is_file() { &mut self.files_left } else { &mut self.fields_left };
            *left = left.saturating_sub(bytes.len());
        }
        self.parts.push(part);
        self.state = State::Delimited;
        Some(at + self.delimiter.len())
    }
}

/// A part without its content. `None` for what has no name.
fn part(head: &[u8]) -> Option<Part> {
    let head = std::str::from_utf8(head).ok()?;
    let mut part = Part {
        name: String::new(),
        file_name: None,
        content_type: None,
        headers: Vec::new(),
        content: Content::Bytes(bytes::Bytes::new()),
    };
    let mut said = None;
    for line in head.split("\r\n") {
        let (name, value) = line.split_once(':')?;
        let value = value.trim_matches([' ', '\t']);
        let token = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_graphic());
        // A folded line goes on from the one before; nobody has sent them for long.
        if !token || value.contains(['\r', '\n', '\0']) {
            return None;
        }
        match name.to_ascii_lowercase().as_str() {
            DISPOSITION if said.is_none() => said = Some((name, value)),
            "content-type" if part.content_type.is_none() => part.content_type = Some(value.to_owned()),
            _ => part.headers.push((name.to_owned(), value.to_owned())),
        }
    }
    let (header, value) = said?;
    part.name = parameter(value, "name")?;
    part.file_name = parameter(value, "filename").or_else(|| extended(value));
    if disposition(&part.name, part.file_name.as_deref()) != value {
        part.headers.insert(0, (header.to_owned(), value.to_owned()));
    }
    Some(part)
}

/// A parameter of `Content-Disposition`, as it is written between its quotes.
fn parameter(value: &str, wanted: &str) -> Option<String> {
    let mut rest = value;
    while let Some((_, after)) = rest.split_once(';') {
        let (name, after) = after.split_once('=')?;
        let text = match after.strip_prefix('"') {
            Some(quoted) => {
                let mut escaped = false;
                let end = quoted.bytes().position(|byte| {
                    let ends = byte == b'"' && !escaped;
                    escaped = byte == b'\\' && !escaped;
                    ends
                })?;
                rest = quoted.get(end + 1..)?;
                quoted.get(..end)?
            }
            None => {
                let end = after.find(';').unwrap_or(after.len());
                rest = after.get(end..)?;
                after.get(..end)?.trim()
            }
        };
        if name.trim().eq_ignore_ascii_case(wanted) {
            return Some(text.to_owned());
        }
    }
    None
}

/// `filename*=UTF-8''a%20b`
fn extended(value: &str) -> Option<String> {
    let text = parameter(value, "filename*")?;
    let encoded = text.splitn(3, '\'').nth(2)?;
    Some(percent_encoding::percent_decode_str(encoded).decode_utf8_lossy().into_owned())
}

/// Both begin with the rare byte that is looked for first.
fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    let first = *wanted.first()?;
    let mut from = 0;
    loop {
        let at = from + bytes.get(from..)?.iter().position(|byte| *byte == first)?;
        if bytes.get(at..)?.starts_with(wanted) {
            return Some(at);
        }
        from = at + 1;
    }
}
