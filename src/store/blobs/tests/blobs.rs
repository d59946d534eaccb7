//! Staging, promotion, reading by id: alike in both forms.

use std::os::unix::fs::PermissionsExt;

use cellgate_core::Error;
use futures_util::StreamExt;
use uuid::Uuid;

use super::*;

const FORMS: [Form; 2] = [Form::Flat, Form::Structured];

#[tokio::test(flavor = "multi_thread")]
async fn what_was_staged_is_read_back_in_every_range() {
    for form in FORMS {
        let fixture = Fixture::new(form).await;
        for size in [0, 1, 4096, 262_143, 262_144, 262_145, 1_000_000] {
            let content = pattern(size);
            let staged = fixture.stage(&content).await;
            assert_eq!(staged.size, size as u64);
            for promoted in [false, true] {
                if promoted {
                    fixture.store.promote(&[staged.blob]).await.unwrap();
                }
                for (start, end) in [(0, size), (0, size.min(10)), (size / 3, size), (size, size)] {
                    let read = fixture.read(Source::Blob(staged.blob), start as u64, end as u64).await;
                    assert!(
                        read.unwrap() == content[start..end],
                        "{form:?} {size} {start}..{end} {promoted}"
                    );
                }
            }
        }
    }
}

#[tokio::test]
async fn a_current_thread_runtime_will_do() {
    for form in FORMS {
        let fixture = Fixture::new(form).await;
        let content = pattern(700_000);
        let mut staging = fixture.store.stage(None).await.unwrap();
        for piece in content.chunks(100_000) {
            staging.write(Bytes::copy_from_slice(piece)).await.unwrap();
        }
        let staged = staging.finish().await.unwrap();
        fixture.store.promote(&[staged.blob]).await.unwrap();
        assert!(fixture.read(Source::Blob(staged.blob), 1, 700_000).await.unwrap() == content[1..]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pieces_of_all_sizes_keep_their_order() {
    let fixture = Fixture::new(Form::Flat).await;
    let content = pattern(1_500_000);
    let mut staging = fixture.store.stage(None).await.unwrap();
    let (mut at, mut turn) = (0, 0);
    while at < content.len() {
        let size = [1, 4095, 0, 4096, 17, 70_000, 300_000][turn % 7].min(content.len() - at);
        staging.write(Bytes::copy_from_slice(&content[at..at + size])).await.unwrap();
        (at, turn) = (at + size, turn + 1);
    }
    let staged = staging.finish().await.unwrap();
    assert_eq!(staged.size, 1_500_000);
    assert!(fixture.read(Source::Blob(staged.blob), 0, 1_500_000).await.unwrap() == content);
}

#[tokio::test(flavor = "multi_thread")]
async fn dropped_staging_leaves_nothing() {
    for form in FORMS {
        let fixture = Fixture::new(form).await;
        for size in [0, 10, 300_000] {
            let mut staging = fixture.store.stage(None).await.unwrap();
            staging.write(Bytes::from(pattern(size))).await.unwrap();
            if size > 262_144 {
                assert_eq!(entries(&fixture.staging()).len(), 1, "it is being written");
            }
            drop(staging);
            assert_eq!(entries(&fixture.staging()), [""; 0]);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_finished_blob_that_was_not_promoted_survives_a_restart_in_staging() {
    for form in FORMS {
        let mut fixture = Fixture::new(form).await;
        let (kept, promoted) = (fixture.stage(b"kept").await, fixture.stage(b"promoted").await);
        fixture.store.promote(&[promoted.blob]).await.unwrap();
        std::fs::write(fixture.staging().join("not ours"), "x").unwrap();

        // A command run beside the gateway sees nothing to sweep.
        let beside = open(&fixture.data(), form, "archive").await.unwrap();
        assert!(beside.staged().await.unwrap().is_empty());
        drop(beside);

        let again = fixture.reopen().await;
        assert_eq!(again.staged().await.unwrap(), [kept.blob]);
        again.promote(&[kept.blob, promoted.blob]).await.unwrap();
        assert!(again.staged().await.unwrap().is_empty());
        for (blob, text) in [(kept.blob, "kept"), (promoted.blob, "promoted")] {
            let read = collect(again.read(Source::Blob(blob), 0, text.len() as u64).await.unwrap()).await;
            assert_eq!(read.unwrap(), text.as_bytes());
        }
        assert!(fixture.staging().join("not ours").exists());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flat_datasource_lies_as_documented() {
    let fixture = Fixture::new(Form::Flat).await;
    assert_eq!((fixture.store.form(), fixture.store.inline_limit()), (Form::Flat, 1234));
    let blob = fixture.stage(b"x").await.blob;
    let name = blob.simple().to_string();
    let staged = fixture.folder().join("staging").join(&name);
    assert_eq!(staged.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    fixture.store.promote(&[blob]).await.unwrap();
    assert!(!staged.exists());
    assert!(fixture.folder().join("blobs").join(&name[..2]).join(&name).exists());
    let refused = fixture.store.look(&names("a")).unwrap_err();
    assert!(matches!(refused, Error::Internal(_)));
}

#[tokio::test(flavor = "multi_thread")]
async fn promoting_a_blob_that_is_nowhere_fails() {
    let fixture = Fixture::new(Form::Flat).await;
    assert!(matches!(fixture.store.promote(&[Uuid::new_v4()]).await, Err(Error::Internal(_))));
}

#[tokio::test(flavor = "multi_thread")]
async fn remove_takes_blobs_from_both_places_and_forgives_missing_ones() {
    for form in FORMS {
        let fixture = Fixture::new(form).await;
        let (staged, promoted) = (fixture.stage(b"1").await.blob, fixture.stage(b"2").await.blob);
        fixture.store.promote(&[promoted]).await.unwrap();
        let blobs = [staged, Uuid::new_v4(), promoted];
        fixture.store.remove(&blobs).await.unwrap();
        fixture.store.remove(&blobs).await.unwrap();
        for blob in blobs {
            assert!(matches!(fixture.read(Source::Blob(blob), 0, 1).await, Err(Error::Internal(_))));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_keeps_its_file_when_the_blob_is_removed() {
    let fixture = Fixture::new(Form::Flat).await;
    let content = pattern(900_000);
    let blob = fixture.stage(&content).await.blob;
    let bits = fixture.store.read(Source::Blob(blob), 0, 900_000).await.unwrap();
    fixture.store.remove(&[blob]).await.unwrap();
    assert!(collect(bits).await.unwrap() == content);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_blob_that_is_too_short_is_an_error_not_a_short_body() {
    let fixture = Fixture::new(Form::Flat).await;
    let small = fixture.stage(&pattern(100)).await.blob;
    assert!(matches!(fixture.read(Source::Blob(small), 0, 101).await, Err(Error::Internal(_))));

    let large = fixture.stage(&pattern(600_000)).await.blob;
    let bits = fixture.store.read(Source::Blob(large), 0, 600_001).await.unwrap();
    assert!(matches!(bits, Bits::File(_)));
    let mut stream = bits.into_stream();
    let mut received = 0;
    loop {
        match stream.next().await {
            Some(Ok(piece)) => received += piece.len(),
            Some(Err(error)) => break assert!(matches!(error, Error::Internal(_))),
            None => panic!("the stream ended as if it were whole"),
        }
    }
    assert_eq!(received, 524_288);
    assert!(stream.next().await.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn pieces_that_are_held_on_to_are_not_overwritten_by_later_ones() {
    let fixture = Fixture::new(Form::Flat).await;
    let content = pattern(3_000_000);
    let blob = fixture.stage(&content).await.blob;
    let stream = fixture.store.read(Source::Blob(blob), 0, 3_000_000).await.unwrap().into_stream();
    let held: Vec<Bytes> = stream.map(|piece| piece.unwrap()).collect().await;
    assert!(held.concat() == content);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_duplicate_is_staged_and_independent() {
    for form in FORMS {
        let fixture = Fixture::new(form).await;
        for size in [0, 5, 2_000_000] {
            let content = pattern(size);
            let original = fixture.stage(&content).await.blob;
            let copy = fixture.store.duplicate(Source::Blob(original)).await.unwrap();
            assert_eq!(copy.size, size as u64);
            assert!(fixture.store.staged().await.unwrap().contains(&copy.blob));
            fixture.store.remove(&[original]).await.unwrap();
            assert!(fixture.read(Source::Blob(copy.blob), 0, size as u64).await.unwrap() == content);
        }
        let missing = fixture.store.duplicate(Source::Blob(Uuid::new_v4())).await;
        assert!(matches!(missing, Err(Error::Internal(_))));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn readers_find_a_blob_while_it_is_being_promoted() {
    let fixture = Fixture::new(Form::Flat).await;
    for _ in 0..200 {
        let blob = fixture.stage(b"content").await.blob;
        let store = fixture.store.clone();
        let promoting = tokio::spawn(async move { store.promote(&[blob]).await });
        for _ in 0..5 {
            assert_eq!(fixture.read(Source::Blob(blob), 0, 7).await.unwrap(), b"content");
        }
        promoting.await.unwrap().unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_writers_at_once_all_finish() {
    let fixture = Fixture::new(Form::Flat).await;
    let writers = (0..64_u8).map(|number| {
        let store = fixture.store.clone();
        tokio::spawn(async move {
            let mut staging = store.stage(None).await?;
            staging.write(Bytes::from(vec![number; 4096])).await?;
            staging.finish().await
        })
    });
    for (number, writer) in writers.collect::<Vec<_>>().into_iter().enumerate() {
        let blob = writer.await.unwrap().unwrap().blob;
        assert_eq!(fixture.read(Source::Blob(blob), 0, 4096).await.unwrap(), vec![number as u8; 4096]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_fit_is_refused_before_it_is_sent() {
    for form in FORMS {
        let fixture = Fixture::new(form).await;
        let refused = fixture.store.stage(Some(1 << 60)).await.err();
        assert!(matches!(refused, Some(Error::QuotaExceeded(name)) if name == "archive"));
    }
}
