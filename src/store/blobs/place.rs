//! Which folders a datasource uses.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};

use cellgate_core::error::Result;
use cellgate_core::path::valid_name;
use cellgate_core::ports::DatasourceConfig;
use cellgate_core::tree::FOLDER_ID;
use rustix::fs::{CWD, renameat};
use rustix::io::Errno;
use uuid::Uuid;

use super::area::folder;
use super::fault::{errno, reason, unusable};

/// Ends the name of a staging folder that stands beside an adopted one.
const SIBLING: &str = ".cellgate-staging";

/// Whether a name in an adopted folder is no node of the tree: the staging of another datasource
/// below, or the hidden file with a folder's id.
pub fn is_ours(name: &str) -> bool {
    name.starts_with('.') && (name == FOLDER_ID || name.ends_with(SIBLING))
}

/// The configured folder of a datasource.
pub fn folder_of(data: &Path, config: &DatasourceConfig) -> Result<PathBuf> {
    let name = &config.name;
    // It becomes a folder name of ours.
    if valid_name(name).ok().as_deref() != Some(name) {
        return Err(unusable(&name.escape_debug().to_string(), "the name is no valid file name"));
    }
    let path = Path::new(&config.path);
    if path.as_os_str().is_empty() {
        return Err(unusable(name, "`path` is empty, name a folder"));
    }
    if path.is_relative() && path.components().any(|part| part == Component::ParentDir) {
        return Err(unusable(
            name,
            format!("`{}` leaves the data folder, give an absolute path", path.display()),
        ));
    }
    Ok(data.join(path))
}

/// The folder to adopt, made when only it is missing: a missing parent is more likely a disk that
/// is not mounted.
pub fn adopted(data: &Path, config: &DatasourceConfig) -> Result<PathBuf> {
    let path = folder_of(data, config)?;
    let failed = |doing: &str, error: &std::io::Error| {
        unusable(&config.name, format!("cannot {doing} `{}`: {}", path.display(), reason(errno(error))))
    };
    let made = match Path::new(&config.path).is_relative() {
        true => fs::create_dir_all(&path),
        false => match fs::create_dir(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
            other => other,
        },
    };
    made.map_err(|error| failed("create", &error))?;
    let path = path.canonicalize().map_err(|error| failed("open", &error))?;
    if !path.is_dir() {
        return Err(unusable(&config.name, format!("`{}` is not a folder", path.display())));
    }
    // Made first: what does not exist cannot be compared.
    let own = fs::create_dir_all(data).and_then(|()| data.canonicalize()).map_err(|error| {
        let why = reason(errno(&error));
        unusable(&config.name, format!("cannot create the data folder `{}`: {why}", data.display()))
    })?;
    if own.starts_with(&path) {
        return Err(unusable(
            &config.name,
            format!(
                "`{}` holds the gateway's own data folder, choose another folder or move the data",
                path.display()
            ),
        ));
    }
    Ok(path)
}

/// Where an adopted folder's staging, blobs and bin go: a place of ours from which files can be
/// renamed into the folder in one step.
pub fn area_for(data: &Path, datasource: &str, adopted: &Path) -> Result<PathBuf> {
    let ours = data.join("staging").join(datasource);
    folder(datasource, &ours)?;
    if renames_into(&ours, adopted) {
        return Ok(ours);
    }
    let sibling = adopted.parent().zip(adopted.file_name()).map(|(parent, name)| {
        let mut hidden = std::ffi::OsString::from(".");
        hidden.push(name);
        hidden.push(SIBLING);
        parent.join(hidden)
    });
    // Asked before anything is made: the parent of a mount point is another file system.
    let Some(sibling) = sibling.filter(|path| path.parent().is_some_and(|p| renames_into(p, adopted))) else {
        return Err(elsewhere(datasource, adopted, &ours, "its parent is another one too"));
    };
    if let Err(error) = folder(datasource, &sibling) {
        return Err(elsewhere(datasource, adopted, &ours, &error.to_string()));
    }
    // In a folder that others can write to, someone may have been there first.
    let trusted = fs::symlink_metadata(&sibling).is_ok_and(|meta| {
        meta.is_dir() && meta.uid() == rustix::process::geteuid().as_raw() && meta.mode() & 0o077 == 0
    });
    if !trusted {
        let problem = format!("`{}` exists and is not private to the gateway", sibling.display());
        return Err(elsewhere(datasource, adopted, &ours, &problem));
    }
    Ok(sibling)
}

fn elsewhere(datasource: &str, adopted: &Path, ours: &Path, why: &str) -> cellgate_core::Error {
    unusable(
        datasource,
        format!(
            "nowhere to stage files on the file system of `{}`: `{}` is on another one, and {why}; put \
             the data folder on that file system, or use a folder inside `{}` as the datasource",
            adopted.display(),
            ours.display(),
            adopted.display()
        ),
    )
}

/// Whether a file can be renamed from one folder into the other.
fn renames_into(from: &Path, to: &Path) -> bool {
    let device = |path: &Path| fs::metadata(path).map(|meta| meta.dev()).ok();
    if device(from) != device(to) {
        return false;
    }
    // Two mounts of one file system bear one device number and still refuse. The kernel says so
    // before it looks for the file, so renaming one that does not exist asks without writing.
    let nobody = Uuid::new_v4().simple().to_string();
    renameat(CWD, from.join(&nobody), CWD, to.join(&nobody)) != Err(Errno::XDEV)
}
