//! `OPTIONS`: what can be done here. dav-server's answer, corrected where it does not know us.

use cellgate_core::http::{Response, empty};
use dav_server::DavHandler;
use http::{HeaderValue, header};

use crate::Call;
use crate::error::Result;
use crate::filesystem::Adapter;
use crate::ops::status;

const CLASSES: &str = "1, 2, 3, sabredav-partialupdate";

/// dav-server over our tree, for what is left to it.
pub fn library() -> DavHandler<crate::filesystem::Caller> {
    DavHandler::builder()
        .filesystem(Box::new(Adapter))
        .strip_prefix(crate::route::MOUNT)
        .autoindex(false)
        .read_buf_size(256 * 1024)
        .build_handler()
}

/// The answer to everybody, and on `/`: Finder mounts read-only unless it sees class 2, Windows
/// does not mount at all without `MS-Author-Via`.
pub fn anonymous() -> Response {
    let mut response = status(http::StatusCode::OK);
    let headers = response.headers_mut();
    headers.insert("dav", HeaderValue::from_static(CLASSES));
    headers.insert("ms-author-via", HeaderValue::from_static("DAV"));
    headers.insert(
        header::ALLOW,
        HeaderValue::from_static(
            "OPTIONS, HEAD, GET, PUT, PATCH, DELETE, MKCOL, COPY, MOVE, PROPFIND, PROPPATCH, LOCK, UNLOCK",
        ),
    );
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from_static("0"));
    response
}

pub async fn options(call: Call) -> Result<Response> {
    let (path, body) = (call.path.clone(), empty());
    let (mut response, _) = crate::ops::patch::through_library(call, http::Method::OPTIONS, body).await;
    let allowed = response.headers().get(header::ALLOW).and_then(|value| value.to_str().ok());
    let mut methods: Vec<&str> = allowed.unwrap_or_default().split(',').map(str::trim).collect();
    if methods.contains(&"PROPFIND") {
        methods.push("PROPPATCH");
    }
    // dav-server has no lock table here and leaves these out.
    if !path.is_root() {
        methods.push("LOCK");
        if methods.contains(&"PROPFIND") {
            methods.push("UNLOCK");
        }
    }
    match path.depth() {
        0 => methods.retain(|method| matches!(*method, "OPTIONS" | "PROPFIND")),
        1 => methods.retain(|method| !matches!(*method, "MOVE" | "DELETE")),
        _ => {}
    }
    if let Ok(value) = HeaderValue::from_str(&methods.join(", ")) {
        response.headers_mut().insert(header::ALLOW, value);
    }
    response.headers_mut().insert("dav", HeaderValue::from_static(CLASSES));
    Ok(response)
}
