//! HTTP conditions and the `If` header.

use crate::support::{BASE, ask, door};

#[tokio::test]
async fn puts_are_conditional() {
    let door = door().await;
    let etag = door.put("/a", "1").await.header("etag").to_owned();
    door.expect(412, ask("PUT", "/a").body("2").header("if-none-match", "*")).await;
    door.expect(412, ask("PUT", "/a").body("2").header("if-match", "\"other\"")).await;
    door.expect(412, ask("PUT", "/none").body("2").header("if-match", "*")).await;
    assert_eq!(door.content("/a").await.as_deref(), Some("1"));
    assert!(!door.exists("/none").await);
    door.expect(204, ask("PUT", "/a").body("2").header("if-match", &etag)).await;
    door.expect(412, ask("PUT", "/a").body("3").header("if-match", &etag)).await;
    door.expect(201, ask("PUT", "/b").body("1").header("if-none-match", "*")).await;
    let past = "Wed, 01 Jan 2020 00:00:00 GMT";
    door.expect(412, ask("PUT", "/a").body("3").header("if-unmodified-since", past)).await;
    door.expect(412, ask("DELETE", "/a").header("if-match", "\"other\"")).await;
    door.expect(412, ask("MKCOL", "/a").header("if-none-match", "*")).await;
    let patch = "<D:propertyupdate xmlns:D='DAV:'><D:set><D:prop><p/></D:prop></D:set></D:propertyupdate>";
    door.expect(412, ask("PROPPATCH", "/a").header("if-match", "\"other\"").body(patch)).await;
    let copy = ask("COPY", "/a").header("destination", "/dav/common-files/c");
    door.expect(412, copy.header("if-match", "\"other\"")).await;
    assert_eq!(door.content("/a").await.as_deref(), Some("2"));
}

#[tokio::test]
async fn reads_are_conditional() {
    let door = door().await;
    let answer = door.put("/a", "1").await;
    let (etag, modified) = (answer.header("etag").to_owned(), answer.header("last-modified").to_owned());
    for method in ["GET", "HEAD"] {
        let answer = door.expect(304, ask(method, "/a").header("if-none-match", &etag)).await;
        assert_eq!(answer.header("etag"), etag);
        assert!(answer.body.is_empty());
        door.expect(304, ask(method, "/a").header("if-modified-since", &modified)).await;
        door.expect(200, ask(method, "/a").header("if-none-match", "\"other\"")).await;
        door.expect(412, ask(method, "/a").header("if-match", "\"other\"")).await;
    }
}

#[tokio::test]
async fn the_if_header_names_tags_and_tokens() {
    let door = door().await;
    let etag = door.put("/a", "1").await.header("etag").to_owned();
    let put = |condition: &str| ask("PUT", "/a").body("2").header("if", condition);
    door.expect(412, put("(<urn:uuid:never-issued>)")).await;
    door.expect(412, put("(<DAV:no-lock>)")).await;
    door.expect(412, put("([\"other\"])")).await;
    door.expect(412, put(&format!("(Not [{etag}])"))).await;
    door.expect(412, put(&format!("</elsewhere> ([{etag}])"))).await;
    door.expect(400, put("nonsense")).await;
    assert_eq!(door.content("/a").await.as_deref(), Some("1"));
    door.expect(204, put(&format!("([{etag}])"))).await;
    door.expect(204, put("(Not <DAV:no-lock>)")).await;
    let etag = door.put("/a", "3").await.header("etag").to_owned();
    door.expect(204, put(&format!("<http://localhost:8080{BASE}/a> ([\"other\"]) ([{etag}])"))).await;
    let etag = door.put("/a", "3").await.header("etag").to_owned();
    door.expect(412, put(&format!("([{etag}])")).header("if-match", "\"other\"")).await;
    // Other methods ask too.
    door.expect(412, ask("GET", "/a").header("if", "([\"other\"])")).await;
    door.expect(412, ask("DELETE", "/a").header("if", "([\"other\"])")).await;
    door.expect(412, ask("MKCOL", "/coll").header("if", "([\"other\"])")).await;
    assert_eq!(door.content("/a").await.as_deref(), Some("3"));
}
