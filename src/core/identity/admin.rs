//! Creating, changing and deleting what exists. The caller's right to do so is checked by
//! [`crate::Core::admin`] (REST) or is the operator's own (command line).

use uuid::Uuid;

use crate::error::{Error, Result};
use crate::identity::{Grant, Group, Identity, Role, User};
use crate::ports::DatasourceConfig;
use crate::workspace::Workspace;

#[derive(Debug, Clone, Default)]
pub struct NewUser {
    pub login: String,
    /// `None`: no password, signs in by key or token only.
    pub password: Option<String>,
    pub display_name: String,
    pub email: String,
    /// Empty means `/`.
    pub group: String,
    pub roles: Vec<Uuid>,
    pub admin: bool,
}

/// What to change of a user; `None` leaves it.
#[derive(Debug, Clone, Default)]
pub struct UserChange {
    pub password: Option<String>,
    pub display_name: Option<String>,
    pub email: Option<String>,
    pub group: Option<String>,
    pub roles: Option<Vec<Uuid>>,
    pub admin: Option<bool>,
    pub locked: Option<bool>,
    pub attributes: Option<std::collections::BTreeMap<String, String>>,
}

impl Identity {
    pub async fn users(&self) -> Result<Vec<User>> {
        Err(Error::NotImplemented("users"))
    }

    pub async fn user(&self, login: &str) -> Result<Option<User>> {
        let _ = login;
        Err(Error::NotImplemented("users"))
    }

    pub async fn user_by_uuid(&self, uuid: Uuid) -> Result<Option<User>> {
        let _ = uuid;
        Err(Error::NotImplemented("users"))
    }

    pub async fn create_user(&self, new: NewUser) -> Result<User> {
        let _ = new;
        Err(Error::NotImplemented("users"))
    }

    pub async fn change_user(&self, login: &str, change: UserChange) -> Result<User> {
        let _ = (login, change);
        Err(Error::NotImplemented("users"))
    }

    /// Deletes the user with grants, keys, tokens and sessions. Files stay.
    pub async fn delete_user(&self, login: &str) -> Result<()> {
        let _ = login;
        Err(Error::NotImplemented("users"))
    }

    pub async fn groups(&self) -> Result<Vec<Group>> {
        Err(Error::NotImplemented("groups"))
    }

    pub async fn put_group(&self, path: &str, label: &str) -> Result<Group> {
        let _ = (path, label);
        Err(Error::NotImplemented("groups"))
    }

    pub async fn delete_group(&self, path: &str) -> Result<()> {
        let _ = path;
        Err(Error::NotImplemented("groups"))
    }

    pub async fn roles(&self) -> Result<Vec<Role>> {
        Err(Error::NotImplemented("roles"))
    }

    pub async fn put_role(&self, label: &str) -> Result<Role> {
        let _ = label;
        Err(Error::NotImplemented("roles"))
    }

    pub async fn delete_role(&self, label: &str) -> Result<()> {
        let _ = label;
        Err(Error::NotImplemented("roles"))
    }

    pub async fn grants(&self) -> Result<Vec<Grant>> {
        Err(Error::NotImplemented("grants"))
    }

    /// Sets the rights of a subject on a target, replacing an earlier grant of the same pair.
    pub async fn grant(&self, grant: Grant) -> Result<Grant> {
        let _ = grant;
        Err(Error::NotImplemented("grants"))
    }

    pub async fn delete_grant(&self, uuid: Uuid) -> Result<()> {
        let _ = uuid;
        Err(Error::NotImplemented("grants"))
    }

    /// All workspaces, ordered by slug. Cached until the directory changes.
    pub async fn workspaces(&self) -> Result<std::sync::Arc<Vec<Workspace>>> {
        Err(Error::NotImplemented("workspaces"))
    }

    /// Creates or replaces a workspace (by uuid). Its slug must be free and a valid name.
    pub async fn put_workspace(&self, workspace: Workspace) -> Result<Workspace> {
        let _ = workspace;
        Err(Error::NotImplemented("workspaces"))
    }

    /// Deletes the workspace; its files stay in the datasource.
    pub async fn delete_workspace(&self, slug: &str) -> Result<()> {
        let _ = slug;
        Err(Error::NotImplemented("workspaces"))
    }

    pub async fn datasources(&self) -> Result<Vec<DatasourceConfig>> {
        Err(Error::NotImplemented("datasources"))
    }

    pub async fn put_datasource(&self, config: DatasourceConfig) -> Result<()> {
        let _ = config;
        Err(Error::NotImplemented("datasources"))
    }

    pub async fn delete_datasource(&self, name: &str) -> Result<()> {
        let _ = name;
        Err(Error::NotImplemented("datasources"))
    }

    /// A value the gateway keeps for itself (record kind `setting`).
    pub async fn setting(&self, name: &str) -> Result<Option<String>> {
        let _ = name;
        Err(Error::NotImplemented("settings"))
    }

    pub async fn put_setting(&self, name: &str, value: &str) -> Result<()> {
        let _ = (name, value);
        Err(Error::NotImplemented("settings"))
    }
}
