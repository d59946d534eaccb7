//! What clients that were written for Cells send and expect.

use crate::sign::Signed;
use crate::{assert_error, stage, text, texts};

const ID: &str = "6f1c2b54-0a3e-4d27-9c1b-8f0d5a7e4b21";
const ID_MD5: &str = "\"8e7f7ed0e044cb8b06d39d10c409e0df\"";

#[tokio::test]
async fn the_hidden_file_of_a_folder_makes_the_folder() {
    let stage = stage().await;
    let hidden = "/data/common-files/a/b/.pydio";
    let answer = stage.put(hidden, ID).await;
    assert_eq!((answer.status.as_u16(), answer.header("etag")), (200, ID_MD5), "{}", answer.text());
    let folder = stage.core.stat("/common-files/a/b").await.unwrap();
    assert_eq!((folder.is_collection(), folder.uuid.to_string().as_str()), (true, ID));
    let answer = stage.get(hidden).await;
    assert_eq!((answer.status.as_u16(), answer.text().as_str(), answer.header("etag")), (200, ID, ID_MD5));
    let answer = stage.head(hidden).await;
    assert_eq!((answer.status.as_u16(), answer.header("content-length")), (200, "36"));
    let part = stage.send(Signed::new("GET", hidden).header("range", "bytes=0-7")).await;
    assert_eq!((part.status.as_u16(), part.text().as_str()), (206, "6f1c2b54"));

    for listing in ["/io?list-type=2&prefix=common-files/", "/io?prefix=common-files/", "/io?versions"] {
        let keys = texts(&stage.get(listing).await.text(), "Key");
        assert_eq!(keys, ["common-files/a/b/"], "{listing}");
    }
    stage.put("/io/common-files/a/b/c", "c").await;
    let listed = texts(&stage.get("/io?list-type=2&prefix=common-files/").await.text(), "Key");
    assert_eq!(listed, ["common-files/a/b/c"]);
}

#[tokio::test]
async fn the_hidden_file_of_a_folder_is_not_replaced() {
    let stage = stage().await;
    stage.put("/io/common-files/a/b", "b").await;
    let hidden = "/io/common-files/a/.pydio";
    let own = stage.get(hidden).await.text();
    assert_eq!(own, stage.core.stat("/common-files/a").await.unwrap().uuid.to_string());
    assert_error(&stage.put(hidden, ID).await, 409, "Conflict");
    assert_error(&stage.delete(hidden).await, 409, "Conflict");
    assert_error(&stage.send(Signed::new("POST", &format!("{hidden}?uploads"))).await, 409, "Conflict");
    let copy = Signed::new("PUT", hidden).header("x-amz-copy-source", "/io/common-files/a/b");
    assert_error(&stage.send(copy).await, 409, "Conflict");
    assert_error(&stage.put("/io/common-files/new/.pydio", "no uuid").await, 400, "InvalidArgument");
    let new = Signed::new("PUT", hidden).header("if-none-match", "*").body(own.clone());
    assert_error(&stage.send(new).await, 412, "PreconditionFailed");
    assert_eq!(stage.put(hidden, own.clone()).await.status, 200);
    assert_eq!(stage.get(hidden).await.text(), own);
    assert_error(&stage.get("/io/common-files/new/.pydio").await, 404, "NoSuchKey");
    assert_eq!(texts(&stage.get("/io?list-type=2").await.text(), "Key"), ["common-files/a/b"]);
}

#[tokio::test]
async fn thumbnails_are_not_built() {
    let stage = stage().await;
    for bucket in ["io", "data"] {
        let uri = format!("/{bucket}/pydio-thumbstore/{ID}-300.jpg");
        assert_error(&stage.get(&uri).await, 501, "NotImplemented");
        assert_eq!(stage.head(&uri).await.status, 501);
        assert_error(&stage.put(&uri, "x").await, 404, "NoSuchKey");
    }
    let listed = stage.get("/io?list-type=2&prefix=pydio-thumbstore/").await;
    assert_eq!((listed.status.as_u16(), text(&listed.text(), "KeyCount").as_str()), (200, "0"));
}

/// The web client sends the size of what it uploads in parts, and values of user metadata.
#[tokio::test]
async fn metadata_of_cells_is_metadata_but_for_the_id_of_the_node() {
    let stage = stage().await;
    let uri = "/io/common-files/a";
    let put = Signed::new("PUT", uri)
        .header("x-amz-meta-pydio-clear-size", "5")
        .header("x-amz-meta-usermeta-tags", "one,two")
        .header("x-amz-meta-pydio-node-uuid", ID)
        .header("x-pydio-client-uuid", ID)
        .body("hello");
    assert_eq!(stage.send(put).await.status, 200);
    let answer = stage.head(uri).await;
    assert_eq!(answer.header("x-amz-meta-pydio-clear-size"), "5");
    assert_eq!(answer.header("x-amz-meta-usermeta-tags"), "one,two");
    assert!(!answer.headers.contains_key("x-amz-meta-pydio-node-uuid"));
    assert_ne!(stage.core.stat("/common-files/a").await.unwrap().uuid.to_string(), ID);
}
