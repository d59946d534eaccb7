//! Texts of any form, looked through for secrets by position and by shape.
//!
//! `None` everywhere means that nothing changed, and then a text stays as it is, byte for byte.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::edits::{Edits, url_decoded, url_encoded};
use super::kind::{self, Kind};
use super::ledger::Ledger;
use super::shape;

/// A text within a text within a text: JSON in a form in JSON is the deepest seen.
const DEPTH_MAX: usize = 4;

pub struct Scan<'a> {
    pub ledger: &'a mut Ledger,
    /// What a field `token` holds on this path.
    pub token: Kind,
    /// What `Authorization: Bearer` holds on this path.
    pub bearer: Kind,
    depth: usize,
}

impl<'a> Scan<'a> {
    pub fn new(ledger: &'a mut Ledger, path: &str) -> Self {
        let has = |part| path.contains(part);
        let token = match path {
            _ if has("/auth-token") || has("/client-login") => kind::SEAFILE_TOKEN,
            _ if has("/download-info") || has("/repo-tokens") => "repo_token",
            _ => kind::TOKEN,
        };
        let bearer = if has("/api2/") || has("/api/v2.1/") { kind::SEAFILE_TOKEN } else { kind::JWT };
        Self { ledger, token, bearer, depth: 0 }
    }

    pub fn field(&self, name: &str) -> Option<Kind> {
        kind::of_field(name).map(|kind| if kind == kind::TOKEN { self.token } else { kind })
    }

    /// A text whose form shows by how it begins.
    pub fn text(&mut self, text: &str) -> Option<String> {
        if self.depth >= DEPTH_MAX {
            return self.plain(text);
        }
        self.depth += 1;
        let trimmed = text.trim_start_matches('\u{feff}').trim();
        let ends = (trimmed.chars().next(), trimmed.chars().next_back());
        let done = match ends {
            // What only looks like JSON, or was cut off, is read as a script would be.
            (Some('{'), Some('}')) | (Some('['), Some(']')) | (Some('"'), Some('"')) if is_json(trimmed) => {
                self.json(text)
            }
            (Some('<'), _) => self.xml(text),
            _ => self.plain(text),
        };
        self.depth -= 1;
        done
    }

    /// A text without a form: parameters of URLs, assignments of scripts, and what shows by itself.
    pub fn plain(&mut self, text: &str) -> Option<String> {
        let mut edits = Edits::default();
        self.parameters(text, &mut edits);
        self.assignments(text, &mut edits);
        self.logins(text, &mut edits);
        for range in shape::jwts(text) {
            let Some(token) = text.get(range.clone()) else { continue };
            edits.push(range, self.ledger.name(kind::JWT, token));
        }
        for range in shape::links(text) {
            let Some(token) = text.get(range.clone()) else { continue };
            edits.push(range, self.ledger.name(kind::LINK_TOKEN, token));
        }
        edits.apply(text)
    }

    /// A query or an url-encoded form.
    pub fn query(&mut self, text: &str) -> Option<String> {
        let mut edits = Edits::default();
        let oauth = is_oauth(text);
        let mut at = 0;
        for pair in text.split('&') {
            if let Some((name, value)) = pair.split_once('=')
                && let Some(new) = self.parameter(&url_decoded(name), &url_decoded(value), oauth)
            {
                let start = at + name.len() + 1;
                edits.push(start..start + value.len(), url_encoded(&new));
            }
            at += pair.len() + 1;
        }
        edits.apply(text)
    }

    /// A parameter or form field, decoded.
    pub fn parameter(&mut self, name: &str, value: &str, oauth: bool) -> Option<String> {
        let new = if name.eq_ignore_ascii_case("x-amz-credential") {
            self.credential(value)
        } else if name.eq_ignore_ascii_case("policy")
            && let Some(policy) = policy(value)
        {
            // As with Basic: names within base64 would be seen by nobody.
            self.text(&policy).unwrap_or(policy)
        } else if oauth && name == "code" {
            self.ledger.name(kind::CODE, value)
        } else if let Some(kind) = self.field(name) {
            self.ledger.name(kind, value)
        } else {
            return self.text(value);
        };
        (new != value).then_some(new)
    }

    /// `<access key>/<date>/<region>/s3/aws4_request`; the key may hold slashes.
    pub fn credential(&mut self, value: &str) -> String {
        let cut = value.rmatch_indices('/').nth(3).map_or(value.len(), |(at, _)| at);
        let (key, scope) = value.split_at(cut);
        format!("{}{scope}", self.ledger.name(kind::ACCESS_KEY, key))
    }

    /// `name=value` behind `?`, `&` or `;`, as in a URL, or anywhere in what is one form as a whole.
    fn parameters(&mut self, text: &str, edits: &mut Edits) {
        let form = !text.contains(char::is_whitespace);
        let oauth = is_oauth(text);
        for (at, _) in text.match_indices('=') {
            let Some(before) = text.get(..at) else { continue };
            let in_name =
                |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '[' | ']' | '%');
            let name = before.trim_end_matches(in_name).len();
            let opens = match before.get(..name).and_then(|before| before.chars().next_back()) {
                Some(c) => matches!(c, '?' | '&' | ';'),
                None => form,
            };
            let Some(name) = before.get(name..).filter(|name| opens && !name.is_empty()) else { continue };
            let name = url_decoded(name);
            let secret = self.field(&name).is_some()
                || name.eq_ignore_ascii_case("x-amz-credential")
                || (oauth && name == "code");
            let Some(rest) = text.get(at + 1..).filter(|_| secret) else { continue };
            let ends = |c: char| {
                c.is_whitespace() || matches!(c, '&' | '"' | '\'' | '<' | '>' | '#' | ';' | '\\' | ')')
            };
            let value = rest.split(ends).next().unwrap_or_default();
            if let Some(new) = self.parameter(&name, &url_decoded(value), oauth) {
                edits.push(at + 1..at + 1 + value.len(), url_encoded(&new));
            }
        }
    }

    /// `name: "value"` and `"name" = 'value'` of scripts.
    fn assignments(&mut self, text: &str, edits: &mut Edits) {
        for (at, sign) in text.match_indices([':', '=']) {
            let Some(before) = text.get(..at) else { continue };
            let before = before.trim_end().trim_end_matches(['"', '\'']);
            let in_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
            let name = before.get(before.trim_end_matches(in_name).len()..).unwrap_or_default();
            let Some(kind) = self.field(name) else { continue };
            let after = at + sign.len();
            let Some(rest) = text.get(after..) else { continue };
            let start = after + rest.len() - rest.trim_start().len();
            let Some(quote) = rest.trim_start().chars().next().filter(|c| matches!(c, '"' | '\'')) else {
                continue;
            };
            let Some(length) = quoted(text.get(start + 1..).unwrap_or_default(), quote) else { continue };
            let range = start + 1..start + 1 + length;
            let Some(value) = text.get(range.clone()) else { continue };
            let plain: Option<String> = serde_json::from_str(&format!("\"{value}\"")).ok();
            let name = self.ledger.name(kind, plain.as_deref().unwrap_or(value));
            if plain.as_ref() != Some(&name) {
                edits.push(range, name);
            }
        }
    }

    /// `http://login:password@host`
    fn logins(&mut self, text: &str, edits: &mut Edits) {
        for (at, sign) in text.match_indices("://") {
            let start = at + sign.len();
            let Some(rest) = text.get(start..) else { continue };
            let ends = |c: char| c.is_whitespace() || matches!(c, '/' | '?' | '#' | '"' | '\'' | '<' | '>');
            let authority = rest.split(ends).next().unwrap_or_default();
            let Some((user, _)) = authority.rsplit_once('@') else { continue };
            let Some((login, password)) = user.split_once(':') else { continue };
            let start = start + login.len() + 1;
            let decoded = percent_encoding::percent_decode_str(password).decode_utf8_lossy();
            edits.push(start..start + password.len(), self.ledger.name(kind::PASSWORD, &decoded));
        }
    }
}

fn is_json(text: &str) -> bool {
    serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok()
}

/// Only there `code` is a secret; elsewhere it is a number of an error.
fn is_oauth(text: &str) -> bool {
    ["grant_type=", "state=", "redirect_uri=", "client_id="].iter().any(|sign| text.contains(sign))
}

/// The length of a quoted text up to its closing quote.
fn quoted(text: &str, quote: char) -> Option<usize> {
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match c {
            '\n' => return None,
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if c == quote => return Some(at),
            _ => {}
        }
    }
    None
}

/// The policy of a POST form is JSON in base64.
fn policy(value: &str) -> Option<String> {
    let text = String::from_utf8(STANDARD.decode(value.trim()).ok()?).ok()?;
    text.trim_start().starts_with('{').then_some(text)
}
