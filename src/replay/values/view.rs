//! A text with its percent-encoding undone, and the way back.

use std::ops::Range;

pub fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

/// One decoded byte: where it stands in the text, and how often it is encoded there.
#[derive(Debug, Clone, Copy)]
struct Origin {
    start: usize,
    end: usize,
    times: u8,
}

pub struct View<'a> {
    text: &'a str,
    /// `None`: nothing is encoded, the text is its own view.
    decoded: Option<(Vec<u8>, Vec<Origin>)>,
}

impl<'a> View<'a> {
    pub fn of(text: &'a str) -> Self {
        let bytes = text.as_bytes();
        if !bytes.contains(&b'%') {
            return Self { text, decoded: None };
        }
        let mut decoded = Vec::with_capacity(bytes.len());
        let mut origins = Vec::with_capacity(bytes.len());
        let mut at = 0;
        while let Some(byte) = bytes.get(at) {
            let (byte, length, times) = escape(bytes, at).unwrap_or((*byte, 1, 0));
            decoded.push(byte);
            origins.push(Origin { start: at, end: at + length, times });
            at += length;
        }
        Self { text, decoded: Some((decoded, origins)) }
    }

    pub fn bytes(&self) -> &[u8] {
        self.decoded.as_ref().map_or(self.text.as_bytes(), |(bytes, _)| bytes)
    }

    /// The part of the text that the decoded bytes `start..end` stand for.
    pub fn place(&self, start: usize, end: usize) -> Range<usize> {
        let Some((_, origins)) = &self.decoded else { return start..end };
        let first = origins.get(start).map_or(self.text.len(), |origin| origin.start);
        let last = end.checked_sub(1).and_then(|at| origins.get(at)).map_or(first, |origin| origin.end);
        first..last.max(first)
    }

    /// `with` in the place of `start..end`: encoded as often as that was, reserved characters left alone
    /// where that had them plain.
    pub fn encode(&self, start: usize, end: usize, with: &str, target: bool) -> String {
        let times = self.origins(start, end).map(|origin| origin.times).max().unwrap_or(0);
        let mut plain: Vec<u8> = Vec::new();
        for (at, byte) in self.bytes().iter().enumerate().take(end).skip(start) {
            let times =
                self.decoded.as_ref().and_then(|(_, origins)| origins.get(at)).map_or(0, |one| one.times);
            if times == 0 {
                plain.push(*byte);
            }
        }
        match times {
            0 if !target => with.to_owned(),
            0 | 1 => encode(with, &plain),
            _ => encode(&encode(with, &plain), &plain),
        }
    }

    fn origins(&self, start: usize, end: usize) -> impl Iterator<Item = &Origin> {
        let origins = self.decoded.as_ref().and_then(|(_, origins)| origins.get(start..end));
        origins.unwrap_or_default().iter()
    }
}

/// `%2F`, and `%252F` of what was encoded twice.
fn escape(bytes: &[u8], at: usize) -> Option<(u8, usize, u8)> {
    let hex = |at: usize| {
        let digit = |at: usize| bytes.get(at).and_then(|byte| char::from(*byte).to_digit(16));
        u8::try_from(digit(at)? * 16 + digit(at + 1)?).ok()
    };
    if bytes.get(at) != Some(&b'%') {
        return None;
    }
    let byte = hex(at + 1)?;
    match (byte, hex(at + 3)) {
        (b'%', Some(inner)) => Some((inner, 5, 2)),
        _ => Some((byte, 3, 1)),
    }
}

fn encode(text: &str, plain: &[u8]) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        let free = byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
        if free || (byte != b'%' && byte.is_ascii_graphic() && plain.contains(&byte)) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}
