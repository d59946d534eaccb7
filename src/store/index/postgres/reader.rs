//! A connection for reading, on loan from the pool.

use cellgate_core::node::{Node, NodeId};
use cellgate_core::{Error, Result};
use sqlx::PgPool;
use sqlx::Postgres;
use sqlx::pool::PoolConnection;

use super::CONNECTIONS;
use super::session::{Wire, failed};
use crate::index::session::{Read, Session, Value};
use crate::index::sql::Sql;

pub struct Reader {
    pool: PgPool,
    connection: PoolConnection<Postgres>,
}

/// Runs a read, and again on another connection when this one turns out to be gone: reads may be
/// repeated. After a restart of the server the whole pool may be gone, but no more than that.
macro_rules! again_when_lost {
    ($self:ident, $wire:ident => $read:expr) => {{
        for _ in 0..CONNECTIONS {
            let mut $wire = Wire::new(&mut $self.connection);
            let outcome = $read.await;
            if !$wire.lost {
                return outcome;
            }
            let other = $self.pool.acquire().await.map_err(failed)?;
            // Out of the pool with the lost one, not back into it.
            drop(std::mem::replace(&mut $self.connection, other).detach());
        }
        let mut $wire = Wire::new(&mut $self.connection);
        $read.await
    }};
}

impl Reader {
    pub async fn take(pool: &PgPool) -> Result<Self> {
        let connection = pool.acquire().await.map_err(failed)?;
        Ok(Self { pool: pool.clone(), connection })
    }
}

impl Session for Reader {
    async fn fetch<T: Send>(&mut self, sql: &Sql, values: &[Value<'_>], read: Read<T>) -> Result<Vec<T>> {
        again_when_lost!(self, wire => wire.fetch(sql, values, read))
    }

    async fn execute(&mut self, _: &Sql, _: &[Value<'_>]) -> Result<u64> {
        Err(Error::internal("a reader does not write"))
    }

    async fn chain(&mut self, from: NodeId, names: &[String]) -> Result<Vec<Node>> {
        again_when_lost!(self, wire => wire.chain(from, names))
    }
}
