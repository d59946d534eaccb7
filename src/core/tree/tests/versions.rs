use super::locking::locked;
use super::*;
use crate::change::ChangeKind;
use crate::listing::{FileVersion, VersionEntry, VersionListing};
use crate::principal::Door;
use crate::testing::{TestCore, test_core};
use crate::tree::{Existing, Removal, Remove, Transfer, VersionRef};
use crate::workspace::Versioning;

pub(super) const FILE: &str = "/common-files/a.txt";

/// A core whose `common-files` keeps this many versions.
pub(super) async fn keeping(versions: u32) -> TestCore {
    let core = test_core().await;
    keep(&core, versions, false).await;
    core
}

pub(super) async fn keep(core: &TestCore, versions: u32, versions_suspended: bool) {
    let workspaces = core.identity().workspaces().await.unwrap();
    let mut workspace = workspaces.iter().find(|one| one.slug == "common-files").unwrap().as_ref().clone();
    workspace.versions = versions;
    workspace.versions_suspended = versions_suspended;
    core.identity().put_workspace(workspace).await.unwrap();
}

async fn get_version(tree: &Tree, at: &str, version: VersionRef) -> Result<String> {
    let how = ReadOptions { version: Some(version), ..ReadOptions::default() };
    let read = tree.read(&path(at), &how).await?;
    Ok(String::from_utf8(whole(read.bits).await?.to_vec()).unwrap())
}

/// Every version of a leaf: its content or `marker`, and a star on the latest.
pub(super) async fn history(tree: &Tree, at: &str) -> Vec<String> {
    let mut shown = Vec::new();
    for version in tree.versions(&path(at)).await.unwrap() {
        shown.push(format!(
            "{}{}{}",
            if version.latest { "*" } else { "" },
            if version.unversioned { "?" } else { "" },
            match version.marker {
                true => "marker".to_owned(),
                false => get_version(tree, at, version.reference()).await.unwrap(),
            },
        ));
    }
    shown
}

pub(super) fn marked() -> Remove {
    Remove { removal: Removal::Marked, ..Remove::default() }
}

pub(super) async fn delete(tree: &Tree, at: &str) -> FileVersion {
    tree.remove(&path(at), &marked()).await.unwrap().marker.expect("a marker")
}

#[tokio::test]
async fn a_content_keeps_its_id_and_its_attributes_as_an_earlier_version() {
    let core = keeping(9).await;
    let tree = core.tree("alice").await;
    let how = || Write { mime: Some("text/x-first".into()), ..Write::default() };
    let mut first = how();
    first.attributes.set("cache-control", "no-store");
    let first = tree.write(&path(FILE), body("one"), first).await.unwrap().node;
    let second = put(&tree, FILE, "two").await.unwrap().node;
    assert_eq!(first.uuid, second.uuid);
    assert_ne!(first.version_id(), second.version_id());
    let was = tree.stat_version(&path(FILE), VersionRef::Id(first.version_id())).await.unwrap();
    assert_eq!(was, first);
    assert_eq!(get_version(&tree, FILE, VersionRef::Id(first.version_id())).await.unwrap(), "one");
    assert_eq!(get_version(&tree, FILE, VersionRef::Id(second.version_id())).await.unwrap(), "two");
    assert_eq!(get(&tree, FILE).await.unwrap(), "two");
    assert_eq!(history(&tree, FILE).await, ["*two", "one"]);
}

#[tokio::test]
async fn no_more_versions_stay_than_the_workspace_keeps() {
    let core = keeping(2).await;
    let tree = core.tree("alice").await;
    for content in ["1", "2", "3", "4", "5"] {
        put(&tree, FILE, content).await.unwrap();
    }
    assert_eq!(history(&tree, FILE).await, ["*5", "4", "3"]);
    keep(&core, 0, false).await;
    let kept = put(&tree, "/common-files/b", "1").await.unwrap().node;
    put(&tree, "/common-files/b", "2").await.unwrap();
    assert_eq!(history(&tree, "/common-files/b").await, ["*?2"]);
    assert_eq!(kept.version, None);
}

#[tokio::test]
async fn versions_that_nobody_has_are_told_apart_from_files_that_are_not_there() {
    let core = keeping(9).await;
    let (tree, reader) = (core.tree("alice").await, core.tree("reader").await);
    let node = put(&tree, FILE, "1").await.unwrap().node;
    let none = VersionRef::Id(uuid::Uuid::new_v4());
    for (at, version) in [(FILE, none), (FILE, VersionRef::Unversioned), ("/common-files/none", none)] {
        let refused = tree.stat_version(&path(at), version).await;
        assert!(matches!(refused, Err(Error::NoSuchVersion(_))), "{at}");
        let refused = tree.remove_version(&path(at), version, &Remove::default()).await;
        assert!(matches!(refused, Err(Error::NoSuchVersion(_))), "{at}");
    }
    let version = VersionRef::Id(node.version_id());
    assert!(reader.stat_version(&path(FILE), version).await.is_ok());
    let refused = reader.remove_version(&path(FILE), version, &Remove::default()).await;
    assert!(matches!(refused, Err(Error::Denied { .. })));
    let refused = reader.restore_version(&path(FILE), version, &[]).await;
    assert!(matches!(refused, Err(Error::Denied { .. })));
    assert_eq!(history(&tree, FILE).await, ["*1"]);
}

#[tokio::test]
async fn a_restored_version_is_a_new_one_that_shares_its_bytes() {
    let core = keeping(9).await;
    let tree = core.tree("alice").await;
    let large = "x".repeat(100_000);
    let first = put(&tree, FILE, &large).await.unwrap().node;
    put(&tree, FILE, "2").await.unwrap();
    let restored = tree.restore_version(&path(FILE), VersionRef::Id(first.version_id()), &[]).await.unwrap();
    assert_eq!(restored.node.content, first.content);
    assert_ne!(restored.node.version_id(), first.version_id());
    assert_eq!(history(&tree, FILE).await, [format!("*{large}"), "2".into(), large.clone()]);
    // To elsewhere, too.
    let how = Transfer { version: Some(VersionRef::Id(first.version_id())), ..Transfer::default() };
    put(&tree, FILE, "3").await.unwrap();
    tree.copy(&path(FILE), &path("/personal-files/b"), &how).await.unwrap();
    assert_eq!(get(&tree, "/personal-files/b").await.unwrap(), large);
}

#[tokio::test]
async fn removing_the_newest_version_brings_back_the_one_before() {
    let core = keeping(9).await;
    let tree = core.tree("alice").await;
    let mut ids = Vec::new();
    for content in ["1", "2", "3"] {
        ids.push(VersionRef::Id(put(&tree, FILE, content).await.unwrap().node.version_id()));
    }
    tree.remove_version(&path(FILE), ids[1], &Remove::default()).await.unwrap();
    assert_eq!(history(&tree, FILE).await, ["*3", "1"]);
    tree.remove_version(&path(FILE), ids[2], &Remove::default()).await.unwrap();
    assert_eq!(history(&tree, FILE).await, ["*1"]);
    assert_eq!(get(&tree, FILE).await.unwrap(), "1");
    tree.remove_version(&path(FILE), ids[0], &Remove::default()).await.unwrap();
    assert!(is_absent(tree.stat(&path(FILE)).await));
    assert!(is_absent(tree.versions(&path(FILE)).await));
}

#[tokio::test]
async fn a_locked_leaf_keeps_its_versions() {
    let core = keeping(9).await;
    let tree = core.tree("alice").await;
    let first = VersionRef::Id(put(&tree, FILE, "1").await.unwrap().node.version_id());
    put(&tree, FILE, "2").await.unwrap();
    let lock = locked(&core, FILE, false).await;
    let stopped = tree.remove_version(&path(FILE), first, &Remove::default()).await;
    assert!(matches!(stopped, Err(Error::Locked { .. })));
    let stopped = tree.restore_version(&path(FILE), first, &[]).await;
    assert!(matches!(stopped, Err(Error::Locked { .. })));
    let (admin, set) = (core.tree("admin").await, [("x-tag".to_owned(), Some("1".to_owned()))]);
    let stopped = admin.set_version_attributes(&path(FILE), first, &set, &[]).await;
    assert!(matches!(stopped, Err(Error::Locked { .. })));
    let tokens = vec![lock.token];
    admin.set_version_attributes(&path(FILE), first, &set, &tokens).await.unwrap();
    let how = Remove { tokens, ..Remove::default() };
    admin.remove_version(&path(FILE), first, &how).await.unwrap();
}

#[tokio::test]
async fn a_delete_marker_hides_the_leaf_from_everything_but_its_history() {
    let core = keeping(9).await;
    let tree = core.tree("alice").await;
    let at = "/common-files/d/a";
    let node = put(&tree, at, "1").await.unwrap().node;
    let marker = delete(&tree, at).await;
    assert!(is_absent(tree.stat(&path(at)).await));
    assert!(is_absent(get(&tree, at).await));
    assert!(is_absent(tree.find(node.uuid).await));
    assert!(keys(&tree, "/common-files", Depth::Infinity).await == ["d/"]);
    assert_eq!(tree.marker(&path(at)).await.unwrap(), Some(marker.clone()));
    assert_eq!(history(&tree, at).await, ["*marker", "1"]);
    let read = get_version(&tree, at, VersionRef::Id(marker.id)).await;
    assert!(matches!(read, Err(Error::IsADeleteMarker(_))));
    assert_eq!(get_version(&tree, at, VersionRef::Id(node.version_id())).await.unwrap(), "1");

    // Without the marker it is there again, as it was.
    tree.remove_version(&path(at), VersionRef::Id(marker.id), &Remove::default()).await.unwrap();
    assert_eq!(tree.stat(&path(at)).await.unwrap(), node);
    assert_eq!(tree.marker(&path(at)).await.unwrap(), None);
}

#[tokio::test]
async fn a_leaf_that_appears_where_a_marker_stands_goes_on_with_its_history() {
    let core = keeping(9).await;
    let tree = core.tree("alice").await;
    let first = put(&tree, FILE, "1").await.unwrap().node;
    delete(&tree, FILE).await;
    let second = put(&tree, FILE, "2").await.unwrap();
    assert!(second.created);
    assert_ne!(second.node.uuid, first.uuid, "another file to all other doors");
    assert_eq!(history(&tree, FILE).await, ["*2", "marker", "1"]);
    delete(&tree, FILE).await;
    put(&tree, "/common-files/moved", "3").await.unwrap();
    tree.rename(&path("/common-files/moved"), &path(FILE), &Transfer::default()).await.unwrap();
    assert_eq!(history(&tree, FILE).await, ["*3", "marker", "2", "marker", "1"]);
    // A version comes back, also from behind a marker.
    delete(&tree, FILE).await;
    tree.restore_version(&path(FILE), VersionRef::Id(first.version_id()), &[]).await.unwrap();
    assert_eq!(get(&tree, FILE).await.unwrap(), "1");
}

#[tokio::test]
async fn a_folder_may_stand_where_a_marker_does() {
    let core = keeping(9).await;
    let tree = core.tree("alice").await;
    put(&tree, "/common-files/a", "1").await.unwrap();
    let marker = delete(&tree, "/common-files/a").await;
    put(&tree, "/common-files/a/b", "2").await.unwrap();
    let marker = VersionRef::Id(marker.id);
    let back = tree.remove_version(&path("/common-files/a"), marker, &Remove::default()).await;
    assert!(matches!(back, Err(Error::AlreadyExists(_))));
    assert_eq!(history(&tree, "/common-files/a").await, ["*marker", "1"]);
    assert_eq!(get(&tree, "/common-files/a/b").await.unwrap(), "2");
}

#[tokio::test]
async fn what_is_removed_for_good_leaves_nothing_behind() {
    let core = keeping(9).await;
    let tree = core.tree("alice").await;
    let large = |letter: &str| letter.repeat(100_000);
    put(&tree, "/common-files/d/a", &large("a")).await.unwrap();
    put(&tree, "/common-files/d/a", &large("b")).await.unwrap();
    put(&tree, "/common-files/d/b", &large("c")).await.unwrap();
    delete(&tree, "/common-files/d/a").await;
    delete(&tree, "/common-files/d/b").await;
    assert_eq!(core.backends.datasource("pydiods1").blob_count(), 3);
    // A folder of markers is empty.
    let how = Remove { only_empty: true, removal: Removal::Permanent, ..Remove::default() };
    tree.remove(&path("/common-files/d"), &how).await.unwrap();
    eventually(async || core.backends.datasource("pydiods1").blob_count() == 0).await;
}

#[tokio::test]
async fn a_folder_that_a_key_implied_is_hidden_as_long_as_there_is_only_history_in_it() {
    let core = keeping(9).await;
    let s3 = core.tree_through("alice", Door::S3).await;
    let at = "/common-files/d/e/a";
    let node = put(&s3, at, "1").await.unwrap().node;
    s3.create_collection(&path("/common-files/d/e"), Parents::Create, Existing::Replace, &[]).await.unwrap();
    let marker = delete(&s3, at).await;
    // The folder's own key goes, the way to the history stays.
    let how = Remove { only_empty: true, ..marked() };
    s3.remove(&path("/common-files/d/e"), &how).await.unwrap();
    let tree = core.tree("alice").await;
    assert!(is_absent(tree.stat(&path("/common-files/d")).await));
    assert_eq!(history(&s3, at).await, ["*marker", "1"]);
    s3.remove_version(&path(at), VersionRef::Id(marker.id), &Remove::default()).await.unwrap();
    assert!(tree.stat(&path("/common-files/d/e")).await.unwrap().is_implied());
    assert_eq!(get(&tree, at).await.unwrap(), "1");
    s3.remove_version(&path(at), VersionRef::Id(node.version_id()), &Remove::default()).await.unwrap();
    assert!(is_absent(s3.stat(&path("/common-files/d")).await));
    assert!(listed(&s3, "/common-files", Depth::Infinity, 9).await.is_empty());
}

#[tokio::test]
async fn a_suspended_workspace_replaces_only_what_it_wrote_itself() {
    let core = keeping(9).await;
    let tree = core.tree("alice").await;
    put(&tree, FILE, "1").await.unwrap();
    keep(&core, 9, true).await;
    assert_eq!(tree.versioning(&path(FILE)).await.unwrap(), Versioning::Suspended);
    put(&tree, FILE, "2").await.unwrap();
    put(&tree, FILE, "3").await.unwrap();
    assert_eq!(history(&tree, FILE).await, ["*?3", "1"]);
    assert!(delete(&tree, FILE).await.unversioned);
    assert_eq!(history(&tree, FILE).await, ["*?marker", "1"]);
    put(&tree, FILE, "4").await.unwrap();
    assert_eq!(history(&tree, FILE).await, ["*?4", "1"]);
    keep(&core, 9, false).await;
    put(&tree, FILE, "5").await.unwrap();
    delete(&tree, FILE).await;
    assert_eq!(history(&tree, FILE).await, ["*marker", "5", "?4", "1"]);
    // And once more, over the earlier unversioned one.
    keep(&core, 9, true).await;
    put(&tree, FILE, "6").await.unwrap();
    assert_eq!(history(&tree, FILE).await, ["*?6", "marker", "5", "1"]);
}

#[tokio::test]
async fn only_administrators_decide_whether_versions_are_kept() {
    let core = test_core().await;
    let tree = core.tree("alice").await;
    assert_eq!(tree.versioning(&path(FILE)).await.unwrap(), Versioning::Off);
    assert!(matches!(tree.set_versioning("common-files", true).await, Err(Error::Denied { .. })));
    let admin = core.tree("admin").await;
    admin.set_versioning("common-files", true).await.unwrap();
    assert_eq!(tree.versioning(&path(FILE)).await.unwrap(), Versioning::Enabled);
    admin.set_versioning("common-files", false).await.unwrap();
    assert_eq!(tree.versioning(&path(FILE)).await.unwrap(), Versioning::Suspended);
    assert!(is_absent(admin.set_versioning("nowhere", true).await));
}

#[tokio::test]
async fn an_adopted_folder_keeps_no_versions_and_none_are_promised() {
    let core = super::adoption::structured().await;
    let admin = core.tree("admin").await;
    for enabled in [true, false] {
        let refused = admin.set_versioning("archive", enabled).await;
        assert!(matches!(refused, Err(Error::NotImplemented(_))), "{refused:?}");
    }
    let workspaces = core.identity().workspaces().await.unwrap();
    let mut archive = workspaces.iter().find(|one| one.slug == "archive").unwrap().as_ref().clone();
    archive.versions = 5;
    let refused = core.identity().put_workspace(archive).await;
    assert!(matches!(refused, Err(Error::NotImplemented(_))), "{refused:?}");
    assert_eq!(admin.versioning(&path("/archive")).await.unwrap(), Versioning::Off);
}

#[tokio::test]
async fn the_feed_tells_what_a_removed_version_did_to_the_file() {
    let core = keeping(9).await;
    let tree = core.tree("alice").await;
    let first = VersionRef::Id(put(&tree, FILE, "1").await.unwrap().node.version_id());
    put(&tree, FILE, "2").await.unwrap();
    let marker = VersionRef::Id(delete(&tree, FILE).await.id);
    let (_, since) = tree.changes(0, 1_000).await.unwrap();
    let none = Remove::default();
    tree.remove_version(&path(FILE), marker, &none).await.unwrap();
    tree.remove_version(&path(FILE), first, &none).await.unwrap();
    let last = VersionRef::Id(tree.stat(&path(FILE)).await.unwrap().version_id());
    put(&tree, FILE, "3").await.unwrap();
    let third = VersionRef::Id(tree.stat(&path(FILE)).await.unwrap().version_id());
    tree.remove_version(&path(FILE), third, &none).await.unwrap();
    tree.remove_version(&path(FILE), last, &none).await.unwrap();
    let (changes, _) = tree.changes(since, 1_000).await.unwrap();
    let kinds: Vec<_> = changes.iter().map(|change| change.change.kind).collect();
    use ChangeKind::{Create, Meta, Remove as Removed, Update};
    assert_eq!(kinds, [Create, Meta, Update, Update, Removed]);
}

/// Everything, by pages of a size: `key content`, with a star on the latest.
pub(super) async fn listed(tree: &Tree, at: &str, depth: Depth, limit: usize) -> Vec<String> {
    let mut all = Vec::new();
    let mut asked = VersionListing { depth, limit, ..VersionListing::default() };
    loop {
        let page = tree.list_versions(&path(at), &asked).await.unwrap();
        assert!(page.entries.len() <= limit);
        for entry in page.entries {
            all.push(match entry {
                VersionEntry::Collection { key, empty, .. } => {
                    format!("{key}{}", if empty { " empty" } else { "" })
                }
                VersionEntry::Version { key, version } => {
                    let star = if version.latest { "*" } else { "" };
                    match version.marker {
                        true => format!("{key} {star}marker"),
                        false => format!("{key} {star}{}", version.size),
                    }
                }
            });
        }
        match page.next {
            Some(next) => asked.after = Some(next),
            None => return all,
        }
    }
}

#[tokio::test]
async fn a_listing_of_versions_is_in_key_order_whatever_the_page() {
    let core = keeping(9).await;
    let tree = core.tree("alice").await;
    for at in ["b", "b/c", "a", "a.txt", "gone/x", "z"] {
        for content in ["1", "22", "333"] {
            put(&tree, &format!("/common-files/{at}"), content).await.unwrap();
        }
        if ["b", "gone/x", "a"].contains(&at) {
            delete(&tree, &format!("/common-files/{at}")).await;
        }
    }
    put(&tree, "/common-files/a", "4444").await.unwrap();
    let expected = [
        "a *4444",
        "a marker",
        "a 333",
        "a 22",
        "a 1",
        "a.txt *333",
        "a.txt 22",
        "a.txt 1",
        "b *marker",
        "b 333",
        "b 22",
        "b 1",
        "b/",
        "b/c *333",
        "b/c 22",
        "b/c 1",
        "gone/ empty",
        "gone/x *marker",
        "gone/x 333",
        "gone/x 22",
        "gone/x 1",
        "z *333",
        "z 22",
        "z 1",
    ]
    .map(|line| match line.split_once(' ') {
        Some((key, shown)) => match shown.trim_start_matches('*').parse::<u64>() {
            Ok(content) => {
                let star = if shown.starts_with('*') { "*" } else { "" };
                format!("{key} {star}{}", content.to_string().len())
            }
            Err(_) => line.to_owned(),
        },
        None => line.to_owned(),
    });
    for limit in [1, 2, 3, 7, 1_000] {
        let all = listed(&tree, "/common-files", Depth::Infinity, limit).await;
        assert_eq!(all, expected, "pages of {limit}");
    }
    let shallow: Vec<String> = expected
        .iter()
        .filter(|line| !line.contains("/x") && !line.contains("/c"))
        .map(|line| line.trim_end_matches(" empty").to_owned())
        .collect();
    assert_eq!(listed(&tree, "/common-files", Depth::One, 2).await, shallow);
    assert_eq!(keys(&tree, "/common-files", Depth::One).await, ["a", "a.txt", "b/", "gone/", "z"]);
}

#[tokio::test]
async fn a_listing_goes_on_behind_a_version_that_is_gone_by_then() {
    let core = keeping(9).await;
    let tree = core.tree("alice").await;
    for content in ["1", "22", "333"] {
        put(&tree, FILE, content).await.unwrap();
    }
    let mut asked = VersionListing { limit: 1, ..VersionListing::default() };
    let page = tree.list_versions(&path("/common-files"), &asked).await.unwrap();
    asked.after = page.next;
    let (_, version) = asked.after.clone().unwrap();
    tree.remove_version(&path(FILE), version.unwrap(), &Remove::default()).await.unwrap();
    let page = tree.list_versions(&path("/common-files"), &asked).await.unwrap();
    let VersionEntry::Version { version, .. } = &page.entries[0] else { panic!("a version") };
    assert_eq!((version.size, version.latest), (2, true));
}
