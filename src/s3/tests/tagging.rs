//! Tags of objects and buckets.

use cellgate_core::testing::serve;

use crate::sign::Signed;
use crate::{Stage, assert_error, signer, stage, text, texts};

const URI: &str = "/io/common-files/a.txt";

fn document(tags: &[(&str, &str)]) -> String {
    let tags: String = tags
        .iter()
        .map(|(key, value)| format!("<Tag><Key>{key}</Key><Value>{value}</Value></Tag>"))
        .collect();
    format!("<Tagging xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><TagSet>{tags}</TagSet></Tagging>")
}

async fn tags(stage: &Stage, uri: &str) -> Vec<(String, String)> {
    let answer = stage.get(&format!("{uri}?tagging")).await;
    let xml = answer.text();
    assert_eq!(answer.status, 200, "{xml}");
    assert!(xml.contains("<TagSet"), "{xml}");
    texts(&xml, "Tag").iter().map(|tag| (text(tag, "Key"), text(tag, "Value"))).collect()
}

fn pairs(tags: &[(&str, &str)]) -> Vec<(String, String)> {
    tags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

#[tokio::test]
async fn tags_are_set_read_and_removed_without_touching_the_object() {
    let stage = stage().await;
    stage.put(URI, "hello").await;
    assert_eq!(tags(&stage, URI).await, []);
    let before = stage.head(URI).await;
    let put = |tags| Signed::new("PUT", &format!("{URI}?tagging")).body(document(tags));
    let answer = stage.send(put(&[("k", "v"), ("é a", "1&amp;2")])).await;
    assert_error(&answer, 400, "InvalidTag");
    let answer = stage.send(put(&[("k", "v"), ("é a", "1+2=3")])).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(tags(&stage, URI).await, pairs(&[("k", "v"), ("é a", "1+2=3")]));
    let after = stage.head(URI).await;
    assert_eq!(after.header("x-amz-tagging-count"), "2");
    for name in ["etag", "last-modified"] {
        assert_eq!(after.header(name), before.header(name));
    }
    assert_eq!(stage.send(put(&[("n", "")])).await.status, 200);
    assert_eq!(tags(&stage, URI).await, pairs(&[("n", "")]), "the whole set is replaced");
    assert_eq!(stage.delete(&format!("{URI}?tagging")).await.status, 204);
    assert_eq!(tags(&stage, URI).await, []);
    assert_eq!(stage.head(URI).await.header("x-amz-tagging-count"), "");
    assert_eq!(stage.get(URI).await.body, "hello");
}

#[tokio::test]
async fn wrong_tags_change_nothing() {
    let stage = stage().await;
    stage.seed(&["common-files/a.txt", "common-files/d/x"]).await;
    let put = |uri: &str, body: String| Signed::new("PUT", &format!("{uri}?tagging")).body(body);
    let many: Vec<String> = (0..11).map(|n| n.to_string()).collect();
    let many: Vec<(&str, &str)> = many.iter().map(|key| (key.as_str(), "")).collect();
    let long = "k".repeat(129);
    for (body, code) in [
        (document(&many), "BadRequest"),
        (document(&[("a", "1"), ("a", "2")]), "InvalidTag"),
        (document(&[(&long, "")]), "InvalidTag"),
        (document(&[("aws:a", "")]), "InvalidTag"),
        ("<Tagging><TagSet><Tag>".to_owned(), "MalformedXML"),
    ] {
        assert_error(&stage.send(put(URI, body)).await, 400, code);
    }
    assert_eq!(tags(&stage, URI).await, []);
    let one = || document(&[("k", "v")]);
    for uri in ["/io/common-files/none", "/io/common-files/d", "/io/common-files/a.txt/"] {
        assert_error(&stage.send(put(uri, one())).await, 404, "NoSuchKey");
        assert_error(&stage.get(&format!("{uri}?tagging")).await, 404, "NoSuchKey");
        assert_error(&stage.delete(&format!("{uri}?tagging")).await, 404, "NoSuchKey");
    }
}

#[tokio::test]
async fn tags_come_with_uploads_and_leave_with_the_content() {
    let stage = stage().await;
    let put = Signed::new("PUT", URI).header("x-amz-tagging", "a=1&b=x%20y").body("hello");
    assert_eq!(stage.send(put).await.status, 200);
    let both = pairs(&[("a", "1"), ("b", "x y")]);
    assert_eq!(tags(&stage, URI).await, both);
    let copy = |to: &str| {
        Signed::new("PUT", to)
            .header("x-amz-copy-source", "io/common-files/a.txt")
            .header("x-amz-metadata-directive", "REPLACE")
    };
    let (kept, replaced) = ("/io/common-files/kept", "/io/common-files/replaced");
    assert_eq!(stage.send(copy(kept)).await.status, 200);
    assert_eq!(tags(&stage, kept).await, both, "the other directive is about metadata alone");
    let other = copy(replaced).header("x-amz-tagging-directive", "REPLACE").header("x-amz-tagging", "c=3");
    assert_eq!(stage.send(other).await.status, 200);
    assert_eq!(tags(&stage, replaced).await, pairs(&[("c", "3")]));
    let odd = copy(replaced).header("x-amz-tagging-directive", "KEEP");
    assert_error(&stage.send(odd).await, 400, "InvalidArgument");
    stage.put(URI, "new").await;
    assert_eq!(tags(&stage, URI).await, []);
    for header in ["a=1&a=2", "a=%ff"] {
        let put = Signed::new("PUT", URI).header("x-amz-tagging", header).body("never");
        assert_error(&stage.send(put).await, 400, "InvalidArgument");
    }
    assert_eq!(stage.get(URI).await.body, "new");
}

#[tokio::test]
async fn who_may_only_read_sets_no_tags() {
    let stage = stage().await;
    stage.put(URI, "hello").await;
    let reader = signer(&stage.core, "reader").await;
    let uri = format!("{URI}?tagging");
    assert_eq!(serve(&stage.s3, reader.header(Signed::new("GET", &uri))).await.status, 200);
    let put = Signed::new("PUT", &uri).body(document(&[("k", "v")]));
    assert_error(&serve(&stage.s3, reader.header(put)).await, 403, "AccessDenied");
    let delete = Signed::new("DELETE", &uri);
    assert_error(&serve(&stage.s3, reader.header(delete)).await, 403, "AccessDenied");
    assert_eq!(tags(&stage, URI).await, []);
}

#[tokio::test]
async fn tags_of_a_bucket_are_set_by_who_manages_it() {
    let stage = stage().await;
    let put = |uri: &str, tags| Signed::new("PUT", &format!("{uri}?tagging")).body(document(tags));
    let admin = signer(&stage.core, "admin").await;
    // Amazon's example of PutBucketTagging answers so.
    let set = serve(
        &stage.s3,
        admin.header(put("/common-files", &[("Project", "Project One"), ("User", "\u{e9}")])),
    )
    .await;
    assert_eq!(set.status, 204, "{}", set.text());
    let xml = stage.get("/common-files?tagging").await.text();
    assert_eq!(texts(&xml, "Key"), ["Project", "User"], "{xml}");
    assert_eq!(texts(&xml, "Value"), ["Project One", "\u{e9}"], "{xml}");
    // The rest of the workspace is what it was.
    let status = Signed::new("PUT", "/common-files?versioning")
        .body("<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>");
    assert_eq!(serve(&stage.s3, admin.header(status)).await.status, 200);
    assert_eq!(serve(&stage.s3, admin.header(put("/common-files", &[("a", "")]))).await.status, 204);
    assert_eq!(text(&stage.get("/common-files?versioning").await.text(), "Status"), "Enabled");
    assert_eq!(texts(&stage.get("/common-files?tagging").await.text(), "Key"), ["a"]);

    assert_error(&stage.send(put("/common-files", &[("b", "")])).await, 403, "AccessDenied");
    assert_error(&stage.delete("/common-files?tagging").await, 403, "AccessDenied");
    assert_error(&stage.send(put("/nowhere", &[("b", "")])).await, 404, "NoSuchBucket");
    assert_eq!(texts(&stage.get("/common-files?tagging").await.text(), "Key"), ["a"]);
    assert_eq!(
        serve(&stage.s3, admin.header(Signed::new("DELETE", "/common-files?tagging"))).await.status,
        204
    );
    assert_error(&stage.get("/common-files?tagging").await, 404, "NoSuchTagSet");

    for whole in ["/io", "/data"] {
        assert_error(&serve(&stage.s3, admin.header(put(whole, &[("a", "")]))).await, 501, "NotImplemented");
        assert_error(&stage.get(&format!("{whole}?tagging")).await, 404, "NoSuchTagSet");
        assert_eq!(stage.delete(&format!("{whole}?tagging")).await.status, 204);
    }
}

#[tokio::test]
async fn wrong_tags_of_a_bucket_change_nothing() {
    let stage = stage().await;
    let admin = signer(&stage.core, "admin").await;
    let put = async |tags: &[(&str, &str)]| {
        serve(&stage.s3, admin.header(Signed::new("PUT", "/common-files?tagging").body(document(tags)))).await
    };
    assert_eq!(put(&[("a", "1")]).await.status, 204);
    let names: Vec<String> = (0..51).map(|n| format!("key-{n}")).collect();
    let many: Vec<_> = names.iter().map(|name| (name.as_str(), "v")).collect();
    assert_error(&put(&many).await, 400, "BadRequest");
    let long = "k".repeat(129);
    for wrong in [("aws:a", "1"), ("a!", "1"), ("", "1"), (long.as_str(), "1"), ("a", "b?")] {
        assert_error(&put(&[wrong]).await, 400, "InvalidTag");
    }
    assert_error(&put(&[("a", "1"), ("a", "2")]).await, 400, "InvalidTag");
    let broken = Signed::new("PUT", "/common-files?tagging").body("<Tagging><TagSet><Tag>");
    assert_error(&serve(&stage.s3, admin.header(broken)).await, 400, "MalformedXML");
    assert_eq!(texts(&stage.get("/common-files?tagging").await.text(), "Value"), ["1"]);
    assert_eq!(put(many.get(..50).unwrap()).await.status, 204, "fifty are not too many");
}
