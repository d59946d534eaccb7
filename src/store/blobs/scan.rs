//! Slow work on adopted folders: listing, reading through, deleting. Off the request threads.

use std::fs;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use cellgate_core::error::{Error, Result};
use cellgate_core::path::valid_name;
use cellgate_core::ports::Found;
use md5::{Digest, Md5};
use rustix::fs::{AtFlags, Dir, statat};
use rustix::io::{Errno, retry_on_intr};

use super::fault::{refused, shown};
use super::offload::aside;
use super::reader::{Opened, stamp};
use super::structured::kind;
use super::{beneath, place};

/// Bytes hashed before other work gets the thread, and a dropped request is noticed.
const TURN_BYTES: usize = 8 << 20;
const PIECE_BYTES: usize = 256 * 1024;

/// The direct children of a folder that the tree can show, by name.
pub fn scan(root: &OwnedFd, datasource: &str, names: &[String]) -> Result<Vec<Found>> {
    let dir = beneath::open_dir(root.as_fd(), names).map_err(|errno| match errno {
        Errno::NOTDIR => Error::NotACollection(shown(names)),
        errno if beneath::is_absent(errno) => Error::NotFound(shown(names)),
        errno => refused(datasource, "list", names, "read", errno),
    })?;
    let mut left_out = 0_u64;
    let found =
        list(&dir, &mut left_out).map_err(|errno| refused(datasource, "list", names, "read", errno))?;
    if left_out > 0 {
        tracing::warn!(
            datasource,
            left_out,
            "`/{}` holds entries the tree cannot show: links, special files, or names that are not valid NFC",
            names.join("/")
        );
    }
    Ok(found)
}

fn list(dir: &OwnedFd, left_out: &mut u64) -> Result<Vec<Found>, Errno> {
    let mut found = Vec::new();
    for entry in Dir::read_from(dir)? {
        let entry = entry?;
        if matches!(entry.file_name().to_bytes(), b"." | b"..") {
            continue;
        }
        let name = entry.file_name().to_str().ok();
        let Some(name) = name.filter(|name| valid_name(name).ok().as_deref() == Some(*name)) else {
            *left_out += 1;
            continue;
        };
        if place::is_ours(name) {
            continue;
        }
        let stat = match retry_on_intr(|| statat(dir, name, AtFlags::SYMLINK_NOFOLLOW)) {
            Ok(stat) => stat,
            // Gone since the listing began.
            Err(Errno::NOENT) => continue,
            Err(errno) => return Err(errno),
        };
        match kind(&stat) {
            Some(kind) => found.push(Found { name: name.to_owned(), kind, stamp: stamp(&stat) }),
            None => *left_out += 1,
        }
    }
    found.sort_unstable_by(|a, b| a.name.cmp(&b.name));
    Ok(found)
}

/// MD5 of a whole file, in hex. Turn by turn, so that nobody waits for a request that was dropped.
pub async fn digest(mut opened: Opened) -> Result<String> {
    let mut hasher = Md5::new();
    let mut at = 0;
    loop {
        let turn = aside(move || -> Result<_> {
            let mut buffer = vec![0; PIECE_BYTES];
            let mut read = 0;
            while read < TURN_BYTES {
                let got =
                    retry_on_intr(|| rustix::io::pread(&opened, buffer.as_mut_slice(), at + read as u64))
                        .map_err(|errno| opened.fault(errno))?;
                if got == 0 {
                    break;
                }
                hasher.update(buffer.get(..got).unwrap_or_default());
                read += got;
            }
            Ok((opened, hasher, read))
        });
        let read;
        (opened, hasher, read) = turn.await??;
        at += read as u64;
        if read < TURN_BYTES {
            break;
        }
    }
    // Written to while it was read.
    opened.check()?;
    Ok(hex::encode(hasher.finalize()))
}

/// Deletes everything in a folder of ours without following links out of it (as
/// `std::fs::remove_dir_all` promises). What cannot be deleted does not keep the rest.
pub fn empty(bin: &Path) -> io::Result<()> {
    let mut failure = Ok(());
    for entry in fs::read_dir(bin)? {
        let entry = entry?;
        let removed = match entry.file_type()?.is_dir() {
            true => fs::remove_dir_all(entry.path()),
            false => fs::remove_file(entry.path()),
        };
        if let Err(error) = removed
            && error.kind() != io::ErrorKind::NotFound
        {
            failure = Err(error);
        }
    }
    failure
}
