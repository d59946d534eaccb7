//! Connections for reading.
//!
//! Not sqlx's pool: that one pings every connection that comes back, in a task of its own, which
//! doubles the round trips of a server whose questions are lookups. Here a connection goes back as
//! it is, unless it failed or its question was abandoned half-way.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use cellgate_core::node::{Node, NodeId};
use cellgate_core::{Error, Result};
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection, PgConnection};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::PATIENCE;
use super::session::{Wire, failed};
use crate::index::session::{Read, Session, Value};
use crate::index::sql::Sql;

/// Most connections for reading.
pub const CONNECTIONS: u32 = 16;
/// A connection that was unused for so long is tried before it is used again.
const TRUSTED: Duration = Duration::from_secs(5);

pub struct Readers {
    options: PgConnectOptions,
    idle: Mutex<Vec<(PgConnection, Instant)>>,
    permits: Arc<Semaphore>,
}

impl Readers {
    pub fn new(options: PgConnectOptions) -> Self {
        let permits = Arc::new(Semaphore::new(CONNECTIONS as usize));
        Self { options, idle: Mutex::new(Vec::new()), permits }
    }

    pub async fn take(self: &Arc<Self>) -> Result<Reader> {
        let permit = match timeout(PATIENCE, Arc::clone(&self.permits).acquire_owned()).await {
            Ok(Ok(permit)) => permit,
            Ok(Err(_)) => return Err(Error::Unavailable("the index is closed".into())),
            Err(_) => return Err(Error::Unavailable("the index is busy".into())),
        };
        let connection = self.connection().await?;
        Ok(Reader { connection: Some(connection), home: Arc::clone(self), _permit: permit })
    }

    pub async fn close(&self) {
        self.permits.close();
        let idle = std::mem::take(&mut *self.idle.lock().unwrap_or_else(PoisonError::into_inner));
        for (connection, _) in idle {
            // Politeness; the server notices either way.
            let _ = connection.close().await;
        }
    }

    /// The one returned last, or a new one.
    async fn connection(&self) -> Result<PgConnection> {
        loop {
            let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
            match idle {
                Some((connection, since)) if since.elapsed() < TRUSTED => return Ok(connection),
                Some((mut connection, _)) => {
                    if matches!(timeout(PATIENCE, connection.ping()).await, Ok(Ok(()))) {
                        return Ok(connection);
                    }
                }
                None => {
                    return match timeout(PATIENCE, self.options.connect()).await {
                        Ok(connected) => connected.map_err(failed),
                        Err(_) => Err(Error::Unavailable("PostgreSQL does not answer".into())),
                    };
                }
            }
        }
    }

    fn give_back(&self, connection: PgConnection) {
        if !self.permits.is_closed() {
            let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
            idle.push((connection, Instant::now()));
        }
    }
}

/// A connection on loan.
pub struct Reader {
    /// Taken out while a question is under way, so that one abandoned in the middle takes the
    /// connection with it.
    connection: Option<PgConnection>,
    home: Arc<Readers>,
    _permit: OwnedSemaphorePermit,
}

impl Drop for Reader {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            self.home.give_back(connection);
        }
    }
}

/// Asks, and asks again on another connection when this one turns out to be gone: reads may be
/// repeated. After a restart of the server all connections may be gone, but no more than that.
macro_rules! ask {
    ($self:ident, $wire:ident => $read:expr) => {{
        let mut attempts = 0;
        loop {
            let mut connection = match $self.connection.take() {
                Some(connection) => connection,
                None => $self.home.connection().await?,
            };
            let mut $wire = Wire::new(&mut connection);
            let outcome = $read.await;
            if !$wire.lost {
                $self.connection = Some(connection);
                return outcome;
            }
            if attempts == CONNECTIONS {
                return outcome;
            }
            attempts += 1;
        }
    }};
}

impl Session for Reader {
    async fn fetch<T: Send>(&mut self, sql: &Sql, values: &[Value<'_>], read: Read<T>) -> Result<Vec<T>> {
        ask!(self, wire => wire.fetch(sql, values, read))
    }

    async fn execute(&mut self, _: &Sql, _: &[Value<'_>]) -> Result<u64> {
        Err(Error::internal("a reader does not write"))
    }

    async fn chain(&mut self, from: NodeId, names: &[String]) -> Result<Vec<Node>> {
        ask!(self, wire => wire.chain(from, names))
    }
}
