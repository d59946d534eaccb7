//! What an answer takes from its request, and what every answer has.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use cellgate_core::http::{Client, Note, Request, Response, date};
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, Uri};
use http_body_util::BodyExt as _;
use s3s::HttpResponse;
use uuid::Uuid;

use crate::domains::HostBucket;
use crate::{error, escape, route, wording};

/// Which process answered, as `x-amz-id-2` and `HostId`.
static HOST_ID: LazyLock<HeaderValue> = LazyLock::new(|| {
    let id = Uuid::new_v4().simple().to_string();
    HeaderValue::try_from(id).unwrap_or(HeaderValue::from_static("cellgate"))
});

/// What an answer repeats of its request.
pub(crate) struct Asked {
    head: bool,
    uri: Uri,
    bucket: Option<HostBucket>,
    /// It may be the source that is not there.
    copies: bool,
    request_id: String,
}

impl Asked {
    pub(crate) fn of(request: &Request) -> Self {
        let known = request.extensions().get::<Client>().map(|client| client.request_id.clone());
        Self {
            head: request.method() == Method::HEAD,
            uri: request.uri().clone(),
            bucket: request.extensions().get().cloned(),
            copies: request.headers().contains_key("x-amz-copy-source"),
            request_id: known.unwrap_or_else(fresh_id),
        }
    }

    /// Adds what s3s leaves out: the request id everywhere, the resource in errors.
    pub(crate) async fn finish(self, response: HttpResponse, note: Note) -> Response {
        let (mut parts, content) = response.into_parts();
        if let Ok(id) = HeaderValue::try_from(self.request_id.as_str()) {
            parts.headers.insert("x-amz-request-id", id);
        }
        parts.headers.insert("x-amz-id-2", HOST_ID.clone());
        parts.extensions.insert(note);
        let fields = error::take_fields(&mut parts.headers);
        let failed = parts.status.is_client_error() || parts.status.is_server_error();
        let xml = parts.headers.get(CONTENT_TYPE) == Some(&HeaderValue::from_static("application/xml"));
        if self.head {
            return http::Response::from_parts(parts, cellgate_core::http::empty());
        }
        let content = match content.bytes() {
            Some(document) if failed && xml => {
                parts.headers.remove(http::header::CONTENT_LENGTH);
                cellgate_core::http::full(self.complete(&document, &fields))
            }
            _ => content.boxed_unsync(),
        };
        http::Response::from_parts(parts, content)
    }

    fn complete(&self, document: &[u8], fields: &str) -> String {
        let document = String::from_utf8_lossy(document);
        let document = wording::corrected(&document).map_or(document, Into::into);
        let open = document.strip_suffix("</Error>").unwrap_or(&document);
        let code = document.split_once("<Code>").and_then(|(_, rest)| rest.split_once("</Code>"));
        let code = code.map(|(code, _)| code).unwrap_or_default();
        let named = self.named();
        let named = named.iter().filter(|(of, _, _)| *of == code);
        let named = named.fold(String::new(), |text, (_, name, value)| {
            text + &format!("<{name}>{}</{name}>", escape(value))
        });
        // Percent-encoded as it was written, and without the query, which may hold a token.
        let (path, id) = (escape(self.uri.path()), escape(&self.request_id));
        let host = HOST_ID.to_str().unwrap_or_default();
        format!(
            "{open}{named}{fields}<Resource>{path}</Resource><RequestId>{id}</RequestId>\
             <HostId>{host}</HostId></Error>"
        )
    }

    /// What the request names, for the errors that say it was not there, with the code that each
    /// element belongs to.
    fn named(&self) -> Vec<(&'static str, &'static str, String)> {
        if self.copies {
            return Vec::new();
        }
        let Ok(path) = route::decode(self.uri.path()) else { return Vec::new() };
        let (bucket, key) = match &self.bucket {
            Some(HostBucket(bucket)) => (bucket.as_str(), path.strip_prefix('/').unwrap_or(&path)),
            None => route::split_bucket(&path),
        };
        let parameter = |name: &str| {
            let mut parameters = route::parameters(self.uri.query());
            parameters.find(|(other, _)| other == name).map(|(_, value)| value).unwrap_or_default()
        };
        let mut named = vec![
            ("NoSuchBucket", "BucketName", bucket.to_owned()),
            ("NoSuchKey", "Key", key.to_owned()),
            ("NoSuchVersion", "Key", key.to_owned()),
            ("NoSuchVersion", "VersionId", parameter("versionId")),
            ("NoSuchUpload", "UploadId", parameter("uploadId")),
        ];
        // XML has no place for control characters.
        named.retain(|(_, _, value)| !value.is_empty() && !value.chars().any(char::is_control));
        named
    }
}

/// An id for a request that the listener gave none.
fn fresh_id() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    format!("{:X}{:04X}", date::now_ns(), COUNT.fetch_add(1, Ordering::Relaxed) & 0xFFFF)
}
