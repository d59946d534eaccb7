//! What belongs to another upload, another user, or another place.

use cellgate_core::testing::{Answer, serve};

use crate::sign::{Signed, Signer};
use crate::{Stage, assert_error, signer, stage, text};

const URI: &str = "/io/common-files/a";

async fn begin(stage: &Stage, uri: &str) -> String {
    text(&stage.send(Signed::new("POST", &format!("{uri}?uploads"))).await.text(), "UploadId")
}

async fn part(stage: &Stage, uri: &str, id: &str, number: u32, content: &str) -> String {
    let answer = stage.put(&format!("{uri}?partNumber={number}&uploadId={id}"), content).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.header("etag").to_owned()
}

fn complete(uri: &str, id: &str, number: u32, etag: &str) -> Signed {
    Signed::new("POST", &format!("{uri}?uploadId={id}")).body(format!(
        "<CompleteMultipartUpload><Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>\
         </CompleteMultipartUpload>"
    ))
}

async fn send(stage: &Stage, signer: &Signer, request: Signed) -> Answer {
    serve(&stage.s3, signer.header(request)).await
}

#[tokio::test]
async fn parts_of_other_uploads_are_no_parts() {
    let stage = stage().await;
    let (mine, other) = (begin(&stage, URI).await, begin(&stage, URI).await);
    let elsewhere = begin(&stage, "/io/common-files/b").await;
    let own = part(&stage, URI, &mine, 1, "mine").await;
    let foreign = part(&stage, URI, &other, 2, "foreign").await;
    let moved = part(&stage, "/io/common-files/b", &elsewhere, 1, "elsewhere").await;
    for (number, etag) in [(2, &foreign), (1, &foreign), (1, &moved), (2, &own), (10_000, &own)] {
        assert_error(&stage.send(complete(URI, &mine, number, etag)).await, 400, "InvalidPart");
    }
    // An upload is one of a key.
    assert_error(&stage.send(complete(URI, &elsewhere, 1, &moved)).await, 404, "NoSuchUpload");
    let stray = stage.put(&format!("{URI}?partNumber=1&uploadId={elsewhere}"), "x").await;
    assert_error(&stray, 404, "NoSuchUpload");
    assert_error(&stage.delete(&format!("{URI}?uploadId={elsewhere}")).await, 404, "NoSuchUpload");
    assert_error(&stage.get(&format!("{URI}?uploadId={elsewhere}")).await, 404, "NoSuchUpload");
    for invented in ["..%2F..%2Fetc", "%00", "0", "00000000-0000-0000-0000-000000000000"] {
        let answer = stage.put(&format!("{URI}?partNumber=1&uploadId={invented}"), "x").await;
        let (status, code) = if invented == "%00" { (400, "InvalidArgument") } else { (404, "NoSuchUpload") };
        assert_error(&answer, status, code);
    }
    assert_eq!(stage.head(URI).await.status, 404);
    assert_eq!(stage.send(complete(URI, &mine, 1, &own)).await.status, 200);
    assert_eq!(stage.get(URI).await.body, "mine");
}

#[tokio::test]
async fn uploads_of_others_are_not_there() {
    let stage = stage().await;
    let id = begin(&stage, URI).await;
    let etag = part(&stage, URI, &id, 1, "mine").await;
    let query = format!("{URI}?uploadId={id}");
    for login in ["reader", "admin"] {
        let other = signer(&stage.core, login).await;
        let put = Signed::new("PUT", &format!("{query}&partNumber=1")).body("theirs");
        for request in
            [put, complete(URI, &id, 1, &etag), Signed::new("DELETE", &query), Signed::new("GET", &query)]
        {
            // Completing writes the key, and who may not is told so before the upload is looked for.
            let denied = login == "reader" && request.method == "POST";
            let (status, code) = if denied { (403, "AccessDenied") } else { (404, "NoSuchUpload") };
            let answer = send(&stage, &other, request).await;
            assert_error(&answer, status, code);
            assert!(!answer.text().contains(etag.trim_matches('"')), "{}", answer.text());
        }
    }
    assert_eq!(stage.head(URI).await.status, 404);
    assert_eq!(stage.send(complete(URI, &id, 1, &etag)).await.status, 200);
    assert_eq!(stage.get(URI).await.body, "mine");
}

#[tokio::test]
async fn what_may_not_be_read_is_no_source() {
    let stage = stage().await;
    stage.put("/io/personal-files/secret", "secret").await;
    stage.put("/io/common-files/open", "open").await;
    let reader = signer(&stage.core, "reader").await;
    let id = begin(&stage, URI).await;
    let part = format!("{URI}?partNumber=1&uploadId={id}");
    let from = |uri: &str, source: &str| Signed::new("PUT", uri).header("x-amz-copy-source", source);
    for source in ["io/personal-files/secret", "/io/personal-files/secret", "io%2Fpersonal-files%2Fsecret"] {
        let answer = send(&stage, &reader, from("/io/common-files/stolen", source)).await;
        // What one may not see is not there; whether there is one is not told either.
        assert_error(&answer, 404, "NoSuchKey");
        let none = send(&stage, &reader, from("/io/common-files/stolen", &format!("{source}-none"))).await;
        assert_error(&none, 404, "NoSuchKey");
    }
    for (source, code) in [
        ("io/common-files/..%2Fpersonal-files/secret", "InvalidArgument"),
        ("io/common-files/../personal-files/secret", "InvalidArgument"),
        ("io/common-files/%2e%2e/personal-files/secret", "InvalidArgument"),
        ("io%2Fcommon-files%2F..%2Fpersonal-files%2Fsecret", "InvalidArgument"),
        ("io/common-files/%00", "InvalidArgument"),
        ("io/common-files/a%0Ab", "InvalidArgument"),
        ("io/common-files/%ff", "InvalidArgument"),
        ("io/common-files//open", "InvalidArgument"),
        ("io/", "InvalidArgument"),
        ("", "InvalidArgument"),
    ] {
        for uri in [URI, &part] {
            let answer = stage.send(from(uri, source)).await;
            assert_error(&answer, 400, code);
        }
    }
    assert_eq!(stage.head(URI).await.status, 404);
    assert_eq!(stage.head("/io/common-files/stolen").await.status, 404);
    assert!(!stage.get(&format!("{URI}?uploadId={id}")).await.text().contains("<Part>"));
    // An encoded slash is a slash.
    assert_eq!(stage.send(from(URI, "io%2Fcommon-files%2Fopen")).await.status, 200);
    assert_eq!(stage.get(URI).await.body, "open");
}
