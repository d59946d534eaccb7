//! Store and core from a configuration.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use cellgate_core::{Core, Settings};
use cellgate_store::{FsBackends, Location, Store};

use crate::config::{Config, Database};

/// An open installation.
pub struct Installation {
    pub core: Core,
    store: Store,
    /// Held while serving: a second server on the same folder would sweep the first one's staging.
    _lock: Option<File>,
}

impl Installation {
    pub async fn open(config: &Config, serving: bool) -> Result<Self, String> {
        let data = &config.data;
        std::fs::create_dir_all(data)
            .map_err(|error| format!("cannot create the data folder `{}`: {error}", data.display()))?;
        let lock = if serving { Some(lock(data)?) } else { None };
        let location = match &config.database {
            Database::Sqlite => Location::Sqlite(data.join("index.sqlite")),
            Database::Postgres(url) => Location::Postgres(url.0.clone()),
        };
        let store = Store::open(&location)
            .await
            .map_err(|error| format!("cannot open the index: {}", error.chain()))?;
        let settings = Settings {
            max_leaf_bytes: config.max_leaf_bytes,
            upload_expiry_s: config.upload_expiry_s,
            access_token_s: config.access_token_s,
            refresh_token_s: config.refresh_token_s,
            workspace_makers: config.s3_create_buckets,
            workspace_datasource: config.s3_bucket_datasource.clone(),
            serving,
        };
        let core = Core::start(store.index(), Arc::new(FsBackends::new(data)), settings)
            .await
            .map_err(|error| format!("cannot start: {}", error.chain()))?;
        Ok(Self { core, store, _lock: lock })
    }

    /// Commits what is waiting and closes the index.
    pub async fn close(self) {
        self.store.close().await;
    }
}

fn lock(data: &Path) -> Result<File, String> {
    let path = data.join("serving.lock");
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(|error| format!("cannot open `{}`: {error}", path.display()))?;
    file.try_lock().map_err(|error| match error {
        std::fs::TryLockError::WouldBlock => {
            format!("another cellgate serves the data folder `{}` already", data.display())
        }
        std::fs::TryLockError::Error(error) => format!("cannot lock `{}`: {error}", path.display()),
    })?;
    Ok(file)
}
