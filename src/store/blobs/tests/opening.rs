//! Where datasources are put, and what is said when they cannot be.

use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

use super::*;

async fn refusal(data: &Path, form: Form, path: &str) -> String {
    match open(data, form, path).await {
        Ok(_) => panic!("`{path}` was opened"),
        Err(error) => error.to_string(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn adopting_a_folder_writes_nothing_into_it() {
    let temp = tempfile::tempdir().unwrap();
    let adopted = temp.path().join("photos");
    std::fs::create_dir(&adopted).unwrap();
    std::fs::write(adopted.join("a.jpg"), "a").unwrap();
    let before = adopted.metadata().unwrap();
    let store = open(&temp.path().join("data"), Form::Structured, adopted.to_str().unwrap()).await.unwrap();
    assert_eq!(entries(&adopted), ["a.jpg"]);
    let after = adopted.metadata().unwrap();
    assert_eq!((before.mtime(), before.mtime_nsec()), (after.mtime(), after.mtime_nsec()));
    assert_eq!(store.scan(&[]).await.unwrap().len(), 1);
    assert_eq!(entries(&temp.path().join("data/staging/archive")), ["bin", "blobs", "staging"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_folder_is_made_but_not_its_parent() {
    let temp = tempfile::tempdir().unwrap();
    let (data, folder) = (temp.path().join("data"), temp.path().join("new"));
    open(&data, Form::Structured, folder.to_str().unwrap()).await.unwrap();
    assert!(folder.is_dir());
    let deep = temp.path().join("unmounted/folder");
    assert_eq!(
        refusal(&data, Form::Structured, deep.to_str().unwrap()).await,
        format!("datasource `archive`: cannot create `{}`: no such file or directory", deep.display())
    );
    assert!(!temp.path().join("unmounted").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn unusable_configurations_say_what_to_do() {
    let temp = tempfile::tempdir().unwrap();
    let data = temp.path().join("data");
    std::fs::create_dir(&data).unwrap();
    let file = temp.path().join("file");
    std::fs::write(&file, "").unwrap();
    for form in [Form::Flat, Form::Structured] {
        assert_eq!(refusal(&data, form, "").await, "datasource `archive`: `path` is empty, name a folder");
        assert_eq!(
            refusal(&data, form, "../x").await,
            "datasource `archive`: `../x` leaves the data folder, give an absolute path"
        );
    }
    assert_eq!(
        refusal(&data, Form::Structured, file.to_str().unwrap()).await,
        format!("datasource `archive`: `{}` is not a folder", file.display())
    );
    assert!(
        refusal(&data, Form::Structured, temp.path().to_str().unwrap())
            .await
            .contains("holds the gateway's own data folder")
    );
    let unmade = temp.path().join("unmade");
    let error = refusal(&unmade, Form::Structured, temp.path().to_str().unwrap()).await;
    assert!(error.contains("holds the gateway's own data folder"), "{error}");
    assert_eq!(entries(&unmade), [""; 0]);
    let bad = DatasourceConfig { name: "../evil".into(), ..config(Form::Flat, "x") };
    let refused = FsBackends::new(&data).open(&bad).await.err().unwrap();
    assert_eq!(refused.to_string(), "datasource `../evil`: the name is no valid file name");
    assert_eq!(entries(&data), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_without_rights_is_named_with_the_reason() {
    if rustix::process::geteuid().is_root() {
        // The superuser may write everywhere but under /proc.
        let error = refusal(Path::new("/proc"), Form::Flat, "archive").await;
        assert!(
            error.starts_with("datasource `archive`: cannot create `/proc/archive/staging`: "),
            "{error}"
        );
        return;
    }
    let temp = tempfile::tempdir().unwrap();
    std::fs::set_permissions(temp.path(), PermissionsExt::from_mode(0o500)).unwrap();
    assert_eq!(
        refusal(temp.path(), Form::Flat, "archive").await,
        format!(
            "datasource `archive`: cannot create `{}`: permission denied",
            temp.path().join("archive/staging").display()
        )
    );
}

/// A folder on another file system than the temporary one, if this machine has one.
fn elsewhere() -> Option<TempDir> {
    let here = std::env::temp_dir().metadata().ok()?.dev();
    let shm = Path::new("/dev/shm");
    let found = (shm.metadata().ok()?.dev() != here).then(|| tempfile::tempdir_in(shm).ok()).flatten();
    if found.is_none() {
        eprintln!("skipped: there is no second file system to test with");
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_on_another_file_system_is_staged_beside_it() {
    let (temp, Some(other)) = (tempfile::tempdir().unwrap(), elsewhere()) else { return };
    let adopted = other.path().join("photos");
    std::fs::create_dir(&adopted).unwrap();
    let store = open(temp.path(), Form::Structured, adopted.to_str().unwrap()).await.unwrap();
    let mut staging = store.stage(None).await.unwrap();
    staging.write(Bytes::from_static(b"x")).await.unwrap();
    let blob = staging.finish().await.unwrap().blob;
    let sibling = other.path().join(".photos.cellgate-staging");
    assert_eq!(entries(&sibling.join("staging")), [blob.simple().to_string()]);
    assert_eq!(sibling.metadata().unwrap().permissions().mode() & 0o777, 0o700);
    store.publish(blob, &names("a"), None).unwrap();
    assert_eq!(entries(&adopted), ["a"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_staging_folder_that_someone_else_prepared_is_not_used() {
    let (temp, Some(other)) = (tempfile::tempdir().unwrap(), elsewhere()) else { return };
    let adopted = other.path().join("photos");
    std::fs::create_dir(&adopted).unwrap();
    let sibling = other.path().join(".photos.cellgate-staging");
    let trap = other.path().join("trap");
    std::fs::create_dir(&trap).unwrap();
    symlink(&trap, &sibling).unwrap();
    let adopted = adopted.to_str().unwrap();
    let error = refusal(temp.path(), Form::Structured, adopted).await;
    assert!(error.contains("nowhere to stage files"), "{error}");
    std::fs::remove_file(&sibling).unwrap();
    std::fs::create_dir(&sibling).unwrap();
    std::fs::set_permissions(&sibling, PermissionsExt::from_mode(0o777)).unwrap();
    let error = refusal(temp.path(), Form::Structured, adopted).await;
    assert!(error.contains("exists and is not private to the gateway"), "{error}");
    assert_eq!(entries(&trap), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mount_point_whose_parent_is_elsewhere_says_what_to_do() {
    let (temp, Some(_)) = (tempfile::tempdir().unwrap(), elsewhere()) else { return };
    // The mount point itself: its parent is /dev. Nothing is written before it is refused.
    let error = refusal(temp.path(), Form::Structured, "/dev/shm").await;
    assert!(
        error.starts_with("datasource `archive`: nowhere to stage files on the file system of `/dev/shm`")
    );
    assert!(error.ends_with("or use a folder inside `/dev/shm` as the datasource"), "{error}");
    assert!(!Path::new("/dev/.shm.cellgate-staging").exists());
}
