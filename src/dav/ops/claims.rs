//! What a request claims: the `If` header looked up and decided, before any method runs.

use std::collections::HashMap;

use cellgate_core::http::conditional::{Conditions, ETags};
use cellgate_core::{Error, NodePath, Tree};
use http::StatusCode;

use crate::Call;
use crate::error::{DavError, Result};
use crate::if_header::{IfHeader, ResourceState};
use crate::route::{Hosts, local};

/// Decides the `If` header (412 when no list holds) and notes the tokens it submits. The entity tag
/// that the deciding list demands of the target is handed on, to be checked again with the commit.
pub async fn evaluate(call: &mut Call) -> Result<()> {
    let Some(header) = header(call)? else { return Ok(()) };
    let hosts = Hosts::of(&call.parts.uri, &call.parts.headers);
    let mut states = HashMap::new();
    for (resource, with_etag) in header.resources() {
        let path = match resource {
            None => Some(call.path.clone()),
            // A URL we cannot read is a resource we know nothing of.
            Some(url) => local(url, &hosts).ok().flatten().map(|(path, _)| path),
        };
        let state = match path {
            Some(path) => state(&call.tree, &path, with_etag).await?,
            None => ResourceState::default(),
        };
        states.insert(resource, state);
    }
    let Some(list) = header.satisfied(&states) else {
        return Err(DavError::Refused(StatusCode::PRECONDITION_FAILED, "the If header does not hold".into()));
    };
    if list.resource.is_none()
        && let Some(etag) = list.etag()
    {
        demand(&mut call.conditions, etag)?;
    }
    call.tokens = header.tokens();
    Ok(())
}

fn header(call: &Call) -> Result<Option<IfHeader>> {
    let mut text = String::new();
    for value in call.parts.headers.get_all("if") {
        let value = value.to_str().map_err(|_| DavError::bad_request("unreadable If header"))?;
        text.push_str(value);
        text.push(' ');
    }
    if text.is_empty() {
        return Ok(None);
    }
    IfHeader::parse(&text).map(Some).map_err(|flaw| DavError::bad_request(flaw.0))
}

/// Adds an entity tag to what `If-Match` demands already; both must hold.
fn demand(conditions: &mut Conditions, etag: &str) -> Result<()> {
    if conditions.if_match.as_ref().is_some_and(|tags| !tags.matches(etag)) {
        return Err(DavError::Refused(StatusCode::PRECONDITION_FAILED, "If and If-Match contradict".into()));
    }
    conditions.if_match = Some(ETags::List(vec![etag.to_owned()]));
    Ok(())
}

async fn state(tree: &Tree, path: &NodePath, with_etag: bool) -> Result<ResourceState> {
    let etag = if with_etag { known(tree.stat(path).await)?.map(|node| node.etag) } else { None };
    let locks = match known(tree.locks(path).await)? {
        Some(locks) => locks,
        // An unmapped URL is in the scope of deep locks above it.
        None => match path.parent() {
            Some(parent) => known(tree.locks(&parent).await)?
                .unwrap_or_default()
                .into_iter()
                .filter(|(_, lock)| lock.deep)
                .collect(),
            None => Vec::new(),
        },
    };
    Ok(ResourceState { etag, tokens: locks.into_iter().map(|(_, lock)| lock.token).collect() })
}

/// `None` for what this caller cannot know of.
fn known<T>(result: cellgate_core::Result<T>) -> Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(
            Error::NotFound(_) | Error::ParentMissing(_) | Error::NotACollection(_) | Error::Denied { .. },
        ) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

impl Call {
    /// HTTP conditions of a method whose core operation takes none.
    pub async fn check_conditions(&self) -> Result<()> {
        if self.conditions == Conditions::default() {
            return Ok(());
        }
        let node = known(self.tree.stat(&self.path).await)?;
        Ok(self.conditions.check_write(node.as_ref(), &self.path.to_string())?)
    }
}
