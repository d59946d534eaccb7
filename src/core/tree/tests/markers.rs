//! Delete markers of what is not there, and the collections they stand in.

use super::locking::locked;
use super::versions::{FILE, delete, history, keep, keeping, listed, marked};
use super::*;
use crate::listing::FileVersion;
use crate::node::NodeKind;
use crate::principal::Door;
use crate::tree::{Existing, Removal, Remove, Transfer};

fn absent() -> Remove {
    Remove { kind: Some(NodeKind::Leaf), ..marked() }
}

async fn delete_absent(tree: &Tree, at: &str) -> FileVersion {
    tree.remove(&path(at), &absent()).await.unwrap().marker.expect("a marker")
}

#[tokio::test]
async fn what_is_not_there_gets_a_marker_on_top_of_the_one_it_has() {
    let core = keeping(2).await;
    let tree = core.tree_through("alice", Door::S3).await;
    put(&tree, FILE, "1").await.unwrap();
    put(&tree, FILE, "2").await.unwrap();
    let first = delete(&tree, FILE).await;
    let second = delete_absent(&tree, FILE).await;
    assert_ne!(first.id, second.id);
    assert_eq!(history(&tree, FILE).await, ["*marker", "marker", "2", "1"]);
    // However often: markers push out markers, no content.
    for _ in 0..5 {
        delete_absent(&tree, FILE).await;
    }
    assert_eq!(history(&tree, FILE).await, ["*marker", "marker", "marker", "2", "1"]);
    let newest = tree.marker(&path(FILE)).await.unwrap().unwrap();
    tree.remove_version(&path(FILE), newest.reference(), &Remove::default()).await.unwrap();
    assert!(is_absent(tree.stat(&path(FILE)).await));
    assert_eq!(history(&tree, FILE).await, ["*marker", "marker", "2", "1"]);

    // Without versions kept, an unversioned marker takes the place of the one before.
    keep(&core, 2, true).await;
    for _ in 0..2 {
        assert!(delete_absent(&tree, FILE).await.unversioned);
    }
    assert_eq!(history(&tree, FILE).await, ["*?marker", "marker", "marker", "2", "1"]);
}

#[tokio::test]
async fn a_marker_of_what_never_was_shows_in_no_listing_but_that_of_versions() {
    let core = keeping(9).await;
    let (s3, tree) = (core.tree_through("alice", Door::S3).await, core.tree("alice").await);
    let (_, since) = tree.changes(0, 1_000).await.unwrap();
    let at = "/common-files/x/y/z";
    let marker = delete_absent(&s3, at).await;
    delete_absent(&s3, "/common-files/x/w").await;
    assert!(tree.changes(since, 1_000).await.unwrap().0.is_empty());
    assert!(keys(&tree, "/common-files", Depth::Infinity).await.is_empty());
    for gone in ["/common-files/x", "/common-files/x/y", at] {
        assert!(is_absent(tree.stat(&path(gone)).await), "{gone}");
    }
    let all = ["x/ empty", "x/w *marker", "x/y/ empty", "x/y/z *marker"];
    for limit in [1, 2, 9] {
        assert_eq!(listed(&s3, "/common-files", Depth::Infinity, limit).await, all, "pages of {limit}");
    }
    assert_eq!(listed(&s3, "/common-files/x", Depth::One, 9).await, ["w *marker", "y/"]);
    assert_eq!(s3.marker(&path(at)).await.unwrap().unwrap().id, marker.id);

    // Its folder comes back with the first content, and knows the marker.
    put(&tree, at, "1").await.unwrap();
    assert_eq!(keys(&tree, "/common-files", Depth::Infinity).await, ["x/", "x/y/", "x/y/z"]);
    assert_eq!(history(&s3, at).await, ["*1", "marker"]);
    assert_eq!(history(&s3, "/common-files/x/w").await, ["*marker"]);
}

#[tokio::test]
async fn a_marker_is_refused_where_a_leaf_could_not_be_removed() {
    let core = keeping(9).await;
    let (tree, reader) = (core.tree("alice").await, core.tree("reader").await);
    assert!(matches!(reader.remove(&path(FILE), &absent()).await, Err(Error::Denied { .. })));
    put(&tree, "/common-files/leaf", "1").await.unwrap();
    let below = tree.remove(&path("/common-files/leaf/a"), &absent()).await;
    assert!(matches!(below, Err(Error::NotACollection(_))));
    let conditional = Remove { size: Some(0), ..absent() };
    assert!(is_absent(tree.remove(&path(FILE), &conditional).await));
    for kind in [None, Some(NodeKind::Collection)] {
        assert!(is_absent(tree.remove(&path(FILE), &Remove { kind, ..marked() }).await));
    }
    tree.create_collection(&path("/common-files/d"), Parents::MustExist, Existing::Refuse, &[])
        .await
        .unwrap();
    locked(&core, "/common-files/d", true).await;
    let stopped = tree.remove(&path("/common-files/d/a"), &absent()).await;
    assert!(matches!(stopped, Err(Error::Locked { .. })));
    assert_eq!(listed(&tree, "/common-files", Depth::Infinity, 9).await, ["d/ empty", "leaf *1"]);
    keep(&core, 0, false).await;
    assert!(is_absent(tree.remove(&path(FILE), &absent()).await));
}

#[tokio::test]
async fn a_folder_in_shadow_may_share_its_name_and_goes_with_its_last_marker() {
    let core = keeping(9).await;
    let tree = core.tree_through("alice", Door::S3).await;
    let at = "/common-files/d/a";
    put(&tree, at, "1").await.unwrap();
    let marker = delete(&tree, at).await;
    // A leaf beside it keeps its content from coming back.
    put(&tree, "/common-files/d", "leaf").await.unwrap();
    assert_eq!(
        listed(&tree, "/common-files", Depth::Infinity, 9).await,
        ["d *4", "d/ empty", "d/a *marker", "d/a 1"]
    );
    let back = tree.remove_version(&path(at), marker.reference(), &Remove::default()).await;
    assert!(matches!(back, Err(Error::NotACollection(_))));
    assert_eq!(history(&tree, at).await, ["*marker", "1"]);
    tree.remove(&path("/common-files/d"), &Remove { removal: Removal::Permanent, ..Remove::default() })
        .await
        .unwrap();

    // A collection that is moved there hides it.
    put(&tree, "/common-files/other/b", "22").await.unwrap();
    let how = Transfer::default();
    tree.rename(&path("/common-files/other"), &path("/common-files/d"), &how).await.unwrap();
    assert_eq!(listed(&tree, "/common-files", Depth::Infinity, 1).await, ["d/", "d/b *2"]);
    let hidden = delete(&tree, "/common-files/d/b").await;
    assert!(
        tree.stat(&path("/common-files/d")).await.unwrap().is_implied(),
        "there is no room in the shadow"
    );
    let how = Remove { removal: Removal::Permanent, ..Remove::default() };
    tree.remove(&path("/common-files/d"), &how).await.unwrap();
    assert_eq!(
        listed(&tree, "/common-files", Depth::Infinity, 9).await,
        ["d/ empty", "d/a *marker", "d/a 1"]
    );
    let gone = tree.remove_version(&path("/common-files/d/b"), hidden.reference(), &Remove::default()).await;
    assert!(matches!(gone, Err(Error::NoSuchVersion(_))));
    for version in tree.versions(&path(at)).await.unwrap().into_iter().rev() {
        tree.remove_version(&path(at), version.reference(), &Remove::default()).await.unwrap();
    }
    assert!(listed(&tree, "/common-files", Depth::Infinity, 9).await.is_empty());
    eventually(async || core.backends.datasource("pydiods1").blob_count() == 0).await;
}
