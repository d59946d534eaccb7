//! Small exchanges and servers for unit tests.

use std::sync::{Arc, Mutex};

use cellgate_record::{Answered, Exchange, Payload, Sent};
use time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

pub fn sent(method: &str, target: &str, headers: &[(&str, &str)]) -> Sent {
    Sent {
        method: method.into(),
        origin: "http://old.example.com".into(),
        target: target.into(),
        headers: headers.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect(),
        body: Payload::EMPTY,
    }
}

pub fn sent_with(method: &str, target: &str, mime: &str, body: &str) -> Sent {
    let mut sent = sent(method, target, &[("Content-Type", mime)]);
    sent.body = Payload::Bytes(body.to_owned().into());
    sent
}

pub fn answered(status: u16, body: &str) -> Answered {
    Answered { status, headers: Vec::new(), body: Payload::Bytes(body.to_owned().into()) }
}

pub fn exchange(number: usize, request: Sent, response: Answered) -> Exchange {
    let started = time::macros::datetime!(2026-01-01 12:00:00 UTC) + Duration::seconds(number as i64);
    Exchange { number, started, took: std::time::Duration::from_millis(1), request, response, comment: None }
}

/// What a test server was sent.
#[derive(Debug, Clone)]
pub struct Seen {
    pub method: String,
    pub target: String,
    headers: Vec<(String, String)>,
    pub body: String,
}

impl Seen {
    pub fn header(&self, name: &str) -> &str {
        let known = self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        known.map_or("", |(_, value)| value.as_str())
    }
}

/// A server on this machine, and what it saw so far.
pub struct Server {
    pub url: String,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Server {
    /// Answers with what the function says: status, headers, body.
    pub async fn start(answer: impl Fn(&Seen) -> (u16, String, String) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let log = seen.clone();
        tokio::spawn(async move {
            // One connection after another: the client has one at a time.
            while let Ok((mut stream, _)) = listener.accept().await {
                while let Some(request) = read(&mut stream).await {
                    let (status, headers, body) = answer(&request);
                    log.lock().unwrap().push(request);
                    let length = body.len();
                    let head = format!("HTTP/1.1 {status} X\r\nContent-Length: {length}\r\n{headers}\r\n");
                    stream.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
                }
            }
        });
        Self { url, seen }
    }

    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }
}

/// A request with a length or without a body.
async fn read(stream: &mut TcpStream) -> Option<Seen> {
    let mut bytes = Vec::new();
    loop {
        let mut piece = [0; 4096];
        let count = stream.read(&mut piece).await.ok()?;
        bytes.extend_from_slice(&piece[..count]);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let mut lines = head.lines();
            let mut words = lines.next()?.split(' ');
            let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
            let header = |line: &str| line.split_once(": ").map(|(a, b)| (a.to_owned(), b.to_owned()));
            let headers = lines.filter_map(header).collect();
            let seen = Seen { method, target, headers, body: body.to_owned() };
            if body.len() >= seen.header("content-length").parse().unwrap_or(0) {
                return Some(seen);
            }
        }
        if count == 0 {
            return None;
        }
    }
}
