//! `POST /a/frontend/session`: sign in, refresh, sign out.
//!
//! The session cookie carries the refresh token itself, so that any gateway can go on with it: it is
//! opaque to clients, out of reach of scripts, single-use, and sent to `/a/frontend` alone. As in
//! Cells, `Token.RefreshToken` is never filled.
//!
//! Not built (501): authorization codes, challenges of the OAuth2 sign-in page, external connectors,
//! personal tokens from a session. `Token.IDToken` is not filled before there is an OIDC provider;
//! `RedirectTo`, `Trigger` and `TriggerInfo` would be its and the second factors' members.

use std::collections::BTreeMap;

use cellgate_core::http::Response;
use cellgate_core::identity::SignIn;
use cellgate_core::{Door, Error};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::{Deserialize, Serialize};

use crate::error::CellsError;
use crate::route::{Access, Call, Endpoint};
use crate::{auth, json};

pub const ENDPOINTS: &[Endpoint] = &[Endpoint {
    method: "POST",
    path: "/a/frontend/session",
    operation: "FrontSession",
    access: Access::Anyone,
    handler: |call| Box::pin(front_session(call)),
}];

/// Idle time of a session, as in Cells: 60 minutes.
const COOKIE_MAX_AGE_S: u32 = 3_600;

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct FrontSessionRequest {
    #[serde(deserialize_with = "json::texts")]
    auth_info: BTreeMap<String, String>,
    /// The older form of `{"type":"logout"}`.
    #[serde(deserialize_with = "json::nullable")]
    logout: bool,
}

#[derive(Default, Serialize)]
struct FrontSessionResponse {
    /// The access token; older scripts and the Go SDK read it here.
    #[serde(rename = "JWT", skip_serializing_if = "Option::is_none")]
    jwt: Option<String>,
    /// Absolute, in seconds: a number here, a string in `Token`.
    #[serde(rename = "ExpireTime", skip_serializing_if = "json::zero")]
    expire_time_s: i64,
    #[serde(rename = "Token", skip_serializing_if = "Option::is_none")]
    token: Option<AuthToken>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct AuthToken {
    access_token: String,
    expires_at: String,
}

async fn front_session(call: Call) -> Result<Response, CellsError> {
    let cookie = Cookie::of(&call.headers, call.secure)?;
    let request: FrontSessionRequest = json::read(call.body).await?;
    let info = |key: &str| request.auth_info.get(key).map_or("", String::as_str);
    let identity = call.state.core.identity();
    let kind = if request.logout { "logout" } else { info("type") };
    let signed_in = match kind {
        "credentials" if !info("challenge").is_empty() => {
            return Err(CellsError::not_implemented("signing in for an OAuth2 client is not implemented"));
        }
        "credentials" => identity.sign_in(info("login"), info("password"), Door::Cells).await,
        "refresh" => match &cookie.value {
            Some(token) => identity.refresh(token, Door::Cells).await,
            None => return Err(CellsError::Refused(StatusCode::UNAUTHORIZED, "No refresh token".into())),
        },
        "logout" => {
            for token in cookie.value.iter().cloned().chain(auth::bearer(&call.headers)) {
                identity.revoke(&token).await?;
            }
            return answer(&FrontSessionResponse::default(), &cookie.expired());
        }
        // Without a type a session is continued, and a caller without one learns just that.
        "" => match &cookie.value {
            Some(token) => match identity.refresh(token, Door::Cells).await {
                Err(Error::Unauthenticated(_)) => {
                    return answer(&FrontSessionResponse::default(), &cookie.expired());
                }
                refreshed => refreshed,
            },
            None => return json::ok(&FrontSessionResponse::default()),
        },
        "authorization_code" | "external" | "exchange_pat" => {
            return Err(CellsError::not_implemented(format!("sign-in of type `{kind}` is not implemented")));
        }
        _ => return Err(CellsError::bad_request("unknown `AuthInfo.type`")),
    };
    let signed_in = signed_in.map_err(|error| match error {
        // Whatever the reason, the same text: it must not tell whether the user exists.
        Error::Unauthenticated(_) => CellsError::Refused(StatusCode::UNAUTHORIZED, "Login failed".into()),
        error => error.into(),
    })?;
    let SignIn { access_token, expires_at_s, refresh_token, .. } = signed_in;
    let response = FrontSessionResponse {
        jwt: Some(access_token.clone()),
        expire_time_s: expires_at_s,
        token: Some(AuthToken { access_token, expires_at: expires_at_s.to_string() }),
    };
    answer(&response, &cookie.holding(&refresh_token))
}

fn answer(message: &FrontSessionResponse, set_cookie: &str) -> Result<Response, CellsError> {
    let mut response = json::ok(message)?;
    let value =
        HeaderValue::from_str(set_cookie).map_err(|error| CellsError::Core(Error::internal(error)))?;
    response.headers_mut().insert(header::SET_COOKIE, value);
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

/// The session cookie: `pydio`, or `pydio-<hash>` on the page of a public link.
struct Cookie {
    name: String,
    value: Option<String>,
    secure: bool,
}

impl Cookie {
    fn of(headers: &HeaderMap, secure: bool) -> Result<Self, CellsError> {
        let name = match headers.get("x-pydio-minisite") {
            None => "pydio".to_owned(),
            Some(hash) => {
                let hash = hash.to_str().unwrap_or_default();
                let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
                if hash.is_empty() || hash.len() > 128 || !hash.bytes().all(plain) {
                    return Err(CellsError::bad_request("`X-Pydio-Minisite` is not the hash of a link"));
                }
                format!("pydio-{hash}")
            }
        };
        let value = headers
            .get_all(header::COOKIE)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .find(|(key, value)| *key == name && !value.is_empty())
            .map(|(_, value)| value.to_owned());
        Ok(Self { name, value, secure })
    }

    fn holding(&self, token: &str) -> String {
        self.written(token, COOKIE_MAX_AGE_S)
    }

    fn expired(&self) -> String {
        self.written("", 0)
    }

    fn written(&self, value: &str, max_age_s: u32) -> String {
        let secure = if self.secure { "; Secure" } else { "" };
        let name = &self.name;
        format!("{name}={value}; Path=/a/frontend; Max-Age={max_age_s}; HttpOnly; SameSite=Strict{secure}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cookie(lines: &[(&'static str, &str)]) -> Result<Cookie, CellsError> {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(*name, value.parse().unwrap());
        }
        Cookie::of(&headers, false)
    }

    #[test]
    fn the_cookie_of_a_public_link_has_its_own_name() {
        let own = cookie(&[("cookie", "a=b; pydio=one; pydio-x=two")]).unwrap();
        assert_eq!((own.name.as_str(), own.value.as_deref()), ("pydio", Some("one")));
        let link = cookie(&[("cookie", "pydio=one; pydio-x=two"), ("x-pydio-minisite", "x")]).unwrap();
        assert_eq!((link.name.as_str(), link.value.as_deref()), ("pydio-x", Some("two")));
        assert!(cookie(&[("x-pydio-minisite", "x; Domain=evil")]).is_err());
    }

    #[test]
    fn the_cookie_has_the_attributes_of_the_reference() {
        let own = cookie(&[]).unwrap();
        assert_eq!(own.holding("t"), "pydio=t; Path=/a/frontend; Max-Age=3600; HttpOnly; SameSite=Strict");
    }
}
