//! What every recording below `fixtures/` has to be: HAR 1.2, with a word on where it comes from, and
//! without a secret.

// A test file: a broken expectation must stop the test there and then.
#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};

use serde_json::Value;

fn recordings() -> Vec<(PathBuf, String)> {
    fn gather(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap().flatten() {
            let path = entry.path();
            if path.is_dir() {
                gather(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "har") {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    gather(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures"), &mut found);
    assert!(found.len() >= 20, "{} recordings", found.len());
    found.into_iter().map(|path| (path.clone(), std::fs::read_to_string(path).unwrap())).collect()
}

#[test]
fn each_is_har_and_says_where_it_comes_from() {
    for (path, text) in recordings() {
        let har: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(har.pointer("/log/version"), Some(&"1.2".into()), "{path:?}");
        let comment = har.pointer("/log/comment").and_then(Value::as_str).unwrap_or_default();
        let origin = ["recorded: ", "composed from reference/"];
        assert!(origin.iter().any(|word| comment.starts_with(word)), "{path:?}: {comment}");
        assert!(!har.pointer("/log/entries").unwrap().as_array().unwrap().is_empty(), "{path:?}");
    }
}

#[test]
fn none_holds_a_secret() {
    for (path, text) in recordings() {
        for secret in ["pass of ", "pass%20of", "pass+of", "conformance-admin", "gatewaysecret"] {
            assert!(!text.contains(secret), "{path:?} holds `{secret}`");
        }
        for (before, long) in [
            // A token of three parts, the encoded credentials of Basic, signatures, cookies.
            ("eyJ", 20),
            ("\"Basic ", 8),
            ("Signature=", 16),
            ("X-Amz-Signature=", 16),
            ("secure_token=", 16),
            ("AjaXplorer=", 8),
            ("\"Bearer ", 8),
            ("\"Token ", 8),
        ] {
            if let Some(value) = bare(&text, before, long) {
                panic!("{path:?}: {before}{value}");
            }
        }
    }
}

/// A value behind `before` that is no name of a secret: so many letters, digits and signs of encodings.
fn bare<'a>(text: &'a str, before: &str, long: usize) -> Option<&'a str> {
    text.match_indices(before).find_map(|(at, _)| {
        let rest = &text[at + before.len()..];
        let end =
            rest.find(|c: char| !c.is_ascii_alphanumeric() && !"+/=_-.%".contains(c)).unwrap_or(rest.len());
        // A login is readable, and followed by the name of its password; public clients of OAuth have none.
        let named = rest.starts_with("__") || [":__", ":\""].iter().any(|sign| rest[end..].starts_with(sign));
        (end >= long && !named).then(|| &rest[..end])
    })
}

#[test]
fn a_secret_would_be_seen() {
    assert!(bare("\"value\": \"Basic YWxpY2U6c2VjcmV0\"", "\"Basic ", 8).is_some());
    assert!(bare("\"value\": \"Basic alice-of-old:__password_1__\"", "\"Basic ", 8).is_none());
    assert!(bare("Signature=__signature_1__,", "Signature=", 16).is_none());
    assert!(bare("Signature=0123456789abcdef0123", "Signature=", 16).is_some());
}
