//! Where a logged request goes: a call of the contract, one whose action is not in the log, or none.

use super::line::Request;
use crate::{Call, Contract, Found, Mounts};

/// What a request was.
pub enum Asked<'c> {
    Call(Found<'c>),
    /// A POST to Pydio 8's session endpoint, its action in the body.
    Session,
    /// No call of the contract.
    Other,
    /// No request at all.
    Nothing,
}

/// Where the old server had what.
pub struct Places {
    prefix: String,
    mounts: Mounts,
}

impl Places {
    pub fn new(prefix: &str, dav: &[String]) -> Self {
        let tidy = |place: &str| format!("/{}", place.trim_matches('/'));
        let prefix = prefix.trim_matches('/');
        let prefix = if prefix.is_empty() { String::new() } else { tidy(prefix) };
        let mut mounts = Mounts::of_others();
        if !dav.is_empty() {
            mounts.dav = dav.iter().map(|place| tidy(place)).collect();
        }
        Self { prefix, mounts }
    }

    pub fn asked<'c>(&self, contract: &'c Contract, request: &Request<'_>) -> Asked<'c> {
        let Some(path) = self.inside(&request.path) else { return Asked::Other };
        let query = request.query.as_deref();
        if request.method == "POST" && is_session(path) && !names_action(query) {
            return Asked::Session;
        }
        let call = Call { method: &request.method, path, query, form: &[], header: &|_| None };
        contract.classify_under(&call, &self.mounts).map_or(Asked::Other, Asked::Call)
    }

    /// The path without the prefix. WebDAV may have been beside it.
    fn inside<'a>(&self, path: &'a str) -> Option<&'a str> {
        match under(path, &self.prefix) {
            Some("") => Some("/"),
            Some(rest) => Some(rest),
            None => self.mounts.dav.iter().any(|mount| under(path, mount).is_some()).then_some(path),
        }
    }
}

/// What follows a place, on whole segments.
fn under<'a>(path: &'a str, place: &str) -> Option<&'a str> {
    path.strip_prefix(place).filter(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The routes of the session server (reference/pydio8-v1.md § 1.1). Programs post to the first two.
fn is_session(path: &str) -> bool {
    let first = path.trim_start_matches('/');
    let first = first.split_once('/').map_or(first, |(first, _)| first);
    first.is_empty()
        || ["index.php", "dashboard", "settings", "welcome"].contains(&first)
        || first.starts_with("ws-")
}

fn names_action(query: Option<&str>) -> bool {
    let named = |pair: &str| {
        let name = pair.split_once('=').map_or(pair, |(name, _)| name);
        name == "get_action" || name == "action"
    };
    query.is_some_and(|query| query.split('&').any(named))
}
