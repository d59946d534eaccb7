//! `stat`: what PHP's `stat()` says, in JSON whose media type has no charset, because the Java SDK
//! compares it whole.
//!
//! Known gap: `stat_hash`.

use std::fmt::Write;

use cellgate_core::error::Error;
use cellgate_core::http::Response;
use cellgate_core::node::Node;
use futures_util::{StreamExt, TryStreamExt, stream};
use serde_json::json;

use crate::call::Call;
use crate::error::Fault;
use crate::render::{BARE_JSON, json as php, ok};

pub async fn stat(call: Call) -> Result<Response, Fault> {
    // Only `nodes[]` makes an answer by path; the path value of the URL is beside it then.
    let many: Vec<String> = call.params.list("nodes").map(str::to_owned).collect();
    if many.len() < 2 {
        let selection = call.params.selection();
        let path = selection.first().map_or("/", String::as_str);
        return Ok(ok(BARE_JSON, one(&call, path).await?));
    }
    // Clients ask for up to 200 at once; a few at a time keeps other callers' turn.
    let call = &call;
    let answers: Vec<(String, String)> = stream::iter(many)
        .map(|path| async move {
            let answer = one(call, &path).await?;
            Ok::<_, Fault>((cleaned(&path), answer))
        })
        .buffered(8)
        .try_collect()
        .await?;
    let mut body = Vec::from(b"{");
    for (index, (path, answer)) in answers.iter().enumerate() {
        if index > 0 {
            body.push(b',');
        }
        body.extend(php::text(&json!(path)));
        body.push(b':');
        body.extend_from_slice(answer.as_bytes());
    }
    body.push(b'}');
    Ok(ok(BARE_JSON, body))
}

async fn one(call: &Call, path: &str) -> Result<String, Fault> {
    match call.tree.stat(&call.place.path(path)?).await {
        Ok(node) => Ok(fields(&node)),
        Err(Error::NotFound(_) | Error::NotACollection(_) | Error::ParentMissing(_)) => Ok("{}".to_owned()),
        Err(error) => Err(error.into()),
    }
}

/// The path as sent, without what carries no meaning in it: clients look their own text up.
fn cleaned(path: &str) -> String {
    let mut clean = String::with_capacity(path.len());
    for name in path.split('/').filter(|name| !name.is_empty()) {
        clean.push('/');
        clean.push_str(name);
    }
    if clean.is_empty() { "/".to_owned() } else { clean }
}

/// PHP gives every number twice, by position and by name.
fn fields(node: &Node) -> String {
    let mtime = node.mtime_s();
    // What a folder takes on a common disk: clients only look whether there is a size.
    let size = if node.is_collection() { 4_096 } else { node.size };
    let mode = if node.is_collection() { 0o040_755 } else { 0o100_644 };
    let size = i64::try_from(size).unwrap_or(i64::MAX);
    let numbers: [(&str, i64); 13] = [
        ("dev", 1),
        ("ino", node.id.0),
        ("mode", mode),
        ("nlink", 1),
        ("uid", 33),
        ("gid", 33),
        ("rdev", 0),
        ("size", size),
        ("atime", mtime),
        ("mtime", mtime),
        ("ctime", mtime),
        ("blksize", 4_096),
        ("blocks", size / 512 + i64::from(size % 512 > 0)),
    ];
    let mut text = String::from("{");
    for (position, (_, number)) in numbers.iter().enumerate() {
        let _ = write!(text, "\"{position}\":{number},");
    }
    for (index, (name, number)) in numbers.iter().enumerate() {
        let comma = if index == 0 { "" } else { "," };
        let _ = write!(text, "{comma}\"{name}\":{number}");
    }
    text.push('}');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_come_back_as_they_were_sent() {
        for (sent, shown) in [("/a/b", "/a/b"), ("/a//b/", "/a/b"), ("a", "/a"), ("/", "/"), ("", "/")] {
            assert_eq!(cleaned(sent), shown);
        }
    }
}
