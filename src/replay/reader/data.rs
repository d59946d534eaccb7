//! `readers/*.toml`, as they are written.

use std::collections::BTreeMap;

use serde::Deserialize;

/// One file: a protocol, and the clients that speak it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    #[serde(skip)]
    pub protocol: &'static str,
    #[serde(skip)]
    pub title: &'static str,
    /// That say something to somebody; `x-amz-meta-*` for all that begin so.
    #[serde(default)]
    pub headers: Vec<String>,
    pub order: Option<Order>,
    /// An absent field means zero, empty or false.
    #[serde(default)]
    pub omits_zero: bool,
    /// Elements of which one more or less is another answer.
    #[serde(default)]
    pub entries: Vec<String>,
    /// Lists to which a newer server may add, such as those of settings.
    #[serde(default)]
    pub open: Vec<String>,
    /// Fields that tell the entries of a list apart; `a+b` for both together.
    #[serde(default)]
    pub keys: Vec<String>,
    #[serde(default)]
    pub fields: Fields,
    /// Of each class, the fields that hold an identifier of it.
    #[serde(default)]
    pub ids: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    pub reader: Vec<ReaderData>,
}

/// Names of fields, or `parent@name` for the field of one parent only.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fields {
    /// Of no meaning to anybody, such as the number of a request.
    #[serde(default)]
    pub ignored: Vec<String>,
    /// Texts for people.
    #[serde(default)]
    pub prose: Vec<String>,
    /// Facts of the server's machine or release.
    #[serde(default)]
    pub machine: Vec<String>,
    /// Numbers and words that are never taken for an identifier or a time.
    #[serde(default)]
    pub exact: Vec<String>,
    /// Names and paths: only UUIDs in them may be others.
    #[serde(default)]
    pub name: Vec<String>,
    /// Versions of a content, such as ETags.
    #[serde(default)]
    pub version: Vec<String>,
    /// Seconds that are left of something.
    #[serde(default)]
    pub remaining: Vec<String>,
    /// About people: names, addresses, pictures.
    #[serde(default)]
    pub person: Vec<String>,
    /// Media types.
    #[serde(default)]
    pub media: Vec<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReaderData {
    pub name: String,
    /// Where what is said here was taken from.
    #[allow(dead_code, reason = "for people who read the file")]
    pub source: String,
    /// Words of its `User-Agent`, whatever their case.
    pub agents: Vec<String>,
    pub headers: Option<Vec<String>>,
    pub reads: Option<Vec<String>>,
    pub order: Option<Order>,
    #[serde(default)]
    pub alike: Vec<Alike>,
    #[serde(default)]
    pub phrases: Vec<String>,
    #[serde(default)]
    pub exact_types: bool,
    pub failure_bodies: Option<bool>,
}

/// Whether the order of a list's entries says something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Order {
    /// The client relies on it.
    Matters,
    /// It may be shown to people.
    Seen,
    /// The client sorts by itself.
    Free,
}

/// Statuses with the same effect; without methods, of all.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Alike {
    #[serde(default)]
    methods: Vec<String>,
    /// A status, or the first and last of a range.
    codes: Vec<Codes>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(untagged)]
enum Codes {
    One(u16),
    Range([u16; 2]),
}

impl Alike {
    pub fn holds(&self, method: &str, status: u16) -> bool {
        let method = self.methods.is_empty() || self.methods.iter().any(|known| known == method);
        method
            && self.codes.iter().any(|codes| match codes {
                Codes::One(code) => *code == status,
                Codes::Range([first, last]) => (*first..=*last).contains(&status),
            })
    }
}

/// Folder name, title and text of each protocol; the one without a name is for calls of none.
pub const FILES: &[(&str, &str, &str)] = &[
    ("cells", "Cells", include_str!("../readers/cells.toml")),
    ("s3", "S3", include_str!("../readers/s3.toml")),
    ("webdav", "WebDAV", include_str!("../readers/webdav.toml")),
    ("pydio8", "Pydio 8", include_str!("../readers/pydio8.toml")),
    ("seafile", "Seafile", include_str!("../readers/seafile.toml")),
    ("", "", ""),
];

const GENERAL: &str = include_str!("../readers/general.toml");

pub fn general() -> Source {
    toml::from_str(GENERAL).unwrap_or_default()
}

pub fn protocols() -> Vec<Source> {
    let source = |(protocol, title, text): &(&'static str, &'static str, &str)| {
        let source: Source = toml::from_str(text).unwrap_or_default();
        Source { protocol, title, ..source }
    };
    FILES.iter().map(source).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_can_be_read() {
        for (protocol, _, text) in FILES.iter().chain([&("general", "", GENERAL)]) {
            let source: Result<Source, _> = toml::from_str(text);
            let error = source.as_ref().err().map(ToString::to_string);
            assert_eq!(error, None, "{protocol}");
            for reader in source.iter().flat_map(|source| &source.reader) {
                assert!(!reader.agents.is_empty() && !reader.source.is_empty(), "{}", reader.name);
            }
        }
    }
}
