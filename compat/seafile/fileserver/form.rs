//! The multipart form of an upload, read as it comes.
//!
//! The fields that place a file may stand before or behind it, or both, so every file is taken in as a
//! draft and gets its path when the form has ended. A form that breaks off places nothing.

use cellgate_core::http::date;
use cellgate_core::path::valid_name;
use cellgate_core::ports::ByteStream;
use cellgate_core::tree::Draft;
use cellgate_core::{Error, NodePath, Tree};
use futures_util::{StreamExt, TryStreamExt};
use http::{HeaderMap, header};
use percent_encoding::percent_decode_str;

use crate::error::SeafileError;

/// Longest text field.
const FIELD_MAX_BYTES: usize = 64 * 1024;
/// Most files in one form: small ones wait in memory.
const FILES_MAX: usize = 500;

/// A form that was read to its end.
#[derive(Default)]
pub struct Form {
    pub parent_dir: Option<String>,
    pub relative_path: String,
    pub replace: Option<String>,
    pub target_file: Option<String>,
    pub mtime_ns: Option<i64>,
    pub files: Vec<File>,
}

pub struct File {
    /// The last part of the client's name for it, a valid name.
    pub name: String,
    pub draft: Draft,
}

fn bad(text: &str) -> SeafileError {
    SeafileError::Upload(400, text.into())
}

fn broken(error: multer::Error) -> Error {
    // What multer says names fields and sizes, never contents.
    Error::BrokenBody(error.to_string())
}

/// Reads a form; files are taken in by `tree`, for the folder `near`.
pub async fn read(
    tree: &Tree,
    near: &NodePath,
    content_type: &str,
    body: ByteStream,
) -> Result<Form, SeafileError> {
    let boundary = multer::parse_boundary(content_type).map_err(|_| bad("No file in multipart form."))?;
    let mut parts = multer::Multipart::new(body, boundary);
    let mut form = Form::default();
    while let Some(part) = parts.next_field().await.map_err(|error| SeafileError::upload(broken(error)))? {
        // Old python-seafile sends `parent_dir` as a file: what is not called `file` is text.
        if part.name() == Some("file") {
            if form.files.len() == FILES_MAX {
                return Err(bad("Too many files."));
            }
            let name = file_name(part.headers()).ok_or_else(|| bad("No file in multipart form."))?;
            let name = valid_name(&name).map_err(SeafileError::upload)?;
            let bytes = part.map_err(broken).boxed();
            let draft = tree.draft(near, bytes).await.map_err(SeafileError::upload)?;
            form.files.push(File { name, draft });
        } else {
            text_field(&mut form, part).await?;
        }
    }
    Ok(form)
}

async fn text_field(form: &mut Form, mut part: multer::Field<'static>) -> Result<(), SeafileError> {
    let name = part.name().unwrap_or_default().to_owned();
    let mut bytes = Vec::new();
    while let Some(chunk) = part.chunk().await.map_err(|error| SeafileError::upload(broken(error)))? {
        if bytes.len() + chunk.len() > FIELD_MAX_BYTES {
            return Err(bad("A field is too long."));
        }
        bytes.extend_from_slice(&chunk);
    }
    let text = || String::from_utf8(bytes).map_err(|_| bad("A field is not UTF-8."));
    match name.as_str() {
        "parent_dir" => form.parent_dir = Some(text()?),
        "relative_path" => form.relative_path = text()?,
        "replace" => form.replace = Some(text()?),
        "target_file" => form.target_file = Some(text()?),
        // Ignored when it cannot be read, as in the original.
        "last_modify" => form.mtime_ns = date::parse_rfc3339(text()?.trim()),
        // `need_idx_progress` among them: rclone sends it here and expects the ordinary answer.
        _ => {}
    }
    Ok(())
}

/// The name in a part's `Content-Disposition`, without the folders that some browsers put before it.
/// `filename*` is preferred; quoted pairs are undone, raw UTF-8 is taken as it is.
fn file_name(headers: &HeaderMap) -> Option<String> {
    let value = std::str::from_utf8(headers.get(header::CONTENT_DISPOSITION)?.as_bytes()).ok()?;
    let mut plain = None;
    let mut extended = None;
    for (key, value) in Parameters(value) {
        if key.eq_ignore_ascii_case("filename") {
            plain = Some(value);
        } else if key.eq_ignore_ascii_case("filename*") {
            let encoded = value.rsplit('\'').next().unwrap_or_default();
            extended = percent_decode_str(encoded).decode_utf8().ok().map(|name| name.into_owned());
        }
    }
    let name = extended.or(plain)?;
    name.rsplit(['/', '\\']).next().map(str::to_owned)
}

/// The parameters of a header behind its first word.
struct Parameters<'a>(&'a str);

impl Iterator for Parameters<'_> {
    type Item = (String, String);

    fn next(&mut self) -> Option<Self::Item> {
        let (_, rest) = self.0.split_once(';')?;
        let (key, rest) = rest.split_once('=')?;
        let key = key.trim().to_owned();
        let rest = rest.trim_start();
        let Some(quoted) = rest.strip_prefix('"') else {
            let end = rest.find(';').unwrap_or(rest.len());
            let (value, left) = rest.split_at(end);
            self.0 = left;
            return Some((key, value.trim().to_owned()));
        };
        let mut value = String::new();
        let mut chars = quoted.char_indices();
        let mut end = quoted.len();
        while let Some((at, c)) = chars.next() {
            match c {
                '"' => {
                    end = at + 1;
                    break;
                }
                // curl escapes quotes and backslashes; a lone backslash is old browsers' path.
                '\\' if quoted[at + 1..].starts_with(['"', '\\']) => {
                    value.extend(chars.next().map(|(_, c)| c));
                }
                c => value.push(c),
            }
        }
        self.0 = quoted.get(end..).unwrap_or_default();
        Some((key, value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_as_clients_write_them() {
        let cases: [(&[u8], Option<&str>); 10] = [
            (br#"form-data; name="file"; filename="a b.txt""#, Some("a b.txt")),
            ("form-data; name=\"file\"; filename=\"é.txt\"".as_bytes(), Some("é.txt")),
            (br#"form-data; name="file"; filename="a\"b;c.txt""#, Some("a\"b;c.txt")),
            (br#"form-data; name="file"; filename="C:\dir\a.txt""#, Some("a.txt")),
            (br#"form-data; name="file"; filename="../../etc/passwd""#, Some("passwd")),
            (br#"form-data; name=file; filename=a.txt"#, Some("a.txt")),
            (br#"form-data; name="file"; filename="x"; filename*=UTF-8''%C3%A9.txt"#, Some("é.txt")),
            (br#"form-data; filename="a.txt"; name="file""#, Some("a.txt")),
            (br#"form-data; name="file""#, None),
            (b"form-data; name=\"file\"; filename=\"\xff\"", None),
        ];
        for (value, expected) in cases {
            let mut headers = HeaderMap::new();
            headers.insert(header::CONTENT_DISPOSITION, header::HeaderValue::from_bytes(value).unwrap());
            assert_eq!(file_name(&headers).as_deref(), expected, "{}", String::from_utf8_lossy(value));
        }
    }
}
