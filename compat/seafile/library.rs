//! A workspace as a library, and paths inside one.

use cellgate_core::{Error, Node, NodePath, Principal, Rights, Tree, Workspace};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use crate::error::SeafileError;
use crate::ids;

pub struct Library {
    pub workspace: Workspace,
    pub rights: Rights,
}

impl Library {
    /// By the id that listings show.
    pub async fn open(tree: &Tree, id: &str) -> Result<Self, SeafileError> {
        let missing = || SeafileError::not_found(format!("Library {id} not found."));
        if uuid::Uuid::try_parse(id).is_err() {
            return Err(missing());
        }
        match tree.workspace(id).await {
            Ok((workspace, rights)) => Ok(Self { workspace, rights }),
            Err(Error::NotFound(_) | Error::Denied { .. }) => Err(missing()),
            Err(error) => Err(error.into()),
        }
    }

    pub fn id(&self) -> String {
        self.workspace.uuid.to_string()
    }

    /// The node path of a path inside the library, with or without slashes at its ends.
    pub fn path(&self, inside: &str) -> Result<NodePath, Error> {
        NodePath::root().join(&self.workspace.slug)?.descend(inside)
    }

    pub fn permission(&self) -> &'static str {
        permission(self.rights)
    }
}

pub fn permission(rights: Rights) -> &'static str {
    if rights.write { "rw" } else { "r" }
}

/// A path inside its library, `/docs/a.txt`; `/` for the library itself.
pub fn inside(path: &NodePath) -> String {
    path.below_first().to_string()
}

/// The same for a folder, which ends in a slash.
pub fn inside_folder(path: &NodePath) -> String {
    let inside = inside(path);
    if inside.ends_with('/') { inside } else { format!("{inside}/") }
}

/// Kept as they are in URLs; everything else is percent-encoded.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~').remove(b'/');

/// A path for the query of a URL, or a name for its path.
pub fn quoted(text: &str) -> String {
    utf8_percent_encode(text, PLAIN).to_string()
}

/// The name by which Seafile knows an account: an address.
pub fn email(principal: &Principal) -> String {
    if !principal.email.is_empty() {
        principal.email.clone()
    } else if principal.login.contains('@') {
        principal.login.clone()
    } else {
        format!("{}{LOCAL_DOMAIN}", principal.login)
    }
}

/// What makes an address of a login; recent servers write their own ids so.
pub const LOCAL_DOMAIN: &str = "@auth.local";

/// The name to show for an account.
pub fn name(principal: &Principal) -> &str {
    if principal.display_name.is_empty() { &principal.login } else { &principal.display_name }
}

/// An entry of `GET /api2/repos/`. A personal workspace is the caller's own library, any other one is
/// everybody's: the sort that has no owner to show.
pub fn listed(library: &Library, root: &Node, principal: &Principal) -> Value {
    let workspace = &library.workspace;
    let mut entry = json!({
        "type": "repo",
        "id": workspace.uuid,
        "owner": email(principal),
        "owner_name": name(principal),
        "owner_contact_email": email(principal),
        "name": workspace.label,
        "mtime": root.mtime_s(),
        "modifier_email": "",
        "modifier_contact_email": "",
        "modifier_name": "",
        "mtime_relative": "",
        "size": 0,
        "size_formatted": "0 bytes",
        "encrypted": false,
        "permission": library.permission(),
        "virtual": false,
        "root": "",
        "head_commit_id": ids::commit(root),
        "version": 1,
        "salt": "",
    });
    if !workspace.is_personal() {
        entry["type"] = json!("grepo");
        entry["owner"] = json!("Organization");
        entry["owner_name"] = json!("Organization");
        entry["owner_contact_email"] = json!("");
        entry["groupid"] = json!(0);
        entry["group_name"] = json!("Organization");
        entry["share_from"] = json!("");
        entry["share_from_name"] = json!("");
        entry["share_from_contact_email"] = json!("");
        entry["share_type"] = json!("public");
    }
    entry
}
