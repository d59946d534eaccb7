//! What is kept of large bodies, in bounded memory, and of secrets.

use std::sync::atomic::AtomicU64;

use sha2::{Digest as _, Sha256};

use crate::form::Content;

use super::*;

const MIB: usize = 1024 * 1024;

/// Contents that do not repeat with any buffer.
fn block(number: usize) -> Vec<u8> {
    (0..MIB).map(|at| (at.wrapping_mul(31).wrapping_add(number * 7 + at / 251)) as u8).collect()
}

fn hash(blocks: usize) -> String {
    let mut hash = Sha256::new();
    (0..blocks).for_each(|number| hash.update(block(number)));
    hex::encode(hash.finalize())
}

#[tokio::test(flavor = "multi_thread")]
async fn large_bodies_stream_both_ways_and_leave_length_and_hash() {
    const BLOCKS: usize = 48;
    let length = BLOCKS * MIB;
    let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    let (first, came_first) = oneshot::channel();
    tokio::spawn(async move {
        let (mut socket, _) = socket.accept().await.unwrap();
        until(&mut socket, "\r\n\r\n").await;
        // The first byte is here while the client holds back the rest.
        first.send(()).unwrap();
        let mut buffer = vec![0; MIB];
        let mut left = length;
        while left > 0 {
            left = left.saturating_sub(socket.read(&mut buffer).await.unwrap());
            if left < MIB {
                break;
            }
        }
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n");
        socket.write_all(head.as_bytes()).await.unwrap();
        for number in 0..BLOCKS {
            socket.write_all(&block(number)).await.unwrap();
        }
        until_closed(&mut socket).await;
    });
    let recorded = record_of(address).await;
    let mut client = recorded.connect().await;
    let head =
        format!("PUT /big HTTP/1.1\r\nHost: h\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
    client.write_all(head.as_bytes()).await.unwrap();
    client.write_all(&block(0)[..10]).await.unwrap();
    timeout(Duration::from_secs(10), came_first).await.unwrap().unwrap();
    client.write_all(&block(0)[10..]).await.unwrap();
    for number in 1..BLOCKS {
        client.write_all(&block(number)).await.unwrap();
    }
    let mut answer = Vec::new();
    client.read_to_end(&mut answer).await.unwrap();
    assert_eq!(hex::encode(Sha256::digest(&answer[answer.len() - length..])), hash(BLOCKS));
    let call = recorded.exchanges().await.remove(0);
    let kept = Payload::Omitted { length: length as u64, sha256: Some(hash(BLOCKS)) };
    assert_eq!(call.request.body, kept);
    assert_eq!(call.response.body, kept);
}

#[tokio::test]
async fn a_form_with_a_large_file_stays_a_form() {
    let (address, _requests) = upstream(ok).await;
    let recorded = record(Options { scrub: true, ..options(&format!("http://{address}")) }).await;
    let file = "x".repeat(5000);
    let form = |end: &str| {
        format!(
            "--b\r\nContent-Disposition: form-data; name=\"secure_token\"\r\n\r\ns3cr3ts3cr3t\r\n\
             --b\r\nContent-Disposition: form-data; name=\"userfile_0\"; filename=\"a.bin\"\r\n\
             Content-Type: application/octet-stream\r\n\r\n{file}\r\n--b{end}"
        )
    };
    for body in [form("--\r\n"), form("")] {
        let head = format!(
            "POST /index.php?get_action=upload HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\
             Content-Type: multipart/form-data; boundary=b\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        let mut client = recorded.connect().await;
        client.write_all(head.as_bytes()).await.unwrap();
        for piece in body.as_bytes().chunks(700) {
            client.write_all(piece).await.unwrap();
            client.flush().await.unwrap();
        }
        until_closed(&mut client).await;
    }
    let calls = recorded.exchanges().await;
    let Payload::Form(kept) = &calls[0].request.body else { panic!("{:?}", calls[0]) };
    let [token, upload] = kept.parts.as_slice() else { panic!("{kept:?}") };
    assert_eq!(token.content, Content::Bytes("__secure_token_1__".into()));
    assert_eq!((upload.name.as_str(), upload.file_name.as_deref()), ("userfile_0", Some("a.bin")));
    let sha256 = Some(hex::encode(Sha256::digest(&file)));
    assert_eq!(upload.content, Content::Omitted { length: 5000, sha256 });
    // Cut off: whatever it was to be.
    let (length, sha256) = (form("").len() as u64, Some(hex::encode(Sha256::digest(form("")))));
    assert_eq!(calls[1].request.body, Payload::Omitted { length, sha256 });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_client_holds_the_upstream_back() {
    let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    let written = Arc::new(AtomicU64::new(0));
    let counted = written.clone();
    tokio::spawn(async move {
        let (mut socket, _) = socket.accept().await.unwrap();
        request(&mut socket).await.unwrap();
        socket.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n").await.unwrap();
        while socket.write_all(&[0; 65536]).await.is_ok() {
            counted.fetch_add(65536, Ordering::Relaxed);
        }
    });
    let recorded = record_of(address).await;
    let mut client = recorded.connect().await;
    client.write_all(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n").await.unwrap();
    until(&mut client, "\r\n\r\n").await;
    // Nobody reads on. What the upstream gets rid of is what buffers of sockets take.
    let mut before = u64::MAX;
    while before != written.load(Ordering::Relaxed) {
        before = written.load(Ordering::Relaxed);
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    assert!(before < 64 * MIB as u64, "{before}");
    drop(client);
    assert_eq!(
        recorded.exchanges().await[0].comment.as_deref(),
        Some("the client left before the answer was whole")
    );
}

#[tokio::test]
async fn secrets_pass_and_are_not_written() {
    let answer = r#"{"token":"9d2f0123456789abcdef0123456789abcdef0123"}"#;
    let said = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{answer}", answer.len());
    let (address, mut requests) = upstream(move |_| Some(said.clone().into())).await;
    let recorded = record(Options { scrub: true, ..options(&format!("http://{address}")) }).await;
    let request = "POST /api2/auth-token/ HTTP/1.1\r\nHost: h\r\nAuthorization: Basic YWxpY2U6c2VjcmV0\r\n\
        Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 27\r\nConnection: close\r\n\r\n\
        username=a&password=s3cr3ts";
    let came = recorded.raw(request.as_bytes()).await;
    assert!(came.ends_with(answer), "{came}");
    let arrived = requests.recv().await.unwrap();
    assert!(
        arrived.contains("Authorization: Basic YWxpY2U6c2VjcmV0\r\n") && arrived.ends_with("s3cr3ts"),
        "{arrived}"
    );
    let (summary, exchanges) = recorded.ended().await;
    assert_eq!(summary.secrets, [("password", 2), ("seafile_token", 1)]);
    let call = &exchanges[0];
    assert_eq!(call.request.header("authorization"), Some("Basic alice:__password_1__"));
    assert_eq!(call.request.body, bytes("username=a&password=__password_2__"));
    assert_eq!(call.response.body, bytes(r#"{"token":"__seafile_token_1__"}"#));
}

#[tokio::test]
async fn a_recording_on_a_full_disk_ends_with_an_error() {
    let (address, _requests) = upstream(ok).await;
    // A file that takes its beginning, and then nothing more.
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.har");
    Writer::create_new(&path, None).unwrap();
    let writer = Writer::read_only_for_test(&path);
    let recorder = Recorder::bind(options(&format!("http://{address}"))).await.unwrap();
    let at = recorder.address();
    let running = tokio::spawn(recorder.run(writer, std::future::pending()));
    let mut client = TcpStream::connect(at).await.unwrap();
    client.write_all(b"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").await.unwrap();
    // What passes through, passes through.
    assert!(until_closed(&mut client).await.ends_with("ok"));
    let error = timeout(Duration::from_secs(10), running).await.unwrap().unwrap().unwrap_err();
    assert!(error.to_string().starts_with("the recording cannot be written: "), "{error}");
}
