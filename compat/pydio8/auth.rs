//! Who calls `/api/`: HTTP Basic (password, personal token, API key as user and password), or the
//! same as a bearer token.
//!
//! Known gap: token pairs with `auth_token` and `auth_hash`. Clients learn that from the empty
//! answer of `keystore_generate_auth_token` and keep to Basic.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use cellgate_core::Credentials;
use http::HeaderMap;
use http::header::AUTHORIZATION;

/// Reads the credentials of a request.
pub fn credentials(headers: &HeaderMap) -> Credentials {
    let Some(header) = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()) else {
        return Credentials::Anonymous;
    };
    let (scheme, value) = header.trim().split_once(' ').unwrap_or((header, ""));
    if scheme.eq_ignore_ascii_case("bearer") {
        return Credentials::Token(value.trim().to_owned());
    }
    if !scheme.eq_ignore_ascii_case("basic") {
        return Credentials::Anonymous;
    }
    let pair = STANDARD.decode(value.trim()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    // At the first colon only: passwords may contain more.
    match pair.as_deref().and_then(|pair| pair.split_once(':')) {
        Some((login, password)) => {
            Credentials::Password { login: login.trim().to_owned(), password: password.to_owned() }
        }
        None => Credentials::Anonymous,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(header: &str) -> Credentials {
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, header.parse().unwrap());
        credentials(&headers)
    }

    #[test]
    fn basic_is_split_at_the_first_colon() {
        // alice:pa:ss
        let Credentials::Password { login, password } = read("Basic YWxpY2U6cGE6c3M=") else { panic!() };
        assert_eq!((login.as_str(), password.as_str()), ("alice", "pa:ss"));
    }

    #[test]
    fn what_is_no_credential_is_anonymous() {
        for header in ["Basic", "Basic !!!", "Basic YWxpY2U=", "Digest x", "", "Basic /w=="] {
            assert!(matches!(read(header), Credentials::Anonymous), "{header}");
        }
        assert!(matches!(read("Bearer abc"), Credentials::Token(token) if token == "abc"));
    }
}
