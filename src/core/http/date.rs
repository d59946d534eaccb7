//! Times as the protocols write them. Inside, a time is `i64` nanoseconds since the epoch.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;

/// The present, nanoseconds since the epoch.
pub fn now_ns() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)
}

/// `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110 §5.6.7).
pub fn http(ns: i64) -> String {
    let seconds = u64::try_from(ns.div_euclid(1_000_000_000)).unwrap_or(0);
    httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(seconds))
}

/// Any of the three HTTP date forms, as seconds since the epoch.
pub fn parse_http(text: &str) -> Option<i64> {
    let time = httpdate::parse_http_date(text).ok()?;
    i64::try_from(time.duration_since(UNIX_EPOCH).ok()?.as_secs()).ok()
}

/// `2026-11-20T08:49:37.000Z`: the form of S3 listings, with milliseconds.
pub fn iso_ms(ns: i64) -> String {
    let format = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");
    at(ns).format(&format).unwrap_or_default()
}

/// `2026-11-20T08:49:37Z` (RFC 3339, UTC, whole seconds).
pub fn rfc3339(ns: i64) -> String {
    let format = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]Z");
    at(ns).format(&format).unwrap_or_default()
}

/// An RFC 3339 time as nanoseconds since the epoch.
pub fn parse_rfc3339(text: &str) -> Option<i64> {
    i64::try_from(OffsetDateTime::parse(text, &Rfc3339).ok()?.unix_timestamp_nanos()).ok()
}

fn at(ns: i64) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(ns)).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_in_every_form() {
        let ns = 784_111_777_123_456_789;
        assert_eq!(http(ns), "Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(iso_ms(ns), "1994-11-06T08:49:37.123Z");
        assert_eq!(rfc3339(ns), "1994-11-06T08:49:37Z");
        assert_eq!(parse_http("Sun, 06 Nov 1994 08:49:37 GMT"), Some(784_111_777));
        assert_eq!(parse_http("yesterday"), None);
        assert_eq!(parse_rfc3339("1994-11-06T09:49:37.5+01:00"), Some(784_111_777_500_000_000));
    }
}
