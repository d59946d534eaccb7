//! The rules of the tree, each with a test that fails when it is broken.
//!
//! | file | rules |
//! |---|---|
//! | `rights` | one authorization point, scopes |
//! | `writing` | conditions, parents, digests, nothing left behind |
//! | `listing` | order, cursors, prefixes |
//! | `workspaces` | making and removing workspaces |
//! | `moving` | rename, copy, recycle bin |
//! | `locking` | locks stop every mutation, and only theirs |
//! | `uploading` | uploads in parts |
//! | `feed` | one change per mutation, each seen once |
//! | `folders` | collections that come and go with keys |
//! | `folder_ids` | the hidden `.pydio` of folders |
//! | `versions` | earlier contents, delete markers |
//! | `markers` | delete markers of what is not there |
//! | `adoption` | structured datasources and outside changes |

mod adoption;
mod feed;
mod folder_ids;
mod folders;
mod listing;
mod locking;
mod markers;
mod moving;
mod rights;
mod uploading;
mod versions;
mod workspaces;
mod writing;

use crate::error::{Error, Result};
use crate::http::conditional::{Conditions, ETags};
use crate::listing::{Depth, Listing};
use crate::path::NodePath;
use crate::testing::{body, whole};
use crate::tree::{Parents, ReadOptions, Tree, Write, Written};

fn path(text: &str) -> NodePath {
    NodePath::parse(text).unwrap()
}

async fn put(tree: &Tree, at: &str, content: &str) -> Result<Written> {
    let how = Write { parents: Parents::Create, ..Write::default() };
    tree.write(&path(at), body(content.to_owned()), how).await
}

async fn get(tree: &Tree, at: &str) -> Result<String> {
    let read = tree.read(&path(at), &ReadOptions::default()).await?;
    Ok(String::from_utf8(whole(read.bits).await?.to_vec()).unwrap())
}

async fn keys(tree: &Tree, at: &str, depth: Depth) -> Vec<String> {
    let page = tree.list(&path(at), &Listing { depth, ..Listing::default() }).await.unwrap();
    page.entries.into_iter().map(|entry| entry.key).collect()
}

fn if_match(etag: &str) -> Conditions {
    Conditions { if_match: Some(ETags::List(vec![etag.to_owned()])), ..Conditions::default() }
}

fn is_absent<T>(result: Result<T>) -> bool {
    matches!(result, Err(Error::NotFound(_)))
}

/// Waits until a condition holds that background work brings about.
async fn eventually(mut holds: impl AsyncFnMut() -> bool) {
    for _ in 0..200 {
        if holds().await {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    panic!("it did not come about");
}
