//! The index in PostgreSQL, for one gateway or several.
//!
//! Reads take a connection of a pool ([`reader`]). Writes go through one task with its own connection
//! ([`writer`]), so that they share commits; writers of several gateways take turns by an advisory
//! lock. What one gateway commits the others hear through LISTEN/NOTIFY ([`listener`]).

mod listener;
mod reader;
mod session;
mod writer;

use std::sync::Arc;
use std::time::Duration;

use cellgate_core::ports::Mutation;
use cellgate_core::{Error, Result};
use sqlx::ConnectOptions;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use uuid::Uuid;

use super::engine::{Cost, Engine, Signals};
use super::{migrate, queries};
use listener::Ears;
use reader::{Reader, Readers};
use session::failed;
use writer::Writer;

/// How long to wait for the server, or for a free connection.
const PATIENCE: Duration = Duration::from_secs(10);

pub struct Postgres {
    readers: Arc<Readers>,
    writer: Writer,
    /// Holds the listener's connection.
    pool: PgPool,
    listener: tokio::task::AbortHandle,
    signals: Arc<Signals>,
}

impl Postgres {
    pub async fn open(url: &str) -> Result<Self> {
        let options = options(url)?;
        let pool = PgPoolOptions::new()
            .max_connections(1)
            .acquire_timeout(PATIENCE)
            .connect_with(options.clone())
            .await
            .map_err(|error| opening("cannot connect to PostgreSQL", &error))?;
        demand_utf8(&pool).await?;
        let mut connection = pool.acquire().await.map_err(failed)?;
        migrate::run(&migrate::postgres(), &mut *connection).await.map_err(migrate::failed)?;
        drop(connection);

        let instance = Uuid::new_v4();
        let readers = Arc::new(Readers::new(options.clone()));
        // The listener first: what is committed after this look at the feed is announced.
        let listener = listener::connect(&pool).await.map_err(failed)?;
        let last_change = queries::last_change(&mut readers.take().await?).await?;
        let signals = Arc::new(Signals::new(last_change));
        let ears = Ears { pool: pool.clone(), readers: readers.clone(), instance, signals: signals.clone() };
        let listener = tokio::spawn(ears.listen(listener)).abort_handle();
        let writer = Writer::start(options, instance, signals.clone());
        Ok(Self { readers, writer, pool, listener, signals })
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.listener.abort();
    }
}

impl Engine for Postgres {
    type Reader = Reader;

    async fn reader(&self, _: Cost) -> Result<Reader> {
        self.readers.take().await
    }

    async fn commit(&self, mutation: Mutation) -> Result<()> {
        self.writer.commit(mutation).await
    }

    fn signals(&self) -> &Signals {
        &self.signals
    }

    async fn close(&self) {
        self.writer.close().await;
        self.listener.abort();
        self.readers.close().await;
        self.pool.close().await;
    }
}

pub fn options(url: &str) -> Result<PgConnectOptions> {
    let options: PgConnectOptions =
        url.parse().map_err(|error| opening("the database URL is not valid", &error))?;
    Ok(options
        .application_name("cellgate")
        .statement_cache_capacity(256)
        // Every statement has its index, and no plan may depend on how small a table was when the
        // statement was prepared: a sequential scan chosen then would stay for the connection's life.
        .options([
            ("enable_seqscan", "off"),
            ("enable_bitmapscan", "off"),
            ("enable_hashjoin", "off"),
            ("enable_mergejoin", "off"),
            ("plan_cache_mode", "force_generic_plan"),
            ("jit", "off"),
        ])
        .disable_statement_logging())
}

async fn demand_utf8(pool: &PgPool) -> Result<()> {
    let encoding: String =
        sqlx::query_scalar("SHOW server_encoding").fetch_one(pool).await.map_err(failed)?;
    match encoding.as_str() {
        "UTF8" => Ok(()),
        other => Err(Error::internal(format!(
            "the database's encoding is {other}; create it with ENCODING 'UTF8', names are Unicode"
        ))),
    }
}

/// For the operator, at start: with the cause in the text.
fn opening(what: &str, error: &(dyn std::error::Error + 'static)) -> Error {
    let mut text = format!("{what}: {error}");
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    Error::internal(text)
}
