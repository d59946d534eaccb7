use super::*;
use crate::principal::Door;
use crate::testing::test_core;
use crate::tree::{Existing, Removal, Remove, Transfer};

async fn drop_key(tree: &Tree, at: &str) {
    let how = Remove { removal: Removal::Permanent, only_empty: true, ..Remove::default() };
    tree.remove(&path(at), &how).await.unwrap();
}

async fn make(tree: &Tree, at: &str) {
    tree.create_collection(&path(at), Parents::Create, Existing::Replace, &[]).await.unwrap();
}

#[tokio::test]
async fn what_a_key_implies_goes_with_the_last_key_below() {
    let core = test_core().await;
    let (s3, dav) = (core.tree_through("alice", Door::S3).await, core.tree_through("alice", Door::Dav).await);
    put(&s3, "/personal-files/a/b/one", "1").await.unwrap();
    put(&s3, "/personal-files/a/two", "2").await.unwrap();
    make(&dav, "/personal-files/d").await;
    put(&s3, "/personal-files/d/e/three", "3").await.unwrap();
    drop_key(&s3, "/personal-files/a/b/one").await;
    assert_eq!(
        keys(&dav, "/personal-files", Depth::Infinity).await,
        ["a/", "a/two", "d/", "d/e/", "d/e/three"]
    );
    drop_key(&s3, "/personal-files/a/two").await;
    drop_key(&s3, "/personal-files/d/e/three").await;
    assert_eq!(keys(&dav, "/personal-files", Depth::Infinity).await, ["d/"]);
}

#[tokio::test]
async fn a_folder_that_was_put_as_a_key_stays_until_that_key_goes() {
    let core = test_core().await;
    let s3 = core.tree_through("alice", Door::S3).await;
    put(&s3, "/personal-files/a/one", "1").await.unwrap();
    make(&s3, "/personal-files/a").await;
    assert!(s3.stat(&path("/personal-files/a")).await.unwrap().is_key());
    drop_key(&s3, "/personal-files/a").await;
    assert!(s3.stat(&path("/personal-files/a")).await.unwrap().is_implied(), "it holds a key yet");
    make(&s3, "/personal-files/a").await;
    drop_key(&s3, "/personal-files/a/one").await;
    assert_eq!(keys(&s3, "/personal-files", Depth::Infinity).await, ["a/"]);
    drop_key(&s3, "/personal-files/a").await;
    assert!(keys(&s3, "/personal-files", Depth::Infinity).await.is_empty());
}

#[tokio::test]
async fn what_another_door_empties_is_an_empty_folder() {
    let core = test_core().await;
    let (s3, dav) = (core.tree_through("alice", Door::S3).await, core.tree_through("alice", Door::Dav).await);
    for at in ["/personal-files/a/one", "/personal-files/b/one"] {
        put(&s3, at, "1").await.unwrap();
    }
    drop_key(&dav, "/personal-files/a/one").await;
    let (from, to) = (path("/personal-files/b/one"), path("/personal-files/one"));
    dav.rename(&from, &to, &Transfer::default()).await.unwrap();
    for at in ["/personal-files/a", "/personal-files/b"] {
        assert!(!s3.stat(&path(at)).await.unwrap().is_implied());
    }
    put(&s3, "/personal-files/a/two", "2").await.unwrap();
    drop_key(&s3, "/personal-files/a/two").await;
    assert_eq!(keys(&s3, "/personal-files", Depth::Infinity).await, ["a/", "b/", "one"]);
}

#[tokio::test]
async fn a_locked_folder_does_not_go_with_its_last_key() {
    let core = test_core().await;
    let s3 = core.tree_through("admin", Door::S3).await;
    put(&s3, "/common-files/a/b/one", "1").await.unwrap();
    super::locking::locked(&core, "/common-files/a", false).await;
    drop_key(&s3, "/common-files/a/b/one").await;
    assert_eq!(keys(&s3, "/common-files", Depth::Infinity).await, ["a/", "a/b/"]);
}
