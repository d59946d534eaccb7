//! `mkfile`: a file from nothing, or from a short text.

use bytes::Bytes;
use cellgate_core::error::Error;
use cellgate_core::http::Response;
use cellgate_core::tree::{Existing, Write};
use futures_util::stream;
use http::StatusCode;

use crate::call::Call;
use crate::error::Fault;
use crate::place::{folder_of, name_of};
use crate::render::envelope::Envelope;

pub async fn mkfile(call: Call) -> Result<Response, Fault> {
    let params = &call.params;
    let path = match params.filled("filename") {
        Some(name) => call.place.child(params.filled("dir").unwrap_or("/"), name)?,
        None => {
            let path = params.filled("node").or_else(|| params.filled("file"));
            call.place.target(path.ok_or_else(|| Fault::text("Missing parameter 'node'"))?)?
        }
    };
    let content = Bytes::from(params.get("content").unwrap_or_default().to_owned());
    let existing = if params.is_true("force") { Existing::Replace } else { Existing::Refuse };
    let how = Write { existing, size: Some(content.len() as u64), ..Write::default() };
    let body = Box::pin(stream::once(async move { Ok(content) }));
    let written = call.tree.write(&path, body, how).await.map_err(|error| match error {
        Error::AlreadyExists(_) | Error::IsACollection(_) => {
            Fault::text("This file already exists (names are case insensitive)")
        }
        Error::ParentMissing(_) | Error::NotFound(_) => {
            Fault::text(format!("Cannot find folder  {}", folder_of(&path)))
        }
        error => error.into(),
    })?;
    let text = format!("The file {} has been created in {}", name_of(&path), folder_of(&path));
    let mut envelope = Envelope::success(text);
    envelope.diff.add.push(call.shown(&written.node, &written.path, None));
    Ok(envelope.respond(StatusCode::OK, call.format))
}
