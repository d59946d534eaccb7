//! Bodies that are not what was signed or announced: the exact answer, and nothing stored.

use bytes::Bytes;
use cellgate_core::testing::{Answer, request, serve};
use futures_util::StreamExt as _;
use futures_util::stream::iter;
use sha2::{Digest as _, Sha256};

use crate::sign::{Signed, Signer};
use crate::{Stage, assert_error, stage, text};

const URI: &str = "/io/common-files/a.bin";
const SIGNED: &str = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD";
const SIGNED_TRAILER: &str = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER";
const UNSIGNED_TRAILER: &str = "STREAMING-UNSIGNED-PAYLOAD-TRAILER";
/// CRC-32 of `hello` is 3610a686.
const CRC32: &str = "x-amz-checksum-crc32:NhCmhg==";

/// A PUT in chunks; `body` makes them from the signature of the request.
async fn put(stage: &Stage, payload: &str, length: &str, body: impl FnOnce(&str) -> Vec<u8>) -> Answer {
    let mut put = Signed::new("PUT", URI).header("content-encoding", "aws-chunked").payload(payload);
    if !length.is_empty() {
        put = put.header("x-amz-decoded-content-length", length);
    }
    if payload.ends_with("TRAILER") {
        put = put.header("x-amz-trailer", "x-amz-checksum-crc32");
    }
    let (mut request, seed) = stage.alice.header_with_seed(put);
    let body = body(&seed);
    request.headers_mut().insert("content-length", body.len().into());
    // In pieces that end anywhere, as they come from a socket.
    let pieces: Vec<_> = body.chunks(70_001).map(Bytes::copy_from_slice).collect();
    *request.body_mut() = cellgate_core::http::stream(iter(pieces).map(Ok).boxed());
    serve(&stage.s3, request).await
}

/// All of these chunks, signed, and the one that ends them.
fn signed(signer: &Signer, seed: &str, chunks: &[&[u8]]) -> Vec<u8> {
    let (mut body, mut before) = (Vec::new(), seed.to_owned());
    for content in chunks.iter().copied().chain([&b""[..]]) {
        let (chunk, signature) = signer.chunk(&before, content);
        body.extend(chunk);
        before = signature;
    }
    body
}

/// `hello` and a trailer, signed.
fn trailed(signer: &Signer, seed: &str, trailer: &str) -> (String, String) {
    let (first, signature) = signer.chunk(seed, b"hello");
    let (last, signature) = signer.chunk(&signature, b"");
    let last = last.strip_suffix(b"\r\n").unwrap();
    let digest = hex::encode(Sha256::digest(format!("{trailer}\n")));
    let body = String::from_utf8([&first, last].concat()).unwrap();
    (format!("{body}{trailer}\r\n"), signer.trailer(&signature, &digest))
}

#[track_caller]
fn assert_refused(answer: &Answer, status: u16, code: &str, why: &str) {
    assert_error(answer, status, code);
    assert_eq!(text(&answer.text(), "Message"), why);
}

const CUT_OFF: &str = "The request body terminated unexpectedly";
const OTHER_LENGTH: &str =
    "You did not provide the number of bytes specified by the Content-Length HTTP header";
const MALFORMED: &str = "The request contained trailing data that was not well-formed or did not conform to \
    our published schema.";

#[tokio::test]
async fn signed_chunks_are_verified_each() {
    let stage = stage().await;
    let signer = &stage.alice;
    let (a, b) = (vec![b'a'; 100_000], vec![b'b'; 1_500_000]);
    let chunks: [&[u8]; 4] = [&a, &b, &a, b"end"];
    let length = (2 * a.len() + b.len() + 3).to_string();
    let whole = |seed: &str| signed(signer, seed, &chunks);

    // Early and late, so that both places of hashing see it.
    for at in [500_u32, 1_000_000, 1_699_000, 1_700_356] {
        let tampered = put(&stage, SIGNED, &length, |seed| {
            let mut body = whole(seed);
            body[at as usize] ^= 1;
            body
        });
        assert_error(&tampered.await, 403, "SignatureDoesNotMatch");
    }
    let swapped = put(&stage, SIGNED, "200000", |seed| {
        let (first, one) = signer.chunk(seed, &a);
        let (second, two) = signer.chunk(&one, &vec![b'c'; 100_000]);
        let (last, _) = signer.chunk(&two, b"");
        [second, first, last].concat()
    });
    assert_error(&swapped.await, 403, "SignatureDoesNotMatch");
    let seedless = put(&stage, SIGNED, &length, |_| signed(signer, &"0".repeat(64), &chunks));
    assert_error(&seedless.await, 403, "SignatureDoesNotMatch");

    let unfinished = put(&stage, SIGNED, &length, |seed| {
        let body = whole(seed);
        body[..body.len() - 86].to_vec()
    });
    assert_refused(&unfinished.await, 400, "IncompleteBody", CUT_OFF);
    let cut = put(&stage, SIGNED, &length, |seed| whole(seed)[..1_000_000].to_vec());
    assert_refused(&cut.await, 400, "IncompleteBody", CUT_OFF);
    let longer = put(&stage, SIGNED, "1700004", whole);
    assert_refused(&longer.await, 400, "IncompleteBody", OTHER_LENGTH);
    let shorter = put(&stage, SIGNED, "1700002", whole);
    assert_refused(&shorter.await, 400, "IncompleteBody", OTHER_LENGTH);
    let more = put(&stage, SIGNED, &length, |seed| [whole(seed), b"0\r\n\r\n".to_vec()].concat());
    assert_refused(&more.await, 400, "IncompleteBody", CUT_OFF);
    assert_eq!(stage.head(URI).await.status, 404);

    let answer = put(&stage, SIGNED, &length, whole).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(stage.get(URI).await.body, chunks.concat());
}

#[tokio::test]
async fn lengths_of_chunks_and_bodies_are_numbers_within_bounds() {
    let stage = stage().await;
    for size in ["-5", "+5", "", " 5", "g", "0x5", "10000000000000005", "5;x"] {
        let put = put(&stage, UNSIGNED_TRAILER, "5", |_| {
            format!("{size}\r\nhello\r\n0\r\n{CRC32}\r\n\r\n").into_bytes()
        });
        assert_refused(&put.await, 400, "IncompleteBody", CUT_OFF);
    }
    for size in ["ffffffffffffffff", "7fffffffffffffff", "100000"] {
        let put = put(&stage, UNSIGNED_TRAILER, "5", |_| format!("{size}\r\nhello").into_bytes());
        assert_refused(&put.await, 400, "IncompleteBody", OTHER_LENGTH);
    }
    for length in ["", "abc", "-5", "12x", "99999999999999999999999"] {
        let put =
            put(&stage, UNSIGNED_TRAILER, length, |_| format!("5\r\nhello\r\n0\r\n{CRC32}\r\n\r\n").into());
        assert_error(&put.await, 411, "MissingContentLength");
    }
    let line = put(&stage, UNSIGNED_TRAILER, "5", |_| {
        [vec![b'5'; 100 * 1024], b"\r\nhello\r\n0\r\n\r\n".to_vec()].concat()
    });
    assert_refused(&line.await, 400, "IncompleteBody", CUT_OFF);
    let small = put(&stage, UNSIGNED_TRAILER, "5", |_| {
        format!("2\r\nhe\r\n3\r\nllo\r\n0\r\n{CRC32}\r\n\r\n").into_bytes()
    });
    let why = "Only the last chunk is allowed to have a size less than 8192 bytes";
    assert_refused(&small.await, 400, "InvalidChunkSizeError", why);
    assert_eq!(stage.head(URI).await.status, 404);
}

#[tokio::test]
async fn trailers_come_as_announced_and_signed() {
    let stage = stage().await;
    let signer = &stage.alice;
    let unsigned = |rest: &str| format!("5\r\nhello\r\n0\r\n{rest}").into_bytes();
    let forged = "0".repeat(64);
    for (rest, status, code) in [
        ("\r\n", 400, "MalformedTrailerError"),
        ("x-amz-checksum-crc32c:mnG7TA==\r\n\r\n", 400, "MalformedTrailerError"),
        (
            "x-amz-checksum-crc32:NhCmhg==\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n",
            400,
            "MalformedTrailerError",
        ),
        // Nobody could verify it.
        (&format!("{CRC32}\r\nx-amz-trailer-signature:{forged}\r\n\r\n"), 400, "MalformedTrailerError"),
        ("x-amz-checksum-crc32:NhCmhh==\r\n\r\n", 400, "InvalidRequest"),
        ("x-amz-checksum-crc32:?\r\n\r\n", 400, "InvalidRequest"),
        ("x-amz-checksum-crc32:AAAAAA==\r\n\r\n", 400, "BadDigest"),
        (&format!("{CRC32}\r\n"), 400, "IncompleteBody"),
        (CRC32, 400, "IncompleteBody"),
        ("no trailer\r\n\r\n", 400, "IncompleteBody"),
        (&format!("{}{CRC32}\r\n\r\n", "x: y\r\n".repeat(1_000)), 400, "IncompleteBody"),
    ] {
        let answer = put(&stage, UNSIGNED_TRAILER, "5", |_| unsigned(rest)).await;
        assert_error(&answer, status, code);
        if code == "MalformedTrailerError" {
            assert_eq!(text(&answer.text(), "Message"), MALFORMED);
        }
    }
    let framed = put(&stage, UNSIGNED_TRAILER, "5", |_| {
        format!("5;chunk-signature={forged}\r\nhello\r\n0\r\n{CRC32}\r\n\r\n").into_bytes()
    });
    assert_refused(&framed.await, 400, "IncompleteBody", CUT_OFF);

    let with =
        |body: (String, String)| format!("{}x-amz-trailer-signature:{}\r\n\r\n", body.0, body.1).into_bytes();
    let other = put(&stage, SIGNED_TRAILER, "5", |seed| {
        with((trailed(signer, seed, "x-amz-checksum-crc32:AAAAAA==").0, trailed(signer, seed, CRC32).1))
    });
    assert_error(&other.await, 403, "SignatureDoesNotMatch");
    let unsigned_trailer = put(&stage, SIGNED_TRAILER, "5", |seed| {
        format!("{}\r\n", trailed(signer, seed, CRC32).0).into_bytes()
    });
    assert_refused(&unsigned_trailer.await, 400, "IncompleteBody", CUT_OFF);
    let wrong =
        put(&stage, SIGNED_TRAILER, "5", |seed| with(trailed(signer, seed, "x-amz-checksum-crc32:AAAAAA==")));
    assert_error(&wrong.await, 400, "BadDigest");
    let unannounced = put(&stage, SIGNED_TRAILER, "5", |seed| {
        with(trailed(signer, seed, "x-amz-checksum-crc32c:mnG7TA=="))
    });
    assert_refused(&unannounced.await, 400, "MalformedTrailerError", MALFORMED);
    assert_eq!(stage.head(URI).await.status, 404);

    // minio-go ends its trailers with LF and leaves a line empty before their signature.
    let minio = put(&stage, SIGNED_TRAILER, "5", |seed| {
        let (body, signature) = trailed(signer, seed, CRC32);
        let body = body.strip_suffix("\r\n").unwrap();
        format!("{body}\n\r\nx-amz-trailer-signature:{signature}\r\n\r\n").into_bytes()
    });
    let minio = minio.await;
    assert_eq!(
        (minio.status.as_u16(), minio.header("x-amz-checksum-crc32")),
        (200, "NhCmhg=="),
        "{}",
        minio.text()
    );
    assert_eq!(stage.get(URI).await.body, "hello");
}

#[tokio::test]
async fn chunks_are_for_uploads() {
    let stage = stage().await;
    let post = Signed::new("POST", "/io?delete")
        .payload(UNSIGNED_TRAILER)
        .header("x-amz-decoded-content-length", "0")
        .body("0\r\n\r\n");
    assert_error(&stage.send(post).await, 400, "InvalidRequest");
    let unknown = Signed::new("PUT", URI).payload("invalid_sha256").body("x");
    assert_error(&stage.send(unknown).await, 400, "InvalidArgument");
    let v4a = Signed::new("PUT", URI).payload("STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD").body("x");
    assert_error(&stage.send(v4a).await, 501, "NotImplemented");
    assert_eq!(stage.head(URI).await.status, 404);
}

#[tokio::test]
async fn digests_of_plain_bodies_hold_for_every_operation() {
    let stage = stage().await;
    let long = vec![b'x'; 3_000_000];
    let mut other = long.clone();
    other[2_999_999] = b'y';
    let digest = hex::encode(Sha256::digest(&long));
    let mismatch = "The provided 'x-amz-content-sha256' header does not match what was computed.";
    let wrong = stage.send(Signed::new("PUT", URI).payload(&digest).body(other)).await;
    assert_refused(&wrong, 400, "XAmzContentSHA256Mismatch", mismatch);
    let empty = stage.send(Signed::new("PUT", URI).payload(&digest)).await;
    assert_refused(&empty, 400, "XAmzContentSHA256Mismatch", mismatch);
    // A bearer's promise counts too.
    let bearer = request("PUT", URI).bearer(&stage.alice.key).header("x-amz-content-sha256", &digest);
    assert_error(&serve(&stage.s3, bearer.body("x")).await, 400, "XAmzContentSHA256Mismatch");
    assert_eq!(stage.head(URI).await.status, 404);

    assert_eq!(stage.put(URI, long.clone()).await.status, 200);
    let xml = "<Delete><Object><Key>common-files/a.bin</Key></Object></Delete>";
    let delete = Signed::new("POST", "/io?delete").payload(&digest).body(xml);
    assert_refused(&stage.send(delete).await, 400, "XAmzContentSHA256Mismatch", mismatch);
    assert_eq!(stage.get(URI).await.body, long);
}

/// Older curl: `--aws-sigv4` signs the digest of what it sends and does not say so.
#[tokio::test]
async fn a_digest_that_was_signed_silently_is_found() {
    let stage = stage().await;
    let put = stage.send(Signed::new("PUT", URI).silent().body("hello")).await;
    assert_eq!(put.status, 200, "{}", put.text());
    let get = stage.send(Signed::new("GET", URI).silent()).await;
    assert_eq!(get.body, "hello");
    let unsigned = Signed::new("PUT", URI).silent().payload("UNSIGNED-PAYLOAD").body("other");
    assert_eq!(stage.send(unsigned).await.status, 200);

    // curl 7.88 with `-T`.
    let empty = hex::encode(Sha256::digest(""));
    let uploaded =
        stage.send(Signed::new("PUT", URI).silent().payload(&empty).body(vec![b'x'; 2_000_000])).await;
    assert_eq!(uploaded.status, 200, "{}", uploaded.text());
    let posted = Signed::new("POST", "/io?delete").silent().payload(&empty).body("<Delete/>");
    assert_error(&stage.send(posted).await, 403, "SignatureDoesNotMatch");

    assert_eq!(stage.put(URI, "other").await.status, 200);
    let wrong = hex::encode(Sha256::digest("hello"));
    let wrong = stage.send(Signed::new("PUT", URI).silent().payload(&wrong).body("tampered")).await;
    assert_error(&wrong, 403, "SignatureDoesNotMatch");
    let long = stage.send(Signed::new("PUT", URI).silent().body(vec![0; 2_000_000])).await;
    assert_refused(
        &long,
        400,
        "InvalidRequest",
        "Missing required header for this request: x-amz-content-sha256",
    );
    assert_eq!(stage.get(URI).await.body, "other");
}
