//! The `structured` form: a folder that others write into as well.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::time::{Duration, SystemTime};

use cellgate_core::ports::{Found, Stamp};
use cellgate_core::{Error, NodeKind};
use rustix::fs::{CWD, FileType, Mode, mknodat};

use super::*;

/// 2001-09-09T01:46:40.123456789Z.
const THEN_NS: i64 = 1_000_000_000_123_456_789;

async fn fixture() -> Fixture {
    Fixture::new(Form::Structured).await
}

impl Fixture {
    async fn put(&self, path: &str, content: &[u8]) -> Result<Stamp> {
        let blob = self.stage(content).await.blob;
        self.store.publish(blob, &names(path), None)
    }

    fn look(&self, path: &str) -> Option<Found> {
        self.store.look(&names(path)).unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn published_files_stand_at_their_path_and_nothing_of_ours_beside_them() {
    let fixture = fixture().await;
    assert_eq!(fixture.store.inline_limit(), 0);
    fixture.store.create_dir(&names("docs")).unwrap();
    let stamp = fixture.put("docs/a b.txt", b"one").await.unwrap();
    assert_eq!(stamp.size, 3);
    let path = names("docs/a b.txt");
    assert_eq!(fixture.read(Source::Path { names: &path, stamp }, 0, 3).await.unwrap(), b"one");
    assert_eq!(fixture.read(Source::Path { names: &path, stamp }, 1, 2).await.unwrap(), b"n");

    let stamp = fixture.put("docs/a b.txt", b"second").await.unwrap();
    assert_eq!(std::fs::read(fixture.folder().join("docs/a b.txt")).unwrap(), b"second");
    assert_eq!(fixture.look("docs/a b.txt").unwrap().stamp, stamp);
    assert_eq!(entries(&fixture.folder()), ["docs"]);
    assert_eq!(entries(&fixture.folder().join("docs")), ["a b.txt"]);
    assert!(fixture.store.staged().await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_modification_time_is_set_with_the_content_or_later() {
    let fixture = fixture().await;
    let blob = fixture.stage(b"x").await.blob;
    let stamp = fixture.store.publish(blob, &names("f"), Some(THEN_NS)).unwrap();
    assert_eq!(stamp, Stamp { size: 1, mtime_ns: THEN_NS });
    assert_eq!(fixture.look("f").unwrap().stamp, stamp);
    for mtime_ns in [-1_500_000_000, 0, THEN_NS + 1] {
        let stamp = fixture.store.set_mtime(&names("f"), mtime_ns).unwrap();
        assert_eq!(stamp, Stamp { size: 1, mtime_ns });
        assert_eq!(fixture.look("f").unwrap().stamp, stamp);
    }
    assert!(matches!(fixture.store.set_mtime(&names("g"), 0), Err(Error::NotFound(_))));
    fixture.store.create_dir(&names("d")).unwrap();
    assert!(matches!(fixture.store.set_mtime(&names("d"), 0), Err(Error::IsACollection(_))));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replaced_file_keeps_its_mode() {
    let fixture = fixture().await;
    let file = fixture.folder().join("script");
    std::fs::write(&file, "old").unwrap();
    std::fs::set_permissions(&file, PermissionsExt::from_mode(0o750)).unwrap();
    fixture.put("script", b"new").await.unwrap();
    assert_eq!(std::fs::read(&file).unwrap(), b"new");
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o750);
}

#[tokio::test(flavor = "multi_thread")]
async fn publish_refuses_what_it_must_not_replace_and_keeps_the_staged_file() {
    let fixture = fixture().await;
    std::fs::create_dir_all(fixture.folder().join("folder")).unwrap();
    std::fs::write(fixture.folder().join("file"), "file").unwrap();
    let blob = fixture.stage(b"new").await.blob;
    let publish = |path: &str| fixture.store.publish(blob, &names(path), Some(THEN_NS));
    assert!(matches!(publish("folder"), Err(Error::IsACollection(name)) if name == "folder"));
    assert!(matches!(publish("none/x"), Err(Error::ParentMissing(name)) if name == "x"));
    assert!(matches!(publish("file/x"), Err(Error::NotACollection(name)) if name == "file"));
    assert!(matches!(publish(""), Err(Error::Conflict(_))));
    assert_eq!(fixture.store.staged().await.unwrap(), [blob]);
    assert_eq!(entries(&fixture.folder()), ["file", "folder"]);
    assert_eq!(std::fs::read(fixture.folder().join("file")).unwrap(), b"file");
}

#[tokio::test(flavor = "multi_thread")]
async fn create_dir_refuses_what_exists() {
    let fixture = fixture().await;
    fixture.store.create_dir(&names("d")).unwrap();
    fixture.put("f", b"x").await.unwrap();
    for taken in ["d", "f"] {
        let refused = fixture.store.create_dir(&names(taken));
        assert!(matches!(refused, Err(Error::AlreadyExists(name)) if name == taken));
    }
    assert!(matches!(fixture.store.create_dir(&names("x/y")), Err(Error::ParentMissing(_))));
    assert!(matches!(fixture.store.create_dir(&names("f/y")), Err(Error::NotACollection(_))));
    assert_eq!(entries(&fixture.folder()), ["d", "f"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn rename_moves_files_and_folders_and_never_replaces() {
    let fixture = fixture().await;
    for dir in ["a", "a/b", "c"] {
        fixture.store.create_dir(&names(dir)).unwrap();
    }
    let stamp = fixture.put("a/b/f", b"content").await.unwrap();
    let rename = |from: &str, to: &str| fixture.store.rename(&names(from), &names(to));
    rename("a/b", "c/d").unwrap();
    rename("c/d/f", "c/d/g").unwrap();
    assert_eq!(fixture.look("c/d/g").unwrap().stamp, stamp);
    assert_eq!(fixture.look("a/b"), None);

    fixture.put("other", b"other").await.unwrap();
    assert!(matches!(rename("other", "c/d/g"), Err(Error::AlreadyExists(name)) if name == "g"));
    assert!(matches!(rename("a", "c"), Err(Error::AlreadyExists(_))));
    assert!(matches!(rename("missing", "x"), Err(Error::NotFound(name)) if name == "missing"));
    assert!(matches!(rename("missing/too", "x"), Err(Error::NotFound(_))));
    assert!(matches!(rename("other", "no/x"), Err(Error::ParentMissing(name)) if name == "x"));
    assert!(matches!(rename("c", "c/d/e"), Err(Error::Conflict(_))));
    assert!(matches!(rename("", "x"), Err(Error::Conflict(_))));
    assert_eq!(std::fs::read(fixture.folder().join("c/d/g")).unwrap(), b"content");
    assert_eq!(std::fs::read(fixture.folder().join("other")).unwrap(), b"other");
}

#[tokio::test(flavor = "multi_thread")]
async fn detached_things_leave_the_folder_at_once_and_the_disk_with_the_bin() {
    let fixture = fixture().await;
    let outside = fixture.temp.path().join("outside");
    std::fs::create_dir(&outside).unwrap();
    std::fs::write(outside.join("precious"), "x").unwrap();
    std::fs::create_dir_all(fixture.folder().join("tree/deep")).unwrap();
    std::fs::write(fixture.folder().join("tree/deep/f"), "x").unwrap();
    symlink(&outside, fixture.folder().join("tree/link")).unwrap();
    symlink(outside.join("precious"), fixture.folder().join("tree/deep/link")).unwrap();
    fixture.put("file", b"x").await.unwrap();

    fixture.store.detach(&names("tree")).unwrap();
    fixture.store.detach(&names("file")).unwrap();
    assert_eq!(entries(&fixture.folder()), [""; 0]);
    assert!(matches!(fixture.store.detach(&names("tree")), Err(Error::NotFound(_))));
    let bin = fixture.data().join("staging/archive/bin");
    assert_eq!(entries(&bin).len(), 2);
    fixture.store.empty_bin().await.unwrap();
    assert_eq!(entries(&bin), [""; 0]);
    assert_eq!(std::fs::read(outside.join("precious")).unwrap(), b"x");
}

#[tokio::test(flavor = "multi_thread")]
async fn outside_changes_are_noticed_before_a_byte_is_read() {
    let fixture = fixture().await;
    let stamp = fixture.put("f", b"content").await.unwrap();
    let (path, file) = (names("f"), fixture.folder().join("f"));
    let changed = async |stamp: Stamp| {
        let read = fixture.read(Source::Path { names: &path, stamp }, 0, 7).await;
        assert!(matches!(read, Err(Error::Unavailable(text)) if text == "`f` changed on disk"));
        let copy = fixture.store.duplicate(Source::Path { names: &path, stamp }).await;
        assert!(matches!(copy, Err(Error::Unavailable(_))));
    };
    changed(Stamp { mtime_ns: stamp.mtime_ns + 1, ..stamp }).await;
    changed(Stamp { size: 8, ..stamp }).await;
    let handle = std::fs::File::options().append(true).open(&file).unwrap();
    handle.set_modified(SystemTime::now() + Duration::from_secs(5)).unwrap();
    changed(stamp).await;
    std::fs::remove_file(&file).unwrap();
    changed(stamp).await;
    std::fs::create_dir(&file).unwrap();
    changed(stamp).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_rewritten_in_place_while_it_streams_breaks_the_stream() {
    let fixture = fixture().await;
    let stamp = fixture.put("f", &pattern(600_000)).await.unwrap();
    let path = names("f");
    let source = Source::Path { names: &path, stamp };
    let bits = fixture.store.read(source, 0, 600_000).await.unwrap();
    let handle = std::fs::File::options().write(true).open(fixture.folder().join("f")).unwrap();
    handle.set_modified(SystemTime::UNIX_EPOCH).unwrap();
    assert!(matches!(collect(bits).await, Err(Error::Unavailable(_))));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replacement_does_not_disturb_a_reader() {
    let fixture = fixture().await;
    let content = pattern(600_000);
    let stamp = fixture.put("f", &content).await.unwrap();
    let path = names("f");
    let bits = fixture.store.read(Source::Path { names: &path, stamp }, 0, 600_000).await.unwrap();
    fixture.put("f", b"new").await.unwrap();
    assert!(collect(bits).await.unwrap() == content);
}

#[tokio::test(flavor = "multi_thread")]
async fn scan_lists_what_the_tree_can_show_by_name() {
    let fixture = fixture().await;
    let folder = fixture.folder();
    for name in ["b", "a.txt", "é", " ", "[x]", ".hidden"] {
        std::fs::write(folder.join(name), name).unwrap();
    }
    std::fs::create_dir(folder.join("a")).unwrap();
    // What it cannot show.
    std::fs::write(folder.join("e\u{301}"), "decomposed").unwrap();
    std::fs::write(folder.join("tab\there"), "control").unwrap();
    std::fs::write(folder.join(OsStr::from_bytes(b"latin-\xe9")), "not UTF-8").unwrap();
    symlink("b", folder.join("link")).unwrap();
    mknodat(CWD, folder.join("fifo"), FileType::Fifo, Mode::RWXU, 0).unwrap();
    std::os::unix::net::UnixListener::bind(folder.join("socket")).unwrap();
    std::fs::create_dir(folder.join(".sub.cellgate-staging")).unwrap();

    let found = fixture.store.scan(&[]).await.unwrap();
    let listed: Vec<&str> = found.iter().map(|found| found.name.as_str()).collect();
    assert_eq!(listed, [" ", ".hidden", "[x]", "a", "a.txt", "b", "é"]);
    for found in &found {
        let is_folder = found.name == "a";
        assert_eq!(found.kind == NodeKind::Collection, is_folder);
        assert_eq!(found.stamp.size, if is_folder { 0 } else { found.name.len() as u64 });
        assert_eq!(fixture.look(&found.name).as_ref(), Some(found));
    }
    for unseen in ["link", "fifo", "socket"] {
        assert_eq!(fixture.look(unseen), None, "{unseen}");
        let blob = fixture.stage(b"new").await.blob;
        let refused = fixture.store.publish(blob, &names(unseen), None);
        assert!(matches!(refused, Err(Error::Conflict(_))), "{unseen}");
        assert!(matches!(fixture.store.detach(&names(unseen)), Err(Error::NotFound(_))), "{unseen}");
        let stamp = Stamp { size: 1, mtime_ns: 0 };
        let read = fixture.read(Source::Path { names: &names(unseen), stamp }, 0, 1).await;
        assert!(matches!(read, Err(Error::Unavailable(_))), "{unseen}");
    }
    assert!(matches!(fixture.store.look(&names(".sub.cellgate-staging/x")), Err(Error::InvalidName(_))));
    assert!(matches!(fixture.store.scan(&names("missing")).await, Err(Error::NotFound(_))));
    assert!(matches!(fixture.store.scan(&names("b")).await, Err(Error::NotACollection(_))));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_hidden_id_of_a_folder_is_read_and_never_shown() {
    const ID: &str = "6f1c2b54-0a3e-4d27-9c1b-8f0d5a7e4b21";
    let fixture = fixture().await;
    for (name, content) in
        [("plain", ID), ("line", &format!("{ID}\n")), ("none", "no uuid"), ("long", &format!("{ID}{ID}"))]
    {
        let folder = fixture.folder().join(name);
        std::fs::create_dir(&folder).unwrap();
        std::fs::write(folder.join(".pydio"), content).unwrap();
        let id = fixture.store.folder_id(&names(name)).unwrap().map(|id| id.to_string());
        assert_eq!(id.as_deref(), matches!(name, "plain" | "line").then_some(ID), "{name}");
        assert!(fixture.store.scan(&names(name)).await.unwrap().is_empty());
        assert_eq!(fixture.look(&format!("{name}/.pydio")), None);
    }
    std::fs::create_dir(fixture.folder().join("bare")).unwrap();
    assert_eq!(fixture.store.folder_id(&names("bare")).unwrap(), None);
    // Nothing outside of the folder is read, and nothing that is no file.
    let outside = fixture.temp.path().join("outside");
    std::fs::write(&outside, ID).unwrap();
    symlink(outside, fixture.folder().join("bare/.pydio")).unwrap();
    assert_eq!(fixture.store.folder_id(&names("bare")).unwrap(), None);
    std::fs::create_dir_all(fixture.folder().join("folder/.pydio")).unwrap();
    assert_eq!(fixture.store.folder_id(&names("folder")).unwrap(), None);
    fixture.store.detach(&names("plain")).unwrap();
    assert!(!fixture.folder().join("plain").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn links_planted_in_the_folder_lead_nowhere() {
    let fixture = fixture().await;
    let outside = fixture.temp.path().join("outside");
    std::fs::create_dir(&outside).unwrap();
    std::fs::write(outside.join("secret"), "secret").unwrap();
    symlink(&outside, fixture.folder().join("door")).unwrap();
    symlink("../../outside", fixture.folder().join("way")).unwrap();
    symlink(outside.join("secret"), fixture.folder().join("leak")).unwrap();
    fixture.put("mine", b"mine").await.unwrap();
    let store = &fixture.store;
    let meta = outside.join("secret").metadata().unwrap();
    let mtime = meta.modified().unwrap().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    let stamp = Stamp { size: 6, mtime_ns: mtime.as_nanos() as i64 };

    for path in ["door/secret", "way/secret", "leak"] {
        let path = names(path);
        assert_eq!(store.look(&path).unwrap(), None);
        let source = || Source::Path { names: &path, stamp };
        assert!(matches!(fixture.read(source(), 0, 6).await, Err(Error::Unavailable(_))));
        assert!(matches!(store.duplicate(source()).await, Err(Error::Unavailable(_))));
        assert!(matches!(store.digest(&path).await, Err(Error::NotFound(_))));
        assert!(matches!(store.detach(&path), Err(Error::NotFound(_))));
        assert!(matches!(store.set_mtime(&path, 0), Err(Error::NotFound(_))));
        assert!(matches!(store.rename(&path, &names("got")), Err(Error::NotFound(_))));
        let blob = fixture.stage(b"evil").await.blob;
        assert!(matches!(store.publish(blob, &path, None), Err(Error::Conflict(_))));
    }
    for path in ["door", "way"] {
        assert!(matches!(store.scan(&names(path)).await, Err(Error::NotFound(_))));
        let inside = names(&format!("{path}/new"));
        assert!(matches!(store.create_dir(&inside), Err(Error::Conflict(_))));
        assert!(matches!(store.rename(&names("mine"), &inside), Err(Error::Conflict(_))));
        let blob = fixture.stage(b"evil").await.blob;
        assert!(matches!(store.publish(blob, &inside, None), Err(Error::Conflict(_))));
    }
    assert_eq!(entries(&outside), ["secret"]);
    assert_eq!(std::fs::read(outside.join("secret")).unwrap(), b"secret");
    assert_eq!(entries(&fixture.folder()), ["door", "leak", "mine", "way"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn names_that_are_none_never_reach_the_disk() {
    let fixture = fixture().await;
    for name in ["..", ".", "", "a/b", "a\0b"] {
        let bad = [name.to_owned()];
        assert!(matches!(fixture.store.look(&bad), Err(Error::InvalidName(_))), "{name:?}");
        assert!(matches!(fixture.store.create_dir(&bad), Err(Error::InvalidName(_))), "{name:?}");
        assert!(matches!(fixture.store.scan(&bad).await, Err(Error::InvalidName(_))), "{name:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn digest_reads_the_whole_file() {
    let fixture = fixture().await;
    // RFC 1321, appendix A.5.
    for (text, md5) in
        [("", "d41d8cd98f00b204e9800998ecf8427e"), ("message digest", "f96b697d7cb7938d525a2f31aaf161d0")]
    {
        std::fs::write(fixture.folder().join("f"), text).unwrap();
        assert_eq!(fixture.store.digest(&names("f")).await.unwrap(), md5);
    }
    // More than one turn: ten million times `a`; by `md5sum`.
    std::fs::write(fixture.folder().join("f"), vec![b'a'; 10_000_000]).unwrap();
    assert_eq!(fixture.store.digest(&names("f")).await.unwrap(), "7095bae098259e0dda4b7acc624de4e2");
    assert!(matches!(fixture.store.digest(&names("g")).await, Err(Error::NotFound(_))));
    assert!(matches!(fixture.store.digest(&[]).await, Err(Error::IsACollection(_))));
}

/// On XFS and Btrfs, say; elsewhere the bytes are copied.
#[tokio::test(flavor = "multi_thread")]
async fn a_duplicate_takes_no_room_where_the_file_system_shares_blocks() {
    const SIZE: usize = 64 * 1024 * 1024;
    let fixture = fixture().await;
    let (one, two) = (tempfile::tempfile_in(fixture.data()), tempfile::tempfile_in(fixture.data()));
    let shares = rustix::fs::ioctl_ficlone(two.unwrap(), one.unwrap()).is_ok();
    let content = pattern(SIZE);
    let stamp = fixture.put("f", &content).await.unwrap();
    let free = || {
        let stat = rustix::fs::statvfs(fixture.folder()).unwrap();
        stat.f_bfree * stat.f_frsize
    };
    let before = free();
    let copy = fixture.store.duplicate(Source::Path { names: &names("f"), stamp }).await.unwrap();
    let taken = before.saturating_sub(free());
    assert!(!shares || taken < SIZE as u64 / 2, "{taken} bytes");
    fixture.store.publish(copy.blob, &names("g"), None).unwrap();
    fixture.put("f", b"changed").await.unwrap();
    assert!(std::fs::read(fixture.folder().join("g")).unwrap() == content);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_published_file_is_duplicated_by_its_path() {
    let fixture = fixture().await;
    let stamp = fixture.put("f", b"content").await.unwrap();
    let copy = fixture.store.duplicate(Source::Path { names: &names("f"), stamp }).await.unwrap();
    fixture.store.publish(copy.blob, &names("g"), None).unwrap();
    fixture.put("f", b"changed").await.unwrap();
    assert_eq!(std::fs::read(fixture.folder().join("g")).unwrap(), b"content");
}
