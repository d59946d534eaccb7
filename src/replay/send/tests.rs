//! Against a server on this machine that writes down, byte by byte, what it is sent.

use std::sync::{Arc, Mutex};

use cellgate_record::Payload;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::*;

/// Answers each request on a connection with the next of `answers`, then closes it.
struct Server {
    origin: Origin,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// An inner list is a connection.
    async fn start(connections: Vec<Vec<&'static [u8]>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = Origin::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let log = seen.clone();
        tokio::spawn(async move {
            for answers in connections {
                let (mut stream, _) = listener.accept().await.unwrap();
                for answer in answers {
                    let request = read(&mut stream).await;
                    log.lock().unwrap().push(request);
                    stream.write_all(answer).await.unwrap();
                }
            }
        });
        Self { origin, seen }
    }

    fn client(&self) -> Client {
        Client::new(self.origin.clone(), &Authorities::System).unwrap()
    }

    fn request(&self, method: &str, target: &str) -> Request {
        Request {
            method: method.into(),
            target: target.into(),
            headers: vec![("Host".into(), self.origin.authority().into())],
            body: Body::EMPTY,
            framing: Framing::None,
        }
    }
}

/// The head, and the body if it has a length.
async fn read(stream: &mut tokio::net::TcpStream) -> String {
    let mut seen = Vec::new();
    loop {
        let mut piece = [0; 4096];
        let count = stream.read(&mut piece).await.unwrap();
        seen.extend_from_slice(&piece[..count]);
        let text = String::from_utf8_lossy(&seen).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: "));
            let length: usize = length.map_or(0, |length| length.parse().unwrap());
            let ended = !head.contains("chunked") || body.ends_with("0\r\n\r\n");
            if body.len() >= length && ended {
                return text;
            }
        }
        if count == 0 {
            return String::from_utf8_lossy(&seen).into_owned();
        }
    }
}

const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

#[tokio::test]
async fn targets_go_out_as_they_are() {
    let targets =
        ["/dav//a/../b", "/io/a%2fb%2Fc;x=1?y=%zz&z", "/a/\"{b}\"|c", "/?", "*", "/io/a+b~c", "/é?ü"];
    let server = Server::start(vec![vec![OK; targets.len()]]).await;
    let mut client = server.client();
    for target in targets {
        client.send(&server.request("OPTIONS", target), 100).await.unwrap();
    }
    let seen = server.seen.lock().unwrap().clone();
    for (seen, target) in seen.iter().zip(targets) {
        assert!(seen.starts_with(&format!("OPTIONS {target} HTTP/1.1\r\n")), "{target}: {seen}");
    }
}

#[tokio::test]
async fn what_cannot_be_sent_unchanged_is_not_sent() {
    let server = Server::start(vec![vec![]]).await;
    let mut client = server.client();
    for target in ["/a b", "/a#b", "a", ""] {
        let sent = client.send(&server.request("GET", target), 100).await;
        assert!(matches!(sent, Err(SendError::Unsendable(_))), "{target}");
    }
    assert!(server.seen.lock().unwrap().is_empty());
}

#[tokio::test]
async fn bodies_are_framed_as_told() {
    let server = Server::start(vec![vec![OK; 3]]).await;
    let mut client = server.client();
    for framing in [Framing::Length, Framing::Chunked, Framing::None] {
        let mut request = server.request("PUT", "/a");
        request.framing = framing;
        if framing != Framing::None {
            request.body = Body::Plain(Content::Bytes("hello".into()));
        }
        client.send(&request, 100).await.unwrap();
    }
    let seen = server.seen.lock().unwrap().clone();
    assert!(seen[0].contains("Content-Length: 5\r\n") && seen[0].ends_with("\r\n\r\nhello"), "{}", seen[0]);
    assert!(seen[1].contains("Transfer-Encoding: chunked\r\n"), "{}", seen[1]);
    assert!(seen[1].ends_with("\r\n\r\n5\r\nhello\r\n0\r\n\r\n"), "{}", seen[1]);
    assert!(!seen[2].contains("chunked"), "{}", seen[2]);
}

#[tokio::test]
async fn a_closed_connection_is_opened_again() {
    let closing = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    let server = Server::start(vec![vec![OK], vec![closing], vec![OK]]).await;
    let mut client = server.client();
    for _ in 0..3 {
        let answer = client.send(&server.request("GET", "/"), 100).await.unwrap();
        assert_eq!(answer.status, 200);
    }
}

#[tokio::test]
async fn an_answer_is_kept_up_to_a_limit_and_hashed_beyond() {
    let server = Server::start(vec![vec![OK, OK]]).await;
    let mut client = server.client();
    let kept = client.send(&server.request("GET", "/"), 2).await.unwrap();
    assert_eq!(kept.body, Payload::Bytes("ok".into()));
    let hashed = client.send(&server.request("GET", "/"), 1).await.unwrap();
    // printf ok | sha256sum
    let sha256 = Some("2689367b205c16ce32ed4200942b8b8b1e262dfc70d9bc9fbc77c49699a4f1df".to_owned());
    assert_eq!(hashed.body, Payload::Omitted { length: 2, sha256 });
}

#[tokio::test]
async fn codings_are_undone_and_pretended_ones_left() {
    // printf hello | gzip -n; the same by zlib.
    const GZIP: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 25\r\n\r\n\
        \x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\xcb\x48\xcd\xc9\xc9\x07\x00\x86\xa6\x10\x36\x05\x00\x00\x00";
    const ZLIB: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Encoding: deflate\r\nContent-Length: 13\r\n\r\n\
        \x78\x9c\xcb\x48\xcd\xc9\xc9\x07\x00\x06\x2c\x02\x15";
    const PRETENDED: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 5\r\n\r\nhello";
    let server = Server::start(vec![vec![GZIP, ZLIB, PRETENDED]]).await;
    let mut client = server.client();
    for name in ["gzip", "deflate", "pretended"] {
        let answer = client.send(&server.request("GET", "/"), 100).await.unwrap();
        assert_eq!(answer.body, Payload::Bytes("hello".into()), "{name}");
        assert!(answer.header("content-encoding").is_some());
    }
}

#[tokio::test]
async fn failures_are_told_apart() {
    let short = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort";
    let server = Server::start(vec![vec![short], vec![b"nonsense\r\n\r\n"]]).await;
    let mut client = server.client();
    let broken = client.send(&server.request("GET", "/"), 100).await.unwrap_err();
    assert!(matches!(broken, SendError::BrokenAnswer(_)), "{broken}");
    let nonsense = client.send(&server.request("GET", "/"), 100).await.unwrap_err();
    assert!(matches!(nonsense, SendError::NoAnswer(_)), "{nonsense}");

    // A port that was free a moment ago.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = Origin::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    drop(listener);
    let refused = Client::new(origin, &Authorities::System).unwrap().greet().await.unwrap_err();
    assert!(refused.to_string().starts_with("cannot connect to http://127.0.0.1:"), "{refused}");
}
