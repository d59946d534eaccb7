//! PROPFIND with depth: workspaces, folders, and how a long listing is sent.

use std::collections::BTreeSet;

use cellgate_core::http::Protocol;
use cellgate_core::testing::request;
use http_body_util::BodyExt;

use crate::support::{ask, door, prop, responses};

#[tokio::test]
async fn workspaces_are_the_first_level() {
    let door = door().await;
    for path in ["/dav", "/dav/"] {
        let answer = door.expect(207, request("PROPFIND", path).basic("alice").header("depth", "1")).await;
        let hrefs: Vec<_> = responses(&answer).into_iter().map(|response| response.href).collect();
        assert_eq!(hrefs, ["/dav/", "/dav/common-files/", "/dav/personal-files/"]);
        assert!(
            responses(&answer).iter().all(|response| response.dav("resourcetype").unwrap().inside.len() == 1)
        );
    }
    let answer = door.expect(207, request("PROPFIND", "/dav/").basic("reader").header("depth", "1")).await;
    assert_eq!(responses(&answer).len(), 2);
    let answer = door.expect(207, request("PROPFIND", "/dav/").basic("alice").header("depth", "0")).await;
    assert_eq!(responses(&answer).len(), 1);
}

#[tokio::test]
async fn the_site_root_leads_to_the_mount() {
    let door = door().await;
    let answer = door.expect(207, request("PROPFIND", "/").basic("alice").header("depth", "1")).await;
    let hrefs: Vec<_> = responses(&answer).into_iter().map(|response| response.href).collect();
    assert_eq!(hrefs, ["/", "/dav/"]);
    let answer = door.expect(207, request("PROPFIND", "/").basic("alice").header("depth", "0")).await;
    assert_eq!(responses(&answer).len(), 1);
    door.expect(405, request("PUT", "/").basic("alice").body("x")).await;
    door.expect(405, request("DELETE", "/").basic("alice")).await;
}

#[tokio::test]
async fn a_folder_lists_itself_first() {
    let door = door().await;
    door.mkcol("/d").await;
    door.mkcol("/d/sub").await;
    door.put("/d/sub/deep", "x").await;
    let awkward = ["a b", "%41", "é", "<&>\"'", "a+b", "#x?", "😀.bin", ".hidden", "._fork"];
    for name in awkward {
        let encoded: String = name.bytes().map(|byte| format!("%{byte:02X}")).collect();
        door.put(&format!("/d/{encoded}"), "x").await;
    }
    // Without a Depth, too.
    for depth in [Some("1"), None] {
        let mut asked = ask("PROPFIND", "/d/");
        if let Some(depth) = depth {
            asked = asked.header("depth", depth);
        }
        let answer = door.expect(207, asked).await;
        let found = responses(&answer);
        assert_eq!(found[0].href, "/dav/common-files/d/");
        let names: BTreeSet<_> =
            found[1..].iter().map(|one| one.text("{DAV:}displayname").unwrap()).collect();
        assert_eq!(names, awkward.into_iter().chain(["sub"]).collect());
        // Every href leads to what it lists.
        for one in &found[1..] {
            let back =
                door.expect(207, request("PROPFIND", &one.href).basic("alice").header("depth", "0")).await;
            assert_eq!(responses(&back)[0].text("{DAV:}displayname"), one.text("{DAV:}displayname"));
            assert_eq!(one.href.ends_with('/'), one.text("{DAV:}displayname") == Some("sub"));
        }
    }
    let answer = door.expect(403, ask("PROPFIND", "/d/").header("depth", "infinity")).await;
    assert!(answer.text().contains("<D:propfind-finite-depth/>"));
    door.expect(403, ask("PROPFIND", "/d/").header("depth", "infinity").header("x-litmus", "1")).await;
    // Depth 1 of a file is the file.
    let answer = door.expect(207, ask("PROPFIND", "/d/a%20b").header("depth", "1")).await;
    assert_eq!(responses(&answer).len(), 1);
    door.expect(404, ask("PROPFIND", "/none").header("depth", "1")).await;
    door.expect(404, ask("PROPFIND", "/d/a%20b/below").header("depth", "0")).await;
}

#[tokio::test]
async fn a_long_listing_is_sent_while_it_is_read() {
    let door = door().await;
    for n in 0..2_500 {
        door.core.put(&format!("/common-files/many/file-{n:05}.txt"), "x").await;
    }
    let patch = "<D:propertyupdate xmlns:D='DAV:'><D:set><D:prop><p xmlns='u:'>v</p></D:prop></D:set></D:propertyupdate>";
    door.expect(207, ask("PROPPATCH", "/many/file-02000.txt").body(patch)).await;
    let lockinfo =
        "<lockinfo xmlns='DAV:'><lockscope><exclusive/></lockscope><locktype><write/></locktype></lockinfo>";
    door.expect(200, ask("LOCK", "/many/file-01500.txt").body(lockinfo)).await;

    let names = "<D:getcontentlength/><D:lockdiscovery/><p xmlns='u:'/>";
    let answer = door.expect(207, ask("PROPFIND", "/many/").header("depth", "1").body(prop(names))).await;
    assert!(!answer.torn);
    let found = responses(&answer);
    assert_eq!(found.len(), 2_501);
    for (n, one) in found[1..].iter().enumerate() {
        assert_eq!(one.href, format!("/dav/common-files/many/file-{n:05}.txt"));
        assert_eq!(one.text("{DAV:}getcontentlength"), Some("1"));
        assert_eq!(one.text("{u:}p"), (n == 2_000).then_some("v"), "{n}");
        assert_eq!(!one.dav("lockdiscovery").unwrap().inside.is_empty(), n == 1_500, "{n}");
    }

    // In pieces, none of them large.
    let whole = ask("PROPFIND", "/many/").header("depth", "1").build();
    let mut body = door.dav.serve(whole).await.into_body();
    let mut pieces = Vec::new();
    while let Some(frame) = body.frame().await {
        pieces.push(frame.unwrap().into_data().unwrap());
    }
    assert!(pieces.len() > 10, "{} pieces", pieces.len());
    assert!(pieces.iter().all(|piece| piece.len() < 128 * 1024));
    assert!(pieces.last().unwrap().ends_with(b"</D:multistatus>\n"));
}
