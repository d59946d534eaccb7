//! The one writer of this gateway: a task that commits what is waiting as one transaction.
//!
//! Every transaction begins with the same advisory lock, so the writers of several gateways take
//! turns, from before their first statement until their commit can be seen. That is what makes the
//! change feed whole: numbers are handed out in the order of commits, so a reader that has seen
//! number 7 will never find a 6 that was late. And it is what lets a mutation check a rule and then
//! write without locking rows.
//!
//! When the connection breaks while a commit's answer is awaited, nobody knows whether it happened;
//! the callers hear `Unavailable`.

use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};

use cellgate_core::ports::Mutation;
use cellgate_core::{Error, Result};
use futures_util::FutureExt;
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::task::JoinHandle;
use uuid::Uuid;

use super::PATIENCE;
use super::listener;
use super::session::{Wire, failed, is_lost};
use crate::index::engine::Signals;
use crate::index::job::{Job, acknowledge, closed, panicked, refuse};
use crate::index::txn::{Effects, Transaction};

/// Most mutations of one transaction. PostgreSQL keeps 64 subtransactions of a transaction at hand;
/// beyond that every reader has to look them up.
const BATCH: usize = 60;

/// One round trip. The number is ASCII `cellgate`. The level is named because a server may default
/// to a higher one, whose snapshot would be taken before the lock is granted and miss what the
/// other gateway has just committed.
const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED; \
                     SELECT pg_advisory_xact_lock(7162249995249349733); SAVEPOINT mutation";

pub struct Writer {
    jobs: Mutex<Option<UnboundedSender<Job>>>,
    task: Mutex<Option<JoinHandle<()>>>,
}

impl Writer {
    pub fn start(options: PgConnectOptions, instance: Uuid, signals: Arc<Signals>) -> Self {
        // Should this gateway freeze inside a transaction, the others must not wait for ever.
        let options = options.options([("idle_in_transaction_session_timeout", "60000")]);
        let (send, mut jobs) = unbounded_channel();
        let mut worker = Worker { options, connection: None, instance, signals };
        let task = tokio::spawn(async move {
            let mut batch = Vec::with_capacity(BATCH);
            while jobs.recv_many(&mut batch, BATCH).await > 0 {
                worker.commit(std::mem::take(&mut batch)).await;
            }
            if let Some(connection) = worker.connection {
                // Politeness; the server notices either way.
                let _ = connection.close().await;
            }
        });
        Self { jobs: Mutex::new(Some(send)), task: Mutex::new(Some(task)) }
    }

    pub async fn commit(&self, mutation: Mutation) -> Result<()> {
        let (job, outcome) = Job::new(mutation);
        let sent = match &*self.jobs.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(jobs) => jobs.send(job).is_ok(),
            None => false,
        };
        if !sent {
            return Err(closed());
        }
        outcome.await.unwrap_or_else(|_| Err(closed()))
    }

    /// Ends the task after what is waiting.
    pub async fn close(&self) {
        drop(self.jobs.lock().unwrap_or_else(PoisonError::into_inner).take());
        let task = self.task.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(task) = task
            && task.await.is_err()
        {
            tracing::error!("the index's writer had died");
        }
    }
}

struct Worker {
    options: PgConnectOptions,
    connection: Option<PgConnection>,
    instance: Uuid,
    signals: Arc<Signals>,
}

impl Worker {
    async fn commit(&mut self, batch: Vec<Job>) {
        let (mutations, answers) = batch.into_iter().map(|job| (job.mutation, job.answer)).unzip();
        let mut outcomes = Vec::new();
        match self.transact(mutations, &mut outcomes).await {
            Ok(effects) => {
                // Before the answers: who is told that its write is done must find no older copy.
                self.signals.announce(effects);
                acknowledge(answers, outcomes);
            }
            Err(error) => refuse(answers, outcomes, &error),
        }
    }

    /// An error means that nothing stays. The connection goes with it, and with the connection the
    /// transaction, whatever state they were in.
    async fn transact(
        &mut self,
        mutations: Vec<Mutation>,
        outcomes: &mut Vec<Result<()>>,
    ) -> Result<Effects> {
        let mut connection = self.begin().await?;
        let mut effects = Effects::default();
        let mut kept = None;
        for mutation in mutations {
            match kept {
                None => {}
                Some(true) => {
                    control(&mut connection, "RELEASE SAVEPOINT mutation; SAVEPOINT mutation").await?;
                }
                // A savepoint still stands after a rollback to it.
                Some(false) => control(&mut connection, "ROLLBACK TO SAVEPOINT mutation").await?,
            }
            let (outcome, its) = run(&mut connection, mutation).await?;
            effects.merge(its);
            kept = Some(outcome.is_ok());
            outcomes.push(outcome);
        }
        if outcomes.iter().any(Result::is_ok) {
            let last = match kept {
                Some(false) => "ROLLBACK TO SAVEPOINT mutation",
                _ => "RELEASE SAVEPOINT mutation",
            };
            let announcement = listener::announcement(self.instance, effects);
            let text = format!("{last}; {announcement} COMMIT");
            // No value from outside is in it.
            sqlx::raw_sql(AssertSqlSafe(text)).execute(&mut connection).await.map_err(failed)?;
        } else {
            control(&mut connection, "ROLLBACK").await?;
        }
        self.connection = Some(connection);
        Ok(effects)
    }

    /// Opens a transaction, on a new connection when the old one is gone.
    async fn begin(&mut self) -> Result<PgConnection> {
        if let Some(mut connection) = self.connection.take() {
            match sqlx::raw_sql(BEGIN).execute(&mut connection).await {
                Ok(_) => return Ok(connection),
                Err(error) if is_lost(&error) => tracing::info!(%error, "connecting to PostgreSQL again"),
                Err(error) => return Err(failed(error)),
            }
        }
        let connecting = async {
            let mut connection = self.options.connect().await?;
            // A server may have it off, and an acknowledged write must be on its disk.
            sqlx::raw_sql(
                "SELECT set_config('synchronous_commit', 'on', false) \
                 WHERE current_setting('synchronous_commit') = 'off'",
            )
            .execute(&mut connection)
            .await?;
            Ok(connection)
        };
        let mut connection = tokio::time::timeout(PATIENCE, connecting)
            .await
            .map_err(|_| Error::Unavailable("PostgreSQL does not answer".into()))?
            .map_err(failed)?;
        control(&mut connection, BEGIN).await?;
        Ok(connection)
    }
}

async fn control(connection: &mut PgConnection, text: &'static str) -> Result<()> {
    sqlx::raw_sql(text).execute(connection).await.map(drop).map_err(failed)
}

/// Runs one mutation. The outer error means that the connection is lost.
async fn run(connection: &mut PgConnection, mutation: Mutation) -> Result<(Result<()>, Effects)> {
    let mut effects = Effects::default();
    let mut wire = Wire::new(connection);
    let outcome = AssertUnwindSafe(async {
        let mut txn = Transaction::new(&mut wire, &mut effects);
        mutation(&mut txn).await
    })
    .catch_unwind()
    .await
    .unwrap_or_else(|panic| Err(panicked(&*panic)));
    if wire.lost {
        return Err(outcome.err().unwrap_or_else(|| Error::internal("the connection was lost")));
    }
    match outcome {
        // The server has given the savepoint up, so there is nothing to keep.
        Ok(()) if wire.spoiled => {
            Ok((Err(Error::internal("a mutation went on after a failed statement")), Effects::default()))
        }
        Ok(()) => Ok((Ok(()), effects)),
        Err(error) => Ok((Err(error), Effects::default())),
    }
}
