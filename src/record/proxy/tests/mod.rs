//! Byte for byte against an upstream within the test, which answers what it is told.

mod answers;
mod failures;
mod kept;
mod passing;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::*;
use crate::exchange::{Exchange, Payload};
use crate::har::{Limits, Recording};

/// A recorder in front of something, and where it writes.
struct Recorded {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    running: JoinHandle<Result<super::Recorded, ProxyError>>,
    folder: tempfile::TempDir,
}

fn options(upstream: &str) -> Options {
    Options {
        upstream: upstream.parse().unwrap(),
        listen: "127.0.0.1:0".parse().unwrap(),
        limit: 1000,
        scrub: false,
        upstream_host: false,
        upstream_ca: None,
    }
}

async fn record(options: Options) -> Recorded {
    let folder = tempfile::tempdir().unwrap();
    let writer = Writer::create_new(folder.path().join("x.har"), None).unwrap();
    let recorder = Recorder::bind(options).await.unwrap();
    let address = recorder.address();
    let (stop, stopped) = oneshot::channel();
    let running = tokio::spawn(recorder.run(writer, async {
        let _ = stopped.await;
    }));
    Recorded { address, stop, running, folder }
}

async fn record_of(upstream: SocketAddr) -> Recorded {
    record(options(&format!("http://{upstream}"))).await
}

impl Recorded {
    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Sends bytes on a connection of their own and reads all that comes until it is closed.
    async fn raw(&self, request: &[u8]) -> String {
        let mut socket = self.connect().await;
        socket.write_all(request).await.unwrap();
        until_closed(&mut socket).await
    }

    async fn ended(self) -> (super::Recorded, Vec<Exchange>) {
        let _ = self.stop.send(());
        let summary = timeout(Duration::from_secs(20), self.running).await.unwrap().unwrap().unwrap();
        let recording = Recording::read(self.folder.path().join("x.har"), &Limits::default()).unwrap();
        (summary, recording.exchanges)
    }

    async fn exchanges(self) -> Vec<Exchange> {
        self.ended().await.1
    }
}

async fn until_closed(socket: &mut TcpStream) -> String {
    let mut all = Vec::new();
    let _ = timeout(Duration::from_secs(10), socket.read_to_end(&mut all)).await.unwrap();
    String::from_utf8_lossy(&all).into_owned()
}

/// Reads until a text has come.
async fn until(socket: &mut TcpStream, text: &str) -> String {
    let mut all = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let count = timeout(Duration::from_secs(10), socket.read(&mut buffer)).await.unwrap().unwrap();
        assert!(count > 0, "closed after {}", String::from_utf8_lossy(&all));
        all.extend_from_slice(&buffer[..count]);
        let shown = String::from_utf8_lossy(&all);
        if shown.contains(text) {
            return shown.into_owned();
        }
    }
}

/// An upstream that answers each request on a connection with what `answer` makes of its head, and
/// closes when there is nothing more to say.
async fn upstream(
    answer: impl Fn(&str) -> Option<Vec<u8>> + Send + Sync + 'static,
) -> (SocketAddr, mpsc::UnboundedReceiver<String>) {
    let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    let (seen, requests) = mpsc::unbounded_channel();
    let answer = Arc::new(answer);
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = socket.accept().await {
            let (answer, seen) = (answer.clone(), seen.clone());
            tokio::spawn(async move {
                while let Some(request) = request(&mut socket).await {
                    let said = answer(&request);
                    let _ = seen.send(request);
                    let Some(said) = said else { return };
                    if socket.write_all(&said).await.is_err() {
                        return;
                    }
                }
            });
        }
    });
    (address, requests)
}

/// Head and body of a request as they came, chunks included.
async fn request(socket: &mut TcpStream) -> Option<String> {
    let mut all = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&all).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let head = head.to_ascii_lowercase();
            let length = head
                .split("content-length: ")
                .nth(1)
                .and_then(|rest| rest.split("\r\n").next()?.parse().ok());
            let whole = match length {
                Some(length) => body.len() >= length,
                None if head.contains("transfer-encoding: chunked") => body.ends_with("\r\n\r\n"),
                None => true,
            };
            if whole {
                return Some(text);
            }
        }
        let mut buffer = [0; 4096];
        match socket.read(&mut buffer).await {
            Ok(count) if count > 0 => all.extend_from_slice(&buffer[..count]),
            _ => return None,
        }
    }
}

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

fn ok(_: &str) -> Option<Vec<u8>> {
    Some(OK.into())
}

fn bytes(text: &str) -> Payload {
    Payload::Bytes(bytes::Bytes::copy_from_slice(text.as_bytes()))
}
