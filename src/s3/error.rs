//! Core errors as S3 errors: one exhaustive `match`.
//!
//! Codes are Amazon's where Amazon has one. Our own, for what a flat key space cannot have:
//!
//! * `ParentIsObject` (409): `a/b` was asked for where `a` is an object.
//! * `KeyIsParent` (409): `a` was asked for where `a/` is a folder.
//! * `Conflict` (409): the path cannot go there (a folder into itself, a workspace's root).
//! * `QuotaExceeded` (422), as Cells answers it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cellgate_core::content::Algorithm;
use cellgate_core::http::date;
use cellgate_core::{Error, Unauthenticated};
use http::header::{CONTENT_RANGE, CONTENT_TYPE, ETAG, LAST_MODIFIED};
use http::{HeaderMap, HeaderValue, StatusCode};
use s3s::{S3Error, S3ErrorCode};

pub(crate) const PARENT_IS_OBJECT: &str = "ParentIsObject";
pub(crate) const KEY_IS_PARENT: &str = "KeyIsParent";

/// The S3 answer to a core error.
pub(crate) fn answer(error: Error) -> S3Error {
    let text = error.to_string();
    match error {
        Error::NotFound(_) | Error::ParentMissing(_) => S3Error::new(S3ErrorCode::NoSuchKey),
        Error::AlreadyExists(_) | Error::PreconditionFailed(_) => {
            S3Error::new(S3ErrorCode::PreconditionFailed)
        }
        Error::NotACollection(_) => custom(PARENT_IS_OBJECT, StatusCode::CONFLICT, text),
        Error::IsACollection(_) | Error::NotEmpty(_) => custom(KEY_IS_PARENT, StatusCode::CONFLICT, text),
        Error::Unauthenticated(reason) => refused(reason),
        // Lock owners are shown: the way out is to ask them (Cells answers AccessDenied as well).
        Error::Denied { .. } | Error::Locked { .. } => with(S3ErrorCode::AccessDenied, text),
        Error::NotModified { etag, mtime_ns } => not_modified(&etag, mtime_ns),
        Error::NoSuchLock(_) => with(S3ErrorCode::AccessDenied, text),
        Error::InvalidName(_) | Error::InvalidArgument(_) => with(S3ErrorCode::InvalidArgument, text),
        Error::Conflict(_) => custom("Conflict", StatusCode::CONFLICT, text),
        Error::ChecksumMismatch { algorithm, promised, computed } => {
            bad_digest(algorithm, &promised, &computed)
        }
        Error::LengthMismatch { .. } | Error::BrokenBody(_) => with(S3ErrorCode::IncompleteBody, text),
        Error::QuotaExceeded(_) => custom("QuotaExceeded", StatusCode::UNPROCESSABLE_ENTITY, text),
        Error::TooLarge { .. } => with(S3ErrorCode::EntityTooLarge, text),
        Error::RangeNotSatisfiable { size } => range_not_satisfiable(size),
        Error::NoSuchUpload(_) => S3Error::new(S3ErrorCode::NoSuchUpload),
        Error::NoSuchVersion(_) => S3Error::new(S3ErrorCode::NoSuchVersion),
        Error::IsADeleteMarker(_) => S3Error::new(S3ErrorCode::MethodNotAllowed),
        Error::InvalidPart { .. } => S3Error::new(S3ErrorCode::InvalidPart),
        Error::PartTooSmall(_) => S3Error::new(S3ErrorCode::EntityTooSmall),
        Error::NotImplemented(_) => with(S3ErrorCode::NotImplemented, text),
        Error::Unavailable(_) => {
            tracing::warn!(protocol = "s3", error = %text, "{text}");
            with(S3ErrorCode::ServiceUnavailable, text)
        }
        Error::Internal(_) => {
            let chain = error.chain();
            tracing::error!(protocol = "s3", error = %chain, "request failed: {chain}");
            with(S3ErrorCode::InternalError, text)
        }
    }
}

fn bad_digest(algorithm: &str, promised: &[u8], computed: &[u8]) -> S3Error {
    if algorithm == Algorithm::ContentMd5.as_str() {
        let text = "The Content-MD5 you specified did not match what we received.";
        let (computed, promised) = (STANDARD.encode(computed), hex::encode(promised));
        let fields = [("CalculatedDigest", computed.as_str()), ("ExpectedDigest", promised.as_str())];
        return with_fields(with(S3ErrorCode::BadDigest, text), &fields);
    }
    let algorithm = algorithm.to_ascii_uppercase();
    with(
        S3ErrorCode::BadDigest,
        format!("The {algorithm} you specified did not match the calculated checksum."),
    )
}

fn refused(reason: Unauthenticated) -> S3Error {
    match reason {
        Unauthenticated::Wrong => S3Error::new(S3ErrorCode::InvalidAccessKeyId),
        // Cells' answer to a token that no longer holds; `ExpiredToken` would make SDKs look for a
        // session token they never had.
        Unauthenticated::Missing
        | Unauthenticated::Expired
        | Unauthenticated::LockedOut
        | Unauthenticated::OutOfScope => with(S3ErrorCode::AccessDenied, reason.to_string()),
    }
}

fn not_modified(etag: &str, mtime_ns: i64) -> S3Error {
    let mut headers = HeaderMap::new();
    // RFC 9110 15.4.5: a 304 repeats what a 200 would have said of the validators.
    if let Ok(value) = HeaderValue::try_from(format!("\"{etag}\"")) {
        headers.insert(ETAG, value);
    }
    if let Ok(value) = HeaderValue::try_from(date::http(mtime_ns)) {
        headers.insert(LAST_MODIFIED, value);
    }
    let mut answer = S3Error::new(S3ErrorCode::NotModified);
    answer.set_status_code(StatusCode::NOT_MODIFIED);
    answer.set_headers(headers);
    answer
}

fn range_not_satisfiable(size: u64) -> S3Error {
    let mut answer = S3Error::new(S3ErrorCode::InvalidRange);
    let mut headers = HeaderMap::new();
    // s3s replaces its own headers by these.
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/xml"));
    if let Ok(value) = HeaderValue::try_from(format!("bytes */{size}")) {
        headers.insert(CONTENT_RANGE, value);
    }
    answer.set_headers(headers);
    answer
}

/// An error with one of Amazon's codes and our own text.
pub(crate) fn with(code: S3ErrorCode, text: impl Into<String>) -> S3Error {
    S3Error::with_message(code, text.into())
}

/// Carries elements of an error document to where it is completed, see [`take_fields`].
const FIELDS: &str = "x-cellgate-error-fields";

/// The error with elements beside code and message, as Amazon has them for some codes.
pub(crate) fn with_fields(mut error: S3Error, fields: &[(&str, &str)]) -> S3Error {
    let mut headers = error.headers().cloned().unwrap_or_default();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/xml"));
    let written = fields.iter().fold(String::new(), |text, (name, value)| {
        text + &format!("<{name}>{}</{name}>", crate::escape(value))
    });
    if let Ok(value) = HeaderValue::try_from(hex::encode(written)) {
        headers.insert(FIELDS, value);
    }
    error.set_headers(headers);
    error
}

/// The elements that an answer carries for its document.
pub(crate) fn take_fields(headers: &mut HeaderMap) -> String {
    let written = headers.remove(FIELDS).and_then(|value| hex::decode(value.as_bytes()).ok());
    written.and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_default()
}

/// An argument that cannot be, with its name and value.
pub(crate) fn argument(name: &str, value: &str, text: impl Into<String>) -> S3Error {
    with_fields(invalid(text), &[("ArgumentName", name), ("ArgumentValue", value)])
}

/// An error with a code Amazon does not have, or one that s3s does not know.
pub(crate) fn custom(code: &'static str, status: StatusCode, text: impl Into<String>) -> S3Error {
    let mut error = S3Error::with_message(S3ErrorCode::Custom(code.into()), text.into());
    error.set_status_code(status);
    error
}

pub(crate) fn invalid(text: impl Into<String>) -> S3Error {
    with(S3ErrorCode::InvalidArgument, text)
}

pub(crate) fn denied(text: impl Into<String>) -> S3Error {
    with(S3ErrorCode::AccessDenied, text)
}

pub(crate) fn unsupported(what: impl std::fmt::Display) -> S3Error {
    with(S3ErrorCode::NotImplemented, format!("{what} is not implemented"))
}

#[cfg(test)]
mod tests {
    use cellgate_core::content::Checksum;

    use super::*;

    #[test]
    fn core_errors_have_the_documented_codes() {
        let cases = [
            (Error::NotFound("/a".into()), "NoSuchKey", 404),
            (Error::ParentMissing("/a".into()), "NoSuchKey", 404),
            (Error::NotACollection("/a".into()), "ParentIsObject", 409),
            (Error::IsACollection("/a".into()), "KeyIsParent", 409),
            (Error::Denied { path: "/a".into(), right: "write" }, "AccessDenied", 403),
            (Error::Locked { path: "/a".into(), owner: "anna".into() }, "AccessDenied", 403),
            (Error::PreconditionFailed("/a".into()), "PreconditionFailed", 412),
            (Error::NotModified { etag: "x".into(), mtime_ns: 0 }, "NotModified", 304),
            (Error::InvalidName("x".into()), "InvalidArgument", 400),
            (Checksum { algorithm: Algorithm::Md5, value: vec![0] }.failed(vec![1]), "BadDigest", 400),
            (Error::LengthMismatch { expected: 2, received: 1 }, "IncompleteBody", 400),
            (Error::BrokenBody("reset".into()), "IncompleteBody", 400),
            (Error::QuotaExceeded("/a".into()), "QuotaExceeded", 422),
            (Error::TooLarge { size: 2, limit: 1 }, "EntityTooLarge", 400),
            (Error::RangeNotSatisfiable { size: 5 }, "InvalidRange", 416),
            (Error::NoSuchUpload("u".into()), "NoSuchUpload", 404),
            (Error::NoSuchVersion("/a".into()), "NoSuchVersion", 404),
            (Error::IsADeleteMarker("/a".into()), "MethodNotAllowed", 405),
            (Error::InvalidPart { number: 1, reason: "missing" }, "InvalidPart", 400),
            (Error::PartTooSmall(1), "EntityTooSmall", 400),
            (Error::NotImplemented("that"), "NotImplemented", 501),
            (Error::Unavailable("disk".into()), "ServiceUnavailable", 503),
            (Error::internal("secret detail"), "InternalError", 500),
            (Error::Unauthenticated(Unauthenticated::Wrong), "InvalidAccessKeyId", 403),
            (Error::Unauthenticated(Unauthenticated::Expired), "AccessDenied", 403),
        ];
        for (error, code, status) in cases {
            let shown = error.to_string();
            let answer = answer(error);
            assert_eq!(answer.code().as_str(), code, "{shown}");
            assert_eq!(answer.status_code().map(|s| s.as_u16()), Some(status), "{shown}");
            assert!(!answer.message().unwrap_or_default().contains("secret"), "{shown}");
        }
    }
}
