//! `Range` (RFC 9110 §14): which bytes of a leaf.

use crate::error::{Error, Result};

/// `[start, end)` of a leaf.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ByteRange {
    pub start: u64,
    pub end: u64,
}

impl ByteRange {
    pub fn len(self) -> u64 {
        self.end - self.start
    }

    pub fn is_empty(self) -> bool {
        self.end == self.start
    }

    /// The value of `Content-Range` on a 206.
    pub fn content_range(self, size: u64) -> String {
        format!("bytes {}-{}/{size}", self.start, self.end.saturating_sub(1))
    }
}

/// What a `Range` header asks of any file: one span, counted from the start or from the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RangeSpec {
    /// First byte and, inclusive, last byte.
    From(u64, Option<u64>),
    /// The last so many bytes.
    Suffix(u64),
    /// A part of what was uploaded in parts, from 1: see [`crate::Node::part_range`].
    Part(u32),
}

impl RangeSpec {
    /// Reads a `Range` header. `None` when it is to be ignored: another unit, malformed, or several
    /// spans (RFC 9110 §14.2 lets a server answer those with the whole).
    pub fn parse(header: &str) -> Option<Self> {
        let spans = header.trim().strip_prefix("bytes=")?;
        let (first, last) = spans.split_once('-')?;
        let number = |text: &str| {
            (!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()))
                .then(|| text.parse::<u64>().unwrap_or(u64::MAX))
        };
        if first.is_empty() {
            return number(last).map(Self::Suffix);
        }
        let first = number(first)?;
        if last.is_empty() {
            return Some(Self::From(first, None));
        }
        let last = number(last)?;
        (first <= last).then_some(Self::From(first, Some(last)))
    }

    /// The span within a leaf of `size` bytes.
    pub fn resolve(self, size: u64) -> Result<ByteRange> {
        let range = match self {
            Self::From(start, last) => {
                ByteRange { start, end: last.map_or(size, |last| last.saturating_add(1)).min(size) }
            }
            // Without knowing the parts there is one.
            Self::Part(1) => return Ok(ByteRange { start: 0, end: size }),
            Self::Part(_) => return Err(Error::RangeNotSatisfiable { size }),
            Self::Suffix(count) => ByteRange { start: size.saturating_sub(count), end: size },
        };
        if range.start >= range.end {
            return Err(Error::RangeNotSatisfiable { size });
        }
        Ok(range)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_as_clients_write_them() {
        let cases = [
            ("bytes=0-0", Some((0, 1))),
            ("bytes=2-", Some((2, 10))),
            ("bytes=2-99", Some((2, 10))),
            ("bytes=-3", Some((7, 10))),
            ("bytes=-99", Some((0, 10))),
            ("bytes=5-18446744073709551615", Some((5, 10))),
            ("bytes=10-", None),
            ("bytes=-0", None),
        ];
        for (header, expected) in cases {
            let range = RangeSpec::parse(header).unwrap().resolve(10).ok();
            assert_eq!(range, expected.map(|(start, end)| ByteRange { start, end }), "{header}");
        }
    }

    #[test]
    fn what_is_no_single_range_is_ignored() {
        for header in [
            "",
            "bytes",
            "bytes=",
            "bytes=-",
            "bytes=a-b",
            "bytes=3-2",
            "items=0-1",
            "bytes=0-1,3-4",
            "bytes= -1",
            "bytes=0 -1",
        ] {
            assert_eq!(RangeSpec::parse(header), None, "{header}");
        }
    }
}
