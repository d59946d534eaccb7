//! Nothing is altered on the way to the upstream.

use super::*;

#[tokio::test]
async fn a_request_arrives_as_it_was_sent() {
    let (address, mut requests) = upstream(ok).await;
    let recorded = record_of(address).await;
    for (line, target) in [
        ("GET //a/%2F..;x?q=%20&&r#frag HTTP/1.1", "//a/%2F..;x?q=%20&&r"),
        ("PROPFIND /a/../b/./%c3%A9? HTTP/1.1", "/a/../b/./%c3%A9?"),
        ("OPTIONS * HTTP/1.1", "*"),
        ("X-ODD!M /[é]?{a}|~'é HTTP/1.1", "/[é]?{a}|~'é"),
    ] {
        let method = line.split(' ').next().unwrap();
        let head = "Host: files.example:1234\r\nX-CamelCase: a  b\r\nx-two: 1\r\nAccept: */*\r\nX-Two: 2\r\n\
            Cookie: a=1\r\nExpires:\r\nTE: trailers\r\n";
        let answer = recorded
            .raw(format!("{line}\r\n{head}Connection: close, x-hop\r\nX-Hop: 1\r\n\r\n").as_bytes())
            .await;
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with("\r\n\r\nok"), "{answer}");
        let arrived = requests.recv().await.unwrap();
        let (first, fields) = arrived.split_once("\r\n").unwrap();
        assert_eq!(first, format!("{method} {target} HTTP/1.1"));
        let mut fields: Vec<&str> = fields.trim_end().split("\r\n").collect();
        let mut sent: Vec<&str> = head.trim_end().split("\r\n").collect();
        // Those of one name stay in their order.
        let place = |list: &[&str], line| list.iter().position(|known| *known == line);
        assert!(place(&fields, "x-two: 1") < place(&fields, "X-Two: 2"), "{fields:?}");
        fields.sort();
        sent.sort();
        let fields: Vec<&str> = fields.iter().map(|field| field.trim_end()).collect();
        assert_eq!(fields, sent);
    }
    let exchanges = recorded.exchanges().await;
    let targets: Vec<&str> = exchanges.iter().map(|exchange| exchange.request.target.as_str()).collect();
    assert_eq!(targets, ["//a/%2F..;x?q=%20&&r", "/a/../b/./%c3%A9?", "*", "/[é]?{a}|~'é"]);
    let call = &exchanges[0];
    assert_eq!(call.request.origin, "http://files.example:1234");
    let two: Vec<&str> = call
        .request
        .headers
        .iter()
        .filter(|(name, _)| name == "x-two")
        .map(|(_, value)| value.as_str())
        .collect();
    assert_eq!(two, ["1", "2"]);
    assert_eq!((call.response.status, &call.response.body, &call.comment), (200, &bytes("ok"), &None));
}

#[tokio::test]
async fn a_length_stays_a_length_and_chunks_stay_chunks() {
    let (address, mut requests) = upstream(ok).await;
    let recorded = record_of(address).await;
    recorded.raw(b"PUT /a HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello").await;
    let arrived = requests.recv().await.unwrap();
    assert!(arrived.contains("Content-Length: 5\r\n") && arrived.ends_with("\r\n\r\nhello"), "{arrived}");
    assert!(!arrived.to_ascii_lowercase().contains("transfer-encoding"), "{arrived}");

    let chunked = b"PUT /b HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nTrailer: x-sum\r\nConnection: close\r\n\r\n\
        5\r\nhello\r\n0\r\nx-sum: 1\r\n\r\n";
    recorded.raw(chunked).await;
    let arrived = requests.recv().await.unwrap();
    assert!(arrived.contains("Transfer-Encoding: chunked\r\n"), "{arrived}");
    assert!(arrived.ends_with("\r\n\r\n5\r\nhello\r\n0\r\nx-sum: 1\r\n\r\n"), "{arrived}");

    recorded.raw(b"POST /c HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").await;
    let arrived = requests.recv().await.unwrap();
    assert!(arrived.contains("Content-Length: 0\r\n"), "{arrived}");

    let exchanges = recorded.exchanges().await;
    let sent: Vec<&Payload> = exchanges.iter().map(|exchange| &exchange.request.body).collect();
    assert_eq!(sent, [&bytes("hello"), &bytes("hello"), &Payload::EMPTY]);
}

#[tokio::test]
async fn a_client_that_waits_for_100_gets_it_and_its_body_passes() {
    let (address, mut requests) = upstream(ok).await;
    let recorded = record_of(address).await;
    let mut socket = recorded.connect().await;
    let head = b"PUT /a HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n";
    socket.write_all(head).await.unwrap();
    assert_eq!(until(&mut socket, "\r\n\r\n").await, "HTTP/1.1 100 Continue\r\n\r\n");
    socket.write_all(b"hello").await.unwrap();
    assert!(until_closed(&mut socket).await.ends_with("ok"));
    let arrived = requests.recv().await.unwrap();
    assert!(arrived.contains("Expect: 100-continue\r\n") && arrived.ends_with("hello"), "{arrived}");
    assert_eq!(recorded.exchanges().await[0].request.body, bytes("hello"));
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_order() {
    let (address, _requests) = upstream(|head| {
        let path = head.split(' ').nth(1).unwrap();
        Some(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{path}", path.len()).into())
    })
    .await;
    let recorded = record_of(address).await;
    let answers = recorded
        .raw(
            b"GET /1 HTTP/1.1\r\nHost: h\r\n\r\nPOST /2 HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nxy\
              GET /3 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n",
        )
        .await;
    let bodies: Vec<&str> = answers.matches(['/', '1', '2', '3']).collect();
    assert!(answers.find("\r\n\r\n/1") < answers.find("\r\n\r\n/2"), "{bodies:?}");
    assert!(answers.ends_with("\r\n\r\n/3"), "{answers}");
    let exchanges = recorded.exchanges().await;
    let targets: Vec<&str> = exchanges.iter().map(|exchange| exchange.request.target.as_str()).collect();
    assert_eq!(targets, ["/1", "/2", "/3"]);
}

#[tokio::test]
async fn a_path_is_put_in_front_and_a_host_is_sent_where_that_is_wanted() {
    let (address, mut requests) = upstream(ok).await;
    let recorded =
        record(Options { upstream_host: true, ..options(&format!("http://{address}/pydio/")) }).await;
    recorded.raw(b"GET /api/x?y HTTP/1.1\r\nHost: me\r\nConnection: close\r\n\r\n").await;
    let arrived = requests.recv().await.unwrap();
    assert!(arrived.starts_with("GET /pydio/api/x?y HTTP/1.1\r\n"), "{arrived}");
    assert!(arrived.contains(&format!("Host: {address}\r\n")) && !arrived.contains("me\r\n"), "{arrived}");
    let call = recorded.exchanges().await.remove(0);
    // As the client sent it: a replay goes to a server of its own.
    assert_eq!((call.request.target.as_str(), call.request.header("host")), ("/api/x?y", Some("me")));
    assert_eq!(call.request.origin, format!("http://{address}"));
}

#[tokio::test]
async fn a_connection_of_the_upstream_is_used_again_while_it_lasts() {
    let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    let (count, mut counted) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        for connection in 1.. {
            let (mut socket, _) = socket.accept().await.unwrap();
            // Two requests, then it is closed without a word.
            for _ in 0..2 {
                request(&mut socket).await.unwrap();
                count.send(connection).unwrap();
                socket.write_all(OK.as_bytes()).await.unwrap();
            }
        }
    });
    let recorded = record_of(address).await;
    let mut client = recorded.connect().await;
    for _ in 0..5 {
        client.write_all(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n").await.unwrap();
        until(&mut client, "\r\n\r\nok").await;
        // The upstream's end is noticed.
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let mut connections = Vec::new();
    while let Ok(connection) = counted.try_recv() {
        connections.push(connection);
    }
    assert_eq!(connections, [1, 1, 2, 2, 3]);
    drop(client);
    assert_eq!(recorded.exchanges().await.len(), 5);
}

#[tokio::test]
async fn a_web_socket_passes_unrecorded() {
    let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut socket, _) = socket.accept().await.unwrap();
        let head = request(&mut socket).await.unwrap();
        assert!(
            head.contains("Upgrade: websocket\r\n") && head.contains("Connection: Upgrade\r\n"),
            "{head}"
        );
        socket
            .write_all(
                b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
            )
            .await
            .unwrap();
        let mut buffer = [0; 4];
        socket.read_exact(&mut buffer).await.unwrap();
        socket.write_all(&[b"echo ".as_slice(), &buffer].concat()).await.unwrap();
    });
    let recorded = record_of(address).await;
    let mut client = recorded.connect().await;
    client
        .write_all(b"GET /ws HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")
        .await
        .unwrap();
    let answer = until(&mut client, "\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 101 ") && answer.contains("Upgrade: websocket"), "{answer}");
    client.write_all(b"ping").await.unwrap();
    assert_eq!(until(&mut client, "ping").await, "echo ping");
    let (summary, exchanges) = recorded.ended().await;
    assert_eq!((summary.calls, summary.tunnels, exchanges.len()), (0, 1, 0));
}

#[tokio::test]
async fn an_upgrade_to_http_2_is_not_passed_on() {
    let (address, mut requests) = upstream(ok).await;
    let recorded = record_of(address).await;
    let answer = recorded
        .raw(b"GET / HTTP/1.1\r\nHost: h\r\nConnection: close, Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AA\r\n\r\n")
        .await;
    assert!(answer.ends_with("ok"), "{answer}");
    let arrived = requests.recv().await.unwrap().to_ascii_lowercase();
    assert!(!arrived.contains("h2c") && !arrived.contains("http2"), "{arrived}");
}

#[tokio::test]
async fn an_upstream_with_tls_is_reached_and_only_a_trusted_one() {
    use rustls::pki_types::pem::PemObject as _;
    use rustls::pki_types::{CertificateDer, PrivateKeyDer};
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("proxy/tests");
    let config =
        rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(
                vec![CertificateDer::from_pem_file(folder.join("cert.pem")).unwrap()],
                PrivateKeyDer::from_pem_file(folder.join("key.pem")).unwrap(),
            )
            .unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = socket.local_addr().unwrap().port();
    tokio::spawn(async move {
        loop {
            let (socket, _) = socket.accept().await.unwrap();
            let Ok(mut stream) = acceptor.accept(socket).await else { continue };
            let mut buffer = [0; 4096];
            let _ = stream.read(&mut buffer).await;
            let _ = stream.write_all(OK.as_bytes()).await;
            let _ = stream.shutdown().await;
        }
    });
    let url = format!("https://localhost:{port}");
    let request = b"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";
    let trusting = record(Options { upstream_ca: Some(folder.join("cert.pem")), ..options(&url) }).await;
    assert!(trusting.raw(request).await.ends_with("ok"));
    let doubting = record(options(&url)).await;
    let answer = doubting.raw(request).await;
    assert!(answer.starts_with("HTTP/1.1 502 ") && answer.contains("TLS: "), "{answer}");

    let missing = Options { upstream_ca: Some(PathBuf::from("/nowhere.pem")), ..options(&url) };
    assert!(Recorder::bind(missing).await.err().unwrap().to_string().starts_with("`/nowhere.pem`: "));
}
