//! Putting, reading and describing objects.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cellgate_core::testing::{request, serve};
use md5::{Digest as _, Md5};

use crate::sign::{Signed, Signer};
use crate::{Stage, assert_error, signer, stage, text, texts};

const URI: &str = "/io/common-files/a.txt";
/// MD5 of `hello`.
const HELLO: &str = "\"5d41402abc4b2a76b9719d911017c592\"";

#[tokio::test]
async fn what_was_put_comes_back_with_its_headers() {
    let stage = stage().await;
    let put = Signed::new("PUT", "/io/common-files/new/folder/a%20b+c%C3%A9.txt")
        .header("content-type", "text/plain; charset=utf-8")
        .header("cache-control", "max-age=60")
        .header("content-disposition", "inline")
        .header("content-encoding", "gzip, aws-chunked")
        .header("content-language", "de")
        .header("expires", "Thu, 01 Dec 2033 16:00:00 GMT")
        .header("x-amz-meta-mtime", "1893456000.5")
        .header("x-amz-meta-who", "=?UTF-8?B?w6k=?=")
        .body("hello");
    let answer = stage.send(put).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.header("etag"), HELLO);
    assert!(answer.body.is_empty());

    let uri = "/io/common-files/new/folder/a%20b%2Bc%C3%A9.txt";
    for method in ["GET", "HEAD"] {
        let answer = stage.send(Signed::new(method, uri)).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        for (name, value) in [
            ("content-length", "5"),
            ("content-type", "text/plain; charset=utf-8"),
            ("etag", HELLO),
            ("accept-ranges", "bytes"),
            ("cache-control", "max-age=60"),
            ("content-disposition", "inline"),
            ("content-encoding", "gzip"),
            ("content-language", "de"),
            ("expires", "Thu, 01 Dec 2033 16:00:00 GMT"),
            ("x-amz-meta-mtime", "1893456000.5"),
            ("x-amz-meta-who", "=?UTF-8?B?w6k=?="),
            ("x-amz-request-id", "test"),
        ] {
            assert_eq!(answer.header(name), value, "{method} {name}");
        }
        assert!(answer.header("last-modified").ends_with(" GMT"));
        assert_eq!(answer.body, if method == "GET" { "hello" } else { "" });
    }
    let node = stage.core.stat("/common-files/new/folder/a b+cé.txt").await.unwrap();
    assert_eq!(node.size, 5);
}

#[tokio::test]
async fn generic_types_are_named_by_the_file() {
    let stage = stage().await;
    for mime in ["application/octet-stream", "binary/octet-stream"] {
        stage.send(Signed::new("PUT", "/io/common-files/a.png").header("content-type", mime).body("x")).await;
        assert_eq!(stage.head("/io/common-files/a.png").await.header("content-type"), "image/png");
    }
}

#[tokio::test]
async fn ranges_are_cut_out() {
    let stage = stage().await;
    stage.put(URI, "0123456789").await;
    for (range, status, body, shown) in [
        ("bytes=0-3", 206, "0123", "bytes 0-3/10"),
        ("bytes=7-", 206, "789", "bytes 7-9/10"),
        ("bytes=-2", 206, "89", "bytes 8-9/10"),
        ("bytes=8-99", 206, "89", "bytes 8-9/10"),
        ("bytes=0-1,4-5", 200, "0123456789", ""),
        ("lines=0-1", 200, "0123456789", ""),
        ("bytes=5-2", 200, "0123456789", ""),
    ] {
        let answer = stage.send(Signed::new("GET", URI).header("range", range)).await;
        assert_eq!(answer.status, status, "{range}: {}", answer.text());
        assert_eq!(answer.body, body, "{range}");
        assert_eq!(answer.header("content-range"), shown, "{range}");
        assert_eq!(answer.header("content-length"), body.len().to_string(), "{range}");
        let head = stage.send(Signed::new("HEAD", URI).header("range", range)).await;
        assert_eq!(head.status, status, "HEAD {range}");
        assert_eq!(head.header("content-length"), body.len().to_string(), "HEAD {range}");
    }
    let outside = stage.send(Signed::new("GET", URI).header("range", "bytes=10-")).await;
    assert_error(&outside, 416, "InvalidRange");
    assert_eq!(outside.header("content-range"), "bytes */10");
    let stale = Signed::new("GET", URI).header("range", "bytes=0-3").header("if-range", "\"other\"");
    assert_eq!(stage.send(stale).await.body, "0123456789");
}

#[tokio::test]
async fn large_objects_are_streamed() {
    let stage = stage().await;
    let content: Vec<u8> = (0..300_000u32).flat_map(u32::to_le_bytes).collect();
    assert_eq!(stage.put(URI, content.clone()).await.status, 200);
    let answer = stage.get(URI).await;
    assert!(!answer.torn);
    assert_eq!(answer.body, content);
    assert_eq!(answer.header("etag"), format!("\"{}\"", hex::encode(Md5::digest(&content))));
}

#[tokio::test]
async fn conditions_on_reads() {
    let stage = stage().await;
    stage.put(URI, "hello").await;
    let past = "Sun, 06 Nov 1994 08:49:37 GMT";
    let future = "Wed, 01 Dec 2100 16:00:00 GMT";
    let many = format!("\"x\", {HELLO}");
    for (name, value, status) in [
        ("if-match", HELLO, 200),
        ("if-match", many.as_str(), 200),
        ("if-match", "*", 200),
        ("if-match", "\"x\"", 412),
        ("if-none-match", HELLO, 304),
        ("if-none-match", many.as_str(), 304),
        ("if-none-match", "\"x\"", 200),
        ("if-modified-since", future, 304),
        ("if-modified-since", past, 200),
        ("if-modified-since", "yesterday", 200),
        ("if-unmodified-since", past, 412),
        ("if-unmodified-since", future, 200),
    ] {
        for method in ["GET", "HEAD"] {
            let answer = stage.send(Signed::new(method, URI).header(name, value)).await;
            assert_eq!(answer.status, status, "{method} {name}: {value}: {}", answer.text());
            if status == 304 {
                assert_eq!(answer.header("etag"), HELLO);
                assert!(answer.body.is_empty());
            }
        }
    }
}

#[tokio::test]
async fn conditions_on_writes() {
    let stage = stage().await;
    let put = |name: &str, value: &str, body: &str| Signed::new("PUT", URI).header(name, value).body(body);
    // As Amazon answers it.
    assert_error(&stage.send(put("if-match", "*", "x")).await, 404, "NoSuchKey");
    assert_eq!(stage.send(put("if-none-match", "*", "hello")).await.status, 200);
    assert_error(&stage.send(put("if-none-match", "*", "x")).await, 412, "PreconditionFailed");
    assert_error(&stage.send(put("if-match", "\"x\"", "x")).await, 412, "PreconditionFailed");
    assert_eq!(stage.get(URI).await.body, "hello");
    assert_eq!(stage.send(put("if-match", HELLO, "second")).await.status, 200);
    assert_eq!(stage.get(URI).await.body, "second");
}

#[tokio::test]
async fn the_answer_says_what_its_link_wants() {
    let stage = stage().await;
    stage.put(URI, "hello").await;
    let uri = format!(
        "{URI}?response-content-type=image%2Fgif&response-content-disposition=attachment%3B%20filename%3D%22x.gif%22\
         &response-cache-control=no-store&response-content-language=fr&response-content-encoding=br\
         &response-expires=Thu%2C%2001%20Dec%202033%2016%3A00%3A00%20GMT"
    );
    let answer = stage.get(&uri).await;
    for (name, value) in [
        ("content-type", "image/gif"),
        ("content-disposition", "attachment; filename=\"x.gif\""),
        ("cache-control", "no-store"),
        ("content-language", "fr"),
        ("content-encoding", "br"),
        ("expires", "Thu, 01 Dec 2033 16:00:00 GMT"),
    ] {
        assert_eq!(answer.header(name), value, "{name}");
    }
    let split = stage.get(&format!("{URI}?response-content-type=a%0D%0AX-Evil%3A%201")).await;
    assert_error(&split, 400, "InvalidArgument");
}

#[tokio::test]
async fn promised_digests_are_checked_and_kept() {
    let stage = stage().await;
    let md5 = STANDARD.encode(Md5::digest("hello"));
    let crc = |text: &str| {
        let crc = crc_fast::checksum(crc_fast::CrcAlgorithm::Crc32IsoHdlc, text.as_bytes()) as u32;
        STANDARD.encode(crc.to_be_bytes())
    };
    let put = |name: &str, value: &str| Signed::new("PUT", URI).header(name, value).body("hello");
    assert_eq!(stage.send(put("content-md5", &md5)).await.status, 200);
    let answer = stage.send(put("x-amz-checksum-crc32", &crc("hello"))).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.header("x-amz-checksum-crc32"), crc("hello"));
    // Shown to who asks, and not on a part of the content.
    let mode = |range: Option<&str>| {
        let get = Signed::new("GET", URI).header("x-amz-checksum-mode", "ENABLED");
        range.map_or_else(
            || Signed::new("GET", URI).header("x-amz-checksum-mode", "ENABLED"),
            |range| get.header("range", range),
        )
    };
    assert_eq!(stage.send(mode(None)).await.header("x-amz-checksum-crc32"), crc("hello"));
    assert_eq!(stage.send(mode(Some("bytes=0-1"))).await.header("x-amz-checksum-crc32"), "");
    assert_eq!(stage.get(URI).await.header("x-amz-checksum-crc32"), "");

    let other = |name: &str, value: &str| Signed::new("PUT", URI).header(name, value).body("other");
    let wrong = stage.send(other("content-md5", &md5)).await;
    assert_error(&wrong, 400, "BadDigest");
    let (expected, calculated) = ("5d41402abc4b2a76b9719d911017c592", "eV8yArF8trw9S3cdjGyerw==");
    assert_eq!(text(&wrong.text(), "ExpectedDigest"), expected);
    assert_eq!(text(&wrong.text(), "CalculatedDigest"), calculated);
    assert_error(&stage.send(other("content-md5", "nonsense")).await, 400, "InvalidDigest");
    assert_error(&stage.send(other("x-amz-checksum-crc32", &crc("hello"))).await, 400, "BadDigest");
    assert_error(&stage.send(other("x-amz-checksum-crc32", "eA==")).await, 400, "InvalidRequest");
    assert_error(&stage.send(other("x-amz-checksum-sha512", "eA==")).await, 400, "InvalidRequest");
    let unknown = stage.send(other("x-amz-checksum-md4", "eA==")).await;
    assert_error(&unknown, 400, "InvalidRequest");
    let why = "The algorithm type you specified in x-amz-checksum- header is invalid.";
    assert_eq!(text(&unknown.text(), "Message"), why);
    assert_eq!(stage.get(URI).await.body, "hello");
}

#[tokio::test]
async fn a_body_that_is_not_the_signed_one_leaves_nothing() {
    let stage = stage().await;
    let other = hex::encode(<sha2::Sha256 as sha2::Digest>::digest("other"));
    let put = Signed::new("PUT", URI).payload(&other).body("hello");
    assert_error(&stage.send(put).await, 400, "XAmzContentSHA256Mismatch");
    let short = Signed::new("PUT", URI).body("hello").payload("UNSIGNED-PAYLOAD").announced(6);
    assert_error(&stage.send(short).await, 400, "IncompleteBody");
    let short = Signed::new("PUT", URI).body("hello").announced(6);
    assert_error(&stage.send(short).await, 400, "IncompleteBody");
    let endless = serve(&stage.s3, {
        let content = cellgate_core::testing::body("hello");
        request("PUT", URI).bearer(&stage.alice.key).stream(content)
    });
    assert_error(&endless.await, 411, "MissingContentLength");
    assert_eq!(stage.head(URI).await.status, 404);
}

async fn send_chunks(stage: &Stage, tamper: bool) -> cellgate_core::testing::Answer {
    let signer: &Signer = &stage.alice;
    let request = Signed::new("PUT", URI)
        .header("content-encoding", "aws-chunked")
        .header("x-amz-decoded-content-length", "65546")
        .payload("STREAMING-AWS4-HMAC-SHA256-PAYLOAD");
    let (mut request, seed) = signer.header_with_seed(request);
    let (first, signature) = signer.chunk(&seed, &[b'a'; 65_536]);
    let (second, signature) = signer.chunk(&signature, b"0123456789");
    let (last, _) = signer.chunk(&signature, b"");
    let mut body = [first, second, last].concat();
    if tamper {
        // In the second chunk's content.
        let at = body.len() - 92;
        body[at] ^= 1;
    }
    request.headers_mut().insert("content-length", body.len().into());
    *request.body_mut() = cellgate_core::http::full(body);
    serve(&stage.s3, request).await
}

#[tokio::test]
async fn signed_chunks_are_joined_and_verified() {
    let stage = stage().await;
    let tampered = send_chunks(&stage, true).await;
    assert_error(&tampered, 403, "SignatureDoesNotMatch");
    assert_eq!(stage.head(URI).await.status, 404);
    let answer = send_chunks(&stage, false).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let got = stage.get(URI).await;
    assert_eq!(got.body.len(), 65_546);
    assert!(got.body.ends_with(b"a0123456789"));
    assert_eq!(got.header("content-encoding"), "");
}

/// As the AWS SDKs upload since 2025.
async fn send_trailer(stage: &Stage, trailer: &str) -> cellgate_core::testing::Answer {
    let body = format!("5\r\nhello\r\n0\r\n{trailer}\r\n\r\n");
    let put = Signed::new("PUT", URI)
        .header("content-encoding", "aws-chunked")
        .header("x-amz-decoded-content-length", "5")
        .header("x-amz-trailer", "x-amz-checksum-crc32")
        .payload("STREAMING-UNSIGNED-PAYLOAD-TRAILER")
        .body(body);
    stage.send(put).await
}

#[tokio::test]
async fn checksums_in_trailers_are_checked() {
    let stage = stage().await;
    // CRC-32 of `hello` is 3610a686.
    let right = STANDARD.encode([0x36, 0x10, 0xa6, 0x86]);
    let wrong = send_trailer(&stage, "x-amz-checksum-crc32:AAAAAA==").await;
    assert_error(&wrong, 400, "BadDigest");
    let missing = send_trailer(&stage, "x-amz-checksum-sha1:AAAAAA==").await;
    assert_error(&missing, 400, "MalformedTrailerError");
    assert_eq!(stage.head(URI).await.status, 404);
    let answer = send_trailer(&stage, &format!("x-amz-checksum-crc32:{right}")).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.header("x-amz-checksum-crc32"), right);
    assert_eq!(stage.get(URI).await.body, "hello");
}

#[tokio::test]
async fn folders_are_empty_objects_that_end_in_a_slash() {
    let stage = stage().await;
    assert_eq!(stage.put("/io/common-files/dir/", "").await.status, 200);
    for uri in ["/io/common-files/dir/", "/io/common-files/"] {
        for method in ["GET", "HEAD"] {
            let answer = stage.send(Signed::new(method, uri)).await;
            assert_eq!(answer.status, 200, "{method} {uri}");
            assert_eq!(answer.header("content-type"), "application/x-directory");
            assert_eq!(answer.header("content-length"), "0");
            assert_eq!(answer.header("etag"), "\"d41d8cd98f00b204e9800998ecf8427e\"");
        }
    }
    assert_error(&stage.get("/io/common-files/dir").await, 404, "NoSuchKey");
    assert_eq!(stage.head("/io/common-files/dir").await.status, 404);
    assert!(stage.core.stat("/common-files/dir").await.unwrap().is_collection());
    // Once more is fine, unless it must be new.
    assert_eq!(stage.put("/io/common-files/dir/", "").await.status, 200);
    let new = Signed::new("PUT", "/io/common-files/dir/").header("if-none-match", "*");
    assert_error(&stage.send(new).await, 412, "PreconditionFailed");
    assert_error(&stage.put("/io/common-files/other/", "x").await, 400, "InvalidArgument");
    assert_eq!(stage.head("/io/common-files/other/").await.status, 404);
    stage.put(URI, "hello").await;
    assert_error(&stage.get(&format!("{URI}/")).await, 404, "NoSuchKey");
}

/// Keys need no parents: what they imply is no object, and goes with them.
#[tokio::test]
async fn a_folder_that_keys_imply_is_no_object() {
    let stage = stage().await;
    stage.put("/io/common-files/a/b/c", "c").await;
    for folder in ["/io/common-files/a/", "/io/common-files/a/b/"] {
        assert_eq!(stage.head(folder).await.status, 404);
        assert_error(&stage.get(folder).await, 404, "NoSuchKey");
        assert_eq!(stage.send(Signed::new("DELETE", folder)).await.status, 204);
    }
    let keys = async || texts(&stage.get("/io?prefix=common-files/&list-type=2").await.text(), "Key");
    assert_eq!(stage.put("/io/common-files/a/", "").await.status, 200);
    assert_eq!(keys().await, ["common-files/a/", "common-files/a/b/c"]);
    let within = stage.get("/io?prefix=common-files/a/&list-type=2&delimiter=/").await;
    assert_eq!(texts(&within.text(), "Key"), ["common-files/a/"]);
    assert_eq!(stage.send(Signed::new("DELETE", "/io/common-files/a/")).await.status, 204);
    assert_eq!(keys().await, ["common-files/a/b/c"]);
    assert_eq!(stage.send(Signed::new("DELETE", "/io/common-files/a/b/c")).await.status, 204);
    assert!(keys().await.is_empty());
    assert!(stage.core.stat("/common-files/a").await.is_err());
}

#[tokio::test]
async fn an_object_and_a_folder_cannot_share_a_key() {
    let stage = stage().await;
    stage.seed(&["common-files/a", "common-files/d/x"]).await;
    assert_error(&stage.put("/io/common-files/a/b", "").await, 409, "ParentIsObject");
    assert_error(&stage.put("/io/common-files/d", "x").await, 409, "KeyIsParent");
    assert_error(&stage.get("/io/common-files/a/b").await, 404, "NoSuchKey");
    assert_eq!(stage.head("/io/common-files/d/x").await.status, 200);
}

#[tokio::test]
async fn rights_are_those_of_the_tree() {
    let stage = stage().await;
    stage.put(URI, "hello").await;
    let reader = signer(&stage.core, "reader").await;
    let as_reader = |signed: Signed| serve(&stage.s3, reader.header(signed));
    assert_eq!(as_reader(Signed::new("GET", URI)).await.body, "hello");
    assert_error(&as_reader(Signed::new("PUT", URI).body("x")).await, 403, "AccessDenied");
    assert_error(&as_reader(Signed::new("DELETE", URI)).await, 403, "AccessDenied");
    assert_error(&as_reader(Signed::new("POST", &format!("{URI}?uploads"))).await, 403, "AccessDenied");
    let hidden = as_reader(Signed::new("PUT", "/io/personal-files/a").body("x")).await;
    assert_error(&hidden, 404, "NoSuchKey");
    assert!(stage.core.stat("/personal-files/a").await.is_err());
    assert_eq!(stage.get(URI).await.body, "hello");
}

#[tokio::test]
async fn a_lock_of_another_door_stops_writes() {
    use cellgate_core::lock::LockRequest;
    let stage = stage().await;
    stage.put(URI, "hello").await;
    let tree = stage.core.tree_through("admin", cellgate_core::Door::Dav).await;
    let request = LockRequest {
        owner: "admin".into(),
        deep: false,
        shared: false,
        timeout_s: None,
        create: false,
        tokens: Vec::new(),
    };
    let path = cellgate_core::NodePath::parse("/common-files/a.txt").unwrap();
    tree.lock(&path, &request).await.unwrap();
    for refused in [
        stage.put(URI, "x").await,
        stage.delete(URI).await,
        stage
            .send(
                Signed::new("PUT", URI)
                    .header("x-amz-copy-source", "io/common-files/a.txt")
                    .header("x-amz-metadata-directive", "REPLACE"),
            )
            .await,
    ] {
        assert_error(&refused, 403, "AccessDenied");
        assert!(refused.text().contains("locked by admin"), "{}", refused.text());
    }
    assert_eq!(stage.get(URI).await.body, "hello");
}

/// rclone keeps the times of directories so (`--s3-directory-markers`).
#[tokio::test]
async fn folders_keep_their_metadata() {
    let stage = stage().await;
    let uri = "/io/common-files/d/";
    let put = |mtime: &str| Signed::new("PUT", uri).header("x-amz-meta-mtime", mtime).body("");
    for mtime in ["1.5", "2.5"] {
        assert_eq!(stage.send(put(mtime)).await.status, 200);
        assert_eq!(stage.head(uri).await.header("x-amz-meta-mtime"), mtime);
        stage.seed(&["common-files/d/x"]).await;
    }
    let copy = Signed::new("PUT", uri)
        .header("x-amz-copy-source", "io/common-files/d/")
        .header("x-amz-metadata-directive", "REPLACE")
        .header("x-amz-meta-mtime", "3.5");
    assert_eq!(stage.send(copy).await.status, 200);
    assert_eq!(stage.head(uri).await.header("x-amz-meta-mtime"), "3.5");
    let to = Signed::new("PUT", "/io/common-files/e/").header("x-amz-copy-source", "io/common-files/d/");
    assert_eq!(stage.send(to).await.status, 200);
    assert_eq!(stage.head("/io/common-files/e/").await.header("x-amz-meta-mtime"), "3.5");
    let full = Signed::new("PUT", uri).body("content");
    assert_error(&stage.send(full).await, 400, "InvalidArgument");
    assert_eq!(stage.head("/io/common-files/d/x").await.status, 200);
}

#[tokio::test]
async fn nothing_has_object_lock() {
    let stage = stage().await;
    stage.put(URI, "hello").await;
    for query in ["retention", "legal-hold"] {
        let uri = format!("{URI}?{query}");
        assert_error(&stage.get(&uri).await, 400, "InvalidRequest");
    }
    let hold =
        Signed::new("PUT", &format!("{URI}?legal-hold")).body("<LegalHold><Status>ON</Status></LegalHold>");
    assert_error(&stage.send(hold).await, 400, "InvalidRequest");
    let keep = "<Retention><Mode>GOVERNANCE</Mode><RetainUntilDate>2100-01-01T00:00:00Z</RetainUntilDate></Retention>";
    let retention = Signed::new("PUT", &format!("{URI}?retention")).body(keep);
    assert_error(&stage.send(retention).await, 400, "InvalidRequest");
}

#[tokio::test]
async fn an_object_beyond_amazon_s_limit_is_refused_before_its_body() {
    let stage = stage().await;
    let put = Signed::new("PUT", URI).body("x").announced((5 << 40) + 1);
    assert_error(&stage.send(put).await, 400, "EntityTooLarge");
}

#[tokio::test]
async fn ranges_by_the_thousand_are_the_whole() {
    let stage = stage().await;
    stage.put(URI, "hello").await;
    let many: Vec<String> = (0..1_000).map(|_| "0-1".to_owned()).collect();
    let get = Signed::new("GET", URI).header("range", format!("bytes={}", many.join(",")));
    let answer = stage.send(get).await;
    assert_eq!((answer.status.as_u16(), &answer.body[..]), (200, &b"hello"[..]));
}
