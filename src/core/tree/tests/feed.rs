use super::*;
use crate::change::ChangeKind;
use crate::principal::Door;
use crate::testing::test_core;
use crate::tree::{Remove, Transfer};

#[tokio::test]
async fn every_mutation_appends_one_row_with_who_and_through_which_door() {
    let core = test_core().await;
    let tree = core.tree_through("alice", Door::S3).await;
    put(&tree, "/personal-files/first", "x").await.unwrap();
    let start = core.last_change().await.unwrap();
    let (a, b) = (path("/personal-files/a"), path("/personal-files/b"));
    put(&tree, "/personal-files/a", "1").await.unwrap();
    put(&tree, "/personal-files/a", "2").await.unwrap();
    tree.rename(&a, &b, &Transfer::default()).await.unwrap();
    let meta = [("k".to_owned(), Some("v".to_owned()))];
    tree.set_meta(&b, "user", &meta, &[]).await.unwrap();
    let gone = Remove { removal: crate::tree::Removal::Permanent, ..Remove::default() };
    tree.remove(&b, &gone).await.unwrap();
    let refused = Write { conditions: if_match("none"), ..Write::default() };
    assert!(tree.write(&a, body("3"), refused).await.is_err());

    let (changes, next) = tree.changes(start, 100).await.unwrap();
    let seen: Vec<_> = changes
        .iter()
        .map(|row| (row.change.kind, row.change.from.as_deref(), row.change.to.as_deref()))
        .collect();
    let (a, b) = (Some("/personal-files/a"), Some("/personal-files/b"));
    assert_eq!(
        seen,
        [
            (ChangeKind::Create, None, a),
            (ChangeKind::Update, None, a),
            (ChangeKind::Move, a, b),
            (ChangeKind::Meta, None, b),
            (ChangeKind::Remove, b, None),
        ]
    );
    assert!(changes.iter().all(|row| row.change.principal == "alice" && row.change.door == Door::S3));
    assert_eq!(tree.changes(next, 100).await.unwrap().0, []);
}

#[tokio::test]
async fn one_sees_only_changes_where_one_may_read() {
    let core = test_core().await;
    let (alice, reader) = (core.tree("alice").await, core.tree("reader").await);
    put(&alice, "/personal-files/a", "x").await.unwrap();
    put(&alice, "/common-files/b", "x").await.unwrap();
    let (changes, _) = reader.changes(0, 100).await.unwrap();
    let paths: Vec<_> = changes.iter().filter_map(|row| row.change.to.as_deref()).collect();
    assert_eq!(paths, ["/common-files/b"]);
    // A move out of sight looks like a removal.
    let start = core.last_change().await.unwrap();
    let to = path("/personal-files/b");
    alice.rename(&path("/common-files/b"), &to, &Transfer::default()).await.unwrap();
    let (changes, _) = reader.changes(start, 100).await.unwrap();
    assert!(changes.iter().all(|row| row.change.kind == ChangeKind::Remove && row.change.to.is_none()));
    assert_eq!(changes.len(), 1);
}
