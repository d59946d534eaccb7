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
    for wrong in ["\"x\"", "x", "W/\"x"] {
        assert!(stage.send(delete(wrong)).await.status.is_client_error(), "{wrong}");
    }
    assert_error(&stage.send(delete("\"x\"")).await, 412, "PreconditionFailed");
    for other in ["x", "not_it"] {
        assert_error(&stage.send(delete(other)).await, 412, "PreconditionFailed");
    }
    assert_eq!(stage.send(delete("\"5d41402abc4b2a76b9719d911017c592\"")).await.status, 204);
    assert_error(&stage.send(delete("*")).await, 412, "PreconditionFailed");
    // Amazon takes a tag without its quotes, too.
    stage.put("/io/common-files/a", "hello").await;
    assert_eq!(stage.send(delete("5d41402abc4b2a76b9719d911017c592")).await.status, 204);
    assert_eq!(stage.head("/io/common-files/a").await.status, 404);
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

#[tokio::test]
async fn size_and_time_may_be_conditions_too() {
    let stage = stage().await;
    let uri = "/io/common-files/a";
    let put = async || {
        stage.put(uri, "hello").await;
        stage.head(uri).await.header("last-modified").to_owned()
    };
    let old = "Sun, 06 Nov 1994 08:49:37 GMT";
    for (name, wrong, right) in
        [("x-amz-if-match-size", "4", Some("5")), ("x-amz-if-match-last-modified-time", old, None)]
    {
        let time = put().await;
        let right = right.unwrap_or(&time);
        let delete = |value: &str| Signed::new("DELETE", uri).header(name, value);
        assert_error(&stage.send(delete(wrong)).await, 412, "PreconditionFailed");
        assert_eq!(stage.head(uri).await.status, 200);
        assert_eq!(stage.send(delete(right)).await.status, 204, "{name}: {right}");
        assert_eq!(stage.head(uri).await.status, 404);
    }
    put().await;
    let list = |size: u64| {
        let xml = format!("<Delete><Object><Key>common-files/a</Key><Size>{size}</Size></Object></Delete>");
        Signed::new("POST", "/io?delete").body(xml)
    };
    assert!(stage.send(list(4)).await.text().contains("<Code>PreconditionFailed</Code>"));
    assert!(stage.send(list(5)).await.text().contains("<Deleted>"));
    assert_eq!(stage.head(uri).await.status, 404);
}

/// A key twice is deleted once, and gone already the second time.
#[tokio::test]
async fn a_key_may_be_named_twice() {
    let stage = stage().await;
    stage.seed(&["common-files/a"]).await;
    let xml = stage.send(objects(&["common-files/a", "common-files/a"], false)).await.text();
    assert_eq!(texts(&xml, "Deleted").len(), 2, "{xml}");
}
