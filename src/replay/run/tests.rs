//! Whole replays against small servers.

use super::*;
use crate::testing::{Server, answered, exchange, sent, sent_with};

fn options(url: &str) -> Options {
    Options {
        against: Origin::parse(url).unwrap(),
        authorities: Authorities::System,
        accounts: Accounts { users: Users::parse(&["zoe".into()]).unwrap(), ..Accounts::default() },
        client: None,
    }
}

#[tokio::test]
async fn calls_go_out_in_order_and_as_recorded() {
    let server = Server::start(|_| (200, String::new(), String::new())).await;
    let copy = sent(
        "COPY",
        "/dav/my-files//a%2fb",
        &[
            ("User-Agent", "cadaver/0.23"),
            ("Connection", "TE"),
            ("TE", "trailers"),
            ("Host", "old.example.com"),
            ("Destination", "http://old.example.com/dav/my-files/c"),
            ("Expect", "100-continue"),
        ],
    );
    let mut first = exchange(2, copy, answered(200, ""));
    let second = exchange(1, sent_with("PUT", "/dav/my-files/x", "text/plain", "hello"), answered(200, ""));
    first.started = second.started + std::time::Duration::from_secs(1);
    let mut told = Vec::new();
    let outcome = replay("file", &[first, second], &options(&server.url), |progress| {
        told.push((progress.done, progress.total, progress.method.to_owned()));
    })
    .await
    .unwrap();

    assert_eq!(told, [(0, 2, "PUT".to_owned()), (1, 2, "COPY".to_owned())]);
    let seen = server.seen();
    assert_eq!((seen[0].method.as_str(), seen[0].body.as_str()), ("PUT", "hello"));
    let authority = server.url.strip_prefix("http://").unwrap();
    assert_eq!((seen[1].target.as_str(), seen[1].header("host")), ("/dav/my-files//a%2fb", authority));
    assert_eq!(seen[1].header("destination"), format!("{}/dav/my-files/c", server.url));
    for name in ["te", "expect"] {
        assert_eq!(seen[1].header(name), "", "{name}");
    }
    assert_eq!(outcome.calls.iter().map(|call| call.number).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(outcome.calls[1].client, "cadaver/0.23 (WebDAV)");
    assert_eq!(outcome.calls[1].fresh_status, Some(200));
}

#[tokio::test]
async fn a_virtual_host_is_kept() {
    let server = Server::start(|_| (200, String::new(), String::new())).await;
    let mut exchanges: Vec<Exchange> = (1..4)
        .map(|number| {
            let headers = [("Host", "old.example.com")];
            exchange(number, sent("GET", "/dav/my-files", &headers), answered(200, ""))
        })
        .collect();
    exchanges[2].request.headers[0].1 = "evil.example.net".into();
    replay("file", &exchanges, &options(&server.url), |_| {}).await.unwrap();
    let authority = server.url.strip_prefix("http://").unwrap().to_owned();
    let hosts: Vec<String> = server.seen().iter().map(|seen| seen.header("host").to_owned()).collect();
    assert_eq!(hosts, [authority.clone(), authority, "evil.example.net".into()]);
}

#[tokio::test]
async fn nothing_to_send_and_nobody_there_are_errors() {
    let nothing = replay("file", &[], &options("http://127.0.0.1:1"), |_| {}).await.unwrap_err();
    assert_eq!(nothing.to_string(), "the recording holds no call to replay");
    let mut pending = exchange(7, sent("GET", "/dav", &[]), answered(0, ""));
    pending.response.status = 0;
    let nothing = replay("file", &[pending], &options("http://127.0.0.1:1"), |_| {}).await.unwrap_err();
    assert!(nothing.to_string().contains("entry 7"), "{nothing}");

    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let one = exchange(1, sent("GET", "/dav", &[]), answered(200, ""));
    let nobody = replay("file", &[one], &options(&url), |_| {}).await.unwrap_err();
    assert!(nobody.to_string().starts_with(&format!("cannot connect to {url}")), "{nobody}");
}

#[tokio::test]
async fn a_call_that_fails_is_different_and_the_others_go_on() {
    let server = Server::start(|_| (200, String::new(), String::new())).await;
    let get = |number, target| exchange(number, sent("GET", target, &[]), answered(200, ""));
    let exchanges = [get(1, "/dav/a b"), get(2, "/dav/a")];
    let outcome = replay("file", &exchanges, &options(&server.url), |_| {}).await.unwrap();
    assert_eq!(outcome.calls[0].verdict, Verdict::Different);
    assert_eq!(outcome.calls[0].fresh_status, None);
    assert!(outcome.calls[0].findings[0].fresh.as_deref().unwrap().starts_with("not sent: "));
    assert_eq!(outcome.calls[1].fresh_status, Some(200));
}

#[tokio::test]
async fn a_body_that_the_recording_lacks_is_made() {
    let server = Server::start(|_| (201, String::new(), String::new())).await;
    let mut put = sent("PUT", "/dav/my-files/x", &[("Content-Length", "3000")]);
    put.body = Payload::Omitted { length: 3000, sha256: Some("ab".repeat(32)) };
    replay("file", &[exchange(1, put, answered(201, ""))], &options(&server.url), |_| {}).await.unwrap();
    assert_eq!(server.seen()[0].header("content-length"), "3000");
}

#[tokio::test]
async fn a_form_with_a_signed_policy_is_not_sent() {
    let server = Server::start(|_| (204, String::new(), String::new())).await;
    let field = |name: &str, value: &str| {
        format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    let body =
        [field("Policy", "{}"), field("X-Amz-Signature", "__signature_1__"), "--b--\r\n".into()].concat();
    let form = sent_with("POST", "/io", "multipart/form-data; boundary=b", &body);
    let exchanges = [exchange(1, form, answered(204, ""))];
    let outcome = replay("file", &exchanges, &options(&server.url), |_| {}).await.unwrap();
    assert!(server.seen().is_empty());
    let said = outcome.calls[0].findings[0].fresh.as_deref().unwrap();
    assert_eq!(said, "not sent: an upload form with a signed policy cannot be signed again");
}
