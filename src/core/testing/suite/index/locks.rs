//! Locks.

use std::sync::Arc;

use super::{NOW, SECOND, collection, insert, leaf, root};
use crate::lock::Lock;
use crate::node::{Node, NodeId};
use crate::ports::Index;
use crate::principal::Door;

/// A lock that ends in ten seconds.
fn lock(token: &str, node: NodeId) -> Lock {
    Lock {
        token: format!("urn:uuid:{token}"),
        node,
        principal: "alice".into(),
        owner: "<D:href>é 😀</D:href>".into(),
        deep: false,
        shared: false,
        door: Door::Dav,
        created_ns: NOW,
        expires_ns: NOW + 10 * SECOND,
    }
}

async fn put(index: &Arc<dyn Index>, locks: &[Lock]) {
    let locks = locks.to_vec();
    txn!(index, |txn| {
        for lock in &locks {
            txn.put_lock(lock).await?;
        }
        Ok(())
    })
    .unwrap();
}

pub async fn locks_come_back_as_they_were_put(index: Arc<dyn Index>) {
    let root = root(&index).await;
    let node = insert(&index, leaf(root.id, "a")).await;
    for (number, door) in Door::ALL.into_iter().enumerate() {
        let lock = Lock {
            deep: number % 2 == 0,
            shared: number % 3 == 0,
            door,
            ..lock(&number.to_string(), node.id)
        };
        put(&index, std::slice::from_ref(&lock)).await;
        let token = lock.token.clone();
        assert_eq!(index.lock(&token, NOW).await.unwrap().as_ref(), Some(&lock));
        let inside = txn!(index, |txn| txn.lock(&token, NOW).await).unwrap();
        assert_eq!(inside, Some(lock));
    }
    assert_eq!(index.lock("urn:uuid:nobody's", NOW).await.unwrap(), None);
    assert_eq!(index.locks_on(&[node.id], NOW).await.unwrap().len(), Door::ALL.len());
}

/// How a lock is refreshed.
pub async fn a_lock_put_again_replaces_the_one_with_its_token(index: Arc<dyn Index>) {
    let root = root(&index).await;
    let node = insert(&index, leaf(root.id, "a")).await;
    let first = lock("a", node.id);
    let refreshed = Lock { expires_ns: NOW + 60 * SECOND, ..first.clone() };
    put(&index, &[first, refreshed.clone()]).await;
    let expected = std::slice::from_ref(&refreshed);
    assert_eq!(index.locks(NOW).await.unwrap(), expected);
    assert_eq!(index.locks(NOW + 30 * SECOND).await.unwrap(), expected);

    let token = refreshed.token.clone();
    txn!(index, |txn| {
        txn.delete_lock(&token).await?;
        assert_eq!(txn.lock(&token, NOW).await?, None);
        // Gone already: fine.
        txn.delete_lock(&token).await
    })
    .unwrap();
    assert_eq!(index.locks(NOW).await.unwrap(), []);
}

pub async fn an_expired_lock_is_no_lock(index: Arc<dyn Index>) {
    let root = root(&index).await;
    let node = insert(&index, leaf(root.id, "a")).await;
    let short = lock("short", node.id);
    let long = Lock { expires_ns: NOW + 60 * SECOND, ..lock("long", node.id) };
    put(&index, &[short.clone(), long.clone()]).await;

    let (before, after) = (NOW + 10 * SECOND - 1, NOW + 10 * SECOND + 1);
    let count = |locks: crate::error::Result<Vec<Lock>>| locks.unwrap().len();
    for (now, expected) in [(before, 2), (after, 1)] {
        assert_eq!(count(index.locks(now).await), expected);
        assert_eq!(count(index.locks_on(&[node.id], now).await), expected);
        assert_eq!(index.lock(&short.token, now).await.unwrap().is_some(), expected == 2);
        let (token, root, node) = (short.token.clone(), root.id, node.id);
        txn!(index, |txn| {
            assert_eq!(count(txn.locks_on(&[node], now).await), expected);
            assert_eq!(count(txn.locks_below(root, now).await), expected);
            assert_eq!(txn.lock(&token, now).await?.is_some(), expected == 2);
            Ok(())
        })
        .unwrap();
    }

    // Deleting what has expired leaves the others, whatever time is asked about later.
    txn!(index, |txn| txn.delete_expired_locks(after).await).unwrap();
    assert_eq!(index.locks(0).await.unwrap(), [long]);
}

pub async fn all_locks_come_oldest_first(index: Arc<dyn Index>) {
    let root = root(&index).await;
    let node = insert(&index, leaf(root.id, "a")).await;
    let ages = [3, 1, 2, 0];
    let locks =
        ages.map(|age| Lock { created_ns: NOW + age * SECOND, ..lock(&format!("{}", 9 - age), node.id) });
    put(&index, &locks).await;
    let found = index.locks(NOW).await.unwrap();
    let found: Vec<i64> = found.iter().map(|lock| (lock.created_ns - NOW) / SECOND).collect();
    assert_eq!(found, [0, 1, 2, 3]);
}

pub async fn locks_on_nodes_are_theirs_alone(index: Arc<dyn Index>) {
    let root = root(&index).await;
    let folder = insert(&index, collection(root.id, "folder")).await;
    let a = insert(&index, leaf(folder.id, "a")).await;
    let b = insert(&index, leaf(folder.id, "b")).await;
    let locks = [Lock { deep: true, ..lock("folder", folder.id) }, lock("a", a.id), lock("b", b.id)];
    put(&index, &locks).await;

    // As many as a page of a listing has, and more than a statement has parameters.
    let mut many: Vec<NodeId> = (0..70_000).map(|number| NodeId(b.id.0 + 1 + number)).collect();
    many.push(a.id);
    let cases: [(Vec<NodeId>, &[NodeId]); 4] = [
        (vec![], &[]),
        (vec![root.id], &[]),
        (vec![a.id, folder.id, a.id], &[folder.id, a.id]),
        (many, &[a.id]),
    ];
    for (asked, expected) in cases {
        let on = |locks: Vec<Lock>| {
            let mut nodes: Vec<_> = locks.iter().map(|lock| lock.node).collect();
            nodes.sort_unstable();
            nodes
        };
        assert_eq!(on(index.locks_on(&asked, NOW).await.unwrap()), expected);
        let inside = txn!(index, |txn| txn.locks_on(&asked, NOW).await).unwrap();
        assert_eq!(on(inside), expected);
    }
}

pub async fn locks_below_a_node_are_those_of_its_descendants(index: Arc<dyn Index>) {
    let root = root(&index).await;
    let top = insert(&index, collection(root.id, "top")).await;
    let middle = insert(&index, collection(top.id, "middle")).await;
    let bottom = insert(&index, leaf(middle.id, "bottom")).await;
    let beside = insert(&index, collection(root.id, "top beside")).await;
    let under_beside = insert(&index, leaf(beside.id, "middle")).await;
    let nodes = [&root, &top, &middle, &bottom, &beside, &under_beside];
    let locks: Vec<Lock> = nodes.iter().map(|node| lock(&node.uuid.to_string(), node.id)).collect();
    put(&index, &locks).await;

    let below = async |node: &Node| {
        let id = node.id;
        let locks = txn!(index, |txn| txn.locks_below(id, NOW).await).unwrap();
        let mut ids: Vec<NodeId> = locks.iter().map(|lock| lock.node).collect();
        ids.sort_unstable();
        ids
    };
    assert_eq!(below(&root).await, [top.id, middle.id, bottom.id, beside.id, under_beside.id]);
    assert_eq!(below(&top).await, [middle.id, bottom.id]);
    assert_eq!(below(&middle).await, [bottom.id]);
    assert_eq!(below(&bottom).await, []);
    assert_eq!(below(&beside).await, [under_beside.id]);

    // Locks go where their nodes go, in the same transaction already.
    let moved = Node { parent: beside.id, name: "moved".into(), ..middle.clone() };
    txn!(index, |txn| {
        txn.update_node(&moved).await?;
        assert_eq!(txn.locks_below(beside.id, NOW).await?.len(), 3);
        Ok(())
    })
    .unwrap();
    assert_eq!(below(&top).await, []);
    assert_eq!(below(&beside).await, [middle.id, bottom.id, under_beside.id]);
}
