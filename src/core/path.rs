//! `NodePath`: the only normaliser of names and paths.
//!
//! Two normalisers that disagree are a vulnerability, so a door parses the decoded path once, and
//! both the rights check and the store see this result.

use std::fmt;
use std::sync::Arc;

use unicode_normalization::{UnicodeNormalization, is_nfc};

use crate::error::{Error, Result};

/// Longest name of a node, in bytes of UTF-8 after normalisation.
pub const NAME_MAX_BYTES: usize = 255;
/// Deepest path. Far above what people build, low enough that no request walks for ever.
pub const DEPTH_MAX: usize = 128;

/// An absolute path of valid names, in one context: `/<workspace>/…` for users,
/// `/<datasource>/…` for administrators. The root has no names.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct NodePath {
    /// Shared: a request hands its path from layer to layer.
    names: Arc<Vec<String>>,
}

impl NodePath {
    /// The root of the context.
    pub fn root() -> Self {
        Self::default()
    }

    /// Parses a percent-decoded path. Leading, trailing and repeated slashes carry no meaning;
    /// every name is normalised to NFC and checked by [`valid_name`].
    pub fn parse(decoded: &str) -> Result<Self> {
        let names =
            decoded.split('/').filter(|name| !name.is_empty()).map(valid_name).collect::<Result<Vec<_>>>()?;
        Self::of(names)
    }

    /// Parses the raw bytes of a percent-decoded path; names must be UTF-8.
    pub fn parse_bytes(decoded: &[u8]) -> Result<Self> {
        let text = std::str::from_utf8(decoded)
            .map_err(|_| Error::InvalidName("the path is not valid UTF-8".into()))?;
        Self::parse(text)
    }

    fn of(names: Vec<String>) -> Result<Self> {
        if names.len() > DEPTH_MAX {
            return Err(Error::InvalidName(format!("the path has more than {DEPTH_MAX} levels")));
        }
        Ok(Self { names: Arc::new(names) })
    }

    /// The path of a child; the name is checked like any other.
    pub fn join(&self, name: &str) -> Result<Self> {
        let mut names = self.names.to_vec();
        names.push(valid_name(name)?);
        Self::of(names)
    }

    /// The path of a descendant named by `relative`.
    pub fn descend(&self, relative: &str) -> Result<Self> {
        let below = Self::parse(relative)?;
        if self.is_root() {
            return Ok(below);
        }
        let mut names = self.names.to_vec();
        names.extend_from_slice(&below.names);
        Self::of(names)
    }

    /// Joins names that are valid already (they come from the index).
    pub(crate) fn join_known(&self, name: &str) -> Self {
        let mut names = self.names.to_vec();
        names.push(name.to_owned());
        Self { names: Arc::new(names) }
    }

    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The last name; `None` on the root.
    pub fn name(&self) -> Option<&str> {
        self.names.last().map(String::as_str)
    }

    /// The first name: workspace slug or datasource; `None` on the root.
    pub fn first(&self) -> Option<&str> {
        self.names.first().map(String::as_str)
    }

    pub fn parent(&self) -> Option<Self> {
        let (_, above) = self.names.split_last()?;
        Some(Self { names: Arc::new(above.to_vec()) })
    }

    pub fn is_root(&self) -> bool {
        self.names.is_empty()
    }

    pub fn depth(&self) -> usize {
        self.names.len()
    }

    /// Whether `self` is `other` or stands below it.
    pub fn is_within(&self, other: &Self) -> bool {
        self.names.starts_with(&other.names)
    }

    /// The path without its leading slash, as object keys and Cells paths are written.
    pub fn key(&self) -> String {
        self.names.join("/")
    }

    /// The names below the first one, as a path of its own: the path inside a workspace.
    pub fn below_first(&self) -> Self {
        Self { names: Arc::new(self.names.get(1..).unwrap_or_default().to_vec()) }
    }
}

impl fmt::Display for NodePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.names.is_empty() {
            return f.write_str("/");
        }
        for name in self.names.iter() {
            write!(f, "/{name}")?;
        }
        Ok(())
    }
}

/// Checks one name and brings it to NFC.
pub fn valid_name(name: &str) -> Result<String> {
    let name = if name.is_ascii() || is_nfc(name) { name.to_owned() } else { name.nfc().collect() };
    let reason = if name.is_empty() {
        "it is empty"
    } else if name == "." || name == ".." {
        "it is relative"
    } else if name.len() > NAME_MAX_BYTES {
        "it is longer than 255 bytes"
    } else if name.contains('/') {
        "it contains a slash"
    } else if name.chars().any(char::is_control) {
        "it contains a control character"
    } else {
        return Ok(name);
    };
    let shown: String = name.chars().filter(|c| !c.is_control()).take(80).collect();
    Err(Error::InvalidName(format!("invalid name `{shown}`: {reason}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slashes_that_carry_no_meaning_collapse() {
        for text in ["a/b", "/a/b", "/a/b/", "//a///b//"] {
            assert_eq!(NodePath::parse(text).unwrap().to_string(), "/a/b", "{text}");
        }
        assert!(NodePath::parse("///").unwrap().is_root());
    }

    #[test]
    fn awkward_names_are_kept_as_they_are() {
        for name in ["a b", "a%20b", "a+b", "é", "[x]", "...", "..a", " ", "a\\b", "😀.bin"] {
            assert_eq!(NodePath::parse(name).unwrap().name(), Some(name));
        }
    }

    #[test]
    fn names_that_escape_or_corrupt_are_refused() {
        let long = "é".repeat(128);
        for name in [".", "..", "a/../b", "a/./b", "a\0b", "a\nb", "a\u{7f}", "\u{85}", long.as_str()] {
            assert!(matches!(NodePath::parse(name), Err(Error::InvalidName(_))), "{name:?}");
        }
        assert!(NodePath::parse_bytes(b"a/\xff").is_err());
        assert!(NodePath::root().join("a/b").is_err());
    }

    #[test]
    fn decomposed_names_are_composed() {
        assert_eq!(NodePath::parse("e\u{301}").unwrap(), NodePath::parse("é").unwrap());
    }

    #[test]
    fn within_counts_whole_names() {
        let path = |text| NodePath::parse(text).unwrap();
        assert!(path("/a/b").is_within(&path("/a")));
        assert!(path("/a").is_within(&path("/a")));
        assert!(!path("/ab").is_within(&path("/a")));
    }
}
