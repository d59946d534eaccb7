//! Who is calling: `Authorization` to a tree.
//!
//! Cells knows `Bearer` alone and takes any other scheme for anonymous; Basic is an addition, with
//! the same passwords and tokens as everywhere.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use cellgate_core::{Core, Credentials, Door, Error, Tree};
use http::{HeaderMap, header};

use crate::error::CellsError;

/// Verifies the caller of an endpoint that anonymous callers may not use.
pub async fn open(core: &Core, headers: &HeaderMap) -> Result<Tree, CellsError> {
    let credentials = credentials(headers)?;
    if matches!(credentials, Credentials::Anonymous) {
        return Err(CellsError::PolicyDenies);
    }
    core.open(&credentials, Door::Cells).await.map_err(|error| match error {
        Error::Unauthenticated(_) => CellsError::BadToken,
        error => error.into(),
    })
}

fn credentials(headers: &HeaderMap) -> Result<Credentials, CellsError> {
    let Some(value) = headers.get(header::AUTHORIZATION) else { return Ok(Credentials::Anonymous) };
    let value = value.to_str().map_err(|_| CellsError::BadToken)?;
    let (scheme, rest) = value.trim().split_once(' ').unwrap_or((value, ""));
    if scheme.eq_ignore_ascii_case("bearer") {
        return Ok(Credentials::Token(rest.trim().to_owned()));
    }
    if scheme.eq_ignore_ascii_case("basic") {
        let decoded = STANDARD.decode(rest.trim()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let decoded = decoded.ok_or(CellsError::BadToken)?;
        let (login, password) = decoded.split_once(':').ok_or(CellsError::BadToken)?;
        return Ok(Credentials::Password { login: login.to_owned(), password: password.to_owned() });
    }
    Ok(Credentials::Anonymous)
}

/// The bearer token itself, for the sign-out that ends it.
pub fn bearer(headers: &HeaderMap) -> Option<String> {
    match credentials(headers) {
        Ok(Credentials::Token(token)) if !token.is_empty() => Some(token),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(value: &str) -> String {
        let mut headers = HeaderMap::new();
        headers.insert(header::AUTHORIZATION, value.parse().unwrap());
        match credentials(&headers) {
            Ok(Credentials::Token(token)) => format!("token {token}"),
            Ok(Credentials::Password { login, password }) => format!("password {login} {password}"),
            Ok(_) => "anonymous".into(),
            Err(_) => "bad".into(),
        }
    }

    #[test]
    fn schemes() {
        let cases = [
            ("Bearer abc", "token abc"),
            ("bearer  abc ", "token abc"),
            ("Bearer", "token "),
            ("Basic YWxpY2U6YTpi", "password alice a:b"),
            ("Basic !!!", "bad"),
            ("Basic YWxpY2U=", "bad"),
            ("Digest abc", "anonymous"),
            ("", "anonymous"),
        ];
        for (value, expected) in cases {
            assert_eq!(kind(value), expected, "{value}");
        }
    }
}
