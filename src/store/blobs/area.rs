//! The part of a datasource that is ours alone: files by id, in staging and promoted.

use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

use cellgate_core::error::{Error, Result};
use rustix::fs::{self, AtFlags, Dir, FlockOperation, Mode, OFlags, flock};
use rustix::io::{Errno, retry_on_intr};
use uuid::Uuid;

use super::durable::{self, SyncedDir};
use super::fault::{errno, fault, reason, unusable};

/// Announced sizes below this are not compared with the free space.
const WORTH_ASKING_BYTES: u64 = 1 << 20;

const FOLDER: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// `staging/<id>` and `blobs/<2 hex>/<id>` below one folder.
#[derive(Debug)]
pub struct Area {
    datasource: String,
    relaxed: bool,
    mode: Mode,
    staging: SyncedDir,
    blobs: OwnedFd,
    /// Whether staging is ours to sweep: another process that has the datasource open may be in the
    /// middle of a write. Held as a lock on the folder, which ends with the process.
    sole: bool,
}

impl Area {
    /// Opens the area in the existing folder `base`, creating what is missing, and checks that
    /// files can be made there.
    pub fn open(datasource: &str, relaxed: bool, mode: Mode, base: &Path) -> Result<Self> {
        let staging = folder(datasource, &base.join("staging"))?;
        let blobs = folder(datasource, &base.join("blobs"))?;
        // A file system without such locks has one gateway, by its administrator's word.
        let sole = flock(&staging, FlockOperation::NonBlockingLockExclusive) != Err(Errno::WOULDBLOCK);
        let area = Self {
            datasource: datasource.to_owned(),
            relaxed,
            mode,
            staging: SyncedDir::new(staging),
            blobs,
            sole,
        };
        let probe = Uuid::new_v4();
        area.create(probe)
            .and_then(|_| retry_on_intr(|| fs::unlinkat(&area.staging, name(probe), AtFlags::empty())))
            .map_err(|errno| {
                let place = base.join("staging");
                unusable(datasource, format!("cannot write to `{}`: {}", place.display(), reason(errno)))
            })?;
        Ok(area)
    }

    pub fn datasource(&self) -> &str {
        &self.datasource
    }

    pub fn relaxed(&self) -> bool {
        self.relaxed
    }

    pub fn staging(&self) -> BorrowedFd<'_> {
        self.staging.as_fd()
    }

    /// Creates the staged file; one that exists already is an error.
    pub fn create(&self, id: Uuid) -> Result<File, Errno> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        retry_on_intr(|| fs::openat(&self.staging, name(id), flags, self.mode)).map(File::from)
    }

    /// Makes a staged file's bytes and name durable.
    pub fn settle(&self, file: &File) -> Result<()> {
        if self.relaxed {
            return Ok(());
        }
        durable::sync_data(file)
            .and_then(|()| self.staging.sync())
            .map_err(|errno| self.fault("make a staged file durable", errno))
    }

    /// Takes a staged file away; a missing one is fine.
    pub fn discard(&self, id: Uuid) {
        match retry_on_intr(|| fs::unlinkat(&self.staging, name(id), AtFlags::empty())) {
            Ok(()) | Err(Errno::NOENT) => {}
            Err(errno) => {
                tracing::warn!(datasource = self.datasource, "cannot remove staged file {id}: {errno}");
            }
        }
    }

    /// Refuses early what cannot fit, before the client sends it all.
    pub fn reserve(&self, expected_size: Option<u64>) -> Result<()> {
        let Some(size) = expected_size.filter(|size| *size >= WORTH_ASKING_BYTES) else { return Ok(()) };
        match fs::fstatvfs(&self.staging) {
            Ok(free) if free.f_bavail.saturating_mul(free.f_frsize) < size => {
                Err(self.fault("stage a file", Errno::NOSPC))
            }
            _ => Ok(()),
        }
    }

    /// Moves staged files among the blobs.
    ///
    /// Not followed by an `fsync`: the rename is atomic, and a file that a power cut puts back into
    /// staging is found and promoted again at start.
    pub fn promote(&self, ids: &[Uuid]) -> Result<()> {
        for id in ids {
            self.promote_one(*id).map_err(|errno| self.fault(&format!("promote blob {id}"), errno))?;
        }
        Ok(())
    }

    fn promote_one(&self, id: Uuid) -> Result<(), Errno> {
        let (from, to) = (name(id), sharded(id));
        let rename = || retry_on_intr(|| fs::renameat(&self.staging, &from, &self.blobs, &to));
        match rename() {
            Err(Errno::NOENT) => {}
            other => return other,
        }
        // Promoted already, or the first of its shard.
        if self.stat_blob(&to)? {
            return Ok(());
        }
        match retry_on_intr(|| fs::mkdirat(&self.blobs, shard(&to), Mode::RWXU)) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(errno) => return Err(errno),
        }
        match rename() {
            // Another promotion of the same blob came between.
            Err(Errno::NOENT) if self.stat_blob(&to)? => Ok(()),
            other => other,
        }
    }

    fn stat_blob(&self, path: &str) -> Result<bool, Errno> {
        match retry_on_intr(|| fs::statat(&self.blobs, path, AtFlags::SYMLINK_NOFOLLOW)) {
            Ok(_) => Ok(true),
            Err(Errno::NOENT) => Ok(false),
            Err(errno) => Err(errno),
        }
    }

    /// Removes files wherever they are. Staging first: a promotion running beside this one moves
    /// a file from there to the blobs, never back.
    pub fn remove(&self, ids: &[Uuid]) -> Result<()> {
        for id in ids {
            for (dir, path) in [(self.staging.as_fd(), name(*id)), (self.blobs.as_fd(), sharded(*id))] {
                match retry_on_intr(|| fs::unlinkat(dir, &path, AtFlags::empty())) {
                    Ok(()) | Err(Errno::NOENT) => {}
                    Err(errno) => return Err(self.fault(&format!("remove blob {id}"), errno)),
                }
            }
        }
        Ok(())
    }

    /// Opens a blob for reading, wherever it is.
    pub fn open_blob(&self, id: Uuid) -> Result<OwnedFd> {
        let (promoted, staged) = (sharded(id), name(id));
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        // Looked for among the blobs twice: it may be promoted between the first look and the second.
        for (dir, path) in [
            (self.blobs.as_fd(), &promoted),
            (self.staging.as_fd(), &staged),
            (self.blobs.as_fd(), &promoted),
        ] {
            match retry_on_intr(|| fs::openat(dir, path, flags, Mode::empty())) {
                Err(Errno::NOENT) => {}
                other => return other.map_err(|errno| self.fault(&format!("open blob {id}"), errno)),
            }
        }
        Err(self.fault(&format!("open blob {id}"), Errno::NOENT))
    }

    /// The ids found in staging, in no order. None while another process has the datasource open:
    /// a command run beside the gateway must not sweep away what is being written.
    pub fn staged(&self) -> Result<Vec<Uuid>> {
        if !self.sole {
            tracing::info!(datasource = self.datasource, "open in another process, staging is not swept");
            return Ok(Vec::new());
        }
        let list = || -> Result<Vec<Uuid>, Errno> {
            let mut ids = Vec::new();
            for entry in Dir::read_from(&self.staging)? {
                let entry = entry?;
                match entry.file_name().to_str().ok().and_then(|name| Uuid::try_parse(name).ok()) {
                    Some(id) => ids.push(id),
                    None if matches!(entry.file_name().to_bytes(), b"." | b"..") => {}
                    None => tracing::warn!(
                        datasource = self.datasource,
                        "`{}` in the staging folder is not ours, it stays",
                        entry.file_name().to_string_lossy()
                    ),
                }
            }
            Ok(ids)
        };
        list().map_err(|errno| self.fault("list the staging folder", errno))
    }

    pub fn fault(&self, doing: &str, errno: Errno) -> Error {
        fault(&self.datasource, doing, errno)
    }
}

/// File name in staging.
pub fn name(id: Uuid) -> String {
    id.simple().to_string()
}

/// Path among the blobs: 256 folders keep each small enough for tools that list.
fn sharded(id: Uuid) -> String {
    let name = name(id);
    format!("{}/{name}", name.get(..2).unwrap_or_default())
}

fn shard(path: &str) -> &str {
    path.split_once('/').map_or(path, |(shard, _)| shard)
}

/// Creates, where missing, and opens one of our own folders. Only the gateway's user gets in.
pub fn folder(datasource: &str, path: &Path) -> Result<OwnedFd> {
    let problem =
        |errno| unusable(datasource, format!("cannot create `{}`: {}", path.display(), reason(errno)));
    let missing: Vec<&Path> = path.ancestors().take_while(|path| fs::lstat(*path).is_err()).collect();
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(|error| problem(errno(&error)))?;
    for parent in missing.iter().filter_map(|path| path.parent()).filter(|path| !path.as_os_str().is_empty())
    {
        File::open(parent).map_err(|error| errno(&error)).and_then(durable::sync_all).map_err(problem)?;
    }
    retry_on_intr(|| fs::open(path, FOLDER, Mode::empty()))
        .map_err(|errno| unusable(datasource, format!("cannot open `{}`: {}", path.display(), reason(errno))))
}
