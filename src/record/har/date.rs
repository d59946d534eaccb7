//! Times of HAR entries: ISO 8601, read generously, written as UTC with milliseconds.

use time::format_description::well_known::{Iso8601, Rfc3339};
use time::macros::format_description;
use time::{OffsetDateTime, PrimitiveDateTime, UtcOffset};

/// `None` for what is no date. A time without a zone is taken for UTC.
pub fn parse(text: &str) -> Option<OffsetDateTime> {
    let text = text.trim();
    OffsetDateTime::parse(text, &Rfc3339)
        .or_else(|_| OffsetDateTime::parse(text, &Iso8601::DEFAULT))
        .or_else(|_| PrimitiveDateTime::parse(text, &Iso8601::DEFAULT).map(PrimitiveDateTime::assume_utc))
        .ok()
        .map(|date| date.to_offset(UtcOffset::UTC))
}

/// `2026-01-02T03:04:05.678Z`
pub fn write(date: OffsetDateTime) -> String {
    let format = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");
    // Fails only for years of more than four digits, which no clock shows.
    date.to_offset(UtcOffset::UTC).format(format).unwrap_or_else(|_| "1970-01-01T00:00:00.000Z".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_of_all_programs_are_read() {
        for (text, written) in [
            ("2026-01-02T03:04:05.678Z", "2026-01-02T03:04:05.678Z"),
            ("2009-04-16T12:07:23.596-01:00", "2009-04-16T13:07:23.596Z"),
            ("2024-05-06T07:08:09.123456+00:00", "2024-05-06T07:08:09.123Z"),
            ("2024-05-06T07:08:09+0200", "2024-05-06T05:08:09.000Z"),
            ("2024-05-06T07:08:09", "2024-05-06T07:08:09.000Z"),
            (" 2024-05-06T07:08:09Z ", "2024-05-06T07:08:09.000Z"),
        ] {
            assert_eq!(parse(text).map(write).as_deref(), Some(written), "{text}");
        }
    }

    #[test]
    fn what_is_no_date_is_none() {
        for text in
            ["", "yesterday", "2024-13-01T00:00:00Z", "2024-02-30T00:00:00Z", "1700000000", "2024-05-06"]
        {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
