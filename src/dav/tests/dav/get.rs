//! GET: ranges, one and several, and PATCH, which dav-server answers.

use cellgate_core::testing::body;

use crate::support::{ask, door};

const TEXT: &str = "0123456789abcdef";

#[tokio::test]
async fn ranges() {
    let door = door().await;
    let etag = door.put("/a.txt", TEXT).await.header("etag").to_owned();
    let whole = door.expect(200, ask("GET", "/a.txt")).await;
    assert_eq!(whole.header("content-length"), "16");
    assert_eq!(whole.header("accept-ranges"), "bytes");
    assert_eq!(whole.header("etag"), etag);
    // A POST on a file reads it, as with Cells.
    assert_eq!(door.expect(200, ask("POST", "/a.txt").body("")).await.text(), TEXT);
    assert!(whole.header("content-type").starts_with("text/plain"));
    for (range, content_range, content) in [
        ("bytes=0-0", "bytes 0-0/16", "0"),
        ("bytes=4-7", "bytes 4-7/16", "4567"),
        ("bytes=10-", "bytes 10-15/16", "abcdef"),
        ("bytes=-3", "bytes 13-15/16", "def"),
        ("bytes=10-99", "bytes 10-15/16", "abcdef"),
        // One of the two cannot be met.
        ("bytes=0-1, 99-", "bytes 0-1/16", "01"),
    ] {
        let answer = door.expect(206, ask("GET", "/a.txt").header("range", range)).await;
        assert_eq!(answer.header("content-range"), content_range);
        assert_eq!(answer.header("content-length"), content.len().to_string());
        assert_eq!(answer.text(), content);
    }
    let answer = door.expect(416, ask("GET", "/a.txt").header("range", "bytes=16-")).await;
    assert_eq!(answer.header("content-range"), "bytes */16");
    for ignored in ["items=0-1", "bytes=5-2", "bytes=0-5,3-8", "x"] {
        assert_eq!(door.expect(200, ask("GET", "/a.txt").header("range", ignored)).await.text(), TEXT);
    }
    // A range of what the client does not have any more is the whole (RFC 9110 §13.1.5).
    let part =
        |if_range: &str| ask("GET", "/a.txt").header("range", "bytes=0-1").header("if-range", if_range);
    assert_eq!(door.expect(206, part(&etag)).await.text(), "01");
    assert_eq!(door.expect(200, part("\"other\"")).await.text(), TEXT);
    assert_eq!(door.expect(200, part(&format!("W/{etag}"))).await.text(), TEXT);
    assert_eq!(door.expect(206, part(whole.header("last-modified"))).await.text(), "01");
    door.expect(200, ask("HEAD", "/a.txt").header("range", "bytes=0-1")).await;
}

#[tokio::test]
async fn several_ranges_come_as_parts() {
    let door = door().await;
    door.put("/a.txt", TEXT).await;
    let answer = door.expect(206, ask("GET", "/a.txt").header("range", "bytes=0-1,8-9,-2")).await;
    assert!(answer.header("content-type").starts_with("multipart/byteranges; boundary="));
    let text = answer.text();
    let at = |piece: &str| text.find(piece).unwrap_or_else(|| panic!("{piece} in {text}"));
    assert!(at("bytes 0-1/16") < at("bytes 8-9/16") && at("bytes 8-9/16") < at("bytes 14-15/16"));
    assert!(text.contains("\n01\n") && text.contains("\n89\n") && text.contains("\nef\n"), "{text}");
    assert!(!answer.torn);
}

#[tokio::test]
async fn large_files_come_whole() {
    let door = door().await;
    let content: Vec<u8> = (0..1_000_003u32).map(|n| (n % 251) as u8).collect();
    door.expect(201, ask("PUT", "/big").body(content.clone())).await;
    assert!(door.expect(200, ask("GET", "/big")).await.body == content);
    let answer = door.expect(206, ask("GET", "/big").header("range", "bytes=100-700000,900000-")).await;
    let parts = [&content[100..=700_000], &content[900_000..]];
    for part in parts {
        assert!(answer.body.windows(part.len()).any(|window| window == part));
    }
}

#[tokio::test]
async fn patches_change_a_part() {
    let door = door().await;
    door.expect(201, ask("PUT", "/a.txt").body(TEXT).header("x-oc-mtime", "1577836800")).await;
    let patch = |range: &str, content: &'static str| {
        ask("PATCH", "/a.txt")
            .header("content-type", "application/x-sabredav-partialupdate")
            .header("x-update-range", range)
            .body(content)
    };
    for (range, content, expected) in [
        ("bytes=2-3", "XY", "01XY456789abcdef"),
        ("bytes=0-0", "Z", "Z1XY456789abcdef"),
        ("bytes=-2", "EF", "Z1XY456789abcdEF"),
        ("bytes=14-", "efgh", "Z1XY456789abcdefgh"),
        ("append", "!", "Z1XY456789abcdefgh!"),
    ] {
        let answer = door.expect(204, patch(range, content)).await;
        assert_eq!(door.content("/a.txt").await.as_deref(), Some(expected), "{range}");
        let head = door.expect(200, ask("HEAD", "/a.txt")).await;
        assert_eq!(answer.header("etag"), head.header("etag"));
    }
    door.expect(416, patch("bytes=99-", "x")).await;
    door.expect(416, patch("bytes=0-5", "x")).await;
    door.expect(400, patch("elsewhere", "x")).await;
    door.expect(412, patch("append", "x").header("if-match", "\"other\"")).await;
    door.expect(415, ask("PATCH", "/a.txt").body("x").header("x-update-range", "append")).await;
    let none = ask("PATCH", "/none")
        .header("content-type", "application/x-sabredav-partialupdate")
        .header("x-update-range", "append");
    door.expect(404, none.body("x")).await;
    assert!(!door.exists("/none").await);
    // Fewer bytes than announced.
    let short = ask("PATCH", "/a.txt")
        .header("content-type", "application/x-sabredav-partialupdate")
        .header("x-update-range", "append")
        .header("content-length", "5")
        .stream(body("xyz"));
    door.expect(400, short).await;
    assert_eq!(door.content("/a.txt").await.as_deref(), Some("Z1XY456789abcdefgh!"));
}

#[tokio::test]
async fn a_lock_stops_a_patch() {
    let door = door().await;
    door.put("/a", "x").await;
    let lockinfo = "<D:lockinfo xmlns:D='DAV:'><D:lockscope><D:exclusive/></D:lockscope><D:locktype><D:write/></D:locktype></D:lockinfo>";
    let token = door.expect(200, ask("LOCK", "/a").body(lockinfo)).await.header("lock-token").to_owned();
    let patch = || {
        ask("PATCH", "/a")
            .header("content-type", "application/x-sabredav-partialupdate")
            .header("x-update-range", "append")
            .body("y")
    };
    door.expect(423, patch()).await;
    assert_eq!(door.content("/a").await.as_deref(), Some("x"));
    door.expect(204, patch().header("if", format!("({token})"))).await;
    assert_eq!(door.content("/a").await.as_deref(), Some("xy"));
}
