//! Who may call what, and how refusals look.

use cellgate_core::testing::{request, serve};
use serde_json::json;

use super::{door, get, post};

#[tokio::test]
async fn a_bad_token_is_plain_text_and_so_is_an_administrators_endpoint() {
    let (_core, cells) = door().await;
    let bad = serve(&cells, request("GET", "/a/tree/stat/common-files").bearer("nonsense")).await;
    assert_eq!((bad.status.as_u16(), bad.text().as_str()), (401, "Unauthorized.\n"));
    assert!(bad.header("content-type").starts_with("text/plain"));

    let anonymous = serve(&cells, request("GET", "/a/tree/stat/common-files")).await;
    assert_eq!((anonymous.status.as_u16(), anonymous.text().as_str()), (401, "Unauthorized\n"));
    // Cells takes a scheme it does not know for none.
    let digest = request("GET", "/a/tree/stat/common-files").header("authorization", "Digest x");
    assert_eq!(serve(&cells, digest).await.text(), "Unauthorized\n");

    let user = post(&cells, "alice", "/a/tree/admin/list", json!({ "Node": { "Path": "/" } })).await;
    assert_eq!((user.status.as_u16(), user.text().as_str()), (401, "Unauthorized\n"));
}

#[tokio::test]
async fn what_is_not_built_and_what_is_unknown_answer_in_json() {
    let (_core, cells) = door().await;
    for (method, path, status) in [
        ("GET", "/a/frontend/state", 501),
        ("PUT", "/a/share/link", 501),
        ("GET", "/a/config/some/key", 501),
        ("GET", "/a/no/such/thing", 404),
        ("GET", "/a", 404),
        ("DELETE", "/a/tree/stats", 405),
    ] {
        let answer = serve(&cells, request(method, path).basic("alice")).await;
        assert_eq!(answer.status, status, "{method} {path}");
        assert_eq!(answer.header("content-type"), "application/json", "{method} {path}");
        assert!(answer.json()["Title"].is_string(), "{method} {path}");
    }
    let answer = serve(&cells, request("DELETE", "/a/tree/stats").basic("alice")).await;
    assert_eq!(answer.header("allow"), "POST");
}

#[tokio::test]
async fn bad_input_is_a_rest_error_and_changes_nothing() {
    let (core, cells) = door().await;
    for (path, body) in [
        ("/a/tree/stats", r#"{"NodePaths":"#),
        ("/a/tree/stats", r#"{"NodePaths":["common-files/../x"]}"#),
        ("/a/tree/stats", r#"{"NodePaths":["common-files/a\u0000b/*"]}"#),
        ("/a/tree/stats", r#"{"NodePaths":["/*"],"Limit":-1}"#),
        ("/a/tree/stats", r#"{"NodePaths":["/*"],"Filters":{"type":"X"}}"#),
        ("/a/tree/create", r#"{"Nodes":[]}"#),
        ("/a/tree/create", r#"{"Nodes":[{"Path":"common-files/ok"},{"Path":"common-files/.."}]}"#),
        (
            "/a/tree/create",
            r#"{"Nodes":[{"Path":"common-files/a","Type":"LEAF","MetaStore":{"Contents":"bare"}}]}"#,
        ),
        ("/a/tree/delete", r#"[]"#),
    ] {
        let answer = serve(&cells, request("POST", path).basic("alice").body(body)).await;
        assert_eq!(answer.status, 400, "{path} {body}: {}", answer.text());
        assert!(answer.json()["Detail"].as_str().unwrap().starts_with("Bad Request: "), "{body}");
    }
    assert!(core.stat("/common-files/ok").await.is_err());
    let long = format!("/a/tree/stat/common-files%2F{}", "x".repeat(256));
    assert_eq!(get(&cells, "alice", &long).await.status, 404);
    assert_eq!(get(&cells, "alice", "/a/tree/stat/common-files%2F%ff").await.status, 404);
}
