//! Input that nobody means well with: clear answers, nothing changed, no panic.

use cellgate_core::testing::request;

use crate::support::{ask, door};

#[tokio::test]
async fn paths_that_could_be_read_two_ways() {
    let door = door().await;
    for path in ["/a%2Fb", "/a%2fb", "/%00", "/%FF", "/..%2f..", "/%2e%2e/x", "/./x", "/100%", "/%zz", "/%0a"]
    {
        for method in ["GET", "PUT", "DELETE", "MKCOL", "PROPFIND", "LOCK"] {
            door.expect(400, ask(method, path)).await;
        }
    }
    door.expect(400, ask("PUT", "/../x").body("x")).await;
    let long = format!("/{}", "n".repeat(256));
    door.expect(400, ask("PUT", &long).body("x")).await;
    door.expect(404, request("GET", "/davfoo").basic("alice")).await;
}

#[tokio::test]
async fn bodies_that_are_no_xml() {
    let door = door().await;
    door.put("/a", "x").await;
    for method in ["PROPFIND", "PROPPATCH", "LOCK"] {
        for body in [
            "x",
            "<a",
            "<a></b>",
            "<D:propfind xmlns:D='DAV:'>",
            "<propfind xmlns='DAV:'><prop><b:x xmlns:b=''/></prop></propfind>",
            "<propfind xmlns='DAV:'><prop><b:x/></prop></propfind>",
            "<unknown xmlns='DAV:'/>",
            "<propfind/>",
            "<!DOCTYPE x [<!ENTITY a 'b'>]><propfind xmlns='DAV:'><allprop/></propfind>",
            "<propfind xmlns='DAV:'/>",
            "<propfind xmlns='DAV:'><allprop/><propname/></propfind>",
            "<propertyupdate xmlns='DAV:'><set/></propertyupdate>",
            "<lockinfo xmlns='DAV:'><locktype><write/></locktype></lockinfo>",
            "<lockinfo xmlns='DAV:'><lockscope><exclusive/><shared/></lockscope><locktype><write/></locktype></lockinfo>",
            "<lockinfo xmlns='DAV:'><lockscope><exclusive/></lockscope></lockinfo>",
        ] {
            door.expect(400, ask(method, "/a").header("depth", "0").body(body)).await;
        }
        let large = "x".repeat(1024 * 1024 + 1);
        door.expect(413, ask(method, "/a").header("depth", "0").body(large)).await;
    }
    door.expect(204, ask("DELETE", "/a")).await; // and no lock stayed
}

#[tokio::test]
async fn headers_that_cannot_be_read() {
    let door = door().await;
    door.put("/a", "x").await;
    door.expect(400, ask("PROPFIND", "/a").header("depth", "2")).await;
    door.expect(400, ask("PROPFIND", "/a").header("depth", b"\xff".as_slice())).await;
    door.expect(400, ask("PUT", "/a").body("y").header("if", b"(\xff)".as_slice())).await;
    door.expect(400, ask("COPY", "/a").header("destination", b"/dav/\xff".as_slice())).await;
    door.expect(400, ask("UNLOCK", "/a")).await;
    door.expect(400, ask("UNLOCK", "/a").header("lock-token", "urn:uuid:1")).await;
    assert_eq!(door.content("/a").await.as_deref(), Some("x"));
}
