//! The index on SQLite or PostgreSQL: `cellgate_core::ports::{View, Txn, Index}`.
//!
//! One schema (`migrations/`), one table of statements ([`sql`]), one implementation of the ports
//! ([`engine`], [`txn`], [`queries`]) over a small notion of a connection ([`session`]); an engine adds
//! how connections are kept and how the one writer commits.
//!
//! Both engines commit in groups: one writer takes the mutations that wait, runs each in its own
//! savepoint, commits once, and answers all. So a flood of small writes shares the disk's flushes,
//! and a rule checked inside a mutation cannot be overtaken by another mutation.

mod engine;
mod job;
mod migrate;
mod postgres;
mod queries;
mod rows;
mod session;
mod sql;
mod sqlite;
#[cfg(test)]
mod tests;
mod txn;

use std::path::PathBuf;
use std::sync::Arc;

use cellgate_core::Result;
use cellgate_core::ports::Index;

use engine::{Database, Engine};

/// Where the index is.
#[derive(Clone, PartialEq, Eq)]
pub enum Location {
    /// A file; it is created when missing.
    Sqlite(PathBuf),
    /// A `postgres://` URL.
    Postgres(String),
}

impl std::fmt::Debug for Location {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Sqlite(path) => f.debug_tuple("Sqlite").field(path).finish(),
            // The URL may hold a password.
            Self::Postgres(_) => f.write_str("Postgres(…)"),
        }
    }
}

/// An open index.
pub struct Store {
    database: Opened,
}

enum Opened {
    Sqlite(Arc<Database<sqlite::Sqlite>>),
    Postgres(Arc<Database<postgres::Postgres>>),
}

impl Store {
    /// Connects, and brings the schema up to date.
    pub async fn open(location: &Location) -> Result<Self> {
        let database = match location {
            Location::Sqlite(path) => Opened::Sqlite(Arc::new(Database(sqlite::Sqlite::open(path).await?))),
            Location::Postgres(url) => {
                Opened::Postgres(Arc::new(Database(postgres::Postgres::open(url).await?)))
            }
        };
        Ok(Self { database })
    }

    pub fn index(&self) -> Arc<dyn Index> {
        match &self.database {
            Opened::Sqlite(database) => database.clone(),
            Opened::Postgres(database) => database.clone(),
        }
    }

    /// Commits what is waiting and closes the database. Mutations that come later are refused.
    pub async fn close(&self) {
        match &self.database {
            Opened::Sqlite(database) => database.0.close().await,
            Opened::Postgres(database) => database.0.close().await,
        }
    }
}
