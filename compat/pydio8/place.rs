//! The workspace a call is in, and paths inside it.
//!
//! The original blanks `.` and `..` out of paths and drops NUL; here such a path is refused with the
//! text it has for characters it refuses, so that a request never acts on another node than it
//! named. Its ban on `" | ? \`, leading blanks and HTML entities holds for names that are being
//! given; nodes that got such names through another door can be read, moved and deleted.

use cellgate_core::error::Error;
use cellgate_core::workspace::{RECYCLE_BIN, Workspace};
use cellgate_core::{NodePath, Rights, Tree};

use crate::error::Fault;

/// A workspace that the caller may use.
#[derive(Debug, Clone)]
pub struct Place {
    pub workspace: Workspace,
    pub rights: Rights,
}

impl Place {
    /// Finds a workspace by id, alias or slug. `pydio` is the first one the caller may use.
    pub async fn resolve(tree: &Tree, name: &str) -> Result<Self, Fault> {
        let unknown = || Fault::text(format!("Could not find workspace with id/alias {name}"));
        if name == "pydio" {
            let first = tree.workspaces().await?.into_iter().next();
            return first.map(|(workspace, rights)| Self { workspace, rights }).ok_or_else(unknown);
        }
        let error = match tree.workspace(name).await {
            Ok((workspace, rights)) => return Ok(Self { workspace, rights }),
            Err(error) => error,
        };
        if !matches!(error, Error::NotFound(_) | Error::Denied { .. } | Error::InvalidName(_)) {
            return Err(error.into());
        }
        if name == "settings" || name == "ajxp_conf" {
            return Err(if tree.principal().admin {
                Fault::NotBuilt("The workspace settings".into())
            } else {
                Fault::NoWorkspaceRight
            });
        }
        let all = tree.core().identity().workspaces().await?;
        let exists = all.iter().any(|workspace| workspace.answers_to(name));
        Err(if exists { Fault::NoWorkspaceRight } else { unknown() })
    }

    /// The id that clients keep: the one an imported workspace had, else the uuid without dashes,
    /// which has the same form as ids of the original.
    pub fn id(&self) -> String {
        id_of(&self.workspace)
    }

    /// The node at a path inside the workspace.
    pub fn path(&self, inside: &str) -> Result<NodePath, Fault> {
        let path = format!("/{}/{}", self.workspace.slug, inside);
        let path = NodePath::parse(&path).map_err(|_| forbidden(inside))?;
        let hidden = path.names().iter().skip(1).find(|name| is_hidden(name));
        match hidden {
            Some(name) => Err(Fault::Hidden(name.clone())),
            None => Ok(path),
        }
    }

    /// The path of a node that gets a new name here.
    pub fn target(&self, inside: &str) -> Result<NodePath, Fault> {
        let path = self.path(inside)?;
        match path.name() {
            Some(name) if path.depth() > 1 && is_forbidden(name) => Err(forbidden(inside)),
            _ => Ok(path),
        }
    }

    /// A new name in a folder; slashes have no business in it.
    pub fn child(&self, folder: &str, name: &str) -> Result<NodePath, Fault> {
        if name.is_empty() || name.contains('/') {
            return Err(forbidden(name));
        }
        self.target(&format!("{folder}/{name}"))
    }

    /// The recycle bin, if the workspace has one.
    pub fn bin(&self) -> Option<NodePath> {
        let path = format!("/{}/{RECYCLE_BIN}", self.workspace.slug);
        self.workspace.recycle.then(|| NodePath::parse(&path).ok()).flatten()
    }

    /// Whether a path is the workspace itself.
    pub fn is_root(path: &NodePath) -> bool {
        path.depth() <= 1
    }
}

pub fn id_of(workspace: &Workspace) -> String {
    let legacy = workspace.aliases.iter().find(|alias| {
        let digits = alias.bytes().all(|byte| byte.is_ascii_digit());
        let hex = alias.len() == 32 && alias.bytes().all(|byte| byte.is_ascii_hexdigit());
        !alias.is_empty() && (digits || hex)
    });
    legacy.cloned().unwrap_or_else(|| workspace.uuid.simple().to_string())
}

/// A path inside the workspace, as this protocol writes it.
pub fn inside(path: &NodePath) -> String {
    path.below_first().to_string()
}

/// The folder of a path, as this protocol writes it.
pub fn folder_of(path: &NodePath) -> String {
    path.below_first().parent().unwrap_or_default().to_string()
}

/// The last name of a path; empty for the workspace itself.
pub fn name_of(path: &NodePath) -> &str {
    if Place::is_root(path) { "" } else { path.name().unwrap_or_default() }
}

fn forbidden(original: &str) -> Fault {
    Fault::text(format!("{original} contains forbidden characters"))
}

/// Names that the protocol neither lists nor touches.
pub fn is_hidden(name: &str) -> bool {
    let extension = name.rsplit_once('.').map(|(_, extension)| extension);
    name.starts_with('.') || extension == Some("ser") || name == "bootstrap.json"
}

/// Names that the protocol does not give.
fn is_forbidden(name: &str) -> bool {
    let entity = |text: &str| {
        let Some((body, _)) = text.split_once(';') else { return false };
        let body = body.strip_prefix('#').unwrap_or(body);
        !body.is_empty() && body.bytes().all(|byte| byte.is_ascii_alphanumeric())
    };
    name.contains(['"', '|', '?', '\\'])
        || name.starts_with(char::is_whitespace)
        || name.split('&').skip(1).any(entity)
}

#[cfg(test)]
mod tests {
    use cellgate_core::http::date::now_ns;

    use super::*;
    use crate::error::Answer;

    fn place() -> Place {
        let workspace = Workspace {
            uuid: "0f8fad5b-d9cb-469f-a165-70867728950e".parse().unwrap(),
            slug: "personal-files".into(),
            label: "My Files".into(),
            description: String::new(),
            aliases: vec!["my-files".into(), "1".into()],
            datasource: "personal".into(),
            root: "{login}".into(),
            default_rights: Rights::ALL,
            recycle: true,
            versions: 0,
            versions_suspended: false,
            tags: String::new(),
            created_by: None,
            created_ns: now_ns(),
        };
        Place { workspace, rights: Rights::ALL }
    }

    #[test]
    fn paths_are_inside_the_workspace() {
        for text in ["/a/b", "a/b", "/a//b/", "//a/b"] {
            assert_eq!(place().path(text).unwrap().to_string(), "/personal-files/a/b", "{text}");
        }
        assert!(Place::is_root(&place().path("/").unwrap()));
        let path = place().path("/a/b").unwrap();
        assert_eq!((inside(&path).as_str(), folder_of(&path).as_str()), ("/a/b", "/a"));
        assert_eq!(folder_of(&place().path("/a").unwrap()), "/");
    }

    #[test]
    fn paths_that_climb_or_corrupt_are_refused_in_the_protocols_words() {
        for text in ["/..", "/a/../b", "/a/./b", "/a\0", "/a\u{7}"] {
            let Answer::Message(_, message) = place().path(text).unwrap_err().answer() else { panic!() };
            assert_eq!(message, format!("{text} contains forbidden characters"));
        }
        for name in ["a\"b", "a|b", "a?b", "a\\b", " a", "a&amp;b", "a&#x41;b"] {
            assert!(place().target(name).is_err(), "{name}");
            assert!(place().path(name).is_ok(), "{name}");
        }
        for name in ["a*b", "a:b", "a<b>", "R&D; Co", "R&D", "a b"] {
            let refused = name == "R&D; Co";
            assert_eq!(place().target(name).is_err(), refused, "{name}");
        }
        for name in ["", "a/b"] {
            assert!(place().child("/d", name).is_err(), "{name}");
        }
    }

    #[test]
    fn hidden_names_are_forbidden_anywhere_in_a_path() {
        for (text, name) in
            [("/.x", ".x"), ("/a/.b/c", ".b"), ("/x.ser", "x.ser"), ("/bootstrap.json", "bootstrap.json")]
        {
            let Fault::Hidden(hidden) = place().path(text).unwrap_err() else { panic!("{text}") };
            assert_eq!(hidden, name);
        }
        assert!(place().path("/serial").is_ok());
    }

    #[test]
    fn ids_are_those_that_old_clients_kept() {
        let mut place = place();
        assert_eq!(place.id(), "1");
        place.workspace.aliases = vec!["my-files".into()];
        assert_eq!(place.id(), "0f8fad5bd9cb469fa16570867728950e");
    }
}
