//! Bodies of `aws-chunked`: the signature of each chunk becomes zeros.
//!
//! Zeros and not names: the length stays what the request says it is, binary contents stay binary,
//! and a replay signs the chunks anew anyway.

use bytes::Bytes;

use crate::exchange::Sent;

const MARK: &[u8] = b";chunk-signature=";
const TRAILER: &[u8] = b"x-amz-trailer-signature:";
const DIGITS: usize = 64;

pub fn is_chunked(sent: &Sent) -> bool {
    let streaming = sent.header("x-amz-content-sha256").is_some_and(|value| value.starts_with("STREAMING-"));
    streaming || sent.header("content-encoding").is_some_and(|value| value.contains("aws-chunked"))
}

/// `None` where nothing changed. Follows the chunks by their lengths, as contents may look like
/// anything, and as far as they go: a cut-off body ends in the middle of one.
pub fn zeroed(body: &Bytes) -> Option<Bytes> {
    let mut out = body.to_vec();
    let mut at = 0;
    while let Some(line) = line(&out, at) {
        let head = out.get(at..line)?.to_vec();
        let size = head.split(|byte| *byte == b';').next().and_then(|size| std::str::from_utf8(size).ok());
        let Some(size) = size.and_then(|size| usize::from_str_radix(size.trim(), 16).ok()) else { break };
        if let Some(mark) = position(&head, MARK) {
            zero(&mut out, at + mark + MARK.len());
        }
        at = line + 2;
        if size == 0 {
            // Behind the last chunk there are trailers, to the end.
            if let Some(mark) = out.get(at..).and_then(|rest| position(rest, TRAILER)) {
                zero(&mut out, at + mark + TRAILER.len());
            }
            break;
        }
        let Some(next) = at.checked_add(size).and_then(|end| end.checked_add(2)) else { break };
        at = next;
    }
    (out != *body).then(|| out.into())
}

fn zero(out: &mut [u8], from: usize) {
    for byte in out.iter_mut().skip(from).take(DIGITS).take_while(|byte| byte.is_ascii_hexdigit()) {
        *byte = b'0';
    }
}

/// Where the line ends that begins at `from`; heads of chunks are short.
fn line(body: &[u8], from: usize) -> Option<usize> {
    let rest = body.get(from..)?;
    position(rest.get(..rest.len().min(1024))?, b"\r\n").map(|at| from + at)
}

fn position(text: &[u8], wanted: &[u8]) -> Option<usize> {
    text.windows(wanted.len()).position(|window| window == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_of_chunks_become_zeros_and_contents_stay() {
        let (a, b, zero) = ("a1".repeat(32), "b2".repeat(32), "0".repeat(64));
        let content = "5;chunk-signature=ff\r\n";
        let body = |a: &str, b: &str| {
            let end = format!(
                "0;chunk-signature={b}\r\nx-amz-checksum-crc32:x\r\nx-amz-trailer-signature:{b}\r\n\r\n"
            );
            Bytes::from(format!("{:x};chunk-signature={a}\r\n{content}\r\n{end}", content.len()))
        };
        assert_eq!(zeroed(&body(&a, &b)), Some(body(&zero, &zero)));
        assert_eq!(zeroed(&body(&zero, &zero)), None);
        // Cut off within the first chunk.
        let cut = body(&a, &b).slice(..100);
        assert_eq!(zeroed(&cut), Some(body(&zero, &zero).slice(..100)));
    }

    #[test]
    fn what_is_no_chunk_stays() {
        for body in [
            "",
            "\r\n",
            "hello",
            "zz;chunk-signature=aa\r\n",
            "ffffffffffffffff\r\n",
            "3\r\nabc\r\n0\r\n\r\n",
        ] {
            assert_eq!(zeroed(&Bytes::from(body)), None, "{body}");
        }
    }
}
