//! Removing and restoring.

use crate::error::{Error, Result};
use crate::path::NodePath;
use crate::tree::{Remove, Removed, Tree, Written};

impl Tree {
    /// Removes a node and everything below it. A missing node is [`Error::NotFound`]; S3 makes
    /// that its 204.
    pub async fn remove(&self, path: &NodePath, how: &Remove) -> Result<Removed> {
        let _ = (path, how);
        Err(Error::NotImplemented("remove"))
    }

    /// Moves a node in the recycle bin back to where it was removed from, making parents as needed.
    pub async fn restore(&self, path: &NodePath) -> Result<Written> {
        let _ = path;
        Err(Error::NotImplemented("restore"))
    }
}
