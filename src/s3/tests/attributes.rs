//! What is known of an object made of parts: its parts, its checksums, `GetObjectAttributes`.
//!
//! Digests were computed with other tools: CRCs with zlib and the CRC catalogue's polynomials, SHA-256
//! with coreutils.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cellgate_core::testing::Answer;
use sha2::{Digest as _, Sha256};

use crate::sign::Signed;
use crate::{Stage, assert_error, stage, text, texts};

const URI: &str = "/io/common-files/big.bin";
const MIN: usize = 5 * 1024 * 1024;

async fn create(stage: &Stage, headers: &[(&str, &str)]) -> Answer {
    let request = Signed::new("POST", &format!("{URI}?uploads"));
    stage.send(headers.iter().fold(request, |request, (name, value)| request.header(name, *value))).await
}

/// Uploads a part and answers its element in the list, with its checksum.
async fn part(stage: &Stage, id: &str, number: u32, content: Vec<u8>, name: &str, value: &str) -> String {
    let uri = format!("{URI}?partNumber={number}&uploadId={id}");
    let header = format!("x-amz-checksum-{}", name.to_ascii_lowercase());
    let answer = stage.send(Signed::new("PUT", &uri).header(&header, value).body(content)).await;
    assert_eq!((answer.status.as_u16(), answer.header(&header)), (200, value), "{}", answer.text());
    let etag = answer.header("etag");
    format!(
        "<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag><Checksum{name}>{value}</Checksum{name}></Part>"
    )
}

fn complete(id: &str, parts: &[String]) -> Signed {
    let list = parts.concat();
    Signed::new("POST", &format!("{URI}?uploadId={id}"))
        .body(format!("<CompleteMultipartUpload>{list}</CompleteMultipartUpload>"))
}

fn sha256(bytes: impl AsRef<[u8]>) -> Vec<u8> {
    Sha256::digest(bytes.as_ref()).to_vec()
}

/// Two parts under SHA-256; the upload's id, the list, and the composite digest.
async fn composite(stage: &Stage) -> (String, Vec<String>, String) {
    let created = create(stage, &[("x-amz-checksum-algorithm", "SHA256")]).await;
    assert_eq!(created.header("x-amz-checksum-algorithm"), "SHA256");
    assert_eq!(created.header("x-amz-checksum-type"), "COMPOSITE");
    let id = text(&created.text(), "UploadId");
    let (one, two) = (vec![b'1'; MIN], b"tail".to_vec());
    let digests = [sha256(&one), sha256(&two)];
    let all = STANDARD.encode(sha256(digests.concat()));
    let mut parts = Vec::new();
    for (number, content, digest) in [(2, one, &digests[0]), (7, two, &digests[1])] {
        parts.push(part(stage, &id, number, content, "SHA256", &STANDARD.encode(digest)).await);
    }
    (id, parts, all)
}

#[tokio::test]
async fn a_composite_checksum_is_checked_kept_and_shown() {
    let stage = stage().await;
    let (id, parts, all) = composite(&stage).await;
    let open = stage.get("/io?uploads").await.text();
    assert_eq!(
        (text(&open, "ChecksumAlgorithm"), text(&open, "ChecksumType")),
        ("SHA256".into(), "COMPOSITE".into())
    );
    let listed = stage.get(&format!("{URI}?uploadId={id}")).await.text();
    assert_eq!(text(&listed, "ChecksumAlgorithm"), "SHA256");
    assert_eq!(
        (text(&listed, "ChecksumType"), texts(&listed, "ChecksumSHA256").len()),
        ("COMPOSITE".into(), 2)
    );
    let wrong = STANDARD.encode([0; 32]);
    let claimed = complete(&id, &parts).header("x-amz-checksum-sha256", wrong);
    assert_error(&stage.send(claimed).await, 400, "BadDigest");
    let other = complete(&id, &parts).header("x-amz-checksum-type", "FULL_OBJECT");
    assert_error(&stage.send(other).await, 400, "InvalidRequest");
    let bare: Vec<String> = parts
        .iter()
        .map(|part| {
            let (head, rest) = part.split_once("<ChecksumSHA256>").unwrap();
            format!("{head}{}", rest.split_once("</ChecksumSHA256>").unwrap().1)
        })
        .collect();
    assert_error(&stage.send(complete(&id, &bare)).await, 400, "InvalidRequest");
    let claimed = complete(&id, &parts).header("x-amz-checksum-sha256", format!("{all}-2"));
    let answer = stage.send(claimed).await;
    let xml = answer.text();
    assert_eq!(answer.status, 200, "{xml}");
    assert_eq!(
        (text(&xml, "ChecksumSHA256"), text(&xml, "ChecksumType")),
        (format!("{all}-2"), "COMPOSITE".into())
    );
    let head = stage.send(Signed::new("HEAD", URI).header("x-amz-checksum-mode", "ENABLED")).await;
    assert_eq!(head.header("x-amz-checksum-sha256"), format!("{all}-2"));
    assert_eq!(head.header("x-amz-checksum-type"), "COMPOSITE");
}

#[tokio::test]
async fn crcs_of_parts_make_the_crc_of_the_object() {
    let stage = stage().await;
    // Of 5 MiB of `1`, of `tail`, and of both together.
    for (name, one, two, both) in [
        ("CRC32", "JCnBsQ==", "fDe0XQ==", "MdEa7w=="),
        ("CRC64NVME", "imfHCZc6Evg=", "sAra2CkCEgw=", "Cyw1Kum4mfQ="),
    ] {
        let headers = [("x-amz-checksum-algorithm", name), ("x-amz-checksum-type", "FULL_OBJECT")];
        let id = text(&create(&stage, &headers).await.text(), "UploadId");
        let parts = [
            part(&stage, &id, 1, vec![b'1'; MIN], name, one).await,
            part(&stage, &id, 2, b"tail".to_vec(), name, two).await,
        ];
        let header = format!("x-amz-checksum-{}", name.to_ascii_lowercase());
        let wrong = complete(&id, &parts).header(&header, two);
        assert_error(&stage.send(wrong).await, 400, "BadDigest");
        let right = complete(&id, &parts).header(&header, both).header("x-amz-checksum-type", "FULL_OBJECT");
        let answer = stage.send(right).await;
        let xml = answer.text();
        assert_eq!(answer.status, 200, "{name}: {xml}");
        assert_eq!(
            (text(&xml, &format!("Checksum{name}")), text(&xml, "ChecksumType")),
            (both.into(), "FULL_OBJECT".into())
        );
        let got = stage.send(Signed::new("GET", URI).header("x-amz-checksum-mode", "ENABLED")).await;
        assert_eq!((got.header(&header), got.header("x-amz-checksum-type")), (both, "FULL_OBJECT"));
    }
}

/// Amazon computes a CRC-64/NVME of the whole where nobody asked for another.
#[tokio::test]
async fn an_upload_that_announced_nothing_ends_with_the_default_checksum() {
    let stage = stage().await;
    let created = create(&stage, &[]).await;
    assert_eq!((created.header("x-amz-checksum-algorithm"), created.header("x-amz-checksum-type")), ("", ""));
    let id = text(&created.text(), "UploadId");
    let put = async |number: u32, content: Vec<u8>, more: &[(&str, &str)]| {
        let request = Signed::new("PUT", &format!("{URI}?partNumber={number}&uploadId={id}")).body(content);
        let answer =
            stage.send(more.iter().fold(request, |request, (name, value)| request.header(name, *value)));
        let answer = answer.await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer
    };
    let one = put(1, vec![b'1'; MIN], &[]).await;
    assert_eq!(one.header("x-amz-checksum-crc64nvme"), "imfHCZc6Evg=");
    // SDKs repeat what they are shown, and may repeat one.
    let two = put(2, b"tail".to_vec(), &[("x-amz-checksum-crc32", "fDe0XQ==")]).await;
    assert_eq!(
        (two.header("x-amz-checksum-crc32"), two.header("x-amz-checksum-crc64nvme")),
        ("fDe0XQ==", "")
    );
    let listed = stage.get(&format!("{URI}?uploadId={id}")).await.text();
    assert_eq!(texts(&listed, "ChecksumCRC64NVME"), ["imfHCZc6Evg="]);
    assert_eq!((texts(&listed, "ChecksumCRC32").len(), text(&listed, "ChecksumType")), (1, String::new()));

    let parts = [(1, one), (2, two)].map(|(number, answer)| {
        format!("<Part><PartNumber>{number}</PartNumber><ETag>{}</ETag></Part>", answer.header("etag"))
    });
    let wrong = complete(&id, &parts).header("x-amz-checksum-crc64nvme", "vqf3hRLTlJw=");
    assert_error(&stage.send(wrong).await, 400, "BadDigest");
    let xml = stage.send(complete(&id, &parts)).await.text();
    assert_eq!(
        (text(&xml, "ChecksumCRC64NVME"), text(&xml, "ChecksumType")),
        ("Cyw1Kum4mfQ=".into(), "FULL_OBJECT".into()),
        "{xml}"
    );
    assert!(!xml.contains("ChecksumCRC32"), "{xml}");
    let head = stage.send(Signed::new("HEAD", URI).header("x-amz-checksum-mode", "ENABLED")).await;
    assert_eq!(head.header("x-amz-checksum-crc64nvme"), "Cyw1Kum4mfQ=");
    assert_eq!(head.header("x-amz-checksum-type"), "FULL_OBJECT");
}

#[tokio::test]
async fn digests_in_the_list_of_parts_are_checked() {
    let stage = stage().await;
    let (id, parts, all) = composite(&stage).await;
    let with = |from: &str, to: &str| [parts[0].replacen(from, to, 1), parts[1].clone()];
    let sent = text(&parts[0], "ChecksumSHA256");
    let sha1 = "<ChecksumSHA1>Kq5sNclPz7QV2+lfQIuc6R7oRu0=</ChecksumSHA1></Part>";
    let whole = format!("<ChecksumSHA256>{sent}</ChecksumSHA256></Part>");
    let foreign = STANDARD.encode([0; 32]);
    for (list, code, why) in [
        (with(&sent, "none"), "InvalidArgument", "Invalid Base64 or multiple checksums present in request"),
        (with("</Part>", sha1), "InvalidArgument", "Invalid Base64 or multiple checksums present in request"),
        (
            with(&whole, sha1),
            "BadDigest",
            "The sha1 you specified for part 2 did not match what we received.",
        ),
        (with(&sent, &foreign), "InvalidPart", ""),
    ] {
        let answer = stage.send(complete(&id, &list)).await;
        assert_error(&answer, 400, code);
        let said = text(&answer.text(), "Message");
        assert!(said.contains(why), "{said}");
    }
    let two = complete(&id, &parts)
        .header("x-amz-checksum-sha256", &all)
        .header("x-amz-checksum-crc32", "AAAAAA==")
        .header("x-amz-checksum-type", "FULL_OBJECT");
    let answer = stage.send(two).await;
    assert_error(&answer, 400, "InvalidRequest");
    assert!(answer.text().contains("Multiple checksum Types are not allowed"), "{}", answer.text());
    for (suffix, code) in [("-two", "InvalidRequest"), ("-2-2", "InvalidRequest"), ("-3", "BadDigest")] {
        let claimed = complete(&id, &parts).header("x-amz-checksum-sha256", format!("{all}{suffix}"));
        assert_error(&stage.send(claimed).await, 400, code);
    }
    assert_eq!(stage.head(URI).await.status, 404);

    // Without an announcement a digest must be one that the part came with.
    let plain = text(&create(&stage, &[]).await.text(), "UploadId");
    let only = part(&stage, &plain, 1, b"tail".to_vec(), "CRC32", "fDe0XQ==").await;
    let other = only.replace("CRC32", "SHA1").replace("fDe0XQ==", "Kq5sNclPz7QV2+lfQIuc6R7oRu0=");
    assert_error(&stage.send(complete(&plain, &[other])).await, 400, "InvalidPart");
    assert_eq!(stage.send(complete(&plain, &[only])).await.status, 200);
}

#[tokio::test]
async fn announcements_that_make_no_sense_begin_nothing() {
    let stage = stage().await;
    for headers in [
        &[("x-amz-checksum-algorithm", "SHA256"), ("x-amz-checksum-type", "FULL_OBJECT")][..],
        &[("x-amz-checksum-algorithm", "CRC64NVME"), ("x-amz-checksum-type", "COMPOSITE")],
        &[("x-amz-checksum-algorithm", "MD4")],
        &[("x-amz-checksum-type", "COMPOSITE")],
    ] {
        assert_error(&create(&stage, headers).await, 400, "InvalidRequest");
    }
    assert_eq!(texts(&stage.get("/io?uploads").await.text(), "Upload").len(), 0);
    let id = text(&create(&stage, &[("x-amz-checksum-algorithm", "SHA256")]).await.text(), "UploadId");
    let uri = format!("{URI}?partNumber=1&uploadId={id}");
    let other = Signed::new("PUT", &uri).header("x-amz-checksum-crc32", "NhCmhg==").body("hello");
    assert_error(&stage.send(other).await, 400, "InvalidRequest");
    let bare = Signed::new("PUT", &uri).header("x-amz-sdk-checksum-algorithm", "SHA256").body("hello");
    assert_error(&stage.send(bare).await, 400, "InvalidRequest");
}

#[tokio::test]
async fn the_size_of_the_whole_must_be_the_announced_one() {
    let stage = stage().await;
    let (id, parts, _) = composite(&stage).await;
    for wrong in ["1", "-1"] {
        let request = complete(&id, &parts).header("x-amz-mp-object-size", wrong);
        assert_error(&stage.send(request).await, 400, "InvalidRequest");
    }
    let right = complete(&id, &parts).header("x-amz-mp-object-size", (MIN + 4).to_string());
    assert_eq!(stage.send(right).await.status, 200);
}

#[tokio::test]
async fn a_part_can_be_read_by_its_number() {
    let stage = stage().await;
    let (id, parts, _) = composite(&stage).await;
    assert_eq!(stage.send(complete(&id, &parts)).await.status, 200);
    for method in ["GET", "HEAD"] {
        let send = |query: &str| {
            stage
                .send(Signed::new(method, &format!("{URI}?{query}")).header("x-amz-checksum-mode", "ENABLED"))
        };
        let second = send("partNumber=2").await;
        assert_eq!(second.status, 206);
        assert_eq!(second.header("content-range"), format!("bytes {MIN}-{}/{}", MIN + 3, MIN + 4));
        assert_eq!((second.header("content-length"), second.header("x-amz-mp-parts-count")), ("4", "2"));
        assert_eq!(second.header("x-amz-checksum-sha256"), STANDARD.encode(sha256("tail")));
        assert_eq!(send("partNumber=1").await.header("content-length"), MIN.to_string());
        assert_eq!(send("partNumber=3").await.status, 416);
        assert_eq!(send("partNumber=0").await.status, 400);
    }
    assert_eq!(stage.get(&format!("{URI}?partNumber=2")).await.body, "tail");
    assert_error(&stage.get(&format!("{URI}?partNumber=3")).await, 416, "InvalidPartNumber");
    for number in ["0", "10001", "x", ""] {
        assert_error(&stage.get(&format!("{URI}?partNumber={number}")).await, 400, "InvalidArgument");
    }
    let both = Signed::new("GET", &format!("{URI}?partNumber=1")).header("range", "bytes=0-1");
    assert_error(&stage.send(both).await, 400, "InvalidRequest");

    stage.put(URI, "hello").await;
    let first = stage.get(&format!("{URI}?partNumber=1")).await;
    assert_eq!((first.status.as_u16(), first.header("content-range")), (206, "bytes 0-4/5"));
    assert_eq!((first.header("x-amz-mp-parts-count"), &first.body[..]), ("", &b"hello"[..]));
    assert_error(&stage.get(&format!("{URI}?partNumber=2")).await, 416, "InvalidPartNumber");
    stage.put(URI, "").await;
    assert_eq!(stage.get(&format!("{URI}?partNumber=1")).await.status, 200);
}

#[tokio::test]
async fn attributes_of_an_object_made_of_parts_come_in_pages() {
    let stage = stage().await;
    let (id, parts, all) = composite(&stage).await;
    let etag = text(&stage.send(complete(&id, &parts)).await.text(), "ETag");
    let ask = |wanted: &str, more: &[(&str, &str)]| {
        let request =
            Signed::new("GET", &format!("{URI}?attributes")).header("x-amz-object-attributes", wanted);
        more.iter().fold(request, |request, (name, value)| request.header(name, *value))
    };
    let answer = stage.send(ask("ETag,Checksum,ObjectParts,StorageClass,ObjectSize", &[])).await;
    let xml = answer.text();
    assert_eq!(answer.status, 200, "{xml}");
    assert!(xml.contains("<GetObjectAttributesResponse"), "{xml}");
    assert_eq!(text(&xml, "ETag"), etag.trim_matches('"'), "without quotes, as Amazon writes it here");
    assert_eq!(text(&text(&xml, "Checksum"), "ChecksumSHA256"), all);
    assert_eq!(
        (text(&xml, "StorageClass"), text(&xml, "ObjectSize")),
        ("STANDARD".into(), (MIN + 4).to_string())
    );
    assert!(!answer.header("last-modified").is_empty());
    let listed = text(&xml, "ObjectParts");
    assert_eq!(
        (text(&listed, "PartsCount"), texts(&listed, "Size")),
        ("2".into(), vec![MIN.to_string(), "4".into()])
    );
    assert_eq!(texts(&listed, "PartNumber"), ["1", "2"]);
    assert_eq!(texts(&listed, "ChecksumSHA256")[1], STANDARD.encode(sha256("tail")));

    let page = stage.send(ask("ObjectParts", &[("x-amz-max-parts", "1")])).await.text();
    assert_eq!(
        (text(&page, "IsTruncated"), text(&page, "NextPartNumberMarker")),
        ("true".into(), "1".into())
    );
    assert!(!page.contains("ETag"), "{page}");
    let rest = [("x-amz-max-parts", "1"), ("x-amz-part-number-marker", "1")];
    let page = stage.send(ask("ObjectParts", &rest)).await.text();
    assert_eq!((text(&page, "PartNumber"), text(&page, "IsTruncated")), ("2".into(), "false".into()));

    stage.put(URI, "hello").await;
    let plain = stage.send(ask("ObjectParts,ObjectSize", &[])).await.text();
    assert_eq!((text(&plain, "ObjectSize"), plain.contains("ObjectParts")), ("5".into(), false));
    assert_error(&stage.send(ask("Colour", &[])).await, 400, "InvalidArgument");
    let none =
        Signed::new("GET", "/io/common-files/none?attributes").header("x-amz-object-attributes", "ETag");
    assert_error(&stage.send(none).await, 404, "NoSuchKey");
    assert_eq!(stage.get(&format!("{URI}?attributes")).await.status, 400);
}
