//! Every statement is understood by both engines, with its values in the order of their numbers.

use rusqlite::Connection;
use sqlx::{Connection as _, Executor, PgConnection, SqlSafeStr};

use crate::index::sql::ALL;
use crate::index::{Location, migrate};

async fn schema() -> (super::Fixture, Connection) {
    let fixture = super::sqlite().await;
    let Location::Sqlite(path) = &fixture.location else { unreachable!() };
    let connection = Connection::open(path).unwrap();
    (fixture, connection)
}

#[tokio::test]
async fn sqlite_prepares_every_statement_and_numbers_its_values_alike() {
    let (_fixture, connection) = schema().await;
    for (name, sql) in ALL {
        let statement = connection.prepare(sql.sqlite).unwrap_or_else(|e| panic!("{name}: {e}"));
        for index in 1..=statement.parameter_count() {
            assert_eq!(statement.parameter_name(index), Some(format!("${index}").as_str()), "{name}");
        }
    }
}

/// A page costs an index range, however large the folder is.
#[tokio::test]
async fn sqlite_lists_without_sorting() {
    let (_fixture, connection) = schema().await;
    for name in ["CHILDREN", "CHILDREN_BELOW", "CHANGES", "PARTS"] {
        let (_, sql) = ALL.iter().find(|(of, _)| *of == name).unwrap();
        let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {}", sql.sqlite)).unwrap();
        let plan: Vec<String> = statement
            .query_map(
                [1, 2, 3, 4].get(..statement.parameter_count()).map(rusqlite::params_from_iter).unwrap(),
                |row| row.get(3),
            )
            .unwrap()
            .map(|line| line.unwrap())
            .collect();
        assert_eq!(plan.len(), 1, "{name}: {plan:?}");
        assert!(plan[0].starts_with("SEARCH"), "{name}: {plan:?}");
    }
}

async fn connection(fixture: &super::Fixture) -> PgConnection {
    let Location::Postgres(url) = &fixture.location else { unreachable!() };
    PgConnection::connect(url).await.unwrap()
}

#[tokio::test]
async fn postgres_prepares_every_statement() {
    let Some(fixture) = super::postgres().await else { return };
    let mut connection = connection(&fixture).await;
    for (name, sql) in ALL {
        if let Err(error) = connection.prepare(sql.postgres.into_sql_str()).await {
            panic!("{name}: {error}");
        }
    }
}

#[test]
fn both_histories_have_the_same_steps() {
    let steps = |history: sqlx::migrate::Migrator| -> Vec<_> {
        history.iter().map(|step| (step.version, step.description.clone())).collect()
    };
    assert_eq!(steps(migrate::sqlite()), steps(migrate::postgres()));
}
