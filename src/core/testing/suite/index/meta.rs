//! Metadata of nodes.

use std::sync::Arc;

use super::{fill, root};
use crate::node::{Node, NodeId};
use crate::ports::{Index, Meta};

async fn set(index: &Arc<dyn Index>, node: NodeId, rows: &'static [(&str, &str, Option<&str>)]) {
    txn!(index, |txn| {
        for (namespace, name, value) in rows {
            txn.set_meta(node, namespace, name, *value).await?;
        }
        Ok(())
    })
    .unwrap();
}

fn meta(node: NodeId, rows: &[(&str, &str, &str)]) -> Vec<Meta> {
    let row = |(namespace, name, value): &(&str, &str, &str)| Meta {
        node,
        namespace: (*namespace).to_owned(),
        name: (*name).to_owned(),
        value: (*value).to_owned(),
    };
    rows.iter().map(row).collect()
}

async fn two_nodes(index: &Arc<dyn Index>) -> (NodeId, NodeId) {
    let root = root(index).await;
    let nodes: Vec<Node> = fill(index, root.id, &["a", "b"]).await;
    (nodes[0].id, nodes[1].id)
}

pub async fn values_are_set_replaced_and_removed(index: Arc<dyn Index>) {
    let (a, b) = two_nodes(&index).await;
    set(&index, a, &[("dav", "x", Some("1")), ("dav", "y", Some("")), ("user", "x", Some("2"))]).await;
    set(&index, b, &[("dav", "x", Some("3"))]).await;
    let expected = meta(a, &[("dav", "x", "1"), ("dav", "y", ""), ("user", "x", "2")]);
    assert_eq!(index.meta(&[a], None).await.unwrap(), expected);

    // Removing what is not there is fine.
    set(&index, a, &[("dav", "x", Some("4")), ("dav", "y", None), ("dav", "nothing", None)]).await;
    let expected = meta(a, &[("dav", "x", "4"), ("user", "x", "2")]);
    assert_eq!(index.meta(&[a], None).await.unwrap(), expected);
    assert_eq!(index.meta(&[b], None).await.unwrap(), meta(b, &[("dav", "x", "3")]));
    let inside = txn!(index, |txn| txn.meta(a, "dav").await).unwrap();
    assert_eq!(inside, meta(a, &[("dav", "x", "4")]));
}

pub async fn meta_comes_ordered_by_node_namespace_and_name(index: Arc<dyn Index>) {
    let (a, b) = two_nodes(&index).await;
    // Written in another order; upper case goes before lower, as bytes do.
    set(&index, b, &[("core", "x", Some("1"))]).await;
    set(
        &index,
        a,
        &[
            ("user", "é", Some("7")),
            ("user", "a b", Some("4")),
            ("dav", "y", Some("2")),
            ("user", "Z", Some("3")),
            ("user", "a", Some("5")),
            ("user", "a-b", Some("6")),
            ("Dav", "y", Some("1")),
        ],
    )
    .await;
    let mut expected = meta(
        a,
        &[
            ("Dav", "y", "1"),
            ("dav", "y", "2"),
            ("user", "Z", "3"),
            ("user", "a", "5"),
            ("user", "a b", "4"),
            ("user", "a-b", "6"),
            ("user", "é", "7"),
        ],
    );
    let inside = txn!(index, |txn| txn.meta(a, "user").await).unwrap();
    assert_eq!(inside, expected[2..]);
    expected.extend(meta(b, &[("core", "x", "1")]));
    assert_eq!(index.meta(&[b, a], None).await.unwrap(), expected);
    assert_eq!(index.meta(&[a, b], Some("dav")).await.unwrap(), expected[1..2]);
    assert_eq!(index.meta(&[a, b], Some("nothing")).await.unwrap(), []);
}

/// A whole page of a listing asks at once, and more nodes than a statement has parameters.
pub async fn meta_of_many_nodes_is_one_question(index: Arc<dyn Index>) {
    let (a, b) = two_nodes(&index).await;
    set(&index, a, &[("dav", "x", Some("1"))]).await;
    set(&index, b, &[("dav", "x", Some("2"))]).await;
    assert_eq!(index.meta(&[], None).await.unwrap(), []);
    let mut many: Vec<NodeId> = (0..70_000).map(|number| NodeId(b.0 + 1 + number)).collect();
    many.push(a);
    many.insert(0, b);
    let mut expected = meta(a, &[("dav", "x", "1")]);
    expected.extend(meta(b, &[("dav", "x", "2")]));
    assert_eq!(index.meta(&many, Some("dav")).await.unwrap(), expected);
    assert_eq!(index.meta(&many, None).await.unwrap(), expected);
    // Asked for twice, answered once.
    assert_eq!(index.meta(&[a, b, a], None).await.unwrap(), expected);
}

pub async fn awkward_names_and_values_are_kept(index: Arc<dyn Index>) {
    let (a, _) = two_nodes(&index).await;
    let long = "é".repeat(50_000);
    let rows = [("{DAV:}colour 'x' \" % _ \\", "<x xmlns=\"urn:é\">😀</x>\n"), ("long", long.as_str())];
    let written = rows.map(|(name, value)| (name.to_owned(), value.to_owned()));
    txn!(index, |txn| {
        for (name, value) in &written {
            txn.set_meta(a, "dav", name, Some(value)).await?;
        }
        Ok(())
    })
    .unwrap();
    let mut expected = rows.map(|(name, value)| ("dav", name, value));
    expected.sort_unstable();
    assert_eq!(index.meta(&[a], None).await.unwrap(), meta(a, &expected));
}

/// The copy has what the original has: what the target had of its own in that namespace is gone, and
/// other namespaces stay.
pub async fn copying_replaces_one_namespace(index: Arc<dyn Index>) {
    let (a, b) = two_nodes(&index).await;
    set(&index, a, &[("dav", "x", Some("1")), ("dav", "y", Some("2")), ("user", "x", Some("3"))]).await;
    set(&index, b, &[("dav", "y", Some("4")), ("dav", "z", Some("5")), ("user", "z", Some("6"))]).await;
    let inside = txn!(index, |txn| {
        txn.copy_meta(a, b, "dav").await?;
        txn.meta(b, "dav").await
    })
    .unwrap();
    assert_eq!(inside, meta(b, &[("dav", "x", "1"), ("dav", "y", "2")]));
    let expected = meta(b, &[("dav", "x", "1"), ("dav", "y", "2"), ("user", "z", "6")]);
    assert_eq!(index.meta(&[b], None).await.unwrap(), expected);
    let expected = meta(a, &[("dav", "x", "1"), ("dav", "y", "2"), ("user", "x", "3")]);
    assert_eq!(index.meta(&[a], None).await.unwrap(), expected);
}
