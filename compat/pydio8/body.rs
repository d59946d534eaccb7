//! What a request carries: parameters in every form PHP reads, and the bytes of an upload.
//!
//! The fields of a multipart body are read up to its file; the file is handed on as a stream. A
//! file that comes first is kept back while it is small, so that fields behind it still count; one
//! that is larger is streamed, and a field behind it that would have changed the call fails it.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use cellgate_core::Error;
use cellgate_core::http::{Body, collect, incoming};
use cellgate_core::ports::ByteStream;
use futures_util::{Stream, StreamExt, stream};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, Method};
use multer::{Field, Multipart};

use crate::error::Fault;
use crate::params::Params;

/// Forms and the text fields of multipart bodies: `put_content` sends whole files in them.
pub const FORM_LIMIT_BYTES: usize = 16 << 20;
/// The same before anybody has signed in.
pub const SIGN_IN_LIMIT_BYTES: usize = 64 << 10;
/// A file before its fields is kept back up to this size.
const KEEP_BYTES: usize = 1 << 20;

/// The bytes of an upload.
pub struct FilePart {
    /// What the client calls it.
    pub name: Option<String>,
    pub bytes: ByteStream,
    /// Announced length, where the body is nothing but the file.
    pub size: Option<u64>,
    /// Sent as the body itself, not as a part of a form.
    pub raw: bool,
}

/// Parameters and file of a request.
pub struct Intake {
    pub params: Params,
    pub file: Option<FilePart>,
}

/// Reads a request's parameters on top of those of its query.
pub async fn take(
    method: &Method,
    headers: &HeaderMap,
    mut params: Params,
    body: Body,
    limit_bytes: usize,
) -> Result<Intake, Fault> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let content_type = text(CONTENT_TYPE.as_str()).unwrap_or_default();
    let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if *method == Method::GET {
        return Ok(Intake { params, file: None });
    }
    if essence == "multipart/form-data" {
        let boundary = multer::parse_boundary(content_type).map_err(broken)?;
        return multipart(params, Multipart::new(Paced::new(incoming(body)), boundary), limit_bytes).await;
    }
    let form = essence.is_empty() || essence == "application/x-www-form-urlencoded";
    let named = headers.contains_key("x-file-name");
    if *method == Method::PUT || named || !(form || content_type == "application/json") {
        let size = text("content-length").and_then(|length| length.parse().ok());
        let name = headers.get("x-file-name").map(|value| String::from_utf8_lossy(value.as_bytes()));
        let name = name.map(std::borrow::Cow::into_owned);
        let file = FilePart { name, bytes: incoming(body), size, raw: true };
        return Ok(Intake { params, file: Some(file) });
    }
    let bytes = collect(body, limit_bytes).await?;
    if form {
        params.extend_form(&bytes, true);
    } else {
        let text = String::from_utf8(bytes.into()).map_err(|_| Fault::text("The body is not UTF-8"))?;
        params.post("request_body", text);
    }
    Ok(Intake { params, file: None })
}

async fn multipart(
    mut params: Params,
    mut parts: Multipart<'static>,
    limit_bytes: usize,
) -> Result<Intake, Fault> {
    let mut kept = None;
    let mut taken = 0_usize;
    while let Some(mut field) = parts.next_field().await.map_err(broken)? {
        let name = field.name().unwrap_or_default().to_owned();
        if field.file_name().is_none() {
            let mut value = Vec::new();
            while let Some(bytes) = field.chunk().await.map_err(broken)? {
                taken += bytes.len();
                if taken > limit_bytes {
                    return Err(Error::TooLarge { size: taken as u64, limit: limit_bytes as u64 }.into());
                }
                value.extend_from_slice(&bytes);
            }
            params.post(&name, String::from_utf8_lossy(&value).into_owned());
            continue;
        }
        // The first file counts, others are read past.
        if kept.is_some() {
            continue;
        }
        let name = field.file_name().map(str::to_owned).filter(|name| !name.is_empty());
        let mut pieces: Vec<Result<Bytes, Error>> = Vec::new();
        let mut length = 0;
        let whole = loop {
            let Some(bytes) = field.chunk().await.map_err(broken)? else { break true };
            length += bytes.len();
            pieces.push(Ok(bytes));
            if length > KEEP_BYTES {
                break false;
            }
        };
        let pieces = stream::iter(pieces);
        if !whole {
            let bytes = Box::pin(pieces.chain(rest(field, parts)));
            let file = FilePart { name, bytes, size: None, raw: false };
            return Ok(Intake { params, file: Some(file) });
        }
        kept = Some(FilePart { name, bytes: Box::pin(pieces), size: None, raw: false });
    }
    Ok(Intake { params, file: kept })
}

/// Lets go of one piece at a time: the parser takes whatever is ready before it hands anything on, so
/// that a sender faster than the disk would fill the memory.
struct Paced {
    bytes: ByteStream,
    rest: bool,
}

impl Paced {
    fn new(bytes: ByteStream) -> Self {
        Self { bytes, rest: false }
    }
}

impl Stream for Paced {
    type Item = Result<Bytes, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if std::mem::take(&mut self.rest) {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        let polled = self.bytes.as_mut().poll_next(context);
        self.rest = matches!(polled, Poll::Ready(Some(_)));
        polled
    }
}

/// The rest of a file, and behind it the rest of the form: the stream ends well only when the body
/// does.
fn rest(field: Field<'static>, parts: Multipart<'static>) -> ByteStream {
    Box::pin(stream::try_unfold(Some((field, parts)), |state| async move {
        let Some((mut field, mut parts)) = state else { return Ok(None) };
        if let Some(bytes) = field.chunk().await.map_err(torn)? {
            return Ok(Some((bytes, Some((field, parts)))));
        }
        drop(field);
        while let Some(field) = parts.next_field().await.map_err(torn)? {
            if field.file_name().is_none() && field.name().is_some_and(|name| LATE.contains(&name)) {
                let name = field.name().unwrap_or_default();
                return Err(Error::BrokenBody(format!("the field {name} must come before the file")));
            }
        }
        Ok(None)
    }))
}

/// Fields that decide what becomes of the file.
const LATE: &[&str] = &[
    "get_action",
    "action",
    "secure_token",
    "tmp_repository_id",
    "dir",
    "path",
    "file",
    "urlencoded_filename",
    "auto_rename",
    "partial_upload",
    "partial_target_bytesize",
    "appendto_urlencoded_part",
    "xhr_uploader",
    "force_post",
    "simple_uploader",
];

fn torn(error: multer::Error) -> Error {
    Error::BrokenBody(error.to_string())
}

fn broken(error: multer::Error) -> Fault {
    Fault::Core(torn(error))
}

#[cfg(test)]
mod tests {
    use cellgate_core::http::full;
    use futures_util::TryStreamExt;

    use super::*;

    async fn read(content_type: &str, body: impl Into<Bytes>) -> Result<Intake, Fault> {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, content_type.parse().unwrap());
        take(&Method::POST, &headers, Params::default(), full(body), FORM_LIMIT_BYTES).await
    }

    async fn content(file: FilePart) -> Result<Vec<u8>, Error> {
        file.bytes
            .try_fold(Vec::new(), |mut all, bytes| async move {
                all.extend_from_slice(&bytes);
                Ok(all)
            })
            .await
    }

    fn field(name: &str, value: &str) -> String {
        format!("--B\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    }

    fn file(content: &str) -> String {
        format!(
            "--B\r\nContent-Disposition: form-data; name=\"userfile_0\"; filename=\"fake-name\"\r\n\
             Content-Type: application/octet-stream\r\n\r\n{content}\r\n"
        )
    }

    const MULTIPART: &str = "multipart/form-data; boundary=B";

    #[tokio::test]
    async fn fields_count_on_both_sides_of_a_small_file() {
        let body = [&field("dir", "/a"), &file("hello"), &field("auto_rename", "true"), "--B--\r\n"].concat();
        let intake = read(MULTIPART, body).await.unwrap();
        assert_eq!(intake.params.get("dir"), Some("/a"));
        assert!(intake.params.has("auto_rename"));
        let file = intake.file.unwrap();
        assert_eq!(file.name.as_deref(), Some("fake-name"));
        assert_eq!(content(file).await.unwrap(), b"hello");
    }

    #[tokio::test]
    async fn a_large_file_is_streamed_and_fails_with_a_late_field() {
        let large = "x".repeat(3 << 20);
        let body = [&field("dir", "/a"), &file(&large), "--B--\r\n"].concat();
        let intake = read(MULTIPART, body).await.unwrap();
        assert_eq!(content(intake.file.unwrap()).await.unwrap().len(), large.len());

        let body = [&file(&large), &field("dir", "/a"), "--B--\r\n"].concat();
        let intake = read(MULTIPART, body).await.unwrap();
        assert!(matches!(content(intake.file.unwrap()).await, Err(Error::BrokenBody(_))));
    }

    #[tokio::test]
    async fn a_body_that_breaks_off_never_ends_well() {
        let large = "x".repeat(3 << 20);
        let body = [&field("dir", "/a"), &file(&large), "--B--\r\n"].concat();
        for length in [body.len() - 2, body.len() - 6, body.len() - 8, body.len() - 100, 2 << 20, 100] {
            let whole = match read(MULTIPART, body.get(..length).unwrap().to_owned()).await {
                Ok(intake) => content(intake.file.unwrap()).await.is_ok(),
                Err(_) => false,
            };
            // Without the last line break the closing boundary is still whole.
            assert_eq!(whole, length == body.len() - 2, "{length}");
        }
        let small = [&file("hello"), "--B--\r\n"].concat();
        for length in [10, small.len() - 20, small.len() - 7] {
            assert!(read(MULTIPART, small.get(..length).unwrap().to_owned()).await.is_err(), "{length}");
        }
    }

    #[tokio::test]
    async fn forms_and_json_are_read_up_to_a_limit() {
        let intake = read("application/x-www-form-urlencoded; charset=UTF-8", "a=1&b=2").await.unwrap();
        assert_eq!(intake.params.posted("b"), Some("2"));
        let intake = read("application/json", "{}").await.unwrap();
        assert_eq!(intake.params.get("request_body"), Some("{}"));
        let huge = vec![b'a'; FORM_LIMIT_BYTES + 1];
        let error = read("application/x-www-form-urlencoded", huge).await.err().unwrap();
        assert!(matches!(error, Fault::Core(Error::TooLarge { .. })));
    }
}
