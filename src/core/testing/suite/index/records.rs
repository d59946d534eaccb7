//! Records of the directory.

use std::sync::Arc;

use super::{NOW, PATIENCE};
use crate::error::{Error, Result};
use crate::ports::{Index, Record};

fn record(kind: &str, id: &str, name: &str) -> Record {
    Record {
        kind: kind.to_owned(),
        id: id.to_owned(),
        name: name.to_owned(),
        owner: String::new(),
        expires_ns: None,
        body: format!("{{\"id\":\"{id}\"}}"),
    }
}

async fn put(index: &Arc<dyn Index>, record: Record) -> Result<()> {
    txn!(index, |txn| txn.put_record(&record).await)
}

pub async fn records_come_back_by_id_and_by_name(index: Arc<dyn Index>) {
    let alice = Record {
        owner: "/sales/nörd".into(),
        expires_ns: Some(i64::MAX),
        body: r#"{"quote":"it's \"😀\" 100% _ \\"}"#.into(),
        ..record("user", "1", "alice é")
    };
    let written = alice.clone();
    txn!(index, |txn| {
        txn.put_record(&written).await?;
        assert_eq!(txn.record("user", "1").await?.as_ref(), Some(&written));
        assert_eq!(txn.record_by_name("user", "alice é").await?.as_ref(), Some(&written));
        assert_eq!(txn.record("role", "1").await?, None);
        assert_eq!(txn.records("user", None).await?, [written]);
        Ok(())
    })
    .unwrap();
    assert_eq!(index.record("user", "1").await.unwrap().as_ref(), Some(&alice));
    assert_eq!(index.record_by_name("user", "alice é").await.unwrap(), Some(alice));
    for (kind, id) in [("user", "2"), ("role", "1"), ("use", "1"), ("", "1"), ("user", "")] {
        assert_eq!(index.record(kind, id).await.unwrap(), None, "{kind} {id}");
    }
    // Logins are told apart by case here; whoever wants otherwise folds them before.
    for (kind, name) in [("user", "Alice é"), ("user", "alice"), ("role", "alice é"), ("user", "")] {
        assert_eq!(index.record_by_name(kind, name).await.unwrap(), None, "{kind} {name}");
    }
}

pub async fn a_name_is_unique_within_its_kind(index: Arc<dyn Index>) {
    put(&index, record("user", "1", "alice")).await.unwrap();
    let refused = put(&index, record("user", "2", "alice")).await;
    assert!(matches!(refused, Err(Error::AlreadyExists(_))), "{refused:?}");
    assert_eq!(index.record("user", "2").await.unwrap(), None);
    assert_eq!(index.record_by_name("user", "alice").await.unwrap().map(|user| user.id), Some("1".into()));

    put(&index, record("role", "2", "alice")).await.unwrap();
    put(&index, record("user", "2", "bob")).await.unwrap();
    let refused = put(&index, record("user", "2", "alice")).await;
    assert!(matches!(refused, Err(Error::AlreadyExists(_))), "{refused:?}");
    assert_eq!(index.record("user", "2").await.unwrap().map(|user| user.name), Some("bob".into()));

    // A name that was given up is free.
    put(&index, record("user", "1", "alice the first")).await.unwrap();
    put(&index, record("user", "2", "alice")).await.unwrap();
    assert_eq!(index.record_by_name("user", "bob").await.unwrap(), None);
}

pub async fn records_without_a_name_do_not_collide(index: Arc<dyn Index>) {
    for id in ["1", "2", "3"] {
        put(&index, record("grant", id, "")).await.unwrap();
    }
    assert_eq!(index.records("grant", None).await.unwrap().len(), 3);
    assert_eq!(index.record_by_name("grant", "").await.unwrap(), None);
}

pub async fn a_record_put_again_is_replaced(index: Arc<dyn Index>) {
    put(&index, record("user", "1", "alice")).await.unwrap();
    put(&index, record("role", "1", "alice")).await.unwrap();
    let new = Record {
        owner: "/".into(),
        expires_ns: Some(NOW),
        body: "{}".into(),
        ..record("user", "1", "alice")
    };
    put(&index, new.clone()).await.unwrap();
    assert_eq!(index.records("user", None).await.unwrap(), [new]);
    assert_eq!(index.record("role", "1").await.unwrap(), Some(record("role", "1", "alice")));
}

pub async fn records_are_listed_by_name_then_id(index: Arc<dyn Index>) {
    let rows = [
        ("9", "é", "/b"),
        ("5", "", "/b"),
        ("8", "bob", "/a"),
        ("10", "", "/a"),
        ("2", "a b", "/a"),
        ("3", "a-b", "/b"),
        ("4", "ab", "/a"),
        ("1", "Zoe", "/b"),
    ];
    for (id, name, owner) in rows {
        put(&index, Record { owner: owner.into(), ..record("user", id, name) }).await.unwrap();
    }
    put(&index, Record { owner: "/a".into(), ..record("group", "x", "a") }).await.unwrap();

    let ids = |records: Vec<Record>| records.into_iter().map(|record| record.id).collect::<Vec<_>>();
    let cases: [(Option<&'static str>, &[&str]); 4] = [
        (None, &["10", "5", "1", "2", "3", "4", "8", "9"]),
        (Some("/a"), &["10", "2", "4", "8"]),
        (Some("/b"), &["5", "1", "3", "9"]),
        (Some("/"), &[]),
    ];
    for (owner, expected) in cases {
        assert_eq!(ids(index.records("user", owner).await.unwrap()), expected, "{owner:?}");
        let inside = txn!(index, |txn| txn.records("user", owner).await).unwrap();
        assert_eq!(ids(inside), expected, "{owner:?} in a transaction");
    }
    assert_eq!(ids(index.records("nothing", None).await.unwrap()), [] as [&str; 0]);
}

pub async fn deleting_a_record_says_whether_there_was_one(index: Arc<dyn Index>) {
    put(&index, record("key", "1", "a")).await.unwrap();
    put(&index, record("token", "1", "a")).await.unwrap();
    let answers = txn!(index, |txn| Ok([
        txn.delete_record("key", "2").await?,
        txn.delete_record("key", "1").await?,
        txn.delete_record("key", "1").await?,
    ]))
    .unwrap();
    assert_eq!(answers, [false, true, false]);
    assert_eq!(index.record("key", "1").await.unwrap(), None);
    assert_eq!(index.record_by_name("key", "a").await.unwrap(), None);
    assert!(index.record("token", "1").await.unwrap().is_some());
}

pub async fn expired_records_of_a_kind_are_deleted(index: Arc<dyn Index>) {
    for (kind, id, expires_ns) in [
        ("session", "past", Some(NOW - 1)),
        ("session", "future", Some(NOW + 1)),
        ("session", "never", None),
        ("token", "past", Some(NOW - 1)),
    ] {
        put(&index, Record { expires_ns, ..record(kind, id, id) }).await.unwrap();
    }
    txn!(index, |txn| txn.delete_expired_records("session", NOW).await).unwrap();
    let (sessions, tokens) = txn!(index, |txn| Ok((
        txn.records("session", None).await?,
        // Kept until it is its turn, whether or not it is shown.
        txn.delete_record("token", "past").await?
    )))
    .unwrap();
    let ids: Vec<&str> = sessions.iter().map(|record| record.id.as_str()).collect();
    assert_eq!(ids, ["future", "never"]);
    assert!(tokens);
}

pub async fn the_directory_epoch_ticks_with_every_change_of_records(index: Arc<dyn Index>) {
    async fn ticks(epoch: &mut tokio::sync::watch::Receiver<u64>, what: &str) {
        let ticked = tokio::time::timeout(PATIENCE, epoch.changed()).await;
        assert!(ticked.is_ok_and(|sender| sender.is_ok()), "{what} does not tick");
    }
    let mut epoch = index.directory_epoch();
    epoch.mark_unchanged();
    put(&index, record("user", "1", "alice")).await.unwrap();
    ticks(&mut epoch, "an insertion").await;
    put(&index, record("user", "1", "bob")).await.unwrap();
    ticks(&mut epoch, "a replacement").await;
    txn!(index, |txn| txn.delete_record("user", "1").await).unwrap();
    ticks(&mut epoch, "a deletion").await;
    put(&index, Record { expires_ns: Some(NOW - 1), ..record("key", "1", "a") }).await.unwrap();
    ticks(&mut epoch, "an insertion").await;
    txn!(index, |txn| txn.delete_expired_records("key", NOW).await).unwrap();
    ticks(&mut epoch, "an expiry").await;
}

/// Sessions and tokens come and go with every sign-in; what ends one early is a record that ticks.
pub async fn the_directory_epoch_stands_still_while_people_work(index: Arc<dyn Index>) {
    let mut epoch = index.directory_epoch();
    epoch.mark_unchanged();
    for kind in ["token", "session"] {
        put(&index, record(kind, "1", "a")).await.unwrap();
        put(&index, record(kind, "1", "b")).await.unwrap();
        txn!(index, |txn| txn.delete_record(kind, "1").await).unwrap();
        put(&index, Record { expires_ns: Some(NOW - 1), ..record(kind, "2", "c") }).await.unwrap();
        txn!(index, |txn| txn.delete_expired_records(kind, NOW).await).unwrap();
        assert!(!epoch.has_changed().unwrap(), "a {kind} ticks");
    }
    put(&index, record("revoked", "1", "")).await.unwrap();
    assert!(epoch.has_changed().unwrap());
}

/// Whoever was answered must find every cache emptied: the tick comes with the answer, not later.
pub async fn the_directory_epoch_has_ticked_when_the_commit_is_answered(index: Arc<dyn Index>) {
    for number in 0..20 {
        let mut epoch = index.directory_epoch();
        epoch.mark_unchanged();
        put(&index, record("user", "1", &number.to_string())).await.unwrap();
        assert!(epoch.has_changed().unwrap(), "commit {number} was answered before its tick");
    }
}
