//! XML that is forged, torn, too long or too much: the exact answer, and nothing changed.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use cellgate_core::testing::{request, serve};
use futures_util::StreamExt as _;
use md5::{Digest as _, Md5};
use sha2::Sha256;

use crate::sign::Signed;
use crate::{Stage, assert_error, signer, stage, text, texts};

const URI: &str = "/io/common-files/a";
const DELETE: &str = "<Delete><Object><Key>common-files/a</Key></Object></Delete>";
const TAGGING: &str = "<Tagging><TagSet><Tag><Key>k</Key><Value>v</Value></Tag></TagSet></Tagging>";
const VERSIONING: &str = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
const BUCKET: &str = "<CreateBucketConfiguration><LocationConstraint>eu-west-1</LocationConstraint>\
    </CreateBucketConfiguration>";

fn md5(text: &str) -> String {
    STANDARD.encode(Md5::digest(text))
}

fn complete(part: &str) -> String {
    format!(
        "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{part}</ETag></Part>\
         </CompleteMultipartUpload>"
    )
}

/// An object, an upload of one part beside it, and every document that would change something.
async fn seeded() -> (Stage, Vec<(&'static str, String, String)>) {
    let mut stage = stage().await;
    // Who may create buckets.
    stage.alice = signer(&stage.core, "admin").await;
    stage.put(URI, "hello").await;
    let begun = stage.send(Signed::new("POST", "/io/common-files/up?uploads")).await;
    let id = text(&begun.text(), "UploadId");
    let part = stage.put(&format!("/io/common-files/up?partNumber=1&uploadId={id}"), "part").await;
    let documents = vec![
        ("POST", format!("/io/common-files/up?uploadId={id}"), complete(part.header("etag"))),
        ("PUT", "/new-bucket".to_owned(), BUCKET.to_owned()),
        ("PUT", format!("{URI}?tagging"), TAGGING.to_owned()),
        ("PUT", "/common-files?versioning".to_owned(), VERSIONING.to_owned()),
        ("POST", "/io?delete".to_owned(), DELETE.to_owned()),
    ];
    (stage, documents)
}

impl Stage {
    async fn assert_as_seeded(&self) {
        assert_eq!(self.get(URI).await.body, "hello");
        assert_eq!(self.head("/io/common-files/up").await.status, 404);
        assert_eq!(self.head("/new-bucket").await.status, 404);
        assert!(!self.get(&format!("{URI}?tagging")).await.text().contains("<Tag>"));
        assert_eq!(text(&self.get("/common-files?versioning").await.text(), "Status"), "");
    }
}

/// XML 1.0, section 4.2: what a parser that expands entities reads files or grows beyond bounds by.
#[tokio::test]
async fn no_entity_is_declared_in_a_document() {
    let (stage, documents) = seeded().await;
    let mut laughs = String::from("<!DOCTYPE x [<!ENTITY x0 \"common-files/a\">");
    for level in 1..10 {
        laughs += &format!("<!ENTITY x{level} \"{}\">", format!("&x{};", level - 1).repeat(10));
    }
    laughs += "<!ENTITY x \"&x9;\">]>";
    for declaration in [
        "<!DOCTYPE x [<!ENTITY x \"common-files/a\">]>",
        "<!DOCTYPE x [<!ENTITY x SYSTEM \"file:///etc/hostname\">]>",
        "<!DOCTYPE x [<!ENTITY x PUBLIC \"p\" \"http://127.0.0.1:1/\">]>",
        "<!DOCTYPE x [<!ENTITY % x SYSTEM \"file:///etc/hostname\"> %x;]>",
        "<!DOCTYPE x SYSTEM \"file:///etc/hostname\">",
        "<?xml version=\"1.0\"?>\n<!-- a > b --> <!DOCTYPE x>",
        &laughs,
    ] {
        for (method, uri, document) in &documents {
            let used = document.rfind("</").and_then(|end| document[..end].find("</")).unwrap();
            let with_entity = format!("{declaration}{}&x;{}", &document[..used], &document[used..]);
            for body in [with_entity, format!("{declaration}{document}")] {
                let answer = stage.send(Signed::new(method, uri).body(body)).await;
                assert_error(&answer, 400, "MalformedXML");
            }
        }
        stage.assert_as_seeded().await;
    }
    let undeclared = "<Delete><Object><Key>common-files/a&x;</Key></Object></Delete>";
    assert_error(&stage.send(Signed::new("POST", "/io?delete").body(undeclared)).await, 400, "MalformedXML");
    stage.assert_as_seeded().await;
    for (method, uri, document) in &documents {
        let answer = stage.send(Signed::new(method, uri).body(document.clone())).await;
        assert_eq!(answer.status, 200, "{method} {uri}: {}", answer.text());
    }
}

#[tokio::test]
async fn documents_are_what_their_digests_say() {
    let (stage, documents) = seeded().await;
    for (method, uri, document) in &documents {
        let send = |name: &str, value: String| {
            stage.send(Signed::new(method, uri).header(name, value).body(document.clone()))
        };
        let answer = send("content-md5", md5("other")).await;
        assert_error(&answer, 400, "BadDigest");
        let why = "The Content-MD5 you specified did not match what we received.";
        assert_eq!(text(&answer.text(), "Message"), why);
        for invalid in ["YWJj", "?", ""] {
            assert_error(&send("content-md5", invalid.to_owned()).await, 400, "InvalidDigest");
        }
        if uri.contains("uploadId") {
            continue;
        }
        let sha256 = STANDARD.encode(Sha256::digest("other"));
        assert_error(&send("x-amz-checksum-sha256", sha256).await, 400, "BadDigest");
        assert_error(&send("x-amz-checksum-crc32", "AAAAAA==".into()).await, 400, "BadDigest");
        assert_error(&send("x-amz-checksum-crc32", "AAAA".into()).await, 400, "InvalidRequest");
    }
    stage.assert_as_seeded().await;
    for (method, uri, document) in documents {
        let request = Signed::new(method, &uri).header("content-md5", md5(&document)).body(document);
        let answer = stage.send(request).await;
        assert_eq!(answer.status, 200, "{method} {uri}: {}", answer.text());
    }
    assert_eq!(stage.head(URI).await.status, 404);
}

/// Beyond a MiB, digests are computed on another thread.
#[tokio::test]
async fn long_documents_are_what_their_digests_say() {
    let stage = stage().await;
    stage.put(URI, "hello").await;
    let padding = " ".repeat(3 * 1024 * 1024);
    let long = DELETE.replacen("<Object>", &format!("{padding}<Object>"), 1);
    let post = |name: &str, value: String| {
        stage.send(Signed::new("POST", "/io?delete").header(name, value).body(long.clone()))
    };
    assert_error(&post("content-md5", md5(DELETE)).await, 400, "BadDigest");
    let sha256 = |text: &str| STANDARD.encode(Sha256::digest(text));
    assert_error(&post("x-amz-checksum-sha256", sha256(DELETE)).await, 400, "BadDigest");
    assert_eq!(stage.get(URI).await.body, "hello");
    assert_eq!(post("x-amz-checksum-sha256", sha256(&long)).await.status, 200);
    assert_eq!(stage.head(URI).await.status, 404);
}

#[tokio::test]
async fn a_document_in_chunks_is_what_its_trailer_says() {
    let stage = stage().await;
    stage.put(URI, "hello").await;
    let put = |trailer: &str| {
        let length = TAGGING.len();
        let body = format!("{length:x}\r\n{TAGGING}\r\n0\r\nx-amz-checksum-crc32:{trailer}\r\n\r\n");
        let put = Signed::new("PUT", &format!("{URI}?tagging"))
            .payload("STREAMING-UNSIGNED-PAYLOAD-TRAILER")
            .header("x-amz-decoded-content-length", length.to_string())
            .header("x-amz-trailer", "x-amz-checksum-crc32");
        stage.send(put.body(body))
    };
    assert_error(&put("AAAAAA==").await, 400, "BadDigest");
    assert!(!stage.get(&format!("{URI}?tagging")).await.text().contains("<Tag>"));
    let crc = crc_fast::checksum(crc_fast::CrcAlgorithm::Crc32IsoHdlc, TAGGING.as_bytes());
    let crc = STANDARD.encode(u32::try_from(crc).unwrap().to_be_bytes());
    let answer = put(&crc).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert!(stage.get(&format!("{URI}?tagging")).await.text().contains("<Tag>"));
}

#[tokio::test]
async fn ten_thousand_keys_are_too_many() {
    let stage = stage().await;
    stage.put(URI, "hello").await;
    let mut list = String::from("<Delete><Object><Key>common-files/a</Key></Object>");
    for number in 1..10_000 {
        list += &format!("<Object><Key>common-files/{number}</Key></Object>");
    }
    list += "</Delete>";
    assert_error(&stage.send(Signed::new("POST", "/io?delete").body(list)).await, 400, "MalformedXML");
    assert_eq!(stage.get(URI).await.body, "hello");
}

/// Amazon's `MaxMessageLengthExceeded`: "Your request was too large", 400.
#[tokio::test]
async fn long_documents_are_refused_and_not_held() {
    let (stage, documents) = seeded().await;
    let padding = " ".repeat(10 * 1024 * 1024);
    for (method, uri, document) in &documents {
        let end = document.rfind("</").unwrap();
        let long = format!("{}{padding}{}", &document[..end], &document[end..]);
        for md5 in [None, Some(md5(&long))] {
            let mut request = Signed::new(method, uri).payload("UNSIGNED-PAYLOAD").body(long.clone());
            if let Some(md5) = md5 {
                request = request.header("content-md5", md5);
            }
            assert_error(&stage.send(request).await, 400, "MaxMessageLengthExceeded");
        }
    }
    // One that does not end is read no further.
    for signed in [true, false] {
        let read = Arc::new(AtomicUsize::new(0));
        let counted = read.clone();
        let endless = futures_util::stream::repeat_with(move || {
            counted.fetch_add(65_536, Ordering::Relaxed);
            Ok(Bytes::from_static(&[b' '; 65_536]))
        });
        let post = request("POST", "/io?delete").header("content-md5", md5("x"));
        let mut post = if signed { post.bearer(&stage.alice.key) } else { post }.build();
        *post.body_mut() = cellgate_core::http::stream(endless.boxed());
        let answer = serve(&stage.s3, post).await;
        if signed {
            assert_error(&answer, 400, "MaxMessageLengthExceeded");
            assert!(read.load(Ordering::Relaxed) <= 9 * 1024 * 1024);
        } else {
            assert_error(&answer, 403, "AccessDenied");
            assert_eq!(read.load(Ordering::Relaxed), 0);
        }
    }
    stage.assert_as_seeded().await;
}

#[tokio::test]
async fn errors_name_what_was_not_there() {
    let stage = stage().await;
    let xml = stage.get("/io/common-files/%3Cnone%3E").await.text();
    assert_eq!((text(&xml, "Code"), text(&xml, "Key")), ("NoSuchKey".into(), "common-files/<none>".into()));
    let xml = stage.get("/nowhere?list-type=2").await.text();
    assert_eq!((text(&xml, "Code"), text(&xml, "BucketName")), ("NoSuchBucket".into(), "nowhere".into()));
    let xml = stage.delete(&format!("{URI}?uploadId=gone")).await.text();
    assert_eq!((text(&xml, "Code"), text(&xml, "UploadId")), ("NoSuchUpload".into(), "gone".into()));
    assert_eq!(texts(&xml, "Key"), Vec::<String>::new());
    // It is the source that is not there.
    let copy = Signed::new("PUT", URI).header("x-amz-copy-source", "io/common-files/none");
    let xml = stage.send(copy).await.text();
    assert_eq!((text(&xml, "Code"), text(&xml, "Key")), ("NoSuchKey".into(), String::new()));
    assert!(!stage.get("/").await.header("x-amz-id-2").is_empty());
}
