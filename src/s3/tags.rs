//! Tags of objects and buckets: read from headers and documents, kept as one attribute of the content,
//! or with the workspace.
//!
//! Limits are Amazon's: ten tags of an object and fifty of a bucket, keys of 1 to 128 characters, values of up to 256, made of letters,
//! digits, spaces and `+ - = . _ : / @`.

use cellgate_core::node::Attributes;
use cellgate_core::tree::TAGS;
use http::{HeaderMap, StatusCode};
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use s3s::dto::{Tag, Tagging};
use s3s::xml::{Deserialize as _, Deserializer};
use s3s::{S3Error, S3ErrorCode, S3Result};

use crate::{error, headers};

const HEADER: &str = "x-amz-tagging";
const TOO_MANY_OF_OBJECT: Limit = Limit { max: 10, text: "Object tags cannot be greater than 10" };
const TOO_MANY_OF_BUCKET: Limit = Limit { max: 50, text: "Bucket tag count cannot be greater than 50" };
const KEY_MAX_CHARS: usize = 128;
const VALUE_MAX_CHARS: usize = 256;

struct Limit {
    max: usize,
    text: &'static str,
}

/// Tags in the form in which they are kept.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Tags(Vec<(String, String)>);

impl Tags {
    /// Those of a request's header, a query as in URLs.
    pub(crate) fn of_header(headers: &HeaderMap) -> S3Result<Option<Self>> {
        let Some(text) = headers::text(headers, HEADER)? else { return Ok(None) };
        let mut tags = Vec::new();
        for pair in text.split('&').filter(|pair| !pair.is_empty()) {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            if key.is_empty() {
                return Err(malformed());
            }
            tags.push((decode(key).ok_or_else(malformed)?, decode(value).ok_or_else(malformed)?));
        }
        if twice(&tags) {
            return Err(malformed());
        }
        Self::checked(tags, &TOO_MANY_OF_OBJECT).map(Some)
    }

    /// Those of a `Tagging` document that has not been read yet.
    pub(crate) fn of_xml(document: &str) -> S3Result<Self> {
        let mut reader = Deserializer::new(document.as_bytes());
        let tagging = Tagging::deserialize(&mut reader).and_then(|tagging| {
            reader.expect_eof()?;
            Ok(tagging)
        });
        Self::of_document(tagging.map_err(|_| S3Error::new(S3ErrorCode::MalformedXML))?.tag_set)
    }

    /// Those of a `Tagging` document.
    pub(crate) fn of_document(set: Vec<Tag>) -> S3Result<Self> {
        Self::of_set(set, &TOO_MANY_OF_OBJECT)
    }

    /// Those of a document for a bucket.
    pub(crate) fn of_bucket(set: Vec<Tag>) -> S3Result<Self> {
        Self::of_set(set, &TOO_MANY_OF_BUCKET)
    }

    fn of_set(set: Vec<Tag>, limit: &Limit) -> S3Result<Self> {
        let mut tags = Vec::with_capacity(set.len());
        for tag in set {
            let (Some(key), Some(value)) = (tag.key, tag.value) else {
                return Err(S3Error::new(S3ErrorCode::MalformedXML));
            };
            tags.push((key, value));
        }
        if twice(&tags) {
            return Err(invalid("Cannot provide multiple Tags with the same key"));
        }
        Self::checked(tags, limit)
    }

    /// Those an object has.
    pub(crate) fn kept(attributes: &Attributes) -> Self {
        Self::written(attributes.get(TAGS).unwrap_or_default())
    }

    /// Those in the form in which they are kept.
    pub(crate) fn written(text: &str) -> Self {
        let pairs = text.split('&').filter_map(|pair| pair.split_once('='));
        Self(pairs.filter_map(|(key, value)| Some((decode(key)?, decode(value)?))).collect())
    }

    fn checked(tags: Vec<(String, String)>, limit: &Limit) -> S3Result<Self> {
        if tags.len() > limit.max {
            return Err(error::custom("BadRequest", StatusCode::BAD_REQUEST, limit.text));
        }
        for (key, value) in &tags {
            if key.starts_with("aws:") {
                return Err(invalid("System tags cannot be added/updated by requester"));
            }
            if key.is_empty() || key.chars().count() > KEY_MAX_CHARS || !key.chars().all(allowed) {
                return Err(invalid("The TagKey you have provided is invalid"));
            }
            if value.chars().count() > VALUE_MAX_CHARS || !value.chars().all(allowed) {
                return Err(invalid("The TagValue you have provided is invalid"));
            }
        }
        Ok(Self(tags))
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// The attribute; empty when there are none.
    pub(crate) fn text(&self) -> String {
        let encode = |text| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
        let pairs = self.0.iter().map(|(key, value)| format!("{}={}", encode(key), encode(value)));
        pairs.collect::<Vec<_>>().join("&")
    }

    pub(crate) fn into_document(self) -> Vec<Tag> {
        self.0.into_iter().map(|(key, value)| Tag { key: Some(key), value: Some(value) }).collect()
    }
}

fn twice(tags: &[(String, String)]) -> bool {
    tags.iter().enumerate().any(|(at, (key, _))| tags.iter().take(at).any(|(other, _)| other == key))
}

fn allowed(c: char) -> bool {
    c.is_alphanumeric() || c == ' ' || "+-=._:/@".contains(c)
}

fn decode(text: &str) -> Option<String> {
    let escape =
        |at: usize| text.get(at + 1..at + 3).is_some_and(|hex| hex.bytes().all(|b| b.is_ascii_hexdigit()));
    if !text.match_indices('%').all(|(at, _)| escape(at)) {
        return None;
    }
    Some(percent_decode_str(&text.replace('+', " ")).decode_utf8().ok()?.into_owned())
}

fn malformed() -> S3Error {
    error::invalid(format!(
        "The header '{HEADER}' shall be encoded as UTF-8 then URLEncoded URL query parameters without tag \
         name duplicates."
    ))
}

fn invalid(text: &'static str) -> S3Error {
    error::custom("InvalidTag", StatusCode::BAD_REQUEST, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(header: &str) -> Result<Tags, String> {
        let mut headers = HeaderMap::new();
        headers.insert(HEADER, header.parse().unwrap());
        let tags = Tags::of_header(&headers).map(Option::unwrap_or_default);
        tags.map_err(|error| error.code().as_str().to_owned())
    }

    #[test]
    fn headers_are_queries() {
        let tags = of("a=1&b%20c=%C3%A9+x&d").unwrap();
        let expected = [("a", "1"), ("b c", "é x"), ("d", "")];
        assert_eq!(tags.0, expected.map(|(key, value)| (key.to_owned(), value.to_owned())));
        let mut attributes = Attributes::default();
        attributes.set(TAGS, tags.text());
        assert_eq!(Tags::kept(&attributes), tags, "kept as they were");
        assert_eq!(of("").unwrap().text(), "");
        assert_eq!(of("a=%FF"), Err("InvalidArgument".to_owned()));
        assert_eq!(of("a=1&a=2"), Err("InvalidArgument".to_owned()));
    }

    #[test]
    fn limits_are_amazon_s() {
        let many = |count: usize| (0..count).map(|n| format!("k{n}=v")).collect::<Vec<_>>().join("&");
        assert_eq!(of(&many(10)).unwrap().len(), 10);
        assert_eq!(of(&many(11)), Err("BadRequest".to_owned()));
        assert!(of(&format!("{}={}", "k".repeat(128), "v".repeat(256))).is_ok());
        for wrong in [
            format!("{}=v", "k".repeat(129)),
            format!("k={}", "v".repeat(257)),
            "a!=v".to_owned(),
            "a=v%00".to_owned(),
            "aws:a=v".to_owned(),
        ] {
            assert_eq!(of(&wrong), Err("InvalidTag".to_owned()), "{wrong}");
        }
        for wrong in ["=v", "=", "k%", "k%2", "k%zz"] {
            assert_eq!(of(wrong), Err("InvalidArgument".to_owned()), "{wrong}");
        }
        let twice = ["1", "2"].map(|value| Tag { key: Some("a".into()), value: Some(value.into()) });
        assert_eq!(Tags::of_document(twice.into()).unwrap_err().code().as_str(), "InvalidTag");
    }
}
