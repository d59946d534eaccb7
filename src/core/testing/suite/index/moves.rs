//! `update_node`: new columns, new names, new parents.

use std::sync::Arc;

use uuid::Uuid;

use super::{NOW, all, collection, fill, insert, keys, leaf, names, root};
use crate::error::Error;
use crate::node::{Attributes, Content, Node, NodeId};
use crate::ports::Index;

async fn update(index: &Arc<dyn Index>, node: Node) -> crate::error::Result<()> {
    txn!(index, |txn| txn.update_node(&node).await)
}

pub async fn update_writes_every_column(index: Arc<dyn Index>) {
    let root = root(&index).await;
    let old = insert(&index, leaf(root.id, "old")).await;
    let bystander = insert(&index, leaf(root.id, "bystander")).await;
    let mut attributes = Attributes::default();
    attributes.set("content-encoding", "gzip");
    let new = Node {
        id: old.id,
        uuid: Uuid::new_v4(),
        parent: root.id,
        name: "new".into(),
        kind: old.kind,
        size: 6,
        mtime_ns: NOW + 1,
        created_ns: NOW + 2,
        etag: "b1946ac92492d2347c6235b4d2611184".into(),
        mime: "text/html".into(),
        content: Content::Inline(Uuid::new_v4()),
        attributes,
        version: Some(Uuid::new_v4()),
    };
    update(&index, new.clone()).await.unwrap();
    assert_eq!(index.node(old.id).await.unwrap(), Some(new.clone()));
    assert_eq!(index.node_by_uuid(new.uuid).await.unwrap(), Some(new));
    assert_eq!(index.node_by_uuid(old.uuid).await.unwrap(), None);
    assert_eq!(index.node(bystander.id).await.unwrap(), Some(bystander));
}

pub async fn a_move_changes_one_row_and_takes_all_below_along(index: Arc<dyn Index>) {
    let root = root(&index).await;
    let nodes = fill(&index, root.id, &["from/", "m", "to/"]).await;
    let (from, to) = (nodes[0].clone(), nodes[2].clone());
    let folder = insert(&index, collection(from.id, "folder")).await;
    let inner = insert(&index, collection(folder.id, "inner")).await;
    let below = insert(&index, leaf(inner.id, "below")).await;

    let moved = Node { parent: to.id, name: "renamed".into(), ..folder.clone() };
    update(&index, moved.clone()).await.unwrap();

    assert_eq!(index.chain(root.id, &names("from/folder")).await.unwrap().len(), 1);
    let chain = index.chain(root.id, &names("to/renamed/inner/below")).await.unwrap();
    assert_eq!(chain, [to.clone(), moved.clone(), inner.clone(), below.clone()]);
    let ancestry = index.ancestry(below.id).await.unwrap();
    assert_eq!(ancestry, [root, to.clone(), moved.clone(), inner, below]);
    assert_eq!(index.children(from.id, &all()).await.unwrap(), []);
    assert_eq!(index.children(to.id, &all()).await.unwrap(), [moved]);
    // The old name is free.
    insert(&index, leaf(from.id, "folder")).await;
}

pub async fn a_new_name_takes_its_new_place_among_siblings(index: Arc<dyn Index>) {
    let root = root(&index).await;
    let nodes = fill(&index, root.id, &["a/", "b", "c"]).await;
    update(&index, Node { name: "z".into(), ..nodes[0].clone() }).await.unwrap();
    update(&index, Node { name: "B".into(), ..nodes[2].clone() }).await.unwrap();
    // A collection goes behind "b-x", a leaf of the same name would go before it.
    insert(&index, leaf(root.id, "z-x")).await;
    let children = index.children(root.id, &all()).await.unwrap();
    assert_eq!(keys(&children), ["B", "b", "z-x", "z/"]);
}

pub async fn a_taken_name_refuses_a_move(index: Arc<dyn Index>) {
    let root = root(&index).await;
    let before = fill(&index, root.id, &["a", "b/", "c/"]).await;
    for taken in ["b", "c"] {
        let moved = Node { name: taken.into(), ..before[0].clone() };
        let refused = update(&index, moved).await;
        assert!(matches!(refused, Err(Error::AlreadyExists(_))), "{taken}: {refused:?}");
    }
    assert_eq!(index.children(root.id, &all()).await.unwrap(), before);
    // Its own name is not taken from it.
    update(&index, Node { size: 9, ..before[0].clone() }).await.unwrap();
    assert_eq!(index.node(before[0].id).await.unwrap().map(|node| node.size), Some(9));
}

/// How a removal begins: out of sight at once, with everything below.
pub async fn nothing_resolves_through_limbo(index: Arc<dyn Index>) {
    let root = root(&index).await;
    let folder = insert(&index, collection(root.id, "folder")).await;
    let below = insert(&index, leaf(folder.id, "below")).await;
    let gone = Node { parent: NodeId::LIMBO, name: folder.uuid.to_string(), ..folder };
    update(&index, gone.clone()).await.unwrap();

    assert_eq!(index.chain(root.id, &names("folder/below")).await.unwrap(), []);
    let through = index.chain(NodeId::ROOT, &[gone.name.clone(), "below".into()]).await.unwrap();
    assert_eq!(through, []);
    assert_eq!(index.children(NodeId::ROOT, &all()).await.unwrap(), [root]);
    assert_eq!(index.children(NodeId::LIMBO, &all()).await.unwrap(), std::slice::from_ref(&gone));
    assert_eq!(index.ancestry(below.id).await.unwrap(), [gone, below]);
}
