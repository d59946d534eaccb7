//! The change feed.

use std::collections::BTreeSet;
use std::sync::Arc;

use uuid::Uuid;

use super::{NOW, PATIENCE};
use crate::change::{Change, ChangeKind, NewChange};
use crate::error::Error;
use crate::node::NodeId;
use crate::ports::Index;
use crate::principal::Door;

fn change(name: &str) -> NewChange {
    NewChange {
        node: NodeId(7),
        uuid: Uuid::new_v4(),
        kind: ChangeKind::Create,
        collection: false,
        from: None,
        to: Some(format!("/ds/{name}")),
        size: 5,
        etag: "5d41402abc4b2a76b9719d911017c592".into(),
        principal: "alice".into(),
        door: Door::S3,
        at_ns: NOW,
    }
}

async fn append(index: &Arc<dyn Index>, change: NewChange) -> i64 {
    txn!(index, |txn| txn.append_change(&change).await).unwrap()
}

fn rises(changes: &[Change]) -> bool {
    changes.is_sorted_by(|a, b| a.seq < b.seq)
}

pub async fn changes_come_back_as_they_were_appended(index: Arc<dyn Index>) {
    assert_eq!(index.last_change().await.unwrap(), 0);
    assert_eq!(index.changes(0, 100).await.unwrap(), []);
    let kinds =
        [ChangeKind::Create, ChangeKind::Update, ChangeKind::Move, ChangeKind::Remove, ChangeKind::Meta];
    let mut expected = Vec::new();
    for (number, door) in Door::ALL.into_iter().enumerate() {
        let new = NewChange {
            node: NodeId(i64::MAX - number as i64),
            kind: kinds[number % kinds.len()],
            collection: number % 2 == 0,
            from: (number % 3 == 0).then(|| "/ds/it's 100%/é 😀".to_owned()),
            to: (number % 3 != 1).then(|| "/ds/_".to_owned()),
            size: i64::MAX as u64,
            principal: if number == 0 { String::new() } else { "nörd".into() },
            door,
            ..change("a")
        };
        let seq = append(&index, new.clone()).await;
        assert_eq!(index.last_change().await.unwrap(), seq);
        expected.push(Change { seq, change: new });
    }
    assert!(rises(&expected));
    assert!(expected.first().unwrap().seq > 0);
    assert_eq!(index.changes(0, 100).await.unwrap(), expected);
}

pub async fn changes_are_read_on_from_a_number(index: Arc<dyn Index>) {
    let seqs = txn!(index, |txn| {
        let mut seqs = Vec::new();
        for number in 0..10 {
            seqs.push(txn.append_change(&change(&number.to_string())).await?);
        }
        Ok(seqs)
    })
    .unwrap();
    let read = async |after, limit| -> Vec<i64> {
        index.changes(after, limit).await.unwrap().iter().map(|change| change.seq).collect()
    };
    assert_eq!(read(0, 100).await, seqs);
    assert_eq!(read(0, 3).await, seqs[..3]);
    assert_eq!(read(seqs[2], 3).await, seqs[3..6]);
    assert_eq!(read(seqs[2], 100).await, seqs[3..]);
    assert_eq!(read(seqs[9], 100).await, [0; 0]);
    assert_eq!(read(-1, 1).await, seqs[..1]);
    let paths: Vec<_> =
        index.changes(0, 100).await.unwrap().into_iter().filter_map(|change| change.change.to).collect();
    assert_eq!(paths, (0..10).map(|number| format!("/ds/{number}")).collect::<Vec<_>>());
}

/// A number may be lost with a mutation that fails, but it never comes again.
pub async fn a_failed_mutation_leaves_no_change(index: Arc<dyn Index>) {
    let first = append(&index, change("first")).await;
    let failed = txn!(index, |txn| {
        txn.append_change(&change("failed")).await?;
        Err::<(), _>(Error::Conflict("on purpose".into()))
    });
    assert!(matches!(failed, Err(Error::Conflict(_))), "{failed:?}");
    assert_eq!(index.last_change().await.unwrap(), first);
    let last = append(&index, change("last")).await;
    assert!(last > first);
    let seqs: Vec<i64> = index.changes(0, 100).await.unwrap().iter().map(|change| change.seq).collect();
    assert_eq!(seqs, [first, last]);
}

pub async fn the_signal_shows_the_newest_number(index: Arc<dyn Index>) {
    let mut signal = index.change_signal();
    for _ in 0..3 {
        let seq = append(&index, change("a")).await;
        let seen = tokio::time::timeout(PATIENCE, signal.wait_for(|signal| *signal >= seq)).await;
        assert_eq!(*seen.expect("the signal shows the change").unwrap(), seq);
    }
    // Whoever subscribes later begins with what is known.
    let last = index.last_change().await.unwrap();
    assert_eq!(*index.change_signal().borrow(), last);
}

/// A reader that follows the signal has everything up to the number it shows: what the signal
/// announces can be read.
pub async fn what_the_signal_announces_can_be_read(index: Arc<dyn Index>) {
    let mut signal = index.change_signal();
    let writer = tokio::spawn({
        let index = index.clone();
        async move {
            for number in 0..50 {
                append(&index, change(&number.to_string())).await;
            }
        }
    });
    let mut seen = 0;
    while seen < 50 {
        let changed = tokio::time::timeout(PATIENCE, signal.changed()).await;
        assert!(changed.is_ok_and(|sender| sender.is_ok()), "the signal went silent after {seen}");
        let announced = *signal.borrow_and_update();
        assert!(index.last_change().await.unwrap() >= announced);
        let changes = index.changes(0, 1_000).await.unwrap();
        assert!(changes.last().is_some_and(|change| change.seq >= announced));
        seen = changes.len();
    }
    writer.await.unwrap();
}

/// The trap of sequence numbers that are handed out before the commit: a reader that has seen 7
/// never looks for a 6 that becomes visible later.
pub async fn a_tailing_reader_sees_each_change_once_and_misses_none(index: Arc<dyn Index>) {
    const TASKS: usize = 64;
    const COMMITS: usize = 8;
    let writers: Vec<_> = (0..TASKS)
        .map(|task| {
            let index = index.clone();
            tokio::spawn(async move {
                for commit in 0..COMMITS {
                    let name = format!("{task}-{commit}");
                    let fails = commit % 4 == 3;
                    let committed = txn!(index, |txn| {
                        let first = txn.append_change(&change(&format!("{name}-a"))).await?;
                        let second = txn.append_change(&change(&format!("{name}-b"))).await?;
                        assert!(second > first);
                        if fails { Err(Error::Conflict("on purpose".into())) } else { Ok(second) }
                    });
                    match committed {
                        Ok(seq) => assert!(index.last_change().await.unwrap() >= seq),
                        Err(error) => assert!(fails, "{error:?}"),
                    }
                }
            })
        })
        .collect();

    let expected: BTreeSet<String> = (0..TASKS)
        .flat_map(|task| (0..COMMITS).map(move |commit| (task, commit)))
        .filter(|(_, commit)| commit % 4 != 3)
        .flat_map(|(task, commit)| ["a", "b"].map(|half| format!("/ds/{task}-{commit}-{half}")))
        .collect();

    let tail = async {
        let (mut met, mut after) = (Vec::new(), 0);
        while met.len() < expected.len() {
            let page = index.changes(after, 17).await.unwrap();
            assert!(rises(&page));
            if let (Some(first), Some(last)) = (page.first(), page.last()) {
                assert!(first.seq > after);
                after = last.seq;
            } else {
                tokio::task::yield_now().await;
            }
            met.extend(page.into_iter().filter_map(|change| change.change.to));
        }
        (met, after)
    };
    let (met, after) = tokio::time::timeout(PATIENCE, tail).await.expect("the reader misses changes");
    for writer in writers {
        writer.await.unwrap();
    }
    assert_eq!(index.changes(after, 100).await.unwrap(), []);
    assert_eq!(met.len(), expected.len());
    assert_eq!(met.into_iter().collect::<BTreeSet<_>>(), expected);
}
