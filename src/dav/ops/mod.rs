//! One file per method, and what several of them need.

pub mod claims;
pub mod copy_move;
pub mod delete;
pub mod get;
pub mod lock;
pub mod mkcol;
pub mod options;
pub mod patch;
pub mod propfind;
pub mod proppatch;
pub mod put;
pub mod unlock;

use std::future::Future;

use cellgate_core::http::{Body, Response, empty, full};
use cellgate_core::{Error, Node};
use http::{HeaderValue, StatusCode, header};
use http_body::Body as _;
use http_body_util::BodyExt;

use crate::error::{DavError, Result};
use crate::xml;

/// Runs a mutation to its end, even when the client hangs up and this future is dropped.
async fn detached<T: Send + 'static>(
    work: impl Future<Output = cellgate_core::Result<T>> + Send + 'static,
) -> Result<T> {
    tokio::spawn(work).await.map_err(|error| DavError::Core(Error::internal(error)))?.map_err(DavError::Core)
}

/// RFC 4918 §8.4: a body where none is defined is a 415.
async fn refuse_body(mut body: Body) -> Result<()> {
    while !body.is_end_stream() {
        let Some(frame) = body.frame().await else { break };
        let frame = frame.map_err(|error| DavError::Core(Error::BrokenBody(error.to_string())))?;
        if frame.data_ref().is_some_and(|data| !data.is_empty()) {
            return Err(DavError::unsupported_body());
        }
    }
    Ok(())
}

fn status(status: StatusCode) -> Response {
    let mut response = Response::new(empty());
    *response.status_mut() = status;
    response
}

fn xml_response(status: StatusCode, body: impl Into<bytes::Bytes>) -> Response {
    let mut response = Response::new(full(body));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(xml::CONTENT_TYPE));
    response
}

/// 201 where something new stands now, 204 where something was replaced.
fn created_or_replaced(created: bool) -> StatusCode {
    if created { StatusCode::CREATED } else { StatusCode::NO_CONTENT }
}

/// `ETag` and `Last-Modified` of a leaf.
fn validators(response: &mut Response, node: &Node) {
    if let Ok(value) = HeaderValue::from_str(&format!("\"{}\"", node.etag)) {
        response.headers_mut().insert(header::ETAG, value);
    }
    if let Ok(value) = HeaderValue::from_str(&cellgate_core::http::date::http(node.mtime_ns)) {
        response.headers_mut().insert(header::LAST_MODIFIED, value);
    }
}
