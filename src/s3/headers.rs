//! Headers that describe an object: what is kept with it, what is checked, what is shown.
//!
//! Known gaps: encryption and ACL grants are refused with 501 rather than dropped; object lock as Amazon
//! does in a bucket that has none.

use std::fmt::Display;
use std::time::SystemTime;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cellgate_core::content::{Algorithm, Checksum, LateChecksums};
use cellgate_core::http::conditional::{Conditions, ETags};
use cellgate_core::http::date;
use cellgate_core::node::Attributes;
use cellgate_core::tree::TAGS;
use cellgate_core::{Error, Node};
use http::header::{
    ACCEPT_RANGES, AsHeaderName, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_ENCODING, CONTENT_LANGUAGE,
    CONTENT_TYPE, ETAG, EXPIRES, IF_MATCH, IF_NONE_MATCH, LAST_MODIFIED,
};
use http::{Extensions, HeaderMap, HeaderName, HeaderValue, StatusCode};
use s3s::dto::{ETag, Timestamp};
use s3s::{S3Error, S3ErrorCode, S3Result};

use crate::body::Trailers;
use crate::tags::Tags;
use crate::{checksums, error};

/// Amazon's limit on user metadata, names and values together.
const METADATA_MAX_BYTES: usize = 2_048;
const METADATA: &str = "x-amz-meta-";
/// What the layers of Cells tell each other in metadata. From outside it says nothing, and given back
/// it would be taken for the id of the node.
const NODE_UUID: &str = "pydio-node-uuid";
pub(crate) const CHECKSUM: &str = "x-amz-checksum-";

/// Kept and shown; a copy does not take it along.
pub(crate) const REDIRECT: &str = "x-amz-website-redirect-location";

/// Headers kept with the content and sent back as they came.
pub(crate) const STORED: [HeaderName; 5] =
    [CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_ENCODING, CONTENT_LANGUAGE, EXPIRES];

/// The attributes and the media type that a PUT, a copy or a multipart upload asks for.
pub(crate) fn content(headers: &HeaderMap) -> S3Result<(Attributes, Option<String>)> {
    let mut attributes = Attributes::default();
    for name in &STORED {
        let Some(value) = text(headers, name.as_str())? else { continue };
        let value = if name == CONTENT_ENCODING { without_aws_chunked(value) } else { value.to_owned() };
        if !value.is_empty() {
            attributes.set(name.as_str(), value);
        }
    }
    if let Some(location) = text(headers, REDIRECT)? {
        if !["/", "http://", "https://"].iter().any(|begin| location.starts_with(begin)) {
            return Err(error::custom(
                "InvalidRedirectLocation",
                StatusCode::BAD_REQUEST,
                "The website redirect location must have a prefix of 'http://' or 'https://' or '/'.",
            ));
        }
        attributes.set(REDIRECT, location);
    }
    let mut size = 0;
    for name in headers.keys() {
        let Some(short) = name.as_str().strip_prefix(METADATA).filter(|name| *name != NODE_UUID) else {
            continue;
        };
        let Some(raw) = text(headers, name.as_str())? else { continue };
        let value = s3s_rfc2047::decode(raw)
            .map_err(|_| error::invalid(format!("header `{name}` is not valid RFC 2047 text")))?;
        if value.chars().any(|c| c.is_control() && c != '\t') {
            return Err(error::invalid(format!("header `{name}` contains a control character")));
        }
        size += short.len() + value.len();
        attributes.set(name.as_str(), value);
    }
    if size > METADATA_MAX_BYTES {
        return Err(S3Error::new(S3ErrorCode::MetadataTooLarge));
    }
    Ok((attributes, mime(headers)?))
}

/// Makes one header of metadata that was sent as several: Amazon keeps their values as a list with
/// commas, in the order of the request.
pub(crate) fn join_metadata(headers: &mut HeaderMap) {
    if headers.len() == headers.keys_len() {
        return;
    }
    let names = headers.keys().filter(|name| name.as_str().starts_with(METADATA));
    let several = names.filter(|name| headers.get_all(*name).iter().nth(1).is_some());
    for name in several.cloned().collect::<Vec<_>>() {
        let values: Vec<_> =
            headers.get_all(&name).iter().map(|value| value.as_bytes().trim_ascii()).collect();
        if let Ok(joined) = HeaderValue::from_bytes(&values.join(&b","[..])) {
            headers.insert(name, joined);
        }
    }
}

/// The same with tags: what a new object begins with.
pub(crate) fn new_object(headers: &HeaderMap) -> S3Result<(Attributes, Option<String>)> {
    let (mut attributes, mime) = content(headers)?;
    if let Some(tags) = Tags::of_header(headers)?.filter(|tags| tags.len() > 0) {
        attributes.set(TAGS, tags.text());
    }
    Ok((attributes, mime))
}

/// The media type. Generic ones say nothing (Cells' web client and cec send them for everything):
/// the core goes by the name then, so that other doors show the file as what it is.
fn mime(headers: &HeaderMap) -> S3Result<Option<String>> {
    Ok(text(headers, &CONTENT_TYPE)?
        .filter(|mime| {
            !mime.is_empty() && !matches!(*mime, "application/octet-stream" | "binary/octet-stream")
        })
        .map(str::to_owned))
}

/// `aws-chunked` describes the transfer, not the object.
fn without_aws_chunked(value: &str) -> String {
    let codings: Vec<&str> = value
        .split(',')
        .map(str::trim)
        .filter(|coding| !coding.eq_ignore_ascii_case("aws-chunked"))
        .collect();
    codings.join(", ")
}

/// The digests a body is promised to have.
#[derive(Default)]
pub(crate) struct Promised {
    pub(crate) checksums: Vec<Checksum>,
    pub(crate) compute: Vec<Algorithm>,
    pub(crate) late: Option<LateChecksums>,
}

impl Promised {
    /// Trailers come with the body, into the request's extensions.
    pub(crate) fn of(headers: &HeaderMap, extensions: &Extensions) -> S3Result<Self> {
        let mut promised = Self::default();
        if let Some(value) = text(headers, "content-md5")? {
            let sent = value;
            let value = STANDARD.decode(value).ok().filter(|value| value.len() == 16);
            let Some(value) = value else {
                let invalid = S3Error::new(S3ErrorCode::InvalidDigest);
                return Err(error::with_fields(invalid, &[("Content-MD5", sent)]));
            };
            promised.checksums.push(Checksum { algorithm: Algorithm::ContentMd5, value });
        }
        let named = |name: &HeaderName| matches!(checksum_header(name.as_str()), Ok(Some(_)));
        if headers.keys().filter(|name| named(name)).count() > 1 {
            return Err(checksums::several());
        }
        for name in headers.keys() {
            let Some(algorithm) = checksum_header(name.as_str())? else { continue };
            let Some(value) = text(headers, name.as_str())? else { continue };
            let value = decode(algorithm, value).ok_or_else(|| {
                error::with(S3ErrorCode::InvalidRequest, format!("Value for {name} header is invalid."))
            })?;
            promised.checksums.push(Checksum { algorithm, value });
        }
        promised.announce(headers, extensions.get::<Trailers>().cloned())?;
        let in_headers = promised.checksums.iter().any(|sum| sum.algorithm != Algorithm::ContentMd5);
        if in_headers && promised.late.is_some() {
            return Err(checksums::several());
        }
        Ok(promised)
    }

    fn announce(&mut self, headers: &HeaderMap, trailers: Option<Trailers>) -> S3Result<()> {
        let announced: Vec<_> = announced_trailers(headers)?
            .iter()
            .map(|name| checksum_header(name))
            .collect::<S3Result<Vec<_>>>()?
            .into_iter()
            .flatten()
            .collect();
        if announced.is_empty() {
            return Ok(());
        }
        self.compute.clone_from(&announced);
        self.late = Some(Box::new(move || {
            let trailers = trailers.map(|trailers| trailers.take()).unwrap_or_default();
            announced.into_iter().map(|algorithm| late(&trailers, algorithm)).collect()
        }));
        Ok(())
    }
}

/// The names of `x-amz-trailer`, in lower case: checksums, nothing else.
pub(crate) fn announced_trailers(headers: &HeaderMap) -> S3Result<Vec<String>> {
    let names = text(headers, "x-amz-trailer")?.unwrap_or_default();
    let names = names.split(',').map(|name| name.trim().to_ascii_lowercase());
    let names: Vec<_> = names.filter(|name| !name.is_empty()).collect();
    for name in &names {
        if !matches!(checksum_header(name), Ok(Some(_))) {
            return Err(error::with(
                S3ErrorCode::InvalidRequest,
                "The value specified in the x-amz-trailer header is not supported",
            ));
        }
    }
    Ok(names)
}

/// Refuses a trailer whose value is no checksum of its kind.
pub(crate) fn check_trailer(name: &str, value: &str) -> S3Result<()> {
    match checksum_header(name)?.map(|algorithm| decode(algorithm, value)) {
        Some(Some(_)) => Ok(()),
        _ => Err(error::with(
            S3ErrorCode::InvalidRequest,
            format!("Value for {name} trailing header is invalid."),
        )),
    }
}

fn late(trailers: &HeaderMap, algorithm: Algorithm) -> Result<Checksum, Error> {
    let name = format!("{CHECKSUM}{}", algorithm.as_str());
    let value = trailers
        .get(&name)
        .and_then(|value| decode(algorithm, value.to_str().ok()?))
        .ok_or_else(|| Error::InvalidArgument(format!("trailer `{name}` is missing or malformed")))?;
    Ok(Checksum { algorithm, value })
}

/// The algorithm of a header that carries a checksum's value; all of Amazon's are known.
fn checksum_header(name: &str) -> S3Result<Option<Algorithm>> {
    match name.strip_prefix(CHECKSUM) {
        None | Some("algorithm" | "type" | "mode") => Ok(None),
        Some(short) => match Algorithm::parse(short) {
            Some(algorithm) => Ok(Some(algorithm)),
            None => Err(error::with(
                S3ErrorCode::InvalidRequest,
                "The algorithm type you specified in x-amz-checksum- header is invalid.",
            )),
        },
    }
}

pub(crate) fn decode(algorithm: Algorithm, value: &str) -> Option<Vec<u8>> {
    STANDARD.decode(value.trim()).ok().filter(|value| value.len() == algorithm.width())
}

/// Digests as response headers.
pub(crate) fn digests<'v>(digests: impl Iterator<Item = (Algorithm, &'v str)>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (algorithm, value) in digests {
        insert(&mut headers, &format!("{CHECKSUM}{}", algorithm.as_str()), value);
    }
    headers
}

/// The digests kept with an object and their kind, as response headers.
pub(crate) fn checksums(attributes: &Attributes) -> HeaderMap {
    let mut headers = digests(checksums::kept(attributes));
    checksum_type(&mut headers, attributes);
    headers
}

pub(crate) fn checksum_type(headers: &mut HeaderMap, attributes: &Attributes) {
    if let Some(of) = checksums::kept_type(attributes) {
        headers.insert("x-amz-checksum-type", HeaderValue::from_static(checksums::name_of(of)));
    }
}

/// What every GET and HEAD says of an object, without its length.
pub(crate) fn object(node: &Node) -> HeaderMap {
    // With room for what every answer has: growing would sort all of them again.
    let mut headers = HeaderMap::with_capacity(12);
    let mut set = |name: HeaderName, value: String| {
        if let Ok(value) = HeaderValue::try_from(value) {
            headers.insert(name, value);
        }
    };
    set(ETAG, ["\"", &node.etag, "\""].concat());
    set(LAST_MODIFIED, date::http(node.mtime_ns));
    headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    let mime = if node.mime.is_empty() { "application/octet-stream" } else { &node.mime };
    insert(&mut headers, CONTENT_TYPE.as_str(), mime);
    for name in &STORED {
        if let Some(value) = node.attributes.get(name.as_str()) {
            insert(&mut headers, name.as_str(), value);
        }
    }
    if let Some(location) = node.attributes.get(REDIRECT) {
        insert(&mut headers, REDIRECT, location);
    }
    for (name, value) in node.attributes.0.iter().filter(|(name, _)| name.starts_with(METADATA)) {
        if let Ok(value) = s3s_rfc2047::encode(value) {
            insert(&mut headers, name, &value);
        }
    }
    let tags = Tags::kept(&node.attributes).len();
    if tags > 0 {
        headers.insert("x-amz-tagging-count", HeaderValue::from(tags));
    }
    headers
}

/// Inserts what can be a header; attributes of other doors may hold what cannot.
pub(crate) fn insert(headers: &mut HeaderMap, name: &str, value: &str) {
    if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
        headers.insert(name, value);
    }
}

/// The conditions of a write: S3 knows entity tags only.
pub(crate) fn write_conditions(headers: &HeaderMap) -> S3Result<Conditions> {
    let tags = |name: HeaderName| Ok::<_, S3Error>(text(headers, name.as_str())?.map(ETags::parse));
    Ok(Conditions { if_match: tags(IF_MATCH)?, if_none_match: tags(IF_NONE_MATCH)?, ..Conditions::default() })
}

/// Writes an entity tag without quotes as one with: s3s takes those of letters, digits and dashes alone,
/// Amazon compares any.
pub(crate) fn quote_conditions(headers: &mut HeaderMap) {
    for name in [IF_MATCH, IF_NONE_MATCH] {
        let mut tags = headers.get_all(&name).iter().map(HeaderValue::as_bytes);
        let (Some(tag), None) = (tags.next(), tags.next()) else { continue };
        if is_bare(tag)
            && let Ok(quoted) = HeaderValue::from_bytes(&[b"\"", tag, b"\""].concat())
        {
            headers.insert(name, quoted);
        }
    }
}

fn is_bare(tag: &[u8]) -> bool {
    tag != b"*"
        && !tag.is_empty()
        && tag.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(byte))
}

/// The conditions that a copy puts on its source.
pub(crate) fn source_conditions(headers: &HeaderMap) -> S3Result<Conditions> {
    let of = |name: &str| text(headers, name);
    Ok(Conditions {
        if_match: of("x-amz-copy-source-if-match")?.map(ETags::parse),
        if_none_match: of("x-amz-copy-source-if-none-match")?.map(ETags::parse),
        if_modified_since_s: of("x-amz-copy-source-if-modified-since")?.and_then(date::parse_http),
        if_unmodified_since_s: of("x-amz-copy-source-if-unmodified-since")?.and_then(date::parse_http),
    })
}

/// Headers that ask for what is not built. Dropping them would store in the clear what was to be
/// encrypted, or leave public what was to be locked.
const REFUSED: [&str; 4] = [
    "x-amz-server-side-encryption",
    "x-amz-copy-source-server-side-encryption",
    "x-amz-grant-",
    "x-amz-write-offset-bytes",
];

/// Refuses what the headers ask for beyond this door.
pub(crate) fn refuse_unsupported(headers: &HeaderMap) -> S3Result<()> {
    for (name, value) in headers {
        let name = name.as_str();
        if !name.starts_with("x-amz-") {
            continue;
        }
        if name.starts_with("x-amz-object-lock-") {
            return Err(no_object_lock());
        }
        if let Some(refused) = REFUSED.iter().find(|refused| name.starts_with(**refused)) {
            return Err(error::unsupported(format!("header `{}`", refused.trim_end_matches('-'))));
        }
        let value = value.as_bytes();
        // What these ask for is how it is: the bucket's owner owns and controls all.
        const OWNED: [&[u8]; 4] = [b"", b"private", b"bucket-owner-full-control", b"bucket-owner-read"];
        if name == "x-amz-acl" && !OWNED.contains(&value) {
            return Err(S3Error::new(S3ErrorCode::AccessControlListNotSupported));
        }
        if name == "x-amz-storage-class" && !value.is_empty() && value != b"STANDARD" {
            return Err(S3Error::new(S3ErrorCode::InvalidStorageClass));
        }
    }
    Ok(())
}

/// Amazon's answer to whatever needs object lock, in a bucket without.
pub(crate) fn no_object_lock() -> S3Error {
    error::with(S3ErrorCode::InvalidRequest, "Bucket is missing Object Lock Configuration")
}

/// The one value of a header, as UTF-8 (metadata may be raw UTF-8).
pub(crate) fn text<N>(headers: &HeaderMap, name: N) -> S3Result<Option<&str>>
where
    N: AsHeaderName + Display + Copy,
{
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(error::with(S3ErrorCode::InvalidRequest, format!("duplicate header: {name}")));
    }
    let value = std::str::from_utf8(value.as_bytes())
        .map_err(|_| error::invalid(format!("header `{name}` is not valid UTF-8")))?;
    Ok(Some(value.trim()))
}

pub(crate) fn etag(value: &str) -> ETag {
    ETag::Strong(value.to_owned())
}

pub(crate) fn timestamp(ns: i64) -> Timestamp {
    match time::OffsetDateTime::from_unix_timestamp_nanos(i128::from(ns)) {
        Ok(time) => time.into(),
        Err(_) => SystemTime::UNIX_EPOCH.into(),
    }
}

/// Seconds since the epoch.
pub(crate) fn seconds(time: &Timestamp) -> i64 {
    let time: time::OffsetDateTime = time.clone().into();
    time.unix_timestamp()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(pairs: &[(&str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(
                HeaderName::try_from(*name).unwrap(),
                HeaderValue::from_bytes(value.as_bytes()).unwrap(),
            );
        }
        headers
    }

    #[test]
    fn the_transfer_coding_is_not_kept() {
        for (sent, kept) in [
            ("aws-chunked", None),
            ("gzip, aws-chunked", Some("gzip")),
            ("deflate, gzip", Some("deflate, gzip")),
        ] {
            let (attributes, _) = content(&map(&[("content-encoding", sent)])).unwrap();
            assert_eq!(attributes.get("content-encoding"), kept, "{sent}");
        }
    }

    #[test]
    fn metadata_is_kept_decoded_and_limited() {
        let (attributes, mime) = content(&map(&[
            ("x-amz-meta-a", "=?UTF-8?B?w6k=?="),
            ("x-amz-meta-mtime", "1.5"),
            ("content-type", "text/plain"),
            ("x-amz-date", "now"),
        ]))
        .unwrap();
        assert_eq!(attributes.get("x-amz-meta-a"), Some("é"));
        assert_eq!(attributes.get("x-amz-meta-mtime"), Some("1.5"));
        assert_eq!(attributes.get("x-amz-date"), None);
        assert_eq!(mime.as_deref(), Some("text/plain"));

        let long = "v".repeat(2_048);
        let refused = content(&map(&[("x-amz-meta-a", &long)])).unwrap_err();
        assert_eq!(refused.code(), &S3ErrorCode::MetadataTooLarge);
    }

    #[test]
    fn generic_types_leave_the_name_to_decide() {
        for mime in ["application/octet-stream", "binary/octet-stream", ""] {
            assert_eq!(content(&map(&[("content-type", mime)])).unwrap().1, None);
        }
    }

    #[test]
    fn digests_are_read_or_refused() {
        // MD5 of `hello`, RFC 1864 form.
        let promised =
            Promised::of(&map(&[("content-md5", "XUFAKrxLKna5cZ2REBfFkg==")]), &Extensions::new()).unwrap();
        assert_eq!(hex::encode(&promised.checksums[0].value), "5d41402abc4b2a76b9719d911017c592");
        let refused = |name, value| Promised::of(&map(&[(name, value)]), &Extensions::new()).err().unwrap();
        assert_eq!(refused("content-md5", "YWJj").code(), &S3ErrorCode::InvalidDigest);
        assert_eq!(refused("content-md5", "?").code(), &S3ErrorCode::InvalidDigest);
        assert_eq!(refused("x-amz-checksum-crc32", "AAAA").code(), &S3ErrorCode::InvalidRequest);
        assert_eq!(refused("x-amz-checksum-sha512", "AAAA").code(), &S3ErrorCode::InvalidRequest);
        assert_eq!(refused("x-amz-checksum-md4", "AAAA").code(), &S3ErrorCode::InvalidRequest);
        assert_eq!(refused("x-amz-trailer", "x-other").code(), &S3ErrorCode::InvalidRequest);
    }

    #[test]
    fn an_announced_trailer_must_come() {
        let promised =
            Promised::of(&map(&[("x-amz-trailer", "x-amz-checksum-crc32")]), &Extensions::new()).unwrap();
        assert_eq!(promised.compute, [Algorithm::Crc32]);
        assert!(matches!(promised.late.unwrap()(), Err(Error::InvalidArgument(_))));
    }

    #[test]
    fn what_is_not_built_is_refused() {
        for name in
            ["x-amz-server-side-encryption", "x-amz-server-side-encryption-customer-key", "x-amz-grant-read"]
        {
            let refused = refuse_unsupported(&map(&[(name, "x")])).unwrap_err();
            assert_eq!(refused.code(), &S3ErrorCode::NotImplemented, "{name}");
        }
        let lock = refuse_unsupported(&map(&[("x-amz-object-lock-mode", "GOVERNANCE")])).unwrap_err();
        assert_eq!(lock.code(), &S3ErrorCode::InvalidRequest);
        let acl = refuse_unsupported(&map(&[("x-amz-acl", "public-read")])).unwrap_err();
        assert_eq!(acl.code(), &S3ErrorCode::AccessControlListNotSupported);
        let usual = [("x-amz-acl", "private"), ("x-amz-storage-class", "STANDARD"), ("x-amz-date", "x")];
        assert!(refuse_unsupported(&map(&usual)).is_ok());
    }
}
