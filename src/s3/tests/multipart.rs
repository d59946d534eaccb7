//! Multipart uploads, from the first part to the last.

use md5::{Digest as _, Md5};

use crate::sign::Signed;
use crate::{Stage, assert_error, stage, text, texts};

const URI: &str = "/io/common-files/new/big.bin";
const MIN: usize = 5 * 1024 * 1024;

async fn create(stage: &Stage) -> String {
    let request = Signed::new("POST", &format!("{URI}?uploads"))
        .header("content-type", "video/mp4")
        .header("x-amz-meta-k", "v");
    let answer = stage.send(request).await;
    let xml = answer.text();
    assert_eq!(answer.status, 200, "{xml}");
    assert_eq!((text(&xml, "Bucket"), text(&xml, "Key")), ("io".into(), "common-files/new/big.bin".into()));
    text(&xml, "UploadId")
}

async fn part(stage: &Stage, id: &str, number: u32, content: Vec<u8>) -> String {
    let uri = format!("{URI}?partNumber={number}&uploadId={id}");
    let answer = stage.put(&uri, content.clone()).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let etag = answer.header("etag").to_owned();
    assert_eq!(etag, format!("\"{}\"", hex::encode(Md5::digest(&content))));
    etag
}

fn complete(id: &str, parts: &[(u32, &str)]) -> Signed {
    let parts: String = parts
        .iter()
        .map(|(number, etag)| format!("<Part><ETag>{etag}</ETag><PartNumber>{number}</PartNumber></Part>"))
        .collect();
    Signed::new("POST", &format!("{URI}?uploadId={id}"))
        .body(format!("<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>"))
}

#[tokio::test]
async fn parts_become_one_object() {
    let stage = stage().await;
    let id = create(&stage).await;
    // Out of order, and one of them twice.
    let second = part(&stage, &id, 2, vec![b'2'; 10]).await;
    part(&stage, &id, 1, vec![b'x'; 10]).await;
    let first = part(&stage, &id, 1, vec![b'1'; MIN]).await;
    assert_eq!(stage.head(URI).await.status, 404, "nothing is visible before the end");

    let answer = stage.send(complete(&id, &[(1, &first), (2, &second)])).await;
    let xml = answer.text();
    assert_eq!(answer.status, 200, "{xml}");
    let digests = [Md5::digest(vec![b'1'; MIN]), Md5::digest([b'2'; 10])].concat();
    let etag = format!("\"{}-2\"", hex::encode(Md5::digest(&digests)));
    assert_eq!(text(&xml, "ETag"), etag);
    assert_eq!(text(&xml, "Location"), "http://localhost:8080/io/common-files/new/big.bin");

    let got = stage.get(URI).await;
    assert_eq!(got.body.len(), MIN + 10);
    assert_eq!(&got.body[MIN - 1..=MIN], b"12");
    assert_eq!(got.header("etag"), etag);
    assert_eq!(got.header("content-type"), "video/mp4");
    assert_eq!(got.header("x-amz-meta-k"), "v");
    assert_error(&stage.send(complete(&id, &[(1, &first)])).await, 404, "NoSuchUpload");
    let again = stage.send(complete(&id, &[(1, &first), (2, &second)])).await;
    assert_eq!((again.status.as_u16(), text(&again.text(), "ETag")), (200, etag), "a client that asks twice");
}

#[tokio::test]
async fn what_is_completed_must_be_what_was_uploaded() {
    let stage = stage().await;
    let id = create(&stage).await;
    let small = part(&stage, &id, 1, vec![b'1'; 10]).await;
    let second = part(&stage, &id, 2, vec![b'2'; 10]).await;
    let refused = |parts: &[(u32, &str)]| stage.send(complete(&id, parts));
    assert_error(&refused(&[(1, &small), (2, &second)]).await, 400, "EntityTooSmall");
    assert_error(&refused(&[(2, &second), (1, &small)]).await, 400, "InvalidPartOrder");
    assert_error(&refused(&[(1, "\"0123\"")]).await, 400, "InvalidPart");
    assert_error(&refused(&[(3, &small)]).await, 400, "InvalidPart");
    assert_error(&refused(&[]).await, 400, "MalformedXML");
    let torn = Signed::new("POST", &format!("{URI}?uploadId={id}")).body("<CompleteMultipartUpload><Part>");
    assert_error(&stage.send(torn).await, 400, "MalformedXML");
    assert_eq!(stage.head(URI).await.status, 404);
    // All that was wrong left the upload as it was.
    assert_eq!(refused(&[(2, &second)]).await.status, 200);
    assert_eq!(stage.get(URI).await.body, vec![b'2'; 10]);
}

#[tokio::test]
async fn conditions_are_checked_when_the_parts_become_an_object() {
    let stage = stage().await;
    let id = create(&stage).await;
    let only = part(&stage, &id, 1, b"new".to_vec()).await;
    stage.put(URI, "old").await;
    let request = complete(&id, &[(1, &only)]).header("if-none-match", "*");
    assert_error(&stage.send(request).await, 412, "PreconditionFailed");
    assert_eq!(stage.get(URI).await.body, "old");
    assert_eq!(stage.send(complete(&id, &[(1, &only)])).await.status, 200);
    assert_eq!(stage.get(URI).await.body, "new");
}

#[tokio::test]
async fn parts_are_checked_like_objects() {
    let stage = stage().await;
    let id = create(&stage).await;
    let put = |query: &str| Signed::new("PUT", &format!("{URI}?{query}")).body("hello");
    for number in ["0", "10001", "-1"] {
        let answer = stage.send(put(&format!("partNumber={number}&uploadId={id}"))).await;
        assert_error(&answer, 400, "InvalidArgument");
    }
    assert_error(&stage.send(put("partNumber=1&uploadId=none")).await, 404, "NoSuchUpload");
    let unknown = "00000000-0000-4000-8000-000000000000";
    assert_error(&stage.send(put(&format!("partNumber=1&uploadId={unknown}"))).await, 404, "NoSuchUpload");
    let elsewhere = Signed::new("PUT", &format!("/io/common-files/b?partNumber=1&uploadId={id}")).body("x");
    assert_error(&stage.send(elsewhere).await, 404, "NoSuchUpload");
    let query = format!("partNumber=1&uploadId={id}");
    let wrong = put(&query).header("x-amz-checksum-crc32", "AAAAAA==");
    assert_error(&stage.send(wrong).await, 400, "BadDigest");
    let right = stage.send(put(&query).header("x-amz-checksum-crc32", "NhCmhg==")).await;
    assert_eq!((right.status.as_u16(), right.header("x-amz-checksum-crc32")), (200, "NhCmhg=="));
    // boto3 repeats the parts' checksums at the end.
    let list = |crc: &str| {
        let etag = "\"5d41402abc4b2a76b9719d911017c592\"";
        Signed::new("POST", &format!("{URI}?uploadId={id}")).body(format!(
            "<CompleteMultipartUpload><Part><ChecksumCRC32>{crc}</ChecksumCRC32><ETag>{etag}</ETag>\
             <PartNumber>1</PartNumber></Part></CompleteMultipartUpload>"
        ))
    };
    assert_error(&stage.send(list("AAAAAA==")).await, 400, "InvalidPart");
    assert_eq!(stage.send(list("NhCmhg==")).await.status, 200);
}

#[tokio::test]
async fn an_aborted_upload_is_gone() {
    let stage = stage().await;
    let id = create(&stage).await;
    let only = part(&stage, &id, 1, b"x".to_vec()).await;
    let abort = || stage.delete_upload(&id);
    assert_eq!(abort().await.status, 204);
    assert_error(&abort().await, 404, "NoSuchUpload");
    assert_error(&stage.get(&format!("{URI}?uploadId={id}")).await, 404, "NoSuchUpload");
    assert_error(&stage.send(complete(&id, &[(1, &only)])).await, 404, "NoSuchUpload");
    assert_eq!(stage.head(URI).await.status, 404);
}

impl Stage {
    async fn delete_upload(&self, id: &str) -> cellgate_core::testing::Answer {
        self.delete(&format!("{URI}?uploadId={id}")).await
    }
}

#[tokio::test]
async fn parts_are_listed_in_pages() {
    let stage = stage().await;
    let id = create(&stage).await;
    for number in [1, 2, 7] {
        part(&stage, &id, number, vec![b'x'; number as usize]).await;
    }
    let xml = stage.get(&format!("{URI}?uploadId={id}&max-parts=2")).await.text();
    assert_eq!(texts(&xml, "PartNumber"), ["1", "2"]);
    assert_eq!(texts(&xml, "Size"), ["1", "2"]);
    assert_eq!((text(&xml, "IsTruncated"), text(&xml, "NextPartNumberMarker")), ("true".into(), "2".into()));
    let xml = stage.get(&format!("{URI}?uploadId={id}&max-parts=2&part-number-marker=2")).await.text();
    assert_eq!((texts(&xml, "PartNumber"), text(&xml, "IsTruncated")), (vec!["7".into()], "false".into()));
}

#[tokio::test]
async fn uploads_are_listed_by_prefix_delimiter_and_marker() {
    let stage = stage().await;
    for key in ["a/1", "a/2", "b", "b", "c+d"] {
        let uri = format!("/io/common-files/{key}?uploads");
        assert_eq!(stage.send(Signed::new("POST", &uri)).await.status, 200);
    }
    let list = async |query: &str| stage.get(&format!("/io?uploads&{query}")).await.text();
    let whole = ["a/1", "a/2", "b", "b", "c+d"].map(|key| format!("common-files/{key}"));
    assert_eq!(texts(&list("").await, "Key"), whole);
    assert_eq!(texts(&list("prefix=common-files/b").await, "Key"), &whole[2..4]);
    assert_eq!(texts(&list("key-marker=common-files/b").await, "Key"), &whole[4..]);
    assert_eq!(texts(&list("encoding-type=url&prefix=common-files/c").await, "Key"), ["common-files/c%2Bd"]);
    let grouped = list("delimiter=/&prefix=common-files/").await;
    assert_eq!(texts(&grouped, "Key"), &whole[2..]);
    assert_eq!(text(&text(&grouped, "CommonPrefixes"), "Prefix"), "common-files/a/");

    for (question, count) in [("", 5), ("&delimiter=/&prefix=common-files/", 4)] {
        let (mut seen, mut cursor) = (0, String::new());
        for _ in 0..count {
            let xml = list(&format!("max-uploads=1{question}{cursor}")).await;
            seen += texts(&xml, "UploadId").len() + texts(&xml, "CommonPrefixes").len();
            let (key, id) = (text(&xml, "NextKeyMarker"), text(&xml, "NextUploadIdMarker"));
            cursor = format!("&key-marker={}&upload-id-marker={id}", crate::sign::encode(&key));
            let more = seen < count;
            assert_eq!(text(&xml, "IsTruncated"), more.to_string(), "{xml}");
        }
        assert_eq!(seen, count, "{question}");
    }
}

#[tokio::test]
async fn uploads_of_one_key_are_listed_as_they_began() {
    let stage = stage().await;
    let mut ids = Vec::new();
    for _ in 0..4 {
        ids.push(create(&stage).await);
    }
    let list = async |query: &str| stage.get(&format!("/io?uploads&{query}")).await;
    assert_eq!(texts(&list("").await.text(), "UploadId"), ids);
    let key = "key-marker=common-files/new/big.bin";
    let behind = format!("{key}&upload-id-marker={}", ids[1]);
    assert_eq!(texts(&list(&behind).await.text(), "UploadId"), &ids[2..]);
    assert!(texts(&list(key).await.text(), "UploadId").is_empty());
    // The upload that a page ended with may be complete before the next page is asked for.
    assert_eq!(stage.delete_upload(&ids[1]).await.status, 204);
    assert_eq!(texts(&list(&behind).await.text(), "UploadId"), &ids[2..]);
    assert_error(&list(&format!("{key}&upload-id-marker=none")).await, 400, "InvalidArgument");
    assert_eq!(
        texts(&list("upload-id-marker=none").await.text(), "UploadId").len(),
        3,
        "ignored without a key"
    );
}

#[tokio::test]
async fn an_upload_is_aborted_if_it_began_when_the_client_believes() {
    let stage = stage().await;
    let id = create(&stage).await;
    let begun = text(&stage.get("/io?uploads").await.text(), "Initiated");
    let begun = time::OffsetDateTime::parse(&begun, &time::format_description::well_known::Rfc3339).unwrap();
    let abort = async |seconds: i64| {
        let at = cellgate_core::http::date::http((begun.unix_timestamp() + seconds) * 1_000_000_000);
        let uri = format!("{URI}?uploadId={id}");
        stage.send(Signed::new("DELETE", &uri).header("x-amz-if-match-initiated-time", at)).await
    };
    assert_error(&abort(-1).await, 412, "PreconditionFailed");
    assert_error(&abort(86_400).await, 412, "PreconditionFailed");
    assert_eq!(stage.get(&format!("{URI}?uploadId={id}")).await.status, 200);
    assert_eq!(abort(0).await.status, 204);
    assert_error(&stage.get(&format!("{URI}?uploadId={id}")).await, 404, "NoSuchUpload");
    assert_eq!(abort(0).await.status, 204, "what is not there did not begin at another time");
}

#[tokio::test]
async fn markers_and_numbers_of_parts_are_integers() {
    let stage = stage().await;
    let id = create(&stage).await;
    for (marker, why) in [
        ("none", "Provided none not an integer or within integer range"),
        ("2736457823532448723", "Provided 2736457823532448723 not an integer or within integer range"),
        ("-14", "Argument -14 must be an integer between 0 and 2147483647"),
    ] {
        let answer = stage.get(&format!("{URI}?uploadId={id}&part-number-marker={marker}")).await;
        assert_error(&answer, 400, "InvalidArgument");
        let xml = answer.text();
        assert_eq!(text(&xml, "Message"), why);
        assert_eq!(
            (text(&xml, "ArgumentName"), text(&xml, "ArgumentValue")),
            ("part-number-marker".into(), marker.into())
        );
    }
    let answer = stage.put(&format!("{URI}?partNumber=x&uploadId={id}"), "x").await;
    assert_error(&answer, 400, "InvalidArgument");
    assert_eq!(
        text(&answer.text(), "Message"),
        "Part number must be an integer between 1 and 10000, inclusive."
    );
}

#[tokio::test]
async fn what_is_wrong_with_a_part_copy_by_itself_is_said_first() {
    let stage = stage().await;
    for (number, source, why) in [
        ("-10", "io/personal-files/a", "Part number must be an integer between 1 and 10000, inclusive."),
        ("1", "io/personal-files/%ZZ", "Invalid copy source encoding"),
        ("1", "io/personal-files/../a", "Invalid copy source object key"),
        ("1", "192.168.1.1/a", "Invalid copy source bucket name"),
    ] {
        let uri = format!("{URI}?partNumber={number}&uploadId=none");
        let answer = stage.send(Signed::new("PUT", &uri).header("x-amz-copy-source", source)).await;
        assert_error(&answer, 400, "InvalidArgument");
        assert_eq!(text(&answer.text(), "Message"), why);
    }
    let uri = format!("{URI}?partNumber=1&uploadId=none");
    let absent = Signed::new("PUT", &uri).header("x-amz-copy-source", "io/personal-files/a");
    assert_error(&stage.send(absent).await, 404, "NoSuchUpload");
}

#[tokio::test]
async fn ranges_of_objects_become_parts() {
    let stage = stage().await;
    let mut source = vec![b'1'; MIN];
    source.extend_from_slice(b"0123456789");
    stage.put("/io/personal-files/source", source).await;
    let id = create(&stage).await;
    let copy = |number: u32, range: Option<String>| {
        let uri = format!("{URI}?partNumber={number}&uploadId={id}");
        let request = Signed::new("PUT", &uri).header("x-amz-copy-source", "io/personal-files/source");
        match range {
            Some(range) => request.header("x-amz-copy-source-range", range),
            None => request,
        }
    };
    let mut parts = Vec::new();
    for (number, range) in
        [(1, format!("bytes=0-{}", MIN - 1)), (2, format!("bytes={}-{}", MIN + 3, MIN + 9))]
    {
        let answer = stage.send(copy(number, Some(range))).await;
        let xml = answer.text();
        assert_eq!(answer.status, 200, "{xml}");
        assert!(xml.contains("<CopyPartResult"), "{xml}");
        parts.push((number, text(&xml, "ETag")));
    }
    for (range, status, code) in [
        (format!("bytes=0-{}", MIN + 10), 400, "InvalidArgument"),
        ("bytes=0-".to_owned(), 400, "InvalidArgument"),
        ("0-1".to_owned(), 400, "InvalidArgument"),
    ] {
        assert_error(&stage.send(copy(3, Some(range))).await, status, code);
    }
    let failed = copy(3, None).header("x-amz-copy-source-if-match", "\"x\"");
    assert_error(&stage.send(failed).await, 412, "PreconditionFailed");
    let parts: Vec<(u32, &str)> = parts.iter().map(|(number, etag)| (*number, etag.as_str())).collect();
    assert_eq!(stage.send(complete(&id, &parts)).await.status, 200);
    let got = stage.get(URI).await;
    assert_eq!(got.body.len(), MIN + 7);
    assert!(got.body.ends_with(b"113456789"));
}
