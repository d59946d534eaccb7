//! Core errors as Cells answers them.
//!
//! 401 is plain text in two spellings; everything else is the JSON `restError`, also for 404 and
//! 501: cec decodes the body by its content type and takes a plain-text 404 for a broken server.
//! Cells v4 knows 401, 403, 404, 423, 500 and 503 alone; 400, 409, 412, 413, 416, 422 and 501 reach
//! its SDKs as generic API errors and say more.

use cellgate_core::Error;
use cellgate_core::http::{Response, full};
use http::{HeaderValue, StatusCode, header};

use crate::json;

/// Why a call was not answered.
#[derive(Debug)]
pub enum CellsError {
    Core(Error),
    /// A status of the door's own, with its text.
    Refused(StatusCode, String),
    /// A bearer that does not hold.
    BadToken,
    /// What Cells' endpoint policies refuse: anonymous callers, and users at administrators' endpoints.
    PolicyDenies,
    NotBuilt(&'static str),
    OtherMethod(String),
    UnknownRoute,
}

impl From<Error> for CellsError {
    fn from(error: Error) -> Self {
        Self::Core(error)
    }
}

impl CellsError {
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::Refused(StatusCode::BAD_REQUEST, message.into())
    }

    pub fn not_implemented(message: impl Into<String>) -> Self {
        Self::Refused(StatusCode::NOT_IMPLEMENTED, message.into())
    }

    pub fn into_response(self, operation: Option<&'static str>) -> Response {
        let operation = operation.unwrap_or("-");
        match self {
            Self::Core(error) => {
                let status = status(&error);
                if status.is_server_error() {
                    tracing::warn!(protocol = "cells", operation, "{operation} failed: {}", error.chain());
                }
                json::error(status, &error.to_string())
            }
            Self::Refused(status, message) => json::error(status, &message),
            Self::BadToken => plain("Unauthorized.\n"),
            Self::PolicyDenies => plain("Unauthorized\n"),
            Self::NotBuilt(name) => {
                json::error(StatusCode::NOT_IMPLEMENTED, &format!("{name} is not implemented"))
            }
            Self::OtherMethod(allow) => {
                let mut response =
                    json::error(StatusCode::METHOD_NOT_ALLOWED, &format!("this path takes {allow}"));
                if let Ok(value) = HeaderValue::from_str(&allow) {
                    response.headers_mut().insert(header::ALLOW, value);
                }
                response
            }
            Self::UnknownRoute => json::error(StatusCode::NOT_FOUND, "no such endpoint"),
        }
    }
}

fn plain(text: &'static str) -> Response {
    let mut response = Response::new(full(text));
    *response.status_mut() = StatusCode::UNAUTHORIZED;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    response
}

fn status(error: &Error) -> StatusCode {
    match error {
        Error::NotFound(_)
        | Error::ParentMissing(_)
        | Error::NoSuchUpload(_)
        | Error::NoSuchVersion(_)
        | Error::IsADeleteMarker(_)
        | Error::NoSuchLock(_) => StatusCode::NOT_FOUND,
        Error::AlreadyExists(_)
        | Error::NotACollection(_)
        | Error::IsACollection(_)
        | Error::NotEmpty(_)
        | Error::Conflict(_) => StatusCode::CONFLICT,
        Error::Unauthenticated(_) => StatusCode::UNAUTHORIZED,
        Error::Denied { .. } => StatusCode::FORBIDDEN,
        Error::PreconditionFailed(_) => StatusCode::PRECONDITION_FAILED,
        Error::NotModified { .. } => StatusCode::NOT_MODIFIED,
        Error::Locked { .. } => StatusCode::LOCKED,
        Error::InvalidName(_)
        | Error::InvalidArgument(_)
        | Error::ChecksumMismatch { .. }
        | Error::LengthMismatch { .. }
        | Error::BrokenBody(_)
        | Error::InvalidPart { .. }
        | Error::PartTooSmall(_) => StatusCode::BAD_REQUEST,
        Error::QuotaExceeded(_) => StatusCode::UNPROCESSABLE_ENTITY,
        Error::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
        Error::RangeNotSatisfiable { .. } => StatusCode::RANGE_NOT_SATISFIABLE,
        Error::NotImplemented(_) => StatusCode::NOT_IMPLEMENTED,
        Error::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
        Error::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
    }
}
