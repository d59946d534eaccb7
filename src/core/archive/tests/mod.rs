//! Archives as their readers find them. What is read was written by other code: headers built here
//! by the formats' own rules, and by the `tar` crate.
//!
//! | file | what |
//! |---|---|
//! | `packing` | archives made of the tree |
//! | `reading` | members of archives in the tree |
//! | `samples` | archives that test inputs are made of |

mod packing;
mod reading;
mod samples;

use bytes::Bytes;
use futures_util::TryStreamExt as _;

use crate::archive::{Format, Pack};
use crate::error::Result;
use crate::path::NodePath;
use crate::tree::Tree;

fn path(text: &str) -> NodePath {
    NodePath::parse(text).unwrap()
}

/// The whole archive that a path asks for.
async fn packed(tree: &Tree, at: &str) -> Result<Bytes> {
    let pack = tree.pack_at(&path(at)).await?;
    collected(tree, pack).await
}

async fn collected(tree: &Tree, pack: Pack) -> Result<Bytes> {
    let pieces: Vec<Bytes> = tree.pack(pack).await?.try_collect().await?;
    Ok(pieces.concat().into())
}

fn all(format: Format, paths: &[&str]) -> Pack {
    Pack::of(paths.iter().map(|text| path(text)).collect(), format)
}
