//! From a request to its endpoint.
//!
//! Every API path ends in a slash; the original redirects a request without it, and real clients leave
//! it out. Both forms are served, without a redirect.

use cellgate_core::http::{Body, Client, Note, Request, Response, empty};
use cellgate_core::{Core, Error, Tree};
use futures_util::future::BoxFuture;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use percent_encoding::percent_decode_str;

use crate::error::SeafileError;
use crate::params::Params;
use crate::{auth, endpoints, fileserver, params};

/// Who may call an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    Anyone,
    User,
}

/// One operation of the API.
pub struct Endpoint {
    pub method: &'static str,
    /// Without a trailing slash. `{name}` is one segment, `{name*}` the rest.
    pub path: &'static str,
    pub operation: &'static str,
    pub access: Access,
    pub handler: fn(Call) -> BoxFuture<'static, Result<Response, SeafileError>>,
}

/// A request on its way into an endpoint.
pub struct Call {
    pub core: Core,
    /// Absent only on endpoints for [`Access::Anyone`].
    tree: Option<Tree>,
    params: Vec<String>,
    pub query: Params,
    pub method: Method,
    pub headers: HeaderMap,
    /// `https://host`, as the client sees us.
    pub base: String,
    body: Body,
}

impl Call {
    pub fn tree(&self) -> Result<Tree, SeafileError> {
        self.tree.clone().ok_or_else(auth::no_credentials)
    }

    /// A path parameter, decoded.
    pub fn param(&self, index: usize) -> Result<String, SeafileError> {
        let raw = self.params.get(index).map(String::as_str).unwrap_or_default();
        let decoded = percent_decode_str(raw).decode_utf8();
        decoded
            .map(|text| text.into_owned())
            .map_err(|_| Error::InvalidName("the path is not valid UTF-8".into()).into())
    }

    /// The parameters of the body, whatever its encoding.
    pub async fn form(&mut self) -> Result<Params, SeafileError> {
        let body = std::mem::replace(&mut self.body, empty());
        params::read_body(&self.headers, body).await
    }

    /// The body itself, once.
    pub fn take_body(&mut self) -> Body {
        std::mem::replace(&mut self.body, empty())
    }
}

pub async fn serve(core: Core, request: Request) -> Response {
    let mut note = Note::default();
    let path = request.uri().path().to_owned();
    let mut response = match dispatch(core, request, &mut note).await {
        Ok(response) => response,
        Err(error) => error.into_response(note.operation),
    };
    if path.starts_with("/seafhttp/") {
        fileserver::allow_origins(response.headers_mut());
    }
    // The file server and the sign-in learn by themselves who it is.
    if let Some(known) = response.extensions_mut().remove::<Note>() {
        note.principal = known.principal;
    }
    response.extensions_mut().insert(note);
    response
}

/// For endpoints of [`Access::Anyone`]: on whose behalf they answered.
pub fn note_principal(response: &mut Response, login: &str) {
    let note = Note { principal: Some(login.to_owned()), operation: None };
    response.extensions_mut().insert(note);
}

async fn dispatch(core: Core, request: Request, note: &mut Note) -> Result<Response, SeafileError> {
    let (head, body) = request.into_parts();
    if head.method == Method::OPTIONS && head.uri.path().starts_with("/seafhttp/") {
        return Ok(Response::new(empty()));
    }
    let (endpoint, params) = match find(&head.method, head.uri.path()) {
        Route::Endpoint(endpoint, params) => (endpoint, params),
        Route::Unbuilt(path) => {
            return Err(SeafileError::Message(
                StatusCode::NOT_IMPLEMENTED,
                format!("{} {path}/ is not implemented.", head.method),
            ));
        }
        Route::OtherMethod => {
            let text = format!("Method \"{}\" not allowed.", head.method);
            return Err(SeafileError::Detail(StatusCode::METHOD_NOT_ALLOWED, text));
        }
        Route::Unknown => {
            return Err(SeafileError::Message(StatusCode::NOT_FOUND, "Not found.".into()));
        }
    };
    note.operation = Some(endpoint.operation);
    let tree = match endpoint.access {
        Access::Anyone => None,
        Access::User => {
            let tree = auth::open(&core, &head.headers).await?;
            note.principal = Some(tree.principal().login.clone());
            Some(tree)
        }
    };
    let query = Params::parse(head.uri.query().unwrap_or_default().as_bytes());
    let base = base(&head);
    let call = Call { core, tree, params, query, method: head.method, headers: head.headers, base, body };
    (endpoint.handler)(call).await
}

/// Where the client believes us to be: links must lead back the way it came.
fn base(head: &Parts) -> String {
    let header = |name: &str| {
        let value = head.headers.get(name)?.to_str().ok()?;
        value.split(',').next().map(str::trim).filter(|value| !value.is_empty())
    };
    let secure = head.extensions.get::<Client>().is_some_and(|client| client.secure);
    let scheme = match header("x-forwarded-proto") {
        Some(scheme) if scheme.eq_ignore_ascii_case("https") => "https",
        Some(scheme) if scheme.eq_ignore_ascii_case("http") => "http",
        _ if secure => "https",
        _ => "http",
    };
    let host = header("x-forwarded-host")
        .or_else(|| header(header::HOST.as_str()))
        .or_else(|| head.uri.authority().map(|authority| authority.as_str()))
        .filter(|host| host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_:[]".contains(&byte)))
        .unwrap_or("localhost");
    format!("{scheme}://{host}")
}

enum Route {
    Endpoint(&'static Endpoint, Vec<String>),
    Unbuilt(&'static str),
    OtherMethod,
    Unknown,
}

fn find(method: &Method, path: &str) -> Route {
    // The body of a HEAD's answer is left out by the listener.
    let verb = if method == Method::HEAD { "GET" } else { method.as_str() };
    let mut known = false;
    for endpoint in endpoints::built() {
        if let Some(params) = matches(endpoint.path, path) {
            if endpoint.method == verb {
                return Route::Endpoint(endpoint, params.into_iter().map(str::to_owned).collect());
            }
            known = true;
        }
    }
    // An operation that exists on a path that is partly built, or a path of which nothing is.
    for (verbs, template) in endpoints::UNBUILT {
        if matches(template, path).is_some() {
            if verbs.is_empty() || verbs.split(' ').any(|other| other == verb) {
                return Route::Unbuilt(template);
            }
            known = true;
        }
    }
    if known { Route::OtherMethod } else { Route::Unknown }
}

/// Matches a raw path and answers its parameters, still encoded.
fn matches<'p>(template: &str, path: &'p str) -> Option<Vec<&'p str>> {
    let mut params = Vec::new();
    let mut rest = Some(path.strip_prefix('/')?);
    for expected in template.strip_prefix('/')?.split('/') {
        let left = rest?;
        if expected.ends_with("*}") {
            params.push(left);
            return Some(params);
        }
        let (segment, more) = match left.split_once('/') {
            Some((segment, more)) => (segment, Some(more)),
            None => (left, None),
        };
        match expected {
            "{id}" if !is_library_id(segment) => return None,
            _ if expected.starts_with('{') && !segment.is_empty() => params.push(segment),
            _ if segment == expected => {}
            _ => return None,
        }
        rest = more;
    }
    matches!(rest, None | Some("")).then_some(params)
}

/// The pattern of the original: anything else is another route (`/api/v2.1/repos/batch-delete-item/`).
fn is_library_id(segment: &str) -> bool {
    segment.len() == 36
        && segment.bytes().all(|byte| byte == b'-' || byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

/// `Location` of what was made or moved; it must work, because clients follow it.
pub fn location(response: &mut Response, url: &str) {
    if let Ok(value) = HeaderValue::from_str(url) {
        response.headers_mut().insert(header::LOCATION, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "6f1c2d3e-0a4b-4c5d-8e6f-7a8b9c0d1e2f";

    fn named(method: &str, path: &str) -> String {
        match find(&method.parse().unwrap(), &path.replace("ID", ID)) {
            Route::Endpoint(endpoint, _) => endpoint.operation.into(),
            Route::Unbuilt(template) => format!("unbuilt {template}"),
            Route::OtherMethod => "other method".into(),
            Route::Unknown => "unknown".into(),
        }
    }

    #[test]
    fn routes_with_and_without_the_last_slash() {
        let cases = [
            ("POST", "/api2/auth-token/", "auth-token"),
            ("POST", "/api2/auth-token", "auth-token"),
            ("GET", "/api2/repos", "list-repos"),
            ("HEAD", "/api2/ping/", "ping"),
            ("GET", "/api2/repos/ID/dir/", "list-dir"),
            ("GET", "/api/v2.1/repos/ID/dir/", "list-dir-v2.1"),
            ("GET", "/api/v2.1/repos/ID/dir/detail/", "dir-detail"),
            ("GET", "/api2/repos/ID/file/detail/", "file-detail"),
            ("POST", "/api/v2.1/repos/sync-batch-move-item/", "sync-batch-move-item"),
            ("GET", "/seafhttp/files/token/a%2Fb/c", "files"),
            ("PUT", "/api2/repos/ID/file/", "unbuilt /api2/repos/{id}/file"),
            ("DELETE", "/api2/repos/ID/", "unbuilt /api2/repos/{id}"),
            ("GET", "/api/v2.1/share-links/", "unbuilt /api/v2.1/share-links"),
            ("PATCH", "/api2/repos/ID/dir/", "other method"),
            ("GET", "/api2/repos/not-a-library/dir/", "unknown"),
            ("GET", "/api2/nothing/", "unknown"),
            ("GET", "/api2", "unknown"),
            ("GET", "/seafhttp/", "unknown"),
        ];
        for (method, path, expected) in cases {
            assert_eq!(named(method, path), expected, "{method} {path}");
        }
    }

    #[test]
    fn links_lead_back_the_way_the_client_came() {
        let base_of = |lines: &[(&'static str, &str)]| {
            let mut request = http::Request::builder().uri("/api2/ping/");
            for (name, value) in lines {
                request = request.header(*name, *value);
            }
            base(&request.body(()).unwrap().into_parts().0)
        };
        assert_eq!(base_of(&[("host", "h:8080")]), "http://h:8080");
        assert_eq!(
            base_of(&[
                ("host", "inner"),
                ("x-forwarded-host", "files.example.org"),
                ("x-forwarded-proto", "https")
            ]),
            "https://files.example.org"
        );
        assert_eq!(base_of(&[("host", "evil\"><x")]), "http://localhost");
    }
}
