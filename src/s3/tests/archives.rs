//! Archives of folders and selections, and what is inside archives.
//!
//! That the archives are right is tested in the core, by readers that did not write them; here they
//! are put back and looked into, over the wire.

use cellgate_core::NodePath;
use cellgate_core::testing::serve;

use crate::sign::Signed;
use crate::{assert_error, signer, stage};

const KINDS: [(&str, &str); 3] =
    [("zip", "application/zip"), ("tar", "application/x-tar"), ("tar.gz", "application/gzip")];

#[tokio::test]
async fn a_folder_is_downloaded_as_an_archive_and_looked_into() {
    let stage = stage().await;
    stage.put("/io/common-files/docs/inner/a%20b.txt", "hello").await;
    stage.put("/io/common-files/docs/empty/", "").await;
    for (ending, mime) in KINDS {
        let uri = format!("/io/common-files/docs.{ending}");
        let head = stage.head(&uri).await;
        let answer = stage.get(&uri).await;
        for answer in [&head, &answer] {
            assert_eq!(answer.status, 200, "{ending}: {}", answer.text());
            assert_eq!(answer.header("content-type"), mime);
            assert_eq!(answer.header("accept-ranges"), "none");
            assert_eq!(answer.header("content-length"), "");
            assert_eq!(answer.header("etag"), "");
        }
        assert!(head.body.is_empty() && !answer.torn);

        let kept = format!("/io/common-files/kept/copy.{ending}");
        stage.put(&kept, answer.body.clone()).await;
        let inner = stage.get(&format!("{kept}/inner/a%20b.txt")).await;
        assert_eq!((inner.status.as_u16(), inner.text().as_str()), (200, "hello"), "{ending}");
        let head = stage.head(&format!("{kept}/inner/a%20b.txt")).await;
        for answer in [&head, &inner] {
            assert_eq!(answer.header("content-length"), "5");
            assert_eq!(answer.header("content-type"), "text/plain");
            assert_eq!(answer.header("etag"), inner.header("etag"));
        }
        assert!(inner.header("etag").ends_with("-1\""), "{}", inner.header("etag"));
        for missing in ["inner", "inner/none", "empty", "empty/", "none/x.zip"] {
            let answer = stage.get(&format!("{kept}/{missing}")).await;
            assert_error(&answer, 404, "NoSuchKey");
        }
    }
}

#[tokio::test]
async fn archives_are_addressed_in_every_bucket() {
    let stage = stage().await;
    stage.put("/io/common-files/docs/a.txt", "hello").await;
    for uri in ["/data/common-files/docs.tar", "/common-files/docs.tar", "/io/common-files.tar"] {
        let answer = stage.get(uri).await;
        assert_eq!(answer.status, 200, "{uri}: {}", answer.text());
        assert!(answer.text().contains("a.txt") && answer.text().contains("hello"), "{uri}");
    }
}

#[tokio::test]
async fn an_object_with_the_name_wins() {
    let stage = stage().await;
    stage.seed(&["common-files/docs/a.txt"]).await;
    stage.put("/io/common-files/docs.zip", "mine").await;
    let answer = stage.get("/io/common-files/docs.zip").await;
    assert_eq!((answer.text().as_str(), answer.header("content-length")), ("mine", "4"));
}

#[tokio::test]
async fn where_there_is_no_folder_there_is_no_archive() {
    let stage = stage().await;
    stage.seed(&["common-files/a.txt"]).await;
    for uri in
        ["/io/common-files/none.zip", "/io/common-files/a.txt.zip", "/io/nowhere.tar", "/io/none/x.zip"]
    {
        assert_error(&stage.get(uri).await, 404, "NoSuchKey");
        assert_eq!(stage.head(uri).await.status, 404);
    }
    // Who may not read the folder learns no more.
    stage.seed(&["personal-files/own/a.txt"]).await;
    let reader = signer(&stage.core, "reader").await;
    let answer = serve(&stage.s3, reader.header(Signed::new("GET", "/io/personal-files/own.zip"))).await;
    assert_error(&answer, 404, "NoSuchKey");
    // A version of what is made on the fly does not exist.
    assert_ne!(stage.get("/io/common-files.zip?versionId=1").await.status, 200);
}

#[tokio::test]
async fn the_link_names_the_download() {
    let stage = stage().await;
    stage.seed(&["common-files/docs/a.txt"]).await;
    let uri =
        "/io/common-files/docs.zip?response-content-disposition=attachment%3B%20filename%3Dselection.zip";
    assert_eq!(stage.head(uri).await.header("content-disposition"), "attachment; filename=selection.zip");
}

#[tokio::test]
async fn a_selection_is_downloaded_by_its_user_once() {
    let stage = stage().await;
    stage.put("/io/common-files/a.txt", "hello").await;
    stage.seed(&["common-files/dir/b.txt", "personal-files/c.txt"]).await;
    let nodes = ["/common-files/a.txt", "/common-files/dir"].map(|path| NodePath::parse(path).unwrap());
    let (id, _) = stage.core.tree("alice").await.create_selection(&nodes).await.unwrap();
    let uri = format!("/io/personal-files/{id}-selection.tar");
    assert_eq!(stage.head(&uri).await.status, 200, "does not count");
    let admin = signer(&stage.core, "admin").await;
    let other = serve(&stage.s3, admin.header(Signed::new("GET", &uri))).await;
    assert_error(&other, 404, "NoSuchKey");
    assert_error(&stage.get(&format!("/io/none/{id}-selection.tar")).await, 404, "NoSuchKey");
    let answer = stage.get(&uri).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert!(answer.text().contains("a.txt") && answer.text().contains("dir/b.txt"));
    assert_error(&stage.get(&uri).await, 404, "NoSuchKey");
}

#[tokio::test]
async fn members_answer_ranges_and_conditions() {
    let stage = stage().await;
    stage.put("/io/common-files/docs/n.txt", "0123456789").await;
    for (ending, seekable) in [("tar", true), ("tar.gz", false), ("zip", false)] {
        let packed = stage.get(&format!("/io/common-files/docs.{ending}")).await;
        let kept = format!("/io/common-files/kept.{ending}");
        stage.put(&kept, packed.body).await;
        let uri = format!("{kept}/n.txt");
        let part = stage.send(Signed::new("GET", &uri).header("range", "bytes=2-4")).await;
        let expected = if seekable { (206, "234") } else { (200, "0123456789") };
        assert_eq!((part.status.as_u16(), part.text().as_str()), expected, "{ending}");
        let ranges = if seekable { ("bytes 2-4/10", "bytes") } else { ("", "none") };
        assert_eq!((part.header("content-range"), part.header("accept-ranges")), ranges, "{ending}");
        let beyond = stage.send(Signed::new("GET", &uri).header("range", "bytes=10-")).await;
        assert_eq!(beyond.status, if seekable { 416 } else { 200 }, "{ending}");
        let same = Signed::new("GET", &uri).header("if-none-match", part.header("etag"));
        assert_eq!(stage.send(same).await.status, 304, "{ending}");
        let other = Signed::new("GET", &uri).header("if-match", "\"x\"");
        assert_error(&stage.send(other).await, 412, "PreconditionFailed");
    }
}

#[tokio::test]
async fn archives_stay_objects_to_writers_and_listings() {
    let stage = stage().await;
    stage.seed(&["common-files/docs/a.txt"]).await;
    let packed = stage.get("/io/common-files/docs.zip").await.body;
    stage.put("/io/common-files/kept.zip", packed).await;
    assert_error(&stage.put("/io/common-files/kept.zip/new.txt", "x").await, 409, "ParentIsObject");
    let listed = stage.get("/io?list-type=2&prefix=common-files/kept.zip/").await.text();
    assert!(!listed.contains("a.txt"), "{listed}");
    assert_eq!(stage.get("/io/common-files/kept.zip/a.txt").await.status, 200, "nothing was harmed");
}

#[tokio::test]
async fn what_is_no_archive_says_so() {
    let stage = stage().await;
    for name in ["broken.zip", "broken.tar", "broken.tar.gz"] {
        stage.put(&format!("/io/common-files/{name}"), "hello").await;
        let answer = stage.get(&format!("/io/common-files/{name}/a.txt")).await;
        assert_error(&answer, 400, "InvalidArgument");
    }
}
