//! Signature Version 2, as boto3, s3cmd, rclone and the web client of Cells sign it.
//!
//! HMAC-SHA1 over method, digest, type, date, the `x-amz-*` headers and the resource. Clients differ
//! in details that carry no meaning: the slash behind a bucket, the `=` of an empty sub-resource, the
//! form of the date. Each of them is accepted.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cellgate_core::http::date;
use cellgate_core::principal::SharedPrincipal;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::header::{AUTHORIZATION, CONTENT_TYPE, DATE};
use http::request::Parts;
use http::{HeaderMap, Method};
use s3s::{S3Error, S3ErrorCode, S3Result};
use sha1::Sha1;
use subtle::ConstantTimeEq as _;
use time::PrimitiveDateTime;
use time::macros::format_description;

use super::claim::too_skewed;
use super::{Call, Front, SKEW_MAX_S};
use crate::domains::HostBucket;
use crate::{error, headers, route};

/// Parameters that are part of the resource.
const SIGNED_PARAMETERS: [&str; 26] = [
    "accelerate",
    "acl",
    "cors",
    "delete",
    "lifecycle",
    "location",
    "logging",
    "notification",
    "partNumber",
    "policy",
    "replication",
    "requestPayment",
    "response-cache-control",
    "response-content-disposition",
    "response-content-encoding",
    "response-content-language",
    "response-content-type",
    "response-expires",
    "restore",
    "tagging",
    "torrent",
    "uploadId",
    "uploads",
    "versionId",
    "versioning",
    "versions",
];
/// Not a parameter of ours, but signed all the same.
const WEBSITE: &str = "website";

/// What a signature adds to a query.
pub(super) const PARAMETERS: [&str; 3] = ["AWSAccessKeyId", "Signature", "Expires"];

/// Verifies the signature, in the header or the query.
pub(super) async fn verify(front: &Front, call: &Call, request: &Parts) -> S3Result<SharedPrincipal> {
    let now_s = date::now_ns().div_euclid(1_000_000_000);
    let claim = Claim::of(&request.headers, request.uri.query(), now_s)?;
    let (principal, secret) = call.signing_key(&front.core, &claim.access_key).await?;
    // What is signed names the bucket, also where only the host does.
    let bucket = request.extensions.get().map(|HostBucket(name)| format!("/{name}")).unwrap_or_default();
    let path = format!("{bucket}{}", request.uri.path());
    let texts = claim.texts(&request.method, &path, request.uri.query(), &request.headers);
    if !texts.iter().any(|text| matches(&secret, text, &claim.signature)) {
        return Err(S3Error::new(S3ErrorCode::SignatureDoesNotMatch));
    }
    Ok(principal)
}

/// What a request says of itself.
struct Claim {
    access_key: String,
    signature: Vec<u8>,
    /// The date line of the text: `Expires`, `Date`, or empty beside an `x-amz-date`.
    date: String,
}

impl Claim {
    fn of(headers: &HeaderMap, query: Option<&str>, now_s: i64) -> S3Result<Self> {
        let parameter = |name: &str| {
            let mut values = route::parameters(query).filter(|(other, _)| other == name);
            let value = values.next().map(|(_, value)| value);
            values.next().is_none().then_some(value).flatten()
        };
        if route::parameters(query).any(|(name, _)| matches!(name.as_str(), "Signature" | "AWSAccessKeyId")) {
            let (Some(access_key), Some(signature), Some(expires)) =
                (parameter("AWSAccessKeyId"), parameter("Signature"), parameter("Expires"))
            else {
                return Err(error::denied(
                    "Query-string authentication requires the Signature, Expires and AWSAccessKeyId parameters",
                ));
            };
            let until: i64 =
                expires.parse().map_err(|_| error::denied("Invalid date (should be seconds since epoch)"))?;
            if until < now_s {
                return Err(error::denied("Request has expired."));
            }
            return Ok(Self { access_key, signature: unbase64(&signature)?, date: expires });
        }
        let authorization = headers::text(headers, &AUTHORIZATION)?.unwrap_or_default();
        // From the right: `:` may be part of a key, never of base64.
        let (access_key, signature) =
            authorization.strip_prefix("AWS ").and_then(|pair| pair.trim().rsplit_once(':')).ok_or_else(
                || error::invalid("AWS authorization header is invalid.  Expected AwsAccessKeyId:signature"),
            )?;
        let amz = headers::text(headers, "x-amz-date")?;
        let plain = headers::text(headers, &DATE)?;
        let signed_at = amz
            .or(plain)
            .and_then(parse_date)
            .ok_or_else(|| error::denied("AWS authentication requires a valid Date or x-amz-date header."))?;
        if (signed_at - now_s).abs() > SKEW_MAX_S {
            return Err(too_skewed());
        }
        let date = if amz.is_some() { "" } else { plain.unwrap_or_default() };
        Ok(Self { access_key: access_key.to_owned(), signature: unbase64(signature)?, date: date.to_owned() })
    }

    /// The texts that this request may have been signed as.
    fn texts(&self, method: &Method, path: &str, query: Option<&str>, headers: &HeaderMap) -> Vec<String> {
        let header = |name: &str| headers::text(headers, name).ok().flatten().unwrap_or_default();
        let md5 = header("content-md5");
        let mime = header(CONTENT_TYPE.as_str());
        let head = format!("{method}\n{md5}\n{mime}\n{}\n{}", self.date, amz_lines(headers));
        let mut texts = Vec::with_capacity(4);
        for path in paths(path) {
            for bare in [true, false] {
                texts.push(format!("{head}{path}{}", sub_resources(query, bare)));
            }
        }
        texts.dedup();
        texts
    }
}

/// boto3 signs `/io/` for a request to `/io`; others sign what they send.
fn paths(path: &str) -> Vec<String> {
    let mut paths = vec![path.to_owned()];
    let bucket = path.trim_matches('/');
    if !bucket.is_empty() && !bucket.contains('/') {
        paths.push(if path.ends_with('/') { format!("/{bucket}") } else { format!("{path}/") });
    }
    paths
}

/// The signed parameters, sorted, decoded. `bare` leaves the `=` of an empty value out.
fn sub_resources(query: Option<&str>, bare: bool) -> String {
    let mut signed: Vec<_> = route::parameters(query)
        .filter(|(name, _)| name == WEBSITE || SIGNED_PARAMETERS.contains(&name.as_str()))
        .collect();
    signed.sort();
    let mut text = String::new();
    for (name, value) in signed {
        text.push(if text.is_empty() { '?' } else { '&' });
        text.push_str(&name);
        // `?uploads` has no `=`, and no value either.
        if !value.is_empty() || !bare {
            text.push('=');
            text.push_str(&value);
        }
    }
    text
}

fn amz_lines(headers: &HeaderMap) -> String {
    let mut lines: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (name, value) in headers.iter().filter(|(name, _)| name.as_str().starts_with("x-amz-")) {
        let value = String::from_utf8_lossy(value.as_bytes()).trim().to_owned();
        lines.entry(name.as_str()).or_default().push(value);
    }
    lines.into_iter().map(|(name, values)| format!("{name}:{}\n", values.join(","))).collect()
}

/// RFC 1123, or ISO 8601 basic. s3cmd writes the former into `x-amz-date`, and its zone as a number;
/// Go writes `UTC`.
fn parse_date(text: &str) -> Option<i64> {
    let zone = ["+0000", "-0000", "UTC"].into_iter().find_map(|zone| text.strip_suffix(zone));
    let http = zone.map_or_else(|| text.to_owned(), |text| format!("{text}GMT"));
    date::parse_http(&http)
        .or_else(|| on_another_day(&http))
        .or_else(|| Some(s3s_sigv4::AmzDate::parse(text).ok()?.to_time()?.as_second()))
}

/// RFC 1123 under the name of a day that it was not: the time is plain all the same. Before 1970 there
/// is none.
fn on_another_day(text: &str) -> Option<i64> {
    let (_, text) = text.split_once(", ")?;
    let format = format_description!("[day] [month repr:short] [year] [hour]:[minute]:[second] GMT");
    let time = PrimitiveDateTime::parse(text, &format).ok()?.assume_utc().unix_timestamp();
    (time >= 0).then_some(time)
}

fn unbase64(text: &str) -> S3Result<Vec<u8>> {
    // A `+` that was not percent-encoded in a query has become a space.
    STANDARD.decode(text.replace(' ', "+")).map_err(|_| S3Error::new(S3ErrorCode::SignatureDoesNotMatch))
}

pub(super) fn matches(secret: &str, text: &str, signature: &[u8]) -> bool {
    hmac_sha1(secret, text).is_some_and(|computed| computed.ct_eq(signature).into())
}

fn hmac_sha1(secret: &str, text: &str) -> Option<Vec<u8>> {
    let mut mac = Hmac::<Sha1>::new_from_slice(secret.as_bytes()).ok()?;
    mac.update(text.as_bytes());
    Some(mac.finalize().into_bytes().to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "gatewaysecret";

    fn signature(text: &str) -> String {
        STANDARD.encode(hmac_sha1(SECRET, text).unwrap())
    }

    /// The vectors of the Cells reference, 3.3: the first was captured from the web client.
    #[test]
    fn vectors_of_the_reference() {
        for (text, expected) in [
            (
                "PUT\n\napplication/octet-stream\n1579564291\n/io/personal-files/logic-spock.jpg",
                "nqIzr/m6VXKPsPxbTTlXomZY1EE=",
            ),
            (
                "PUT\n\napplication/octet-stream\n1893456000\n/io/personal-files/report.txt",
                "topOzj4jgaeAdN/6iPqGGIDXshs=",
            ),
            (
                "GET\n\n\n1893456000\n/io/personal-files/report.txt?response-content-disposition=attachment; filename=report.txt",
                "CqObI1hid4CYlJwFyzq0frP3q3E=",
            ),
        ] {
            assert_eq!(signature(text), expected);
        }
    }

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    fn accepted(method: Method, path_query: &str, headers: &HeaderMap, now_s: i64) -> S3Result<bool> {
        let uri: http::Uri = path_query.parse().unwrap();
        let claim = Claim::of(headers, uri.query(), now_s)?;
        assert_eq!(claim.access_key, "gateway");
        let texts = claim.texts(&method, uri.path(), uri.query(), headers);
        Ok(texts.iter().any(|text| matches(SECRET, text, &claim.signature)))
    }

    #[test]
    fn requests_of_the_reference_are_accepted_until_they_expire() {
        let mime = headers(&[("content-type", "application/octet-stream"), ("x-pydio-bearer", "t")]);
        let capture = "/io/personal-files/logic-spock.jpg?AWSAccessKeyId=gateway\
            &Content-Type=application%2Foctet-stream&Expires=1579564291\
            &Signature=nqIzr%2Fm6VXKPsPxbTTlXomZY1EE%3D";
        assert!(accepted(Method::PUT, capture, &mime, 1_579_564_291).unwrap());
        let expired = accepted(Method::PUT, capture, &mime, 1_579_564_292).unwrap_err();
        assert_eq!(expired.code(), &S3ErrorCode::AccessDenied);
        assert!(!accepted(Method::GET, capture, &mime, 0).unwrap());
        assert!(!accepted(Method::PUT, capture, &HeaderMap::new(), 0).unwrap());

        let download = "/io/personal-files/report.txt?AWSAccessKeyId=gateway&Expires=1893456000\
            &Signature=CqObI1hid4CYlJwFyzq0frP3q3E%3D\
            &response-content-disposition=attachment%3B%20filename%3Dreport.txt&pydio_jwt=anything";
        assert!(accepted(Method::GET, download, &HeaderMap::new(), 0).unwrap());
        let inline = download.replace("attachment", "inline");
        assert!(!accepted(Method::GET, &inline, &HeaderMap::new(), 0).unwrap());
    }

    #[test]
    fn dates_of_every_client_are_read() {
        for date in [
            "Sun, 06 Nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 08:49:37 +0000",
            "Sun, 06 Nov 1994 08:49:37 UTC",
            "19941106T084937Z",
            // It was a Sunday.
            "Tue, 06 Nov 1994 08:49:37 GMT",
        ] {
            assert_eq!(parse_date(date), Some(784_111_777), "{date}");
        }
        // The ends of time in ceph/s3-tests.
        assert_eq!(parse_date("Tue, 07 Jul 9999 21:53:04 GMT"), Some(253_387_000_384));
        assert_eq!(parse_date("Tue, 07 Jul 2010 21:53:04 GMT"), Some(1_278_539_584));
        for date in [
            "",
            "GMT",
            "+0000",
            "yesterday",
            "Sun, 06 Nov 1994 08:49:37 +0100",
            "Sun, 31 Feb 1994 08:49:37 GMT",
            "Tue, 07 Jul 1950 21:53:04 GMT",
        ] {
            assert_eq!(parse_date(date), None, "{date}");
        }
    }

    #[test]
    fn dialects_of_header_signers_are_accepted() {
        let rfc = "Sun, 06 Nov 1994 08:49:37 GMT";
        let now_s = 784_111_777;
        for (uri, method, pairs, text) in [
            // boto3: the bucket with a slash.
            ("/io", "GET", [("date", rfc)], format!("GET\n\n\n{rfc}\n/io/")),
            // s3cmd: RFC 1123 in x-amz-date, and a sub-resource.
            (
                "/io/?location",
                "GET",
                [("x-amz-date", rfc)],
                format!("GET\n\n\n\nx-amz-date:{rfc}\n/io/?location"),
            ),
            // Go clients write `uploads=`.
            ("/io/ws/a?uploads=", "POST", [("date", rfc)], format!("POST\n\n\n{rfc}\n/io/ws/a?uploads=")),
            ("/io/ws/a?uploads=", "POST", [("date", rfc)], format!("POST\n\n\n{rfc}\n/io/ws/a?uploads")),
        ] {
            let mut headers = headers(&pairs);
            let authorization = format!("AWS gateway:{}", signature(&text));
            headers.insert(AUTHORIZATION, authorization.parse().unwrap());
            assert!(accepted(method.parse().unwrap(), uri, &headers, now_s).unwrap(), "{text:?}");
            let skewed = accepted(method.parse().unwrap(), uri, &headers, now_s + 901).unwrap_err();
            assert_eq!(skewed.code(), &S3ErrorCode::RequestTimeTooSkewed);
        }
    }
}
