//! The registry: what a server has and may be done with it, as one document.
//!
//! Only what is built is in it. `meta_syncable_REPO_SYNCABLE` is absent as long as there is no
//! `changes`; the lists of `meta` and `ajxp_plugin` are absent altogether, because the Python SDK
//! needs two elements in each list it walks and takes a missing list for an empty one.

use cellgate_core::error::Error;
use cellgate_core::{Rights, Tree};

use crate::ops::get_boot_conf::{TITLE, VERSION};
use crate::place::{Place, id_of};
use crate::render::element::Element;

/// Larger files than this are sent in parts by clients. The original's own default.
const UPLOAD_MAX_BYTES: u64 = 2_147_483_648;

/// What is built, and whether it needs to write.
const BUILT: [(&str, bool); 13] = [
    ("ls", false),
    ("stat", false),
    ("download", false),
    ("get_content", false),
    ("mkdir", true),
    ("mkfile", true),
    ("upload", true),
    ("put_content", true),
    ("rename", true),
    ("copy", true),
    ("move", true),
    ("delete", true),
    ("get_xml_registry", false),
];

/// Builds the document; without a tree there is no user in it.
pub async fn registry(
    tree: Option<&Tree>,
    place: Option<&Place>,
    max_leaf_bytes: u64,
) -> Result<Element, Error> {
    let mut registry = Element::new("ajxp_registry");
    if let Some(tree) = tree {
        registry = registry.child(user(tree, place).await?);
    }
    Ok(registry.child(actions()).child(plugins(max_leaf_bytes)))
}

async fn user(tree: &Tree, place: Option<&Place>) -> Result<Element, Error> {
    let principal = tree.principal();
    let flag = |flag: bool| if flag { "1" } else { "0" };
    let mut user = Element::new("user").with("id", principal.login.as_str());
    if let Some(place) = place {
        let rights = place.rights;
        let active = Element::new("active_repo").with("id", place.id());
        user = user.child(active.with("write", flag(rights.write)).with("read", flag(rights.read)));
    }
    let repositories = tree.workspaces().await?.into_iter().map(|(workspace, rights)| {
        Element::new("repo")
            .with("access_type", "fs")
            .with("id", id_of(&workspace))
            .with("repository_type", "workspace")
            .with("allowCrossRepositoryCopy", "true")
            .with("repositorySlug", workspace.slug.as_str())
            .with("acl", acl(rights))
            .child(Element::new("label").text(workspace.label))
            .child(Element::new("description").text(workspace.description))
    });
    let preference = |name: &str, value: &str| Element::new("pref").with("name", name).with("value", value);
    let shown = if principal.display_name.is_empty() { &principal.login } else { &principal.display_name };
    Ok(user
        .child(Element::new("repositories").children(repositories))
        .child(Element::new("preferences").children([
            preference("lang", "en"),
            preference("USER_DISPLAY_NAME", shown),
            preference("email", &principal.email),
        ]))
        .child(Element::new("special_rights").with("is_admin", flag(principal.admin))))
}

fn acl(rights: Rights) -> String {
    if rights == Rights::NONE { String::new() } else { rights.to_string() }
}

fn actions() -> Element {
    let action = |(name, write): (&'static str, bool)| {
        let context = Element::new("rightsContext")
            .with("noUser", "false")
            .with("userLogged", "only")
            .with("read", if write { "false" } else { "true" })
            .with("write", if write { "true" } else { "false" });
        Element::new("action").with("name", name).child(context)
    };
    Element::new("actions").children(BUILT.into_iter().map(action))
}

fn plugins(max_leaf_bytes: u64) -> Element {
    let limit = if max_leaf_bytes == 0 { UPLOAD_MAX_BYTES } else { max_leaf_bytes.min(UPLOAD_MAX_BYTES) };
    // Values are JSON inside CDATA; lists have two elements at least.
    let property = |name: &str, value: serde_json::Value| {
        Element::new("property").with("name", name).cdata(value.to_string())
    };
    let plugin = |id: &str, properties: Vec<Element>| {
        Element::new("ajxpcore").with("id", id).child(Element::new("plugin_configs").children(properties))
    };
    Element::new("plugins").children([
        plugin(
            "core.ajaxplorer",
            vec![property("APPLICATION_TITLE", TITLE.into()), property("AJXP_VERSION", VERSION.into())],
        ),
        plugin(
            "core.uploader",
            vec![property("UPLOAD_MAX_SIZE", limit.into()), property("UPLOAD_MAX_NUMBER", 0.into())],
        ),
        plugin(
            "core.mq",
            vec![property("WS_ACTIVE", false.into()), property("BOOSTER_WS_ACTIVE", false.into())],
        ),
    ])
}
