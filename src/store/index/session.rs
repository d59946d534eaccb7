//! One connection, seen alike on both engines: run a statement of [`super::sql`], read its rows.

use std::future::Future;

use cellgate_core::node::{Node, NodeId};
use cellgate_core::{Error, Result};

use super::sql::Sql;

/// A value to bind.
#[derive(Debug, Clone, Copy)]
pub enum Value<'a> {
    Int(i64),
    MaybeInt(Option<i64>),
    Text(&'a str),
    MaybeText(Option<&'a str>),
    Bytes(&'a [u8]),
    /// A list of node ids.
    Nodes(&'a [NodeId]),
}

impl Value<'_> {
    /// PostgreSQL's text holds no NUL, so nothing that contains one is in any index.
    fn has_nul(&self) -> bool {
        match self {
            Self::Text(text) | Self::MaybeText(Some(text)) => text.as_bytes().contains(&0),
            _ => false,
        }
    }
}

/// A row, its columns in the order of the statement.
pub trait Row {
    fn int(&self, column: usize) -> Result<i64>;
    fn maybe_int(&self, column: usize) -> Result<Option<i64>>;
    fn text(&self, column: usize) -> Result<&str>;
    fn maybe_text(&self, column: usize) -> Result<Option<&str>>;
    fn bytes(&self, column: usize) -> Result<&[u8]>;
}

/// How a row becomes a `T`.
pub type Read<T> = fn(&dyn Row) -> Result<T>;

/// A connection.
pub trait Session: Send {
    fn fetch<T: Send>(
        &mut self,
        sql: &Sql,
        values: &[Value<'_>],
        read: Read<T>,
    ) -> impl Future<Output = Result<Vec<T>>> + Send;

    /// Answers how many rows were touched.
    fn execute(&mut self, sql: &Sql, values: &[Value<'_>]) -> impl Future<Output = Result<u64>> + Send;

    /// See [`cellgate_core::ports::View::chain`]; names hold no NUL.
    fn chain(&mut self, from: NodeId, names: &[String]) -> impl Future<Output = Result<Vec<Node>>> + Send;
}

/// Rows of a query. Nothing is found by a text with a NUL.
pub async fn rows<S: Session, T: Send>(
    session: &mut S,
    sql: &Sql,
    values: &[Value<'_>],
    read: Read<T>,
) -> Result<Vec<T>> {
    if values.iter().any(Value::has_nul) {
        return Ok(Vec::new());
    }
    session.fetch(sql, values, read).await
}

/// The first row of a query.
pub async fn row<S: Session, T: Send>(
    session: &mut S,
    sql: &Sql,
    values: &[Value<'_>],
    read: Read<T>,
) -> Result<Option<T>> {
    Ok(rows(session, sql, values, read).await?.into_iter().next())
}

/// Runs a statement that writes.
pub async fn run<S: Session>(session: &mut S, sql: &Sql, values: &[Value<'_>]) -> Result<u64> {
    refuse_nul(values)?;
    session.execute(sql, values).await
}

/// Runs a statement that writes and returns a row, if it wrote one.
pub async fn returning<S: Session, T: Send>(
    session: &mut S,
    sql: &Sql,
    values: &[Value<'_>],
    read: Read<T>,
) -> Result<Option<T>> {
    refuse_nul(values)?;
    Ok(session.fetch(sql, values, read).await?.into_iter().next())
}

fn refuse_nul(values: &[Value<'_>]) -> Result<()> {
    match values.iter().any(Value::has_nul) {
        true => Err(Error::InvalidArgument("text must not contain NUL characters".into())),
        false => Ok(()),
    }
}
