//! The copy of a body that passes, without its content coding.

use std::io::Write;

use flate2::write::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};

use crate::copy::Copy;
use crate::exchange::Payload;

/// A copy without the content coding, made while the body passes, beside one with it: what cannot be
/// decoded in the end is kept as it came.
pub struct Decoded {
    raw: Copy,
    decoder: Option<Decoder>,
}

enum Decoder {
    Gzip(Box<MultiGzDecoder<Copy>>),
    /// Decided by the first byte: what HTTP calls `deflate` has a head of its own, but some servers
    /// leave it away.
    Deflate,
    Zlib(Box<ZlibDecoder<Copy>>),
    Raw(Box<DeflateDecoder<Copy>>),
    Failed,
}

impl Decoded {
    pub fn new(limit: usize, coding: Option<&str>) -> Self {
        let decoder = match coding.map(str::trim) {
            Some(coding) if coding.eq_ignore_ascii_case("gzip") || coding.eq_ignore_ascii_case("x-gzip") => {
                Some(Decoder::Gzip(Box::new(MultiGzDecoder::new(Copy::new(limit)))))
            }
            Some(coding) if coding.eq_ignore_ascii_case("deflate") => Some(Decoder::Deflate),
            _ => None,
        };
        Self { raw: Copy::new(limit), decoder }
    }

    pub fn push(&mut self, bytes: &[u8]) {
        self.raw.push(bytes);
        if let (Some(Decoder::Deflate), Some(first)) = (&self.decoder, bytes.first()) {
            let copy = Copy::new(self.raw.limit());
            self.decoder = Some(match first & 0x0f {
                8 => Decoder::Zlib(Box::new(ZlibDecoder::new(copy))),
                _ => Decoder::Raw(Box::new(DeflateDecoder::new(copy))),
            });
        }
        let written = match &mut self.decoder {
            Some(Decoder::Gzip(decoder)) => decoder.write_all(bytes),
            Some(Decoder::Zlib(decoder)) => decoder.write_all(bytes),
            Some(Decoder::Raw(decoder)) => decoder.write_all(bytes),
            Some(Decoder::Deflate | Decoder::Failed) | None => Ok(()),
        };
        if written.is_err() {
            self.decoder = Some(Decoder::Failed);
        }
    }

    /// The body, and whether it had a coding that could not be undone.
    pub fn payload(self) -> (Payload, bool) {
        let done = match self.decoder {
            _ if self.raw.length() == 0 => return (self.raw.payload(), false),
            None => return (self.raw.payload(), false),
            Some(Decoder::Gzip(decoder)) => decoder.finish().ok(),
            Some(Decoder::Zlib(decoder)) => decoder.finish().ok(),
            Some(Decoder::Raw(decoder)) => decoder.finish().ok(),
            Some(Decoder::Deflate | Decoder::Failed) => None,
        };
        match done {
            Some(copy) => (copy.payload(), false),
            None => (self.raw.payload(), true),
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use sha2::{Digest as _, Sha256};

    use super::*;

    fn all(mut copy: Decoded, bytes: &[u8]) -> (Payload, bool) {
        // In small pieces, as they come.
        bytes.chunks(7).for_each(|piece| copy.push(piece));
        copy.payload()
    }

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn codings_are_undone_in_the_copy() {
        let text = b"hello hello hello".repeat(10);
        let plain = (Payload::Bytes(Bytes::from(text.clone())), false);
        assert_eq!(all(Decoded::new(1000, Some("gzip")), &gzip(&text)), plain);
        assert_eq!(all(Decoded::new(1000, Some(" X-GZIP ")), &gzip(&text)), plain);
        let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
        zlib.write_all(&text).unwrap();
        assert_eq!(all(Decoded::new(1000, Some("deflate")), &zlib.finish().unwrap()), plain);
        let mut raw = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::default());
        raw.write_all(&text).unwrap();
        assert_eq!(all(Decoded::new(1000, Some("deflate")), &raw.finish().unwrap()), plain);
        // Two members, one after the other, are one body.
        let two = [gzip(&text[..50]), gzip(&text[50..])].concat();
        assert_eq!(all(Decoded::new(1000, Some("gzip")), &two), plain);
    }

    #[test]
    fn what_cannot_be_decoded_is_kept_as_it_came() {
        let coded = gzip(b"hello");
        let cut = &coded[..coded.len() - 4];
        assert_eq!(
            all(Decoded::new(99, Some("gzip")), cut),
            (Payload::Bytes(Bytes::copy_from_slice(cut)), true)
        );
        assert!(all(Decoded::new(99, Some("gzip")), b"plain").1);
        assert!(all(Decoded::new(99, Some("deflate")), b"plain text").1);
        let br = (Payload::Bytes(Bytes::from_static(b"br")), false);
        assert_eq!(all(Decoded::new(99, Some("br")), b"br"), br);
        assert_eq!(all(Decoded::new(99, Some("gzip")), b""), (Payload::EMPTY, false));
    }

    #[test]
    fn a_bomb_costs_no_more_than_the_limit() {
        let zeros = vec![0; 10_000_000];
        let (payload, _) = all(Decoded::new(100_000, Some("gzip")), &gzip(&zeros));
        let Payload::Omitted { length, sha256 } = payload else { panic!("kept") };
        assert_eq!((length, sha256), (10_000_000, Some(hex::encode(Sha256::digest(&zeros)))));
    }
}
