//! The doors, as clients of their protocols see them.
//!
//! Paths are `/<workspace>/<folder>/<name>` for all; each door turns them into its own terms. What
//! goes over the wire is written from the protocol references, apart from the gateway's own code.

mod cells;
mod dav;
mod pydio8;
mod s3;
mod seafile;
mod sign;

use std::fmt;

use async_trait::async_trait;
use bytes::Bytes;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::{Client, Response, StatusCode};

pub use dav::Dav;
pub use s3::S3;
pub use seafile::Seafile;

use crate::Outcome;
use crate::gateway::Account;

/// Why a door did not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// There is no such node, in the protocol's own words.
    Missing,
    /// A lock is in the way, in the protocol's own words.
    Locked,
    /// The protocol has no such operation.
    NotOffered,
    /// Anything else.
    Other(String),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("there is no such node"),
            Self::Locked => f.write_str("a lock is in the way"),
            Self::NotOffered => f.write_str("the protocol has no such operation"),
            Self::Other(why) => f.write_str(why),
        }
    }
}

impl From<reqwest::Error> for Fault {
    fn from(error: reqwest::Error) -> Self {
        let mut text = error.to_string();
        let mut source = std::error::Error::source(&error);
        while let Some(cause) = source {
            text = format!("{text}: {cause}");
            source = cause.source();
        }
        Self::Other(text)
    }
}

pub type Answer<T = ()> = Result<T, Fault>;

/// An entry of a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub name: String,
    pub folder: bool,
    /// Of a file.
    pub size: Option<u64>,
}

/// One protocol, signed in as one user.
#[async_trait]
pub trait Door: Send + Sync {
    fn name(&self) -> &'static str;

    /// Writes a file, new or over another one.
    async fn write(&self, path: &str, bytes: Bytes) -> Answer;

    async fn read(&self, path: &str) -> Answer<Bytes>;

    /// Reads bytes `first` to `last`, both included.
    async fn read_range(&self, path: &str, first: u64, last: u64) -> Answer<Bytes>;

    async fn list(&self, folder: &str) -> Answer<Vec<Entry>>;

    async fn make_folder(&self, path: &str) -> Answer;

    /// Moves a file to a new path, perhaps in another folder.
    async fn move_file(&self, from: &str, to: &str) -> Answer;

    /// Moves a folder with all that is in it.
    async fn move_folder(&self, from: &str, to: &str) -> Answer;

    async fn copy_file(&self, from: &str, to: &str) -> Answer;

    async fn delete_file(&self, path: &str) -> Answer;

    async fn delete_folder(&self, path: &str) -> Answer;
}

/// Every door for one user.
pub async fn open(url: &str, account: &Account) -> Outcome<Vec<Box<dyn Door>>> {
    let client = client()?;
    let failed = |door: &str| {
        let door = door.to_owned();
        move |fault: Fault| format!("{door}: cannot sign in: {fault}")
    };
    Ok(vec![
        Box::new(S3::new(&client, url, &account.key_id, &account.key_secret)),
        Box::new(Dav::new(&client, url, account)),
        Box::new(pydio8::Pydio8::new(&client, url, account)),
        Box::new(Seafile::sign_in(&client, url, account).await.map_err(failed("seafile"))?),
        Box::new(cells::Cells::sign_in(&client, url, account).await.map_err(failed("cells"))?),
    ])
}

/// Follows no redirect: Seafile's clients read them.
pub fn client() -> Outcome<Client> {
    Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(std::time::Duration::from_secs(120))
        .build()
        .map_err(|error| error.to_string())
}

const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
const PATH: &AsciiSet = &SEGMENT.remove(b'/');

/// Percent-encodes all but slashes.
fn encoded(path: &str) -> String {
    utf8_percent_encode(path, PATH).to_string()
}

/// Percent-encodes slashes too.
fn encoded_whole(text: &str) -> String {
    utf8_percent_encode(text, SEGMENT).to_string()
}

/// Folder and name.
fn split(path: &str) -> (&str, &str) {
    path.rsplit_once('/').unwrap_or(("", path))
}

/// Workspace and what is inside of it, with a slash in front.
fn workspace(path: &str) -> (&str, String) {
    let rest = path.trim_start_matches('/');
    let (workspace, inside) = rest.split_once('/').unwrap_or((rest, ""));
    (workspace, format!("/{inside}"))
}

/// The answer with its body, where the status says success.
async fn succeeded(response: Response) -> Result<Bytes, (StatusCode, String)> {
    let status = response.status();
    match response.bytes().await {
        Ok(bytes) if status.is_success() => Ok(bytes),
        Ok(bytes) => Err((status, String::from_utf8_lossy(&bytes).into_owned())),
        Err(error) => Err((status, Fault::from(error).to_string())),
    }
}

/// An answer that no case of the protocol's own explains.
fn unexpected(door: &str, (status, body): (StatusCode, String)) -> Fault {
    let body: String = body.chars().take(300).collect();
    Fault::Other(format!("{door} answers {status} {body}"))
}
