//! Bytes on the local file system, by thin code of our own on `std::fs` and `rustix`.
//!
//! Two forms share the blob half ([`area::Area`]): staging, reading by id, durability.
//!
//! ```text
//! flat        <path>/staging/<id>   <path>/blobs/<2 hex>/<id>
//! structured  <path>                the users' folder: nothing of ours is ever written into it
//!             <data>/staging/<datasource>/{staging,blobs,bin}
//!             or, when that is another file system (a rename must be atomic), beside the folder:
//!             .<folder name>.cellgate-staging/{staging,blobs,bin}
//! ```
//!
//! Linux only: symbolic links are kept out with `openat2`, renames use `renameat2`.
//!
//! Known gaps: nothing watches an adopted folder yet; a changed file is noticed when it is read,
//! looked at or rescanned.

mod area;
mod beneath;
mod buffers;
mod copy;
mod durable;
mod fault;
mod flat;
mod offload;
mod place;
mod reader;
mod scan;
mod staging;
mod structured;
#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use cellgate_core::error::Result;
use cellgate_core::ports::{Backends, Datasource, DatasourceConfig, Form};

/// Opens datasources on the local file system.
#[derive(Debug, Clone)]
pub struct FsBackends {
    data: PathBuf,
}

impl FsBackends {
    /// `data` is the gateway's own folder; relative datasource paths are below it.
    pub fn new(data: impl Into<PathBuf>) -> Self {
        Self { data: data.into() }
    }
}

#[async_trait]
impl Backends for FsBackends {
    /// Creates what is missing, checks that files can be made in staging, and nothing else: the
    /// sweep of staging is the core's, which alone knows what is committed.
    async fn open(&self, config: &DatasourceConfig) -> Result<Arc<dyn Datasource>> {
        let (data, config) = (self.data.clone(), config.clone());
        offload::aside(move || -> Result<Arc<dyn Datasource>> {
            Ok(match config.form {
                Form::Flat => Arc::new(flat::Flat::open(&data, &config)?),
                Form::Structured => Arc::new(structured::Structured::open(&data, &config)?),
            })
        })
        .await?
    }
}
