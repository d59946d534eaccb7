//! What keeps things: the index on SQLite or PostgreSQL, the blobs on the file system.
//!
//! Implements [`cellgate_core::ports`]; knows no protocol and no rule about who may do what.

mod blobs;
mod index;
#[cfg(any(test, feature = "testing"))]
pub mod testing;

pub use blobs::FsBackends;
pub use index::{Location, Store};
