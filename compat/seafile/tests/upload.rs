//! Upload and update links, and `POST /seafhttp/upload-api/`.

use cellgate_core::lock::LockRequest;
use cellgate_core::testing::{Answer, request, serve};
use cellgate_core::{Error, NodePath};
use futures_util::{StreamExt, stream};
use serde_json::json;

use super::{Client, Part, multipart, names, post_form};

async fn upload(client: &Client, link: &str, parts: &[Part<'_>]) -> Answer {
    client.send(post_form(link, multipart(parts))).await
}

/// The names in a folder, to see that nothing was left.
async fn listed(client: &Client, folder: &str) -> Vec<String> {
    names(&client.get(&format!("/api2/repos/COMMON/dir/?p={folder}")).await.json())
}

#[tokio::test]
async fn every_order_of_parts_stores_the_file() {
    let client = Client::new("alice").await;
    client.core.mkdir("/common-files/docs").await;
    let link = client.link("/api2/repos/COMMON/upload-link/?p=/docs").await;
    let file = ("file", Some("a.txt"), "hello");
    let orders: [(&str, Vec<Part<'_>>); 5] = [
        ("curl", vec![file, ("parent_dir", None, "/docs"), ("relative_path", None, "curl")]),
        (
            "rclone",
            vec![
                ("need_idx_progress", None, "true"),
                ("relative_path", None, "rclone"),
                ("replace", None, "1"),
                ("parent_dir", None, "/docs/"),
                file,
            ],
        ),
        (
            "iOS",
            vec![
                ("replace", None, "0"),
                ("parent_dir", None, "docs"),
                file,
                ("relative_path", None, "iOS/"),
                ("last_modify", None, "2023-09-27T18:18:25+08:00"),
            ],
        ),
        // parent_dir as a file part
        (
            "python",
            vec![("parent_dir", Some("parent_dir"), "/docs"), file, ("relative_path", None, "python")],
        ),
        ("deep/er/é", vec![file, ("relative_path", None, "deep/er/é"), ("parent_dir", None, "/docs")]),
    ];
    for (folder, parts) in orders {
        let answer = upload(&client, &format!("{link}?ret-json=1"), &parts).await;
        assert_eq!(answer.status, 200, "{folder}: {}", answer.text());
        let stored = answer.json();
        assert_eq!((&stored[0]["name"], &stored[0]["size"]), (&json!("a.txt"), &json!(5)), "{folder}");
        let node = client.core.stat(&format!("/common-files/docs/{folder}/a.txt")).await.unwrap();
        assert_eq!(node.etag, "5d41402abc4b2a76b9719d911017c592", "MD5 of hello, not that of parts");
        if folder == "iOS" {
            assert_eq!(node.mtime_s(), 1_695_809_905, "the value of the reference tests");
        }
        let p = folder.replace('é', "%C3%A9");
        let detail = client.get(&format!("/api2/repos/COMMON/file/detail/?p=/docs/{p}/a.txt")).await.json();
        assert_eq!(detail["id"], stored[0]["id"], "{folder}");
    }
}

#[tokio::test]
async fn without_ret_json_the_answer_is_the_bare_ids() {
    let client = Client::new("alice").await;
    let link = client.link("/api2/repos/COMMON/upload-link/").await;
    let one = upload(&client, &link, &[("file", Some("a.txt"), "x"), ("parent_dir", None, "/")]).await.text();
    assert!(one.len() == 40 && one.bytes().all(|byte| byte.is_ascii_hexdigit()), "{one}");
    let parts = [("file", Some("b.txt"), "x"), ("file", Some("c.txt"), "y"), ("parent_dir", None, "/")];
    let two = upload(&client, &link, &parts).await.text();
    assert_eq!(two.split('\t').map(str::len).collect::<Vec<_>>(), [40, 40]);
    let browser = client.link("/api2/repos/COMMON/upload-link/?from=web").await;
    assert!(browser.contains("/upload-aj/"));
    let answer = upload(&client, &browser, &[("file", Some("d.txt"), "x"), ("parent_dir", None, "/")]).await;
    assert_eq!(answer.json()[0]["name"], "d.txt");
}

#[tokio::test]
async fn a_second_upload_takes_a_free_name_unless_it_replaces() {
    let client = Client::new("alice").await;
    client.core.put("/common-files/file.txt", "one").await;
    client.core.mkdir("/common-files/folder").await;
    let link = format!("{}?ret-json=1", client.link("/api2/repos/COMMON/upload-link/").await);
    let file = ("file", Some("file.txt"), "two");
    let kept = upload(&client, &link, &[file, ("parent_dir", None, "/")]).await.json();
    assert_eq!(kept[0]["name"], "file (1).txt");
    assert_eq!(client.core.get("/common-files/file.txt").await.unwrap(), "one");
    let uuid = client.core.stat("/common-files/file.txt").await.unwrap().uuid;
    let parts = [file, ("parent_dir", None, "/"), ("replace", None, "1")];
    assert_eq!(upload(&client, &link, &parts).await.json()[0]["name"], "file.txt");
    assert_eq!(client.core.get("/common-files/file.txt").await.unwrap(), "two");
    assert_eq!(client.core.stat("/common-files/file.txt").await.unwrap().uuid, uuid);
    // The original would put the file in the place of the whole folder.
    let parts = [("file", Some("folder"), "x"), ("parent_dir", None, "/"), ("replace", None, "1")];
    assert_eq!(upload(&client, &link, &parts).await.json()[0]["name"], "folder (1)");
    assert!(client.core.stat("/common-files/folder").await.unwrap().is_collection());
    let asked = client.link("/api2/repos/COMMON/upload-link/?replace=1").await;
    assert!(asked.ends_with("?replace=1"), "{asked}");
    upload(&client, &asked, &[("file", Some("file.txt"), "three"), ("parent_dir", None, "/")]).await;
    assert_eq!(client.core.get("/common-files/file.txt").await.unwrap(), "three");
}

#[tokio::test]
async fn refused_uploads_have_the_codes_of_the_file_server_and_store_nothing() {
    let client = Client::new("alice").await;
    client.core.mkdir("/common-files/docs").await;
    client.core.put("/common-files/docs/leaf", "x").await;
    let link = client.link("/api2/repos/COMMON/upload-link/?p=/docs").await;
    let file = ("file", Some("new.txt"), "x");
    let docs = ("parent_dir", None, "/docs");
    let cases: [(&str, Vec<Part<'_>>, u16); 11] = [
        ("another folder", vec![file, ("parent_dir", None, "/")], 403),
        ("no parent_dir", vec![file], 400),
        ("no file", vec![docs], 400),
        ("replace", vec![file, docs, ("replace", None, "yes")], 400),
        ("absolute relative_path", vec![file, docs, ("relative_path", None, "/x")], 400),
        ("relative_path up", vec![file, docs, ("relative_path", None, "a/../../..")], 400),
        ("a file in the way", vec![file, docs, ("relative_path", None, "leaf/x")], 400),
        ("dots for a name", vec![("file", Some(".."), "x"), docs], 440),
        ("no name", vec![("file", Some(""), "x"), docs], 440),
        ("no filename", vec![("file", None, "x"), docs], 400),
        ("parent_dir up", vec![file, ("parent_dir", None, "/docs/../..")], 400),
    ];
    for (case, parts, status) in cases {
        let answer = upload(&client, &link, &parts).await;
        assert_eq!(answer.status.as_u16(), status, "{case}: {}", answer.text());
        assert!(answer.json()["error"].is_string(), "{case}");
        assert_eq!(listed(&client, "/docs").await, ["leaf"], "{case}");
    }
    let long = "x".repeat(256);
    assert_eq!(upload(&client, &link, &[("file", Some(&long), "x"), docs]).await.status.as_u16(), 440);
    let good = multipart(&[docs, file]);
    for unknown in ["/seafhttp/upload-api/none", &link.replace("upload-api", "update-api")] {
        assert_eq!(client.send(post_form(unknown, good.clone())).await.status, 403, "{unknown}");
    }
    let chunk = post_form(&link, good.clone()).header("content-range", "bytes 0-0/2");
    assert_eq!(client.send(chunk).await.status, 501);
    let other = request("POST", &link).header("content-type", "text/plain").body("x");
    assert_eq!(client.send(other).await.status, 400);
    assert_eq!(listed(&client, "/docs").await, ["leaf"]);
    assert_eq!(upload(&client, &link, &[docs, file]).await.status, 200, "the link still works");
}

#[tokio::test]
async fn a_form_that_breaks_off_anywhere_stores_nothing() {
    let client = Client::new("alice").await;
    let link = client.link("/api2/repos/COMMON/upload-link/").await;
    let big = "x".repeat(100_000);
    let form = multipart(&[
        ("parent_dir", None, "/"),
        ("replace", None, "1"),
        ("file", Some("a.txt"), &big),
        ("file", Some("b.txt"), "second"),
        ("last_modify", None, "2023-09-27T18:18:25+08:00"),
    ]);
    let blobs = client.core.backends.datasource("pydiods1");
    for cut in [10, 200, 5_000, 90_000, form.len() - 300, form.len() - 120, form.len() - 6] {
        let short = client.send(post_form(&link, form[..cut].to_owned())).await;
        assert!(short.status.is_client_error(), "{cut}: {} {}", short.status, short.text());
        let start = form[..cut].to_owned();
        let torn =
            stream::iter([Ok(start.into()), Err(Error::BrokenBody("connection reset".into()))]).boxed();
        let torn = post_form(&link, "").stream(torn);
        assert!(client.send(torn).await.status.is_client_error(), "{cut}");
        assert_eq!(listed(&client, "/").await, [""; 0], "{cut}");
    }
    // What was taken in is let go of behind the answer.
    for _ in 0..100 {
        if blobs.blob_count() == 0 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    assert_eq!(blobs.blob_count(), 0, "nothing stays in staging");
    assert_eq!(client.send(post_form(&link, form)).await.status, 200);
    assert_eq!(listed(&client, "/").await, ["a.txt", "b.txt"]);
}

#[tokio::test]
async fn an_update_needs_its_file() {
    let client = Client::new("alice").await;
    client.core.put("/common-files/docs/a.txt", "one").await;
    let link = client.link("/api2/repos/COMMON/update-link/?p=/").await;
    let file = ("file", Some("whatever.bin"), "two");
    let missing = upload(&client, &link, &[file, ("target_file", None, "/docs/none.txt")]).await;
    assert_eq!((missing.status.as_u16(), missing.json()), (441, json!({ "error": "File does not exist." })));
    assert_eq!(upload(&client, &link, &[file]).await.status.as_u16(), 400);
    let done = upload(&client, &link, &[file, ("target_file", None, "/docs/a.txt")]).await;
    assert_eq!((done.status.as_u16(), done.text().len()), (200, 40), "{}", done.text());
    assert_eq!(client.core.get("/common-files/docs/a.txt").await.unwrap(), "two");
    assert_eq!(listed(&client, "/docs").await, ["a.txt"]);
}

#[tokio::test]
async fn links_are_made_for_folders_that_may_be_written() {
    let client = Client::new("alice").await;
    client.core.put("/common-files/a.txt", "x").await;
    for (query, status) in
        [("?p=/none", 404), ("?p=/a.txt", 404), ("?p=", 400), ("?from=ftp", 400), ("?replace=x", 400)]
    {
        let answer = client.get(&format!("/api2/repos/COMMON/upload-link/{query}")).await;
        assert_eq!(answer.status, status, "{query}");
    }
    let link = client.link("/api2/repos/COMMON/upload-link/").await;
    client.core.grant("alice", "common-files", cellgate_core::Rights::READ).await;
    let parts = [("file", Some("b.txt"), "x"), ("parent_dir", None, "/")];
    assert_eq!(upload(&client, &link, &parts).await.status, 403, "the right is gone, the link is not");
    let reader = Client::on(client.core, "reader").await;
    let refused = reader.get("/api2/repos/COMMON/upload-link/").await;
    assert_eq!(refused.status, 403);
    assert_eq!(refused.json()["error_msg"], "You do not have permission to access this folder.");
}

#[tokio::test]
async fn a_lock_from_another_door_stops_uploads_and_deletions() {
    let client = Client::new("alice").await;
    client.core.put("/common-files/a.txt", "one").await;
    let lock = LockRequest {
        owner: String::new(),
        deep: false,
        shared: false,
        timeout_s: None,
        create: false,
        tokens: Vec::new(),
    };
    let path = NodePath::parse("/common-files/a.txt").unwrap();
    client.core.tree_through("admin", cellgate_core::Door::Dav).await.lock(&path, &lock).await.unwrap();
    let link = client.link("/api2/repos/COMMON/upload-link/").await;
    let parts = [("file", Some("a.txt"), "two"), ("parent_dir", None, "/"), ("replace", None, "1")];
    assert_eq!(upload(&client, &link, &parts).await.status, 403);
    assert_eq!(client.delete("/api2/repos/COMMON/file/?p=/a.txt").await.status, 403);
    let rename = client.form("/api2/repos/COMMON/file/?p=/a.txt", "operation=rename&newname=b").await;
    assert_eq!(rename.status, 403);
    assert_eq!(client.core.get("/common-files/a.txt").await.unwrap(), "one");
}

#[tokio::test]
async fn pages_of_other_origins_may_upload() {
    let client = Client::new("alice").await;
    let answer = serve(&client.door, request("OPTIONS", "/seafhttp/upload-aj/x")).await;
    assert_eq!((answer.status.as_u16(), answer.text().as_str()), (200, ""));
    assert_eq!(answer.header("access-control-allow-origin"), "*");
    assert!(answer.header("access-control-allow-headers").contains("content-range"));
}
