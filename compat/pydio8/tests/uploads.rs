//! `upload` in all its forms.

use bytes::Bytes;
use cellgate_core::Error;
use cellgate_core::testing::{RequestBuilder, request};
use futures_util::stream;

use super::*;

fn multipart(fields: &[(&str, &str)], content: &str) -> String {
    let mut body = String::new();
    for (name, value) in fields {
        body += &format!("--B\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
    }
    body += "--B\r\nContent-Disposition: form-data; name=\"userfile_0\"; filename=\"fake-name\"\r\n";
    body + "Content-Type: application/octet-stream\r\n\r\n" + content + "\r\n--B--\r\n"
}

fn upload(dir: &str, fields: &[(&str, &str)], content: &str) -> RequestBuilder {
    request("POST", &format!("/api/my-files/upload/put{dir}"))
        .basic("admin")
        .header("content-type", "multipart/form-data; boundary=B")
        .body(multipart(fields, content))
}

/// What the Python SDK sends beside the name.
const FLAGS: [(&str, &str); 2] = [("force_post", "true"), ("xhr_uploader", "true")];

fn named<'a>(name: &'a str, more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    FLAGS.into_iter().chain([("urlencoded_filename", name)]).chain(more.iter().copied()).collect()
}

fn refused(answer: &Answer, text: &str) {
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), "text/plain; charset=UTF-8");
    assert_eq!(answer.text(), text);
}

#[tokio::test]
async fn a_form_becomes_a_file() {
    let fixture = fixture().await;
    fixture.core.mkdir("/personal-files/docs").await;
    // Decoded twice: once as a form field would be, once by the name's own encoding.
    let answer = fixture.send(upload("/docs", &named("a%20b+%C3%A9.txt", &[]), "hello")).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), "text/xml; charset=UTF-8");
    let text = answer.text();
    assert!(
        text.starts_with(&format!("{DECLARATION}<tree ><nodes_diff><add><tree is_file=\"true\"")),
        "{text}"
    );
    assert!(!text.contains("<message"));
    assert_eq!(values(&text, "filename"), ["/docs/a b é.txt"]);
    assert_eq!(values(&text, "bytesize"), ["5"]);
    assert_eq!(fixture.core.get("/personal-files/docs/a b é.txt").await.unwrap(), "hello");

    let answer = fixture.send(upload("/docs", &named("a%20b+%C3%A9.txt", &[("hash", "true")]), "bye")).await;
    assert!(answer.text().contains("<nodes_diff><update>"));
    assert_eq!(values(&answer.text(), "original_path"), ["/docs/a b é.txt"]);
    // md5 of "bye"
    assert_eq!(values(&answer.text(), "hash"), ["bfa99df33b137bc8fb5f5407d7e58da8"]);

    // Without a flag that asks for one there is no reply.
    let answer = fixture.send(upload("/docs", &[], "x")).await;
    assert_eq!((answer.status.as_u16(), answer.body.len()), (200, 0));
    assert_eq!(fixture.core.get("/personal-files/docs/fake-name").await.unwrap(), "x");
}

#[tokio::test]
async fn auto_rename_evades_and_its_false_does_not() {
    let fixture = fixture().await;
    for name in ["/a.txt", "/a-1.txt", "/a-2.txt"] {
        let answer = fixture.send(upload("/", &named("a.txt", &[("auto_rename", "true")]), "x")).await;
        assert!(answer.text().contains("<add>"));
        assert_eq!(values(&answer.text(), "filename"), [name]);
    }
    let answer = fixture.send(upload("/", &named("a.txt", &[("auto_rename", "false")]), "y")).await;
    assert_eq!(values(&answer.text(), "filename"), ["/a.txt"]);
    assert_eq!(fixture.core.get("/personal-files/a.txt").await.unwrap(), "y");
}

#[tokio::test]
async fn failures_are_text_with_a_code() {
    let fixture = fixture().await;
    let answer = fixture.send(upload("/none", &named("a.txt", &[]), "x")).await;
    refused(&answer, "The directory /none is not writeable. (412)");
    let answer = fixture.send(upload("/", &named(".a", &[]), "x")).await;
    refused(&answer, ".a Forbidden (411)");
    let answer = fixture.send(upload("/", &named("a%2Fb", &[]), "x")).await;
    refused(&answer, "a/b contains forbidden characters (411)");
    let answer = fixture.send(upload("/", &named("empty", &[]), "")).await;
    assert!(answer.text().ends_with(" (410)"), "{}", answer.text());
    let answer = fixture.post("/api/my-files/upload/put/", "xhr_uploader=true").await;
    refused(&answer, "No file was sent (411)");
    let listed = fixture.get("/api/my-files/ls/?options=f").await.text();
    assert_eq!(values(&listed, "filename"), ["/"]);

    let reader = request("POST", "/api/common/upload/put/")
        .basic("reader")
        .header("content-type", "multipart/form-data; boundary=B")
        .body(multipart(&named("a.txt", &[]), "x"));
    refused(&fixture.send(reader).await, "The directory / is not writeable. (412)");
}

#[tokio::test]
async fn a_body_that_breaks_off_leaves_nothing() {
    let fixture = fixture().await;
    fixture.core.put("/personal-files/old.txt", "old").await;
    let content = "x".repeat(3 << 20);
    for name in ["new.txt", "old.txt"] {
        let body = multipart(&named(name, &[]), &content);
        for length in [body.len() - 8, 2 << 20, 900] {
            let cut = Bytes::from(body.clone()).slice(..length);
            // Once as a body that ends too early, once as a connection that is lost.
            for lost in [false, true] {
                let mut pieces: Vec<Result<Bytes, Error>> =
                    cut.chunks(65_536).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
                if lost {
                    pieces.push(Err(Error::BrokenBody("connection reset".into())));
                }
                let request = request("POST", "/api/my-files/upload/put/")
                    .basic("admin")
                    .header("content-type", "multipart/form-data; boundary=B")
                    .stream(Box::pin(stream::iter(pieces)));
                let answer = fixture.send(request).await;
                assert!(!answer.text().contains("nodes_diff"), "{}", answer.text());
            }
        }
    }
    assert!(fixture.core.stat("/personal-files/new.txt").await.is_err());
    assert_eq!(fixture.core.get("/personal-files/old.txt").await.unwrap(), "old");
}

#[tokio::test]
async fn parts_become_a_file_when_all_are_there() {
    let fixture = fixture().await;
    let partial = [("partial_upload", "true"), ("partial_target_bytesize", "10")];
    let answer = fixture.send(upload("/", &named("a.bin", &partial), "01234")).await;
    assert_eq!(answer.text(), format!("{DECLARATION}<tree ></tree>"));
    assert_eq!(fixture.core.get("/personal-files/a.bin.dlpart").await.unwrap(), "01234");
    let next = [partial[0], partial[1], ("appendto_urlencoded_part", "a.bin")];
    let answer = fixture.send(upload("/", &named("a.bin", &next), "56789")).await;
    assert_eq!(values(&answer.text(), "filename"), ["/a.bin"]);
    assert_eq!(fixture.core.get("/personal-files/a.bin").await.unwrap(), "0123456789");
    assert!(fixture.core.stat("/personal-files/a.bin.dlpart").await.is_err());

    // The Java SDK appends to the file itself, and means the value of `auto_rename`.
    let form = [("auto_rename", "true"), ("appendto_urlencoded_part", "a.bin")];
    let answer = fixture.send(upload("/", &named("a.bin", &form), "!")).await;
    assert!(answer.text().contains("<update>"));
    assert_eq!(fixture.core.get("/personal-files/a.bin").await.unwrap(), "0123456789!");
}

#[tokio::test]
async fn scripts_put_the_file_itself() {
    let fixture = fixture().await;
    fixture.core.mkdir("/personal-files/in").await;
    let put = |path: &str| request("PUT", path).basic("admin").header("x-file-name", "f.txt").body("raw");
    let answer = fixture.send(put("/api/my-files/upload/input_stream/in?auto_rename=false")).await;
    assert_eq!((answer.status.as_u16(), answer.body.len()), (200, 0));
    assert_eq!(fixture.core.get("/personal-files/in/f.txt").await.unwrap(), "raw");
    let answer = fixture.send(put("/api/my-files/upload/input_stream/f.txt?xhr_uploader=1")).await;
    assert_eq!(values(&answer.text(), "filename"), ["/f.txt"]);

    let nameless = request("PUT", "/api/my-files/upload/input_stream/in").basic("admin").body("raw");
    let answer = fixture.send(nameless).await;
    refused(&answer, "Warning, missing either 'path' parameter or X-File-Name header. (411)");
    let short = put("/api/my-files/upload/input_stream/in?xhr_uploader=1").header("x-append-to", "f.txt");
    assert_eq!(fixture.send(short).await.status, 501);
    assert_eq!(fixture.core.get("/personal-files/in/f.txt").await.unwrap(), "raw");
}
