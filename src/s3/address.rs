//! Which node a bucket and a key mean, and back.
//!
//! Two buckets, `io` and `data`, hold the whole tree of the caller: their keys are
//! `<workspace>/<path>`. Besides, every workspace is a bucket of its own, by its slug or another
//! name it answers to: there, a key is the `<path>` alone.
//!
//! A key ends in a slash where it means a folder. Keys that no node can have (empty segments, `.`,
//! `..`, control characters, too long) are refused before anything is looked up; [`NodePath`] alone
//! decides what a name may be.

use cellgate_core::path::NAME_MAX_BYTES;
use cellgate_core::{Error, NodePath, Tree};
use s3s::{S3Error, S3ErrorCode, S3Result};

use crate::error;

/// The buckets of the whole tree: Cells' own name, and one that is long enough for clients that
/// want three letters.
pub(crate) const WHOLE: [&str; 2] = ["io", "data"];
/// Amazon's limit, in bytes of UTF-8.
const KEY_MAX_BYTES: usize = 1_024;

/// A bucket that the caller may know of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Bucket {
    /// As it was asked for.
    name: String,
    /// Where its keys begin: the root of the tree, or a workspace.
    root: NodePath,
}

impl Bucket {
    /// What a caller may not see does not exist for that caller.
    pub(crate) async fn open(tree: &Tree, name: &str) -> S3Result<Self> {
        if WHOLE.contains(&name) {
            return Ok(Self { name: name.to_owned(), root: NodePath::root() });
        }
        match tree.workspace(name).await {
            Ok((workspace, _)) => {
                let root = NodePath::root().join(&workspace.slug).map_err(error::answer)?;
                Ok(Self { name: name.to_owned(), root })
            }
            Err(Error::NotFound(_)) => Err(S3Error::new(S3ErrorCode::NoSuchBucket)),
            Err(error) => Err(error::answer(error)),
        }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn root(&self) -> &NodePath {
        &self.root
    }

    /// Reads a decoded key. One leading slash is dropped, as Cells does.
    pub(crate) fn key(&self, key: &str) -> S3Result<Key> {
        if key.len() > KEY_MAX_BYTES {
            return Err(S3Error::new(S3ErrorCode::KeyTooLongError));
        }
        let key = key.strip_prefix('/').unwrap_or(key);
        let (names, folder) = match key.strip_suffix('/') {
            Some(names) => (names, true),
            None => (key, false),
        };
        // `NodePath` would take `a//b` for `a/b`: two keys for one object.
        if names.split('/').any(str::is_empty) {
            return Err(error::invalid("a key has no empty segments"));
        }
        let path = self.root.descend(names).map_err(|refused| {
            if names.split('/').any(|name| name.len() > NAME_MAX_BYTES) {
                S3Error::new(S3ErrorCode::KeyTooLongError)
            } else {
                error::answer(refused)
            }
        })?;
        Ok(if folder { Key::Folder(path) } else { Key::Leaf(path) })
    }

    /// Reads a key that something is to be written to: it needs a workspace and a name in it.
    pub(crate) fn target(&self, key: &str) -> S3Result<Key> {
        let key = self.key(key)?;
        match &key {
            Key::Leaf(path) if path.depth() < 2 => Err(error::denied(
                "objects are kept in workspaces: begin the key with one, as in `personal-files/a.txt`",
            )),
            Key::Leaf(_) | Key::Folder(_) => Ok(key),
        }
    }

    /// The path of an object that is written part by part: never a folder.
    pub(crate) fn leaf_target(&self, key: &str) -> S3Result<NodePath> {
        match self.target(key)? {
            Key::Leaf(path) => Ok(path),
            Key::Folder(_) => {
                Err(error::invalid("a key that ends in a slash is a folder and takes no content"))
            }
        }
    }

    /// The key of a node in this bucket, without a closing slash; `None` outside of it.
    pub(crate) fn key_of(&self, path: &NodePath) -> Option<String> {
        let names = path.names().strip_prefix(self.root.names())?;
        Some(names.join("/"))
    }

    /// Where a listing with this prefix looks; `None` when no key can begin with it.
    pub(crate) fn place(&self, prefix: &str) -> Option<Place> {
        let (folder, rest) = match prefix.rfind('/') {
            Some(at) => (prefix.get(..at)?, prefix.get(at + 1..)?),
            None => {
                return Some(Place {
                    folder: self.root.clone(),
                    text: String::new(),
                    rest: rest_of(prefix)?,
                });
            }
        };
        if folder.split('/').any(str::is_empty) {
            return None;
        }
        let folder = self.root.descend(folder).ok()?;
        let text = format!("{}/", self.key_of(&folder)?);
        Some(Place { folder, text, rest: rest_of(rest)? })
    }
}

/// What a key names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Key {
    Leaf(NodePath),
    /// The key ended in a slash.
    Folder(NodePath),
}

impl Key {
    pub(crate) fn path(&self) -> &NodePath {
        match self {
            Self::Leaf(path) | Self::Folder(path) => path,
        }
    }
}

/// The folder part of a listing's prefix, and what the names in it must begin with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) folder: NodePath,
    /// The folder as keys begin with it: empty, or ending in a slash.
    pub(crate) text: String,
    pub(crate) rest: String,
}

/// The beginning of a name, as names are kept. `.` and `..` are no names, but may begin one.
fn rest_of(rest: &str) -> Option<String> {
    if rest.is_empty() || rest == "." || rest == ".." {
        return Some(rest.to_owned());
    }
    Some(NodePath::root().join(rest).ok()?.name()?.to_owned())
}

#[cfg(test)]
impl Bucket {
    /// The whole tree, for tests.
    pub(crate) fn io() -> Self {
        Self { name: "io".into(), root: NodePath::root() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaf(path: &str) -> Key {
        Key::Leaf(NodePath::parse(path).unwrap())
    }

    #[test]
    fn keys_name_nodes() {
        for (key, path) in [
            ("ws/a.txt", "/ws/a.txt"),
            ("/ws/a.txt", "/ws/a.txt"),
            ("ws/a b", "/ws/a b"),
            ("ws/a%20b", "/ws/a%20b"),
            ("ws/a+b", "/ws/a+b"),
            ("ws/é/[x]", "/ws/é/[x]"),
            ("ws/e\u{301}", "/ws/é"),
            ("ws", "/ws"),
        ] {
            assert_eq!(Bucket::io().key(key).unwrap(), leaf(path), "{key}");
        }
        let folder = Bucket::io().key("ws/a/").unwrap();
        assert_eq!(folder, Key::Folder(NodePath::parse("/ws/a").unwrap()));
    }

    #[test]
    fn keys_without_a_node_are_refused() {
        for key in
            ["", "/", "//ws", "ws//a", "ws/a//", "ws/./a", "ws/../a", "..", "ws/a\0b", "ws/a\nb", "ws/\u{7f}"]
        {
            let refused = Bucket::io().key(key).unwrap_err();
            assert_eq!(refused.code(), &S3ErrorCode::InvalidArgument, "{key:?}");
        }
        let long_name = format!("ws/{}", "n".repeat(256));
        let long_key = format!("ws/{}", "n/".repeat(600));
        for key in [long_name, long_key] {
            assert_eq!(Bucket::io().key(&key).unwrap_err().code(), &S3ErrorCode::KeyTooLongError);
        }
    }

    #[test]
    fn objects_need_a_workspace() {
        assert_eq!(Bucket::io().target("a.txt").unwrap_err().code(), &S3ErrorCode::AccessDenied);
        assert!(Bucket::io().target("ws/a.txt").is_ok());
        assert_eq!(Bucket::io().leaf_target("ws/a/").unwrap_err().code(), &S3ErrorCode::InvalidArgument);
    }

    #[test]
    fn prefixes_are_strings_not_folders() {
        let place = |prefix: &str| Bucket::io().place(prefix).map(|place| (place.text, place.rest));
        let some = |text: &str, rest: &str| Some((text.to_owned(), rest.to_owned()));
        assert_eq!(place(""), some("", ""));
        assert_eq!(place("ws"), some("", "ws"));
        assert_eq!(place("ws/"), some("ws/", ""));
        assert_eq!(place("ws/Rep"), some("ws/", "Rep"));
        assert_eq!(place("ws/a/.."), some("ws/a/", ".."));
        assert_eq!(place("ws/a/."), some("ws/a/", "."));
        for prefix in ["/", "/ws", "ws//", "ws//a", "ws/../a", "ws/\u{1}", "ws/./"] {
            assert_eq!(place(prefix), None, "{prefix:?}");
        }
    }

    #[test]
    fn keys_of_a_workspace_begin_below_it() {
        let bucket = Bucket { name: "my-files".into(), root: NodePath::parse("personal-files").unwrap() };
        assert_eq!(bucket.key("a/b").unwrap(), leaf("/personal-files/a/b"));
        assert_eq!(bucket.target("a.txt").unwrap(), leaf("/personal-files/a.txt"));
        assert!(bucket.key("../common-files/a").is_err());
        let key_of = |path: &str| bucket.key_of(&NodePath::parse(path).unwrap());
        assert_eq!(key_of("/personal-files/a/b").as_deref(), Some("a/b"));
        assert_eq!(key_of("/common-files/a"), None);
        let place = bucket.place("a/b").unwrap();
        assert_eq!(place.folder.to_string(), "/personal-files/a");
        assert_eq!((place.text.as_str(), place.rest.as_str()), ("a/", "b"));
        let place = bucket.place("").unwrap();
        assert_eq!((place.folder.to_string().as_str(), place.text.as_str()), ("/personal-files", ""));
    }
}
