//! Reading an answer: to its end, keeping as much as is wanted, hashing everything.

use std::io::{self, Write};
use std::time::Duration;

use bytes::Bytes;
use cellgate_record::{Answered, Payload};
use flate2::write::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use http::HeaderMap;
use http::header::CONTENT_ENCODING;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use sha2::{Digest as _, Sha256};
use tokio::time::timeout;

use super::{SendError, chain};

/// Between two pieces of a body.
const PATIENCE: Duration = Duration::from_secs(60);

pub(super) async fn read(answer: http::Response<Incoming>, keep: u64) -> Result<Answered, SendError> {
    let (head, mut body) = answer.into_parts();
    let mut decoder = Decoder::new(&head.headers, keep);
    let broken = |error: io::Error| SendError::BrokenAnswer(format!("its coding: {error}"));
    loop {
        let frame = match timeout(PATIENCE, body.frame()).await {
            Ok(None) => break,
            Ok(Some(frame)) => frame.map_err(|error| SendError::BrokenAnswer(chain(&error)))?,
            Err(_) => {
                let why = format!("nothing more for {} s", PATIENCE.as_secs());
                return Err(SendError::BrokenAnswer(why));
            }
        };
        if let Some(bytes) = frame.data_ref() {
            decoder.take(bytes).map_err(broken)?;
        }
    }
    let headers = head.headers.iter().map(|(name, value)| {
        (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
    });
    Ok(Answered {
        status: head.status.as_u16(),
        headers: headers.collect(),
        body: decoder.finish().map_err(broken)?.payload(),
    })
}

/// Undoes the codings that recordings undo.
enum Decoder {
    /// Nothing has come yet, so what it is remains to be seen.
    Expecting(Coding, Kept),
    Plain(Kept),
    Gzip(MultiGzDecoder<Kept>),
    Zlib(ZlibDecoder<Kept>),
    Deflate(DeflateDecoder<Kept>),
}

#[derive(Clone, Copy)]
enum Coding {
    Identity,
    Gzip,
    Deflate,
}

impl Decoder {
    fn new(headers: &HeaderMap, keep: u64) -> Self {
        let named = headers.get(CONTENT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let coding = match named.trim().to_ascii_lowercase().as_str() {
            "gzip" | "x-gzip" => Coding::Gzip,
            "deflate" => Coding::Deflate,
            _ => Coding::Identity,
        };
        Self::Expecting(coding, Kept::new(keep))
    }

    fn take(&mut self, bytes: &[u8]) -> io::Result<()> {
        if let (Self::Expecting(coding, kept), Some(first)) = (&mut *self, bytes.first()) {
            let kept = std::mem::replace(kept, Kept::new(0));
            // An object that was stored with `Content-Encoding: gzip` may be anything in fact. And
            // "deflate" is zlib by RFC 9110 8.4.1.2, but bare with some servers.
            *self = match coding {
                Coding::Gzip if *first == 0x1f => Self::Gzip(MultiGzDecoder::new(kept)),
                Coding::Deflate if first & 0x0f == 8 && first >> 4 <= 7 => Self::Zlib(ZlibDecoder::new(kept)),
                Coding::Deflate => Self::Deflate(DeflateDecoder::new(kept)),
                _ => Self::Plain(kept),
            };
        }
        match self {
            Self::Expecting(..) => Ok(()),
            Self::Plain(kept) => kept.write_all(bytes),
            Self::Gzip(decoder) => decoder.write_all(bytes),
            Self::Zlib(decoder) => decoder.write_all(bytes),
            Self::Deflate(decoder) => decoder.write_all(bytes),
        }
    }

    fn finish(self) -> io::Result<Kept> {
        match self {
            Self::Expecting(_, kept) | Self::Plain(kept) => Ok(kept),
            Self::Gzip(decoder) => decoder.finish(),
            Self::Zlib(decoder) => decoder.finish(),
            Self::Deflate(decoder) => decoder.finish(),
        }
    }
}

/// The bytes of a body as long as they are few, and their digest.
struct Kept {
    bytes: Option<Vec<u8>>,
    limit: u64,
    length: u64,
    hasher: Sha256,
}

impl Kept {
    fn new(limit: u64) -> Self {
        Self { bytes: Some(Vec::new()), limit, length: 0, hasher: Sha256::new() }
    }

    fn payload(self) -> Payload {
        match self.bytes {
            Some(bytes) => Payload::Bytes(Bytes::from(bytes)),
            None => {
                Payload::Omitted { length: self.length, sha256: Some(hex::encode(self.hasher.finalize())) }
            }
        }
    }
}

impl Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.hasher.update(bytes);
        self.length += bytes.len() as u64;
        if self.length > self.limit {
            self.bytes = None;
        } else if let Some(kept) = &mut self.bytes {
            kept.extend_from_slice(bytes);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
