//! Ids of 40 hex digits: no client recomputes one, all compare them.
//!
//! A file's id changes with its content and nothing else; a folder's with the names in it, and the id
//! of its listing with everything that the listing shows.

use cellgate_core::Node;
use sha1::{Digest, Sha1};

/// Of the empty file, in the original and here.
const EMPTY: &str = "0000000000000000000000000000000000000000";

/// The id of a file or folder.
pub fn of(node: &Node) -> String {
    if node.is_collection() {
        return digest(&[b"cellgate-d", node.uuid.as_bytes(), node.etag.as_bytes()]);
    }
    if node.size == 0 {
        return EMPTY.to_owned();
    }
    let size = node.size.to_be_bytes();
    digest(&[b"cellgate-f", node.uuid.as_bytes(), node.etag.as_bytes(), &size])
}

/// The id of a library's latest state, as far as its root shows it.
pub fn commit(root: &Node) -> String {
    let mtime = root.mtime_ns.to_be_bytes();
    digest(&[b"cellgate-c", root.uuid.as_bytes(), root.etag.as_bytes(), &mtime])
}

/// The id of a folder with these children, in this order.
pub fn listing<'a>(folder: &Node, children: impl Iterator<Item = &'a Node>) -> String {
    let mut state = of(folder);
    for child in children {
        state.push_str(&of(child));
        state.push_str(&child.mtime_ns.to_string());
        state.push('/');
        state.push_str(&child.name);
        state.push('/');
    }
    digest(&[b"cellgate-l", state.as_bytes()])
}

/// An id that no other state has.
pub fn unique() -> String {
    digest(&[b"cellgate-u", uuid::Uuid::new_v4().as_bytes()])
}

/// Parts are told apart by their lengths.
fn digest(parts: &[&[u8]]) -> String {
    let mut hash = Sha1::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hex::encode(hash.finalize())
}
