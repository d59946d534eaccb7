//! Nothing is altered on the way back.

use std::io::Write as _;

use super::*;

const CLOSE: &str = "Host: h\r\nConnection: close\r\n\r\n";

/// What a client gets for an answer of the upstream, and what is recorded.
async fn through(request: &str, answer: &[u8]) -> (String, Exchange) {
    let answer = answer.to_vec();
    let (address, _requests) = upstream(move |_| Some(answer.clone())).await;
    let recorded = record_of(address).await;
    let came = recorded.raw(format!("{request} HTTP/1.1\r\n{CLOSE}").as_bytes()).await;
    (came, recorded.exchanges().await.remove(0))
}

/// The head without `connection`, which is each connection's own, its lines sorted.
fn head(answer: &str) -> Vec<&str> {
    let head = answer.split("\r\n\r\n").next().unwrap();
    let mut lines: Vec<&str> = head.split("\r\n").collect();
    lines.retain(|line| !line.to_ascii_lowercase().starts_with("connection:"));
    lines[1..].sort();
    lines
}

#[tokio::test]
async fn status_and_headers_come_as_they_were_said() {
    let answer = "HTTP/1.1 207 Multi-Status\r\nServer: Apache\r\nX-Two: 1\r\nSet-Cookie: a=1; Path=/\r\n\
        Set-Cookie: b=2\r\nETag: \"x\"\r\nContent-Length: 4\r\n\r\n<a/>";
    let (came, call) = through("PROPFIND /", answer.as_bytes()).await;
    assert_eq!(head(&came), head(answer));
    assert!(came.find("a=1") < came.find("b=2") && came.ends_with("\r\n\r\n<a/>"), "{came}");
    assert_eq!((call.response.status, &call.response.body), (207, &bytes("<a/>")));
    let cookies: Vec<_> = call.response.headers.iter().filter(|(name, _)| name == "set-cookie").collect();
    assert_eq!(cookies.len(), 2);
}

#[tokio::test]
async fn answers_without_a_body_keep_their_length() {
    for (request, answer, status) in [
        ("HEAD /", "HTTP/1.1 200 OK\r\nContent-Length: 123456\r\nETag: \"a\"\r\n\r\n", 200),
        ("GET /", "HTTP/1.1 304 Not Modified\r\nETag: \"a\"\r\n\r\n", 304),
        ("DELETE /", "HTTP/1.1 204 No Content\r\nX-A: 1\r\n\r\n", 204),
        ("GET /", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 200),
        ("GET /", "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n", 500),
    ] {
        let (came, call) = through(request, answer.as_bytes()).await;
        assert_eq!(head(&came), head(answer), "{request}");
        assert!(came.ends_with("\r\n\r\n"), "{came}");
        assert_eq!(
            (call.response.status, &call.response.body, &call.comment),
            (status, &Payload::EMPTY, &None)
        );
    }
}

#[tokio::test]
async fn chunks_and_trailers_pass() {
    let answer = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: x-sum\r\n\r\n\
        5\r\nhello\r\n6\r\n world\r\n0\r\nx-sum: 1\r\n\r\n";
    let (address, _requests) = upstream(move |_| Some(answer.into())).await;
    let recorded = record_of(address).await;
    let came =
        recorded.raw(b"GET / HTTP/1.1\r\nHost: h\r\nTE: trailers\r\nConnection: close, TE\r\n\r\n").await;
    assert!(came.to_ascii_lowercase().contains("transfer-encoding: chunked"), "{came}");
    let body = came.split_once("\r\n\r\n").unwrap().1;
    assert!(body.contains("hello\r\n") && body.ends_with("0\r\nx-sum: 1\r\n\r\n"), "{came}");
    assert_eq!(recorded.exchanges().await[0].response.body, bytes("hello world"));
}

#[tokio::test]
async fn a_coded_answer_passes_coded_and_is_kept_decoded() {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(b"hello hello").unwrap();
    let coded = gzip.finish().unwrap();
    let head =
        format!("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {}\r\n\r\n", coded.len());
    let answer = [head.as_bytes(), &coded].concat();
    let (address, _requests) = upstream(move |_| Some(answer.clone())).await;
    let recorded = record_of(address).await;
    let mut socket = recorded.connect().await;
    socket.write_all(format!("GET / HTTP/1.1\r\n{CLOSE}").as_bytes()).await.unwrap();
    let mut came = Vec::new();
    socket.read_to_end(&mut came).await.unwrap();
    assert!(came.ends_with(&coded));
    let call = recorded.exchanges().await.remove(0);
    assert_eq!(call.response.header("content-encoding"), Some("gzip"));
    assert_eq!(call.response.body, bytes("hello hello"));

    let (came, call) =
        through("GET /", b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc").await;
    assert!(came.ends_with("abc"));
    assert_eq!(call.response.body, bytes("abc"));
    assert_eq!(call.comment.as_deref(), Some("the content coding of the answer could not be undone"));
}

#[tokio::test]
async fn an_answer_that_ends_with_its_connection_comes_whole() {
    let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut socket, _) = socket.accept().await.unwrap();
        request(&mut socket).await.unwrap();
        socket.write_all(b"HTTP/1.0 200 OK\r\nServer: old\r\n\r\nhello").await.unwrap();
    });
    let recorded = record_of(address).await;
    let came = recorded.raw(format!("GET / HTTP/1.1\r\n{CLOSE}").as_bytes()).await;
    assert!(came.starts_with("HTTP/1.1 200 OK\r\n") && came.contains("hello"), "{came}");
    assert_eq!(recorded.exchanges().await[0].response.body, bytes("hello"));
}

#[tokio::test]
async fn an_early_answer_comes_though_the_body_has_not_gone() {
    let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut socket, _) = socket.accept().await.unwrap();
        until(&mut socket, "\r\n\r\n").await;
        let answer = "HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\nConnection: close\r\n\r\nbig";
        socket.write_all(answer.as_bytes()).await.unwrap();
        // Not closed yet: what the client still sends would reset the connection.
        until_closed(&mut socket).await;
    });
    let recorded = record_of(address).await;
    let mut client = recorded.connect().await;
    client.write_all(b"PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\nabc").await.unwrap();
    let came = until(&mut client, "big").await;
    assert!(came.starts_with("HTTP/1.1 413 "), "{came}");
    drop(client);
    let call = recorded.exchanges().await.remove(0);
    assert_eq!(call.response.status, 413);
    assert_eq!(call.request.body, Payload::Omitted { length: 1_000_000, sha256: None });
}
