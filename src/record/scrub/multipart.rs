//! Multipart forms: text fields as parameters, files as they are.

use std::ops::Range;

use bytes::Bytes;

use super::scan::Scan;

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
