//! Versions, inline bytes, extent lists, and what refers to what.

use std::collections::BTreeSet;
use std::sync::Arc;

use uuid::Uuid;

use super::{NOW, insert, leaf, root};
use crate::node::{Attributes, Content, Extent, Node, NodeId};
use crate::ports::{Count, Index, NewNode, Span, Version};
use crate::principal::Door;
use crate::upload::{Part, Upload};

pub async fn inline_bytes_come_back(index: Arc<dyn Index>) {
    let every_byte: Vec<u8> = (0..=255).cycle().take(64 * 1024).collect();
    for bytes in [Vec::new(), vec![0], every_byte] {
        let id = Uuid::new_v4();
        assert_eq!(index.inline(id).await.unwrap(), None);
        let written = bytes.clone();
        txn!(index, |txn| txn.put_inline(id, &written).await).unwrap();
        assert_eq!(index.inline(id).await.unwrap().as_deref(), Some(bytes.as_slice()));
        txn!(index, |txn| txn.delete_inline(id).await).unwrap();
    }
    // What nobody has looked up cannot be remembered.
    let id = Uuid::new_v4();
    txn!(index, |txn| txn.put_inline(id, b"bytes").await).unwrap();
    txn!(index, |txn| txn.delete_inline(id).await).unwrap();
    assert_eq!(index.inline(id).await.unwrap(), None);
}

pub async fn extent_lists_keep_their_order(index: Arc<dyn Index>) {
    let extents: Vec<Extent> = (0..1_000)
        .map(|number| Extent {
            content: Content::Blob(Uuid::new_v4()).to_text(),
            start: number * (u64::from(u32::MAX) + 1),
            size: u64::from(u32::MAX) + 1_000 - number,
        })
        .collect();
    let (id, other) = (Uuid::new_v4(), Uuid::new_v4());
    let written = extents.clone();
    txn!(index, |txn| {
        assert_eq!(txn.extents(id).await?, None);
        txn.put_extents(id, &written).await?;
        txn.put_extents(other, &written[..1]).await?;
        assert_eq!(txn.extents(id).await?.as_ref(), Some(&written));
        Ok(())
    })
    .unwrap();
    assert_eq!(index.extents(id).await.unwrap(), Some(extents));

    txn!(index, |txn| {
        txn.delete_inline(id).await?;
        assert_eq!(txn.extents(id).await?, None);
        Ok(())
    })
    .unwrap();
    assert_eq!(index.extents(id).await.unwrap(), None);
    assert_eq!(index.extents(other).await.unwrap().map(|list| list.len()), Some(1));
}

async fn is_referenced(index: &Arc<dyn Index>, content: &Content) -> bool {
    let content = content.clone();
    txn!(index, |txn| txn.is_referenced(&content).await).unwrap()
}

pub async fn content_of_nodes_is_referenced(index: Arc<dyn Index>) {
    let root = root(&index).await;
    let id = Uuid::new_v4();
    for content in [Content::Blob(id), Content::Inline(id), Content::Extents(id)] {
        assert!(!is_referenced(&index, &content).await);
        let node = insert(&index, NewNode { content: content.clone(), ..leaf(root.id, "a") }).await;
        assert!(is_referenced(&index, &content).await);
        // The same id in another place is other content.
        for other in [Content::Blob(id), Content::Inline(id), Content::Extents(id)] {
            assert_eq!(is_referenced(&index, &other).await, other == content);
        }
        // Two copies share one content, and either keeps it.
        let copy = insert(&index, NewNode { content: content.clone(), ..leaf(root.id, "copy") }).await;
        txn!(index, |txn| txn.delete_node(node.id).await).unwrap();
        assert!(is_referenced(&index, &content).await);

        // What is being removed still has its content.
        let limbo = Node { parent: NodeId::LIMBO, name: copy.uuid.to_string(), ..copy.clone() };
        txn!(index, |txn| txn.update_node(&limbo).await).unwrap();
        assert!(is_referenced(&index, &content).await);

        let sees_its_own_writes = content.clone();
        txn!(index, |txn| {
            txn.delete_node(copy.id).await?;
            assert!(!txn.is_referenced(&sees_its_own_writes).await?);
            Ok(())
        })
        .unwrap();
        assert!(!is_referenced(&index, &content).await);
    }
}

pub async fn content_of_versions_parts_and_extents_is_referenced(index: Arc<dyn Index>) {
    let root = root(&index).await;
    let node = insert(&index, leaf(root.id, "a")).await;
    let content = Content::Blob(Uuid::new_v4());

    let version = version(node.id, 1, content.clone());
    let id = version.id;
    txn!(index, |txn| txn.insert_version(&version).await).unwrap();
    assert!(is_referenced(&index, &content).await, "by a version");
    txn!(index, |txn| txn.delete_version(id).await).unwrap();
    assert!(!is_referenced(&index, &content).await);

    let upload = Uuid::new_v4();
    let held = content.clone();
    txn!(index, |txn| {
        txn.put_upload(&Upload {
            id: upload,
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
        let part = Part {
            upload,
            number: 1,
            size: 5,
            etag: String::new(),
            content: held,
            at_ns: NOW,
            digests: Attributes::default(),
        };
        txn.put_part(&part).await
    })
    .unwrap();
    assert!(is_referenced(&index, &content).await, "by a part");
    txn!(index, |txn| txn.delete_upload(upload).await).unwrap();
    assert!(!is_referenced(&index, &content).await);

    let list = Uuid::new_v4();
    let extents = [Content::Blob(Uuid::new_v4()), content.clone()].map(|content| Extent {
        content: content.to_text(),
        start: 0,
        size: 5,
    });
    txn!(index, |txn| txn.put_extents(list, &extents).await).unwrap();
    assert!(is_referenced(&index, &content).await, "by an extent list");
    txn!(index, |txn| txn.delete_inline(list).await).unwrap();
    assert!(!is_referenced(&index, &content).await);
}

pub async fn discarded_blobs_are_kept_until_forgotten(index: Arc<dyn Index>) {
    let blobs: BTreeSet<(String, Uuid)> =
        (0..5).map(|number| (format!("ds{}", number % 2), Uuid::new_v4())).collect();
    let noted = blobs.clone();
    txn!(index, |txn| {
        for (datasource, blob) in &noted {
            txn.discard_blob(datasource, *blob).await?;
        }
        Ok(())
    })
    .unwrap();

    let (all, some) =
        txn!(index, |txn| Ok((txn.discarded_blobs(100).await?, txn.discarded_blobs(2).await?))).unwrap();
    assert_eq!(all.len(), 5);
    assert_eq!(all.into_iter().collect::<BTreeSet<_>>(), blobs);
    assert_eq!(some.len(), 2);
    assert!(some.iter().all(|blob| blobs.contains(blob)));

    let forgotten: Vec<Uuid> = some.iter().map(|(_, blob)| *blob).collect();
    let rest = txn!(index, |txn| {
        for blob in forgotten {
            txn.forget_blob(blob).await?;
        }
        txn.discarded_blobs(100).await
    })
    .unwrap();
    let expected: BTreeSet<_> = blobs.into_iter().filter(|blob| !some.contains(blob)).collect();
    assert_eq!(rest.into_iter().collect::<BTreeSet<_>>(), expected);
}

fn version(node: NodeId, number: i64, content: Content) -> Version {
    Version {
        id: Uuid::new_v4(),
        node,
        size: u64::from(u32::MAX) + number.unsigned_abs(),
        mtime_ns: NOW - number,
        etag: format!("etag {number}"),
        content,
        principal: "alice é".into(),
        at_ns: NOW + number,
        mime: format!("text/x-{number}"),
        attributes: Attributes([("cache-control".to_owned(), format!("max-age={number}"))].into()),
        unversioned: number % 2 == 1,
        marker: number == 2,
    }
}

fn by_age(mut versions: Vec<Version>) -> Vec<Version> {
    versions.sort_by_key(|version| version.at_ns);
    versions
}

pub async fn versions_come_back_and_are_deleted_one_by_one(index: Arc<dyn Index>) {
    let root = root(&index).await;
    let node = insert(&index, leaf(root.id, "a")).await;
    let other = insert(&index, leaf(root.id, "b")).await;
    let contents =
        [Content::Blob(Uuid::new_v4()), Content::Inline(Uuid::new_v4()), Content::Extents(Uuid::new_v4())];
    let mut versions: Vec<Version> =
        (1..).zip(contents).map(|(number, content)| version(node.id, number, content)).collect();
    let elsewhere = version(other.id, 9, Content::None);
    let (written, also) = (versions.clone(), elsewhere.clone());
    txn!(index, |txn| {
        for version in &written {
            txn.insert_version(version).await?;
        }
        txn.insert_version(&also).await?;
        assert_eq!(by_age(txn.versions(node.id).await?), written);
        Ok(())
    })
    .unwrap();
    assert_eq!(by_age(index.versions(&[node.id]).await.unwrap()), versions);

    let gone = versions.remove(1);
    txn!(index, |txn| txn.delete_version(gone.id).await).unwrap();
    assert_eq!(by_age(index.versions(&[node.id]).await.unwrap()), versions);
    assert_eq!(index.versions(&[other.id]).await.unwrap(), std::slice::from_ref(&elsewhere));

    // Of many leaves at once: by leaf, newest first.
    versions.reverse();
    let both: Vec<_> = versions.iter().cloned().chain([elsewhere.clone()]).collect();
    assert_eq!(index.versions(&[other.id, node.id]).await.unwrap(), both);
    assert_eq!(index.versions(&[]).await.unwrap(), []);

    txn!(index, |txn| txn.move_versions(node.id, other.id).await).unwrap();
    assert_eq!(index.versions(&[node.id]).await.unwrap(), []);
    let moved: Vec<_> = [elsewhere]
        .into_iter()
        .chain(versions.into_iter().map(|of| Version { node: other.id, ..of }))
        .collect();
    assert_eq!(index.versions(&[other.id]).await.unwrap(), moved);
}

pub async fn a_delete_marker_is_no_child_of_its_collection(index: Arc<dyn Index>) {
    let root = root(&index).await;
    let leaf = insert(&index, leaf(root.id, "a")).await;
    let hidden = Node { parent: root.id.removed_below(), ..leaf.clone() };
    let (marker, name) = (hidden.clone(), leaf.name.clone());
    txn!(index, |txn| {
        txn.update_node(&marker).await?;
        assert_eq!(txn.child(root.id, &name).await?, None);
        assert_eq!(txn.child(root.id.removed_below(), &name).await?, Some(marker));
        Ok(())
    })
    .unwrap();
    let all = Span { limit: 10, ..Span::default() };
    assert_eq!(index.children(root.id, &all).await.unwrap(), []);
    assert_eq!(index.occupied(&[root.id]).await.unwrap(), []);
    assert_eq!(index.count_children(root.id).await.unwrap(), Count::default());
    assert_eq!(index.children(root.id.removed_below(), &all).await.unwrap(), std::slice::from_ref(&hidden));
    assert_eq!(index.ancestry(leaf.id).await.unwrap(), [hidden]);
}
