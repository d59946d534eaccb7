//! Groups and roles.

use uuid::Uuid;

use crate::error::{Error, Result};
use crate::identity::kept::{self, Kept as _};
use crate::identity::{Grant, Group, Identity, Role, User, users};
use crate::path::NodePath;
use crate::ports::Txn;

impl Identity {
    /// All groups, ordered by path. `/` exists always, but is listed only once it has been put.
    pub async fn groups(&self) -> Result<Vec<Group>> {
        self.all(None).await
    }

    pub async fn group(&self, path: &str) -> Result<Option<Group>> {
        self.by_name(&normal(path)?).await
    }

    /// Creates a group or changes its label. Everybody is in `/`; grants of a group hold for the
    /// groups below it.
    pub async fn put_group(&self, path: &str, label: &str) -> Result<Group> {
        let path = normal(path)?;
        let label = users::text("label", label.to_owned())?;
        self.commit(move |txn| {
            Box::pin(async move {
                if let Some(parent) = parent(&path)
                    && check_exists(txn, &parent).await.is_err()
                {
                    return Err(Error::ParentMissing(path));
                }
                let uuid = match kept::by_name::<Group>(txn, &path).await? {
                    Some(group) => group.uuid,
                    None => Uuid::new_v4(),
                };
                let group = Group { uuid, path, label };
                kept::put(txn, &group).await?;
                Ok(group)
            })
        })
        .await
    }

    /// Deletes a group without members, and its grants.
    pub async fn delete_group(&self, path: &str) -> Result<()> {
        let path = normal(path)?;
        self.commit(move |txn| {
            Box::pin(async move {
                let Some(group) = kept::by_name::<Group>(txn, &path).await? else {
                    return Err(Error::NotFound(path));
                };
                for kind in [Group::KIND, User::KIND] {
                    if !txn.records(kind, Some(&path)).await?.is_empty() && path != "/" {
                        return Err(Error::NotEmpty(path));
                    }
                }
                let uuid = group.uuid.to_string();
                kept::delete_owned(txn, Grant::KIND, &uuid).await?;
                txn.delete_record(Group::KIND, &uuid).await?;
                Ok(())
            })
        })
        .await
    }

    /// All roles, ordered by label.
    pub async fn roles(&self) -> Result<Vec<Role>> {
        self.all(None).await
    }

    pub async fn role(&self, label: &str) -> Result<Option<Role>> {
        self.by_name(label).await
    }

    /// Creates a role; one of that label is answered as it is.
    pub async fn put_role(&self, label: &str) -> Result<Role> {
        let label = users::text("label", label.trim().to_owned())?;
        if label.is_empty() {
            return Err(Error::InvalidArgument("the label of the role is empty".into()));
        }
        self.commit(move |txn| {
            Box::pin(async move {
                if let Some(role) = kept::by_name::<Role>(txn, &label).await? {
                    return Ok(role);
                }
                let role = Role { uuid: Uuid::new_v4(), label };
                kept::put(txn, &role).await?;
                Ok(role)
            })
        })
        .await
    }

    /// Deletes a role and its grants, and takes it from all who have it.
    pub async fn delete_role(&self, label: &str) -> Result<()> {
        let label = label.to_owned();
        self.commit(move |txn| {
            Box::pin(async move {
                let Some(role) = kept::by_name::<Role>(txn, &label).await? else {
                    return Err(Error::NotFound(label));
                };
                for mut user in kept::all::<User>(txn, None).await? {
                    if user.roles.contains(&role.uuid) {
                        user.roles.retain(|uuid| *uuid != role.uuid);
                        kept::put(txn, &user).await?;
                    }
                }
                let uuid = role.uuid.to_string();
                kept::delete_owned(txn, Grant::KIND, &uuid).await?;
                txn.delete_record(Role::KIND, &uuid).await?;
                Ok(())
            })
        })
        .await
    }
}

/// The one way to write a group path: `/` or `/sales/north`. Empty means `/`.
pub(super) fn normal(path: &str) -> Result<String> {
    Ok(NodePath::parse(path)?.to_string())
}

/// The path of the group above; `None` on `/`.
pub(super) fn parent(path: &str) -> Option<String> {
    match path.rsplit_once('/')? {
        ("", "") => None,
        ("", _) => Some("/".into()),
        (above, _) => Some(above.into()),
    }
}

pub(super) async fn check_exists(txn: &mut dyn Txn, path: &str) -> Result<()> {
    if path == "/" || txn.record_by_name(Group::KIND, path).await?.is_some() {
        return Ok(());
    }
    Err(Error::InvalidArgument(format!("there is no group `{path}`")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_stand_below_one_another() {
        assert_eq!(parent("/sales/north").as_deref(), Some("/sales"));
        assert_eq!(parent("/sales").as_deref(), Some("/"));
        assert_eq!(parent("/"), None);
        assert_eq!(parent(""), None);
    }

    #[test]
    fn paths_have_one_way_to_be_written() {
        for text in ["sales/north", "/sales/north/", "//sales//north"] {
            assert_eq!(normal(text).unwrap(), "/sales/north");
        }
        assert_eq!(normal("").unwrap(), "/");
        assert!(normal("/sales/../admin").is_err());
    }
}
