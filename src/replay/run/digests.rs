//! Digests of bodies in headers and trailers.
//!
//! A body that is another one now needs others. One that was wrong in the recording was meant to be
//! wrong, and stays.

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use cellgate_record::{Answered, Payload, Sent, names};
use md5::Md5;
use sha1::Sha1;
use sha2::Sha256;

use crate::send::{Body, Content, Request};
use crate::sign::Frames;

/// Headers that digest the body, and how.
const HEADERS: [(&str, Algorithm); 8] = [
    ("content-md5", Algorithm::Md5),
    ("x-amz-content-sha256", Algorithm::Sha256Hex),
    ("x-amz-checksum-crc32", Algorithm::Crc32),
    ("x-amz-checksum-crc32c", Algorithm::Crc32c),
    ("x-amz-checksum-crc64nvme", Algorithm::Crc64Nvme),
    ("x-amz-checksum-sha1", Algorithm::Sha1),
    ("x-amz-checksum-sha256", Algorithm::Sha256),
    ("oc-checksum", Algorithm::OwnCloud),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Algorithm {
    Md5,
    Sha256Hex,
    Crc32,
    Crc32c,
    Crc64Nvme,
    Sha1,
    Sha256,
    /// `SHA1:…` or `MD5:…`, hexadecimal.
    OwnCloud,
}

/// Errors that say that a digest was wrong.
const WRONG_DIGEST: [&str; 4] =
    ["BadDigest", "InvalidDigest", "XAmzContentSHA256Mismatch", "XAmzContentChecksumMismatch"];

/// Brings the digests of a request in line with its body.
pub fn refresh(request: &mut Request, sent: &Sent, answered: &Answered) {
    let (Body::Plain(plain) | Body::Framed(Frames { content: plain, .. })) = &request.body;
    let plain = plain.clone();
    if let (Content::Bytes(fresh), Payload::Bytes(recorded), Body::Plain(_)) =
        (&plain, &sent.body, &request.body)
        && fresh == recorded
    {
        return;
    }
    // Framed content is the recorded one, unless it had to be made.
    let made = matches!(plain, Content::Made(_));
    if matches!(request.body, Body::Framed(_)) && !made {
        return;
    }
    let refused = wrong_digest(answered);
    let mut known = HashMap::new();
    for (name, algorithm) in HEADERS {
        let Some(recorded) = sent.header(name) else { continue };
        let right = match &sent.body {
            Payload::Bytes(bytes) => {
                digest(algorithm, recorded, &Content::Bytes(bytes.clone())).as_deref() == Some(recorded)
            }
            Payload::Omitted { sha256: Some(sha256), .. } if algorithm == Algorithm::Sha256Hex => {
                sha256.eq_ignore_ascii_case(recorded)
            }
            Payload::Omitted { .. } => !refused,
        };
        // Nor can what had secrets in it, or was never sent, be digested any more.
        let right = right || (!refused && (sent.body == Payload::EMPTY || has_names(&sent.body)));
        if right
            && let Some(fresh) = known.entry(algorithm).or_insert_with(|| digest(algorithm, recorded, &plain))
        {
            request.set_header(name, fresh);
        }
    }
    if let Body::Framed(frames) = &mut request.body {
        for (name, value) in &mut frames.trailers {
            let algorithm = HEADERS.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
            if let Some((_, algorithm)) = algorithm {
                *value = digest(*algorithm, "", &plain).unwrap_or_default();
            }
        }
    }
}

fn has_names(body: &Payload) -> bool {
    body.bytes().is_some_and(|bytes| names(&String::from_utf8_lossy(bytes)).next().is_some())
}

fn wrong_digest(answered: &Answered) -> bool {
    let body = answered.body.bytes().map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    body.is_some_and(|body| WRONG_DIGEST.iter().any(|code| body.contains(code)))
}

/// `None` where the header says something else than a digest.
fn digest(algorithm: Algorithm, recorded: &str, content: &Content) -> Option<String> {
    Some(match algorithm {
        Algorithm::Md5 => STANDARD.encode(hash::<Md5>(content)),
        Algorithm::Sha1 => STANDARD.encode(hash::<Sha1>(content)),
        Algorithm::Sha256 => STANDARD.encode(hash::<Sha256>(content)),
        Algorithm::Sha256Hex if recorded.len() == 64 => hex::encode(hash::<Sha256>(content)),
        // `UNSIGNED-PAYLOAD` and the like.
        Algorithm::Sha256Hex => return None,
        Algorithm::Crc32 => crc(crc_fast::CrcAlgorithm::Crc32IsoHdlc, 4, content),
        Algorithm::Crc32c => crc(crc_fast::CrcAlgorithm::Crc32Iscsi, 4, content),
        Algorithm::Crc64Nvme => crc(crc_fast::CrcAlgorithm::Crc64Nvme, 8, content),
        Algorithm::OwnCloud => match recorded.split_once(':') {
            Some((name, _)) if name.eq_ignore_ascii_case("sha1") => {
                format!("{name}:{}", hex::encode(hash::<Sha1>(content)))
            }
            Some((name, _)) if name.eq_ignore_ascii_case("md5") => {
                format!("{name}:{}", hex::encode(hash::<Md5>(content)))
            }
            _ => return None,
        },
    })
}

fn hash<D: md5::Digest>(content: &Content) -> Vec<u8> {
    let mut hasher = D::new();
    content.pieces().for_each(|piece: Bytes| hasher.update(&piece));
    hasher.finalize().to_vec()
}

fn crc(algorithm: crc_fast::CrcAlgorithm, bytes: usize, content: &Content) -> String {
    let mut digest = crc_fast::Digest::new(algorithm);
    content.pieces().for_each(|piece| digest.update(&piece));
    let sum = digest.finalize().to_be_bytes();
    STANDARD.encode(sum.get(8 - bytes..).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::send::{Framing, Made};
    use crate::testing::{answered, sent};

    fn known(algorithm: Algorithm) -> String {
        digest(algorithm, &"0".repeat(64), &Content::Bytes(Bytes::from_static(b"123456789"))).unwrap()
    }

    /// The check values of the CRC catalogue and of RFC 1321, FIPS 180-2, over `123456789`.
    #[test]
    fn check_values() {
        let base64 = |hexadecimal: &str| STANDARD.encode(hex::decode(hexadecimal).unwrap());
        assert_eq!(known(Algorithm::Crc32), base64("cbf43926"));
        assert_eq!(known(Algorithm::Crc32c), base64("e3069283"));
        assert_eq!(known(Algorithm::Crc64Nvme), base64("ae8b14860a799888"));
        assert_eq!(known(Algorithm::Md5), base64("25f9e794323b453885f5181f1b624d0b"));
        assert_eq!(known(Algorithm::Sha1), base64("f7c3bc1d808e04732adf679965ccc34ca7ae3441"));
    }

    fn request(sent: &Sent, body: Body) -> Request {
        Request {
            method: sent.method.clone(),
            target: sent.target.clone(),
            headers: sent.headers.clone(),
            body,
            framing: Framing::Length,
        }
    }

    const HELLO_MD5: &str = "XUFAKrxLKna5cZ2REBfFkg==";

    #[test]
    fn a_right_digest_follows_the_body_and_a_wrong_one_stays() {
        for (recorded, changes) in [(HELLO_MD5, true), ("AAAAAAAAAAAAAAAAAAAAAA==", false)] {
            let mut sent = sent("POST", "/io?delete", &[("Content-MD5", recorded)]);
            sent.body = Payload::Bytes("hello".into());
            let mut request = request(&sent, Body::Plain(Content::Bytes("other".into())));
            refresh(&mut request, &sent, &answered(200, ""));
            assert_eq!(request.header("content-md5") != Some(recorded), changes);
        }
    }

    #[test]
    fn the_digest_of_made_content_is_recomputed_unless_it_was_refused() {
        for (answer, changes) in [("", true), ("<Error><Code>BadDigest</Code></Error>", false)] {
            let mut sent =
                sent("PUT", "/io/a", &[("Content-MD5", HELLO_MD5), ("x-amz-checksum-crc32", "AAAA")]);
            sent.body = Payload::Omitted { length: 9, sha256: None };
            let content = Content::Made(Made::new("x", 9));
            let mut request = request(&sent, Body::Plain(content.clone()));
            refresh(&mut request, &sent, &answered(if changes { 200 } else { 400 }, answer));
            let expected = digest(Algorithm::Md5, "", &content).unwrap();
            assert_eq!(request.header("content-md5") == Some(expected.as_str()), changes);
            assert_eq!(request.header("x-amz-checksum-crc32") != Some("AAAA"), changes);
        }
    }

    #[test]
    fn trailers_of_made_content_are_filled_in() {
        let mut sent =
            sent("PUT", "/io/a", &[("x-amz-content-sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER")]);
        sent.body = Payload::Omitted { length: 90, sha256: None };
        let content = Content::Made(Made::new("x", 9));
        let trailers = vec![("x-amz-checksum-crc32".to_owned(), String::new())];
        let frames = crate::sign::Frames::around(content.clone(), trailers, false);
        let mut request = request(&sent, Body::Framed(frames));
        refresh(&mut request, &sent, &answered(200, ""));
        let Body::Framed(frames) = &request.body else { panic!() };
        assert_eq!(frames.trailers[0].1, digest(Algorithm::Crc32, "", &content).unwrap());
        assert_eq!(request.header("x-amz-content-sha256"), Some("STREAMING-UNSIGNED-PAYLOAD-TRAILER"));
    }
}
