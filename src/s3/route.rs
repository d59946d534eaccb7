//! Which operation a request means, where s3s cannot tell: reading URLs.

use http::{HeaderMap, Method};
use percent_encoding::percent_decode_str;
use s3s::{S3Error, S3ErrorCode, S3Result};

/// Bucket and key of a decoded, absolute path; the key is empty for the bucket itself.
pub(crate) fn split_bucket(path: &str) -> (&str, &str) {
    let path = path.strip_prefix('/').unwrap_or(path);
    path.split_once('/').unwrap_or((path, ""))
}

pub(crate) fn decode(text: &str) -> S3Result<String> {
    Ok(percent_decode_str(text)
        .decode_utf8()
        .map_err(|_| S3Error::new(S3ErrorCode::InvalidURI))?
        .into_owned())
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

/// Operations that do not go through the typed inputs of s3s.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direct {
    /// s3s refuses a copy source in a bucket of two letters.
    Copy,
    /// s3s answers 400 to lists of entity tags, several ranges and broken dates, where RFC 9110
    /// has meanings for them.
    Read,
}

impl Direct {
    pub(crate) fn of(method: &Method, path: &str, query: Option<&str>, headers: &HeaderMap) -> Option<Self> {
        if method == Method::PUT {
            return headers.contains_key("x-amz-copy-source").then_some(Self::Copy);
        }
        if method != Method::GET && method != Method::HEAD {
            return None;
        }
        let (_, key) = split_bucket(path);
        let sub_resource = parameters(query).any(|(name, _)| SUB_RESOURCES.contains(&name.as_str()));
        (!key.is_empty() && (method == Method::HEAD || !sub_resource)).then_some(Self::Read)
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
            Direct::of(&method, path, Some(query), headers)
        };
        assert_eq!(of(Method::GET, "/io/ws/a", "", &none), Some(Direct::Read));
        assert_eq!(of(Method::HEAD, "/io/ws/a", "x-id=HeadObject", &none), Some(Direct::Read));
        assert_eq!(of(Method::GET, "/io/ws/a", "versionId=1", &none), Some(Direct::Read));
        assert_eq!(of(Method::PUT, "/io/ws/a", "", &copy), Some(Direct::Copy));
        assert_eq!(of(Method::PUT, "/io/ws/a", "", &none), None);
        assert_eq!(of(Method::GET, "/io/ws/a", "uploadId=1", &none), None);
        assert_eq!(of(Method::GET, "/io/ws/a", "%61cl", &none), None);
        assert_eq!(of(Method::GET, "/io/", "list-type=2", &none), None);
        assert_eq!(of(Method::GET, "/", "", &none), None);
        assert_eq!(of(Method::DELETE, "/io/ws/a", "", &none), None);
    }

    #[test]
    fn buckets_and_keys_part_at_the_first_slash() {
        assert_eq!(split_bucket("/io/ws/a"), ("io", "ws/a"));
        assert_eq!(split_bucket("/io"), ("io", ""));
        assert_eq!(split_bucket("/io/"), ("io", ""));
        assert_eq!(split_bucket("/io//ws"), ("io", "/ws"));
    }
}
