//! `POST /a/tree/selection`. Downloading it is tested at the S3 door.

use serde_json::json;

use super::{door, paths, post};

const URI: &str = "/a/tree/selection";

#[tokio::test]
async fn a_selection_gets_a_uuid_and_its_nodes() {
    let (core, cells) = door().await;
    core.put("/common-files/a.txt", "hello").await;
    let folder = core.mkdir("/common-files/dir").await;
    let body = json!({
        "Nodes": [{ "Path": "common-files/a.txt" }, { "Uuid": folder.uuid.to_string() }],
        "Persist": false,
        "TargetAction": "download",
    });
    let answer = post(&cells, "alice", URI, body).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(paths(&answer), ["common-files/a.txt", "common-files/dir"]);
    let id = answer.json()["SelectionUUID"].as_str().unwrap().to_owned();
    assert!(uuid::Uuid::try_parse(&id).is_ok(), "{id}");
}

#[tokio::test]
async fn what_cannot_be_selected_is_refused() {
    let (core, cells) = door().await;
    core.put("/common-files/a.txt", "hello").await;
    let many: Vec<_> = (0..10_001).map(|_| json!({ "Path": "common-files/a.txt" })).collect();
    for (body, status) in [
        (json!({}), 400),
        (json!({ "Nodes": null }), 400),
        (json!({ "Nodes": [{}] }), 400),
        (json!({ "Nodes": [{ "Path": "/" }] }), 400),
        (json!({ "Nodes": [{ "Path": "common-files/../a" }] }), 400),
        (json!({ "Nodes": [{ "Path": "common-files/none" }] }), 404),
        (json!({ "Nodes": [{ "Path": "nowhere" }] }), 404),
        (json!({ "Nodes": many }), 400),
        (json!({ "Nodes": [{ "Path": "common-files/a.txt" }], "Persist": true }), 501),
    ] {
        let answer = post(&cells, "alice", URI, body).await;
        assert_eq!(answer.status, status, "{}", answer.text());
    }
    let hidden = json!({ "Nodes": [{ "Path": "personal-files" }] });
    assert_eq!(post(&cells, "reader", URI, hidden).await.status, 404);
}
