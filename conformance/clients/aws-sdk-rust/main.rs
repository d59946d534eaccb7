//! The AWS SDK for Rust, with its own defaults: a CRC32 with every upload, in a trailer where the body
//! is a stream, and checked by the SDK on the way down.

use std::future::Future;
use std::time::{Duration, Instant};

use aws_sdk_s3::Client;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_s3::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use aws_sdk_s3::presigning::PresigningConfig;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{
    ChecksumAlgorithm, ChecksumMode, CompletedMultipartUpload, CompletedPart, Delete, MetadataDirective,
    ObjectIdentifier,
};
use md5::{Digest as _, Md5};

const BUCKET: &str = "io";
const BASE: &str = "personal-files/rust/";
const PART: usize = 5 << 20;

type Outcome<T = ()> = Result<T, String>;

#[tokio::main]
async fn main() {
    let s3 = &connect(&variable("CELLGATE_KEY_SECRET"));
    test("put, get, head", put_get_head(s3)).await;
    test("ranges and conditions", conditions(s3)).await;
    test("checksums", checksums(s3)).await;
    test("parts", parts(s3)).await;
    test("parts: aborted, wrong", parts_refused(s3)).await;
    test("listings, page by page", listings(s3)).await;
    test("copy", copy(s3)).await;
    test("delete", delete(s3)).await;
    test("presigned", presigned(s3)).await;
    test("buckets", buckets(s3)).await;
    test("a wrong secret", wrong_secret()).await;
}

async fn test(name: &str, case: impl Future<Output = Outcome>) {
    let begun = Instant::now();
    let outcome = case.await;
    let line = serde_json::json!({
        "client": "aws-sdk-rust",
        "case": name,
        "status": if outcome.is_ok() { "pass" } else { "fail" },
        "ms": u64::try_from(begun.elapsed().as_millis()).unwrap_or_default(),
        "detail": outcome.err().unwrap_or_default(),
    });
    println!("{line}");
}

fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_default()
}

fn connect(secret: &str) -> Client {
    let config = aws_sdk_s3::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .endpoint_url(variable("CELLGATE_URL"))
        .credentials_provider(Credentials::new(variable("CELLGATE_KEY_ID"), secret, None, None, "suite"))
        .force_path_style(true)
        .retry_config(RetryConfig::disabled())
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .build();
    Client::from_conf(config)
}

fn key(name: &str) -> String {
    format!("{BASE}{name}")
}

fn why<E: std::error::Error>(error: E) -> String {
    DisplayErrorContext(error).to_string()
}

fn equal<T: PartialEq + std::fmt::Debug>(found: T, expected: T, what: &str) -> Outcome {
    if found == expected { Ok(()) } else { Err(format!("{what}: expected {expected:?}, found {found:?}")) }
}

/// The call must fail with this code, or this status where an answer has no body.
fn refused<T, E>(code: &str, answer: Result<T, SdkError<E>>) -> Outcome
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    let Err(error) = answer else { return Err(format!("expected {code}, found success")) };
    let raw = error.raw_response().ok_or_else(|| why(&error))?;
    let (found, status) = (error.meta().code().unwrap_or_default(), raw.status().as_u16().to_string());
    if raw.headers().get("x-amz-request-id").is_none() {
        return Err(format!("{code}: the answer has no request id"));
    }
    if found == code || status == code {
        Ok(())
    } else {
        Err(format!("expected {code}, found {found} {status}"))
    }
}

fn hex(digest: &[u8]) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Bytes that differ everywhere, the same in each run.
fn bytes(length: usize, seed: u64) -> Vec<u8> {
    let mut state = seed | 1;
    std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    })
    .flatten()
    .take(length)
    .collect()
}

async fn put(s3: &Client, name: &str, body: &[u8]) -> Outcome<String> {
    let body = ByteStream::from(body.to_vec());
    let answer = s3.put_object().bucket(BUCKET).key(key(name)).body(body).send().await.map_err(why)?;
    answer.e_tag().map(str::to_owned).ok_or_else(|| "no ETag".to_owned())
}

async fn get(s3: &Client, name: &str) -> Outcome<Vec<u8>> {
    let answer = s3.get_object().bucket(BUCKET).key(key(name)).send().await.map_err(why)?;
    Ok(answer.body.collect().await.map_err(why)?.to_vec())
}

async fn same(s3: &Client, name: &str, expected: &[u8]) -> Outcome {
    let found = get(s3, name).await?;
    if found == expected { Ok(()) } else { Err(format!("`{name}`: other bytes, {} of them", found.len())) }
}

async fn put_get_head(s3: &Client) -> Outcome {
    for name in ["a.txt", "a b", "a%20b", "a+b", "é", "[x]", "日本語"] {
        let put = s3.put_object().bucket(BUCKET).key(key(name)).body(ByteStream::from_static(b"hello"));
        put.content_type("text/x-test").metadata("colour", "blue").send().await.map_err(why)?;
        same(s3, name, b"hello").await?;
        let head = s3.head_object().bucket(BUCKET).key(key(name)).send().await.map_err(why)?;
        equal(head.content_length(), Some(5), name)?;
        equal(head.e_tag(), Some(format!("\"{}\"", hex(&Md5::digest(b"hello"))).as_str()), name)?;
        equal(head.content_type(), Some("text/x-test"), name)?;
        let colour = head.metadata().and_then(|metadata| metadata.get("colour"));
        equal(colour.map(String::as_str), Some("blue"), name)?;
    }
    put(s3, "empty", b"").await?;
    same(s3, "empty", b"").await?;
    refused("NoSuchKey", s3.get_object().bucket(BUCKET).key(key("nothing")).send().await)?;
    refused("404", s3.head_object().bucket(BUCKET).key(key("nothing")).send().await)
}

async fn conditions(s3: &Client) -> Outcome {
    let etag = put(s3, "range", b"0123456789").await?;
    let get = || s3.get_object().bucket(BUCKET).key(key("range"));
    let part = get().range("bytes=3-5").send().await.map_err(why)?;
    equal(part.content_range(), Some("bytes 3-5/10"), "Content-Range")?;
    equal(part.body.collect().await.map_err(why)?.to_vec(), b"345".to_vec(), "the range")?;
    refused("InvalidRange", get().range("bytes=10-").send().await)?;
    refused("304", get().if_none_match(&etag).send().await)?;
    refused("PreconditionFailed", get().if_match("\"0\"").send().await)?;
    let put = || s3.put_object().bucket(BUCKET).key(key("range")).body(ByteStream::from_static(b"other"));
    refused("PreconditionFailed", put().if_none_match("*").send().await)?;
    refused("PreconditionFailed", put().if_match("\"0\"").send().await)?;
    same(s3, "range", b"0123456789").await?;
    put().if_match(etag).send().await.map_err(why)?;
    same(s3, "range", b"other").await
}

async fn checksums(s3: &Client) -> Outcome {
    // The check values that the catalogue of CRCs gives, and what sha1sum and sha256sum say.
    let known = [
        (ChecksumAlgorithm::Crc32, "y/Q5Jg=="),
        (ChecksumAlgorithm::Crc32C, "4waSgw=="),
        (ChecksumAlgorithm::Sha1, "98O8HYCOBHMq32eZZczDTKeuNEE="),
        (ChecksumAlgorithm::Sha256, "FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU="),
    ];
    for (algorithm, expected) in known {
        let body = ByteStream::from_static(b"123456789");
        let put = s3.put_object().bucket(BUCKET).key(key("checked")).body(body);
        put.checksum_algorithm(algorithm.clone()).send().await.map_err(why)?;
        let head = s3.head_object().bucket(BUCKET).key(key("checked")).checksum_mode(ChecksumMode::Enabled);
        let head = head.send().await.map_err(why)?;
        let found = match algorithm {
            ChecksumAlgorithm::Crc32 => head.checksum_crc32(),
            ChecksumAlgorithm::Crc32C => head.checksum_crc32_c(),
            ChecksumAlgorithm::Sha1 => head.checksum_sha1(),
            _ => head.checksum_sha256(),
        };
        equal(found, Some(expected), algorithm.as_str())?;
        same(s3, "checked", b"123456789").await?;
    }
    let nvme = s3.put_object().bucket(BUCKET).key(key("checked")).body(ByteStream::from_static(b"123456789"));
    let nvme = nvme.checksum_algorithm(ChecksumAlgorithm::Crc64Nvme).send().await.map_err(why)?;
    equal(nvme.checksum_crc64_nvme(), Some("rosUhgp5mIg="), "CRC64NVME")?;
    let wrong = s3.put_object().bucket(BUCKET).key(key("checked")).body(ByteStream::from_static(b"never"));
    refused("BadDigest", wrong.checksum_crc32("y/Q5Jg==").send().await)?;
    same(s3, "checked", b"123456789").await
}

async fn parts(s3: &Client) -> Outcome {
    let body = bytes(2 * PART + 12_345, 7);
    let begun = s3.create_multipart_upload().bucket(BUCKET).key(key("parts")).metadata("n", "1");
    let begun = begun.checksum_algorithm(ChecksumAlgorithm::Crc32).send().await.map_err(why)?;
    let id = begun.upload_id().ok_or("no upload id")?;
    let mut done = Vec::new();
    // Out of order, as they may come.
    for (number, piece) in (1..).zip(body.chunks(PART)).collect::<Vec<(i32, &[u8])>>().into_iter().rev() {
        let part = s3.upload_part().bucket(BUCKET).key(key("parts")).upload_id(id).part_number(number);
        let part = part.checksum_algorithm(ChecksumAlgorithm::Crc32).body(ByteStream::from(piece.to_vec()));
        let part = part.send().await.map_err(why)?;
        done.push(
            CompletedPart::builder()
                .part_number(number)
                .set_e_tag(part.e_tag)
                .set_checksum_crc32(part.checksum_crc32)
                .build(),
        );
    }
    done.reverse();
    let listed = s3.list_parts().bucket(BUCKET).key(key("parts")).upload_id(id).send().await.map_err(why)?;
    let sizes: Vec<i64> = listed.parts().iter().filter_map(|part| part.size()).collect();
    equal(sizes, vec![PART as i64, PART as i64, 12_345], "ListParts")?;
    let all = CompletedMultipartUpload::builder().set_parts(Some(done)).build();
    let complete = s3.complete_multipart_upload().bucket(BUCKET).key(key("parts")).upload_id(id);
    let answer = complete.multipart_upload(all).send().await.map_err(why)?;
    let digests: Vec<u8> = body.chunks(PART).flat_map(|piece| Md5::digest(piece).to_vec()).collect();
    let expected = format!("\"{}-3\"", hex(&Md5::digest(&digests)));
    equal(answer.e_tag(), Some(expected.as_str()), "the ETag")?;
    same(s3, "parts", &body).await?;
    let head = s3.head_object().bucket(BUCKET).key(key("parts")).send().await.map_err(why)?;
    equal(head.metadata().and_then(|all| all.get("n")).map(String::as_str), Some("1"), "metadata")
}

async fn parts_refused(s3: &Client) -> Outcome {
    let begun = s3.create_multipart_upload().bucket(BUCKET).key(key("aborted")).send().await.map_err(why)?;
    let id = begun.upload_id().ok_or("no upload id")?;
    let part = s3.upload_part().bucket(BUCKET).key(key("aborted")).upload_id(id).part_number(1);
    part.body(ByteStream::from_static(b"small")).send().await.map_err(why)?;
    let wrong = CompletedPart::builder().part_number(1).e_tag("\"00000000000000000000000000000000\"").build();
    let wrong = CompletedMultipartUpload::builder().parts(wrong).build();
    let complete = s3.complete_multipart_upload().bucket(BUCKET).key(key("aborted")).upload_id(id);
    refused("InvalidPart", complete.multipart_upload(wrong).send().await)?;
    let abort = || s3.abort_multipart_upload().bucket(BUCKET).key(key("aborted")).upload_id(id).send();
    abort().await.map_err(why)?;
    refused("NoSuchUpload", s3.list_parts().bucket(BUCKET).key(key("aborted")).upload_id(id).send().await)?;
    refused("404", s3.head_object().bucket(BUCKET).key(key("aborted")).send().await)
}

async fn listings(s3: &Client) -> Outcome {
    let names: Vec<String> = (0..11).map(|n| format!("list/é {n:02}")).collect();
    for name in &names {
        put(s3, name, name.as_bytes()).await?;
    }
    put(s3, "list/sub/below", b"x").await?;
    let pages = s3.list_objects_v2().bucket(BUCKET).prefix(key("list/")).delimiter("/").max_keys(5);
    let mut pages = pages.into_paginator().send();
    let (mut found, mut folders, mut count) = (Vec::new(), Vec::new(), 0);
    while let Some(page) = pages.next().await {
        let page = page.map_err(why)?;
        count += 1;
        found.extend(page.contents().iter().filter_map(|entry| entry.key().map(str::to_owned)));
        folders.extend(page.common_prefixes().iter().filter_map(|entry| entry.prefix().map(str::to_owned)));
    }
    equal(found, names.iter().map(|name| key(name)).collect(), "the keys")?;
    equal(folders, vec![key("list/sub/")], "the folders")?;
    equal(count, 3, "pages")
}

async fn copy(s3: &Client) -> Outcome {
    put(s3, "source", b"copied").await?;
    let copy = |source: &str| s3.copy_object().bucket(BUCKET).key(key("copy")).copy_source(source);
    let source = format!("{BUCKET}/{BASE}source");
    copy(&source).send().await.map_err(why)?;
    same(s3, "copy", b"copied").await?;
    let replaced = copy(&source).metadata_directive(MetadataDirective::Replace).metadata("n", "w");
    replaced.send().await.map_err(why)?;
    let head = s3.head_object().bucket(BUCKET).key(key("copy")).send().await.map_err(why)?;
    equal(head.metadata().and_then(|all| all.get("n")).map(String::as_str), Some("w"), "metadata")?;
    refused("NoSuchKey", copy(&format!("{BUCKET}/{BASE}nothing")).send().await)?;
    refused("PreconditionFailed", copy(&source).copy_source_if_match("\"0\"").send().await)
}

async fn delete(s3: &Client) -> Outcome {
    let names = ["list/sub/below", "source", "never there"];
    let all = names.map(|name| ObjectIdentifier::builder().key(key(name)).build().map_err(why));
    let all: Vec<ObjectIdentifier> = all.into_iter().collect::<Result<_, _>>()?;
    let all = Delete::builder().set_objects(Some(all)).build().map_err(why)?;
    let answer = s3.delete_objects().bucket(BUCKET).delete(all).send().await.map_err(why)?;
    equal((answer.deleted().len(), answer.errors().len()), (3, 0), "DeleteObjects")?;
    refused("404", s3.head_object().bucket(BUCKET).key(key("source")).send().await)?;
    s3.delete_object().bucket(BUCKET).key(key("copy")).send().await.map_err(why)?;
    refused("404", s3.head_object().bucket(BUCKET).key(key("copy")).send().await)
}

/// Signed by the SDK, sent by hand: a request of one line needs no other client.
async fn presigned(s3: &Client) -> Outcome {
    put(s3, "presigned é", b"linked").await?;
    let minute = PresigningConfig::expires_in(Duration::from_secs(60)).map_err(why)?;
    let url = s3.get_object().bucket(BUCKET).key(key("presigned é")).presigned(minute).await.map_err(why)?;
    let answer = fetch(url.uri()).await?;
    equal((answer.starts_with("HTTP/1.1 200"), answer.ends_with("linked")), (true, true), &answer)?;
    let other = fetch(&url.uri().replace("presigned%20", "presignex%20")).await?;
    equal(other.starts_with("HTTP/1.1 403"), true, &other)
}

async fn fetch(url: &str) -> Outcome<String> {
    let url = url.strip_prefix("http://").ok_or("no plain URL")?.to_owned();
    let ask = move || -> std::io::Result<String> {
        use std::io::{Read as _, Write as _};
        let (host, path) = url.split_at(url.find('/').unwrap_or(url.len()));
        let mut stream = std::net::TcpStream::connect(host)?;
        write!(stream, "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    };
    tokio::task::spawn_blocking(ask).await.map_err(why)?.map_err(why)
}

async fn buckets(s3: &Client) -> Outcome {
    const MADE: &str = "made-by-rust";
    let listed = s3.list_buckets().send().await.map_err(why)?;
    let names: Vec<&str> = listed.buckets().iter().filter_map(|bucket| bucket.name()).collect();
    for name in ["io", "data", "personal-files"] {
        equal(names.contains(&name), true, name)?;
    }
    s3.create_bucket().bucket(MADE).send().await.map_err(why)?;
    s3.head_bucket().bucket(MADE).send().await.map_err(why)?;
    let put = s3.put_object().bucket(MADE).key("deep/a.txt").body(ByteStream::from_static(b"inside"));
    put.send().await.map_err(why)?;
    let seen = s3.get_object().bucket(BUCKET).key("made-by-rust/deep/a.txt").send().await.map_err(why)?;
    equal(seen.body.collect().await.map_err(why)?.to_vec(), b"inside".to_vec(), "by the other address")?;
    refused("BucketNotEmpty", s3.delete_bucket().bucket(MADE).send().await)?;
    s3.delete_object().bucket(MADE).key("deep/a.txt").send().await.map_err(why)?;
    s3.delete_bucket().bucket(MADE).send().await.map_err(why)?;
    refused("404", s3.head_bucket().bucket(MADE).send().await)?;
    refused("NoSuchBucket", s3.list_objects_v2().bucket(MADE).send().await)
}

async fn wrong_secret() -> Outcome {
    refused("SignatureDoesNotMatch", connect("wrong").list_buckets().send().await)
}
