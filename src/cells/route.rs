//! From a request to its endpoint.
//!
//! SDK clients send the slashes of a path parameter as `%2F`, scripts send them plain. So the raw
//! path is matched, and a parameter is decoded once, when it is read.

use std::sync::Arc;

use cellgate_core::http::{Body, Client, Note, Request, Response};
use cellgate_core::{Error, Tree};
use futures_util::future::BoxFuture;
use http::{HeaderMap, HeaderValue, Method, header};
use percent_encoding::percent_decode_str;

use crate::error::CellsError;
use crate::{State, auth, endpoints};

/// Who may call an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    Anyone,
    User,
    Admin,
}

/// One operation of the API.
pub struct Endpoint {
    pub method: &'static str,
    /// As in the API's specification, `/a` included.
    pub path: &'static str,
    /// The specification's name of the operation.
    pub operation: &'static str,
    pub access: Access,
    pub handler: fn(Call) -> BoxFuture<'static, Result<Response, CellsError>>,
}

/// A request on its way into an endpoint.
pub struct Call {
    pub state: Arc<State>,
    /// Absent only on endpoints for [`Access::Anyone`].
    tree: Option<Tree>,
    /// Path parameters, still encoded.
    params: Vec<String>,
    pub headers: HeaderMap,
    /// Whether the client reached us over TLS.
    pub secure: bool,
    pub body: Body,
}

impl Call {
    pub fn tree(&self) -> Result<&Tree, CellsError> {
        self.tree.as_ref().ok_or(CellsError::PolicyDenies)
    }

    /// The first path parameter, decoded.
    pub fn param(&self) -> Result<String, CellsError> {
        let raw = self.params.first().map(String::as_str).unwrap_or_default();
        let decoded = percent_decode_str(raw).decode_utf8();
        decoded
            .map(|text| text.into_owned())
            .map_err(|_| Error::InvalidName("the path is not valid UTF-8".into()).into())
    }
}

pub async fn serve(state: Arc<State>, request: Request) -> Response {
    let mut note = Note::default();
    let mut response = match dispatch(state, request, &mut note).await {
        Ok(response) => response,
        Err(error) => error.into_response(note.operation),
    };
    // Cells answers every origin; tokens travel in headers, so no credentials are shared by it.
    response.headers_mut().insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    response.extensions_mut().insert(note);
    response
}

async fn dispatch(state: Arc<State>, request: Request, note: &mut Note) -> Result<Response, CellsError> {
    let (head, body) = request.into_parts();
    let (endpoint, params) = match find(&head.method, head.uri.path()) {
        Route::Endpoint(endpoint, params) => (endpoint, params),
        Route::Unbuilt(operation) => {
            note.operation = Some(operation);
            return Err(CellsError::NotBuilt(operation));
        }
        Route::OtherMethod(allow) => return Err(CellsError::OtherMethod(allow)),
        Route::Unknown => return Err(CellsError::UnknownRoute),
    };
    note.operation = Some(endpoint.operation);
    let tree = match endpoint.access {
        Access::Anyone => None,
        Access::User | Access::Admin => {
            let tree = auth::open(&state.core, &head.headers).await?;
            note.principal = Some(tree.principal().login.clone());
            // Cells' policies answer an administrators' endpoint like a bad token, not with 403.
            if endpoint.access == Access::Admin && !tree.principal().admin {
                return Err(CellsError::PolicyDenies);
            }
            Some(tree)
        }
    };
    let secure = head.extensions.get::<Client>().is_some_and(|client| client.secure);
    (endpoint.handler)(Call { state, tree, params, headers: head.headers, secure, body }).await
}

/// What a method and path mean.
enum Route {
    Endpoint(&'static Endpoint, Vec<String>),
    Unbuilt(&'static str),
    OtherMethod(String),
    Unknown,
}

fn find(method: &Method, path: &str) -> Route {
    let mut best: Option<(usize, Route)> = None;
    let mut allowed: Vec<&'static str> = Vec::new();
    let built = endpoints::built().map(|endpoint| (endpoint.method, endpoint.path, Some(endpoint), ""));
    let unbuilt =
        endpoints::UNBUILT.iter().map(|(method, path, operation)| (*method, *path, None, *operation));
    for (verb, template, endpoint, operation) in built.chain(unbuilt) {
        let Some((literals, params)) = matches(template, path) else { continue };
        if verb != method.as_str() {
            if !allowed.contains(&verb) {
                allowed.push(verb);
            }
            continue;
        }
        // `/a/config/datasource/{Name}` before `/a/config/{FullPath}`.
        if best.as_ref().is_some_and(|(held, _)| *held >= literals) {
            continue;
        }
        let route = match endpoint {
            Some(endpoint) => Route::Endpoint(endpoint, params.into_iter().map(str::to_owned).collect()),
            None => Route::Unbuilt(operation),
        };
        best = Some((literals, route));
    }
    match best {
        Some((_, route)) => route,
        None if allowed.is_empty() => Route::Unknown,
        None => Route::OtherMethod(allowed.join(", ")),
    }
}

/// Parameters that take the rest of the path, slashes and all.
const GREEDY: [&str; 4] = ["{Node}", "{NodePath}", "{Login}", "{FullPath}"];

/// Matches a raw path: how many segments are literal, and the parameters.
fn matches<'p>(template: &str, path: &'p str) -> Option<(usize, Vec<&'p str>)> {
    let mut literals = 0;
    let mut params = Vec::new();
    let mut rest = Some(path.strip_prefix('/')?);
    for expected in template.strip_prefix('/')?.split('/') {
        let left = rest?;
        if GREEDY.contains(&expected) {
            params.push(left);
            return Some((literals, params));
        }
        let (segment, more) = match left.split_once('/') {
            Some((segment, more)) => (segment, Some(more)),
            None => (left, None),
        };
        if expected.starts_with('{') {
            if segment.is_empty() {
                return None;
            }
            params.push(segment);
        } else if segment == expected {
            literals += 1;
        } else {
            return None;
        }
        rest = more;
    }
    // One slash too many at the end is harmless and common in scripts.
    matches!(rest, None | Some("")).then_some((literals, params))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(method: &str, path: &str) -> String {
        match find(&method.parse().unwrap(), path) {
            Route::Endpoint(endpoint, params) => format!("{} {}", endpoint.operation, params.join(",")),
            Route::Unbuilt(operation) => format!("unbuilt {operation}"),
            Route::OtherMethod(allow) => format!("allow {allow}"),
            Route::Unknown => "unknown".into(),
        }
    }

    #[test]
    fn the_most_specific_template_wins_on_the_raw_path() {
        let cases = [
            ("GET", "/a/tree/stat/common-files%2Fa%20b", "HeadNode common-files%2Fa%20b"),
            ("GET", "/a/tree/stat/common-files/dir/", "HeadNode common-files/dir/"),
            ("GET", "/a/tree/stat/", "HeadNode "),
            ("POST", "/a/tree/stats", "BulkStatNodes "),
            ("POST", "/a/tree/stats/", "BulkStatNodes "),
            ("POST", "/a/meta/bulk/get", "GetBulkMeta "),
            ("POST", "/a/meta/get/ws/a", "unbuilt GetMeta"),
            ("GET", "/a/config/datasource/x", "unbuilt GetDataSource"),
            ("GET", "/a/config/some/deep/key", "unbuilt GetConfig"),
            ("GET", "/a/config/discovery", "unbuilt EndpointsDiscovery"),
            ("DELETE", "/a/user/group/", "unbuilt DeleteUser"),
            ("GET", "/a/tree/stats", "allow POST"),
            ("GET", "/a/tree/statistics", "unknown"),
            ("GET", "/a", "unknown"),
            ("GET", "/a/", "unknown"),
            ("GET", "/a/tree%2Fstat/x", "unknown"),
        ];
        for (method, path, expected) in cases {
            assert_eq!(named(method, path), expected, "{method} {path}");
        }
    }

    #[test]
    fn every_operation_of_the_published_list_has_one_route() {
        let mut seen = std::collections::HashSet::new();
        for (method, path, _, _) in endpoints::operations() {
            assert!(seen.insert((method, path)), "{method} {path} twice");
            let sample = path.replace(['{', '}'], "x");
            assert_ne!(named(method, &sample), "unknown", "{method} {path}");
        }
        // 169 in the list, two of which differ only in the spelling of a parameter.
        assert_eq!(seen.len(), 167);
    }
}
