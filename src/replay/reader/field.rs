//! What a field is, by its name and its parent's.

use std::collections::HashMap;

use super::data::{Fields, Source};

/// An attribute, an element's text, a JSON member or a header.
#[derive(Debug, Clone, Copy)]
pub struct Field<'a> {
    /// Name of the element or object that it belongs to.
    pub parent: &'a str,
    pub name: &'a str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    Plain,
    Ignored,
    Prose,
    Machine,
    Exact,
    Name,
    Version,
    Remaining,
    /// Says who somebody is; the replay's user is somebody else.
    Person,
    /// A media type.
    Media,
    /// An identifier of a class.
    Id(&'static str),
}

/// Classes by which values are bound; an unknown one in the data is an identifier of no class.
const CLASSES: &[&str] = &["repository", "sequence", "upload", "version", "page", "task", "lock", "id"];

/// Later sources override earlier ones.
pub fn roles(sources: &[&Source]) -> HashMap<String, Role> {
    let mut roles = HashMap::new();
    for source in sources {
        let Fields { ignored, prose, machine, exact, name, version, remaining, person, media } =
            &source.fields;
        for (list, role) in [
            (ignored, Role::Ignored),
            (prose, Role::Prose),
            (machine, Role::Machine),
            (exact, Role::Exact),
            (name, Role::Name),
            (version, Role::Version),
            (remaining, Role::Remaining),
            (person, Role::Person),
            (media, Role::Media),
        ] {
            roles.extend(list.iter().map(|name| (name.to_lowercase(), role)));
        }
        for (class, names) in &source.ids {
            let class = CLASSES.iter().find(|known| *known == class).copied().unwrap_or("id");
            roles.extend(names.iter().map(|name| (name.to_lowercase(), Role::Id(class))));
        }
    }
    roles
}

pub fn role(roles: &HashMap<String, Role>, field: Field<'_>) -> Role {
    let name = field.name.trim_start_matches('@').to_lowercase();
    let owned = || roles.get(&format!("{}@{name}", field.parent.to_lowercase()));
    match owned().or_else(|| roles.get(&name)) {
        Some(role) => *role,
        None if is_amount(&name) => Role::Exact,
        None => Role::Plain,
    }
}

/// Sizes and counts are large numbers too, and no identifiers.
fn is_amount(name: &str) -> bool {
    ["size", "count", "length", "total", "bytes", "usage", "quota", "used", "limit", "offset"]
        .iter()
        .any(|word| name.contains(word))
}
