//! The one error of the core.
//!
//! It speaks of nodes and rights, never of status codes. Each door answers it with one exhaustive
//! `match`, so a new variant does not compile until every protocol has an answer.

use std::fmt;

/// What the core and its ports return.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why an operation did not happen. The texts are safe to show to the caller: they name what the
/// caller named, and the way out; the cause of an [`Error::Internal`] is for the log alone.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No such node, or none that this principal may know of.
    #[error("`{0}` does not exist")]
    NotFound(String),
    #[error("`{0}` exists already")]
    AlreadyExists(String),
    /// The collection that should hold the new node does not exist.
    #[error("the parent of `{0}` does not exist")]
    ParentMissing(String),
    /// A leaf stands where a collection is needed (`a` beside `a/b`).
    #[error("`{0}` is a file, not a folder")]
    NotACollection(String),
    /// A collection stands where a leaf is needed.
    #[error("`{0}` is a folder, not a file")]
    IsACollection(String),
    /// The collection must be empty for this.
    #[error("`{0}` is not empty")]
    NotEmpty(String),
    /// The file exists, or existed, but has no such version.
    #[error("`{0}` has no such version")]
    NoSuchVersion(String),
    /// The version is a removal: there is nothing to read.
    #[error("the version of `{0}` is a delete marker")]
    IsADeleteMarker(String),
    /// No credentials, or none that hold.
    #[error("{0}")]
    Unauthenticated(Unauthenticated),
    /// The principal lacks the right.
    #[error("no right to {right} `{path}`")]
    Denied { path: String, right: &'static str },
    #[error("precondition failed on `{0}`")]
    PreconditionFailed(String),
    /// A conditional read: the caller's copy is current. Carries what a 304 must repeat.
    #[error("not modified")]
    NotModified { etag: String, mtime_ns: i64 },
    #[error("`{path}` is locked by {owner}")]
    Locked { path: String, owner: String },
    /// The lock token is unknown, expired or another's.
    #[error("no such lock on `{0}`")]
    NoSuchLock(String),
    #[error("{0}")]
    InvalidName(String),
    /// A value that is no name: a cursor, a size, a role.
    #[error("{0}")]
    InvalidArgument(String),
    /// A path cannot go there: a folder into itself, a workspace root moved.
    #[error("{0}")]
    Conflict(String),
    /// The body is not what its digest promised.
    #[error("the body does not match its {algorithm} digest")]
    ChecksumMismatch { algorithm: &'static str, promised: Vec<u8>, computed: Vec<u8> },
    /// The body ended early, or went on too long.
    #[error("the body has {received} bytes, {expected} were announced")]
    LengthMismatch { expected: u64, received: u64 },
    /// The body broke off: the client is gone, or its framing is wrong.
    #[error("the body broke off: {0}")]
    BrokenBody(String),
    #[error("quota exceeded in `{0}`")]
    QuotaExceeded(String),
    #[error("{size} bytes are more than the {limit} allowed")]
    TooLarge { size: u64, limit: u64 },
    #[error("the range is outside the {size} bytes of the file")]
    RangeNotSatisfiable { size: u64 },
    #[error("upload `{0}` does not exist")]
    NoSuchUpload(String),
    #[error("part {number}: {reason}")]
    InvalidPart { number: u32, reason: &'static str },
    #[error("part {0} is smaller than the allowed minimum")]
    PartTooSmall(u32),
    /// Promised by the protocol, not built here.
    #[error("{0} is not implemented")]
    NotImplemented(&'static str),
    /// A neighbour (database, disk) does not answer; trying again may help.
    #[error("temporarily unavailable: {0}")]
    Unavailable(String),
    #[error("internal error")]
    Internal(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Why credentials were refused. Doors show all but [`Unauthenticated::Missing`] alike; the
/// difference is for clients that must refresh a token, and for the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unauthenticated {
    Missing,
    Wrong,
    Expired,
    /// Too many failures for this login; try later.
    LockedOut,
    /// The credential holds, but not for this door or at this time.
    OutOfScope,
}

impl fmt::Display for Unauthenticated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Missing => "sign in first",
            Self::Wrong => "wrong credentials",
            Self::Expired => "the credentials have expired",
            Self::LockedOut => "too many failed attempts, try again later",
            Self::OutOfScope => "the credentials do not cover this",
        })
    }
}

impl Error {
    /// Wraps a failure that is nobody's fault outside.
    pub fn internal(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Internal(cause.into())
    }

    /// The text for a log: with the whole chain of causes.
    pub fn chain(&self) -> String {
        let mut text = self.to_string();
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            text.push_str(": ");
            text.push_str(&error.to_string());
            cause = error.source();
        }
        text
    }
}
