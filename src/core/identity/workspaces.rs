//! Workspaces, datasources and settings as the directory keeps them.

use std::collections::HashSet;
use std::sync::{Arc, PoisonError};

use uuid::Uuid;

use crate::error::{Error, Result};
use crate::http::date::now_ns;
use crate::identity::kept::{self, Kept as _};
use crate::identity::secrets::SERVER_KEY;
use crate::identity::{Grant, Identity, Subject, Target, users};
use crate::path::{NodePath, valid_name};
use crate::ports::{DatasourceConfig, Form, Record, Txn};
use crate::principal::Rights;
use crate::workspace::Workspace;

/// Record kind of settings; id = name, body = JSON string. The server key is one, under an id of
/// its own.
pub(super) const SETTING: &str = "setting";
/// Longest name of a datasource or setting, in bytes.
const NAME_MAX: usize = 63;

/// Shared with every request that is in one of them.
pub type Workspaces = Arc<Vec<Arc<Workspace>>>;

impl Identity {
    /// All workspaces, ordered by slug. Cached until the directory changes.
    pub async fn workspaces(&self) -> Result<Workspaces> {
        let epoch = self.epoch();
        {
            let cached = self.inner.workspaces.read().unwrap_or_else(PoisonError::into_inner);
            if let Some((filled, workspaces)) = &*cached
                && *filled == epoch
            {
                return Ok(Arc::clone(workspaces));
            }
        }
        let mut workspaces: Vec<Workspace> = self.all(None).await?;
        workspaces.sort_by(|one, other| one.slug.cmp(&other.slug));
        let workspaces: Workspaces = Arc::new(workspaces.into_iter().map(Arc::new).collect());
        // A fill that raced with a change carries the older epoch and never counts.
        *self.inner.workspaces.write().unwrap_or_else(PoisonError::into_inner) =
            Some((epoch, Arc::clone(&workspaces)));
        Ok(workspaces)
    }

    /// Creates or replaces a workspace (by uuid; the nil one means a new one). Its slug and aliases
    /// must be free and valid names, its datasource must exist.
    pub async fn put_workspace(&self, workspace: Workspace) -> Result<Workspace> {
        let workspace = checked(workspace)?;
        self.commit(move |txn| Box::pin(async move { put(txn, workspace).await })).await
    }

    /// Changes a workspace as it is kept by now.
    pub(crate) async fn change_workspace<F>(&self, uuid: Uuid, change: F) -> Result<Workspace>
    where
        F: FnOnce(&mut Workspace) + Send + 'static,
    {
        self.commit(move |txn| {
            Box::pin(async move {
                let Some(record) = txn.record(Workspace::KIND, &uuid.to_string()).await? else {
                    return Err(Error::NotFound(uuid.to_string()));
                };
                let mut workspace = Workspace::of(&record)?;
                change(&mut workspace);
                kept::put(txn, &workspace).await?;
                Ok(workspace)
            })
        })
        .await
    }

    /// Creates a workspace together with a user's rights on it.
    pub(crate) async fn create_workspace(
        &self,
        workspace: Workspace,
        user: Uuid,
        rights: Rights,
    ) -> Result<Workspace> {
        let workspace = checked(workspace)?;
        self.commit(move |txn| {
            Box::pin(async move {
                let workspace = put(txn, workspace).await?;
                let (subject, target) = (Subject::User(user), Target::Workspace(workspace.uuid));
                kept::put(txn, &Grant { uuid: Uuid::new_v4(), subject, target, rights }).await?;
                Ok(workspace)
            })
        })
        .await
    }

    /// Deletes the workspace and the grants on it; its files stay in the datasource.
    pub async fn delete_workspace(&self, slug: &str) -> Result<()> {
        let slug = slug.to_owned();
        self.commit(move |txn| {
            Box::pin(async move {
                let Some(workspace) = kept::by_name::<Workspace>(txn, &slug).await? else {
                    return Err(Error::NotFound(slug));
                };
                delete(txn, &workspace).await
            })
        })
        .await
    }

    /// All datasources, ordered by name.
    pub async fn datasources(&self) -> Result<Vec<DatasourceConfig>> {
        self.all(None).await
    }

    pub async fn put_datasource(&self, config: DatasourceConfig) -> Result<()> {
        let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_".contains(&byte);
        if config.name.is_empty() || config.name.len() > NAME_MAX || !config.name.bytes().all(allowed) {
            return Err(Error::InvalidName(format!(
                "invalid name of a datasource: 1 to {NAME_MAX} of `a-z`, `0-9`, `-` and `_` are allowed"
            )));
        }
        self.commit(move |txn| Box::pin(async move { kept::put(txn, &config).await })).await
    }

    /// Forgets a datasource that no workspace leads to. Its bytes stay.
    pub async fn delete_datasource(&self, name: &str) -> Result<()> {
        let name = name.to_owned();
        self.commit(move |txn| {
            Box::pin(async move {
                let all = kept::all::<Workspace>(txn, None).await?;
                if let Some(workspace) = all.iter().find(|workspace| workspace.datasource == name) {
                    let text = format!("workspace `{}` leads to datasource `{name}`", workspace.slug);
                    return Err(Error::Conflict(text));
                }
                if txn.delete_record(DatasourceConfig::KIND, &name).await? {
                    Ok(())
                } else {
                    Err(Error::NotFound(name))
                }
            })
        })
        .await
    }

    /// A value the gateway keeps for itself (record kind `setting`).
    pub async fn setting(&self, name: &str) -> Result<Option<String>> {
        let record = self.inner.index.record(SETTING, name).await?;
        // Found by its id, and the server key's is random: it cannot be asked for.
        record.map(|record| serde_json::from_str(&record.body).map_err(Error::internal)).transpose()
    }

    pub async fn put_setting(&self, name: &str, value: &str) -> Result<()> {
        if name.is_empty() || name.len() > NAME_MAX || name == SERVER_KEY {
            return Err(Error::InvalidName("invalid name of a setting".into()));
        }
        let record = Record {
            kind: SETTING.into(),
            id: name.into(),
            name: name.into(),
            owner: String::new(),
            expires_ns: None,
            body: serde_json::to_string(value).map_err(Error::internal)?,
        };
        self.commit(move |txn| Box::pin(async move { txn.put_record(&record).await })).await
    }
}

async fn put(txn: &mut dyn Txn, workspace: Workspace) -> Result<Workspace> {
    let Some(datasource) = kept::get::<DatasourceConfig>(txn, &workspace.datasource).await? else {
        let text = format!("there is no datasource `{}`", workspace.datasource);
        return Err(Error::InvalidArgument(text));
    };
    if workspace.versions > 0 && datasource.form == Form::Structured {
        return Err(Error::NotImplemented("keeping versions in a structured datasource"));
    }
    for other in kept::all::<Workspace>(txn, None).await? {
        if other.uuid == workspace.uuid {
            continue;
        }
        if let Some(name) = names(&workspace).find(|name| names(&other).any(|its| its == *name)) {
            return Err(Error::AlreadyExists(name.to_owned()));
        }
    }
    kept::put(txn, &workspace).await?;
    Ok(workspace)
}

/// Whether the workspace is there still.
pub(crate) async fn is_kept(txn: &mut dyn Txn, workspace: &Workspace) -> Result<bool> {
    Ok(txn.record(Workspace::KIND, &workspace.id()).await?.is_some())
}

/// Deletes a workspace with the grants on it.
pub(crate) async fn delete(txn: &mut dyn Txn, workspace: &Workspace) -> Result<()> {
    for grant in kept::all::<Grant>(txn, None).await? {
        if grant.target == Target::Workspace(workspace.uuid) {
            txn.delete_record(Grant::KIND, &grant.id()).await?;
        }
    }
    txn.delete_record(Workspace::KIND, &workspace.id()).await?;
    Ok(())
}

/// Every text that finds the workspace, besides its uuid.
fn names(workspace: &Workspace) -> impl Iterator<Item = &str> {
    std::iter::once(&workspace.slug).chain(&workspace.aliases).map(String::as_str)
}

fn checked(mut workspace: Workspace) -> Result<Workspace> {
    if workspace.uuid.is_nil() {
        workspace.uuid = Uuid::new_v4();
    }
    if workspace.created_ns == 0 {
        workspace.created_ns = now_ns();
    }
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_.".contains(&byte);
    let slug = valid_name(&workspace.slug)?;
    if !slug.bytes().all(allowed) {
        return Err(Error::InvalidName(format!(
            "invalid slug `{slug}`: only `a-z`, `0-9`, `-`, `_` and `.` are allowed"
        )));
    }
    workspace.label = users::text("label", workspace.label)?;
    workspace.description = users::text("description", workspace.description)?;
    workspace.aliases = workspace.aliases.iter().map(|alias| valid_name(alias)).collect::<Result<_>>()?;
    let mut seen = HashSet::from([slug.clone()]);
    workspace.aliases.retain(|alias| seen.insert(alias.clone()));
    workspace.slug = slug;
    workspace.root = NodePath::parse(&workspace.root)?.key();
    Ok(workspace)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn workspace(slug: &str, aliases: &[&str], root: &str) -> Workspace {
        Workspace {
            uuid: Uuid::nil(),
            slug: slug.into(),
            label: "Label".into(),
            description: String::new(),
            aliases: aliases.iter().map(|&alias| alias.into()).collect(),
            datasource: "pydiods1".into(),
            root: root.into(),
            default_rights: Rights::NONE,
            recycle: true,
            versions: 0,
            versions_suspended: false,
            tags: String::new(),
            created_by: None,
            created_ns: 0,
        }
    }

    #[test]
    fn a_workspace_is_brought_into_its_one_form() {
        let kept = checked(workspace("a-b_c.d1", &["1", "1", "a-b_c.d1"], "/users//{login}/")).unwrap();
        assert_eq!(kept.root, "users/{login}");
        assert_eq!(kept.aliases, ["1"]);
        assert!(!kept.uuid.is_nil() && kept.created_ns > 0);
    }

    #[test]
    fn slugs_and_roots_that_are_no_names_are_refused() {
        for slug in ["", ".", "..", "A", "a b", "a/b", "é", "a\n"] {
            assert!(matches!(checked(workspace(slug, &[], "")), Err(Error::InvalidName(_))), "{slug:?}");
        }
        assert!(checked(workspace("a", &["x/y"], "")).is_err());
        assert!(checked(workspace("a", &[], "../other")).is_err());
    }
}
