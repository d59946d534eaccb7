//! The times that access logs write, as seconds since 1970 in UTC.
//!
//! A time without a zone is taken as UTC.

use time::{Date, Month, OffsetDateTime};

/// How a field writes the time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Form {
    /// `10/Oct/2000:13:55:36 -0700`
    Common,
    /// `2000-10-10T13:55:36-07:00`, also with a space, slashes, fractions or no zone
    Iso,
    /// A number since 1970: of seconds, or of what its size says
    Epoch,
    /// A format of `strftime`
    Strftime(Vec<u8>),
}

impl Form {
    pub fn read(&self, text: &[u8]) -> Option<i64> {
        match self {
            Self::Common => common(text),
            Self::Iso => iso(text),
            Self::Epoch => epoch(text),
            Self::Strftime(format) => strftime(format, text),
        }
    }
}

#[derive(Default)]
struct Parts {
    year: i32,
    month: u8,
    day: u8,
    hour: u8,
    minute: u8,
    second: u8,
    /// Seconds east of Greenwich.
    offset: i64,
}

impl Parts {
    fn seconds(&self) -> Option<i64> {
        let date = Date::from_calendar_date(self.year, Month::try_from(self.month).ok()?, self.day).ok()?;
        // A leap second is the last one of its minute.
        let at = date.with_hms(self.hour, self.minute, self.second.min(59)).ok()?;
        Some(at.assume_utc().unix_timestamp() - self.offset)
    }
}

/// Reads a text from its beginning.
struct Cursor<'a>(&'a [u8]);

impl Cursor<'_> {
    fn number(&mut self, digits: usize) -> Option<u32> {
        let (head, rest) = self.0.split_at_checked(digits)?;
        let mut number = 0;
        for digit in head {
            number = number * 10 + u32::from(digit.is_ascii_digit().then(|| digit - b'0')?);
        }
        self.0 = rest;
        Some(number)
    }

    fn two(&mut self) -> Option<u8> {
        self.number(2).and_then(|number| u8::try_from(number).ok())
    }

    fn year(&mut self) -> Option<i32> {
        self.number(4).and_then(|number| i32::try_from(number).ok())
    }

    fn one_of(&mut self, bytes: &[u8]) -> Option<()> {
        let (first, rest) = self.0.split_first()?;
        bytes.contains(first).then(|| self.0 = rest)
    }

    fn month_name(&mut self) -> Option<u8> {
        const NAMES: [&[u8; 3]; 12] =
            [b"jan", b"feb", b"mar", b"apr", b"may", b"jun", b"jul", b"aug", b"sep", b"oct", b"nov", b"dec"];
        let (head, rest) = self.0.split_at_checked(3)?;
        let at = NAMES.iter().position(|name| head.eq_ignore_ascii_case(name.as_slice()))?;
        self.0 = rest;
        u8::try_from(at + 1).ok()
    }

    /// `Z`, `+02:00` or `-0700`.
    fn zone(&mut self) -> Option<i64> {
        if self.one_of(b"Zz").is_some() {
            return Some(0);
        }
        let sign = match self.0.first()? {
            b'+' => 1,
            b'-' => -1,
            _ => return None,
        };
        self.one_of(b"+-")?;
        let hours = i64::from(self.two()?);
        let _ = self.one_of(b":");
        let minutes = i64::from(self.two()?);
        Some(sign * (hours * 3600 + minutes * 60))
    }

    fn fraction(&mut self) {
        if self.one_of(b".,").is_some() {
            let digits = self.0.iter().take_while(|byte| byte.is_ascii_digit()).count();
            self.0 = self.0.get(digits..).unwrap_or_default();
        }
    }
}

fn common(text: &[u8]) -> Option<i64> {
    let mut cursor = Cursor(text);
    let day = cursor.two()?;
    cursor.one_of(b"/")?;
    let month = cursor.month_name()?;
    cursor.one_of(b"/")?;
    let year = cursor.year()?;
    cursor.one_of(b":")?;
    let (hour, minute, second) = clock(&mut cursor)?;
    cursor.one_of(b" ")?;
    let offset = cursor.zone()?;
    cursor.0.is_empty().then_some(())?;
    Parts { year, month, day, hour, minute, second, offset }.seconds()
}

fn iso(text: &[u8]) -> Option<i64> {
    let mut cursor = Cursor(text);
    let year = cursor.year()?;
    cursor.one_of(b"-/")?;
    let month = cursor.two()?;
    cursor.one_of(b"-/")?;
    let day = cursor.two()?;
    cursor.one_of(b"T t")?;
    let (hour, minute, second) = clock(&mut cursor)?;
    cursor.fraction();
    let _ = cursor.one_of(b" ");
    let offset = if cursor.0.is_empty() { 0 } else { cursor.zone()? };
    cursor.0.is_empty().then_some(())?;
    Parts { year, month, day, hour, minute, second, offset }.seconds()
}

fn clock(cursor: &mut Cursor<'_>) -> Option<(u8, u8, u8)> {
    let hour = cursor.two()?;
    cursor.one_of(b":")?;
    let minute = cursor.two()?;
    cursor.one_of(b":")?;
    Some((hour, minute, cursor.two()?))
}

fn epoch(text: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(text).ok()?;
    let whole = text.split_once('.').map_or(text, |(whole, _)| whole);
    epoch_number(whole.parse().ok()?)
}

/// Seconds, milliseconds, microseconds or nanoseconds: a date of this century has 10, 13, 16 or 19
/// digits.
pub fn epoch_number(number: i64) -> Option<i64> {
    let seconds = match number {
        ..0 => return None,
        0..100_000_000_000 => number,
        100_000_000_000..100_000_000_000_000 => number / 1_000,
        100_000_000_000_000..100_000_000_000_000_000 => number / 1_000_000,
        _ => number / 1_000_000_000,
    };
    Some(seconds)
}

/// The formats that tell a date and a time; any other one is no time.
fn strftime(format: &[u8], text: &[u8]) -> Option<i64> {
    let mut parts = Parts::default();
    let mut cursor = Cursor(text);
    let mut format = format.iter();
    while let Some(&byte) = format.next() {
        if byte != b'%' {
            cursor.one_of(&[byte])?;
            continue;
        }
        match format.next()? {
            b'Y' => parts.year = cursor.year()?,
            b'm' => parts.month = cursor.two()?,
            b'b' | b'h' => parts.month = cursor.month_name()?,
            b'd' | b'e' => {
                let padded = cursor.one_of(b" ").is_some();
                parts.day = u8::try_from(cursor.number(if padded { 1 } else { 2 })?).ok()?;
            }
            b'H' => parts.hour = cursor.two()?,
            b'M' => parts.minute = cursor.two()?,
            b'S' => parts.second = cursor.two()?,
            b'F' => {
                parts.year = cursor.year()?;
                cursor.one_of(b"-")?;
                parts.month = cursor.two()?;
                cursor.one_of(b"-")?;
                parts.day = cursor.two()?;
            }
            b'T' => (parts.hour, parts.minute, parts.second) = clock(&mut cursor)?,
            b'z' => parts.offset = cursor.zone()?,
            b's' => return epoch(cursor.0),
            b'%' => cursor.one_of(b"%")?,
            _ => return None,
        }
    }
    cursor.0.is_empty().then(|| parts.seconds()).flatten()
}

/// A bound that a user gives: a day or a time. As an end, a day is meant whole.
pub fn bound(text: &str, end: bool) -> Result<i64, String> {
    let whole_day = text.len() == "2024-06-30".len();
    let at = if whole_day { iso(format!("{text}T00:00:00Z").as_bytes()) } else { iso(text.as_bytes()) };
    let at = at.ok_or_else(|| {
        format!("expected a day or a time as `2024-06-30` or `2024-06-30T12:00:00+02:00`, found `{text}`")
    })?;
    Ok(if whole_day && end { at + 86_400 } else { at })
}

/// `2024-06-30T12:00:00Z`.
pub fn instant(at: i64) -> String {
    OffsetDateTime::from_unix_timestamp(at).map_or_else(
        |_| "-".to_owned(),
        |at| format!("{}T{:02}:{:02}:{:02}Z", at.date(), at.hour(), at.minute(), at.second()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2000-10-10T20:55:36Z, by `date -u -d @971211336`.
    const EXAMPLE: i64 = 971_211_336;

    #[test]
    fn every_way_to_write_a_time_is_the_same_second() {
        for (form, text) in [
            (Form::Common, "10/Oct/2000:13:55:36 -0700"),
            (Form::Common, "10/oct/2000:20:55:36 +0000"),
            (Form::Iso, "2000-10-10T13:55:36-07:00"),
            (Form::Iso, "2000-10-10T20:55:36Z"),
            (Form::Iso, "2000/10/10 20:55:36.123"),
            (Form::Iso, "2000-10-10 13:55:36.5 -0700"),
            (Form::Epoch, "971211336.123"),
            (Form::Epoch, "971211336123"),
            (Form::Epoch, "971211336123456"),
            (Form::Epoch, "971211336123456789"),
            (Form::Strftime(b"%d/%b/%Y:%H:%M:%S %z".to_vec()), "10/Oct/2000:13:55:36 -0700"),
            (Form::Strftime(b"%F %T".to_vec()), "2000-10-10 20:55:36"),
            (Form::Strftime(b"%s".to_vec()), "971211336"),
        ] {
            assert_eq!(form.read(text.as_bytes()), Some(EXAMPLE), "{form:?} {text}");
        }
    }

    #[test]
    fn what_is_no_time_is_none() {
        for text in [
            "",
            "-",
            "32/Oct/2000:13:55:36 -0700",
            "10/Okt/2000:13:55:36 -0700",
            "10/Oct/2000:25:55:36 +0000",
        ] {
            assert_eq!(Form::Common.read(text.as_bytes()), None, "{text}");
        }
        assert_eq!(Form::Iso.read(b"2000-13-10T13:55:36Z"), None);
        assert_eq!(Form::Epoch.read(b"-5"), None);
        assert_eq!(Form::Strftime(b"%A".to_vec()).read(b"Monday"), None);
    }

    #[test]
    fn a_day_as_an_end_is_meant_whole() {
        assert_eq!(bound("1970-01-01", false), Ok(0));
        assert_eq!(bound("1970-01-01", true), Ok(86_400));
        assert_eq!(bound("1970-01-01T01:00:00+01:00", true), Ok(0));
        assert!(bound("yesterday", true).is_err());
        assert!(bound("2024-02-30", true).is_err());
    }

    #[test]
    fn times_are_printed_in_utc() {
        assert_eq!(instant(EXAMPLE), "2000-10-10T20:55:36Z");
    }
}
