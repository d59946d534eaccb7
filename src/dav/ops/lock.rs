//! `LOCK` (RFC 4918 §9.10): takes a lock of the core, or renews one.

use cellgate_core::http::{Body, Response, collect, date};
use cellgate_core::lock::{Lock, LockRequest};
use cellgate_core::{Error, NodePath};
use http::{HeaderValue, StatusCode};

use crate::Call;
use crate::document::{BODY_MAX_BYTES, Element};
use crate::error::{DavError, Result};
use crate::headers::{Depth, depth, timeout_s};
use crate::ops::{detached, xml_response};
use crate::props::active_lock;
use crate::route::href;
use crate::xml::PROLOG;

pub async fn lock(call: Call, body: Body) -> Result<Response> {
    let body = collect(body, BODY_MAX_BYTES).await?;
    if body.is_empty() {
        return refresh(call).await;
    }
    let (owner, shared) = lockinfo(&Element::parse(&body)?)?;
    let deep = match depth(&call.parts.headers)? {
        // Windows sends no Depth: infinity (§9.10.3), on a leaf as well.
        None | Some(Depth::Infinity) => true,
        Some(Depth::Zero) => false,
        Some(Depth::One) => return Err(DavError::bad_request("LOCK takes Depth 0 or infinity")),
    };
    call.check_conditions().await?;
    let request = LockRequest {
        owner,
        deep,
        shared,
        timeout_s: timeout_s(&call.parts.headers),
        create: true,
        tokens: call.tokens.clone(),
    };
    let (tree, path) = (call.tree.clone(), call.path.clone());
    let (lock, created) = detached(async move { tree.lock(&path, &request).await }).await?;

    let status = if created { StatusCode::CREATED } else { StatusCode::OK };
    let mut response = discovery(&call, status, &lock).await?;
    if let Ok(value) = HeaderValue::from_str(&format!("<{}>", lock.token)) {
        response.headers_mut().insert("lock-token", value);
    }
    Ok(response)
}

/// A LOCK without a body (§9.10.2). The `If` header names the lock; a token that does not hold here
/// has failed it already, with 412.
async fn refresh(call: Call) -> Result<Response> {
    if call.tokens.is_empty() {
        return Err(DavError::bad_request("LOCK has neither a body nor a token in If"));
    }
    let (tree, path, tokens) = (call.tree.clone(), call.path.clone(), call.tokens.clone());
    let timeout_s = timeout_s(&call.parts.headers);
    let lock = detached(async move {
        let mut refused = Error::NoSuchLock(path.to_string());
        // One token is the rule; of several, the first that is a lock here.
        for token in &tokens {
            match tree.refresh_lock(&path, token, timeout_s).await {
                Ok(lock) => return Ok(lock),
                Err(error) => refused = error,
            }
        }
        Err(refused)
    })
    .await?;
    discovery(&call, StatusCode::OK, &lock).await
}

/// Owner (as inner XML) and whether the lock is shared.
fn lockinfo(root: &Element) -> Result<(String, bool)> {
    if !root.name.is_dav("lockinfo") {
        return Err(DavError::bad_request("the body is not a lockinfo element"));
    }
    let scope = root.child("lockscope").ok_or_else(|| DavError::bad_request("lockinfo has no lockscope"))?;
    let shared = match (scope.child("exclusive").is_some(), scope.child("shared").is_some()) {
        (true, false) => false,
        (false, true) => true,
        _ => return Err(DavError::bad_request("the lockscope is exclusive or shared")),
    };
    if root.child("locktype").and_then(|kind| kind.child("write")).is_none() {
        return Err(DavError::bad_request("the locktype is write"));
    }
    Ok((root.child("owner").map(Element::inner).unwrap_or_default(), shared))
}

/// The body of every successful LOCK: all locks that hold here now (§9.10.1).
async fn discovery(call: &Call, status: StatusCode, lock: &Lock) -> Result<Response> {
    let mut locks: Vec<(NodePath, Lock)> = call.tree.locks(&call.path).await?;
    if !locks.iter().any(|(_, other)| other.token == lock.token) {
        // Expired or broken in this very moment; the answer is still about it.
        locks.push((call.path.clone(), lock.clone()));
    }
    let now_ns = date::now_ns();
    let mut out = Vec::from(PROLOG.as_bytes());
    out.extend_from_slice(b"<D:prop xmlns:D=\"DAV:\"><D:lockdiscovery>");
    for (path, lock) in &locks {
        active_lock(&mut out, lock, href(path, false).as_bytes(), now_ns);
    }
    out.extend_from_slice(b"</D:lockdiscovery></D:prop>\n");
    Ok(xml_response(status, out))
}
