//! Multipart forms: text fields as parameters, files as they are.

use std::ops::Range;

use bytes::Bytes;

use super::ledger::Ledger;
use super::scan::Scan;
use crate::form::{Content, Form};

impl Scan<'_> {
    /// `None` where nothing changed.
    pub fn multipart(&mut self, body: &Bytes, boundary: &str) -> Option<Bytes> {
        let mut out = Vec::with_capacity(body.len());
        let mut copied = 0;
        for part in parts(body, boundary) {
            let Some(value) =
                body.get(part.content.clone()).and_then(|value| std::str::from_utf8(value).ok())
            else {
                continue;
            };
            let new = match part.file {
                true => None,
                false => self.parameter(&part.name, value, false),
            };
            if let Some(new) = new {
                out.extend_from_slice(body.get(copied..part.content.start)?);
                out.extend_from_slice(new.as_bytes());
                copied = part.content.end;
            }
        }
        out.extend_from_slice(body.get(copied..)?);
        (out != *body).then(|| out.into())
    }
}

impl Scan<'_> {
    /// The fields of a form whose files are left out.
    pub fn form(&mut self, form: &mut Form) {
        for part in form.parts.iter_mut().filter(|part| !part.is_file()) {
            let Some(value) = part.content.bytes().and_then(|bytes| std::str::from_utf8(bytes).ok()) else {
                continue;
            };
            if let Some(new) = self.parameter(&part.name, value, false) {
                part.content = Content::Bytes(new.into());
            }
        }
    }
}

pub fn form_by_value(form: &mut Form, ledger: &Ledger) {
    for part in &mut form.parts {
        let heads = part.headers.iter_mut().map(|(_, value)| value);
        for text in heads.chain(&mut part.file_name).chain([&mut part.name]) {
            if let Some(new) = ledger.replaced(text) {
                *text = new;
            }
        }
        let text = part.content.bytes().and_then(|bytes| std::str::from_utf8(bytes).ok());
        if let Some(new) = text.and_then(|text| ledger.replaced(text)) {
            part.content = Content::Bytes(new.into());
        }
    }
}

/// All texts of a form in which a name may stand.
pub fn texts(form: &Form) -> impl Iterator<Item = &str> {
    form.parts.iter().flat_map(|part| {
        let heads = part.headers.iter().map(|(_, value)| value.as_str());
        let text = part.content.bytes().and_then(|bytes| std::str::from_utf8(bytes).ok());
        heads.chain(part.file_name.as_deref()).chain([part.name.as_str()]).chain(text)
    })
}

pub struct Part {
    pub name: String,
    pub file: bool,
    pub content: Range<usize>,
}

/// The parts of a body; nothing of what does not follow the form, as the end of a cut-off one.
pub fn parts(body: &[u8], boundary: &str) -> Vec<Part> {
    let delimiter = format!("--{boundary}").into_bytes();
    let mut parts = Vec::new();
    let Some(mut at) = find(body, &delimiter, 0) else { return parts };
    loop {
        let head = at + delimiter.len();
        let Some(head_end) = find(body, b"\r\n\r\n", head) else { return parts };
        let start = head_end + 4;
        let Some(next) = find(body, &delimiter, start) else { return parts };
        let end =
            if next >= start + 2 && body.get(next - 2..next) == Some(b"\r\n") { next - 2 } else { next };
        let head = String::from_utf8_lossy(body.get(head..head_end).unwrap_or_default()).into_owned();
        let disposition = head
            .lines()
            .find_map(|line| {
                line.split_once(':').filter(|(name, _)| name.eq_ignore_ascii_case("content-disposition"))
            })
            .map(|(_, value)| value.to_owned())
            .unwrap_or_default();
        let name = parameter(&disposition, "name").unwrap_or_default();
        let file =
            parameter(&disposition, "filename").or_else(|| parameter(&disposition, "filename*")).is_some();
        parts.push(Part { name, file, content: start..end });
        at = next;
    }
}

fn parameter(disposition: &str, wanted: &str) -> Option<String> {
    disposition.split(';').skip(1).find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case(wanted).then(|| value.trim().trim_matches('"').to_owned())
    })
}

fn find(body: &[u8], wanted: &[u8], from: usize) -> Option<usize> {
    body.get(from..)?.windows(wanted.len()).position(|window| window == wanted).map(|at| from + at)
}
