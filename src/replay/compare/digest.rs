//! Digests of what a recorded request carried, in the forms in which servers give them back.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use cellgate_record::Sent;
use crc_fast::CrcAlgorithm::{Crc32Iscsi, Crc32IsoHdlc, Crc64Nvme};
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha256};

/// Of each content of an upload: the body, unpacked from `aws-chunked`, or the parts of a form. The first
/// two of each are the MD5.
pub fn of(request: &Sent) -> Vec<Vec<String>> {
    let Some(body) = request.body.bytes() else { return Vec::new() };
    if !matches!(request.method.as_str(), "PUT" | "POST" | "PATCH") {
        return Vec::new();
    }
    let chunked = request.header("x-amz-content-sha256").is_some_and(|hash| hash.starts_with("STREAMING-"));
    match boundary(request) {
        Some(boundary) => parts(body, &boundary).into_iter().map(digests).collect(),
        None if chunked => vec![digests(&unchunked(body).unwrap_or_default())],
        None => vec![digests(body)],
    }
}

fn digests(content: &[u8]) -> Vec<String> {
    let md5 = Md5::digest(content).to_vec();
    // Cells' own hash of anything below ten megabytes.
    let twice = Md5::digest(&md5).to_vec();
    let crc = |algorithm, width: usize| {
        let bytes = crc_fast::checksum(algorithm, content).to_be_bytes();
        bytes.get(8 - width..).map(<[u8]>::to_vec).unwrap_or_default()
    };
    let all = [
        md5,
        twice,
        Sha1::digest(content).to_vec(),
        Sha256::digest(content).to_vec(),
        crc(Crc32IsoHdlc, 4),
        crc(Crc32Iscsi, 4),
        crc(Crc64Nvme, 8),
    ];
    all.iter().flat_map(|digest| [hex::encode(digest), STANDARD.encode(digest)]).collect()
}

fn boundary(request: &Sent) -> Option<String> {
    let kind = request.header("content-type")?;
    let form = kind.get(..19).is_some_and(|start| start.eq_ignore_ascii_case("multipart/form-data"));
    let (_, boundary) = kind.split_once("boundary=")?;
    let boundary = boundary.split(';').next()?.trim().trim_matches('"');
    (form && !boundary.is_empty()).then(|| format!("--{boundary}"))
}

/// The contents of a form's parts.
fn parts<'a>(body: &'a [u8], boundary: &str) -> Vec<&'a [u8]> {
    let mut parts = Vec::new();
    let mut rest = body;
    while let Some((_, after)) = split(rest, boundary.as_bytes()) {
        let Some((_, content)) = split(after, b"\r\n\r\n") else { break };
        let end = format!("\r\n{boundary}");
        let Some((content, _)) = split(content, end.as_bytes()) else { break };
        parts.push(content);
        rest = after.get(after.len().min(content.len())..).unwrap_or_default();
    }
    parts
}

fn split<'a>(bytes: &'a [u8], at: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let start = memchr(bytes, at)?;
    Some((bytes.get(..start)?, bytes.get(start + at.len()..)?))
}

fn memchr(bytes: &[u8], needle: &[u8]) -> Option<usize> {
    let first = *needle.first()?;
    let mut from = 0;
    while let Some(at) = bytes.get(from..)?.iter().position(|byte| *byte == first) {
        if bytes.get(from + at..)?.starts_with(needle) {
            return Some(from + at);
        }
        from += at + 1;
    }
    None
}

/// `<hex>[;…]\r\n<data>\r\n`, until a chunk of no bytes.
fn unchunked(body: &[u8]) -> Option<Vec<u8>> {
    let mut content = Vec::new();
    let mut rest = body;
    loop {
        let (head, after) = split(rest, b"\r\n")?;
        let length = std::str::from_utf8(head).ok()?.split(';').next()?.trim();
        let length = usize::from_str_radix(length, 16).ok()?;
        if length == 0 {
            return Some(content);
        }
        content.extend_from_slice(after.get(..length)?);
        rest = after.get(length + 2..)?;
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use cellgate_record::Payload;

    use super::*;

    fn sent(headers: &[(&str, &str)], body: &str) -> Sent {
        Sent {
            method: "PUT".into(),
            origin: "http://x".into(),
            target: "/".into(),
            headers: headers.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect(),
            body: Payload::Bytes(Bytes::copy_from_slice(body.as_bytes())),
        }
    }

    #[test]
    fn digests_of_hello() {
        let plain = of(&sent(&[], "hello")).concat();
        for known in [
            "5d41402abc4b2a76b9719d911017c592",
            "62109206880d38a4010a98e11243924a", // reference/cells-s3-dav-auth.md § 3.11
            "aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d",
            "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824",
            "3610a686",
            "NhCmhg==",
            "9a71bb4c",
        ] {
            assert!(plain.iter().any(|digest| digest == known), "{known} in {plain:?}");
        }
        let chunked = "5;chunk-signature=abc\r\nhello\r\n0;chunk-signature=def\r\n\r\n";
        let streaming = [("x-amz-content-sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD")];
        assert_eq!(of(&sent(&streaming, chunked)).concat(), plain);
        let form = "--B\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--B\r\nContent-Disposition: \
                    form-data; name=\"f\"\r\n\r\nhello\r\n--B--\r\n";
        let kind = [("Content-Type", "multipart/form-data; boundary=B")];
        let digests = of(&sent(&kind, form));
        assert_eq!(digests.len(), 2);
        let digests = digests.concat();
        assert!(plain.iter().all(|digest| digests.contains(digest)));
        assert_eq!(of(&sent(&streaming, "zz\r\n")).concat().len(), plain.len());
    }
}
