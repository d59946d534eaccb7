//! Failures of the file system in the core's words.

use std::io;

use cellgate_core::error::Error;
use rustix::io::Errno;

/// The failure of `doing` (for the log: the caller's texts name only what the caller named).
pub fn fault(datasource: &str, doing: &str, errno: Errno) -> Error {
    match errno {
        // WebDAV has 507 for this, and a client must not repeat it at once.
        Errno::NOSPC | Errno::DQUOT => {
            tracing::warn!(datasource, "cannot {doing}: {errno}");
            Error::QuotaExceeded(datasource.to_owned())
        }
        Errno::MFILE | Errno::NFILE | Errno::NOMEM => {
            tracing::warn!(datasource, "cannot {doing}: {errno}");
            Error::Unavailable("the server has too many files open".into())
        }
        _ => Error::internal(Failure { datasource: datasource.to_owned(), doing: doing.to_owned(), errno }),
    }
}

/// Like [`fault`], for paths in an adopted folder, where the operating system's own rights count.
pub fn refused(datasource: &str, doing: &str, names: &[String], right: &'static str, errno: Errno) -> Error {
    match errno {
        Errno::ACCESS | Errno::PERM | Errno::ROFS => {
            tracing::warn!(datasource, "cannot {doing} `{}`: {errno}", names.join("/"));
            Error::Denied { path: shown(names), right }
        }
        Errno::NAMETOOLONG => {
            Error::InvalidName(format!("`{}` is too long for the file system", shown(names)))
        }
        _ => fault(datasource, &format!("{doing} `{}`", names.join("/")), errno),
    }
}

/// The failure to open a datasource, for the administrator: what, and why.
pub fn unusable(datasource: &str, problem: impl std::fmt::Display) -> Error {
    Error::InvalidArgument(format!("datasource `{datasource}`: {problem}"))
}

/// How callers see a path: its last name, since what stands above may not be theirs to know.
pub fn shown(names: &[String]) -> String {
    names.last().cloned().unwrap_or_else(|| "/".to_owned())
}

/// The system's number of a failure of `std`.
pub fn errno(error: &io::Error) -> Errno {
    Errno::from_io_error(error).unwrap_or(Errno::IO)
}

/// The reason in plain words: `permission denied`.
pub fn reason(errno: Errno) -> String {
    let text = io::Error::from(errno).to_string();
    let plain = text.split_once(" (os error").map_or(text.as_str(), |(plain, _)| plain);
    let mut letters = plain.chars();
    letters.next().map(|first| first.to_lowercase().chain(letters).collect()).unwrap_or_default()
}

#[derive(Debug, thiserror::Error)]
#[error("datasource `{datasource}`: cannot {doing}: {errno}")]
struct Failure {
    datasource: String,
    doing: String,
    errno: Errno,
}
