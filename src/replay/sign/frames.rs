//! The `aws-chunked` coding: pieces with their length before them, each signed in a chain that begins
//! with the request's signature, or none of them; trailers with checksums behind.

use bytes::{Buf as _, Bytes};
use sha2::{Digest as _, Sha256};

use super::v4::{Scope, sha256};
use crate::send::Content;

/// A decoded body and how it is cut.
#[derive(Debug, Clone)]
pub struct Frames {
    pub content: Content,
    sizes: Vec<u64>,
    /// Names and values, without the signature of them.
    pub trailers: Vec<(String, String)>,
    signing: Signing,
}

#[derive(Debug, Clone)]
enum Signing {
    None,
    /// To be signed, which has not happened yet.
    Due,
    Chain(Chain),
}

/// Signatures, each made from the one before it.
#[derive(Debug, Clone)]
pub struct Chain {
    scope: Scope,
    last: String,
}

impl Chain {
    pub(super) fn new(scope: Scope, seed: String) -> Self {
        Self { scope, last: seed }
    }

    fn chunk(&mut self, digest: &str) -> &str {
        let nothing = sha256(b"");
        self.last = self.scope.signature("AWS4-HMAC-SHA256-PAYLOAD", &[&self.last, &nothing, digest]);
        &self.last
    }

    fn trailer(&mut self, trailers: &[(String, String)]) -> &str {
        let text: String = trailers
            .iter()
            .map(|(name, value)| format!("{}:{}\n", name.to_lowercase(), value.trim()))
            .collect();
        let digest = sha256(text.as_bytes());
        self.last = self.scope.signature("AWS4-HMAC-SHA256-TRAILER", &[&self.last, &digest]);
        &self.last
    }
}

const SIGNATURE: &str = "chunk-signature";
const TRAILER_SIGNATURE: &str = "x-amz-trailer-signature";
/// How made content is cut, as aws cli does.
const USUAL_SIZE: u64 = 64 * 1024;

/// Reads a recorded body. `None` where it is not of that form: then it was sent broken on purpose, and
/// goes out as it was.
pub fn frames_of(body: &Bytes, signed: bool) -> Option<Frames> {
    let mut rest = body.clone();
    let (mut sizes, mut content) = (Vec::new(), Vec::with_capacity(body.len()));
    loop {
        let line = line(&mut rest)?;
        let (size, extension) = line.split_once(';').map_or((line.as_str(), None), |(a, b)| (a, Some(b)));
        if extension.is_some_and(|text| text.starts_with(SIGNATURE)) != signed {
            return None;
        }
        let size = usize::from_str_radix(size, 16).ok()?;
        if size == 0 {
            break;
        }
        if rest.len() < size {
            return None;
        }
        content.extend_from_slice(&rest.split_to(size));
        sizes.push(size as u64);
        (rest.split_to(2.min(rest.len())).as_ref() == b"\r\n").then_some(())?;
    }
    let mut trailers = Vec::new();
    while rest.has_remaining() {
        let line = line(&mut rest)?;
        if line.is_empty() {
            break;
        }
        let (name, value) = line.split_once(':')?;
        if !name.eq_ignore_ascii_case(TRAILER_SIGNATURE) {
            trailers.push((name.to_owned(), value.trim().to_owned()));
        }
    }
    let signing = if signed { Signing::Due } else { Signing::None };
    Some(Frames { content: Content::Bytes(content.into()), sizes, trailers, signing })
}

fn line(rest: &mut Bytes) -> Option<String> {
    let end = rest.windows(2).position(|two| two == b"\r\n")?;
    let line = String::from_utf8(rest.split_to(end).to_vec()).ok()?;
    rest.advance(2);
    Some(line)
}

impl Frames {
    /// For a content that the recording lacks. `trailers` are to be filled in.
    pub fn around(content: Content, trailers: Vec<(String, String)>, signed: bool) -> Self {
        let (length, mut sizes) = (content.length(), Vec::new());
        let mut left = length;
        while left > 0 {
            let size = left.min(USUAL_SIZE);
            sizes.push(size);
            left -= size;
        }
        Self { content, sizes, trailers, signing: if signed { Signing::Due } else { Signing::None } }
    }

    pub(super) fn sign(&mut self, chain: Chain) {
        if !matches!(self.signing, Signing::None) {
            self.signing = Signing::Chain(chain);
        }
    }

    pub fn length(&self) -> u64 {
        let signature = match self.signing {
            Signing::None => 0,
            // `;chunk-signature=` and 64 digits.
            Signing::Due | Signing::Chain(_) => 1 + SIGNATURE.len() + 1 + 64,
        };
        let head = |size: u64| (format!("{size:x}").len() + signature + 2) as u64;
        let chunks: u64 = self.sizes.iter().map(|size| head(*size) + size + 2).sum();
        let mut trailers: usize =
            self.trailers.iter().map(|(name, value)| name.len() + 1 + value.len() + 2).sum();
        if !self.trailers.is_empty() && signature > 0 {
            trailers += TRAILER_SIGNATURE.len() + 1 + 64 + 2;
        }
        chunks + head(0) + trailers as u64 + 2
    }

    pub fn pieces(&self) -> impl Iterator<Item = Bytes> + Send + use<> {
        let mut chain = match &self.signing {
            Signing::None => None,
            Signing::Chain(chain) => Some(chain.clone()),
            // Never sent: what is due is signed before. A chain of nothing keeps the length right.
            Signing::Due => {
                Some(Chain::new(Scope::new("", time::OffsetDateTime::UNIX_EPOCH, "", ""), String::new()))
            }
        };
        let (content, trailers) = (self.content.clone(), self.trailers.clone());
        let mut sizes = self.sizes.clone().into_iter();
        let mut at = 0;
        let mut ended = false;
        std::iter::from_fn(move || {
            if ended {
                return None;
            }
            let mut out = Vec::new();
            match sizes.next() {
                Some(size) => {
                    let mut hasher = Sha256::new();
                    content.slice(at, size).for_each(|piece| hasher.update(&piece));
                    head(&mut out, size, chain.as_mut(), &hex::encode(hasher.finalize()));
                    content.slice(at, size).for_each(|piece| out.extend_from_slice(&piece));
                    at += size;
                }
                None => {
                    ended = true;
                    head(&mut out, 0, chain.as_mut(), &sha256(b""));
                    for (name, value) in &trailers {
                        out.extend_from_slice(format!("{name}:{value}\r\n").as_bytes());
                    }
                    if let (Some(chain), false) = (&mut chain, trailers.is_empty()) {
                        let line = format!("{TRAILER_SIGNATURE}:{}\r\n", chain.trailer(&trailers));
                        out.extend_from_slice(line.as_bytes());
                    }
                }
            }
            out.extend_from_slice(b"\r\n");
            Some(Bytes::from(out))
        })
    }
}

fn head(out: &mut Vec<u8>, size: u64, chain: Option<&mut Chain>, digest: &str) {
    out.extend_from_slice(format!("{size:x}").as_bytes());
    if let Some(chain) = chain {
        out.extend_from_slice(format!(";{SIGNATURE}={}", chain.chunk(digest)).as_bytes());
    }
    out.extend_from_slice(b"\r\n");
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;
    use crate::send::Made;

    fn all(frames: &Frames) -> Vec<u8> {
        frames.pieces().flat_map(|piece| piece.to_vec()).collect()
    }

    /// The seed of "Signature calculations: multiple chunks" of the S3 reference, and of its variant
    /// with trailers.
    fn chain(seed: &str) -> Chain {
        let secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
        Chain::new(Scope::new(secret, datetime!(2013-05-24 00:00:00 UTC), "us-east-1", "s3"), seed.into())
    }

    /// 66,560 times `a`, as 65,536 and 1,024, with names in the place of the signatures.
    fn recorded(trailers: &str) -> Bytes {
        let text = format!(
            "10000;chunk-signature=__signature_2__\r\n{}\r\n400;chunk-signature=__signature_3__\r\n{}\r\n\
             0;chunk-signature=__signature_4__\r\n{trailers}\r\n",
            "a".repeat(65_536),
            "a".repeat(1_024)
        );
        Bytes::from(text)
    }

    fn signatures(body: &[u8], mark: &str) -> Vec<String> {
        let text = String::from_utf8_lossy(body).into_owned();
        text.split(mark).skip(1).map(|rest| rest[..64].to_owned()).collect()
    }

    #[test]
    fn the_chunks_of_amazon() {
        let mut frames = frames_of(&recorded(""), true).unwrap();
        frames.sign(chain("4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9"));
        let body = all(&frames);
        assert_eq!(
            signatures(&body, "chunk-signature="),
            [
                "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648",
                "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497",
                "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9",
            ]
        );
        // The example's own `Content-Length`.
        assert_eq!((frames.length(), body.len()), (66_824, 66_824));
    }

    #[test]
    fn the_chunks_and_trailers_of_amazon() {
        let trailers = "x-amz-checksum-crc32c:sOO8/Q==\r\nx-amz-trailer-signature:__signature_5__\r\n";
        let mut frames = frames_of(&recorded(trailers), true).unwrap();
        assert_eq!(frames.trailers, [("x-amz-checksum-crc32c".to_owned(), "sOO8/Q==".to_owned())]);
        frames.sign(chain("106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e"));
        let body = all(&frames);
        assert_eq!(
            signatures(&body, "chunk-signature="),
            [
                "b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2",
                "1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7",
                "2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992",
            ]
        );
        assert_eq!(
            signatures(&body, "x-amz-trailer-signature:"),
            ["d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435"]
        );
        assert_eq!(frames.length(), body.len() as u64);
    }

    #[test]
    fn unsigned_frames_come_out_as_they_went_in() {
        let body = Bytes::from_static(b"5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n");
        let frames = frames_of(&body, false).unwrap();
        assert_eq!(frames.content, Content::Bytes(Bytes::from_static(b"hello")));
        assert_eq!(all(&frames), body);
        assert_eq!(frames.length(), body.len() as u64);
    }

    #[test]
    fn made_content_is_framed_in_usual_chunks() {
        let content = Content::Made(Made::new("x", 150_000));
        let frames =
            Frames::around(content.clone(), vec![("x-amz-checksum-crc32".into(), "AAAA".into())], false);
        let body = all(&frames);
        assert_eq!(body.len() as u64, frames.length());
        let read = frames_of(&Bytes::from(body), false).unwrap();
        assert_eq!(read.content.sha256(), content.sha256());
        assert_eq!(read.sizes, [65_536, 65_536, 18_928]);
        let signed = Frames::around(content, Vec::new(), true);
        assert_eq!(all(&signed).len() as u64, signed.length());
    }

    #[test]
    fn what_is_not_framed_is_left_alone() {
        for body in ["", "hello", "5\r\nhel", "5\r\nhelloXX0\r\n\r\n", "ffffffffffffffffff\r\n", "-5\r\n"] {
            assert!(frames_of(&Bytes::from(body), false).is_none(), "{body}");
        }
        // Signed where it should not be, and the other way round.
        assert!(frames_of(&recorded(""), false).is_none());
        assert!(frames_of(&Bytes::from_static(b"0\r\n\r\n"), true).is_none());
    }
}
