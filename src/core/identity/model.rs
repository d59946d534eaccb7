//! Users, groups, roles, grants, keys, tokens and sessions, as the directory keeps them.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::node::NodeId;
use crate::principal::{Door, Rights, Scope};

/// Record kind `user`; id = uuid, name = login in lower case (so that no two differ by case alone),
/// owner = group path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    pub uuid: Uuid,
    pub login: String,
    /// PHC text, or a form of an older server; empty when there is no password.
    pub password: String,
    #[serde(default)]
    pub display_name: String,
    #[serde(default)]
    pub email: String,
    /// `/` or `/sales/north`.
    pub group: String,
    /// Uuids of roles.
    #[serde(default)]
    pub roles: Vec<Uuid>,
    #[serde(default)]
    pub admin: bool,
    /// Signs in nowhere.
    #[serde(default)]
    pub locked: bool,
    #[serde(default)]
    pub created_ns: i64,
    /// Free attributes of the protocols (avatar, locale, …).
    #[serde(default)]
    pub attributes: std::collections::BTreeMap<String, String>,
}

/// Record kind `group`; id = uuid, name = path, owner = parent path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    pub uuid: Uuid,
    /// `/sales/north`.
    pub path: String,
    #[serde(default)]
    pub label: String,
}

/// Record kind `role`; id = uuid, name = label.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Role {
    pub uuid: Uuid,
    pub label: String,
}

/// Who a grant is for: the uuid of a user, group or role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "uuid", rename_all = "lowercase")]
pub enum Subject {
    User(Uuid),
    Group(Uuid),
    Role(Uuid),
}

/// What a grant is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "id", rename_all = "lowercase")]
pub enum Target {
    Workspace(Uuid),
    /// The node and all below; replaces what holds above it.
    Node(NodeId),
}

/// Rights of a subject on a target. Record kind `grant`; id = uuid, name = subject and target,
/// owner = subject's uuid.
/// Where several apply to one target, the user's own beats the roles', they beat the groups';
/// among equals rights add up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    pub uuid: Uuid,
    pub subject: Subject,
    pub target: Target,
    pub rights: Rights,
}

/// A pair of id and secret. Works as S3 key, Basic login and password, Pydio 8 key and secret, and
/// as the bearer `id:secret`. Record kind `key`; id = the key's id, owner = user uuid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiKey {
    /// `cg` and 18 characters of `A-Z2-7`.
    pub id: String,
    pub user: Uuid,
    /// The secret, sealed under the server key: SigV4 and Pydio 8 hashes must recompute with it.
    pub sealed_secret: String,
    #[serde(default)]
    pub label: String,
    #[serde(default)]
    pub scope: Scope,
    #[serde(default)]
    pub created_ns: i64,
    pub expires_ns: Option<i64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TokenKind {
    /// Long-lived, made by its user; 43 characters of base64url.
    Personal,
    /// Exchanged for new access tokens; single use.
    Refresh,
    /// Seafile's `auth-token`: 40 hex digits.
    Seafile,
    /// A download or upload link of the Seafile door: short-lived, bound to a path and an action.
    Link,
}

/// Record kind `token`; id = uuid, name = keyed digest of the secret, owner = user uuid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Token {
    pub uuid: Uuid,
    pub kind: TokenKind,
    pub user: Uuid,
    #[serde(default)]
    pub label: String,
    #[serde(default)]
    pub scope: Scope,
    #[serde(default)]
    pub created_ns: i64,
    pub expires_ns: Option<i64>,
    /// What the protocol that issued it needs with it (JSON); a link's path and action.
    #[serde(default)]
    pub payload: String,
}

/// Record kind `session`; id = uuid, name = keyed digest of the secret, owner = user uuid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    pub uuid: Uuid,
    /// `None` before the sign-in (Pydio 8 hands out a session first).
    pub user: Option<Uuid>,
    pub door: Door,
    pub created_ns: i64,
    pub expires_ns: i64,
    /// What the door keeps: secure token, seed, current workspace.
    #[serde(default)]
    pub data: std::collections::BTreeMap<String, String>,
    /// Limits of the credential it was signed in with.
    #[serde(default)]
    pub scope: Scope,
}
