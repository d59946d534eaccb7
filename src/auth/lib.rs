//! The door of browsers and of sign-in: OAuth2/OIDC endpoints, public link pages, and the page that
//! `GET /` shows.
//!
//! Not built yet: everything but that page. The mounts are taken so that a client that looks for an
//! endpoint is told so (501), instead of being told that the server has never heard of it.

use cellgate_core::http::{Note, Protocol, Request, Response, full};
use cellgate_core::principal::Door;
use futures_util::future::BoxFuture;
use http::{HeaderValue, StatusCode, header};

/// The door itself.
#[derive(Debug, Clone, Copy, Default)]
pub struct Auth;

impl Auth {
    pub fn new() -> Self {
        Self
    }
}

impl Protocol for Auth {
    fn door(&self) -> Door {
        Door::Web
    }

    fn mounts(&self) -> &'static [&'static str] {
        &["/auth", "/oidc", "/public", "/.well-known"]
    }

    fn serve(&self, request: Request) -> BoxFuture<'static, Response> {
        let what = match request.uri().path().split('/').nth(1) {
            Some("public") => "public links",
            _ => "sign-in by OAuth2 and OpenID Connect",
        };
        let body = serde_json::json!({
            "error": "not_implemented",
            "error_description": format!("{what} are not built yet; sign in with a password, a token or an API key"),
        });
        Box::pin(async move {
            let mut response = Response::new(full(body.to_string()));
            *response.status_mut() = StatusCode::NOT_IMPLEMENTED;
            let json = HeaderValue::from_static("application/json");
            response.headers_mut().insert(header::CONTENT_TYPE, json);
            response.extensions_mut().insert(Note { principal: None, operation: Some("NotBuilt") });
            response
        })
    }
}

/// The page of `GET /`: what is here, and how to reach it with which client.
pub fn welcome(request: &Request) -> Response {
    let host = request
        .headers()
        .get(header::HOST)
        .and_then(|host| host.to_str().ok())
        .or_else(|| request.uri().authority().map(http::uri::Authority::as_str))
        .filter(|host| host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-:[]".contains(&byte)))
        .unwrap_or("this-server");
    let page = PAGE.replace("{host}", host);
    let mut response = Response::new(full(page));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    response.extensions_mut().insert(Note { principal: None, operation: Some("Welcome") });
    response
}

const PAGE: &str = "<!doctype html>
<html lang=\"en\"><meta charset=\"utf-8\"><title>cellgate</title>
<style>body{font:16px/1.5 sans-serif;max-width:50em;margin:3em auto;padding:0 1em}td{padding:.2em 1em .2em 0}</style>
<h1>cellgate</h1>
<p>The same files, through every protocol:</p>
<table>
<tr><td>Pydio Cells REST</td><td><code>{host}/a/</code></td></tr>
<tr><td>S3, bucket <code>io</code></td><td><code>{host}/io/</code></td></tr>
<tr><td>WebDAV: mount it in your system</td><td><code>{host}/dav/</code></td></tr>
<tr><td>Pydio 8</td><td><code>{host}/api/&lt;workspace&gt;/&lt;action&gt;</code>, <code>{host}/index.php</code></td></tr>
<tr><td>Seafile web API</td><td><code>{host}/api2/</code></td></tr>
</table>
</html>
";

#[cfg(test)]
mod tests {
    use super::*;
    use cellgate_core::http::empty;

    #[test]
    fn a_forged_host_is_not_written_into_the_page() {
        let request = http::Request::builder()
            .uri("/")
            .header("host", "\"><script>alert(1)</script>")
            .body(empty())
            .unwrap();
        let response = welcome(&request);
        assert_eq!(response.status(), StatusCode::OK);
        let length = http_body::Body::size_hint(response.body()).exact();
        assert_eq!(length, Some(PAGE.replace("{host}", "this-server").len() as u64));
    }
}
