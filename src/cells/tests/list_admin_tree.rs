//! `POST /a/tree/admin/list`.

use serde_json::{Value, json};

use super::{door, post};

fn children(answer: &Value) -> Vec<String> {
    let nodes = answer["Children"].as_array().cloned().unwrap_or_default();
    nodes.iter().map(|node| node["Path"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn the_root_lists_the_datasources_as_the_api_presentation_shows() {
    let (_core, cells) = door().await;
    let answer = post(&cells, "admin", "/a/tree/admin/list", json!({ "Node": { "Path": "/" } })).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let body = answer.json();
    assert_eq!(body["Parent"], json!({ "Uuid": "ROOT", "Path": "/" }));
    assert_eq!(children(&body), ["personal", "pydiods1"]);
    assert_eq!(body["Children"][1]["Uuid"], "DATASOURCE:pydiods1");
    assert_eq!(body["Children"][1]["Type"], "COLLECTION");
}

#[tokio::test]
async fn below_a_datasource_everything_is_listed_by_path_or_uuid() {
    let (core, cells) = door().await;
    for name in ["d/b.txt", "d/.hidden", "d/sub/deep.txt"] {
        core.put(&format!("/common-files/{name}"), "x").await;
    }
    let list = async |body: Value| post(&cells, "admin", "/a/tree/admin/list", body).await.json();
    let below = list(json!({ "Node": { "Path": "pydiods1/d" }, "Limit": "2" })).await;
    assert_eq!(below["Parent"]["Path"], "pydiods1/d");
    assert_eq!(children(&below), ["pydiods1/d/.hidden", "pydiods1/d/b.txt"]);
    let uuid = core.stat("/common-files/d").await.unwrap().uuid.to_string();
    let found = list(json!({ "Node": { "Uuid": uuid }, "Recursive": true, "FilterType": "LEAF" })).await;
    assert_eq!(children(&found), ["pydiods1/d/.hidden", "pydiods1/d/b.txt", "pydiods1/d/sub/deep.txt"]);
    let up = list(json!({ "Node": { "Path": "pydiods1/d/sub" }, "Ancestors": true })).await;
    assert_eq!(children(&up), ["pydiods1/d", "pydiods1", "/"]);
}

#[tokio::test]
async fn an_unknown_node_is_404() {
    let (_core, cells) = door().await;
    for node in [
        json!({ "Path": "nowhere" }),
        json!({ "Path": "pydiods1/none" }),
        json!({ "Uuid": "00000000-0000-0000-0000-000000000001" }),
        json!({ "Uuid": "DATASOURCE:nowhere" }),
    ] {
        let answer = post(&cells, "admin", "/a/tree/admin/list", json!({ "Node": node })).await;
        assert_eq!(answer.status, 404, "{node}: {}", answer.text());
    }
    let bad = json!({ "Node": { "Uuid": "nonsense" } });
    assert_eq!(post(&cells, "admin", "/a/tree/admin/list", bad).await.status, 400);
}
