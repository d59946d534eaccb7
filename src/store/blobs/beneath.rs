//! Opening paths below a folder without ever leaving it.
//!
//! Names come from the core and hold no slash, but others write into an adopted folder too: a
//! symbolic link planted at any component must neither be read nor written through. The kernel
//! checks that in one call (`openat2` with `RESOLVE_NO_SYMLINKS | RESOLVE_BENEATH`); where it
//! cannot, every component is opened with `O_NOFOLLOW`.

use std::os::fd::{AsFd, OwnedFd};

use cellgate_core::error::{Error, Result};
use cellgate_core::path::valid_name;
use rustix::fs::{self, Mode, OFlags, ResolveFlags};
use rustix::io::{Errno, retry_on_intr};

const DIRECTORY: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);
// `O_NONBLOCK`: a FIFO planted in place of a file must not hold the opener for ever.
const FILE: OFlags = OFlags::RDONLY
    .union(OFlags::NONBLOCK)
    .union(OFlags::NOCTTY)
    .union(OFlags::CLOEXEC)
    .union(OFlags::NOFOLLOW);

/// Opens the folder at `names` for reading and as the base of further calls.
pub fn open_dir(root: impl AsFd, names: &[String]) -> Result<OwnedFd, Errno> {
    open(root, names, DIRECTORY)
}

/// Opens the file at `names` for reading. The caller checks that it is a regular file.
pub fn open_file(root: impl AsFd, names: &[String]) -> Result<OwnedFd, Errno> {
    open(root, names, FILE)
}

/// Refuses names that are none: these come from the index, so one is a bug, not a request.
pub fn check(names: &[String]) -> Result<()> {
    for name in names {
        if valid_name(name).ok().as_deref() != Some(name) {
            return Err(Error::InvalidName(format!("`{}` is no name on disk", name.escape_debug())));
        }
    }
    Ok(())
}

/// Whether a failure to open says that nothing of the tree stands there.
pub fn is_absent(errno: Errno) -> bool {
    // `LOOP`: a symbolic link. `NXIO`: a socket.
    matches!(errno, Errno::NOENT | Errno::NOTDIR | Errno::LOOP | Errno::NXIO)
}

fn open(root: impl AsFd, names: &[String], flags: OFlags) -> Result<OwnedFd, Errno> {
    let root = root.as_fd();
    let path = if names.is_empty() { ".".to_owned() } else { names.join("/") };
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
    match retry_on_intr(|| fs::openat2(root, path.as_str(), flags, Mode::empty(), resolve)) {
        // No such call: an old kernel, or a container's seccomp filter (which says EPERM). A path
        // of up to 128 names may also be longer than one call takes.
        Err(Errno::NOSYS | Errno::PERM | Errno::AGAIN | Errno::NAMETOOLONG) => walk(root, names, flags),
        other => other,
    }
}

fn walk(root: impl AsFd, names: &[String], flags: OFlags) -> Result<OwnedFd, Errno> {
    let step = |dir: &OwnedFd, name: &str, flags: OFlags| {
        retry_on_intr(|| fs::openat(dir, name, flags | OFlags::NOFOLLOW, Mode::empty()))
    };
    let mut dir = retry_on_intr(|| fs::openat(root.as_fd(), ".", DIRECTORY, Mode::empty()))?;
    let Some((last, above)) = names.split_last() else { return Ok(dir) };
    for name in above {
        dir = step(&dir, name, DIRECTORY)?;
    }
    step(&dir, last, flags)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn names(path: &str) -> Vec<String> {
        path.split('/').filter(|name| !name.is_empty()).map(str::to_owned).collect()
    }

    type Open = fn(&OwnedFd, &[String], OFlags) -> Result<OwnedFd, Errno>;

    #[test]
    fn both_ways_open_what_is_inside_and_nothing_through_a_link() {
        let temp = tempfile::tempdir().unwrap();
        let inside = temp.path().join("inside");
        std::fs::create_dir_all(inside.join("a/b")).unwrap();
        std::fs::write(inside.join("a/b/file"), "x").unwrap();
        std::fs::write(temp.path().join("secret"), "s").unwrap();
        symlink(temp.path(), inside.join("up")).unwrap();
        symlink("a", inside.join("alias")).unwrap();
        symlink("../secret", inside.join("leak")).unwrap();
        let root: OwnedFd = std::fs::File::open(&inside).unwrap().into();
        let ways: [(&str, Open); 2] =
            [("openat2", |r, n, f| open(r, n, f)), ("walk", |r, n, f| walk(r, n, f))];
        for (way, open) in ways {
            for (path, flags) in [("", DIRECTORY), ("a/b", DIRECTORY), ("a/b/file", FILE)] {
                assert!(open(&root, &names(path), flags).is_ok(), "{way} {path}");
            }
            for (path, flags) in [
                ("up", DIRECTORY),
                ("up/secret", FILE),
                ("up/inside/a", DIRECTORY),
                ("alias/b", DIRECTORY),
                ("alias/b/file", FILE),
                ("leak", FILE),
                ("a/b/file/x", FILE),
                ("nothing", FILE),
            ] {
                let refused = open(&root, &names(path), flags).err();
                assert!(refused.is_some_and(is_absent), "{way} {path}: {refused:?}");
            }
        }
    }

    #[test]
    fn a_path_longer_than_the_kernel_takes_opens_name_by_name() {
        let temp = tempfile::tempdir().unwrap();
        let root: OwnedFd = std::fs::File::open(temp.path()).unwrap().into();
        let long: Vec<String> = (0..20).map(|_| "n".repeat(255)).collect();
        let mut dir = open_dir(&root, &[]).unwrap();
        for name in &long {
            fs::mkdirat(&dir, name.as_str(), Mode::RWXU).unwrap();
            dir = open_dir(&dir, std::slice::from_ref(name)).unwrap();
        }
        assert!(open_dir(&root, &long).is_ok());
    }

    #[test]
    fn names_that_walk_are_refused() {
        for name in ["..", ".", "", "a/b", "a\0"] {
            assert!(check(&[name.to_owned()]).is_err(), "{name:?}");
        }
    }
}
