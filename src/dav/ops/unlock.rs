//! `UNLOCK` (RFC 4918 §9.11).

use cellgate_core::http::{Body, Response};
use http::StatusCode;

use crate::Call;
use crate::error::Result;
use crate::headers::lock_token;
use crate::ops::{detached, refuse_body, status};

pub async fn unlock(call: Call, body: Body) -> Result<Response> {
    refuse_body(body).await?;
    let token = lock_token(&call.parts.headers)?;
    let Call { tree, path, .. } = call;
    detached(async move { tree.unlock(&path, &token).await }).await?;
    Ok(status(StatusCode::NO_CONTENT))
}
