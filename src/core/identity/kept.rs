//! Directory types as records. Each type says once what it is kept under.

use futures_util::future::BoxFuture;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::{Error, Result};
use crate::identity::{ApiKey, Grant, Group, Identity, Role, Session, Subject, Target, Token, User};
use crate::ports::{self, DatasourceConfig, Record, Txn};
use crate::workspace::Workspace;

/// Something the directory keeps.
pub(super) trait Kept: Serialize + DeserializeOwned + Send + Sync + 'static {
    const KIND: &'static str;

    fn id(&self) -> String;
    fn name(&self) -> String {
        String::new()
    }
    fn owner(&self) -> String {
        String::new()
    }
    fn expires(&self) -> Option<i64> {
        None
    }

    fn record(&self) -> Result<Record> {
        self.record_named(self.name())
    }

    /// For types whose name is no field of theirs: the digest of a secret.
    fn record_named(&self, name: String) -> Result<Record> {
        Ok(Record {
            kind: Self::KIND.into(),
            id: self.id(),
            name,
            owner: self.owner(),
            expires_ns: self.expires(),
            body: serde_json::to_string(self).map_err(Error::internal)?,
        })
    }

    fn of(record: &Record) -> Result<Self> {
        serde_json::from_str(&record.body).map_err(|cause| {
            // Bodies hold password hashes: name the record, never quote it.
            Error::internal(format!(
                "{} record {} is damaged: {:?}",
                record.kind,
                record.id,
                cause.classify()
            ))
        })
    }
}

impl Kept for User {
    const KIND: &'static str = "user";
    fn id(&self) -> String {
        self.uuid.to_string()
    }
    fn name(&self) -> String {
        self.login.to_lowercase()
    }
    fn owner(&self) -> String {
        self.group.clone()
    }
}

impl Kept for Group {
    const KIND: &'static str = "group";
    fn id(&self) -> String {
        self.uuid.to_string()
    }
    fn name(&self) -> String {
        self.path.clone()
    }
    fn owner(&self) -> String {
        super::groups::parent(&self.path).unwrap_or_default()
    }
}

impl Kept for Role {
    const KIND: &'static str = "role";
    fn id(&self) -> String {
        self.uuid.to_string()
    }
    fn name(&self) -> String {
        self.label.clone()
    }
}

impl Kept for Grant {
    const KIND: &'static str = "grant";
    fn id(&self) -> String {
        self.uuid.to_string()
    }
    // One grant per pair, also when two gateways write at once: the store keeps names unique.
    fn name(&self) -> String {
        match self.target {
            Target::Workspace(uuid) => format!("{} workspace {uuid}", self.subject.uuid()),
            Target::Node(node) => format!("{} node {}", self.subject.uuid(), node.0),
        }
    }
    fn owner(&self) -> String {
        self.subject.uuid().to_string()
    }
}

impl Subject {
    /// The uuid of the user, group or role.
    pub fn uuid(&self) -> uuid::Uuid {
        match self {
            Self::User(uuid) | Self::Group(uuid) | Self::Role(uuid) => *uuid,
        }
    }
}

impl Kept for Workspace {
    const KIND: &'static str = "workspace";
    fn id(&self) -> String {
        self.uuid.to_string()
    }
    fn name(&self) -> String {
        self.slug.clone()
    }
}

impl Kept for DatasourceConfig {
    const KIND: &'static str = "datasource";
    fn id(&self) -> String {
        self.name.clone()
    }
    fn name(&self) -> String {
        self.name.clone()
    }
}

impl Kept for ApiKey {
    const KIND: &'static str = "key";
    fn id(&self) -> String {
        self.id.clone()
    }
    fn owner(&self) -> String {
        self.user.to_string()
    }
    fn expires(&self) -> Option<i64> {
        self.expires_ns
    }
}

impl Kept for Token {
    const KIND: &'static str = "token";
    fn id(&self) -> String {
        self.uuid.to_string()
    }
    fn owner(&self) -> String {
        self.user.to_string()
    }
    fn expires(&self) -> Option<i64> {
        self.expires_ns
    }
}

impl Kept for Session {
    const KIND: &'static str = "session";
    fn id(&self) -> String {
        self.uuid.to_string()
    }
    fn owner(&self) -> String {
        self.user.map(|user| user.to_string()).unwrap_or_default()
    }
    fn expires(&self) -> Option<i64> {
        Some(self.expires_ns)
    }
}

impl Identity {
    pub(super) async fn get<T: Kept>(&self, id: &str) -> Result<Option<T>> {
        self.inner.index.record(T::KIND, id).await?.as_ref().map(T::of).transpose()
    }

    pub(super) async fn by_name<T: Kept>(&self, name: &str) -> Result<Option<T>> {
        self.inner.index.record_by_name(T::KIND, name).await?.as_ref().map(T::of).transpose()
    }

    pub(super) async fn all<T: Kept>(&self, owner: Option<&str>) -> Result<Vec<T>> {
        self.inner.index.records(T::KIND, owner).await?.iter().map(T::of).collect()
    }

    pub(super) async fn commit<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: for<'t> FnOnce(&'t mut dyn Txn) -> BoxFuture<'t, Result<T>> + Send + 'static,
    {
        ports::commit(&*self.inner.index, work).await
    }
}

// The same inside a transaction.

pub(super) async fn get<T: Kept>(txn: &mut dyn Txn, id: &str) -> Result<Option<T>> {
    txn.record(T::KIND, id).await?.as_ref().map(T::of).transpose()
}

pub(super) async fn by_name<T: Kept>(txn: &mut dyn Txn, name: &str) -> Result<Option<T>> {
    txn.record_by_name(T::KIND, name).await?.as_ref().map(T::of).transpose()
}

pub(super) async fn all<T: Kept>(txn: &mut dyn Txn, owner: Option<&str>) -> Result<Vec<T>> {
    txn.records(T::KIND, owner).await?.iter().map(T::of).collect()
}

pub(super) async fn put<T: Kept>(txn: &mut dyn Txn, value: &T) -> Result<()> {
    txn.put_record(&value.record()?).await
}

/// Deletes all of a kind that hang on one owner.
pub(super) async fn delete_owned(txn: &mut dyn Txn, kind: &str, owner: &str) -> Result<()> {
    for record in txn.records(kind, Some(owner)).await? {
        txn.delete_record(kind, &record.id).await?;
    }
    Ok(())
}
