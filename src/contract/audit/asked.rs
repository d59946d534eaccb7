//! Where a logged request goes: a call of the contract, a call the log shows half of, or none.

use percent_encoding::percent_decode_str;

use super::line::Request;
use crate::{Call, Condition, Contract, Found, Mounts, Row, Segment, Shape, Table};

/// What a request was.
pub enum Asked<'c> {
    Call(Found<'c>),
    /// A POST to Pydio 8's session endpoint, its action in the body.
    Session,
    /// A call whose form fields tell which one of these it is.
    Form {
        label: String,
        candidates: Vec<(&'c Table, &'c Row)>,
    },
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
        if let Some(found) = contract.classify_under(&call, &self.mounts) {
            return Asked::Call(found);
        }
        match form_calls(contract, &call) {
            Some((label, candidates)) => Asked::Form { label, candidates },
            None => Asked::Other,
        }
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

/// The calls that a request is one of if the right fields are in its body.
fn form_calls<'c>(contract: &'c Contract, call: &Call<'_>) -> Option<(String, Vec<(&'c Table, &'c Row)>)> {
    if !matches!(call.method, "POST" | "PUT" | "PATCH" | "DELETE") {
        return None;
    }
    let path = call.path.trim_start_matches('/').trim_end_matches('/');
    let decoded: Vec<_> =
        path.split('/').map(|segment| percent_decode_str(segment).decode_utf8_lossy()).collect();
    let segments: Vec<&str> = decoded.iter().map(AsRef::as_ref).collect();
    let query: Vec<(&str, &str)> = call
        .query
        .unwrap_or_default()
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .collect();
    let mut label = None;
    let mut candidates = Vec::new();
    for table in contract.tables() {
        for row in table.rows() {
            let fitting = row.calls.iter().find(|shape| {
                shape.headers.is_empty()
                    && shape.parameters.iter().all(|condition| possible(condition, &query))
                    && shape.covers(call.method, &segments)
            });
            if let Some(shape) = fitting {
                label.get_or_insert_with(|| template(call.method, shape));
                candidates.push((table, row));
            }
        }
    }
    Some((label?, candidates))
}

/// Whether a body may still meet the condition.
fn possible(condition: &Condition, query: &[(&str, &str)]) -> bool {
    let value = |name: &str| query.iter().find(|(given, _)| *given == name).map(|(_, value)| *value);
    match condition {
        Condition::Present(_) => true,
        Condition::Equal(name, expected) => value(name).is_none_or(|given| given == expected),
        Condition::Missing(name) => value(name).is_none(),
    }
}

fn template(method: &str, shape: &Shape) -> String {
    let mut text = format!("{method} ");
    for segment in &shape.path {
        text.push('/');
        match segment {
            Segment::Literal(literal) => text.push_str(literal),
            Segment::Affixed(before, after) => text.extend([before, "…", after]),
            Segment::One | Segment::Rest => text.push('…'),
        }
    }
    text
}
