//! A user's grants, merged into a principal.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use uuid::Uuid;

use crate::error::{Error, Result};
use crate::identity::{Grant, Group, Identity, Target, User, groups};
use crate::node::NodeId;
use crate::path::NodePath;
use crate::principal::{Principal, Rights, Scope, SharedPrincipal};
use crate::workspace::Workspace;

/// The grants that concern one user, by how near they are.
#[derive(Default)]
pub(super) struct Grants {
    pub(super) own: Vec<Grant>,
    pub(super) roles: Vec<Grant>,
    /// Of the user's group and all above it; they are equals.
    pub(super) groups: Vec<Grant>,
}

/// What the grants come to: the user's own beat the roles', they beat the groups'; among equals
/// rights add up.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Merged {
    pub(super) workspaces: HashMap<Uuid, Rights>,
    pub(super) nodes: HashMap<NodeId, Rights>,
}

impl Grants {
    pub(super) fn merge(&self) -> Merged {
        let mut merged = Merged::default();
        for level in [&self.groups, &self.roles, &self.own] {
            let mut here = Merged::default();
            for grant in level {
                match grant.target {
                    Target::Workspace(uuid) => add(&mut here.workspaces, uuid, grant.rights),
                    Target::Node(node) => add(&mut here.nodes, node, grant.rights),
                }
            }
            // Nearer levels come later and replace, also by fewer rights.
            merged.workspaces.extend(here.workspaces);
            merged.nodes.extend(here.nodes);
        }
        merged
    }
}

fn add<K: Hash + Eq>(rights: &mut HashMap<K, Rights>, target: K, more: Rights) {
    let entry = rights.entry(target).or_default();
    *entry = entry.or(more);
}

impl Merged {
    /// Fills in the rights that everybody has where no grant says otherwise.
    pub(super) fn with_defaults(mut self, workspaces: &[Arc<Workspace>]) -> Self {
        for workspace in workspaces {
            self.workspaces.entry(workspace.uuid).or_insert(workspace.default_rights);
        }
        self
    }
}

impl Identity {
    /// Builds the principal of a user under the limits of a credential.
    pub(super) async fn principal(&self, user: &User, scope: Scope) -> Result<SharedPrincipal> {
        let workspaces = self.workspaces().await?;
        let merged = self.grants_for(user).await?.merge().with_defaults(&workspaces);
        let scope_path = scope
            .path
            .as_deref()
            .map(NodePath::parse)
            .transpose()
            .map_err(|_| Error::internal("the path of a credential's scope is damaged"))?;
        Ok(Arc::new(Principal {
            login: user.login.clone(),
            uuid: user.uuid,
            display_name: user.display_name.clone(),
            email: user.email.clone(),
            admin: user.admin,
            group: user.group.clone(),
            workspaces: merged.workspaces,
            nodes: merged.nodes,
            scope,
            scope_path,
        }))
    }

    async fn grants_for(&self, user: &User) -> Result<Grants> {
        let mut grants = Grants { own: self.grants_of(user.uuid).await?, ..Grants::default() };
        for role in &user.roles {
            grants.roles.extend(self.grants_of(*role).await?);
        }
        let mut path = Some(user.group.clone());
        while let Some(here) = path {
            if let Some(group) = self.by_name::<Group>(&here).await? {
                grants.groups.extend(self.grants_of(group.uuid).await?);
            }
            path = groups::parent(&here);
        }
        Ok(grants)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::Subject;

    const WORKSPACE: Uuid = Uuid::from_u128(1);
    const WRITE: Rights = Rights { read: false, write: true };

    fn grant(target: Target, rights: Rights) -> Grant {
        Grant { uuid: Uuid::new_v4(), subject: Subject::User(Uuid::nil()), target, rights }
    }

    fn on_workspace(rights: Rights) -> Grant {
        grant(Target::Workspace(WORKSPACE), rights)
    }

    fn merged(own: &[Rights], roles: &[Rights], groups: &[Rights]) -> Option<Rights> {
        let grants = |rights: &[Rights]| rights.iter().copied().map(on_workspace).collect();
        let grants = Grants { own: grants(own), roles: grants(roles), groups: grants(groups) };
        grants.merge().workspaces.get(&WORKSPACE).copied()
    }

    #[test]
    fn the_nearest_level_decides_even_by_taking_away() {
        assert_eq!(merged(&[], &[], &[Rights::READ]), Some(Rights::READ));
        assert_eq!(merged(&[], &[Rights::ALL], &[Rights::READ]), Some(Rights::ALL));
        assert_eq!(merged(&[], &[Rights::NONE], &[Rights::ALL]), Some(Rights::NONE));
        assert_eq!(merged(&[Rights::READ], &[Rights::ALL], &[Rights::ALL]), Some(Rights::READ));
        assert_eq!(merged(&[Rights::NONE], &[Rights::ALL], &[]), Some(Rights::NONE));
        assert_eq!(merged(&[], &[], &[]), None);
    }

    #[test]
    fn among_equals_rights_add_up() {
        assert_eq!(merged(&[], &[Rights::READ, WRITE], &[]), Some(Rights::ALL));
        assert_eq!(merged(&[], &[Rights::NONE, WRITE], &[Rights::READ]), Some(WRITE));
        assert_eq!(merged(&[], &[], &[WRITE, Rights::READ]), Some(Rights::ALL));
    }

    #[test]
    fn levels_are_decided_per_target() {
        let node = Target::Node(NodeId(9));
        let grants = Grants {
            own: vec![grant(node, Rights::NONE)],
            roles: vec![],
            groups: vec![on_workspace(Rights::ALL), grant(node, Rights::ALL)],
        };
        let merged = grants.merge();
        assert_eq!(merged.workspaces[&WORKSPACE], Rights::ALL);
        assert_eq!(merged.nodes[&NodeId(9)], Rights::NONE);
    }

    #[test]
    fn defaults_hold_only_where_no_grant_says_otherwise() {
        let workspace = |number, default_rights| Workspace {
            uuid: Uuid::from_u128(number),
            slug: number.to_string(),
            label: String::new(),
            description: String::new(),
            aliases: vec![],
            datasource: "d".into(),
            root: String::new(),
            default_rights,
            recycle: true,
            versions: 0,
            versions_suspended: false,
            tags: String::new(),
            created_by: None,
            created_ns: 0,
        };
        let grants = Grants { own: vec![on_workspace(Rights::NONE)], ..Grants::default() };
        let merged = grants
            .merge()
            .with_defaults(&[workspace(1, Rights::ALL), workspace(2, Rights::READ)].map(Arc::new));
        assert_eq!(merged.workspaces[&Uuid::from_u128(1)], Rights::NONE);
        assert_eq!(merged.workspaces[&Uuid::from_u128(2)], Rights::READ);
    }
}
