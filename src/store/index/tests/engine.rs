//! What only an engine can get wrong: groups, savepoints, panics, signals, text with a NUL.

use std::sync::Arc;

use cellgate_core::Error;
use cellgate_core::change::{ChangeKind, NewChange};
use cellgate_core::node::{Attributes, Content, NodeId, NodeKind};
use cellgate_core::ports::{Span, Version, commit};
use cellgate_core::principal::Door;
use sqlx::{Connection, PgConnection};
use uuid::Uuid;

use super::{Fixture, insert, leaf, new_node, postgres, record, sqlite};
use crate::index::{Location, Store};

macro_rules! on_both_engines {
    ($($case:ident),* $(,)?) => {
        $(mod $case {
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                super::$case(super::sqlite().await).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                if let Some(fixture) = super::postgres().await {
                    super::$case(fixture).await;
                }
            }
        })*
    };
}

on_both_engines![
    a_taken_name_is_an_error_that_the_mutation_survives,
    a_mutation_that_fails_leaves_nothing_and_hurts_nobody,
    a_mutation_that_panics_is_an_internal_error,
    acknowledged_writes_are_seen_at_once_and_after_a_restart,
    sequence_numbers_follow_commits_and_miss_nothing,
    the_directory_epoch_ticks_before_the_answer,
    text_with_a_nul_is_found_nowhere_and_written_nowhere,
    ids_are_never_used_again,
    names_sort_by_bytes,
    over_long_keys_are_refused,
    a_closed_index_refuses_mutations,
    an_index_of_a_newer_version_is_left_alone,
    an_index_of_an_older_version_is_brought_up_to_date,
];

async fn a_taken_name_is_an_error_that_the_mutation_survives(fixture: Fixture) {
    let index = fixture.index();
    let second = commit(&*index, |txn| {
        Box::pin(async move {
            let first = txn.insert_node(&leaf(NodeId::ROOT, "a")).await?;
            let taken = txn.insert_node(&new_node(NodeId::ROOT, "a", NodeKind::Collection)).await;
            assert!(matches!(taken, Err(Error::AlreadyExists(name)) if name == "a"));
            let mut second = txn.insert_node(&leaf(NodeId::ROOT, "b")).await?;
            second.name = "a".into();
            let taken = txn.update_node(&second).await;
            assert!(matches!(taken, Err(Error::AlreadyExists(name)) if name == "a"));
            txn.put_record(&record("user", "1", "ann")).await?;
            let taken = txn.put_record(&record("user", "2", "ann")).await;
            assert!(matches!(taken, Err(Error::AlreadyExists(name)) if name == "ann"));
            second.name = "c".into();
            second.parent = first.parent;
            txn.update_node(&second).await?;
            Ok(second)
        })
    })
    .await
    .unwrap();
    assert_eq!(index.node(second.id).await.unwrap(), Some(second));
    assert_eq!(index.record("user", "2").await.unwrap(), None);
}

async fn a_mutation_that_fails_leaves_nothing_and_hurts_nobody(fixture: Fixture) {
    let index = fixture.index();
    let mut tasks = Vec::new();
    for number in 0..100 {
        let index = Arc::clone(&index);
        tasks.push(tokio::spawn(async move {
            commit(&*index, move |txn| {
                Box::pin(async move {
                    txn.insert_node(&leaf(NodeId::ROOT, &format!("{number:03}"))).await?;
                    match number % 3 {
                        0 => Err(Error::PreconditionFailed(number.to_string())),
                        _ => Ok(()),
                    }
                })
            })
            .await
        }));
    }
    let mut expected = Vec::new();
    for (number, task) in tasks.into_iter().enumerate() {
        match task.await.unwrap() {
            Ok(()) => expected.push(format!("{number:03}")),
            Err(Error::PreconditionFailed(of)) => assert_eq!(of, number.to_string()),
            Err(other) => panic!("{other}"),
        }
    }
    assert_eq!(expected.len(), 66);
    let nodes = index.children(NodeId::ROOT, &Span { limit: 1000, ..Span::default() }).await.unwrap();
    assert_eq!(nodes.into_iter().map(|node| node.name).collect::<Vec<_>>(), expected);
}

async fn a_mutation_that_panics_is_an_internal_error(fixture: Fixture) {
    let index = fixture.index();
    let panicking = {
        let index = Arc::clone(&index);
        tokio::spawn(async move {
            commit(&*index, |txn| {
                Box::pin(async move {
                    txn.insert_node(&leaf(NodeId::ROOT, "half")).await?;
                    if txn.node(NodeId(-7)).await?.is_none() {
                        panic!("on purpose");
                    }
                    Ok(())
                })
            })
            .await
        })
    };
    insert(&*index, leaf(NodeId::ROOT, "whole")).await.unwrap();
    let outcome = panicking.await.unwrap();
    assert!(matches!(&outcome, Err(Error::Internal(cause)) if cause.to_string().contains("on purpose")));
    assert!(index.chain(NodeId::ROOT, &["half".into()]).await.unwrap().is_empty());
    assert_eq!(index.chain(NodeId::ROOT, &["whole".into()]).await.unwrap().len(), 1);
}

async fn acknowledged_writes_are_seen_at_once_and_after_a_restart(mut fixture: Fixture) {
    let index = fixture.index();
    let folder = insert(&*index, new_node(NodeId::ROOT, "f", NodeKind::Collection)).await.unwrap();
    let file = insert(&*index, leaf(folder.id, "a")).await.unwrap();
    let names = ["f".to_owned(), "a".to_owned(), "no".to_owned()];
    let chain = vec![folder, file];
    assert_eq!(index.chain(NodeId::ROOT, &names).await.unwrap(), chain);
    drop(index);
    fixture.reopened().await;
    assert_eq!(fixture.index().chain(NodeId::ROOT, &names).await.unwrap(), chain);
}

fn change(number: u64) -> NewChange {
    NewChange {
        node: NodeId(1),
        uuid: Uuid::nil(),
        kind: ChangeKind::Create,
        collection: false,
        from: None,
        to: Some(format!("/d/{number}")),
        size: number,
        etag: String::new(),
        principal: "ann".into(),
        door: Door::Dav,
        at_ns: 1,
    }
}

async fn sequence_numbers_follow_commits_and_miss_nothing(fixture: Fixture) {
    const WRITERS: u64 = 16;
    const EACH: u64 = 20;
    let index = fixture.index();
    let mut signal = index.change_signal();
    assert_eq!(*signal.borrow(), 0);
    let mut writers = Vec::new();
    for writer in 0..WRITERS {
        let index = Arc::clone(&index);
        writers.push(tokio::spawn(async move {
            for number in 0..EACH {
                let change = change(writer * EACH + number);
                let seq =
                    commit(&*index, move |txn| Box::pin(async move { txn.append_change(&change).await }))
                        .await
                        .unwrap();
                // What is acknowledged is in the feed and announced.
                assert!(index.last_change().await.unwrap() >= seq);
                assert!(*index.change_signal().borrow() >= seq);
            }
        }));
    }
    let mut seen = Vec::new();
    let mut cursor = 0;
    while seen.len() < (WRITERS * EACH) as usize {
        signal.changed().await.unwrap();
        signal.borrow_and_update();
        loop {
            let page = index.changes(cursor, 7).await.unwrap();
            let Some(last) = page.last() else { break };
            assert!(page.iter().is_sorted_by(|a, b| a.seq < b.seq) && page[0].seq > cursor);
            cursor = last.seq;
            seen.extend(page.into_iter().map(|change| change.change.size));
        }
    }
    for writer in writers {
        writer.await.unwrap();
    }
    seen.sort_unstable();
    assert_eq!(seen, (0..WRITERS * EACH).collect::<Vec<_>>());
}

async fn the_directory_epoch_ticks_before_the_answer(fixture: Fixture) {
    let index = fixture.index();
    let epoch = index.directory_epoch();
    let start = *epoch.borrow();
    insert(&*index, leaf(NodeId::ROOT, "a")).await.unwrap();
    assert_eq!(*epoch.borrow(), start, "a node is no record");
    commit(&*index, |txn| Box::pin(async move { txn.put_record(&record("user", "1", "ann")).await }))
        .await
        .unwrap();
    assert_eq!(*epoch.borrow(), start + 1);
    let failed: Result<(), _> = commit(&*index, |txn| {
        Box::pin(async move {
            txn.put_record(&record("user", "2", "bob")).await?;
            Err(Error::Conflict("on purpose".into()))
        })
    })
    .await;
    assert!(failed.is_err());
    assert_eq!(*epoch.borrow(), start + 1, "nothing was written");
    commit(&*index, |txn| Box::pin(async move { txn.delete_record("user", "1").await })).await.unwrap();
    assert_eq!(*epoch.borrow(), start + 2);
}

async fn text_with_a_nul_is_found_nowhere_and_written_nowhere(fixture: Fixture) {
    let index = fixture.index();
    insert(&*index, leaf(NodeId::ROOT, "a")).await.unwrap();
    insert(&*index, leaf(NodeId::ROOT, "b")).await.unwrap();
    assert!(matches!(insert(&*index, leaf(NodeId::ROOT, "a\0b")).await, Err(Error::InvalidArgument(_))));
    assert!(index.chain(NodeId::ROOT, &["a\0".into()]).await.unwrap().is_empty());
    assert_eq!(index.chain(NodeId::ROOT, &["a".into(), "\0".into()]).await.unwrap().len(), 1);
    assert_eq!(index.record_by_name("user", "a\0").await.unwrap(), None);
    assert_eq!(index.lock("\0", 0).await.unwrap(), None);
    let span = Span { from: Some("a\0zzz".into()), limit: 10, ..Span::default() };
    let after = index.children(NodeId::ROOT, &span).await.unwrap();
    assert_eq!(after.iter().map(|node| node.name.as_str()).collect::<Vec<_>>(), ["b"]);
}

async fn ids_are_never_used_again(mut fixture: Fixture) {
    let first = insert(&*fixture.index(), leaf(NodeId::ROOT, "a")).await.unwrap();
    commit(&*fixture.index(), move |txn| Box::pin(async move { txn.delete_node(first.id).await }))
        .await
        .unwrap();
    fixture.reopened().await;
    let second = insert(&*fixture.index(), leaf(NodeId::ROOT, "a")).await.unwrap();
    assert!(second.id > first.id);
}

async fn names_sort_by_bytes(fixture: Fixture) {
    let index = fixture.index();
    let sorted = ["A", "B.txt", "B/", "B0", "_", "a", "a b", "ab", "é", "\u{FFFD}", "\u{1F600}"];
    for key in sorted.iter().rev() {
        let new = match key.strip_suffix('/') {
            Some(name) => new_node(NodeId::ROOT, name, NodeKind::Collection),
            None => leaf(NodeId::ROOT, key),
        };
        insert(&*index, new).await.unwrap();
    }
    let all = index.children(NodeId::ROOT, &Span { limit: 100, ..Span::default() }).await.unwrap();
    assert_eq!(all.iter().map(|node| node.sort_key()).collect::<Vec<_>>(), sorted);
    let span = Span { prefix: Some("B".into()), from: Some("B.txt".into()), exclusive: true, limit: 100 };
    let some = index.children(NodeId::ROOT, &span).await.unwrap();
    assert_eq!(some.iter().map(|node| node.sort_key()).collect::<Vec<_>>(), ["B/", "B0"]);
}

async fn over_long_keys_are_refused(fixture: Fixture) {
    let index = fixture.index();
    let node = insert(&*index, leaf(NodeId::ROOT, "a")).await.unwrap();
    let long = commit(&*index, move |txn| {
        Box::pin(async move { txn.set_meta(node.id, "dav", &"x".repeat(10_000), Some("v")).await })
    });
    assert!(matches!(long.await, Err(Error::InvalidArgument(_))));
}

async fn a_closed_index_refuses_mutations(fixture: Fixture) {
    let index = fixture.index();
    fixture.store.close().await;
    assert!(matches!(insert(&*index, leaf(NodeId::ROOT, "a")).await, Err(Error::Unavailable(_))));
}

async fn an_index_of_a_newer_version_is_left_alone(fixture: Fixture) {
    fixture.store.close().await;
    let newer = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
                 VALUES (999, 'later', true, 'x', 0)";
    match &fixture.location {
        Location::Sqlite(path) => {
            rusqlite::Connection::open(path).unwrap().execute_batch(newer).unwrap();
        }
        Location::Postgres(url) => {
            let mut connection = PgConnection::connect(url).await.unwrap();
            sqlx::raw_sql(newer).execute(&mut connection).await.unwrap();
        }
    }
    let Err(refused) = Store::open(&fixture.location).await else { panic!("it was opened") };
    assert!(refused.chain().contains("newer cellgate"), "{}", refused.chain());
}

/// The first schema, as it was released, with a file that was replaced once.
async fn an_index_of_an_older_version_is_brought_up_to_date(mut fixture: Fixture) {
    let index = fixture.index();
    let node = insert(&*index, leaf(NodeId::ROOT, "a")).await.unwrap();
    fixture.store.close().await;
    let undo = "ALTER TABLE node DROP COLUMN version; ALTER TABLE version DROP COLUMN mime; \
                ALTER TABLE version DROP COLUMN attributes; ALTER TABLE version DROP COLUMN unversioned; \
                ALTER TABLE version DROP COLUMN marker; ALTER TABLE extent DROP COLUMN start; \
                DELETE FROM _sqlx_migrations WHERE version > 1; \
                INSERT INTO version (id, node, size, mtime_ns, etag, content, principal, at_ns) \
                SELECT '11111111-2222-4333-8444-555555555555', id, 7, 8, 'e', '', 'ann', 9 FROM node";
    match &fixture.location {
        Location::Sqlite(path) => {
            rusqlite::Connection::open(path).unwrap().execute_batch(undo).unwrap();
        }
        Location::Postgres(url) => {
            let mut connection = PgConnection::connect(url).await.unwrap();
            sqlx::raw_sql(undo).execute(&mut connection).await.unwrap();
        }
    }
    fixture.store = Store::open(&fixture.location).await.unwrap();
    let index = fixture.index();
    let found = index.node(node.id).await.unwrap().unwrap();
    assert_eq!((found.version, found.version_id()), (None, node.uuid));
    let expected = Version {
        id: Uuid::parse_str("11111111-2222-4333-8444-555555555555").unwrap(),
        node: node.id,
        size: 7,
        mtime_ns: 8,
        etag: "e".into(),
        content: Content::None,
        principal: "ann".into(),
        at_ns: 9,
        mime: String::new(),
        attributes: Attributes::default(),
        unversioned: false,
        marker: false,
    };
    assert_eq!(index.versions(&[node.id]).await.unwrap(), [expected]);
}
