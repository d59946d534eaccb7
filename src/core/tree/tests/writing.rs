use bytes::Bytes;
use futures_util::StreamExt as _;

use super::*;
use crate::content::{Algorithm, Checksum};
use crate::listing::Depth;
use crate::node::Content;
use crate::testing::test_core;
use crate::tree::Existing;

#[tokio::test]
async fn what_was_written_is_read_back_with_its_md5_as_etag() {
    let core = test_core().await;
    let tree = core.tree("alice").await;
    let written = put(&tree, "/personal-files/a/b.txt", "hello").await.unwrap();
    assert!(written.created);
    assert_eq!(written.node.etag, "5d41402abc4b2a76b9719d911017c592");
    assert_eq!((written.node.size, written.node.mime.as_str()), (5, "text/plain"));
    assert_eq!(get(&tree, "/personal-files/a/b.txt").await.unwrap(), "hello");
    let again = put(&tree, "/personal-files/a/b.txt", "hello world").await.unwrap();
    assert!(!again.created);
    assert_eq!(again.node.uuid, written.node.uuid, "a new content keeps the node");
}

#[tokio::test]
async fn a_body_of_any_size_survives_inline_or_as_a_blob() {
    let core = test_core().await;
    let tree = core.tree("alice").await;
    for size in [0_usize, 1, 16 * 1024, 16 * 1024 + 1, 3_000_000] {
        let content: Bytes = (0..size).map(|at| (at % 251) as u8).collect();
        let pieces: Vec<_> = content.chunks(70_000).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
        let stream = futures_util::stream::iter(pieces).boxed();
        let at = path("/personal-files/a.bin");
        let how = Write { size: Some(size as u64), ..Write::default() };
        let written = tree.write(&at, stream, how).await.unwrap();
        match written.node.content {
            Content::None => assert_eq!(size, 0),
            Content::Inline(_) => assert!(size <= 16 * 1024),
            Content::Blob(_) => assert!(size > 16 * 1024),
            other => panic!("{other:?}"),
        }
        let read = tree.read(&at, &ReadOptions::default()).await.unwrap();
        assert!(whole(read.bits).await.unwrap() == content, "{size}");
    }
    // The blob of the last write is the only one left.
    eventually(async || core.backends.datasource("personal").blob_count() == 1).await;
}

#[tokio::test]
async fn conditions_decide_with_the_commit() {
    let core = test_core().await;
    let tree = core.tree("alice").await;
    let at = path("/personal-files/a.txt");
    let first = put(&tree, "/personal-files/a.txt", "1").await.unwrap();
    let write = |conditions| Write { conditions, ..Write::default() };
    let only_new = Conditions { if_none_match: Some(ETags::Any), ..Conditions::default() };
    let refused = tree.write(&at, body("2"), write(only_new.clone())).await;
    assert!(matches!(refused, Err(Error::PreconditionFailed(_))));
    let refused = tree.write(&at, body("2"), write(if_match("0000"))).await;
    assert!(matches!(refused, Err(Error::PreconditionFailed(_))));
    assert_eq!(get(&tree, "/personal-files/a.txt").await.unwrap(), "1");
    tree.write(&at, body("2"), write(if_match(&first.node.etag))).await.unwrap();
    assert_eq!(get(&tree, "/personal-files/a.txt").await.unwrap(), "2");

    // Of many that all want to be the first, one is.
    let fresh = path("/personal-files/fresh.txt");
    let attempts = (0..16).map(|number: u32| {
        let (tree, fresh, how) = (tree.clone(), fresh.clone(), write(only_new.clone()));
        tokio::spawn(async move { tree.write(&fresh, body(number.to_string()), how).await })
    });
    let mut won = 0;
    for attempt in futures_util::future::join_all(attempts).await {
        match attempt.unwrap() {
            Ok(_) => won += 1,
            Err(Error::PreconditionFailed(_)) => {}
            Err(other) => panic!("{other}"),
        }
    }
    assert_eq!(won, 1);
}

#[tokio::test]
async fn a_body_that_breaks_off_or_lies_changes_nothing_and_leaves_nothing() {
    let core = test_core().await;
    let tree = core.tree("alice").await;
    put(&tree, "/personal-files/a.bin", "old").await.unwrap();
    let at = path("/personal-files/a.bin");
    let large = Bytes::from(vec![1_u8; 100_000]);
    let broken =
        futures_util::stream::iter([Ok(large.clone()), Err(Error::BrokenBody("the client is gone".into()))]);
    let md5 = Checksum { algorithm: Algorithm::Md5, value: vec![0; 16] };
    let late = Checksum { algorithm: Algorithm::Crc32, value: vec![0; 4] };
    let sized = |size| Write { size: Some(size), ..Write::default() };
    let attempts = [
        tree.write(&at, broken.boxed(), Write::default()).await,
        tree.write(&at, body(large.clone()), sized(100_001)).await,
        tree.write(&at, body(large.clone()), sized(99_999)).await,
        tree.write(&at, body(large.clone()), Write { checksums: vec![md5], ..Write::default() }).await,
        tree.write(
            &at,
            body(large.clone()),
            Write {
                compute: vec![Algorithm::Crc32],
                late: Some(Box::new(move || Ok(vec![late]))),
                ..Write::default()
            },
        )
        .await,
        tree.write(&at, body(large), Write { conditions: if_match("no"), ..Write::default() }).await,
    ];
    for (number, attempt) in attempts.iter().enumerate() {
        assert!(attempt.is_err(), "attempt {number}");
    }
    assert_eq!(get(&tree, "/personal-files/a.bin").await.unwrap(), "old");
    eventually(async || core.backends.datasource("personal").blob_count() == 0).await;
}

#[tokio::test]
async fn a_commit_that_fails_leaves_no_blob() {
    let core = test_core().await;
    let tree = core.tree("alice").await;
    put(&tree, "/personal-files/first.txt", "makes the root").await.unwrap();
    core.index.fail_next_commit();
    let large = "x".repeat(50_000);
    assert!(put(&tree, "/personal-files/a.bin", &large).await.is_err());
    assert_eq!(keys(&tree, "/personal-files", Depth::One).await, ["first.txt"]);
    eventually(async || core.backends.datasource("personal").blob_count() == 0).await;
}

#[tokio::test]
async fn a_leaf_and_a_collection_cannot_share_a_name() {
    let core = test_core().await;
    let tree = core.tree("alice").await;
    put(&tree, "/personal-files/a", "leaf").await.unwrap();
    let below = put(&tree, "/personal-files/a/b", "x").await;
    assert!(matches!(below, Err(Error::NotACollection(at)) if at == "/personal-files/a"));
    put(&tree, "/personal-files/c/d", "x").await.unwrap();
    assert!(matches!(put(&tree, "/personal-files/c", "x").await, Err(Error::IsACollection(_))));
    assert!(matches!(put(&tree, "/personal-files", "x").await, Err(Error::IsACollection(_))));
    assert!(put(&tree, "/", "x").await.is_err());
}

#[tokio::test]
async fn parents_must_exist_unless_asked_for() {
    let core = test_core().await;
    let tree = core.tree("alice").await;
    let at = path("/personal-files/x/y/a.txt");
    let refused = tree.write(&at, body("1"), Write::default()).await;
    assert!(matches!(refused, Err(Error::ParentMissing(_))));
    let refused = tree.create_collection(&at, Parents::MustExist, Existing::Refuse, &[]).await;
    assert!(matches!(refused, Err(Error::ParentMissing(_))));
    assert!(keys(&tree, "/personal-files", Depth::Infinity).await.is_empty());
}

#[tokio::test]
async fn existing_targets_are_replaced_refused_or_stepped_around() {
    let core = test_core().await;
    let tree = core.tree("alice").await;
    let at = path("/personal-files/a.txt");
    put(&tree, "/personal-files/a.txt", "1").await.unwrap();
    let with = |existing| Write { existing, ..Write::default() };
    let refused = tree.write(&at, body("2"), with(Existing::Refuse)).await;
    assert!(matches!(refused, Err(Error::AlreadyExists(_))));
    let beside = tree.write(&at, body("2"), with(Existing::Rename)).await.unwrap();
    assert_eq!(beside.path.to_string(), "/personal-files/a (1).txt");
    assert_eq!(get(&tree, "/personal-files/a.txt").await.unwrap(), "1");
    assert_eq!(get(&tree, "/personal-files/a (1).txt").await.unwrap(), "2");
}

#[tokio::test]
async fn a_digest_that_was_asked_for_is_kept_with_the_content() {
    let core = test_core().await;
    let tree = core.tree("alice").await;
    let how = Write { compute: vec![Algorithm::Crc32], ..Write::default() };
    let at = path("/personal-files/a");
    let written = tree.write(&at, body("123456789"), how).await.unwrap();
    // The CRC catalogue's check value cbf43926, base64.
    assert_eq!(written.node.attributes.get("checksum:crc32"), Some("y/Q5Jg=="));
    let plain = tree.write(&at, body("1"), Write::default()).await.unwrap();
    assert!(plain.node.attributes.is_empty(), "attributes go with the content they came with");
}

#[tokio::test]
async fn a_draft_becomes_a_leaf_under_the_rules_of_a_write_or_leaves_nothing() {
    let core = test_core().await;
    let (alice, reader) = (core.tree("alice").await, core.tree("reader").await);
    let near = path("/common-files");
    let large = "x".repeat(40_000);
    assert!(matches!(reader.draft(&near, body("x")).await, Err(Error::Denied { .. })));
    let draft = alice.draft(&near, body(large.clone())).await.unwrap();
    assert!(keys(&alice, "/common-files", Depth::Infinity).await.is_empty());
    let elsewhere = path("/personal-files/a.bin");
    assert!(matches!(alice.write_draft(&elsewhere, draft, Write::default()).await, Err(Error::Conflict(_))));
    let store = core.backends.datasource("pydiods1");
    eventually(async || store.blob_count() == 0).await;

    let draft = alice.draft(&near, body(large.clone())).await.unwrap();
    alice.write_draft(&path("/common-files/a.bin"), draft, Write::default()).await.unwrap();
    assert_eq!(get(&alice, "/common-files/a.bin").await.unwrap(), large);
    let draft = alice.draft(&near, body("second")).await.unwrap();
    let refuse = Write { existing: Existing::Refuse, ..Write::default() };
    let refused = alice.write_draft(&path("/common-files/a.bin"), draft, refuse).await;
    assert!(matches!(refused, Err(Error::AlreadyExists(_))));
    assert_eq!(get(&alice, "/common-files/a.bin").await.unwrap(), large);
}
