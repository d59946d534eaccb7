//! Request headers of RFC 4918 and of the clients that speak it.

use cellgate_core::content::{Algorithm, Checksum};
use http::HeaderMap;

use crate::error::{DavError, Result};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    Zero,
    One,
    Infinity,
}

pub fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim)
}

/// `None` when the client sent none: each method has its own default.
pub fn depth(headers: &HeaderMap) -> Result<Option<Depth>> {
    match text(headers, "depth") {
        None if headers.contains_key("depth") => Err(DavError::bad_request("unreadable Depth")),
        None => Ok(None),
        Some("0") => Ok(Some(Depth::Zero)),
        Some("1") => Ok(Some(Depth::One)),
        Some(other) if other.eq_ignore_ascii_case("infinity") => Ok(Some(Depth::Infinity)),
        Some(_) => Err(DavError::bad_request("Depth is 0, 1 or infinity")),
    }
}

/// Whether the target may be replaced. Default `T` (RFC 4918 §10.6); Cells took `F` for MOVE,
/// which breaks every program that saves by renaming.
pub fn overwrite(headers: &HeaderMap) -> Result<bool> {
    match text(headers, "overwrite") {
        None if !headers.contains_key("overwrite") => Ok(true),
        Some(value) if value.eq_ignore_ascii_case("t") => Ok(true),
        Some(value) if value.eq_ignore_ascii_case("f") => Ok(false),
        _ => Err(DavError::bad_request("Overwrite is T or F")),
    }
}

/// Seconds a lock is asked for; the first value that can be read counts (§10.7).
pub fn timeout_s(headers: &HeaderMap) -> Option<u64> {
    text(headers, "timeout")?.split(',').map(str::trim).find_map(|value| {
        if value.eq_ignore_ascii_case("infinite") {
            return Some(u64::MAX);
        }
        let (unit, count) = value.split_once('-')?;
        if !unit.eq_ignore_ascii_case("second") || !count.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        // Larger than fits (RFC: 2^32-1, but Windows is known to exceed it) is as good as infinite.
        if count.is_empty() { None } else { Some(count.parse().unwrap_or(u64::MAX)) }
    })
}

/// `<urn:uuid:…>` of UNLOCK.
pub fn lock_token(headers: &HeaderMap) -> Result<String> {
    text(headers, "lock-token")
        .and_then(|value| value.strip_prefix('<')?.strip_suffix('>'))
        .filter(|token| !token.is_empty())
        .map(str::to_owned)
        .ok_or_else(|| DavError::bad_request("Lock-Token is <token>"))
}

/// `X-OC-Mtime`: seconds since the epoch, perhaps with a fraction (rclone, ownCloud clients).
pub fn oc_mtime_ns(headers: &HeaderMap) -> Result<Option<i64>> {
    match text(headers, "x-oc-mtime") {
        None => Ok(None),
        Some(value) => unix_seconds_ns(value)
            .map(Some)
            .ok_or_else(|| DavError::bad_request("X-OC-Mtime is a number of seconds")),
    }
}

/// Decimal seconds since the epoch as nanoseconds.
pub fn unix_seconds_ns(text: &str) -> Option<i64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let nanos: i64 = format!("{fraction:0<9}").get(..9)?.parse().ok()?;
    whole.parse::<i64>().ok()?.checked_mul(1_000_000_000)?.checked_add(nanos)
}

/// `OC-Checksum: SHA1:<hex>`. Algorithms we do not compute (ADLER32) promise nothing.
pub fn checksums(headers: &HeaderMap) -> Result<Vec<Checksum>> {
    let Some((algorithm, value)) = text(headers, "oc-checksum").and_then(|value| value.split_once(':'))
    else {
        return Ok(Vec::new());
    };
    let Some(algorithm) = Algorithm::parse(algorithm) else { return Ok(Vec::new()) };
    let value = hex(value).ok_or_else(|| DavError::bad_request("OC-Checksum is not hexadecimal"))?;
    Ok(vec![Checksum { algorithm, value }])
}

fn hex(text: &str) -> Option<Vec<u8>> {
    if !text.is_ascii() || !text.len().is_multiple_of(2) {
        return None;
    }
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok()).collect()
}

/// Whether this is the Windows redirector or an Office program: both announce themselves so.
pub fn is_microsoft(headers: &HeaderMap) -> bool {
    text(headers, "user-agent").is_some_and(|agent| agent.contains("Microsoft"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(name: &'static str, value: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(name, value.parse().unwrap());
        headers
    }

    #[test]
    fn timeouts_as_clients_send_them() {
        for (value, expected) in [
            ("Second-3600", Some(3600)),
            ("Infinite, Second-4100000000", Some(u64::MAX)),
            ("Foo-1, Second-60", Some(60)),
            ("Second-99999999999999999999999", Some(u64::MAX)),
            ("Second-", None),
            ("Second-x", None),
            ("Minute-5", None),
        ] {
            assert_eq!(timeout_s(&with("timeout", value)), expected, "{value}");
        }
    }

    #[test]
    fn depths_and_overwrites() {
        assert_eq!(depth(&with("depth", "Infinity")).unwrap(), Some(Depth::Infinity));
        assert_eq!(depth(&HeaderMap::new()).unwrap(), None);
        assert!(depth(&with("depth", "2")).is_err());
        assert!(overwrite(&HeaderMap::new()).unwrap());
        assert!(!overwrite(&with("overwrite", "f")).unwrap());
        assert!(overwrite(&with("overwrite", "yes")).is_err());
    }

    #[test]
    fn mtimes_in_seconds() {
        for (value, expected) in [
            ("1700000000", Some(1_700_000_000_000_000_000)),
            ("1700000000.25", Some(1_700_000_000_250_000_000)),
            ("1.0123456789", Some(1_012_345_678)),
            ("-1", Some(-1_000_000_000)),
            ("", None),
            ("x", None),
            ("1.x", None),
            ("99999999999999999999", None),
        ] {
            assert_eq!(unix_seconds_ns(value), expected, "{value}");
        }
    }

    #[test]
    fn checksums_that_we_can_check() {
        let md5 = checksums(&with("oc-checksum", "MD5:d41d8cd98f00b204e9800998ecf8427e")).unwrap();
        assert_eq!(md5[0].algorithm, Algorithm::Md5);
        assert_eq!(md5[0].value.len(), 16);
        assert!(checksums(&with("oc-checksum", "ADLER32:0001")).unwrap().is_empty());
        assert!(checksums(&with("oc-checksum", "SHA1:zz")).is_err());
    }

    #[test]
    fn lock_tokens_stand_in_angle_brackets() {
        assert_eq!(lock_token(&with("lock-token", "<urn:uuid:1>")).unwrap(), "urn:uuid:1");
        for value in ["urn:uuid:1", "<>", "<a", ""] {
            assert!(lock_token(&with("lock-token", value)).is_err(), "{value}");
        }
    }
}
