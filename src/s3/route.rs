//! Reading targets: what is a request of this door's, which bucket and key it names, and which
//! operation it means where s3s cannot tell.

use std::borrow::Cow;

use cellgate_core::http::Request;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::uri::PathAndQuery;
use http::{HeaderMap, Method, Uri};
use percent_encoding::percent_decode_str;
use s3s::{S3Error, S3ErrorCode, S3Result};

use crate::domains::HostBucket;
use crate::ops::Fixed;

/// Whether a request that no mount covers has S3's credentials, or those of Cells beside them.
pub(crate) fn is_for_s3(request: &Request) -> bool {
    let headers = request.headers();
    let begins = |name, with: &[&str]| {
        headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .is_some_and(|value| with.iter().any(|with| value.starts_with(with)))
    };
    // MinIO's `mc` asks for the location of a bucket that is not there, to see who answers.
    if request.uri().path().starts_with("/probe-bucket-sign") {
        return true;
    }
    let signed = begins(AUTHORIZATION, &["AWS"]) || headers.contains_key("x-pydio-bearer");
    // A form for an endpoint's root would be Pydio 8's.
    let form = *request.method() == Method::POST
        && request.uri().path() != "/"
        && begins(CONTENT_TYPE, &["multipart/form-data"]);
    const CREDENTIALS: [&str; 5] =
        ["X-Amz-Signature", "X-Amz-Credential", "AWSAccessKeyId", "Signature", "pydio_jwt"];
    signed || form || parameters(request.uri().query()).any(|(name, _)| CREDENTIALS.contains(&name.as_str()))
}

/// Writes a target as s3s and the operations read it: `/<bucket>/<key>`.
pub(crate) fn bring_to_path_style(request: &mut Request) {
    let uri = request.uri();
    let target = if let Some(HostBucket(bucket)) = request.extensions().get() {
        let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
        // The host is ASCII; what a path cannot hold does not get this far.
        format!("/{bucket}{}{query}", uri.path())
    } else if *request.method() == Method::GET
        && matches!(uri.path(), "/io" | "/io/")
        && uri.query() == Some("x-id=ListBuckets")
    {
        // SDKs whose endpoint was set to `https://…/io` list buckets so.
        "/?x-id=ListBuckets".to_owned()
    } else {
        return;
    };
    if let Ok(target) = PathAndQuery::try_from(target) {
        let mut parts = std::mem::take(request.uri_mut()).into_parts();
        parts.path_and_query = Some(target);
        *request.uri_mut() = Uri::from_parts(parts).unwrap_or_default();
    }
}

/// Bucket and key of a decoded, absolute path; the key is empty for the bucket itself.
pub(crate) fn split_bucket(path: &str) -> (&str, &str) {
    let path = path.strip_prefix('/').unwrap_or(path);
    path.split_once('/').unwrap_or((path, ""))
}

pub(crate) fn decode(text: &str) -> S3Result<Cow<'_, str>> {
    percent_decode_str(text).decode_utf8().map_err(|_| S3Error::new(S3ErrorCode::InvalidURI))
}

/// Sub-resources of an object, by which s3s tells operations apart.
const SUB_RESOURCES: [&str; 9] = [
    "acl",
    "annotation",
    "annotationName",
    "attributes",
    "legal-hold",
    "retention",
    "tagging",
    "torrent",
    "uploadId",
];

/// Sub-resources of a bucket that s3s knows; it answers 501 to those that are not built.
const KNOWN: [&str; 12] = [
    "abac",
    "analytics",
    "cors",
    "intelligent-tiering",
    "inventory",
    "metadataAnnotationTable",
    "metadataConfiguration",
    "metadataInventoryTable",
    "metadataTable",
    "metrics",
    "session",
    "tagging",
];

/// Operations that do not go through s3s.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direct {
    /// s3s refuses a copy source in a bucket of two letters.
    Copy,
    /// s3s answers 400 to lists of entity tags, several ranges and broken dates, where RFC 9110
    /// has meanings for them. And small reads are what is asked for most.
    Read,
    /// What always has one answer.
    Fixed(&'static Fixed),
    /// s3s would answer a sub-resource that it does not know with a listing.
    Unknown,
    /// s3s knows no directory buckets, and would list the others.
    DirectoryBuckets,
    /// A page size that is no number.
    NoLimit,
}

/// Whether this is a page size, and no number.
pub(crate) fn is_no_limit(name: &str, value: &str) -> bool {
    matches!(name, "max-keys" | "max-uploads" | "max-parts") && value.parse::<i32>().is_err()
}

/// Parameters of requests to buckets that have no value, or may have none.
const BARE: [&str; 20] = [
    "continuation-token",
    "delete",
    "delimiter",
    "encoding-type",
    "fetch-owner",
    "key-marker",
    "list-type",
    "location",
    "marker",
    "max-keys",
    "max-uploads",
    "prefix",
    "start-after",
    "upload-id-marker",
    "uploads",
    "version-id-marker",
    "versioning",
    "versions",
    "x-id",
    "X-Amz-Security-Token",
];

impl Direct {
    /// `path` is decoded, and so are `parameters`.
    pub(crate) fn of(
        method: &Method,
        path: &str,
        parameters: &[(String, String)],
        headers: &HeaderMap,
    ) -> Option<Self> {
        let (bucket, key) = split_bucket(path);
        let any = |names: &[&str]| parameters.iter().any(|(name, _)| names.contains(&name.as_str()));
        if !bucket.is_empty()
            && !parameters.is_empty()
            && let Some(fixed) = Fixed::of(method, !key.is_empty(), parameters)
        {
            return Some(Self::Fixed(fixed));
        }
        // MinIO's `events`, which has a value, would be a listing as well.
        let bare = |(name, value): &(String, String)| {
            name == "events" || value.is_empty() && !BARE.contains(&name.as_str())
        };
        if method == Method::GET && key.is_empty() && !bucket.is_empty() && parameters.iter().any(bare) {
            return (!any(&KNOWN)).then_some(Self::Unknown);
        }
        if method == Method::PUT {
            return headers.contains_key("x-amz-copy-source").then_some(Self::Copy);
        }
        if method != Method::GET && method != Method::HEAD {
            return None;
        }
        if bucket.is_empty() {
            let asked = |(name, value): &(String, String)| name == "x-id" && value == "ListDirectoryBuckets";
            return parameters.iter().any(asked).then_some(Self::DirectoryBuckets);
        }
        let lists = key.is_empty() || any(&["uploadId"]);
        let limited = |(name, value): &(String, String)| is_no_limit(name, value);
        if lists && method == Method::GET && parameters.iter().any(limited) {
            return Some(Self::NoLimit);
        }
        (!key.is_empty() && (method == Method::HEAD || !any(&SUB_RESOURCES))).then_some(Self::Read)
    }
}

/// The decoded parameters of a query, in order. `+` is a space, as s3s reads it.
pub(crate) fn parameters(query: Option<&str>) -> impl Iterator<Item = (String, String)> + '_ {
    query.unwrap_or_default().split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decode_form(name), decode_form(value))
    })
}

fn decode_form(text: &str) -> String {
    percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_copies_are_ours() {
        let none = HeaderMap::new();
        let mut copy = HeaderMap::new();
        copy.insert("x-amz-copy-source", http::HeaderValue::from_static("io/ws/a"));
        let of = |method: Method, path: &str, query: &str, headers: &HeaderMap| {
            let parameters: Vec<_> = parameters(Some(query)).collect();
            Direct::of(&method, path, &parameters, headers)
        };
        assert_eq!(of(Method::GET, "/io/ws/a", "", &none), Some(Direct::Read));
        assert_eq!(of(Method::HEAD, "/io/ws/a", "x-id=HeadObject", &none), Some(Direct::Read));
        assert_eq!(of(Method::GET, "/io/ws/a", "versionId=1", &none), Some(Direct::Read));
        assert_eq!(of(Method::PUT, "/io/ws/a", "", &copy), Some(Direct::Copy));
        assert_eq!(of(Method::PUT, "/io/ws/a", "", &none), None);
        assert_eq!(of(Method::GET, "/io/ws/a", "uploadId=1", &none), None);
        assert_eq!(of(Method::GET, "/io/ws/a", "%74agging", &none), None);
        assert_eq!(of(Method::GET, "/io/", "list-type=2", &none), None);
        assert_eq!(of(Method::GET, "/", "", &none), None);
        assert_eq!(of(Method::GET, "/", "x-id=ListBuckets", &none), None);
        assert_eq!(of(Method::GET, "/", "x-id=ListDirectoryBuckets", &none), Some(Direct::DirectoryBuckets));
        assert_eq!(of(Method::GET, "/io", "max-keys=x", &none), Some(Direct::NoLimit));
        assert_eq!(of(Method::GET, "/io/a", "uploadId=1&max-parts=x", &none), Some(Direct::NoLimit));
        assert_eq!(of(Method::GET, "/io/a", "max-parts=x", &none), Some(Direct::Read));
        assert_eq!(of(Method::GET, "/io", "max-keys=-1", &none), None);
        assert_eq!(of(Method::GET, "/io", "events", &none), Some(Direct::Unknown));
        assert_eq!(of(Method::GET, "/io", "prefix=&events=s3:ObjectCreated:*", &none), Some(Direct::Unknown));
        assert_eq!(of(Method::GET, "/io", "prefix=&delimiter=", &none), None);
        assert_eq!(of(Method::GET, "/io", "metrics&id=a", &none), None);
        for (method, uri, query, operation) in [
            (Method::GET, "/io", "policy", "GetBucketPolicy"),
            (Method::DELETE, "/io", "policy=", "DeleteBucketPolicy"),
            (Method::GET, "/io/ws/a", "acl", "GetObjectAcl"),
        ] {
            let Some(Direct::Fixed(fixed)) = of(method, uri, query, &none) else { panic!("{operation}") };
            assert_eq!(fixed.operation, operation);
        }
        assert_eq!(of(Method::DELETE, "/io/ws/a", "", &none), None);
    }

    fn asked(method: &str, uri: &str, headers: &[(&str, &str)]) -> Request {
        let mut request = http::Request::builder().method(method).uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(cellgate_core::http::empty()).unwrap()
    }

    #[test]
    fn requests_with_s3_credentials_are_known() {
        for (method, uri, headers) in [
            ("GET", "/", &[("authorization", "AWS4-HMAC-SHA256 Credential=x")][..]),
            ("PUT", "/bucket", &[("authorization", "AWS key:signature")]),
            ("GET", "/bucket/key", &[("x-pydio-bearer", "t")]),
            ("GET", "/bucket/key?X-Amz-Signature=00", &[]),
            ("GET", "/bucket/key?AWSAccessKeyId=k&Expires=1&Signature=x", &[]),
            ("GET", "/bucket/key?pydio_jwt=t", &[]),
            ("POST", "/bucket", &[("content-type", "multipart/form-data; boundary=b")]),
            ("GET", "/probe-bucket-sign-0123456789ab/?location=", &[]),
        ] {
            assert!(is_for_s3(&asked(method, uri, headers)), "{method} {uri}");
        }
        for (method, uri, headers) in [
            ("GET", "/", &[][..]),
            ("GET", "/bucket/key", &[]),
            ("GET", "/bucket/key", &[("authorization", "Basic eDp5")]),
            ("POST", "/", &[("content-type", "multipart/form-data; boundary=b")]),
            ("PUT", "/bucket", &[("content-type", "multipart/form-data; boundary=b")]),
        ] {
            assert!(!is_for_s3(&asked(method, uri, headers)), "{method} {uri}");
        }
    }

    #[test]
    fn targets_come_to_path_style() {
        let brought = |method: &str, uri: &str, bucket: Option<&str>| {
            let mut request = asked(method, uri, &[]);
            if let Some(name) = bucket {
                request.extensions_mut().insert(HostBucket(name.to_owned()));
            }
            bring_to_path_style(&mut request);
            request.uri().to_string()
        };
        assert_eq!(brought("GET", "/a%2Fb?x-id=1", Some("b")), "/b/a%2Fb?x-id=1");
        assert_eq!(brought("PUT", "/", Some("my.b")), "/my.b/");
        assert_eq!(brought("GET", "/dav/x", Some("b")), "/b/dav/x");
        assert_eq!(brought("GET", "http://b.s3.org/k", Some("b")), "http://b.s3.org/b/k");
        assert_eq!(brought("GET", "/io?x-id=ListBuckets", None), "/?x-id=ListBuckets");
        for (method, uri) in
            [("HEAD", "/io?x-id=ListBuckets"), ("GET", "/io?x-id=ListBuckets&prefix=a"), ("GET", "/io")]
        {
            assert_eq!(brought(method, uri, None), uri);
        }
    }

    #[test]
    fn buckets_and_keys_part_at_the_first_slash() {
        assert_eq!(split_bucket("/io/ws/a"), ("io", "ws/a"));
        assert_eq!(split_bucket("/io"), ("io", ""));
        assert_eq!(split_bucket("/io/"), ("io", ""));
        assert_eq!(split_bucket("/io//ws"), ("io", "/ws"));
    }
}
