//! What a V4 request says of itself, in its header or its query, and how it is refused when that is
//! no claim. The texts are Amazon's.
//!
//! A part of the header is repeated in an answer only where it cannot be an access key, for that may
//! be a token.

use cellgate_core::http::date;
use http::HeaderMap;
use http::header::DATE;
use s3s::{S3Error, S3ErrorCode, S3Result};
use s3s_sigv4::AmzDate;
use time::OffsetDateTime;
use time::macros::format_description;

use super::SKEW_MAX_S;
use super::query::Query;
use crate::{error, headers};

const ALGORITHM: &str = "AWS4-HMAC-SHA256";
const EXPIRES_MAX_S: i64 = 604_800;
/// What a V4 signature adds to a query.
pub(super) const PARAMETERS: [&str; 6] = [
    "X-Amz-Algorithm",
    "X-Amz-Credential",
    "X-Amz-Signature",
    "X-Amz-Date",
    "X-Amz-SignedHeaders",
    "X-Amz-Expires",
];

pub(super) struct Claim<'a> {
    pub(super) scope: Scope<'a>,
    pub(super) signed_headers: &'a str,
    pub(super) signature: &'a str,
    /// As it was signed, `20300101T000000Z`.
    pub(super) time: String,
}

/// `<key>/<date>/<region>/s3/aws4_request`.
#[derive(Debug)]
pub(super) struct Scope<'a> {
    pub(super) access_key: &'a str,
    pub(super) date: &'a str,
    pub(super) region: &'a str,
}

impl<'a> Scope<'a> {
    /// The error is the end of a sentence that differs with the place of the credential.
    pub(super) fn parse(credential: &'a str) -> Result<Self, String> {
        let mut parts = credential.split('/');
        let parts = [parts.next(), parts.next(), parts.next(), parts.next(), parts.next(), parts.next()];
        let [Some(access_key), Some(date), Some(region), Some(service), Some(terminal), None] = parts else {
            return Err("the Credential is mal-formed; expecting \
                        \"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request\"."
                .into());
        };
        if service != "s3" {
            return Err(format!("incorrect service {service:?}. This endpoint belongs to \"s3\"."));
        }
        if terminal != "aws4_request" {
            return Err(format!("incorrect terminal {terminal:?}. This endpoint uses \"aws4_request\"."));
        }
        if date.len() != 8 || AmzDate::parse(&format!("{date}T000000Z")).is_err() {
            return Err(format!(
                "incorrect date format {date:?}. This date in the credential must be in the format \"yyyyMMdd\"."
            ));
        }
        Ok(Self { access_key, date, region })
    }
}

impl<'a> Claim<'a> {
    pub(super) fn of_header(authorization: &'a str, headers: &HeaderMap, now_s: i64) -> S3Result<Self> {
        let (time, signed_at) = header_time(headers)?;
        if (signed_at - now_s).abs() > SKEW_MAX_S {
            return Err(too_skewed());
        }
        let (credential, signed_headers, signature) = components(authorization)?;
        let scope = Scope::parse(credential).map_err(malformed)?;
        if time.get(..8) != Some(scope.date) {
            return Err(malformed(
                "The authorization header is malformed; Invalid credential date. Date is not the same as X-Amz-Date.",
            ));
        }
        Ok(Self { scope, signed_headers, signature, time })
    }

    pub(super) fn of_query(query: &'a Query, now_s: i64) -> S3Result<Self> {
        let get = |name: &str| query.get(name).filter(|value| !value.is_empty()).ok_or_else(incomplete);
        match get("X-Amz-Algorithm")? {
            ALGORITHM => {}
            "AWS4-ECDSA-P256-SHA256" => {
                return Err(parameters("X-Amz-Algorithm only supports \"AWS4-HMAC-SHA256\""));
            }
            _ => {
                return Err(parameters(
                    "X-Amz-Algorithm only supports \"AWS4-HMAC-SHA256 and AWS4-ECDSA-P256-SHA256\"",
                ));
            }
        }
        let scope = Scope::parse(get("X-Amz-Credential")?)
            .map_err(|why| parameters(format!("Error parsing the X-Amz-Credential parameter; {why}")))?;
        let time = get("X-Amz-Date")?;
        let signed_at = amz_time(time).ok_or_else(|| {
            parameters("X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\"")
        })?;
        let day = time.get(..8).unwrap_or_default();
        if day != scope.date {
            return Err(parameters(format!(
                "Invalid credential date {:?}. This date is not the same as X-Amz-Date: {day:?}.",
                scope.date
            )));
        }
        let (signature, signed_headers) = (get("X-Amz-Signature")?, get("X-Amz-SignedHeaders")?);
        check_validity(signed_at, get("X-Amz-Expires")?, now_s)?;
        Ok(Self { scope, signed_headers, signature, time: time.to_owned() })
    }

    /// Time and scope, as lines of a text to sign.
    pub(super) fn lines(&self) -> String {
        [&self.time, "\n", self.scope.date, "/", self.scope.region, "/s3/aws4_request"].concat()
    }

    pub(super) fn signs(&self, header: &str) -> bool {
        self.signed_headers.split(';').any(|signed| signed.eq_ignore_ascii_case(header))
    }
}

/// Credential, signed headers and signature.
fn components(authorization: &str) -> S3Result<(&str, &str, &str)> {
    let (_, rest) = authorization.split_once(' ').unwrap_or_default();
    let (mut credential, mut signed_headers, mut signature) = (None, None, None);
    let parts: Vec<&str> = rest.split(',').map(str::trim).collect();
    if parts.len() != 3 {
        return Err(malformed(
            "the authorization header requires three components: Credential, SignedHeaders, and Signature.",
        ));
    }
    for part in parts {
        let Some((name, value)) = part.split_once('=') else {
            let shown = ["SignedHeaders", "Signature"].iter().any(|known| part.starts_with(known));
            let part = if shown { format!(" {part:?}") } else { String::new() };
            return Err(malformed(format!("the authorization component{part} is malformed.")));
        };
        match name {
            "Credential" => credential = Some(value),
            "SignedHeaders" => signed_headers = Some(value),
            "Signature" => signature = Some(value),
            _ => {}
        }
    }
    Ok((
        credential.ok_or_else(|| malformed("missing Credential."))?,
        signed_headers.ok_or_else(|| malformed("missing SignedHeaders."))?,
        signature.ok_or_else(|| malformed("missing Signature."))?,
    ))
}

/// When a header was signed: as the text to sign has it, and in seconds.
fn header_time(headers: &HeaderMap) -> S3Result<(String, i64)> {
    let amz = headers::text(headers, "x-amz-date")?.filter(|value| !value.is_empty());
    let plain = headers::text(headers, &DATE)?;
    let invalid = || error::denied("AWS authentication requires a valid Date or x-amz-date header.");
    let written = amz.or(plain).ok_or_else(invalid)?;
    if let Some(time) = amz_time(written) {
        return Ok((written.to_owned(), time));
    }
    let time = date::parse_http(written).ok_or_else(invalid)?;
    let text = OffsetDateTime::from_unix_timestamp(time)
        .ok()
        .and_then(|time| time.format(format_description!("[year][month][day]T[hour][minute][second]Z")).ok())
        .ok_or_else(invalid)?;
    Ok((text, time))
}

pub(super) fn amz_time(text: &str) -> Option<i64> {
    Some(AmzDate::parse(text).ok()?.to_time()?.as_second())
}

/// A link holds from its date on, for so many seconds.
fn check_validity(signed_at: i64, expires: &str, now_s: i64) -> S3Result<()> {
    let expires: i64 = expires.parse().map_err(|_| parameters("X-Amz-Expires should be a number"))?;
    if expires < 0 {
        return Err(parameters("X-Amz-Expires must be non-negative"));
    }
    if expires > EXPIRES_MAX_S {
        return Err(parameters(
            "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be \
             less than 604800 seconds",
        ));
    }
    if signed_at > now_s + SKEW_MAX_S {
        return Err(error::denied("Request is not valid yet."));
    }
    // A link for no time at all never holds.
    if expires == 0 || now_s > signed_at + expires {
        let ended = (signed_at + expires).saturating_mul(1_000_000_000);
        return Err(error::with_fields(
            error::denied("Request has expired."),
            &[
                ("X-Amz-Expires", &expires.to_string()),
                ("Expires", &date::iso_ms(ended)),
                ("ServerTime", &date::iso_ms(now_s.saturating_mul(1_000_000_000))),
            ],
        ));
    }
    Ok(())
}

pub(super) fn too_skewed() -> S3Error {
    error::with(
        S3ErrorCode::RequestTimeTooSkewed,
        "The difference between the request time and the current time is too large.",
    )
}

fn malformed(why: impl AsRef<str>) -> S3Error {
    error::with(
        S3ErrorCode::AuthorizationHeaderMalformed,
        format!("The authorization header is malformed; {}", why.as_ref()),
    )
}

fn parameters(why: impl Into<String>) -> S3Error {
    error::custom("AuthorizationQueryParametersError", http::StatusCode::BAD_REQUEST, why)
}

fn incomplete() -> S3Error {
    parameters(
        "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, \
         X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str =
        "AWS4-HMAC-SHA256 Credential=k/20300101/r/s3/aws4_request, SignedHeaders=host, Signature=ab";

    fn header(authorization: &str) -> S3Result<String> {
        let mut headers = HeaderMap::new();
        headers.insert("x-amz-date", http::HeaderValue::from_static("20300101T000000Z"));
        Claim::of_header(authorization, &headers, 1_893_456_000)
            .map(|claim| claim.scope.access_key.to_owned())
    }

    /// The texts are those that `versitygw test` expects of Amazon.
    #[test]
    fn headers_that_are_no_claim_are_refused_by_what_is_wrong() {
        assert_eq!(header(GOOD).unwrap(), "k");
        assert_eq!(header(&GOOD.replace(", ", ",")).unwrap(), "k");
        for (from, to, why) in [
            ("Signature=ab", "Sig=ab", "missing Signature."),
            (", Signature=ab", "", "the authorization header requires three components"),
            ("SignedHeaders=host", "SignedHeaders-host", "component \"SignedHeaders-host\" is malformed"),
            ("Credential=", "Credential:", "the authorization component is malformed."),
            ("Credential=", "credential=", "missing Credential."),
            ("SignedHeaders=", "Other=", "missing SignedHeaders."),
            ("k/20300101/", "k/", "the Credential is mal-formed; expecting \"<YOUR-AKID>/"),
            ("aws4_request", "aws4_request/x", "the Credential is mal-formed"),
            ("/s3/", "/ec2/", "incorrect service \"ec2\". This endpoint belongs to \"s3\"."),
            ("aws4_request", "aws_request", "incorrect terminal \"aws_request\""),
            ("20300101", "2030011", "incorrect date format \"2030011\""),
            ("20300101", "20300102", "Date is not the same as X-Amz-Date."),
        ] {
            let refused = header(&GOOD.replacen(from, to, 1)).unwrap_err();
            assert_eq!(refused.code(), &S3ErrorCode::AuthorizationHeaderMalformed, "{to}");
            let text = refused.message().unwrap();
            assert!(
                text.starts_with("The authorization header is malformed; ") && text.contains(why),
                "{text}"
            );
        }
    }

    #[test]
    fn a_link_holds_from_its_date_until_it_expires() {
        let at = |expires: &str, now_s: i64| check_validity(10_000, expires, now_s);
        assert!(at("600", 10_600).is_ok() && at("604800", 10_000).is_ok() && at("600", 9_100).is_ok());
        for (expires, now_s, code, why) in [
            ("600", 10_601, "AccessDenied", "Request has expired"),
            ("0", 10_000, "AccessDenied", "Request has expired"),
            ("600", 9_099, "AccessDenied", "Request is not valid yet"),
            ("-1", 10_000, "AuthorizationQueryParametersError", "must be non-negative"),
            ("604801", 10_000, "AuthorizationQueryParametersError", "must be less than a week"),
            ("1.5", 10_000, "AuthorizationQueryParametersError", "should be a number"),
            ("99999999999999999999", 10_000, "AuthorizationQueryParametersError", "should be a number"),
        ] {
            let refused = at(expires, now_s).unwrap_err();
            assert_eq!(refused.code().as_str(), code, "{expires}");
            assert!(refused.message().unwrap().contains(why), "{expires}");
        }
    }
}
