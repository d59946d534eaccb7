//! `CopyObject`, within the two-letter bucket.

use crate::sign::Signed;
use crate::{Stage, assert_error, stage, text};

fn copy(from: &str, to: &str) -> Signed {
    Signed::new("PUT", &format!("/io/{to}")).header("x-amz-copy-source", from)
}

async fn seeded() -> Stage {
    let stage = stage().await;
    let put = Signed::new("PUT", "/io/common-files/a%20b.txt")
        .header("content-type", "text/plain")
        .header("cache-control", "no-cache")
        .header("x-amz-meta-k", "v")
        .header("x-amz-checksum-crc32", "NhCmhg==")
        .body("hello");
    let answer = stage.send(put).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    stage
}

#[tokio::test]
async fn a_copy_takes_content_and_metadata_along() {
    let stage = seeded().await;
    for (from, to) in [
        ("io/common-files/a%20b.txt", "common-files/new/copy.txt"),
        ("/io/common-files/a%20b.txt", "personal-files/copy.txt"),
    ] {
        let answer = stage.send(copy(from, to)).await;
        let xml = answer.text();
        assert_eq!(answer.status, 200, "{xml}");
        assert!(xml.contains("<CopyObjectResult"), "{xml}");
        assert_eq!(text(&xml, "ETag"), "\"5d41402abc4b2a76b9719d911017c592\"");
        assert!(text(&xml, "LastModified").ends_with('Z'));
        let got = stage.get(&format!("/io/{to}")).await;
        assert_eq!(got.body, "hello");
        assert_eq!(got.header("content-type"), "text/plain");
        assert_eq!(got.header("cache-control"), "no-cache");
        assert_eq!(got.header("x-amz-meta-k"), "v");
    }
    assert_eq!(stage.get("/io/common-files/a%20b.txt").await.body, "hello");
}

#[tokio::test]
async fn replacing_metadata_replaces_all_of_it() {
    let stage = seeded().await;
    let from = "io/common-files/a%20b.txt";
    for to in ["common-files/copy.txt", "common-files/a%20b.txt"] {
        let request = copy(from, to)
            .header("x-amz-metadata-directive", "REPLACE")
            .header("content-type", "text/html")
            .header("x-amz-meta-mtime", "1.5");
        let answer = stage.send(request).await;
        assert_eq!(answer.status, 200, "{to}: {}", answer.text());
        let get = Signed::new("GET", &format!("/io/{to}")).header("x-amz-checksum-mode", "ENABLED");
        let got = stage.send(get).await;
        assert_eq!(got.body, "hello", "{to}");
        assert_eq!(got.header("content-type"), "text/html");
        assert_eq!(got.header("x-amz-meta-mtime"), "1.5");
        assert_eq!(got.header("x-amz-meta-k"), "");
        assert_eq!(got.header("cache-control"), "");
        assert_eq!(got.header("x-amz-checksum-crc32"), "NhCmhg==", "the content is the same");
    }
    assert_error(&stage.send(copy(from, "common-files/a%20b.txt")).await, 400, "InvalidRequest");
    let odd = copy(from, "common-files/x").header("x-amz-metadata-directive", "KEEP");
    assert_error(&stage.send(odd).await, 400, "InvalidArgument");
}

#[tokio::test]
async fn conditions_on_the_source_and_on_the_target() {
    let stage = seeded().await;
    let hello = "\"5d41402abc4b2a76b9719d911017c592\"";
    let (past, future) = ("Sun, 06 Nov 1994 08:49:37 GMT", "Wed, 01 Dec 2100 16:00:00 GMT");
    let from = "io/common-files/a%20b.txt";
    for (name, value, status) in [
        ("x-amz-copy-source-if-match", hello, 200),
        ("x-amz-copy-source-if-match", "\"x\"", 412),
        ("x-amz-copy-source-if-none-match", "\"x\"", 200),
        ("x-amz-copy-source-if-none-match", hello, 412),
        ("x-amz-copy-source-if-modified-since", past, 200),
        ("x-amz-copy-source-if-modified-since", future, 412),
        ("x-amz-copy-source-if-unmodified-since", future, 200),
        ("x-amz-copy-source-if-unmodified-since", past, 412),
    ] {
        let to = format!("common-files/{status}-{}", name.len());
        let answer = stage.send(copy(from, &to).header(name, value)).await;
        assert_eq!(answer.status, status, "{name}: {value}: {}", answer.text());
        if status == 412 {
            assert_error(&answer, 412, "PreconditionFailed");
        }
    }
    let new = copy(from, "common-files/once").header("if-none-match", "*");
    assert_eq!(stage.send(new).await.status, 200);
    let again = copy(from, "common-files/once").header("if-none-match", "*");
    assert_error(&stage.send(again).await, 412, "PreconditionFailed");
}

#[tokio::test]
async fn folders_are_never_copied_over_or_into_objects() {
    let stage = seeded().await;
    stage.seed(&["common-files/d/x", "common-files/e/"]).await;
    let from = "io/common-files/a%20b.txt";
    assert_error(&stage.send(copy(from, "common-files/d")).await, 409, "KeyIsParent");
    assert_error(&stage.send(copy(from, "common-files/e")).await, 409, "KeyIsParent");
    assert_error(&stage.send(copy(from, "common-files/a%20b.txt/c")).await, 409, "ParentIsObject");
    assert_error(&stage.send(copy("io/common-files/d", "common-files/f")).await, 404, "NoSuchKey");
    assert_error(&stage.send(copy("io/common-files/d/", "common-files/f")).await, 400, "InvalidArgument");
    assert_eq!(stage.head("/io/common-files/d/x").await.status, 200);
    assert_eq!(stage.head("/io/common-files/f").await.status, 404);
    // `aws s3 mv --recursive` and an empty folder.
    assert_eq!(stage.send(copy("io/common-files/e/", "common-files/g/")).await.status, 200);
    assert_eq!(stage.head("/io/common-files/g/").await.status, 200);
}

#[tokio::test]
async fn sources_that_are_not_there() {
    let stage = seeded().await;
    assert_error(&stage.send(copy("io/common-files/none", "common-files/x")).await, 404, "NoSuchKey");
    assert_error(&stage.send(copy("other/common-files/a", "common-files/x")).await, 404, "NoSuchBucket");
    assert_error(&stage.send(copy("io", "common-files/x")).await, 400, "InvalidArgument");
    assert_error(&stage.send(copy("io/common-files/../a", "common-files/x")).await, 400, "InvalidArgument");
    let elsewhere = Signed::new("PUT", "/other/x").header("x-amz-copy-source", "io/common-files/a%20b.txt");
    assert_error(&stage.send(elsewhere).await, 404, "NoSuchBucket");
    assert_error(&stage.send(copy("io/common-files/a%20b.txt", "x")).await, 403, "AccessDenied");
    assert_eq!(stage.head("/io/common-files/x").await.status, 404);
}

/// The digests of `hello`: computed apart from the code under test.
#[tokio::test]
async fn a_copy_gets_the_checksum_it_asks_for() {
    let stage = seeded().await;
    let from = "io/common-files/a%20b.txt";
    for (algorithm, element, value) in [
        ("CRC32", "ChecksumCRC32", "NhCmhg=="),
        ("SHA256", "ChecksumSHA256", "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ="),
    ] {
        let answer =
            stage.send(copy(from, "common-files/c").header("x-amz-checksum-algorithm", algorithm)).await;
        let xml = answer.text();
        assert_eq!(answer.status, 200, "{xml}");
        assert_eq!((text(&xml, element), text(&xml, "ChecksumType")), (value.into(), "FULL_OBJECT".into()));
        assert_eq!(xml.matches("<Checksum").count(), 2, "one digest and its type: {xml}");
        let head = Signed::new("HEAD", "/io/common-files/c").header("x-amz-checksum-mode", "ENABLED");
        let name = format!("x-amz-checksum-{}", algorithm.to_ascii_lowercase());
        assert_eq!(stage.send(head).await.header(&name), value);
    }
    let odd = copy(from, "common-files/c").header("x-amz-checksum-algorithm", "MD4");
    assert_error(&stage.send(odd).await, 400, "InvalidRequest");
}

#[tokio::test]
async fn what_one_may_not_see_cannot_be_copied() {
    use cellgate_core::testing::serve;
    let stage = seeded().await;
    stage.put("/io/personal-files/secret", "x").await;
    let reader = crate::signer(&stage.core, "reader").await;
    let send = |request: Signed| serve(&stage.s3, reader.header(request));
    let answer = send(copy("io/personal-files/secret", "common-files/stolen")).await;
    assert_error(&answer, 404, "NoSuchKey");
    let answer = send(copy("io/common-files/a%20b.txt", "common-files/mine")).await;
    assert_error(&answer, 403, "AccessDenied");
    for source in
        ["io/common-files/..%2Fpersonal-files/secret", "io/common-files/%2e%2e/personal-files/secret"]
    {
        assert_error(&stage.send(copy(source, "common-files/x")).await, 400, "InvalidArgument");
    }
    assert_eq!(stage.head("/io/common-files/x").await.status, 404);
    assert_eq!(stage.head("/io/common-files/stolen").await.status, 404);
}
