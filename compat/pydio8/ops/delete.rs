//! `delete`: into the recycle bin where the workspace has one; for good inside the bin, and with
//! `force_deletion`, which acts by being there.

use cellgate_core::NodePath;
use cellgate_core::error::Error;
use cellgate_core::http::Response;
use cellgate_core::tree::{Removal, Remove, Removed};

use crate::call::Call;
use crate::error::Fault;
use crate::ops::transfer::{Report, word};
use crate::place::{inside, name_of};

pub async fn delete(call: Call) -> Result<Response, Fault> {
    let mut report = Report::default();
    for path in call.selection()? {
        match remove(&call, &path).await {
            Ok(removed) => match &removed.recycled_to {
                Some(bin) => {
                    let (kind, name) = (word(&removed.node), name_of(&path));
                    // Two blanks, as the original's sentence has them.
                    report.done.push(format!("The {kind} {name} has been moved to the  Recycle Bin"));
                    report.diff.update.push(call.shown(&removed.node, bin, Some(&inside(&path))));
                }
                None => {
                    let kind = if removed.node.is_collection() { "directory" } else { "file" };
                    report.done.push(format!("The {kind} {} has been deleted.", inside(&path)));
                    report.diff.remove.push(inside(&path));
                }
            },
            // Without a bin the original calls it a success that there is nothing; its clients
            // accept both.
            Err(Fault::Core(Error::NotFound(_) | Error::NotACollection(_) | Error::ParentMissing(_))) => {
                let text = format!("Cannot find file {}", inside(&path));
                if call.place.workspace.recycle {
                    report.refused.push(Fault::Text(text));
                } else {
                    report.done.push(text);
                }
            }
            Err(fault) => report.refused.push(fault),
        }
    }
    report.respond(&call)
}

async fn remove(call: &Call, path: &NodePath) -> Result<Removed, Fault> {
    if call.place.bin().as_ref() == Some(path) {
        return Err(Fault::text("The recycle bin cannot be deleted"));
    }
    let removal = if call.params.has("force_deletion") { Removal::Permanent } else { Removal::Recycle };
    Ok(call.tree.remove(path, &Remove { removal, ..Remove::default() }).await?)
}
