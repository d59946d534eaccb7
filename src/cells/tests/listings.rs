//! `POST /a/tree/stats`, `POST /a/meta/bulk/get` and `GET /a/tree/stat/{Node}`.

use cellgate_core::NodePath;
use cellgate_core::lock::LockRequest;
use futures_util::TryStreamExt as _;
use serde_json::{Value, json};

use super::{door, get, paths, post};

#[tokio::test]
async fn the_listing_of_the_api_presentation_shows_the_workspaces() {
    let (_core, cells) = door().await;
    // As the documentation has it, `Versions` and all.
    let body =
        json!({ "AllMetaProviders": true, "Limit": 0, "NodePaths": ["/*"], "Offset": 0, "Versions": true });
    for path in ["/a/tree/stats", "/a/meta/bulk/get"] {
        let answer = post(&cells, "alice", path, body.clone()).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(paths(&answer), ["common-files", "personal-files"]);
        let node = answer.json()["Nodes"][1].clone();
        assert_eq!(node["Type"], "COLLECTION");
        // JSON texts: strings keep their quotes, and cec compares them so.
        assert_eq!(node["MetaStore"]["ws_scope"], "\"ADMIN\"");
        assert_eq!(node["MetaStore"]["ws_slug"], "\"personal-files\"");
        assert_eq!(node["MetaStore"]["ws_label"], "\"Personal Files\"");
        assert_eq!(node["MetaStore"]["ws_permissions"], "\"rw\"");
        assert!(node["Uuid"].is_string());
    }
    let reader = post(&cells, "reader", "/a/tree/stats", body).await;
    assert_eq!(paths(&reader), ["common-files"], "workspaces without rights are not there");
}

#[tokio::test]
async fn a_node_has_the_types_of_the_reference() {
    let (core, cells) = door().await;
    core.put("/common-files/docs/a b.txt", "hello").await;
    let node = core.stat("/common-files/docs/a b.txt").await.unwrap();
    for path in ["/a/tree/stat/common-files%2Fdocs%2Fa%20b.txt", "/a/tree/stat/common-files/docs/a%20b.txt"] {
        let answer = get(&cells, "alice", path).await;
        let body = answer.json();
        assert_eq!(body["Success"], true);
        let shown = &body["Node"];
        assert_eq!(shown["Path"], "common-files/docs/a b.txt");
        assert_eq!(shown["Type"], "LEAF");
        assert_eq!(shown["Size"], "5", "64-bit integers are strings");
        assert_eq!(shown["MTime"], node.mtime_s().to_string());
        assert_eq!(shown["Mode"], 511);
        assert_eq!(shown["Etag"], "5d41402abc4b2a76b9719d911017c592", "MD5 of hello");
        assert_eq!(shown["Uuid"], node.uuid.to_string());
        assert_eq!(shown["MetaStore"], json!({ "name": "\"a b.txt\"", "mime": "\"text/plain\"" }));
    }
    let folder = get(&cells, "alice", "/a/tree/stat/common-files/docs/").await.json();
    assert_eq!(folder["Node"]["MetaStore"]["ChildrenCount"], "1");
    assert!(folder["Node"].get("Size").is_none(), "zero values are left out");
}

#[tokio::test]
async fn a_missing_node_is_a_json_404_even_where_it_is_forbidden() {
    let (core, cells) = door().await;
    core.put("/personal-files/secret.txt", "x").await;
    for path in ["common-files/none", "nowhere/x", "common-files/none/deeper", "personal-files/secret.txt"] {
        let answer = get(&cells, "reader", &format!("/a/tree/stat/{}", path.replace('/', "%2F"))).await;
        assert_eq!(answer.status, 404, "{path}");
        assert_eq!(answer.header("content-type"), "application/json");
        assert!(answer.json()["Title"].is_string());
    }
}

#[tokio::test]
async fn missing_paths_are_skipped_and_missing_parents_are_404() {
    let (core, cells) = door().await;
    core.put("/common-files/a.txt", "x").await;
    let skipped = post(&cells, "alice", "/a/tree/stats", json!({ "NodePaths": ["common-files/none"] })).await;
    assert_eq!((skipped.status.as_u16(), skipped.text().as_str()), (200, "{}"));
    for parent in ["common-files/none/*", "nowhere/*", "common-files/a.txt/b/*"] {
        let listed =
            post(&cells, "alice", "/a/tree/stats", json!({ "NodePaths": ["common-files", parent] })).await;
        assert_eq!(listed.status, 404, "{parent}");
    }
}

#[tokio::test]
async fn a_listing_begins_with_the_folder_when_asked_and_hides_dot_files() {
    let (core, cells) = door().await;
    for path in ["d/b.txt", "d/.hidden", "d/a/x", "d/é [x] 100%+.txt"] {
        core.put(&format!("/common-files/{path}"), "x").await;
    }
    let body = json!({ "NodePaths": ["common-files/d", "common-files/d/*"] });
    let answer = post(&cells, "alice", "/a/tree/stats", body).await;
    let expected =
        ["common-files/d", "common-files/d/a", "common-files/d/b.txt", "common-files/d/é [x] 100%+.txt"];
    assert_eq!(paths(&answer), expected);
    let hidden = json!({ "NodePaths": ["common-files/d/.hidden"] });
    assert_eq!(paths(&post(&cells, "alice", "/a/tree/stats", hidden).await), ["common-files/d/.hidden"]);
    let root = post(&cells, "alice", "/a/tree/stats", json!({ "NodePaths": ["", "/*"] })).await.json();
    assert_eq!(root["Nodes"][0], json!({}), "the virtual root has no members");
    assert_eq!(root["Nodes"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn the_listing_of_a_file_is_the_file_alone() {
    let (core, cells) = door().await;
    for path in ["d/a.txt", "d/b.txt", "d/c.tar.gz"] {
        core.put(&format!("/common-files/{path}"), "x").await;
    }
    // What `cec ls common-files/d/a.txt` sends.
    let body = json!({ "NodePaths": ["common-files/d/a.txt", "common-files/d/a.txt/*"] });
    let answer = post(&cells, "alice", "/a/meta/bulk/get", body).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(paths(&answer), ["common-files/d/a.txt"]);
    assert_eq!(answer.json()["Nodes"][0]["Type"], "LEAF");
    let alone = json!({ "NodePaths": ["common-files/d/a.txt/*"], "Limit": 100 });
    assert_eq!(post(&cells, "alice", "/a/meta/bulk/get", alone).await.text(), "{}");
    let among = json!({ "NodePaths": ["common-files/d/a.txt/*", "common-files/d/*"] });
    let listed = post(&cells, "alice", "/a/meta/bulk/get", among).await;
    assert_eq!(paths(&listed), ["common-files/d/a.txt", "common-files/d/b.txt", "common-files/d/c.tar.gz"]);
    // Only its name is that of an archive.
    let archive = json!({ "NodePaths": ["common-files/d/c.tar.gz", "common-files/d/c.tar.gz/*"] });
    assert_eq!(post(&cells, "alice", "/a/meta/bulk/get", archive).await.status, 400);
}

#[tokio::test]
async fn the_listing_of_an_archive_is_what_is_in_it() {
    let (core, cells) = door().await;
    for name in ["b.txt", "a.txt", ".hidden", "inner/c.txt", "inner/d.txt"] {
        core.put(&format!("/common-files/d/{name}"), "hello").await;
    }
    let alice = core.tree("alice").await;
    let pack = alice.pack_at(&NodePath::parse("/common-files/d.tar.gz").unwrap()).await.unwrap();
    let pieces: Vec<_> = alice.pack(pack).await.unwrap().try_collect().await.unwrap();
    core.put("/common-files/kept.tar.gz", pieces.concat()).await;

    let at = "common-files/kept.tar.gz";
    let list = |path: String| json!({ "NodePaths": [at, path] });
    let answer = post(&cells, "alice", "/a/tree/stats", list(format!("{at}/*"))).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let under = |names: &[&str]| -> Vec<String> {
        std::iter::once(at.to_owned()).chain(names.iter().map(|name| format!("{at}/{name}"))).collect()
    };
    assert_eq!(paths(&answer), under(&["a.txt", "b.txt", "inner"]));
    let node = answer.json()["Nodes"][1].clone();
    assert_eq!((&node["Type"], &node["Size"]), (&json!("LEAF"), &json!("5")));
    assert_eq!(answer.json()["Nodes"][3]["Type"], "COLLECTION");
    let inner = post(&cells, "alice", "/a/tree/stats", list(format!("{at}/inner/*"))).await;
    assert_eq!(paths(&inner), under(&["inner/c.txt", "inner/d.txt"]));

    let page = json!({ "NodePaths": [format!("{at}/*")], "Limit": 1, "Offset": 1, "SortDirDesc": true });
    let page = post(&cells, "alice", "/a/tree/stats", page).await;
    assert_eq!(paths(&page), [format!("{at}/b.txt")]);
    assert_eq!(page.json()["Pagination"]["Total"], 3);
    let leaves = json!({ "NodePaths": [format!("{at}/*")], "Filters": { "type": "COLLECTION" } });
    assert_eq!(paths(&post(&cells, "alice", "/a/tree/stats", leaves).await), [format!("{at}/inner")]);

    for (path, status) in [("inner/c.txt", 200), ("inner", 200), ("none", 404), ("inner/none", 404)] {
        let stat = get(&cells, "alice", &format!("/a/tree/stat/{at}/{path}")).await;
        assert_eq!(stat.status, status, "{path}: {}", stat.text());
    }
    for path in ["none", "inner/c.txt", "inner/c.txt/x"] {
        let listing = list(format!("{at}/{path}/*"));
        assert_eq!(post(&cells, "alice", "/a/tree/stats", listing).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn pages_follow_each_other_and_know_their_total() {
    let (core, cells) = door().await;
    for number in 0..25 {
        core.put(&format!("/common-files/d/{number:02}"), "x").await;
    }
    let page = |offset: u64| {
        let body = json!({ "NodePaths": ["common-files/d/*"], "Limit": 10, "Offset": offset });
        post(&cells, "alice", "/a/tree/stats", body)
    };
    let mut seen = Vec::new();
    for (offset, expected) in [
        (0, json!({ "Limit": 10, "Total": 25, "CurrentPage": 1, "TotalPages": 3, "NextOffset": 10 })),
        (
            10,
            json!({ "Limit": 10, "CurrentOffset": 10, "Total": 25, "CurrentPage": 2, "TotalPages": 3, "NextOffset": 20 }),
        ),
        (
            20,
            json!({ "Limit": 10, "CurrentOffset": 20, "Total": 25, "CurrentPage": 3, "TotalPages": 3, "PrevOffset": 10 }),
        ),
    ] {
        let answer = page(offset).await;
        assert_eq!(answer.json()["Pagination"], expected);
        seen.extend(paths(&answer));
    }
    let all: Vec<String> = (0..25).map(|number| format!("common-files/d/{number:02}")).collect();
    assert_eq!(seen, all);
    // cec goes on while Offset <= Total, and dereferences what it gets.
    let beyond = page(30).await.json();
    assert!(beyond.get("Nodes").is_none());
    assert_eq!(beyond["Pagination"]["Total"], 25);
    let short = json!({ "NodePaths": ["common-files/d/*"], "Limit": 100 });
    assert!(post(&cells, "alice", "/a/tree/stats", short).await.json().get("Pagination").is_none());
}

#[tokio::test]
async fn listings_sort_and_filter() {
    let (core, cells) = door().await;
    for (name, content) in [("b", "333"), ("A", "1"), ("c", "22"), ("sub/x", "")] {
        core.put(&format!("/common-files/d/{name}"), content).await;
    }
    let list = |more: Value| {
        let mut body = json!({ "NodePaths": ["common-files/d/*"] });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let cells = cells.clone();
        async move {
            let names = paths(&post(&cells, "alice", "/a/tree/stats", body).await);
            names.iter().map(|path| path.trim_start_matches("common-files/d/").to_owned()).collect::<Vec<_>>()
        }
    };
    assert_eq!(list(json!({})).await, ["A", "b", "c", "sub"]);
    assert_eq!(list(json!({ "SortField": "name", "SortDirDesc": true })).await, ["sub", "c", "b", "A"]);
    let files = json!({ "SortField": "size", "SortDirDesc": true, "Filters": { "type": "LEAF" } });
    assert_eq!(list(files).await, ["b", "c", "A"]);
    let second = json!({ "SortField": "size", "Filters": { "type": "LEAF" }, "Limit": 1, "Offset": 1 });
    assert_eq!(list(second).await, ["c"]);
    assert_eq!(list(json!({ "Filters": { "type": "COLLECTION" } })).await, ["sub"]);
}

#[tokio::test]
async fn a_long_listing_streams_whole() {
    let (core, cells) = door().await;
    let tree = core.tree("admin").await;
    core.mkdir("/common-files/d").await;
    for number in 0..1_100 {
        let path = NodePath::parse(&format!("/common-files/d/{number:05}")).unwrap();
        tree.write(&path, cellgate_core::testing::body("x"), Default::default()).await.unwrap();
    }
    let answer = post(&cells, "alice", "/a/tree/stats", json!({ "NodePaths": ["common-files/d/*"] })).await;
    let listed = paths(&answer);
    assert_eq!(listed.len(), 1_100);
    assert!(listed.is_sorted() && !answer.torn);
}

#[tokio::test]
async fn a_lock_is_shown_with_its_owner() {
    let (core, cells) = door().await;
    core.put("/common-files/a.txt", "x").await;
    let lock = LockRequest {
        owner: String::new(),
        deep: false,
        shared: false,
        timeout_s: None,
        create: false,
        tokens: Vec::new(),
    };
    let path = NodePath::parse("/common-files/a.txt").unwrap();
    core.tree("admin").await.lock(&path, &lock).await.unwrap();
    let answer = post(&cells, "alice", "/a/tree/stats", json!({ "NodePaths": ["common-files/*"] })).await;
    assert_eq!(answer.json()["Nodes"][0]["MetaStore"]["content_lock"], "\"admin\"");
}

#[tokio::test]
async fn null_lists_and_missing_bodies_are_empty_requests() {
    let (_core, cells) = door().await;
    let null = json!({ "NodePaths": null, "Filters": null, "Limit": null, "SortField": null });
    assert_eq!(post(&cells, "alice", "/a/tree/stats", null).await.text(), "{}");
    let empty = cellgate_core::testing::request("POST", "/a/tree/stats").basic("alice");
    assert_eq!(cellgate_core::testing::serve(&cells, empty).await.text(), "{}");
}

#[tokio::test]
async fn the_versions_of_a_file_have_the_ids_that_s3_takes() {
    let (core, cells) = door().await;
    core.tree("admin").await.set_versioning("common-files", true).await.unwrap();
    let first = core.put("/common-files/a.txt", "one").await;
    let second = core.put("/common-files/a.txt", "second").await;
    let body = json!({ "NodePaths": ["common-files/a.txt", "common-files/none"], "Versions": true });
    let answer = post(&cells, "alice", "/a/tree/stats", body).await;
    assert_eq!(paths(&answer), ["common-files/a.txt", "common-files/a.txt"], "{}", answer.text());
    let nodes = answer.json()["Nodes"].clone();
    for (shown, written) in [(&nodes[0], &second), (&nodes[1], &first)] {
        assert_eq!(shown["MetaStore"]["versionId"], format!("\"{}\"", written.version_id()));
        assert_eq!(shown["Size"], written.size.to_string());
        assert_eq!(shown["Etag"], written.etag);
        assert_eq!(shown["Uuid"], written.uuid.to_string());
    }
}
