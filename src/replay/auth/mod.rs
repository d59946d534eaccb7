//! Signing in anew: what a recording proves with its own secrets is proved with the new user's.
//!
//! | room | what |
//! |---|---|
//! | `users` | which user a recorded login becomes, and the passwords |
//! | `survey` | which recorded passwords were right, wrong, or thought up by the client |
//! | `login` | calls that sign in |
//! | `header` | `Authorization` |
//! | `cookies` | cookies |
//! | `fields` | parameters, wherever they stand |
//! | `pair` | token pairs of Pydio 8 |
//! | `obtain` | sessions and tokens, from the target |
//! | `supply` | names that the recording began with, and S3 keys |
//!
//! Digest becomes Basic: a recorded response to a challenge is worth nothing, and every client that
//! knows Digest knows Basic.
//!
//! Known gaps: OAuth codes and refresh tokens that the
//! recording does not obtain itself; cookies that the target sets and the recorded server did not.

mod cookies;
mod fields;
mod header;
mod login;
mod obtain;
mod pair;
mod supply;
mod survey;
mod users;

use cellgate_record::{Answered, Exchange, is_name};
use rand::Rng as _;
use rand::distr::Alphanumeric;

use self::cookies::Jar;
pub use self::fields::{body_fields as form_fields, boundary};
use self::header::{Authorization, basic_value};
use self::login::Login;
use self::obtain::{Kind, Sessions};
use self::pair::{Pairs, Signed};
use self::survey::Survey;
pub use self::users::{Accounts, Passwords, Users, parse_key};
use crate::send::{Client, Request};
use crate::sign::Claim;
use crate::{Finding, Values, Weight};

pub struct Auth {
    accounts: Accounts,
    survey: Survey,
    sessions: Sessions,
    jar: Jar,
    pairs: Pairs,
    /// How the call that is being prepared goes out, if it has a pair.
    paired: Option<Signed>,
    /// Names that stand for a session obtained here, of users of the target.
    lent: Vec<(String, Kind)>,
    wrong: String,
}

/// The users whose passwords a replay will need; `None` if nobody signs in. With a key at hand, S3 needs
/// no password.
pub fn users_needed(exchanges: &[&Exchange], users: &Users, has_key: bool) -> Option<Vec<String>> {
    let survey = Survey::of(exchanges);
    if !survey.signs_in && (has_key || !survey.signs_s3) {
        return None;
    }
    let mut needed: Vec<String> =
        survey.logins().into_iter().filter_map(|login| users.of(login)).map(str::to_owned).collect();
    needed.extend(users.main().map(str::to_owned));
    needed.sort();
    needed.dedup();
    Some(needed)
}

impl Auth {
    pub fn new(exchanges: &[&Exchange], accounts: Accounts, values: &mut Values) -> Self {
        let survey = Survey::of(exchanges);
        for login in survey.logins() {
            if let Some(fresh) = accounts.users.of(login) {
                values.set_login(login, fresh);
            }
        }
        for (old, new) in accounts.users.pairs() {
            values.set_login(old, new);
        }
        for name in &survey.chosen {
            // Long and mixed enough for any password policy.
            values.set(name, &format!("Replay-{}-1", random(20)));
        }
        for name in &survey.changed {
            // Whatever the recording changed it to, the user keeps the password.
            if let Some(password) = accounts.users.main().and_then(|user| accounts.passwords.of(user)) {
                values.set(name, password);
            }
        }
        let mut pairs = Pairs::default();
        exchanges.iter().for_each(|exchange| pairs.learn(exchange));
        Self {
            accounts,
            survey,
            sessions: Sessions::default(),
            jar: Jar::default(),
            pairs,
            paired: None,
            lent: Vec::new(),
            wrong: format!("wrong-{}", random(16)),
        }
    }

    /// Sees to it that every name in a request stands for something. `texts` is what will be sent of
    /// it beside the headers that [`Self::authorize`] sets.
    pub async fn prepare(
        &mut self,
        exchange: &Exchange,
        texts: &[&str],
        values: &mut Values,
        client: &mut Client,
    ) -> Result<(), String> {
        let sent = &exchange.request;
        self.paired = self.pairs.sign(sent, exchange.response.status == 401, values);
        if let Some(login) = Login::of(sent)
            && is_name(&login.password)
        {
            let password = self.password(&login.login, &login.password, values)?;
            values.set(&login.password, &password);
        }
        self.prolong(sent, values, client).await?;
        let signed = Claim::of(&sent.target, sent.header("authorization"));
        for text in texts {
            for name in values.missing(text) {
                // The signature is made again, with it the key.
                let of_signature = name.starts_with("__signature_")
                    || signed.as_ref().is_some_and(|claim| claim.access_key == name);
                if !of_signature {
                    self.obtain(&name, sent, values, client).await?;
                }
            }
        }
        if let Some(cookie) = sent.header("cookie")
            && let Some((cookie, name)) = self.jar.missing(cookie, values)
        {
            let kind = if cookie == "AjaXplorer" { Kind::Pydio8 } else { Kind::Cells };
            let session = self.session(kind, sent, client).await?;
            let value = session.cookie.ok_or_else(|| format!("the target sets no cookie `{cookie}`"))?;
            values.set(name, &value);
        }
        Ok(())
    }

    /// Puts fresh credentials into a request that is otherwise ready.
    pub async fn authorize(
        &mut self,
        exchange: &Exchange,
        request: &mut Request,
        values: &mut Values,
        client: &mut Client,
    ) -> Result<Option<Finding>, String> {
        let sent = &exchange.request;
        if let Some(recorded) = sent.header("cookie") {
            match self.jar.header(recorded, values) {
                Some(fresh) => request.set_header("cookie", &fresh),
                None => request.remove_header("cookie"),
            }
        }
        if let Some(claim) = Claim::of(&sent.target, sent.header("authorization")) {
            self.sign_anew(exchange, &claim, request, values, client).await?;
            return Ok(None);
        }
        match Authorization::of(sent) {
            None if self.paired == Some(Signed::Basic) => {
                let user = self.accounts.users.main().ok_or("nobody stands for the user of its token")?;
                let password = self.accounts.passwords.of(user);
                let password = password.ok_or_else(|| format!("there is no password of `{user}`"))?;
                request.set_header("authorization", &basic_value(user, password));
                let why = "clients do so where the server gives no tokens";
                Ok(Some(instead("a token pair", "Basic", why)))
            }
            None | Some(Authorization::Token) => Ok(None),
            Some(Authorization::Basic { login, password }) => {
                let fresh = self.password(&login, &password, values)?;
                let login = self.login(&login, &password, values);
                request.set_header("authorization", &basic_value(&login, &fresh));
                Ok(None)
            }
            Some(Authorization::Digest { login }) => {
                let fresh = self.password(&login, "", values)?;
                let user = self.login(&login, "", values);
                request.set_header("authorization", &basic_value(&user, &fresh));
                let why = "a response to a recorded challenge is worth nothing";
                Ok(Some(instead("Digest", "Basic", why)))
            }
            // Not understood by the recorded server either.
            Some(Authorization::Other(_) | Authorization::Signed)
                if matches!(exchange.response.status, 400 | 401 | 403) =>
            {
                Ok(None)
            }
            Some(Authorization::Other(scheme)) => {
                Err(format!("`Authorization: {scheme}` cannot be made anew"))
            }
            Some(Authorization::Signed) => Err("its signature is malformed".into()),
        }
    }

    /// Learns cookies from an answer; names in other places are bound where answers are compared.
    pub fn learn(&mut self, exchange: &Exchange, fresh: &Answered, values: &mut Values) {
        self.jar.learn(&exchange.request, &exchange.response, fresh, values);
    }

    /// The login that goes out for a recorded one.
    fn login(&self, login: &str, password: &str, values: &Values) -> String {
        let users = &self.accounts.users;
        let own = self.survey.chosen.contains(password);
        let fresh = match users.paired(login) {
            Some(user) => Some(user),
            // Who never got in stays a stranger, who was made on the way stays who he is.
            None if own || self.survey.wrong(login, password) && !self.survey.logins().contains(login) => {
                None
            }
            None if is_name(login) => None,
            None => users.of(login),
        };
        fresh.map_or_else(|| values.substitute(login).into_owned(), str::to_owned)
    }

    /// The password that goes out for a recorded one.
    fn password(&self, login: &str, password: &str, values: &Values) -> Result<String, String> {
        if self.survey.wrong(login, password) {
            return Ok(self.wrong.clone());
        }
        if password.is_empty() && is_name(login) {
            // The token of a link, with nothing behind it.
            return Ok(String::new());
        }
        let other = self.survey.chosen.contains(password) || !password.starts_with("__password_");
        if let (true, Some(value)) = (other, values.get(password)) {
            return Ok(value.to_owned());
        }
        let user = self.accounts.users.of(login).ok_or_else(|| {
            format!("nobody stands for the recorded user `{login}`: give `--user {login}=NAME`")
        })?;
        let known = self.accounts.passwords.of(user).map(str::to_owned);
        known.ok_or_else(|| format!("there is no password of `{user}`"))
    }
}

/// What has to be said of a call that proves otherwise who it is.
fn instead(recorded: &str, fresh: &str, why: &str) -> Finding {
    Finding {
        weight: Weight::Compatible,
        place: "request authorization".into(),
        recorded: Some(recorded.into()),
        fresh: Some(fresh.into()),
        why: Some(why.into()),
    }
}

fn random(length: usize) -> String {
    rand::rng().sample_iter(Alphanumeric).take(length).map(char::from).collect()
}

#[cfg(test)]
mod tests;
