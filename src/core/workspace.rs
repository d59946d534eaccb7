//! Workspaces: the first segment of every user's path.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::principal::Rights;

/// A named entry into a datasource. Kept as a record of the directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Workspace {
    pub uuid: Uuid,
    /// First segment of paths: `personal-files`.
    pub slug: String,
    pub label: String,
    #[serde(default)]
    pub description: String,
    /// Other names by which old clients ask for it (`my-files`, `1`).
    #[serde(default)]
    pub aliases: Vec<String>,
    pub datasource: String,
    /// Folder of the datasource that is the workspace's root; `{login}` stands for the caller's
    /// login, so that everybody has a root of their own. Empty for the whole datasource.
    #[serde(default)]
    pub root: String,
    /// Rights of everybody who signs in, where no grant says otherwise.
    pub default_rights: Rights,
    /// Whether removing moves nodes into `recycle_bin` below the root, where the door asks for the
    /// workspace's habit.
    #[serde(default = "yes")]
    pub recycle: bool,
    /// How many earlier contents of a leaf are kept; 0 keeps none. In `flat` datasources only.
    #[serde(default)]
    pub versions: u32,
    /// No new versions for now; those there are stay.
    #[serde(default)]
    pub versions_suspended: bool,
    /// Tags, in the form of [`crate::tree::TAGS`].
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub tags: String,
    /// The user who made it through a door, and may remove it there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_by: Option<Uuid>,
    #[serde(default)]
    pub created_ns: i64,
}

fn yes() -> bool {
    true
}

impl Workspace {
    /// Whether each user has a root of their own.
    pub fn is_personal(&self) -> bool {
        self.root.contains("{login}")
    }

    pub fn versioning(&self) -> Versioning {
        match (self.versions, self.versions_suspended) {
            (0, _) => Versioning::Off,
            (_, false) => Versioning::Enabled,
            (_, true) => Versioning::Suspended,
        }
    }

    /// Whether `name` is the slug, the uuid or an alias.
    pub fn answers_to(&self, name: &str) -> bool {
        self.slug == name
            || self.aliases.iter().any(|alias| alias == name)
            || Uuid::try_parse(name).is_ok_and(|uuid| uuid == self.uuid)
    }
}

/// Name of the recycle bin, a collection directly below a workspace's root.
pub const RECYCLE_BIN: &str = "recycle_bin";

/// How many earlier contents are kept where only "keep versions" is asked for.
pub const VERSIONS_DEFAULT: u32 = 100;

/// Whether replaced contents are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Versioning {
    Off,
    Enabled,
    /// What was kept stays; what is written now has no version of its own and is replaced for good.
    Suspended,
}
