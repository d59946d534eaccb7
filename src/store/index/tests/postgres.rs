//! PostgreSQL: several gateways, lost connections.

use std::sync::Arc;
use std::time::Duration;

use cellgate_core::change::{ChangeKind, NewChange};
use cellgate_core::node::NodeId;
use cellgate_core::ports::{Index, Span, commit};
use cellgate_core::principal::Door;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection, Row};
use uuid::Uuid;

use super::{Fixture, insert, leaf, postgres, record};
use crate::index::postgres::options;
use crate::index::sql::ALL;
use crate::index::{Location, Store};

async fn second_gateway(fixture: &Fixture) -> Store {
    Store::open(&fixture.location).await.unwrap()
}

async fn execute(fixture: &Fixture, sql: &'static str) {
    let Location::Postgres(url) = &fixture.location else { unreachable!() };
    let mut connection = PgConnection::connect(url).await.unwrap();
    sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
}

#[tokio::test]
async fn another_gateway_hears_of_records_and_changes() {
    let Some(fixture) = postgres().await else { return };
    let other = second_gateway(&fixture).await;
    let (mut epoch, mut changes) = (other.index().directory_epoch(), other.index().change_signal());
    commit(&*fixture.index(), |txn| {
        Box::pin(async move { txn.put_record(&record("user", "1", "ann")).await })
    })
    .await
    .unwrap();
    tokio::time::timeout(Duration::from_secs(5), epoch.changed()).await.unwrap().unwrap();
    let seq = append(&*fixture.index(), 1).await;
    tokio::time::timeout(Duration::from_secs(5), changes.changed()).await.unwrap().unwrap();
    assert_eq!(*changes.borrow(), seq);
    // What one sends itself is no news to it: one tick for one commit.
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(*fixture.index().directory_epoch().borrow(), 1);
}

async fn append(index: &dyn Index, number: u64) -> i64 {
    let change = NewChange {
        node: NodeId(1),
        uuid: Uuid::nil(),
        kind: ChangeKind::Meta,
        collection: true,
        from: None,
        to: None,
        size: number,
        etag: String::new(),
        principal: String::new(),
        door: Door::System,
        at_ns: 0,
    };
    commit(index, move |txn| Box::pin(async move { txn.append_change(&change).await })).await.unwrap()
}

/// The trap of the feed: sequence numbers handed out in another order than that of the commits.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_of_the_feed_misses_nothing_of_two_gateways() {
    const EACH: u64 = 150;
    let Some(fixture) = postgres().await else { return };
    let other = second_gateway(&fixture).await;
    let writers: Vec<_> = [fixture.index(), other.index(), fixture.index(), other.index()]
        .into_iter()
        .enumerate()
        .map(|(writer, index)| {
            tokio::spawn(async move {
                for number in 0..EACH {
                    append(&*index, writer as u64 * EACH + number).await;
                }
            })
        })
        .collect();
    let mut seen = Vec::new();
    let mut cursor = 0;
    let index = fixture.index();
    let read = async {
        while seen.len() < 4 * EACH as usize {
            // Polled, not signalled: every state in between is looked at.
            for change in index.changes(cursor, 1000).await.unwrap() {
                assert!(change.seq > cursor);
                cursor = change.seq;
                seen.push(change.change.size);
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(60), read).await.expect("a change was missed");
    for writer in writers {
        writer.await.unwrap();
    }
    seen.sort_unstable();
    assert_eq!(seen, (0..4 * EACH).collect::<Vec<_>>());
}

/// Two gateways create the same names; each name is created once, whoever wins.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn gateways_take_turns() {
    let Some(fixture) = postgres().await else { return };
    let other = second_gateway(&fixture).await;
    let mut tasks = Vec::new();
    for index in [fixture.index(), other.index()] {
        for number in 0..50 {
            let index = Arc::clone(&index);
            tasks.push(tokio::spawn(async move {
                insert(&*index, leaf(NodeId::ROOT, &number.to_string())).await.is_ok()
            }));
        }
    }
    let mut created = 0;
    for task in tasks {
        created += usize::from(task.await.unwrap());
    }
    assert_eq!(created, 50);
    let all = Span { limit: 1000, ..Span::default() };
    assert_eq!(fixture.index().children(NodeId::ROOT, &all).await.unwrap().len(), 50);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lost_connections_are_replaced() {
    let Some(fixture) = postgres().await else { return };
    let index = fixture.index();
    insert(&*index, leaf(NodeId::ROOT, "before")).await.unwrap();
    let mut epoch = index.directory_epoch();
    execute(
        &fixture,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
         WHERE datname = current_database() AND pid <> pg_backend_pid()",
    )
    .await;
    // Reads and writes go on, and whatever was not heard meanwhile is made up for.
    assert_eq!(index.chain(NodeId::ROOT, &["before".into()]).await.unwrap().len(), 1);
    insert(&*index, leaf(NodeId::ROOT, "after")).await.unwrap();
    tokio::time::timeout(Duration::from_secs(10), epoch.changed()).await.unwrap().unwrap();
    let other = second_gateway(&fixture).await;
    let start = *epoch.borrow_and_update();
    commit(&*other.index(), |txn| Box::pin(async move { txn.put_record(&record("user", "1", "a")).await }))
        .await
        .unwrap();
    tokio::time::timeout(Duration::from_secs(10), epoch.changed()).await.unwrap().unwrap();
    assert!(*epoch.borrow() > start);
}

#[tokio::test]
async fn a_connection_lost_inside_a_mutation_fails_that_commit_only() {
    let Some(fixture) = postgres().await else { return };
    let index = fixture.index();
    let Location::Postgres(url) = fixture.location.clone() else { unreachable!() };
    let broken = commit(&*index, move |txn| {
        Box::pin(async move {
            txn.insert_node(&leaf(NodeId::ROOT, "half")).await?;
            let mut other = PgConnection::connect(&url).await.unwrap();
            sqlx::raw_sql(
                "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted \
                 AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
            )
            .execute(&mut other)
            .await
            .unwrap();
            txn.insert_node(&leaf(NodeId::ROOT, "other half")).await?;
            Ok(())
        })
    })
    .await;
    assert!(matches!(broken, Err(cellgate_core::Error::Unavailable(_))), "{broken:?}");
    insert(&*index, leaf(NodeId::ROOT, "next")).await.unwrap();
    let all = Span { limit: 1000, ..Span::default() };
    let names: Vec<_> =
        index.children(NodeId::ROOT, &all).await.unwrap().into_iter().map(|node| node.name).collect();
    assert_eq!(names, ["next"]);
}

/// A server with another default must not break what the writer relies on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stricter_default_isolation_changes_nothing() {
    let Some(fixture) = postgres().await else { return };
    execute(&fixture, "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET default_transaction_isolation = ''serializable''', current_database()); END $$").await;
    let (one, other) = (second_gateway(&fixture).await, second_gateway(&fixture).await);
    let mut tasks = Vec::new();
    for (round, index) in [one.index(), other.index()].into_iter().cycle().take(40).enumerate() {
        tasks.push(tokio::spawn(async move { append(&*index, round as u64).await }));
    }
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(fixture.index().changes(0, 100).await.unwrap().len(), 40);
}

/// Whatever the size of the tables was when a statement was planned, a page is an index range.
#[tokio::test]
async fn pages_come_from_the_index_on_fresh_tables_too() {
    let Some(fixture) = postgres().await else { return };
    let index = fixture.index();
    for number in 0..20 {
        insert(&*index, leaf(NodeId::ROOT, &number.to_string())).await.unwrap();
    }
    let Location::Postgres(url) = &fixture.location else { unreachable!() };
    let mut connection = options(url).unwrap().connect().await.unwrap();
    for (name, sql) in ALL {
        let count = match *name {
            "CHILDREN" | "PARTS" => 3,
            "CHILDREN_BELOW" => 4,
            "CHANGES" => 2,
            _ => continue,
        };
        let text = format!(
            "PREPARE {name} AS {}; EXPLAIN EXECUTE {name} ({})",
            sql.postgres,
            vec!["'1'"; count].join(", ")
        );
        let rows = sqlx::raw_sql(AssertSqlSafe(text)).fetch_all(&mut connection).await.unwrap();
        let plan: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
        let plan = plan.join("\n");
        assert!(plan.contains("Index Scan"), "{name}: {plan}");
        assert!(!plan.contains("Sort") && !plan.contains("Seq Scan"), "{name}: {plan}");
    }
}
