//! Archives by hand: only what APPNOTE and POSIX say, none of the code that is tested.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder};

/// A member of a [`zip`], with what its headers are to claim.
pub struct ZipMember {
    pub name: Vec<u8>,
    pub content: Vec<u8>,
    pub method: u16,
    pub flags: u16,
    /// Claims another size or checksum than the content has.
    pub size: Option<u32>,
    pub crc: Option<u32>,
}

impl ZipMember {
    pub fn new(name: &str, content: &[u8], method: u16) -> Self {
        Self {
            name: name.as_bytes().to_vec(),
            content: content.to_vec(),
            method,
            flags: 1 << 11,
            size: None,
            crc: None,
        }
    }
}

fn join(fields: &[&[u8]]) -> Vec<u8> {
    fields.concat()
}

/// A zip whose sizes stand in its headers, behind `before`.
pub fn zip(before: &[u8], members: &[ZipMember]) -> Vec<u8> {
    let (mut out, mut directory) = (before.to_vec(), Vec::new());
    for member in members {
        let offset = u32::try_from(out.len() - before.len()).unwrap();
        let packed = match member.method {
            8 => {
                let mut deflate = DeflateEncoder::new(Vec::new(), Compression::default());
                deflate.write_all(&member.content).unwrap();
                deflate.finish().unwrap()
            }
            _ => member.content.clone(),
        };
        let mut crc = flate2::Crc::new();
        crc.update(&member.content);
        let crc = member.crc.unwrap_or(crc.sum()).to_le_bytes();
        let packed_len = u32::try_from(packed.len()).unwrap().to_le_bytes();
        let size = member.size.unwrap_or(u32::try_from(member.content.len()).unwrap()).to_le_bytes();
        let name_len = u16::try_from(member.name.len()).unwrap().to_le_bytes();
        let (flags, method) = (member.flags.to_le_bytes(), member.method.to_le_bytes());
        // 2030-01-01 00:00:00.
        let when = [0, 0, 0x21, 0x64];
        out.extend(join(&[
            b"PK\x03\x04\x14\0",
            &flags,
            &method,
            &when,
            &crc,
            &packed_len,
            &size,
            &name_len,
            &[0; 2],
            &member.name,
            &packed,
        ]));
        directory.extend(join(&[
            b"PK\x01\x02\x14\x03\x14\0",
            &flags,
            &method,
            &when,
            &crc,
            &packed_len,
            &size,
            &name_len,
            &[0; 12],
            &offset.to_le_bytes(),
            &member.name,
        ]));
    }
    let start = u32::try_from(out.len() - before.len()).unwrap().to_le_bytes();
    let count = u16::try_from(members.len()).unwrap().to_le_bytes();
    let length = u32::try_from(directory.len()).unwrap().to_le_bytes();
    out.extend(directory);
    out.extend(join(&[b"PK\x05\x06\0\0\0\0", &count, &count, &length, &start, b"\x07\0comment"]));
    out
}

/// A tar by the `tar` crate: names of any length, mtime 2030-01-01.
pub fn tar(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, content) in members {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        header.set_mtime(1_893_456_000);
        if name.ends_with('/') {
            header.set_entry_type(tar::EntryType::Directory);
        }
        builder.append_data(&mut header, name, *content).unwrap();
    }
    builder.into_inner().unwrap()
}

/// One block of a header with any name, right checksum included.
pub fn tar_header(name: &[u8], kind: u8, size: u64) -> Vec<u8> {
    let mut header = tar::Header::new_gnu();
    header.as_gnu_mut().unwrap().name[..name.len()].copy_from_slice(name);
    header.set_entry_type(tar::EntryType::new(kind));
    header.set_size(size);
    header.set_mode(0o644);
    header.set_mtime(0);
    header.set_cksum();
    header.as_bytes().to_vec()
}

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
    gzip.write_all(bytes).unwrap();
    gzip.finish().unwrap()
}
