//! `MemoryBackends`: opens datasources in memory.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;

use super::MemoryDatasource;
use crate::error::Result;
use crate::ports::{Backends, Datasource, DatasourceConfig};

/// Opening the same name again answers the same bytes, as after a restart. Cheap to clone.
#[derive(Clone, Default)]
pub struct MemoryBackends {
    opened: Arc<Mutex<HashMap<String, MemoryDatasource>>>,
}

impl MemoryBackends {
    pub fn new() -> Self {
        Self::default()
    }

    /// The datasource behind a configuration that was opened, to look behind the core's back.
    pub fn datasource(&self, name: &str) -> MemoryDatasource {
        self.opened.lock().unwrap().get(name).expect("a datasource that was opened").clone()
    }

    /// New back ends with copies of all bytes.
    pub fn fork(&self) -> Self {
        let opened = self.opened.lock().unwrap();
        let copies = opened.iter().map(|(name, datasource)| (name.clone(), datasource.fork()));
        Self { opened: Arc::new(Mutex::new(copies.collect())) }
    }
}

#[async_trait]
impl Backends for MemoryBackends {
    async fn open(&self, config: &DatasourceConfig) -> Result<Arc<dyn Datasource>> {
        let mut opened = self.opened.lock().unwrap();
        let datasource = opened
            .entry(config.name.clone())
            .or_insert_with(|| MemoryDatasource::new(config.form, config.inline_limit_bytes));
        Ok(Arc::new(datasource.clone()))
    }
}
