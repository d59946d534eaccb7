//! Every checksum that SDKs send, in a header and behind the body.

use cellgate_core::testing::{Answer, serve};
use sha2::{Digest as _, Sha256};

use crate::sign::{Signed, Signer};
use crate::{Stage, assert_error, stage};

const URI: &str = "/io/common-files/a.txt";

/// The digests of `hello`, and of nothing else: computed apart from the code under test.
const OF_HELLO: [(&str, &str); 10] = [
    ("x-amz-checksum-crc32", "NhCmhg=="),
    ("x-amz-checksum-crc32c", "mnG7TA=="),
    ("x-amz-checksum-crc64nvme", "M3eFcAZSQlc="),
    ("x-amz-checksum-sha1", "qvTGHdzF6KLavt4PO0gs2a6pQ00="),
    ("x-amz-checksum-sha256", "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ="),
    (
        "x-amz-checksum-sha512",
        "m3HSJL1i83hdltRq0+o9czGb+8KJDKra4t/3JRlnPKcjI8PZm6XBHXx6zG4UuMXaDEZjR1wuXDre9G9zvN7AQw==",
    ),
    ("x-amz-checksum-md5", "XUFAKrxLKna5cZ2REBfFkg=="),
    ("x-amz-checksum-xxhash64", "JseCfYifbaM="),
    ("x-amz-checksum-xxhash3", "lVXoVVxi3P0="),
    ("x-amz-checksum-xxhash128", "tenBrQcbPn/Hec+qXlI4GA=="),
];

#[tokio::test]
async fn each_algorithm_is_checked_in_its_header() {
    let stage = stage().await;
    for (name, digest) in OF_HELLO {
        let put = |body: &str| Signed::new("PUT", URI).header(name, digest).body(body);
        assert_error(&stage.send(put("other")).await, 400, "BadDigest");
        assert_eq!(stage.head(URI).await.status, 404, "{name}");
        let answer = stage.send(put("hello")).await;
        assert_eq!((answer.status.as_u16(), answer.header(name)), (200, digest), "{}", answer.text());
        let get = Signed::new("GET", URI).header("x-amz-checksum-mode", "ENABLED");
        assert_eq!(stage.send(get).await.header(name), digest);
        assert_eq!(stage.delete(URI).await.status, 204);
    }
}

#[tokio::test]
async fn each_algorithm_is_checked_in_a_trailer() {
    let stage = stage().await;
    let put = async |name: &str, digest: &str, content: &str| {
        let body = format!("{:x}\r\n{content}\r\n0\r\n{name}:{digest}\r\n\r\n", content.len());
        let put = Signed::new("PUT", URI)
            .header("content-encoding", "aws-chunked")
            .header("x-amz-decoded-content-length", content.len().to_string())
            .header("x-amz-trailer", name)
            .payload("STREAMING-UNSIGNED-PAYLOAD-TRAILER")
            .body(body);
        stage.send(put).await
    };
    for (name, digest) in OF_HELLO {
        assert_error(&put(name, digest, "other").await, 400, "BadDigest");
        assert_eq!(stage.head(URI).await.status, 404, "{name}");
        let answer = put(name, digest, "hello").await;
        assert_eq!((answer.status.as_u16(), answer.header(name)), (200, digest), "{}", answer.text());
        assert_eq!(stage.get(URI).await.body, "hello");
        assert_eq!(stage.delete(URI).await.status, 204);
    }
}

#[tokio::test]
async fn a_checksum_stands_in_a_header_or_in_a_trailer() {
    let stage = stage().await;
    for (name, digest) in OF_HELLO {
        let (trailer, value) = OF_HELLO[2];
        let put = Signed::new("PUT", URI)
            .header("content-encoding", "aws-chunked")
            .header("x-amz-decoded-content-length", "5")
            .header("x-amz-trailer", trailer)
            .header(name, digest)
            .payload("STREAMING-UNSIGNED-PAYLOAD-TRAILER")
            .body(format!("5\r\nhello\r\n0\r\n{trailer}:{value}\r\n\r\n"));
        let answer = stage.send(put).await;
        assert_error(&answer, 400, "InvalidRequest");
        assert!(answer.text().contains("Multiple checksum Types are not allowed"), "{}", answer.text());
        assert_eq!(stage.head(URI).await.status, 404, "{name}");
    }
}

/// A chunk and a trailer, both signed; `forged` spoils the trailer's signature.
async fn send_signed_trailer(stage: &Stage, digest: &str, forged: bool) -> Answer {
    let signer: &Signer = &stage.alice;
    let put = Signed::new("PUT", URI)
        .header("content-encoding", "aws-chunked")
        .header("x-amz-decoded-content-length", "5")
        .header("x-amz-trailer", "x-amz-checksum-crc32")
        .payload("STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER");
    let (mut request, seed) = signer.header_with_seed(put);
    let (first, signature) = signer.chunk(&seed, b"hello");
    let (last, signature) = signer.chunk(&signature, b"");
    // Behind the last chunk stands the trailer, before the line that ends the body.
    let last = last.strip_suffix(b"\r\n").unwrap();
    let trailer = format!("x-amz-checksum-crc32:{digest}");
    let mut signature = signer.trailer(&signature, &hex::encode(Sha256::digest(format!("{trailer}\n"))));
    if forged {
        let first = if signature.starts_with('0') { "1" } else { "0" };
        signature.replace_range(..1, first);
    }
    let end = format!("{trailer}\r\nx-amz-trailer-signature:{signature}\r\n\r\n");
    let body = [first.as_slice(), last, end.as_bytes()].concat();
    request.headers_mut().insert("content-length", body.len().into());
    *request.body_mut() = cellgate_core::http::full(body);
    serve(&stage.s3, request).await
}

#[tokio::test]
async fn signed_trailers_are_verified() {
    let stage = stage().await;
    let (_, digest) = OF_HELLO[0];
    let forged = send_signed_trailer(&stage, digest, true).await;
    assert_error(&forged, 403, "SignatureDoesNotMatch");
    assert_error(&send_signed_trailer(&stage, "AAAAAA==", false).await, 400, "BadDigest");
    assert_eq!(stage.head(URI).await.status, 404);
    let answer = send_signed_trailer(&stage, digest, false).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(stage.get(URI).await.body, "hello");
}
