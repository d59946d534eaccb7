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
        ("GET", "/io?prefix=&suffix=&events=s3:ObjectCreated:*"),
        ("GET", "/io/common-files/a?torrent"),
        ("POST", "/io/common-files/a?restore"),
        ("PATCH", "/io/common-files/a"),
        ("PUT", "/"),
        ("GET", "/?x-id=ListDirectoryBuckets"),
        ("GET", "/?max-directory-buckets=1&x-id=ListDirectoryBuckets"),
    ] {
        let answer = stage.send(Signed::new(method, uri).body("")).await;
        assert_error(&answer, 501, "NotImplemented");
    }
    for (name, value, status, code) in [
        ("x-amz-server-side-encryption", "AES256", 501, "NotImplemented"),
        ("x-amz-website-redirect-location", "x", 400, "InvalidRedirectLocation"),
        ("x-amz-object-lock-mode", "COMPLIANCE", 400, "InvalidRequest"),
        ("x-amz-acl", "public-read", 400, "AccessControlListNotSupported"),
        ("x-amz-storage-class", "GLACIER", 400, "InvalidStorageClass"),
    ] {
        let put = Signed::new("PUT", "/io/common-files/a").header(name, value).body("x");
        assert_error(&stage.send(put).await, status, code);
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

/// Amazon's limit on keys, in bytes of UTF-8, and that of names here.
#[tokio::test]
async fn keys_and_names_have_their_lengths() {
    let stage = stage().await;
    let folders = format!("common-files/{}", "12345678/".repeat(100));
    for (key, fits) in [
        (format!("common-files/{}", "n".repeat(255)), true),
        (format!("common-files/{}", "n".repeat(256)), false),
        (format!("common-files/{}", "%C3%A9".repeat(127)), true),
        (format!("common-files/{}", "%C3%A9".repeat(128)), false),
        (format!("{folders}{}", "n".repeat(1_024 - folders.len())), true),
        (format!("{folders}{}", "n".repeat(1_025 - folders.len())), false),
        ("n".repeat(60_000), false),
    ] {
        let uri = format!("/io/{key}");
        let answer = stage.put(&uri, "x").await;
        if fits {
            assert_eq!(answer.status, 200, "{key}: {}", answer.text());
            assert_eq!(stage.delete(&uri).await.status, 204);
        } else {
            assert_error(&answer, 400, "KeyTooLongError");
        }
    }
    assert_eq!(texts(&stage.get("/io?list-type=2").await.text(), "Key"), Vec::<String>::new());
}

/// RFC 3629: surrogates, overlong forms and torn sequences are no UTF-8.
#[tokio::test]
async fn what_is_no_utf_8_is_no_target() {
    let stage = stage().await;
    for bytes in ["%FF", "%ED%A0%80", "%ED%BF%BF", "%C0%AF", "%C3", "%F4%90%80%80"] {
        for uri in [
            format!("/io/common-files/a{bytes}"),
            format!("/io?list-type=2&prefix={bytes}"),
            format!("/io?marker={bytes}"),
            format!("/io?delimiter={bytes}"),
            format!("/io?{bytes}"),
        ] {
            for method in ["GET", "PUT"] {
                let request = request(method, &uri).bearer(&stage.alice.key);
                assert_error(&serve(&stage.s3, request).await, 400, "InvalidURI");
            }
        }
    }
    assert_eq!(texts(&stage.get("/io?list-type=2").await.text(), "Key"), Vec::<String>::new());
}

#[tokio::test]
async fn listings_by_odd_bytes_list_nothing_else() {
    let stage = stage().await;
    stage.seed(&["common-files/a", "common-files/b"]).await;
    for parameter in ["prefix", "marker", "delimiter", "start-after", "key-marker"] {
        for odd in ["%00", "a%00", "%01", "%1F", "%7F"] {
            let answer = stage.get(&format!("/io?list-type=2&{parameter}={odd}")).await;
            assert_error(&answer, 400, "InvalidArgument");
        }
    }
    for odd in ["%0A", "common-files/%0A", "common-files/%2E%2E/", "..%2F", "%2F", "common-files%2F%2F"] {
        let answer = stage.get(&format!("/io?list-type=2&prefix={odd}&encoding-type=url")).await;
        assert_eq!((answer.status.as_u16(), texts(&answer.text(), "Key").len()), (200, 0), "{odd}");
    }
    let long = "n".repeat(5_000);
    let answer = stage.get(&format!("/io?list-type=2&prefix=common-files/{long}")).await;
    assert_eq!((answer.status.as_u16(), texts(&answer.text(), "Key").len()), (200, 0));
    let after =
        stage.get(&format!("/io?list-type=2&prefix=common-files/&start-after=common-files/{long}")).await;
    assert_eq!(texts(&after.text(), "Key"), Vec::<String>::new());
    let before = stage.get("/io?list-type=2&prefix=common-files/&start-after=common-files/%0A").await;
    assert_eq!(texts(&before.text(), "Key").len(), 2);
}

/// Amazon answers several ranges with the whole object, as RFC 9110 section 14.2 allows; "Range".
#[tokio::test]
async fn ranges_by_the_thousand_are_none() {
    let stage = stage().await;
    let uri = "/io/common-files/a";
    stage.put(uri, "hello").await;
    let many = format!("bytes={}", vec!["0-0"; 5_000].join(","));
    for range in [many.as_str(), "bytes=0-1,2-3", "bytes=3-1", "bytes=--1", "bytes=", "lines=0-1"] {
        let get = stage.send(Signed::new("GET", uri).header("range", range)).await;
        assert_eq!(
            (get.status.as_u16(), &get.body[..]),
            (200, &b"hello"[..]),
            "{}",
            &range[..8.min(range.len())]
        );
        assert_eq!(get.header("content-range"), "");
    }
    for range in ["bytes=5-", "bytes=99999999999999999999999-", "bytes=-0"] {
        assert_error(&stage.send(Signed::new("GET", uri).header("range", range)).await, 416, "InvalidRange");
    }
    let tail = Signed::new("GET", uri).header("range", "bytes=-99999999999999999999999");
    assert_eq!(stage.send(tail).await.body, "hello");
    let begun = stage.send(Signed::new("POST", &format!("{uri}?uploads"))).await.text();
    let part = format!("{uri}?partNumber=1&uploadId={}", text(&begun, "UploadId"));
    for range in [many.as_str(), "bytes=3-1", "bytes=-1", "bytes=0-", "bytes=0-5"] {
        let copy = Signed::new("PUT", &part)
            .header("x-amz-copy-source", "io/common-files/a")
            .header("x-amz-copy-source-range", range);
        assert_error(&stage.send(copy).await, 400, "InvalidArgument");
    }
    let (upload, _) = part.split_once("partNumber=1&").unwrap();
    let parts = stage.get(&format!("{upload}uploadId={}", text(&begun, "UploadId"))).await.text();
    assert!(parts.contains("<ListPartsResult") && !parts.contains("<Part>"), "{parts}");
}
