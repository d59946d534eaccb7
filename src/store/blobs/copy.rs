//! Durable copies within a datasource.

use std::fs::File;
use std::io;
use std::sync::Arc;

use cellgate_core::error::Result;
use cellgate_core::ports::Staged;
use rustix::fs::ioctl_ficlone;

use super::area::Area;
use super::fault::errno;
use super::offload::aside;
use super::reader::Opened;
use super::staging::Draft;

/// Copies a file under a new staged id. By reflink where the file system shares blocks; else the
/// kernel copies (`copy_file_range`, as `std::io::copy` does between files).
pub async fn duplicate(area: Arc<Area>, source: Opened) -> Result<Staged> {
    let draft = aside(move || -> Result<Box<Draft>> {
        let mut draft = Box::new(Draft::new(area.clone()));
        let copy = draft.file()?;
        let size = if ioctl_ficlone(&copy, &source).is_ok() {
            copy.metadata().map(|meta| meta.len())
        } else {
            source.try_clone().and_then(|fd| io::copy(&mut File::from(fd), copy))
        };
        draft.note_written(size.map_err(|error| area.fault("copy a file", errno(&error)))?);
        draft.settle()?;
        // Written to while it was copied.
        source.check()?;
        Ok(draft)
    })
    .await??;
    Ok(draft.keep())
}
