//! `PATCH` with `X-Update-Range`, SabreDAV's partial update: by dav-server, over `filesystem`.
//! Also the way into dav-server for the other methods it answers.

use cellgate_core::http::{Body, Response};
use futures_util::{StreamExt, stream};
use http::{HeaderMap, Request, header};
use http_body_util::{BodyExt, StreamBody};

use crate::Call;
use crate::error::{DavError, Result};
use crate::filesystem::Caller;
use crate::route::href;

pub async fn patch(call: Call, body: Body) -> Result<Response> {
    if call.slash {
        return Err(DavError::not_allowed("a collection has no content"));
    }
    let (response, failure) = through_library(call, http::Method::PATCH, body).await;
    match failure {
        Some(error) => Err(error.into()),
        None => Ok(response),
    }
}

/// Headers that dav-server may see. Conditions and credentials are dealt with already; `X-Litmus`
/// switches off safety there.
const PASSED: [&str; 5] = ["content-type", "content-length", "x-update-range", "range", "user-agent"];

/// Lets dav-server answer a request for the call's path, written as we understood it. Also hands
/// out the core's error, if there was one: dav-server's own answer knows less.
pub async fn through_library(
    call: Call,
    method: http::Method,
    body: Body,
) -> (Response, Option<cellgate_core::Error>) {
    let caller = Caller::new(call.tree, call.path, call.conditions, call.tokens);
    let mut headers = HeaderMap::new();
    for name in PASSED {
        if let Some(value) = call.parts.headers.get(name) {
            headers.insert(name, value.clone());
        }
    }
    let mut request = Request::new(body.map_err(std::io::Error::other));
    *request.method_mut() = method;
    *request.uri_mut() = href(&caller.path, false).parse().unwrap_or_default();
    *request.headers_mut() = headers;

    let login = caller.tree.principal().login.clone();
    let mut response = call.library.handle_guarded(request, login, caller.clone()).await;
    response.headers_mut().remove(header::CONNECTION);
    // dav-server's stream panics when it is polled again after an error, so the error ends it here.
    let response = response.map(|body| {
        let frames = stream::unfold(Some(body), |body| async move {
            let mut body = body?;
            let frame = body.next().await?;
            let rest = frame.is_ok().then_some(body);
            Some((frame.map(http_body::Frame::data), rest))
        });
        StreamBody::new(frames)
            .map_err(|error| Box::new(error) as cellgate_core::http::BoxError)
            .boxed_unsync()
    });
    let failure = caller.failure();
    (response, failure)
}
