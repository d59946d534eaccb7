//! `Core`: what the gateway builds once and every door holds a clone of.

use std::collections::HashMap;
use std::sync::{Arc, RwLock};

use crate::error::{Error, Result};
use crate::identity::{Credentials, Identity};
use crate::ports::{Backends, Datasource, Index};
use crate::principal::Door;
use crate::tree::{Context, Tree};

/// Limits and habits that hold for the whole installation.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Largest leaf; 0 has no limit.
    pub max_leaf_bytes: u64,
    /// Abandoned uploads are removed after this many seconds.
    pub upload_expiry_s: u64,
    /// Lifetime of access tokens.
    pub access_token_s: u64,
    /// Lifetime of refresh tokens.
    pub refresh_token_s: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            max_leaf_bytes: 0,
            upload_expiry_s: 7 * 86_400,
            access_token_s: 600,
            refresh_token_s: 30 * 86_400,
        }
    }
}

/// Cheap to clone.
#[derive(Clone)]
pub struct Core {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) index: Arc<dyn Index>,
    pub(crate) backends: Arc<dyn Backends>,
    pub(crate) datasources: RwLock<HashMap<String, Arc<dyn Datasource>>>,
    pub(crate) identity: Identity,
    pub(crate) settings: Settings,
}

impl Core {
    /// Loads the installation's keys, opens its datasources, puts away what a crash left behind
    /// (staging, limbo, expired locks, uploads and sessions), and starts the background work.
    pub async fn start(
        index: Arc<dyn Index>,
        backends: Arc<dyn Backends>,
        settings: Settings,
    ) -> Result<Self> {
        let _ = (index, backends, settings);
        Err(Error::NotImplemented("start"))
    }

    /// First start: creates datasources `pydiods1` and `personal`, workspaces `common-files` and
    /// `personal-files` with their aliases, and the user `admin`. Answers the admin's password when
    /// this call created it, `None` when the installation exists already.
    pub async fn bootstrap(&self, admin_password: Option<String>) -> Result<Option<String>> {
        let _ = admin_password;
        Err(Error::NotImplemented("bootstrap"))
    }

    /// The tree in the administrators' context (`/<datasource>/…`); only for administrators.
    pub fn admin(&self, tree: &Tree) -> Result<Tree> {
        if !tree.principal.admin {
            return Err(Error::Denied { path: "/".into(), right: "administer" });
        }
        Ok(Tree { context: Context::Admin, ..tree.clone() })
    }

    /// Opens and keeps a new datasource; `structured` ones adopt what is in their folder.
    pub async fn add_datasource(&self, config: crate::ports::DatasourceConfig) -> Result<()> {
        let _ = config;
        Err(Error::NotImplemented("add_datasource"))
    }

    /// Brings the index in line with the disk of a `structured` datasource, and checks that every
    /// blob of a `flat` one exists.
    pub async fn resync(&self, datasource: &str) -> Result<crate::resync::Report> {
        let _ = datasource;
        Err(Error::NotImplemented("resync"))
    }

    /// All locks, each with the administrators' path of its node.
    pub async fn locks(&self) -> Result<Vec<(crate::path::NodePath, crate::lock::Lock)>> {
        Err(Error::NotImplemented("locks"))
    }

    /// Breaks a lock by its token, whoever holds it.
    pub async fn break_lock(&self, token: &str) -> Result<()> {
        let _ = token;
        Err(Error::NotImplemented("locks"))
    }

    /// Whether the index and every datasource answer; the text says which does not.
    pub async fn ready(&self) -> Result<()> {
        Err(Error::NotImplemented("ready"))
    }

    /// Ends the background work; what is being committed is committed.
    pub async fn stop(&self) {}

    /// Verifies who is calling and opens the tree as that principal sees it.
    pub async fn open(&self, credentials: &Credentials, door: Door) -> Result<Tree> {
        let principal = self.inner.identity.verify(credentials, door).await?;
        Ok(Tree { core: self.clone(), principal, door, context: Context::User })
    }

    pub fn identity(&self) -> &Identity {
        &self.inner.identity
    }

    pub fn settings(&self) -> &Settings {
        &self.inner.settings
    }
}
