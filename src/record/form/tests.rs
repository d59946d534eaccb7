//! Forms as clients write them, cut anywhere, and what is none.

use bytes::Bytes;

use super::*;

const HELLO: &str = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";

/// What curl sends for `-F secure_token=abc -F 'userfile_0=@a.txt' -F empty=`.
const CURL: &[u8] = b"--b\r\nContent-Disposition: form-data; name=\"secure_token\"\r\n\r\nabc\r\n\
    --b\r\nContent-Disposition: form-data; name=\"userfile_0\"; filename=\"a.txt\"\r\n\
    Content-Type: text/plain\r\n\r\nhello\r\n\
    --b\r\nContent-Disposition: form-data; name=\"empty\"\r\n\r\n\r\n--b--\r\n";

fn parsed(body: &[u8], limit: usize, step: usize) -> Option<Form> {
    let mut parser = Parser::new("b", limit)?;
    body.chunks(step).for_each(|piece| parser.push(piece));
    parser.finish()
}

fn rebuilt(form: &Form) -> Vec<u8> {
    let mut body = Vec::new();
    for part in &form.parts {
        body.extend_from_slice(format!("--b\r\n{}\r\n", part.head()).as_bytes());
        body.extend_from_slice(part.content.bytes().unwrap());
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"--b--\r\n");
    body
}

#[test]
fn a_form_comes_apart_however_it_is_cut() {
    for step in 1..CURL.len() {
        let form = parsed(CURL, 4, step).unwrap();
        assert_eq!(form.length, CURL.len() as u64);
        let [token, file, empty] = form.parts.as_slice() else { panic!("{form:?}") };
        assert_eq!((token.name.as_str(), token.is_file()), ("secure_token", false));
        assert_eq!(token.content, Content::Bytes(Bytes::from_static(b"abc")));
        assert_eq!((file.name.as_str(), file.file_name.as_deref()), ("userfile_0", Some("a.txt")));
        assert_eq!(file.content_type.as_deref(), Some("text/plain"));
        assert_eq!(file.content, Content::Omitted { length: 5, sha256: Some(HELLO.to_owned()) });
        assert_eq!(empty.content, Content::Bytes(Bytes::new()));
        assert_eq!(form.rebuilt_length("b"), form.length);
    }
}

#[test]
fn what_is_kept_can_be_put_together_again() {
    for head in [
        "Content-Disposition: form-data; name=\"f\"; filename=\"a \\\"b\\\".txt\"",
        "Content-Disposition: form-data; name=\"f\"; filename*=utf-8''%C3%A9.txt",
        "content-disposition: form-data; name=f; filename=a.txt",
        "Content-Disposition: attachment; name=\"f\"\r\nContent-Transfer-Encoding: binary\r\nX-Own: 1",
        "Content-Disposition: form-data; name=\"a;b\"; filename=\"\"\r\nContent-Type: application/octet-stream",
    ] {
        let body = format!("--b\r\n{head}\r\n\r\n-\r\n--\r\n--c\r\r\n--b--\r\n");
        let form = parsed(body.as_bytes(), 100, 3).unwrap();
        assert_eq!(String::from_utf8(rebuilt(&form)).unwrap().to_lowercase(), body.to_lowercase());
        assert_eq!(form.rebuilt_length("b"), body.len() as u64);
    }
    let name = |head: &str| {
        let body = format!("--b\r\n{head}\r\n\r\nx\r\n--b--");
        parsed(body.as_bytes(), 100, 9).unwrap().parts.remove(0).file_name
    };
    assert_eq!(name("Content-Disposition: form-data; name=f; filename*=UTF-8''%C3%A9").as_deref(), Some("é"));
    assert_eq!(name("Content-Disposition: form-data; name=\"filename=x\""), None);
}

#[test]
fn what_is_kept_is_bounded_for_all_parts_together() {
    let part = |name: &str| format!("--b\r\nContent-Disposition: form-data; {name}\r\n\r\n123456\r\n");
    let body = format!(
        "{}{}{}{}--b--",
        part("name=a; filename=a"),
        part("name=b; filename=b"),
        part("name=c"),
        part("name=d")
    );
    let form = parsed(body.as_bytes(), 10, 1000).unwrap();
    let kept: Vec<bool> = form.parts.iter().map(|part| part.content.bytes().is_some()).collect();
    assert_eq!(kept, [true, false, true, false]);
}

#[test]
fn what_is_not_well_formed_is_no_form() {
    let part = "--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n";
    let long = "x".repeat(17 * 1024);
    for body in [
        String::new(),
        "hello".to_owned(),
        "--b--\r\n".to_owned(),
        part.to_owned(),
        format!("{part}--b"),
        format!("{part}--b-"),
        format!("{part}--b--\r\nmore"),
        format!("preamble\r\n{part}--b--\r\n"),
        format!("{part}--bc--\r\n"),
        part.replace("\r\n", "\n") + "--b--\n",
        "--b\r\n\r\n1\r\n--b--\r\n".to_owned(),
        "--b\r\nContent-Type: text/plain\r\n\r\n1\r\n--b--\r\n".to_owned(),
        "--b\r\nContent-Disposition: form-data\r\n\r\n1\r\n--b--\r\n".to_owned(),
        format!("--b\r\nContent-Disposition: form-data; name=\"a\"\r\nX: {long}\r\n\r\n1\r\n--b--\r\n"),
        part.repeat(1001) + "--b--\r\n",
    ] {
        for step in [1, 7, 100_000] {
            assert_eq!(parsed(body.as_bytes(), 100, step), None, "{}", body.get(..80).unwrap_or(&body));
        }
    }
    assert!(parsed(format!("{part}--b--").as_bytes(), 100, 5).is_some());
    assert!(parsed((part.repeat(1000) + "--b--\r\n").as_bytes(), 100, 999).is_some());
    assert!(Parser::new("", 1).is_none() && Parser::new("a\r\nb", 1).is_none());
}
