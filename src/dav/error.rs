//! Core errors as WebDAV answers: status, and the precondition element where an RFC defines one.

use std::borrow::Cow;

use cellgate_core::http::{Response, date, empty, full};
use cellgate_core::{Error, NodePath};
use http::{HeaderValue, StatusCode, header};

use crate::auth::CHALLENGE;
use crate::route::{Method, href};
use crate::xml;

/// Why a request was not done.
#[derive(Debug)]
pub enum DavError {
    Core(Error),
    /// Refused by this door itself; the text is shown.
    Refused(StatusCode, Cow<'static, str>),
    /// Refused under a precondition of RFC 4918 §16.
    Condition(StatusCode, &'static str),
}

pub type Result<T, E = DavError> = std::result::Result<T, E>;

impl From<Error> for DavError {
    fn from(error: Error) -> Self {
        Self::Core(error)
    }
}

impl DavError {
    pub fn bad_request(text: impl Into<Cow<'static, str>>) -> Self {
        Self::Refused(StatusCode::BAD_REQUEST, text.into())
    }

    pub fn forbidden(text: impl Into<Cow<'static, str>>) -> Self {
        Self::Refused(StatusCode::FORBIDDEN, text.into())
    }

    pub fn not_found(text: impl Into<Cow<'static, str>>) -> Self {
        Self::Refused(StatusCode::NOT_FOUND, text.into())
    }

    pub fn not_allowed(text: impl Into<Cow<'static, str>>) -> Self {
        Self::Refused(StatusCode::METHOD_NOT_ALLOWED, text.into())
    }

    pub fn unsupported_body() -> Self {
        Self::Refused(StatusCode::UNSUPPORTED_MEDIA_TYPE, "this method takes no body".into())
    }
}

/// What a core error means to this method. One arm per variant: a new one does not compile until it
/// has an answer here.
fn answer(error: &Error, method: Method) -> (StatusCode, Option<&'static str>) {
    let reads = matches!(
        method,
        Method::Get | Method::Head | Method::PropFind | Method::Delete | Method::Options | Method::Unlock
    );
    let moves = matches!(method, Method::Copy | Method::Move);
    match error {
        // What is to be made has no parent that this caller can see.
        Error::NotFound(_) if matches!(method, Method::Put | Method::MkCol | Method::Lock) => {
            (StatusCode::CONFLICT, None)
        }
        Error::NotFound(_) | Error::NoSuchUpload(_) | Error::NoSuchVersion(_) | Error::IsADeleteMarker(_) => {
            (StatusCode::NOT_FOUND, None)
        }
        // §9.3.1: MKCOL on a mapped URL is 405. §9.8.5, §9.9.4: `Overwrite: F` is 412.
        Error::AlreadyExists(_) if method == Method::MkCol => (StatusCode::METHOD_NOT_ALLOWED, None),
        Error::AlreadyExists(_) if moves => (StatusCode::PRECONDITION_FAILED, None),
        Error::AlreadyExists(_) => (StatusCode::CONFLICT, None),
        Error::ParentMissing(_) => (StatusCode::CONFLICT, None),
        // Below a file there is nothing to read and no place to write.
        Error::NotACollection(_) if reads => (StatusCode::NOT_FOUND, None),
        Error::NotACollection(_) => (StatusCode::CONFLICT, None),
        Error::IsACollection(_) => (StatusCode::METHOD_NOT_ALLOWED, None),
        Error::NotEmpty(_) => (StatusCode::CONFLICT, None),
        Error::Unauthenticated(_) => (StatusCode::UNAUTHORIZED, None),
        Error::Denied { .. } => (StatusCode::FORBIDDEN, None),
        Error::PreconditionFailed(_) => (StatusCode::PRECONDITION_FAILED, None),
        Error::NotModified { .. } => (StatusCode::NOT_MODIFIED, None),
        Error::Locked { .. } if method == Method::Lock => (StatusCode::LOCKED, Some("no-conflicting-lock")),
        Error::Locked { .. } => (StatusCode::LOCKED, Some("lock-token-submitted")),
        // §9.11.1 for UNLOCK, §9.10.6 for the refresh.
        Error::NoSuchLock(_) if method == Method::Unlock => {
            (StatusCode::CONFLICT, Some("lock-token-matches-request-uri"))
        }
        Error::NoSuchLock(_) => (StatusCode::PRECONDITION_FAILED, Some("lock-token-matches-request-uri")),
        Error::InvalidName(_) | Error::InvalidArgument(_) => (StatusCode::BAD_REQUEST, None),
        // A folder into itself, a workspace's root removed: never allowed, whatever changes.
        Error::Conflict(_) if moves || method == Method::Delete => (StatusCode::FORBIDDEN, None),
        Error::Conflict(_) => (StatusCode::CONFLICT, None),
        Error::ChecksumMismatch { .. } | Error::LengthMismatch { .. } | Error::BrokenBody(_) => {
            (StatusCode::BAD_REQUEST, None)
        }
        Error::InvalidPart { .. } | Error::PartTooSmall(_) => (StatusCode::BAD_REQUEST, None),
        // RFC 4331 §6.
        Error::QuotaExceeded(_) => (StatusCode::INSUFFICIENT_STORAGE, Some("quota-not-exceeded")),
        Error::TooLarge { .. } => (StatusCode::PAYLOAD_TOO_LARGE, None),
        Error::RangeNotSatisfiable { .. } => (StatusCode::RANGE_NOT_SATISFIABLE, None),
        Error::NotImplemented(_) => (StatusCode::NOT_IMPLEMENTED, None),
        Error::Unavailable(_) => (StatusCode::SERVICE_UNAVAILABLE, None),
        Error::Internal(_) => (StatusCode::INTERNAL_SERVER_ERROR, None),
    }
}

/// Writes the answer to a request that failed.
pub fn render(error: &DavError, method: Method, microsoft: bool) -> Response {
    let (status, condition, text) = match error {
        DavError::Core(error) => {
            let (status, condition) = answer(error, method);
            (status, condition, Cow::Owned(error.to_string()))
        }
        DavError::Refused(status, text) => (*status, None, text.clone()),
        DavError::Condition(status, element) => (*status, Some(*element), Cow::Borrowed("")),
    };
    if let DavError::Core(cause @ (Error::Internal(_) | Error::Unavailable(_))) = error {
        tracing::error!(method = method.as_str(), error = cause.chain(), "request failed");
    }

    let mut response = match condition {
        Some(element) => {
            let mut response = Response::new(full(xml::error_body(element, locked_href(error).as_deref())));
            set(&mut response, header::CONTENT_TYPE, xml::CONTENT_TYPE);
            response
        }
        None if status == StatusCode::NOT_MODIFIED => Response::new(empty()),
        None => {
            let mut response = Response::new(full(format!("{text}\n")));
            set(&mut response, header::CONTENT_TYPE, "text/plain; charset=utf-8");
            response
        }
    };
    *response.status_mut() = status;
    match error {
        DavError::Core(Error::NotModified { etag, mtime_ns }) => {
            set(&mut response, header::ETAG, &format!("\"{etag}\""));
            set(&mut response, header::LAST_MODIFIED, &date::http(*mtime_ns));
        }
        DavError::Core(Error::RangeNotSatisfiable { size }) => {
            set(&mut response, header::CONTENT_RANGE, &format!("bytes */{size}"));
        }
        DavError::Core(Error::Unavailable(_)) => set(&mut response, header::RETRY_AFTER, "2"),
        _ => {}
    }
    match status {
        StatusCode::UNAUTHORIZED => set(&mut response, header::WWW_AUTHENTICATE, CHALLENGE),
        // Windows remembers a 404 for a minute, and without regard to case.
        StatusCode::NOT_FOUND if microsoft => {
            set(&mut response, header::CACHE_CONTROL, "no-store, no-cache, must-revalidate");
        }
        StatusCode::METHOD_NOT_ALLOWED => set(&mut response, header::ALLOW, ALLOW_ANY),
        _ => {}
    }
    response
}

/// RFC 9110 §15.5.6 wants a list with every 405; OPTIONS has the exact one.
const ALLOW_ANY: &str =
    "OPTIONS, HEAD, GET, PUT, PATCH, DELETE, MKCOL, COPY, MOVE, PROPFIND, PROPPATCH, LOCK, UNLOCK";

/// The resource whose lock stands in the way; §16 wants it in the body.
fn locked_href(error: &DavError) -> Option<String> {
    match error {
        DavError::Core(Error::Locked { path, .. }) => {
            NodePath::parse(path).ok().map(|path| href(&path, false))
        }
        _ => None,
    }
}

fn set(response: &mut Response, name: header::HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}
