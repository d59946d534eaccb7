//! `POST /a/tree/delete` and `POST /a/tree/restore`.

use cellgate_core::NodePath;
use cellgate_core::lock::LockRequest;
use serde_json::json;

use super::{door, paths, post};

#[tokio::test]
async fn the_first_removal_goes_to_the_bin_and_the_second_is_for_good() {
    let (core, cells) = door().await;
    core.put("/common-files/d/a.txt", "x").await;
    let body = json!({ "Nodes": [{ "Path": "common-files/d/" }] });
    let answer = post(&cells, "alice", "/a/tree/delete", body).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let job = answer.json()["DeleteJobs"][0]["Uuid"].as_str().unwrap().to_owned();
    assert!(job.starts_with("copy-move-"), "{job}");
    assert!(core.stat("/common-files/d").await.is_err());
    assert_eq!(core.get("/common-files/recycle_bin/d/a.txt").await.unwrap(), "x");

    // The bin is an ordinary folder of the listing.
    let listed = post(&cells, "alice", "/a/tree/stats", json!({ "NodePaths": ["common-files/*"] })).await;
    assert_eq!(paths(&listed), ["common-files/recycle_bin"]);

    let body = json!({ "Nodes": [{ "Path": "common-files/recycle_bin/d" }] });
    let answer = post(&cells, "alice", "/a/tree/delete", body).await;
    let job = answer.json()["DeleteJobs"][0]["Uuid"].as_str().unwrap().to_owned();
    assert!(job.starts_with("delete-"), "{job}");
    assert!(core.stat("/common-files/recycle_bin/d").await.is_err());
}

#[tokio::test]
async fn removing_permanently_leaves_nothing_in_the_bin() {
    let (core, cells) = door().await;
    core.put("/common-files/a.txt", "x").await;
    let body = json!({ "Nodes": [{ "Path": "common-files/a.txt" }], "RemovePermanently": true });
    assert_eq!(post(&cells, "alice", "/a/tree/delete", body).await.status, 200);
    assert!(core.stat("/common-files/a.txt").await.is_err());
    assert!(core.stat("/common-files/recycle_bin/a.txt").await.is_err());
}

#[tokio::test]
async fn a_refused_removal_removes_nothing_of_its_list() {
    let (core, cells) = door().await;
    core.put("/common-files/a.txt", "x").await;
    for (second, status) in [("common-files/none", 404), ("common-files", 403), ("", 403)] {
        let body = json!({ "Nodes": [{ "Path": "common-files/a.txt" }, { "Path": second }] });
        assert_eq!(post(&cells, "alice", "/a/tree/delete", body).await.status, status, "{second}");
    }
    let body = json!({ "Nodes": [{ "Path": "common-files/a.txt" }] });
    assert_eq!(post(&cells, "reader", "/a/tree/delete", body).await.status, 403);
    assert_eq!(core.get("/common-files/a.txt").await.unwrap(), "x");
}

#[tokio::test]
async fn a_lock_of_another_stops_the_removal_with_423() {
    let (core, cells) = door().await;
    core.put("/common-files/d/a.txt", "x").await;
    let lock = LockRequest {
        owner: String::new(),
        deep: false,
        shared: false,
        timeout_s: None,
        create: false,
        tokens: Vec::new(),
    };
    let path = NodePath::parse("/common-files/d/a.txt").unwrap();
    core.tree("admin").await.lock(&path, &lock).await.unwrap();
    for permanently in [false, true] {
        let body = json!({ "Nodes": [{ "Path": "common-files/d" }], "RemovePermanently": permanently });
        let answer = post(&cells, "alice", "/a/tree/delete", body).await;
        assert_eq!(answer.status, 423, "{}", answer.text());
    }
    assert_eq!(core.get("/common-files/d/a.txt").await.unwrap(), "x");
}

#[tokio::test]
async fn what_was_recycled_comes_back_by_path_or_uuid() {
    let (core, cells) = door().await;
    for name in ["a.txt", "b.txt"] {
        core.put(&format!("/common-files/d/{name}"), name).await;
        let body = json!({ "Nodes": [{ "Path": format!("common-files/d/{name}") }] });
        assert_eq!(post(&cells, "alice", "/a/tree/delete", body).await.status, 200);
    }
    let b = core.stat("/common-files/recycle_bin/b.txt").await.unwrap();
    let body = json!({ "Nodes": [
        { "Path": "common-files/recycle_bin/a.txt" },
        // The mobile client: a path without its workspace, and the uuid.
        { "Path": "recycle_bin/b.txt", "Uuid": b.uuid.to_string() },
    ] });
    let answer = post(&cells, "alice", "/a/tree/restore", body).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.json()["RestoreJobs"][1]["NodeUuid"], b.uuid.to_string());
    for name in ["a.txt", "b.txt"] {
        assert_eq!(core.get(&format!("/common-files/d/{name}")).await.unwrap(), name);
    }
    let not_in_bin = json!({ "Nodes": [{ "Path": "common-files/d/a.txt" }] });
    let answer = post(&cells, "alice", "/a/tree/restore", not_in_bin).await;
    assert!(answer.status.is_client_error(), "{} {}", answer.status, answer.text());
}
