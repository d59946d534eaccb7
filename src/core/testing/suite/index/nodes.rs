//! Rows of nodes: writing, finding, deleting.

use std::sync::Arc;

use uuid::Uuid;

use super::{NOW, all, collection, fill, insert, keys, leaf, names, root};
use crate::error::Error;
use crate::lock::Lock;
use crate::node::{Attributes, Content, Node, NodeId, NodeKind};
use crate::ports::{Count, Index, NewNode, Version};
use crate::principal::Door;

pub async fn nodes_come_back_as_they_were_written(index: Arc<dyn Index>) {
    let root = root(&index).await;
    let mut attributes = Attributes::default();
    attributes.set("x-amz-meta-é", "wert \"mit\" ' und \\ 😀\n");
    attributes.set("cache-control", "");
    let contents =
        [Content::None, Content::Inline(Uuid::new_v4()), Content::Blob(Uuid::new_v4()), Content::Path];
    for (number, content) in contents.into_iter().enumerate() {
        let new = NewNode {
            // More than 32 bits hold, and as much as the largest file system allows.
            size: i64::MAX as u64 - number as u64,
            // Before 1970, with every digit.
            mtime_ns: -1_234_567_890_123_456_789,
            created_ns: NOW + 1,
            etag: format!("d41d8cd98f00b204e9800998ecf8427e-{number}"),
            mime: "text/plain; charset=\"utf-8\"".into(),
            content,
            attributes: attributes.clone(),
            version: (number > 0).then(Uuid::new_v4),
            ..leaf(root.id, &format!("it's % _ \" \\ é 😀 {number}"))
        };
        let node = insert(&index, new.clone()).await;
        let expected = Node {
            id: node.id,
            uuid: new.uuid,
            parent: root.id,
            name: new.name.clone(),
            kind: NodeKind::Leaf,
            size: new.size,
            mtime_ns: new.mtime_ns,
            created_ns: new.created_ns,
            etag: new.etag,
            mime: new.mime,
            content: new.content,
            attributes: new.attributes,
            version: new.version,
        };
        assert_eq!(node, expected);
        let expected = Some(expected);
        assert_eq!(index.node(node.id).await.unwrap(), expected);
        assert_eq!(index.node_by_uuid(new.uuid).await.unwrap(), expected);
        let chain = index.chain(root.id, std::slice::from_ref(&new.name)).await.unwrap();
        assert_eq!(chain.first(), expected.as_ref());
        let children = index.children(root.id, &all()).await.unwrap();
        assert_eq!(children.iter().find(|child| child.id == node.id), expected.as_ref());
        let (by_id, by_name) =
            txn!(index, |txn| Ok((txn.node(node.id).await?, txn.child(root.id, &new.name).await?))).unwrap();
        assert_eq!(by_id, expected);
        assert_eq!(by_name, expected);
    }
}

pub async fn what_does_not_exist_is_none(index: Arc<dyn Index>) {
    let root = root(&index).await;
    let nobody = NodeId(root.id.0 + 1_000);
    assert_eq!(index.node(nobody).await.unwrap(), None);
    assert_eq!(index.node_by_uuid(Uuid::new_v4()).await.unwrap(), None);
    assert_eq!(index.ancestry(nobody).await.unwrap(), []);
    assert_eq!(index.chain(nobody, &names("a")).await.unwrap(), []);
    assert_eq!(index.children(nobody, &all()).await.unwrap(), []);
    assert_eq!(index.count_children(nobody).await.unwrap(), Count::default());
    assert_eq!(index.versions(&[nobody]).await.unwrap(), []);
    txn!(index, |txn| {
        assert_eq!(txn.node(nobody).await?, None);
        assert_eq!(txn.child(root.id, "a").await?, None);
        assert_eq!(txn.child(root.id, "").await?, None);
        assert_eq!(txn.ancestry(nobody).await?, []);
        assert_eq!(txn.chain(nobody, &names("a")).await?, []);
        assert_eq!(txn.children(nobody, &all()).await?, []);
        Ok(())
    })
    .unwrap();
}

pub async fn a_chain_goes_as_far_as_nodes_exist(index: Arc<dyn Index>) {
    let root = root(&index).await;
    let a = insert(&index, collection(root.id, "a")).await;
    let b = insert(&index, collection(a.id, "b")).await;
    let c = insert(&index, leaf(b.id, "c")).await;
    // The same names elsewhere must not be mistaken for these.
    let other = insert(&index, collection(root.id, "b")).await;
    insert(&index, leaf(other.id, "c")).await;

    let cases: [(NodeId, &str, Vec<&Node>); 9] = [
        (root.id, "", vec![]),
        (root.id, "a", vec![&a]),
        (root.id, "a/b/c", vec![&a, &b, &c]),
        (root.id, "a/b/x/c", vec![&a, &b]),
        (root.id, "a/b/c/d", vec![&a, &b, &c]),
        (root.id, "x/a", vec![]),
        (root.id, "A/b", vec![]),
        (a.id, "b/c", vec![&b, &c]),
        (NodeId::ROOT, "ds/a/b", vec![&root, &a, &b]),
    ];
    for (from, path, expected) in cases {
        let path = names(path);
        assert_eq!(index.chain(from, &path).await.unwrap().iter().collect::<Vec<_>>(), expected, "{path:?}");
        let asked = path.clone();
        let inside = txn!(index, |txn| txn.chain(from, &asked).await).unwrap();
        assert_eq!(inside.iter().collect::<Vec<_>>(), expected, "{path:?} in a transaction");
    }
    // A sort key is no name.
    assert_eq!(index.chain(root.id, &["a/".to_owned()]).await.unwrap(), []);
}

pub async fn an_ancestry_begins_at_the_topmost_node(index: Arc<dyn Index>) {
    let root = root(&index).await;
    let a = insert(&index, collection(root.id, "a")).await;
    let b = insert(&index, collection(a.id, "b")).await;
    let c = insert(&index, leaf(b.id, "c")).await;
    let limbo = insert(&index, collection(NodeId::LIMBO, "gone")).await;
    let below = insert(&index, leaf(limbo.id, "below")).await;

    let cases: [(NodeId, Vec<&Node>); 5] = [
        (root.id, vec![&root]),
        (b.id, vec![&root, &a, &b]),
        (c.id, vec![&root, &a, &b, &c]),
        (limbo.id, vec![&limbo]),
        (below.id, vec![&limbo, &below]),
    ];
    for (id, expected) in cases {
        assert_eq!(index.ancestry(id).await.unwrap().iter().collect::<Vec<_>>(), expected);
        let inside = txn!(index, |txn| txn.ancestry(id).await).unwrap();
        assert_eq!(inside.iter().collect::<Vec<_>>(), expected);
    }
}

/// [`crate::path::DEPTH_MAX`] levels, as deep as paths go.
pub async fn the_deepest_path_is_walked_both_ways(index: Arc<dyn Index>) {
    let root = root(&index).await;
    let path: Vec<String> = (0..crate::path::DEPTH_MAX).map(|level| format!("level {level}")).collect();
    let levels = path.clone();
    let nodes = txn!(index, |txn| {
        let mut nodes = vec![root];
        for name in &levels {
            let parent = nodes.last().map_or(NodeId::ROOT, |node| node.id);
            nodes.push(txn.insert_node(&collection(parent, name)).await?);
        }
        Ok(nodes)
    })
    .unwrap();
    let (root, below) = nodes.split_first().unwrap();
    assert_eq!(index.chain(root.id, &path).await.unwrap(), below);
    assert_eq!(index.ancestry(below.last().unwrap().id).await.unwrap(), nodes);
}

pub async fn names_are_unique_below_a_parent(index: Arc<dyn Index>) {
    let root = root(&index).await;
    let folder = insert(&index, collection(root.id, "folder")).await;
    let before = fill(&index, root.id, &["a", "b/"]).await;

    for taken in [
        leaf(root.id, "a"),
        leaf(root.id, "b"),
        collection(root.id, "a"),
        collection(root.id, "b"),
        collection(NodeId::ROOT, "ds"),
    ] {
        let name = taken.name.clone();
        let refused = txn!(index, |txn| txn.insert_node(&taken).await);
        assert!(matches!(refused, Err(Error::AlreadyExists(_))), "{name}: {refused:?}");
    }
    assert_eq!(index.children(root.id, &all()).await.unwrap().len(), 3);
    assert_eq!(index.node(before[0].id).await.unwrap().as_ref(), before.first());

    // Neither case nor another parent makes two names one.
    fill(&index, root.id, &["A", "B/"]).await;
    fill(&index, folder.id, &["a", "b/"]).await;
    let children = index.children(root.id, &all()).await.unwrap();
    assert_eq!(keys(&children), ["A", "B/", "a", "b/", "folder/"]);
}

pub async fn a_uuid_belongs_to_one_node(index: Arc<dyn Index>) {
    let root = root(&index).await;
    let first = insert(&index, leaf(root.id, "first")).await;
    let second = NewNode { uuid: first.uuid, ..leaf(root.id, "second") };
    txn!(index, |txn| txn.insert_node(&second).await).unwrap_err();
    assert_eq!(index.node_by_uuid(first.uuid).await.unwrap(), Some(first));
    assert_eq!(index.count_children(root.id).await.unwrap().leaves, 1);
}

pub async fn nodes_with_children_are_told_in_one_question(index: Arc<dyn Index>) {
    let root = root(&index).await;
    let nodes = fill(&index, root.id, &["a/", "b/", "c/", "d"]).await;
    let ids: Vec<NodeId> = nodes.iter().map(|node| node.id).collect();
    assert_eq!(index.occupied(&[]).await.unwrap(), []);
    assert_eq!(index.occupied(&ids).await.unwrap(), []);
    let below = fill(&index, ids[0], &["x", "y", "z/"]).await;
    fill(&index, ids[2], &["x/"]).await;
    let mut asked: Vec<NodeId> = ids.iter().rev().copied().collect();
    asked.extend([ids[0], below[2].id, NodeId(root.id.0 + 1_000)]);
    assert_eq!(index.occupied(&asked).await.unwrap(), [ids[0], ids[2]]);
    assert_eq!(index.occupied(&[root.id]).await.unwrap(), [root.id]);
}

pub async fn direct_children_are_counted(index: Arc<dyn Index>) {
    let root = root(&index).await;
    assert_eq!(index.count_children(root.id).await.unwrap(), Count::default());
    let folder = insert(&index, collection(root.id, "folder")).await;
    insert(&index, collection(root.id, "empty")).await;
    let sizes = [0, 1, u64::from(u32::MAX) * 4];
    for (number, size) in sizes.into_iter().enumerate() {
        insert(&index, NewNode { size, ..leaf(root.id, &number.to_string()) }).await;
    }
    // Counts for its own folder alone.
    insert(&index, NewNode { size: 7, ..leaf(folder.id, "below") }).await;

    let expected = Count { leaves: 3, collections: 2, bytes: 1 + u64::from(u32::MAX) * 4 };
    assert_eq!(index.count_children(root.id).await.unwrap(), expected);
    let expected = Count { leaves: 1, collections: 0, bytes: 7 };
    assert_eq!(index.count_children(folder.id).await.unwrap(), expected);
    let expected = Count { leaves: 0, collections: 1, bytes: 0 };
    assert_eq!(index.count_children(NodeId::ROOT).await.unwrap(), expected);
}

pub async fn touch_sets_time_and_etag_alone(index: Arc<dyn Index>) {
    let root = root(&index).await;
    let nodes = fill(&index, root.id, &["a/", "b/"]).await;
    let (a, b) = (nodes[0].clone(), nodes[1].clone());
    txn!(index, |txn| txn.touch(a.id, NOW + 5, "second").await).unwrap();
    let expected = Node { mtime_ns: NOW + 5, etag: "second".into(), ..nodes[0].clone() };
    assert_eq!(index.node(expected.id).await.unwrap(), Some(expected));
    assert_eq!(index.node(b.id).await.unwrap(), Some(b));
}

pub async fn deleting_a_node_takes_what_hangs_on_it(index: Arc<dyn Index>) {
    let root = root(&index).await;
    let nodes = fill(&index, root.id, &["gone", "kept"]).await;
    let ids: Vec<NodeId> = nodes.iter().map(|node| node.id).collect();
    let hung = nodes.clone();
    txn!(index, |txn| {
        for node in &hung {
            txn.set_meta(node.id, "dav", "colour", Some(&node.name)).await?;
            txn.set_meta(node.id, "user", "tag", Some("1")).await?;
            txn.put_lock(&Lock {
                token: format!("urn:uuid:{}", node.uuid),
                node: node.id,
                principal: "alice".into(),
                owner: String::new(),
                deep: false,
                shared: false,
                door: Door::Dav,
                created_ns: NOW,
                expires_ns: NOW + 10,
            })
            .await?;
            txn.insert_version(&Version {
                id: Uuid::new_v4(),
                node: node.id,
                size: 1,
                mtime_ns: NOW,
                etag: String::new(),
                content: Content::None,
                principal: "alice".into(),
                at_ns: NOW,
                mime: String::new(),
                attributes: Attributes::default(),
                unversioned: false,
                marker: false,
            })
            .await?;
        }
        Ok(())
    })
    .unwrap();
    assert_eq!(index.locks_on(&ids, NOW).await.unwrap().len(), 2);

    let gone = nodes[0].clone();
    txn!(index, |txn| {
        txn.delete_node(gone.id).await?;
        assert_eq!(txn.node(gone.id).await?, None);
        assert_eq!(txn.child(gone.parent, &gone.name).await?, None);
        assert_eq!(txn.versions(gone.id).await?, []);
        assert_eq!(txn.meta(gone.id, "dav").await?, []);
        assert_eq!(txn.locks_on(&[gone.id], NOW).await?, []);
        Ok(())
    })
    .unwrap();
    let (gone, kept) = (&nodes[0], &nodes[1]);
    assert_eq!(index.node(gone.id).await.unwrap(), None);
    assert_eq!(index.node_by_uuid(gone.uuid).await.unwrap(), None);
    assert_eq!(index.chain(root.id, &names("gone")).await.unwrap(), []);
    assert_eq!(index.lock(&format!("urn:uuid:{}", gone.uuid), NOW).await.unwrap(), None);
    assert_eq!(index.versions(&[gone.id]).await.unwrap(), []);

    let locks = index.locks_on(&ids, NOW).await.unwrap();
    assert_eq!(locks.iter().map(|lock| lock.node).collect::<Vec<_>>(), [kept.id]);
    let meta = index.meta(&ids, None).await.unwrap();
    assert_eq!(meta.iter().map(|meta| meta.node).collect::<Vec<_>>(), [kept.id, kept.id]);
    assert_eq!(index.versions(&[kept.id]).await.unwrap().len(), 1);

    // The name is free again, for another kind too.
    fill(&index, root.id, &["gone/"]).await;
}
