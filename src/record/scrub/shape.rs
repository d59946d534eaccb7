//! Secrets that show by their shape: tokens of three parts, links of Seafile's file server.

use std::ops::Range;

/// What a token of three parts looks like: JSON, encoded, in each of the first parts.
const JWT_START: &str = "eyJ";
/// Shorter parts are words of a text about tokens.
const PART_MIN: usize = 8;

pub fn is_jwt(text: &str) -> bool {
    jwt_at(text, 0).is_some_and(|end| end == text.len())
}

/// The tokens in a text.
pub fn jwts(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(start) = text.get(from..).and_then(|rest| rest.find(JWT_START)).map(|at| from + at) {
        match jwt_at(text, start) {
            Some(end) => {
                found.push(start..end);
                from = end;
            }
            None => from = start + JWT_START.len(),
        }
    }
    found
}

/// Where the token ends that begins at `start`. Signed ones have three parts, of which the last is
/// empty without a signature; encrypted ones have five.
fn jwt_at(text: &str, start: usize) -> Option<usize> {
    let rest = text.get(start..)?;
    if !rest.starts_with(JWT_START) {
        return None;
    }
    let mut lengths = Vec::with_capacity(5);
    for part in rest.split('.').take(5) {
        let known = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        let length = part.bytes().take_while(known).count();
        lengths.push(length);
        if length < part.len() {
            break;
        }
    }
    match lengths.as_slice() {
        [first, second, ..] if *first < PART_MIN || *second < PART_MIN => None,
        [a, b, c, d, e] if *d > 0 && *e > 0 => Some(start + a + b + c + d + e + 4),
        [a, b, c, ..] => Some(start + a + b + c + 2),
        _ => None,
    }
}

/// Places of the file server whose next segment is a token.
const LINKS: &[&str] = &[
    "files",
    "zip",
    "blks",
    "f",
    "upload-api",
    "upload-aj",
    "upload-blks-api",
    "upload-blks-aj",
    "upload-raw-blks-api",
    "upload-raw-blks-aj",
    "update-api",
    "update-aj",
    "update-blks-api",
    "update-blks-aj",
];

/// The tokens in links to Seafile's file server. Behind a proxy it is below `/seafhttp`, without one
/// on a port of its own: then only the names that nobody else has tell it.
pub fn links(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    for place in LINKS {
        for (at, _) in text.match_indices(place) {
            let before = text.get(..at).and_then(|before| before.strip_suffix('/'));
            let telling = place.ends_with("-api") || place.ends_with("-aj");
            if !before.is_some_and(|before| telling || before.ends_with("/seafhttp")) {
                continue;
            }
            let start = at + place.len() + 1;
            let Some(rest) = text.get(start - 1..).and_then(|rest| rest.strip_prefix('/')) else { continue };
            let length =
                rest.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'-').count();
            if length >= PART_MIN && rest.bytes().take(length).any(|byte| byte.is_ascii_digit()) {
                found.push(start..start + length);
            }
        }
    }
    found.sort_by_key(|range| range.start);
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_of_three_parts_are_found() {
        let token = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl_-";
        let text = format!("x {token}, {token}.");
        assert_eq!(jwts(&text), [2..2 + token.len(), 4 + token.len()..4 + 2 * token.len()]);
        assert!(is_jwt(token));
        assert!(is_jwt("eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0."));
        for text in ["eyJ", "eyJ.eyJ.x", "eyJhbGciOiJIUzI1NiJ9", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0", ""] {
            assert!(jwts(text).is_empty(), "{text}");
        }
    }

    #[test]
    fn tokens_of_links_are_found() {
        let token = "0c1e8a9f-1111-2222-3333-444455556666";
        for (before, after) in [
            ("https://h/seafhttp/files/", "/a%20b.txt"),
            ("/seafhttp/upload-api/", "?ret-json=1"),
            ("http://h:8082/update-aj/", ""),
            ("https://h/seafhttp/zip/", "\""),
        ] {
            let text = format!("{before}{token}{after}");
            assert_eq!(links(&text).first(), Some(&(before.len()..before.len() + token.len())), "{text}");
        }
        for text in [
            "/seafhttp/repo/0c1e8a9f-1111-2222-3333-444455556666/commit/HEAD",
            "/seafhttp/files/__link_token_1__/x",
            "/files/0c1e8a9f-1111-2222-3333-444455556666",
            "/seafhttp/files/",
            "/seafhttp/protocol-version",
        ] {
            assert!(links(text).is_empty(), "{text}");
        }
    }
}
