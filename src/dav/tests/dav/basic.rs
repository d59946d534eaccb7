//! PUT, GET, MKCOL, DELETE: the suite `basic` of litmus, and what clients add.

use cellgate_core::Error;
use cellgate_core::testing::{body, request};
use futures_util::{StreamExt, stream};

use crate::support::{ask, door};

#[tokio::test]
async fn put_get_byte_comparison() {
    let door = door().await;
    let answer = door.expect(201, ask("PUT", "/res").body("first")).await;
    let etag = answer.header("etag").to_owned();
    assert_eq!(etag, "\"8b04d5e3775d298e78455efc5ca404d5\"", "md5 of `first`");
    assert_eq!(door.content("/res").await.as_deref(), Some("first"));
    let answer = door.expect(204, ask("PUT", "/res").body("second")).await;
    assert_ne!(answer.header("etag"), etag);
    assert_eq!(door.content("/res").await.as_deref(), Some("second"));

    door.expect(201, ask("PUT", "/res%e2%82%ac").body("euro")).await;
    assert_eq!(door.content("/res%E2%82%AC").await.as_deref(), Some("euro"));
    // An empty body makes an empty file: Windows and Finder begin with one.
    door.expect(201, ask("PUT", "/empty").body("")).await;
    assert_eq!(door.content("/empty").await.as_deref(), Some(""));
}

#[tokio::test]
async fn a_missing_parent_is_a_conflict() {
    let door = door().await;
    door.put("/file", "x").await;
    door.expect(409, ask("PUT", "/none/x").body("x")).await;
    door.expect(409, ask("MKCOL", "/none/x")).await;
    door.expect(409, ask("PUT", "/file/x").body("x")).await;
    door.expect(409, ask("MKCOL", "/file/x")).await;
    door.expect(409, request("PUT", "/dav/no-such-workspace/x").basic("alice").body("x")).await;
    assert!(!door.exists("/none").await);
}

#[tokio::test]
async fn mkcol() {
    let door = door().await;
    door.expect(201, ask("MKCOL", "/coll/")).await;
    door.expect(405, ask("MKCOL", "/coll/")).await;
    door.expect(405, ask("MKCOL", "/coll")).await;
    door.put("/plain", "x").await;
    door.expect(405, ask("MKCOL", "/plain")).await;
    door.expect(415, ask("MKCOL", "/withbody/").header("content-type", "xzy-foo/bar-512").body("afafafaf"))
        .await;
    door.expect(415, ask("MKCOL", "/withbody/").stream(body("chunked"))).await;
    assert!(!door.exists("/withbody").await);
    door.expect(201, ask("MKCOL", "/nobody").stream(body(""))).await;
}

#[tokio::test]
async fn delete() {
    let door = door().await;
    door.expect(404, ask("DELETE", "/none")).await;
    door.put("/a", "x").await;
    door.expect(204, ask("DELETE", "/a")).await;
    assert!(!door.exists("/a").await);
    door.mkcol("/coll").await;
    door.put("/coll/b", "x").await;
    // RFC 4918 §9.6.1: a collection goes whole or the request is wrong.
    door.expect(400, ask("DELETE", "/coll/").header("depth", "0")).await;
    door.expect(204, ask("DELETE", "/coll/b").header("depth", "0")).await;
    door.put("/coll/b", "x").await;
    door.expect(204, ask("DELETE", "/coll/")).await;
    assert!(!door.exists("/coll/b").await);
    door.expect(404, ask("DELETE", "/plain/below")).await;
}

#[tokio::test]
async fn a_deleted_file_can_be_had_back_once() {
    let door = door().await;
    door.put("/a.txt", "x").await;
    door.expect(204, ask("DELETE", "/a.txt")).await;
    assert_eq!(door.content("/recycle_bin/a.txt").await.as_deref(), Some("x"));
    door.expect(204, ask("DELETE", "/recycle_bin/a.txt")).await;
    assert!(!door.exists("/recycle_bin/a.txt").await);
    assert!(!door.exists("/recycle_bin/a (1).txt".replace(' ', "%20").as_str()).await);
}

#[tokio::test]
async fn collections_have_no_content() {
    let door = door().await;
    door.mkcol("/coll").await;
    door.put("/file", "x").await;
    door.expect(405, ask("PUT", "/coll").body("x")).await;
    door.expect(405, ask("PUT", "/coll/").body("x")).await;
    door.expect(405, ask("PUT", "/new/").body("x")).await;
    let answer = door.expect(405, ask("GET", "/coll/")).await;
    assert!(!answer.header("allow").is_empty(), "RFC 9110 §15.5.6");
    door.expect(405, ask("HEAD", "/coll/")).await;
    assert!(!door.exists("/new").await);
}

#[tokio::test]
async fn the_roots_stay() {
    let door = door().await;
    let root = |method: &str, path: &str| request(method, path).basic("admin");
    for path in ["/dav", "/dav/"] {
        door.expect(405, root("PUT", path).body("x")).await;
        door.expect(405, root("MKCOL", path)).await;
        door.expect(403, root("DELETE", path)).await;
        door.expect(403, root("MOVE", path).header("destination", "/dav/common-files/x")).await;
        door.expect(403, root("COPY", path).header("destination", "/dav/common-files/x")).await;
        door.expect(403, root("LOCK", path)).await;
        door.expect(405, root("GET", path)).await;
    }
    for path in ["/dav/common-files", "/dav/common-files/"] {
        door.expect(403, root("DELETE", path)).await;
        door.expect(403, root("MOVE", path).header("destination", "/dav/personal-files/x")).await;
        door.expect(405, root("MKCOL", path)).await;
        door.expect(405, root("PUT", path).body("x")).await;
    }
    door.expect(403, root("MKCOL", "/dav/new-workspace")).await;
    door.expect(403, root("PUT", "/dav/new-workspace").body("x")).await;
    door.put("/still-there", "x").await;
}

#[tokio::test]
async fn a_torn_body_leaves_nothing() {
    let door = door().await;
    let torn =
        || stream::iter([Ok("some bytes".into()), Err(Error::BrokenBody("connection reset".into()))]).boxed();
    door.expect(400, ask("PUT", "/torn").stream(torn())).await;
    assert!(!door.exists("/torn").await);
    door.put("/kept", "before").await;
    door.expect(400, ask("PUT", "/kept").stream(torn())).await;
    assert_eq!(door.content("/kept").await.as_deref(), Some("before"));
    // A length that is not the body's: announced by HTTP, or by Finder beside a chunked body.
    for header in ["content-length", "x-expected-entity-length"] {
        for length in ["3", "30"] {
            door.expect(400, ask("PUT", "/kept").stream(body("four")).header(header, length)).await;
        }
    }
    assert_eq!(door.content("/kept").await.as_deref(), Some("before"));
    door.expect(201, ask("PUT", "/finder").stream(body("four")).header("x-expected-entity-length", "4"))
        .await;
    // RFC 9110 §14.5.
    door.expect(400, ask("PUT", "/kept").body("xx").header("content-range", "bytes 0-1/6")).await;
    door.expect(501, ask("PUT", "/kept-chunking-7-2-0").body("xx").header("oc-chunked", "1")).await;
    assert!(!door.exists("/kept-chunking-7-2-0").await);
    assert_eq!(door.content("/kept").await.as_deref(), Some("before"));
}

#[tokio::test]
async fn clients_bring_times_digests_and_types() {
    let door = door().await;
    let put =
        ask("PUT", "/a.bin").body("x").header("x-oc-mtime", "1577836800").header("content-type", "text/csv");
    let answer = door.expect(201, put).await;
    assert_eq!(answer.header("x-oc-mtime"), "accepted");
    let answer = door.expect(200, ask("HEAD", "/a.bin")).await;
    assert_eq!(answer.header("last-modified"), "Wed, 01 Jan 2020 00:00:00 GMT");
    assert_eq!(answer.header("content-type"), "text/csv");
    door.expect(400, ask("PUT", "/b").body("x").header("x-oc-mtime", "soon")).await;

    // `application/octet-stream` is what tools say when they know nothing.
    door.expect(201, ask("PUT", "/c.txt").body("x").header("content-type", "application/octet-stream")).await;
    assert!(door.expect(200, ask("HEAD", "/c.txt")).await.header("content-type").starts_with("text/plain"));

    let right = "SHA1:11f6ad8ec52a2984abaafd7c3b516503785c2072"; // of `x`
    door.expect(201, ask("PUT", "/d").body("x").header("oc-checksum", right)).await;
    door.expect(400, ask("PUT", "/e").body("y").header("oc-checksum", right)).await;
    assert!(!door.exists("/e").await);
}

#[tokio::test]
async fn methods_that_are_not_built_say_so() {
    let door = door().await;
    for method in ["REPORT", "SEARCH", "ACL", "MKCALENDAR", "TRACE", "FOO"] {
        door.expect(501, ask(method, "/")).await;
    }
}
