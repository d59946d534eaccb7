//! `login`, `logout`, `get_seed`: signing in and out of a session.
//!
//! Results of `logging_result`: 1 signed in, 2 signed out, -1 refused, -4 too many failures, -5 no
//! remember-me cookie of ours. 0 stands for guests, which there are none of.
//!
//! Known gap: no captcha. The original asks for one after failures, and clients show a picture they
//! can then not load; -4 ends by itself when the lockout does.

use cellgate_core::error::{Error, Unauthenticated};
use cellgate_core::http::Response;
use cellgate_core::{Core, Credentials, Door};
use http::StatusCode;

use crate::params::Params;
use crate::render::envelope::Envelope;
use crate::render::{Format, TEXT, ok};
use crate::session::Visit;

/// `-1`: passwords travel as they are. Before the protocol had TLS it hashed them with a seed.
pub fn get_seed() -> Response {
    ok(TEXT, "-1")
}

/// Signs in. The answer is for a new session, which takes the place of the one before, so that a
/// cookie somebody planted is worth nothing.
pub async fn login(
    core: &Core,
    before: Option<Visit>,
    params: &Params,
    format: Format,
) -> Result<(Response, Option<Visit>), Error> {
    let refused = |value: &str| Ok((result(format, vec![("value", value.to_owned())]), None));
    if params.is_true("cookie_login") {
        return refused("-5");
    }
    // Java leaves the field out when there is no captcha; empty, it is a wrong answer.
    if params.get("captcha_code") == Some("") {
        return refused("-4");
    }
    let login = params.get("userid").unwrap_or_default().trim().to_owned();
    let password = params.get("password").unwrap_or_default().to_owned();
    if login.is_empty() || password.is_empty() {
        return refused("-1");
    }
    let tree = match core.open(&Credentials::Password { login, password }, Door::Pydio8).await {
        Ok(tree) => tree,
        Err(Error::Unauthenticated(Unauthenticated::LockedOut)) => return refused("-4"),
        Err(Error::Unauthenticated(_)) => return refused("-1"),
        Err(error) => return Err(error),
    };
    let remember = params.is_true("remember_me");
    let visit = Visit::open(core, Some(tree.principal()), remember).await?;
    if let Some(before) = before {
        core.identity().end_session(&before.session).await?;
    }
    let mut attributes = vec![("value", "1".to_owned())];
    if remember {
        attributes.push(("remember_login", "notify".to_owned()));
        attributes.push(("remember_pass", "notify".to_owned()));
    }
    attributes.push(("secure_token", visit.token().to_owned()));
    Ok((result(format, attributes), Some(visit)))
}

/// Signs out; there need not be anybody who is signed in.
pub async fn logout(core: &Core, visit: Option<Visit>, format: Format) -> Result<Response, Error> {
    if let Some(visit) = visit {
        core.identity().end_session(&visit.session).await?;
    }
    Ok(result(format, vec![("value", "2".to_owned())]))
}

fn result(format: Format, attributes: Vec<(&'static str, String)>) -> Response {
    Envelope::signal("logging_result", attributes).respond(StatusCode::OK, format)
}
