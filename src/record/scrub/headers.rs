//! Headers: those that carry a secret by themselves, cookies, and links in all others.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE};

use super::edits::Edits;
use super::kind;
use super::name::is_name;
use super::scan::Scan;

impl Scan<'_> {
    pub fn headers(&mut self, headers: &mut [(String, String)]) {
        for (name, value) in headers {
            if let Some(new) = self.header(name, value) {
                *value = new;
            }
        }
    }

    fn header(&mut self, name: &str, value: &str) -> Option<String> {
        let name = name.to_ascii_lowercase();
        let new = match name.as_str() {
            "authorization" | "proxy-authorization" => self.authorization(value),
            "www-authenticate"
            | "proxy-authenticate"
            | "authentication-info"
            | "proxy-authentication-info" => self.challenge(value),
            "cookie" => value.split(';').map(|pair| self.cookie(pair)).collect::<Vec<_>>().join(";"),
            "set-cookie" => match value.split_once(';') {
                Some((pair, attributes)) => format!("{};{attributes}", self.cookie(pair)),
                None => self.cookie(value),
            },
            _ => match kind::of_header(&name) {
                Some(kind) => self.ledger.name(if kind == kind::TOKEN { self.token } else { kind }, value),
                // `<…>` is a link or a lock here, no element.
                None if value.starts_with(['{', '[']) => return self.text(value),
                None => return self.plain(value),
            },
        };
        (new != value).then_some(new)
    }

    fn cookie(&mut self, pair: &str) -> String {
        let Some((name, value)) = pair.split_once('=') else { return pair.to_owned() };
        let plain = value.trim().trim_matches('"');
        if plain.is_empty() {
            return pair.to_owned();
        }
        format!("{name}={}", value.replacen(plain, &self.ledger.name(kind::COOKIE, plain), 1))
    }

    fn authorization(&mut self, value: &str) -> String {
        let Some((scheme, rest)) = value.trim().split_once(' ') else {
            // A bare token, as some scripts send it; or a scheme without anything.
            return match value.trim() {
                bare if bare.len() < 12 && bare.bytes().all(|byte| byte.is_ascii_alphabetic()) => {
                    value.to_owned()
                }
                bare => self.ledger.name(kind::TOKEN, bare),
            };
        };
        let rest = rest.trim();
        match scheme.to_ascii_lowercase().as_str() {
            "basic" => format!("{scheme} {}", self.basic(rest)),
            "bearer" => format!("{scheme} {}", self.ledger.name(self.bearer, rest)),
            "token" => format!("{scheme} {}", self.ledger.name(kind::SEAFILE_TOKEN, rest)),
            "aws" => match rest.rsplit_once(':') {
                Some((key, signature)) => {
                    let key = self.ledger.name(kind::ACCESS_KEY, key);
                    format!("{scheme} {key}:{}", self.ledger.name(kind::SIGNATURE, signature))
                }
                None => format!("{scheme} {}", self.ledger.name(kind::SIGNATURE, rest)),
            },
            "digest" => self.challenge(value),
            aws if aws.starts_with("aws4-") => self.v4(value),
            _ => format!("{scheme} {}", self.ledger.name(kind::SECRET, rest)),
        }
    }

    /// Login and password, decoded: `alice:__password_1__`. The login stays readable.
    fn basic(&mut self, value: &str) -> String {
        if is_name(value) {
            return value.to_owned();
        }
        // Decoded already: base64 has no colon.
        if let Some((login, password)) = value.split_once(':') {
            return format!("{login}:{}", self.ledger.name(kind::PASSWORD, password));
        }
        let engines = [&STANDARD, &STANDARD_NO_PAD, &URL_SAFE];
        let decoded = engines.into_iter().find_map(|engine| engine.decode(value).ok());
        let text = decoded.and_then(|bytes| String::from_utf8(bytes).ok());
        let pair = text.as_deref().filter(|text| !text.chars().any(char::is_control));
        match pair.and_then(|text| text.split_once(':')) {
            Some((login, password)) => {
                let login = self.plain(login).unwrap_or_else(|| login.to_owned());
                format!("{login}:{}", self.ledger.name(kind::PASSWORD, password))
            }
            None => self.ledger.name(kind::PASSWORD, value),
        }
    }

    /// `AWS4-HMAC-SHA256 Credential=…, SignedHeaders=…, Signature=…`
    fn v4(&mut self, value: &str) -> String {
        let mut edits = Edits::default();
        for (name, range) in parameters(value) {
            let Some(text) = value.get(range.clone()) else { continue };
            match name {
                "Credential" => edits.push(range, self.credential(text)),
                "Signature" => edits.push(range, self.ledger.name(kind::SIGNATURE, text)),
                _ => {}
            }
        }
        edits.apply(value).unwrap_or_else(|| value.to_owned())
    }

    /// Digest, in both directions; other challenges hold nothing secret, but for the blobs of NTLM
    /// and Kerberos.
    fn challenge(&mut self, value: &str) -> String {
        let scheme = value.split(' ').next().unwrap_or_default().to_ascii_lowercase();
        if matches!(scheme.as_str(), "ntlm" | "negotiate")
            && let Some((scheme, blob)) = value.split_once(' ')
        {
            return format!("{scheme} {}", self.ledger.name(kind::SECRET, blob.trim()));
        }
        let mut edits = Edits::default();
        for (name, range) in parameters(value) {
            let Some(text) = value.get(range.clone()) else { continue };
            match name {
                "nonce" | "cnonce" | "nextnonce" | "opaque" => {
                    edits.push(range, self.ledger.name(kind::NONCE, text));
                }
                "response" | "rspauth" => edits.push(range, self.ledger.name(kind::SIGNATURE, text)),
                _ => {}
            }
        }
        edits.apply(value).unwrap_or_else(|| value.to_owned())
    }
}

/// `name=value` and `name="value"`, separated by commas, behind a scheme or without one; the places
/// of the values.
fn parameters(value: &str) -> Vec<(&str, std::ops::Range<usize>)> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(sign) = value.get(at..).and_then(|rest| rest.find('=')).map(|sign| at + sign) {
        let before = value.get(at..sign).unwrap_or_default();
        let name = before.trim_end().rsplit([' ', ',', '\t']).next().unwrap_or_default();
        let rest = value.get(sign + 1..).unwrap_or_default();
        let quoted = rest.starts_with('"');
        let start = sign + 1 + usize::from(quoted);
        let inner = value.get(start..).unwrap_or_default();
        let length = if quoted { inner.find('"') } else { inner.find([',', ' ']) }.unwrap_or(inner.len());
        found.push((name, start..start + length));
        at = (start + length + usize::from(quoted)).min(value.len());
    }
    found
}
