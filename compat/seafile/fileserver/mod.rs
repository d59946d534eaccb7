//! The file server: `/seafhttp`. Its URLs are secrets that the API hands out, so they need no
//! `Authorization`; clients that send one anyway are not asked for it.

pub mod files;
mod form;
pub mod upload_api;

use http::{HeaderMap, HeaderName, HeaderValue, header};

/// Uploads and downloads come from pages of other origins, in the original too.
pub fn allow_origins(headers: &mut HeaderMap) {
    let allowed: [(HeaderName, &'static str); 4] = [
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        (
            header::ACCESS_CONTROL_ALLOW_HEADERS,
            "x-requested-with, content-type, content-range, content-disposition, accept, origin, authorization",
        ),
        (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, POST, PUT, PATCH, DELETE, OPTIONS"),
        (header::ACCESS_CONTROL_MAX_AGE, "86400"),
    ];
    for (name, value) in allowed {
        headers.insert(name, HeaderValue::from_static(value));
    }
}
