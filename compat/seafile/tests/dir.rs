//! Folders, both versions.

use serde_json::json;

use super::{Client, names};

#[tokio::test]
async fn a_listing_has_folders_first_and_the_headers_of_the_reference() {
    let client = Client::new("alice").await;
    for path in ["docs/b.txt", "docs/A.txt", "docs/sub/deep.txt", "docs/é [1].txt"] {
        client.core.put(&format!("/common-files/{path}"), "abc").await;
    }
    let answer = client.get("/api2/repos/COMMON/dir/?p=/docs").await;
    let list = answer.json();
    assert_eq!(names(&list), ["sub", "A.txt", "b.txt", "é [1].txt"]);
    assert_eq!(answer.header("oid").len(), 40);
    assert_eq!(answer.header("dir_perm"), "rw");
    let node = client.core.stat("/common-files/docs/b.txt").await.unwrap();
    let file = &list[2];
    assert_eq!(
        (&file["type"], &file["size"], &file["permission"]),
        (&json!("file"), &json!(3), &json!("rw"))
    );
    assert_eq!(file["mtime"], node.mtime_s());
    assert!(file.get("parent_dir").is_none());
    assert!(list[0].get("size").is_none());
    for same in ["docs", "docs/", "/docs/", "%2Fdocs"] {
        assert_eq!(client.get(&format!("/api2/repos/COMMON/dir/?p={same}")).await.json(), list, "{same}");
    }
    assert_eq!(names(&client.get("/api2/repos/COMMON/dir/?p=/docs&t=d").await.json()), ["sub"]);
    assert_eq!(client.get("/api2/repos/COMMON/dir/?p=/docs&recursive=2").await.status, 400);
}

#[tokio::test]
async fn recursive_listings_name_parents_by_the_rule() {
    let client = Client::new("alice").await;
    client.core.put("/common-files/foo/sub/deep.txt", "x").await;
    client.core.put("/common-files/foo/a.txt", "x").await;
    let pairs = |list: &serde_json::Value| -> Vec<String> {
        let list = list.as_array().unwrap();
        list.iter()
            .map(|e| format!("{} {}", e["parent_dir"].as_str().unwrap(), e["name"].as_str().unwrap()))
            .collect()
    };
    let whole = client.get("/api2/repos/COMMON/dir/?p=/&recursive=1").await.json();
    assert_eq!(pairs(&whole), ["/ foo", "/foo a.txt", "/foo sub", "/foo/sub deep.txt"]);
    let below = client.get("/api/v2.1/repos/COMMON/dir/?p=/foo&recursive=1").await.json();
    assert_eq!(below.as_object().unwrap().len(), 1, "nothing but dirent_list");
    assert_eq!(pairs(&below["dirent_list"]), ["/foo/ a.txt", "/foo/ sub", "/foo/sub deep.txt"]);
}

#[tokio::test]
async fn an_unchanged_folder_is_uptodate_and_a_changed_one_is_not() {
    let client = Client::new("alice").await;
    client.core.put("/common-files/d/a.txt", "one").await;
    let oid = client.get("/api2/repos/COMMON/dir/?p=/d").await.header("oid").to_owned();
    let again = format!("/api2/repos/COMMON/dir/?p=/d&oid={oid}");
    assert_eq!(client.get(&again).await.text(), "\"uptodate\"");
    client.core.put("/common-files/d/b.txt", "new").await;
    assert_eq!(names(&client.get(&again).await.json()), ["a.txt", "b.txt"]);
    let oid = client.get("/api2/repos/COMMON/dir/?p=/d").await.header("oid").to_owned();
    let tree = client.core.tree("admin").await;
    let path = cellgate_core::NodePath::parse("/common-files/d/a.txt").unwrap();
    tree.write(&path, cellgate_core::testing::body("changed"), Default::default()).await.unwrap();
    let listed = client.get(&format!("/api2/repos/COMMON/dir/?p=/d&oid={oid}")).await;
    assert!(listed.json().is_array(), "new content of a file is a change of its folder: {}", listed.text());
}

#[tokio::test]
async fn v21_listings_have_what_rclone_reads() {
    let client = Client::new("reader").await;
    client.core.put("/common-files/docs/a.txt", "abc").await;
    let list = client.get("/api/v2.1/repos/COMMON/dir/?p=/docs&recursive=0").await.json();
    assert_eq!((&list["user_perm"], list["dir_id"].as_str().unwrap().len()), (&json!("r"), 40));
    let file = &list["dirent_list"][0];
    assert_eq!((&file["parent_dir"], &file["size"]), (&json!("/docs/"), &json!(3)));
    assert!(file["mtime"].is_i64());
    let detail = client.get("/api/v2.1/repos/COMMON/dir/detail/?path=docs/").await.json();
    assert_eq!((&detail["path"], &detail["name"]), (&json!("/docs/"), &json!("docs")));
    assert_eq!(client.get("/api/v2.1/repos/COMMON/dir/detail/?path=/").await.status, 400);
    for missing in ["none", "docs/a.txt", "docs/a.txt/x"] {
        for path in [
            "api/v2.1/repos/COMMON/dir/detail/?path=",
            "api/v2.1/repos/COMMON/dir/?p=",
            "api2/repos/COMMON/dir/?p=",
        ] {
            let answer = client.get(&format!("/{path}/{missing}")).await;
            assert_eq!(answer.status, 404, "{path}{missing}");
            assert_eq!(answer.json()["error_msg"], format!("Folder /{missing} not found."));
        }
    }
}

#[tokio::test]
async fn mkdir_takes_a_free_name_and_create_parents_keeps_what_is_there() {
    let client = Client::new("alice").await;
    let made = client.form("/api2/repos/COMMON/dir/?p=/new", "operation=mkdir").await;
    assert_eq!((made.status.as_u16(), made.text().as_str()), (201, "\"success\""));
    let expected = format!("http://localhost:8080/api2/repos/{}/dir/?p=/new", client.common);
    assert_eq!(made.header("location"), expected);
    assert_eq!(client.form("/api2/repos/COMMON/dir/?p=/new", "operation=mkdir").await.status, 201);
    assert!(client.core.stat("/common-files/new (1)").await.unwrap().is_collection());

    let missing = client.form("/api2/repos/COMMON/dir/?p=/x/y", "operation=mkdir").await;
    assert_eq!(missing.status, 404, "{}", missing.text());
    for _ in 0..2 {
        let form = "operation=mkdir&create_parents=true";
        assert_eq!(client.form("/api2/repos/COMMON/dir/?p=/x/y", form).await.status, 201);
    }
    assert!(client.core.stat("/common-files/x/y (1)").await.is_err());
    // old python-seafile
    let listed = client.form("/api2/repos/COMMON/dir/?p=/x/z&reloaddir=true", "operation=mkdir").await;
    assert_eq!((listed.status.as_u16(), names(&listed.json())), (200, vec!["y".into(), "z".into()]));
    assert_eq!(listed.header("oid").len(), 40);
}

#[tokio::test]
async fn folders_are_renamed_and_deleted() {
    let client = Client::new("alice").await;
    client.core.put("/common-files/d/a.txt", "x").await;
    client.core.mkdir("/common-files/taken").await;
    for (name, now) in [("d", "d"), ("é f", "é f"), ("taken", "taken (1)")] {
        let from = if name == "taken" { "%C3%A9+f" } else { "d" };
        let answer = client
            .form(&format!("/api2/repos/COMMON/dir/?p=/{from}"), &format!("operation=rename&newname={name}"))
            .await;
        assert_eq!((answer.status.as_u16(), answer.text().as_str()), (200, "\"success\""), "{name}");
        assert_eq!(client.core.get(&format!("/common-files/{now}/a.txt")).await.unwrap(), "x");
    }
    let object = client
        .json(
            "POST",
            "/api/v2.1/repos/COMMON/dir/?p=/taken%20(1)",
            &json!({ "operation": "rename", "newname": "e" }),
        )
        .await
        .json();
    assert_eq!(
        (&object["type"], &object["obj_name"], &object["parent_dir"]),
        (&json!("dir"), &json!("e"), &json!("/"))
    );
    assert_eq!(client.form("/api2/repos/COMMON/dir/?p=/e", "operation=rename&newname=a/b").await.status, 400);

    let gone = client.delete("/api2/repos/COMMON/dir/?p=/e").await;
    assert_eq!((gone.status.as_u16(), gone.text().as_str()), (200, "\"success\""));
    assert_eq!(client.delete("/api2/repos/COMMON/dir/?p=/e").await.status, 404);
    assert_eq!(client.delete("/api2/repos/COMMON/dir/?p=/").await.status, 400);
    // Recycled, and the bin is not part of what Seafile lists.
    assert_eq!(client.core.get("/common-files/recycle_bin/e/a.txt").await.unwrap(), "x");
    for path in ["/api2/repos/COMMON/dir/", "/api2/repos/COMMON/dir/?recursive=1"] {
        assert_eq!(names(&client.get(path).await.json()), ["taken"], "{path}");
    }
    let gone = client.delete("/api/v2.1/repos/COMMON/dir/?p=/taken").await.json();
    assert_eq!((&gone["success"], gone["commit_id"].as_str().unwrap().len()), (&json!(true), 40));
}

/// Of the empty file and the empty directory, 2.4.
const ZEROS: &str = "0000000000000000000000000000000000000000";

#[tokio::test]
async fn an_empty_folder_has_the_id_of_the_reference_until_something_is_in_it() {
    let client = Client::new("alice").await;
    let root = async || client.get("/api2/repos/COMMON/").await.json()["root"].as_str().unwrap().to_owned();
    let oid = async |path: &str| {
        client.get(&format!("/api2/repos/COMMON/dir/?p={path}")).await.header("oid").to_owned()
    };
    assert_eq!((root().await.as_str(), oid("/").await.as_str()), (ZEROS, ZEROS));
    let made = client.form("/api/v2.1/repos/COMMON/dir/?p=/d", "operation=mkdir").await.json();
    assert_eq!(made["obj_id"], ZEROS);
    assert_ne!(root().await, ZEROS);
    assert_ne!(oid("/").await, ZEROS);
    let v21 = client.get("/api/v2.1/repos/COMMON/dir/?p=/d").await;
    assert_eq!((v21.header("oid"), &v21.json()["dir_id"]), (ZEROS, &json!(ZEROS)));
    let known = format!("/api2/repos/COMMON/dir/?p=/d&oid={ZEROS}");
    assert_eq!(client.get(&known).await.text(), "\"uptodate\"");
    let renamed = client.form("/api/v2.1/repos/COMMON/dir/?p=/d", "operation=rename&newname=e").await.json();
    assert_eq!(renamed["obj_id"], ZEROS);

    client.core.put("/common-files/e/a.txt", "x").await;
    client.core.mkdir("/common-files/f").await;
    let known = format!("/api2/repos/COMMON/dir/?p=/e&oid={ZEROS}");
    assert_eq!(names(&client.get(&known).await.json()), ["a.txt"]);
    // What was not asked for is there all the same.
    let folders = client.get("/api2/repos/COMMON/dir/?p=/e&t=d").await;
    assert!(names(&folders.json()).is_empty());
    assert_ne!(folders.header("oid"), ZEROS);
    let renamed = client.form("/api/v2.1/repos/COMMON/dir/?p=/e", "operation=rename&newname=d").await.json();
    assert_ne!(renamed["obj_id"], ZEROS);
    let whole = client.get("/api2/repos/COMMON/dir/?p=/&recursive=1").await.json();
    let one = client.get("/api2/repos/COMMON/dir/?p=/").await.json();
    assert_eq!((&one[1]["name"], &one[1]["id"]), (&json!("f"), &json!(ZEROS)));
    assert_eq!((&one[0]["id"], one[0]["id"] == ZEROS), (&whole[0]["id"], false));
    let empty: Vec<bool> = whole.as_array().unwrap().iter().map(|entry| entry["id"] == ZEROS).collect();
    assert_eq!(
        (names(&whole), empty),
        (vec!["d".into(), "a.txt".into(), "f".into()], vec![false, false, true])
    );

    // The bin is not part of what Seafile lists.
    for folder in ["d", "f"] {
        client.delete(&format!("/api2/repos/COMMON/dir/?p=/{folder}")).await;
    }
    assert!(client.core.stat("/common-files/recycle_bin/d").await.is_ok());
    assert_eq!((root().await.as_str(), oid("/").await.as_str()), (ZEROS, ZEROS));
}

#[tokio::test]
async fn equal_contents_have_equal_ids_and_others_have_not() {
    let client = Client::new("alice").await;
    for (name, content) in
        [("a.txt", "one"), ("b.txt", "one"), ("c.txt", "two"), ("d.txt", ""), ("e.txt", "")]
    {
        client.core.put(&format!("/common-files/d/{name}"), content).await;
    }
    let list = client.get("/api2/repos/COMMON/dir/?p=/d").await.json();
    let id = |number: usize| list[number]["id"].as_str().unwrap();
    assert_eq!(id(0), id(1));
    assert_ne!(id(0), id(2));
    assert_eq!((id(3), id(4)), (ZEROS, ZEROS));
    let detail = client.get("/api2/repos/COMMON/file/detail/?p=/d/b.txt").await.json();
    assert_eq!(detail["id"], id(0));
}
