//! Members of archives in the tree.

use super::path;
use super::samples::{ZipMember, gzip, tar, tar_header, zip};
use crate::error::{Error, Result};
use crate::http::range::ByteRange;
use crate::path::NodePath;
use crate::testing::{TestCore, test_core, whole};
use crate::tree::{Parents, Tree, Write};

async fn read(tree: &Tree, at: &str) -> Result<String> {
    let bits = tree.member(&path(at)).await?.open(None).await?;
    Ok(String::from_utf8(whole(bits).await?.to_vec()).unwrap())
}

async fn listed(tree: &Tree, at: &str) -> Vec<String> {
    let entries = tree.members(&path(at)).await.unwrap();
    entries.into_iter().map(|entry| entry.key).collect()
}

/// The same members in every kind of archive.
async fn stage() -> (TestCore, Tree) {
    let core = test_core().await;
    let large = "0123456789".repeat(60_000);
    let large = large.as_bytes();
    let zipped = zip(
        b"#!/bin/sh unpack yourself",
        &[
            ZipMember::new("inner/file.txt", b"hello", 8),
            ZipMember::new("inner/stored.bin", large, 0),
            ZipMember::new("inner/deflated.bin", large, 8),
            ZipMember::new("dir/", b"", 0),
            ZipMember { name: b"caf\x82.txt".to_vec(), flags: 0, ..ZipMember::new("", b"old", 0) },
        ],
    );
    let long = "x".repeat(120);
    let tarred = tar(&[
        ("inner/file.txt", b"hello"),
        ("inner/stored.bin", large),
        ("inner/deflated.bin", large),
        ("dir/", b""),
        (&long, b"long"),
    ]);
    core.put("/common-files/docs.zip", zipped).await;
    core.put("/common-files/docs.tar.gz", gzip(&tarred)).await;
    core.put("/common-files/docs.tar", tarred).await;
    let tree = core.tree("alice").await;
    (core, tree)
}

const KINDS: [&str; 3] = ["zip", "tar", "tar.gz"];

#[tokio::test]
async fn members_are_read_listed_and_described() {
    let (_core, tree) = stage().await;
    for kind in KINDS {
        let docs = format!("/common-files/docs.{kind}");
        assert_eq!(read(&tree, &format!("{docs}/inner/file.txt")).await.unwrap(), "hello", "{kind}");
        for name in ["stored", "deflated"] {
            let content = read(&tree, &format!("{docs}/inner/{name}.bin")).await.unwrap();
            assert_eq!(content, "0123456789".repeat(60_000), "{kind} {name}");
        }
        let mut top = vec!["dir/".to_owned(), "inner/".into()];
        top.push(if kind == "zip" { "café.txt".into() } else { "x".repeat(120) });
        top.sort();
        assert_eq!(listed(&tree, &docs).await, top, "{kind}");
        assert_eq!(
            listed(&tree, &format!("{docs}/inner")).await,
            ["deflated.bin", "file.txt", "stored.bin"],
            "{kind}"
        );
        assert!(listed(&tree, &format!("{docs}/dir")).await.is_empty());
        let node = tree.member(&path(&format!("{docs}/inner/file.txt"))).await.unwrap().node;
        assert_eq!(
            (node.size, node.mime.as_str(), node.mtime_s()),
            (5, "text/plain", 1_893_456_000),
            "{kind}"
        );
        assert!(tree.member(&path(&format!("{docs}/inner"))).await.unwrap().node.is_collection());
        assert!(tree.member(&path(&format!("{docs}/dir"))).await.unwrap().node.is_collection());
        for absent in ["none", "inner/none", "inner/file.txt/x", "dir/x"] {
            let refused = tree.member(&path(&format!("{docs}/{absent}"))).await;
            assert!(matches!(refused, Err(Error::NotFound(_))), "{kind} {absent}");
        }
    }
}

#[tokio::test]
async fn what_is_not_compressed_is_read_in_ranges() {
    let (_core, tree) = stage().await;
    for (at, seekable) in [
        ("/common-files/docs.zip/inner/stored.bin", true),
        ("/common-files/docs.zip/inner/deflated.bin", false),
        ("/common-files/docs.tar/inner/stored.bin", true),
        ("/common-files/docs.tar.gz/inner/stored.bin", false),
    ] {
        let member = tree.member(&path(at)).await.unwrap();
        assert_eq!(member.is_seekable(), seekable, "{at}");
        if seekable {
            let bits = member.open(Some(ByteRange { start: 500_003, end: 500_008 })).await.unwrap();
            assert_eq!(whole(bits).await.unwrap(), "34567", "{at}");
        }
    }
}

#[tokio::test]
async fn the_etag_holds_as_long_as_the_archive() {
    let (core, tree) = stage().await;
    let at = path("/common-files/docs.tar/inner/file.txt");
    let first = tree.member(&at).await.unwrap().node.etag;
    assert_eq!(tree.member(&at).await.unwrap().node.etag, first);
    let other = tree.member(&path("/common-files/docs.tar/inner/stored.bin")).await.unwrap();
    assert_ne!(other.node.etag, first);
    core.put("/common-files/docs.tar", tar(&[("inner/file.txt", b"new")])).await;
    assert_ne!(tree.member(&at).await.unwrap().node.etag, first);
}

#[tokio::test]
async fn archives_stay_files_to_writers_and_to_who_may_not_read() {
    let (core, tree) = stage().await;
    let how = Write { parents: Parents::Create, ..Write::default() };
    let at = path("/common-files/docs.zip/inner/new.txt");
    let refused = tree.write(&at, crate::testing::body("x"), how).await;
    assert!(matches!(refused, Err(Error::NotACollection(_))), "{refused:?}");
    core.put("/personal-files/own.tar", tar(&[("a", b"a")])).await;
    let reader = core.tree("reader").await;
    assert!(matches!(read(&reader, "/personal-files/own.tar/a").await, Err(Error::NotFound(_))));
}

#[tokio::test]
async fn folders_with_the_name_of_an_archive_are_folders() {
    let core = test_core().await;
    core.put("/common-files/old.zip/docs.tar", tar(&[("a", b"inside")])).await;
    let tree = core.tree("alice").await;
    assert_eq!(read(&tree, "/common-files/old.zip/docs.tar/a").await.unwrap(), "inside");
    assert!(matches!(read(&tree, "/common-files/old.zip/none/a").await, Err(Error::NotFound(_))));
}

async fn refused(tree: &Tree, core: &TestCore, at: &str, archive: Vec<u8>, member: &str) -> Error {
    core.put(at, archive).await;
    match tree.member(&path(&format!("{at}/{member}"))).await {
        Err(error) => error,
        Ok(member) => match member.open(None).await {
            Err(error) => error,
            Ok(bits) => whole(bits).await.unwrap_err(),
        },
    }
}

#[tokio::test]
async fn hostile_zips_end_in_an_error() {
    let core = test_core().await;
    let tree = core.tree("alice").await;
    let bomb = vec![0; 3_000_000];
    let with = |change: fn(&mut ZipMember)| {
        let mut member = ZipMember::new("a", &bomb, 8);
        change(&mut member);
        zip(b"", &[member])
    };
    let at = "/common-files/x.zip";
    for (what, archive) in [
        ("more than it says", with(|member| member.size = Some(10))),
        ("less than it says", with(|member| member.size = Some(4_000_000_000))),
        ("another checksum", with(|member| member.crc = Some(1))),
        ("no zip", b"hello".to_vec()),
        ("empty", Vec::new()),
        ("cut", with(|_| ())[100..].to_vec()),
    ] {
        let error = refused(&tree, &core, at, archive, "a").await;
        assert!(matches!(error, Error::InvalidArgument(_)), "{what}: {error}");
    }
    for archive in [with(|member| member.flags |= 1), with(|member| member.method = 12)] {
        let error = refused(&tree, &core, at, archive, "a").await;
        assert!(matches!(error, Error::NotImplemented(_)), "{error}");
    }
    let mut lost = with(|_| ());
    let directory = lost.windows(4).rposition(|window| window == b"PK\x01\x02").unwrap();
    lost[directory + 42..directory + 46].copy_from_slice(&[0xFE; 4]);
    let error = refused(&tree, &core, at, lost, "a").await;
    assert!(matches!(error, Error::InvalidArgument(_)), "{error}");
}

#[tokio::test]
async fn names_that_lead_out_of_a_zip_are_not_there() {
    let core = test_core().await;
    let names = ["../up", "/absolute", "a/../../b", "ok/./x", "fine"];
    let members: Vec<ZipMember> = names.iter().map(|name| ZipMember::new(name, b"x", 0)).collect();
    core.put("/common-files/x.zip", zip(b"", &members)).await;
    let tree = core.tree("alice").await;
    assert_eq!(listed(&tree, "/common-files/x.zip").await, ["fine"]);
    let escape = NodePath::parse("/common-files/x.zip/../up");
    assert!(escape.is_err());
}

#[tokio::test]
async fn hostile_tars_end_in_an_error() {
    let core = test_core().await;
    let tree = core.tree("alice").await;
    let header = |size| tar_header(b"a", b'0', size);
    let mut broken = header(0);
    broken[0] = b'b';
    let huge_name = [tar_header(b"././@LongLink", b'L', 1 << 40), header(0)].concat();
    let cut = [header(2_000), vec![1; 512]].concat();
    for (what, archive) in [
        ("checksum", broken.clone()),
        ("cut", cut.clone()),
        ("a name of a TiB", huge_name.clone()),
        ("no tar", b"hello".to_vec()),
    ] {
        let error = refused(&tree, &core, "/common-files/x.tar", archive.clone(), "a").await;
        assert!(matches!(error, Error::InvalidArgument(_)), "{what}: {error}");
        let error = refused(&tree, &core, "/common-files/x.tar.gz", gzip(&archive), "a").await;
        assert!(matches!(error, Error::InvalidArgument(_)), "{what}, gzip: {error}");
    }
    let error = refused(&tree, &core, "/common-files/y.tar.gz", b"hello".to_vec(), "a").await;
    assert!(matches!(error, Error::InvalidArgument(_)), "{error}");
    let mut torn = gzip(&tar(&[("a", &[7; 100_000])]));
    torn.truncate(torn.len() / 2);
    let error = refused(&tree, &core, "/common-files/y.tar.gz", torn, "a").await;
    assert!(matches!(error, Error::InvalidArgument(_)), "{error}");
}

#[tokio::test]
async fn links_and_devices_are_not_shown_and_pax_names_are_read() {
    let core = test_core().await;
    let pax = b"21 path=pax/name.txt\n".to_vec();
    let mut record = pax.clone();
    record.resize(512, 0);
    let archive = [
        tar_header(b"link", b'2', 0),
        tar_header(b"device", b'3', 0),
        tar_header(b"PaxHeaders/x", b'x', pax.len() as u64),
        record,
        tar_header(b"short", b'0', 0),
        tar_header(b"./dotted", b'0', 0),
        vec![0; 1024],
    ]
    .concat();
    core.put("/common-files/x.tar", archive).await;
    let tree = core.tree("alice").await;
    assert_eq!(listed(&tree, "/common-files/x.tar").await, ["dotted", "pax/"]);
    assert_eq!(read(&tree, "/common-files/x.tar/pax/name.txt").await.unwrap(), "");
}
