//! Connections to the upstream.

use std::path::Path;
use std::time::Duration;

use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::tap::RequestBody;
use super::upstream::Upstream;
use super::{HEADER_BYTES_MAX, HEADER_LINES_MAX};
use crate::tls::tls_client;

const PATIENCE: Duration = Duration::from_secs(30);

pub type Sender = SendRequest<RequestBody>;

pub struct Connector {
    tls: Option<(TlsConnector, ServerName<'static>)>,
}

impl Connector {
    pub fn new(upstream: &Upstream, authorities: Option<&Path>) -> Result<Self, String> {
        // Also without TLS: a file that cannot be read is better told than ignored.
        let config = authorities.map(|path| tls_client(Some(path))).transpose()?;
        if !upstream.secure {
            return Ok(Self { tls: None });
        }
        let config = config.map_or_else(|| tls_client(None), Ok)?;
        let name = ServerName::try_from(upstream.host.clone());
        let name = name.map_err(|_| format!("`{}` is no name of a host", upstream.host))?;
        Ok(Self { tls: Some((TlsConnector::from(config), name)) })
    }

    pub async fn connect(&self, upstream: &Upstream) -> Result<Sender, String> {
        timeout(PATIENCE, self.connect_patiently(upstream))
            .await
            .map_err(|_| format!("no connection after {} seconds", PATIENCE.as_secs()))?
    }

    async fn connect_patiently(&self, upstream: &Upstream) -> Result<Sender, String> {
        let socket = TcpStream::connect((upstream.host.as_str(), upstream.port));
        let socket = socket.await.map_err(|error| error.to_string())?;
        let _ = socket.set_nodelay(true);
        match &self.tls {
            None => speak(socket).await,
            Some((tls, name)) => {
                let stream = tls.connect(name.clone(), socket).await;
                speak(stream.map_err(|error| format!("TLS: {error}"))?).await
            }
        }
    }
}

async fn speak(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) -> Result<Sender, String> {
    let (sender, connection) = http1::Builder::new()
        .preserve_header_case(true)
        .max_headers(HEADER_LINES_MAX)
        .max_buf_size(HEADER_BYTES_MAX)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(|error| error.to_string())?;
    // Ends when the sender is dropped, or with the upstream.
    tokio::spawn(async move {
        if let Err(error) = connection.with_upgrades().await {
            tracing::debug!(%error, "connection to the upstream ended");
        }
    });
    Ok(sender)
}
