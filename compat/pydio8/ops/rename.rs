//! `rename`: a new name (`filename_new`), or a new path (`dest`), which may be in another folder.

use cellgate_core::error::Error;
use cellgate_core::http::Response;
use cellgate_core::tree::{Existing, Transfer};
use http::StatusCode;

use crate::call::Call;
use crate::error::Fault;
use crate::place::{Place, folder_of, inside, name_of};
use crate::render::envelope::Envelope;

pub async fn rename(call: Call) -> Result<Response, Fault> {
    let source = call.single()?;
    let target = match (call.params.filled("dest"), call.params.filled("filename_new")) {
        (Some(path), _) => call.place.target(path)?,
        (None, Some(name)) => call.place.child(&folder_of(&source), name)?,
        (None, None) => return Err(Fault::text("Missing parameter 'filename_new'")),
    };
    if Place::is_root(&target) {
        return Err(Fault::text("Missing parameter 'filename_new'"));
    }
    let how = Transfer { existing: Existing::Refuse, ..Transfer::default() };
    let written = call.tree.rename(&source, &target, &how).await.map_err(|error| match error {
        Error::AlreadyExists(_) => {
            Fault::text(format!("{} already exists  (names are case insensitive)", inside(&target)))
        }
        Error::NotFound(_) => Fault::text("Cannot find file!"),
        error => error.into(),
    })?;
    let original = inside(&source);
    let text = format!("{} has been renamed to {}", name_of(&source), name_of(&written.path));
    let mut envelope = Envelope::success(text);
    envelope.diff.update.push(call.shown(&written.node, &written.path, Some(&original)));
    Ok(envelope.respond(StatusCode::OK, call.format))
}
