//! What goes wrong, as this protocol says it.
//!
//! The original answers almost every failure with HTTP 200 and a message; clients read the text.
//! Statuses of their own have: authentication (401), hidden names (411), what is not built (501),
//! ranges (416), and trouble on our side (500, 503), which a client must not take for an answer.

use cellgate_core::{Error, Unauthenticated};
use http::StatusCode;

/// Why an action did not happen.
#[derive(Debug)]
pub enum Fault {
    Core(Error),
    /// A message of the protocol's own.
    Text(String),
    /// A name that the protocol hides from its users: dot files and its own records.
    Hidden(String),
    /// An action, or a form of one, that is known and not built.
    NotBuilt(String),
    /// Credentials that hold, without a right on the workspace.
    NoWorkspaceRight,
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::Core(error)
    }
}

/// How a failure is answered.
#[derive(Debug, PartialEq, Eq)]
pub enum Answer {
    /// A message of level error.
    Message(StatusCode, String),
    /// 401 with a challenge and an empty body.
    Challenge,
    /// 401 with the original's sentence and no challenge, so that browsers do not ask again.
    Refusal,
}

pub const NO_WRITE: &str = "You have no write permission on this folder";
pub const NO_READ: &str = "You have no read permission on this folder";
pub const NOTHING_SELECTED: &str = "You must select a file";

impl Fault {
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    pub fn answer(&self) -> Answer {
        match self {
            Self::Core(error) => answer(error),
            Self::Text(text) => Answer::Message(StatusCode::OK, text.clone()),
            Self::Hidden(name) => Answer::Message(StatusCode::LENGTH_REQUIRED, format!("{name} Forbidden")),
            Self::NotBuilt(what) => {
                Answer::Message(StatusCode::NOT_IMPLEMENTED, format!("{what} is not implemented"))
            }
            Self::NoWorkspaceRight => Answer::Refusal,
        }
    }

    /// The message alone, for answers that join several.
    pub fn message(&self) -> String {
        match self.answer() {
            Answer::Message(_, text) => text,
            Answer::Challenge | Answer::Refusal => "You are not authorized to access this API.".into(),
        }
    }

    /// Writes to the log what the caller is not told.
    pub fn log(&self) {
        match self {
            Self::Core(error @ (Error::Internal(_) | Error::Unavailable(_))) => {
                tracing::error!(door = "pydio8", error = %error.chain(), "request failed");
            }
            Self::Core(_) | Self::Text(_) | Self::Hidden(_) | Self::NotBuilt(_) | Self::NoWorkspaceRight => {}
        }
    }
}

/// The path as this protocol names it: inside the workspace.
pub fn inside(path: &str) -> &str {
    let rest = path.strip_prefix('/').unwrap_or(path);
    rest.find('/').map_or("/", |at| rest.get(at..).unwrap_or("/"))
}

fn answer(error: &Error) -> Answer {
    let say = |text: String| Answer::Message(StatusCode::OK, text);
    match error {
        Error::NotFound(path) => say(format!("Cannot find file {}", inside(path))),
        Error::AlreadyExists(path) => {
            say(format!("{} already exists  (names are case insensitive)", inside(path)))
        }
        Error::ParentMissing(path) => {
            let path = inside(path);
            let parent = path.rsplit_once('/').map_or("/", |(parent, _)| parent);
            say(format!("Cannot find folder  {}", if parent.is_empty() { "/" } else { parent }))
        }
        Error::NotACollection(path) => say(format!("{} is a file, not a folder", inside(path))),
        Error::IsACollection(path) => say(format!("{} is a folder, not a file", inside(path))),
        Error::NotEmpty(path) => say(format!("{} is not empty", inside(path))),
        Error::Unauthenticated(
            Unauthenticated::Missing | Unauthenticated::Wrong | Unauthenticated::Expired,
        ) => Answer::Challenge,
        Error::Unauthenticated(Unauthenticated::LockedOut | Unauthenticated::OutOfScope) => Answer::Refusal,
        Error::Denied { right: "read", .. } => say(NO_READ.to_owned()),
        Error::Denied { .. } => say(NO_WRITE.to_owned()),
        Error::PreconditionFailed(path) => say(format!("{} has changed meanwhile", inside(path))),
        Error::NotModified { .. } => say("Not modified".to_owned()),
        Error::Locked { path, owner } => say(format!("{} is locked by {owner}", inside(path))),
        Error::NoSuchLock(path) => say(format!("{} is not locked by you", inside(path))),
        Error::InvalidName(text) | Error::InvalidArgument(text) | Error::Conflict(text) => say(text.clone()),
        Error::ChecksumMismatch { .. }
        | Error::LengthMismatch { .. }
        | Error::BrokenBody(_)
        | Error::NoSuchUpload(_)
        | Error::NoSuchVersion(_)
        | Error::IsADeleteMarker(_)
        | Error::InvalidPart { .. }
        | Error::PartTooSmall(_) => say(error.to_string()),
        Error::QuotaExceeded(path) => say(format!("Quota exceeded in {}", inside(path))),
        Error::TooLarge { limit, .. } => {
            say(format!("File is too large! Maximum authorized size is {limit}"))
        }
        Error::RangeNotSatisfiable { .. } => {
            Answer::Message(StatusCode::RANGE_NOT_SATISFIABLE, error.to_string())
        }
        Error::NotImplemented(_) => Answer::Message(StatusCode::NOT_IMPLEMENTED, error.to_string()),
        Error::Unavailable(_) => {
            Answer::Message(StatusCode::SERVICE_UNAVAILABLE, "The server is busy, try again".to_owned())
        }
        Error::Internal(_) => Answer::Message(StatusCode::INTERNAL_SERVER_ERROR, "Internal error".to_owned()),
    }
}

/// The code in brackets behind a failed upload; `None` where the failure is answered as elsewhere.
pub fn upload_code(error: &Error) -> Option<u16> {
    match error {
        Error::LengthMismatch { .. } | Error::BrokenBody(_) | Error::ChecksumMismatch { .. } => Some(410),
        Error::Denied { .. } | Error::ParentMissing(_) | Error::NotFound(_) | Error::NotACollection(_) => {
            Some(412)
        }
        Error::TooLarge { .. } => Some(409),
        // Where a hook of the original refused before anything was written.
        Error::QuotaExceeded(_) | Error::Locked { .. } | Error::PreconditionFailed(_) => Some(507),
        Error::AlreadyExists(_)
        | Error::IsACollection(_)
        | Error::NotEmpty(_)
        | Error::NotModified { .. }
        | Error::NoSuchLock(_)
        | Error::InvalidName(_)
        | Error::InvalidArgument(_)
        | Error::Conflict(_)
        | Error::RangeNotSatisfiable { .. }
        | Error::NoSuchUpload(_)
        | Error::NoSuchVersion(_)
        | Error::IsADeleteMarker(_)
        | Error::InvalidPart { .. }
        | Error::PartTooSmall(_) => Some(411),
        Error::Unauthenticated(_) | Error::NotImplemented(_) | Error::Unavailable(_) | Error::Internal(_) => {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_name_paths_inside_the_workspace() {
        assert_eq!(inside("/personal-files/a/b"), "/a/b");
        assert_eq!(inside("/personal-files"), "/");
        let cases = [
            (Error::NotFound("/ws/x".into()), "Cannot find file /x"),
            (Error::ParentMissing("/ws/a/b".into()), "Cannot find folder  /a"),
            (Error::ParentMissing("/ws/a".into()), "Cannot find folder  /"),
            (Error::AlreadyExists("/ws/b".into()), "/b already exists  (names are case insensitive)"),
            (Error::Denied { path: "/ws".into(), right: "write" }, NO_WRITE),
            (Error::Denied { path: "/ws".into(), right: "read" }, NO_READ),
        ];
        for (error, text) in cases {
            assert_eq!(answer(&error), Answer::Message(StatusCode::OK, text.to_owned()));
        }
    }

    #[test]
    fn only_authentication_is_a_401() {
        assert_eq!(answer(&Error::Unauthenticated(Unauthenticated::Wrong)), Answer::Challenge);
        assert_eq!(answer(&Error::Unauthenticated(Unauthenticated::LockedOut)), Answer::Refusal);
        assert_eq!(Fault::NoWorkspaceRight.answer(), Answer::Refusal);
    }

    #[test]
    fn causes_stay_in_the_log() {
        let error = Error::internal("secret path on disk");
        let Answer::Message(status, text) = answer(&error) else { panic!("no message") };
        assert_eq!((status, text.as_str()), (StatusCode::INTERNAL_SERVER_ERROR, "Internal error"));
    }
}
