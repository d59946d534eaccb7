use uuid::Uuid;

use super::*;
use crate::principal::Door;
use crate::testing::test_core;
use crate::tree::{Existing, Removal, Remove, Transfer};

const ID: &str = "6f1c2b54-0a3e-4d27-9c1b-8f0d5a7e4b21";

fn md5_of(text: &str) -> String {
    use md5::Digest as _;
    hex::encode(md5::Md5::digest(text))
}

#[tokio::test]
async fn writing_its_id_makes_a_folder_that_stays() {
    let core = test_core().await;
    let tree = core.tree_through("alice", Door::S3).await;
    let written = put(&tree, "/personal-files/a/b/.pydio", ID).await.unwrap();
    assert!(written.created);
    assert_eq!((written.node.size, written.node.etag), (36, md5_of(ID)));
    assert_eq!(tree.stat(&path("/personal-files/a/b")).await.unwrap().uuid.to_string(), ID);
    assert_eq!(tree.find(Uuid::parse_str(ID).unwrap()).await.unwrap().0, path("/personal-files/a/b"));
    assert_eq!(keys(&tree, "/personal-files", Depth::Infinity).await, ["a/", "a/b/"]);
    // One commit, one change, with the id it keeps.
    let (changes, _) = tree.changes(0, 100).await.unwrap();
    let made: Vec<_> = changes.iter().map(|row| (row.change.to.as_deref(), row.change.uuid)).collect();
    assert_eq!(made.last(), Some(&(Some("/personal-files/a/b"), Uuid::parse_str(ID).unwrap())));

    put(&tree, "/personal-files/a/b/c", "1").await.unwrap();
    let how = Remove { removal: Removal::Permanent, ..Remove::default() };
    tree.remove(&path("/personal-files/a/b/c"), &how).await.unwrap();
    assert_eq!(keys(&tree, "/personal-files/a", Depth::Infinity).await, ["b/"]);
}

#[tokio::test]
async fn every_folder_answers_for_its_id_and_no_listing_does() {
    let core = test_core().await;
    let tree = core.tree("alice").await;
    put(&tree, "/personal-files/a/b", "1").await.unwrap();
    for folder in ["/personal-files", "/personal-files/a"] {
        let id = tree.stat(&path(folder)).await.unwrap().uuid.to_string();
        let at = format!("{folder}/.pydio");
        assert_eq!(get(&tree, &at).await.unwrap(), id);
        let node = tree.stat(&path(&at)).await.unwrap();
        assert_eq!((node.size, node.etag, node.name.as_str()), (36, md5_of(&id), ".pydio"));
    }
    assert_eq!(keys(&tree, "/personal-files", Depth::Infinity).await, ["a/", "a/b"]);
    for absent in ["/personal-files/none/.pydio", "/personal-files/a/b/.pydio", "/nowhere/.pydio"] {
        assert!(is_absent(tree.stat(&path(absent)).await), "{absent}");
    }
    let to = path("/personal-files/moved");
    tree.rename(&path("/personal-files/a"), &to, &Transfer::default()).await.unwrap();
    let id = tree.stat(&to).await.unwrap().uuid.to_string();
    assert_eq!(get(&tree, "/personal-files/moved/.pydio").await.unwrap(), id);
}

#[tokio::test]
async fn the_id_of_a_folder_is_not_replaced() {
    let core = test_core().await;
    let tree = core.tree("alice").await;
    put(&tree, "/personal-files/a/.pydio", ID).await.unwrap();
    let again = put(&tree, "/personal-files/a/.pydio", ID).await.unwrap();
    assert!(!again.created);
    let other = "0a0a0a0a-1111-4111-8111-00000000000a";
    for (at, id) in [
        ("/personal-files/a/.pydio", other),
        // The id of another folder.
        ("/personal-files/copy/.pydio", ID),
        ("/personal-files/.pydio", other),
    ] {
        let refused = put(&tree, at, id).await;
        assert!(matches!(refused, Err(Error::Conflict(_))), "{at}: {refused:?}");
    }
    assert_eq!(get(&tree, "/personal-files/a/.pydio").await.unwrap(), ID);
    assert_eq!(keys(&tree, "/personal-files", Depth::Infinity).await, ["a/"]);
    let how = Write { existing: Existing::Refuse, ..Write::default() };
    let refused = tree.write(&path("/personal-files/a/.pydio"), body(ID), how).await;
    assert!(matches!(refused, Err(Error::AlreadyExists(_))), "{refused:?}");
}

#[tokio::test]
async fn what_is_no_id_makes_no_folder() {
    let core = test_core().await;
    let tree = core.tree("alice").await;
    let long = "x".repeat(100_000);
    for content in ["", "no uuid", &ID.to_uppercase(), &format!("{ID}\n"), &long, &Uuid::nil().to_string()] {
        let refused = put(&tree, "/personal-files/a/.pydio", content).await;
        assert!(matches!(refused, Err(Error::InvalidArgument(_))), "{refused:?}");
    }
    let short = Write { size: Some(40), parents: Parents::Create, ..Write::default() };
    let refused = tree.write(&path("/personal-files/a/.pydio"), body(ID), short).await;
    assert!(matches!(refused, Err(Error::LengthMismatch { .. })), "{refused:?}");
    assert!(keys(&tree, "/personal-files", Depth::Infinity).await.is_empty());

    put(&tree, "/personal-files/file", "1").await.unwrap();
    let refused = put(&tree, "/personal-files/file/.pydio", ID).await;
    assert!(matches!(refused, Err(Error::NotACollection(_))), "{refused:?}");
}

#[tokio::test]
async fn nothing_else_bears_the_name() {
    let core = test_core().await;
    let tree = core.tree("alice").await;
    put(&tree, "/personal-files/a", "1").await.unwrap();
    let (hidden, a) = (path("/personal-files/.pydio"), path("/personal-files/a"));
    let transfer = Transfer::default();
    let upload = tree.create_upload(&hidden, crate::node::Attributes::default(), None, None).await;
    let attempts = [
        tree.create_collection(&hidden, Parents::Create, Existing::Refuse, &[]).await.map(drop),
        put(&tree, "/personal-files/.pydio/b", "1").await.map(drop),
        put(&tree, "/personal-files/.pydio/.pydio", ID).await.map(drop),
        tree.rename(&a, &hidden, &transfer).await.map(drop),
        tree.rename(&hidden, &path("/personal-files/b"), &transfer).await.map(drop),
        tree.copy(&a, &hidden, &transfer).await.map(drop),
        tree.remove(&hidden, &Remove::default()).await.map(drop),
        tree.set_attributes(&hidden, &[], None, None, &[]).await.map(drop),
        upload.map(drop),
    ];
    for (number, refused) in attempts.into_iter().enumerate() {
        assert!(matches!(refused, Err(Error::Conflict(_))), "{number}: {refused:?}");
    }
    assert_eq!(keys(&tree, "/personal-files", Depth::Infinity).await, ["a"]);
}

#[tokio::test]
async fn rights_and_locks_hold_for_ids() {
    let core = test_core().await;
    let admin = core.tree("admin").await;
    put(&admin, "/common-files/d/a.txt", "1").await.unwrap();
    let before = get(&admin, "/common-files/d/.pydio").await.unwrap();
    super::locking::locked(&core, "/common-files/d", true).await;
    let refused = put(&core.tree("alice").await, "/common-files/d/new/.pydio", ID).await;
    assert!(matches!(refused, Err(Error::Locked { .. })), "{refused:?}");
    let mallory = core.tree("reader").await;
    assert_eq!(get(&mallory, "/common-files/d/.pydio").await.unwrap(), before);
    let refused = put(&mallory, "/common-files/mine/.pydio", ID).await;
    assert!(matches!(refused, Err(Error::Denied { .. })), "{refused:?}");
}

#[tokio::test]
async fn an_adopted_folder_takes_its_id_from_disk() {
    let core = super::adoption::structured().await;
    let tree = core.tree("alice").await;
    let store = core.backends.datasource("archive");
    store.outside_write("one/.pydio", ID);
    store.outside_write("one/a.txt", "1");
    // Copied on disk with all that was in it.
    store.outside_write("two/.pydio", ID);
    store.outside_write("three/.pydio", "no uuid");
    let report = core.resync("archive").await.unwrap();
    assert_eq!((report.added, report.removed), (4, 0));
    assert_eq!(keys(&tree, "/archive", Depth::Infinity).await, ["one/", "one/a.txt", "three/", "two/"]);
    assert_eq!(tree.stat(&path("/archive/one")).await.unwrap().uuid.to_string(), ID);
    for folder in ["one", "two", "three"] {
        let folder = path(&format!("/archive/{folder}"));
        let id = tree.stat(&folder).await.unwrap().uuid.to_string();
        assert_eq!(get(&tree, &format!("{folder}/.pydio")).await.unwrap(), id);
    }
    assert_eq!(core.resync("archive").await.unwrap(), crate::resync::Report::default());

    put(&tree, "/archive/four/.pydio", "0a0a0a0a-1111-4111-8111-00000000000a").await.unwrap();
    let how = Remove { removal: Removal::Permanent, ..Remove::default() };
    tree.remove(&path("/archive/one"), &how).await.unwrap();
    assert_eq!(keys(&tree, "/archive", Depth::Infinity).await, ["four/", "three/", "two/"]);
    assert_eq!(core.resync("archive").await.unwrap(), crate::resync::Report::default());
}
