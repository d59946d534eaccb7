//! Recordings that begin in mid-session, and credentials of all kinds, against small servers.

use super::*;
use crate::run::{Options, replay};
use crate::send::{Authorities, Origin};
use crate::testing::{Seen, Server, answered, exchange, sent, sent_with};
use crate::{Outcome, Verdict};

const FORM: &str = "application/x-www-form-urlencoded";

fn accounts(users: &[&str], passwords: &str) -> Accounts {
    let users: Vec<String> = users.iter().map(|user| (*user).to_owned()).collect();
    Accounts {
        users: Users::parse(&users).unwrap(),
        passwords: Passwords::parse(passwords).unwrap(),
        key: None,
    }
}

async fn run(server: &Server, accounts: Accounts, exchanges: &[Exchange]) -> Outcome {
    let against = Origin::parse(&server.url).unwrap();
    let options = Options { against, authorities: Authorities::System, accounts, client: None };
    replay("test", exchanges, &options, |_| {}).await.unwrap()
}

/// What came back after `base64 -d` of the pair.
fn pair(seen: &Seen) -> String {
    match Authorization::of(&sent("GET", "/", &[("authorization", seen.header("authorization"))])) {
        Some(Authorization::Basic { login, password }) => format!("{login}:{password}"),
        other => format!("{other:?}"),
    }
}

fn basic(number: usize, pair: &str, status: u16) -> Exchange {
    let request = sent("GET", "/api/my-files/ls/", &[("Authorization", &format!("Basic {pair}"))]);
    exchange(number, request, answered(status, ""))
}

#[tokio::test]
async fn right_passwords_are_the_new_users_and_wrong_ones_stay_wrong() {
    let server = Server::start(|_| (200, String::new(), String::new())).await;
    let recording = [
        basic(1, "alice:__password_1__", 200),
        basic(2, "alice:__password_2__", 401),
        basic(3, "nobody:__password_2__", 401),
        basic(4, "admin:__password_3__", 200),
    ];
    run(&server, accounts(&["zoë", "admin=root"], "zoë:new pass:1\nroot:other"), &recording).await;
    let pairs: Vec<String> = server.seen().iter().map(pair).collect();
    assert_eq!(pairs[0], "zoë:new pass:1");
    assert!(pairs[1].starts_with("zoë:wrong-"), "{}", pairs[1]);
    assert!(pairs[2].starts_with("nobody:wrong-"), "{}", pairs[2]);
    assert_eq!(pairs[3], "root:other");
}

#[tokio::test]
async fn a_wrong_password_is_wrong_wherever_it_stands() {
    let server = Server::start(|_| (200, String::new(), String::new())).await;
    let list = sent_with("POST", "/index.php", FORM, "get_action=ls&secure_token=__password_1__");
    let recording = [basic(1, "alice:__password_1__", 401), exchange(2, list, answered(200, ""))];
    run(&server, accounts(&["zoe"], "secret"), &recording).await;
    let seen = server.seen();
    let wrong = pair(&seen[0]).split_once(':').unwrap().1.to_owned();
    assert_eq!(seen[1].body, format!("get_action=ls&secure_token={wrong}"));
}

#[tokio::test]
async fn without_a_user_for_a_login_the_call_is_not_sent() {
    let server = Server::start(|_| (200, String::new(), String::new())).await;
    let recording = [basic(1, "alice:__password_1__", 200), basic(2, "bob:__password_2__", 200)];
    let outcome = run(&server, accounts(&["alice=zoe"], "secret"), &recording).await;
    assert_eq!(server.seen().len(), 1);
    assert_eq!(outcome.calls[1].verdict, Verdict::Different);
    assert_eq!(outcome.calls[1].fresh_status, None);
    let said = outcome.calls[1].findings[0].fresh.as_deref().unwrap();
    assert_eq!(said, "not sent: nobody stands for the recorded user `bob`: give `--user bob=NAME`");
}

#[tokio::test]
async fn digest_becomes_basic() {
    let server = Server::start(|_| (207, String::new(), String::new())).await;
    let value = r#"Digest username="alice", realm="x", nonce="__nonce_1__", response="__signature_1__""#;
    let recording =
        [exchange(1, sent("PROPFIND", "/dav/my-files", &[("Authorization", value)]), answered(207, ""))];
    let outcome = run(&server, accounts(&["zoe"], "secret"), &recording).await;
    assert_eq!(pair(&server.seen()[0]), "zoe:secret");
    assert!(outcome.calls[0].findings.iter().any(|finding| finding.place == "request authorization"));
}

/// A Pydio 8 of one session.
fn pydio(seen: &Seen) -> (u16, String, String) {
    let tree = |inside: &str| format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?><tree >{inside}</tree>");
    if seen.target.contains("get_boot_conf") {
        let cookie = "Set-Cookie: AjaXplorer=before; path=/\r\n".to_owned();
        return (200, cookie, r#"{"SECURE_TOKEN":"first"}"#.into());
    }
    if seen.target.contains("get_seed") {
        return (200, String::new(), "-1".into());
    }
    if seen.body.contains("get_action=login") {
        let good = seen.body.contains("userid=zoe&password=s%C3%A9cret")
            && seen.body.contains("secure_token=first")
            && seen.header("cookie") == "AjaXplorer=before";
        let (cookie, result) = if good {
            ("Set-Cookie: AjaXplorer=after; path=/\r\n", "value=\"1\" secure_token=\"second\"")
        } else {
            ("", "value=\"-1\"")
        };
        return (200, cookie.into(), tree(&format!("<logging_result {result}/>")));
    }
    let known = seen.header("cookie") == "AjaXplorer=after" && seen.body.contains("secure_token=second");
    (200, String::new(), tree(if known { "" } else { "<require_auth/>" }))
}

fn mid_session() -> Vec<Exchange> {
    let mut list =
        sent_with("POST", "/pydio/index.php", FORM, "get_action=ls&dir=%2F&secure_token=__secure_token_1__");
    list.headers.push(("Cookie".into(), "_ga=__cookie_2__; AjaXplorer=__cookie_1__".into()));
    let list = exchange(1, list, answered(200, "<tree ></tree>"));
    let mut again = list.clone();
    again.number = 2;
    vec![list, again]
}

#[tokio::test]
async fn a_pydio8_session_is_opened_once_where_the_recording_begins_in_one() {
    let server = Server::start(pydio).await;
    run(&server, accounts(&["zoe"], "sécret"), &mid_session()).await;
    let seen = server.seen();
    let targets: Vec<_> = seen.iter().map(|seen| seen.target.as_str()).collect();
    assert_eq!(
        targets,
        [
            "/pydio/index.php?get_action=get_boot_conf",
            "/pydio/index.php?get_action=get_seed",
            "/pydio/index.php",
            "/pydio/index.php",
            "/pydio/index.php"
        ]
    );
    for list in &seen[3..] {
        assert_eq!(list.header("cookie"), "AjaXplorer=after");
        assert_eq!(list.body, "get_action=ls&dir=%2F&secure_token=second");
    }
}

#[tokio::test]
async fn a_refused_sign_in_is_told_and_not_tried_again() {
    let server = Server::start(pydio).await;
    let outcome = run(&server, accounts(&["zoe"], "wrong"), &mid_session()).await;
    assert_eq!(server.seen().len(), 3);
    for call in &outcome.calls {
        let said = call.findings[0].fresh.as_deref().unwrap();
        assert_eq!(said, "not sent: cannot sign in to Pydio 8 as `zoe`: logging_result -1");
        assert!(!said.contains("wrong"));
    }
}

/// Gives tokens of Cells and Seafile, and takes everything.
fn tokens(seen: &Seen) -> (u16, String, String) {
    let answer = match seen.target.as_str() {
        "/a/frontend/session" => r#"{"JWT":"fresh-jwt","ExpireTime":1}"#,
        "/api2/auth-token/" => r#"{"token":"fresh-seafile"}"#,
        _ => "",
    };
    (200, String::new(), answer.into())
}

#[tokio::test]
async fn tokens_of_all_doors_are_obtained_where_they_are_needed() {
    let server = Server::start(tokens).await;
    let recording = [
        exchange(1, sent("GET", "/a/user", &[("Authorization", "Bearer __jwt_1__")]), answered(200, "")),
        exchange(
            2,
            sent("GET", "/api2/repos/", &[("Authorization", "Token __seafile_token_1__")]),
            answered(200, ""),
        ),
        exchange(
            3,
            sent("GET", "/api2/repos/", &[("Authorization", "Bearer __token_1__")]),
            answered(200, ""),
        ),
        exchange(4, sent("GET", "/io/my-files/a?x=1&pydio_jwt=__jwt_2__", &[]), answered(200, "")),
        exchange(5, sent("GET", "/seafhttp/files/__link_token_1__/a", &[]), answered(200, "")),
    ];
    let outcome = run(&server, accounts(&["zoe"], "secret"), &recording).await;
    let seen = server.seen();
    let find = |start: &str| seen.iter().filter(|seen| seen.target.starts_with(start)).collect::<Vec<_>>();
    assert_eq!(find("/a/user")[0].header("authorization"), "Bearer fresh-jwt");
    assert_eq!(find("/api2/repos")[0].header("authorization"), "Token fresh-seafile");
    assert_eq!(find("/api2/repos")[1].header("authorization"), "Bearer fresh-seafile");
    assert_eq!(find("/io/")[0].target, "/io/my-files/a?x=1&pydio_jwt=fresh-jwt");
    assert_eq!(find("/a/frontend/session").len(), 1);
    assert_eq!(find("/api2/auth-token/").len(), 1);
    // Whose link that was, nobody knows.
    assert!(find("/seafhttp/").is_empty());
    let said = outcome.calls[4].findings[0].fresh.as_deref().unwrap();
    assert_eq!(said, "not sent: `__link_token_1__` comes from a call that this recording lacks");
}

#[tokio::test]
async fn s3_is_signed_by_a_token_or_by_a_key_that_was_given() {
    let v4 = "AWS4-HMAC-SHA256 Credential=__access_key_1__/20260101/us-east-1/s3/aws4_request, \
              SignedHeaders=host;x-amz-date, Signature=__signature_1__";
    let headers = [("Authorization", v4), ("x-amz-date", "20260101T120001Z")];
    let recording = [exchange(1, sent("GET", "/io?list-type=2", &headers), answered(200, ""))];

    let server = Server::start(tokens).await;
    run(&server, accounts(&["zoe"], "secret"), &recording).await;
    let signed = server.seen().pop().unwrap();
    let authorization = signed.header("authorization");
    assert!(authorization.starts_with("AWS4-HMAC-SHA256 Credential=fresh-jwt/"), "{authorization}");
    assert!(!signed.header("x-amz-date").starts_with("20260101"));

    let server = Server::start(tokens).await;
    let mut accounts = accounts(&["zoe"], "secret");
    accounts.key = Some(parse_key("id:key:secret").unwrap());
    run(&server, accounts, &recording).await;
    assert_eq!(server.seen().len(), 1);
    assert!(server.seen()[0].header("authorization").starts_with("AWS4-HMAC-SHA256 Credential=id/"));
}

#[tokio::test]
async fn a_user_made_on_the_way_keeps_name_and_password() {
    let server = Server::start(|_| (200, String::new(), "{}".into())).await;
    let create = r#"{"Login":"bob","Password":"__password_2__"}"#;
    let recording = [
        basic(1, "admin:__password_1__", 200),
        exchange(2, sent_with("PUT", "/a/user/bob", "application/json", create), answered(200, "{}")),
        basic(3, "bob:__password_2__", 200),
    ];
    run(&server, accounts(&["root"], "secret"), &recording).await;
    let seen = server.seen();
    let made: serde_json::Value = serde_json::from_str(&seen[1].body).unwrap();
    let password = made["Password"].as_str().unwrap();
    assert!(password.starts_with("Replay-") && password.len() > 20);
    assert_eq!(pair(&seen[2]), format!("bob:{password}"));
}

#[test]
fn passwords_are_asked_for_where_they_are_needed() {
    let users = Users::parse(&["zoe".into(), "admin=root".into()]).unwrap();
    let public = [exchange(1, sent("GET", "/public/x", &[]), answered(200, ""))];
    let needed =
        |exchanges: &[Exchange], key| users_needed(&exchanges.iter().collect::<Vec<_>>(), &users, key);
    assert_eq!(needed(&public, false), None);
    let both = Some(vec!["root".to_owned(), "zoe".to_owned()]);
    assert_eq!(needed(&[basic(1, "admin:__password_1__", 200)], true), both);
    let v2 = sent("GET", "/io", &[("Authorization", "AWS __access_key_1__:__signature_1__")]);
    let signed = [exchange(1, v2, answered(200, ""))];
    assert_eq!(needed(&signed, false), Some(vec!["zoe".to_owned()]));
    assert_eq!(needed(&signed, true), None);
}
