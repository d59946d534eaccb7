//! Signing in, pings, server and account.

use cellgate_core::identity::NewKey;
use cellgate_core::principal::Scope;
use cellgate_core::testing::{core, request, serve, test_core};
use serde_json::json;

use super::{Client, multipart, post_form, sign_in};
use crate::Seafile;

#[tokio::test]
async fn a_token_is_40_hex_in_one_compact_line_and_the_same_each_time() {
    let door = Seafile::new(core().await);
    let forms = [
        request("POST", "/api2/auth-token/")
            .header("content-type", "application/x-www-form-urlencoded")
            .body("username=alice&password=alice-password"),
        // rclone
        request("POST", "/api2/auth-token/")
            .json(&json!({ "username": "alice", "password": "alice-password" })),
        // Seadroid
        post_form(
            "/api2/auth-token/",
            multipart(&[("username", None, "alice@auth.local"), ("password", None, "alice-password")]),
        ),
    ];
    let mut tokens = Vec::new();
    for form in forms {
        let answer = serve(&door, form).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        // Scripts cut it out with sed: no blanks, no line end.
        let token = answer.text();
        let token =
            token.strip_prefix("{\"token\":\"").and_then(|rest| rest.strip_suffix("\"}")).unwrap().to_owned();
        assert!(token.len() == 40 && token.bytes().all(|byte| byte.is_ascii_hexdigit()), "{token}");
        tokens.push(token);
    }
    assert!(tokens.iter().all(|token| *token == tokens[0]));
    let device = "username=alice&password=alice-password&platform=linux&device_id=d1&device_name=n";
    let device = request("POST", "/api2/auth-token/").body(device);
    assert_ne!(serve(&door, device).await.json()["token"], tokens[0], "each device has its own");
}

#[tokio::test]
async fn refused_sign_ins_say_what_the_reference_says() {
    let door = Seafile::new(core().await);
    for (form, expected) in [
        (
            "username=alice&password=x",
            json!({ "non_field_errors": ["Unable to login with provided credentials."] }),
        ),
        (
            "username=no&password=x",
            json!({ "non_field_errors": ["Unable to login with provided credentials."] }),
        ),
        ("username=alice", json!({ "password": ["This field is required."] })),
        ("password=x", json!({ "username": ["This field is required."] })),
        ("username=a&password=b&platform=linux", json!({ "non_field_errors": ["invalid params"] })),
    ] {
        let answer = serve(&door, request("POST", "/api2/auth-token/").body(form)).await;
        assert_eq!((answer.status.as_u16(), answer.json()), (400, expected), "{form}");
    }
}

#[tokio::test]
async fn pings_and_both_schemes() {
    let client = Client::new("alice").await;
    let open = serve(&client.door, request("GET", "/api2/ping/")).await;
    assert_eq!((open.status.as_u16(), open.text().as_str()), (200, "\"pong\""));
    assert_eq!(client.get("/api2/auth/ping/").await.text(), "\"pong\"");
    let bearer = request("GET", "/api2/auth/ping").bearer(&client.token);
    assert_eq!(serve(&client.door, bearer).await.text(), "\"pong\"");

    let none = serve(&client.door, request("GET", "/api2/auth/ping/")).await;
    assert_eq!(none.status, 403);
    assert_eq!(none.json(), json!({ "detail": "Authentication credentials were not provided." }));
    let wrong =
        request("GET", "/api2/auth/ping/").header("authorization", format!("Token {}", "0".repeat(40)));
    let wrong = serve(&client.door, wrong).await;
    assert_eq!((wrong.status.as_u16(), wrong.json()), (401, json!({ "detail": "Invalid token" })));
}

#[tokio::test]
async fn server_and_account_have_what_rclone_reads() {
    let client = Client::new("alice").await;
    let server = serve(&client.door, request("GET", "/api2/server-info/")).await.json();
    let version: Vec<u32> =
        server["version"].as_str().unwrap().split('.').map(|part| part.parse().unwrap()).collect();
    assert!(version.len() == 3 && version[0] >= 7, "{version:?}");
    assert_eq!(server["features"], json!(["seafile-basic"]));
    let account = client.get("/api2/account/info/").await.json();
    assert_eq!(account["email"], "alice@auth.local");
    assert_eq!(account["total"], -2);
    assert!(account["usage"].is_i64() && account["space_usage"].as_str().unwrap().ends_with('%'));
}

#[tokio::test]
async fn a_token_ends_with_its_user() {
    let client = Client::new("alice").await;
    client.core.identity().delete_user("alice").await.unwrap();
    assert_eq!(client.get("/api2/auth/ping/").await.status, 401);
    let door = Seafile::new(client.core.core.clone());
    assert_eq!(sign_in(&door, "admin").await.len(), 40);
}

#[tokio::test]
async fn a_token_signed_in_for_with_a_key_has_its_limits_and_ends_with_it() {
    let core = test_core().await;
    let identity = core.identity();
    core.put("/common-files/in/a.txt", "x").await;
    core.put("/common-files/out/a.txt", "x").await;
    let alice = identity.user("alice").await.unwrap().unwrap();
    let scope = Scope { path: Some("/common-files/in".into()), ..Scope::default() };
    let new = NewKey { label: "laptop".into(), scope, expires_in_s: Some(3_600) };
    let (key, secret) = identity.create_key(alice.uuid, new).await.unwrap();
    let door = Seafile::new(core.core.clone());
    let sign_in = json!({ "username": key.id, "password": secret });
    let answer = serve(&door, request("POST", "/api2/auth-token/").json(&sign_in)).await;
    let token = answer.json()["token"].as_str().unwrap().to_owned();

    let kept = identity.tokens(alice.uuid).await.unwrap();
    assert!(kept[0].expires_ns.unwrap() <= key.expires_ns.unwrap(), "it does not outlive the key");
    let workspaces = identity.workspaces().await.unwrap();
    let id = workspaces.iter().find(|known| known.slug == "common-files").unwrap().uuid;
    let list = async |folder: &str| {
        let path = format!("/api2/repos/{id}/dir/?p=/{folder}");
        let list = request("GET", &path).header("authorization", format!("Token {token}"));
        serve(&door, list).await.status.as_u16()
    };
    assert_eq!((list("in").await, list("out").await), (200, 404));
    identity.delete_key(&key.id).await.unwrap();
    assert_eq!(list("in").await, 401);
}
