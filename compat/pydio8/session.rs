//! Sessions of `/index.php`: the cookie, the secure token, the chosen workspace.
//!
//! A session begins with the first answer that needs one, signed in or not, and is replaced at
//! sign-in. It ends after 1440 idle seconds, PHP's habit; with `remember_me` after ten days. The
//! original instead leaves a second cookie for that, which the Java SDK would send back mangled.

use cellgate_core::error::{Error, Result};
use cellgate_core::http::date::now_ns;
use cellgate_core::identity::Session;
use cellgate_core::principal::SharedPrincipal;
use cellgate_core::{Core, Door};
use cookie::Cookie;
use http::header::COOKIE;
use http::{HeaderMap, HeaderValue};
use rand::Rng;
use rand::distr::Alphanumeric;
use subtle::ConstantTimeEq;

use crate::params::Params;

pub const COOKIE_NAME: &str = "AjaXplorer";
pub const IDLE_S: u64 = 1_440;
const REMEMBERED_S: u64 = 10 * 86_400;

const TOKEN: &str = "secure_token";
const WORKSPACE: &str = "workspace";
const LIFETIME: &str = "lifetime_s";

/// A session of this door.
pub struct Visit {
    pub session: Session,
    /// The cookie's value, when the client must take it.
    pub fresh: Option<String>,
}

impl Visit {
    /// Finds the session that a request belongs to. The cookie may also come as `ajxp_sessid`, which
    /// the Java SDK puts into the URLs it hands to players and downloaders.
    pub async fn find(core: &Core, headers: &HeaderMap, params: &Params) -> Result<Option<Self>> {
        let cookie = headers
            .get_all(COOKIE)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(Cookie::split_parse)
            .filter_map(std::result::Result::ok)
            .find(|cookie| cookie.name() == COOKIE_NAME)
            .map(|cookie| cookie.value().to_owned());
        let Some(secret) = cookie.or_else(|| params.filled("ajxp_sessid").map(str::to_owned)) else {
            return Ok(None);
        };
        let session = core.identity().session(&secret).await?;
        let Some(session) = session.filter(|session| session.door == Door::Pydio8) else {
            return Ok(None);
        };
        let mut visit = Self { session, fresh: None };
        visit.prolong(core).await?;
        Ok(Some(visit))
    }

    /// Opens a session with a secure token.
    pub async fn open(core: &Core, principal: Option<&SharedPrincipal>, remember: bool) -> Result<Self> {
        let lifetime_s = if remember { REMEMBERED_S } else { IDLE_S };
        let (mut session, secret) =
            core.identity().create_session(principal, Door::Pydio8, lifetime_s).await?;
        let token: String = rand::rng().sample_iter(Alphanumeric).take(32).map(char::from).collect();
        session.data.insert(TOKEN.to_owned(), token);
        session.data.insert(LIFETIME.to_owned(), lifetime_s.to_string());
        core.identity().save_session(&session).await?;
        Ok(Self { session, fresh: Some(secret) })
    }

    /// The token that requests must repeat.
    pub fn token(&self) -> &str {
        self.session.data.get(TOKEN).map(String::as_str).unwrap_or_default()
    }

    /// Whether a request repeats the token. A session always has one.
    pub fn admits(&self, params: &Params) -> bool {
        let given = params.get(TOKEN).unwrap_or_default();
        !self.token().is_empty() && bool::from(given.as_bytes().ct_eq(self.token().as_bytes()))
    }

    /// The workspace chosen by `switch_repository`.
    pub fn workspace(&self) -> Option<&str> {
        self.session.data.get(WORKSPACE).map(String::as_str)
    }

    pub async fn choose(&mut self, core: &Core, workspace: String) -> Result<()> {
        self.session.data.insert(WORKSPACE.to_owned(), workspace);
        core.identity().save_session(&self.session).await
    }

    /// The principal, if the session is signed in and its user still may.
    pub async fn principal(&self, core: &Core) -> Result<Option<SharedPrincipal>> {
        if self.session.user.is_none() {
            return Ok(None);
        }
        match core.identity().session_principal(&self.session).await {
            Ok(principal) => Ok(Some(principal)),
            Err(Error::Unauthenticated(_) | Error::NotFound(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Moves the end of the session, seldom enough that reading stays reading.
    async fn prolong(&mut self, core: &Core) -> Result<()> {
        let lifetime_s = self.session.data.get(LIFETIME).and_then(|text| text.parse().ok()).unwrap_or(IDLE_S);
        let lifetime_ns = i64::try_from(lifetime_s).unwrap_or(0).saturating_mul(1_000_000_000);
        let now = now_ns();
        if self.session.expires_ns - now >= lifetime_ns / 2 {
            return Ok(());
        }
        self.session.expires_ns = now.saturating_add(lifetime_ns);
        core.identity().save_session(&self.session).await
    }

    /// The header of the answer, when the client must take a cookie. Without `Max-Age`: with it the
    /// Java SDK switches to the quoted cookies of RFC 2965.
    pub fn set_cookie(&self, secure: bool) -> Option<HeaderValue> {
        let secret = self.fresh.as_deref()?;
        let cookie = Cookie::build((COOKIE_NAME, secret)).path("/").http_only(true).secure(secure);
        HeaderValue::from_str(&cookie.build().to_string()).ok()
    }
}
