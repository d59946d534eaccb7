//! What a recording shows of its logins and passwords, before anything is sent.
//!
//! A password that never let anybody in was wrong, and is sent wrong again. One that turns up first as
//! the password of a new user or a link was thought up by the client, and is thought up anew.

use std::collections::{BTreeSet, HashMap, HashSet};

use cellgate_record::{Answered, Exchange, is_name, names};

use super::fields::fields;
use super::header::Authorization;
use super::login::Login;
use crate::sign::Claim;

/// Secrets that no login is needed for: made again, or given by an answer.
const OF_OTHERS: [&str; 3] = ["access_key", "signature", "link_token"];

/// Longer bodies are files.
const TEXT_MAX: usize = 1 << 20;

/// Kinds of secrets that let in by themselves.
const TOKENS: [&str; 4] = ["jwt", "token", "seafile_token", "api_key"];

#[derive(Debug, Default)]
pub struct Survey {
    /// Logins and passwords, and whether they ever let in.
    tried: HashMap<(String, String), bool>,
    /// Passwords that a client thought up.
    pub chosen: HashSet<String>,
    /// Passwords that replaced a user's own.
    pub changed: HashSet<String>,
    /// Access keys, and whether the server ever knew them.
    keys: HashMap<String, bool>,
    /// Names, and the first answer that gave what they stand for.
    given: HashMap<String, usize>,
    /// Tokens that no answer gave, and whether a call with them was ever let in.
    brought: HashMap<String, bool>,
    /// Whether any call proves who it is, S3 signatures apart.
    pub signs_in: bool,
    pub signs_s3: bool,
}

impl Survey {
    pub fn of(exchanges: &[&Exchange]) -> Self {
        let mut survey = Self::default();
        let mut seen = HashSet::new();
        for exchange in exchanges {
            survey.look_at(exchange, &mut seen);
        }
        survey
    }

    /// Whether this pair was never let in.
    pub fn wrong(&self, login: &str, password: &str) -> bool {
        self.tried.get(&(login.to_owned(), password.to_owned())) == Some(&false)
    }

    /// Somebody who was tried with this password, and whether that was ever right.
    pub fn tried_with(&self, password: &str) -> Option<(&str, bool)> {
        let with = self.tried.iter().filter(|((_, known), _)| known == password);
        with.map(|((login, _), good)| (login.as_str(), *good)).max_by_key(|(login, good)| (*good, *login))
    }

    /// Logins of users who were let in, without those that the recording itself made.
    pub fn logins(&self) -> BTreeSet<&str> {
        let good =
            self.tried.iter().filter(|((_, password), good)| **good && !self.chosen.contains(password));
        good.map(|((login, _), _)| login.as_str()).collect()
    }

    /// Whether the server said that it does not know this access key, and nothing else.
    pub fn strange_key(&self, key: &str) -> bool {
        self.keys.get(key) == Some(&false)
    }

    /// Whether a token was never good for anything, and comes from nowhere.
    pub fn strange_token(&self, name: &str) -> bool {
        self.brought.get(name) == Some(&false) && !self.given.contains_key(name)
    }

    /// The entry whose answer gave what a name stands for.
    pub fn given_by(&self, name: &str) -> Option<usize> {
        self.given.get(name).copied()
    }

    fn look_at(&mut self, exchange: &Exchange, seen: &mut HashSet<String>) {
        let (sent, answered) = (&exchange.request, &exchange.response);
        let mut own = Vec::new();
        match Authorization::of(sent) {
            Some(Authorization::Basic { login, password }) => {
                self.try_pair(&login, &password, answered.status != 401);
                own.push(password);
            }
            Some(Authorization::Digest { login }) => self.try_pair(&login, "", answered.status != 401),
            Some(Authorization::Token) => self.signs_in = true,
            Some(Authorization::Signed | Authorization::Other(_)) | None => {}
        }
        if let Some(login) = Login::of(sent) {
            self.try_pair(&login.login, &login.password, login.accepted(answered));
            own.push(login.password);
        }
        if let Some(claim) = Claim::of(&sent.target, sent.header("authorization")) {
            self.signs_s3 = true;
            let unknown = refusal(answered).as_deref() == Some("InvalidAccessKeyId");
            // Refused for another reason, the key may be as strange: that tells nothing.
            if unknown || answered.status < 400 {
                *self.keys.entry(claim.access_key).or_insert(false) |= !unknown;
            }
        }
        let fields = fields(sent);
        let changes = fields.iter().any(|(name, value)| is_former(name) && is_password(value));
        for (name, value) in fields {
            if !is_password(&value) || seen.contains(&value) || own.contains(&value) {
                continue;
            }
            if changes || is_former(&name) {
                self.changed.insert(value.clone());
            } else {
                self.chosen.insert(value.clone());
            }
        }
        let bodies = [&sent.body, &answered.body].map(|body| {
            let text = body.bytes().filter(|bytes| bytes.len() <= TEXT_MAX);
            text.map(|bytes| String::from_utf8_lossy(bytes).into_owned()).unwrap_or_default()
        });
        let texts = sent.headers.iter().map(|(_, value)| value.as_str()).chain([sent.target.as_str()]);
        if texts.clone().any(|text| names(text).any(|name| !OF_OTHERS.contains(&name.kind))) {
            self.signs_in = true;
        }
        for name in texts.clone().flat_map(names).filter(|name| TOKENS.contains(&name.kind)) {
            if !self.given.contains_key(name.whole) {
                *self.brought.entry(name.whole.to_owned()).or_insert(false) |= answered.status != 401;
            }
        }
        let answers = answered.headers.iter().map(|(_, value)| value.as_str()).chain([bodies[1].as_str()]);
        for name in answers.flat_map(names) {
            self.given.entry(name.whole.to_owned()).or_insert(exchange.number);
        }
        for text in texts.chain(bodies.iter().map(String::as_str)) {
            seen.extend(names(text).map(|name| name.whole.to_owned()));
        }
    }

    fn try_pair(&mut self, login: &str, password: &str, good: bool) {
        self.signs_in = true;
        *self.tried.entry((login.to_owned(), password.to_owned())).or_insert(false) |= good;
    }
}

/// The code of an S3 error.
pub fn refusal(answered: &Answered) -> Option<String> {
    if answered.status < 400 {
        return None;
    }
    let body = String::from_utf8_lossy(answered.body.bytes()?).into_owned();
    let code = body.split("<Code>").nth(1)?.split("</Code>").next()?;
    Some(code.trim().to_owned())
}

fn is_password(value: &str) -> bool {
    is_name(value) && value.starts_with("__password_")
}

/// `old_pass` of Pydio 8, `OldPassword` of Cells.
fn is_former(field: &str) -> bool {
    let field = field.to_ascii_lowercase();
    field.starts_with("old") || field.starts_with("current")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{answered, exchange, sent, sent_with};

    fn survey(exchanges: &[Exchange]) -> Survey {
        Survey::of(&exchanges.iter().collect::<Vec<_>>())
    }

    fn basic(number: usize, pair: &str, status: u16) -> Exchange {
        let request = sent("GET", "/api/my-files/ls/", &[("Authorization", &format!("Basic {pair}"))]);
        exchange(number, request, answered(status, ""))
    }

    #[test]
    fn a_password_that_never_let_in_is_wrong() {
        let survey = survey(&[
            basic(1, "alice:__password_1__", 401),
            basic(2, "alice:__password_2__", 401),
            basic(3, "alice:__password_2__", 200),
            basic(4, "nobody:__password_2__", 401),
        ]);
        assert!(survey.wrong("alice", "__password_1__"));
        assert!(!survey.wrong("alice", "__password_2__"));
        assert!(survey.wrong("nobody", "__password_2__"));
        assert!(!survey.wrong("other", "__password_1__"));
        assert_eq!(survey.logins().into_iter().collect::<Vec<_>>(), ["alice"]);
    }

    #[test]
    fn sign_ins_count_by_what_they_answer() {
        let form = "application/x-www-form-urlencoded";
        let login = |password: &str| {
            sent_with("POST", "/api2/auth-token/", form, &format!("username=alice&password={password}"))
        };
        let survey = survey(&[
            exchange(1, login("__password_1__"), answered(400, "{}")),
            exchange(2, login("__password_2__"), answered(200, "{\"token\":\"__seafile_token_1__\"}")),
        ]);
        assert!(survey.wrong("alice", "__password_1__") && !survey.wrong("alice", "__password_2__"));
        // The password of a sign-in is no new one.
        assert!(survey.chosen.is_empty());
    }

    #[test]
    fn the_password_of_a_new_user_is_chosen() {
        let create = r#"{"Login":"bob","Password":"__password_2__"}"#;
        let survey = survey(&[
            basic(1, "admin:__password_1__", 200),
            exchange(2, sent_with("PUT", "/a/user/bob", "application/json", create), answered(200, "{}")),
            basic(3, "bob:__password_2__", 200),
        ]);
        assert!(survey.chosen.contains("__password_2__"));
        assert_eq!(survey.logins().into_iter().collect::<Vec<_>>(), ["admin"]);
    }

    #[test]
    fn a_changed_password_is_not_thought_up() {
        let change = r#"{"OldPassword":"__password_1__","Password":"__password_2__"}"#;
        let survey = survey(&[exchange(
            1,
            sent_with("PUT", "/a/user/alice", "application/json", change),
            answered(200, "{}"),
        )]);
        assert!(survey.chosen.is_empty());
        assert!(survey.changed.contains("__password_2__") && survey.changed.contains("__password_1__"));
    }

    #[test]
    fn a_key_is_strange_when_the_server_says_so_and_never_took_it() {
        let signed = |key: &str| {
            let value = format!("AWS4-HMAC-SHA256 Credential={key}/20260101/r/s3/aws4_request, Signature=x");
            sent("GET", "/io", &[("Authorization", &value)])
        };
        let unknown = "<Error><Code>InvalidAccessKeyId</Code></Error>";
        let survey = survey(&[
            exchange(1, signed("__access_key_1__"), answered(403, unknown)),
            exchange(
                2,
                signed("__access_key_2__"),
                answered(403, "<Error><Code>AccessDenied</Code></Error>"),
            ),
            exchange(3, signed("__access_key_3__"), answered(403, unknown)),
            exchange(4, signed("__access_key_3__"), answered(200, "")),
        ]);
        assert!(survey.strange_key("__access_key_1__"));
        assert!(!survey.strange_key("__access_key_2__"));
        assert!(!survey.strange_key("__access_key_3__"));
    }

    #[test]
    fn a_token_from_nowhere_that_never_let_in_is_strange() {
        let call = |number, token: &str, status, body: &str| {
            let headers = [("Authorization", token)];
            exchange(number, sent("GET", "/api2/account/info/", &headers), answered(status, body))
        };
        let survey = survey(&[
            call(1, "Token __seafile_token_1__", 401, ""),
            call(2, "Token __seafile_token_2__", 200, "{\"token\":\"__seafile_token_3__\"}"),
            call(3, "Token __seafile_token_3__", 401, ""),
        ]);
        assert!(survey.strange_token("__seafile_token_1__"));
        assert!(!survey.strange_token("__seafile_token_2__"));
        // It was good once: it has ended, or the call is not allowed.
        assert!(!survey.strange_token("__seafile_token_3__"));
        assert_eq!(survey.given_by("__seafile_token_3__"), Some(2));
    }

    #[test]
    fn a_recording_without_credentials_needs_nobody() {
        assert!(!survey(&[exchange(1, sent("GET", "/public/x", &[]), answered(200, ""))]).signs_in);
        assert!(survey(&[basic(1, "a:b", 200)]).signs_in);
    }
}
