//! Grants: rights of users, groups and roles on workspaces and nodes. How they are merged is in
//! `rights`.
//!
//! Known gap: deleting a node leaves its grants behind; they reach nothing, since ids of nodes are
//! not used twice.

use uuid::Uuid;

use crate::error::{Error, Result};
use crate::identity::kept::{self, Kept as _};
use crate::identity::{Grant, Group, Identity, Role, Subject, Target, User};
use crate::ports::Txn;
use crate::workspace::Workspace;

impl Identity {
    pub async fn grants(&self) -> Result<Vec<Grant>> {
        self.all(None).await
    }

    /// The grants of one user, group or role.
    pub async fn grants_of(&self, subject: Uuid) -> Result<Vec<Grant>> {
        self.all(Some(&subject.to_string())).await
    }

    /// Sets the rights of a subject on a target, replacing an earlier grant of the same pair. The
    /// answer bears the uuid of the grant as kept.
    pub async fn grant(&self, grant: Grant) -> Result<Grant> {
        self.commit(move |txn| {
            Box::pin(async move {
                check_subject(txn, grant.subject).await?;
                check_target(txn, grant.target).await?;
                let uuid = match kept::by_name::<Grant>(txn, &grant.name()).await? {
                    Some(earlier) => earlier.uuid,
                    None => Uuid::new_v4(),
                };
                let grant = Grant { uuid, ..grant };
                kept::put(txn, &grant).await?;
                Ok(grant)
            })
        })
        .await
    }

    pub async fn delete_grant(&self, uuid: Uuid) -> Result<()> {
        let uuid = uuid.to_string();
        self.commit(move |txn| {
            Box::pin(async move {
                if txn.delete_record(Grant::KIND, &uuid).await? { Ok(()) } else { Err(Error::NotFound(uuid)) }
            })
        })
        .await
    }
}

async fn check_subject(txn: &mut dyn Txn, subject: Subject) -> Result<()> {
    let kind = match subject {
        Subject::User(_) => User::KIND,
        Subject::Group(_) => Group::KIND,
        Subject::Role(_) => Role::KIND,
    };
    let uuid = subject.uuid();
    if txn.record(kind, &uuid.to_string()).await?.is_none() {
        return Err(Error::InvalidArgument(format!("there is no {kind} {uuid}")));
    }
    Ok(())
}

async fn check_target(txn: &mut dyn Txn, target: Target) -> Result<()> {
    match target {
        Target::Workspace(uuid) => {
            if txn.record(Workspace::KIND, &uuid.to_string()).await?.is_none() {
                return Err(Error::InvalidArgument(format!("there is no workspace {uuid}")));
            }
        }
        Target::Node(id) => {
            if txn.node(id).await?.is_none() {
                return Err(Error::InvalidArgument(format!("there is no node {}", id.0)));
            }
        }
    }
    Ok(())
}
