//! The reads that stand both outside and inside a transaction, written once for both engines.

use bytes::Bytes;
use cellgate_core::Result;
use cellgate_core::change::Change;
use cellgate_core::lock::Lock;
use cellgate_core::node::{Content, Extent, Node, NodeId};
use cellgate_core::ports::{Count, Meta, Record, Span, Version};
use cellgate_core::upload::{Part, Upload};
use uuid::Uuid;

use super::session::{Session, Value, row, rows};
use super::{rows as read, sql};

pub async fn chain<S: Session>(s: &mut S, from: NodeId, names: &[String]) -> Result<Vec<Node>> {
    // A name with a NUL exists nowhere: the walk ends above it.
    let names = match names.iter().position(|name| name.contains('\0')) {
        Some(end) => names.get(..end).unwrap_or_default(),
        None => names,
    };
    match names {
        [] => Ok(Vec::new()),
        [name] => Ok(child(s, from, name).await?.into_iter().collect()),
        names => s.chain(from, names).await,
    }
}

pub async fn node<S: Session>(s: &mut S, id: NodeId) -> Result<Option<Node>> {
    row(s, &sql::NODE, &[Value::Int(id.0)], read::node).await
}

pub async fn node_by_uuid<S: Session>(s: &mut S, uuid: Uuid) -> Result<Option<Node>> {
    row(s, &sql::NODE_BY_UUID, &[Value::Text(&uuid.to_string())], read::node).await
}

pub async fn child<S: Session>(s: &mut S, parent: NodeId, name: &str) -> Result<Option<Node>> {
    row(s, &sql::CHILD, &[Value::Int(parent.0), Value::Text(name)], read::node).await
}

pub async fn ancestry<S: Session>(s: &mut S, id: NodeId) -> Result<Vec<Node>> {
    rows(s, &sql::ANCESTRY, &[Value::Int(id.0)], read::node).await
}

pub async fn children<S: Session>(s: &mut S, parent: NodeId, span: &Span) -> Result<Vec<Node>> {
    let Some(range) = KeyRange::of(span) else { return Ok(Vec::new()) };
    let limit = limited(span.limit);
    let (parent, from) = (Value::Int(parent.0), Value::Text(&range.from));
    match &range.below {
        Some(below) => {
            rows(s, &sql::CHILDREN_BELOW, &[parent, from, Value::Text(below), limit], read::node).await
        }
        None => rows(s, &sql::CHILDREN, &[parent, from, limit], read::node).await,
    }
}

pub async fn count_children<S: Session>(s: &mut S, parent: NodeId) -> Result<Count> {
    let count = row(s, &sql::COUNT_CHILDREN, &[Value::Int(parent.0)], read::count).await?;
    Ok(count.unwrap_or_default())
}

pub async fn occupied<S: Session>(s: &mut S, nodes: &[NodeId]) -> Result<Vec<NodeId>> {
    if nodes.is_empty() {
        return Ok(Vec::new());
    }
    rows(s, &sql::OCCUPIED, &[Value::Nodes(nodes)], read::node_id).await
}

pub async fn meta<S: Session>(s: &mut S, nodes: &[NodeId], namespace: Option<&str>) -> Result<Vec<Meta>> {
    if nodes.is_empty() {
        return Ok(Vec::new());
    }
    rows(s, &sql::META, &[Value::Nodes(nodes), Value::MaybeText(namespace)], read::meta).await
}

pub async fn versions<S: Session>(s: &mut S, nodes: &[NodeId]) -> Result<Vec<Version>> {
    if nodes.is_empty() {
        return Ok(Vec::new());
    }
    rows(s, &sql::VERSIONS, &[Value::Nodes(nodes)], read::version).await
}

pub async fn inline<S: Session>(s: &mut S, id: Uuid) -> Result<Option<Bytes>> {
    row(s, &sql::INLINE, &[Value::Text(&id.to_string())], read::bytes).await
}

/// The pieces are rows, so an empty list cannot be told from none; an empty leaf has no content.
pub async fn extents<S: Session>(s: &mut S, id: Uuid) -> Result<Option<Vec<Extent>>> {
    let extents = rows(s, &sql::EXTENTS, &[Value::Text(&id.to_string())], read::extent).await?;
    Ok(Some(extents).filter(|extents| !extents.is_empty()))
}

pub async fn is_referenced<S: Session>(s: &mut S, content: &Content) -> Result<bool> {
    match content {
        // Nothing to refer to, and nobody else's.
        Content::None | Content::Path => Ok(false),
        Content::Inline(_) | Content::Blob(_) | Content::Extents(_) => {
            let found =
                row(s, &sql::REFERENCES_TO, &[Value::Text(&content.to_text())], read::nothing).await?;
            Ok(found.is_some())
        }
    }
}

pub async fn discarded_blobs<S: Session>(s: &mut S, limit: usize) -> Result<Vec<(String, Uuid)>> {
    rows(s, &sql::DISCARDED_BLOBS, &[limited(limit)], read::discarded).await
}

pub async fn locks_on<S: Session>(s: &mut S, nodes: &[NodeId], now_ns: i64) -> Result<Vec<Lock>> {
    if nodes.is_empty() {
        return Ok(Vec::new());
    }
    rows(s, &sql::LOCKS_ON, &[Value::Nodes(nodes), Value::Int(now_ns)], read::lock).await
}

pub async fn locks_below<S: Session>(s: &mut S, id: NodeId, now_ns: i64) -> Result<Vec<Lock>> {
    rows(s, &sql::LOCKS_BELOW, &[Value::Int(now_ns), Value::Int(id.0)], read::lock).await
}

pub async fn locks<S: Session>(s: &mut S, now_ns: i64) -> Result<Vec<Lock>> {
    rows(s, &sql::LOCKS, &[Value::Int(now_ns)], read::lock).await
}

pub async fn lock<S: Session>(s: &mut S, token: &str, now_ns: i64) -> Result<Option<Lock>> {
    row(s, &sql::LOCK, &[Value::Text(token), Value::Int(now_ns)], read::lock).await
}

pub async fn changes<S: Session>(s: &mut S, after: i64, limit: usize) -> Result<Vec<Change>> {
    rows(s, &sql::CHANGES, &[Value::Int(after), limited(limit)], read::change).await
}

pub async fn last_change<S: Session>(s: &mut S) -> Result<i64> {
    Ok(row(s, &sql::LAST_CHANGE, &[], read::int).await?.unwrap_or(0))
}

pub async fn upload<S: Session>(s: &mut S, id: Uuid) -> Result<Option<Upload>> {
    row(s, &sql::UPLOAD, &[Value::Text(&id.to_string())], read::upload).await
}

pub async fn uploads<S: Session>(s: &mut S) -> Result<Vec<Upload>> {
    rows(s, &sql::UPLOADS, &[], read::upload).await
}

pub async fn part<S: Session>(s: &mut S, upload: Uuid, number: u32) -> Result<Option<Part>> {
    row(s, &sql::PART, &[Value::Text(&upload.to_string()), Value::Int(number.into())], read::part).await
}

pub async fn parts<S: Session>(s: &mut S, upload: Uuid, after: u32, limit: usize) -> Result<Vec<Part>> {
    let upload = upload.to_string();
    let values = [Value::Text(&upload), Value::Int(after.into()), limited(limit)];
    rows(s, &sql::PARTS, &values, read::part).await
}

pub async fn record<S: Session>(s: &mut S, kind: &str, id: &str) -> Result<Option<Record>> {
    row(s, &sql::RECORD, &[Value::Text(kind), Value::Text(id)], read::record).await
}

pub async fn record_by_name<S: Session>(s: &mut S, kind: &str, name: &str) -> Result<Option<Record>> {
    row(s, &sql::RECORD_BY_NAME, &[Value::Text(kind), Value::Text(name)], read::record).await
}

pub async fn records<S: Session>(s: &mut S, kind: &str, owner: Option<&str>) -> Result<Vec<Record>> {
    match owner {
        None => rows(s, &sql::RECORDS, &[Value::Text(kind)], read::record).await,
        Some(owner) => {
            rows(s, &sql::RECORDS_OF, &[Value::Text(kind), Value::Text(owner)], read::record).await
        }
    }
}

fn limited(limit: usize) -> Value<'static> {
    Value::Int(i64::try_from(limit).unwrap_or(i64::MAX))
}

/// A [`Span`] as a half-open range of sort keys.
#[derive(Debug, PartialEq, Eq)]
struct KeyRange {
    from: String,
    below: Option<String>,
}

impl KeyRange {
    /// `None` when no name can be in the span.
    fn of(span: &Span) -> Option<Self> {
        let prefix = span.prefix.as_deref().unwrap_or_default();
        if prefix.contains(['/', '\0']) {
            return None;
        }
        let from = match (span.from.as_deref(), span.exclusive) {
            (None, _) => String::new(),
            (Some(from), exclusive) => match from.split_once('\0') {
                // Cursors come from outside. No key holds a NUL (and PostgreSQL takes none), so
                // the keys from `a\0b` on are those after `a`.
                Some((from, _)) => after(from),
                None if exclusive => after(from),
                None => from.to_owned(),
            },
        };
        let from = if from.as_str() < prefix { prefix.to_owned() } else { from };
        Some(Self { from, below: successor(prefix) })
    }
}

/// The lowest key above this one: names have no control characters, so nothing lies between.
fn after(key: &str) -> String {
    format!("{key}\u{1}")
}

/// The lowest text above all that begin with `prefix`; `None` when there is no bound.
fn successor(prefix: &str) -> Option<String> {
    let mut text = prefix.to_owned();
    while let Some(last) = text.pop() {
        let next = match last {
            // The surrogates are no characters; UTF-8 goes on behind them.
            '\u{D7FF}' => Some('\u{E000}'),
            last => char::from_u32(u32::from(last) + 1),
        };
        if let Some(next) = next {
            text.push(next);
            return Some(text);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(from: Option<&str>, exclusive: bool, prefix: Option<&str>) -> Option<KeyRange> {
        KeyRange::of(&Span {
            from: from.map(str::to_owned),
            exclusive,
            prefix: prefix.map(str::to_owned),
            limit: 1,
        })
    }

    #[test]
    fn spans_become_half_open_ranges_of_keys() {
        let cases = [
            (None, false, None, Some(("", None))),
            (Some("b"), false, None, Some(("b", None))),
            (Some("b"), true, None, Some(("b\u{1}", None))),
            (Some("a\0zzz"), false, None, Some(("a\u{1}", None))),
            (None, false, Some("ab"), Some(("ab", Some("ac")))),
            (Some("a"), true, Some("ab"), Some(("ab", Some("ac")))),
            (Some("abc"), true, Some("ab"), Some(("abc\u{1}", Some("ac")))),
            (None, false, Some("x\u{D7FF}"), Some(("x\u{D7FF}", Some("x\u{E000}")))),
            (None, false, Some("x\u{10FFFF}"), Some(("x\u{10FFFF}", Some("y")))),
            (None, false, Some("\u{10FFFF}"), Some(("\u{10FFFF}", None))),
            (None, false, Some("a/"), None),
            (None, false, Some("a\0"), None),
        ];
        for (from, exclusive, prefix, expected) in cases {
            let expected = expected.map(|(from, below): (&str, Option<&str>)| KeyRange {
                from: from.to_owned(),
                below: below.map(str::to_owned),
            });
            assert_eq!(range(from, exclusive, prefix), expected, "{from:?} {exclusive} {prefix:?}");
        }
    }
}
