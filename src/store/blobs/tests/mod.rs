//! The suite for every datasource, and what only a real file system shows.

mod adopted;
mod blobs;
mod opening;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use cellgate_core::error::Result;
use cellgate_core::ports::{Backends, Bits, Datasource, DatasourceConfig, Form, Source, Staged};
use futures_util::TryStreamExt;
use tempfile::TempDir;

use super::FsBackends;

/// A data folder with one datasource, `archive`.
struct Fixture {
    temp: TempDir,
    store: Arc<dyn Datasource>,
}

impl Fixture {
    async fn new(form: Form) -> Self {
        let temp = tempfile::tempdir().unwrap();
        let store = open(&temp.path().join("data"), form, "archive").await.unwrap();
        Self { temp, store }
    }

    fn data(&self) -> PathBuf {
        self.temp.path().join("data")
    }

    /// The datasource's own folder.
    fn folder(&self) -> PathBuf {
        self.data().join("archive")
    }

    fn staging(&self) -> PathBuf {
        match self.store.form() {
            Form::Flat => self.folder().join("staging"),
            Form::Structured => self.data().join("staging/archive/staging"),
        }
    }

    /// As after a restart: the first one is gone.
    async fn reopen(&mut self) -> Arc<dyn Datasource> {
        let form = self.store.form();
        let elsewhere = self.temp.path().join("elsewhere");
        self.store = open(&elsewhere, form, "archive").await.unwrap();
        self.store = open(&self.data(), form, "archive").await.unwrap();
        self.store.clone()
    }

    async fn stage(&self, content: &[u8]) -> Staged {
        let mut staging = self.store.stage(Some(content.len() as u64)).await.unwrap();
        staging.write(Bytes::copy_from_slice(content)).await.unwrap();
        staging.finish().await.unwrap()
    }

    async fn read(&self, source: Source<'_>, start: u64, end: u64) -> Result<Vec<u8>> {
        collect(self.store.read(source, start, end).await?).await
    }
}

fn config(form: Form, path: &str) -> DatasourceConfig {
    DatasourceConfig {
        name: "archive".into(),
        form,
        path: path.into(),
        relaxed: false,
        inline_limit_bytes: 1234,
    }
}

async fn open(data: &Path, form: Form, path: &str) -> Result<Arc<dyn Datasource>> {
    FsBackends::new(data).open(&config(form, path)).await
}

async fn collect(bits: Bits) -> Result<Vec<u8>> {
    bits.into_stream()
        .try_fold(Vec::new(), async |mut all, piece| {
            all.extend_from_slice(&piece);
            Ok(all)
        })
        .await
}

async fn flat() -> (Arc<dyn Datasource>, TempDir) {
    let fixture = Fixture::new(Form::Flat).await;
    (fixture.store, fixture.temp)
}

async fn structured() -> (Arc<dyn Datasource>, TempDir) {
    let fixture = Fixture::new(Form::Structured).await;
    (fixture.store, fixture.temp)
}

/// What every datasource must do.
mod flat_suite {
    cellgate_core::datasource_suite!(flat super::flat);
}

mod structured_suite {
    cellgate_core::datasource_suite!(structured super::structured);
}

/// Bytes in which every position can be told from its neighbours.
fn pattern(size: usize) -> Vec<u8> {
    (0..size as u64).map(|at| (at.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as u8).collect()
}

fn names(path: &str) -> Vec<String> {
    path.split('/').filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

/// Names in a folder, sorted.
fn entries(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}
