//! Staging and blobs.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use uuid::Uuid;

use super::{LARGE_BYTES, pattern, read, stage};
use crate::ports::{Datasource, Source};
use crate::testing::whole;

async fn staged(datasource: &Arc<dyn Datasource>) -> BTreeSet<Uuid> {
    let blobs = datasource.staged().await.unwrap();
    let set: BTreeSet<Uuid> = blobs.iter().copied().collect();
    assert_eq!(set.len(), blobs.len(), "a blob is listed twice");
    set
}

pub async fn a_staged_blob_is_readable_at_once(datasource: Arc<dyn Datasource>) {
    for len in [0, 1, 4_096, 65_537, LARGE_BYTES] {
        let content = pattern(len);
        let blob = stage(&datasource, &content).await.blob;
        let bytes = read(&datasource, Source::Blob(blob), 0, len as u64).await.unwrap();
        assert!(bytes == content, "{len} bytes");
    }
}

/// The announced size is a hint, what was written counts.
pub async fn a_wrong_expectation_of_size_does_no_harm(datasource: Arc<dyn Datasource>) {
    for expected in [None, Some(0), Some(3), Some(5), Some(1_000_000)] {
        let mut staging = datasource.stage(expected).await.unwrap();
        for piece in ["he", "", "llo"] {
            staging.write(Bytes::from_static(piece.as_bytes())).await.unwrap();
        }
        let staged = staging.finish().await.unwrap();
        assert_eq!(staged.size, 5, "{expected:?}");
        let bytes = read(&datasource, Source::Blob(staged.blob), 0, 5).await.unwrap();
        assert_eq!(bytes, "hello", "{expected:?}");
        read(&datasource, Source::Blob(staged.blob), 0, 6).await.unwrap_err();
    }
}

pub async fn any_range_can_be_read(datasource: Arc<dyn Datasource>) {
    let content = pattern(LARGE_BYTES);
    let blob = stage(&datasource, &content).await.blob;
    let end = LARGE_BYTES;
    for (start, end) in [
        (0, 0),
        (0, 1),
        (1, 2),
        (4_095, 4_097),
        (262_143, 1_048_577),
        (1, end - 1),
        (end - 1, end),
        (end, end),
    ] {
        let bytes = read(&datasource, Source::Blob(blob), start as u64, end as u64).await.unwrap();
        assert!(bytes == content.slice(start..end), "{start} to {end}");
    }
}

/// Fewer bytes than asked for would be taken for a whole file.
pub async fn a_read_beyond_the_end_is_an_error(datasource: Arc<dyn Datasource>) {
    for len in [0, 5, LARGE_BYTES] {
        let blob = stage(&datasource, &pattern(len)).await.blob;
        let len = len as u64;
        for (start, end) in [(0, len + 1), (len, len + 1), (len + 1, len + 2), (0, len + 1_000_000)] {
            let read = read(&datasource, Source::Blob(blob), start, end).await;
            assert!(read.is_err(), "{start} to {end} of {len}");
        }
    }
}

pub async fn a_blob_that_does_not_exist_is_an_error(datasource: Arc<dyn Datasource>) {
    let nobody = Uuid::new_v4();
    read(&datasource, Source::Blob(nobody), 0, 1).await.unwrap_err();
    datasource.duplicate(Source::Blob(nobody)).await.unwrap_err();
}

pub async fn staged_blobs_are_listed_until_they_are_promoted(datasource: Arc<dyn Datasource>) {
    assert_eq!(staged(&datasource).await, BTreeSet::new());
    let mut blobs = Vec::new();
    for content in ["one", "two", "three"] {
        blobs.push(stage(&datasource, content.as_bytes()).await.blob);
    }
    assert_eq!(staged(&datasource).await, blobs.iter().copied().collect());

    datasource.promote(&blobs[..2]).await.unwrap();
    assert_eq!(staged(&datasource).await, BTreeSet::from([blobs[2]]));
    datasource.promote(&[]).await.unwrap();
    for (blob, content) in blobs.iter().zip(["one", "two", "three"]) {
        let bytes = read(&datasource, Source::Blob(*blob), 0, content.len() as u64).await.unwrap();
        assert_eq!(bytes, content);
    }
}

pub async fn a_dropped_staging_leaves_nothing(datasource: Arc<dyn Datasource>) {
    let kept = stage(&datasource, b"kept").await.blob;
    for len in [0, 5, LARGE_BYTES] {
        let mut staging = datasource.stage(Some(len as u64)).await.unwrap();
        staging.write(pattern(len)).await.unwrap();
        drop(staging);
    }
    // Cleaning up may go on behind the drop, but not for long.
    let mut left = staged(&datasource).await;
    for _ in 0..200 {
        if left.len() == 1 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
        left = staged(&datasource).await;
    }
    assert_eq!(left, BTreeSet::from([kept]));
}

pub async fn blobs_are_removed_wherever_they_are(datasource: Arc<dyn Datasource>) {
    let in_staging = stage(&datasource, b"staged").await.blob;
    let promoted = stage(&datasource, b"promoted").await.blob;
    let kept = stage(&datasource, b"kept").await.blob;
    datasource.promote(&[promoted, kept]).await.unwrap();

    datasource.remove(&[in_staging, Uuid::new_v4(), promoted]).await.unwrap();
    for gone in [in_staging, promoted] {
        read(&datasource, Source::Blob(gone), 0, 1).await.unwrap_err();
    }
    assert_eq!(staged(&datasource).await, BTreeSet::new());
    assert_eq!(read(&datasource, Source::Blob(kept), 0, 4).await.unwrap(), "kept");
    // Again, as after a crash between removing and forgetting.
    datasource.remove(&[in_staging, promoted]).await.unwrap();
}

/// Whoever began to read the old content reads all of it.
pub async fn a_read_that_has_begun_survives_the_removal(datasource: Arc<dyn Datasource>) {
    let content = pattern(LARGE_BYTES);
    let blob = stage(&datasource, &content).await.blob;
    datasource.promote(&[blob]).await.unwrap();
    let begun = datasource.read(Source::Blob(blob), 0, LARGE_BYTES as u64).await.unwrap();
    datasource.remove(&[blob]).await.unwrap();
    assert!(whole(begun).await.unwrap() == content);
}

pub async fn a_duplicate_is_a_blob_of_its_own(datasource: Arc<dyn Datasource>) {
    for content in [Bytes::new(), pattern(5), pattern(LARGE_BYTES)] {
        let original = stage(&datasource, &content).await.blob;
        datasource.promote(&[original]).await.unwrap();
        let copy = datasource.duplicate(Source::Blob(original)).await.unwrap();
        assert_eq!(copy.size, content.len() as u64);
        assert_ne!(copy.blob, original);
        assert!(staged(&datasource).await.contains(&copy.blob));
        datasource.promote(&[copy.blob]).await.unwrap();
        datasource.remove(&[original]).await.unwrap();
        let bytes = read(&datasource, Source::Blob(copy.blob), 0, copy.size).await.unwrap();
        assert!(bytes == content);
    }
}

pub async fn many_write_at_once(datasource: Arc<dyn Datasource>) {
    let tasks: Vec<_> = (0..32_usize)
        .map(|number| {
            let datasource = datasource.clone();
            tokio::spawn(async move {
                let content = pattern(100_000 + number);
                let blob = stage(&datasource, &content[number..]).await.blob;
                datasource.promote(&[blob]).await.unwrap();
                let bytes = read(&datasource, Source::Blob(blob), 0, 100_000).await.unwrap();
                assert!(bytes == content[number..], "{number}");
                blob
            })
        })
        .collect();
    let mut blobs = BTreeSet::new();
    for task in tasks {
        blobs.insert(task.await.unwrap());
    }
    assert_eq!(blobs.len(), 32);
    assert_eq!(staged(&datasource).await, BTreeSet::new());
}
