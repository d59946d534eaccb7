//! Core errors as Seafile answers them: the web API and the file server have forms of their own.

use cellgate_core::Error;
use cellgate_core::http::{Response, full};
use http::{HeaderValue, StatusCode, header};
use serde_json::{Value, json};

use crate::json;

/// Why a request was not answered.
#[derive(Debug)]
pub enum SeafileError {
    Core(Error),
    /// `{"error_msg": …}`: the web API.
    Message(StatusCode, String),
    /// `{"detail": …}`: authentication, methods, media types.
    Detail(StatusCode, String),
    /// A form of its own: the sign-in.
    Form(StatusCode, Value),
    /// `{"error": …}`: uploads. The status may be one of Seafile's own (440 to 446).
    Upload(u16, String),
    /// Plain text: downloads.
    Download(StatusCode, String),
}

impl From<Error> for SeafileError {
    fn from(error: Error) -> Self {
        Self::Core(error)
    }
}

impl SeafileError {
    pub fn bad_request(text: impl Into<String>) -> Self {
        Self::Message(StatusCode::BAD_REQUEST, text.into())
    }

    pub fn not_found(text: impl Into<String>) -> Self {
        Self::Message(StatusCode::NOT_FOUND, text.into())
    }

    pub fn not_implemented(text: impl Into<String>) -> Self {
        Self::Message(StatusCode::NOT_IMPLEMENTED, text.into())
    }

    /// A parameter that is missing or makes no sense, in the words of the original.
    pub fn invalid(param: &str) -> Self {
        Self::bad_request(format!("{param} invalid."))
    }

    /// A core error as the upload server says it.
    pub fn upload(error: Error) -> Self {
        log(&error, "upload");
        let (status, text) = upload_answer(&error);
        Self::Upload(status, text)
    }

    /// A core error as the download server says it.
    pub fn download(error: Error) -> Self {
        log(&error, "download");
        let (status, text) = api_answer(&error);
        Self::Download(status, text)
    }

    pub fn into_response(self, operation: Option<&'static str>) -> Response {
        match self {
            Self::Core(error) => {
                log(&error, operation.unwrap_or("-"));
                let (status, text) = api_answer(&error);
                let key = if matches!(error, Error::Unauthenticated(_)) { "detail" } else { "error_msg" };
                json::answer(status, &json!({ key: text }))
            }
            Self::Message(status, text) => json::answer(status, &json!({ "error_msg": text })),
            Self::Detail(status, text) => json::answer(status, &json!({ "detail": text })),
            Self::Form(status, body) => json::answer(status, &body),
            Self::Upload(status, text) => {
                let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
                json::answer(status, &json!({ "error": text }))
            }
            Self::Download(status, text) => {
                let mut response = Response::new(full(format!("{text}\n")));
                *response.status_mut() = status;
                let plain = HeaderValue::from_static("text/plain; charset=utf-8");
                response.headers_mut().insert(header::CONTENT_TYPE, plain);
                response
            }
        }
    }
}

fn log(error: &Error, operation: &str) {
    if matches!(error, Error::Internal(_) | Error::Unavailable(_)) {
        tracing::warn!(protocol = "seafile", operation, "{operation} failed: {}", error.chain());
    }
}

/// Quota exceeded, in both halves of the protocol.
const OUT_OF_QUOTA: u16 = 443;

fn api_answer(error: &Error) -> (StatusCode, String) {
    let status = match error {
        Error::NotFound(_)
        | Error::ParentMissing(_)
        | Error::NotACollection(_)
        | Error::IsACollection(_)
        | Error::NoSuchUpload(_)
        | Error::NoSuchVersion(_)
        | Error::IsADeleteMarker(_)
        | Error::NoSuchLock(_) => StatusCode::NOT_FOUND,
        Error::AlreadyExists(_) | Error::NotEmpty(_) => StatusCode::CONFLICT,
        Error::Unauthenticated(_) => StatusCode::UNAUTHORIZED,
        Error::Denied { .. } | Error::Locked { .. } => StatusCode::FORBIDDEN,
        Error::PreconditionFailed(_) => StatusCode::PRECONDITION_FAILED,
        Error::NotModified { .. } => StatusCode::NOT_MODIFIED,
        // A folder into itself is a bad request in the original.
        Error::Conflict(_)
        | Error::InvalidName(_)
        | Error::InvalidArgument(_)
        | Error::ChecksumMismatch { .. }
        | Error::LengthMismatch { .. }
        | Error::BrokenBody(_)
        | Error::InvalidPart { .. }
        | Error::PartTooSmall(_) => StatusCode::BAD_REQUEST,
        Error::QuotaExceeded(_) => StatusCode::from_u16(OUT_OF_QUOTA).unwrap_or(StatusCode::FORBIDDEN),
        Error::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
        Error::RangeNotSatisfiable { .. } => StatusCode::RANGE_NOT_SATISFIABLE,
        Error::NotImplemented(_) => StatusCode::NOT_IMPLEMENTED,
        // rclone tries again on this one.
        Error::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
        Error::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
    };
    let text = match error {
        Error::Internal(_) => "Internal Server Error".into(),
        Error::Denied { .. } => "Permission denied.".into(),
        Error::QuotaExceeded(_) => "Out of quota.".into(),
        other => other.to_string(),
    };
    (status, text)
}

fn upload_answer(error: &Error) -> (u16, String) {
    match error {
        Error::InvalidName(_) => (440, "Invalid filename.".into()),
        Error::AlreadyExists(_) | Error::IsACollection(_) => (441, "File already exists.".into()),
        Error::TooLarge { .. } => (442, "File size is too large.".into()),
        Error::QuotaExceeded(_) => (OUT_OF_QUOTA, "Out of quota.".into()),
        // Nothing below the link's folder is looked for by itself, so what is missing is the folder.
        Error::NotFound(_) | Error::ParentMissing(_) | Error::NotACollection(_) => {
            (400, "Parent dir doesn't exist.".into())
        }
        Error::PreconditionFailed(_) => (441, "File does not exist.".into()),
        Error::Unauthenticated(_) => (403, "Access token not found.".into()),
        Error::Internal(_) => (500, "Internal error.".into()),
        Error::NotEmpty(_)
        | Error::Denied { .. }
        | Error::NotModified { .. }
        | Error::Locked { .. }
        | Error::NoSuchLock(_)
        | Error::InvalidArgument(_)
        | Error::Conflict(_)
        | Error::ChecksumMismatch { .. }
        | Error::LengthMismatch { .. }
        | Error::BrokenBody(_)
        | Error::RangeNotSatisfiable { .. }
        | Error::NoSuchUpload(_)
        | Error::NoSuchVersion(_)
        | Error::IsADeleteMarker(_)
        | Error::InvalidPart { .. }
        | Error::PartTooSmall(_)
        | Error::NotImplemented(_)
        | Error::Unavailable(_) => {
            let (status, text) = api_answer(error);
            (status.as_u16(), text)
        }
    }
}
