//! `Core`: what the gateway builds once and every door holds a clone of.

use std::collections::HashMap;
use std::sync::{Arc, RwLock, Weak};

use futures_util::future::BoxFuture;

use crate::error::{Error, Result};
use crate::identity::{Credentials, Identity, NewUser};
use crate::janitor::Janitor;
use crate::lock::Lock;
use crate::node::{Content, Node, NodeId};
use crate::path::NodePath;
use crate::ports::{self, Backends, Datasource, DatasourceConfig, Form, Index, Txn};
use crate::principal::{Door, Rights};
use crate::tree::{Context, Tree};
use crate::workspace::Workspace;

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
    /// Who may make workspaces through a door. Commands and endpoints of administrators go their
    /// own way.
    pub workspace_makers: Makers,
    /// The datasource of workspaces that are made through a door; made with the first of them.
    pub workspace_datasource: String,
    /// Whether this process serves. Only then does it put away what a crash left in staging and run
    /// the background work; a command that runs beside a server must leave both alone.
    pub serving: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            max_leaf_bytes: 0,
            upload_expiry_s: 7 * 86_400,
            access_token_s: 600,
            refresh_token_s: 30 * 86_400,
            workspace_makers: Makers::Admins,
            workspace_datasource: "buckets".to_owned(),
            serving: true,
        }
    }
}

/// See [`Settings::workspace_makers`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Makers {
    Nobody,
    Admins,
    Everyone,
}

/// Cheap to clone.
#[derive(Clone)]
pub struct Core {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) index: Arc<dyn Index>,
    backends: Arc<dyn Backends>,
    mounted: RwLock<HashMap<String, Arc<Mounted>>>,
    identity: Identity,
    settings: Settings,
    janitor: Janitor,
}

/// A datasource in use: its bytes and its root in the tree, which never changes.
pub(crate) struct Mounted {
    pub name: String,
    pub root: Node,
    pub bytes: Arc<dyn Datasource>,
}

impl Core {
    /// Loads the installation's keys, opens its datasources and, when serving, puts away what a
    /// crash left behind and starts the background work.
    pub async fn start(
        index: Arc<dyn Index>,
        backends: Arc<dyn Backends>,
        settings: Settings,
    ) -> Result<Self> {
        let identity = Identity::load(index.clone(), &settings).await?;
        let core = Self {
            inner: Arc::new(Inner {
                index,
                backends,
                mounted: RwLock::default(),
                identity,
                settings,
                janitor: Janitor::default(),
            }),
        };
        for config in core.identity().datasources().await? {
            // One datasource that is away does not keep the others from serving; it is opened
            // again when it is asked for.
            if let Err(error) = core.mount(&config).await {
                tracing::error!(datasource = config.name, error = %error.chain(), "not available");
            }
        }
        if core.inner.settings.serving {
            for mounted in core.all_mounted() {
                core.sweep(&mounted).await?;
            }
            Janitor::start(&core);
            core.janitor().wake();
        }
        Ok(core)
    }

    /// First start: creates datasources `pydiods1` and `personal`, workspaces `common-files` and
    /// `personal-files` with their aliases, and the user `admin`. Answers the admin's password when
    /// this call created it, `None` when the installation exists already or another process made
    /// the user at the same time.
    pub async fn bootstrap(&self, admin_password: Option<String>) -> Result<Option<String>> {
        const DONE: &str = "bootstrapped";
        let identity = self.identity();
        if identity.setting(DONE).await?.is_some() {
            return Ok(None);
        }
        for name in ["pydiods1", "personal"] {
            if !identity.datasources().await?.iter().any(|config| config.name == name) {
                self.add_datasource(DatasourceConfig::flat(name)).await?;
            }
        }
        // Aliases: the ids and slugs under which a Pydio 8 server offers the same two.
        for (slug, label, aliases, datasource, root) in [
            ("common-files", "Common Files", ["default", "common", "0"], "pydiods1", ""),
            ("personal-files", "Personal Files", ["my-files", "personal", "1"], "personal", "{login}"),
        ] {
            if identity.workspaces().await?.iter().any(|workspace| workspace.slug == slug) {
                continue;
            }
            let made = identity
                .put_workspace(Workspace {
                    uuid: uuid::Uuid::new_v4(),
                    slug: slug.to_owned(),
                    label: label.to_owned(),
                    description: String::new(),
                    aliases: aliases.map(str::to_owned).to_vec(),
                    datasource: datasource.to_owned(),
                    root: root.to_owned(),
                    default_rights: Rights::ALL,
                    recycle: true,
                    versions: 0,
                    versions_suspended: false,
                    tags: String::new(),
                    created_by: None,
                    created_ns: crate::http::date::now_ns(),
                })
                .await;
            made_by_somebody(made)?;
        }
        let mut password = None;
        if identity.user("admin").await?.is_none() {
            let chosen = admin_password.unwrap_or_else(|| hex::encode(rand::random::<[u8; 12]>()));
            let made = identity
                .create_user(NewUser {
                    login: "admin".to_owned(),
                    password: Some(chosen.clone()),
                    display_name: "Administrator".to_owned(),
                    admin: true,
                    ..NewUser::default()
                })
                .await;
            password = made_by_somebody(made)?.map(|_| chosen);
        }
        identity.put_setting(DONE, "1").await?;
        Ok(password)
    }

    /// Verifies who is calling and opens the tree as that principal sees it.
    pub async fn open(&self, credentials: &Credentials, door: Door) -> Result<Tree> {
        let principal = self.inner.identity.verify(credentials, door).await?;
        Ok(Tree { core: self.clone(), principal, door, context: Context::User })
    }

    /// The tree in the administrators' context (`/<datasource>/…`); only for administrators.
    pub fn admin(&self, tree: &Tree) -> Result<Tree> {
        // A key that was limited to a path or to rights must not widen itself this way.
        let limited = tree.principal.scope_path.is_some() || tree.principal.scope.rights.is_some();
        if !tree.principal.admin || limited {
            return Err(Error::Denied { path: "/".into(), right: "administer" });
        }
        Ok(Tree { context: Context::Admin, ..tree.clone() })
    }

    pub fn identity(&self) -> &Identity {
        &self.inner.identity
    }

    pub fn settings(&self) -> &Settings {
        &self.inner.settings
    }

    /// Ticks with the newest sequence number of the change feed.
    pub fn change_signal(&self) -> tokio::sync::watch::Receiver<i64> {
        self.inner.index.change_signal()
    }

    /// The newest sequence number of the change feed: where a reader that wants only what comes
    /// begins.
    pub async fn last_change(&self) -> Result<i64> {
        self.inner.index.last_change().await
    }

    /// Makes sure of the datasource where doors make workspaces, and answers its name.
    pub(crate) async fn workspace_datasource(&self) -> Result<String> {
        let name = self.settings().workspace_datasource.clone();
        if !self.identity().datasources().await?.iter().any(|config| config.name == name) {
            self.add_datasource(DatasourceConfig::flat(&name)).await?;
        }
        Ok(name)
    }

    /// Opens and keeps a new datasource; `structured` ones adopt what is in their folder.
    pub async fn add_datasource(&self, config: DatasourceConfig) -> Result<()> {
        // Opened first: a folder that cannot be used must not become a datasource.
        self.inner.backends.open(&config).await?;
        self.identity().put_datasource(config.clone()).await?;
        let mounted = self.mount(&config).await?;
        if mounted.bytes.form() == Form::Structured {
            let report = self.resync(&config.name).await?;
            tracing::info!(datasource = config.name, added = report.added, "folder adopted");
        }
        Ok(())
    }

    /// The node at an administrators' path, for the command line.
    pub async fn node_at(&self, path: &NodePath) -> Result<Node> {
        let absent = || Error::NotFound(path.to_string());
        let (datasource, names) = path.names().split_first().ok_or_else(absent)?;
        let mounted = self.mounted(datasource).await?;
        if names.is_empty() {
            return Ok(mounted.root.clone());
        }
        let mut chain = self.inner.index.chain(mounted.root.id, names).await?;
        if chain.len() < names.len() {
            return Err(absent());
        }
        chain.pop().ok_or_else(absent)
    }

    /// All locks, each with the administrators' path of its node.
    pub async fn locks(&self) -> Result<Vec<(NodePath, Lock)>> {
        let mut locks = Vec::new();
        for lock in self.inner.index.locks(crate::http::date::now_ns()).await? {
            let ancestry = self.inner.index.ancestry(lock.node).await?;
            let in_tree = ancestry.first().is_some_and(|root| root.parent == NodeId::ROOT);
            if in_tree {
                let path = ancestry.iter().fold(NodePath::root(), |path, node| path.join_known(&node.name));
                locks.push((path, lock));
            }
        }
        Ok(locks)
    }

    /// Breaks a lock by its token, whoever holds it.
    pub async fn break_lock(&self, token: &str) -> Result<()> {
        let token = token.to_owned();
        self.commit(move |txn| {
            Box::pin(async move {
                if txn.lock(&token, crate::http::date::now_ns()).await?.is_none() {
                    return Err(Error::NoSuchLock(token));
                }
                txn.delete_lock(&token).await
            })
        })
        .await
    }

    /// Whether the index and every datasource answer; the text says which does not.
    pub async fn ready(&self) -> Result<()> {
        self.inner.index.last_change().await?;
        for config in self.identity().datasources().await? {
            self.mounted(&config.name).await?;
        }
        Ok(())
    }

    pub(crate) fn janitor(&self) -> &Janitor {
        &self.inner.janitor
    }

    pub(crate) fn downgrade(&self) -> WeakCore {
        WeakCore(Arc::downgrade(&self.inner))
    }

    pub(crate) async fn commit<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: for<'t> FnOnce(&'t mut dyn Txn) -> BoxFuture<'t, Result<T>> + Send + 'static,
    {
        ports::commit(self.inner.index.as_ref(), work).await
    }

    pub(crate) fn all_mounted(&self) -> Vec<Arc<Mounted>> {
        self.inner
            .mounted
            .read()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .values()
            .cloned()
            .collect()
    }

    /// A datasource by name; one that was added by another process, or was away, is opened now.
    pub(crate) async fn mounted(&self, name: &str) -> Result<Arc<Mounted>> {
        let known = {
            let mounted = self.inner.mounted.read().unwrap_or_else(std::sync::PoisonError::into_inner);
            mounted.get(name).cloned()
        };
        if let Some(mounted) = known {
            return Ok(mounted);
        }
        let config = self
            .identity()
            .datasources()
            .await?
            .into_iter()
            .find(|config| config.name == name)
            .ok_or_else(|| Error::NotFound(format!("/{name}")))?;
        self.mount(&config).await
    }

    async fn mount(&self, config: &DatasourceConfig) -> Result<Arc<Mounted>> {
        let bytes = self.inner.backends.open(config).await?;
        let name = config.name.clone();
        let root = self
            .commit(move |txn| {
                Box::pin(async move {
                    match txn.child(NodeId::ROOT, &name).await? {
                        Some(root) => Ok(root),
                        None => {
                            let root =
                                crate::tree::new_collection(NodeId::ROOT, &name, crate::http::date::now_ns());
                            txn.insert_node(&root).await
                        }
                    }
                })
            })
            .await?;
        let mounted = Arc::new(Mounted { name: config.name.clone(), root, bytes });
        self.inner
            .mounted
            .write()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .insert(config.name.clone(), mounted.clone());
        Ok(mounted)
    }

    /// After a crash: what is in staging and known to the index is promoted, the rest removed.
    async fn sweep(&self, mounted: &Arc<Mounted>) -> Result<()> {
        let staged = mounted.bytes.staged().await?;
        if !staged.is_empty() {
            let (kept, orphans) = self
                .commit(move |txn| {
                    Box::pin(async move {
                        let (mut kept, mut orphans) = (Vec::new(), Vec::new());
                        for blob in staged {
                            match txn.is_referenced(&Content::Blob(blob)).await? {
                                true => kept.push(blob),
                                false => orphans.push(blob),
                            }
                        }
                        Ok((kept, orphans))
                    })
                })
                .await?;
            tracing::info!(
                datasource = mounted.name,
                promoted = kept.len(),
                removed = orphans.len(),
                "staging swept"
            );
            mounted.bytes.promote(&kept).await?;
            mounted.bytes.remove(&orphans).await?;
        }
        mounted.bytes.empty_bin().await
    }
}

/// What the first start makes. Another process may have made it a moment before: a command beside a
/// server that starts on a new folder, or two gateways on one index.
fn made_by_somebody<T>(made: Result<T>) -> Result<Option<T>> {
    match made {
        Ok(made) => Ok(Some(made)),
        Err(Error::AlreadyExists(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

/// For background work that must not keep the core alive.
pub(crate) struct WeakCore(Weak<Inner>);

impl WeakCore {
    pub fn upgrade(&self) -> Option<Core> {
        self.0.upgrade().map(|inner| Core { inner })
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{MemoryBackends, MemoryIndex, TestCore};

    #[tokio::test]
    async fn two_processes_may_make_the_first_start_at_once() {
        let (index, backends) = (MemoryIndex::new(), MemoryBackends::new());
        let one = TestCore::start(index.clone(), backends.clone()).await;
        let two = TestCore::start(index, backends).await;
        let (first, second) = tokio::join!(
            one.bootstrap(Some("one-password".into())),
            two.bootstrap(Some("two-password".into()))
        );
        // Who made the user knows its password, and nobody else claims to.
        let passwords: Vec<String> = [first.unwrap(), second.unwrap()].into_iter().flatten().collect();
        assert_eq!(passwords.len(), 1);
        for core in [&one, &two] {
            let known =
                crate::Credentials::Password { login: "admin".into(), password: passwords[0].clone() };
            let tree = core.open(&known, crate::Door::System).await.unwrap();
            let workspaces = tree.workspaces().await.unwrap();
            let slugs: Vec<&str> = workspaces.iter().map(|(known, _)| known.slug.as_str()).collect();
            assert_eq!(slugs, ["common-files", "personal-files"]);
            assert_eq!(core.bootstrap(None).await.unwrap(), None);
        }
    }
}
