//! The entries of a zip, from its directory at the end (APPNOTE 4.3), read in windows.

use bytes::{Buf as _, Bytes};
use flate2::Crc;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use time::{Date, Month, PrimitiveDateTime, Time};

use crate::archive::inflate::Inflate;
use crate::archive::ranged::Ranged;
use crate::error::{Error, Result};
use crate::ports::ByteStream;

const END: [u8; 4] = *b"PK\x05\x06";
const END_64: [u8; 4] = *b"PK\x06\x06";
const LOCATOR_64: [u8; 4] = *b"PK\x06\x07";
const RECORD: [u8; 4] = *b"PK\x01\x02";
const LOCAL: [u8; 4] = *b"PK\x03\x04";
const END_BYTES: u64 = 22;
const END_64_BYTES: u64 = 56;
const LOCATOR_BYTES: u64 = 20;
const RECORD_BYTES: u64 = 46;
const LOCAL_BYTES: u64 = 30;
const COMMENT_MAX_BYTES: u64 = 0xFFFF;
const MAX_32: u64 = 0xFFFF_FFFF;
const ENCRYPTED: u16 = 1;
const UTF_8: u16 = 1 << 11;
/// The upper half of code page 437: names without the UTF-8 flag.
const CP437: &str = "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u{a0}";

/// The directory, record by record.
pub(super) struct ZipReader {
    archive: Ranged,
    at: u64,
    end: u64,
    /// What stands before the archive: a program that unpacks it.
    before: u64,
}

/// One record of the directory.
pub(super) struct ZipEntry {
    /// As it was written.
    pub(super) name: String,
    pub(super) size: u64,
    pub(super) mtime_s: i64,
    packed: u64,
    method: u16,
    flags: u16,
    crc: u32,
    at: u64,
}

impl ZipReader {
    pub(super) async fn open(mut archive: Ranged) -> Result<Self> {
        let size = archive.size();
        let tail_bytes = (END_BYTES + COMMENT_MAX_BYTES).min(size);
        let tail = archive.bytes(size - tail_bytes, tail_bytes).await?;
        let found = find_end(&tail).ok_or_else(|| archive.damaged("it has no directory"))?;
        let end_at = size - tail_bytes + found as u64;
        let mut end = tail.slice(found + 12..);
        let (mut length, mut offset) = (u64::from(end.get_u32_le()), u64::from(end.get_u32_le()));
        let mut directory_end = end_at;
        if let Some(at) = end_at.checked_sub(LOCATOR_BYTES) {
            let mut locator = archive.bytes(at, LOCATOR_BYTES).await?;
            if locator.starts_with(&LOCATOR_64) {
                locator.advance(8);
                let declared = locator.get_u64_le();
                // It stands right before the locator, whatever stands before the archive.
                let at = at.checked_sub(END_64_BYTES).unwrap_or(declared);
                let mut end = archive.bytes(at, END_64_BYTES).await?;
                if !end.starts_with(&END_64) {
                    return Err(archive.damaged("its directory is not where it says"));
                }
                end.advance(40);
                (length, offset) = (end.get_u64_le(), end.get_u64_le());
                directory_end = at;
            }
        }
        let start = directory_end.checked_sub(length);
        let before = start.and_then(|start| start.checked_sub(offset));
        let (Some(start), Some(before)) = (start, before) else {
            return Err(archive.damaged("its directory is longer than what stands before it"));
        };
        Ok(Self { archive, at: start, end: directory_end, before })
    }

    pub(super) async fn next(&mut self) -> Result<Option<ZipEntry>> {
        if self.at >= self.end {
            return Ok(None);
        }
        let mut record = self.archive.bytes(self.at, RECORD_BYTES).await?;
        if !record.starts_with(&RECORD) {
            return Err(self.archive.damaged("its directory is broken"));
        }
        record.advance(8);
        let flags = record.get_u16_le();
        let method = record.get_u16_le();
        let (dos_time, dos_date) = (record.get_u16_le(), record.get_u16_le());
        let crc = record.get_u32_le();
        let (packed, size) = (u64::from(record.get_u32_le()), u64::from(record.get_u32_le()));
        let lengths = [record.get_u16_le(), record.get_u16_le(), record.get_u16_le()].map(u64::from);
        record.advance(8);
        let offset = u64::from(record.get_u32_le());
        let [name_len, extra_len, comment_len] = lengths;
        let name = self.archive.bytes(self.at + RECORD_BYTES, name_len).await?;
        let extra = self.archive.bytes(self.at + RECORD_BYTES + name_len, extra_len).await?;
        self.at += RECORD_BYTES + name_len + extra_len + comment_len;
        let mut entry = ZipEntry {
            name: name_of(&name, flags),
            size,
            mtime_s: from_dos(dos_time, dos_date),
            packed,
            method,
            flags,
            crc,
            at: offset,
        };
        entry.extend(extra);
        entry.at = entry.at.saturating_add(self.before);
        Ok(Some(entry))
    }

    pub(super) fn archive(&self) -> &Ranged {
        &self.archive
    }
}

/// The last end record whose comment fills the rest.
fn find_end(tail: &[u8]) -> Option<usize> {
    let last = tail.len().checked_sub(usize::try_from(END_BYTES).ok()?)?;
    (0..=last).rev().find(|at| {
        let Some(record) = tail.get(*at..) else { return false };
        let comment = match record.get(20..22) {
            Some(&[low, high]) => usize::from(u16::from_le_bytes([low, high])),
            _ => return false,
        };
        record.starts_with(&END) && record.len() == 22 + comment
    })
}

fn name_of(raw: &[u8], flags: u16) -> String {
    match std::str::from_utf8(raw) {
        Ok(name) => name.to_owned(),
        Err(_) if flags & UTF_8 != 0 => String::from_utf8_lossy(raw).into_owned(),
        Err(_) => raw
            .iter()
            .map(|byte| match byte {
                0..=0x7F => char::from(*byte),
                high => CP437.chars().nth(usize::from(high - 0x80)).unwrap_or(char::REPLACEMENT_CHARACTER),
            })
            .collect(),
    }
}

fn from_dos(time: u16, date: u16) -> i64 {
    let small = |value: u16| u8::try_from(value).unwrap_or(0);
    let day = Month::try_from(small(date >> 5 & 15)).ok().and_then(|month| {
        Date::from_calendar_date(i32::from(date >> 9) + 1980, month, small(date & 31)).ok()
    });
    let clock = Time::from_hms(small(time >> 11), small(time >> 5 & 63), small(time & 31) * 2).ok();
    match (day, clock) {
        (Some(day), Some(clock)) => PrimitiveDateTime::new(day, clock).assume_utc().unix_timestamp(),
        _ => 0,
    }
}

impl ZipEntry {
    /// Reads the fields behind the name: wide numbers and exact times.
    fn extend(&mut self, mut extra: Bytes) {
        while extra.len() >= 4 {
            let (kind, length) = (extra.get_u16_le(), usize::from(extra.get_u16_le()));
            if length > extra.len() {
                return;
            }
            let mut field = extra.split_to(length);
            match kind {
                1 => {
                    for value in [&mut self.size, &mut self.packed, &mut self.at] {
                        if *value == MAX_32 && field.len() >= 8 {
                            *value = field.get_u64_le();
                        }
                    }
                }
                // Info-ZIP's extended timestamp, with a modification time.
                0x5455 if field.len() >= 5 && field.get_u8() & 1 == 1 => {
                    self.mtime_s = i64::from(field.get_i32_le());
                }
                _ => {}
            }
        }
    }

    /// Whether any span of the content can be read without what stands before it.
    pub(super) fn is_seekable(&self) -> bool {
        self.method == 0 && self.flags & ENCRYPTED == 0
    }

    /// The content; `[start, end)` of it where it is seekable.
    pub(super) async fn open(&self, archive: &Ranged, span: Option<(u64, u64)>) -> Result<ByteStream> {
        if self.flags & ENCRYPTED != 0 {
            return Err(Error::NotImplemented("reading an encrypted member of an archive"));
        }
        if !matches!(self.method, 0 | 8) {
            return Err(Error::NotImplemented("the compression of this member of an archive"));
        }
        let mut archive = archive.clone();
        let mut local = archive.bytes(self.at, LOCAL_BYTES).await?;
        if !local.starts_with(&LOCAL) {
            return Err(archive.damaged("a member is not where its directory says"));
        }
        local.advance(26);
        let (name_len, extra_len) = (u64::from(local.get_u16_le()), u64::from(local.get_u16_le()));
        let start = self.at + LOCAL_BYTES + name_len + extra_len;
        let end = start.checked_add(self.packed).ok_or_else(|| archive.damaged("a member has no end"))?;
        let what = format!("{}/{}", archive.path, self.name);
        match (self.method, span) {
            (0, _) if self.packed != self.size => Err(archive.damaged("a member has two sizes")),
            (0, Some((from, to))) => archive.stream(start + from, start + to).await,
            (0, None) => Ok(self.checked(archive.stream(start, end).await?, what)),
            _ => {
                let inflate = Inflate::deflate(archive.stream(start, end).await?, self.size, what.clone());
                let plain = stream::try_unfold(inflate, |mut inflate| async move {
                    Ok(inflate.next().await?.map(|bytes| (bytes, inflate)))
                });
                Ok(self.checked(Box::pin(plain), what))
            }
        }
    }

    /// Ends in an error when size or checksum are not what the directory says; before the last
    /// piece, so that nobody takes the content for whole.
    fn checked(&self, bytes: ByteStream, what: String) -> ByteStream {
        let (size, crc) = (self.size, self.crc);
        let damaged = move |what: &str| {
            Error::InvalidArgument(format!("`{what}` is damaged: its size or checksum is wrong"))
        };
        let state = (bytes, Crc::new(), 0_u64, what);
        stream::try_unfold(state, move |(mut bytes, mut sum, mut seen, what)| async move {
            let Some(piece) = bytes.try_next().await? else {
                return if seen == size { Ok(None) } else { Err(damaged(&what)) };
            };
            sum.update(&piece);
            seen += piece.len() as u64;
            if seen > size || (seen == size && sum.sum() != crc) {
                return Err(damaged(&what));
            }
            Ok(Some((piece, (bytes, sum, seen, what))))
        })
        .boxed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_without_a_flag_are_code_page_437_unless_they_are_utf_8() {
        assert_eq!(CP437.chars().count(), 128);
        assert_eq!(name_of(b"caf\x82", 0), "café");
        assert_eq!(name_of("café".as_bytes(), 0), "café");
        assert_eq!(name_of(b"\xE1", 0), "ß");
    }

    #[test]
    fn the_end_is_found_behind_a_comment_that_looks_like_one() {
        let mut tail = b"....PK\x05\x06".to_vec();
        tail.extend_from_slice(&[0; 16]);
        tail.extend_from_slice(&6_u16.to_le_bytes());
        tail.extend_from_slice(b"PK\x05\x06!!");
        assert_eq!(find_end(&tail), Some(4));
        assert_eq!(find_end(b"PK"), None);
    }

    #[test]
    fn dos_times_are_read() {
        assert_eq!(from_dos(1 << 11 | 2 << 5 | 1, (50 << 9) | (1 << 5) | 1), 1_893_459_722);
        assert_eq!(from_dos(0xFFFF, 0xFFFF), 0);
    }
}
