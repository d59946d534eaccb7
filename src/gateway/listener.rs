//! The listener: one TCP port for HTTP/1.1, h2 and h2c, with or without TLS.
//!
//! An accept loop of our own, because the limits that keep a public port alive (a time for the first
//! request, a time for headers, 64 KiB of them, a number of connections) have no other place.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use crate::config::Config;
use crate::request::Service;
use crate::wire::{Announced, Wire};

/// Headers of one request, all together.
pub const HEADERS_MAX_BYTES: u32 = 64 * 1024;
/// A line of headers more than clients send, fewer than would cost us.
const HEADER_LINES_MAX: usize = 200;

pub struct Listener {
    socket: TcpListener,
    tls: Option<TlsAcceptor>,
    builder: Builder<TokioExecutor>,
    first_request: Duration,
    shutdown: Duration,
    connections: Arc<Semaphore>,
}

impl Listener {
    pub async fn bind(config: &Config, tls: Option<TlsAcceptor>) -> std::io::Result<Self> {
        let mut builder = Builder::new(TokioExecutor::new());
        builder
            .http1()
            .timer(TokioTimer::new())
            .header_read_timeout(Duration::from_secs(config.header_timeout_s))
            .max_headers(HEADER_LINES_MAX)
            // Names stay in lower case: boto3 takes the keys of `x-amz-meta-*` as they come.
            .title_case_headers(false)
            // Bodies go to the socket as they are; `wire` relies on it.
            .writev(true)
            .max_buf_size(256 * 1024);
        builder
            .http2()
            .timer(TokioTimer::new())
            .keep_alive_interval(Some(Duration::from_secs(20)))
            .max_concurrent_streams(200)
            .initial_stream_window_size(1024 * 1024)
            .initial_connection_window_size(4 * 1024 * 1024)
            .max_header_list_size(HEADERS_MAX_BYTES);
        Ok(Self {
            socket: TcpListener::bind(config.listen).await?,
            tls,
            builder,
            first_request: Duration::from_secs(config.first_request_timeout_s),
            shutdown: Duration::from_secs(config.shutdown_timeout_s),
            connections: Arc::new(Semaphore::new(config.max_connections)),
        })
    }

    pub fn address(&self) -> std::io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// Serves until told to stop, then lets running transfers finish.
    pub async fn run(self, service: Service, mut stop: watch::Receiver<bool>) {
        let graceful = GracefulShutdown::new();
        loop {
            // Taken before accepting: beyond the limit callers wait in the kernel's queue.
            let permit = tokio::select! {
                permit = self.connections.clone().acquire_owned() => permit,
                _ = stop.wait_for(|stop| *stop) => break,
            };
            let Ok(permit) = permit else { break };
            let accepted = tokio::select! {
                accepted = self.socket.accept() => accepted,
                _ = stop.wait_for(|stop| *stop) => break,
            };
            let (socket, peer) = match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    // Out of descriptors, mostly: retrying at once would only burn the CPU.
                    tracing::warn!(%error, "cannot accept a connection");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
            };
            // Without it every streamed answer waits for a delayed acknowledgement.
            let _ = socket.set_nodelay(true);
            let connection = Connection {
                builder: self.builder.clone(),
                service: service.clone(),
                first_request: self.first_request,
                watcher: graceful.watcher(),
                peer,
            };
            let tls = self.tls.clone();
            metrics::gauge!("cellgate_connections").increment(1.0);
            tokio::spawn(async move {
                match tls {
                    None => connection.serve_plain(socket).await,
                    Some(acceptor) => connection.serve_tls(acceptor, socket).await,
                }
                metrics::gauge!("cellgate_connections").decrement(1.0);
                drop(permit);
            });
        }
        drop(self.socket);
        tokio::select! {
            () = graceful.shutdown() => {}
            () = tokio::time::sleep(self.shutdown) => {
                tracing::warn!("some transfers were still running and are cut off");
            }
        }
    }
}

struct Connection {
    builder: Builder<TokioExecutor>,
    service: Service,
    first_request: Duration,
    watcher: hyper_util::server::graceful::Watcher,
    peer: SocketAddr,
}

impl Connection {
    async fn serve_tls(self, acceptor: TlsAcceptor, socket: TcpStream) {
        match timeout(Duration::from_secs(10), acceptor.accept(socket)).await {
            Ok(Ok(stream)) => self.serve(stream, None).await,
            Ok(Err(error)) => tracing::debug!(peer = %self.peer, %error, "TLS handshake failed"),
            Err(_) => tracing::debug!(peer = %self.peer, "TLS handshake timed out"),
        }
    }

    async fn serve_plain(self, socket: TcpStream) {
        let (wire, announced) = Wire::new(socket);
        self.serve(wire, Some(announced)).await;
    }

    /// `announced` is that of a plain connection.
    async fn serve(
        self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        announced: Option<Announced>,
    ) {
        let started = Arc::new(AtomicBool::new(false));
        let (seen, service, peer) = (started.clone(), self.service, self.peer);
        let answer = service_fn(move |request: http::Request<Incoming>| {
            seen.store(true, Ordering::Relaxed);
            let (service, announced) = (service.clone(), announced.clone());
            // Boxed: hyper keeps room for this future as long as the connection lives, also idle.
            Box::pin(async move {
                Ok::<_, std::convert::Infallible>(service.serve(request, peer, announced).await)
            })
        });
        let connection =
            self.builder.serve_connection_with_upgrades(TokioIo::new(stream), answer).into_owned();
        let mut connection = Box::pin(self.watcher.watch(connection));
        // The protocol detection has no timer of its own: who asks nothing in time is dropped.
        let ended = match timeout(self.first_request, connection.as_mut()).await {
            Ok(ended) => ended,
            Err(_) if started.load(Ordering::Relaxed) => connection.await,
            Err(_) => return,
        };
        if let Err(error) = ended {
            tracing::debug!(peer = %self.peer, error, "connection ended");
        }
    }
}
