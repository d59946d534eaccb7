//! `PUT /a/jobs/user/{JobName}` and `POST /a/jobs/user`.

use cellgate_core::testing::{Answer, request, serve};
use serde_json::{Value, json};

use super::{door, post};
use crate::Cells;

async fn job(cells: &Cells, login: &str, name: &str, parameters: Value) -> Answer {
    let body = json!({ "JsonParameters": parameters.to_string() });
    let put = request("PUT", &format!("/a/jobs/user/{name}")).basic(login).json(&body);
    serve(cells, put).await
}

#[tokio::test]
async fn a_move_is_done_and_its_job_is_finished() {
    let (core, cells) = door().await;
    core.put("/common-files/a.txt", "x").await;
    core.mkdir("/common-files/d").await;
    let id = core.stat("/common-files/a.txt").await.unwrap().uuid;
    let into = json!({ "nodes": ["common-files/a.txt"], "target": "common-files/d", "targetParent": true });
    let answer = job(&cells, "alice", "move", into).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(core.stat("/common-files/d/a.txt").await.unwrap().uuid, id);
    let uuid = answer.json()["JobUuid"].as_str().unwrap().to_owned();
    assert!(uuid.starts_with("copy-move-"));

    // cec polls so: a job with a task that is `Finished` is done.
    let poll = json!({ "JobIDs": [uuid], "LoadTasks": "Any", "Owner": "" });
    let jobs = post(&cells, "alice", "/a/jobs/user", poll.clone()).await.json();
    assert_eq!(jobs["Jobs"][0]["ID"], uuid);
    let task = &jobs["Jobs"][0]["Tasks"][0];
    assert_eq!(task["Status"], "Finished");
    // As the poll of the reference shows it: what is done is done as a whole.
    assert_eq!((&task["HasProgress"], &task["Progress"]), (&json!(true), &json!(1)));
    assert_eq!(task["StatusMessage"], "Moving files: finished");
    assert_eq!(post(&cells, "reader", "/a/jobs/user", poll).await.text(), "{}", "another's job");

    let as_name = json!({ "nodes": ["common-files/d/a.txt"], "target": "personal-files/b.txt" });
    assert_eq!(job(&cells, "admin", "move", as_name).await.status, 200);
    assert_eq!(core.get("/personal-files/b.txt").await.unwrap(), "x");
}

#[tokio::test]
async fn a_taken_name_gets_a_number_and_nothing_is_replaced() {
    let (core, cells) = door().await;
    core.put("/common-files/a.txt", "one").await;
    core.put("/common-files/d/a.txt", "two").await;
    let into = json!({ "nodes": ["common-files/a.txt"], "target": "common-files/d", "targetParent": true });
    assert_eq!(job(&cells, "alice", "copy", into).await.status, 200);
    assert_eq!(core.get("/common-files/d/a.txt").await.unwrap(), "two");
    assert_eq!(core.get("/common-files/d/a (1).txt").await.unwrap(), "one");
    assert_eq!(core.get("/common-files/a.txt").await.unwrap(), "one");
}

#[tokio::test]
async fn a_job_that_makes_no_sense_is_refused() {
    let (core, cells) = door().await;
    core.put("/common-files/d/a.txt", "x").await;
    let node = || json!(["common-files/d"]);
    for (name, parameters, status) in [
        ("move", json!({ "nodes": node() }), 400),
        ("move", json!({ "nodes": node(), "target": "common-files/d", "targetParent": "yes" }), 400),
        ("move", json!({ "nodes": [], "target": "common-files/x" }), 400),
        ("move", json!({ "nodes": ["common-files/none"], "target": "common-files/x" }), 404),
        ("move", json!({ "nodes": ["common-files"], "target": "personal-files/x" }), 403),
        ("move", json!({ "nodes": node(), "target": "common-files/d", "targetParent": true }), 409),
        ("compress", json!({ "nodes": node(), "archiveName": "", "format": "zip" }), 501),
        ("nonsense", json!({}), 404),
    ] {
        let answer = job(&cells, "alice", name, parameters.clone()).await;
        assert_eq!(answer.status, status, "{name} {parameters}: {}", answer.text());
    }
    let parameters = json!({ "nodes": node(), "target": "common-files/e" });
    assert_eq!(job(&cells, "reader", "move", parameters).await.status, 403);
    assert_eq!(core.get("/common-files/d/a.txt").await.unwrap(), "x");
}
