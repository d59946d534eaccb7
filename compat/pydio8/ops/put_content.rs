//! `put_content`: a new content for a file that exists.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use cellgate_core::error::Error;
use cellgate_core::http::Response;
use cellgate_core::http::conditional::{Conditions, ETags};
use cellgate_core::tree::Write;
use futures_util::stream;
use http::StatusCode;

use crate::call::Call;
use crate::error::Fault;
use crate::place::inside;
use crate::render::envelope::Envelope;

pub async fn put_content(call: Call) -> Result<Response, Fault> {
    let path = call.single()?;
    let content = content(&call)?;
    // Checked with the commit, so that a file deleted meanwhile does not come back.
    let conditions = Conditions { if_match: Some(ETags::Any), ..Conditions::default() };
    let how = Write { conditions, size: Some(content.len() as u64), ..Write::default() };
    let body = Box::pin(stream::once(async move { Ok(content) }));
    let shown = inside(&path);
    let written = call.tree.write(&path, body, how).await.map_err(|error| match error {
        Error::PreconditionFailed(_) | Error::NotFound(_) | Error::ParentMissing(_) => {
            Fault::text(format!("Cannot find file {shown}"))
        }
        error => error.into(),
    })?;
    let mut envelope = Envelope::success("The file has been saved successfully");
    envelope.diff.update.push(call.shown(&written.node, &written.path, Some(&shown)));
    Ok(envelope.respond(StatusCode::OK, call.format))
}

fn content(call: &Call) -> Result<Bytes, Fault> {
    let content = call.params.get("content").ok_or_else(|| Fault::text("Missing parameter 'content'"))?;
    if call.params.get("encode") == Some("base64") {
        let bytes = STANDARD.decode(content).map_err(|_| Fault::text("The content is not valid base64"))?;
        return Ok(bytes.into());
    }
    // The web editor sends every `<` as an entity, so that filters on the way let it through.
    Ok(content.replace("&lt;", "<").into())
}
