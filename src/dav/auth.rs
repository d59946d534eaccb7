//! Who is calling: `Basic` (password, personal token, API key) or `Bearer`.
//!
//! No Digest: it needs the password in the clear, and every client that knows Digest knows Basic.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use cellgate_core::Credentials;
use http::{HeaderMap, header};

/// Sent with every 401: Windows and Finder ask for the password again only on this.
pub const CHALLENGE: &str = "Basic realm=\"cellgate\", charset=\"UTF-8\"";

/// What the request presents. Something unreadable counts as nothing, so that the answer is the
/// challenge and the client can ask again.
pub fn credentials(headers: &HeaderMap) -> Credentials {
    let presented = headers.get(header::AUTHORIZATION).and_then(|value| {
        let (scheme, rest) = value.to_str().ok()?.trim().split_once(' ')?;
        let rest = rest.trim();
        if scheme.eq_ignore_ascii_case("basic") {
            return basic(rest);
        }
        (scheme.eq_ignore_ascii_case("bearer") && !rest.is_empty())
            .then(|| Credentials::Token(rest.to_owned()))
    });
    presented.unwrap_or(Credentials::Anonymous)
}

fn basic(encoded: &str) -> Option<Credentials> {
    let bytes = STANDARD.decode(encoded).ok()?;
    // Windows sends the pair in Latin-1 where its characters allow, whatever `charset` asks for.
    let pair = String::from_utf8(bytes)
        .unwrap_or_else(|error| error.as_bytes().iter().map(|byte| char::from(*byte)).collect());
    let (login, password) = pair.split_once(':')?;
    Some(Credentials::Password { login: login.to_owned(), password: password.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(value: &str) -> Credentials {
        let mut headers = HeaderMap::new();
        headers.insert(header::AUTHORIZATION, value.parse().unwrap());
        credentials(&headers)
    }

    fn pair(value: &str) -> Option<(String, String)> {
        match read(value) {
            Credentials::Password { login, password } => Some((login, password)),
            _ => None,
        }
    }

    #[test]
    fn basic_in_either_charset() {
        let expected = Some(("zoë".to_owned(), "a:b".to_owned()));
        assert_eq!(pair(&format!("Basic {}", STANDARD.encode("zoë:a:b"))), expected);
        assert_eq!(pair(&format!("basic {}", STANDARD.encode(b"zo\xeb:a:b"))), expected);
    }

    #[test]
    fn bearer_is_a_token() {
        assert!(matches!(read("Bearer abc.def"), Credentials::Token(token) if token == "abc.def"));
    }

    #[test]
    fn what_cannot_be_read_is_nothing() {
        for value in ["Basic", "Basic !!!", "Basic bm9jb2xvbg==", "Bearer ", "Digest username=x", "x"] {
            assert!(matches!(read(value), Credentials::Anonymous), "{value}");
        }
        assert!(matches!(credentials(&HeaderMap::new()), Credentials::Anonymous));
    }
}
