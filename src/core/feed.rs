//! Buffers on their way to a thread that works beside a transfer.
//!
//! The queue is short by bytes, not by number: what a connection hands over is between a few and some
//! hundred thousand bytes long, and a transfer is to hold little memory whatever its client sends.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

/// What may wait, or be worked on.
const ROOM_BYTES: u32 = 384 * 1024;

pub struct Feed<T> {
    queue: mpsc::UnboundedSender<(T, OwnedSemaphorePermit)>,
    room: Arc<Semaphore>,
}

pub struct Fed<T> {
    queue: mpsc::UnboundedReceiver<(T, OwnedSemaphorePermit)>,
    /// Of the item that is being worked on.
    held: Option<OwnedSemaphorePermit>,
}

/// The other side has ended.
#[derive(Debug)]
pub struct Ended;

pub fn feed<T>() -> (Feed<T>, Fed<T>) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let room = Arc::new(Semaphore::new(ROOM_BYTES as usize));
    (Feed { queue: sender, room }, Fed { queue: receiver, held: None })
}

impl<T> Feed<T> {
    /// Waits until there is room for an item that holds so many bytes.
    pub async fn send(&self, item: T, bytes: usize) -> Result<(), Ended> {
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX).clamp(1, ROOM_BYTES);
        let room = Arc::clone(&self.room).acquire_many_owned(bytes).await.map_err(|_| Ended)?;
        self.queue.send((item, room)).map_err(|_| Ended)
    }
}

impl<T> Fed<T> {
    /// The next item, on a thread that may wait; `None` after the last one.
    pub fn take(&mut self) -> Option<T> {
        // Only now is the one before done with.
        self.held = None;
        let (item, room) = self.queue.blocking_recv()?;
        self.held = Some(room);
        Some(item)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn what_waits_is_bounded_in_bytes() {
        let (feed, mut fed) = feed();
        let half = ROOM_BYTES as usize / 2;
        feed.send(1, half).await.unwrap();
        feed.send(2, half).await.unwrap();
        let full = tokio::time::timeout(Duration::from_millis(20), feed.send(3, 1));
        assert!(full.await.is_err());
        let eater = std::thread::spawn(move || {
            // The first is done with when the second is asked for.
            assert_eq!((fed.take(), fed.take()), (Some(1), Some(2)));
            fed
        });
        feed.send(3, half).await.unwrap();
        let mut fed = eater.join().unwrap();
        drop(feed);
        std::thread::spawn(move || assert_eq!((fed.take(), fed.take()), (Some(3), None))).join().unwrap();
    }

    #[tokio::test]
    async fn an_item_larger_than_the_room_goes_alone() {
        let (feed, fed) = feed();
        feed.send((), usize::MAX).await.unwrap();
        drop(fed);
        // Whoever waits for room is told.
        assert!(feed.send((), 1).await.is_err());
    }
}
