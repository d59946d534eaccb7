//! `POST /a/frontend/session`.

use cellgate_core::testing::{Answer, request, serve};
use serde_json::{Value, json};

use super::door;
use crate::Cells;

async fn session(cells: &Cells, cookie: &str, info: Value) -> Answer {
    let mut request = request("POST", "/a/frontend/session").json(&json!({ "AuthInfo": info }));
    if !cookie.is_empty() {
        request = request.header("cookie", cookie);
    }
    serve(cells, request).await
}

fn credentials(password: &str) -> Value {
    json!({ "type": "credentials", "login": "alice", "password": password })
}

/// `pydio=<value>` of an answer.
fn cookie(answer: &Answer) -> String {
    answer.header("set-cookie").split(';').next().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn signing_in_hands_out_a_token_that_works_twice_over() {
    let (_core, cells) = door().await;
    let answer = session(&cells, "", credentials("alice-password")).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let body = answer.json();
    let token = body["JWT"].as_str().unwrap();
    assert_eq!(body["Token"]["AccessToken"], token);
    // Absolute seconds: a number in one place, a string in the other.
    let expires = body["ExpireTime"].as_i64().unwrap();
    assert_eq!(body["Token"]["ExpiresAt"], expires.to_string());
    assert!(expires > 1_700_000_000, "{expires}");
    assert!(body["Token"].get("RefreshToken").is_none());
    let set = answer.header("set-cookie");
    assert!(
        set.starts_with("pydio=") && set.contains("Path=/a/frontend") && set.contains("HttpOnly"),
        "{set}"
    );

    let stat = serve(&cells, request("GET", "/a/tree/stat/personal-files").bearer(token)).await;
    assert_eq!(stat.status, 200, "{}", stat.text());
}

#[tokio::test]
async fn a_wrong_password_is_a_401_in_json_that_tells_nothing_more() {
    let (_core, cells) = door().await;
    let wrong = session(&cells, "", credentials("nonsense")).await;
    let unknown = json!({ "type": "credentials", "login": "nobody", "password": "x" });
    let unknown = session(&cells, "", unknown).await;
    assert_eq!((wrong.status.as_u16(), unknown.status.as_u16()), (401, 401));
    assert_eq!(wrong.header("content-type"), "application/json");
    assert_eq!(wrong.text(), unknown.text());
}

#[tokio::test]
async fn refresh_takes_the_cookie_once_and_logout_ends_everything() {
    let (_core, cells) = door().await;
    let refresh = || json!({ "type": "refresh" });
    assert_eq!(session(&cells, "", refresh()).await.status, 401);

    let signed_in = session(&cells, "", credentials("alice-password")).await;
    let first = cookie(&signed_in);
    let refreshed = session(&cells, &first, refresh()).await;
    assert_eq!(refreshed.status, 200, "{}", refreshed.text());
    let token = refreshed.json()["JWT"].as_str().unwrap().to_owned();
    let second = cookie(&refreshed);
    assert_ne!(first, second);
    assert_eq!(session(&cells, &first, refresh()).await.status, 401, "a refresh token is used once");

    let logout = request("POST", "/a/frontend/session")
        .header("cookie", &second)
        .bearer(&token)
        .json(&json!({ "AuthInfo": { "type": "logout" } }));
    let gone = serve(&cells, logout).await;
    assert_eq!((gone.status.as_u16(), gone.text().as_str()), (200, "{}"));
    assert!(gone.header("set-cookie").contains("Max-Age=0"));
    assert_eq!(session(&cells, &second, refresh()).await.status, 401);
    let stat = serve(&cells, request("GET", "/a/tree/stat/personal-files").bearer(&token)).await;
    assert_eq!(stat.status, 401, "the access token ended too");
}

#[tokio::test]
async fn no_type_is_no_login() {
    let (_core, cells) = door().await;
    let answer =
        serve(&cells, request("POST", "/a/frontend/session").json(&json!({ "ClientTime": -5 }))).await;
    assert_eq!((answer.status.as_u16(), answer.text().as_str()), (200, "{}"));
    let signed_in = session(&cells, "", credentials("alice-password")).await;
    let resumed = session(&cells, &cookie(&signed_in), json!({})).await;
    assert!(resumed.json()["JWT"].is_string(), "{}", resumed.text());
    for kind in ["authorization_code", "external", "exchange_pat"] {
        assert_eq!(session(&cells, "", json!({ "type": kind })).await.status, 501, "{kind}");
    }
    assert_eq!(session(&cells, "", json!({ "type": "magic" })).await.status, 400);
}
