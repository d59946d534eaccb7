//! `GET /seafhttp/files/<link>/<name>`: downloads.
//!
//! The name in the URL is for show; the link decides what is sent. HEAD does not spend a link that
//! holds once, the first GET that finds the file does.

use cellgate_core::http::conditional::{Conditions, ETags};
use cellgate_core::http::range::RangeSpec;
use cellgate_core::http::{Response, content, date, empty};
use cellgate_core::tree::{Read, ReadOptions};
use cellgate_core::{Error, Node, NodePath, Tree};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};

use crate::error::SeafileError;
use crate::ids;
use crate::library::Library;
use crate::links::{self, Action, Redeemed};
use crate::route::{self, Access, Call, Endpoint};

pub const ENDPOINTS: &[Endpoint] = &[Endpoint {
    method: "GET",
    path: "/seafhttp/files/{link}/{name*}",
    operation: "files",
    access: Access::Anyone,
    handler: |call| Box::pin(files(call)),
}];

async fn files(call: Call) -> Result<Response, SeafileError> {
    let redeemed = links::redeem(&call.core, &call.param(0)?).await.map_err(SeafileError::download)?;
    let Some(redeemed) = redeemed else { return Err(forbidden("Access token not found")) };
    if redeemed.link.action != Action::Download {
        return Err(forbidden("Operation does not match access token."));
    }
    match send((&call.method, &call.headers), &redeemed).await {
        Err(SeafileError::Core(Error::RangeNotSatisfiable { size })) => {
            let mut response = Response::new(empty());
            *response.status_mut() = StatusCode::RANGE_NOT_SATISFIABLE;
            set(response.headers_mut(), header::CONTENT_RANGE, &format!("bytes */{size}"))?;
            Ok(response)
        }
        Err(SeafileError::Core(Error::NotModified { .. })) => {
            let mut response = Response::new(empty());
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            Ok(response)
        }
        // A library that is gone, or a file: the download server speaks plain text.
        Err(SeafileError::Core(error)) => Err(SeafileError::download(error)),
        Err(SeafileError::Message(status, text)) => Err(SeafileError::Download(status, text)),
        answer => answer,
    }
}

fn forbidden(text: &str) -> SeafileError {
    SeafileError::Download(StatusCode::FORBIDDEN, text.into())
}

async fn send(head: (&Method, &HeaderMap), redeemed: &Redeemed) -> Result<Response, SeafileError> {
    let tree = &redeemed.tree;
    let library = Library::open(tree, &redeemed.link.library.to_string()).await?;
    let path = library.path(&redeemed.link.path)?;
    if *head.0 == Method::HEAD {
        let node = tree.stat(&path).await?;
        if node.is_collection() {
            return Err(Error::IsACollection(path.to_string()).into());
        }
        let mut response = Response::new(empty());
        dress(response.headers_mut(), &path, &node, node.size)?;
        return Ok(response);
    }
    let read = read(tree, &path, head.1).await?;
    redeemed.spend().await?;
    let length = read.range.map_or(read.node.size, |range| range.len());
    let mut response = content(read.bits);
    dress(response.headers_mut(), &path, &read.node, length)?;
    if let Some(range) = read.range {
        *response.status_mut() = StatusCode::PARTIAL_CONTENT;
        set(response.headers_mut(), header::CONTENT_RANGE, &range.content_range(read.node.size))?;
    }
    route::note_principal(&mut response, &tree.principal().login);
    Ok(response)
}

async fn read(tree: &Tree, path: &NodePath, headers: &HeaderMap) -> Result<Read, Error> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let mut options = ReadOptions {
        range: text(header::RANGE).and_then(RangeSpec::parse),
        // The tag that clients know is the file's id, so of the conditions only the date is theirs.
        conditions: Conditions {
            if_modified_since_s: text(header::IF_MODIFIED_SINCE).and_then(date::parse_http),
            ..Conditions::default()
        },
        version: None,
    };
    if let (Some(_), Some(tag)) = (options.range, text(header::IF_RANGE)) {
        let node = tree.stat(path).await?;
        if tag.trim_matches('"') == ids::of(&node) {
            // Only if it is still that content when it is read.
            options.conditions.if_match = Some(ETags::List(vec![node.etag]));
        } else {
            options.range = None;
        }
    }
    match tree.read(path, &options).await {
        // An empty file has no range, and is sent whole whatever was asked for.
        Err(Error::RangeNotSatisfiable { size: 0 }) => {}
        // It changed since `If-Range` was compared: the whole, new content then.
        Err(Error::PreconditionFailed(_)) => options.conditions.if_match = None,
        answer => return answer,
    }
    options.range = None;
    tree.read(path, &options).await
}

fn dress(headers: &mut HeaderMap, path: &NodePath, node: &Node, length: u64) -> Result<(), SeafileError> {
    let name = path.name().unwrap_or_default();
    let ascii: String =
        name.chars().map(|c| if c.is_ascii() && c != '"' && c != '\\' { c } else { '_' }).collect();
    let quoted = percent_encoding::utf8_percent_encode(name, percent_encoding::NON_ALPHANUMERIC);
    let disposition = format!("attachment;filename*=utf-8''{quoted};filename=\"{ascii}\"");
    set(headers, header::CONTENT_DISPOSITION, &disposition)?;
    set(headers, header::CONTENT_TYPE, &node.mime)?;
    set(headers, header::CONTENT_LENGTH, &length.to_string())?;
    // Without quotes, as the original writes it; clients compare it with `oid`.
    set(headers, header::ETAG, &ids::of(node))?;
    set(headers, header::LAST_MODIFIED, &date::http(node.mtime_ns))?;
    set(headers, header::ACCEPT_RANGES, "bytes")?;
    set(headers, header::CACHE_CONTROL, "private, max-age=3600")?;
    set(headers, header::X_CONTENT_TYPE_OPTIONS, "nosniff")
}

fn set(headers: &mut HeaderMap, name: header::HeaderName, value: &str) -> Result<(), SeafileError> {
    let value = HeaderValue::from_str(value).map_err(Error::internal)?;
    headers.insert(name, value);
    Ok(())
}
