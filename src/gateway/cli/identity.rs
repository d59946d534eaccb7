//! `user`, `group`, `role`, `key`.

use std::io::BufRead as _;

use cellgate_core::identity::{Grant, NewKey, NewUser, Subject, Target, UserChange};
use cellgate_core::principal::{Door, Scope};
use cellgate_core::{Core, Error, NodePath, Result, Rights};
use clap::Subcommand;
use uuid::Uuid;

#[derive(Subcommand)]
pub enum User {
    /// List users
    List,
    /// Create a user; the password is read from the first line of standard input unless given
    Create {
        login: String,
        /// Visible to others on this machine while the command runs; prefer standard input
        #[arg(long)]
        password: Option<String>,
        /// Signs in by key or token only
        #[arg(long, conflicts_with = "password")]
        no_password: bool,
        #[arg(long, default_value = "")]
        name: String,
        #[arg(long, default_value = "")]
        email: String,
        /// Group path like `/sales`
        #[arg(long, default_value = "/")]
        group: String,
        /// Role label; may be repeated
        #[arg(long)]
        role: Vec<String>,
        #[arg(long)]
        admin: bool,
    },
    /// Set a password, read from the first line of standard input unless given
    Password {
        login: String,
        #[arg(long)]
        password: Option<String>,
    },
    /// Lock out a user, at once
    Lock { login: String },
    /// Let a locked user in again
    Unlock { login: String },
    /// Delete a user with keys, tokens and rights; files stay
    Delete { login: String },
}

pub async fn user(core: &Core, command: User) -> Result<()> {
    let identity = core.identity();
    match command {
        User::List => {
            for user in identity.users().await? {
                let flags = [(user.admin, "admin"), (user.locked, "locked")];
                let flags: Vec<&str> = flags.iter().filter(|(set, _)| *set).map(|(_, name)| *name).collect();
                println!("{}\t{}\t{}\t{}", user.login, user.group, user.email, flags.join(","));
            }
        }
        User::Create { login, password, no_password, name, email, group, role, admin } => {
            let password = if no_password { None } else { Some(given_or_read(password)?) };
            let mut roles = Vec::new();
            for label in role {
                roles.push(role_uuid(core, &label).await?);
            }
            let user = identity
                .create_user(NewUser { login, password, display_name: name, email, group, roles, admin })
                .await?;
            println!("created {}", user.login);
        }
        User::Password { login, password } => {
            let password = Some(given_or_read(password)?);
            identity.change_user(&login, UserChange { password, ..UserChange::default() }).await?;
            println!("changed {login}");
        }
        User::Lock { login } => {
            identity.change_user(&login, UserChange { locked: Some(true), ..UserChange::default() }).await?;
            println!("locked {login}");
        }
        User::Unlock { login } => {
            identity.change_user(&login, UserChange { locked: Some(false), ..UserChange::default() }).await?;
            println!("unlocked {login}");
        }
        User::Delete { login } => {
            identity.delete_user(&login).await?;
            println!("deleted {login}");
        }
    }
    Ok(())
}

#[derive(Subcommand)]
pub enum Group {
    /// List groups
    List,
    /// Create a group or change its label
    Put {
        /// `/sales/north`
        path: String,
        #[arg(long, default_value = "")]
        label: String,
    },
    /// Delete an empty group
    Delete { path: String },
}

pub async fn group(core: &Core, command: Group) -> Result<()> {
    match command {
        Group::List => {
            for group in core.identity().groups().await? {
                println!("{}\t{}", group.path, group.label);
            }
        }
        Group::Put { path, label } => {
            let group = core.identity().put_group(&path, &label).await?;
            println!("kept {}", group.path);
        }
        Group::Delete { path } => {
            core.identity().delete_group(&path).await?;
            println!("deleted {path}");
        }
    }
    Ok(())
}

#[derive(Subcommand)]
pub enum Role {
    /// List roles
    List,
    /// Create a role
    Put { label: String },
    /// Delete a role
    Delete { label: String },
    /// List rights
    Grants,
    /// Give rights: `grant user:alice workspace:common-files rw`
    Grant {
        /// `user:<login>`, `group:<path>` or `role:<label>`
        subject: String,
        /// `workspace:<slug>` or `node:/<datasource>/<path>`
        target: String,
        /// `r`, `w`, `rw` or `-` (none)
        rights: String,
    },
    /// Take a right back, by its uuid
    Revoke { uuid: Uuid },
}

pub async fn role(core: &Core, command: Role) -> Result<()> {
    let identity = core.identity();
    match command {
        Role::List => {
            for role in identity.roles().await? {
                println!("{}\t{}", role.uuid, role.label);
            }
        }
        Role::Put { label } => println!("{}", identity.put_role(&label).await?.uuid),
        Role::Delete { label } => {
            identity.delete_role(&label).await?;
            println!("deleted {label}");
        }
        Role::Grants => {
            for grant in identity.grants().await? {
                println!("{}\t{:?}\t{:?}\t{}", grant.uuid, grant.subject, grant.target, grant.rights);
            }
        }
        Role::Grant { subject, target, rights } => {
            let rights = Rights::parse(&rights)
                .ok_or_else(|| Error::InvalidArgument(format!("expected r, w, rw or -, found `{rights}`")))?;
            let grant = Grant {
                uuid: Uuid::new_v4(),
                subject: parse_subject(core, &subject).await?,
                target: parse_target(core, &target).await?,
                rights,
            };
            println!("{}", identity.grant(grant).await?.uuid);
        }
        Role::Revoke { uuid } => {
            identity.delete_grant(uuid).await?;
            println!("revoked {uuid}");
        }
    }
    Ok(())
}

async fn parse_subject(core: &Core, text: &str) -> Result<Subject> {
    let absent = || Error::NotFound(text.to_owned());
    match text.split_once(':') {
        Some(("user", login)) => {
            Ok(Subject::User(core.identity().user(login).await?.ok_or_else(absent)?.uuid))
        }
        Some(("group", path)) => {
            Ok(Subject::Group(core.identity().group(path).await?.ok_or_else(absent)?.uuid))
        }
        Some(("role", label)) => Ok(Subject::Role(role_uuid(core, label).await?)),
        _ => Err(Error::InvalidArgument(format!("expected user:, group: or role:, found `{text}`"))),
    }
}

async fn parse_target(core: &Core, text: &str) -> Result<Target> {
    match text.split_once(':') {
        Some(("workspace", name)) => core
            .identity()
            .workspaces()
            .await?
            .iter()
            .find(|workspace| workspace.answers_to(name))
            .map(|workspace| Target::Workspace(workspace.uuid))
            .ok_or_else(|| Error::NotFound(name.to_owned())),
        Some(("node", path)) => Ok(Target::Node(core.node_at(&NodePath::parse(path)?).await?.id)),
        _ => Err(Error::InvalidArgument(format!("expected workspace: or node:, found `{text}`"))),
    }
}

async fn role_uuid(core: &Core, label: &str) -> Result<Uuid> {
    let role = core.identity().role(label).await?;
    role.map(|role| role.uuid).ok_or_else(|| Error::NotFound(label.to_owned()))
}

#[derive(Subcommand)]
pub enum Key {
    /// List keys
    List {
        /// Only this user's
        login: Option<String>,
    },
    /// Make a key; the secret is printed this once
    Create {
        login: String,
        #[arg(long, default_value = "")]
        label: String,
        /// Only this path (`/<workspace>/…`) and what is below
        #[arg(long)]
        path: Option<String>,
        /// Only these rights: `r`, `w` or `rw`
        #[arg(long)]
        rights: Option<String>,
        /// Only this door (cells, s3, dav, pydio8, seafile); may be repeated
        #[arg(long)]
        door: Vec<String>,
        /// Days until it expires
        #[arg(long)]
        days: Option<u64>,
    },
    /// Delete a key, at once
    Delete { id: String },
}

pub async fn key(core: &Core, command: Key) -> Result<()> {
    let identity = core.identity();
    let user = |login: String| async move {
        identity.user(&login).await?.map(|user| user.uuid).ok_or(Error::NotFound(login))
    };
    match command {
        Key::List { login } => {
            let owner = match login {
                Some(login) => Some(user(login).await?),
                None => None,
            };
            for key in identity.keys(owner).await? {
                println!("{}\t{}\t{}", key.id, key.user, key.label);
            }
        }
        Key::Create { login, label, path, rights, door, days } => {
            let rights = rights
                .map(|text| {
                    let refused = || Error::InvalidArgument(format!("expected r, w or rw, found `{text}`"));
                    Rights::parse(&text).ok_or_else(refused)
                })
                .transpose()?;
            let doors = door
                .iter()
                .map(|text| {
                    Door::parse(text)
                        .ok_or_else(|| Error::InvalidArgument(format!("there is no door `{text}`")))
                })
                .collect::<Result<Vec<_>>>()?;
            let new = NewKey {
                label,
                scope: Scope { path, rights, doors },
                expires_in_s: days.map(|days| days.saturating_mul(86_400)),
            };
            let (key, secret) = identity.create_key(user(login).await?, new).await?;
            println!("id      {}\nsecret  {secret}", key.id);
        }
        Key::Delete { id } => {
            identity.delete_key(&id).await?;
            println!("deleted {id}");
        }
    }
    Ok(())
}

fn given_or_read(password: Option<String>) -> Result<String> {
    if let Some(password) = password {
        return Ok(password);
    }
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line).map_err(Error::internal)?;
    let password = line.trim_end_matches(['\r', '\n']);
    if password.is_empty() {
        return Err(Error::InvalidArgument("give the password on standard input or with --password".into()));
    }
    Ok(password.to_owned())
}
