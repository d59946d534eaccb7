//! Multipart forms in parts: what is kept of one whose contents are too large.
//!
//! A form whose file is left out is still a form: its fields say where the file goes, and have the
//! secrets that have to become names.

mod parse;

use crate::exchange::Payload;

pub use parse::Parser;

/// A form of `multipart/form-data`, part by part.
#[derive(Debug, Clone, PartialEq)]
pub struct Form {
    /// Of the whole body as it was sent.
    pub length: u64,
    pub parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    pub name: String,
    /// `None` for a field.
    pub file_name: Option<String>,
    pub content_type: Option<String>,
    /// Further ones; `Content-Disposition` too where it says more than the names above.
    pub headers: Vec<(String, String)>,
    pub content: Content,
}

/// What a part holds.
#[derive(Debug, Clone, PartialEq)]
pub enum Content {
    Bytes(bytes::Bytes),
    Omitted { length: u64, sha256: Option<String> },
}

impl Content {
    pub fn length(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::Omitted { length, .. } => *length,
        }
    }

    pub fn bytes(&self) -> Option<&bytes::Bytes> {
        match self {
            Self::Bytes(bytes) => Some(bytes),
            Self::Omitted { .. } => None,
        }
    }
}

impl From<Payload> for Content {
    fn from(payload: Payload) -> Self {
        match payload {
            Payload::Bytes(bytes) => Self::Bytes(bytes),
            Payload::Omitted { length, sha256 } => Self::Omitted { length, sha256 },
            Payload::Form(form) => Self::Omitted { length: form.length, sha256: None },
        }
    }
}

impl Form {
    /// Of the body that these parts make with a boundary.
    pub fn rebuilt_length(&self, boundary: &str) -> u64 {
        let line = boundary.len() as u64 + 4;
        let part = |part: &Part| line + part.head().len() as u64 + 2 + part.content.length() + 2;
        self.parts.iter().map(part).sum::<u64>() + line + 2
    }
}

impl Part {
    pub fn is_file(&self) -> bool {
        self.file_name.is_some()
    }

    /// The lines above the content, each with its line end, without the empty one.
    pub fn head(&self) -> String {
        let mut head = String::new();
        let says_more = self.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case(DISPOSITION));
        if !says_more {
            let disposition = disposition(&self.name, self.file_name.as_deref());
            head.push_str(&format!("Content-Disposition: {disposition}\r\n"));
        }
        for (name, value) in self.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case(DISPOSITION)) {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        if let Some(kind) = &self.content_type {
            head.push_str(&format!("Content-Type: {kind}\r\n"));
        }
        for (name, value) in self.headers.iter().filter(|(name, _)| !name.eq_ignore_ascii_case(DISPOSITION)) {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head
    }
}

const DISPOSITION: &str = "content-disposition";

/// As browsers write it; other ways are kept as they are.
fn disposition(name: &str, file_name: Option<&str>) -> String {
    match file_name {
        Some(file_name) => format!("form-data; name=\"{name}\"; filename=\"{file_name}\""),
        None => format!("form-data; name=\"{name}\""),
    }
}

#[cfg(test)]
mod tests;
