//! `get_xml_registry`, and its other names `state` (`/api/`) and `user_state`.
//!
//! With an `xPath` only the first node that matches is answered, without one the whole registry
//! with an ETag. The original lets shared caches keep the latter for a year; it names a user, so
//! here it is private.

use std::borrow::Cow;

use cellgate_core::http::Response;
use http::header::{CACHE_CONTROL, ETAG, IF_NONE_MATCH};
use http::{HeaderMap, HeaderValue, StatusCode};
use md5::{Digest, Md5};
use serde_json::{Map, Value};

use crate::call::Call;
use crate::error::Fault;
use crate::ops::registry::registry;
use crate::render::element::Element;
use crate::render::xml::Xml;
use crate::render::{Format, JSON, XML, json as php, ok, respond};

pub async fn of_call(action: &str, call: Call) -> Result<Response, Fault> {
    let limit = call.tree.core().settings().max_leaf_bytes;
    let registry = registry(Some(&call.tree), Some(&call.place), limit).await?;
    let path = match action {
        "user_state" => Some("user"),
        _ => call.params.filled("xPath").filter(|path| *path != "/"),
    };
    Ok(render(&registry, path, call.format, &call.headers))
}

/// Renders the registry, or the part of it that a path names.
pub fn render(registry: &Element, path: Option<&str>, format: Format, headers: &HeaderMap) -> Response {
    let Some(path) = path else { return whole(registry, format, headers) };
    let path = path.trim_start_matches('/');
    let found = registry.find(path);
    match format {
        Format::Json => ok(JSON, php::text(&named(found))),
        Format::Xml => {
            let mut xml = Xml::document();
            xml.open_spaced_with("ajxp_registry_part", [("xPath", Cow::Borrowed(path))]);
            if let Some(found) = found {
                found.write(&mut xml);
            }
            xml.close("ajxp_registry_part");
            ok(XML, xml.finish())
        }
    }
}

fn whole(registry: &Element, format: Format, headers: &HeaderMap) -> Response {
    let (content_type, body) = match format {
        Format::Json => (JSON, php::text(&named(Some(registry)))),
        Format::Xml => {
            let mut xml = Xml::document();
            registry.write(&mut xml);
            (XML, xml.finish())
        }
    };
    let etag = hex::encode(Md5::digest(&body));
    let known = headers.get(IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    let current = known.is_some_and(|known| known.contains(&etag));
    let mut response = if current {
        respond(StatusCode::NOT_MODIFIED, content_type, Vec::new())
    } else {
        ok(content_type, body)
    };
    if current {
        response.headers_mut().remove(http::header::CONTENT_LENGTH);
    }
    if let Ok(etag) = HeaderValue::from_str(&etag) {
        response.headers_mut().insert(ETAG, etag);
    }
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    response
}

fn named(element: Option<&Element>) -> Value {
    let mut object = Map::new();
    if let Some(element) = element {
        object.insert(element.name.to_owned(), element.to_json());
    }
    Value::Object(object)
}
