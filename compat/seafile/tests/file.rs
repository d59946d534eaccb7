//! Files: detail, create, rename, move, copy, delete.

use serde_json::json;

use super::Client;

#[tokio::test]
async fn detail_is_what_clients_check_existence_with() {
    let client = Client::new("alice").await;
    client.core.put("/common-files/d/a b.txt", "abc").await;
    let answer = client.get("/api2/repos/COMMON/file/detail/?p=/d/a%20b.txt").await;
    let detail = answer.json();
    assert_eq!(
        (&detail["type"], &detail["name"], &detail["size"]),
        (&json!("file"), &json!("a b.txt"), &json!(3))
    );
    assert!(detail["last_modified"].as_str().unwrap().ends_with("+00:00"));
    let listed = client.get("/api2/repos/COMMON/dir/?p=/d").await.json();
    assert_eq!(detail["id"], listed[0]["id"], "one id everywhere");
    for missing in ["none", "d", "d/a b.txt/x"] {
        let answer =
            client.get(&format!("/api2/repos/COMMON/file/detail/?p=/{}", missing.replace(' ', "+"))).await;
        assert_eq!(answer.status, 404, "{missing}");
        assert_eq!(answer.json()["error_msg"], format!("File /{missing} not found."));
    }
    assert_eq!(client.get("/api2/repos/COMMON/file/detail/").await.status, 400);
}

#[tokio::test]
async fn an_id_follows_content_and_not_the_name() {
    let client = Client::new("alice").await;
    client.core.put("/common-files/a.txt", "abc").await;
    let id = async |name: &str| {
        client.get(&format!("/api2/repos/COMMON/file/detail/?p=/{name}")).await.json()["id"].clone()
    };
    let before = id("a.txt").await;
    client.form("/api2/repos/COMMON/file/?p=/a.txt", "operation=rename&newname=b.txt").await;
    assert_eq!(id("b.txt").await, before);
    let tree = client.core.tree("admin").await;
    let path = cellgate_core::NodePath::parse("/common-files/b.txt").unwrap();
    tree.write(&path, cellgate_core::testing::body("abd"), Default::default()).await.unwrap();
    assert_ne!(id("b.txt").await, before);
    tree.write(&path, cellgate_core::testing::body(""), Default::default()).await.unwrap();
    assert_eq!(id("b.txt").await, "0".repeat(40), "the empty file");
}

#[tokio::test]
async fn v2_renames_and_moves_answer_301_with_a_location_that_works() {
    let client = Client::new("alice").await;
    client.core.put("/common-files/a.txt", "abc").await;
    client.core.mkdir("/common-files/d").await;
    let made = client.form("/api2/repos/COMMON/file/?p=/a.txt", "operation=create").await;
    assert_eq!(made.status, 201);
    assert_eq!(client.core.stat("/common-files/a (1).txt").await.unwrap().size, 0);

    let renamed = client.form("/api2/repos/COMMON/file/?p=/a.txt", "operation=rename&newname=b.txt").await;
    assert_eq!((renamed.status.as_u16(), renamed.text().as_str()), (301, "\"success\""));
    let location = renamed.header("location").strip_prefix("http://localhost:8080").unwrap().to_owned();
    assert!(client.link(&location).await.starts_with("/seafhttp/files/"));
    let same = client.form("/api2/repos/COMMON/file/?p=/b.txt", "operation=rename&newname=b.txt").await;
    assert_eq!(same.status, 409);

    let moved =
        client.form("/api2/repos/COMMON/file/?p=/b.txt", "operation=move&dst_repo=COMMON&dst_dir=/d").await;
    assert_eq!(moved.status, 301);
    assert_eq!(moved.json(), json!({ "repo_id": client.common, "parent_dir": "/d/", "obj_name": "b.txt" }));
    let copied = client
        .form("/api2/repos/COMMON/file/?p=/d/b.txt", "operation=copy&dst_repo=PERSONAL&dst_dir=/")
        .await;
    assert_eq!(copied.status, 200, "{}", copied.text());
    assert_eq!(copied.json()["repo_id"], client.personal);
    assert_eq!(client.core.get("/common-files/d/b.txt").await.unwrap(), "abc");
    let own = client.core.tree("alice").await;
    let path = cellgate_core::NodePath::parse("/personal-files/b.txt").unwrap();
    assert_eq!(own.stat(&path).await.unwrap().size, 3);
}

#[tokio::test]
async fn v21_moves_as_rclone_asks_for_them() {
    let client = Client::new("alice").await;
    client.core.put("/common-files/a.txt", "abc").await;
    client.core.put("/common-files/d/a.txt", "taken").await;
    let ask = async |path: &str, body: serde_json::Value| {
        client.json("POST", &format!("/api/v2.1/repos/COMMON/file/?p={path}"), &body).await
    };
    // All four keys always.
    let rename = json!({ "operation": "rename", "dst_repo": "", "dst_dir": "", "newname": "b.txt" });
    let object = ask("/a.txt", rename).await.json();
    assert_eq!(
        (&object["type"], &object["obj_name"], &object["size"]),
        (&json!("file"), &json!("b.txt"), &json!(3))
    );
    let copy = json!({ "operation": "copy", "dst_repo": "COMMON", "dst_dir": "/", "newname": "" });
    assert_eq!(ask("/b.txt", copy).await.json()["obj_name"], "b (1).txt", "into its own folder");
    let stay = json!({ "operation": "move", "dst_repo": "COMMON", "dst_dir": "/", "newname": "" });
    assert_eq!(ask("/b.txt", stay).await.json()["obj_name"], "b.txt", "nothing to do");
    let rename = json!({ "operation": "rename", "newname": "a.txt" });
    assert_eq!(ask("/b.txt", rename).await.status, 200);
    let object =
        ask("/a.txt", json!({ "operation": "move", "dst_repo": "COMMON", "dst_dir": "/d" })).await.json();
    assert_eq!((&object["obj_name"], &object["parent_dir"]), (&json!("a (1).txt"), &json!("/d")));
    assert_eq!(object["obj_id"].as_str().unwrap().len(), 40);
    assert_eq!(client.core.get("/common-files/d/a.txt").await.unwrap(), "taken");

    for (path, body, status) in [
        ("/none", json!({ "operation": "rename", "newname": "x" }), 404),
        ("/d", json!({ "operation": "rename", "newname": "x" }), 404),
        ("/d/a.txt", json!({ "operation": "rename", "newname": ".." }), 400),
        ("/d/a.txt", json!({ "operation": "rename" }), 400),
        ("/d/a.txt", json!({ "operation": "move", "dst_repo": "", "dst_dir": "/" }), 400),
        ("/d/a.txt", json!({ "operation": "move", "dst_repo": "COMMON", "dst_dir": "/none" }), 404),
        ("/d/a.txt", json!({ "operation": "revert", "commit_id": "x" }), 501),
        ("/d/a.txt", json!({ "operation": "dance" }), 400),
    ] {
        let answer = ask(path, body.clone()).await;
        assert_eq!(answer.status, status, "{path} {body}: {}", answer.text());
        assert!(answer.json()["error_msg"].is_string());
    }
}

#[tokio::test]
async fn deleting_succeeds_twice() {
    let client = Client::new("alice").await;
    client.core.put("/common-files/a.txt", "abc").await;
    client.core.put("/common-files/b.txt", "abc").await;
    for _ in 0..2 {
        let answer = client.delete("/api2/repos/COMMON/file/?p=/a.txt").await;
        assert_eq!((answer.status.as_u16(), answer.text().as_str()), (200, "\"success\""));
    }
    assert!(client.core.stat("/common-files/a.txt").await.is_err());
    let first = client.delete("/api/v2.1/repos/COMMON/file/?p=/b.txt").await.json();
    assert_eq!((&first["success"], first["commit_id"].as_str().unwrap().len()), (&json!(true), 40));
    let second = client.delete("/api/v2.1/repos/COMMON/file/?p=/b.txt").await.json();
    assert_eq!(second, json!({ "success": true }));
}
