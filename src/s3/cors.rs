//! Requests of browsers from elsewhere, by rules that are the installation's and hold for every bucket.
//!
//! A preflight has no credentials, so it is answered before anybody asks who calls, and alike for
//! buckets that are there and that are not. What a rule allows is no right: the request that follows is
//! verified as any other.

use cellgate_core::http::{Request, Response};
use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE,
    ACCESS_CONTROL_REQUEST_HEADERS, ACCESS_CONTROL_REQUEST_METHOD, HeaderName, ORIGIN, VARY,
};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use s3s::{Body, HttpResponse, S3Error, S3Result};

use crate::domains::HostBucket;
use crate::{error, route};

/// What pages of some origins may do. Origins and headers may hold one `*`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CorsRule {
    pub origins: Vec<String>,
    pub methods: Vec<String>,
    /// Headers that requests may have.
    pub headers: Vec<String>,
    /// Headers of answers that pages may read.
    pub expose: Vec<String>,
    /// For how long a browser may keep the answer to a preflight.
    pub max_age_s: Option<u32>,
}

const VARIES: HeaderValue =
    HeaderValue::from_static("Origin, Access-Control-Request-Headers, Access-Control-Request-Method");

// Amazon's texts, its spelling too.
const NOT_ALLOWED: &str = "CORSResponse: This CORS request is not allowed. This is usually because the \
    evalution of Origin, request method / Access-Control-Request-Method or Access-Control-Request-Headers \
    are not whitelisted by the resource's CORS spec.";
const NO_ORIGIN: &str = "Insufficient information. Origin request header needed.";

/// Whether a browser asks what a page may do.
pub(crate) fn is_preflight(request: &Request) -> bool {
    let has = |name| request.headers().contains_key(name);
    *request.method() == Method::OPTIONS && has(ORIGIN) && has(ACCESS_CONTROL_REQUEST_METHOD)
}

/// The answer to an OPTIONS request; `None` for others, and where nothing is configured.
pub(crate) fn preflight(rules: &[CorsRule], request: &Request) -> Option<HttpResponse> {
    if *request.method() != Method::OPTIONS || rules.is_empty() {
        return None;
    }
    let mut response = answer(rules, request).unwrap_or_else(crate::render);
    // A refusal too: another origin, method or header may be allowed.
    response.headers_mut().append(VARY, VARIES);
    Some(response)
}

fn answer(rules: &[CorsRule], request: &Request) -> S3Result<HttpResponse> {
    let given = request.headers();
    let bad = |text: &str| error::custom("BadRequest", StatusCode::BAD_REQUEST, text);
    let origin = text(given, ORIGIN).ok_or_else(|| bad(NO_ORIGIN))?;
    let method = text(given, ACCESS_CONTROL_REQUEST_METHOD).unwrap_or("null");
    if !METHODS.contains(&method) {
        return Err(bad(&format!("Invalid Access-Control-Request-Method: {method}")));
    }
    let wanted = wanted_headers(given).ok_or_else(|| refused(request, method))?;
    let rule = rules
        .iter()
        .find(|rule| rule.allows(origin, method) && wanted.iter().all(|name| rule.takes(name)))
        .ok_or_else(|| refused(request, method))?;
    let mut response = HttpResponse::new(Body::empty());
    let headers = response.headers_mut();
    rule.allow(origin, headers);
    set(headers, ACCESS_CONTROL_ALLOW_HEADERS, &wanted.join(", "));
    Ok(response)
}

/// The methods that a rule can name.
pub const METHODS: [&str; 5] = ["GET", "PUT", "POST", "DELETE", "HEAD"];

/// In lower case; `None` where one is no text.
fn wanted_headers(given: &HeaderMap) -> Option<Vec<String>> {
    let mut names = Vec::new();
    for value in given.get_all(ACCESS_CONTROL_REQUEST_HEADERS) {
        let list = value.to_str().ok()?.split(',').map(|name| name.trim().to_ascii_lowercase());
        names.extend(list.filter(|name| !name.is_empty()));
    }
    Some(names)
}

fn refused(request: &Request, method: &str) -> S3Error {
    let path = request.uri().path();
    let of_host = request.extensions().get::<HostBucket>().is_some();
    let key = if of_host { path.trim_start_matches('/') } else { route::split_bucket(path).1 };
    let kind = if key.is_empty() { "BUCKET" } else { "OBJECT" };
    let error = error::custom("AccessForbidden", StatusCode::FORBIDDEN, NOT_ALLOWED);
    error::with_fields(error, &[("Method", method), ("ResourceType", kind)])
}

/// Headers that the answer to a request has besides its own, errors too.
#[derive(Default)]
pub(crate) struct Grant(HeaderMap);

impl Grant {
    pub(crate) fn of(rules: &[CorsRule], request: &Request) -> Self {
        let mut headers = HeaderMap::new();
        // The answer to a preflight says all of this itself.
        if rules.is_empty() || *request.method() == Method::OPTIONS {
            return Self(headers);
        }
        // Also without an origin: what a cache keeps is for whoever asks next.
        headers.insert(VARY, VARIES);
        if let Some(origin) = text(request.headers(), ORIGIN)
            && let Some(rule) = rules.iter().find(|rule| rule.allows(origin, request.method().as_str()))
        {
            rule.allow(origin, &mut headers);
        }
        Self(headers)
    }

    pub(crate) fn add_to(self, response: &mut Response) {
        for (name, value) in &self.0 {
            response.headers_mut().append(name, value.clone());
        }
    }
}

impl CorsRule {
    fn allows(&self, origin: &str, method: &str) -> bool {
        self.methods.iter().any(|known| known == method)
            && self.origins.iter().any(|pattern| fits(pattern, origin))
    }

    fn takes(&self, header: &str) -> bool {
        self.headers.iter().any(|pattern| fits(&pattern.to_ascii_lowercase(), header))
    }

    fn allow(&self, origin: &str, headers: &mut HeaderMap) {
        if self.origins.iter().any(|pattern| pattern == "*") {
            headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
        } else {
            set(headers, ACCESS_CONTROL_ALLOW_ORIGIN, origin);
            headers.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
        }
        set(headers, ACCESS_CONTROL_ALLOW_METHODS, &self.methods.join(", "));
        set(headers, ACCESS_CONTROL_EXPOSE_HEADERS, &self.expose.join(", "));
        if let Some(max_age_s) = self.max_age_s {
            headers.insert(ACCESS_CONTROL_MAX_AGE, max_age_s.into());
        }
    }
}

fn fits(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((before, after)) => text.strip_prefix(before).is_some_and(|rest| rest.ends_with(after)),
    }
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name).and_then(|value| value.to_str().ok()).filter(|text| !text.is_empty())
}

fn set(headers: &mut HeaderMap, name: HeaderName, text: &str) {
    if let Ok(value) = HeaderValue::try_from(text)
        && !text.is_empty()
    {
        headers.insert(name, value);
    }
}
