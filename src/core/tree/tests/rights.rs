use super::*;
use crate::identity::{Credentials, Grant, NewKey, Subject, Target};
use crate::listing::Depth;
use crate::lock::LockRequest;
use crate::principal::{Door, Rights, Scope};
use crate::testing::test_core;
use crate::tree::{Existing, Remove, Transfer};

#[tokio::test]
async fn without_the_write_right_nothing_changes_by_any_operation() {
    let core = test_core().await;
    core.put("/common-files/a.txt", "kept").await;
    core.mkdir("/common-files/folder").await;
    let reader = core.tree("reader").await;
    let (a, b) = (path("/common-files/a.txt"), path("/common-files/b.txt"));
    let lock = LockRequest {
        owner: String::new(),
        deep: false,
        shared: false,
        timeout_s: None,
        create: true,
        tokens: vec![],
    };
    let meta = [("colour".to_owned(), Some("red".to_owned()))];
    let attempts = [
        put(&reader, "/common-files/a.txt", "new").await.err(),
        put(&reader, "/common-files/b.txt", "new").await.err(),
        reader.create_collection(&b, Parents::Create, Existing::Refuse, &[]).await.err(),
        reader.rename(&a, &b, &Transfer::default()).await.err(),
        reader.copy(&a, &b, &Transfer::default()).await.err(),
        reader.remove(&a, &Remove::default()).await.err(),
        reader.lock(&a, &lock).await.err(),
        reader.lock(&b, &lock).await.err(),
        reader.set_meta(&a, "user", &meta, &[]).await.err(),
        reader.set_attributes(&a, &meta, None, None, &[]).await.err(),
        reader.create_upload(&b, crate::node::Attributes::default(), None, None).await.err(),
    ];
    for (number, attempt) in attempts.iter().enumerate() {
        assert!(matches!(attempt, Some(Error::Denied { .. })), "attempt {number}: {attempt:?}");
    }
    assert_eq!(get(&reader, "/common-files/a.txt").await.unwrap(), "kept");
    assert_eq!(keys(&reader, "/common-files", Depth::One).await, ["a.txt", "folder/"]);
}

#[tokio::test]
async fn what_one_may_not_read_does_not_exist() {
    let core = test_core().await;
    core.put("/personal-files/secret.txt", "mine").await;
    let reader = core.tree("reader").await;
    assert!(is_absent(get(&reader, "/personal-files/secret.txt").await));
    assert!(is_absent(reader.stat(&path("/personal-files")).await));
    assert_eq!(keys(&reader, "/", Depth::One).await, ["common-files/"]);
    // Everybody has a personal root of their own.
    let alice = core.tree("alice").await;
    assert!(is_absent(get(&alice, "/personal-files/secret.txt").await));
}

#[tokio::test]
async fn taking_a_grant_away_closes_the_next_request() {
    let core = test_core().await;
    core.put("/common-files/a.txt", "x").await;
    assert!(get(&core.tree("alice").await, "/common-files/a.txt").await.is_ok());
    core.grant("alice", "common-files", Rights::NONE).await;
    assert!(is_absent(get(&core.tree("alice").await, "/common-files/a.txt").await));
}

#[tokio::test]
async fn rights_on_a_node_replace_those_above_it() {
    let core = test_core().await;
    let folder = core.mkdir("/common-files/closed").await;
    core.put("/common-files/closed/a.txt", "x").await;
    core.put("/common-files/open.txt", "x").await;
    let alice = core.identity().user("alice").await.unwrap().unwrap();
    let grant = |rights| Grant {
        uuid: uuid::Uuid::new_v4(),
        subject: Subject::User(alice.uuid),
        target: Target::Node(folder.id),
        rights,
    };
    core.identity().grant(grant(Rights::NONE)).await.unwrap();
    let tree = core.tree("alice").await;
    assert_eq!(keys(&tree, "/common-files", Depth::Infinity).await, ["open.txt"]);
    assert!(is_absent(get(&tree, "/common-files/closed/a.txt").await));
    assert!(is_absent(tree.stat(&path("/common-files/closed")).await));

    core.identity().grant(grant(Rights::READ)).await.unwrap();
    let tree = core.tree("alice").await;
    assert!(get(&tree, "/common-files/closed/a.txt").await.is_ok());
    assert!(matches!(put(&tree, "/common-files/closed/a.txt", "y").await, Err(Error::Denied { .. })));
}

#[tokio::test]
async fn a_key_goes_no_further_than_its_scope() {
    let core = test_core().await;
    core.put("/common-files/in/a.txt", "x").await;
    core.put("/common-files/out.txt", "x").await;
    let admin = core.identity().user("admin").await.unwrap().unwrap();
    let scope =
        Scope { path: Some("/common-files/in".into()), rights: Some(Rights::READ), doors: vec![Door::S3] };
    let new = NewKey { scope, ..NewKey::default() };
    let (key, secret) = core.identity().create_key(admin.uuid, new).await.unwrap();
    let credentials = Credentials::Token(format!("{}:{secret}", key.id));
    assert!(matches!(core.open(&credentials, Door::Dav).await, Err(Error::Unauthenticated(_))));
    let tree = core.open(&credentials, Door::S3).await.unwrap();
    assert_eq!(
        keys(&tree, "/", Depth::Infinity).await,
        ["common-files/", "common-files/in/", "common-files/in/a.txt"]
    );
    assert_eq!(get(&tree, "/common-files/in/a.txt").await.unwrap(), "x");
    assert!(is_absent(get(&tree, "/common-files/out.txt").await));
    assert!(put(&tree, "/common-files/in/b.txt", "y").await.is_err());
    assert!(core.admin(&tree).is_err(), "a scoped key of an admin is no way into the admin context");
}

#[tokio::test]
async fn the_admin_context_is_for_administrators() {
    let core = test_core().await;
    core.put("/personal-files/a.txt", "x").await;
    assert!(core.admin(&core.tree("alice").await).is_err());
    let admin = core.admin_tree().await;
    assert_eq!(keys(&admin, "/", Depth::One).await, ["personal/", "pydiods1/"]);
    assert_eq!(get(&admin, "/personal/admin/a.txt").await.unwrap(), "x");
}
