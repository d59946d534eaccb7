//! `move`, and what it shares with `copy`.
//!
//! An existing file is replaced by a file, and for `move` a folder by a folder, as the original
//! does. A file never takes a folder's place nor a folder a file's, and a copied folder is not laid
//! over another: the original merges them, which the tree cannot do in one step, so it is refused.

use cellgate_core::NodePath;
use cellgate_core::error::Error;
use cellgate_core::http::Response;
use cellgate_core::http::conditional::{Conditions, ETags};
use cellgate_core::node::Node;
use cellgate_core::tree::{Existing, Transfer, Written};
use http::StatusCode;

use crate::call::Call;
use crate::error::Fault;
use crate::place::{inside, name_of};
use crate::render::envelope::{Diff, Envelope};

pub async fn relocate(call: Call) -> Result<Response, Fault> {
    let folder = destination(&call).await?;
    let mut report = Report::default();
    let sources = call.selection()?;
    let name = new_name(&call, &sources);
    for source in sources {
        match move_one(&call, &source, &folder, name).await {
            Ok((text, written)) => {
                let original = inside(&source);
                report.done.push(text);
                report.diff.update.push(call.shown(&written.node, &written.path, Some(&original)));
            }
            Err(fault) => report.refused.push(fault),
        }
    }
    report.respond(&call)
}

async fn move_one(
    call: &Call,
    source: &NodePath,
    folder: &NodePath,
    name: Option<&str>,
) -> Result<(String, Written), Fault> {
    let node = source_node(call, source).await?;
    let target = target(call, source, folder, name)?;
    if target == *source {
        return Err(Fault::text("The origin and destination folders are the same!"));
    }
    let how = over(call, &node, &target, true).await?;
    let written = call.tree.rename(source, &target, &how).await?;
    let text = format!(
        "The {} {} has been moved into the directory {}",
        word(&node),
        name_of(source),
        inside(folder)
    );
    Ok((text, written))
}

/// The folder in `dest`.
pub async fn destination(call: &Call) -> Result<NodePath, Fault> {
    let dest = call.params.filled("dest").ok_or_else(|| Fault::text("Missing parameter 'dest'"))?;
    let folder = call.place.path(dest)?;
    match call.tree.stat(&folder).await {
        Ok(node) if node.is_collection() => Ok(folder),
        Ok(_) | Err(Error::NotFound(_) | Error::NotACollection(_) | Error::ParentMissing(_)) => {
            Err(Fault::text(format!("Cannot find folder  {}", inside(&folder))))
        }
        Err(error) => Err(error.into()),
    }
}

pub async fn source_node(call: &Call, source: &NodePath) -> Result<Node, Fault> {
    let missing = || Fault::text(format!("Cannot find file {}", inside(source)));
    call.tree.stat(source).await.map_err(|error| match error {
        Error::NotFound(_) | Error::NotACollection(_) | Error::ParentMissing(_) => missing(),
        error => error.into(),
    })
}

/// `targetBaseName`, which is for a single node.
pub fn new_name<'a>(call: &'a Call, sources: &[NodePath]) -> Option<&'a str> {
    call.params.filled("targetBaseName").filter(|_| sources.len() == 1)
}

/// Where a node goes: into the folder, under its own name or a new one.
pub fn target(
    call: &Call,
    source: &NodePath,
    folder: &NodePath,
    name: Option<&str>,
) -> Result<NodePath, Fault> {
    match name {
        Some(name) => call.place.child(&inside(folder), name),
        // A name that is there already is kept, also when this protocol would not give it.
        None => call.place.path(&format!("{}/{}", inside(folder), name_of(source))),
    }
}

/// Which target may be replaced: none, or the one that stands there now and no other.
pub async fn over(call: &Call, node: &Node, target: &NodePath, folders_too: bool) -> Result<Transfer, Fault> {
    let standing = match call.tree.stat(target).await {
        Ok(standing) => standing,
        Err(Error::NotFound(_)) => return Ok(Transfer { existing: Existing::Refuse, ..Transfer::default() }),
        Err(error) => return Err(error.into()),
    };
    if standing.kind != node.kind || (node.is_collection() && !folders_too) {
        return Err(Fault::text(format!("{} already exists  (names are case insensitive)", inside(target))));
    }
    let conditions = Conditions { if_match: Some(ETags::List(vec![standing.etag])), ..Conditions::default() };
    Ok(Transfer { target: conditions, ..Transfer::default() })
}

pub fn word(node: &Node) -> &'static str {
    if node.is_collection() { "folder" } else { "file" }
}

/// `name-1.ext`: the form in which this protocol evades a name that is taken.
pub fn numbered(name: &str, number: u32) -> String {
    match name.rsplit_once('.').filter(|(stem, _)| !stem.is_empty()) {
        Some((stem, extension)) => format!("{stem}-{number}.{extension}"),
        None => format!("{name}-{number}"),
    }
}

/// What became of several nodes.
#[derive(Default)]
pub struct Report {
    pub done: Vec<String>,
    pub refused: Vec<Fault>,
    pub diff: Diff,
}

impl Report {
    /// One message for all. A single failure keeps its own answer; beside others that succeeded it
    /// makes the message an error, and the diff tells what happened nevertheless.
    pub fn respond(mut self, call: &Call) -> Result<Response, Fault> {
        if self.done.is_empty()
            && self.refused.len() == 1
            && let Some(fault) = self.refused.pop()
        {
            return Err(fault);
        }
        self.refused.iter().for_each(Fault::log);
        let texts: Vec<String> =
            self.done.into_iter().chain(self.refused.iter().map(Fault::message)).collect();
        let text = texts.join("\n");
        let envelope = if self.refused.is_empty() { Envelope::success(text) } else { Envelope::error(text) };
        let envelope = Envelope { diff: self.diff, now_s: call.now_s, ..envelope };
        Ok(envelope.respond(StatusCode::OK, call.format))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_go_before_the_extension() {
        let cases = [("a.txt", "a-1.txt"), ("a", "a-1"), ("a.tar.gz", "a.tar-1.gz"), (".x", ".x-1")];
        for (name, expected) in cases {
            assert_eq!(numbered(name, 1), expected);
        }
    }
}
