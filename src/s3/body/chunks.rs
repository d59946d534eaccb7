//! `aws-chunked`: a body in frames, with signatures and trailers.
//!
//! ```text
//! <size in hex>[;chunk-signature=<hex>] CRLF <bytes> CRLF
//! 0[;chunk-signature=<hex>] CRLF [<name>:<value> CRLF]... [x-amz-trailer-signature:<hex> CRLF] CRLF
//! ```
//!
//! The bytes go on as they came, in the buffers they came in.

use bytes::Bytes;
use cellgate_core::http as core_http;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use s3s::{S3Error, S3ErrorCode, S3Result};

use super::digest::{Verifier, more};
use super::{Reader, Trailers, incomplete, length_mismatch};
use crate::auth::Chain;
use crate::{error, headers};

/// Amazon: only the last chunk may be smaller. It keeps the price of a chunk's line within bounds.
const CHUNK_MIN_BYTES: u64 = 8_192;
/// The longest line has 102 bytes.
const LINE_MAX_BYTES: usize = 256;
const TRAILERS_MAX_BYTES: usize = 4_096;
/// How far a chunk is read that goes beyond the announced length, to tell what is wrong with it.
const BEYOND_MAX_BYTES: u64 = 64 * 1024;
const SIGNATURE: &str = "x-amz-trailer-signature";

pub(super) struct Chunks {
    body: core_http::Body,
    /// What has come and is not read yet.
    ahead: Bytes,
    at: At,
    /// What is missing of the announced length.
    left: u64,
    /// A chunk was small, so it was the last one.
    small: bool,
    signed: bool,
    verifier: Verifier,
    /// The names that may come, and where they are put; none where no trailers are announced at all.
    trailers: Option<(Vec<String>, Trailers)>,
}

enum At {
    Size,
    Data { left: u64, signature: String },
    End,
}

impl Chunks {
    pub(super) fn new(body: core_http::Body, length: u64, chain: Option<Chain>) -> Self {
        Self {
            body,
            ahead: Bytes::new(),
            at: At::Size,
            left: length,
            small: false,
            signed: chain.is_some(),
            verifier: Verifier::new(chain),
            trailers: None,
        }
    }

    pub(super) fn with_trailers(self, names: Vec<String>, found: Trailers) -> Self {
        Self { trailers: Some((names, found)), ..self }
    }
}

impl Reader for Chunks {
    async fn next(&mut self) -> S3Result<Option<Bytes>> {
        loop {
            match &mut self.at {
                At::End => return Ok(None),
                At::Size => self.begin_chunk().await?,
                At::Data { left: 0, signature } => {
                    let signature = std::mem::take(signature);
                    self.at = At::Size;
                    self.expect_line_end().await?;
                    self.verifier.end_chunk(signature).await?;
                }
                At::Data { left, .. } => {
                    if self.ahead.is_empty() {
                        self.ahead = more(&mut self.body).await?.ok_or_else(incomplete)?;
                    }
                    let bytes = self.ahead.len().min(usize::try_from(*left).unwrap_or(usize::MAX));
                    let bytes = self.ahead.split_to(bytes);
                    *left -= bytes.len() as u64;
                    self.left -= bytes.len() as u64;
                    self.verifier.update(&bytes).await?;
                    return Ok(Some(bytes));
                }
            }
        }
    }
}

impl Chunks {
    async fn begin_chunk(&mut self) -> S3Result<()> {
        let (size, signature) = self.chunk_line().await?;
        if size == 0 {
            self.verifier.end_chunk(signature).await?;
            let rest = self.rest().await?;
            if self.left > 0 {
                return Err(length_mismatch());
            }
            self.take_trailers(&rest).await?;
            self.at = At::End;
            return Ok(());
        }
        if self.small {
            return Err(chunk_too_small());
        }
        self.small = size < CHUNK_MIN_BYTES;
        if size > self.left {
            return Err(self.why_beyond(size).await);
        }
        self.at = At::Data { left: size, signature };
        Ok(())
    }

    /// Size and signature of the next chunk; no signature where none is due.
    async fn chunk_line(&mut self) -> S3Result<(u64, String)> {
        let line = self.line().await?;
        let line = std::str::from_utf8(&line).map_err(|_| incomplete())?;
        let (size, signature) = match line.split_once(';') {
            Some((size, rest)) if self.signed => {
                let signature = rest.strip_prefix("chunk-signature=").filter(|text| is_signature(text));
                (size, signature.ok_or_else(incomplete)?)
            }
            None if !self.signed => (line, ""),
            _ => return Err(incomplete()),
        };
        // `from_str_radix` would take a sign.
        if size.is_empty() || !size.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(incomplete());
        }
        let size = u64::from_str_radix(size, 16).map_err(|_| incomplete())?;
        Ok((size, signature.to_owned()))
    }

    /// A chunk that goes beyond the announced length: is it the length that is wrong, or the frame?
    async fn why_beyond(&mut self, size: u64) -> S3Error {
        if size > BEYOND_MAX_BYTES {
            return length_mismatch();
        }
        let mut left = usize::try_from(size).unwrap_or(usize::MAX);
        loop {
            let here = self.ahead.len().min(left);
            let _ = self.ahead.split_to(here);
            left -= here;
            if left == 0 {
                return self.expect_line_end().await.err().unwrap_or_else(length_mismatch);
            }
            match more(&mut self.body).await {
                Ok(Some(bytes)) => self.ahead = bytes,
                _ => return incomplete(),
            }
        }
    }

    async fn expect_line_end(&mut self) -> S3Result<()> {
        match self.line().await?.is_empty() {
            true => Ok(()),
            false => Err(incomplete()),
        }
    }

    /// The next line, without its CRLF.
    async fn line(&mut self) -> S3Result<Vec<u8>> {
        let mut line = Vec::new();
        loop {
            let end = self.ahead.iter().take(LINE_MAX_BYTES).position(|byte| *byte == b'\n');
            let here = end.map_or(self.ahead.len(), |end| end + 1);
            if line.len() + here > LINE_MAX_BYTES {
                return Err(incomplete());
            }
            line.extend_from_slice(&self.ahead.split_to(here));
            if end.is_some() {
                let Some(text) = line.strip_suffix(b"\r\n") else { return Err(incomplete()) };
                line.truncate(text.len());
                return Ok(line);
            }
            self.ahead = more(&mut self.body).await?.ok_or_else(incomplete)?;
        }
    }

    /// Everything behind the last chunk.
    async fn rest(&mut self) -> S3Result<String> {
        let mut rest = std::mem::take(&mut self.ahead).to_vec();
        while rest.len() <= TRAILERS_MAX_BYTES {
            match more(&mut self.body).await? {
                Some(bytes) => rest.extend_from_slice(&bytes),
                None => return String::from_utf8(rest).map_err(|_| incomplete()),
            }
        }
        Err(incomplete())
    }

    async fn take_trailers(&mut self, rest: &str) -> S3Result<()> {
        let mut hashing = self.verifier.finish().await?;
        let Some((names, found)) = &self.trailers else {
            return if rest == "\r\n" { Ok(()) } else { Err(incomplete()) };
        };
        let (trailers, signature) = parse_trailers(rest)?;
        if signature.is_some() != self.signed {
            // A signature that nobody can verify is no mere ornament.
            return Err(if self.signed { incomplete() } else { malformed_trailer() });
        }
        check_names(names, &trailers)?;
        let lines: String = trailers.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
        if let (Some(chain), Some(signature)) = (&mut hashing.chain, signature)
            && !chain.trailers(&lines, signature)
        {
            return Err(S3Error::new(S3ErrorCode::SignatureDoesNotMatch));
        }
        let mut map = HeaderMap::new();
        for (name, value) in trailers {
            headers::check_trailer(&name, value)?;
            if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
                map.insert(name, value);
            }
        }
        found.set(map);
        Ok(())
    }
}

fn is_signature(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

type Trailer<'a> = (String, &'a str);

/// The trailers in lower case, and their signature. Some clients end them with LF and leave a line
/// empty before the signature.
fn parse_trailers(rest: &str) -> S3Result<(Vec<Trailer<'_>>, Option<&str>)> {
    if rest != "\r\n" && !rest.ends_with("\r\n\r\n") {
        return Err(incomplete());
    }
    let (mut trailers, mut signature) = (Vec::new(), None);
    for line in rest.split('\n') {
        let line = line.strip_suffix('\r').unwrap_or(line);
        if line.is_empty() {
            continue;
        }
        let (name, value) = line.split_once(':').ok_or_else(incomplete)?;
        let (name, value) = (name.trim().to_ascii_lowercase(), value.trim());
        if value.contains('\r') {
            return Err(incomplete());
        }
        if name != SIGNATURE {
            trailers.push((name, value));
        } else if signature.replace(value).is_some() || !is_signature(value) {
            return Err(incomplete());
        }
    }
    Ok((trailers, signature))
}

/// What was announced must come, once, and nothing else.
fn check_names(announced: &[String], trailers: &[Trailer<'_>]) -> S3Result<()> {
    let missing = announced.iter().any(|name| !trailers.iter().any(|(other, _)| other == name));
    if missing || announced.len() != trailers.len() {
        return Err(malformed_trailer());
    }
    Ok(())
}

fn malformed_trailer() -> S3Error {
    error::custom(
        "MalformedTrailerError",
        StatusCode::BAD_REQUEST,
        "The request contained trailing data that was not well-formed or did not conform to our published schema.",
    )
}

fn chunk_too_small() -> S3Error {
    error::custom(
        "InvalidChunkSizeError",
        StatusCode::BAD_REQUEST,
        "Only the last chunk is allowed to have a size less than 8192 bytes",
    )
}
