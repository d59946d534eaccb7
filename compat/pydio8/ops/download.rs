//! `download`: a file as an attachment, whole or one range of it.
//!
//! The original computes a range's length one byte short; here it is RFC 9110's. Known gap: folders
//! and several nodes as an archive.

use cellgate_core::NodePath;
use cellgate_core::error::Error;
use cellgate_core::http::range::RangeSpec;
use cellgate_core::http::{Response, content, date};
use cellgate_core::tree::ReadOptions;
use http::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, EXPIRES,
    LAST_MODIFIED, PRAGMA, RANGE, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderValue, StatusCode};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::call::Call;
use crate::error::{Fault, NOTHING_SELECTED};
use crate::place::Place;

/// As what a file's bytes are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presentation {
    Attachment,
    Text,
    /// Its own media type; players ask for ranges.
    Media,
}

pub async fn download(call: Call) -> Result<Response, Fault> {
    let selection = call.params.selection();
    match selection.as_slice() {
        [] => Err(Fault::text(NOTHING_SELECTED)),
        [path] => send(&call, &call.place.path(path)?, Presentation::Attachment).await,
        _ => Err(archive()),
    }
}

fn archive() -> Fault {
    Fault::NotBuilt("Download of folders and of several nodes".into())
}

/// Sends a file.
pub async fn send(call: &Call, path: &NodePath, as_what: Presentation) -> Result<Response, Fault> {
    if Place::is_root(path) {
        return Err(archive());
    }
    let ranged = as_what != Presentation::Text;
    let range = call.headers.get(RANGE).filter(|_| ranged).and_then(|value| value.to_str().ok());
    let options = ReadOptions { range: range.and_then(RangeSpec::parse), ..ReadOptions::default() };
    let read = call.tree.read(path, &options).await.map_err(|error| match error {
        Error::IsACollection(_) if as_what == Presentation::Attachment => archive(),
        Error::NotFound(_) | Error::NotACollection(_) | Error::ParentMissing(_) => {
            Fault::text("Cannot find file!")
        }
        error => error.into(),
    })?;
    let node = &read.node;
    let mut headers = HeaderMap::new();
    let mut put = |name, value: String| {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(name, value);
        }
    };
    match as_what {
        Presentation::Attachment => {
            let plain = plain_name(&node.name);
            put(CONTENT_TYPE, format!("application/force-download; name=\"{plain}\""));
            put(CONTENT_DISPOSITION, disposition(&node.name));
            put(EXPIRES, "0".into());
            put(CACHE_CONTROL, "no-cache, must-revalidate".into());
            put(PRAGMA, "no-cache".into());
        }
        Presentation::Text => {
            put(CONTENT_TYPE, "text/plain".into());
            // Or a browser would find a page in somebody's file.
            put(X_CONTENT_TYPE_OPTIONS, "nosniff".into());
        }
        Presentation::Media => {
            put(CONTENT_TYPE, node.mime.clone());
            put(X_CONTENT_TYPE_OPTIONS, "nosniff".into());
        }
    }
    if ranged {
        put(ACCEPT_RANGES, "bytes".into());
    }
    put(LAST_MODIFIED, date::http(node.mtime_ns));
    let (status, length) = match read.range {
        Some(range) => {
            put(CONTENT_RANGE, range.content_range(node.size));
            (StatusCode::PARTIAL_CONTENT, range.len())
        }
        None => (StatusCode::OK, node.size),
    };
    put(CONTENT_LENGTH, length.to_string());
    if as_what == Presentation::Attachment {
        headers.insert("content-transfer-encoding", HeaderValue::from_static("binary"));
    }
    let mut response = content(read.bits);
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    Ok(response)
}

/// The name in ASCII, fit for a quoted string.
fn plain_name(name: &str) -> String {
    let plain = |c: char| if c.is_ascii_graphic() && !matches!(c, '"' | '\\') || c == ' ' { c } else { '_' };
    name.chars().map(plain).collect()
}

/// RFC 6266: a name that ASCII cannot carry comes a second time, encoded.
fn disposition(name: &str) -> String {
    // RFC 5987 `attr-char`.
    const ATTRIBUTE: &AsciiSet = &NON_ALPHANUMERIC
        .remove(b'!')
        .remove(b'#')
        .remove(b'$')
        .remove(b'&')
        .remove(b'+')
        .remove(b'-')
        .remove(b'.')
        .remove(b'^')
        .remove(b'_')
        .remove(b'`')
        .remove(b'|')
        .remove(b'~');
    let plain = plain_name(name);
    if plain == name {
        return format!("attachment; filename=\"{plain}\"");
    }
    let encoded = utf8_percent_encode(name, ATTRIBUTE);
    format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{encoded}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_break_out_of_their_header() {
        assert_eq!(disposition("a.pdf"), "attachment; filename=\"a.pdf\"");
        assert_eq!(
            disposition("é\"\\.pdf"),
            "attachment; filename=\"___.pdf\"; filename*=UTF-8''%C3%A9%22%5C.pdf"
        );
    }
}
