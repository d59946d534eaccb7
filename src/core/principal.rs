//! Principals: who acts, through which door, with which rights.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::node::{Node, NodeId};
use crate::path::NodePath;

/// Through which protocol a request came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Door {
    Cells,
    S3,
    Dav,
    Pydio8,
    Seafile,
    /// Public links and the sign-in pages.
    Web,
    /// The command line of the gateway.
    Cli,
    /// The gateway itself: adoption, sweeps, jobs.
    System,
}

impl Door {
    pub const ALL: [Self; 8] =
        [Self::Cells, Self::S3, Self::Dav, Self::Pydio8, Self::Seafile, Self::Web, Self::Cli, Self::System];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cells => "cells",
            Self::S3 => "s3",
            Self::Dav => "dav",
            Self::Pydio8 => "pydio8",
            Self::Seafile => "seafile",
            Self::Web => "web",
            Self::Cli => "cli",
            Self::System => "system",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|door| door.as_str() == text)
    }
}

impl fmt::Display for Door {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What may be done with a node and all below it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Rights {
    pub read: bool,
    pub write: bool,
}

impl Rights {
    pub const NONE: Self = Self { read: false, write: false };
    pub const READ: Self = Self { read: true, write: false };
    pub const ALL: Self = Self { read: true, write: true };

    /// Reads `""`, `r`, `w` or `rw`.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "" | "-" => Some(Self::NONE),
            "r" => Some(Self::READ),
            "w" => Some(Self { read: false, write: true }),
            "rw" => Some(Self::ALL),
            _ => None,
        }
    }

    pub fn and(self, other: Self) -> Self {
        Self { read: self.read && other.read, write: self.write && other.write }
    }

    pub fn or(self, other: Self) -> Self {
        Self { read: self.read || other.read, write: self.write || other.write }
    }
}

impl fmt::Display for Rights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match (self.read, self.write) {
            (false, false) => "-",
            (true, false) => "r",
            (false, true) => "w",
            (true, true) => "rw",
        })
    }
}

/// Limits that a key or token puts on its user's rights.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Scope {
    /// Only this path (`/<workspace>/…`) and what is below.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rights: Option<Rights>,
    /// Only these doors; empty means all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub doors: Vec<Door>,
}

/// A verified caller. Built by [`crate::Identity`], never by a door.
#[derive(Debug, Clone)]
pub struct Principal {
    pub login: String,
    pub uuid: Uuid,
    pub display_name: String,
    pub email: String,
    pub admin: bool,
    /// Group path, `/` for the top.
    pub group: String,
    /// Rights by workspace uuid, merged over user, roles and groups.
    pub workspaces: HashMap<Uuid, Rights>,
    /// Rights that begin at a node and replace those above it.
    pub nodes: HashMap<NodeId, Rights>,
    pub scope: Scope,
    /// `scope.path`, parsed.
    pub scope_path: Option<NodePath>,
}

impl Principal {
    /// Rights on the last node of an ancestry inside a workspace: the nearest node that has rights
    /// of its own decides, else the workspace does.
    pub fn rights(&self, workspace: Uuid, ancestry: &[Node]) -> Rights {
        let granted = ancestry
            .iter()
            .rev()
            .find_map(|node| self.nodes.get(&node.id))
            .or_else(|| self.workspaces.get(&workspace))
            .copied()
            .unwrap_or_default();
        self.scope.rights.map_or(granted, |limit| granted.and(limit))
    }

    /// Whether the scope of the credential reaches this path. Collections above the scoped path can
    /// be walked through, not written.
    pub fn scope_covers(&self, path: &NodePath) -> ScopeCover {
        match &self.scope_path {
            None => ScopeCover::Full,
            Some(scope) if path.is_within(scope) => ScopeCover::Full,
            Some(scope) if scope.is_within(path) => ScopeCover::Passage,
            Some(_) => ScopeCover::Outside,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScopeCover {
    Full,
    /// On the way to the scoped path: visible, nothing else.
    Passage,
    Outside,
}

/// Shared: one per verified credential, cached.
pub type SharedPrincipal = Arc<Principal>;
