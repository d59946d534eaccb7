//! Users: creating, changing and deleting them. The caller's right to do so is checked by
//! [`crate::Core::admin`] (REST) or is the operator's own (command line).

use uuid::Uuid;

use crate::error::{Error, Result};
use crate::http::date::now_ns;
use crate::identity::kept::{self, Kept as _};
use crate::identity::tokens::{self, Revoked};
use crate::identity::{Identity, Role, User, groups, password};
use crate::ports::Txn;

/// Longest login, in characters (all of them ASCII).
const LOGIN_MAX: usize = 64;
/// Longest label, display name or address, in bytes.
const TEXT_MAX: usize = 1024;

#[derive(Debug, Clone, Default)]
pub struct NewUser {
    pub login: String,
    /// `None`: no password, signs in by key or token only.
    pub password: Option<String>,
    pub display_name: String,
    pub email: String,
    /// Empty means `/`.
    pub group: String,
    pub roles: Vec<Uuid>,
    pub admin: bool,
}

/// What to change of a user; `None` leaves it.
#[derive(Debug, Clone, Default)]
pub struct UserChange {
    pub password: Option<String>,
    pub display_name: Option<String>,
    pub email: Option<String>,
    pub group: Option<String>,
    pub roles: Option<Vec<Uuid>>,
    pub admin: Option<bool>,
    pub locked: Option<bool>,
    pub attributes: Option<std::collections::BTreeMap<String, String>>,
}

impl Identity {
    /// All users, ordered by login without regard to case.
    pub async fn users(&self) -> Result<Vec<User>> {
        self.all(None).await
    }

    pub async fn user(&self, login: &str) -> Result<Option<User>> {
        let user = self.by_name::<User>(&login.to_lowercase()).await?;
        Ok(user.filter(|user| user.login == login))
    }

    pub async fn user_by_uuid(&self, uuid: Uuid) -> Result<Option<User>> {
        self.get(&uuid.to_string()).await
    }

    /// Users directly in a group.
    pub async fn users_in(&self, group: &str) -> Result<Vec<User>> {
        self.all(Some(&groups::normal(group)?)).await
    }

    /// Logins are told apart by case when signing in, but two that differ by nothing else are not
    /// let in: on some file systems, and to most people, they are one.
    pub async fn create_user(&self, new: NewUser) -> Result<User> {
        check_login(&new.login)?;
        let user = User {
            uuid: Uuid::new_v4(),
            login: new.login,
            password: match &new.password {
                Some(password) => self.inner.hashing.hash(password).await?,
                None => String::new(),
            },
            display_name: text("display name", new.display_name)?,
            email: text("e-mail address", new.email)?,
            group: groups::normal(&new.group)?,
            roles: new.roles,
            admin: new.admin,
            locked: false,
            created_ns: now_ns(),
            attributes: std::collections::BTreeMap::new(),
        };
        self.commit(move |txn| {
            Box::pin(async move {
                if txn.record_by_name(User::KIND, &user.name()).await?.is_some() {
                    return Err(Error::AlreadyExists(user.login));
                }
                check_place(txn, &user).await?;
                kept::put(txn, &user).await?;
                Ok(user)
            })
        })
        .await
    }

    /// A new password ends what the old one opened: sessions, refresh and access tokens. Keys and
    /// personal tokens stay, they were made one by one and are ended so.
    pub async fn change_user(&self, login: &str, change: UserChange) -> Result<User> {
        let password = match &change.password {
            Some(password) => Some(self.inner.hashing.hash(password).await?),
            None => None,
        };
        let display_name = change.display_name.map(|name| text("display name", name)).transpose()?;
        let email = change.email.map(|email| text("e-mail address", email)).transpose()?;
        let group = change.group.as_deref().map(groups::normal).transpose()?;
        let login = login.to_owned();
        let access_token_s = self.inner.access_token_s;
        self.commit(move |txn| {
            Box::pin(async move {
                let mut user = find(txn, &login).await?;
                let renewed = password.is_some();
                user.password = password.unwrap_or(user.password);
                user.display_name = display_name.unwrap_or(user.display_name);
                user.email = email.unwrap_or(user.email);
                user.group = group.unwrap_or(user.group);
                user.roles = change.roles.unwrap_or(user.roles);
                user.admin = change.admin.unwrap_or(user.admin);
                user.locked = change.locked.unwrap_or(user.locked);
                user.attributes = change.attributes.unwrap_or(user.attributes);
                check_place(txn, &user).await?;
                kept::put(txn, &user).await?;
                if renewed {
                    let owner = user.uuid.to_string();
                    kept::delete_owned(txn, "session", &owner).await?;
                    tokens::delete_refresh_tokens(txn, user.uuid, None).await?;
                    kept::put(txn, &Revoked::access_tokens_of(user.uuid, access_token_s)).await?;
                }
                Ok(user)
            })
        })
        .await
    }

    /// Takes over a password hash of an older server (Pydio 8, Cells) or of this one as it is.
    pub async fn set_password_hash(&self, login: &str, stored: &str) -> Result<()> {
        if !password::is_stored_form(stored) {
            return Err(Error::InvalidArgument("this form of password hash is not known".into()));
        }
        let (login, stored) = (login.to_owned(), stored.to_owned());
        self.commit(move |txn| {
            Box::pin(async move {
                let user = User { password: stored, ..find(txn, &login).await? };
                kept::put(txn, &user).await
            })
        })
        .await
    }

    /// Replaces an old form of hash after it verified, unless somebody was quicker.
    pub(super) async fn upgrade_password(&self, verified: &User, password: &str) -> Result<()> {
        let hash = self.inner.hashing.hash(password).await?;
        let verified = verified.clone();
        self.commit(move |txn| {
            Box::pin(async move {
                match kept::get::<User>(txn, &verified.id()).await? {
                    Some(user) if user.password == verified.password => {
                        kept::put(txn, &User { password: hash, ..user }).await
                    }
                    _ => Ok(()),
                }
            })
        })
        .await
    }

    /// Deletes the user with grants, keys, tokens and sessions. Files stay.
    pub async fn delete_user(&self, login: &str) -> Result<()> {
        let login = login.to_owned();
        self.commit(move |txn| {
            Box::pin(async move {
                let user = find(txn, &login).await?;
                let owner = user.uuid.to_string();
                for kind in ["grant", "key", "token", "session"] {
                    kept::delete_owned(txn, kind, &owner).await?;
                }
                txn.delete_record(User::KIND, &owner).await?;
                Ok(())
            })
        })
        .await
    }
}

async fn find(txn: &mut dyn Txn, login: &str) -> Result<User> {
    kept::by_name::<User>(txn, &login.to_lowercase())
        .await?
        .filter(|user| user.login == login)
        .ok_or_else(|| Error::NotFound(login.to_owned()))
}

/// The user's group and roles exist.
async fn check_place(txn: &mut dyn Txn, user: &User) -> Result<()> {
    groups::check_exists(txn, &user.group).await?;
    for role in &user.roles {
        if kept::get::<Role>(txn, &role.to_string()).await?.is_none() {
            return Err(Error::InvalidArgument(format!("there is no role {role}")));
        }
    }
    Ok(())
}

fn check_login(login: &str) -> Result<()> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._@-".contains(&byte);
    let reason = if login.is_empty() {
        "it is empty"
    } else if login.len() > LOGIN_MAX {
        "it is longer than 64 characters"
    } else if !login.bytes().all(allowed) {
        "only letters, digits and `._@-` are allowed"
    } else if login == "." || login == ".." {
        // Personal workspaces make a folder of it.
        "it is relative"
    } else {
        return Ok(());
    };
    let shown: String = login.chars().filter(|c| !c.is_control()).take(LOGIN_MAX).collect();
    Err(Error::InvalidName(format!("invalid login `{shown}`: {reason}")))
}

/// Checks a text that people read: labels end up in headers and XML, where control characters break
/// the document.
pub(super) fn text(what: &str, text: String) -> Result<String> {
    if text.len() > TEXT_MAX {
        return Err(Error::InvalidArgument(format!("the {what} is longer than {TEXT_MAX} bytes")));
    }
    if text.chars().any(char::is_control) {
        return Err(Error::InvalidArgument(format!("the {what} contains a control character")));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logins_are_plain_names() {
        for login in ["a", "alice", "Alice.B-c_d@example.org", "1", "...", &"x".repeat(64)] {
            assert!(check_login(login).is_ok(), "{login}");
        }
        let long = "x".repeat(65);
        for login in ["", ".", "..", "a b", "a/b", "é", "a\n", "{login}", "a:b", "a\0", long.as_str()] {
            assert!(matches!(check_login(login), Err(Error::InvalidName(_))), "{login:?}");
        }
    }
}
