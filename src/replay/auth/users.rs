//! Who the replay signs in as.

use std::collections::HashMap;

use crate::sign::Key;

/// Which user of the target a recorded login becomes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Users {
    /// For everybody who is not in the pairs.
    everybody: Option<String>,
    pairs: Vec<(String, String)>,
}

impl Users {
    /// From `NAME` and `OLD=NEW`, in any order.
    pub fn parse(given: &[String]) -> Result<Self, String> {
        let mut users = Self::default();
        for text in given {
            match text.split_once('=') {
                Some((old, new)) if old.is_empty() || new.is_empty() => {
                    return Err(format!("`{text}`: expected `NAME`, or `OLD=NEW` with both of them"));
                }
                Some((old, new)) => {
                    if users.pairs.iter().any(|(known, _)| known == old) {
                        return Err(format!("`{text}`: `{old}` was given before"));
                    }
                    users.pairs.push((old.to_owned(), new.to_owned()));
                }
                None if text.is_empty() => return Err("expected the name of a user, found nothing".into()),
                None => {
                    if let Some(other) = users.everybody.replace(text.clone()) {
                        return Err(format!(
                            "two users for everybody, `{other}` and `{text}`: write `OLD=NEW` for one"
                        ));
                    }
                }
            }
        }
        Ok(users)
    }

    /// Who a recorded login becomes.
    pub fn of(&self, recorded: &str) -> Option<&str> {
        self.paired(recorded).or(self.everybody.as_deref())
    }

    /// Who a recorded login becomes by a pair of its own.
    pub fn paired(&self, recorded: &str) -> Option<&str> {
        self.pairs.iter().find(|(old, _)| old == recorded).map(|(_, new)| new.as_str())
    }

    /// Who a session without a login belongs to.
    pub fn main(&self) -> Option<&str> {
        self.everybody.as_deref().or_else(|| match self.pairs.as_slice() {
            [(_, only)] => Some(only),
            _ => None,
        })
    }

    pub fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.pairs.iter().map(|(old, new)| (old.as_str(), new.as_str()))
    }
}

/// Passwords of users of the target.
#[derive(Clone, Default)]
pub struct Passwords {
    everybody: Option<String>,
    of: HashMap<String, String>,
}

impl Passwords {
    /// One for all users.
    pub fn one(password: String) -> Self {
        Self { everybody: Some(password), of: HashMap::new() }
    }

    /// From the text of a file: one line is the password of all users, several are `NAME:PASSWORD`
    /// each.
    pub fn parse(text: &str) -> Result<Self, String> {
        let lines: Vec<&str> =
            text.lines().map(|line| line.trim_end_matches('\r')).filter(|line| !line.is_empty()).collect();
        match lines.as_slice() {
            [] => Err("the password file is empty".into()),
            [password] => Ok(Self::one((*password).to_owned())),
            lines => {
                let mut of = HashMap::new();
                for (at, line) in lines.iter().enumerate() {
                    // The line itself may hold a password, so it is not repeated.
                    let (name, password) = line.split_once(':').ok_or_else(|| {
                        format!("line {} of the password file: expected `NAME:PASSWORD`", at + 1)
                    })?;
                    of.insert(name.to_owned(), password.to_owned());
                }
                Ok(Self { everybody: None, of })
            }
        }
    }

    pub fn of(&self, user: &str) -> Option<&str> {
        self.of.get(user).or(self.everybody.as_ref()).map(String::as_str)
    }

    pub fn set(&mut self, user: &str, password: String) {
        self.of.insert(user.to_owned(), password);
    }
}

/// All that is known of the target's users.
#[derive(Clone, Default)]
pub struct Accounts {
    pub users: Users,
    pub passwords: Passwords,
    /// For S3; without it, requests are signed as with Cells, by a token.
    pub key: Option<Key>,
}

/// Reads `ID:SECRET`.
pub fn parse_key(text: &str) -> Result<Key, String> {
    match text.split_once(':') {
        Some((id, secret)) if !id.is_empty() && !secret.is_empty() => {
            Ok(Key { id: id.to_owned(), secret: secret.to_owned() })
        }
        _ => Err("expected an access key and its secret, as `ID:SECRET`".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn users(given: &[&str]) -> Result<Users, String> {
        Users::parse(&given.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn a_pair_beats_the_user_for_everybody() {
        let users = users(&["zoe", "admin=root"]).unwrap();
        assert_eq!((users.of("admin"), users.of("alice")), (Some("root"), Some("zoe")));
        assert_eq!(users.main(), Some("zoe"));
    }

    #[test]
    fn a_session_without_login_needs_one_user() {
        assert_eq!(users(&["a=b"]).unwrap().main(), Some("b"));
        assert_eq!(users(&["a=b", "c=d"]).unwrap().main(), None);
        assert_eq!(users(&["a=b"]).unwrap().of("c"), None);
    }

    #[test]
    fn what_is_unclear_is_refused() {
        for given in [&["a", "b"][..], &["a=b", "a=c"], &["=a"], &["a="], &[""]] {
            assert!(users(given).is_err(), "{given:?}");
        }
    }

    #[test]
    fn one_line_is_everybodys_password_and_more_are_named() {
        let one = Passwords::parse("pa:ss of all+1\n").unwrap();
        assert_eq!(one.of("anyone"), Some("pa:ss of all+1"));
        let two = Passwords::parse("alice:a:b\r\nbob: c\n").unwrap();
        assert_eq!((two.of("alice"), two.of("bob"), two.of("eve")), (Some("a:b"), Some(" c"), None));
        assert!(Passwords::parse("\n").is_err());
        let refused = Passwords::parse("alice:a\nsecret\n").err().unwrap();
        assert!(refused.contains("line 2") && !refused.contains("secret"), "{refused}");
    }
}
