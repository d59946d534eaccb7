//! `DELETE` (RFC 4918 §9.6): one core operation, whatever stands below.
//!
//! Into the recycle bin where the workspace has one: a file deleted in Finder or Explorer can be had
//! back. Cells deletes for good here. Inside the bin it is for good.

use cellgate_core::http::{Body, Response};
use cellgate_core::tree::{Removal, Remove};
use http::StatusCode;

use crate::Call;
use crate::error::{DavError, Result};
use crate::headers::{Depth, depth};
use crate::ops::{detached, refuse_body, status};

pub async fn delete(call: Call, body: Body) -> Result<Response> {
    refuse_body(body).await?;
    // §9.6.1: a collection goes with everything in it. On a leaf the depth means nothing.
    let shallow = !matches!(depth(&call.parts.headers)?, None | Some(Depth::Infinity));
    if shallow && call.tree.stat(&call.path).await?.is_collection() {
        return Err(DavError::bad_request("a collection is deleted with Depth: infinity"));
    }
    let how = Remove {
        removal: Removal::Recycle,
        conditions: call.conditions.clone(),
        tokens: call.tokens.clone(),
        ..Remove::default()
    };
    let Call { tree, path, .. } = call;
    detached(async move { tree.remove(&path, &how).await }).await?;
    Ok(status(StatusCode::NO_CONTENT))
}
