//! Zip as it is written to a stream: sizes and checksums follow the content (APPNOTE 4.3.9).
//!
//! Every leaf is a deflate stream, those of compressed media types one of stored blocks: a stored
//! member whose size comes behind it has no end that a reader without the directory can find, and
//! Java's `ZipInputStream` refuses it. Zip64 fields appear only where something needs them.

use std::io::Write as _;

use flate2::write::DeflateEncoder;
use flate2::{Compression, Crc};
use time::OffsetDateTime;

use crate::archive::engine::Entry;
use crate::error::{Error, Result};

/// What 32 bits cannot hold; the value itself means "look into the zip64 field".
const MAX_32: u64 = 0xFFFF_FFFF;
/// Deflate may make content longer: 5 bytes for each stored block, and then some.
const ZIP64_FROM: u64 = MAX_32 - MAX_32 / 1_000;
/// Sizes and checksum follow the content; the name is UTF-8.
const FLAGS_STREAMED: u16 = 1 << 3 | FLAGS_PLAIN;
const FLAGS_PLAIN: u16 = 1 << 11;
/// Longest stored block of deflate.
const BLOCK_BYTES: usize = 0xFFFF;
/// Made on Unix, by the rules of version 4.5.
const MADE_BY: u16 = 3 << 8 | 45;

#[derive(Default)]
pub(super) struct ZipWriter {
    /// Bytes written before what is written now.
    offset: u64,
    entries: u64,
    current: Option<Current>,
    /// Kept between leaves: making one costs more than a small leaf.
    deflate: Option<DeflateEncoder<Vec<u8>>>,
    /// Directory records that nobody has taken yet.
    pub(super) directory: Vec<u8>,
}

struct Current {
    name: String,
    method: u16,
    flags: u16,
    squeeze: bool,
    zip64: bool,
    mode: u32,
    mtime_s: i64,
    offset: u64,
    expected: u64,
    size: u64,
    packed: u64,
    crc: Crc,
}

impl ZipWriter {
    pub(super) fn begin(&mut self, entry: &Entry, out: &mut Vec<u8>) -> Result<()> {
        let empty = entry.size == 0;
        let current = Current {
            name: entry.name.clone(),
            method: if empty { 0 } else { 8 },
            flags: if empty { FLAGS_PLAIN } else { FLAGS_STREAMED },
            squeeze: !is_compressed(&entry.mime),
            zip64: entry.size >= ZIP64_FROM,
            mode: if entry.collection { 0o40_755 } else { 0o100_644 },
            mtime_s: entry.mtime_s,
            offset: self.offset,
            expected: entry.size,
            size: 0,
            packed: 0,
            crc: Crc::new(),
        };
        let name_len = u16::try_from(current.name.len())
            .map_err(|_| Error::InvalidName(format!("the path of `{}` is too long for a zip", entry.name)))?;
        let mut extra = Vec::new();
        if current.zip64 {
            put(&mut extra, &[&le16(1), &le16(16), &le64(0), &le64(0)]);
        }
        extra.extend_from_slice(&timestamp(current.mtime_s));
        let (time, date) = dos_time(current.mtime_s);
        let sizes = if current.zip64 { [0xFF; 8] } else { [0; 8] };
        let before = out.len();
        put(
            out,
            &[
                b"PK\x03\x04",
                &le16(if current.zip64 { 45 } else { 20 }),
                &le16(current.flags),
                &le16(current.method),
                &le16(time),
                &le16(date),
                &le32(0),
                &sizes,
                &le16(name_len),
                &le16(u16::try_from(extra.len()).map_err(Error::internal)?),
                current.name.as_bytes(),
                &extra,
            ],
        );
        self.offset += (out.len() - before) as u64;
        self.current = Some(current);
        Ok(())
    }

    pub(super) fn content(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> Result<()> {
        let Some(current) = &mut self.current else { return Err(Error::internal("content of no entry")) };
        current.crc.update(bytes);
        current.size += bytes.len() as u64;
        let before = out.len();
        if current.squeeze {
            let deflate = self.deflate.get_or_insert_with(|| fresh(Vec::new()));
            deflate.write_all(bytes).map_err(Error::internal)?;
            out.append(deflate.get_mut());
        } else {
            for block in bytes.chunks(BLOCK_BYTES) {
                stored_block(false, block, out);
            }
        }
        let written = (out.len() - before) as u64;
        current.packed += written;
        self.offset += written;
        Ok(())
    }

    pub(super) fn end(&mut self, out: &mut Vec<u8>) -> Result<()> {
        let Some(mut current) = self.current.take() else { return Err(Error::internal("end of no entry")) };
        if current.size != current.expected {
            return Err(Error::internal(format!("`{}` has another size than it said", current.name)));
        }
        let before = out.len();
        if current.method == 8 {
            if current.squeeze {
                let deflate = self.deflate.get_or_insert_with(|| fresh(Vec::new()));
                let rest = deflate.reset(Vec::new()).map_err(Error::internal)?;
                out.extend_from_slice(&rest);
            } else {
                stored_block(true, &[], out);
            }
            current.packed += (out.len() - before) as u64;
            put(out, &[b"PK\x07\x08", &le32(current.crc.sum())]);
            if current.zip64 {
                put(out, &[&le64(current.packed), &le64(current.size)]);
            } else {
                put(out, &[&narrow(current.packed), &narrow(current.size)]);
            }
        }
        self.offset += (out.len() - before) as u64;
        self.entries += 1;
        current.record(&mut self.directory)
    }

    /// What follows the directory, which has `size` bytes and begins where the entries end.
    pub(super) fn trailer(&self, size: u64) -> Vec<u8> {
        let mut out = Vec::new();
        let (entries, offset) = (self.entries, self.offset);
        if entries >= 0xFFFF || size >= MAX_32 || offset >= MAX_32 {
            put(
                &mut out,
                &[
                    b"PK\x06\x06",
                    &le64(44),
                    &le16(MADE_BY),
                    &le16(45),
                    &le32(0),
                    &le32(0),
                    &le64(entries),
                    &le64(entries),
                    &le64(size),
                    &le64(offset),
                    b"PK\x06\x07",
                    &le32(0),
                    &le64(offset + size),
                    &le32(1),
                ],
            );
        }
        let count = le16(u16::try_from(entries).unwrap_or(0xFFFF));
        put(&mut out, &[b"PK\x05\x06", &le32(0), &count, &count, &narrow(size), &narrow(offset), &le16(0)]);
        out
    }
}

impl Current {
    /// Appends the entry's record in the directory.
    fn record(&self, out: &mut Vec<u8>) -> Result<()> {
        let far = self.offset >= MAX_32;
        let mut extra = Vec::new();
        if self.zip64 || far {
            put(&mut extra, &[&le16(1), &le16(if self.zip64 { 16 } else { 0 } + if far { 8 } else { 0 })]);
            if self.zip64 {
                put(&mut extra, &[&le64(self.size), &le64(self.packed)]);
            }
            if far {
                put(&mut extra, &[&le64(self.offset)]);
            }
        }
        extra.extend_from_slice(&timestamp(self.mtime_s));
        let (time, date) = dos_time(self.mtime_s);
        let sizes = |value| if self.zip64 { [0xFF; 4] } else { narrow(value) };
        let is_folder = u32::from(self.name.ends_with('/'));
        put(
            out,
            &[
                b"PK\x01\x02",
                &le16(MADE_BY),
                &le16(if self.zip64 || far { 45 } else { 20 }),
                &le16(self.flags),
                &le16(self.method),
                &le16(time),
                &le16(date),
                &le32(self.crc.sum()),
                &sizes(self.packed),
                &sizes(self.size),
                &le16(u16::try_from(self.name.len()).map_err(Error::internal)?),
                &le16(u16::try_from(extra.len()).map_err(Error::internal)?),
                &le16(0), // comment
                &le16(0), // volume
                &le16(0), // internal attributes
                &le32(self.mode << 16 | is_folder << 4),
                &narrow(self.offset),
                self.name.as_bytes(),
                &extra,
            ],
        );
        Ok(())
    }
}

fn fresh(out: Vec<u8>) -> DeflateEncoder<Vec<u8>> {
    DeflateEncoder::new(out, Compression::default())
}

/// RFC 1951 3.2.4; always at a byte's boundary, because nothing else is in the stream.
fn stored_block(last: bool, bytes: &[u8], out: &mut Vec<u8>) {
    let length = u16::try_from(bytes.len()).unwrap_or(u16::MAX);
    put(out, &[&[u8::from(last)], &le16(length), &le16(!length), bytes]);
}

/// Media that is compressed already: trying again costs time and gains nothing.
fn is_compressed(mime: &str) -> bool {
    let mime = mime.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if let Some(image) = mime.strip_prefix("image/") {
        return !matches!(image, "svg+xml" | "bmp" | "x-ms-bmp" | "tiff" | "x-icon" | "vnd.microsoft.icon");
    }
    if let Some(audio) = mime.strip_prefix("audio/") {
        return !matches!(audio, "wav" | "x-wav" | "midi" | "aiff" | "x-aiff");
    }
    mime.starts_with("video/")
        || mime.starts_with("application/vnd.openxmlformats-officedocument")
        || mime.starts_with("application/vnd.oasis.opendocument")
        || matches!(
            mime.as_str(),
            "application/zip"
                | "application/gzip"
                | "application/x-gzip"
                | "application/x-bzip2"
                | "application/x-xz"
                | "application/zstd"
                | "application/x-7z-compressed"
                | "application/x-rar-compressed"
                | "application/vnd.rar"
                | "application/epub+zip"
                | "application/java-archive"
        )
}

/// Local time has no place on a server: the two old fields are UTC, the field of [`timestamp`] is
/// what readers go by.
fn dos_time(mtime_s: i64) -> (u16, u16) {
    const EARLIEST: (u16, u16) = (0, 1 << 5 | 1);
    let Ok(at) = OffsetDateTime::from_unix_timestamp(mtime_s) else { return EARLIEST };
    let Some(year) = u16::try_from(at.year()).ok().and_then(|year| year.checked_sub(1980)) else {
        return EARLIEST;
    };
    if year > 127 {
        return EARLIEST;
    }
    let time = u16::from(at.hour()) << 11 | u16::from(at.minute()) << 5 | u16::from(at.second() / 2);
    (time, year << 9 | u16::from(u8::from(at.month())) << 5 | u16::from(at.day()))
}

/// Info-ZIP's extended timestamp: the modification time in seconds, UTC. The same in both headers.
fn timestamp(mtime_s: i64) -> Vec<u8> {
    let mut field = Vec::new();
    if let Ok(mtime_s) = i32::try_from(mtime_s) {
        put(&mut field, &[b"UT", &le16(5), &[1], &mtime_s.to_le_bytes()]);
    }
    field
}

fn put(out: &mut Vec<u8>, fields: &[&[u8]]) {
    for field in fields {
        out.extend_from_slice(field);
    }
}

fn le16(value: u16) -> [u8; 2] {
    value.to_le_bytes()
}

fn le32(value: u32) -> [u8; 4] {
    value.to_le_bytes()
}

fn le64(value: u64) -> [u8; 8] {
    value.to_le_bytes()
}

fn narrow(value: u64) -> [u8; 4] {
    le32(u32::try_from(value).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_dos_knows_them() {
        // 2030-01-01T00:00:00Z; the fields by APPNOTE 4.4.6.
        assert_eq!(dos_time(1_893_456_000), (0, (50 << 9) | (1 << 5) | 1));
        assert_eq!(dos_time(1_893_456_000 + 3_723), (1 << 11 | 2 << 5 | 1, (50 << 9) | (1 << 5) | 1));
        assert_eq!(dos_time(0), (0, 33), "before 1980");
        assert_eq!(dos_time(i64::MAX), (0, 33));
    }

    #[test]
    fn compressed_media_are_known() {
        for mime in ["image/jpeg", "video/mp4", "application/zip", "audio/mpeg; x=y"] {
            assert!(is_compressed(mime), "{mime}");
        }
        for mime in ["text/plain", "image/svg+xml", "audio/wav", "application/octet-stream", ""] {
            assert!(!is_compressed(mime), "{mime}");
        }
    }
}
