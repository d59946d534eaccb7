//! COPY and MOVE: the suite `copymove` of litmus, destinations, and what must not be possible.

use cellgate_core::testing::{RequestBuilder, request};

use crate::support::{BASE, ask, door, prop, responses};

fn to(method: &str, from: &str, to: &str) -> RequestBuilder {
    ask(method, from).header("destination", format!("http://localhost:8080{BASE}{to}"))
}

#[tokio::test]
async fn copy_simple_and_overwrite() {
    let door = door().await;
    door.put("/copysrc", "src").await;
    door.mkcol("/copycoll").await;
    door.expect(201, to("COPY", "/copysrc", "/copydest")).await;
    door.expect(412, to("COPY", "/copysrc", "/copydest").header("overwrite", "F")).await;
    door.expect(204, to("COPY", "/copysrc", "/copydest").header("overwrite", "T")).await;
    // A copy over a collection replaces it.
    door.put("/copycoll/x", "x").await;
    door.expect(204, to("COPY", "/copysrc", "/copycoll").header("overwrite", "T")).await;
    assert_eq!(door.content("/copycoll").await.as_deref(), Some("src"));
    assert_eq!(door.content("/copysrc").await.as_deref(), Some("src"));
    door.expect(409, to("COPY", "/copysrc", "/nonesuch/foo")).await;
    door.expect(404, to("COPY", "/none", "/x")).await;
}

#[tokio::test]
async fn copy_of_a_collection() {
    let door = door().await;
    door.mkcol("/ccsrc").await;
    for name in ["/ccsrc/foo.0", "/ccsrc/foo.1"] {
        door.put(name, "x").await;
    }
    door.mkcol("/ccsrc/subcoll").await;
    door.put("/ccsrc/subcoll/deep", "x").await;
    door.expect(201, to("COPY", "/ccsrc/", "/ccdest/")).await;
    door.expect(412, to("COPY", "/ccsrc/", "/ccdest/").header("overwrite", "F")).await;
    door.put("/ccdest/extra", "x").await;
    door.expect(204, to("COPY", "/ccsrc/", "/ccdest/").header("overwrite", "T")).await;
    assert!(!door.exists("/ccdest/extra").await, "RFC 4918 §9.8.4: the target is replaced, not merged into");
    assert!(door.exists("/ccdest/subcoll/deep").await);
    door.expect(201, to("COPY", "/ccsrc/", "/shallow/").header("depth", "0")).await;
    assert!(door.exists("/shallow").await);
    assert!(!door.exists("/shallow/foo.0").await);
    door.expect(400, to("COPY", "/ccsrc/", "/y/").header("depth", "1")).await;
}

#[tokio::test]
async fn move_simple_and_overwrite() {
    let door = door().await;
    door.put("/move", "a").await;
    door.put("/move2", "b").await;
    door.mkcol("/movecoll").await;
    door.expect(201, to("MOVE", "/move", "/movedest")).await;
    assert!(!door.exists("/move").await);
    door.expect(412, to("MOVE", "/move2", "/movedest").header("overwrite", "F")).await;
    assert_eq!(door.content("/move2").await.as_deref(), Some("b"));
    // Overwrite is T unless said otherwise: programs save by renaming over the file.
    door.expect(204, to("MOVE", "/move2", "/movedest")).await;
    assert_eq!(door.content("/movedest").await.as_deref(), Some("b"));
    door.expect(204, to("MOVE", "/movedest", "/movecoll")).await;
    assert_eq!(door.content("/movecoll").await.as_deref(), Some("b"));

    door.mkcol("/mvsrc").await;
    door.put("/mvsrc/foo", "x").await;
    door.mkcol("/mvdest").await;
    door.expect(412, to("MOVE", "/mvsrc/", "/mvdest/").header("overwrite", "F")).await;
    door.expect(204, to("MOVE", "/mvsrc/", "/mvdest/")).await;
    assert!(door.exists("/mvdest/foo").await);
    door.expect(400, to("MOVE", "/mvdest/", "/z/").header("depth", "0")).await;
    door.expect(409, to("MOVE", "/mvdest/", "/none/z/")).await;
    assert!(door.exists("/mvdest/foo").await);
}

#[tokio::test]
async fn a_move_keeps_the_node_and_its_properties() {
    let door = door().await;
    door.put("/a", "x").await;
    let patch = "<D:propertyupdate xmlns:D='DAV:'><D:set><D:prop><p xmlns='urn:p'>v</p></D:prop></D:set></D:propertyupdate>";
    door.expect(207, ask("PROPPATCH", "/a").body(patch)).await;
    let before = door.core.stat("/common-files/a").await.unwrap();
    door.expect(201, to("MOVE", "/a", "/b")).await;
    door.expect(201, to("COPY", "/b", "/c")).await;
    let after = door.core.stat("/common-files/b").await.unwrap();
    assert_eq!((before.uuid, before.etag), (after.uuid, after.etag));
    assert_ne!(door.core.stat("/common-files/c").await.unwrap().uuid, after.uuid);
    for path in ["/b", "/c"] {
        let asked = ask("PROPFIND", path).header("depth", "0").body(prop("<p xmlns='urn:p'/>"));
        let answer = door.expect(207, asked).await;
        assert_eq!(responses(&answer)[0].text("{urn:p}p"), Some("v"), "{path}");
    }
}

#[tokio::test]
async fn destinations() {
    let door = door().await;
    door.put("/a", "x").await;
    let copy = |destination: &str| ask("COPY", "/a").header("destination", destination);
    door.expect(201, copy("/dav/common-files/p1")).await;
    door.expect(201, copy("http://LOCALHOST:8080/dav/common-files/p2")).await;
    door.expect(201, copy("https://localhost:8080/dav/common-files/a%20b?q#f")).await;
    assert!(door.exists("/a%20b").await);
    door.expect(201, copy("/dav/personal-files/other-datasource")).await;
    door.expect(502, copy("http://elsewhere.example/dav/common-files/x")).await;
    door.expect(502, copy("http://localhost:8081/dav/common-files/x")).await;
    door.expect(502, copy("/davfoo.txt")).await;
    door.expect(502, copy("/io/x")).await;
    door.expect(403, copy("/dav/")).await;
    door.expect(403, copy("/dav")).await;
    door.expect(403, copy("/dav/common-files")).await;
    door.expect(409, copy("/dav/no-such-workspace")).await;
    door.expect(409, copy("/dav/no-such-workspace/x")).await;
    door.expect(400, copy("x")).await;
    door.expect(400, copy("/dav/common-files/../x")).await;
    door.expect(400, copy("/dav/common-files/a%2Fb")).await;
    door.expect(400, ask("COPY", "/a")).await;
    door.expect(400, copy("/dav/common-files/x").header("overwrite", "maybe")).await;
    door.expect(415, copy("/dav/common-files/x").body("body")).await;
    assert!(!door.exists("/x").await);
}

#[tokio::test]
async fn nothing_goes_into_itself() {
    let door = door().await;
    door.mkcol("/d").await;
    door.put("/d/f", "x").await;
    for method in ["COPY", "MOVE"] {
        door.expect(403, to(method, "/d", "/d")).await;
        door.expect(403, to(method, "/d/", "/d/x")).await;
        door.expect(403, to(method, "/d/f", "/d")).await;
        door.expect(403, to(method, "/d/f", "/d/f")).await;
    }
    assert_eq!(door.content("/d/f").await.as_deref(), Some("x"));
}

#[tokio::test]
async fn a_reader_copies_nothing_into_place() {
    let door = door().await;
    door.put("/a", "x").await;
    let reader = |method: &str| {
        request(method, "/dav/common-files/a").basic("reader").header("destination", "/dav/common-files/b")
    };
    door.expect(403, reader("COPY")).await;
    door.expect(403, reader("MOVE")).await;
    assert!(!door.exists("/b").await);
    assert!(door.exists("/a").await);
}

#[tokio::test]
async fn a_file_saved_by_renaming_has_the_type_of_its_name() {
    let door = door().await;
    // Neither Word through Explorer nor Finder tells a type.
    door.put("/~WRD0001.tmp", "x").await;
    let patch = ask("PATCH", "/~WRD0001.tmp")
        .header("content-type", "application/x-sabredav-partialupdate")
        .header("x-update-range", "append")
        .body("y");
    door.expect(204, patch).await;
    door.expect(201, to("MOVE", "/~WRD0001.tmp", "/report.docx")).await;
    let docx = "application/vnd.openxmlformats-officedocument.wordprocessingml.document";
    assert_eq!(door.expect(200, ask("GET", "/report.docx")).await.header("content-type"), docx);
    door.expect(201, ask("PUT", "/a.txt").header("content-type", "text/plain").body("x")).await;
    door.expect(201, to("MOVE", "/a.txt", "/a.html")).await;
    assert_eq!(door.expect(200, ask("GET", "/a.html")).await.header("content-type"), "text/plain");
}
