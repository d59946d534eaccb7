//! Making names durable, one `fsync` for all that wait.
//!
//! The `fdatasync` of a new file keeps its bytes; that its *name* survives a power cut as well,
//! POSIX promises only after an `fsync` of the directory. Doing that per file halves the rate of
//! small writes, so concurrent writers share it: one leads, the others wait for a run that began
//! after they came.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use rustix::fs;
use rustix::io::{Errno, retry_on_intr};

/// A directory and the runs of its `fsync`.
#[derive(Debug)]
pub struct SyncedDir {
    dir: OwnedFd,
    runs: Mutex<Runs>,
    ended: Condvar,
}

#[derive(Debug, Default)]
struct Runs {
    /// Number of the next run; who comes now is covered by it.
    next: u64,
    /// Runs below this one have ended.
    ended: u64,
    /// Runs below this one may have failed. A later success says nothing about earlier names, the
    /// kernel reports a lost write once; late wakers of an earlier good run err on the safe side.
    failed: u64,
    running: bool,
}

impl SyncedDir {
    pub fn new(dir: OwnedFd) -> Self {
        Self { dir, runs: Mutex::default(), ended: Condvar::new() }
    }

    /// Blocks until every name made in the directory before this call is durable.
    pub fn sync(&self) -> Result<(), Errno> {
        let mut runs = self.lock();
        let mine = runs.next;
        while runs.ended <= mine {
            if runs.running {
                runs = self.ended.wait(runs).unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            runs.running = true;
            let run = runs.next;
            runs.next += 1;
            drop(runs);
            let outcome = retry_on_intr(|| fs::fsync(&self.dir));
            runs = self.lock();
            runs.running = false;
            runs.ended = run + 1;
            if let Err(errno) = outcome {
                runs.failed = run + 1;
                tracing::error!("fsync of a staging folder failed: {errno}");
            }
            self.ended.notify_all();
        }
        if mine < runs.failed { Err(Errno::IO) } else { Ok(()) }
    }

    fn lock(&self) -> MutexGuard<'_, Runs> {
        self.runs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl AsFd for SyncedDir {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.dir.as_fd()
    }
}

/// Makes a file's bytes, and what is needed to read them back, durable.
pub fn sync_data(file: impl AsFd) -> Result<(), Errno> {
    retry_on_intr(|| fs::fdatasync(file.as_fd()))
}

/// Makes a directory's names, or a file's attributes, durable.
pub fn sync_all(file: impl AsFd) -> Result<(), Errno> {
    retry_on_intr(|| fs::fsync(file.as_fd()))
}
