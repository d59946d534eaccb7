//! The index in PostgreSQL. In work.

use cellgate_core::node::{Node, NodeId};
use cellgate_core::ports::Mutation;
use cellgate_core::{Error, Result};

use super::engine::{Cost, Engine, Signals};
use super::session::{Read, Session, Value};
use super::sql::Sql;

pub struct Postgres {
    signals: Signals,
}

impl Postgres {
    pub async fn open(_: &str) -> Result<Self> {
        Err(Error::NotImplemented("the index on PostgreSQL"))
    }
}

pub struct Reader;

impl Session for Reader {
    async fn fetch<T: Send>(&mut self, _: &Sql, _: &[Value<'_>], _: Read<T>) -> Result<Vec<T>> {
        Err(Error::NotImplemented("the index on PostgreSQL"))
    }
    async fn execute(&mut self, _: &Sql, _: &[Value<'_>]) -> Result<u64> {
        Err(Error::NotImplemented("the index on PostgreSQL"))
    }
    async fn chain(&mut self, _: NodeId, _: &[String]) -> Result<Vec<Node>> {
        Err(Error::NotImplemented("the index on PostgreSQL"))
    }
}

impl Engine for Postgres {
    type Reader = Reader;
    async fn reader(&self, _: Cost) -> Result<Reader> {
        Err(Error::NotImplemented("the index on PostgreSQL"))
    }
    async fn commit(&self, _: Mutation) -> Result<()> {
        Err(Error::NotImplemented("the index on PostgreSQL"))
    }
    fn signals(&self) -> &Signals {
        &self.signals
    }
    async fn close(&self) {}
}
