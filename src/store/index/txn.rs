//! The inside of a mutation, written once for both engines.

use async_trait::async_trait;
use cellgate_core::change::NewChange;
use cellgate_core::lock::Lock;
use cellgate_core::node::{Content, Extent, Node, NodeId, sort_key};
use cellgate_core::ports::{Meta, NewNode, Record, Span, Txn, Version};
use cellgate_core::upload::{PART_MAX, Part, Upload};
use cellgate_core::{Error, Result};
use uuid::Uuid;

use super::rows::{self as read, attributes_to_text, kind_to_int, signed};
use super::session::{Session, Value, returning, run};
use super::{queries, sql};

/// What must be announced once the commit is durable.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Effects {
    /// Records were put or deleted.
    pub directory: bool,
    /// The newest change appended; 0 for none.
    pub last_change: i64,
}

impl Effects {
    pub fn merge(&mut self, other: Self) {
        self.directory |= other.directory;
        self.last_change = self.last_change.max(other.last_change);
    }
}

/// Longest text of a key column, in bytes. PostgreSQL's indexes take 2,704 bytes a row and answer
/// more with an error of their own; names of properties come from clients.
const KEY_MAX_BYTES: usize = 1_024;

pub struct Transaction<'s, S> {
    session: &'s mut S,
    effects: &'s mut Effects,
}

impl<'s, S: Session> Transaction<'s, S> {
    pub fn new(session: &'s mut S, effects: &'s mut Effects) -> Self {
        Self { session, effects }
    }

    async fn run(&mut self, sql: &sql::Sql, values: &[Value<'_>]) -> Result<u64> {
        run(self.session, sql, values).await
    }
}

#[async_trait]
impl<S: Session> Txn for Transaction<'_, S> {
    async fn chain(&mut self, from: NodeId, names: &[String]) -> Result<Vec<Node>> {
        queries::chain(self.session, from, names).await
    }

    async fn node(&mut self, id: NodeId) -> Result<Option<Node>> {
        queries::node(self.session, id).await
    }

    async fn child(&mut self, parent: NodeId, name: &str) -> Result<Option<Node>> {
        queries::child(self.session, parent, name).await
    }

    async fn ancestry(&mut self, id: NodeId) -> Result<Vec<Node>> {
        queries::ancestry(self.session, id).await
    }

    async fn children(&mut self, parent: NodeId, span: &Span) -> Result<Vec<Node>> {
        queries::children(self.session, parent, span).await
    }

    async fn insert_node(&mut self, new: &NewNode) -> Result<Node> {
        let columns = Columns::of(&new.name, new)?;
        let id = returning(self.session, &sql::INSERT_NODE, &columns.values(), read::int).await?;
        let Some(id) = id else { return Err(Error::AlreadyExists(new.name.clone())) };
        let new = new.clone();
        Ok(Node {
            id: NodeId(id),
            uuid: new.uuid,
            parent: new.parent,
            name: new.name,
            kind: new.kind,
            size: new.size,
            mtime_ns: new.mtime_ns,
            created_ns: new.created_ns,
            etag: new.etag,
            mime: new.mime,
            content: new.content,
            attributes: new.attributes,
            version: new.version,
        })
    }

    async fn update_node(&mut self, node: &Node) -> Result<()> {
        let as_new = NewNode {
            uuid: node.uuid,
            parent: node.parent,
            name: node.name.clone(),
            kind: node.kind,
            size: node.size,
            mtime_ns: node.mtime_ns,
            created_ns: node.created_ns,
            etag: node.etag.clone(),
            mime: node.mime.clone(),
            content: node.content.clone(),
            attributes: node.attributes.clone(),
            version: node.version,
        };
        let columns = Columns::of(&node.name, &as_new)?;
        let mut values = columns.values().to_vec();
        values.push(Value::Int(node.id.0));
        if self.run(&sql::UPDATE_NODE, &values).await? > 0 {
            return Ok(());
        }
        match self.node(node.id).await? {
            Some(_) => Err(Error::AlreadyExists(node.name.clone())),
            None => Err(Error::internal(format!("there is no node {}", node.id.0))),
        }
    }

    async fn touch(&mut self, id: NodeId, mtime_ns: i64, etag: &str) -> Result<()> {
        // The root and limbo are no rows, and nothing is lost when they are touched.
        self.run(&sql::TOUCH, &[Value::Int(mtime_ns), Value::Text(etag), Value::Int(id.0)]).await?;
        Ok(())
    }

    async fn delete_node(&mut self, id: NodeId) -> Result<()> {
        if self.run(&sql::DELETE_NODE, &[Value::Int(id.0)]).await? > 0 {
            return Ok(());
        }
        match self.node(id).await? {
            Some(_) => Err(Error::internal(format!("node {} still has children", id.0))),
            None => Ok(()),
        }
    }

    async fn meta(&mut self, node: NodeId, namespace: &str) -> Result<Vec<Meta>> {
        queries::meta(self.session, &[node], Some(namespace)).await
    }

    async fn set_meta(
        &mut self,
        node: NodeId,
        namespace: &str,
        name: &str,
        value: Option<&str>,
    ) -> Result<()> {
        let key = [Value::Int(node.0), Value::Text(namespace), Value::Text(name)];
        match value {
            None => self.run(&sql::DELETE_META, &key).await?,
            Some(value) => {
                short(&[namespace, name])?;
                let [node, namespace, name] = key;
                self.run(&sql::SET_META, &[node, namespace, name, Value::Text(value)]).await?
            }
        };
        Ok(())
    }

    async fn copy_meta(&mut self, from: NodeId, to: NodeId, namespace: &str) -> Result<()> {
        if from == to {
            return Ok(());
        }
        let (from, to, namespace) = (Value::Int(from.0), Value::Int(to.0), Value::Text(namespace));
        self.run(&sql::CLEAR_META, &[to, namespace]).await?;
        self.run(&sql::COPY_META, &[to, from, namespace]).await?;
        Ok(())
    }

    async fn insert_version(&mut self, version: &Version) -> Result<()> {
        let (id, content) = (version.id.to_string(), version.content.to_text());
        let attributes = attributes_to_text(&version.attributes)?;
        let values = [
            Value::Text(&id),
            Value::Int(version.node.0),
            Value::Int(signed(version.size)?),
            Value::Int(version.mtime_ns),
            Value::Text(&version.etag),
            Value::Text(&content),
            Value::Text(&version.principal),
            Value::Int(version.at_ns),
            Value::Text(&version.mime),
            Value::Text(&attributes),
            Value::Int(version.unversioned.into()),
            Value::Int(version.marker.into()),
        ];
        self.run(&sql::INSERT_VERSION, &values).await?;
        Ok(())
    }

    async fn versions(&mut self, node: NodeId) -> Result<Vec<Version>> {
        queries::versions(self.session, &[node]).await
    }

    async fn move_versions(&mut self, from: NodeId, to: NodeId) -> Result<()> {
        self.run(&sql::MOVE_VERSIONS, &[Value::Int(to.0), Value::Int(from.0)]).await?;
        Ok(())
    }

    async fn delete_version(&mut self, id: Uuid) -> Result<()> {
        self.run(&sql::DELETE_VERSION, &[Value::Text(&id.to_string())]).await?;
        Ok(())
    }

    async fn put_inline(&mut self, id: Uuid, bytes: &[u8]) -> Result<()> {
        self.run(&sql::PUT_INLINE, &[Value::Text(&id.to_string()), Value::Bytes(bytes)]).await?;
        Ok(())
    }

    async fn put_extents(&mut self, id: Uuid, extents: &[Extent]) -> Result<()> {
        let (id, list) = (id.to_string(), serde_json::to_string(extents).map_err(Error::internal)?);
        self.run(&sql::DELETE_EXTENTS, &[Value::Text(&id)]).await?;
        self.run(&sql::PUT_EXTENTS, &[Value::Text(&id), Value::Text(&list)]).await?;
        Ok(())
    }

    async fn extents(&mut self, id: Uuid) -> Result<Option<Vec<Extent>>> {
        queries::extents(self.session, id).await
    }

    async fn is_referenced(&mut self, content: &Content) -> Result<bool> {
        queries::is_referenced(self.session, content).await
    }

    async fn delete_inline(&mut self, id: Uuid) -> Result<()> {
        let id = id.to_string();
        // An id is one or the other.
        if self.run(&sql::DELETE_INLINE, &[Value::Text(&id)]).await? == 0 {
            self.run(&sql::DELETE_EXTENTS, &[Value::Text(&id)]).await?;
        }
        Ok(())
    }

    async fn discard_blob(&mut self, datasource: &str, blob: Uuid) -> Result<()> {
        self.run(&sql::DISCARD_BLOB, &[Value::Text(&blob.to_string()), Value::Text(datasource)]).await?;
        Ok(())
    }

    async fn discarded_blobs(&mut self, limit: usize) -> Result<Vec<(String, Uuid)>> {
        queries::discarded_blobs(self.session, limit).await
    }

    async fn forget_blob(&mut self, blob: Uuid) -> Result<()> {
        self.run(&sql::FORGET_BLOB, &[Value::Text(&blob.to_string())]).await?;
        Ok(())
    }

    async fn locks_on(&mut self, nodes: &[NodeId], now_ns: i64) -> Result<Vec<Lock>> {
        queries::locks_on(self.session, nodes, now_ns).await
    }

    async fn locks_below(&mut self, id: NodeId, now_ns: i64) -> Result<Vec<Lock>> {
        queries::locks_below(self.session, id, now_ns).await
    }

    async fn lock(&mut self, token: &str, now_ns: i64) -> Result<Option<Lock>> {
        queries::lock(self.session, token, now_ns).await
    }

    async fn put_lock(&mut self, lock: &Lock) -> Result<()> {
        let values = [
            Value::Text(&lock.token),
            Value::Int(lock.node.0),
            Value::Text(&lock.principal),
            Value::Text(&lock.owner),
            Value::Int(lock.deep.into()),
            Value::Int(lock.shared.into()),
            Value::Text(lock.door.as_str()),
            Value::Int(lock.created_ns),
            Value::Int(lock.expires_ns),
        ];
        self.run(&sql::PUT_LOCK, &values).await?;
        Ok(())
    }

    async fn delete_lock(&mut self, token: &str) -> Result<()> {
        self.run(&sql::DELETE_LOCK, &[Value::Text(token)]).await?;
        Ok(())
    }

    async fn delete_expired_locks(&mut self, now_ns: i64) -> Result<()> {
        self.run(&sql::DELETE_EXPIRED_LOCKS, &[Value::Int(now_ns)]).await?;
        Ok(())
    }

    async fn append_change(&mut self, change: &NewChange) -> Result<i64> {
        let uuid = change.uuid.to_string();
        let values = [
            Value::Int(change.node.0),
            Value::Text(&uuid),
            Value::Text(change.kind.as_str()),
            Value::Int(change.collection.into()),
            Value::MaybeText(change.from.as_deref()),
            Value::MaybeText(change.to.as_deref()),
            Value::Int(signed(change.size)?),
            Value::Text(&change.etag),
            Value::Text(&change.principal),
            Value::Text(change.door.as_str()),
            Value::Int(change.at_ns),
        ];
        let seq = returning(self.session, &sql::APPEND_CHANGE, &values, read::int)
            .await?
            .ok_or_else(|| Error::internal("a change got no sequence number"))?;
        self.effects.last_change = seq;
        Ok(seq)
    }

    async fn put_upload(&mut self, upload: &Upload) -> Result<()> {
        let (id, attributes) = (upload.id.to_string(), attributes_to_text(&upload.attributes)?);
        let values = [
            Value::Text(&id),
            Value::Text(&upload.path),
            Value::Text(&upload.datasource),
            Value::Text(&upload.principal),
            Value::Text(upload.door.as_str()),
            Value::Int(upload.created_ns),
            Value::Int(upload.expires_ns),
            Value::MaybeText(upload.mime.as_deref()),
            Value::MaybeInt(upload.mtime_ns),
            Value::Text(&attributes),
        ];
        self.run(&sql::PUT_UPLOAD, &values).await?;
        Ok(())
    }

    async fn upload(&mut self, id: Uuid) -> Result<Option<Upload>> {
        queries::upload(self.session, id).await
    }

    async fn delete_upload(&mut self, id: Uuid) -> Result<()> {
        self.run(&sql::DELETE_UPLOAD, &[Value::Text(&id.to_string())]).await?;
        Ok(())
    }

    async fn put_part(&mut self, part: &Part) -> Result<Option<Part>> {
        let replaced = queries::part(self.session, part.upload, part.number).await?;
        let upload = part.upload.to_string();
        let (content, digests) = (part.content.to_text(), attributes_to_text(&part.digests)?);
        let values = [
            Value::Text(&upload),
            Value::Int(part.number.into()),
            Value::Int(signed(part.size)?),
            Value::Text(&part.etag),
            Value::Text(&content),
            Value::Int(part.at_ns),
            Value::Text(&digests),
        ];
        if self.run(&sql::PUT_PART, &values).await? == 0 {
            return Err(Error::NoSuchUpload(upload));
        }
        Ok(replaced)
    }

    async fn parts(&mut self, upload: Uuid) -> Result<Vec<Part>> {
        queries::parts(self.session, upload, 0, PART_MAX as usize).await
    }

    async fn record(&mut self, kind: &str, id: &str) -> Result<Option<Record>> {
        queries::record(self.session, kind, id).await
    }

    async fn record_by_name(&mut self, kind: &str, name: &str) -> Result<Option<Record>> {
        queries::record_by_name(self.session, kind, name).await
    }

    async fn records(&mut self, kind: &str, owner: Option<&str>) -> Result<Vec<Record>> {
        queries::records(self.session, kind, owner).await
    }

    async fn put_record(&mut self, record: &Record) -> Result<()> {
        short(&[&record.kind, &record.id])?;
        short(&[&record.kind, &record.name])?;
        short(&[&record.kind, &record.owner])?;
        let values = [
            Value::Text(&record.kind),
            Value::Text(&record.id),
            Value::Text(&record.name),
            Value::Text(&record.owner),
            Value::MaybeInt(record.expires_ns),
            Value::Text(&record.body),
        ];
        if self.run(&sql::PUT_RECORD, &values).await? == 0 {
            return Err(Error::AlreadyExists(record.name.clone()));
        }
        self.effects.directory |= !Record::is_of_use(&record.kind);
        Ok(())
    }

    async fn delete_record(&mut self, kind: &str, id: &str) -> Result<bool> {
        let gone = self.run(&sql::DELETE_RECORD, &[Value::Text(kind), Value::Text(id)]).await?;
        self.effects.directory |= gone > 0 && !Record::is_of_use(kind);
        Ok(gone > 0)
    }

    async fn delete_expired_records(&mut self, kind: &str, now_ns: i64) -> Result<()> {
        let values = [Value::Text(kind), Value::Int(now_ns)];
        let gone = self.run(&sql::DELETE_EXPIRED_RECORDS, &values).await?;
        self.effects.directory |= gone > 0 && !Record::is_of_use(kind);
        Ok(())
    }
}

fn short(key: &[&str]) -> Result<()> {
    match key.iter().map(|text| text.len()).sum::<usize>() > KEY_MAX_BYTES {
        true => Err(Error::InvalidArgument(format!("a name must not exceed {KEY_MAX_BYTES} bytes"))),
        false => Ok(()),
    }
}

/// The columns of a node that are computed from it, kept while they are bound.
struct Columns<'n> {
    node: &'n NewNode,
    uuid: String,
    sort_key: String,
    size: i64,
    content: String,
    attributes: String,
    version: String,
}

impl<'n> Columns<'n> {
    fn of(name: &str, node: &'n NewNode) -> Result<Self> {
        Ok(Self {
            node,
            uuid: node.uuid.to_string(),
            sort_key: sort_key(name, node.kind),
            size: signed(node.size)?,
            content: node.content.to_text(),
            attributes: attributes_to_text(&node.attributes)?,
            version: node.version.map(|version| version.to_string()).unwrap_or_default(),
        })
    }

    fn values(&self) -> [Value<'_>; 13] {
        [
            Value::Text(&self.uuid),
            Value::Int(self.node.parent.0),
            Value::Text(&self.node.name),
            Value::Text(&self.sort_key),
            Value::Int(kind_to_int(self.node.kind)),
            Value::Int(self.size),
            Value::Int(self.node.mtime_ns),
            Value::Int(self.node.created_ns),
            Value::Text(&self.node.etag),
            Value::Text(&self.node.mime),
            Value::Text(&self.content),
            Value::Text(&self.attributes),
            Value::Text(&self.version),
        ]
    }
}
