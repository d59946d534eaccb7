//! Archives made of the tree.

use std::collections::BTreeMap;
use std::io::Read as _;

use bytes::Bytes;
use futures_util::TryStreamExt as _;

use super::{all, collected, packed, path};
use crate::archive::Format;
use crate::error::Error;
use crate::identity::{Grant, Subject, Target};
use crate::principal::Rights;
use crate::testing::{TestCore, test_core};
use crate::tree::Remove;

/// Names and contents of a tar, read by the `tar` crate; folders have none.
fn untar(bytes: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let mut archive = tar::Archive::new(bytes);
    let read = |entry: std::io::Result<tar::Entry<'_, &[u8]>>| {
        let mut entry = entry.unwrap();
        let mut content = Vec::new();
        entry.read_to_end(&mut content).unwrap();
        (String::from_utf8(entry.path_bytes().into_owned()).unwrap(), content)
    };
    archive.entries().unwrap().map(read).collect()
}

/// Names and contents of a zip, read back through the tree: what that finds, `reading` proves.
async fn unzip(core: &TestCore, bytes: Bytes) -> BTreeMap<String, Vec<u8>> {
    core.put("/common-files/read back.zip", bytes).await;
    let tree = core.tree("admin").await;
    let (mut found, mut folders) = (BTreeMap::new(), vec![path("/common-files/read back.zip")]);
    while let Some(folder) = folders.pop() {
        for entry in tree.members(&folder).await.unwrap() {
            let at = folder.descend(&entry.key).unwrap();
            let name = at.names()[2..].join("/");
            if entry.node.is_collection() {
                found.insert(format!("{name}/"), Vec::new());
                folders.push(at);
            } else {
                let content = tree.member(&at).await.unwrap().open(None).await.unwrap();
                found.insert(name, crate::testing::whole(content).await.unwrap().to_vec());
            }
        }
    }
    found
}

/// Files of all kinds: empty, small, streamed, compressed media, deep, long names, empty folder.
async fn furnish(core: &TestCore) -> BTreeMap<String, Vec<u8>> {
    let long = format!("{}/{}.txt", "ordner".repeat(20), "ü".repeat(100));
    let files = [
        ("empty".to_owned(), Vec::new()),
        ("a b+c é😀.txt".to_owned(), b"hello".to_vec()),
        ("sub/deep/large.bin".to_owned(), (0..300_000_u32).flat_map(|n| n.to_le_bytes()).collect()),
        ("photo.jpg".to_owned(), (0..200_000_u32).map(|n| (n % 251) as u8).collect()),
        (long, b"far".to_vec()),
    ];
    for (name, content) in &files {
        core.put(&format!("/common-files/docs/{name}"), content.clone()).await;
    }
    core.mkdir("/common-files/docs/nothing in it").await;
    let mut all: BTreeMap<String, Vec<u8>> = files.into_iter().collect();
    for folder in
        ["nothing in it/".to_owned(), "sub/".into(), "sub/deep/".into(), format!("{}/", "ordner".repeat(20))]
    {
        all.insert(folder, Vec::new());
    }
    all
}

#[tokio::test]
async fn a_folder_is_packed_whole_in_every_format() {
    let core = test_core().await;
    let expected = furnish(&core).await;
    let tree = core.tree("alice").await;
    let tar = packed(&tree, "/common-files/docs.tar").await.unwrap();
    assert_eq!(untar(&tar), expected);
    let gzip = packed(&tree, "/common-files/docs.tar.gz").await.unwrap();
    let mut plain = Vec::new();
    flate2::read::GzDecoder::new(&gzip[..]).read_to_end(&mut plain).unwrap();
    assert_eq!(untar(&plain), expected);
    assert!(gzip.len() < tar.len());
    let zip = packed(&tree, "/common-files/docs.zip").await.unwrap();
    assert_eq!(unzip(&core, zip).await, expected);
}

#[tokio::test]
async fn modification_times_are_kept() {
    let core = test_core().await;
    let how = crate::tree::Write {
        mtime_ns: Some(1_893_456_001_500_000_000),
        parents: crate::tree::Parents::Create,
        ..Default::default()
    };
    let tree = core.tree("admin").await;
    tree.write(&path("/common-files/d/a"), crate::testing::body("x"), how).await.unwrap();
    let tar = packed(&tree, "/common-files/d.tar").await.unwrap();
    let mut archive = tar::Archive::new(&tar[..]);
    let times: Vec<u64> = archive.entries().unwrap().map(|e| e.unwrap().header().mtime().unwrap()).collect();
    assert_eq!(times, [1_893_456_001]);
    let zip = packed(&tree, "/common-files/d.zip").await.unwrap();
    core.put("/common-files/x.zip", zip).await;
    let member = tree.member(&path("/common-files/x.zip/a")).await.unwrap();
    assert_eq!(member.node.mtime_s(), 1_893_456_001);
}

#[tokio::test]
async fn more_entries_than_16_bits_count_are_a_zip64() {
    const COUNT: u64 = 66_000;
    let mut zip = crate::archive::zip_write::ZipWriter::default();
    let mut out = Vec::new();
    for n in 0..COUNT {
        let entry = crate::archive::engine::Entry {
            name: format!("{n}"),
            collection: false,
            size: 0,
            mtime_s: 0,
            mime: String::new(),
        };
        zip.begin(&entry, &mut out).unwrap();
        zip.end(&mut out).unwrap();
    }
    let records = std::mem::take(&mut zip.directory);
    out.extend_from_slice(&records);
    out.extend(zip.trailer(records.len() as u64));
    // APPNOTE 4.3.14: the count of the zip64 end record; the old field says to look there.
    let at = out.windows(4).rposition(|window| window == b"PK\x06\x06").unwrap();
    assert_eq!(out[at + 32..at + 40], COUNT.to_le_bytes());
    let old = out.windows(4).rposition(|window| window == b"PK\x05\x06").unwrap();
    assert_eq!(out[old + 8..old + 12], [0xFF; 4]);

    let core = test_core().await;
    core.put("/common-files/many.zip", out).await;
    let tree = core.tree("alice").await;
    assert_eq!(tree.member(&path("/common-files/many.zip/65999")).await.unwrap().node.size, 0);
    let listed = tree.members(&path("/common-files/many.zip")).await.unwrap_err();
    assert!(matches!(listed, Error::InvalidArgument(_)), "{listed}");
}

#[tokio::test]
async fn a_long_directory_is_put_aside_and_leaves_nothing() {
    let core = test_core().await;
    let tree = core.tree("admin").await;
    // 3,000 names of 240 bytes: more than is held in memory.
    for n in 0..3_000 {
        let at = path(&format!("/common-files/many/{n:0240}"));
        let how = crate::tree::Write { parents: crate::tree::Parents::Create, ..Default::default() };
        tree.write(&at, crate::testing::body(Bytes::new()), how).await.unwrap();
    }
    let pieces: Vec<Bytes> =
        tree.pack(all(Format::Zip, &["/common-files/many"])).await.unwrap().try_collect().await.unwrap();
    assert!(pieces.iter().all(|piece| piece.len() < 1024 * 1024));
    core.put("/common-files/read.zip", pieces.concat()).await;
    let members = tree.members(&path("/common-files/read.zip")).await.unwrap();
    assert_eq!(members.len(), 3_000);
    let place = tree.place(&path("/common-files")).await.unwrap().unwrap();
    for _ in 0..200 {
        if place.mounted.bytes.staged().await.unwrap().is_empty() {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    panic!("the directory is still in staging");
}

#[tokio::test]
async fn what_may_not_be_read_and_the_recycle_bin_are_left_out() {
    let core = test_core().await;
    for name in ["open/a", "secret/b", "c"] {
        core.put(&format!("/common-files/{name}"), name).await;
    }
    let tree = core.tree("alice").await;
    core.put("/common-files/gone", "x").await;
    tree.remove(&path("/common-files/gone"), &Remove::default()).await.unwrap();
    let secret = core.stat("/common-files/secret").await.unwrap();
    let alice = core.identity().user("alice").await.unwrap().unwrap();
    let grant = Grant {
        uuid: uuid::Uuid::new_v4(),
        subject: Subject::User(alice.uuid),
        target: Target::Node(secret.id),
        rights: Rights::NONE,
    };
    core.identity().grant(grant).await.unwrap();
    let tree = core.tree("alice").await;
    let names: Vec<String> = untar(&packed(&tree, "/common-files.tar").await.unwrap()).into_keys().collect();
    assert_eq!(names, ["c", "open/", "open/a"]);
    assert!(matches!(packed(&tree, "/common-files/secret.tar").await, Err(Error::NotFound(_))));
    let some = collected(&tree, all(Format::Tar, &["/common-files/secret/b", "/common-files/c"])).await;
    assert_eq!(untar(&some.unwrap()).into_keys().collect::<Vec<_>>(), ["c"]);
    let none = collected(&tree, all(Format::Tar, &["/common-files/secret/b"])).await;
    assert!(matches!(none, Err(Error::NotFound(_))));
}

#[tokio::test]
async fn a_key_is_held_to_its_scope() {
    let core = test_core().await;
    core.put("/common-files/in/a", "a").await;
    core.put("/common-files/out/b", "b").await;
    let mut principal = core.tree("alice").await.principal().as_ref().clone();
    principal.scope_path = Some(path("/common-files/in"));
    let mut tree = core.tree("alice").await;
    tree.principal = std::sync::Arc::new(principal);
    let names: Vec<String> = untar(&packed(&tree, "/common-files.tar").await.unwrap()).into_keys().collect();
    assert_eq!(names, ["in/", "in/a"]);
}

#[tokio::test]
async fn there_is_an_archive_only_of_a_folder() {
    let core = test_core().await;
    core.put("/common-files/a", "a").await;
    let tree = core.tree("alice").await;
    for at in
        ["/common-files/none.zip", "/common-files/a.zip", "/common-files/a", "/.zip", "/nobody.zip", "/"]
    {
        let refused = packed(&tree, at).await;
        assert!(matches!(refused, Err(Error::NotFound(_))), "{at}");
    }
}

#[tokio::test]
async fn a_selection_is_its_users_and_downloaded_once() {
    let core = test_core().await;
    core.put("/common-files/a.txt", "a").await;
    core.put("/common-files/sub/a.txt", "other").await;
    core.put("/common-files/dir/inner/b", "b").await;
    let alice = core.tree("alice").await;
    let chosen = ["/common-files/a.txt", "/common-files/sub/a.txt", "/common-files/dir"].map(path);
    let (id, _) = alice.create_selection(&chosen).await.unwrap();
    let at = format!("/personal-files/{id}-selection.tar");
    assert!(matches!(packed(&core.tree("admin").await, &at).await, Err(Error::NotFound(_))));
    // A download that was begun and given up is no download.
    let begun = alice.pack(alice.pack_at(&path(&at)).await.unwrap()).await.unwrap();
    drop(begun);
    let files = untar(&packed(&alice, &at).await.unwrap());
    let names: Vec<&str> = files.keys().map(String::as_str).collect();
    assert_eq!(names, ["a (1).txt", "a.txt", "dir/", "dir/inner/", "dir/inner/b"]);
    assert_eq!(files["a (1).txt"], b"other");
    assert!(matches!(packed(&alice, &at).await, Err(Error::NotFound(_))), "once");
}

#[tokio::test]
async fn a_selection_of_nothing_or_of_what_is_not_there_is_refused() {
    let core = test_core().await;
    let alice = core.tree("alice").await;
    for (chosen, wanted) in [(vec![], "1 to"), (vec!["/"], "not all at once")] {
        let chosen: Vec<_> = chosen.into_iter().map(path).collect();
        let refused = alice.create_selection(&chosen).await.unwrap_err();
        assert!(refused.to_string().contains(wanted), "{refused}");
    }
    let absent = alice.create_selection(&[path("/common-files/none")]).await;
    assert!(matches!(absent, Err(Error::NotFound(_))));
    let records = core.core.inner.index.records(crate::archive::SELECTION, None).await.unwrap();
    assert!(records.is_empty());
}

#[tokio::test]
async fn a_leaf_that_cannot_be_read_breaks_the_archive_off() {
    let core = test_core().await;
    core.put("/common-files/d/a", vec![7; 1_000_000]).await;
    core.put("/common-files/d/b", vec![8; 1_000_000]).await;
    let place = core.tree("admin").await.place(&path("/common-files/d/b")).await.unwrap().unwrap();
    let node = core.stat("/common-files/d/b").await.unwrap();
    let crate::node::Content::Blob(blob) = node.content else { panic!("{:?}", node.content) };
    place.mounted.bytes.remove(&[blob]).await.unwrap();
    let tree = core.tree("alice").await;
    for ending in ["zip", "tar", "tar.gz"] {
        let broken = packed(&tree, &format!("/common-files/d.{ending}")).await;
        assert!(broken.is_err(), "{ending}");
    }
}
