//! `MKCOL` (RFC 4918 §9.3).

use cellgate_core::http::{Body, Response};
use cellgate_core::tree::{Existing, Parents};
use http::StatusCode;

use crate::Call;
use crate::error::Result;
use crate::ops::{detached, refuse_body, status};

pub async fn mkcol(call: Call, body: Body) -> Result<Response> {
    refuse_body(body).await?;
    call.check_conditions().await?;
    let Call { tree, path, tokens, .. } = call;
    detached(
        async move { tree.create_collection(&path, Parents::MustExist, Existing::Refuse, &tokens).await },
    )
    .await?;
    Ok(status(StatusCode::CREATED))
}
