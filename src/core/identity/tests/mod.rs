//! Identity over an index in memory.

mod credentials;
mod directory;
mod keys_and_tokens;
mod sign_in;

use std::sync::Arc;

use uuid::Uuid;

use crate::error::{Error, Result, Unauthenticated};
use crate::identity::{Credentials, Identity, NewKey, NewToken, NewUser, TokenKind, User};
use crate::ports::{DatasourceConfig, Form};
use crate::principal::{Door, Rights, Scope, SharedPrincipal};
use crate::testing::MemoryIndex;
use crate::workspace::Workspace;
use crate::{NodeId, NodePath};

const ALICE: &str = "Al1ce-secret";

async fn identity() -> Identity {
    on(&MemoryIndex::new()).await
}

async fn on(index: &MemoryIndex) -> Identity {
    Identity::load(Arc::new(index.clone()), &crate::Settings::default()).await.unwrap()
}

/// With the user `alice`, whose password is [`ALICE`].
async fn with_alice() -> (Identity, User) {
    let identity = identity().await;
    let alice = add(&identity, "alice", ALICE).await;
    (identity, alice)
}

async fn add(identity: &Identity, login: &str, password: &str) -> User {
    let new = NewUser { login: login.into(), password: Some(password.into()), ..NewUser::default() };
    identity.create_user(new).await.unwrap()
}

fn password(login: &str, password: &str) -> Credentials {
    Credentials::Password { login: login.into(), password: password.into() }
}

fn token(secret: &str) -> Credentials {
    Credentials::Token(secret.into())
}

fn access_key(id: &str) -> Credentials {
    Credentials::AccessKey(id.into())
}

fn personal() -> NewToken {
    NewToken {
        kind: TokenKind::Personal,
        label: "laptop".into(),
        scope: Scope::default(),
        expires_in_s: None,
        payload: String::new(),
    }
}

fn s3_only() -> Scope {
    Scope { doors: vec![Door::S3], ..Scope::default() }
}

fn workspace(slug: &str, datasource: &str) -> Workspace {
    Workspace {
        uuid: Uuid::nil(),
        slug: slug.into(),
        label: slug.into(),
        description: String::new(),
        aliases: vec![],
        datasource: datasource.into(),
        root: String::new(),
        default_rights: Rights::NONE,
        recycle: true,
        versions: 0,
        versions_suspended: false,
        tags: String::new(),
        created_by: None,
        created_ns: 0,
    }
}

fn datasource(name: &str) -> DatasourceConfig {
    DatasourceConfig {
        name: name.into(),
        form: Form::Flat,
        path: name.into(),
        relaxed: false,
        inline_limit_bytes: 0,
    }
}

#[track_caller]
fn refused_as<T>(result: Result<T>, why: Unauthenticated) {
    match result {
        Err(Error::Unauthenticated(got)) => assert_eq!(got, why),
        Err(other) => panic!("expected {why:?}, got {other:?}"),
        Ok(_) => panic!("expected {why:?}, got in"),
    }
}

async fn rights_in(principal: &SharedPrincipal, workspace: &Workspace) -> Rights {
    principal.rights(workspace.uuid, &[])
}

/// The directory ticks: something changes that concerns nobody here.
async fn unrelated_change(identity: &Identity) {
    identity.put_role(&Uuid::new_v4().to_string()).await.unwrap();
}

const NO_NODE: NodeId = NodeId(4711);

fn path(text: &str) -> NodePath {
    NodePath::parse(text).unwrap()
}

fn key() -> NewKey {
    NewKey::default()
}
