//! `get_content`: a file's bytes as text for an editor; sound and film with their own type.

use cellgate_core::error::Error;
use cellgate_core::http::Response;

use crate::call::Call;
use crate::error::Fault;
use crate::ops::download::{self, Presentation};

pub async fn get_content(call: Call) -> Result<Response, Fault> {
    let path = call.single()?;
    let node = call.tree.stat(&path).await.map_err(|error| match error {
        Error::NotFound(_) => Fault::text("Cannot find file!"),
        error => error.into(),
    })?;
    let media = ["audio/", "video/"].iter().any(|kind| node.mime.starts_with(kind));
    let presentation = if media { Presentation::Media } else { Presentation::Text };
    download::send(&call, &path, presentation).await
}
