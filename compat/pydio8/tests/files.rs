//! `stat`, `mkdir`, `mkfile`, `get_content`, `put_content`, `download`, and who may.

use cellgate_core::testing::request;

use super::*;

#[tokio::test]
async fn only_authentication_is_a_401() {
    let fixture = fixture().await;
    let answer = fixture.send(request("GET", "/api/my-files/ls/")).await;
    assert_eq!(answer.status, 401);
    assert_eq!(answer.header("www-authenticate"), "Basic realm=\"Pydio API\"");
    assert!(answer.body.is_empty());
    assert!(!answer.header("content-type").is_empty());

    let answer = fixture.send(request("GET", "/api/my-files/ls/").basic_with("alice", "wrong")).await;
    assert_eq!(answer.status, 401);
    assert_eq!(answer.header("www-authenticate"), "Basic realm=\"Pydio API\"");

    let answer = fixture.send(request("GET", "/api/my-files/ls/").basic("reader")).await;
    assert_eq!(answer.status, 401);
    assert_eq!(answer.text(), "You are not authorized to access this API.");
    assert_eq!(answer.header("www-authenticate"), "");
}

#[tokio::test]
async fn unknown_things_are_named_in_the_originals_words() {
    let fixture = fixture().await;
    let cases = [
        ("/api/nowhere/ls/", "Could not find workspace with id/alias nowhere"),
        ("/api/my-files/fly/x", "Could not find action fly"),
        ("/api/pydio/jwt?client_time=1", "Could not find action jwt"),
        ("/api/my-files/tasks_list", "Could not find action tasks_list"),
        ("/api/my-files", "Could not find any endpoint for this URI"),
        ("/api/my-files/download/none", "Cannot find file!"),
        ("/api/my-files/get_content?file=/none", "Cannot find file!"),
        (
            "/api/my-files/ls/none",
            "There was a problem trying to open folder pydio://personal-files/none, please check your Administrator",
        ),
        ("/api/my-files/stat/a%2F..%2Fb", "/a/../b contains forbidden characters"),
    ];
    for (path, text) in cases {
        failed(&fixture.get(path).await, text);
    }
    let answer = fixture.send(request("DELETE", "/api/my-files/delete/x").basic("admin")).await;
    failed(&answer, "Could not find any endpoint for this URI");
}

#[tokio::test]
async fn what_is_known_and_not_built_is_a_501_in_the_protocols_form() {
    let fixture = fixture().await;
    let answer = fixture.get("/api/my-files/changes/0").await;
    assert_eq!(answer.status, 501);
    assert_eq!(message(&answer), ("ERROR".into(), "The action changes is not implemented".into()));
    let answer = fixture.get("/api/v2/fs/my-files/").await;
    assert_eq!(answer.status, 501);
    assert_eq!(answer.json()["level"], "Error");
    // "No tokens here": the clients go on with Basic.
    let answer = fixture.get("/api/pydio/keystore_generate_auth_token/device").await;
    assert_eq!((answer.status.as_u16(), answer.body.len()), (200, 0));
}

#[tokio::test]
async fn errors_are_json_when_json_is_accepted_and_not_for_a_query() {
    let fixture = fixture().await;
    let request = request("GET", "/api/my-files/fly/x").basic("admin").header("accept", "application/json");
    let answer = fixture.send(request).await;
    assert_eq!(answer.header("content-type"), "application/json; charset=UTF-8");
    assert_eq!(answer.text(), r#"{"level":"Error","message":"Could not find action fly"}"#);
    failed(&fixture.get("/api/my-files/fly/x?format=json").await, "Could not find action fly");
}

#[tokio::test]
async fn stat_speaks_php() {
    let fixture = fixture().await;
    let node = fixture.core.put("/personal-files/a b.txt", "hello").await;
    let answer = fixture.get("/api/my-files/stat/a%20b.txt").await;
    assert_eq!(answer.header("content-type"), "application/json");
    let stat = answer.json();
    assert_eq!(stat["size"], 5);
    assert_eq!(stat["7"], 5);
    assert_eq!(stat["mtime"], node.mtime_s());
    assert_eq!(stat["9"], node.mtime_s());
    assert_eq!(stat["mode"], 33_188);
    assert_eq!(stat.as_object().unwrap().len(), 26);
    assert_eq!(fixture.get("/api/my-files/stat/").await.json()["mode"], 16_877);
    assert_eq!(fixture.get("/api/my-files/stat/none").await.text(), "{}");
}

#[tokio::test]
async fn many_are_answered_under_the_paths_as_sent() {
    let fixture = fixture().await;
    fixture.core.put("/personal-files/é.txt", "hello").await;
    let answer = fixture.post("/api/my-files/stat/", "nodes[]=/%C3%A9.txt&nodes[]=/none").await;
    assert_eq!(answer.header("content-type"), "application/json");
    assert!(answer.text().starts_with(r#"{"\/\u00e9.txt":{"0":"#), "{}", answer.text());
    let json = answer.json();
    assert_eq!(json["/é.txt"]["size"], 5);
    assert_eq!(json["/none"], serde_json::json!({}));
    // One alone has no key.
    let answer = fixture.post("/api/my-files/stat/", "nodes[]=/%C3%A9.txt").await;
    assert_eq!(answer.json()["size"], 5);
}

#[tokio::test]
async fn mkdir_makes_one_or_many() {
    let fixture = fixture().await;
    let answer = fixture.get("/api/my-files/mkdir/docs").await;
    succeeded(&answer, "The directory docs has been created in /");
    assert_eq!(values(&answer.text(), "filename"), ["/docs"]);
    assert!(answer.text().contains("<nodes_diff><add><tree text=\"docs\" is_file=\"false\""));
    assert!(fixture.core.stat("/personal-files/docs").await.unwrap().is_collection());

    let exists = "This directory already exists (names are case insensitive)";
    failed(&fixture.get("/api/my-files/mkdir/docs").await, exists);
    failed(&fixture.get("/api/my-files/mkdir/x/y").await, "Cannot find folder  /x");
    let answer = fixture.get("/api/my-files/mkdir/x/y?recursive=true").await;
    succeeded(&answer, "The directory y has been created in /x");

    let form = "ignore_exists=true&nodes[]=/docs&nodes[]=/docs/new";
    let answer = fixture.post("/api/my-files/mkdir/docs", form).await;
    succeeded(
        &answer,
        "The directory docs has been created in /&lt;br&gt;The directory new has been created in /docs",
    );
    assert_eq!(values(&answer.text(), "filename"), ["/docs", "/docs/new"]);

    let answer = fixture.post("/api/my-files/mkdir/", "dir=/docs&dirname=sub").await;
    succeeded(&answer, "The directory sub has been created in /docs");
}

#[tokio::test]
async fn names_that_are_refused_change_nothing() {
    let fixture = fixture().await;
    let long = "x".repeat(256);
    for name in ["a%22b", "a%7Cb", "a%5Cb", "%20a", "a%00b", "a%01b", &long] {
        let answer = fixture.get(&format!("/api/my-files/mkdir/{name}")).await;
        assert!(answer.text().contains("contains forbidden characters"), "{}", answer.text());
    }
    let answer = fixture.get("/api/my-files/mkdir/.hidden").await;
    assert_eq!(answer.status, 411);
    assert_eq!(message(&answer).1, ".hidden Forbidden");
    let listed = fixture.get("/api/my-files/ls/?options=f").await.text();
    assert_eq!(values(&listed, "filename"), ["/"]);
}

#[tokio::test]
async fn files_are_made_written_and_read() {
    let fixture = fixture().await;
    let answer = fixture.get("/api/my-files/mkfile/a.txt?force=true").await;
    succeeded(&answer, "The file a.txt has been created in /");
    assert_eq!(fixture.get("/api/my-files/stat/a.txt").await.json()["size"], 0);
    let exists = "This file already exists (names are case insensitive)";
    failed(&fixture.get("/api/my-files/mkfile/a.txt").await, exists);

    let answer = fixture.post("/api/my-files/put_content/", "file=/a.txt&content=%26lt;b>+%26amp;").await;
    succeeded(&answer, "The file has been saved successfully");
    assert_eq!(values(&answer.text(), "original_path"), ["/a.txt"]);
    assert_eq!(values(&answer.text(), "filename"), ["/a.txt"]);
    let answer = fixture.get("/api/my-files/get_content?file=/a.txt").await;
    assert_eq!(answer.text(), "<b> &amp;");
    assert_eq!(answer.header("content-type"), "text/plain");
    assert_eq!(answer.header("content-length"), "9");

    let form = "file=/a.txt&encode=base64&content=AP8=";
    succeeded(&fixture.post("/api/my-files/put_content", form).await, "The file has been saved successfully");
    assert_eq!(fixture.core.get("/personal-files/a.txt").await.unwrap(), b"\0\xff".as_slice());
    let answer = fixture.post("/api/my-files/put_content", "file=/a.txt&encode=base64&content=*").await;
    failed(&answer, "The content is not valid base64");
    let answer = fixture.post("/api/my-files/put_content", "file=/none&content=x").await;
    failed(&answer, "Cannot find file /none");
    assert!(fixture.core.stat("/personal-files/none").await.is_err());
}

#[tokio::test]
async fn download_is_an_attachment_with_ranges() {
    let fixture = fixture().await;
    fixture.core.put("/personal-files/docs/a.pdf", "0123456789").await;
    for path in ["/api/my-files/download/docs/a.pdf", "/api/1/download/docs%2Fa.pdf"] {
        let answer = fixture.get(path).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.text(), "0123456789");
        for (name, value) in [
            ("accept-ranges", "bytes"),
            ("content-type", "application/force-download; name=\"a.pdf\""),
            ("content-transfer-encoding", "binary"),
            ("content-length", "10"),
            ("content-disposition", "attachment; filename=\"a.pdf\""),
            ("expires", "0"),
            ("cache-control", "no-cache, must-revalidate"),
            ("pragma", "no-cache"),
        ] {
            assert_eq!(answer.header(name), value, "{name}");
        }
        assert!(!answer.header("last-modified").is_empty());
    }
    // As the Python SDK resumes: from what it has to the whole size.
    let request = |range: &str| {
        request("GET", "/api/my-files/download/docs/a.pdf").basic("admin").header("range", range)
    };
    let answer = fixture.send(request("bytes=4-10")).await;
    assert_eq!(answer.status, 206);
    assert_eq!((answer.text().as_str(), answer.header("content-range")), ("456789", "bytes 4-9/10"));
    assert_eq!(answer.header("content-length"), "6");
    assert_eq!(fixture.send(request("bytes=10-10")).await.status, 416);
    for path in ["/api/my-files/download/docs", "/api/my-files/download/"] {
        assert_eq!(fixture.get(path).await.status, 501, "{path}");
    }
}

#[tokio::test]
async fn without_the_right_to_write_nothing_is_written() {
    let fixture = fixture().await;
    fixture.core.put("/common-files/a.txt", "hello").await;
    let no_write = "You have no write permission on this folder";
    for path in ["mkdir/x", "mkfile/x", "rename?file=/a.txt&dest=/b.txt", "delete/a.txt"] {
        let path = format!("/api/common/{path}");
        failed(&fixture.send(request("POST", &path).basic("reader")).await, no_write);
    }
    let put = form_request("/api/common/put_content", "file=/a.txt&content=x").basic("reader");
    failed(&fixture.send(put).await, no_write);
    assert_eq!(fixture.core.get("/common-files/a.txt").await.unwrap(), "hello");
    let listed = fixture.send(request("GET", "/api/common/ls/?options=al").basic("reader")).await;
    assert!(values(&listed.text(), "ajxp_readonly").iter().all(|value| value == "true"));
}

#[tokio::test]
async fn a_lock_of_another_door_stops_writes() {
    use cellgate_core::lock::LockRequest;
    use cellgate_core::{Door, NodePath};

    let fixture = fixture().await;
    fixture.core.put("/personal-files/a.txt", "hello").await;
    let lock = LockRequest {
        owner: "editor".into(),
        deep: false,
        shared: false,
        timeout_s: None,
        create: false,
        tokens: Vec::new(),
    };
    let dav = fixture.core.tree_through("admin", Door::Dav).await;
    dav.lock(&NodePath::parse("/personal-files/a.txt").unwrap(), &lock).await.unwrap();
    let put = fixture.post("/api/my-files/put_content", "file=/a.txt&content=x").await;
    let (kind, text) = message(&put);
    assert_eq!(kind, "ERROR");
    assert!(text.starts_with("/a.txt is locked by "), "{text}");
    assert_eq!(fixture.core.get("/personal-files/a.txt").await.unwrap(), "hello");
    let listed = fixture.get("/api/my-files/ls/?options=al").await.text();
    assert_eq!(values(&listed, "sl_locked"), ["true"]);
    assert_eq!(values(&listed, "sl_mylock"), ["true"]);
}

#[tokio::test]
async fn everybody_has_personal_files_of_their_own() {
    let fixture = fixture().await;
    fixture.core.put("/personal-files/admins.txt", "x").await;
    let listed = fixture.send(request("GET", "/api/my-files/ls/?options=f").basic("alice")).await;
    assert_eq!(values(&listed.text(), "filename"), ["/"], "{}", listed.text());
    let made = fixture.send(request("GET", "/api/my-files/mkdir/d").basic("alice")).await;
    succeeded(&made, "The directory d has been created in /");
    let bin = fixture.send(request("GET", "/api/my-files/ls/recycle_bin").basic("alice")).await;
    assert_eq!(values(&bin.text(), "filename"), ["/recycle_bin"], "{}", bin.text());
}
