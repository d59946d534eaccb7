//! `PROPPATCH` (RFC 4918 §9.2): dead properties, and the times of a file. All or nothing.
//!
//! Settable besides dead properties: `getlastmodified` (an HTTP date), `lastmodified` (seconds, what
//! rclone and ownCloud clients send) and `Win32LastModifiedTime`; all three are the node's own time.
//! The rest of the `DAV:` namespace is protected.

use std::collections::HashMap;

use cellgate_core::Error;
use cellgate_core::http::{Body, Response, collect, date};
use http::StatusCode;

use crate::Call;
use crate::document::{BODY_MAX_BYTES, DAV, Element, Name};
use crate::error::{DavError, Result};
use crate::headers::unix_seconds_ns;
use crate::ops::{detached, xml_response};
use crate::props::{DEAD, MULTISTATUS_CLOSE, MULTISTATUS_OPEN, WIN32, empty_element};
use crate::route::href;
use crate::xml::PROLOG;

/// What becomes of one property.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Fate {
    /// Kept (`Some`) or removed under this key.
    Dead(String, Option<String>),
    /// The node's modification time.
    Modified(i64),
    /// Removing what cannot be there.
    Nothing,
    Protected,
    /// The value is not what the property holds.
    Unfit,
}

pub async fn proppatch(call: Call, body: Body) -> Result<Response> {
    let body = collect(body, BODY_MAX_BYTES).await?;
    let changes = changes(&Element::parse(&body)?)?;
    call.check_conditions().await?;
    let node = call.tree.stat(&call.path).await?;
    let href = href(&call.path, node.is_collection());

    let allowed = changes.iter().all(|(_, fate)| !matches!(fate, Fate::Protected | Fate::Unfit));
    if allowed {
        apply(&call, &changes).await?;
    }
    Ok(multistatus(&href, &changes, allowed))
}

/// The instructions in document order, which is the order they count in.
fn changes(root: &Element) -> Result<Vec<(Name, Fate)>> {
    if !root.name.is_dav("propertyupdate") {
        return Err(DavError::bad_request("the body is not a propertyupdate element"));
    }
    let mut changes = Vec::new();
    for instruction in root.elements() {
        let set = match instruction.name.is_dav("set") {
            true => true,
            false if instruction.name.is_dav("remove") => false,
            false => continue,
        };
        let prop =
            instruction.child("prop").ok_or_else(|| DavError::bad_request("set or remove without prop"))?;
        for property in prop.elements() {
            changes.push((property.name.clone(), fate(property, set)));
        }
    }
    if changes.is_empty() {
        return Err(DavError::bad_request("propertyupdate changes nothing"));
    }
    Ok(changes)
}

fn fate(property: &Element, set: bool) -> Fate {
    let modified = |ns: Option<i64>| ns.map_or(Fate::Unfit, Fate::Modified);
    let http_date = || date::parse_http(property.text().trim())?.checked_mul(1_000_000_000);
    match (property.name.ns.as_str(), property.name.local.as_str()) {
        (DAV, "getlastmodified") if set => modified(http_date()),
        (DAV, "lastmodified") if set => modified(unix_seconds_ns(property.text().trim())),
        (DAV, "getcontentlanguage") => Fate::Dead(property.name.key(), set.then(|| property.standalone())),
        (DAV, _) => Fate::Protected,
        (WIN32, "Win32LastModifiedTime") if set => modified(http_date()),
        (WIN32, "Win32LastModifiedTime") => Fate::Nothing,
        _ => Fate::Dead(property.name.key(), set.then(|| property.standalone())),
    }
}

async fn apply(call: &Call, changes: &[(Name, Fate)]) -> Result<()> {
    let mut last: HashMap<&str, &Option<String>> = HashMap::new();
    let mut mtime_ns = None;
    for (_, fate) in changes {
        match fate {
            Fate::Dead(key, value) => {
                last.insert(key, value);
            }
            Fate::Modified(ns) => mtime_ns = Some(*ns),
            Fate::Nothing | Fate::Protected | Fate::Unfit => {}
        }
    }
    let values: Vec<(String, Option<String>)> =
        last.into_iter().map(|(key, value)| (key.to_owned(), value.clone())).collect();
    let (tree, path, tokens) = (call.tree.clone(), call.path.clone(), call.tokens.clone());
    detached(async move {
        // Two commits where times and dead properties come together. Both check the same rights and
        // locks, so the second fails alone only when those change in between.
        if !values.is_empty() {
            tree.set_meta(&path, DEAD, &values, &tokens).await?;
        }
        if mtime_ns.is_some() {
            tree.set_attributes(&path, &[], None, mtime_ns, &tokens).await?;
        }
        Ok::<_, Error>(())
    })
    .await
}

fn multistatus(href: &str, changes: &[(Name, Fate)], done: bool) -> Response {
    let mut groups: Vec<(StatusCode, bool, Vec<u8>)> = Vec::new();
    let mut seen: Vec<&Name> = Vec::new();
    for (name, fate) in changes {
        if seen.contains(&name) {
            continue;
        }
        seen.push(name);
        let (status, protected) = match fate {
            Fate::Protected => (StatusCode::FORBIDDEN, true),
            Fate::Unfit => (StatusCode::CONFLICT, false),
            _ if done => (StatusCode::OK, false),
            _ => (StatusCode::FAILED_DEPENDENCY, false),
        };
        let element = empty_element(name);
        match groups.iter_mut().find(|(other, _, _)| *other == status) {
            Some((_, _, elements)) => elements.extend_from_slice(&element),
            None => groups.push((status, protected, element)),
        }
    }
    let mut out = Vec::from(PROLOG.as_bytes());
    out.extend_from_slice(MULTISTATUS_OPEN.as_bytes());
    out.extend_from_slice(format!("<D:response><D:href>{href}</D:href>").as_bytes());
    for (status, protected, elements) in groups {
        out.extend_from_slice(b"<D:propstat><D:prop>");
        out.extend_from_slice(&elements);
        out.extend_from_slice(format!("</D:prop><D:status>HTTP/1.1 {status}</D:status>").as_bytes());
        if protected {
            out.extend_from_slice(b"<D:error><D:cannot-modify-protected-property/></D:error>");
        }
        out.extend_from_slice(b"</D:propstat>");
    }
    out.extend_from_slice(b"</D:response>\n");
    out.extend_from_slice(MULTISTATUS_CLOSE.as_bytes());
    xml_response(StatusCode::MULTI_STATUS, out)
}
