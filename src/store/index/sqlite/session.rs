//! A rusqlite connection as a [`Session`]. Its futures never wait.

use cellgate_core::node::{Node, NodeId};
use cellgate_core::{Error, Result};
use rusqlite::types::ValueRef;
use rusqlite::{CachedStatement, Connection};

use super::failed;
use crate::index::session::{Read, Row, Session, Value};
use crate::index::{rows, sql};

/// A connection and what it can run.
pub struct Lite {
    connection: Connection,
}

impl Lite {
    pub fn new(connection: Connection) -> Self {
        Self { connection }
    }

    pub fn in_transaction(&self) -> bool {
        !self.connection.is_autocommit()
    }

    /// Runs a statement without values or rows: `BEGIN`, `SAVEPOINT`, ….
    pub fn control(&self, text: &'static str) -> Result<()> {
        self.connection.prepare_cached(text).and_then(|mut s| s.raw_execute()).map(drop).map_err(failed)
    }

    /// Changes when another process (or another connection) commits, not when this one does.
    pub fn data_version(&self) -> Result<i64> {
        self.connection
            .prepare_cached("PRAGMA data_version")
            .and_then(|mut statement| statement.query_row([], |row| row.get(0)))
            .map_err(failed)
    }

    pub fn rows<T>(&self, sql: &sql::Sql, values: &[Value<'_>], read: Read<T>) -> Result<Vec<T>> {
        let mut statement = self.bound(sql.sqlite, values)?;
        let mut rows = statement.raw_query();
        let mut all = Vec::new();
        while let Some(row) = rows.next().map_err(failed)? {
            all.push(read(&LiteRow(row))?);
        }
        Ok(all)
    }

    /// One lookup per name, all in one snapshot.
    pub fn walk(&self, from: NodeId, names: &[String]) -> Result<Vec<Node>> {
        let snapshot = !self.in_transaction();
        if snapshot {
            self.control("BEGIN")?;
        }
        let mut found: Vec<Node> = Vec::with_capacity(names.len());
        let mut outcome = Ok(());
        for name in names {
            let parent = found.last().map_or(from, |node| node.id);
            let values = [Value::Int(parent.0), Value::Text(name)];
            match self.rows(&sql::CHILD, &values, rows::node) {
                Ok(mut child) => match child.pop() {
                    Some(child) => found.push(child),
                    None => break,
                },
                Err(error) => {
                    outcome = Err(error);
                    break;
                }
            }
        }
        if snapshot {
            self.control("COMMIT")?;
        }
        outcome.map(|()| found)
    }

    fn bound(&self, text: &'static str, values: &[Value<'_>]) -> Result<CachedStatement<'_>> {
        let mut statement = self.connection.prepare_cached(text).map_err(failed)?;
        for (index, value) in values.iter().enumerate() {
            let index = index + 1;
            match *value {
                Value::Int(value) => statement.raw_bind_parameter(index, value),
                Value::MaybeInt(value) => statement.raw_bind_parameter(index, value),
                Value::Text(value) => statement.raw_bind_parameter(index, value),
                Value::MaybeText(value) => statement.raw_bind_parameter(index, value),
                Value::Bytes(value) => statement.raw_bind_parameter(index, value),
                Value::Nodes(nodes) => statement.raw_bind_parameter(index, as_json(nodes)),
            }
            .map_err(failed)?;
        }
        Ok(statement)
    }
}

impl Session for Lite {
    async fn fetch<T: Send>(
        &mut self,
        sql: &sql::Sql,
        values: &[Value<'_>],
        read: Read<T>,
    ) -> Result<Vec<T>> {
        self.rows(sql, values, read)
    }

    async fn execute(&mut self, sql: &sql::Sql, values: &[Value<'_>]) -> Result<u64> {
        let touched = self.bound(sql.sqlite, values)?.raw_execute().map_err(failed)?;
        u64::try_from(touched).map_err(Error::internal)
    }

    async fn chain(&mut self, from: NodeId, names: &[String]) -> Result<Vec<Node>> {
        self.walk(from, names)
    }
}

fn as_json(nodes: &[NodeId]) -> String {
    use std::fmt::Write;
    let mut text = String::with_capacity(nodes.len() * 8 + 2);
    text.push('[');
    for (index, node) in nodes.iter().enumerate() {
        if index > 0 {
            text.push(',');
        }
        // Writing into a String does not fail.
        let _ = write!(text, "{}", node.0);
    }
    text.push(']');
    text
}

struct LiteRow<'r, 's>(&'r rusqlite::Row<'s>);

impl LiteRow<'_, '_> {
    fn value(&self, column: usize) -> Result<ValueRef<'_>> {
        self.0.get_ref(column).map_err(failed)
    }
}

impl Row for LiteRow<'_, '_> {
    fn int(&self, column: usize) -> Result<i64> {
        self.value(column)?.as_i64().map_err(Error::internal)
    }

    fn maybe_int(&self, column: usize) -> Result<Option<i64>> {
        self.value(column)?.as_i64_or_null().map_err(Error::internal)
    }

    fn text(&self, column: usize) -> Result<&str> {
        self.value(column)?.as_str().map_err(Error::internal)
    }

    fn maybe_text(&self, column: usize) -> Result<Option<&str>> {
        self.value(column)?.as_str_or_null().map_err(Error::internal)
    }

    fn bytes(&self, column: usize) -> Result<&[u8]> {
        self.value(column)?.as_blob().map_err(Error::internal)
    }
}
