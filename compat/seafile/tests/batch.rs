//! Batches and single tasks.

use serde_json::json;

use super::Client;

const MOVE: &str = "/api/v2.1/repos/sync-batch-move-item/";
const COPY: &str = "/api/v2.1/repos/sync-batch-copy-item/";

#[tokio::test]
async fn a_folder_moves_as_rclone_moves_it() {
    let client = Client::new("alice").await;
    client.core.put("/common-files/src/sub/a.txt", "abc").await;
    client.core.mkdir("/common-files/dst").await;
    let id = client.core.stat("/common-files/src/sub/a.txt").await.unwrap().uuid;
    let body = json!({
        "src_repo_id": "COMMON", "src_parent_dir": "/src", "src_dirents": ["sub"],
        "dst_repo_id": "COMMON", "dst_parent_dir": "/dst",
    });
    let answer = client.json("POST", MOVE, &body).await;
    assert_eq!((answer.status.as_u16(), answer.json()), (200, json!({ "success": true })));
    assert_eq!(client.core.stat("/common-files/dst/sub/a.txt").await.unwrap().uuid, id);
    // Gone from where it was.
    assert_eq!(client.json("POST", MOVE, &body).await.status, 404);
}

#[tokio::test]
async fn copies_take_free_names_and_asynchronous_forms_are_done_at_once() {
    let client = Client::new("alice").await;
    client.core.put("/common-files/a.txt", "abc").await;
    client.core.put("/common-files/b.txt", "abc").await;
    client.core.put("/common-files/d/a.txt", "taken").await;
    let form = "src_repo_id=COMMON&src_parent_dir=/&src_dirents=a.txt&src_dirents=b.txt\
        &dst_repo_id=COMMON&dst_parent_dir=/d";
    assert_eq!(client.form(COPY, form).await.json(), json!({ "success": true }));
    assert_eq!(client.core.get("/common-files/d/a.txt").await.unwrap(), "taken");
    assert_eq!(client.core.get("/common-files/d/a (1).txt").await.unwrap(), "abc");
    let answer = client.form("/api/v2.1/repos/async-batch-copy-item/", form).await;
    assert_eq!(answer.json(), json!({ "task_id": "" }));
    assert_eq!(client.core.get("/common-files/d/b (1).txt").await.unwrap(), "abc");
    let task = "src_repo_id=COMMON&src_parent_dir=/&src_dirent_name=b.txt&dst_repo_id=PERSONAL\
        &dst_parent_dir=/&operation=move&dirent_type=file";
    assert_eq!(client.form("/api/v2.1/copy-move-task/", task).await.json(), json!({}));
    assert!(client.core.stat("/common-files/b.txt").await.is_err());
}

#[tokio::test]
async fn a_refused_batch_moves_nothing() {
    let client = Client::new("alice").await;
    client.core.put("/common-files/d/sub/a.txt", "abc").await;
    client.core.put("/common-files/a.txt", "abc").await;
    let ask = async |dirents: serde_json::Value, dst: &str| {
        let body = json!({
            "src_repo_id": "COMMON", "src_parent_dir": "/", "src_dirents": dirents,
            "dst_repo_id": "COMMON", "dst_parent_dir": dst,
        });
        client.json("POST", MOVE, &body).await.status.as_u16()
    };
    assert_eq!(ask(json!(["a.txt", "d"]), "/d/sub").await, 400, "into its own subtree");
    assert_eq!(ask(json!(["a.txt", "none"]), "/d").await, 404);
    assert_eq!(ask(json!(["a.txt"]), "/none").await, 404);
    assert_eq!(ask(json!(["a.txt", "../x"]), "/d").await, 400);
    assert_eq!(ask(json!([]), "/d").await, 400);
    assert_eq!(client.core.get("/common-files/a.txt").await.unwrap(), "abc");

    let reader = Client::on(client.core, "reader").await;
    let body = json!({
        "src_repo_id": "COMMON", "src_parent_dir": "/", "src_dirents": ["a.txt"],
        "dst_repo_id": "COMMON", "dst_parent_dir": "/d",
    });
    let answer = reader.json("POST", MOVE, &body).await;
    assert_eq!((answer.status.as_u16(), answer.json()), (403, json!({ "error_msg": "Permission denied." })));
}

#[tokio::test]
async fn a_batch_of_deletions_skips_what_is_missing() {
    let client = Client::new("alice").await;
    client.core.put("/common-files/d/a.txt", "abc").await;
    let body = json!({ "repo_id": "COMMON", "parent_dir": "/d", "dirents": ["none", "a.txt"] });
    let answer = client.json("DELETE", "/api/v2.1/repos/batch-delete-item/", &body).await.json();
    assert_eq!((&answer["success"], answer["commit_id"].as_str().unwrap().len()), (&json!(true), 40));
    assert!(client.core.stat("/common-files/d/a.txt").await.is_err());
}
