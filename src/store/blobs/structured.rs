//! `structured`: a file's path on disk is its path in the tree, and others write there too.
//!
//! What runs inside a commit is a handful of system calls relative to opened folders. Each fails
//! before it changes anything, with one exception: when the `fsync` that follows a change fails,
//! the change stands, unacknowledged, and the next look at the path finds it.
//!
//! Known gaps: a replaced file keeps owner and mode but not its extended attributes and ACLs; hard
//! links to it keep the old content. A folder that is removed takes what the tree does not show
//! (links, special files, names that are not NFC) along.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use cellgate_core::error::{Error, Result};
use cellgate_core::node::NodeKind;
use cellgate_core::ports::{Bits, Datasource, DatasourceConfig, Form, Found, Source, Staged, Staging, Stamp};
use cellgate_core::tree::FOLDER_ID;
use rustix::fs::{
    self, AtFlags, FileType, Gid, Mode, OFlags, RenameFlags, Stat, Timespec, Timestamps, UTIME_OMIT, Uid,
};
use rustix::io::{Errno, retry_on_intr};
use uuid::Uuid;

use super::area::{self, Area, folder};
use super::fault::{errno, reason, refused, shown, unusable};
use super::offload::{aside, offload};
use super::reader::{self, Opened, changed, is, stamp};
use super::staging::FsStaging;
use super::{beneath, copy, durable, flat, place, scan};

pub struct Structured {
    root: Arc<OwnedFd>,
    area: Arc<Area>,
    bin: OwnedFd,
    bin_path: PathBuf,
}

impl Structured {
    pub fn open(data: &Path, config: &DatasourceConfig) -> Result<Self> {
        let adopted = place::adopted(data, config)?;
        let base = place::area_for(data, &config.name, &adopted)?;
        // As any program of the same user would make files there: the umask decides.
        let mode = Mode::from_raw_mode(0o666);
        let area = Area::open(&config.name, config.relaxed, mode, &base)?;
        let bin_path = base.join("bin");
        let bin = folder(&config.name, &bin_path)?;
        let root = std::fs::File::open(&adopted).map_err(|error| {
            let why = reason(errno(&error));
            unusable(&config.name, format!("cannot open `{}`: {why}", adopted.display()))
        })?;
        if let Err(errno) = fs::access(&adopted, fs::Access::WRITE_OK) {
            tracing::warn!(
                datasource = config.name,
                "`{}` can be read only: {}",
                adopted.display(),
                reason(errno)
            );
        }
        Ok(Self { root: Arc::new(root.into()), area: Arc::new(area), bin, bin_path })
    }

    fn refused(&self, doing: &str, names: &[String], errno: Errno) -> Error {
        refused(self.area.datasource(), doing, names, "write", errno)
    }

    /// The folder that holds a path, and the path's last name.
    fn parent<'n>(&self, doing: &str, names: &'n [String]) -> Result<(OwnedFd, &'n str)> {
        let (last, above) = split(names)?;
        match beneath::open_dir(self.root.as_fd(), above) {
            Ok(dir) => Ok((dir, last)),
            Err(Errno::NOENT) => Err(Error::ParentMissing(shown(names))),
            Err(Errno::NOTDIR) => Err(Error::NotACollection(shown(above))),
            Err(Errno::LOOP) => Err(linked(above)),
            Err(errno) => Err(self.refused(doing, names, errno)),
        }
    }

    /// What stands in a folder under a name: nothing, or anything at all.
    fn stat(&self, dir: impl AsFd, last: &str, names: &[String]) -> Result<Option<Stat>> {
        match retry_on_intr(|| fs::statat(dir.as_fd(), last, AtFlags::SYMLINK_NOFOLLOW)) {
            Ok(stat) => Ok(Some(stat)),
            Err(Errno::NOENT) => Ok(None),
            Err(errno) => Err(self.refused("look at", names, errno)),
        }
    }

    /// Opens the folder above something that must be there, as a file or a folder.
    fn existing<'n>(&self, doing: &str, names: &'n [String]) -> Result<(OwnedFd, &'n str, Stat)> {
        let missing = || Error::NotFound(shown(names));
        let (dir, last) = self.parent(doing, names).map_err(|error| match error {
            Error::ParentMissing(_) | Error::NotACollection(_) | Error::Conflict(_) if names.len() > 1 => {
                missing()
            }
            other => other,
        })?;
        let stat = self.stat(&dir, last, names)?.filter(|stat| kind(stat).is_some()).ok_or_else(missing)?;
        Ok((dir, last, stat))
    }

    fn settle(&self, dir: impl AsFd, doing: &str, names: &[String]) -> Result<()> {
        if self.area.relaxed() {
            return Ok(());
        }
        durable::sync_all(dir).map_err(|errno| self.refused(doing, names, errno))
    }

    fn opened(&self, source: Source<'_>) -> Result<Opened> {
        match source {
            Source::Blob(id) => flat::blob(&self.area, id),
            Source::Path { names, stamp } => {
                check(names)?;
                let fd = beneath::open_file(self.root.as_fd(), names).map_err(|errno| {
                    if beneath::is_absent(errno) {
                        return changed(&shown(names));
                    }
                    refused(self.area.datasource(), "read", names, "read", errno)
                })?;
                let what = format!("`{}`", names.join("/"));
                Opened::file(fd, self.area.datasource(), what, shown(names), stamp)
            }
        }
    }

    /// What a replacement inherits, as far as we may set it: from the file it replaces, or the
    /// group of a folder whose files all bear it (setgid).
    fn inherit(&self, staged: &str, of: &Stat, old: Option<&Stat>, dir: BorrowedFd<'_>) {
        let staging = self.area.staging();
        let (uid, gid) = match old {
            Some(old) => (old.st_uid, old.st_gid),
            None => match fs::fstat(dir) {
                Ok(dir) if Mode::from_raw_mode(dir.st_mode).contains(Mode::SGID) => (of.st_uid, dir.st_gid),
                _ => return,
            },
        };
        if (uid, gid) != (of.st_uid, of.st_gid) {
            let owner = (Some(Uid::from_raw(uid)), Some(Gid::from_raw(gid)));
            let _ = fs::chownat(staging, staged, owner.0, owner.1, AtFlags::SYMLINK_NOFOLLOW);
        }
        if let Some(mode) = old.map(|old| old.st_mode & 0o777).filter(|mode| *mode != of.st_mode & 0o777) {
            let _ = fs::chmodat(staging, staged, Mode::from_raw_mode(mode), AtFlags::empty());
        }
    }
}

#[async_trait]
impl Datasource for Structured {
    fn form(&self) -> Form {
        Form::Structured
    }

    /// Content belongs into the folder, whatever its size.
    fn inline_limit(&self) -> u64 {
        0
    }

    async fn stage(&self, expected_size: Option<u64>) -> Result<Box<dyn Staging>> {
        self.area.reserve(expected_size)?;
        Ok(Box::new(FsStaging::new(self.area.clone())))
    }

    async fn promote(&self, blobs: &[Uuid]) -> Result<()> {
        let (area, blobs) = (self.area.clone(), blobs.to_vec());
        offload(move || area.promote(&blobs)).await?
    }

    async fn remove(&self, blobs: &[Uuid]) -> Result<()> {
        let (area, blobs) = (self.area.clone(), blobs.to_vec());
        aside(move || area.remove(&blobs)).await?
    }

    async fn read(&self, source: Source<'_>, start: u64, end: u64) -> Result<Bits> {
        reader::read(self.opened(source)?, start, end).await
    }

    async fn duplicate(&self, source: Source<'_>) -> Result<Staged> {
        copy::duplicate(self.area.clone(), self.opened(source)?).await
    }

    fn publish(&self, blob: Uuid, names: &[String], mtime_ns: Option<i64>) -> Result<Stamp> {
        const DOING: &str = "write";
        let (dir, last) = self.parent(DOING, names)?;
        let old = self.stat(&dir, last, names)?;
        match old.as_ref().map(|stat| FileType::from_raw_mode(stat.st_mode)) {
            None | Some(FileType::RegularFile) => {}
            Some(FileType::Directory) => return Err(Error::IsACollection(shown(names))),
            Some(_) => return Err(foreign(names)),
        }
        let (staging, staged) = (self.area.staging(), area::name(blob));
        let stat_staged = || {
            retry_on_intr(|| fs::statat(staging, &staged, AtFlags::SYMLINK_NOFOLLOW))
                .map_err(|errno| self.area.fault(&format!("publish blob {blob}"), errno))
        };
        let mut new = stat_staged()?;
        self.inherit(&staged, &new, old.as_ref(), dir.as_fd());
        if let Some(mtime_ns) = mtime_ns {
            retry_on_intr(|| fs::utimensat(staging, &staged, &times(mtime_ns), AtFlags::SYMLINK_NOFOLLOW))
                .map_err(|errno| self.refused("set the time of", names, errno))?;
            // Not what was asked for, what the file system made of it.
            new = stat_staged()?;
        }
        // The stamp is taken before the rename: afterwards it might be of someone else's write.
        let stamp = stamp(&new);
        retry_on_intr(|| fs::renameat(staging, &staged, &dir, last)).map_err(|errno| match errno {
            Errno::ISDIR => Error::IsACollection(shown(names)),
            // The staged file was there a moment ago.
            Errno::NOENT => Error::ParentMissing(shown(names)),
            errno => self.refused(DOING, names, errno),
        })?;
        self.settle(&dir, DOING, names)?;
        Ok(stamp)
    }

    fn create_dir(&self, names: &[String]) -> Result<Stamp> {
        const DOING: &str = "create";
        let (dir, last) = self.parent(DOING, names)?;
        retry_on_intr(|| fs::mkdirat(&dir, last, Mode::from_raw_mode(0o777))).map_err(
            |errno| match errno {
                Errno::EXIST => Error::AlreadyExists(shown(names)),
                Errno::NOENT => Error::ParentMissing(shown(names)),
                errno => self.refused(DOING, names, errno),
            },
        )?;
        let made = self.stat(&dir, last, names)?.ok_or_else(|| changed(&shown(names)))?;
        self.settle(&dir, DOING, names)?;
        Ok(stamp(&made))
    }

    fn rename(&self, from: &[String], to: &[String]) -> Result<()> {
        const DOING: &str = "rename";
        if to.starts_with(from) && to != from {
            return Err(Error::Conflict(format!("`{}` cannot go into itself", shown(from))));
        }
        let (old_dir, old, _) = self.existing(DOING, from)?;
        let (new_dir, new) = self.parent(DOING, to)?;
        let moved = retry_on_intr(|| fs::renameat_with(&old_dir, old, &new_dir, new, RenameFlags::NOREPLACE));
        let moved = match moved {
            // A file system that cannot refuse by itself (network file systems).
            Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => match self.stat(&new_dir, new, to)? {
                Some(_) => Err(Errno::EXIST),
                None => retry_on_intr(|| fs::renameat(&old_dir, old, &new_dir, new)),
            },
            other => other,
        };
        moved.map_err(|errno| match errno {
            Errno::EXIST | Errno::NOTEMPTY => Error::AlreadyExists(shown(to)),
            Errno::NOENT => Error::NotFound(shown(from)),
            errno => self.refused(DOING, from, errno),
        })?;
        // The new name first: a power cut between the two must not lose both.
        self.settle(&new_dir, DOING, to)?;
        if split(from)?.1 != split(to)?.1 {
            self.settle(&old_dir, DOING, from)?;
        }
        Ok(())
    }

    fn detach(&self, names: &[String]) -> Result<()> {
        const DOING: &str = "remove";
        let (dir, last, _) = self.existing(DOING, names)?;
        let binned = area::name(Uuid::new_v4());
        retry_on_intr(|| fs::renameat(&dir, last, &self.bin, &binned)).map_err(|errno| match errno {
            Errno::NOENT => Error::NotFound(shown(names)),
            errno => self.refused(DOING, names, errno),
        })?;
        self.settle(&dir, DOING, names)
    }

    fn set_mtime(&self, names: &[String], mtime_ns: i64) -> Result<Stamp> {
        const DOING: &str = "set the time of";
        let (dir, last, stat) = self.existing(DOING, names)?;
        if is(&stat, FileType::Directory) {
            return Err(Error::IsACollection(shown(names)));
        }
        let failed = |errno| self.refused(DOING, names, errno);
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = retry_on_intr(|| fs::openat(&dir, last, flags, Mode::empty())).map_err(failed)?;
        let opened = fs::fstat(&file).map_err(failed)?;
        if (opened.st_dev, opened.st_ino) != (stat.st_dev, stat.st_ino) {
            return Err(changed(&shown(names)));
        }
        retry_on_intr(|| fs::futimens(&file, &times(mtime_ns))).map_err(failed)?;
        let stamp = stamp(&fs::fstat(&file).map_err(failed)?);
        self.settle(&file, DOING, names)?;
        Ok(stamp)
    }

    fn folder_id(&self, names: &[String]) -> Result<Option<Uuid>> {
        check(names)?;
        let mut file = names.to_vec();
        file.push(FOLDER_ID.to_owned());
        let failed = |errno| refused(self.area.datasource(), "read", &file, "read", errno);
        let fd = match beneath::open_file(self.root.as_fd(), &file) {
            // What cannot be read is no reason not to show the folder.
            Err(errno) if beneath::is_absent(errno) || errno == Errno::ACCESS => return Ok(None),
            other => other.map_err(failed)?,
        };
        if !is(&fs::fstat(&fd).map_err(failed)?, FileType::RegularFile) {
            return Ok(None);
        }
        let mut text = [0; uuid::fmt::Hyphenated::LENGTH + 1];
        let length = retry_on_intr(|| rustix::io::pread(&fd, &mut text, 0)).map_err(failed)?;
        let id = text.get(..length).and_then(|text| Uuid::try_parse_ascii(text.trim_ascii_end()).ok());
        Ok(id.filter(|id| !id.is_nil()))
    }

    fn look(&self, names: &[String]) -> Result<Option<Found>> {
        if names.last().is_some_and(|name| place::is_ours(name)) {
            return Ok(None);
        }
        check(names)?;
        let found = |name: &str, stat: &Stat| {
            kind(stat).map(|kind| Found { name: name.to_owned(), kind, stamp: stamp(stat) })
        };
        let Some((last, above)) = names.split_last() else {
            let stat = fs::fstat(&self.root).map_err(|errno| self.refused("look at", names, errno))?;
            return Ok(found("", &stat));
        };
        match beneath::open_dir(self.root.as_fd(), above) {
            Ok(dir) => Ok(self.stat(dir, last, names)?.as_ref().and_then(|stat| found(last, stat))),
            Err(errno) if beneath::is_absent(errno) => Ok(None),
            Err(errno) => Err(refused(self.area.datasource(), "look at", names, "read", errno)),
        }
    }

    async fn scan(&self, names: &[String]) -> Result<Vec<Found>> {
        check(names)?;
        let (root, area, names) = (self.root.clone(), self.area.clone(), names.to_vec());
        aside(move || scan::scan(&root, area.datasource(), &names)).await?
    }

    async fn digest(&self, names: &[String]) -> Result<String> {
        check(names)?;
        let found = self.look(names)?.ok_or_else(|| Error::NotFound(shown(names)))?;
        if found.kind == NodeKind::Collection {
            return Err(Error::IsACollection(shown(names)));
        }
        scan::digest(self.opened(Source::Path { names, stamp: found.stamp })?).await
    }

    async fn staged(&self) -> Result<Vec<Uuid>> {
        let area = self.area.clone();
        aside(move || area.staged()).await?
    }

    async fn empty_bin(&self) -> Result<()> {
        let (area, bin) = (self.area.clone(), self.bin_path.clone());
        aside(move || scan::empty(&bin).map_err(|error| area.fault("empty the bin", errno(&error)))).await?
    }
}

/// What the tree shows of something on disk; `None` for links, sockets, devices.
pub fn kind(stat: &Stat) -> Option<NodeKind> {
    if is(stat, FileType::RegularFile) {
        Some(NodeKind::Leaf)
    } else if is(stat, FileType::Directory) {
        Some(NodeKind::Collection)
    } else {
        None
    }
}

/// Names that may stand in an adopted folder.
fn check(names: &[String]) -> Result<()> {
    beneath::check(names)?;
    match names.iter().find(|name| place::is_ours(name)) {
        Some(name) => Err(Error::InvalidName(format!("`{name}` is reserved for the gateway"))),
        None => Ok(()),
    }
}

fn split(names: &[String]) -> Result<(&str, &[String])> {
    check(names)?;
    match names.split_last() {
        Some((last, above)) => Ok((last, above)),
        None => Err(Error::Conflict("the root of a datasource stays where it is".into())),
    }
}

fn linked(names: &[String]) -> Error {
    Error::Conflict(format!("the path to `{}` leads through a symbolic link on disk", shown(names)))
}

fn foreign(names: &[String]) -> Error {
    Error::Conflict(format!("`{}` is a symbolic link or a special file on disk", shown(names)))
}

fn times(mtime_ns: i64) -> Timestamps {
    Timestamps {
        last_access: Timespec { tv_sec: 0, tv_nsec: UTIME_OMIT },
        last_modification: Timespec {
            tv_sec: mtime_ns.div_euclid(1_000_000_000),
            tv_nsec: mtime_ns.rem_euclid(1_000_000_000),
        },
    }
}
