//! Listings.

use crate::error::{Error, Result};
use crate::listing::{Listing, Page};
use crate::path::NodePath;
use crate::tree::Tree;

impl Tree {
    /// One page of a collection's content. Listing `/` yields the workspaces this principal may
    /// read (administrators' context: the datasources).
    pub async fn list(&self, path: &NodePath, listing: &Listing) -> Result<Page> {
        let _ = (path, listing);
        Err(Error::NotImplemented("list"))
    }
}
