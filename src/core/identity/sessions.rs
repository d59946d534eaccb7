//! Sessions of browsers and of the Pydio 8 flow.

use crate::error::{Error, Result};
use crate::identity::{Identity, Session};
use crate::principal::{Door, SharedPrincipal};

impl Identity {
    /// Opens a session, signed in or not; the secret goes into the cookie.
    pub async fn create_session(
        &self,
        principal: Option<&SharedPrincipal>,
        door: Door,
        expires_in_s: u64,
    ) -> Result<(Session, String)> {
        let _ = (principal, door, expires_in_s);
        Err(Error::NotImplemented("sessions"))
    }

    /// Finds an unexpired session by the secret of its cookie.
    pub async fn session(&self, secret: &str) -> Result<Option<Session>> {
        let _ = secret;
        Err(Error::NotImplemented("sessions"))
    }

    /// Keeps changed data, user or expiry of a session.
    pub async fn save_session(&self, session: &Session) -> Result<()> {
        let _ = session;
        Err(Error::NotImplemented("sessions"))
    }

    pub async fn end_session(&self, session: &Session) -> Result<()> {
        let _ = session;
        Err(Error::NotImplemented("sessions"))
    }

    /// The principal of a signed-in session.
    pub async fn session_principal(&self, session: &Session) -> Result<SharedPrincipal> {
        let _ = session;
        Err(Error::NotImplemented("sessions"))
    }
}
