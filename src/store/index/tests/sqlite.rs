//! SQLite beside other processes, and its file.

use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use cellgate_core::Error;
use cellgate_core::node::NodeId;
use cellgate_core::ports::commit;

use uuid::Uuid;

use super::{insert, leaf, record, sqlite};
use crate::index::{Location, Store};

/// The command line edits users while the server runs. Two stores on one file are two processes.
#[tokio::test]
async fn another_process_is_noticed() {
    let server = sqlite().await;
    let mut epoch = server.index().directory_epoch();
    let cli = Store::open(&server.location).await.unwrap();
    commit(&*cli.index(), |txn| Box::pin(async move { txn.put_record(&record("user", "1", "ann")).await }))
        .await
        .unwrap();
    assert!(server.index().record("user", "1").await.unwrap().is_some());
    tokio::time::timeout(Duration::from_secs(5), epoch.changed()).await.unwrap().unwrap();
}

/// Nodes that were looked up are remembered, but never longer than until the next commit, whoever makes
/// it. Inline bytes never change under their id, so they stay; nobody finds them without their node.
#[tokio::test]
async fn what_another_process_commits_is_found_by_the_next_lookup() {
    let server = sqlite().await;
    let (index, path) = (server.index(), |name: &str| [name.to_owned()]);
    let id = Uuid::new_v4();
    insert(&*index, leaf(NodeId::ROOT, "a")).await.unwrap();
    commit(&*index, move |txn| Box::pin(async move { txn.put_inline(id, b"content").await })).await.unwrap();
    let mut node = index.chain(NodeId::ROOT, &path("a")).await.unwrap().remove(0);
    for _ in 0..3 {
        // From memory, from the second time on.
        assert_eq!(index.chain(NodeId::ROOT, &path("a")).await.unwrap(), [node.clone()]);
        assert_eq!(index.inline(id).await.unwrap().unwrap(), "content");
    }

    let other = Store::open(&server.location).await.unwrap();
    node.name = "b".into();
    let renamed = node.clone();
    commit(&*other.index(), move |txn| {
        Box::pin(async move {
            txn.update_node(&renamed).await?;
            txn.delete_inline(id).await
        })
    })
    .await
    .unwrap();
    assert!(index.chain(NodeId::ROOT, &path("a")).await.unwrap().is_empty());
    assert_eq!(index.chain(NodeId::ROOT, &path("b")).await.unwrap(), [node.clone()]);
    assert_eq!(index.inline(id).await.unwrap().unwrap(), "content");

    node.size += 1;
    let (grown, expected) = (node.clone(), node);
    commit(&*index, move |txn| Box::pin(async move { txn.update_node(&grown).await })).await.unwrap();
    assert_eq!(index.chain(NodeId::ROOT, &path("b")).await.unwrap(), [expected]);
}

#[tokio::test]
async fn own_commits_do_not_look_like_another_process() {
    let server = sqlite().await;
    let epoch = server.index().directory_epoch();
    let start = *epoch.borrow();
    for round in 0..4 {
        insert(&*server.index(), leaf(NodeId::ROOT, &round.to_string())).await.unwrap();
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    assert_eq!(*epoch.borrow(), start);
}

#[tokio::test]
async fn opening_waits_for_another_process_that_makes_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("index.sqlite");
    let other = rusqlite::Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let opening = tokio::spawn(async move { Store::open(&Location::Sqlite(path)).await.map(drop) });
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(!opening.is_finished());
    other.execute_batch("COMMIT").unwrap();
    opening.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_mutation_waits_for_another_process() {
    let server = sqlite().await;
    let Location::Sqlite(path) = &server.location else { unreachable!() };
    let other = rusqlite::Connection::open(path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let index = server.index();
    let waiting = tokio::spawn(async move { insert(&*index, leaf(NodeId::ROOT, "a")).await });
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(!waiting.is_finished());
    other.execute_batch("COMMIT").unwrap();
    waiting.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_mutation_that_waits_for_ever_fails_and_leaves_nothing() {
    let server = sqlite().await;
    let waiting = commit(&*server.index(), |txn| {
        Box::pin(async move {
            txn.insert_node(&leaf(NodeId::ROOT, "a")).await?;
            std::future::pending::<()>().await;
            Ok(())
        })
    })
    .await;
    assert!(matches!(waiting, Err(Error::Internal(_))));
    assert!(server.index().chain(NodeId::ROOT, &["a".into()]).await.unwrap().is_empty());
}

#[tokio::test]
async fn only_the_owner_may_read_the_file() {
    let server = sqlite().await;
    let Location::Sqlite(path) = &server.location else { unreachable!() };
    for suffix in ["", "-wal"] {
        let mode = std::fs::metadata(format!("{}{suffix}", path.display())).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{suffix}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_processes_may_start_on_a_new_file() {
    let folder = tempfile::tempdir().unwrap();
    let location = Location::Sqlite(folder.path().join("index.sqlite"));
    let opening: Vec<_> = (0..4)
        .map(|_| {
            let location = location.clone();
            tokio::spawn(async move { Store::open(&location).await })
        })
        .collect();
    for (number, opened) in opening.into_iter().enumerate() {
        let store = opened.await.unwrap().unwrap();
        insert(&*store.index(), leaf(NodeId::ROOT, &number.to_string())).await.unwrap();
    }
}
