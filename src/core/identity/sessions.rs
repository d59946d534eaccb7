//! Sessions of browsers and of the Pydio 8 flow.
//!
//! A session bears the limits of the credential it was opened with. Known gap: a session opened
//! with a personal token or key outlives that token until it expires itself.

use uuid::Uuid;

use crate::error::{Error, Result, Unauthenticated};
use crate::http::date::now_ns;
use crate::identity::kept::{self, Kept as _};
use crate::identity::tokens::expiry;
use crate::identity::verify::{check_time, refused};
use crate::identity::{Identity, Session, secrets};
use crate::principal::{Door, SharedPrincipal};

impl Session {
    /// Signs in a session that was handed out before the sign-in. To be kept with
    /// [`Identity::save_session`].
    pub fn sign_in(&mut self, principal: &SharedPrincipal) {
        self.user = Some(principal.uuid);
        self.scope = principal.scope.clone();
    }
}

impl Identity {
    /// Opens a session, signed in or not; the secret goes into the cookie.
    pub async fn create_session(
        &self,
        principal: Option<&SharedPrincipal>,
        door: Door,
        expires_in_s: u64,
    ) -> Result<(Session, String)> {
        let session = Session {
            uuid: Uuid::new_v4(),
            user: principal.map(|principal| principal.uuid),
            door,
            created_ns: now_ns(),
            expires_ns: expiry(Some(expires_in_s)).unwrap_or(i64::MAX),
            data: std::collections::BTreeMap::new(),
            scope: principal.map(|principal| principal.scope.clone()).unwrap_or_default(),
        };
        let secret = secrets::random_base64url();
        let record = session.record_named(self.inner.secrets.name_of(&secret))?;
        self.commit(move |txn| Box::pin(async move { txn.put_record(&record).await })).await?;
        Ok((session, secret))
    }

    /// Finds an unexpired session by the secret of its cookie.
    pub async fn session(&self, secret: &str) -> Result<Option<Session>> {
        let session = self.by_name::<Session>(&self.inner.secrets.name_of(secret)).await?;
        Ok(session.filter(|session| check_time(Some(session.expires_ns)).is_ok()))
    }

    /// Keeps changed data, user or expiry of a session; one that was ended meanwhile stays ended.
    pub async fn save_session(&self, session: &Session) -> Result<()> {
        let session = session.clone();
        self.commit(move |txn| {
            Box::pin(async move {
                let Some(kept) = txn.record(Session::KIND, &session.id()).await? else {
                    return Err(Error::NotFound(session.id()));
                };
                txn.put_record(&session.record_named(kept.name)?).await
            })
        })
        .await
    }

    pub async fn end_session(&self, session: &Session) -> Result<()> {
        let uuid = session.id();
        self.commit(move |txn| {
            Box::pin(async move {
                txn.delete_record(Session::KIND, &uuid).await?;
                Ok(())
            })
        })
        .await
    }

    /// Ends all sessions of a user.
    pub async fn end_sessions(&self, user: Uuid) -> Result<()> {
        self.commit(move |txn| {
            Box::pin(async move { kept::delete_owned(txn, Session::KIND, &user.to_string()).await })
        })
        .await
    }

    /// The principal of a signed-in session.
    pub async fn session_principal(&self, session: &Session) -> Result<SharedPrincipal> {
        check_time(Some(session.expires_ns))?;
        let user = session.user.ok_or_else(|| refused(Unauthenticated::Missing))?;
        self.principal_of(user, &session.scope).await
    }
}
