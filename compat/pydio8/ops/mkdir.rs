//! `mkdir`: one folder or many.

use cellgate_core::NodePath;
use cellgate_core::error::Error;
use cellgate_core::http::Response;
use cellgate_core::tree::{Existing, Parents, Written};
use http::StatusCode;

use crate::call::Call;
use crate::error::Fault;
use crate::place::{Place, folder_of, name_of};
use crate::render::envelope::Envelope;

pub async fn mkdir(call: Call) -> Result<Response, Fault> {
    let (mut made, mut refused) = (Vec::new(), Vec::new());
    let mut envelope = Envelope::default();
    for path in paths(&call)? {
        match make(&call, &path).await {
            Ok(written) => {
                let (name, folder) = (name_of(&path), folder_of(&path));
                made.push(format!("The directory {name} has been created in {folder}"));
                envelope.diff.add.push(call.shown(&written.node, &written.path, None));
            }
            // Asked for one, its failure keeps its own status.
            Err(fault) => refused.push(fault),
        }
    }
    if made.is_empty()
        && refused.len() == 1
        && let Some(fault) = refused.pop()
    {
        return Err(fault);
    }
    let texts: Vec<String> = made.iter().cloned().chain(refused.iter().map(Fault::message)).collect();
    let text = texts.join("<br>");
    envelope.message = if made.is_empty() { Envelope::error(text) } else { Envelope::success(text) }.message;
    Ok(envelope.respond(StatusCode::OK, call.format))
}

/// `nodes[]`; else `dirname` in `dir`; else `file`.
fn paths(call: &Call) -> Result<Vec<NodePath>, Fault> {
    let many: Vec<&str> = call.params.list("nodes").collect();
    let paths = if !many.is_empty() {
        many.into_iter().map(|path| call.place.target(path)).collect::<Result<Vec<_>, _>>()?
    } else if let Some(name) = call.params.filled("dirname") {
        vec![call.place.child(call.params.filled("dir").unwrap_or("/"), name)?]
    } else {
        let selection = call.params.selection();
        selection.iter().map(|path| call.place.target(path)).collect::<Result<Vec<_>, _>>()?
    };
    if paths.is_empty() {
        return Err(Fault::text("Missing parameter 'file'"));
    }
    Ok(paths)
}

async fn make(call: &Call, path: &NodePath) -> Result<Written, Fault> {
    let ignore = call.params.is_true("ignore_exists");
    let recursive = call.params.is_true("recursive");
    let parents = if recursive { Parents::Create } else { Parents::MustExist };
    let exists = || Fault::text("This directory already exists (names are case insensitive)");
    if Place::is_root(path) && !ignore {
        return Err(exists());
    }
    match call.tree.create_collection(path, parents, Existing::Refuse, &[]).await {
        Ok(written) => Ok(written),
        // Clients that ignore what exists still want to be told of it as created.
        Err(Error::AlreadyExists(_)) if ignore => {
            let node = call.tree.stat(path).await?;
            if node.is_leaf() {
                return Err(exists());
            }
            Ok(Written { node, path: path.clone(), created: false })
        }
        Err(Error::AlreadyExists(_)) => Err(exists()),
        Err(Error::ParentMissing(_) | Error::NotFound(_)) => {
            Err(Fault::text(format!("Cannot find folder  {}", folder_of(path))))
        }
        Err(error) => Err(error.into()),
    }
}
