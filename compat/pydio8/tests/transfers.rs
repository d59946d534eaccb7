//! `rename`, `copy`, `move`, `delete`.

use super::*;

#[tokio::test]
async fn rename_takes_a_name_or_a_path() {
    let fixture = fixture().await;
    fixture.core.put("/personal-files/a.txt", "a").await;
    fixture.core.mkdir("/personal-files/d").await;
    let answer = fixture.post("/api/my-files/rename", "file=/a.txt&filename_new=b.txt").await;
    succeeded(&answer, "a.txt has been renamed to b.txt");
    let text = answer.text();
    assert!(text.contains("<nodes_diff><update><tree "));
    assert_eq!(values(&text, "filename"), ["/b.txt"]);
    assert_eq!(values(&text, "original_path"), ["/a.txt"]);
    assert_eq!(values(&text, "node_repository_id"), ["1"]);

    let answer = fixture.post("/api/my-files/rename", "file=/b.txt&dest=/d/c.txt").await;
    succeeded(&answer, "b.txt has been renamed to c.txt");
    assert_eq!(fixture.core.get("/personal-files/d/c.txt").await.unwrap(), "a");

    fixture.core.put("/personal-files/x", "x").await;
    let answer = fixture.post("/api/my-files/rename", "file=/x&dest=/d/c.txt").await;
    failed(&answer, "/d/c.txt already exists  (names are case insensitive)");
    failed(&fixture.post("/api/my-files/rename", "file=/none&dest=/y").await, "Cannot find file!");
    let answer = fixture.post("/api/my-files/rename", "file=/x&filename_new=a/b").await;
    failed(&answer, "a/b contains forbidden characters");
    assert_eq!(fixture.core.get("/personal-files/x").await.unwrap(), "x");
    assert_eq!(fixture.core.get("/personal-files/d/c.txt").await.unwrap(), "a");

    let answer = fixture.post("/api/my-files/rename", "file=/x&filename_new=y&format=json").await;
    let json = answer.json();
    assert_eq!(json["message"], serde_json::json!({"level": "Info", "message": "x has been renamed to y"}));
    assert_eq!(json["nodesDiff"]["update"][0]["original_path"], "/x");
}

#[tokio::test]
async fn copies_say_where_they_are() {
    let fixture = fixture().await;
    for path in ["a.txt", "d/1", "d/sub/2", "target/keep"] {
        fixture.core.put(&format!("/personal-files/{path}"), path.to_owned()).await;
    }
    let answer = fixture.post("/api/my-files/copy/", "nodes[]=/a.txt&dest=/target").await;
    succeeded(&answer, "The file a.txt has been copied into the directory /target");
    assert!(answer.text().contains("<nodes_diff><add>"));
    assert_eq!(values(&answer.text(), "filename"), ["/target/a.txt"]);
    let answer = fixture.post("/api/my-files/copy", "node[0]=/d&dest=/target").await;
    succeeded(&answer, "The folder d has been copied into the directory /target (2 files)");
    assert_eq!(fixture.core.get("/personal-files/target/d/sub/2").await.unwrap(), "d/sub/2");

    // Beside itself it gets a number, and the diff its real name.
    for name in ["/a-1.txt", "/a-2.txt"] {
        let answer = fixture.post("/api/my-files/copy", "file=/a.txt&dest=/").await;
        assert_eq!(values(&answer.text(), "filename"), [name]);
    }
    let answer = fixture.post("/api/my-files/copy", "file=/a.txt&dest=/target&targetBaseName=b.txt").await;
    assert_eq!(values(&answer.text(), "filename"), ["/target/b.txt"]);

    // A file replaces a file elsewhere; a folder is not laid over another.
    fixture.core.put("/personal-files/target/a.txt", "old").await;
    fixture.post("/api/my-files/copy", "file=/a.txt&dest=/target").await;
    assert_eq!(fixture.core.get("/personal-files/target/a.txt").await.unwrap(), "a.txt");
    let answer = fixture.post("/api/my-files/copy", "file=/d&dest=/target").await;
    failed(&answer, "/target/d already exists  (names are case insensitive)");
    failed(&fixture.post("/api/my-files/copy", "file=/none&dest=/").await, "Cannot find file /none");
    failed(&fixture.post("/api/my-files/copy", "dest=/").await, "You must select a file");
    failed(&fixture.post("/api/my-files/copy", "file=/a.txt&dest=/no").await, "Cannot find folder  /no");
}

#[tokio::test]
async fn moves_replace_what_is_of_their_kind() {
    let fixture = fixture().await;
    for path in ["a.txt", "d/1", "target/a.txt", "target/d/old", "target/f/x", "f"] {
        fixture.core.put(&format!("/personal-files/{path}"), path.to_owned()).await;
    }
    let form = "file_0=/a.txt&dest=/target&force_copy_delete=true";
    let answer = fixture.post("/api/my-files/move", form).await;
    succeeded(&answer, "The file a.txt has been moved into the directory /target");
    assert_eq!(values(&answer.text(), "filename"), ["/target/a.txt"]);
    assert_eq!(values(&answer.text(), "original_path"), ["/a.txt"]);
    assert_eq!(fixture.core.get("/personal-files/target/a.txt").await.unwrap(), "a.txt");
    assert!(fixture.core.stat("/personal-files/a.txt").await.is_err());

    let answer = fixture.post("/api/my-files/move", "file=/d&dest=/target").await;
    succeeded(&answer, "The folder d has been moved into the directory /target");
    assert_eq!(fixture.core.get("/personal-files/target/d/1").await.unwrap(), "d/1");

    let answer = fixture.post("/api/my-files/move", "file=/f&dest=/target").await;
    failed(&answer, "/target/f already exists  (names are case insensitive)");
    let answer = fixture.post("/api/my-files/move", "file=/f&dest=/").await;
    failed(&answer, "The origin and destination folders are the same!");
    let answer = fixture.post("/api/my-files/move", "file=/target&dest=/target/d").await;
    assert_eq!(message(&answer).0, "ERROR");
    assert_eq!(fixture.core.get("/personal-files/target/d/1").await.unwrap(), "d/1");
}

#[tokio::test]
async fn delete_goes_into_the_bin_and_from_there_for_good() {
    let fixture = fixture().await;
    fixture.core.put("/personal-files/a.txt", "a").await;
    fixture.core.put("/personal-files/d/x", "x").await;
    let answer = fixture.post("/api/my-files/delete/a.txt", "file=/a.txt").await;
    succeeded(&answer, "The file a.txt has been moved to the  Recycle Bin");
    assert!(answer.text().contains("<nodes_diff><update>"));
    assert_eq!(values(&answer.text(), "filename"), ["/recycle_bin/a.txt"]);
    assert_eq!(values(&answer.text(), "original_path"), ["/a.txt"]);

    let answer = fixture.post("/api/my-files/delete", "nodes[]=/recycle_bin/a.txt").await;
    succeeded(&answer, "The file /recycle_bin/a.txt has been deleted.");
    assert!(
        answer.text().contains("<nodes_diff><remove><tree filename=\"/recycle_bin/a.txt\" ajxp_im_time=\"")
    );

    // The path alone names it too.
    let answer = fixture.get("/api/my-files/delete/d?force_deletion=false").await;
    succeeded(&answer, "The directory /d has been deleted.");
    let listed = fixture.get("/api/my-files/ls/?options=a").await.text();
    assert_eq!(values(&listed, "filename"), ["/", "/recycle_bin"]);

    failed(&fixture.post("/api/my-files/delete/none", "file=/none").await, "Cannot find file /none");
    failed(&fixture.get("/api/my-files/delete/").await, "You must select a file");
    failed(&fixture.get("/api/my-files/delete/recycle_bin").await, "The recycle bin cannot be deleted");
}

#[tokio::test]
async fn of_several_those_that_fail_do_not_stop_the_others() {
    let fixture = fixture().await;
    fixture.core.put("/personal-files/a", "a").await;
    fixture.core.put("/personal-files/b", "b").await;
    let answer = fixture.post("/api/my-files/delete", "file_0=/a&file_1=/none&file_2=/b").await;
    let (kind, text) = message(&answer);
    assert_eq!(kind, "ERROR");
    assert_eq!(
        text,
        "The file a has been moved to the  Recycle Bin\nThe file b has been moved to the  Recycle Bin\n\
         Cannot find file /none"
    );
    assert_eq!(values(&answer.text(), "original_path"), ["/a", "/b"]);
}

#[tokio::test]
async fn names_from_other_doors_can_be_handled() {
    let fixture = fixture().await;
    fixture.core.put("/personal-files/what?", "x").await;
    let listed = fixture.get("/api/my-files/ls/?options=f").await.text();
    assert_eq!(values(&listed, "filename"), ["/", "/what?"]);
    assert_eq!(fixture.get("/api/my-files/download/what%3F").await.text(), "x");
    let answer = fixture.post("/api/my-files/rename", "file=/what%3F&dest=/what").await;
    succeeded(&answer, "what? has been renamed to what");
}
