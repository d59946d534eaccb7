//! `If-Match` and friends (RFC 9110 §13) against a node.

use http::HeaderMap;
use http::header::{IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_UNMODIFIED_SINCE};

use crate::error::{Error, Result};
use crate::http::date;
use crate::node::Node;

/// A list of entity tags, or `*`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ETags {
    Any,
    /// Without quotes; `W/` is dropped (our tags are all strong, and a client that weakened one
    /// still means that content).
    List(Vec<String>),
}

impl ETags {
    pub fn parse(header: &str) -> Self {
        let header = header.trim();
        if header == "*" {
            return Self::Any;
        }
        Self::List(
            header
                .split(',')
                .map(|tag| tag.trim().trim_start_matches("W/").trim_matches('"').to_owned())
                .filter(|tag| !tag.is_empty())
                .collect(),
        )
    }

    pub fn matches(&self, etag: &str) -> bool {
        match self {
            Self::Any => true,
            Self::List(tags) => tags.iter().any(|tag| tag == etag),
        }
    }
}

/// The conditions of one request. Writes check them inside the commit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Conditions {
    pub if_match: Option<ETags>,
    pub if_none_match: Option<ETags>,
    /// Seconds since the epoch.
    pub if_modified_since_s: Option<i64>,
    pub if_unmodified_since_s: Option<i64>,
}

impl Conditions {
    pub fn from_headers(headers: &HeaderMap) -> Self {
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
        Self {
            if_match: text(IF_MATCH).map(ETags::parse),
            if_none_match: text(IF_NONE_MATCH).map(ETags::parse),
            if_modified_since_s: text(IF_MODIFIED_SINCE).and_then(date::parse_http),
            if_unmodified_since_s: text(IF_UNMODIFIED_SINCE).and_then(date::parse_http),
        }
    }

    /// For GET and HEAD, in the order of RFC 9110 §13.2.2.
    pub fn check_read(&self, node: &Node, shown: &str) -> Result<()> {
        match (&self.if_match, self.if_unmodified_since_s) {
            (Some(tags), _) if !tags.matches(&node.etag) => {
                return Err(Error::PreconditionFailed(shown.to_owned()));
            }
            (None, Some(since)) if node.mtime_s() > since => {
                return Err(Error::PreconditionFailed(shown.to_owned()));
            }
            _ => {}
        }
        let current = match (&self.if_none_match, self.if_modified_since_s) {
            (Some(tags), _) => tags.matches(&node.etag),
            (None, Some(since)) => node.mtime_s() <= since,
            (None, None) => false,
        };
        if current {
            return Err(Error::NotModified { etag: node.etag.clone(), mtime_ns: node.mtime_ns });
        }
        Ok(())
    }

    /// For anything that changes the node, or creates it when there is none.
    pub fn check_write(&self, node: Option<&Node>, shown: &str) -> Result<()> {
        let failed = || Error::PreconditionFailed(shown.to_owned());
        if let Some(tags) = &self.if_match
            && !node.is_some_and(|node| tags.matches(&node.etag))
        {
            return Err(failed());
        }
        if let Some(tags) = &self.if_none_match
            && node.is_some_and(|node| tags.matches(&node.etag))
        {
            return Err(failed());
        }
        if let (None, Some(since), Some(node)) = (&self.if_match, self.if_unmodified_since_s, node)
            && node.mtime_s() > since
        {
            return Err(failed());
        }
        Ok(())
    }
}
