use super::*;
use crate::content::Algorithm;
use crate::listing::Depth;
use crate::node::{Attributes, NodeKind};
use crate::testing::test_core;
use crate::tree::{Existing, Removal, Remove, TAGS, Transfer};

fn refuse() -> Transfer {
    Transfer { existing: Existing::Refuse, ..Transfer::default() }
}

#[tokio::test]
async fn a_rename_keeps_ids_etags_and_metadata_of_everything_below() {
    let core = test_core().await;
    let tree = core.tree("alice").await;
    let before = put(&tree, "/personal-files/a/b/c.txt", "x").await.unwrap().node;
    let meta = [("colour".to_owned(), Some("red".to_owned()))];
    tree.set_meta(&path("/personal-files/a/b/c.txt"), "user", &meta, &[]).await.unwrap();
    let moved = tree.rename(&path("/personal-files/a"), &path("/personal-files/z"), &refuse()).await;
    assert!(moved.unwrap().created);
    let after = tree.stat(&path("/personal-files/z/b/c.txt")).await.unwrap();
    assert_eq!((after.id, after.uuid, &after.etag), (before.id, before.uuid, &before.etag));
    assert_eq!(tree.meta(&[after.id], Some("user")).await.unwrap()[&after.id][0].value, "red");
    assert!(is_absent(tree.stat(&path("/personal-files/a")).await));
}

#[tokio::test]
async fn moves_that_make_no_sense_change_nothing() {
    let core = test_core().await;
    let tree = core.tree("alice").await;
    put(&tree, "/personal-files/a/b/c", "x").await.unwrap();
    put(&tree, "/personal-files/d", "y").await.unwrap();
    let before = keys(&tree, "/", Depth::Infinity).await;
    for (from, to) in [
        ("/personal-files/a", "/personal-files/a/b/x"),
        ("/personal-files/a", "/personal-files/a"),
        ("/personal-files/a/b", "/personal-files/a"),
        ("/personal-files", "/common-files/x"),
        ("/personal-files/d", "/personal-files"),
        ("/personal-files/d", "/personal-files/a/b/c/d"),
        ("/personal-files/d", "/personal-files/none/d"),
        ("/personal-files/none", "/personal-files/x"),
        ("/personal-files/d", "/nowhere/d"),
        ("/personal-files/d", "/"),
    ] {
        let moved = tree.rename(&path(from), &path(to), &Transfer::default()).await;
        assert!(moved.is_err(), "{from} to {to}");
        assert_eq!(keys(&tree, "/", Depth::Infinity).await, before, "{from} to {to}");
    }
}

#[tokio::test]
async fn a_move_replaces_only_when_it_may() {
    let core = test_core().await;
    let tree = core.tree("alice").await;
    put(&tree, "/personal-files/a", "new").await.unwrap();
    put(&tree, "/personal-files/b/old", "x").await.unwrap();
    let (a, b) = (path("/personal-files/a"), path("/personal-files/b"));
    assert!(matches!(tree.rename(&a, &b, &refuse()).await, Err(Error::AlreadyExists(_))));
    let moved = tree.rename(&a, &b, &Transfer::default()).await.unwrap();
    assert!(!moved.created);
    assert_eq!(keys(&tree, "/personal-files", Depth::Infinity).await, ["b"]);
    assert_eq!(get(&tree, "/personal-files/b").await.unwrap(), "new");
}

#[tokio::test]
async fn a_move_between_datasources_takes_everything_along() {
    let core = test_core().await;
    let tree = core.tree("alice").await;
    let large = "x".repeat(40_000);
    put(&tree, "/personal-files/a/b", &large).await.unwrap();
    put(&tree, "/personal-files/a/c/d", "small").await.unwrap();
    tree.rename(&path("/personal-files/a"), &path("/common-files/a"), &refuse()).await.unwrap();
    assert_eq!(keys(&tree, "/common-files", Depth::Infinity).await, ["a/", "a/b", "a/c/", "a/c/d"]);
    assert_eq!(get(&tree, "/common-files/a/b").await.unwrap(), large);
    assert!(is_absent(tree.stat(&path("/personal-files/a")).await));
    eventually(async || core.backends.datasource("personal").blob_count() == 0).await;
}

#[tokio::test]
async fn a_copy_shares_bytes_and_outlives_its_source() {
    let core = test_core().await;
    let tree = core.tree("alice").await;
    let large = "x".repeat(40_000);
    put(&tree, "/personal-files/a/big", &large).await.unwrap();
    put(&tree, "/personal-files/a/sub/small", "s").await.unwrap();
    let copied = tree.copy(&path("/personal-files/a"), &path("/personal-files/b"), &refuse()).await;
    assert!(copied.unwrap().created);
    let store = core.backends.datasource("personal");
    assert_eq!(store.blob_count(), 1, "one blob, two leaves");
    assert_eq!(
        keys(&tree, "/personal-files", Depth::Infinity).await,
        ["a/", "a/big", "a/sub/", "a/sub/small", "b/", "b/big", "b/sub/", "b/sub/small"]
    );
    let gone = Remove { removal: Removal::Permanent, ..Remove::default() };
    tree.remove(&path("/personal-files/a"), &gone).await.unwrap();
    core.clean_up().await.unwrap();
    assert_eq!(get(&tree, "/personal-files/b/big").await.unwrap(), large);
    tree.remove(&path("/personal-files/b"), &gone).await.unwrap();
    eventually(async || store.blob_count() == 0).await;
}

/// Which shares blocks where the file system can.
#[tokio::test]
async fn a_copy_on_disk_is_left_to_the_datasource() {
    let core = super::adoption::structured().await;
    let tree = core.tree("alice").await;
    put(&tree, "/archive/a/one", "1").await.unwrap();
    put(&tree, "/archive/a/two", "2").await.unwrap();
    let store = core.backends.datasource("archive");
    tree.copy(&path("/archive/a/one"), &path("/archive/b"), &refuse()).await.unwrap();
    assert_eq!(store.duplicate_count(), 1);
    tree.copy(&path("/archive/a"), &path("/archive/c"), &refuse()).await.unwrap();
    assert_eq!(store.duplicate_count(), 3);
    put(&tree, "/archive/a/one", "changed").await.unwrap();
    for (at, content) in [("/archive/b", "1"), ("/archive/c/one", "1"), ("/archive/c/two", "2")] {
        assert_eq!(get(&tree, at).await.unwrap(), content, "{at}");
    }
}

#[tokio::test]
async fn a_copy_into_itself_or_over_what_is_protected_is_refused() {
    let core = test_core().await;
    let tree = core.tree("alice").await;
    put(&tree, "/personal-files/a/x", "1").await.unwrap();
    put(&tree, "/personal-files/b/x", "2").await.unwrap();
    let a = path("/personal-files/a");
    assert!(matches!(
        tree.copy(&a, &path("/personal-files/a/b"), &Transfer::default()).await,
        Err(Error::Conflict(_))
    ));
    assert!(matches!(
        tree.copy(&a, &path("/personal-files/b"), &refuse()).await,
        Err(Error::AlreadyExists(_))
    ));
    assert_eq!(get(&tree, "/personal-files/b/x").await.unwrap(), "2");
    // Replacing a collection leaves nothing of it.
    put(&tree, "/personal-files/b/y", "3").await.unwrap();
    tree.copy(&a, &path("/personal-files/b"), &Transfer::default()).await.unwrap();
    assert_eq!(keys(&tree, "/personal-files/b", Depth::Infinity).await, ["x"]);
}

#[tokio::test]
async fn what_is_recycled_can_be_restored() {
    let core = test_core().await;
    let tree = core.tree("alice").await;
    for content in ["1", "2"] {
        put(&tree, "/personal-files/d/a.txt", content).await.unwrap();
        let removed = tree.remove(&path("/personal-files/d/a.txt"), &Remove::default()).await.unwrap();
        assert!(removed.recycled_to.is_some());
    }
    assert_eq!(keys(&tree, "/personal-files/recycle_bin", Depth::One).await, ["a (1).txt", "a.txt"]);
    tree.remove(&path("/personal-files/d"), &Remove { removal: Removal::Permanent, ..Remove::default() })
        .await
        .unwrap();
    let restored = tree.restore(&path("/personal-files/recycle_bin/a (1).txt")).await.unwrap();
    assert_eq!(restored.path.to_string(), "/personal-files/d/a.txt");
    assert_eq!(get(&tree, "/personal-files/d/a.txt").await.unwrap(), "2");
    // Inside the bin, removing is for good.
    let removed = tree.remove(&path("/personal-files/recycle_bin/a.txt"), &Remove::default()).await.unwrap();
    assert_eq!(removed.recycled_to, None);
    assert!(matches!(tree.restore(&path("/personal-files/d/a.txt")).await, Err(Error::Conflict(_))));
}

#[tokio::test]
async fn removing_a_large_tree_is_one_step_and_limbo_empties_itself() {
    let core = test_core().await;
    let tree = core.tree("alice").await;
    for number in 0..1200 {
        put(&tree, &format!("/personal-files/big/{}/{number}", number % 7), "x").await.unwrap();
    }
    let gone = Remove { removal: Removal::Permanent, ..Remove::default() };
    tree.remove(&path("/personal-files/big"), &gone).await.unwrap();
    assert!(is_absent(tree.stat(&path("/personal-files/big/1")).await));
    let index = core.core.inner.index.clone();
    let span = crate::ports::Span { limit: 10, ..Default::default() };
    eventually(async || index.children(crate::node::NodeId::LIMBO, &span).await.unwrap().is_empty()).await;
}

#[tokio::test]
async fn only_empty_refuses_a_full_collection() {
    let core = test_core().await;
    let tree = core.tree("alice").await;
    put(&tree, "/personal-files/d/a", "1").await.unwrap();
    let how = Remove { only_empty: true, removal: Removal::Permanent, ..Remove::default() };
    assert!(matches!(tree.remove(&path("/personal-files/d"), &how).await, Err(Error::NotEmpty(_))));
    assert!(tree.remove(&path("/personal-files"), &how).await.is_err(), "a workspace's root stays");
}

#[tokio::test]
async fn a_guessed_type_follows_the_name_and_a_given_one_stays() {
    let core = test_core().await;
    let tree = core.tree("alice").await;
    let docx = "application/vnd.openxmlformats-officedocument.wordprocessingml.document";
    let types = async |at: &str| tree.stat(&path(at)).await.unwrap().mime;
    // As Word saves.
    put(&tree, "/personal-files/~WRD0001.tmp", "x").await.unwrap();
    let (from, to) = (path("/personal-files/~WRD0001.tmp"), path("/personal-files/report.docx"));
    let moved = tree.rename(&from, &to, &refuse()).await.unwrap();
    assert_eq!(moved.node.mime, docx);
    assert_eq!(types("/personal-files/report.docx").await, docx);

    // Also one that the name would have led to.
    for given in ["text/plain", "text/x-test"] {
        let how = Write { mime: Some(given.into()), ..Write::default() };
        tree.write(&path("/personal-files/a.txt"), body("x"), how).await.unwrap();
        for (from, to) in [("a.txt", "a.bin"), ("a.bin", "a.txt"), ("a.txt", "a.html")] {
            let (from, to) = (format!("/personal-files/{from}"), format!("/personal-files/{to}"));
            tree.rename(&path(&from), &path(&to), &refuse()).await.unwrap();
            assert_eq!(types(&to).await, given, "{to}");
        }
        let copied = ["/personal-files/b.html", "/common-files/b.html", "/personal-files/c.png"];
        for (from, to) in
            [("/personal-files/a.html", copied[0]), (copied[0], copied[1]), (copied[1], copied[2])]
        {
            tree.copy(&path(from), &path(to), &Transfer::default()).await.unwrap();
            assert_eq!(types(to).await, given, "{to}");
        }
        tree.remove(&path("/personal-files/a.html"), &Remove::default()).await.unwrap();
    }

    // Written anew without a type, it is guessed again, and a copy's guess is of its own name.
    put(&tree, "/personal-files/c.png", "x").await.unwrap();
    assert_eq!(types("/personal-files/c.png").await, "image/png");
    for to in ["/personal-files/c.css", "/common-files/c.css"] {
        tree.copy(&path("/personal-files/c.png"), &path(to), &Transfer::default()).await.unwrap();
        assert_eq!(types(to).await, "text/css", "{to}");
    }
    let given = Some("text/css".to_owned());
    tree.set_attributes(&path("/personal-files/c.css"), &[], given, None, &[]).await.unwrap();
    let (from, to) = (path("/personal-files/c.css"), path("/personal-files/c"));
    tree.rename(&from, &to, &refuse()).await.unwrap();
    assert_eq!(types("/personal-files/c").await, "text/css");
}

#[tokio::test]
async fn a_type_from_before_guesses_were_told_apart_counts_by_its_name() {
    let core = test_core().await;
    let tree = core.tree("alice").await;
    for (name, mime, after) in [("a.txt", "text/plain", "image/png"), ("b.txt", "text/x-test", "text/x-test")]
    {
        let (from, to) = (format!("/personal-files/{name}"), format!("/personal-files/{name}.png"));
        let mut node = put(&tree, &from, "x").await.unwrap().node;
        node.mime = mime.into();
        assert!(node.attributes.is_empty(), "a row as older versions wrote it");
        core.commit(move |txn| Box::pin(async move { txn.update_node(&node).await })).await.unwrap();
        let moved = tree.rename(&path(&from), &path(&to), &refuse()).await.unwrap();
        assert_eq!(moved.node.mime, after);
    }
}

/// An S3 key names an object; a folder that appears under it in this instant is another thing.
#[tokio::test]
async fn what_is_meant_for_leaves_leaves_collections_alone() {
    let core = test_core().await;
    let tree = core.tree("alice").await;
    put(&tree, "/personal-files/a", "x").await.unwrap();
    put(&tree, "/personal-files/d/b", "y").await.unwrap();
    let (a, d) = (path("/personal-files/a"), path("/personal-files/d"));
    let leaves = Transfer { leaf_only: true, ..Transfer::default() };
    assert!(matches!(tree.copy(&a, &d, &leaves).await, Err(Error::IsACollection(_))));
    assert!(matches!(tree.copy(&d, &path("/personal-files/e"), &leaves).await, Err(Error::IsACollection(_))));
    assert!(matches!(tree.rename(&a, &d, &leaves).await, Err(Error::IsACollection(_))));
    for (at, kind) in [(&a, NodeKind::Collection), (&d, NodeKind::Leaf)] {
        let how = Remove { removal: Removal::Permanent, kind: Some(kind), ..Remove::default() };
        assert!(is_absent(tree.remove(at, &how).await));
    }
    assert_eq!(keys(&tree, "/personal-files", Depth::Infinity).await, ["a", "d/", "d/b"]);
}

#[tokio::test]
async fn a_copy_has_the_tags_and_digests_it_is_asked_for() {
    let core = test_core().await;
    let tree = core.tree("alice").await;
    let (a, b) = (path("/personal-files/a"), path("/personal-files/b"));
    let mut attributes = Attributes::default();
    attributes.set(TAGS, "k=v");
    attributes.set("x-amz-meta-k", "v");
    let write = Write { attributes, ..Write::default() };
    tree.write(&a, crate::testing::body("123456789"), write).await.unwrap();
    let how = |tags: Option<&str>, replace: bool| Transfer {
        tags: tags.map(str::to_owned),
        replace: replace.then(|| (Attributes::default(), None)),
        compute: vec![Algorithm::Crc32],
        ..Transfer::default()
    };
    for (how, tags, meta) in [
        (how(None, false), Some("k=v"), Some("v")),
        (how(None, true), Some("k=v"), None),
        (how(Some("n=1"), false), Some("n=1"), Some("v")),
        (how(Some(""), false), None, Some("v")),
    ] {
        for to in ["/personal-files/b", "/common-files/b"] {
            let node = tree.copy(&a, &path(to), &how).await.unwrap().node;
            assert_eq!(node.attributes.get(TAGS), tags);
            assert_eq!(node.attributes.get("x-amz-meta-k"), meta);
            // The check value of the CRC catalogue.
            assert_eq!(node.attributes.get("checksum:crc32"), Some("y/Q5Jg=="), "{to}");
        }
    }
    assert_eq!(put(&tree, "/personal-files/b", "new").await.unwrap().node.attributes.get(TAGS), None);
    assert!(tree.stat(&b).await.is_ok());
}
