//! Rows of the index and the core's types, in both directions.

use std::fmt::Display;

use bytes::Bytes;
use cellgate_core::change::{Change, ChangeKind, NewChange};
use cellgate_core::lock::Lock;
use cellgate_core::node::{Attributes, Content, Extent, Node, NodeId, NodeKind};
use cellgate_core::ports::{Count, Meta, Record, Version};
use cellgate_core::principal::Door;
use cellgate_core::upload::{Part, Upload};
use cellgate_core::{Error, Result};
use uuid::Uuid;

use super::session::Row;

pub fn node(row: &dyn Row) -> Result<Node> {
    Ok(Node {
        id: NodeId(row.int(0)?),
        uuid: uuid(row.text(1)?)?,
        parent: NodeId(row.int(2)?),
        name: row.text(3)?.to_owned(),
        kind: if row.int(4)? == 0 { NodeKind::Leaf } else { NodeKind::Collection },
        size: unsigned(row.int(5)?)?,
        mtime_ns: row.int(6)?,
        created_ns: row.int(7)?,
        etag: row.text(8)?.to_owned(),
        mime: row.text(9)?.to_owned(),
        content: content(row.text(10)?)?,
        attributes: attributes(row.text(11)?)?,
        version: Some(row.text(12)?).filter(|text| !text.is_empty()).map(uuid).transpose()?,
    })
}

pub fn count(row: &dyn Row) -> Result<Count> {
    Ok(Count {
        leaves: unsigned(row.int(0)?)?,
        collections: unsigned(row.int(1)?)?,
        bytes: unsigned(row.int(2)?)?,
    })
}

pub fn node_id(row: &dyn Row) -> Result<NodeId> {
    Ok(NodeId(row.int(0)?))
}

pub fn meta(row: &dyn Row) -> Result<Meta> {
    Ok(Meta {
        node: NodeId(row.int(0)?),
        namespace: row.text(1)?.to_owned(),
        name: row.text(2)?.to_owned(),
        value: row.text(3)?.to_owned(),
    })
}

pub fn version(row: &dyn Row) -> Result<Version> {
    Ok(Version {
        id: uuid(row.text(0)?)?,
        node: NodeId(row.int(1)?),
        size: unsigned(row.int(2)?)?,
        mtime_ns: row.int(3)?,
        etag: row.text(4)?.to_owned(),
        content: content(row.text(5)?)?,
        principal: row.text(6)?.to_owned(),
        at_ns: row.int(7)?,
        mime: row.text(8)?.to_owned(),
        attributes: attributes(row.text(9)?)?,
        unversioned: row.int(10)? != 0,
        marker: row.int(11)? != 0,
    })
}

pub fn lock(row: &dyn Row) -> Result<Lock> {
    Ok(Lock {
        token: row.text(0)?.to_owned(),
        node: NodeId(row.int(1)?),
        principal: row.text(2)?.to_owned(),
        owner: row.text(3)?.to_owned(),
        deep: row.int(4)? != 0,
        shared: row.int(5)? != 0,
        door: door(row.text(6)?)?,
        created_ns: row.int(7)?,
        expires_ns: row.int(8)?,
    })
}

pub fn change(row: &dyn Row) -> Result<Change> {
    let kind = row.text(3)?;
    Ok(Change {
        seq: row.int(0)?,
        change: NewChange {
            node: NodeId(row.int(1)?),
            uuid: uuid(row.text(2)?)?,
            kind: ChangeKind::parse(kind).ok_or_else(|| damaged("change kind", kind))?,
            collection: row.int(4)? != 0,
            from: row.maybe_text(5)?.map(str::to_owned),
            to: row.maybe_text(6)?.map(str::to_owned),
            size: unsigned(row.int(7)?)?,
            etag: row.text(8)?.to_owned(),
            principal: row.text(9)?.to_owned(),
            door: door(row.text(10)?)?,
            at_ns: row.int(11)?,
        },
    })
}

pub fn upload(row: &dyn Row) -> Result<Upload> {
    Ok(Upload {
        id: uuid(row.text(0)?)?,
        path: row.text(1)?.to_owned(),
        datasource: row.text(2)?.to_owned(),
        principal: row.text(3)?.to_owned(),
        door: door(row.text(4)?)?,
        created_ns: row.int(5)?,
        expires_ns: row.int(6)?,
        mime: row.maybe_text(7)?.map(str::to_owned),
        mtime_ns: row.maybe_int(8)?,
        attributes: attributes(row.text(9)?)?,
    })
}

pub fn part(row: &dyn Row) -> Result<Part> {
    let number = row.int(1)?;
    Ok(Part {
        upload: uuid(row.text(0)?)?,
        number: u32::try_from(number).map_err(|_| damaged("part number", number))?,
        size: unsigned(row.int(2)?)?,
        etag: row.text(3)?.to_owned(),
        content: content(row.text(4)?)?,
        at_ns: row.int(5)?,
        digests: attributes(row.text(6)?)?,
    })
}

pub fn record(row: &dyn Row) -> Result<Record> {
    Ok(Record {
        kind: row.text(0)?.to_owned(),
        id: row.text(1)?.to_owned(),
        name: row.text(2)?.to_owned(),
        owner: row.text(3)?.to_owned(),
        expires_ns: row.maybe_int(4)?,
        body: row.text(5)?.to_owned(),
    })
}

pub fn extent(row: &dyn Row) -> Result<Extent> {
    let (start, size) = (unsigned(row.int(1)?)?, unsigned(row.int(2)?)?);
    Ok(Extent { content: row.text(0)?.to_owned(), start, size })
}

pub fn discarded(row: &dyn Row) -> Result<(String, Uuid)> {
    Ok((row.text(0)?.to_owned(), uuid(row.text(1)?)?))
}

pub fn bytes(row: &dyn Row) -> Result<Bytes> {
    Ok(Bytes::copy_from_slice(row.bytes(0)?))
}

pub fn int(row: &dyn Row) -> Result<i64> {
    row.int(0)
}

/// For queries that ask only whether there is a row.
pub fn nothing(_: &dyn Row) -> Result<()> {
    Ok(())
}

pub fn kind_to_int(kind: NodeKind) -> i64 {
    match kind {
        NodeKind::Leaf => 0,
        NodeKind::Collection => 1,
    }
}

/// JSON, and the empty text for the usual empty map.
pub fn attributes_to_text(attributes: &Attributes) -> Result<String> {
    if attributes.is_empty() {
        return Ok(String::new());
    }
    serde_json::to_string(attributes).map_err(Error::internal)
}

pub fn signed(size: u64) -> Result<i64> {
    i64::try_from(size).map_err(|_| Error::TooLarge { size, limit: i64::MAX.unsigned_abs() })
}

fn attributes(text: &str) -> Result<Attributes> {
    if text.is_empty() {
        return Ok(Attributes::default());
    }
    serde_json::from_str(text).map_err(Error::internal)
}

fn unsigned(value: i64) -> Result<u64> {
    u64::try_from(value).map_err(|_| damaged("size", value))
}

fn uuid(text: &str) -> Result<Uuid> {
    Uuid::try_parse(text).map_err(|_| damaged("uuid", text))
}

fn content(text: &str) -> Result<Content> {
    Content::from_text(text).ok_or_else(|| damaged("content", text))
}

fn door(text: &str) -> Result<Door> {
    Door::parse(text).ok_or_else(|| damaged("door", text))
}

fn damaged(what: &str, value: impl Display) -> Error {
    Error::internal(format!("the index holds `{value}` where a {what} belongs"))
}
