//! What only `flat` does.

use std::sync::Arc;

use super::{names, read, stage};
use crate::ports::{Datasource, Form, Source, Stamp};

/// Nothing pretends: what a flat datasource does not keep, it does not claim to have changed.
pub async fn a_flat_datasource_has_no_paths(datasource: Arc<dyn Datasource>) {
    assert_eq!(datasource.form(), Form::Flat);
    let blob = stage(&datasource, b"hello").await.blob;
    let path = names("a");
    let stamp = Stamp { size: 5, mtime_ns: 0 };
    datasource.publish(blob, &path, None).unwrap_err();
    datasource.create_dir(&path).unwrap_err();
    datasource.rename(&path, &names("b")).unwrap_err();
    datasource.detach(&path).unwrap_err();
    datasource.set_mtime(&path, 0).unwrap_err();
    datasource.scan(&path).await.unwrap_err();
    datasource.digest(&path).await.unwrap_err();
    read(&datasource, Source::Path { names: &path, stamp }, 0, 5).await.unwrap_err();
    assert_eq!(read(&datasource, Source::Blob(blob), 0, 5).await.unwrap(), "hello");
}
