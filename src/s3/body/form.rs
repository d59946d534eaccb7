//! `multipart/form-data`, as browsers upload with it: fields, then one file, which streams.
//!
//! Whatever follows the file is not looked at, as Amazon does. The fields are held in memory, up to
//! Amazon's limit.

use bytes::{Bytes, BytesMut};
use cellgate_core::http as core_http;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, StatusCode};
use memchr::memmem::Finder;
use s3s::{S3Error, S3ErrorCode, S3Result};

use super::digest::more;
use super::{Fault, Reader, incomplete, stream_of};
use crate::{error, headers};

/// Amazon's limit on everything before the file.
const FIELDS_MAX_BYTES: usize = 20 * 1024;

/// A form up to its file, whose content is the rest of it.
pub(crate) struct Form {
    pub(crate) fields: Fields,
    /// As the browser calls it: the last name of its path.
    pub(crate) file_name: String,
    content: Content,
}

/// Names in lower case, in order.
#[derive(Default)]
pub(crate) struct Fields(pub(crate) Vec<(String, String)>);

impl Fields {
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }
}

impl Form {
    pub(crate) async fn read(headers: &HeaderMap, body: core_http::Body) -> S3Result<Self> {
        if !is_form(headers) {
            return Err(error::with(
                S3ErrorCode::PreconditionFailed,
                "At least one of the pre-conditions you specified did not hold",
            ));
        }
        let content_type = headers::text(headers, &CONTENT_TYPE)?.unwrap_or_default();
        let boundary = boundary(content_type).ok_or_else(malformed)?;
        let mut parts = Parts::new(&boundary, body);
        let (mut fields, mut seen) = (Fields::default(), 0);
        parts.begin().await?;
        loop {
            let Some(head) = parts.head(&mut seen).await? else { return Err(no_file()) };
            if head.name == "file" {
                let content = Content { parts, size: 0, least: 0, most: u64::MAX };
                return Ok(Self { fields, file_name: head.file_name, content });
            }
            let value = parts.value(&mut seen).await?;
            if fields.get(&head.name).is_some() {
                return Err(error::invalid("a field of the form must not be repeated"));
            }
            fields.0.push((head.name, value));
        }
    }

    /// The file, which must have a size within these bounds.
    pub(crate) fn into_content(self, (least, most): (u64, u64), fault: Fault) -> core_http::Body {
        stream_of(Content { least, most, ..self.content }, fault)
    }
}

/// What stands before a part.
struct Head {
    name: String,
    file_name: String,
}

/// The parts of a body, one after another.
struct Parts {
    body: core_http::Body,
    ahead: Bytes,
    /// Line break, two hyphens, boundary.
    delimiter: Finder<'static>,
}

impl Parts {
    fn new(boundary: &str, body: core_http::Body) -> Self {
        let delimiter = Finder::new(&format!("\r\n--{boundary}")).into_owned();
        // The first delimiter has no line break before it, where nothing stands before it.
        Self { body, ahead: Bytes::from_static(b"\r\n"), delimiter }
    }

    async fn begin(&mut self) -> S3Result<()> {
        let mut seen = 0;
        self.before(&mut seen).await.map(|_| ())
    }

    /// The head of the next part; `None` when there is none.
    async fn head(&mut self, seen: &mut usize) -> S3Result<Option<Head>> {
        let mut lines = Vec::new();
        while !lines.ends_with(b"\r\n\r\n") {
            if lines.starts_with(b"--") {
                return Ok(None);
            }
            match self.byte(seen).await? {
                Some(byte) => lines.push(byte),
                None => return Err(malformed()),
            }
        }
        let text = String::from_utf8(lines).map_err(|_| malformed())?;
        let disposition = text
            .split("\r\n")
            .filter_map(|line| line.split_once(':'))
            .find(|(name, _)| name.trim().eq_ignore_ascii_case("content-disposition"))
            .map(|(_, value)| value)
            .ok_or_else(malformed)?;
        let name = parameter(disposition, "name").ok_or_else(malformed)?.to_ascii_lowercase();
        let path = parameter(disposition, "filename").unwrap_or_default();
        let file_name = path.rsplit(['/', '\\']).next().unwrap_or_default().to_owned();
        Ok(Some(Head { name, file_name }))
    }

    async fn value(&mut self, seen: &mut usize) -> S3Result<String> {
        String::from_utf8(self.before(seen).await?).map_err(|_| malformed())
    }

    /// Everything up to the next delimiter, and past it.
    async fn before(&mut self, seen: &mut usize) -> S3Result<Vec<u8>> {
        let mut value = Vec::new();
        while let Some(bytes) = self.piece().await? {
            count(seen, bytes.len())?;
            value.extend_from_slice(&bytes);
        }
        Ok(value)
    }

    async fn byte(&mut self, seen: &mut usize) -> S3Result<Option<u8>> {
        if self.ahead.is_empty() {
            let Some(bytes) = more(&mut self.body).await? else { return Ok(None) };
            self.ahead = bytes;
        }
        count(seen, 1)?;
        Ok(self.ahead.split_to(1).first().copied())
    }

    /// Some bytes of the part; `None` at its end. The buffers go on as they came, but for one that
    /// ends in what may be a delimiter.
    async fn piece(&mut self) -> S3Result<Option<Bytes>> {
        loop {
            if let Some(end) = self.delimiter.find(&self.ahead) {
                if end > 0 {
                    return Ok(Some(self.ahead.split_to(end)));
                }
                let _ = self.ahead.split_to(self.delimiter.needle().len());
                return Ok(None);
            }
            let open = self.ahead.len() - self.open();
            if open > 0 {
                return Ok(Some(self.ahead.split_to(open)));
            }
            let bytes = more(&mut self.body).await?.ok_or_else(malformed)?;
            let mut joined = BytesMut::with_capacity(self.ahead.len() + bytes.len());
            joined.extend_from_slice(&self.ahead);
            joined.extend_from_slice(&bytes);
            self.ahead = joined.freeze();
        }
    }

    /// How many bytes at the end may begin a delimiter.
    fn open(&self) -> usize {
        let needle = self.delimiter.needle();
        let longest = self.ahead.len().min(needle.len() - 1);
        (1..=longest)
            .rev()
            .find(|length| needle.get(..*length).is_some_and(|begin| self.ahead.ends_with(begin)))
            .unwrap_or(0)
    }
}

/// The file of a form.
struct Content {
    parts: Parts,
    size: u64,
    least: u64,
    most: u64,
}

impl Reader for Content {
    async fn next(&mut self) -> S3Result<Option<Bytes>> {
        let bytes = self.parts.piece().await.map_err(|error| match error.code() {
            // A form that ends within its file has been cut off.
            S3ErrorCode::MalformedPOSTRequest => incomplete(),
            _ => error,
        })?;
        self.size += bytes.as_ref().map_or(0, Bytes::len) as u64;
        if self.size > self.most {
            let refused = S3Error::new(S3ErrorCode::EntityTooLarge);
            let (size, most) = (self.size.to_string(), self.most.to_string());
            return Err(error::with_fields(refused, &[("ProposedSize", &size), ("MaxSizeAllowed", &most)]));
        }
        if bytes.is_none() && self.size < self.least {
            let refused = S3Error::new(S3ErrorCode::EntityTooSmall);
            let (size, least) = (self.size.to_string(), self.least.to_string());
            return Err(error::with_fields(refused, &[("ProposedSize", &size), ("MinSizeAllowed", &least)]));
        }
        Ok(bytes)
    }
}

pub(crate) fn is_form(headers: &HeaderMap) -> bool {
    let mime = headers::text(headers, &CONTENT_TYPE).ok().flatten().unwrap_or_default();
    mime.get(..19).is_some_and(|mime| mime.eq_ignore_ascii_case("multipart/form-data"))
}

/// The boundary of `multipart/form-data; boundary=...`.
fn boundary(content_type: &str) -> Option<String> {
    let boundary = parameter(content_type, "boundary")?;
    (1..=70).contains(&boundary.len()).then_some(boundary)
}

/// The value of one parameter of a header, quoted or not. Browsers write `%22` for a quote in a name
/// and leave backslashes alone.
fn parameter(header: &str, name: &str) -> Option<String> {
    let mut rest = header;
    while let Some((_, parameters)) = rest.split_once(';') {
        let parameters = parameters.trim_start();
        let (found, value) = parameters.split_once('=')?;
        let (value, after) = match value.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"')?,
            None => value.split_at(value.find(';').unwrap_or(value.len())),
        };
        if found.trim().eq_ignore_ascii_case(name) {
            return Some(value.trim().to_owned());
        }
        rest = after;
    }
    None
}

fn count(seen: &mut usize, bytes: usize) -> S3Result<()> {
    *seen += bytes;
    match *seen > FIELDS_MAX_BYTES {
        true => Err(error::custom(
            "MaxPostPreDataLengthExceededError",
            StatusCode::BAD_REQUEST,
            "Your POST request fields preceding the upload file were too large.",
        )),
        false => Ok(()),
    }
}

pub(crate) fn malformed() -> S3Error {
    error::with(
        S3ErrorCode::MalformedPOSTRequest,
        "The body of your POST request is not well-formed multipart/form-data.",
    )
}

fn no_file() -> S3Error {
    error::invalid("POST requires exactly one file upload per request.")
}

#[cfg(test)]
mod tests {
    use futures_util::StreamExt as _;
    use http_body_util::BodyExt as _;

    use super::*;

    /// A body that comes in pieces of so many bytes.
    fn in_pieces(text: &str, size: usize) -> core_http::Body {
        let pieces: Vec<_> = text.as_bytes().chunks(size).map(Bytes::copy_from_slice).collect();
        core_http::stream(futures_util::stream::iter(pieces).map(Ok).boxed())
    }

    const FORM: &str = "--b\r\nContent-Disposition: form-data; name=\"Key\"\r\n\r\nws/${filename}\r\n\
        --b\r\nContent-Disposition: form-data; name=\"note\"\r\n\r\ntwo\r\nlines\r\n\
        --b\r\ncontent-disposition: form-data; name=\"file\"; filename=\"C:\\dir\\a;b.txt\"\r\n\
        Content-Type: text/plain\r\n\r\none\r\n--\r\n-b\r\n--b\r\n\
        Content-Disposition: form-data; name=\"submit\"\r\n\r\nUpload\r\n--b--\r\n";

    async fn read(text: &str, size: usize) -> S3Result<Form> {
        let mime = "multipart/form-data; charset=x; boundary=\"b\"".parse().unwrap();
        Form::read(&HeaderMap::from_iter([(CONTENT_TYPE, mime)]), in_pieces(text, size)).await
    }

    #[tokio::test]
    async fn fields_and_file_are_found_however_they_come() {
        for size in [1, 2, 3, 5, 7, 64, 10_000] {
            let form = read(FORM, size).await.unwrap();
            assert_eq!(
                (form.fields.get("key"), form.fields.get("note")),
                (Some("ws/${filename}"), Some("two\r\nlines"))
            );
            assert_eq!(form.file_name, "a;b.txt");
            let content = form.into_content((0, 100), Fault::default()).collect().await.unwrap().to_bytes();
            assert_eq!(content, "one\r\n--\r\n-b", "{size}");
        }
    }

    #[tokio::test]
    async fn what_is_no_form_is_refused() {
        for (text, code) in [
            ("", "MalformedPOSTRequest"),
            ("no form at all", "MalformedPOSTRequest"),
            ("--b\r\nContent-Disposition: form-data; name=\"key\"\r\n\r\nx", "MalformedPOSTRequest"),
            ("--b\r\nX: y\r\n\r\nx\r\n--b--\r\n", "MalformedPOSTRequest"),
            ("--b--\r\n", "InvalidArgument"),
        ] {
            assert_eq!(read(text, 10).await.err().unwrap().code().as_str(), code, "{text}");
        }
        let long = FORM.replacen("lines", &"x".repeat(FIELDS_MAX_BYTES), 1);
        assert_eq!(
            read(&long, 999).await.err().unwrap().code().as_str(),
            "MaxPostPreDataLengthExceededError"
        );
        let twice = FORM.replacen("note", "key", 1);
        assert_eq!(read(&twice, 10).await.err().unwrap().code().as_str(), "InvalidArgument");
    }

    #[tokio::test]
    async fn a_file_keeps_its_bounds_and_its_end() {
        let whole = FORM.find("-b\r\n--b\r\n").unwrap();
        for (text, bounds, code) in [
            (FORM, (0, 10), "EntityTooLarge"),
            (FORM, (12, 100), "EntityTooSmall"),
            (&FORM[..whole], (0, 100), "IncompleteBody"),
        ] {
            let fault = Fault::default();
            let content = read(text, 4).await.unwrap().into_content(bounds, fault.clone());
            assert!(content.collect().await.is_err());
            assert_eq!(fault.take().unwrap().code().as_str(), code);
        }
    }
}
