//! `PostObject`: a browser uploads a file with a form.
//!
//! The bucket is the URL's, the key a field of the form, in which `${filename}` stands for what the
//! browser calls the file. The answer is what the form asks for: a redirect, 200, 201 with a document,
//! or 204. What a PUT is refused for, a form is too.

use cellgate_core::http::Client;
use cellgate_core::tree::{Existing, Parents, TAGS, Write};
use http::header::{CONTENT_TYPE, ETAG, HOST, LOCATION};
use http::{Extensions, HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri};
use http_body_util::BodyExt as _;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use s3s::{HttpResponse, S3Error, S3ErrorCode, S3Result};

use super::Ops;
use crate::auth::{self, CALL, Upload};
use crate::body;
use crate::body::form::{self, Fields};
use crate::domains::HostBucket;
use crate::headers::{self, Promised};
use crate::tags::Tags;
use crate::{error, route};

pub(crate) const OPERATION: &str = "PostObject";
const VALUE: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
const PATH: &AsciiSet = &VALUE.remove(b'/');
/// Fields that are headers of the object by another name, or by their own.
const RENAMED: [(&str, &str); 1] = [("acl", "x-amz-acl")];
const KEPT: [&str; 7] = [
    "cache-control",
    "content-disposition",
    "content-encoding",
    "content-language",
    "content-md5",
    "content-type",
    "expires",
];
/// Fields of the proof, which are no headers of the object.
const PROOF: [&str; 4] = ["x-amz-algorithm", "x-amz-credential", "x-amz-date", "x-amz-signature"];

/// Whether a request can be nothing but this: a form, or what should have been one.
pub(crate) fn applies(method: &Method, uri: &Uri, headers: &HeaderMap) -> bool {
    let (bucket, key) = route::split_bucket(uri.path());
    let to_bucket = !bucket.is_empty() && key.is_empty() && uri.query().is_none();
    method == Method::POST && (to_bucket || form::is_form(headers))
}

pub(crate) async fn post_object(ops: &Ops, upload: Upload) -> S3Result<HttpResponse> {
    let Upload { request, form: read, policy } = upload;
    let path = route::decode(request.uri.path())?;
    let (bucket, rest) = route::split_bucket(&path);
    if bucket.is_empty() || !rest.is_empty() {
        return Err(S3Error::new(S3ErrorCode::MethodNotAllowed));
    }
    let key = read.fields.get("key").unwrap_or_default().replace("${filename}", &read.file_name);
    let bounds = match policy {
        Some(policy) => policy.check(bucket, &key, &read.fields)?,
        None => (0, u64::MAX),
    };
    let headers = object_headers(&read.fields)?;
    let tags = read.fields.get("tagging").map(Tags::of_xml).transpose()?.unwrap_or_default();
    let mut extensions = Extensions::new();
    auth::admit_direct(&headers, Some(OPERATION), &mut extensions)?;
    let (tree, opened) = ops.open(&extensions, bucket).await?;
    let target = opened.leaf_target(&key)?;
    let promised = Promised::of(&headers, &extensions)?;
    let (mut attributes, mime) = headers::content(&headers)?;
    if tags.len() > 0 {
        attributes.set(TAGS, tags.text());
    }
    let answer = Answer::of(&read.fields, &request, bucket, &key);
    let fault = CALL.try_with(|call| call.fault.clone()).unwrap_or_default();
    let content = read.into_content(bounds, fault.clone());
    let write = Write {
        parents: Parents::Create,
        existing: Existing::Replace,
        checksums: promised.checksums,
        mime,
        attributes,
        ..Write::default()
    };
    let content = body::stream_in(content.into_data_stream());
    let node = tree.write(&target, content, write).await.map_err(|error| fault.or(error))?.node;
    let mut response = answer.render(&node.etag);
    response.headers_mut().extend(headers::checksums(&node.attributes));
    Ok(response)
}

/// The fields as the headers of a PUT. Others are the form's own.
fn object_headers(fields: &Fields) -> S3Result<HeaderMap> {
    let mut headers = HeaderMap::new();
    for (name, value) in fields.0.iter().filter(|(_, value)| !value.is_empty()) {
        let name = name.as_str();
        let renamed = RENAMED.iter().find(|(field, _)| *field == name).map(|(_, header)| *header);
        let own = KEPT.contains(&name) || (name.starts_with("x-amz-") && !PROOF.contains(&name));
        let Some(header) = renamed.or_else(|| own.then_some(name)) else { continue };
        let invalid = |_| error::invalid(format!("field `{name}` is not valid"));
        let value = HeaderValue::from_bytes(value.as_bytes()).map_err(|_| invalid(()))?;
        headers.insert(HeaderName::try_from(header).map_err(|_| invalid(()))?, value);
    }
    Ok(headers)
}

/// What the form wants to hear.
struct Answer {
    redirect: Option<String>,
    status: StatusCode,
    bucket: String,
    key: String,
    location: String,
}

impl Answer {
    fn of(fields: &Fields, request: &http::request::Parts, bucket: &str, key: &str) -> Self {
        let field = |name: &str| fields.get(name).map(|value| value.trim().to_owned());
        // Amazon takes what is no address as if it were not there.
        let redirect = field("success_action_redirect").or(field("redirect")).filter(|url| is_address(url));
        let status = match field("success_action_status").as_deref() {
            Some("200") => StatusCode::OK,
            Some("201") => StatusCode::CREATED,
            _ => StatusCode::NO_CONTENT,
        };
        let secure = request.extensions.get::<Client>().is_some_and(|client| client.secure);
        let host = request.headers.get(HOST).and_then(|host| host.to_str().ok());
        let host = host.or(request.uri.authority().map(http::uri::Authority::as_str)).unwrap_or_default();
        let path = utf8_percent_encode(key, PATH);
        let scheme = if secure { "https" } else { "http" };
        let location = match request.extensions.get::<HostBucket>() {
            Some(_) => format!("{scheme}://{host}/{path}"),
            None => format!("{scheme}://{host}/{bucket}/{path}"),
        };
        Self { redirect, status, bucket: bucket.to_owned(), key: key.to_owned(), location }
    }

    fn render(self, etag: &str) -> HttpResponse {
        let etag = format!("\"{etag}\"");
        let mut response = HttpResponse::new(s3s::Body::empty());
        let (mut status, mut location) = (self.status, self.location.clone());
        if let Some(url) = &self.redirect {
            let value = |text| utf8_percent_encode(text, VALUE);
            let (bucket, key, tag) = (value(&self.bucket), value(&self.key), value(&etag));
            let joint = if url.contains('?') { '&' } else { '?' };
            (status, location) =
                (StatusCode::SEE_OTHER, format!("{url}{joint}bucket={bucket}&key={key}&etag={tag}"));
        } else if status == StatusCode::CREATED {
            *response.body_mut() = s3s::Body::from(self.document(&etag));
            headers::insert(response.headers_mut(), CONTENT_TYPE.as_str(), "application/xml");
        }
        *response.status_mut() = status;
        headers::insert(response.headers_mut(), ETAG.as_str(), &etag);
        headers::insert(response.headers_mut(), LOCATION.as_str(), &location);
        response
    }

    fn document(&self, etag: &str) -> String {
        let [location, bucket, key, etag] =
            [&self.location, &self.bucket, &self.key, etag].map(crate::escape);
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<PostResponse xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Location>{location}</Location>\
             <Bucket>{bucket}</Bucket><Key>{key}</Key><ETag>{etag}</ETag></PostResponse>"
        )
    }
}

fn is_address(url: &str) -> bool {
    let Ok(url) = url.parse::<Uri>() else { return false };
    matches!(url.scheme_str(), Some("http" | "https")) && url.host().is_some()
}
