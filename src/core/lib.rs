//! The core of cellgate: the node tree and its rules. No protocol, no SQL, no disk.
//!
//! Doors translate a protocol into calls on [`Tree`]; the store implements [`ports`]. Words that mean
//! one thing everywhere:
//!
//! * **node**: a file (*leaf*) or a folder (*collection*); keeps its id and uuid through renames.
//! * **workspace**: first segment of a user's path, an entry into a datasource.
//! * **datasource**: a place where bytes are kept; first segment of an administrator's path.
//! * **principal**: a verified caller with rights; **door**: the protocol it came through.
//!
//! ```text
//! core.open(&credentials, door)  ->  Tree { stat, list, read, write, copy, rename, remove, lock, … }
//! core.identity()                users, groups, roles, rights, keys, tokens, sessions, workspaces
//! core.changes()                 the change feed
//! ```

pub mod archive;
pub mod change;
pub mod content;
mod core;
mod digest;
pub mod error;
pub mod feed;
pub mod http;
pub mod identity;
mod janitor;
pub mod listing;
pub mod lock;
pub mod node;
pub mod parts;
pub mod path;
pub mod ports;
pub mod principal;
pub mod resync;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod tree;
pub mod upload;
pub mod workspace;

pub use crate::core::{Core, Makers, Settings};
pub use error::{Error, Result, Unauthenticated};
pub use identity::{Credentials, Identity};
pub use node::{Node, NodeId, NodeKind};
pub use path::NodePath;
pub use principal::{Door, Principal, Rights};
pub use tree::Tree;
pub use workspace::Workspace;
