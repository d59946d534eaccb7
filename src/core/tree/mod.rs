//! `Tree`: the node tree as one principal may use it, through one door.
//!
//! The only way to a node. Every operation checks the credential's scope, the rights, the locks and
//! the preconditions itself, so a door cannot forget to; what changes something checks them again
//! inside the commit.
//!
//! | file | operations |
//! |---|---|
//! | `access` | paths to nodes, rights, locks: what every operation begins with |
//! | `read` | `stat`, `read`, metadata |
//! | `list` | `list` |
//! | `list_versions` | `list_versions` |
//! | `folder_id` | the hidden `.pydio` of folders |
//! | `draft` | content that is taken in before its path is known |
//! | `write` | `write`, `create_collection`, `set_attributes`, `set_meta` |
//! | `rename` | `rename` |
//! | `copy`, `copy_collection` | `copy` |
//! | `transfer` | what both ask of a place |
//! | `remove` | `remove`, `restore` |
//! | `locks` | `lock`, `refresh_lock`, `unlock` |
//! | `uploads` | uploads in parts |
//! | `versions` | earlier contents of leaves |
//! | `history` | what a commit does to them |
//! | `shadows` | collections that hold delete markers only |
//! | `workspaces` | making and removing workspaces |

mod access;
mod content;
mod copy;
mod copy_collection;
mod draft;
mod folder_id;
mod folders;
mod history;
mod list;
mod list_versions;
mod locks;
mod mime;
mod part_copy;
mod read;
mod remove;
mod rename;
mod shadows;
mod transfer;
pub mod uploads;
mod versions;
mod workspaces;
mod write;

#[cfg(test)]
mod tests;

use crate::content::{Algorithm, Checksum, LateChecksums};
use crate::core::Core;
use crate::http::conditional::Conditions;
use crate::http::range::{ByteRange, RangeSpec};
use crate::node::{Attributes, Node, NodeKind};
use crate::ports::Bits;
use crate::principal::{Door, SharedPrincipal};

pub use draft::Draft;
pub use folder_id::FOLDER_ID;
pub use mime::given_mime;
pub use versions::VersionRef;

pub(crate) use access::{admin_path, fresh_etag, new_collection};
pub(crate) use content::{StagedGuard, into_stream};
pub(crate) use mime::mime_of;
pub(crate) use transfer::release_node;

/// Attribute with the tags of a leaf, written as a query (`a=1&b=2`). Unlike other attributes, a copy
/// that replaces the rest keeps them.
pub const TAGS: &str = "tags";

/// Whose first segment is it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Context {
    /// `/<workspace>/…`
    User,
    /// `/<datasource>/…`, administrators only.
    Admin,
}

/// See the module documentation. Cheap to clone.
#[derive(Clone)]
pub struct Tree {
    pub(crate) core: Core,
    pub(crate) principal: SharedPrincipal,
    pub(crate) door: Door,
    pub(crate) context: Context,
}

/// What happens to missing parents of a new node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Parents {
    #[default]
    MustExist,
    Create,
}

/// What happens when the target exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Existing {
    #[default]
    Replace,
    /// [`crate::Error::AlreadyExists`].
    Refuse,
    /// Take the next free name: `a (1).txt`.
    Rename,
}

/// How to write a leaf.
#[derive(Default)]
pub struct Write {
    pub conditions: Conditions,
    pub parents: Parents,
    pub existing: Existing,
    /// The length the client announced; a body of another length is refused.
    pub size: Option<u64>,
    /// Digests the body must have.
    pub checksums: Vec<Checksum>,
    /// Digests to compute and keep as attributes (`checksum:<algorithm>`), beside those promised.
    pub compute: Vec<Algorithm>,
    /// Promises that arrive behind the body; their algorithms must be in `compute`.
    pub late: Option<LateChecksums>,
    /// Modification time to keep; `None` takes the present.
    pub mtime_ns: Option<i64>,
    /// `None` guesses from the name.
    pub mime: Option<String>,
    pub attributes: Attributes,
    /// Lock tokens the client presented.
    pub tokens: Vec<String>,
}

/// How to copy or rename.
#[derive(Debug, Clone, Default)]
pub struct Transfer {
    /// Conditions on the source.
    pub source: Conditions,
    /// Conditions on the target.
    pub target: Conditions,
    pub parents: Parents,
    pub existing: Existing,
    /// Copy of a leaf: the version to copy; `None` the present one.
    pub version: Option<VersionRef>,
    /// Copy a collection without its content.
    pub shallow: bool,
    /// Copy of a leaf: attributes and media type to take instead of the source's.
    pub replace: Option<(Attributes, Option<String>)>,
    /// Copy of a leaf: tags to take instead of the source's, see [`TAGS`]; empty for none.
    pub tags: Option<String>,
    /// Copy of a leaf: digests that the copy is to have, and no others; the content is read for
    /// those that its source lacks. Empty keeps what the source has.
    pub compute: Vec<Algorithm>,
    /// Neither copy a collection nor replace one by a leaf: [`crate::Error::IsACollection`].
    pub leaf_only: bool,
    pub tokens: Vec<String>,
}

/// How to remove.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Removal {
    /// Into the recycle bin where the workspace has one; for good inside the bin.
    #[default]
    Recycle,
    /// For good; but where versions are kept, a leaf leaves a delete marker, and they stay. One that
    /// is not there gets a marker too, when a leaf is asked for and nothing of it.
    Marked,
    /// With all versions.
    Permanent,
}

#[derive(Debug, Clone, Default)]
pub struct Remove {
    pub removal: Removal,
    pub conditions: Conditions,
    /// Refuse a collection that has content.
    pub only_empty: bool,
    /// Take a node of another kind for a missing one.
    pub kind: Option<NodeKind>,
    /// Conditions on the size and, in whole seconds, the modification time.
    pub size: Option<u64>,
    pub mtime_s: Option<i64>,
    pub tokens: Vec<String>,
}

/// What a removal did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removed {
    pub node: Node,
    /// The delete marker it left.
    pub marker: Option<crate::listing::FileVersion>,
    /// Where the node is now, if it went into a recycle bin.
    pub recycled_to: Option<crate::path::NodePath>,
}

/// The outcome of a mutation that leaves a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    pub node: Node,
    /// Where it is: differs from what was asked for after [`Existing::Rename`].
    pub path: crate::path::NodePath,
    /// Whether there was no node before.
    pub created: bool,
}

/// A leaf on its way out.
pub struct Read {
    pub node: Node,
    /// What was asked for; `None` is the whole leaf.
    pub range: Option<ByteRange>,
    pub bits: Bits,
}

/// How to read a leaf.
#[derive(Debug, Clone, Default)]
pub struct ReadOptions {
    pub range: Option<RangeSpec>,
    pub conditions: Conditions,
    /// `None` is the present content.
    pub version: Option<VersionRef>,
}

impl Tree {
    pub fn principal(&self) -> &SharedPrincipal {
        &self.principal
    }

    pub fn door(&self) -> Door {
        self.door
    }

    pub fn core(&self) -> &Core {
        &self.core
    }
}
