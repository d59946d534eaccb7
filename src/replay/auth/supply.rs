//! What a recording began with: names that no answer in it gives are found in sessions of the new
//! user's own.

use cellgate_record::{Exchange, Sent, is_name, names};

use super::obtain::{Kind, Session};
use super::survey::refusal;
use super::{Auth, cookies, random};
use crate::Values;
use crate::send::{Client, Request};
use crate::sign::{Claim, Key, Query, moment, sign};

/// The secret of access keys that are tokens, known to everybody (Cells reference, 3.2).
const GATEWAY_SECRET: &str = "gatewaysecret";
const GATEWAY_KEY: &str = "gateway";

impl Auth {
    /// Finds something that a name may stand for, and binds it.
    pub(super) async fn obtain(
        &mut self,
        name: &str,
        sent: &Sent,
        values: &mut Values,
        client: &mut Client,
    ) -> Result<(), String> {
        let Some(found) = names(name).next() else { return Ok(()) };
        if self.survey.strange_token(name) {
            // Of the form that all of them have somewhere: 40 hexadecimal digits.
            values.set(name, &"0123456789".repeat(4));
            return Ok(());
        }
        // The same value has the same name, also where it stands for something else: `wrong` is no
        // password and no token.
        match self.survey.tried_with(name) {
            Some((_, false)) => {
                values.set(name, &self.wrong);
                return Ok(());
            }
            Some((login, true)) if found.kind == "password" => {
                let value = self.password(login, name, values)?;
                values.set(name, &value);
                return Ok(());
            }
            _ => {}
        }
        let given = self.survey.given_by(name);
        let unknown = || match given {
            Some(number) => format!("the target did not give what `{name}` stands for, as in entry {number}"),
            None => format!("`{name}` comes from a call that this recording lacks"),
        };
        let kind = match found.kind {
            "secure_token" => Kind::Pydio8,
            "jwt" | "token" | "access_key" | "seafile_token" | "api_key" => match token_place(sent, name) {
                Some(kind) => kind,
                None => return Err(unknown()),
            },
            "cookie" | "session" => match cookie_place(sent, name) {
                Some(kind) => kind,
                None => return Err(unknown()),
            },
            // A client thinks it up itself.
            "nonce" => {
                values.set(name, &random(32));
                return Ok(());
            }
            _ => return Err(unknown()),
        };
        let session = self.session(kind, sent, client).await?;
        self.lend(name, kind, &session, values);
        // A secure token is good with its own session only.
        if kind == Kind::Pydio8 {
            let cookies = sent.header("cookie").map(cookies::pairs).into_iter().flatten();
            for (_, cookie) in cookies.filter(|(name, value)| *name == "AjaXplorer" && is_name(value)) {
                if let Some(value) = &session.cookie {
                    values.set(cookie, value);
                }
            }
        }
        Ok(())
    }

    fn lend(&mut self, name: &str, kind: Kind, session: &Session, values: &mut Values) {
        let by_cookie = name.starts_with("__cookie_") || name.starts_with("__session_");
        let value = session.cookie.as_ref().filter(|_| by_cookie).unwrap_or(&session.token);
        values.set(name, value);
        if !by_cookie && !self.lent.iter().any(|(known, _)| known == name) {
            self.lent.push((name.to_owned(), kind));
        }
    }

    /// Renews tokens that were obtained here and may soon end.
    pub(super) async fn prolong(
        &mut self,
        sent: &Sent,
        values: &mut Values,
        client: &mut Client,
    ) -> Result<(), String> {
        if !self.lent.iter().any(|(_, kind)| *kind == Kind::Cells) {
            return Ok(());
        }
        let session = self.session(Kind::Cells, sent, client).await?;
        for (name, _) in self.lent.iter().filter(|(_, kind)| *kind == Kind::Cells) {
            values.set(name, &session.token);
        }
        Ok(())
    }

    pub(super) async fn session(
        &mut self,
        kind: Kind,
        sent: &Sent,
        client: &mut Client,
    ) -> Result<Session, String> {
        let user = self.accounts.users.main().ok_or(
            "the recording does not say whose session this is: give one `--user NAME` for everybody",
        )?;
        let password =
            self.accounts.passwords.of(user).ok_or_else(|| format!("there is no password of `{user}`"))?;
        self.sessions.of(kind, user, password, &base(sent, kind), client).await
    }

    pub(super) async fn sign_anew(
        &mut self,
        exchange: &Exchange,
        claim: &Claim,
        request: &mut Request,
        values: &mut Values,
        client: &mut Client,
    ) -> Result<(), String> {
        let mut key = self.key(claim, &exchange.request, values, client).await?;
        if refusal(&exchange.response).as_deref() == Some("SignatureDoesNotMatch") {
            key.secret.push_str(&self.wrong);
        }
        let at = moment(claim, &exchange.request, exchange.started, &exchange.response);
        sign(request, claim, &key, at)
    }

    async fn key(
        &mut self,
        claim: &Claim,
        sent: &Sent,
        values: &mut Values,
        client: &mut Client,
    ) -> Result<Key, String> {
        let recorded = claim.access_key.as_str();
        let with = |id: &str| Key { id: id.to_owned(), secret: GATEWAY_SECRET.to_owned() };
        if recorded == GATEWAY_KEY {
            return Ok(with(GATEWAY_KEY));
        }
        if self.survey.strange_key(recorded) {
            return Ok(with("AKIAREPLAYSTRANGEKEY"));
        }
        if let Some(key) = &self.accounts.key {
            return Ok(key.clone());
        }
        if let Some(token) = values.get(recorded) {
            return Ok(with(token));
        }
        let session = self
            .session(Kind::Cells, sent, client)
            .await
            .map_err(|why| format!("{why}; an access key of the target can be given in `CELLGATE_KEY`"))?;
        if is_name(recorded) {
            self.lend(recorded, Kind::Cells, &session, values);
        }
        Ok(with(&session.token))
    }
}

/// Which session gives the token that stands here.
fn token_place(sent: &Sent, name: &str) -> Option<Kind> {
    let query = Query::of(&sent.target);
    let authorization = sent.header("authorization").unwrap_or_default();
    let scheme = authorization.split(' ').next().unwrap_or_default();
    if authorization.contains(name) && scheme.eq_ignore_ascii_case("token") {
        return Some(Kind::Seafile);
    }
    if query.get("ajxp_sessid").as_deref() == Some(name) {
        return Some(Kind::Pydio8);
    }
    let bearer = authorization.contains(name) && scheme.eq_ignore_ascii_case("bearer");
    let beside = sent.header("x-pydio-bearer").is_some_and(|value| value.contains(name))
        || query.get("pydio_jwt").as_deref() == Some(name);
    if !bearer && !beside {
        return None;
    }
    let path = sent.path();
    let seafile = ["/api2/", "/api/v2.1/", "/seafhttp/"].iter().any(|mark| path.contains(mark));
    Some(if seafile { Kind::Seafile } else { Kind::Cells })
}

/// Which session gives the cookie's value that stands in a place of its own.
fn cookie_place(sent: &Sent, name: &str) -> Option<Kind> {
    (Query::of(&sent.target).get("ajxp_sessid").as_deref() == Some(name)).then_some(Kind::Pydio8)
}

/// What stands before the doors of the original in a path: `/pydio` of `/pydio/index.php`.
fn base(sent: &Sent, kind: Kind) -> String {
    let marks: &[&str] = match kind {
        Kind::Pydio8 => &["/index.php", "/api/"],
        // A path of another door may hold an `a` as well.
        Kind::Cells => &["/a/", "/io/", "/dav/"],
        Kind::Seafile => &["/api2/", "/api/v2.1/", "/seafhttp/"],
    };
    let path = sent.path();
    let found = marks.iter().filter_map(|mark| path.find(mark)).min();
    path.get(..found.unwrap_or_default()).unwrap_or_default().to_owned()
}
