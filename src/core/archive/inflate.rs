//! Compressed bytes on their way out, a bounded piece at a time.

use std::io::Write as _;

use bytes::{Buf as _, Bytes};
use flate2::write::{DeflateDecoder, MultiGzDecoder};
use futures_util::TryStreamExt;

use crate::archive::compute;
use crate::error::{Error, Result};
use crate::ports::ByteStream;

/// What a piece holds, at most by what one step adds.
const PIECE_BYTES: usize = 256 * 1024;
/// Fed at a time: deflate makes at most 1,032 bytes of one, so a step adds at most half a MiB.
const STEP_BYTES: usize = 512;

pub(super) struct Inflate {
    input: ByteStream,
    waiting: Bytes,
    decoder: Option<Decoder>,
    /// Most bytes that may come out.
    limit: u64,
    produced: u64,
    /// For messages: what is being read.
    what: String,
}

enum Decoder {
    Gzip(Box<MultiGzDecoder<Vec<u8>>>),
    Deflate(Box<DeflateDecoder<Vec<u8>>>),
}

impl Inflate {
    pub(super) fn gzip(input: ByteStream, limit: u64, what: String) -> Self {
        Self::new(input, Decoder::Gzip(Box::new(MultiGzDecoder::new(Vec::new()))), limit, what)
    }

    pub(super) fn deflate(input: ByteStream, limit: u64, what: String) -> Self {
        Self::new(input, Decoder::Deflate(Box::new(DeflateDecoder::new(Vec::new()))), limit, what)
    }

    fn new(input: ByteStream, decoder: Decoder, limit: u64, what: String) -> Self {
        Self { input, waiting: Bytes::new(), decoder: Some(decoder), limit, produced: 0, what }
    }

    /// The next bytes, never empty; `None` at the end.
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>> {
        loop {
            let Some(mut decoder) = self.decoder.take() else { return Ok(None) };
            let mut last = false;
            if self.waiting.is_empty() {
                match self.input.try_next().await? {
                    Some(bytes) => self.waiting = bytes,
                    None => last = true,
                }
            }
            let mut input = std::mem::take(&mut self.waiting);
            let (decoder, input, done) = compute(input.len(), move || {
                let done = if last { decoder.finish() } else { decoder.feed(&mut input) };
                (decoder, input, done)
            })
            .await?;
            self.waiting = input;
            let bytes = done.map_err(|cause| self.damaged(&cause.to_string()))?;
            if !last {
                self.decoder = Some(decoder);
            }
            self.produced += bytes.len() as u64;
            if self.produced > self.limit {
                return Err(self.damaged("it holds more than it may"));
            }
            if !bytes.is_empty() {
                return Ok(Some(bytes.into()));
            }
        }
    }

    fn damaged(&self, why: &str) -> Error {
        Error::InvalidArgument(format!("`{}` cannot be decompressed: {why}", self.what))
    }
}

impl Decoder {
    fn feed(&mut self, input: &mut Bytes) -> std::io::Result<Vec<u8>> {
        while !input.is_empty() && self.out().len() < PIECE_BYTES {
            let step = input.get(..STEP_BYTES).unwrap_or(input);
            let taken = match self {
                Self::Gzip(gzip) => gzip.write(step)?,
                Self::Deflate(deflate) => deflate.write(step)?,
            };
            if taken == 0 {
                input.clear(); // behind the end
            }
            input.advance(taken);
        }
        Ok(std::mem::take(self.out()))
    }

    fn finish(&mut self) -> std::io::Result<Vec<u8>> {
        match self {
            Self::Gzip(gzip) => gzip.try_finish()?,
            Self::Deflate(deflate) => deflate.try_finish()?,
        }
        Ok(std::mem::take(self.out()))
    }

    fn out(&mut self) -> &mut Vec<u8> {
        match self {
            Self::Gzip(gzip) => gzip.get_mut(),
            Self::Deflate(deflate) => deflate.get_mut(),
        }
    }
}
