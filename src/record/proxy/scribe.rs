//! The thread that scrubs and writes: a disk may be slow, and scrubbing takes time.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::JoinHandle;

use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use tokio::sync::{OwnedSemaphorePermit, oneshot};

use super::ProxyError;
use crate::exchange::Exchange;
use crate::har::Writer;
use crate::scrub::Scrubber;

/// Bounded by the permits within.
type Queue = UnboundedSender<(Exchange, OwnedSemaphorePermit)>;
type Done = Result<(usize, Vec<(&'static str, usize)>), std::io::Error>;

/// Where a call is written to.
#[derive(Clone)]
pub struct Page(Queue);

impl Page {
    pub fn write(&self, exchange: Exchange, room: OwnedSemaphorePermit) {
        // Fails when the file could not be written; whoever waits for the scribe knows by then.
        let _ = self.0.send((exchange, room));
    }
}

pub struct Scribe {
    queue: Queue,
    thread: JoinHandle<Done>,
    failed: oneshot::Receiver<()>,
}

impl Scribe {
    pub fn start(writer: Writer, scrub: bool, written: Arc<AtomicUsize>) -> Self {
        let (queue, received) = mpsc::unbounded_channel();
        let (fail, failed) = oneshot::channel();
        let thread = std::thread::spawn(move || {
            let done = write(writer, scrub, &written, received);
            if done.is_err() {
                let _ = fail.send(());
            }
            done
        });
        Self { queue, thread, failed }
    }

    pub fn sender(&self) -> Page {
        Page(self.queue.clone())
    }

    /// Comes back when the file can no longer be written.
    pub async fn failed(&mut self) {
        if (&mut self.failed).await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// Writes what is waiting. All pages have to be gone by now, as their connections are.
    pub async fn finish(self) -> Result<(usize, Vec<(&'static str, usize)>), ProxyError> {
        drop(self.queue);
        let thread = self.thread;
        let joined = tokio::task::spawn_blocking(move || thread.join()).await;
        let Ok(Ok(done)) = joined else { return Err(ProxyError::Writer) };
        done.map_err(ProxyError::Write)
    }
}

fn write(
    mut writer: Writer,
    scrub: bool,
    written: &AtomicUsize,
    mut queue: UnboundedReceiver<(Exchange, OwnedSemaphorePermit)>,
) -> Done {
    let mut scrubber = Scrubber::new();
    while let Some((mut exchange, room)) = queue.blocking_recv() {
        if scrub {
            scrubber.scrub(&mut exchange);
        }
        writer.append(&exchange)?;
        written.store(writer.written(), Ordering::Relaxed);
        drop(room);
    }
    Ok((writer.written(), scrubber.counts().collect()))
}
