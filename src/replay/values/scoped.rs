//! Short values, replaced only where a parameter of their class stands.

use std::borrow::Cow;
use std::collections::HashMap;

use super::view::View;

/// A class of identifiers, the parameters that hold one, and the path segment that comes before one.
struct Place {
    class: &'static str,
    parameters: &'static [&'static str],
    after: &'static [&'static str],
}

const PLACES: &[Place] = &[
    Place {
        class: "repository",
        parameters: &["tmp_repository_id", "repository_id", "dest_repository_id", "workspace_id"],
        after: &["/api/"],
    },
    Place { class: "sequence", parameters: &["seq_id"], after: &["/changes/"] },
    Place { class: "upload", parameters: &["uploadId", "upload-id-marker"], after: &[] },
    Place { class: "version", parameters: &["versionId", "version-id-marker"], after: &[] },
    Place { class: "page", parameters: &["continuation-token", "marker", "key-marker"], after: &[] },
    Place { class: "task", parameters: &["task_id", "taskId", "job_id"], after: &[] },
    Place { class: "id", parameters: &["id", "link_id", "share_id", "hash"], after: &[] },
];

#[derive(Debug, Clone, Default)]
pub struct Scoped {
    fresh: HashMap<(&'static str, String), String>,
}

impl Scoped {
    pub fn set(&mut self, class: &'static str, recorded: &str, fresh: &str) {
        self.fresh.insert((class, recorded.to_owned()), fresh.to_owned());
    }

    /// Replaces in a target, or in a body of form parameters. Other texts have no place for short values.
    pub fn replace<'a>(&self, text: &'a str, target: bool) -> Cow<'a, str> {
        if self.fresh.is_empty() {
            return Cow::Borrowed(text);
        }
        let (path, query) = match text.split_once('?') {
            Some((path, query)) if target => (path, Some(query)),
            None if target => (text, None),
            _ if is_form(text) => ("", Some(text)),
            _ => return Cow::Borrowed(text),
        };
        let path = PLACES.iter().fold(Cow::Borrowed(path), |path, place| {
            place.after.iter().fold(path, |path, marker| match self.segment(place.class, &path, marker) {
                Some(replaced) => Cow::Owned(replaced),
                None => path,
            })
        });
        let query =
            query.map(|query| query.split('&').map(|pair| self.pair(pair)).collect::<Vec<_>>().join("&"));
        match query {
            Some(query) if target => Cow::Owned(format!("{path}?{query}")),
            Some(query) => Cow::Owned(query),
            None => path.into_owned().into(),
        }
    }

    fn segment(&self, class: &'static str, path: &str, marker: &str) -> Option<String> {
        let start = path.find(marker)? + marker.len();
        let rest = path.get(start..)?;
        let end = rest.find('/').unwrap_or(rest.len());
        let fresh = self.fresh.get(&(class, rest.get(..end)?.to_owned()))?;
        Some(format!("{}{}{}", path.get(..start)?, encoded(fresh), rest.get(end..)?))
    }

    fn pair<'a>(&self, pair: &'a str) -> Cow<'a, str> {
        let Some((name, value)) = pair.split_once('=') else { return Cow::Borrowed(pair) };
        let place = PLACES.iter().find(|place| place.parameters.contains(&name));
        let decoded = View::of(value);
        let recorded = String::from_utf8_lossy(decoded.bytes()).into_owned();
        match place.and_then(|place| self.fresh.get(&(place.class, recorded))) {
            Some(fresh) => Cow::Owned(format!("{name}={}", encoded(fresh))),
            None => Cow::Borrowed(pair),
        }
    }
}

fn encoded(text: &str) -> String {
    View::of("").encode(0, 0, text, true)
}

fn is_form(text: &str) -> bool {
    let name = text.split('=').next().unwrap_or_default();
    name.len() < text.len()
        && !name.is_empty()
        && name.len() < 64
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.%[]".contains(&byte))
        && !text.contains(['\n', '<', '{'])
}
