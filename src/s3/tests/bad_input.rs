//! Wrong keys, and what is not built.

use cellgate_core::testing::{request, serve};

use crate::sign::Signed;
use crate::{assert_error, stage, text, texts};

#[tokio::test]
async fn keys_that_name_no_node_change_nothing() {
    let stage = stage().await;
    let long_name = format!("common-files/{}", "n".repeat(256));
    let long_key = format!("common-files/{}", "n/".repeat(600));
    for (key, code) in [
        ("common-files//a", "InvalidArgument"),
        ("common-files/a//", "InvalidArgument"),
        ("common-files/%2E%2E/a", "InvalidArgument"),
        ("common-files/./a", "InvalidArgument"),
        ("common-files/..%2Fa", "InvalidArgument"),
        ("..", "InvalidArgument"),
        ("common-files/a%00b", "InvalidArgument"),
        ("common-files/a%0Ab", "InvalidArgument"),
        (&long_name, "KeyTooLongError"),
        (&long_key, "KeyTooLongError"),
    ] {
        let uri = format!("/io/{key}");
        assert_error(&stage.put(&uri, "x").await, 400, code);
        assert_error(&stage.get(&uri).await, 400, code);
        assert_error(&stage.delete(&uri).await, 400, code);
        assert_error(&stage.send(Signed::new("POST", &format!("{uri}?uploads"))).await, 400, code);
    }
    assert_eq!(texts(&stage.get("/io?list-type=2").await.text(), "Key"), Vec::<String>::new());
    let invalid = request("GET", "/io/common-files/%ff").bearer(&stage.alice.key);
    assert_error(&serve(&stage.s3, invalid).await, 400, "InvalidURI");
}

#[tokio::test]
async fn objects_need_a_workspace_that_is_there() {
    let stage = stage().await;
    assert_error(&stage.put("/io/file.txt", "x").await, 403, "AccessDenied");
    assert_error(&stage.put("/io/nowhere/file.txt", "x").await, 404, "NoSuchKey");
    assert_error(&stage.get("/io/nowhere/file.txt").await, 404, "NoSuchKey");
    assert_error(&stage.get("/io/file.txt").await, 404, "NoSuchKey");
    assert_error(&stage.put("/io/nowhere/", "").await, 404, "NoSuchKey");
    assert_eq!(stage.put("/io/common-files/", "").await.status, 200);
    // A slash too many in front is dropped, as Cells does.
    assert_eq!(stage.put("/io//common-files/a", "x").await.status, 200);
    assert_eq!(stage.get("/io/common-files/a").await.body, "x");
    // An encoded slash is a slash: keys are decoded before anything else.
    assert_eq!(stage.get("/io/common-files%2Fa").await.body, "x");
}

#[tokio::test]
async fn names_are_one_form_of_unicode() {
    let stage = stage().await;
    stage.put("/io/common-files/e%CC%81", "x").await;
    assert_eq!(stage.get("/io/common-files/%C3%A9").await.body, "x");
    let xml = stage.get("/io?list-type=2&prefix=common-files/e%CC%81").await.text();
    assert_eq!(text(&xml, "Key"), "common-files/\u{e9}", "{xml}");
}

#[tokio::test]
async fn what_is_not_built_says_so() {
    let stage = stage().await;
    stage.put("/io/common-files/a", "hello").await;
    for (method, uri) in [
        ("PUT", "/io?policy"),
        ("GET", "/io?events"),
        ("GET", "/io/common-files/a?torrent"),
        ("POST", "/io/common-files/a?restore"),
        ("PATCH", "/io/common-files/a"),
        ("PUT", "/"),
    ] {
        let answer = stage.send(Signed::new(method, uri).body("")).await;
        assert_eq!(answer.status, 501, "{method} {uri}: {}", answer.text());
    }
    for (name, value, status) in [
        ("x-amz-server-side-encryption", "AES256", 501),
        ("x-amz-website-redirect-location", "x", 400),
        ("x-amz-object-lock-mode", "COMPLIANCE", 400),
        ("x-amz-acl", "public-read", 400),
        ("x-amz-storage-class", "GLACIER", 400),
    ] {
        let put = Signed::new("PUT", "/io/common-files/a").header(name, value).body("x");
        assert_eq!(stage.send(put).await.status, status, "{name}");
    }
    assert_eq!(stage.get("/io/common-files/a").await.body, "hello");
    assert_eq!(stage.get("/io/common-files/a?versionId=null").await.body, "hello");
}

#[tokio::test]
async fn too_much_metadata_is_refused() {
    let stage = stage().await;
    let put = Signed::new("PUT", "/io/common-files/a").header("x-amz-meta-k", "v".repeat(2_048)).body("x");
    assert_error(&stage.send(put).await, 400, "MetadataTooLarge");
    assert_eq!(stage.head("/io/common-files/a").await.status, 404);
}
