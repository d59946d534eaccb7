//! The recording reverse proxy: what passes through is not altered, and a copy of it is kept.
//!
//! Each connection of a client has one of its own to the upstream, so that what a server ties to a
//! connection stays tied. Bodies are passed on as they come; of each at most `limit` bytes are kept,
//! of longer ones length and hash, and of forms the parts.
//!
//! The proxy's own: hop-by-hop headers, the framing of an answer that ended with its connection, the
//! `100 Continue` (sent when the upstream's side begins to take the body), the HTTP version towards
//! the upstream (1.1). Web sockets are passed through and not recorded; `CONNECT` is refused with 501.
//! A failure to reach the upstream is a 502 with a text; an upstream that breaks off, with or without
//! having begun an answer, breaks off towards the client too.
//!
//! Known gaps: header names are recorded in lower case (but passed on as they were written); targets
//! that are no URI are answered 400 here; HTTP/2 is not spoken; trailers are passed on, not recorded.

mod call;
mod connect;
mod copy;
mod forward;
mod scribe;
mod sent;
mod tap;
mod tunnel;
mod upstream;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use self::connect::Connector;
use self::forward::Client;
use self::scribe::Scribe;
pub use self::upstream::Upstream;
use crate::har::Writer;

/// Calls under way or not yet written; beyond that clients wait. Bounds the memory of all copies.
const CALLS_MAX: usize = 256;
/// What runs when the recorder is told to end may go on for so long.
const GRACE: Duration = Duration::from_secs(5);
/// Room for headers, in both directions: more than servers allow, so that theirs is the limit seen.
const HEADER_BYTES_MAX: usize = 1024 * 1024;
const HEADER_LINES_MAX: usize = 1000;

#[derive(Debug, Clone)]
pub struct Options {
    pub upstream: Upstream,
    pub listen: SocketAddr,
    /// Bytes of a body that are kept.
    pub limit: usize,
    /// Put names in place of secrets before anything is written.
    pub scrub: bool,
    /// Send the upstream's own name as `Host`, not what the client sent.
    pub upstream_host: bool,
    /// Trust the authorities of this PEM file, and no others.
    pub upstream_ca: Option<PathBuf>,
}

#[derive(Debug, thiserror::Error)]
pub enum ProxyError {
    #[error("cannot listen on {0}: {1}")]
    Listen(SocketAddr, std::io::Error),
    #[error("{0}")]
    Trust(String),
    #[error("the recording cannot be written: {0}")]
    Write(std::io::Error),
    #[error("the recording's writer ended without a result")]
    Writer,
}

/// What came out of it.
#[derive(Debug, Default)]
pub struct Recorded {
    pub calls: usize,
    /// Web sockets that were passed through.
    pub tunnels: usize,
    /// How many different secrets of each kind have a name now.
    pub secrets: Vec<(&'static str, usize)>,
}

pub struct Recorder {
    socket: TcpListener,
    address: SocketAddr,
    shared: Shared,
    scrub: bool,
}

/// What all connections know.
struct Shared {
    options: Options,
    address: SocketAddr,
    connector: Connector,
    room: Arc<Semaphore>,
    written: Arc<AtomicUsize>,
    tunnels: AtomicUsize,
}

impl Recorder {
    pub async fn bind(options: Options) -> Result<Self, ProxyError> {
        let connector =
            Connector::new(&options.upstream, options.upstream_ca.as_deref()).map_err(ProxyError::Trust)?;
        let failed = |error| ProxyError::Listen(options.listen, error);
        let socket = TcpListener::bind(options.listen).await.map_err(failed)?;
        let address = socket.local_addr().map_err(failed)?;
        let scrub = options.scrub;
        let shared = Shared {
            options,
            address,
            connector,
            room: Arc::new(Semaphore::new(CALLS_MAX)),
            written: Arc::default(),
            tunnels: AtomicUsize::new(0),
        };
        Ok(Self { socket, address, shared, scrub })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The number of calls written so far, for a display.
    pub fn counter(&self) -> Arc<AtomicUsize> {
        self.shared.written.clone()
    }

    /// Records until told to end, or until the file cannot be written.
    pub async fn run(
        self,
        writer: Writer,
        shutdown: impl Future<Output = ()>,
    ) -> Result<Recorded, ProxyError> {
        let shared = Arc::new(self.shared);
        let mut scribe = Scribe::start(writer, self.scrub, shared.written.clone());
        let (stop, stopped) = watch::channel(false);
        let mut connections = JoinSet::new();
        let mut shutdown = std::pin::pin!(shutdown);
        loop {
            tokio::select! {
                () = &mut shutdown => break,
                () = scribe.failed() => break,
                Some(_) = connections.join_next() => {}
                accepted = self.socket.accept() => match accepted {
                    Ok((socket, _)) => {
                        let client = Client::new(shared.clone(), scribe.sender(), stopped.clone());
                        connections.spawn(serve(socket, Arc::new(client), stopped.clone()));
                    }
                    Err(error) => {
                        // Out of descriptors, mostly: retrying at once would only burn the CPU.
                        tracing::warn!(%error, "cannot accept a connection");
                        tokio::time::sleep(Duration::from_millis(50)).await;
                    }
                },
            }
        }
        drop(self.socket);
        let _ = stop.send(true);
        let ended = async { while connections.join_next().await.is_some() {} };
        if tokio::time::timeout(GRACE, ended).await.is_err() {
            connections.shutdown().await;
        }
        let (calls, secrets) = scribe.finish().await?;
        Ok(Recorded { calls, tunnels: shared.tunnels.load(Ordering::Relaxed), secrets })
    }
}

async fn serve(socket: TcpStream, client: Arc<Client>, mut stopped: watch::Receiver<bool>) {
    // Small messages one after another: waiting for more to send would only delay them.
    let _ = socket.set_nodelay(true);
    let answer = service_fn(|request| {
        let client = client.clone();
        async move { client.serve(request).await }
    });
    let connection = http1::Builder::new()
        .preserve_header_case(true)
        .auto_date_header(false)
        .max_headers(HEADER_LINES_MAX)
        .max_buf_size(HEADER_BYTES_MAX)
        .serve_connection(TokioIo::new(socket), answer)
        .with_upgrades();
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = told(&mut stopped) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "connection ended");
    }
}

/// Comes back when the recorder is told to end, or is gone.
async fn told(stopped: &mut watch::Receiver<bool>) {
    let _ = stopped.wait_for(|stopped| *stopped).await;
}

#[cfg(test)]
mod tests;
