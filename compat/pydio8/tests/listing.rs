//! `ls`.

use cellgate_core::testing::request;

use super::*;

#[tokio::test]
async fn a_folder_lists_itself_and_its_children() {
    let fixture = fixture().await;
    fixture.core.put("/personal-files/b.txt", "hello").await;
    fixture.core.put("/personal-files/A.txt", "").await;
    fixture.core.put("/personal-files/z/x", "x").await;
    fixture.core.put("/personal-files/.hidden", "x").await;
    let answer = fixture.get("/api/my-files/ls/?options=al").await;
    assert_eq!(answer.header("content-type"), "text/xml; charset=UTF-8");
    let text = answer.text();
    let root = format!(
        "{DECLARATION}<tree repo_has_recycle=\"/recycle_bin\" is_file=\"false\" filename=\"/\" \
         mimestring_id=\"8\" icon=\"folder.png\" fonticon=\"folder\" openicon=\"folder_open.png\" \
         ajxp_mime=\"ajxp_folder\" file_group=\"1\" file_owner=\"1\" ajxp_readonly=\"false\" \
         file_perms=\"0755\" ajxp_modiftime=\""
    );
    assert!(text.starts_with(&root), "{text}");
    assert!(text.contains(
        "><pagination count=\"4\" total=\"1\" current=\"1\" overflowMessage=\"1/1\" icon=\"folder.png\" \
         openicon=\"folder_open.png\" dirsCount=\"2\"/><tree "
    ));
    assert_eq!(values(&text, "filename"), ["/", "/z", "/A.txt", "/b.txt", "/recycle_bin"]);
    assert_eq!(values(&text, "text"), ["", "z", "A.txt", "b.txt", "Recycle Bin"]);
    assert_eq!(values(&text, "bytesize"), ["0", "0", "0", "5", "0"]);
    assert_eq!(values(&text, "filesize"), ["5 B"]);
    assert!(text.ends_with("/></tree>"));
}

#[tokio::test]
async fn options_choose_what_is_listed_and_how_much_is_shown() {
    let fixture = fixture().await;
    fixture.core.put("/personal-files/d/a.zip", "zip").await;
    fixture.core.put("/personal-files/d/b.txt", "b").await;
    fixture.core.mkdir("/personal-files/d/sub").await;
    let cases: [(&str, &[&str]); 5] = [
        ("a", &["/d", "/d/sub", "/d/a.zip", "/d/b.txt"]),
        ("d", &["/d", "/d/sub"]),
        ("dz", &["/d", "/d/sub", "/d/a.zip"]),
        ("f", &["/d", "/d/a.zip", "/d/b.txt"]),
        ("z", &["/d", "/d/a.zip"]),
    ];
    for (options, expected) in cases {
        let text = fixture.get(&format!("/api/my-files/ls/d?options={options}")).await.text();
        assert_eq!(values(&text, "filename"), expected, "{options}");
    }
    let short = fixture.get("/api/my-files/ls/d?options=f").await.text();
    let children = short.split_once("<pagination").unwrap().1;
    assert!(values(children, "file_perms").is_empty());
    assert_eq!(values(children, "mimestring"), ["ZIP File", "Text File"]);
}

#[tokio::test]
async fn clients_that_stumble_over_it_get_no_lone_pagination() {
    let fixture = fixture().await;
    let request =
        request("POST", "/api/my-files/ls/").basic("admin").header("user-agent", "python-requests/2.9");
    assert!(!fixture.send(request).await.text().contains("<pagination"));
}

#[tokio::test]
async fn the_folder_of_a_listing_bears_its_name() {
    let fixture = fixture().await;
    fixture.core.put("/personal-files/docs/a b/x.txt", "x").await;
    let text = fixture.get("/api/my-files/ls/docs/a%20b?options=al").await.text();
    assert_eq!(values(&text, "text"), ["a b", "x.txt"]);
    let nested = fixture.get("/api/my-files/ls/docs?options=al&recursive=true").await.text();
    assert_eq!(values(&nested, "text"), ["docs", "a b", "x.txt"]);
    let json = fixture.get("/api/my-files/ls/docs?options=al&format=json").await.json();
    assert_eq!(json["data"]["node"]["label"], "docs");
}

#[tokio::test]
async fn the_bin_is_a_bin_wherever_it_is_listed_and_as_old_as_its_workspace() {
    let fixture = fixture().await;
    let workspaces = fixture.core.identity().workspaces().await.unwrap();
    let workspace = workspaces.iter().find(|workspace| workspace.slug == "personal-files").unwrap();
    let created = (workspace.created_ns / 1_000_000_000).to_string();
    let root = fixture.get("/api/my-files/ls/?options=al").await.text();
    assert_eq!(values(&root, "ajxp_modiftime").last(), Some(&created));
    let full = |icon: &str| [icon.to_owned(), "delete".into(), "ajxp_recycle".into(), "Recycle Bin".into()];
    let shown = |text: &str| {
        ["icon", "fonticon", "ajxp_mime", "text"].map(|attribute| values(text, attribute)[0].clone())
    };
    let bin = fixture.get("/api/my-files/ls/recycle_bin?options=al").await.text();
    assert_eq!(shown(&bin), full("trashcan.png"));
    assert_eq!(values(&bin, "ajxp_modiftime"), [created]);

    fixture.core.put("/personal-files/a.txt", "x").await;
    fixture.post("/api/my-files/delete", "file=/a.txt").await;
    for query in ["options=al", "options=a", "options=al&recursive=true"] {
        let bin = fixture.get(&format!("/api/my-files/ls/recycle_bin?{query}")).await.text();
        assert_eq!(values(&bin, "filename"), ["/recycle_bin", "/recycle_bin/a.txt"], "{query}");
        assert_eq!(shown(&bin), full("trashcan_full.png"), "{query}");
    }
}

#[tokio::test]
async fn chosen_nodes_are_children_of_the_root() {
    let fixture = fixture().await;
    fixture.core.put("/personal-files/d/a.txt", "a").await;
    let answer = fixture.post("/api/my-files/ls/", "options=al&file=/d/a.txt").await;
    assert_eq!(values(&answer.text(), "filename"), ["/", "/d/a.txt"]);
    let answer = fixture.post("/api/my-files/ls/d", "options=al&file=a.txt").await;
    assert_eq!(values(&answer.text(), "filename"), ["/", "/d/a.txt"]);
    let answer = fixture.post("/api/my-files/ls/", "nodes[]=/none&nodes[]=/d").await;
    assert_eq!(values(&answer.text(), "filename"), ["/", "/d"]);
    assert!(!answer.text().contains("<pagination"));
}

#[tokio::test]
async fn large_folders_come_in_pages() {
    let fixture = fixture().await;
    fixture.core.mkdir("/personal-files/many/folder").await;
    for number in 0..510 {
        fixture.core.put(&format!("/personal-files/many/f{number:03}"), "").await;
    }
    let first = fixture.get("/api/my-files/ls/many?options=al").await.text();
    assert!(first.contains("<pagination count=\"511\" total=\"3\" current=\"1\" overflowMessage=\"1/3\""));
    let names = values(&first, "filename");
    assert_eq!(names.len(), 201);
    assert_eq!((names[1].as_str(), names[2].as_str()), ("/many/folder", "/many/f000"));
    // The anchor is literal after decoding.
    let last = fixture.post("/api/my-files/ls/many%25233", "options=al").await.text();
    assert!(last.contains("current=\"3\""), "{last}");
    assert_eq!(values(&last, "filename").len(), 1 + 111);
    assert_eq!(values(&last, "filename").last().unwrap(), "/many/f509");
    // The path wins over the body, also when it is no more than `/`.
    let root = fixture.post("/api/my-files/ls", "dir=/many%25233").await.text();
    assert_eq!(values(&root, "filename"), ["/", "/many", "/recycle_bin"]);
}

#[tokio::test]
async fn recursion_nests_and_stops_where_it_is_told() {
    let fixture = fixture().await;
    fixture.core.put("/personal-files/a/b/c.txt", "c").await;
    fixture.core.mkdir("/personal-files/a/e").await;
    let text = fixture.get("/api/my-files/ls/a?options=a&recursive=true").await.text();
    assert_eq!(values(&text, "filename"), ["/a", "/a/b", "/a/b/c.txt", "/a/e"]);
    assert_eq!(text.matches("<tree ").count(), 4);
    assert!(text.ends_with("</tree></tree>"), "{text}");
    let text = fixture.get("/api/my-files/ls/a?options=d&recursive=true&max_depth=1").await.text();
    assert_eq!(values(&text, "filename"), ["/a", "/a/b", "/a/e"]);
    assert_eq!(values(&text, "ajxp_has_children"), ["true", "false"]);
    let text = fixture.get("/api/my-files/ls/a?recursive=true&max_nodes=1").await.text();
    assert_eq!(values(&text, "filename"), ["/a", "/a/b"]);
    assert_eq!(values(&text, "ajxp_has_children"), ["true"]);
}

#[tokio::test]
async fn json_has_the_folder_and_its_children() {
    let fixture = fixture().await;
    fixture.core.put("/personal-files/d/a.txt", "abc").await;
    let answer = fixture.get("/api/my-files/ls/d?options=al&format=json").await;
    assert_eq!(answer.header("content-type"), "application/json; charset=UTF-8");
    let json = answer.json();
    assert_eq!(json["pagination"]["count"], 1);
    assert_eq!(json["data"]["node"]["path"], "/d");
    let child = &json["data"]["children"]["/d/a.txt"];
    assert_eq!((&child["label"], &child["type"]), (&"a.txt".into(), &"leaf".into()));
    assert_eq!(child["bytesize"], 3);
}

#[tokio::test]
async fn workspaces_answer_to_all_their_names() {
    let fixture = fixture().await;
    fixture.core.put("/personal-files/a.txt", "a").await;
    for name in ["my-files", "personal-files", "1"] {
        let text = fixture.get(&format!("/api/{name}/ls/?options=f")).await.text();
        assert_eq!(values(&text, "filename"), ["/", "/a.txt"], "{name}");
    }
    assert_eq!(fixture.get("/api/default/ls/").await.status, 200);
    assert_eq!(fixture.get("/api/settings/ls/").await.status, 501);
    let answer = fixture.send(request("GET", "/api/settings/ls/").basic("alice")).await;
    assert_eq!(answer.status, 401);
}
