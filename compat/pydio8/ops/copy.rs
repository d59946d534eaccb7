//! `copy`: nodes into a folder, with all below them.

use cellgate_core::NodePath;
use cellgate_core::error::Error;
use cellgate_core::http::Response;
use cellgate_core::listing::{Depth, Listing, PAGE_DEFAULT};
use cellgate_core::node::Node;
use cellgate_core::tree::{Existing, Transfer, Written};

use crate::call::Call;
use crate::error::Fault;
use crate::ops::transfer::{Report, destination, new_name, numbered, over, source_node, target, word};
use crate::place::{inside, name_of};

/// How many names are tried for a copy beside its source.
const NAMES: u32 = 1_000;

pub async fn copy(call: Call) -> Result<Response, Fault> {
    let folder = destination(&call).await?;
    let mut report = Report::default();
    let sources = call.selection()?;
    let name = new_name(&call, &sources);
    for source in sources {
        match copy_one(&call, &source, &folder, name).await {
            Ok((text, written)) => {
                report.done.push(text);
                report.diff.add.push(call.shown(&written.node, &written.path, None));
            }
            Err(fault) => report.refused.push(fault),
        }
    }
    report.respond(&call)
}

async fn copy_one(
    call: &Call,
    source: &NodePath,
    folder: &NodePath,
    name: Option<&str>,
) -> Result<(String, Written), Fault> {
    let node = source_node(call, source).await?;
    let target = target(call, source, folder, name)?;
    let written = if target == *source {
        beside(call, source, folder).await?
    } else {
        let how = over(call, &node, &target, false).await?;
        call.tree.copy(source, &target, &how).await?
    };
    let count = match node.is_collection() {
        true => format!(" ({} files)", leaves(call, &written.path).await?),
        false => String::new(),
    };
    let (name, folder) = (name_of(source), inside(folder));
    let text = format!("The {} {name} has been copied into the directory {folder}{count}", word(&node));
    Ok((text, written))
}

/// A copy next to its source takes the next free name.
async fn beside(call: &Call, source: &NodePath, folder: &NodePath) -> Result<Written, Fault> {
    let how = Transfer { existing: Existing::Refuse, ..Transfer::default() };
    for number in 1..=NAMES {
        let name = numbered(name_of(source), number);
        let target = call.place.path(&format!("{}/{name}", inside(folder)))?;
        match call.tree.copy(source, &target, &how).await {
            Err(Error::AlreadyExists(_)) => {}
            outcome => return Ok(outcome?),
        }
    }
    Err(Error::AlreadyExists(source.to_string()).into())
}

/// The files below a folder, for the message.
async fn leaves(call: &Call, path: &NodePath) -> Result<usize, Error> {
    let (mut count, mut after) = (0, None);
    loop {
        let listing = Listing { depth: Depth::Infinity, after, limit: PAGE_DEFAULT, ..Listing::default() };
        let page = call.tree.list(path, &listing).await?;
        count += page.entries.iter().map(|entry| &entry.node).filter(|node| Node::is_leaf(node)).count();
        after = page.next;
        if after.is_none() {
            return Ok(count);
        }
    }
}
