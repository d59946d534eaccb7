//! Entries as bytes, in any format. No I/O: it may be moved to any thread.

use std::io::Write as _;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::archive::Format;
use crate::archive::tar_write::TarWriter;
use crate::archive::zip_write::ZipWriter;
use crate::error::{Error, Result};

/// A member that is to be written.
pub(super) struct Entry {
    /// Relative, with `/`; ends in one for a collection.
    pub(super) name: String,
    pub(super) collection: bool,
    pub(super) size: u64,
    pub(super) mtime_s: i64,
    pub(super) mime: String,
}

pub(super) struct Engine {
    form: Form,
    gzip: Option<GzEncoder<Vec<u8>>>,
    /// Written, not taken yet.
    out: Vec<u8>,
}

enum Form {
    Zip(Box<ZipWriter>),
    Tar(TarWriter),
}

impl Engine {
    pub(super) fn new(format: Format) -> Self {
        let form = match format {
            Format::Zip => Form::Zip(Box::default()),
            Format::Tar | Format::TarGz => Form::Tar(TarWriter::default()),
        };
        let gzip = (format == Format::TarGz).then(|| GzEncoder::new(Vec::new(), Compression::default()));
        Self { form, gzip, out: Vec::new() }
    }

    pub(super) fn begin(&mut self, entry: &Entry) -> Result<()> {
        match &mut self.form {
            Form::Zip(zip) => zip.begin(entry, &mut self.out),
            Form::Tar(tar) => tar.begin(entry, &mut self.out),
        }
    }

    pub(super) fn content(&mut self, bytes: &[u8]) -> Result<()> {
        match &mut self.form {
            Form::Zip(zip) => zip.content(bytes, &mut self.out)?,
            Form::Tar(tar) => tar.content(bytes, &mut self.out),
        }
        self.squeeze()
    }

    pub(super) fn end(&mut self) -> Result<()> {
        match &mut self.form {
            Form::Zip(zip) => zip.end(&mut self.out)?,
            Form::Tar(tar) => tar.end(&mut self.out)?,
        }
        self.squeeze()
    }

    /// Ends the entries.
    pub(super) fn finish(&mut self, directory_bytes: u64) -> Result<Bytes> {
        let trailer = match &self.form {
            Form::Zip(zip) => zip.trailer(directory_bytes),
            Form::Tar(_) => TarWriter::trailer(),
        };
        self.out.extend_from_slice(&trailer);
        if self.gzip.is_some() {
            self.squeeze()?;
        }
        let mut rest = std::mem::take(&mut self.out);
        if let Some(gzip) = self.gzip.take() {
            rest = gzip.finish().map_err(Error::internal)?;
        }
        Ok(rest.into())
    }

    /// Directory records that are to be kept until the entries have ended.
    pub(super) fn take_directory(&mut self) -> Vec<u8> {
        match &mut self.form {
            Form::Zip(zip) => std::mem::take(&mut zip.directory),
            Form::Tar(_) => Vec::new(),
        }
    }

    pub(super) fn ready(&self) -> usize {
        self.gzip.as_ref().map_or(self.out.len(), |gzip| gzip.get_ref().len())
    }

    pub(super) fn take(&mut self) -> Bytes {
        match &mut self.gzip {
            Some(gzip) => std::mem::take(gzip.get_mut()).into(),
            None => std::mem::take(&mut self.out).into(),
        }
    }

    fn squeeze(&mut self) -> Result<()> {
        if let Some(gzip) = &mut self.gzip {
            gzip.write_all(&self.out).map_err(Error::internal)?;
            self.out.clear();
        }
        Ok(())
    }
}
