//! The one writer: a thread that commits what is waiting as one transaction.
//!
//! While a commit is being flushed the next mutations gather; the longer the disk takes, the more
//! of them share the next flush.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{JoinHandle, Thread};
use std::time::{Duration, Instant};

use cellgate_core::ports::Mutation;
use cellgate_core::{Error, Result};

use super::session::Lite;
use crate::index::engine::Signals;
use crate::index::job::{Job, acknowledge, closed, panicked, refuse};
use crate::index::txn::{Effects, Transaction};
use crate::index::{rows, sql};

/// Most mutations of one transaction: enough to share a flush, few enough that nobody waits long.
const BATCH: usize = 256;
/// How often other processes' commits are looked for.
const POLL: Duration = Duration::from_millis(250);
/// How long another process may keep the write lock before mutations are refused.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long a mutation may wait for something outside its transaction.
const WAITING: Duration = Duration::from_secs(5);

pub struct Writer {
    jobs: Mutex<Option<Sender<Job>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Writer {
    pub fn start(connection: Lite, signals: Arc<Signals>) -> Result<Self> {
        let (send, receive) = channel();
        let thread = std::thread::Builder::new()
            .name("index-writer".into())
            .spawn(move || match Worker::new(connection, signals) {
                Ok(mut worker) => worker.work(&receive),
                // Dropping the receiver refuses every mutation.
                Err(error) => tracing::error!("the index's writer did not start: {}", error.chain()),
            })
            .map_err(Error::internal)?;
        Ok(Self { jobs: Mutex::new(Some(send)), thread: Mutex::new(Some(thread)) })
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

    /// Ends the thread after what is waiting.
    pub async fn close(&self) {
        drop(self.jobs.lock().unwrap_or_else(PoisonError::into_inner).take());
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread
            && tokio::task::spawn_blocking(move || thread.join().is_ok()).await.is_ok_and(|ended| !ended)
        {
            tracing::error!("the index's writer had died");
        }
    }
}

struct Worker {
    connection: Lite,
    signals: Arc<Signals>,
    data_version: i64,
    polled: Instant,
}

impl Worker {
    fn new(connection: Lite, signals: Arc<Signals>) -> Result<Self> {
        let data_version = connection.data_version()?;
        Ok(Self { connection, signals, data_version, polled: Instant::now() })
    }

    fn work(&mut self, jobs: &Receiver<Job>) {
        loop {
            match jobs.recv_timeout(POLL) {
                Ok(first) => {
                    let mut batch = vec![first];
                    batch.extend(jobs.try_iter().take(BATCH - 1));
                    self.commit(batch);
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            if self.polled.elapsed() >= POLL {
                self.polled = Instant::now();
                if let Err(error) = self.look_outside() {
                    tracing::warn!("looking for other processes' commits failed: {}", error.chain());
                }
            }
        }
    }

    fn commit(&mut self, batch: Vec<Job>) {
        let (mutations, answers) = batch.into_iter().map(|job| (job.mutation, job.answer)).unzip();
        let mut outcomes = Vec::new();
        match self.transact(mutations, &mut outcomes) {
            Ok(effects) => {
                // Before the answers: who is told that its write is done must find no older copy.
                self.signals.announce(effects);
                acknowledge(answers, outcomes);
            }
            Err(error) => {
                if self.connection.in_transaction()
                    && let Err(error) = self.connection.control("ROLLBACK")
                {
                    tracing::error!("rolling back failed: {}", error.chain());
                }
                refuse(answers, outcomes, &error);
            }
        }
    }

    /// An error means that nothing stays.
    fn transact(&mut self, mutations: Vec<Mutation>, outcomes: &mut Vec<Result<()>>) -> Result<Effects> {
        self.begin()?;
        let mut effects = Effects::default();
        for mutation in mutations {
            let (outcome, its) = self.run(mutation)?;
            effects.merge(its);
            outcomes.push(outcome);
        }
        self.connection.control("COMMIT")?;
        Ok(effects)
    }

    fn begin(&self) -> Result<()> {
        let start = Instant::now();
        loop {
            match self.connection.control("BEGIN IMMEDIATE") {
                Err(Error::Unavailable(_)) if start.elapsed() < PATIENCE => {
                    std::thread::sleep(Duration::from_millis(20));
                }
                outcome => return outcome,
            }
        }
    }

    /// Runs one mutation in its savepoint. The outer error means that the transaction is lost.
    fn run(&mut self, mutation: Mutation) -> Result<(Result<()>, Effects)> {
        self.connection.control("SAVEPOINT mutation")?;
        let mut effects = Effects::default();
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            let mut txn = Transaction::new(&mut self.connection, &mut effects);
            to_the_end(mutation(&mut txn))
        }))
        .unwrap_or_else(|panic| Err(panicked(&*panic)));
        if !self.connection.in_transaction() {
            // A full disk makes SQLite roll everything back by itself.
            return Err(outcome.err().unwrap_or_else(|| Error::internal("the transaction ended early")));
        }
        if outcome.is_err() {
            self.connection.control("ROLLBACK TO mutation")?;
            effects = Effects::default();
        }
        self.connection.control("RELEASE mutation")?;
        Ok((outcome, effects))
    }

    fn look_outside(&mut self) -> Result<()> {
        let now = self.connection.data_version()?;
        if now != self.data_version {
            self.data_version = now;
            let last = self.connection.rows(&sql::LAST_CHANGE, &[], rows::int)?.pop().unwrap_or(0);
            self.signals.announce(Effects { directory: true, last_change: last });
        }
        Ok(())
    }
}

/// Runs a mutation to its end on this thread. What it asks of the transaction is answered at once;
/// should it wait for anything else, every other writer waits with it, hence the limit: what it
/// waits for may itself be waiting for a commit.
fn to_the_end(mutation: impl Future<Output = Result<()>>) -> Result<()> {
    let mut mutation = pin!(mutation);
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut context = Context::from_waker(&waker);
    let start = Instant::now();
    loop {
        if let Poll::Ready(outcome) = mutation.as_mut().poll(&mut context) {
            return outcome;
        }
        let Some(left) = WAITING.checked_sub(start.elapsed()) else {
            return Err(Error::internal("a mutation waits for something outside its transaction"));
        };
        std::thread::park_timeout(left);
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}
