//! Metadata that comes in several headers of one name.
//!
//! "Working with object metadata" of the Amazon S3 User Guide: headers of one name, whatever its case,
//! are combined into a list with commas.

use cellgate_core::testing::{request, serve};
use http::HeaderValue;

use crate::sign::Signed;
use crate::{Stage, assert_error, stage, text};

const URI: &str = "/io/common-files/a";

fn several(signed: Signed) -> Signed {
    let pairs = [("key", "value-1"), ("foo", "bar"), ("key", " value-2 "), ("Key", "value-3"), ("foo", "")];
    pairs.iter().fold(signed, |signed, (name, value)| signed.header(&format!("x-amz-meta-{name}"), *value))
}

async fn assert_list(stage: &Stage) {
    let head = stage.head(URI).await;
    assert_eq!(
        (head.header("x-amz-meta-key"), head.header("x-amz-meta-foo")),
        ("value-1,value-2,value-3", "bar,")
    );
    assert_eq!(head.headers.get_all("x-amz-meta-key").iter().count(), 1);
    assert_eq!(stage.delete(URI).await.status, 204);
}

#[tokio::test]
async fn values_of_one_name_are_a_list() {
    let stage = stage().await;
    let put = stage.send(several(Signed::new("PUT", URI).body("x"))).await;
    assert_eq!(put.status, 200, "{}", put.text());
    assert_list(&stage).await;

    stage.put("/io/common-files/source", "x").await;
    let copy = Signed::new("PUT", URI)
        .header("x-amz-copy-source", "io/common-files/source")
        .header("x-amz-metadata-directive", "REPLACE");
    assert_eq!(stage.send(several(copy)).await.status, 200);
    assert_list(&stage).await;

    let begun = stage.send(several(Signed::new("POST", &format!("{URI}?uploads")))).await;
    let id = text(&begun.text(), "UploadId");
    let part = stage.put(&format!("{URI}?partNumber=1&uploadId={id}"), "x").await;
    let list = format!(
        "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{}</ETag></Part>\
         </CompleteMultipartUpload>",
        part.header("etag")
    );
    let done = stage.send(Signed::new("POST", &format!("{URI}?uploadId={id}")).body(list)).await;
    assert_eq!(done.status, 200, "{}", done.text());
    assert_list(&stage).await;

    let date = cellgate_core::http::date::http(cellgate_core::http::date::now_ns());
    let lines = "x-amz-meta-foo:bar,\nx-amz-meta-key:value-1,value-2,value-3";
    let signature = stage.alice.v2(&format!("PUT\n\n\n{date}\n{lines}\n{URI}"));
    let v2 = request("PUT", URI)
        .header("date", &date)
        .header("authorization", format!("AWS {}:{signature}", stage.alice.key));
    let v2 = [("key", "value-1"), ("key", "value-2"), ("key", "value-3"), ("foo", "bar"), ("foo", "")]
        .iter()
        .fold(v2, |v2, (name, value)| v2.header(&format!("x-amz-meta-{name}"), value));
    let put = serve(&stage.s3, v2.body("x")).await;
    assert_eq!(put.status, 200, "{}", put.text());
    assert_list(&stage).await;
}

#[tokio::test]
async fn each_value_is_signed_and_counts() {
    let stage = stage().await;
    let mut added = stage.alice.header(several(Signed::new("PUT", URI).body("x")));
    added.headers_mut().append("x-amz-meta-key", HeaderValue::from_static("forged"));
    assert_error(&serve(&stage.s3, added).await, 403, "SignatureDoesNotMatch");
    let long = "v".repeat(1_100);
    let put = Signed::new("PUT", URI).header("x-amz-meta-a", &long).header("x-amz-meta-a", &long).body("x");
    assert_error(&stage.send(put).await, 400, "MetadataTooLarge");
    // Other headers have one value.
    let twice = Signed::new("PUT", URI).header("cache-control", "a").header("cache-control", "b").body("x");
    assert_error(&stage.send(twice).await, 400, "InvalidRequest");
    assert_eq!(stage.head(URI).await.status, 404);
}
