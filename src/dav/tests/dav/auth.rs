//! Who gets in, and what the others hear.

use cellgate_core::Door;
use cellgate_core::identity::NewKey;
use cellgate_core::testing::request;

use crate::support::{ask, door};

#[tokio::test]
async fn a_wrong_password_is_asked_for_again() {
    let door = door().await;
    let path = "/dav/common-files/";
    for refused in [
        request("PROPFIND", path),
        request("PROPFIND", path).basic_with("alice", "wrong"),
        request("PROPFIND", path).basic_with("nobody", "wrong"),
        request("PROPFIND", path).bearer("nonsense"),
        request("PROPFIND", path).header("authorization", "Digest username=\"alice\""),
        request("GET", "/dav/common-files/missing").basic_with("alice", "wrong"),
        request("PROPFIND", "/"),
        request("PUT", "/dav/common-files/x").body("x"),
        request("OPTIONS", path).basic_with("alice", "wrong"),
    ] {
        let answer = door.expect(401, refused).await;
        assert!(answer.header("www-authenticate").starts_with("Basic realm=\"cellgate\""));
        assert!(!answer.body.is_empty());
    }
    assert!(!door.exists("/x").await);
}

#[tokio::test]
async fn tokens_and_keys_stand_for_the_password() {
    let door = door().await;
    let identity = door.core.identity();
    let token = identity.sign_in("alice", "alice-password", Door::Dav).await.unwrap().access_token;
    let user = identity.user("alice").await.unwrap().unwrap();
    let (key, secret) = identity.create_key(user.uuid, NewKey::default()).await.unwrap();
    let path = "/dav/common-files/";
    for accepted in [
        request("PROPFIND", path).basic_with("alice", &token),
        request("PROPFIND", path).basic_with(&key.id, &secret),
        request("PROPFIND", path).bearer(&token),
    ] {
        door.expect(207, accepted.header("depth", "0")).await;
    }
    // Somebody else's token is no password.
    door.expect(401, request("PROPFIND", path).basic_with("admin", &token)).await;
}

#[tokio::test]
async fn rights_of_the_core_hold_here() {
    let door = door().await;
    door.put("/a", "1").await;
    door.core.get("/common-files/a").await.unwrap();
    let reader = |method: &str, path: &str| request(method, path).basic("reader");
    door.expect(200, reader("GET", "/dav/common-files/a")).await;
    door.expect(403, reader("PUT", "/dav/common-files/a").body("2")).await;
    door.expect(403, reader("PUT", "/dav/common-files/b").body("2")).await;
    door.expect(403, reader("DELETE", "/dav/common-files/a")).await;
    door.expect(403, reader("MKCOL", "/dav/common-files/c")).await;
    // A workspace without a right to it does not exist.
    door.expect(404, reader("PROPFIND", "/dav/personal-files/").header("depth", "0")).await;
    assert_eq!(door.content("/a").await.as_deref(), Some("1"));
}

#[tokio::test]
async fn options_tell_what_clients_look_for() {
    let door = door().await;
    // Without credentials, and at the site's root: Windows and Office ask there first.
    for open in [request("OPTIONS", "/"), request("OPTIONS", "/dav/common-files/x")] {
        let answer = door.expect(200, open).await;
        assert!(answer.header("dav").split(',').any(|class| class.trim() == "2"));
        assert_eq!(answer.header("ms-author-via"), "DAV");
    }
    door.put("/a", "1").await;
    let allows = async |path: &str| {
        let answer = door.expect(200, request("OPTIONS", path).basic("alice")).await;
        assert!(answer.header("dav").split(',').any(|class| class.trim() == "1"));
        assert_eq!(answer.header("ms-author-via"), "DAV");
        answer.header("allow").split(", ").map(str::to_owned).collect::<Vec<_>>()
    };
    let file = allows("/dav/common-files/a").await;
    for method in ["GET", "HEAD", "PUT", "DELETE", "COPY", "MOVE", "PROPFIND", "PROPPATCH", "LOCK", "UNLOCK"]
    {
        assert!(file.iter().any(|allowed| allowed == method), "{method} in {file:?}");
    }
    let none = allows("/dav/common-files/none").await;
    for method in ["PUT", "MKCOL", "LOCK"] {
        assert!(none.iter().any(|allowed| allowed == method), "{method} in {none:?}");
    }
    assert!(!none.iter().any(|allowed| allowed == "GET"));
    let workspace = allows("/dav/common-files").await;
    assert!(!workspace.iter().any(|allowed| allowed == "DELETE" || allowed == "MOVE"), "{workspace:?}");
    assert_eq!(allows("/dav").await, ["OPTIONS", "PROPFIND"]);
}

#[tokio::test]
async fn windows_does_not_remember_a_missing_file() {
    let door = door().await;
    let agent = "Microsoft-WebDAV-MiniRedir/10.0.19045";
    let answer =
        door.expect(404, ask("PROPFIND", "/none").header("user-agent", agent).header("depth", "0")).await;
    assert!(answer.header("cache-control").contains("no-store"));
    let answer = door.expect(404, ask("PROPFIND", "/none").header("depth", "0")).await;
    assert_eq!(answer.header("cache-control"), "");
}
