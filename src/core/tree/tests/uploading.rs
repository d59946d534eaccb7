use super::*;
use crate::http::range::RangeSpec;
use crate::node::Attributes;
use crate::testing::test_core;
use crate::tree::uploads::{Complete, PartRef};
use crate::tree::{Removal, Remove};
use crate::upload::Upload;

async fn begin(tree: &Tree, at: &str) -> Upload {
    let mut attributes = Attributes::default();
    attributes.set("x-amz-meta-colour", "red");
    tree.create_upload(&path(at), attributes, Some("text/x-test".into()), None).await.unwrap()
}

async fn part(tree: &Tree, upload: &Upload, number: u32, content: &str) -> PartRef {
    let at = path(&upload.path);
    let part =
        tree.write_part(&at, upload.id, number, body(content.to_owned()), Write::default()).await.unwrap();
    PartRef { number, etag: Some(part.etag) }
}

#[tokio::test]
async fn parts_in_any_order_become_one_leaf_without_a_copy() {
    let core = test_core().await;
    let tree = core.tree("alice").await;
    let upload = begin(&tree, "/personal-files/deep/a.bin").await;
    let (one, two, three) = ("1".repeat(30_000), "2".repeat(100), "3".repeat(20_000));
    let third = part(&tree, &upload, 3, &three).await;
    part(&tree, &upload, 1, "replaced").await;
    let first = part(&tree, &upload, 1, &one).await;
    let second = part(&tree, &upload, 2, &two).await;
    part(&tree, &upload, 9, &"unused".repeat(9_000)).await;
    let at = path(&upload.path);
    assert!(is_absent(tree.stat(&at).await), "nothing is visible before it is complete");
    let how = Complete {
        parts: Some(vec![first, second, third]),
        write: Write { parents: Parents::Create, ..Write::default() },
        ..Complete::default()
    };
    let written = tree.complete_upload(&at, upload.id, how).await.unwrap();
    assert!(written.node.etag.ends_with("-3"));
    assert_eq!(written.node.attributes.get("x-amz-meta-colour"), Some("red"));
    assert_eq!(written.node.mime, "text/x-test");
    let whole_text = format!("{one}{two}{three}");
    assert_eq!(get(&tree, &upload.path).await.unwrap(), whole_text);
    let options =
        ReadOptions { range: Some(RangeSpec::From(29_999, Some(30_100))), ..ReadOptions::default() };
    let read = tree.read(&at, &options).await.unwrap();
    assert_eq!(whole(read.bits).await.unwrap(), whole_text.as_bytes()[29_999..=30_100]);
    let store = core.backends.datasource("personal");
    // Two parts are blobs, one is inline; the unused and the replaced ones go.
    eventually(async || store.blob_count() == 2).await;
    let gone = Remove { removal: Removal::Permanent, ..Remove::default() };
    tree.remove(&at, &gone).await.unwrap();
    eventually(async || store.blob_count() == 0).await;
}

#[tokio::test]
async fn an_upload_is_its_principal_s_and_its_path_s() {
    let core = test_core().await;
    let (alice, admin) = (core.tree("alice").await, core.tree("admin").await);
    let upload = begin(&alice, "/common-files/a.bin").await;
    let (at, other) = (path("/common-files/a.bin"), path("/common-files/b.bin"));
    for (tree, at) in [(&admin, &at), (&alice, &other)] {
        let written = tree.write_part(at, upload.id, 1, body("x"), Write::default()).await;
        assert!(matches!(written, Err(Error::NoSuchUpload(_))));
        assert!(matches!(tree.abort_upload(at, upload.id).await, Err(Error::NoSuchUpload(_))));
    }
    assert_eq!(alice.uploads(&path("/common-files")).await.unwrap().len(), 1);
    assert!(alice.uploads(&path("/personal-files")).await.unwrap().is_empty());
    for number in [0, 10_001] {
        let written = alice.write_part(&at, upload.id, number, body("x"), Write::default()).await;
        assert!(matches!(written, Err(Error::InvalidPart { .. })));
    }
}

#[tokio::test]
async fn an_aborted_or_refused_upload_leaves_nothing() {
    let core = test_core().await;
    let tree = core.tree("alice").await;
    let upload = begin(&tree, "/personal-files/a.bin").await;
    let at = path(&upload.path);
    let large = part(&tree, &upload, 1, &"x".repeat(40_000)).await;
    let store = core.backends.datasource("personal");
    assert_eq!(store.blob_count(), 1);
    let stale = Complete {
        parts: Some(vec![PartRef { etag: Some("0".repeat(32)), ..large }]),
        ..Complete::default()
    };
    assert!(matches!(tree.complete_upload(&at, upload.id, stale).await, Err(Error::InvalidPart { .. })));
    let refused =
        Complete { write: Write { conditions: if_match("none"), ..Write::default() }, ..Complete::default() };
    assert!(matches!(tree.complete_upload(&at, upload.id, refused).await, Err(Error::PreconditionFailed(_))));
    tree.abort_upload(&at, upload.id).await.unwrap();
    assert!(is_absent(tree.stat(&at).await));
    eventually(async || store.blob_count() == 0).await;
}
