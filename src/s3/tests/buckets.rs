//! Buckets: the whole tree under two names, and every workspace under its own.

use cellgate_core::testing::{request, serve};

use crate::sign::Signed;
use crate::{assert_error, stage, text, texts};

#[tokio::test]
async fn the_whole_tree_and_every_workspace_are_buckets() {
    let stage = stage().await;
    let xml = stage.get("/").await.text();
    assert_eq!(texts(&xml, "Name"), ["io", "data", "common-files", "personal-files"], "{xml}");
    assert!(xml.contains("<ListAllMyBucketsResult"), "{xml}");
    let head = stage.head("/io").await;
    assert_eq!((head.status.as_u16(), head.header("x-amz-bucket-region")), (200, "us-east-1"));
    assert_eq!(stage.head("/io/").await.status, 200);
    let location = stage.get("/io?location").await;
    assert_eq!(location.status, 200);
    assert!(location.text().contains("<LocationConstraint"), "{}", location.text());
    let versioning = stage.get("/io?versioning").await;
    assert!(versioning.status == 200 && !versioning.text().contains("Enabled"), "{}", versioning.text());
    let made = stage.send(Signed::new("PUT", "/io")).await;
    assert_eq!((made.status.as_u16(), made.header("location")), (200, "/io"));
    // SDKs add their operation's name; what they ask for is in the rest.
    assert_eq!(stage.get("/io?list-type=2&x-id=ListObjectsV2").await.status, 200);
    assert_eq!(stage.head("/io?x-id=ListBuckets").await.status, 200);

    for (method, uri) in [
        ("GET", "/other/key"),
        ("GET", "/probe-bucket-sign-0123456789ab/?location="),
        ("PUT", "/other/key"),
        ("DELETE", "/other/key"),
    ] {
        assert_error(&stage.send(Signed::new(method, uri)).await, 404, "NoSuchBucket");
    }
    assert_error(&stage.send(Signed::new("PUT", "/other")).await, 501, "NotImplemented");
    assert_error(&serve(&stage.s3, request("GET", "/other")).await, 403, "AccessDenied");
}

#[tokio::test]
async fn a_workspace_is_a_bucket_of_the_same_objects() {
    let stage = stage().await;
    stage.seed(&["common-files/a/b.txt", "common-files/c"]).await;
    assert_eq!(stage.put("/common-files/a/d", "hello").await.status, 200);
    for uri in ["/io/common-files/a/d", "/data/common-files/a/d", "/common-files/a/d", "/common/a/d"] {
        let answer = stage.get(uri).await;
        assert_eq!((answer.status.as_u16(), answer.text().as_str()), (200, "hello"), "{uri}");
    }
    let page = stage.get("/common-files?list-type=2&prefix=a/").await.text();
    assert_eq!(texts(&page, "Key"), ["a/b.txt", "a/d"], "{page}");
    assert_eq!(text(&page, "Name"), "common-files");
    let page = stage.get("/data?list-type=2&delimiter=/").await.text();
    assert_eq!(
        texts(&texts(&page, "CommonPrefixes").concat(), "Prefix"),
        ["common-files/", "personal-files/"],
        "{page}"
    );
    assert_eq!(text(&page, "Name"), "data");
    // The same node under two addresses is the same object.
    let copy = Signed::new("PUT", "/io/common-files/a/d").header("x-amz-copy-source", "common-files/a/d");
    assert_error(&stage.send(copy).await, 400, "InvalidRequest");
    let copy = Signed::new("PUT", "/personal-files/e").header("x-amz-copy-source", "/common-files/a/d");
    assert_eq!(stage.send(copy).await.status, 200);
    assert_eq!(stage.get("/io/personal-files/e").await.body, "hello");
    let copy = Signed::new("PUT", "/personal-files/e").header("x-amz-copy-source", "nowhere/a/d");
    assert_error(&stage.send(copy).await, 404, "NoSuchBucket");
    assert_eq!(stage.delete("/common-files/a/d").await.status, 204);
    assert_eq!(stage.get("/io/common-files/a/d").await.status, 404);
}

#[tokio::test]
async fn uploads_in_parts_are_of_their_bucket() {
    let stage = stage().await;
    let created = stage.send(Signed::new("POST", "/common-files/big?uploads")).await.text();
    assert_eq!((text(&created, "Bucket").as_str(), text(&created, "Key").as_str()), ("common-files", "big"));
    let id = text(&created, "UploadId");
    for (bucket, keys) in [("common-files", vec!["big"]), ("io", vec!["common-files/big"])] {
        let listed = stage.get(&format!("/{bucket}?uploads")).await.text();
        assert_eq!(texts(&listed, "Key"), keys, "{listed}");
    }
    let listed = stage.get("/personal-files?uploads").await.text();
    assert_eq!(texts(&listed, "Key"), Vec::<String>::new(), "{listed}");
    let part = stage.put(&format!("/io/common-files/big?uploadId={id}&partNumber=1"), "hello").await;
    let list = format!(
        "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{}</ETag></Part></CompleteMultipartUpload>",
        part.header("etag").replace('"', "")
    );
    let complete = Signed::new("POST", &format!("/common-files/big?uploadId={id}")).body(list);
    let done = stage.send(complete).await.text();
    assert_eq!(text(&done, "Location"), "http://localhost:8080/common-files/big", "{done}");
    assert_eq!(stage.get("/common-files/big").await.body, "hello");
}
