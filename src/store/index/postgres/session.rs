//! A connection to PostgreSQL as a [`Session`].

use cellgate_core::node::{Node, NodeId};
use cellgate_core::{Error, Result};
use sqlx::postgres::{PgArguments, PgRow};
use sqlx::{Arguments, PgConnection, Row as _};

use crate::index::session::{Read, Row, Session, Value};
use crate::index::{rows, sql};

/// Runs statements on a connection and remembers what went wrong with it.
pub struct Wire<'c> {
    connection: &'c mut PgConnection,
    /// The server refused a statement, which spoils the transaction (or savepoint) around it.
    pub spoiled: bool,
    /// The connection is gone.
    pub lost: bool,
}

impl<'c> Wire<'c> {
    pub fn new(connection: &'c mut PgConnection) -> Self {
        Self { connection, spoiled: false, lost: false }
    }

    async fn rows<T>(&mut self, text: &'static str, values: PgArguments, read: Read<T>) -> Result<Vec<T>> {
        let rows = sqlx::query_with(text, values).fetch_all(&mut *self.connection).await;
        let rows = rows.map_err(|error| self.note(error))?;
        rows.iter().map(|row| read(row)).collect()
    }

    fn note(&mut self, error: sqlx::Error) -> Error {
        self.spoiled = true;
        self.lost |= is_lost(&error);
        failed(error)
    }
}

impl Session for Wire<'_> {
    async fn fetch<T: Send>(
        &mut self,
        sql: &sql::Sql,
        values: &[Value<'_>],
        read: Read<T>,
    ) -> Result<Vec<T>> {
        self.rows(sql.postgres, bound(values)?, read).await
    }

    async fn execute(&mut self, sql: &sql::Sql, values: &[Value<'_>]) -> Result<u64> {
        let outcome = sqlx::query_with(sql.postgres, bound(values)?).execute(&mut *self.connection).await;
        outcome.map(|done| done.rows_affected()).map_err(|error| self.note(error))
    }

    async fn chain(&mut self, from: NodeId, names: &[String]) -> Result<Vec<Node>> {
        let mut values = PgArguments::default();
        values.add(from.0).map_err(Error::Internal)?;
        values.add(names).map_err(Error::Internal)?;
        self.rows(sql::CHAIN.postgres, values, rows::node).await
    }
}

fn bound(values: &[Value<'_>]) -> Result<PgArguments> {
    let mut bound = PgArguments::default();
    for value in values {
        match *value {
            Value::Int(value) => bound.add(value),
            Value::MaybeInt(value) => bound.add(value),
            Value::Text(value) => bound.add(value),
            Value::MaybeText(value) => bound.add(value),
            Value::Bytes(value) => bound.add(value),
            Value::Nodes(nodes) => bound.add(nodes.iter().map(|node| node.0).collect::<Vec<_>>()),
        }
        .map_err(Error::Internal)?;
    }
    Ok(bound)
}

impl Row for PgRow {
    // Unchecked, because i64 stands for SMALLINT and INTEGER too; the decoder goes by the length.
    fn int(&self, column: usize) -> Result<i64> {
        self.try_get_unchecked(column).map_err(Error::internal)
    }

    fn maybe_int(&self, column: usize) -> Result<Option<i64>> {
        self.try_get_unchecked(column).map_err(Error::internal)
    }

    fn text(&self, column: usize) -> Result<&str> {
        self.try_get(column).map_err(Error::internal)
    }

    fn maybe_text(&self, column: usize) -> Result<Option<&str>> {
        self.try_get(column).map_err(Error::internal)
    }

    fn bytes(&self, column: usize) -> Result<&[u8]> {
        self.try_get(column).map_err(Error::internal)
    }
}

/// Whether the connection is of no further use.
pub fn is_lost(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::Protocol(_) => true,
        sqlx::Error::Database(error) => error.code().is_some_and(|code| {
            // Connection exceptions; the administrator's shutdowns; our own timeout in a transaction.
            code.starts_with("08") || code.starts_with("57P") || code == "25P03"
        }),
        _ => false,
    }
}

/// The core's error for one of PostgreSQL's. What is worth another try is `Unavailable`.
pub fn failed(error: sqlx::Error) -> Error {
    let passing = is_lost(&error)
        || match &error {
            sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::WorkerCrashed => true,
            // Conflicts of transactions, exhausted resources, locks not granted in time.
            sqlx::Error::Database(error) => error
                .code()
                .is_some_and(|code| ["40", "53", "55", "57"].iter().any(|class| code.starts_with(class))),
            _ => false,
        };
    if passing {
        tracing::warn!(%error, "the index does not answer: {error}");
        return Error::Unavailable("the index does not answer".into());
    }
    Error::internal(error)
}
