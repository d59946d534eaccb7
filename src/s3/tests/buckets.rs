//! Buckets: the whole tree under two names, and every workspace under its own.

use cellgate_core::Makers;
use cellgate_core::testing::{request, serve};
use cellgate_s3::S3;

use crate::sign::Signed;
use crate::{Stage, assert_error, signer, stage, text, texts};

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
    for bucket in ["/io", "/data", "/common-files", "/my-files"] {
        assert_error(&stage.send(Signed::new("PUT", bucket)).await, 409, "BucketAlreadyOwnedByYou");
    }
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
    // An endpoint that ends in `/io` lists buckets so; anything more asks for objects.
    let listed = serve(&stage.s3, stage.alice.header(Signed::new("GET", "/io?x-id=ListBuckets"))).await;
    assert_eq!(texts(&listed.text(), "Bucket").len(), 4, "{}", listed.text());
    assert!(stage.get("/io").await.text().contains("<ListBucketResult"));
    assert_error(&serve(&stage.s3, request("GET", "/other")).await, 403, "AccessDenied");
}

#[tokio::test]
async fn buckets_are_listed_in_pages_and_by_prefix() {
    let stage = stage().await;
    let page = stage.get("/?prefix=common").await.text();
    assert_eq!(texts(&page, "Name"), ["common-files"], "{page}");
    assert_eq!(
        (text(&page, "Prefix").as_str(), text(&page, "BucketRegion").as_str()),
        ("common", "us-east-1")
    );
    let mut names = Vec::new();
    let mut query = "/?max-buckets=3".to_owned();
    loop {
        let page = stage.get(&query).await.text();
        names.push(texts(&page, "Name"));
        let token = text(&page, "ContinuationToken");
        if token.is_empty() {
            break;
        }
        query = format!("/?max-buckets=3&continuation-token={token}");
    }
    assert_eq!(names, [vec!["io", "data", "common-files"], vec!["personal-files"]]);
    for query in ["max-buckets=0", "max-buckets=10001", "continuation-token=%3F"] {
        assert_error(&stage.get(&format!("/?{query}")).await, 400, "InvalidArgument");
    }
}

async fn everybody_makes_buckets() -> Stage {
    let stage = stage().await;
    let settings = cellgate_core::Settings { workspace_makers: Makers::Everyone, ..Default::default() };
    let core = stage.core.with(settings).await;
    let reserved = vec!["dav".to_owned(), "api2".to_owned()];
    let s3 = S3::with(core.core.clone(), cellgate_s3::Settings { reserved, ..Default::default() });
    let alice = signer(&core, "alice").await;
    Stage { s3, core, alice }
}

#[tokio::test]
async fn a_bucket_is_made_filled_emptied_and_deleted() {
    let stage = everybody_makes_buckets().await;
    let made = stage.send(Signed::new("PUT", "/photos")).await;
    assert_eq!((made.status.as_u16(), made.header("location")), (200, "/photos"));
    assert!(texts(&stage.get("/").await.text(), "Name").contains(&"photos".to_owned()));
    assert_error(&stage.send(Signed::new("PUT", "/photos")).await, 409, "BucketAlreadyOwnedByYou");
    assert_eq!(stage.put("/photos/a/b/c", "hello").await.status, 200);
    assert_eq!(stage.get("/io/photos/a/b/c").await.body, "hello");
    assert_error(&stage.delete("/photos").await, 409, "BucketNotEmpty");
    // The keys were all there was of the folders.
    assert_eq!(stage.delete("/photos/a/b/c").await.status, 204);
    let page = stage.get("/photos?list-type=2").await.text();
    assert_eq!((texts(&page, "Key").len(), text(&page, "KeyCount").as_str()), (0, "0"), "{page}");
    assert_eq!(stage.put("/photos/made/", "").await.status, 200);
    assert_eq!(stage.put("/photos/made/x", "").await.status, 200);
    assert_eq!(stage.delete("/photos/made/x").await.status, 204);
    assert_error(&stage.delete("/photos").await, 409, "BucketNotEmpty");
    assert_eq!(stage.delete("/photos/made/").await.status, 204);
    assert_eq!(stage.delete("/photos").await.status, 204);
    for uri in ["/photos", "/photos/a"] {
        assert_eq!(stage.head(uri).await.status, 404);
    }
    assert_error(&stage.delete("/photos").await, 404, "NoSuchBucket");
    assert_error(&stage.get("/photos").await, 404, "NoSuchBucket");
}

#[tokio::test]
async fn buckets_of_others_are_not_there_and_their_names_taken() {
    let stage = everybody_makes_buckets().await;
    assert_eq!(stage.send(Signed::new("PUT", "/photos")).await.status, 200);
    let reader = signer(&stage.core, "reader").await;
    let send = async |method, uri| serve(&stage.s3, reader.header(Signed::new(method, uri))).await;
    assert_error(&send("PUT", "/photos").await, 409, "BucketAlreadyExists");
    for (method, uri) in
        [("GET", "/photos"), ("GET", "/photos/a"), ("PUT", "/photos/a"), ("DELETE", "/photos")]
    {
        assert_error(&send(method, uri).await, 404, "NoSuchBucket");
    }
    let buckets = send("GET", "/").await.text();
    assert_eq!(texts(&buckets, "Name"), ["io", "data", "common-files"], "{buckets}");
    assert_error(&send("DELETE", "/common-files").await, 403, "AccessDenied");
}

#[tokio::test]
async fn a_bucket_is_made_with_tags() {
    let stage = everybody_makes_buckets().await;
    let with = |name: &str, key: &str| {
        let body = format!(
            "<CreateBucketConfiguration><Tags><Tag><Key>{key}</Key><Value>v</Value></Tag></Tags>\
             </CreateBucketConfiguration>"
        );
        Signed::new("PUT", name).body(body)
    };
    assert_error(&stage.send(with("/photos", "a!")).await, 400, "InvalidTag");
    assert_eq!(stage.head("/photos").await.status, 404);
    assert_eq!(stage.send(with("/photos", "a")).await.status, 200);
    assert_eq!(text(&stage.get("/photos?tagging").await.text(), "Key"), "a");
    // Whoever made it may change them.
    assert_eq!(stage.delete("/photos?tagging").await.status, 204);
    assert_error(&stage.get("/photos?tagging").await, 404, "NoSuchTagSet");
}

#[tokio::test]
async fn buckets_that_cannot_be_are_refused() {
    let stage = everybody_makes_buckets().await;
    for name in ["ab", "Photos", "a_b", "192.168.1.1", "dav", "api2", "-ab"] {
        assert_error(&stage.send(Signed::new("PUT", &format!("/{name}"))).await, 400, "InvalidBucketName");
    }
    let with = |constraint: &str| {
        let body = format!(
            "<CreateBucketConfiguration><LocationConstraint>{constraint}</LocationConstraint>\
             </CreateBucketConfiguration>"
        );
        Signed::new("PUT", "/photos").body(body)
    };
    assert_error(&stage.send(with("nowhere")).await, 400, "InvalidLocationConstraint");
    let broken = Signed::new("PUT", "/photos").body("<CreateBucketConfiguration>");
    assert_error(&stage.send(broken).await, 400, "MalformedXML");
    for (name, value, status, code) in [
        ("x-amz-bucket-object-lock-enabled", "true", 501, "NotImplemented"),
        ("x-amz-object-ownership", "ObjectWriter", 501, "NotImplemented"),
        ("x-amz-object-ownership", "mine", 400, "InvalidArgument"),
        ("x-amz-grant-read", "id=x", 501, "NotImplemented"),
        ("x-amz-acl", "public-read", 400, "AccessControlListNotSupported"),
    ] {
        let put = Signed::new("PUT", "/photos").header(name, value);
        assert_error(&stage.send(put).await, status, code);
    }
    assert_eq!(stage.head("/photos").await.status, 404);
    assert_eq!(stage.send(with("eu-west-1")).await.status, 200);
    for whole in ["/io", "/data", "/personal-files", "/common-files"] {
        assert_error(&stage.delete(whole).await, 403, "AccessDenied");
    }
}

#[tokio::test]
async fn making_buckets_is_for_administrators_unless_configured() {
    let stage = stage().await;
    assert_error(&stage.send(Signed::new("PUT", "/photos")).await, 403, "AccessDenied");
    let admin = signer(&stage.core, "admin").await;
    assert_eq!(serve(&stage.s3, admin.header(Signed::new("PUT", "/photos"))).await.status, 200);
    assert_eq!(serve(&stage.s3, admin.header(Signed::new("DELETE", "/photos"))).await.status, 204);
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
async fn a_host_may_name_the_bucket() {
    let stage = stage().await;
    stage.seed(&["common-files/dav/x"]).await;
    let domains = vec!["s3.example.org".to_owned()];
    let s3 = S3::with(stage.core.core.clone(), cellgate_s3::Settings { domains, ..Default::default() });
    let host = "common-files.s3.example.org:8080";
    let get = async |uri: &str, host: &str| serve(&s3, request("GET", uri).header("host", host)).await;
    // What is signed is the target as it is sent.
    assert_eq!(get(&stage.alice.presign("GET", "/dav/x", host, 600), host).await.status, 200);
    let listed = get(&stage.alice.presign("GET", "/?list-type=2", host, 600), host).await.text();
    assert_eq!((text(&listed, "Name").as_str(), text(&listed, "Key").as_str()), ("common-files", "dav/x"));
    let elsewhere = "personal-files.s3.example.org:8080";
    let stolen = get(&stage.alice.presign("GET", "/dav/x", host, 600), elsewhere).await;
    assert_error(&stolen, 403, "SignatureDoesNotMatch");
    let own = "s3.example.org";
    assert_eq!(get(&stage.alice.presign("GET", "/common-files/dav/x", own, 600), own).await.status, 200);
    let listed = get(&stage.alice.presign("GET", "/", own, 600), own).await.text();
    assert_eq!(texts(&listed, "Bucket").len(), 4, "{listed}");
    // V2 signs the bucket in the resource, wherever it stands in the request.
    let expires = stage.alice.at.unix_timestamp() + 600;
    let signed = stage.alice.presign_v2("GET", "/common-files/dav/x", "", expires);
    assert_eq!(get(signed.trim_start_matches("/common-files"), host).await.status, 200);
    assert_error(&get("/dav/x", host).await, 403, "AccessDenied");
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
