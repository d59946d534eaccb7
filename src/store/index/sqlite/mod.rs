//! The index in one SQLite file.
//!
//! sqlx runs the migrations and nothing else: it sends every row through a channel from a thread of
//! its own, and looks up 10,000 rows a second where rusqlite, on the same library, does 309,000.
//! So reads run on the calling thread, on read-only connections ([`readers`]), and one thread owns
//! the connection that writes ([`writer`]). What is asked for again and again is remembered between
//! two commits ([`lookups`]).
//!
//! WAL with `synchronous=FULL`: readers never wait for the writer, and a commit is on disk when it
//! is answered. Another process (the command line) may write to the same file; the writer notices.

mod lookups;
mod readers;
mod session;
mod writer;

use std::path::Path;
use std::sync::Arc;

use cellgate_core::ports::Mutation;
use cellgate_core::{Error, Result};
use rusqlite::{Connection, ErrorCode, OpenFlags};
use sqlx::ConnectOptions;
use sqlx::migrate::MigrateError;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};

use super::engine::{Cost, Engine, Signals};
use super::migrate;
use super::queries;
pub use lookups::Lookups;
use readers::{Reader, Readers};
use session::Lite;
use writer::Writer;

/// How long a statement waits for another process's transaction.
const BUSY: std::time::Duration = std::time::Duration::from_secs(10);

pub struct Sqlite {
    readers: Arc<Readers>,
    writer: Writer,
    lookups: Option<Lookups>,
    signals: Arc<Signals>,
}

impl Sqlite {
    pub async fn open(path: &Path) -> Result<Self> {
        create_private(path)?;
        migrate(path).await?;
        let mut connection = Lite::new(connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?);
        let last_change = queries::last_change(&mut connection).await?;
        let signals = Arc::new(Signals::new(last_change));
        let readers = Arc::new(Readers::new(path));
        // One is opened now, so that an unreadable file is found here and not by the first request.
        drop(readers.take(Cost::Short)?);
        // The connections made the file that it reads.
        let lookups = Lookups::beside(path);
        let writer = Writer::start(connection, Arc::clone(&signals))?;
        Ok(Self { readers, writer, lookups, signals })
    }
}

impl Engine for Sqlite {
    type Reader = Reader;

    async fn reader(&self, cost: Cost) -> Result<Reader> {
        self.readers.take(cost)
    }

    async fn commit(&self, mutation: Mutation) -> Result<()> {
        self.writer.commit(mutation).await
    }

    fn signals(&self) -> &Signals {
        &self.signals
    }

    fn lookups(&self) -> Option<&Lookups> {
        self.lookups.as_ref()
    }

    async fn close(&self) {
        if let Some(lookups) = &self.lookups {
            lookups.close();
        }
        self.writer.close().await;
        self.readers.close();
    }
}

/// Password hashes and keys are in it: only the owner reads the file. Its WAL inherits the mode.
fn create_private(path: &Path) -> Result<()> {
    use std::os::unix::fs::OpenOptionsExt;
    let mut options = std::fs::OpenOptions::new();
    options.create(true).append(true).mode(0o600);
    options
        .open(path)
        .map(drop)
        .map_err(|error| Error::internal(format!("cannot open the index `{}`: {error}", path.display())))
}

async fn migrate(path: &Path) -> Result<()> {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(BUSY)
        .disable_statement_logging();
    let history = migrate::sqlite();
    let started = std::time::Instant::now();
    let mut attempts = 0;
    loop {
        let mut connection = match options.connect().await {
            Ok(connection) => connection,
            // Another process makes the file: the change to WAL fails at once then, it does not wait.
            Err(error) if is_busy(&error) && started.elapsed() < BUSY => {
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
                continue;
            }
            Err(error) => return Err(Error::internal(error)),
        };
        let outcome = migrate::run(&history, &mut connection).await;
        sqlx::Connection::close(connection).await.map_err(Error::internal)?;
        match outcome {
            Ok(()) => return Ok(()),
            // Two processes started at once on a new file: the second finds its work done.
            Err(error @ MigrateError::Execute(_) | error @ MigrateError::ExecuteMigration(..))
                if attempts < 3 =>
            {
                tracing::debug!(%error, "the index's migration is tried again");
                attempts += 1;
                tokio::time::sleep(std::time::Duration::from_millis(200)).await;
            }
            Err(error) => return Err(migrate::failed(error)),
        }
    }
}

/// SQLITE_BUSY or SQLITE_LOCKED, extended or not.
fn is_busy(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(|error| error.code()?.parse::<u32>().ok());
    code.is_some_and(|code| matches!(code & 0xff, 5 | 6))
}

fn connect(path: &Path, access: OpenFlags) -> Result<Connection> {
    // Each connection is used by one thread at a time, so SQLite's own locks are not needed.
    let flags = access | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(failed)?;
    connection.busy_timeout(BUSY).map_err(failed)?;
    connection.set_prepared_statement_cache_capacity(128);
    // No memory map: its pages count as the process's own, and a listing of 100,000 entries would look
    // like 60 MB of it; the kernel's cache holds them anyway. A statement that sets a value may answer
    // it, hence the batch.
    connection
        .execute_batch(
            "PRAGMA foreign_keys = ON; PRAGMA synchronous = FULL; PRAGMA temp_store = MEMORY; \
             PRAGMA cache_size = -4096; PRAGMA journal_size_limit = 67108864; \
             PRAGMA wal_autocheckpoint = 2000;",
        )
        .map_err(failed)?;
    Ok(connection)
}

/// The core's error for one of SQLite's. What is worth another try is `Unavailable`.
fn failed(error: rusqlite::Error) -> Error {
    let passing = matches!(
        error.sqlite_error_code(),
        Some(
            ErrorCode::DatabaseBusy
                | ErrorCode::DatabaseLocked
                | ErrorCode::DiskFull
                | ErrorCode::SystemIoFailure
                | ErrorCode::CannotOpen
                | ErrorCode::OutOfMemory
                | ErrorCode::FileLockingProtocolFailed
        )
    );
    if passing {
        tracing::warn!(%error, "the index does not answer: {error}");
        return Error::Unavailable("the index does not answer".into());
    }
    Error::internal(error)
}
