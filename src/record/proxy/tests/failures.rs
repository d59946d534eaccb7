//! What breaks is passed on as it is, and recorded as that.

use super::*;

const GET: &[u8] = b"GET /x HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";

async fn broken(answer: &'static str) -> SocketAddr {
    let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (mut socket, _) = socket.accept().await.unwrap();
            request(&mut socket).await;
            let _ = socket.write_all(answer.as_bytes()).await;
        }
    });
    address
}

#[tokio::test]
async fn an_upstream_that_cannot_be_reached_is_a_502() {
    // Bound and closed again: nobody is there.
    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let recorded = record_of(nobody).await;
    let answer = recorded.raw(GET).await;
    assert!(answer.starts_with("HTTP/1.1 502 Bad Gateway\r\n"), "{answer}");
    assert!(answer.contains("cellgate record: cannot reach the upstream: "), "{answer}");
    let call = recorded.exchanges().await.remove(0);
    assert_eq!(call.response.status, 502);
    assert_eq!(call.comment.as_deref(), Some("the recorder's own answer: the upstream could not be reached"));
}

#[tokio::test]
async fn an_upstream_that_breaks_off_breaks_off() {
    for answer in [
        "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhel",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n",
    ] {
        let recorded = record_of(broken(answer).await).await;
        let came = recorded.raw(GET).await;
        assert!(came.contains("hel") && !came.ends_with("0\r\n\r\n"), "{came}");
        let call = recorded.exchanges().await.remove(0);
        assert_eq!((call.response.status, &call.response.body), (200, &bytes("hel")));
        assert_eq!(call.comment.as_deref(), Some("the upstream broke off before its answer was whole"));
    }
}

#[tokio::test]
async fn an_upstream_without_an_answer_gives_none() {
    let recorded = record_of(broken("").await).await;
    assert_eq!(recorded.raw(GET).await, "");
    let call = recorded.exchanges().await.remove(0);
    assert_eq!((call.response.status, &call.response.body), (0, &Payload::EMPTY));
    assert_eq!(call.comment.as_deref(), Some("the upstream closed the connection without an answer"));
}

#[tokio::test]
async fn an_upstream_that_speaks_something_else_is_a_502() {
    let recorded = record_of(broken("220 mail.example ESMTP\r\n\r\n").await).await;
    let answer = recorded.raw(GET).await;
    assert!(answer.starts_with("HTTP/1.1 502 ") && answer.contains("is not HTTP"), "{answer}");
    assert_eq!(recorded.exchanges().await[0].response.status, 502);
}

#[tokio::test]
async fn connect_is_refused() {
    let (address, _requests) = upstream(ok).await;
    let recorded = record_of(address).await;
    let mut client = recorded.connect().await;
    client.write_all(b"CONNECT h:443 HTTP/1.1\r\nHost: h:443\r\n\r\n").await.unwrap();
    let answer = until(&mut client, "this is none").await;
    assert!(answer.starts_with("HTTP/1.1 501 "), "{answer}");
    drop(client);
    assert_eq!(recorded.exchanges().await[0].response.status, 501);
}

#[tokio::test]
async fn a_client_that_leaves_is_recorded_with_what_was_there() {
    // While it sends.
    let (address, _requests) = upstream(ok).await;
    let recorded = record_of(address).await;
    let mut client = recorded.connect().await;
    client.write_all(b"PUT /x HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\nabc").await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    drop(client);
    tokio::time::sleep(Duration::from_millis(100)).await;
    let call = recorded.exchanges().await.remove(0);
    assert_eq!((&call.request.body, call.response.status), (&bytes("abc"), 0));
    assert_eq!(call.comment.as_deref(), Some("the client left before there was an answer"));

    // While it reads.
    let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut socket, _) = socket.accept().await.unwrap();
        request(&mut socket).await.unwrap();
        socket.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc").await.unwrap();
        until_closed(&mut socket).await;
    });
    let recorded = record_of(address).await;
    let mut client = recorded.connect().await;
    client.write_all(b"GET /x HTTP/1.1\r\nHost: h\r\n\r\n").await.unwrap();
    until(&mut client, "abc").await;
    drop(client);
    tokio::time::sleep(Duration::from_millis(100)).await;
    let call = recorded.exchanges().await.remove(0);
    assert_eq!((call.response.status, &call.response.body), (200, &bytes("abc")));
    assert_eq!(call.comment.as_deref(), Some("the client left before the answer was whole"));
}

#[tokio::test]
async fn what_runs_when_told_to_end_is_recorded_too() {
    let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut socket, _) = socket.accept().await.unwrap();
        request(&mut socket).await.unwrap();
        tokio::time::sleep(Duration::from_millis(300)).await;
        socket.write_all(OK.as_bytes()).await.unwrap();
    });
    let recorded = record_of(address).await;
    let mut client = recorded.connect().await;
    client.write_all(b"GET /x HTTP/1.1\r\nHost: h\r\n\r\n").await.unwrap();
    let idle = recorded.connect().await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    let exchanges = recorded.exchanges().await;
    assert!(until_closed(&mut client).await.ends_with("ok"));
    assert_eq!((exchanges.len(), exchanges[0].response.status), (1, 200));
    drop(idle);
}
