//! `structured`: files at their paths.

use std::sync::Arc;

use uuid::Uuid;

use super::{LARGE_BYTES, content, names, pattern, publish, read, stage};
use crate::error::Error;
use crate::node::NodeKind;
use crate::ports::{Datasource, Form, Found, Source, Stamp};
use crate::testing::whole;

/// 2001-09-09T01:46:40.123456789Z.
const THEN: i64 = 1_000_000_000_123_456_789;

pub async fn a_published_file_stands_at_its_path(datasource: Arc<dyn Datasource>) {
    assert_eq!(datasource.form(), Form::Structured);
    assert_eq!(datasource.inline_limit(), 0, "what is inline has no path");
    for (path, len) in [("empty", 0), ("small", 5), ("large", LARGE_BYTES)] {
        let bytes = pattern(len);
        let staged = stage(&datasource, &bytes).await;
        let stamp = datasource.publish(staged.blob, &names(path), None).unwrap();
        assert_eq!(stamp.size, len as u64);
        let found = Found { name: path.into(), kind: NodeKind::Leaf, stamp };
        assert_eq!(datasource.look(&names(path)).unwrap(), Some(found));
        assert!(content(&datasource, path, stamp).await.unwrap() == bytes);
        // It has moved, not been copied.
        assert!(datasource.staged().await.unwrap().is_empty());
        read(&datasource, Source::Blob(staged.blob), 0, 1).await.unwrap_err();
    }
    let path = names("large");
    let stamp = datasource.look(&path).unwrap().unwrap().stamp;
    let part = read(&datasource, Source::Path { names: &path, stamp }, 4_095, 1_048_577).await.unwrap();
    assert!(part == pattern(LARGE_BYTES).slice(4_095..1_048_577));
    read(&datasource, Source::Path { names: &path, stamp }, 0, stamp.size + 1).await.unwrap_err();
}

pub async fn a_modification_time_is_kept(datasource: Arc<dyn Datasource>) {
    let staged = stage(&datasource, b"hello").await;
    let stamp = datasource.publish(staged.blob, &names("a"), Some(THEN)).unwrap();
    assert_eq!(stamp, Stamp { size: 5, mtime_ns: THEN });
    assert_eq!(datasource.look(&names("a")).unwrap().unwrap().stamp, stamp);

    let later = datasource.set_mtime(&names("a"), THEN + 1_000_000_000).unwrap();
    assert_eq!(later, Stamp { size: 5, mtime_ns: THEN + 1_000_000_000 });
    assert_eq!(datasource.look(&names("a")).unwrap().unwrap().stamp, later);
    assert_eq!(content(&datasource, "a", later).await.unwrap(), "hello");

    datasource.set_mtime(&names("missing"), THEN).unwrap_err();
    assert_eq!(datasource.look(&names("missing")).unwrap(), None);
}

/// The index' belief is out of date: whoever reads must repair it before anyone gets wrong bytes.
pub async fn a_stamp_that_differs_is_unavailable(datasource: Arc<dyn Datasource>) {
    let unavailable = async |path: &str, stamp: Stamp, what: &str| {
        let read = content(&datasource, path, stamp).await;
        assert!(matches!(read, Err(Error::Unavailable(_))), "{what}: {read:?}");
        let path = names(path);
        let copy = datasource.duplicate(Source::Path { names: &path, stamp }).await;
        assert!(matches!(copy, Err(Error::Unavailable(_))), "{what}, duplicated: {copy:?}");
    };
    let stamp = publish(&datasource, "a", b"hello").await;
    unavailable("a", Stamp { mtime_ns: stamp.mtime_ns + 1, ..stamp }, "another time").await;
    unavailable("a", Stamp { size: 4, ..stamp }, "a shorter one").await;
    unavailable("a", Stamp { size: 6, ..stamp }, "a longer one").await;
    unavailable("missing", stamp, "no file").await;
    datasource.create_dir(&names("folder")).unwrap();
    unavailable("folder", stamp, "a folder").await;
    unavailable("a/below", stamp, "something below a file").await;

    let touched = datasource.set_mtime(&names("a"), THEN).unwrap();
    unavailable("a", stamp, "after a new time").await;
    assert_eq!(content(&datasource, "a", touched).await.unwrap(), "hello");
    datasource.detach(&names("a")).unwrap();
    unavailable("a", touched, "after its removal").await;
    assert!(datasource.staged().await.unwrap().is_empty(), "a failed copy leaves nothing");
}

pub async fn publishing_replaces_a_file(datasource: Arc<dyn Datasource>) {
    let old = publish(&datasource, "a", b"old content").await;
    let new = publish(&datasource, "a", b"new").await;
    assert_eq!(content(&datasource, "a", new).await.unwrap(), "new");
    let stale = content(&datasource, "a", old).await;
    assert!(matches!(stale, Err(Error::Unavailable(_))), "{stale:?}");
    assert_eq!(datasource.scan(&[]).await.unwrap().len(), 1);
    assert!(datasource.staged().await.unwrap().is_empty());
}

/// Readers see the old or the new file, never a mixture.
pub async fn a_read_that_has_begun_survives_a_replacement(datasource: Arc<dyn Datasource>) {
    let old = pattern(LARGE_BYTES);
    let stamp = publish(&datasource, "a", &old).await;
    let path = names("a");
    let begun = datasource.read(Source::Path { names: &path, stamp }, 0, stamp.size).await.unwrap();
    let new = publish(&datasource, "a", &vec![0; LARGE_BYTES]).await;
    assert!(whole(begun).await.unwrap() == old);

    let begun = datasource.read(Source::Path { names: &path, stamp: new }, 0, new.size).await.unwrap();
    datasource.detach(&path).unwrap();
    datasource.empty_bin().await.unwrap();
    assert!(whole(begun).await.unwrap() == vec![0; LARGE_BYTES]);
}

pub async fn a_publication_that_fails_changes_nothing(datasource: Arc<dyn Datasource>) {
    datasource.create_dir(&names("folder")).unwrap();
    let inner = publish(&datasource, "folder/inner", b"inner").await;
    let file = publish(&datasource, "file", b"file").await;
    let staged = stage(&datasource, b"hello").await;
    for path in ["folder", "missing/a", "file/a", ""] {
        let published = datasource.publish(staged.blob, &names(path), None);
        assert!(published.is_err(), "`{path}`: {published:?}");
    }
    datasource.publish(Uuid::new_v4(), &names("file"), None).unwrap_err();

    assert_eq!(datasource.staged().await.unwrap(), [staged.blob]);
    assert_eq!(content(&datasource, "folder/inner", inner).await.unwrap(), "inner");
    assert_eq!(content(&datasource, "file", file).await.unwrap(), "file");
    assert_eq!(datasource.scan(&[]).await.unwrap().len(), 2);
    // Nothing was lost: it can still go where there is room.
    let stamp = datasource.publish(staged.blob, &names("folder/a"), None).unwrap();
    assert_eq!(content(&datasource, "folder/a", stamp).await.unwrap(), "hello");
}

pub async fn a_file_is_duplicated_into_staging(datasource: Arc<dyn Datasource>) {
    for len in [0, 5, LARGE_BYTES] {
        let bytes = pattern(len);
        let stamp = publish(&datasource, "a", &bytes).await;
        let path = names("a");
        let copy = datasource.duplicate(Source::Path { names: &path, stamp }).await.unwrap();
        assert_eq!(copy.size, len as u64);
        assert_eq!(datasource.staged().await.unwrap(), [copy.blob]);
        let copied = datasource.publish(copy.blob, &names("copy"), None).unwrap();
        // Two files from here on.
        publish(&datasource, "a", b"changed").await;
        assert!(content(&datasource, "copy", copied).await.unwrap() == bytes, "{len} bytes");
    }
}

/// Values of RFC 1321, appendix A.5.
pub async fn digests_are_of_the_whole_file(datasource: Arc<dyn Datasource>) {
    for (text, md5) in [
        ("", "d41d8cd98f00b204e9800998ecf8427e"),
        ("abc", "900150983cd24fb0d6963f7d28e17f72"),
        ("message digest", "f96b697d7cb7938d525a2f31aaf161d0"),
    ] {
        publish(&datasource, "a", text.as_bytes()).await;
        assert_eq!(datasource.digest(&names("a")).await.unwrap(), md5);
    }
    datasource.digest(&names("missing")).await.unwrap_err();
    datasource.create_dir(&names("folder")).unwrap();
    datasource.digest(&names("folder")).await.unwrap_err();
}
