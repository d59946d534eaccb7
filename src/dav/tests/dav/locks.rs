//! LOCK and UNLOCK: the suite `locks` of litmus, and what Windows, Finder and Office do.

use cellgate_core::NodePath;
use cellgate_core::testing::{RequestBuilder, body, request};
use cellgate_core::tree::Write;

use crate::support::{BASE, Door, ask, door, prop, responses};

fn lockinfo(scope: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?><lockinfo xmlns='DAV:'><lockscope><{scope}/></lockscope>\
         <locktype><write/></locktype><owner>litmus &amp; <href>mailto:a@b</href></owner></lockinfo>"
    )
}

fn lock(path: &str) -> RequestBuilder {
    ask("LOCK", path).header("timeout", "Second-3600").body(lockinfo("exclusive"))
}

/// With its angle brackets.
async fn take(door: &Door, status: u16, request: RequestBuilder) -> String {
    let answer = door.expect(status, request).await;
    let token = answer.header("lock-token").to_owned();
    assert!(token.starts_with("<urn:uuid:") && token.ends_with('>'), "{token}");
    assert!(answer.text().contains(token.trim_matches(['<', '>'])), "{}", answer.text());
    token
}

async fn unlock(door: &Door, path: &str, token: &str) {
    door.expect(204, ask("UNLOCK", path).header("lock-token", token)).await;
}

#[tokio::test]
async fn an_exclusive_lock_is_the_owners_alone() {
    let door = door().await;
    door.put("/lockme", "1").await;
    door.put("/notlocked", "1").await;
    let token = take(&door, 200, lock("/lockme").header("depth", "0")).await;

    // Discovery shows what was asked for.
    let asked = ask("PROPFIND", "/lockme").header("depth", "0").body(prop("<D:lockdiscovery/>"));
    let answer = door.expect(207, asked).await;
    let found = responses(&answer)[0].dav("lockdiscovery").unwrap().inside.clone();
    for inside in ["activelock", "exclusive", "write", "depth", "owner", "timeout", "locktoken", "lockroot"] {
        assert!(found.contains(&format!("{{DAV:}}{inside}")), "{inside} in {found:?}");
    }
    let text = answer.text();
    assert!(text.contains("<D:depth>0</D:depth>"));
    assert!(
        text.contains("litmus &amp; <href xmlns=\"DAV:\">mailto:a@b</href>"),
        "the owner as it came: {text}"
    );
    assert!(text.contains(&format!("<D:lockroot><D:href>{BASE}/lockme</D:href></D:lockroot>")), "{text}");
    let left = text.split("Second-").nth(1).unwrap().split('<').next().unwrap().parse::<u64>().unwrap();
    assert!((3590..=3600).contains(&left), "{left}");

    // Without the token everything is refused, and the body says why.
    let patch = "<D:propertyupdate xmlns:D='DAV:'><D:set><D:prop><p/></D:prop></D:set></D:propertyupdate>";
    for refused in [
        ask("PUT", "/lockme").body("2"),
        ask("DELETE", "/lockme"),
        ask("PROPPATCH", "/lockme").body(patch),
        ask("MOVE", "/lockme").header("destination", "/dav/common-files/elsewhere"),
        ask("COPY", "/notlocked").header("destination", "/dav/common-files/lockme"),
        ask("MOVE", "/notlocked").header("destination", "/dav/common-files/lockme"),
    ] {
        let answer = door.expect(423, refused).await;
        assert!(
            answer.text().contains("<D:lock-token-submitted><D:href>/dav/common-files/"),
            "{}",
            answer.text()
        );
    }
    for scope in ["exclusive", "shared"] {
        let answer = door.expect(423, ask("LOCK", "/lockme").body(lockinfo(scope))).await;
        assert!(answer.text().contains("<D:no-conflicting-lock>"), "{}", answer.text());
    }
    assert_eq!(door.content("/lockme").await.as_deref(), Some("1"), "reading goes on");
    // A copy has no lock.
    door.expect(201, ask("COPY", "/lockme").header("destination", "/dav/common-files/copy")).await;
    door.expect(204, ask("DELETE", "/copy")).await;

    // With it everything goes; the token of another principal's is none.
    let other = request("PUT", "/dav/common-files/lockme").basic("admin").body("2");
    door.expect(423, other.header("if", format!("({token})"))).await;
    door.expect(204, ask("PUT", "/lockme").body("2").header("if", format!("({token})"))).await;
    door.expect(207, ask("PROPPATCH", "/lockme").body(patch).header("if", format!("({token})"))).await;
    unlock(&door, "/lockme", &token).await;
    door.expect(204, ask("PUT", "/lockme").body("3")).await;
}

#[tokio::test]
async fn conditional_puts() {
    let door = door().await;
    let etag = door.put("/c", "1").await.header("etag").to_owned();
    let token = take(&door, 200, lock("/c")).await;
    let put = |condition: String| ask("PUT", "/c").body("1").header("if", condition);
    let no = "<DAV:no-lock>";
    // litmus: cond_put, fail_cond_put, cond_put_with_not, cond_put_corrupt_token,
    // complex_cond_put, fail_complex_cond_put
    door.expect(204, put(format!("({token} [{etag}])"))).await;
    door.expect(412, put(format!("({token} [\"corrupt\"])"))).await;
    door.expect(204, put(format!("({token}) (Not {no})"))).await;
    door.expect(423, put(format!("(<urn:uuid:corrupt>) (Not {no})"))).await;
    door.expect(204, put(format!("({token} [{etag}]) (Not {no} [{etag}])"))).await;
    door.expect(412, put(format!("({token} [\"x\"]) (Not {no} [\"x\"])"))).await;
    unlock(&door, "/c", &token).await;
    door.expect(412, put(format!("({token})"))).await;
    door.expect(412, put(format!("({no})"))).await;
}

#[tokio::test]
async fn refresh() {
    let door = door().await;
    door.put("/r", "1").await;
    let token = take(&door, 200, lock("/r")).await;
    let refresh =
        |token: &str| ask("LOCK", "/r").header("if", format!("({token})")).header("timeout", "Second-60");
    let answer = door.expect(200, refresh(&token)).await;
    assert!(answer.text().contains("<D:timeout>Second-60</D:timeout>"), "{}", answer.text());
    assert_eq!(answer.header("lock-token"), "", "RFC 4918 §9.10.2: not for a refresh");
    door.expect(412, refresh("<urn:uuid:unknown>")).await;
    door.expect(400, ask("LOCK", "/r")).await;
    // More than a day is not granted, whatever is asked.
    let answer = door
        .expect(200, ask("LOCK", "/r").header("if", format!("({token})")).header("timeout", "Infinite"))
        .await;
    assert!(answer.text().contains("<D:timeout>Second-86400</D:timeout>"), "{}", answer.text());
}

#[tokio::test]
async fn shared_locks_stand_together() {
    let door = door().await;
    door.put("/s", "1").await;
    let shared = || ask("LOCK", "/s").header("depth", "0").body(lockinfo("shared"));
    let first = take(&door, 200, shared()).await;
    let second = take(&door, 200, shared()).await;
    assert_ne!(first, second);
    door.expect(423, lock("/s")).await;
    door.expect(423, ask("PUT", "/s").body("2")).await;
    door.expect(204, ask("PUT", "/s").body("2").header("if", format!("({first})"))).await;
    unlock(&door, "/s", &first).await;
    door.expect(423, ask("PUT", "/s").body("3")).await;
    unlock(&door, "/s", &second).await;
    door.expect(204, ask("PUT", "/s").body("3")).await;
}

#[tokio::test]
async fn a_locked_collection_holds_all_below() {
    let door = door().await;
    door.mkcol("/coll").await;
    door.put("/coll/in", "1").await;
    let token = take(&door, 200, lock("/coll/").header("depth", "infinity")).await;
    door.expect(423, ask("PUT", "/coll/in").body("2")).await;
    door.expect(423, ask("PUT", "/coll/new").body("2")).await;
    door.expect(423, ask("MKCOL", "/coll/sub")).await;
    door.expect(423, ask("DELETE", "/coll/in")).await;
    door.expect(423, lock("/coll/in")).await;
    // By the member's own URL, or by the collection's.
    door.expect(204, ask("PUT", "/coll/in").body("2").header("if", format!("({token})"))).await;
    let tagged = format!("<http://localhost:8080{BASE}/coll/> ({token})");
    door.expect(201, ask("PUT", "/coll/new").body("2").header("if", tagged)).await;
    // litmus: indirect_refresh
    let answer = door.expect(200, ask("LOCK", "/coll/in").header("if", format!("({token})"))).await;
    assert!(answer.text().contains(&format!("<D:href>{BASE}/coll</D:href>")), "{}", answer.text());
    // Members show the lock that holds them.
    let asked = ask("PROPFIND", "/coll/").header("depth", "1").body(prop("<D:lockdiscovery/>"));
    let answer = door.expect(207, asked).await;
    for response in responses(&answer) {
        let inside = &response.dav("lockdiscovery").unwrap().inside;
        assert_eq!(inside.iter().filter(|name| *name == "{DAV:}activelock").count(), 1, "{}", response.href);
    }
    door.expect(204, ask("DELETE", "/coll/").header("if", format!("({token})"))).await;
    door.mkcol("/coll").await;
}

#[tokio::test]
async fn a_shallow_lock_holds_the_members_list() {
    let door = door().await;
    door.mkcol("/coll").await;
    door.put("/coll/in", "1").await;
    let token = take(&door, 200, lock("/coll/").header("depth", "0")).await;
    door.expect(204, ask("PUT", "/coll/in").body("2")).await;
    door.expect(423, ask("PUT", "/coll/new").body("2")).await;
    door.expect(423, ask("DELETE", "/coll/in")).await;
    let tagged = format!("<{BASE}/coll> ({token})");
    door.expect(201, ask("PUT", "/coll/new").body("2").header("if", &tagged)).await;
    door.expect(204, ask("DELETE", "/coll/in").header("if", &tagged)).await;
    unlock(&door, "/coll", &token).await;
}

#[tokio::test]
async fn an_unmapped_url_is_locked_by_an_empty_file() {
    let door = door().await;
    let token = take(&door, 201, lock("/unmapped")).await;
    assert_eq!(door.content("/unmapped").await.as_deref(), Some(""));
    door.expect(423, ask("PUT", "/unmapped").body("x")).await;
    door.expect(204, ask("PUT", "/unmapped").body("x").header("if", format!("({token})"))).await;
    unlock(&door, "/unmapped", &token).await;
    assert_eq!(door.content("/unmapped").await.as_deref(), Some("x"));
    door.expect(409, lock("/none/x")).await;
    assert!(!door.exists("/none").await);
}

#[tokio::test]
async fn what_cannot_be_locked_or_unlocked() {
    let door = door().await;
    door.put("/a", "x").await;
    door.expect(400, lock("/a").header("depth", "1")).await;
    let answer = door.expect(409, ask("UNLOCK", "/a").header("lock-token", "<urn:uuid:none>")).await;
    assert!(answer.text().contains("lock-token-matches-request-uri"));
    door.expect(403, request("LOCK", "/dav/common-files/a").basic("reader").body(lockinfo("exclusive")))
        .await;
    let token = take(&door, 200, lock("/a")).await;
    // Another file's lock is not this one's.
    door.put("/b", "x").await;
    door.expect(409, ask("UNLOCK", "/b").header("lock-token", &token)).await;
    door.expect(412, ask("PUT", "/b").body("y").header("if", format!("({token})"))).await;
    door.expect(423, ask("PUT", "/a").body("y")).await;
}

/// The sequence of `reference/cells-s3-dav-auth.md` 5.6.
#[tokio::test]
async fn windows_copies_a_file() {
    let door = door().await;
    let windows = |method: &str, path: &str| {
        ask(method, path)
            .header("user-agent", "Microsoft-WebDAV-MiniRedir/10.0.19045")
            .header("translate", "f")
    };
    door.expect(404, windows("PROPFIND", "/new.txt").header("depth", "0")).await;
    door.expect(201, windows("PUT", "/new.txt").body("")).await;
    let locked = windows("LOCK", "/new.txt").header("timeout", "Second-3600").body(lockinfo("exclusive"));
    let token = take(&door, 200, locked).await;
    let patch = |modified: &str| {
        format!(
            "<?xml version=\"1.0\" encoding=\"utf-8\" ?><D:propertyupdate xmlns:D=\"DAV:\" \
             xmlns:Z=\"urn:schemas-microsoft-com:\"><D:set><D:prop>\
             <Z:Win32CreationTime>Tue, 01 Jan 2019 00:00:00 GMT</Z:Win32CreationTime>\
             <Z:Win32LastAccessTime>Tue, 01 Jan 2019 00:00:00 GMT</Z:Win32LastAccessTime>\
             <Z:Win32LastModifiedTime>{modified}</Z:Win32LastModifiedTime>\
             <Z:Win32FileAttributes>00000021</Z:Win32FileAttributes></D:prop></D:set></D:propertyupdate>"
        )
    };
    let time = "Wed, 01 Jan 2020 00:00:00 GMT";
    door.expect(423, windows("PROPPATCH", "/new.txt").body(patch(time))).await;
    let held = format!("({token})");
    door.expect(200, windows("HEAD", "/new.txt")).await;
    door.expect(204, windows("PUT", "/new.txt").header("if", &held).body("content")).await;
    let answer =
        door.expect(207, windows("PROPPATCH", "/new.txt").header("if", &held).body(patch(time))).await;
    assert!(
        responses(&answer)[0].properties.iter().all(|property| property.status == 200),
        "{}",
        answer.text()
    );
    assert_eq!(responses(&answer)[0].properties.len(), 4);
    unlock(&door, "/new.txt", &token).await;

    let head = door.expect(200, ask("HEAD", "/new.txt")).await;
    assert_eq!(head.header("last-modified"), time);
    let answer = door.expect(207, windows("PROPFIND", "/new.txt").header("depth", "0")).await;
    let found = &responses(&answer)[0];
    let win32 = |local: &str| found.text(&format!("{{urn:schemas-microsoft-com:}}{local}"));
    assert_eq!(win32("Win32LastModifiedTime"), Some(time));
    assert_eq!(win32("Win32CreationTime"), Some("Tue, 01 Jan 2019 00:00:00 GMT"));
    assert_eq!(win32("Win32FileAttributes"), Some("00000021"));
    let times =
        found.properties.iter().filter(|property| property.name.ends_with("Win32CreationTime")).count();
    assert_eq!(times, 1);
    // A folder gets its times too (golang/go#43929).
    door.mkcol("/folder").await;
    let answer = door.expect(207, windows("PROPPATCH", "/folder").body(patch(time))).await;
    assert!(responses(&answer)[0].properties.iter().all(|property| property.status == 200));
}

#[tokio::test]
async fn a_lock_taken_here_stops_other_doors() {
    let door = door().await;
    door.put("/a", "x").await;
    take(&door, 200, lock("/a")).await;
    let tree = door.core.tree("alice").await;
    let path = NodePath::parse("/common-files/a").unwrap();
    let refused = tree.write(&path, body("y"), Write::default()).await;
    assert!(matches!(refused, Err(cellgate_core::Error::Locked { .. })));
}
