//! Download links and `GET /seafhttp/files/`.

use cellgate_core::testing::request;

use super::Client;

const LINK: &str = "/api2/repos/COMMON/file/?p=/d/a%20b.txt";

async fn client() -> Client {
    let client = Client::new("alice").await;
    client.core.put("/common-files/d/a b.txt", "0123456789").await;
    client
}

#[tokio::test]
async fn a_link_is_one_quoted_absolute_url_and_works_once() {
    let client = client().await;
    let answer = client.get(LINK).await;
    let text = answer.text();
    assert!(
        text.starts_with("\"http://localhost:8080/seafhttp/files/") && text.ends_with("/a%20b.txt\""),
        "{text}"
    );
    assert_eq!(answer.header("oid").len(), 40);
    let path = client.link(LINK).await;
    let head = client.send(request("HEAD", &path)).await;
    assert_eq!((head.status.as_u16(), head.header("content-length")), (200, "10"));
    let file = client.send(request("GET", &path)).await;
    assert_eq!((file.status.as_u16(), file.text().as_str()), (200, "0123456789"));
    assert_eq!(file.header("etag"), answer.header("oid"), "without quotes, as clients compare it");
    assert_eq!(
        file.header("content-disposition"),
        "attachment;filename*=utf-8''a%20b%2Etxt;filename=\"a b.txt\""
    );
    let again = client.send(request("GET", &path)).await;
    assert_eq!((again.status.as_u16(), again.text().as_str()), (403, "Access token not found\n"));
}

#[tokio::test]
async fn a_link_to_be_reused_serves_ranges() {
    let client = client().await;
    let path = client.link(&format!("{LINK}&reuse=1")).await;
    for (range, status, body, header) in [
        ("bytes=2-4", 206, "234", "bytes 2-4/10"),
        ("bytes=7-", 206, "789", "bytes 7-9/10"),
        ("bytes=-2", 206, "89", "bytes 8-9/10"),
        ("bytes=20-", 416, "", "bytes */10"),
        ("bytes=0-1,3-4", 200, "0123456789", ""),
        ("items=0-1", 200, "0123456789", ""),
    ] {
        let answer = client.send(request("GET", &path).header("range", range)).await;
        assert_eq!((answer.status.as_u16(), answer.text().as_str()), (status, body), "{range}");
        assert_eq!(answer.header("content-range"), header, "{range}");
    }
    let oid = client.get(LINK).await.header("oid").to_owned();
    for (tag, status) in [(oid.as_str(), 206), ("other", 200)] {
        let resumed = request("GET", &path).header("range", "bytes=5-").header("if-range", tag);
        assert_eq!(client.send(resumed).await.status, status, "{tag}");
    }
    let modified = client.send(request("GET", &path)).await.header("last-modified").to_owned();
    let current = client.send(request("GET", &path).header("if-modified-since", modified)).await;
    assert_eq!(current.status, 304);
}

#[tokio::test]
async fn an_empty_file_is_whole_whatever_range_is_asked_for() {
    let client = Client::new("alice").await;
    client.core.put("/common-files/empty", "").await;
    let path = client.link("/api2/repos/COMMON/file/?p=/empty&reuse=1").await;
    let answer = client.send(request("GET", &path).header("range", "bytes=0-")).await;
    assert_eq!((answer.status.as_u16(), answer.text().as_str()), (200, ""));
}

#[tokio::test]
async fn links_are_for_files_that_exist_and_may_be_read() {
    let client = client().await;
    for (path, status) in [
        ("/api2/repos/COMMON/file/?p=/none", 404),
        ("/api2/repos/COMMON/file/?p=/d", 404),
        ("/api2/repos/COMMON/file/", 400),
        ("/api2/repos/COMMON/file/?p=/d/a+b.txt&reuse=2", 400),
        ("/api2/repos/COMMON/file/?p=/d/a+b.txt&op=downloadblks", 501),
        ("/seafhttp/files/00000000-0000-0000-0000-000000000000/a", 403),
        ("/seafhttp/files/x/a", 403),
    ] {
        assert_eq!(client.get(path).await.status, status, "{path}");
    }
    // What opens a link is the link: a token of the API is none.
    let token = client.token.clone();
    assert_eq!(client.get(&format!("/seafhttp/files/{token}/a")).await.status, 403);
    let upload = client.link("/api2/repos/COMMON/upload-link/").await.replace("upload-api", "files");
    assert_eq!(client.get(&format!("{upload}/a")).await.status, 403);
}

#[tokio::test]
async fn a_link_ends_with_the_right_it_was_made_with() {
    let client = client().await;
    let path = client.link(&format!("{LINK}&reuse=1")).await;
    client.core.grant("alice", "common-files", cellgate_core::Rights::NONE).await;
    assert_eq!(client.send(request("GET", &path)).await.status, 404);
    client.core.identity().delete_user("alice").await.unwrap();
    assert_eq!(client.send(request("GET", &path)).await.status, 403);
}
