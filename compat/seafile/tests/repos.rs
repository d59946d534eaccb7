//! Libraries.

use serde_json::Value;

use super::Client;

fn by_name<'a>(list: &'a Value, key: &str, name: &str) -> &'a Value {
    list.as_array().unwrap().iter().find(|entry| entry[key] == name).unwrap()
}

#[tokio::test]
async fn workspaces_are_libraries() {
    let client = Client::new("alice").await;
    let list = client.get("/api2/repos/").await;
    assert_eq!(list.header("enable_encrypted_library"), "False");
    let list = list.json();
    assert_eq!(list.as_array().unwrap().len(), 2);
    let own = by_name(&list, "name", "Personal Files");
    assert_eq!((&own["id"], &own["type"]), (&client.personal.clone().into(), &"repo".into()));
    assert_eq!(own["encrypted"], false, "a bool here");
    assert_eq!(own["permission"], "rw");
    assert!(own["mtime"].is_i64() && own["size"].is_i64());
    let commit = own["head_commit_id"].as_str().unwrap();
    assert_eq!(commit.len(), 40);
    assert_eq!(by_name(&list, "name", "Common Files")["type"], "grepo");

    let mine = client.get("/api2/repos?type=mine").await.json();
    assert_eq!(mine.as_array().unwrap().len(), 1);
    let part = client.get("/api2/repos/?nameContains=COMM").await.json();
    assert_eq!(part[0]["name"], "Common Files");

    let v21 = client.get("/api/v2.1/repos/").await.json();
    let own = by_name(&v21["repos"], "repo_name", "Personal Files");
    assert_eq!((&own["repo_id"], &own["type"]), (&client.personal.clone().into(), &"mine".into()));
    // `Z` is what older Python does not read.
    assert!(own["last_modified"].as_str().unwrap().ends_with("+00:00"));
}

#[tokio::test]
async fn one_library_by_its_id() {
    let client = Client::new("reader").await;
    let one = client.get("/api2/repos/COMMON").await.json();
    assert_eq!((&one["name"], &one["permission"]), (&"Common Files".into(), &"r".into()));
    let v21 = client.get("/api/v2.1/repos/COMMON/").await.json();
    assert_eq!((&v21["repo_name"], &v21["lib_need_decrypt"]), (&"Common Files".into(), &false.into()));
    for hidden in ["PERSONAL", "00000000-0000-0000-0000-000000000000"] {
        for path in ["/api2/repos/ID/", "/api/v2.1/repos/ID/", "/api2/repos/ID/dir/?p=/"] {
            let answer = client.get(&path.replace("ID", hidden)).await;
            assert_eq!(answer.status, 404, "{path}");
            assert!(answer.json()["error_msg"].as_str().unwrap().starts_with("Library "), "{path}");
        }
    }
}
