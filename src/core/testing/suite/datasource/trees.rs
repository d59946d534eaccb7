//! `structured`: folders, and what moves between them.

use std::sync::Arc;

use super::{content, names, publish};
use crate::node::NodeKind;
use crate::ports::{Datasource, Found};

/// Names and kinds below a folder, sorted: a disk has an order of its own.
async fn listed(datasource: &Arc<dyn Datasource>, path: &str) -> Vec<String> {
    let mut found: Vec<String> = datasource
        .scan(&names(path))
        .await
        .unwrap()
        .into_iter()
        .map(|found| crate::node::sort_key(&found.name, found.kind))
        .collect();
    found.sort();
    found
}

pub async fn a_new_folder_stands_at_its_path(datasource: Arc<dyn Datasource>) {
    let stamp = datasource.create_dir(&names("a")).unwrap();
    let found = datasource.look(&names("a")).unwrap().unwrap();
    assert_eq!((found.name.as_str(), found.kind), ("a", NodeKind::Collection));
    assert_eq!(found.stamp.mtime_ns, stamp.mtime_ns);
    datasource.create_dir(&names("a/b")).unwrap();
    assert_eq!(listed(&datasource, "").await, ["a/"]);
    assert_eq!(listed(&datasource, "a").await, ["b/"]);
    assert_eq!(listed(&datasource, "a/b").await, [""; 0]);

    let stamp = publish(&datasource, "file", b"hello").await;
    for path in ["missing/a", "file", "file/a"] {
        let created = datasource.create_dir(&names(path));
        assert!(created.is_err(), "`{path}`: {created:?}");
    }
    assert_eq!(content(&datasource, "file", stamp).await.unwrap(), "hello");
    assert_eq!(listed(&datasource, "").await, ["a/", "file"]);
}

pub async fn nothing_stands_where_nothing_was_put(datasource: Arc<dyn Datasource>) {
    publish(&datasource, "file", b"hello").await;
    for path in ["missing", "missing/below", "file/below", "FILE"] {
        assert_eq!(datasource.look(&names(path)).unwrap(), None, "{path}");
    }
    datasource.scan(&names("missing")).await.unwrap_err();
    datasource.scan(&names("file")).await.unwrap_err();
}

pub async fn a_scan_finds_direct_children_as_look_does(datasource: Arc<dyn Datasource>) {
    // What is staged is ours, not the user's.
    super::stage(&datasource, b"staged").await;
    assert_eq!(datasource.scan(&[]).await.unwrap(), []);
    datasource.create_dir(&names("a")).unwrap();
    datasource.create_dir(&names("a/deeper")).unwrap();
    publish(&datasource, "a/deeper/hidden", b"1").await;
    publish(&datasource, "a/file", b"hello").await;
    publish(&datasource, "top", b"22").await;

    assert_eq!(listed(&datasource, "").await, ["a/", "top"]);
    for found in datasource.scan(&names("a")).await.unwrap() {
        let seen = datasource.look(&names(&format!("a/{}", found.name))).unwrap();
        assert_eq!(seen, Some(found));
    }
    assert_eq!(listed(&datasource, "a").await, ["deeper/", "file"]);
    // Neither what was taken out is found.
    datasource.detach(&names("a/deeper")).unwrap();
    assert_eq!(listed(&datasource, "").await, ["a/", "top"]);
    assert_eq!(listed(&datasource, "a").await, ["file"]);
}

pub async fn a_rename_moves_files_and_whole_folders(datasource: Arc<dyn Datasource>) {
    datasource.create_dir(&names("from")).unwrap();
    datasource.create_dir(&names("from/inner")).unwrap();
    datasource.create_dir(&names("to")).unwrap();
    let stamp = publish(&datasource, "from/inner/file", b"hello").await;

    // A rename keeps the time, so the index' stamp goes on holding.
    datasource.rename(&names("from/inner/file"), &names("from/inner/renamed")).unwrap();
    assert_eq!(content(&datasource, "from/inner/renamed", stamp).await.unwrap(), "hello");
    assert_eq!(datasource.look(&names("from/inner/file")).unwrap(), None);

    datasource.rename(&names("from/inner"), &names("to/moved")).unwrap();
    assert_eq!(content(&datasource, "to/moved/renamed", stamp).await.unwrap(), "hello");
    assert_eq!(datasource.look(&names("from/inner")).unwrap(), None);
    assert_eq!(listed(&datasource, "from").await, [""; 0]);
}

pub async fn a_rename_that_fails_changes_nothing(datasource: Arc<dyn Datasource>) {
    datasource.create_dir(&names("folder")).unwrap();
    let stamp = publish(&datasource, "folder/file", b"hello").await;
    for (from, to) in [
        ("missing", "a"),
        ("folder/missing", "a"),
        ("folder/file", "missing/a"),
        ("folder/file", "folder/file/a"),
        ("folder", "folder/inside"),
    ] {
        let renamed = datasource.rename(&names(from), &names(to));
        assert!(renamed.is_err(), "{from} to {to}: {renamed:?}");
    }
    assert_eq!(listed(&datasource, "").await, ["folder/"]);
    assert_eq!(listed(&datasource, "folder").await, ["file"]);
    assert_eq!(content(&datasource, "folder/file", stamp).await.unwrap(), "hello");
}

pub async fn what_is_detached_is_out_of_the_tree(datasource: Arc<dyn Datasource>) {
    for round in 0..2 {
        datasource.create_dir(&names("folder")).unwrap();
        datasource.create_dir(&names("folder/inner")).unwrap();
        publish(&datasource, "folder/inner/file", b"hello").await;
        publish(&datasource, "file", b"hello").await;

        datasource.detach(&names("folder")).unwrap();
        datasource.detach(&names("file")).unwrap();
        for path in ["folder", "folder/inner/file", "file"] {
            assert_eq!(datasource.look(&names(path)).unwrap(), None, "{path}");
        }
        assert_eq!(datasource.scan(&[]).await.unwrap(), []);
        // The names are free at once, in the next round even with the bin full.
        if round == 1 {
            datasource.empty_bin().await.unwrap();
        }
    }
    // An empty bin is emptied too.
    datasource.empty_bin().await.unwrap();
    let stamp = publish(&datasource, "file", b"new").await;
    assert_eq!(content(&datasource, "file", stamp).await.unwrap(), "new");
    assert!(datasource.staged().await.unwrap().is_empty());
}

pub async fn awkward_names_stand_as_they_are(datasource: Arc<dyn Datasource>) {
    let longest = "é".repeat(127);
    let awkward = [
        " ", "a b", "a%20b", "a+b", "[x]", "*", "?", "a\\b", "a:b", "...", "..a", "-rf", "~", "$HOME", "'\"",
        "é", "😀.bin", "CON", "con", ".hidden", &longest,
    ];
    for name in awkward {
        let folder = vec![name.to_owned()];
        datasource.create_dir(&folder).unwrap();
        let staged = super::stage(&datasource, name.as_bytes()).await;
        let path = vec![name.to_owned(), name.to_owned()];
        let stamp = datasource.publish(staged.blob, &path, None).unwrap();
        let found = Found { name: name.to_owned(), kind: NodeKind::Leaf, stamp };
        assert_eq!(datasource.look(&path).unwrap().as_ref(), Some(&found));
        assert_eq!(datasource.scan(&folder).await.unwrap(), [found]);
        let source = crate::ports::Source::Path { names: &path, stamp };
        assert_eq!(super::read(&datasource, source, 0, stamp.size).await.unwrap(), name);
    }
    let mut expected = awkward.map(|name| format!("{name}/"));
    expected.sort();
    assert_eq!(listed(&datasource, "").await, expected);
}
