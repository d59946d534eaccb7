//! Who is calling: `Authorization: Token <40 hex>`, since version 11 also `Bearer`.

use cellgate_core::{Core, Credentials, Door, Error, Tree};
use http::{HeaderMap, StatusCode, header};

use crate::error::SeafileError;

pub async fn open(core: &Core, headers: &HeaderMap) -> Result<Tree, SeafileError> {
    let token = token(headers)?;
    let credentials = Credentials::Token(token);
    core.open(&credentials, Door::Seafile).await.map_err(|error| match error {
        Error::Unauthenticated(_) => invalid("Invalid token"),
        error => error.into(),
    })
}

/// Seafile tells "none" (403) from "wrong" (401); another scheme counts as none.
fn token(headers: &HeaderMap) -> Result<String, SeafileError> {
    let value = headers.get(header::AUTHORIZATION).ok_or_else(no_credentials)?;
    let value = value.to_str().map_err(|_| invalid("Invalid token"))?;
    let mut words = value.split_ascii_whitespace();
    let scheme = words.next().unwrap_or_default();
    if !scheme.eq_ignore_ascii_case("token") && !scheme.eq_ignore_ascii_case("bearer") {
        return Err(no_credentials());
    }
    match (words.next(), words.next()) {
        (None, _) => Err(invalid("Invalid token header. No credentials provided.")),
        (Some(token), None) => Ok(token.to_owned()),
        (Some(_), Some(_)) => Err(invalid("Invalid token header. Token string should not contain spaces.")),
    }
}

pub fn no_credentials() -> SeafileError {
    let text = "Authentication credentials were not provided.";
    SeafileError::Detail(StatusCode::FORBIDDEN, text.into())
}

fn invalid(text: &str) -> SeafileError {
    SeafileError::Detail(StatusCode::UNAUTHORIZED, text.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_as_the_reference_lists_them() {
        let refused = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::AUTHORIZATION, value.parse().unwrap());
            match token(&headers) {
                Ok(token) => format!("ok {token}"),
                Err(SeafileError::Detail(status, text)) => format!("{} {text}", status.as_u16()),
                Err(other) => panic!("{other:?}"),
            }
        };
        assert_eq!(refused("Token abc"), "ok abc");
        assert_eq!(refused("token abc"), "ok abc");
        assert_eq!(refused("Bearer abc"), "ok abc");
        assert_eq!(refused("Basic abc"), "403 Authentication credentials were not provided.");
        assert_eq!(refused("Token"), "401 Invalid token header. No credentials provided.");
        assert_eq!(refused("Token a b"), "401 Invalid token header. Token string should not contain spaces.");
    }
}
