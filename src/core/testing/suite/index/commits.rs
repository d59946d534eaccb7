//! Commits: all or nothing, one after the other, visible when answered.

use std::sync::Arc;
use std::time::Duration;

use uuid::Uuid;

use super::{NOW, PATIENCE, all, collection, fill, insert, keys, leaf, names, root};
use crate::change::{ChangeKind, NewChange};
use crate::error::Error;
use crate::lock::Lock;
use crate::node::{Attributes, Content, Extent, Node, NodeId};
use crate::ports::{Index, Record, Span, Txn, Version};
use crate::principal::Door;
use crate::upload::{Part, Upload};

/// Writes something into every table, under ids that `tag` decides.
async fn write_everything(txn: &mut dyn Txn, root: NodeId, tag: Uuid) -> crate::error::Result<Node> {
    let node = txn.insert_node(&leaf(root, &tag.to_string())).await?;
    txn.touch(root, NOW, &tag.to_string()).await?;
    txn.set_meta(node.id, "dav", "x", Some("1")).await?;
    txn.insert_version(&Version {
        id: tag,
        node: node.id,
        size: 1,
        mtime_ns: NOW,
        etag: String::new(),
        content: Content::Inline(tag),
        principal: "alice".into(),
        at_ns: NOW,
        mime: String::new(),
        attributes: Attributes::default(),
        unversioned: false,
        marker: false,
    })
    .await?;
    txn.put_inline(tag, b"hello").await?;
    txn.put_extents(tag, &[Extent { content: Content::Blob(tag).to_text(), start: 0, size: 5 }]).await?;
    txn.discard_blob("ds", tag).await?;
    txn.put_lock(&Lock {
        token: tag.to_string(),
        node: node.id,
        principal: "alice".into(),
        owner: String::new(),
        deep: false,
        shared: false,
        door: Door::Dav,
        created_ns: NOW,
        expires_ns: NOW + 1,
    })
    .await?;
    txn.append_change(&NewChange {
        node: node.id,
        uuid: node.uuid,
        kind: ChangeKind::Create,
        collection: false,
        from: None,
        to: Some(format!("/ds/{tag}")),
        size: 5,
        etag: String::new(),
        principal: "alice".into(),
        door: Door::Dav,
        at_ns: NOW,
    })
    .await?;
    txn.put_upload(&Upload {
        id: tag,
        path: "/common-files/a".into(),
        datasource: "ds".into(),
        principal: "alice".into(),
        door: Door::S3,
        created_ns: NOW,
        expires_ns: NOW + 1,
        mime: None,
        mtime_ns: None,
        attributes: Attributes::default(),
    })
    .await?;
    txn.put_part(&Part {
        upload: tag,
        number: 1,
        size: 5,
        etag: String::new(),
        content: Content::Blob(tag),
        at_ns: NOW,
        digests: Attributes::default(),
    })
    .await?;
    txn.put_record(&Record {
        kind: "user".into(),
        id: tag.to_string(),
        name: tag.to_string(),
        owner: String::new(),
        expires_ns: None,
        body: "{}".into(),
    })
    .await?;
    Ok(node)
}

/// What of [`write_everything`] readers see, by table.
async fn seen(index: &Arc<dyn Index>, root: NodeId, tag: Uuid) -> Vec<(&'static str, bool)> {
    let text = tag.to_string();
    let path = std::slice::from_ref(&text);
    let node = index.chain(root, path).await.unwrap().pop();
    let id = node.as_ref().map_or(NodeId(i64::MAX), |node| node.id);
    let discarded = txn!(index, |txn| txn.discarded_blobs(1_000).await).unwrap();
    let feed = index.changes(0, 1_000).await.unwrap();
    vec![
        ("node", node.is_some()),
        ("touch", index.node(root).await.unwrap().unwrap().etag == text),
        ("meta", !index.meta(&[id], None).await.unwrap().is_empty()),
        ("version", !index.versions(&[id]).await.unwrap().is_empty()),
        ("inline", index.inline(tag).await.unwrap().is_some()),
        ("extents", index.extents(tag).await.unwrap().is_some()),
        ("discarded blob", discarded.iter().any(|(_, blob)| *blob == tag)),
        ("lock", index.lock(&text, NOW).await.unwrap().is_some()),
        ("change", feed.iter().any(|change| change.change.to == Some(format!("/ds/{tag}")))),
        ("upload", index.upload(tag).await.unwrap().is_some()),
        ("part", !index.parts(tag, 0, 10).await.unwrap().is_empty()),
        ("record", index.record("user", &text).await.unwrap().is_some()),
        ("record by name", index.record_by_name("user", &text).await.unwrap().is_some()),
    ]
}

fn only(seen: Vec<(&'static str, bool)>, wanted: bool) -> Vec<&'static str> {
    seen.into_iter().filter(|(_, seen)| *seen == wanted).map(|(table, _)| table).collect()
}

pub async fn what_is_answered_is_visible_everywhere(index: Arc<dyn Index>) {
    let root = root(&index).await.id;
    for _ in 0..5 {
        let tag = Uuid::new_v4();
        txn!(index, |txn| write_everything(txn, root, tag).await).unwrap();
        assert_eq!(only(seen(&index, root, tag).await, false), [""; 0]);
    }
}

pub async fn a_failed_mutation_leaves_nothing_and_answers_its_own_error(index: Arc<dyn Index>) {
    let root = root(&index).await.id;
    let tag = Uuid::new_v4();
    let failed = txn!(index, |txn| {
        write_everything(txn, root, tag).await?;
        Err::<(), _>(Error::Locked { path: "/ds".into(), owner: "bob".into() })
    });
    match failed {
        Err(Error::Locked { path, owner }) => assert_eq!((path, owner), ("/ds".into(), "bob".into())),
        other => panic!("{other:?}"),
    }
    assert_eq!(only(seen(&index, root, tag).await, true), [""; 0]);
}

/// Overwriting and deleting are undone as well.
pub async fn a_failed_mutation_restores_what_it_changed(index: Arc<dyn Index>) {
    let root = root(&index).await.id;
    let tag = Uuid::new_v4();
    let node = txn!(index, |txn| write_everything(txn, root, tag).await).unwrap();
    let below = insert(&index, collection(root, "folder")).await;
    let before = index.node(node.id).await.unwrap();
    let failed = txn!(index, |txn| {
        let moved = Node { parent: below.id, name: "moved".into(), size: 99, ..node.clone() };
        txn.update_node(&moved).await?;
        txn.set_meta(node.id, "dav", "x", Some("2")).await?;
        txn.delete_version(tag).await?;
        txn.delete_inline(tag).await?;
        txn.forget_blob(tag).await?;
        txn.delete_lock(&tag.to_string()).await?;
        txn.delete_upload(tag).await?;
        txn.delete_record("user", &tag.to_string()).await?;
        txn.delete_node(node.id).await?;
        txn.delete_node(below.id).await?;
        Err::<(), _>(Error::Conflict("on purpose".into()))
    });
    assert!(matches!(failed, Err(Error::Conflict(_))), "{failed:?}");
    assert_eq!(only(seen(&index, root, tag).await, false), [""; 0]);
    assert_eq!(index.chain(root, &names(&tag.to_string())).await.unwrap().pop(), before);
    let meta = index.meta(&[before.unwrap().id], Some("dav")).await.unwrap();
    assert_eq!(meta.first().map(|meta| meta.value.as_str()), Some("1"));
    assert_eq!(index.chain(root, &names("folder")).await.unwrap().len(), 1);
}

/// Many at once, so that a store that groups commits has some of both in one group.
pub async fn a_failing_mutation_does_not_take_its_neighbours_along(index: Arc<dyn Index>) {
    let root = root(&index).await.id;
    let tasks: Vec<_> = (0..48)
        .map(|number| {
            let index = index.clone();
            tokio::spawn(async move {
                let committed = txn!(index, |txn| {
                    txn.insert_node(&leaf(root, &format!("{number:02}"))).await?;
                    match number % 4 {
                        1 => Err(Error::Conflict("on purpose".into())),
                        // Refused by the store itself, which some databases let poison the rest.
                        2 => txn.insert_node(&collection(root, &format!("{number:02}"))).await.map(|_| ()),
                        _ => Ok(()),
                    }
                });
                match (number % 4, committed) {
                    (1, Err(Error::Conflict(_))) | (2, Err(Error::AlreadyExists(_))) | (0 | 3, Ok(())) => {}
                    (_, other) => panic!("{number}: {other:?}"),
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let expected: Vec<String> =
        (0..48).filter(|number| matches!(number % 4, 0 | 3)).map(|number| format!("{number:02}")).collect();
    assert_eq!(keys(&index.children(root, &all()).await.unwrap()), expected);
}

pub async fn a_transaction_reads_its_own_writes(index: Arc<dyn Index>) {
    let root = root(&index).await;
    let folder = insert(&index, collection(root.id, "folder")).await;
    txn!(index, |txn| {
        let a = txn.insert_node(&collection(root.id, "a")).await?;
        let b = txn.insert_node(&leaf(a.id, "b")).await?;
        assert_eq!(txn.node(b.id).await?.as_ref(), Some(&b));
        assert_eq!(txn.child(a.id, "b").await?.as_ref(), Some(&b));
        assert_eq!(txn.chain(root.id, &names("a/b")).await?, [a.clone(), b.clone()]);
        assert_eq!(txn.ancestry(b.id).await?, [root.clone(), a.clone(), b.clone()]);
        assert_eq!(txn.children(root.id, &all()).await?, [a.clone(), folder.clone()]);

        let moved = Node { parent: folder.id, name: "moved".into(), ..a.clone() };
        txn.update_node(&moved).await?;
        assert_eq!(txn.child(root.id, "a").await?, None);
        assert_eq!(txn.chain(root.id, &names("folder/moved/b")).await?, [folder, moved.clone(), b.clone()]);

        txn.delete_node(b.id).await?;
        assert_eq!(txn.children(moved.id, &all()).await?, []);
        txn.put_inline(b.uuid, b"hello").await?;
        txn.set_meta(moved.id, "dav", "x", Some("1")).await?;
        assert_eq!(txn.meta(moved.id, "dav").await?.len(), 1);
        Ok(())
    })
    .unwrap();
}

/// Mutations that write a lot and fail in the end: whatever shows of them was never committed.
pub async fn readers_do_not_see_what_is_not_committed(index: Arc<dyn Index>) {
    let root = root(&index).await;
    let before = insert(&index, leaf(root.id, "before")).await;
    let writer = tokio::spawn({
        let (index, before, root) = (index.clone(), before.clone(), root.id);
        async move {
            for _ in 0..20 {
                let after = Node { name: "after".into(), ..before.clone() };
                let failed = txn!(index, |txn| {
                    txn.update_node(&after).await?;
                    for number in 0..50 {
                        txn.insert_node(&leaf(root, &number.to_string())).await?;
                    }
                    Err::<(), _>(Error::Conflict("on purpose".into()))
                });
                assert!(matches!(failed, Err(Error::Conflict(_))), "{failed:?}");
            }
        }
    });
    loop {
        let last = writer.is_finished();
        assert_eq!(index.children(root.id, &all()).await.unwrap(), std::slice::from_ref(&before));
        assert_eq!(index.node(before.id).await.unwrap().as_ref(), Some(&before));
        assert_eq!(index.chain(root.id, &names("after")).await.unwrap(), []);
        if last {
            break;
        }
        tokio::task::yield_now().await;
    }
    writer.await.unwrap();
}

pub async fn a_reader_never_sees_half_a_commit(index: Arc<dyn Index>) {
    let root = root(&index).await;
    let pair = fill(&index, root.id, &["a", "b"]).await;
    let writer = tokio::spawn({
        let index = index.clone();
        async move {
            for number in 0..100 {
                let pair = pair.clone();
                txn!(index, |txn| {
                    for node in pair {
                        txn.update_node(&Node { etag: number.to_string(), ..node }).await?;
                    }
                    Ok(())
                })
                .unwrap();
            }
        }
    });
    let span = Span { limit: 2, ..Span::default() };
    while !writer.is_finished() {
        let pair = index.children(root.id, &span).await.unwrap();
        assert_eq!(pair[0].etag, pair[1].etag);
        tokio::task::yield_now().await;
    }
    writer.await.unwrap();
}

/// Checks inside a mutation hold until its commit: there is no gap between them for another.
pub async fn mutations_run_one_after_the_other(index: Arc<dyn Index>) {
    let counter = |count: u32| Record {
        kind: "setting".into(),
        id: "counter".into(),
        name: String::new(),
        owner: String::new(),
        expires_ns: None,
        body: count.to_string(),
    };
    txn!(index, |txn| txn.put_record(&counter(0)).await).unwrap();
    let tasks: Vec<_> = (0..64)
        .map(|_| {
            let index = index.clone();
            tokio::spawn(async move {
                txn!(index, |txn| {
                    let held = txn.record("setting", "counter").await?.unwrap();
                    txn.put_record(&counter(held.body.parse::<u32>().unwrap() + 1)).await
                })
                .unwrap();
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let held = index.record("setting", "counter").await.unwrap();
    assert_eq!(held.map(|record| record.body), Some("64".into()));
}

/// Two that want the same name: one gets it, the other is told.
pub async fn one_of_two_gets_the_name(index: Arc<dyn Index>) {
    let root = root(&index).await.id;
    let tasks: Vec<_> = (0..16)
        .map(|number| {
            let index = index.clone();
            let new = if number % 2 == 0 { leaf(root, "a") } else { collection(root, "a") };
            tokio::spawn(async move { txn!(index, |txn| txn.insert_node(&new).await) })
        })
        .collect();
    let mut got = 0;
    for task in tasks {
        match task.await.unwrap() {
            Ok(_) => got += 1,
            Err(Error::AlreadyExists(_)) => {}
            Err(other) => panic!("{other:?}"),
        }
    }
    assert_eq!(got, 1);
    assert_eq!(index.children(root, &all()).await.unwrap().len(), 1);
}

/// A request whose client is gone: its commit stands or falls whole, and nobody waits for it.
pub async fn a_caller_that_leaves_stops_nothing(index: Arc<dyn Index>) {
    let root = root(&index).await.id;
    for number in 0..20_u64 {
        let pair = [leaf(root, &format!("{number}-a")), leaf(root, &format!("{number}-b"))];
        let index_of_task = index.clone();
        let commit = async move {
            txn!(index_of_task, |txn| {
                for new in &pair {
                    txn.insert_node(new).await?;
                }
                Ok(())
            })
        };
        let _ = tokio::time::timeout(Duration::from_micros(number * 50), commit).await;
    }
    let next = tokio::time::timeout(PATIENCE, insert(&index, leaf(root, "next")));
    next.await.expect("the index still commits");
    let found = keys(&index.children(root, &all()).await.unwrap());
    for number in 0..20 {
        let halves = found.iter().filter(|key| key.starts_with(&format!("{number}-"))).count();
        assert!(halves != 1, "{number} is half there");
    }
}

/// A fault in one operation must not end all later ones.
pub async fn a_mutation_that_panics_stops_nothing(index: Arc<dyn Index>) {
    let root = root(&index).await.id;
    let panics = tokio::spawn({
        let index = index.clone();
        async move {
            txn!(index, |txn| {
                txn.insert_node(&leaf(root, "half")).await?;
                if root.0 != i64::MAX {
                    panic!("on purpose");
                }
                Ok(())
            })
        }
    });
    let outcome = tokio::time::timeout(PATIENCE, panics).await.expect("the caller is answered");
    assert!(!matches!(outcome, Ok(Ok(()))), "a panic was answered as a success");
    let next = tokio::time::timeout(PATIENCE, insert(&index, leaf(root, "next")));
    next.await.expect("the index still commits");
    assert_eq!(keys(&index.children(root, &all()).await.unwrap()), ["next"]);
}
