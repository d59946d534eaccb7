//! Times as the protocols write them.

use time::format_description::well_known::Rfc2822;
use time::{Date, Month, OffsetDateTime, PrimitiveDateTime, Time, UtcOffset};

/// How a time is written. Two of different forms are not alike for who parses them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// `Sun, 06 Nov 1994 08:49:37 GMT`
    Http,
    /// `2026-01-02T03:04:05Z`, with a blank for the `T`, and with whatever zone.
    Iso { blank: bool, zone: Zone },
    /// `20260102T030405Z`
    Basic,
    /// `2026-01-02`
    Date,
    /// Since 1970: digits of seconds, milliseconds, microseconds or nanoseconds.
    Unix(usize),
    /// `today at 10:02`, in Pydio's listings.
    Today,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Zone {
    Z,
    Offset,
    /// As the server's clock has it; taken as UTC.
    None,
}

/// A time, or for a date alone its noon.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Written {
    pub form: Form,
    pub instant: OffsetDateTime,
    /// Digits after the second.
    pub fraction: usize,
}

/// Reads any of the forms; `None` for what is no time. `now` gives `today` its day.
pub fn parse(text: &str, now: OffsetDateTime) -> Option<Written> {
    let bytes = text.as_bytes();
    let first = bytes.first()?;
    if first.is_ascii_digit() {
        return unix(text).or_else(|| iso(text)).or_else(|| basic(text));
    }
    if bytes.len() > 40 {
        return None;
    }
    if text.contains(", ") {
        let instant = OffsetDateTime::parse(text, &Rfc2822).ok()?;
        return Some(Written { form: Form::Http, instant, fraction: 0 });
    }
    today(text, now)
}

/// Of times between 2001 and 2096, which other numbers seldom are.
fn unix(text: &str) -> Option<Written> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if !whole.bytes().chain(fraction.bytes()).all(|byte| byte.is_ascii_digit()) || fraction.len() > 9 {
        return None;
    }
    let scale: i128 = match whole.len() {
        10 => 1_000_000_000,
        13 => 1_000_000,
        16 => 1_000,
        19 => 1,
        _ => return None,
    };
    let ns = whole.parse::<i128>().ok()? * scale;
    let year_2096: i128 = 4_000_000_000_000_000_000;
    if !(1_000_000_000_000_000_000..year_2096).contains(&ns) {
        return None;
    }
    let instant = OffsetDateTime::from_unix_timestamp_nanos(ns).ok()?;
    Some(Written { form: Form::Unix(whole.len()), instant, fraction: fraction.len() })
}

struct Digits<'a>(&'a [u8]);

impl Digits<'_> {
    fn number(&mut self, count: usize) -> Option<u32> {
        let (digits, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        digits.iter().try_fold(0, |sum, byte| Some(sum * 10 + char::from(*byte).to_digit(10)?))
    }

    fn mark(&mut self, marks: &[u8]) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        marks.contains(first).then(|| self.0 = rest)?;
        Some(*first)
    }

    fn date(&mut self, mark: &[u8]) -> Option<Date> {
        let year = self.number(4)?;
        if !mark.is_empty() {
            self.mark(mark)?;
        }
        let month = self.number(2)?;
        if !mark.is_empty() {
            self.mark(mark)?;
        }
        let month = Month::try_from(u8::try_from(month).ok()?).ok()?;
        Date::from_calendar_date(i32::try_from(year).ok()?, month, u8::try_from(self.number(2)?).ok()?).ok()
    }

    fn time(&mut self, mark: &[u8]) -> Option<Time> {
        let mut parts = [0_u8; 3];
        for (at, part) in parts.iter_mut().enumerate() {
            if at > 0 && !mark.is_empty() {
                self.mark(mark)?;
            }
            *part = u8::try_from(self.number(2)?).ok()?;
        }
        let [hour, minute, second] = parts;
        Time::from_hms(hour, minute, second.min(59)).ok()
    }
}

fn iso(text: &str) -> Option<Written> {
    let mut rest = Digits(text.as_bytes());
    let date = rest.date(b"-")?;
    if rest.0.is_empty() {
        let instant = PrimitiveDateTime::new(date, Time::from_hms(12, 0, 0).ok()?).assume_utc();
        return Some(Written { form: Form::Date, instant, fraction: 0 });
    }
    let blank = rest.mark(b"T ")? == b' ';
    let time = rest.time(b":")?;
    let mut fraction = 0;
    let mut ns = 0;
    if rest.mark(b".,").is_some() {
        while let Some(digit) = rest.number(1) {
            fraction += 1;
            if fraction <= 9 {
                ns += digit * 10_u32.pow(9 - u32::try_from(fraction).ok()?);
            }
            if !rest.0.first().is_some_and(u8::is_ascii_digit) {
                break;
            }
        }
    }
    let (zone, offset) = match rest.mark(b"Z+-") {
        None => (Zone::None, UtcOffset::UTC),
        Some(b'Z') => (Zone::Z, UtcOffset::UTC),
        Some(sign) => {
            let hours = i8::try_from(rest.number(2)?).ok()?;
            rest.mark(b":");
            let minutes = i8::try_from(rest.number(2)?).ok()?;
            let sign = if sign == b'-' { -1 } else { 1 };
            (Zone::Offset, UtcOffset::from_hms(sign * hours, sign * minutes, 0).ok()?)
        }
    };
    let instant = PrimitiveDateTime::new(date, time.replace_nanosecond(ns).ok()?).assume_offset(offset);
    rest.0.is_empty().then_some(Written { form: Form::Iso { blank, zone }, instant, fraction })
}

fn basic(text: &str) -> Option<Written> {
    let mut rest = Digits(text.as_bytes());
    let date = rest.date(b"")?;
    rest.mark(b"T")?;
    let time = rest.time(b"")?;
    rest.mark(b"Z")?;
    let instant = PrimitiveDateTime::new(date, time).assume_utc();
    rest.0.is_empty().then_some(Written { form: Form::Basic, instant, fraction: 0 })
}

/// Pydio writes the hour in the server's zone, so that only the day can be relied on.
fn today(text: &str, now: OffsetDateTime) -> Option<Written> {
    let text = text.strip_prefix("Modified ").unwrap_or(text);
    let (hour, minute) = text.strip_prefix("today at ")?.split_once(':')?;
    let number = |text: &str, below: u8| text.parse::<u8>().is_ok_and(|number| number < below);
    let time = number(hour, 24) && number(minute, 60);
    time.then_some(Written { form: Form::Today, instant: now, fraction: 0 })
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    const NOW: OffsetDateTime = datetime!(2026-01-02 03:04:05 UTC);

    #[test]
    fn one_instant_in_every_form() {
        let at = |text: &str| parse(text, NOW).map(|written| (written.form, written.instant));
        for (text, form) in [
            ("Fri, 02 Jan 2026 03:04:05 GMT", Form::Http),
            ("2026-01-02T03:04:05Z", Form::Iso { blank: false, zone: Zone::Z }),
            ("2026-01-02T04:04:05+01:00", Form::Iso { blank: false, zone: Zone::Offset }),
            ("2026-01-02T03:04:05", Form::Iso { blank: false, zone: Zone::None }),
            ("2026-01-02 03:04:05", Form::Iso { blank: true, zone: Zone::None }),
            ("20260102T030405Z", Form::Basic),
            ("1767323045", Form::Unix(10)),
            ("1767323045000", Form::Unix(13)),
            ("1767323045000000000", Form::Unix(19)),
            ("Modified today at 03:04", Form::Today),
        ] {
            assert_eq!(at(text), Some((form, NOW)), "{text}");
        }
        let fraction =
            parse("2026-01-02T03:04:05.123Z", NOW).map(|written| (written.instant, written.fraction));
        assert_eq!(fraction, Some((datetime!(2026-01-02 03:04:05.123 UTC), 3)));
        assert_eq!(at("2026-01-02").map(|(form, _)| form), Some(Form::Date));
    }

    #[test]
    fn what_is_no_time() {
        for text in [
            "",
            "1",
            "12345",
            "0000000001",
            "2026-13-02",
            "2026-01-02T",
            "2026-01-02T25:00:00Z",
            "2026-01-02T03:04:05Zulu",
            "17673230455",
            "today",
            "today at 25:00",
            "a, b",
            "9999999999999",
            "1767323045x",
        ] {
            assert_eq!(parse(text, NOW), None, "{text}");
        }
    }
}
