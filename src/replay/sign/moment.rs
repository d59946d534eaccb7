//! The time that a new signature tells.
//!
//! Normally now. But an old URL that was refused for its age has to be as old again, and one that was
//! made a while before its use still has to expire when it did.

use cellgate_record::{Answered, Sent};
use time::{Duration, OffsetDateTime};

use super::query::Query;
use super::{Claim, Form, v2, v4};

/// How far clocks may differ, with S3.
const SKEW: Duration = Duration::minutes(15);
/// A URL that was good is to be good for at least so long.
const LEAST: Duration = Duration::seconds(60);
/// How long a V2 URL of unclear age is good for.
const USUAL: Duration = Duration::minutes(15);

/// For [`super::sign`]: the time of signing, or the expiry of a V2 URL.
pub fn moment(claim: &Claim, sent: &Sent, started: OffsetDateTime, answered: &Answered) -> OffsetDateTime {
    let now = OffsetDateTime::now_utc();
    let refused = matches!(answered.status, 400 | 401 | 403);
    let query = Query::of(&sent.target);
    match claim.form {
        Form::V4Header | Form::V2Header => {
            let stated = sent.header("x-amz-date").or_else(|| sent.header("date"));
            let signed = stated.and_then(|text| v4::parse_time(text).or_else(|| v2::parse_date(text)));
            match signed.map(|signed| started - signed) {
                Some(age) if refused && age.abs() > SKEW => now - age,
                _ => now,
            }
        }
        Form::V4Query => {
            let signed = query.get("X-Amz-Date").and_then(|text| v4::parse_time(&text));
            let good = query.get("X-Amz-Expires").and_then(|text| text.parse().ok()).map(Duration::seconds);
            let (Some(signed), Some(good)) = (signed, good) else { return now };
            let age = started - signed;
            let valid = age >= -SKEW && age <= good - LEAST;
            if valid || refused { now - age } else { now }
        }
        Form::V2Query => {
            let expires = query.get("Expires").and_then(|text| text.parse().ok());
            let expires = expires.and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok());
            let left = expires.map(|expires| expires - started).unwrap_or(USUAL);
            if left >= LEAST || refused { now + left } else { now + USUAL }
        }
    }
}

#[cfg(test)]
mod tests {
    use cellgate_record::Payload;
    use time::macros::datetime;

    use super::*;

    const STARTED: OffsetDateTime = datetime!(2026-01-01 12:00:00 UTC);

    /// How long before now the signature says that it was made, for V2 URLs how long they are good.
    fn offset(target: &str, date: Option<&str>, status: u16) -> i64 {
        let mut headers = vec![("Host".to_owned(), "a".to_owned())];
        headers.extend(date.map(|date| ("X-Amz-Date".to_owned(), date.to_owned())));
        let (method, origin, target) = ("GET".to_owned(), "http://a".to_owned(), target.to_owned());
        let authorization = "AWS4-HMAC-SHA256 Credential=a/20260101/r/s3/aws4_request";
        let claim = Claim::of(&target, Some(authorization)).unwrap();
        let sent = Sent { method, origin, target, headers, body: Payload::EMPTY };
        let answered = Answered { status, headers: Vec::new(), body: Payload::EMPTY };
        let told = moment(&claim, &sent, STARTED, &answered);
        let seconds = (told - OffsetDateTime::now_utc()).as_seconds_f64();
        seconds.round() as i64
    }

    #[test]
    fn headers_tell_now_unless_the_age_was_refused() {
        assert_eq!(offset("/io", Some("20260101T115800Z"), 200), 0);
        assert_eq!(offset("/io", Some("20250101T115800Z"), 200), 0);
        assert_eq!(offset("/io", Some("20260101T110000Z"), 403), -3600);
        assert_eq!(offset("/io", Some("20260101T130000Z"), 403), 3600);
        assert_eq!(offset("/io", Some("20260101T115800Z"), 403), 0);
        assert_eq!(offset("/io", Some("yesterday"), 403), 0);
    }

    #[test]
    fn a_v4_url_keeps_its_age() {
        let url = "/io/a?X-Amz-Credential=a&X-Amz-Signature=b&X-Amz-Expires=600&X-Amz-Date=";
        assert_eq!(offset(&format!("{url}20260101T115800Z"), None, 200), -120);
        assert_eq!(offset(&format!("{url}20260101T110000Z"), None, 403), -3600);
        // Good then, though it should not have been: the recording's clocks are off.
        assert_eq!(offset(&format!("{url}20260101T110000Z"), None, 200), 0);
        assert_eq!(offset(&format!("{url}x"), None, 200), 0);
    }

    #[test]
    fn a_v2_url_keeps_what_is_left_of_it() {
        let url = "/io/a?AWSAccessKeyId=a&Signature=b&Expires=";
        let at = STARTED.unix_timestamp();
        assert_eq!(offset(&format!("{url}{}", at + 300), None, 200), 300);
        assert_eq!(offset(&format!("{url}{}", at - 300), None, 403), -300);
        assert_eq!(offset(&format!("{url}{}", at - 300), None, 200), 900);
        assert_eq!(offset(&format!("{url}x"), None, 200), 900);
    }
}
