//! Ids of 40 hex digits: no client recomputes one, all compare them.
//!
//! A file's id changes with its content and nothing else, and equal contents have equal ids where the
//! index knows a digest of them; a folder's with the names in it, and the id of its listing with
//! everything that the listing shows. An empty folder has the id of the empty file.

use cellgate_core::Node;
use sha1::{Digest, Sha1};

/// Of the empty file and the empty folder, in the original and here.
pub const EMPTY: &str = "0000000000000000000000000000000000000000";

/// The id of a file, or of a folder with something in it.
pub fn of(node: &Node) -> String {
    if node.is_collection() {
        return digest(&[b"cellgate-d", node.uuid.as_bytes(), node.etag.as_bytes()]);
    }
    if node.size == 0 {
        return EMPTY.to_owned();
    }
    let size = node.size.to_be_bytes();
    if is_digest(&node.etag) {
        return digest(&[b"cellgate-f", node.etag.as_bytes(), &size]);
    }
    digest(&[b"cellgate-f", node.uuid.as_bytes(), node.etag.as_bytes(), &size])
}

/// Whether an entity tag tells the content: an MD5, or `<hex>-<parts>` of one that came in parts.
/// That of a file found on disk tells its time and size, which two files may share.
fn is_digest(etag: &str) -> bool {
    let (digest, parts) = etag.split_once('-').unwrap_or((etag, "1"));
    let hex = digest.len() == 32 && digest.bytes().all(|byte| byte.is_ascii_hexdigit());
    hex && !parts.is_empty() && parts.bytes().all(|byte| byte.is_ascii_digit())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_digests_tell_a_content() {
        // MD5 of `hello`; a multipart tag; time and size of a file on disk.
        for (etag, is) in [
            ("5d41402abc4b2a76b9719d911017c592", true),
            ("5d41402abc4b2a76b9719d911017c592-12", true),
            ("185cf7d9a8c3b000-5", false),
            ("5d41402abc4b2a76b9719d911017c592-", false),
            ("", false),
        ] {
            assert_eq!(is_digest(etag), is, "{etag}");
        }
    }
}
