//! Connections for reading.
//!
//! A read runs to its end on the thread that asks, so there are never more connections in use than
//! threads; those that come back are kept, up to a number. The last one returned goes out first:
//! its cache is warm.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use cellgate_core::Result;
use cellgate_core::node::{Node, NodeId};
use rusqlite::OpenFlags;
use tokio::runtime::{Handle, RuntimeFlavor};

use super::connect;
use super::session::Lite;
use crate::index::engine::Cost;
use crate::index::session::{Read, Session, Value};
use crate::index::sql::Sql;

const KEPT: usize = 16;

pub struct Readers {
    path: PathBuf,
    idle: Mutex<Vec<Lite>>,
}

impl Readers {
    pub fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), idle: Mutex::new(Vec::new()) }
    }

    pub fn take(self: &Arc<Self>, cost: Cost) -> Result<Reader> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let connection = match idle {
            Some(connection) => connection,
            None => Lite::new(connect(&self.path, OpenFlags::SQLITE_OPEN_READ_ONLY)?),
        };
        Ok(Reader { connection: Some(connection), cost, home: Arc::clone(self) })
    }

    pub fn close(&self) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    fn give_back(&self, connection: Lite) {
        // One that is still inside a transaction would read old state for ever.
        if connection.in_transaction() {
            return;
        }
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < KEPT {
            idle.push(connection);
        }
    }
}

/// A connection on loan.
pub struct Reader {
    connection: Option<Lite>,
    cost: Cost,
    home: Arc<Readers>,
}

impl Reader {
    fn run<T>(&self, work: impl FnOnce(&Lite) -> Result<T>) -> Result<T> {
        let Some(connection) = &self.connection else {
            return Err(cellgate_core::Error::internal("a reader without a connection"));
        };
        // A long read tells the runtime to move its other tasks elsewhere; a short one is over
        // before they could have moved.
        let multi = || Handle::try_current().is_ok_and(|h| h.runtime_flavor() == RuntimeFlavor::MultiThread);
        if self.cost == Cost::Long && multi() {
            return tokio::task::block_in_place(|| work(connection));
        }
        work(connection)
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            self.home.give_back(connection);
        }
    }
}

impl Session for Reader {
    async fn fetch<T: Send>(&mut self, sql: &Sql, values: &[Value<'_>], read: Read<T>) -> Result<Vec<T>> {
        self.run(|connection| connection.rows(sql, values, read))
    }

    async fn execute(&mut self, _: &Sql, _: &[Value<'_>]) -> Result<u64> {
        Err(cellgate_core::Error::internal("a reader does not write"))
    }

    async fn chain(&mut self, from: NodeId, names: &[String]) -> Result<Vec<Node>> {
        self.run(|connection| connection.walk(from, names))
    }
}
