//! `flat`: blobs by id. A rename in the tree never touches the disk.

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use cellgate_core::error::{Error, Result};
use cellgate_core::ports::{Bits, Datasource, DatasourceConfig, Form, Found, Source, Staged, Staging, Stamp};
use rustix::fs::Mode;
use uuid::Uuid;

use super::area::Area;
use super::offload::{aside, offload};
use super::reader::{self, Opened};
use super::staging::FsStaging;
use super::{copy, place};

pub struct Flat {
    area: Arc<Area>,
    inline_limit: u64,
}

impl Flat {
    pub fn open(data: &Path, config: &DatasourceConfig) -> Result<Self> {
        let base = place::folder_of(data, config)?;
        // Nobody but the gateway reads blobs.
        let mode = Mode::RUSR | Mode::WUSR;
        let area = Area::open(&config.name, config.relaxed, mode, &base)?;
        Ok(Self { area: Arc::new(area), inline_limit: config.inline_limit_bytes })
    }

    fn opened(&self, source: Source<'_>) -> Result<Opened> {
        match source {
            Source::Blob(id) => blob(&self.area, id),
            Source::Path { .. } => Err(self.pathless()),
        }
    }

    fn pathless(&self) -> Error {
        Error::internal(format!("datasource `{}` is flat, it has no paths", self.area.datasource()))
    }
}

/// Opens a blob for reading.
pub fn blob(area: &Area, id: Uuid) -> Result<Opened> {
    Ok(Opened::blob(area.open_blob(id)?, area.datasource(), format!("blob {id}")))
}

#[async_trait]
impl Datasource for Flat {
    fn form(&self) -> Form {
        Form::Flat
    }

    fn inline_limit(&self) -> u64 {
        self.inline_limit
    }

    async fn stage(&self, expected_size: Option<u64>) -> Result<Box<dyn Staging>> {
        self.area.reserve(expected_size)?;
        Ok(Box::new(FsStaging::new(self.area.clone())))
    }

    async fn promote(&self, blobs: &[Uuid]) -> Result<()> {
        let (area, blobs) = (self.area.clone(), blobs.to_vec());
        offload(move || area.promote(&blobs)).await?
    }

    async fn remove(&self, blobs: &[Uuid]) -> Result<()> {
        let (area, blobs) = (self.area.clone(), blobs.to_vec());
        aside(move || area.remove(&blobs)).await?
    }

    async fn read(&self, source: Source<'_>, start: u64, end: u64) -> Result<Bits> {
        reader::read(self.opened(source)?, start, end).await
    }

    async fn duplicate(&self, source: Source<'_>) -> Result<Staged> {
        copy::duplicate(self.area.clone(), self.opened(source)?).await
    }

    fn publish(&self, _blob: Uuid, _names: &[String], _mtime_ns: Option<i64>) -> Result<Stamp> {
        Err(self.pathless())
    }

    fn create_dir(&self, _names: &[String]) -> Result<Stamp> {
        Err(self.pathless())
    }

    fn rename(&self, _from: &[String], _to: &[String]) -> Result<()> {
        Err(self.pathless())
    }

    fn detach(&self, _names: &[String]) -> Result<()> {
        Err(self.pathless())
    }

    fn set_mtime(&self, _names: &[String], _mtime_ns: i64) -> Result<Stamp> {
        Err(self.pathless())
    }

    fn folder_id(&self, _names: &[String]) -> Result<Option<Uuid>> {
        Err(self.pathless())
    }

    fn look(&self, _names: &[String]) -> Result<Option<Found>> {
        Err(self.pathless())
    }

    async fn scan(&self, _names: &[String]) -> Result<Vec<Found>> {
        Err(self.pathless())
    }

    async fn digest(&self, _names: &[String]) -> Result<String> {
        Err(self.pathless())
    }

    async fn staged(&self) -> Result<Vec<Uuid>> {
        let area = self.area.clone();
        aside(move || area.staged()).await?
    }

    /// Nothing is ever detached here.
    async fn empty_bin(&self) -> Result<()> {
        Ok(())
    }
}
