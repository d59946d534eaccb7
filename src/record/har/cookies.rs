//! Cookies as HAR lists them. The headers win; the lists are read where a program left those away,
//! and written from them.

use serde::Serialize;

use super::raw;

/// A `Cookie` header of a list.
pub fn cookie(list: &[raw::Cookie]) -> Option<(String, String)> {
    let pairs: Vec<String> = list.iter().filter_map(pair).collect();
    (!pairs.is_empty()).then(|| ("cookie".to_owned(), pairs.join("; ")))
}

/// A `Set-Cookie` header for each cookie of a list. The expiry is left away: it has passed anyway.
pub fn set_cookie(list: &[raw::Cookie]) -> Vec<(String, String)> {
    let mut lines = Vec::new();
    for cookie in list {
        let Some(mut line) = pair(cookie) else { continue };
        for (name, value) in [("Path", &cookie.path), ("Domain", &cookie.domain)] {
            if let Some(value) = value.as_deref().filter(|value| !value.is_empty() && printable(value)) {
                line.push_str(&format!("; {name}={value}"));
            }
        }
        for (name, set) in [("Secure", cookie.secure), ("HttpOnly", cookie.http_only)] {
            if set == Some(true) {
                line.push_str(&format!("; {name}"));
            }
        }
        lines.push(("set-cookie".to_owned(), line));
    }
    lines
}

fn pair(cookie: &raw::Cookie) -> Option<String> {
    let name = cookie.name.as_ref()?.lossy();
    let value = cookie.value.as_ref().map(raw::Text::lossy).unwrap_or_default();
    let proper = |text: &str| printable(text) && !text.contains(';');
    (!name.is_empty() && proper(&name) && proper(&value)).then(|| format!("{name}={value}"))
}

fn printable(text: &str) -> bool {
    !text.chars().any(char::is_control)
}

#[derive(Serialize)]
pub struct Listed<'a> {
    name: &'a str,
    value: &'a str,
}

/// The cookies of headers: of `Cookie` all, of `Set-Cookie` the one it sets.
pub fn listed(headers: &[(String, String)]) -> Vec<Listed<'_>> {
    let mut list = Vec::new();
    for (name, value) in headers {
        if name.eq_ignore_ascii_case("cookie") {
            list.extend(value.split(';').filter_map(one));
        } else if name.eq_ignore_ascii_case("set-cookie") {
            list.extend(value.split(';').next().and_then(one));
        }
    }
    list
}

fn one(text: &str) -> Option<Listed<'_>> {
    let (name, value) = text.split_once('=')?;
    Some(Listed { name: name.trim(), value: value.trim() })
}
