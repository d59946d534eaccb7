//! Tests of the index: the core's own suite and what only an engine can get wrong, on both engines.

mod engine;
mod postgres;
mod sqlite;
mod statements;
mod suite;

use std::any::Any;
use std::sync::Arc;

use cellgate_core::Result;
use cellgate_core::node::{Attributes, Content, NodeId, NodeKind};
use cellgate_core::ports::{Index, NewNode, Record};
use uuid::Uuid;

use super::{Location, Store};
use crate::testing::PostgresServer;

/// An empty index and what must outlive it.
struct Fixture {
    store: Store,
    location: Location,
    /// The folder or the database.
    _kept: Box<dyn Any + Send + Sync>,
}

impl Fixture {
    fn index(&self) -> Arc<dyn Index> {
        self.store.index()
    }

    async fn reopened(&mut self) {
        self.store.close().await;
        self.store = Store::open(&self.location).await.unwrap();
    }
}

async fn sqlite() -> Fixture {
    let folder = tempfile::tempdir().unwrap();
    let location = Location::Sqlite(folder.path().join("index.sqlite"));
    let store = Store::open(&location).await.unwrap();
    Fixture { store, location, _kept: Box::new(folder) }
}

/// `None`, with the reason printed, where there is no PostgreSQL.
async fn postgres() -> Option<Fixture> {
    let server = match PostgresServer::shared() {
        Ok(server) => server,
        Err(reason) => {
            eprintln!("skipped on PostgreSQL: {reason}");
            return None;
        }
    };
    let database = server.database().await.unwrap();
    let location = Location::Postgres(database.url.clone());
    let store = Store::open(&location).await.unwrap();
    Some(Fixture { store, location, _kept: Box::new(database) })
}

fn leaf(parent: NodeId, name: &str) -> NewNode {
    new_node(parent, name, NodeKind::Leaf)
}

fn new_node(parent: NodeId, name: &str, kind: NodeKind) -> NewNode {
    NewNode {
        uuid: Uuid::new_v4(),
        parent,
        name: name.to_owned(),
        kind,
        size: 3,
        mtime_ns: 5,
        created_ns: 4,
        etag: "e".into(),
        mime: "text/plain".into(),
        content: Content::None,
        attributes: Attributes::default(),
        version: None,
    }
}

async fn insert(index: &dyn Index, new: NewNode) -> Result<cellgate_core::Node> {
    cellgate_core::ports::commit(index, move |txn| Box::pin(async move { txn.insert_node(&new).await })).await
}

fn record(kind: &str, id: &str, name: &str) -> Record {
    Record {
        kind: kind.into(),
        id: id.into(),
        name: name.into(),
        owner: String::new(),
        expires_ns: None,
        body: "{}".into(),
    }
}
