//! Where requests go, and the way there.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use cellgate_record::tls_client;
use http::Uri;
use hyper::client::conn::http1::{Builder, SendRequest};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::{Outgoing, chain};

const PATIENCE: Duration = Duration::from_secs(10);

/// `https://files.example.com:8443`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    secure: bool,
    host: String,
    port: u16,
    authority: String,
}

impl Origin {
    /// Reads the URL of a server. A path is refused: recorded paths are sent as they are.
    pub fn parse(url: &str) -> Result<Self, String> {
        let wrong = |why: &str| format!("`{url}`: {why}, as in `https://files.example.com`");
        let uri: Uri = url.parse().map_err(|_| wrong("expected the URL of a server"))?;
        let secure = match uri.scheme_str() {
            Some("http") => false,
            Some("https") => true,
            _ => return Err(wrong("expected `http://` or `https://`")),
        };
        let authority = uri.authority().ok_or_else(|| wrong("expected the URL of a server"))?;
        if authority.as_str().contains('@') {
            return Err("the URL of the server holds a user name; say it with `--user`".into());
        }
        if !matches!(uri.path(), "" | "/") || uri.query().is_some() {
            return Err(wrong("expected a server without a path"));
        }
        Ok(Self {
            secure,
            host: authority.host().to_owned(),
            port: authority.port_u16().unwrap_or(if secure { 443 } else { 80 }),
            authority: authority.as_str().to_owned(),
        })
    }

    /// What `Host` says.
    pub fn authority(&self) -> &str {
        &self.authority
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", if self.secure { "https" } else { "http" }, self.authority)
    }
}

/// Whose certificates are trusted.
#[derive(Debug, Clone, Default)]
pub enum Authorities {
    /// Those that the system trusts.
    #[default]
    System,
    /// Those of a PEM file, and no others.
    File(PathBuf),
}

pub(super) struct Connector {
    tls: Option<(TlsConnector, ServerName<'static>)>,
}

impl Connector {
    pub(super) fn new(origin: &Origin, authorities: &Authorities) -> Result<Self, String> {
        // Also without TLS: a file that cannot be read is better told than ignored.
        let config = match authorities {
            Authorities::System => None,
            Authorities::File(path) => Some(tls_client(Some(path))?),
        };
        if !origin.secure {
            return Ok(Self { tls: None });
        }
        let config = config.map_or_else(|| tls_client(None), Ok)?;
        // Without the brackets of an IPv6 address.
        let name = origin.host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let name = ServerName::try_from(name).map_err(|_| format!("`{}` is no host name", origin.host))?;
        Ok(Self { tls: Some((TlsConnector::from(config), name)) })
    }

    pub(super) async fn connect(&self, origin: &Origin) -> Result<SendRequest<Outgoing>, String> {
        let late = |_| format!("no connection after {} s", PATIENCE.as_secs());
        let host = origin.host.trim_start_matches('[').trim_end_matches(']');
        let tcp = timeout(PATIENCE, TcpStream::connect((host, origin.port)))
            .await
            .map_err(late)?
            .map_err(|error| error.to_string())?;
        // Small calls one after another: waiting for more to send would only delay them.
        let _ = tcp.set_nodelay(true);
        match &self.tls {
            None => speak(tcp).await,
            Some((tls, name)) => {
                let stream = timeout(PATIENCE, tls.connect(name.clone(), tcp))
                    .await
                    .map_err(late)?
                    .map_err(|error| chain(&error))?;
                speak(stream).await
            }
        }
    }
}

async fn speak<S>(stream: S) -> Result<SendRequest<Outgoing>, String>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (sender, connection) = Builder::new()
        .title_case_headers(true)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(|error| chain(&error))?;
    // Ends with the sender; what goes wrong is told by the request that is under way.
    tokio::spawn(connection);
    Ok(sender)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_a_url_without_a_path() {
        for (url, authority, port) in [
            ("http://127.0.0.1:8080", "127.0.0.1:8080", 8080),
            ("https://files.example.com/", "files.example.com", 443),
            ("http://[::1]:81", "[::1]:81", 81),
        ] {
            let origin = Origin::parse(url).unwrap();
            assert_eq!((origin.authority(), origin.port), (authority, port), "{url}");
            assert_eq!(origin.to_string(), url.trim_end_matches('/'));
        }
        for url in ["", "files.example.com", "ftp://a", "http://", "http://a/b", "http://a?b", "http://u:p@a"]
        {
            assert!(Origin::parse(url).is_err(), "{url}");
        }
    }

    #[test]
    fn a_refused_url_is_not_repeated_with_its_password() {
        assert!(!Origin::parse("http://alice:s3cret@a").unwrap_err().contains("s3cret"));
    }
}
