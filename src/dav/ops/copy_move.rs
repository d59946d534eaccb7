//! `COPY` and `MOVE` (RFC 4918 §9.8, §9.9): one core operation each, the target replaced in the
//! same commit.

use cellgate_core::http::{Body, Response};
use cellgate_core::tree::{Existing, Transfer};
use cellgate_core::{Error, NodePath};
use http::StatusCode;

use crate::Call;
use crate::error::{DavError, Result};
use crate::headers::{Depth, depth, overwrite, text};
use crate::ops::{created_or_replaced, detached, refuse_body, status};
use crate::route::{Hosts, local};

pub async fn copy(call: Call, body: Body) -> Result<Response> {
    refuse_body(body).await?;
    let shallow = match depth(&call.parts.headers)? {
        Some(Depth::Zero) => true,
        None | Some(Depth::Infinity) => false,
        Some(Depth::One) => return Err(DavError::bad_request("COPY takes Depth 0 or infinity")),
    };
    let to = destination(&call, shallow)?;
    let how = transfer(&call, shallow)?;
    let Call { tree, path, .. } = call;
    let target = to.to_string();
    let written = detached(async move { tree.copy(&path, &to, &how).await })
        .await
        .map_err(|error| target_missing(error, &target))?;
    Ok(status(created_or_replaced(written.created)))
}

pub async fn move_(call: Call, body: Body) -> Result<Response> {
    refuse_body(body).await?;
    // §9.9.2: a collection moves whole. On a leaf the depth means nothing.
    if !matches!(depth(&call.parts.headers)?, None | Some(Depth::Infinity))
        && call.tree.stat(&call.path).await?.is_collection()
    {
        return Err(DavError::bad_request("a collection is moved with Depth: infinity"));
    }
    let to = destination(&call, false)?;
    let how = transfer(&call, false)?;
    let Call { tree, path, .. } = call;
    let target = to.to_string();
    let written = detached(async move { tree.rename(&path, &to, &how).await })
        .await
        .map_err(|error| target_missing(error, &target))?;
    Ok(status(created_or_replaced(written.created)))
}

/// A workspace that does not exist is a missing parent (409), not a missing source (404).
fn target_missing(error: DavError, target: &str) -> DavError {
    match error {
        DavError::Core(Error::NotFound(path)) if path == target => DavError::Core(Error::ParentMissing(path)),
        other => other,
    }
}

fn transfer(call: &Call, shallow: bool) -> Result<Transfer> {
    Ok(Transfer {
        source: call.conditions.clone(),
        existing: if overwrite(&call.parts.headers)? { Existing::Replace } else { Existing::Refuse },
        shallow,
        tokens: call.tokens.clone(),
        ..Transfer::default()
    })
}

fn destination(call: &Call, shallow: bool) -> Result<NodePath> {
    let header = text(&call.parts.headers, "destination")
        .ok_or_else(|| DavError::bad_request("no readable Destination"))?;
    let hosts = Hosts::of(&call.parts.uri, &call.parts.headers);
    let (to, _) = local(header, &hosts)?.ok_or_else(|| {
        DavError::Refused(StatusCode::BAD_GATEWAY, "the destination is on another server".into())
    })?;
    if to.is_root() {
        return Err(DavError::forbidden("the list of workspaces cannot be replaced"));
    }
    if to == call.path {
        return Err(DavError::forbidden("source and destination are the same"));
    }
    if to.is_within(&call.path) && !shallow {
        return Err(DavError::forbidden("a collection cannot go into itself"));
    }
    if call.path.is_within(&to) {
        return Err(DavError::forbidden("the destination contains the source"));
    }
    Ok(to)
}
