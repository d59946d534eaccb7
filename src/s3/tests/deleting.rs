//! `DeleteObject`, `DeleteObjects`.

use crate::sign::Signed;
use crate::{assert_error, stage, text, texts};

#[tokio::test]
async fn deleting_is_for_good_and_done_already_when_nothing_is_there() {
    let stage = stage().await;
    stage.seed(&["common-files/d/a", "common-files/d/b"]).await;
    for uri in ["/io/common-files/d/a", "/io/common-files/d/a", "/io/common-files/none/x", "/io/nowhere/x"] {
        let answer = stage.delete(uri).await;
        assert_eq!(answer.status, 204, "{uri}: {}", answer.text());
        assert!(answer.body.is_empty());
    }
    assert_eq!(stage.head("/io/common-files/d/a").await.status, 404);
    assert_eq!(stage.head("/io/common-files/d/b").await.status, 200);
    assert!(stage.core.stat("/common-files/recycle_bin").await.is_err(), "nothing was recycled");
}

#[tokio::test]
async fn a_folder_goes_only_when_it_is_empty_and_named_with_its_slash() {
    let stage = stage().await;
    stage.seed(&["common-files/d/a", "common-files/e/"]).await;
    for uri in ["/io/common-files/d/", "/io/common-files/d", "/io/common-files/e", "/io/common-files/d/a/"] {
        assert_eq!(stage.delete(uri).await.status, 204, "{uri}");
    }
    assert_eq!(stage.head("/io/common-files/d/a").await.status, 200);
    assert_eq!(stage.head("/io/common-files/e/").await.status, 200);
    assert_eq!(stage.delete("/io/common-files/e/").await.status, 204);
    assert_eq!(stage.head("/io/common-files/e/").await.status, 404);
    // Workspaces stay, empty or not.
    for uri in ["/io/common-files/", "/io/personal-files/", "/io/common-files"] {
        assert_eq!(stage.delete(uri).await.status, 204, "{uri}");
    }
    assert!(stage.core.stat("/personal-files").await.is_ok());
    assert_eq!(stage.head("/io/common-files/d/a").await.status, 200);
}

#[tokio::test]
async fn a_condition_must_hold() {
    let stage = stage().await;
    stage.put("/io/common-files/a", "hello").await;
    let delete = |etag: &str| Signed::new("DELETE", "/io/common-files/a").header("if-match", etag);
    assert_error(&stage.send(delete("\"x\"")).await, 412, "PreconditionFailed");
    assert_eq!(stage.send(delete("\"5d41402abc4b2a76b9719d911017c592\"")).await.status, 204);
    assert_error(&stage.send(delete("*")).await, 412, "PreconditionFailed");
}

fn objects(keys: &[&str], quiet: bool) -> Signed {
    let mut xml = String::from("<Delete xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">");
    if quiet {
        xml.push_str("<Quiet>true</Quiet>");
    }
    for key in keys {
        xml.push_str(&format!("<Object><Key>{key}</Key></Object>"));
    }
    xml.push_str("</Delete>");
    Signed::new("POST", "/io?delete").body(xml)
}

#[tokio::test]
async fn many_keys_at_once() {
    let stage = stage().await;
    stage.seed(&["common-files/a", "common-files/b&c", "common-files/d/x"]).await;
    let keys = ["common-files/a", "common-files/b&amp;c", "common-files/none", "common-files/d/", "bad//key"];
    let answer = stage.send(objects(&keys, false)).await;
    let xml = answer.text();
    assert_eq!(answer.status, 200, "{xml}");
    let deleted: Vec<String> = texts(&xml, "Deleted").iter().map(|one| text(one, "Key")).collect();
    assert_eq!(deleted, ["common-files/a", "common-files/b&c", "common-files/none", "common-files/d/"]);
    let errors: Vec<_> =
        texts(&xml, "Error").iter().map(|one| (text(one, "Key"), text(one, "Code"))).collect();
    assert_eq!(errors, [("bad//key".to_owned(), "InvalidArgument".to_owned())]);
    assert_eq!(stage.head("/io/common-files/a").await.status, 404);
    assert_eq!(stage.head("/io/common-files/b&c").await.status, 404);
    assert_eq!(stage.head("/io/common-files/d/x").await.status, 200);

    let quiet = stage.send(objects(&["common-files/d/x", "bad//key"], true)).await.text();
    assert!(!quiet.contains("<Deleted>") && quiet.contains("bad//key"), "{quiet}");
    assert_eq!(stage.head("/io/common-files/d/x").await.status, 404);
}

#[tokio::test]
async fn broken_lists_delete_nothing() {
    let stage = stage().await;
    stage.seed(&["common-files/a"]).await;
    let many: Vec<String> = (0..1_001).map(|n| format!("common-files/{n}")).collect();
    let mut many: Vec<&str> = many.iter().map(String::as_str).collect();
    many[0] = "common-files/a";
    assert_error(&stage.send(objects(&many, false)).await, 400, "MalformedXML");
    assert_error(&stage.send(objects(&[], false)).await, 400, "MalformedXML");
    assert_error(&stage.send(objects(&["common-files/a", "x&#1;"], false)).await, 400, "MalformedXML");
    let torn = Signed::new("POST", "/io?delete").body("<Delete><Object><Key>common-files/a</Key>");
    assert_error(&stage.send(torn).await, 400, "MalformedXML");
    let other = hex::encode(<sha2::Sha256 as sha2::Digest>::digest("other"));
    let forged = objects(&["common-files/a"], false).payload(&other);
    assert_error(&stage.send(forged).await, 400, "XAmzContentSHA256Mismatch");
    assert_eq!(stage.head("/io/common-files/a").await.status, 200);
}
