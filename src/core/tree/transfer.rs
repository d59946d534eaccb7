//! Copying and renaming.

use crate::error::{Error, Result};
use crate::path::NodePath;
use crate::tree::{Transfer, Tree, Written};

impl Tree {
    /// Renames or moves a node with all below it, in one commit within a datasource.
    pub async fn rename(&self, from: &NodePath, to: &NodePath, how: &Transfer) -> Result<Written> {
        let _ = (from, to, how);
        Err(Error::NotImplemented("rename"))
    }

    /// Copies a node with all below it. The copy appears whole or not at all within `flat`
    /// datasources, and shares their blobs.
    pub async fn copy(&self, from: &NodePath, to: &NodePath, how: &Transfer) -> Result<Written> {
        let _ = (from, to, how);
        Err(Error::NotImplemented("copy"))
    }
}
