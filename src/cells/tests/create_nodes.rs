//! `POST /a/tree/create`.

use serde_json::json;

use super::{door, post};

#[tokio::test]
async fn folders_and_files_are_made_in_order_with_their_parents() {
    let (core, cells) = door().await;
    // cec mkdir -p posts every ancestor; the Go SDK sends null for every empty list.
    let body = json!({ "Nodes": [
        { "Path": "common-files/a", "Type": "COLLECTION", "AppearsIn": null, "Commits": null },
        { "Path": "common-files/a/b" },
        { "Path": "common-files/a/b", "Type": "COLLECTION" },
        { "Path": "common-files/a/n.txt", "Type": "LEAF", "MetaStore": { "Contents": "\"first \\\"line\\\"\"" } },
        { "Path": "common-files/x/y/z.txt", "Type": "LEAF" },
    ], "Recursive": true });
    let answer = post(&cells, "alice", "/a/tree/create", body).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let children = answer.json()["Children"].clone();
    let types: Vec<_> = children.as_array().unwrap().iter().map(|node| node["Type"].clone()).collect();
    assert_eq!(types, ["COLLECTION", "COLLECTION", "LEAF", "LEAF"]);
    assert!(core.stat("/common-files/a/b").await.unwrap().is_collection());
    assert_eq!(core.get("/common-files/a/n.txt").await.unwrap(), "first \"line\"");
    let blank = core.stat("/common-files/x/y/z.txt").await.unwrap();
    assert_eq!((blank.size, blank.mime.as_str()), (1, "text/plain"));
}

#[tokio::test]
async fn an_existing_target_is_a_conflict_and_keeps_its_content() {
    let (core, cells) = door().await;
    core.put("/common-files/a.txt", "kept").await;
    core.mkdir("/common-files/d").await;
    for node in [
        json!({ "Path": "common-files/a.txt", "Type": "LEAF" }),
        json!({ "Path": "common-files/a.txt", "Type": "COLLECTION" }),
        json!({ "Path": "common-files/d", "Type": "COLLECTION" }),
        json!({ "Path": "common-files/d", "Type": "LEAF" }),
        json!({ "Path": "common-files/a.txt/below", "Type": "LEAF" }),
    ] {
        let answer = post(&cells, "alice", "/a/tree/create", json!({ "Nodes": [node] })).await;
        assert_eq!(answer.status, 409, "{node}: {}", answer.text());
    }
    assert_eq!(core.get("/common-files/a.txt").await.unwrap(), "kept");
}

#[tokio::test]
async fn who_may_only_read_creates_nothing() {
    let (core, cells) = door().await;
    let body = json!({ "Nodes": [{ "Path": "common-files/new" }] });
    assert_eq!(post(&cells, "reader", "/a/tree/create", body).await.status, 403);
    assert!(core.stat("/common-files/new").await.is_err());
    let template = json!({ "Nodes": [{ "Path": "common-files/new" }], "TemplateUUID": "x" });
    assert_eq!(post(&cells, "alice", "/a/tree/create", template).await.status, 501);
}
