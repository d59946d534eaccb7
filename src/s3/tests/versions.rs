//! Versions: ids, delete markers, listings, the bucket's status.

use cellgate_core::testing::Answer;

use crate::sign::Signed;
use crate::{Stage, assert_error, serve, signer, stage, text, texts};

const BUCKET: &str = "/common-files";

/// A stage whose `common-files` keeps versions.
async fn versioned() -> Stage {
    let stage = stage().await;
    assert_eq!(status(&stage, "Enabled").await.status, 200);
    stage
}

/// Sets the status of `common-files`, as an administrator.
async fn status(stage: &Stage, status: &str) -> Answer {
    let admin = signer(&stage.core, "admin").await;
    serve(&stage.s3, admin.header(Signed::new("PUT", "/common-files?versioning").body(configuration(status))))
        .await
}

fn configuration(status: &str) -> String {
    format!(
        "<VersioningConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
         <Status>{status}</Status></VersioningConfiguration>"
    )
}

/// Puts a content and answers its version.
async fn put(stage: &Stage, key: &str, content: &str) -> String {
    let answer = stage.put(&format!("{BUCKET}/{key}"), content).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.header("x-amz-version-id").to_owned()
}

async fn at(stage: &Stage, key: &str, version: &str) -> Answer {
    stage.get(&format!("{BUCKET}/{key}?versionId={version}")).await
}

#[tokio::test]
async fn a_bucket_says_whether_it_keeps_versions_and_administrators_decide() {
    let stage = stage().await;
    let of = async |bucket: &str| text(&stage.get(&format!("{bucket}?versioning")).await.text(), "Status");
    assert_eq!(of(BUCKET).await, "");
    let refused =
        stage.send(Signed::new("PUT", "/common-files?versioning").body(configuration("Enabled"))).await;
    assert_error(&refused, 403, "AccessDenied");
    assert_eq!(of(BUCKET).await, "");
    assert_eq!(status(&stage, "Enabled").await.status, 200);
    assert_eq!(of(BUCKET).await, "Enabled");
    assert_eq!(of("/io").await, "", "several workspaces have no one status");
    assert_eq!(status(&stage, "Suspended").await.status, 200);
    assert_eq!(of(BUCKET).await, "Suspended");
    assert_error(&status(&stage, "Off").await, 400, "MalformedXML");
    let admin = signer(&stage.core, "admin").await;
    let whole = Signed::new("PUT", "/io?versioning").body(configuration("Enabled"));
    assert_error(&serve(&stage.s3, admin.header(whole)).await, 409, "InvalidBucketState");
    assert_eq!(of(BUCKET).await, "Suspended");
}

#[tokio::test]
async fn without_versioning_nothing_bears_a_version() {
    let stage = stage().await;
    let answer = stage.put("/common-files/a", "1").await;
    assert_eq!(answer.header("x-amz-version-id"), "");
    assert_eq!(stage.get("/common-files/a?versionId=null").await.text(), "1");
    let xml = stage.get("/common-files?versions").await.text();
    assert_eq!(texts(&xml, "Key"), ["a"], "{xml}");
    assert_eq!((text(&xml, "VersionId"), text(&xml, "IsLatest")), ("null".into(), "true".into()));
    assert_eq!(stage.delete("/common-files/a?versionId=null").await.status, 204);
    assert_error(&stage.get("/common-files/a").await, 404, "NoSuchKey");
}

#[tokio::test]
async fn every_version_can_be_read_by_its_id() {
    let stage = versioned().await;
    let first = put(&stage, "a", "one").await;
    let second = put(&stage, "a", "second").await;
    assert_ne!(first, second);
    let answer = at(&stage, "a", &first).await;
    assert_eq!((answer.text().as_str(), answer.header("x-amz-version-id")), ("one", first.as_str()));
    let answer = stage.get("/io/common-files/a").await;
    assert_eq!((answer.text().as_str(), answer.header("x-amz-version-id")), ("second", second.as_str()));
    let head = stage.head(&format!("/common-files/a?versionId={first}")).await;
    assert_eq!((head.status.as_u16(), head.header("content-length")), (200, "3"));
    assert_eq!(head.header("etag"), "\"f97c5d29941bfb1b2fdab0874906ab82\"");
    let part = Signed::new("GET", &format!("/common-files/a?versionId={first}")).header("range", "bytes=1-1");
    assert_eq!(stage.send(part).await.text(), "n");

    let none = "00000000-0000-4000-8000-000000000000";
    assert_error(&at(&stage, "a", none).await, 404, "NoSuchVersion");
    assert_error(&at(&stage, "none", none).await, 404, "NoSuchVersion");
    assert_error(&at(&stage, "a", "null").await, 404, "NoSuchVersion");
    for wrong in ["1", "..%2F..", "%00", &"x".repeat(2_000)] {
        assert_error(&at(&stage, "a", wrong).await, 400, "InvalidArgument");
    }
}

#[tokio::test]
async fn a_delete_leaves_a_marker_and_a_deleted_marker_brings_the_object_back() {
    let stage = versioned().await;
    let first = put(&stage, "a", "one").await;
    let gone = stage.delete("/common-files/a").await;
    assert_eq!((gone.status.as_u16(), gone.header("x-amz-delete-marker")), (204, "true"));
    let marker = gone.header("x-amz-version-id").to_owned();
    let missing = stage.get("/common-files/a").await;
    assert_error(&missing, 404, "NoSuchKey");
    assert_eq!(missing.header("x-amz-delete-marker"), "true");
    assert_eq!(missing.header("x-amz-version-id"), marker);
    assert_eq!(stage.head("/common-files/a").await.header("x-amz-delete-marker"), "true");
    let refused = at(&stage, "a", &marker).await;
    assert_error(&refused, 405, "MethodNotAllowed");
    assert_eq!((refused.header("x-amz-delete-marker"), refused.header("allow")), ("true", "DELETE"));
    assert_eq!(at(&stage, "a", &first).await.text(), "one");
    assert_eq!(texts(&stage.get("/common-files?list-type=2").await.text(), "Key"), [""; 0]);

    let undone = stage.delete(&format!("/common-files/a?versionId={marker}")).await;
    assert_eq!((undone.status.as_u16(), undone.header("x-amz-delete-marker")), (204, "true"));
    assert_eq!(undone.header("x-amz-version-id"), marker);
    assert_eq!(stage.get("/common-files/a").await.text(), "one");
    // For good.
    let gone = stage.delete(&format!("/common-files/a?versionId={first}")).await;
    assert_eq!((gone.status.as_u16(), gone.header("x-amz-delete-marker")), (204, ""));
    assert_error(&at(&stage, "a", &first).await, 404, "NoSuchVersion");
    assert_eq!(stage.delete(&format!("/common-files/a?versionId={first}")).await.status, 204);
}

/// The folder of a key leaves with its last key, but not with what could be brought back.
#[tokio::test]
async fn a_key_in_a_folder_of_its_own_comes_back_too() {
    let stage = versioned().await;
    let first = put(&stage, "sub/a", "one").await;
    let marker = stage.delete("/common-files/sub/a").await.header("x-amz-version-id").to_owned();
    assert_eq!(texts(&stage.get("/common-files?list-type=2").await.text(), "Key"), [""; 0]);
    let listed = stage.get("/common-files?versions").await.text();
    assert_eq!(texts(&listed, "VersionId"), [marker.as_str(), &first], "{listed}");
    assert_eq!(at(&stage, "sub/a", &first).await.text(), "one");

    stage.delete(&format!("/common-files/sub/a?versionId={marker}")).await;
    assert_eq!(stage.get("/common-files/sub/a").await.text(), "one");
}

#[tokio::test]
async fn many_versions_are_deleted_at_once() {
    let stage = versioned().await;
    let first = put(&stage, "a", "one").await;
    put(&stage, "a", "two").await;
    let body = format!(
        "<Delete><Object><Key>a</Key><VersionId>{first}</VersionId></Object>\
         <Object><Key>a</Key><VersionId>wrong</VersionId></Object></Delete>"
    );
    let xml = stage.send(Signed::new("POST", "/common-files?delete").body(body)).await.text();
    assert_eq!(texts(&text(&xml, "Deleted"), "VersionId"), std::slice::from_ref(&first), "{xml}");
    assert_eq!(text(&text(&xml, "Error"), "Code"), "InvalidArgument", "{xml}");
    assert_eq!(text(&text(&xml, "Error"), "VersionId"), "wrong", "{xml}");
    assert_error(&at(&stage, "a", &first).await, 404, "NoSuchVersion");
    let body = "<Delete><Object><Key>a</Key></Object></Delete>";
    let xml = stage.send(Signed::new("POST", "/common-files?delete").body(body)).await.text();
    assert_eq!(text(&xml, "DeleteMarker"), "true", "{xml}");
    let marker = text(&xml, "DeleteMarkerVersionId");
    assert_eq!(stage.get("/common-files/a").await.header("x-amz-version-id"), marker);
}

#[tokio::test]
async fn a_version_is_restored_by_copying_it_onto_its_key() {
    let stage = versioned().await;
    let first = put(&stage, "a", "one").await;
    let second = put(&stage, "a", "two").await;
    let source = format!("/io/common-files/a?versionId={first}");
    let copy = Signed::new("PUT", "/io/common-files/a").header("x-amz-copy-source", &source);
    let copied = stage.send(copy).await;
    assert_eq!(copied.status, 200, "{}", copied.text());
    assert_eq!(copied.header("x-amz-copy-source-version-id"), first);
    let third = copied.header("x-amz-version-id").to_owned();
    assert_eq!(stage.get("/common-files/a").await.text(), "one");
    let xml = stage.get("/common-files?versions").await.text();
    assert_eq!(texts(&xml, "VersionId"), [third, second, first], "{xml}");
    let none = source.replace(&source[source.len() - 4..], "0000");
    let copy = Signed::new("PUT", "/common-files/b").header("x-amz-copy-source", &none);
    assert_error(&stage.send(copy).await, 404, "NoSuchVersion");
}

#[tokio::test]
async fn tags_are_of_a_version() {
    let stage = versioned().await;
    let tagged = Signed::new("PUT", "/common-files/a").header("x-amz-tagging", "k=v").body("one");
    let first = stage.send(tagged).await.header("x-amz-version-id").to_owned();
    put(&stage, "a", "two").await;
    let of_first = stage.get(&format!("/common-files/a?tagging&versionId={first}")).await;
    assert_eq!(text(&of_first.text(), "Key"), "k", "{}", of_first.text());
    assert_eq!(texts(&stage.get("/common-files/a?tagging").await.text(), "Key"), [""; 0]);

    // They can be changed there, and nowhere else by that.
    let target = format!("/common-files/a?tagging&versionId={first}");
    let tags = "<Tagging><TagSet><Tag><Key>new</Key><Value>v</Value></Tag></TagSet></Tagging>";
    let set = stage.send(Signed::new("PUT", &target).body(tags)).await;
    assert_eq!(
        (set.status.as_u16(), set.header("x-amz-version-id")),
        (200, first.as_str()),
        "{}",
        set.text()
    );
    let of_first = stage.get(&target).await;
    assert_eq!(texts(&of_first.text(), "Key"), ["new"], "{}", of_first.text());
    assert_eq!(of_first.header("x-amz-version-id"), first);
    assert_eq!(texts(&stage.get("/common-files/a?tagging").await.text(), "Key"), [""; 0]);
    let gone = stage.delete(&target).await;
    assert_eq!((gone.status.as_u16(), gone.header("x-amz-version-id")), (204, first.as_str()));
    assert_eq!(texts(&stage.get(&target).await.text(), "Key"), [""; 0]);
    assert_eq!(at(&stage, "a", &first).await.text(), "one");
    let listed = stage.get("/common-files?versions").await.text();
    assert_eq!(texts(&listed, "VersionId")[1], first, "{listed}");

    let marker = stage.delete("/common-files/a").await.header("x-amz-version-id").to_owned();
    let of_marker = Signed::new("PUT", &format!("/common-files/a?tagging&versionId={marker}")).body(tags);
    assert_error(&stage.send(of_marker).await, 405, "MethodNotAllowed");
    let none = "/common-files/a?tagging&versionId=00000000-0000-4000-8000-000000000000";
    assert_error(&stage.send(Signed::new("PUT", none).body(tags)).await, 404, "NoSuchVersion");
    let reader = signer(&stage.core, "reader").await;
    let refused = serve(&stage.s3, reader.header(Signed::new("DELETE", &target))).await;
    assert_error(&refused, 403, "AccessDenied");
}

#[tokio::test]
async fn what_is_not_there_is_marked_as_deleted() {
    let stage = versioned().await;
    let gone = stage.delete("/common-files/never/was").await;
    assert_eq!((gone.status.as_u16(), gone.header("x-amz-delete-marker")), (204, "true"));
    let first = gone.header("x-amz-version-id").to_owned();
    let again = stage.delete("/common-files/never/was").await.header("x-amz-version-id").to_owned();
    assert_ne!(first, again);
    assert_eq!(stage.get("/common-files/never/was").await.header("x-amz-version-id"), again);
    let body = "<Delete><Object><Key>nor</Key></Object></Delete>";
    let xml = stage.send(Signed::new("POST", "/common-files?delete").body(body)).await.text();
    assert_eq!(text(&xml, "DeleteMarker"), "true", "{xml}");
    let nor = text(&xml, "DeleteMarkerVersionId");
    let listed = stage.get("/common-files?versions").await.text();
    assert_eq!(texts(&listed, "VersionId"), [again.as_str(), &first, &nor], "{listed}");
    let below = stage.get("/common-files?versions&prefix=never/").await.text();
    assert_eq!(texts(&below, "Key"), ["never/was"; 2], "{below}");
    let grouped = stage.get("/common-files?versions&delimiter=/").await.text();
    assert_eq!(texts(&texts(&grouped, "CommonPrefixes").concat(), "Prefix"), ["never/"], "{grouped}");

    // There is nothing there for anybody else, and the bucket is not empty.
    for listing in
        ["/common-files?list-type=2", "/common-files?delimiter=/", "/io?prefix=common-files/never/"]
    {
        let xml = stage.get(listing).await.text();
        assert_eq!((texts(&xml, "Key").len(), texts(&xml, "CommonPrefixes").len()), (0, 0), "{xml}");
    }
    assert!(stage.core.stat("/common-files/never").await.is_err());
    // No condition holds for it, and a folder's key has no versions.
    let conditional = Signed::new("DELETE", "/common-files/never/was").header("if-match", "*");
    assert_error(&stage.send(conditional).await, 412, "PreconditionFailed");
    assert_eq!(stage.delete("/common-files/never/").await.header("x-amz-delete-marker"), "");
    let reader = signer(&stage.core, "reader").await;
    let refused = serve(&stage.s3, reader.header(Signed::new("DELETE", "/common-files/else"))).await;
    assert_error(&refused, 403, "AccessDenied");
    assert_eq!(text(&stage.get("/common-files?versions&prefix=else").await.text(), "Key"), "");

    assert_eq!(status(&stage, "Suspended").await.status, 200);
    for _ in 0..2 {
        assert_eq!(stage.delete("/common-files/nor").await.header("x-amz-version-id"), "null");
    }
    let listed = stage.get("/common-files?versions&prefix=nor").await.text();
    assert_eq!(texts(&listed, "VersionId"), ["null", &nor], "{listed}");
}

#[tokio::test]
async fn versions_are_listed_by_pages_with_prefixes_and_markers() {
    let stage = versioned().await;
    for key in ["a/1", "a/2", "b", "c/d/e"] {
        put(&stage, key, "1").await;
        put(&stage, key, "22").await;
    }
    stage.delete("/common-files/b").await;
    // The markers come first in the document.
    let all = ["b", "a/1", "a/1", "a/2", "a/2", "b", "b", "c/d/e", "c/d/e"];
    let xml = stage.get("/common-files?versions").await.text();
    assert_eq!(texts(&xml, "Key"), all, "{xml}");
    assert_eq!(texts(&xml, "DeleteMarker").len(), 1);
    let latest = texts(&xml, "Version").iter().filter(|one| text(one, "IsLatest") == "true").count();
    assert_eq!((latest, text(&text(&xml, "DeleteMarker"), "IsLatest").as_str()), (3, "true"));

    for size in [1, 2, 3, 5] {
        let (mut ids, mut from) = (Vec::new(), String::new());
        loop {
            let xml = stage.get(&format!("/common-files?versions&max-keys={size}{from}")).await.text();
            ids.extend(texts(&xml, "VersionId"));
            if text(&xml, "IsTruncated") != "true" {
                break;
            }
            let (key, version) = (text(&xml, "NextKeyMarker"), text(&xml, "NextVersionIdMarker"));
            from = format!("&key-marker={}&version-id-marker={version}", key.replace('/', "%2F"));
        }
        ids.sort();
        let mut expected = texts(&xml, "VersionId");
        expected.sort();
        assert_eq!(ids, expected, "pages of {size}");
    }
    let xml = stage.get("/common-files?versions&delimiter=/").await.text();
    assert_eq!(texts(&texts(&xml, "CommonPrefixes").concat(), "Prefix"), ["a/", "c/"], "{xml}");
    assert_eq!(texts(&xml, "Key"), ["b", "b", "b"], "{xml}");
    let xml = stage.get("/common-files?versions&prefix=a/2").await.text();
    assert_eq!(texts(&xml, "Key"), ["a/2", "a/2"], "{xml}");
    let xml = stage.get("/common-files?versions&key-marker=b").await.text();
    assert_eq!(texts(&xml, "Key"), ["c/d/e", "c/d/e"], "{xml}");
    let xml = stage.get("/io?versions&prefix=common-files/b").await.text();
    assert_eq!(texts(&xml, "Key"), ["common-files/b"; 3], "{xml}");
    let alone = stage.get("/common-files?versions&version-id-marker=null").await;
    assert_error(&alone, 400, "InvalidArgument");
}

#[tokio::test]
async fn a_suspended_bucket_keeps_what_it_had() {
    let stage = versioned().await;
    let first = put(&stage, "a", "one").await;
    assert_eq!(status(&stage, "Suspended").await.status, 200);
    assert_eq!(put(&stage, "a", "two").await, "");
    assert_eq!(put(&stage, "a", "three").await, "");
    let xml = stage.get("/common-files?versions").await.text();
    assert_eq!(texts(&xml, "VersionId"), ["null".to_owned(), first.clone()], "{xml}");
    assert_eq!(at(&stage, "a", "null").await.text(), "three");
    assert_eq!(at(&stage, "a", &first).await.text(), "one");
}

#[tokio::test]
async fn a_reader_sees_versions_and_changes_none() {
    let stage = versioned().await;
    let first = put(&stage, "a", "one").await;
    let second = put(&stage, "a", "two").await;
    let reader = signer(&stage.core, "reader").await;
    let uri = format!("/common-files/a?versionId={first}");
    assert_eq!(serve(&stage.s3, reader.header(Signed::new("GET", &uri))).await.text(), "one");
    assert_error(&serve(&stage.s3, reader.header(Signed::new("DELETE", &uri))).await, 403, "AccessDenied");
    let copy = Signed::new("PUT", "/common-files/a").header("x-amz-copy-source", &uri);
    assert_error(&serve(&stage.s3, reader.header(copy)).await, 403, "AccessDenied");
    let xml = stage.get("/common-files?versions").await.text();
    assert_eq!(texts(&xml, "VersionId"), [second, first], "{xml}");
}
