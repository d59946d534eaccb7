//! Digests of bodies in headers and trailers.
//!
//! A body that is another one now needs others. One that was wrong in the recording was meant to be
//! wrong, and stays.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use cellgate_record::{Answered, Payload, Sent, names};
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha256};

use crate::Values;
use crate::send::{Body, Content, Request};
use crate::sign::Frames;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    Md5,
    Sha1,
    Sha256,
    Crc32,
    Crc32c,
    Crc64Nvme,
}

pub const ALGORITHMS: [Algorithm; 6] = [
    Algorithm::Md5,
    Algorithm::Sha1,
    Algorithm::Sha256,
    Algorithm::Crc32,
    Algorithm::Crc32c,
    Algorithm::Crc64Nvme,
];

impl Algorithm {
    pub fn of(self, pieces: impl Iterator<Item = Bytes>) -> Vec<u8> {
        use crc_fast::CrcAlgorithm::{Crc32Iscsi, Crc32IsoHdlc, Crc64Nvme};
        match self {
            Self::Md5 => hash::<Md5>(pieces),
            Self::Sha1 => hash::<Sha1>(pieces),
            Self::Sha256 => hash::<Sha256>(pieces),
            Self::Crc32 => crc(Crc32IsoHdlc, 4, pieces),
            Self::Crc32c => crc(Crc32Iscsi, 4, pieces),
            Self::Crc64Nvme => crc(Crc64Nvme, 8, pieces),
        }
    }
}

fn hash<D: Digest>(pieces: impl Iterator<Item = Bytes>) -> Vec<u8> {
    let mut hasher = D::new();
    pieces.for_each(|piece| hasher.update(&piece));
    hasher.finalize().to_vec()
}

fn crc(algorithm: crc_fast::CrcAlgorithm, width: usize, pieces: impl Iterator<Item = Bytes>) -> Vec<u8> {
    let mut digest = crc_fast::Digest::new(algorithm);
    pieces.for_each(|piece| digest.update(&piece));
    let sum = digest.finalize().to_be_bytes();
    sum.get(8 - width..).unwrap_or_default().to_vec()
}

/// How a header writes a digest.
#[derive(Debug, Clone, Copy)]
enum Form {
    Base64(Algorithm),
    /// Hexadecimal, or one of the words that say that there is none.
    Sha256Hex,
    /// `SHA1:…` or `MD5:…`, hexadecimal.
    OwnCloud,
}

/// Headers and trailers that digest the body.
const HEADERS: [(&str, Form); 8] = [
    ("content-md5", Form::Base64(Algorithm::Md5)),
    ("x-amz-content-sha256", Form::Sha256Hex),
    ("x-amz-checksum-crc32", Form::Base64(Algorithm::Crc32)),
    ("x-amz-checksum-crc32c", Form::Base64(Algorithm::Crc32c)),
    ("x-amz-checksum-crc64nvme", Form::Base64(Algorithm::Crc64Nvme)),
    ("x-amz-checksum-sha1", Form::Base64(Algorithm::Sha1)),
    ("x-amz-checksum-sha256", Form::Base64(Algorithm::Sha256)),
    ("oc-checksum", Form::OwnCloud),
];

impl Form {
    /// `None` where the header says something else than a digest.
    fn write(self, recorded: &str, content: &Content) -> Option<String> {
        match self {
            Self::Base64(algorithm) => Some(STANDARD.encode(algorithm.of(content.pieces()))),
            Self::Sha256Hex if recorded.len() == 64 => Some(content.sha256()),
            Self::Sha256Hex => None,
            Self::OwnCloud => {
                let (name, _) = recorded.split_once(':')?;
                let algorithm = match name.to_ascii_lowercase().as_str() {
                    "sha1" => Algorithm::Sha1,
                    "md5" => Algorithm::Md5,
                    _ => return None,
                };
                Some(format!("{name}:{}", hex::encode(algorithm.of(content.pieces()))))
            }
        }
    }
}

/// Errors that say that a digest was wrong.
const WRONG_DIGEST: [&str; 4] =
    ["BadDigest", "InvalidDigest", "XAmzContentSHA256Mismatch", "XAmzContentChecksumMismatch"];

/// Brings the digests of a request in line with its body. Servers give some of them back, so what was
/// recorded is bound to what is sent.
pub fn refresh(request: &mut Request, sent: &Sent, answered: &Answered, values: &mut Values) {
    let (Body::Plain(content) | Body::Framed(Frames { content, .. })) = &request.body else { return };
    let content = content.clone();
    let framed = matches!(request.body, Body::Framed(_));
    let unchanged = match (&content, &sent.body) {
        (Content::Bytes(fresh), Payload::Bytes(recorded)) => framed || fresh == recorded,
        _ => false,
    };
    if unchanged {
        return;
    }
    for (name, form) in HEADERS {
        let Some(recorded) = sent.header(name) else { continue };
        if was_right(form, recorded, sent, answered)
            && let Some(fresh) = form.write(recorded, &content)
        {
            request.set_header(name, &fresh);
            if recorded != fresh {
                values.set(recorded, &fresh);
            }
        }
    }
    if let Body::Framed(frames) = &mut request.body {
        for (name, value) in &mut frames.trailers {
            let form = HEADERS.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
            if let Some((_, form)) = form {
                *value = form.write(value, &content).unwrap_or_default();
            }
        }
    }
}

fn was_right(form: Form, recorded: &str, sent: &Sent, answered: &Answered) -> bool {
    let refused = || {
        let body = answered.body.bytes().map(|bytes| String::from_utf8_lossy(bytes).into_owned());
        body.is_some_and(|body| WRONG_DIGEST.iter().any(|code| body.contains(code)))
    };
    match &sent.body {
        Payload::Bytes(bytes) => {
            let digest = form.write(recorded, &Content::Bytes(bytes.clone()));
            // What had secrets in it, or was never sent, cannot be digested any more.
            let unknown = bytes.is_empty() || names(&String::from_utf8_lossy(bytes)).next().is_some();
            digest.as_deref() == Some(recorded) || (unknown && !refused())
        }
        Payload::Omitted { sha256: Some(sha256), .. } if matches!(form, Form::Sha256Hex) => {
            sha256.eq_ignore_ascii_case(recorded)
        }
        Payload::Omitted { .. } | Payload::Form(_) => !refused(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::send::{Framing, Made};
    use crate::testing::{answered, sent};

    /// The check values of the CRC catalogue, of RFC 1321 and FIPS 180-2, over `123456789`.
    #[test]
    fn check_values() {
        for (algorithm, expected) in [
            (Algorithm::Crc32, "cbf43926"),
            (Algorithm::Crc32c, "e3069283"),
            (Algorithm::Crc64Nvme, "ae8b14860a799888"),
            (Algorithm::Md5, "25f9e794323b453885f5181f1b624d0b"),
            (Algorithm::Sha1, "f7c3bc1d808e04732adf679965ccc34ca7ae3441"),
        ] {
            let pieces = [Bytes::from_static(b"1234"), Bytes::from_static(b"56789")];
            assert_eq!(hex::encode(algorithm.of(pieces.into_iter())), expected, "{algorithm:?}");
        }
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
            let mut values = Values::default();
            refresh(&mut request, &sent, &answered(200, ""), &mut values);
            assert_eq!(request.header("content-md5") != Some(recorded), changes);
            assert_eq!(values.get(recorded), request.header("content-md5").filter(|_| changes));
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
            let answered = answered(if changes { 200 } else { 400 }, answer);
            refresh(&mut request, &sent, &answered, &mut Values::default());
            let expected = STANDARD.encode(Algorithm::Md5.of(content.pieces()));
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
        let frames = Frames::around(content.clone(), trailers, false);
        let mut request = request(&sent, Body::Framed(frames));
        refresh(&mut request, &sent, &answered(200, ""), &mut Values::default());
        let Body::Framed(frames) = &request.body else { panic!() };
        assert_eq!(frames.trailers[0].1, STANDARD.encode(Algorithm::Crc32.of(content.pieces())));
        assert_eq!(request.header("x-amz-content-sha256"), Some("STREAMING-UNSIGNED-PAYLOAD-TRAILER"));
    }
}
