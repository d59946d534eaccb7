use super::*;
use crate::listing::Depth;
use crate::ports::{DatasourceConfig, Form};
use crate::principal::Rights;
use crate::testing::{TestCore, test_core};
use crate::tree::uploads::Complete;
use crate::tree::{Existing, Removal, Remove, Transfer};
use crate::workspace::Workspace;

pub(super) async fn structured() -> TestCore {
    let core = test_core().await;
    core.add_datasource(DatasourceConfig {
        name: "archive".into(),
        form: Form::Structured,
        path: "archive".into(),
        relaxed: false,
        inline_limit_bytes: 0,
    })
    .await
    .unwrap();
    core.identity()
        .put_workspace(Workspace {
            uuid: uuid::Uuid::new_v4(),
            slug: "archive".into(),
            label: "Archive".into(),
            description: String::new(),
            aliases: vec![],
            datasource: "archive".into(),
            root: String::new(),
            default_rights: Rights::ALL,
            recycle: true,
            versions: 0,
            versions_suspended: false,
            tags: String::new(),
            created_by: None,
            created_ns: 0,
        })
        .await
        .unwrap();
    core
}

#[tokio::test]
async fn a_structured_datasource_takes_every_operation() {
    let core = structured().await;
    let tree = core.tree("alice").await;
    put(&tree, "/archive/a/b.txt", "1").await.unwrap();
    put(&tree, "/archive/a/b.txt", "2").await.unwrap();
    put(&tree, "/archive/a/empty", "").await.unwrap();
    tree.rename(&path("/archive/a"), &path("/archive/c"), &Transfer::default()).await.unwrap();
    tree.copy(&path("/archive/c"), &path("/archive/d"), &Transfer::default()).await.unwrap();
    tree.copy(&path("/archive/c/b.txt"), &path("/archive/e.txt"), &Transfer::default()).await.unwrap();
    let made = tree.create_collection(&path("/archive/f"), Parents::Create, Existing::Refuse, &[]).await;
    made.unwrap();
    let upload = tree
        .create_upload(&path("/archive/g.bin"), crate::node::Attributes::default(), None, None)
        .await
        .unwrap();
    for (number, text) in [(1, "one"), (2, "two")] {
        let written =
            tree.write_part(&path("/archive/g.bin"), upload.id, number, body(text), Write::default()).await;
        written.unwrap();
    }
    tree.complete_upload(&path("/archive/g.bin"), upload.id, Complete::default()).await.unwrap();
    tree.remove(&path("/archive/e.txt"), &Remove::default()).await.unwrap();
    let gone = Remove { removal: Removal::Permanent, ..Remove::default() };
    tree.remove(&path("/archive/d"), &gone).await.unwrap();
    assert_eq!(
        keys(&tree, "/archive", Depth::Infinity).await,
        ["c/", "c/b.txt", "c/empty", "f/", "g.bin", "recycle_bin/", "recycle_bin/e.txt"]
    );
    for (at, content) in [
        ("/archive/c/b.txt", "2"),
        ("/archive/c/empty", ""),
        ("/archive/g.bin", "onetwo"),
        ("/archive/recycle_bin/e.txt", "2"),
    ] {
        assert_eq!(get(&tree, at).await.unwrap(), content, "{at}");
    }
    // The index and the disk agree on all of it.
    let report = core.resync("archive").await.unwrap();
    assert_eq!(report, crate::resync::Report::default());
    tree.restore(&path("/archive/recycle_bin/e.txt")).await.unwrap();
    assert_eq!(get(&tree, "/archive/e.txt").await.unwrap(), "2");
}

#[tokio::test]
async fn outside_changes_are_found_by_resync_and_kept_apart_by_reads() {
    let core = structured().await;
    let tree = core.tree("alice").await;
    put(&tree, "/archive/kept/a.txt", "1").await.unwrap();
    put(&tree, "/archive/gone.txt", "1").await.unwrap();
    let store = core.backends.datasource("archive");
    store.outside_write("kept/a.txt", "changed outside");
    store.outside_write("new/folder/b.txt", "found");
    store.outside_remove("gone.txt");

    // A read never mixes the old size and ETag with the new bytes.
    let read = tree.read(&path("/archive/kept/a.txt"), &ReadOptions::default()).await.unwrap();
    let (size, bytes) = (read.node.size, whole(read.bits).await.unwrap());
    assert_eq!((size, &bytes[..]), (15, &b"changed outside"[..]));

    let report = core.resync("archive").await.unwrap();
    assert_eq!((report.added, report.updated, report.removed), (3, 0, 1));
    assert_eq!(
        keys(&tree, "/archive", Depth::Infinity).await,
        ["kept/", "kept/a.txt", "new/", "new/folder/", "new/folder/b.txt"]
    );
    assert_eq!(get(&tree, "/archive/new/folder/b.txt").await.unwrap(), "found");
    assert_eq!(core.resync("archive").await.unwrap(), crate::resync::Report::default());
}

#[tokio::test]
async fn resync_finds_blobs_that_are_gone() {
    let core = test_core().await;
    let node = core.put("/common-files/a.bin", "x".repeat(40_000)).await;
    let crate::node::Content::Blob(blob) = node.content else { panic!("{:?}", node.content) };
    assert_eq!(core.resync("pydiods1").await.unwrap().missing, 0);
    core.backends.datasource("pydiods1").lose_blob(blob);
    assert_eq!(core.resync("pydiods1").await.unwrap().missing, 1);
}
