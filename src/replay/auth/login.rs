//! Calls that sign in with login and password, and whether they were let in.

use cellgate_record::{Answered, Sent};

use super::fields::{field, fields};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    /// `get_action=login` of `/index.php`.
    Pydio8,
    /// `POST /a/frontend/session`.
    Cells,
    /// `POST /api2/auth-token/`.
    Seafile,
    /// The token endpoint of OAuth with `grant_type=password`.
    OAuth,
}

/// A recorded sign-in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    pub door: Door,
    pub login: String,
    /// The name of a secret, normally.
    pub password: String,
}

impl Login {
    /// `None` where the request signs nobody in, or by other means than a password.
    pub fn of(sent: &Sent) -> Option<Self> {
        if sent.method != "POST" && sent.method != "GET" {
            return None;
        }
        let path = sent.path().trim_end_matches('/');
        let fields = fields(sent);
        let one = |name| field(&fields, name).map(str::to_owned);
        let (door, login) = if path.ends_with("/a/frontend/session") {
            (Door::Cells, one("login")?)
        } else if path.ends_with("/api2/auth-token") {
            (Door::Seafile, one("username")?)
        } else if field(&fields, "grant_type") == Some("password") {
            (Door::OAuth, one("username")?)
        } else if one("get_action").or_else(|| one("action")).as_deref() == Some("login") {
            (Door::Pydio8, one("userid")?)
        } else {
            return None;
        };
        Some(Self { door, login, password: one("password")? })
    }

    /// Whether the answer lets in.
    pub fn accepted(&self, answered: &Answered) -> bool {
        if self.door != Door::Pydio8 {
            return (200..300).contains(&answered.status);
        }
        // Always 200: `<logging_result value="1" …/>`.
        let body = answered.body.bytes().map(|bytes| String::from_utf8_lossy(bytes)).unwrap_or_default();
        body.split("<logging_result")
            .nth(1)
            .and_then(|rest| rest.split('>').next())
            .is_some_and(|element| element.contains("value=\"1\""))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{answered, sent_with};

    #[test]
    fn sign_ins_of_all_doors_are_known() {
        let form = "application/x-www-form-urlencoded";
        for (target, mime, body, door, login) in [
            (
                "/index.php",
                form,
                "get_action=login&userid=alice&password=__password_1__&login_seed=-1",
                Door::Pydio8,
                "alice",
            ),
            ("/?get_action=login", form, "userid=a%40b&password=__password_1__", Door::Pydio8, "a@b"),
            (
                "/a/frontend/session",
                "application/json",
                r#"{"AuthInfo":{"type":"credentials","login":"alice","password":"__password_1__"}}"#,
                Door::Cells,
                "alice",
            ),
            ("/api2/auth-token/", form, "username=alice&password=__password_1__", Door::Seafile, "alice"),
            (
                "/api2/auth-token/",
                "application/json",
                r#"{"username":"alice","password":"__password_1__"}"#,
                Door::Seafile,
                "alice",
            ),
            (
                "/oidc/oauth2/token",
                form,
                "grant_type=password&username=alice&password=__password_1__",
                Door::OAuth,
                "alice",
            ),
        ] {
            let found = Login::of(&sent_with("POST", target, mime, body)).unwrap();
            assert_eq!((found.door, found.login.as_str()), (door, login), "{target} {body}");
            assert_eq!(found.password, "__password_1__");
        }
    }

    #[test]
    fn others_are_not() {
        let form = "application/x-www-form-urlencoded";
        for (target, body) in [
            ("/index.php", "get_action=ls&userid=alice&password=x"),
            ("/a/frontend/session", r#"{"AuthInfo":{"type":"refresh"}}"#),
            ("/oidc/oauth2/token", "grant_type=refresh_token&refresh_token=__refresh_token_1__"),
        ] {
            assert_eq!(Login::of(&sent_with("POST", target, form, body)), None, "{target}");
        }
    }

    #[test]
    fn pydio_says_in_the_body_whether_it_lets_in() {
        let body = "get_action=login&userid=alice&password=x";
        let login =
            Login::of(&sent_with("POST", "/index.php", "application/x-www-form-urlencoded", body)).unwrap();
        let tree = |result: &str| format!("<?xml version=\"1.0\"?><tree ><logging_result {result}/></tree>");
        assert!(login.accepted(&answered(200, &tree("value=\"1\" secure_token=\"x\""))));
        assert!(!login.accepted(&answered(200, &tree("value=\"-1\""))));
        assert!(!login.accepted(&answered(200, "")));
    }
}
