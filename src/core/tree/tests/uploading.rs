use super::*;
use crate::content::{Algorithm, Checksum};
use crate::http::range::RangeSpec;
use crate::node::Attributes;
use crate::parts::{DigestOf, WholeDigest};
use crate::testing::test_core;
use crate::tree::uploads::{Complete, PartRef};
use crate::tree::{Existing, Removal, Remove, Transfer};
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
    PartRef { number, etag: Some(part.etag), digest: None }
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
        assert!(matches!(tree.abort_upload(at, upload.id, None).await, Err(Error::NoSuchUpload(_))));
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
    let begun_s = upload.created_ns / 1_000_000_000;
    let other = tree.abort_upload(&at, upload.id, Some(begun_s + 1)).await;
    assert!(matches!(other, Err(Error::PreconditionFailed(_))));
    tree.abort_upload(&at, upload.id, Some(begun_s)).await.unwrap();
    assert!(is_absent(tree.stat(&at).await));
    eventually(async || store.blob_count() == 0).await;
}

async fn copied(tree: &Tree, upload: &Upload, number: u32, from: &str, first: u64, last: u64) -> PartRef {
    let options = ReadOptions { range: Some(RangeSpec::From(first, Some(last))), ..ReadOptions::default() };
    let part = tree.copy_part(&path(from), &options, &path(&upload.path), upload.id, number).await.unwrap();
    let range = usize::try_from(first).unwrap()..=usize::try_from(last).unwrap();
    let text = get(tree, from).await.unwrap();
    assert_eq!(part.size, last + 1 - first);
    assert_eq!(part.etag, hex::encode(<md5::Md5 as md5::Digest>::digest(&text.as_bytes()[range])));
    PartRef { number, etag: Some(part.etag), digest: None }
}

/// The bytes of the source are read for their digests, and kept once.
#[tokio::test]
async fn a_part_copied_within_a_flat_datasource_shares_its_blob() {
    let core = test_core().await;
    let tree = core.tree("alice").await;
    let store = core.backends.datasource("personal");
    let text: String = (0..100_000_u32).map(|at| char::from(b'a' + u8::try_from(at % 23).unwrap())).collect();
    put(&tree, "/personal-files/source.bin", &text).await.unwrap();
    assert_eq!(store.blob_count(), 1);

    let first = begin(&tree, "/personal-files/first.bin").await;
    let source = "/personal-files/source.bin";
    copied(&tree, &first, 1, source, 5, 60_000).await;
    let parts = vec![
        copied(&tree, &first, 1, source, 10, 49_999).await,
        copied(&tree, &first, 2, source, 70_000, 99_999).await,
        part(&tree, &first, 3, "tail").await,
    ];
    tree.complete_upload(&path(&first.path), first.id, done(parts)).await.unwrap();
    let joined = format!("{}{}tail", &text[10..50_000], &text[70_000..]);
    assert_eq!(get(&tree, &first.path).await.unwrap(), joined);

    // From a leaf of several pieces, across their border; alone, its list is the leaf's.
    let second = begin(&tree, "/personal-files/second.bin").await;
    let only = copied(&tree, &second, 1, &first.path, 40_000, 60_000).await;
    tree.complete_upload(&path(&second.path), second.id, done(vec![only])).await.unwrap();
    assert_eq!(get(&tree, &second.path).await.unwrap(), joined[40_000..=60_000]);
    // What fits into the index is copied, and an upload that is given up lets go of all it shares.
    let third = begin(&tree, "/personal-files/third.bin").await;
    copied(&tree, &third, 1, source, 0, 9).await;
    copied(&tree, &third, 2, source, 0, 99_999).await;
    tree.abort_upload(&path(&third.path), third.id, None).await.unwrap();
    core.core.clean_up().await.unwrap();
    assert_eq!(store.blob_count(), 1);

    let gone = Remove { removal: Removal::Permanent, ..Remove::default() };
    for (at, left) in [(source, 1), (first.path.as_str(), 1), (second.path.as_str(), 0)] {
        tree.remove(&path(at), &gone).await.unwrap();
        core.core.clean_up().await.unwrap();
        eventually(async || store.blob_count() == left).await;
        if at == first.path {
            assert_eq!(get(&tree, &second.path).await.unwrap(), joined[40_000..=60_000]);
        }
    }
}

#[tokio::test]
async fn a_part_copied_from_elsewhere_is_copied() {
    let core = super::adoption::structured().await;
    let tree = core.tree("alice").await;
    let text = "0123456789".repeat(5_000);
    for (from, to) in [
        ("/archive/source.bin", "/personal-files/a.bin"),
        ("/personal-files/source.bin", "/archive/b.bin"),
        ("/archive/source.bin", "/archive/c.bin"),
    ] {
        put(&tree, from, &text).await.unwrap();
        let upload = begin(&tree, to).await;
        let parts = vec![
            copied(&tree, &upload, 1, from, 5, 40_004).await,
            copied(&tree, &upload, 2, from, 0, 0).await,
        ];
        tree.complete_upload(&path(to), upload.id, done(parts)).await.unwrap();
        put(&tree, from, "other").await.unwrap();
        assert_eq!(get(&tree, to).await.unwrap(), format!("{}0", &text[5..40_005]), "{from} {to}");
    }
}

#[tokio::test]
async fn a_part_is_not_copied_from_what_one_may_not_read() {
    let core = test_core().await;
    let (alice, admin) = (core.tree("alice").await, core.tree("admin").await);
    put(&admin, "/personal-files/secret.bin", &"x".repeat(40_000)).await.unwrap();
    let upload = begin(&alice, "/personal-files/a.bin").await;
    let at = path(&upload.path);
    let absent = path("/personal-files/secret.bin");
    let copy = alice.copy_part(&absent, &ReadOptions::default(), &at, upload.id, 1).await;
    assert!(is_absent(copy.map(|_| ())), "the admin's own folder is another");
    assert!(alice.parts(&at, upload.id, 0, 9).await.unwrap().is_empty());
}

fn done(parts: Vec<PartRef>) -> Complete {
    Complete { parts: Some(parts), ..Complete::default() }
}

/// A client that missed the answer asks again, as SDKs do after a broken connection.
#[tokio::test]
async fn completing_again_answers_the_same_while_the_leaf_is_what_it_was() {
    let core = super::adoption::structured().await;
    let tree = core.tree("alice").await;
    for at in ["/personal-files/a.bin", "/archive/a.bin"] {
        let upload = begin(&tree, at).await;
        let at = path(at);
        let (one, two) = (part(&tree, &upload, 1, "one").await, part(&tree, &upload, 2, "two").await);
        let both = || vec![one.clone(), two.clone()];
        let first = tree.complete_upload(&at, upload.id, done(both())).await.unwrap();
        let again = tree.complete_upload(&at, upload.id, done(both())).await.unwrap();
        assert_eq!((&again.node.etag, again.node.id), (&first.node.etag, first.node.id));
        let other = tree.complete_upload(&at, upload.id, done(vec![one.clone()])).await;
        assert!(matches!(other, Err(Error::NoSuchUpload(_))), "another list is another question");
        let copy = path("/personal-files/copy.bin");
        let how = Transfer { existing: Existing::Replace, ..Transfer::default() };
        let copied = tree.copy(&at, &copy, &how).await.unwrap().node;
        assert!(!copied.came_from(upload.id));
        put(&tree, &at.to_string(), "new").await.unwrap();
        let late = tree.complete_upload(&at, upload.id, done(both())).await;
        assert!(matches!(late, Err(Error::NoSuchUpload(_))));
        assert_eq!(get(&tree, &at.to_string()).await.unwrap(), "new");
    }
}

#[tokio::test]
async fn parts_can_be_read_one_by_one_after_they_are_one_leaf() {
    let core = super::adoption::structured().await;
    let tree = core.tree("alice").await;
    for at in ["/personal-files/a.bin", "/archive/a.bin"] {
        let upload = begin(&tree, at).await;
        let mut parts = Vec::new();
        for (number, content) in [(2, "one"), (5, "two"), (9, "three")] {
            parts.push(part(&tree, &upload, number, content).await);
        }
        let node = tree.complete_upload(&path(at), upload.id, done(parts)).await.unwrap().node;
        assert_eq!(node.part_count(), Some(3));
        for (number, content) in [(1, "one"), (2, "two"), (3, "three")] {
            let options = ReadOptions { range: Some(RangeSpec::Part(number)), ..ReadOptions::default() };
            let read = tree.read(&path(at), &options).await.unwrap();
            assert_eq!(whole(read.bits).await.unwrap(), content.as_bytes(), "{at} {number}");
        }
        let beyond = ReadOptions { range: Some(RangeSpec::Part(4)), ..ReadOptions::default() };
        assert!(matches!(tree.read(&path(at), &beyond).await, Err(Error::RangeNotSatisfiable { .. })));
        let replaced = put(&tree, at, "x").await.unwrap().node;
        assert_eq!(replaced.part_count(), None);
    }
}

/// CRC-32 and CRC-64/NVME of `123456789`: the check values of the CRC catalogue.
#[tokio::test]
async fn an_upload_ends_with_the_digest_it_announced_or_not_at_all() {
    let core = test_core().await;
    let tree = core.tree("alice").await;
    let at = path("/personal-files/a.bin");
    for (algorithm, check, right) in [
        (Algorithm::Crc32, "cbf43926", "y/Q5Jg=="),
        (Algorithm::Crc64Nvme, "ae8b14860a799888", "rosUhgp5mIg="),
    ] {
        let mut attributes = Attributes::default();
        WholeDigest::new(algorithm, Some(DigestOf::Content)).unwrap().declare(&mut attributes);
        let upload = tree.create_upload(&at, attributes, None, None).await.unwrap();
        let (one, two) = (part(&tree, &upload, 1, "1234").await, part(&tree, &upload, 2, "56789").await);
        let claim = |value: Vec<u8>| Complete {
            parts: Some(vec![one.clone(), two.clone()]),
            write: Write { checksums: vec![Checksum { algorithm, value }], ..Write::default() },
            ..Complete::default()
        };
        let check = hex::decode(check).unwrap();
        let wrong = tree.complete_upload(&at, upload.id, claim(vec![0; check.len()])).await;
        assert!(matches!(wrong, Err(Error::ChecksumMismatch { .. })));
        let node = tree.complete_upload(&at, upload.id, claim(check)).await.unwrap().node;
        assert_eq!(node.attributes.get(&Checksum::attribute(algorithm)), Some(right));
        assert_eq!(node.pieces(0, 9).len(), 2);
        assert_eq!(node.pieces(0, 9)[1].digests.len(), 1);
    }
}

#[tokio::test]
async fn an_upload_that_nobody_finishes_expires() {
    let core = test_core().await;
    let tree = core.tree("alice").await;
    let upload = begin(&tree, "/personal-files/a.bin").await;
    part(&tree, &upload, 1, &"x".repeat(40_000)).await;
    let mut old = upload.clone();
    old.expires_ns = 1;
    tree.core.commit(move |txn| Box::pin(async move { txn.put_upload(&old).await })).await.unwrap();
    let at = path(&upload.path);
    assert!(matches!(tree.parts(&at, upload.id, 0, 9).await, Err(Error::NoSuchUpload(_))));
    assert!(matches!(tree.complete_upload(&at, upload.id, done(vec![])).await, Err(Error::NoSuchUpload(_))));
    assert!(tree.uploads(&path("/")).await.unwrap().is_empty());
    let store = core.backends.datasource("personal");
    core.core.clean_up().await.unwrap();
    eventually(async || store.blob_count() == 0).await;
}
