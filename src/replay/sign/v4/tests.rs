//! Against the examples of the S3 reference ("Signature calculations for the Authorization header",
//! "Authenticating requests: using query parameters") and the vectors of the Cells reference, 3.3.

use bytes::Bytes;
use time::macros::datetime;

use super::*;
use crate::send::Framing;
use crate::sign::frames_of;

const AMAZON: OffsetDateTime = datetime!(2013-05-24 00:00:00 UTC);
const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

fn amazon() -> Key {
    Key { id: "AKIAIOSFODNN7EXAMPLE".into(), secret: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".into() }
}

fn cells() -> Key {
    Key { id: "demo-token".into(), secret: "gatewaysecret".into() }
}

/// A request as recorded: names where credentials were, another day.
fn recorded(method: &str, target: &str, headers: &[(&str, &str)], names: &str) -> Request {
    let mut headers: Vec<_> =
        headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    if !names.is_empty() {
        headers.push((
            "Authorization".into(),
            format!(
                "AWS4-HMAC-SHA256 Credential=__access_key_1__/20260101/us-east-1/s3/aws4_request,\
                 SignedHeaders={names},Signature=__signature_1__"
            ),
        ));
    }
    Request {
        method: method.into(),
        target: target.into(),
        headers,
        body: Body::EMPTY,
        framing: Framing::None,
    }
}

fn signature(request: &Request) -> &str {
    request.header("authorization").unwrap().rsplit_once("Signature=").unwrap().1
}

#[test]
fn headers_of_amazon() {
    let bucket = "examplebucket.s3.amazonaws.com";
    let put_hash = "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072";
    for (method, target, headers, names, expected) in [
        (
            "GET",
            "/test.txt",
            &[("Range", "bytes=0-9"), ("x-amz-content-sha256", EMPTY)][..],
            "host;range;x-amz-content-sha256;x-amz-date",
            "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
        ),
        (
            "PUT",
            "/test%24file.text",
            &[
                ("Date", "Fri, 24 May 2013 00:00:00 GMT"),
                ("x-amz-storage-class", "REDUCED_REDUNDANCY"),
                ("x-amz-content-sha256", put_hash),
            ][..],
            "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class",
            "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
        ),
        (
            "GET",
            "/?lifecycle",
            &[("x-amz-content-sha256", EMPTY)][..],
            "host;x-amz-content-sha256;x-amz-date",
            "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
        ),
        (
            "GET",
            "/?max-keys=2&prefix=J",
            &[("x-amz-content-sha256", EMPTY)][..],
            "host;x-amz-content-sha256;x-amz-date",
            "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
        ),
    ] {
        let mut request = recorded(method, target, headers, names);
        request.set_header("Host", bucket);
        request.set_header("X-Amz-Date", "20260101T000000Z");
        header(&mut request, &amazon(), AMAZON).unwrap();
        assert_eq!(signature(&request), expected, "{target}");
        assert_eq!(request.header("x-amz-date"), Some("20130524T000000Z"));
        assert!(
            request.header("authorization").unwrap().starts_with(
                "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, SignedHeaders="
            )
        );
    }
}

#[test]
fn the_seed_of_amazons_chunks() {
    let mut request = recorded(
        "PUT",
        "/examplebucket/chunkObject.txt",
        &[
            ("Host", "s3.amazonaws.com"),
            ("x-amz-date", "20260101T000000Z"),
            ("x-amz-storage-class", "REDUCED_REDUNDANCY"),
            ("x-amz-content-sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"),
            ("Content-Encoding", "aws-chunked"),
            ("x-amz-decoded-content-length", "66560"),
            ("Content-Length", "66824"),
        ],
        "content-encoding;content-length;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;x-amz-storage-class",
    );
    let body = format!(
        "10000;chunk-signature=a\r\n{}\r\n400;chunk-signature=a\r\n{}\r\n0;chunk-signature=a\r\n\r\n",
        "a".repeat(65_536),
        "a".repeat(1_024)
    );
    request.body = Body::Framed(frames_of(&Bytes::from(body), true).unwrap());
    header(&mut request, &amazon(), AMAZON).unwrap();
    assert_eq!(signature(&request), "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9");
    let sent: Vec<u8> = request.body.pieces().flat_map(|piece| piece.to_vec()).collect();
    let sent = String::from_utf8(sent).unwrap();
    let last = "0;chunk-signature=b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9\r\n\r\n";
    assert!(sent.ends_with(last));
}

#[test]
fn the_url_of_amazon() {
    let mut request = recorded(
        "GET",
        "/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256\
         &X-Amz-Credential=__access_key_1__%2F20260101%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20260101T000000Z\
         &X-Amz-Expires=86400&X-Amz-SignedHeaders=host&X-Amz-Signature=__signature_1__",
        &[("Host", "examplebucket.s3.amazonaws.com")],
        "",
    );
    query(&mut request, &amazon(), AMAZON).unwrap();
    assert_eq!(
        request.target,
        "/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256\
         &X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request\
         &X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host\
         &X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"
    );
}

#[test]
fn the_vectors_of_cells() {
    let at = datetime!(2030-01-01 00:00:00 UTC);
    let host = ("Host", "cells.example.org");
    let mut request = recorded(
        "GET",
        "/io/personal-files/report.txt",
        &[host, ("x-amz-content-sha256", EMPTY), ("x-amz-date", "20260101T000000Z")],
        "host;x-amz-content-sha256;x-amz-date",
    );
    header(&mut request, &cells(), at).unwrap();
    assert_eq!(signature(&request), "8fb9c4d3f5f1339972f28b2abbf67883d9b95f1bf7ae21b7eeda8364e6d9d5aa");

    const SIGNED: &str = "X-Amz-Algorithm=AWS4-HMAC-SHA256\
        &X-Amz-Credential=__jwt_1__%2F20260101%2Fus-east-1%2Fs3%2Faws4_request\
        &X-Amz-Date=20260101T000000Z&X-Amz-Expires=600&X-Amz-SignedHeaders=host";
    for (target, expected) in [
        (
            format!("/io/personal-files/report.txt?{SIGNED}&X-Amz-Signature=x"),
            "8ea655ea890d2f420f2a2f563c6cc48e80b7c0683d80beaa88cc6ece410953bd",
        ),
        // The token behind the signature is no part of what is signed.
        (
            format!("/io/personal-files/report.txt?{SIGNED}&X-Amz-Signature=x&pydio_jwt=token"),
            "8ea655ea890d2f420f2a2f563c6cc48e80b7c0683d80beaa88cc6ece410953bd",
        ),
        (
            format!(
                "/io/personal-files/My%20Docs/%C3%A9t%C3%A9.txt?{SIGNED}\
                 &response-content-disposition=attachment%3B%20filename%3D%25C3%25A9t%25C3%25A9.txt\
                 &X-Amz-Signature=x"
            ),
            "69a84a0fbebb7a1d811d51e0b0c5c6253dac36907185dcfb51681dcc81ab2f4e",
        ),
    ] {
        let mut request = recorded("GET", &target, &[host], "");
        query(&mut request, &cells(), at).unwrap();
        assert_eq!(Query::of(&request.target).get("X-Amz-Signature").as_deref(), Some(expected), "{target}");
    }
    // Before it, it is.
    let target = format!("/io/personal-files/report.txt?pydio_jwt=token&{SIGNED}&X-Amz-Signature=x");
    let mut request = recorded("GET", &target, &[host], "");
    query(&mut request, &cells(), at).unwrap();
    assert!(!request.target.contains("8ea655ea890d2f420f2a2f563c6cc48e80b7c0683d80beaa88cc6ece410953bd"));
}

#[test]
fn headers_that_are_not_sent_are_not_signed() {
    let headers = [("Host", "a"), ("x-amz-content-sha256", EMPTY), ("x-amz-date", "20260101T000000Z")];
    let mut request = recorded("PUT", "/io/a", &headers, "expect;host;x-amz-content-sha256;x-amz-date");
    header(&mut request, &cells(), AMAZON).unwrap();
    let authorization = request.header("authorization").unwrap();
    assert!(authorization.contains("SignedHeaders=host;x-amz-content-sha256;x-amz-date,"), "{authorization}");
}

#[test]
fn what_is_malformed_is_said() {
    for authorization in
        ["AWS4-HMAC-SHA256", "AWS4-HMAC-SHA256 Credential=a, SignedHeaders=host, Signature=b"]
    {
        let mut request = recorded("GET", "/", &[("Host", "a"), ("Authorization", authorization)], "");
        assert!(header(&mut request, &cells(), AMAZON).is_err(), "{authorization}");
    }
}
