//! What can be wrong with a HAR file. Messages name the entry, and never quote a value of it: it may
//! be a secret.

use std::fmt;

#[derive(Debug, thiserror::Error)]
pub enum HarError {
    #[error("{0}")]
    Io(#[from] std::io::Error),
    #[error("the file is larger than {limit} bytes")]
    FileTooLarge { limit: u64 },
    #[error("{at}the file ends too early: it is truncated")]
    Truncated { at: At },
    #[error("{at}not JSON: {what} (line {line}, column {column})")]
    NotJson { at: At, what: String, line: usize, column: usize },
    #[error("{at}nested too deep")]
    TooDeep { at: At },
    #[error("not a HAR: {0}")]
    NotHar(&'static str),
    #[error("HAR version `{0}` is not known here: 1.1 and 1.2 are")]
    Version(String),
    #[error("entry {number}: {what}")]
    Entry { number: usize, what: String },
}

/// The entry that was being read, if one was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct At(pub Option<usize>);

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(number) => write!(f, "entry {number}: "),
            None => Ok(()),
        }
    }
}
