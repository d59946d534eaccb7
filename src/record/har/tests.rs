//! Files as the programs write them, composed from their sources; hostile ones; our own.

use std::time::Duration;

use bytes::Bytes;
use time::macros::datetime;

use super::*;
use crate::exchange::{Answered, Payload, Sent};
use crate::form::{Content, Form, Part};

fn read(text: &str) -> Result<Recording, HarError> {
    Recording::read_from(text.as_bytes(), &Limits::default())
}

fn refused(text: &str) -> String {
    read(text).unwrap_err().to_string()
}

fn har(entries: &str) -> String {
    format!(r#"{{"log":{{"version":"1.2","creator":{{"name":"x","version":"1"}},"entries":[{entries}]}}}}"#)
}

/// An entry with further fields of request and response.
fn entry(request: &str, response: &str) -> String {
    format!(
        r#"{{"startedDateTime":"2026-01-01T00:00:00Z","time":1,
            "request":{{"method":"POST","url":"http://h/x"{request}}},"response":{{"status":200{response}}}}}"#
    )
}

fn one(request: &str, response: &str) -> Exchange {
    read(&har(&entry(request, response))).unwrap().exchanges.remove(0)
}

fn wrong(request: &str, response: &str) -> String {
    refused(&har(&format!("{},{}", entry("", ""), entry(request, response))))
}

fn bytes(text: &str) -> Payload {
    Payload::Bytes(Bytes::copy_from_slice(text.as_bytes()))
}

fn pair(name: &str, value: &str) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

/// Field names and habits of `front_end/models/har` of Chrome's developer tools.
const CHROME: &str = r#"{
  "log": {
    "version": "1.2",
    "creator": {"name": "WebInspector", "version": "537.36"},
    "pages": [{"startedDateTime": "2024-05-06T07:08:00.000Z", "id": "page_1", "title": "https://h/", "pageTimings": {}}],
    "entries": [
      {
        "_connectionId": "77", "_initiator": {"type": "script", "stack": {"callFrames": [{"functionName": ""}]}},
        "_priority": "High", "_resourceType": "xhr", "cache": {}, "connection": "443", "pageref": "page_1",
        "request": {
          "method": "POST", "url": "https://h.example/a/tree/stats?x=%2F", "httpVersion": "http/2.0",
          "headers": [
            {"name": ":authority", "value": "h.example"}, {"name": ":method", "value": "POST"},
            {"name": ":path", "value": "/a/tree/stats"}, {"name": ":scheme", "value": "https"},
            {"name": "content-type", "value": "application/json"}
          ],
          "queryString": [{"name": "x", "value": "%2F"}], "cookies": [], "headersSize": -1, "bodySize": 15,
          "postData": {"mimeType": "application/json", "text": "{\"NodePaths\":[]}"}
        },
        "response": {
          "status": 200, "statusText": "", "httpVersion": "http/2.0",
          "headers": [{"name": "set-cookie", "value": "a=1; Path=/\nb=2; Path=/"}],
          "cookies": [{"name": "a", "value": "1", "path": "/", "domain": "h.example", "expires": "2024-05-07T00:00:00.000Z", "httpOnly": false, "secure": false}],
          "content": {"size": 3, "mimeType": "application/json", "text": "e30K", "encoding": "base64"},
          "redirectURL": "", "headersSize": -1, "bodySize": -1, "_transferSize": 300, "_error": null
        },
        "serverIPAddress": "10.0.0.1", "startedDateTime": "2024-05-06T07:08:09.123Z", "time": 12.34500000053,
        "timings": {"blocked": 1, "dns": -1, "ssl": -1, "connect": -1, "send": 0.1, "wait": 5, "receive": 6, "_blocked_queueing": 0.5}
      },
      {
        "_resourceType": "image", "_fromCache": "disk", "cache": {},
        "request": {"method": "GET", "url": "https://h.example/big.png", "httpVersion": "h3", "headers": [], "queryString": [], "cookies": [], "headersSize": -1, "bodySize": 0},
        "response": {"status": 200, "statusText": "", "httpVersion": "h3", "headers": [], "cookies": [], "content": {"size": 123456, "mimeType": "image/png"}, "redirectURL": "", "headersSize": -1, "bodySize": 0},
        "startedDateTime": "2024-05-06T07:08:09.100Z", "time": 1, "timings": {}
      },
      {
        "_resourceType": "xhr", "cache": {},
        "request": {"method": "GET", "url": "https://h.example/gone", "httpVersion": "", "headers": [], "queryString": [], "cookies": [], "headersSize": -1, "bodySize": 0},
        "response": {"status": 0, "statusText": "", "httpVersion": "", "headers": [], "cookies": [], "content": {"size": 0, "mimeType": "x-unknown"}, "redirectURL": "", "headersSize": -1, "bodySize": -1, "_error": "net::ERR_ABORTED"},
        "startedDateTime": "2024-05-06T07:08:10.000Z", "time": 0, "timings": {}
      },
      {
        "_resourceType": "websocket", "_webSocketMessages": [{"type": "send", "time": 1.5, "opcode": 1, "data": "x"}],
        "request": {"method": "GET", "url": "wss://h.example/ws/event", "headers": []}, "response": {"status": 101},
        "startedDateTime": "2024-05-06T07:08:10.100Z", "time": 1
      },
      {"request": {"method": "GET", "url": "data:image/png;base64,AAAA"}, "response": {"status": 200}, "startedDateTime": "2024-05-06T07:08:10.200Z"},
      {"request": {"method": "GET", "url": "chrome-extension://abc/x.js"}, "response": {"status": 200}, "startedDateTime": "2024-05-06T07:08:10.300Z"},
      {"request": {"method": "GET", "url": "blob:https://h.example/1-2"}, "response": {"status": 200}, "startedDateTime": "2024-05-06T07:08:10.400Z"}
    ]
  }
}"#;

#[test]
fn a_recording_of_chrome_is_read() {
    let recording = read(CHROME).unwrap();
    assert_eq!(recording.creator, "WebInspector 537.36");
    // In the order they started, with the numbers of the file.
    let numbers: Vec<usize> = recording.exchanges.iter().map(|exchange| exchange.number).collect();
    assert_eq!(numbers, [2, 1, 3]);
    let call = &recording.exchanges[1];
    assert_eq!(call.started, datetime!(2024-05-06 07:08:09.123 UTC));
    assert_eq!(call.took, Duration::from_nanos(12_345_000));
    assert_eq!(
        call.request,
        Sent {
            method: "POST".to_owned(),
            origin: "https://h.example".to_owned(),
            target: "/a/tree/stats?x=%2F".to_owned(),
            headers: vec![pair("content-type", "application/json")],
            body: bytes(r#"{"NodePaths":[]}"#),
        }
    );
    assert_eq!(
        call.response,
        Answered {
            status: 200,
            headers: vec![pair("set-cookie", "a=1; Path=/"), pair("set-cookie", "b=2; Path=/")],
            body: bytes("{}\n"),
        }
    );
    let big = &recording.exchanges[0];
    assert_eq!(big.response.body, Payload::Omitted { length: 123_456, sha256: None });
    let aborted = &recording.exchanges[2];
    assert_eq!((aborted.response.status, &aborted.response.body), (0, &Payload::EMPTY));
    let skipped: Vec<usize> = recording.skipped.iter().map(|(number, _)| *number).collect();
    assert_eq!(skipped, [4, 5, 6, 7]);
    assert_eq!(recording.skipped[0].1, "`wss:` is not HTTP");
    assert_eq!(recording.notes, Vec::<String>::new());
}

/// Field names and habits of `devtools/client/netmonitor/src/har` of Firefox.
const FIREFOX: &str = r#"{"log": {
  "version": "1.2", "creator": {"name": "Firefox", "version": "125.0"}, "browser": {"name": "Firefox", "version": "125.0"},
  "pages": [{"startedDateTime": "2024-05-06T09:08:09.123+02:00", "id": "page_1", "title": "", "pageTimings": {"onContentLoad": -1, "onLoad": -1}}],
  "entries": [{
    "pageref": "page_1", "startedDateTime": "2024-05-06T09:08:09.123+02:00",
    "request": {
      "bodySize": 120, "method": "POST", "url": "http://h/index.php", "httpVersion": "HTTP/1.1",
      "headers": [{"name": "Content-Type", "value": "multipart/form-data; boundary=B"}],
      "cookies": [{"name": "AjaXplorer", "value": "abc"}, {"name": "theme", "value": "material"}],
      "queryString": [], "headersSize": 400,
      "postData": {"mimeType": "multipart/form-data; boundary=B", "params": [],
        "text": "Content-Type: multipart/form-data; boundary=B\r\nContent-Length: 60\r\n\r\n--B\r\nContent-Disposition: form-data; name=\"dir\"\r\n\r\n/\r\n--B--\r\n"}
    },
    "response": {
      "status": 302, "statusText": "Found", "httpVersion": "HTTP/1.1", "headers": [],
      "cookies": [{"name": "AjaXplorer", "value": "def", "path": "/", "httpOnly": true}],
      "content": {"mimeType": "text/html; charset=UTF-8", "size": 35, "comment": "Response bodies are not included."},
      "redirectURL": "http://h/next", "headersSize": 300, "bodySize": 335
    },
    "cache": {}, "timings": {}, "time": null, "_securityState": "insecure", "serverIPAddress": "10.0.0.1", "connection": "80"
  }]
}}"#;

#[test]
fn a_recording_of_firefox_is_read() {
    let recording = read(FIREFOX).unwrap();
    let call = &recording.exchanges[0];
    assert_eq!((call.started, call.took), (datetime!(2024-05-06 07:08:09.123 UTC), Duration::ZERO));
    assert_eq!(call.request.header("cookie"), Some("AjaXplorer=abc; theme=material"));
    let body = "--B\r\nContent-Disposition: form-data; name=\"dir\"\r\n\r\n/\r\n--B--\r\n";
    assert_eq!(call.request.body, bytes(body));
    assert_eq!(
        call.response.headers,
        [pair("set-cookie", "AjaXplorer=def; Path=/; HttpOnly"), pair("location", "http://h/next"),]
    );
    assert_eq!(call.response.body, Payload::Omitted { length: 35, sha256: None });
}

/// Field names and habits of `mitmproxy/addons/savehar.py`.
const MITMPROXY: &str = r#"{"log": {
  "version": "1.2", "creator": {"name": "mitmproxy", "version": "10.1", "comment": ""}, "pages": [],
  "entries": [{
    "startedDateTime": "2024-05-06T07:08:09.123456+00:00", "time": 30.5,
    "request": {
      "method": "POST", "url": "https://h/api2/auth-token/", "httpVersion": "HTTP/1.1", "cookies": [],
      "headers": [{"name": "Content-Type", "value": "application/x-www-form-urlencoded"}, {"name": "Content-Length", "value": "26"}],
      "queryString": [], "headersSize": 100, "bodySize": 26,
      "postData": {"mimeType": "application/x-www-form-urlencoded", "text": "", "params": [{"name": "username", "value": "a b"}, {"name": "password", "value": "p&é"}]}
    },
    "response": {
      "status": 200, "statusText": "OK", "httpVersion": "HTTP/1.1", "cookies": [{"name": "sid", "value": "1", "path": "/", "domain": "", "httpOnly": false, "secure": true}],
      "headers": [{"name": "Set-Cookie", "value": "sid=1; Path=/; Secure"}],
      "content": {"size": 4, "compression": 0, "mimeType": "application/octet-stream", "text": "/wD+AQ==", "encoding": "base64"},
      "redirectURL": "", "headersSize": 10, "bodySize": 4
    },
    "cache": {}, "timings": {"connect": 1.5, "ssl": null, "send": 1, "receive": 2, "wait": 26}, "serverIPAddress": "10.0.0.1"
  }, {
    "startedDateTime": "2024-05-06T07:08:10+00:00", "time": 0,
    "request": {
      "method": "PUT", "url": "https://h/io/b/k", "httpVersion": "HTTP/1.1", "cookies": [],
      "headers": [{"name": "Content-Length", "value": "4"}], "queryString": [], "headersSize": 100, "bodySize": 4,
      "postData": {"mimeType": "", "text": "\u00ff\u0000\u00feA", "params": []}
    },
    "response": {"status": 0, "statusText": "", "httpVersion": "", "headers": [], "cookies": [], "content": {}, "redirectURL": "", "headersSize": -1, "bodySize": -1, "_transferSize": 0, "_error": "connection closed"},
    "cache": {}, "timings": {}
  }, {
    "startedDateTime": "2024-05-06T07:08:11+00:00", "time": 0,
    "request": {
      "method": "PUT", "url": "https://h/io/b/k", "httpVersion": "HTTP/1.1", "cookies": [],
      "headers": [{"name": "Content-Length", "value": "3"}, {"name": "x-name", "value": "\udce9"}], "queryString": [], "headersSize": 100, "bodySize": 3,
      "postData": {"mimeType": "", "text": "\udcff\udc80A", "params": []}
    },
    "response": {"status": 200, "headers": [], "content": {"size": 0, "text": ""}}
  }]
}}"#;

#[test]
fn a_recording_of_mitmproxy_is_read() {
    let recording = read(MITMPROXY).unwrap();
    let [login, put, other] = recording.exchanges.as_slice() else { panic!("three entries") };
    assert_eq!(login.request.body, bytes("username=a+b&password=p%26%C3%A9"));
    assert_eq!(login.response.headers, [pair("Set-Cookie", "sid=1; Path=/; Secure")]);
    assert_eq!(login.response.body, Payload::Bytes(Bytes::from_static(b"\xff\0\xfe\x01")));
    // Bytes as the characters of their numbers, and as lone surrogates.
    assert_eq!(put.request.body, Payload::Bytes(Bytes::from_static(b"\xff\0\xfeA")));
    assert_eq!(put.response.status, 0);
    assert_eq!(other.request.body, Payload::Bytes(Bytes::from_static(b"\xff\x80A")));
}

/// Charles writes HAR 1.2 with a time zone, cookies in headers only, and `_charlesStatus`.
#[test]
fn a_recording_of_charles_is_read() {
    let text = har(
        r#"{"startedDateTime":"2024-05-06T09:08:09.000+0200","time":5,"_charlesStatus":"COMPLETE",
        "request":{"method":"PROPFIND","url":"http://h/dav/","httpVersion":"HTTP/1.1","headers":[{"name":"Depth","value":"1"}],
        "cookies":[],"queryString":[],"headersSize":10,"bodySize":0},
        "response":{"_charlesStatus":"COMPLETE","status":207,"statusText":"","httpVersion":"HTTP/1.1","headers":[],"cookies":[],
        "content":{"size":4,"mimeType":"application/xml","text":"<a/>"},"redirectURL":null,"headersSize":0,"bodySize":4},
        "serverIPAddress":"10.0.0.1","cache":{},"timings":{"dns":-1}}"#,
    );
    let call = read(&text).unwrap().exchanges.remove(0);
    assert_eq!((call.request.method.as_str(), call.response.status), ("PROPFIND", 207));
    assert_eq!(call.response.body, bytes("<a/>"));
}

#[test]
fn a_body_that_was_not_kept_is_said_to_be_left_out() {
    let length = r#","headers":[{"name":"Content-Length","value":"7"}]"#;
    let chunked = r#","headers":[{"name":"Transfer-Encoding","value":"chunked"}]"#;
    assert_eq!(one("", "").request.body, Payload::EMPTY);
    assert_eq!(one(length, "").request.body, Payload::Omitted { length: 7, sha256: None });
    assert_eq!(one(chunked, "").request.body, Payload::Omitted { length: 0, sha256: None });
    assert_eq!(one(r#","bodySize":9"#, "").request.body, Payload::Omitted { length: 9, sha256: None });
    assert_eq!(one("", length).response.body, Payload::Omitted { length: 7, sha256: None });
    assert_eq!(
        one("", r#","content":{"size":8}"#).response.body,
        Payload::Omitted { length: 8, sha256: None }
    );
    // A HEAD answer has a length and no body.
    let head = entry(r#","method":"HEAD""#, length).replace(r#""method":"POST","#, "");
    assert_eq!(read(&har(&head)).unwrap().exchanges[0].response.body, Payload::EMPTY);
}

#[test]
fn a_binary_body_that_a_browser_destroyed_is_left_out() {
    let request =
        r#","headers":[{"name":"Content-Length","value":"4"}],"postData":{"text":"\ufffd\u0000\ufffdA"}"#;
    let recording = read(&har(&entry(request, ""))).unwrap();
    assert_eq!(recording.exchanges[0].request.body, Payload::Omitted { length: 4, sha256: None });
    assert_eq!(recording.notes, ["entry 1: its request body was no text and came without its bytes"]);
}

#[test]
fn a_form_comes_back_from_its_fields() {
    let request = r#","headers":[{"name":"Content-Type","value":"multipart/form-data; boundary=\"B\""}],
        "postData":{"mimeType":"","params":[{"name":"dir","value":"/"},{"name":"f","fileName":"a\".txt","contentType":"text/plain","value":"hello"}]}"#;
    let body = "--B\r\nContent-Disposition: form-data; name=\"dir\"\r\n\r\n/\r\n\
        --B\r\nContent-Disposition: form-data; name=\"f\"; filename=\"a%22.txt\"\r\nContent-Type: text/plain\r\n\r\nhello\r\n\
        --B--\r\n";
    assert_eq!(one(request, "").request.body, bytes(body));
}

/// Chrome has no content of files among the parameters, older Firefox `(binary)`.
#[test]
fn a_file_that_a_browser_left_out_of_a_form_has_a_length() {
    let request = |length: u64, file: &str| {
        format!(
            r#","headers":[{{"name":"Content-Type","value":"multipart/form-data; boundary=B"}},{{"name":"Content-Length","value":"{length}"}}],
            "postData":{{"mimeType":"","params":[{{"name":"dir","value":"/"}},{{"name":"f","fileName":"a.txt","contentType":"text/plain"{file}}}]}}"#
        )
    };
    let around = "--B\r\nContent-Disposition: form-data; name=\"dir\"\r\n\r\n/\r\n\
        --B\r\nContent-Disposition: form-data; name=\"f\"; filename=\"a.txt\"\r\nContent-Type: text/plain\r\n\r\n\r\n\
        --B--\r\n";
    let length = around.len() as u64;
    for file in ["", r#","value":"(binary)""#, r#","value":"""#] {
        let Payload::Form(form) = one(&request(length + 5, file), "").request.body else { panic!("{file}") };
        assert_eq!(form.length, length + 5);
        assert_eq!(form.parts[0].content, Content::Bytes(Bytes::from_static(b"/")));
        assert_eq!(form.parts[1].content, Content::Omitted { length: 5, sha256: None });
    }
    // An empty file is one.
    assert_eq!(one(&request(length, ""), "").request.body, bytes(around));
}

#[test]
fn what_is_no_har_is_named() {
    for (text, message) in [
        ("", "not a HAR: the file is empty"),
        ("\u{feff}", "the file ends too early: it is truncated"),
        ("{}", "not a HAR: it has no `log`"),
        (r#"{"log":{}}"#, "not a HAR: its `log` has no `entries`"),
        (r#"{"log":{"version":"1.2"}}"#, "not a HAR: its `log` has no `entries`"),
        (r#"{"log":{"version":"2.0","entries":[]}}"#, "HAR version `2.0` is not known here: 1.1 and 1.2 are"),
        (r#"{"log":{"version":"1.0","entries":[]}}"#, "HAR version `1.0` is not known here: 1.1 and 1.2 are"),
        (r#"{"log":{"version":3,"entries":[]}}"#, "HAR version `3` is not known here: 1.1 and 1.2 are"),
    ] {
        assert_eq!(refused(text), message, "{text}");
    }
    for text in [
        "hello",
        "<html>",
        "[]",
        "12",
        "\0\0\0",
        r#"{"log":[]}"#,
        r#"{"log":{"entries":{}}}"#,
        "{\"log\":\u{1}}",
    ] {
        assert!(refused(text).starts_with("not JSON: "), "{text}: {}", refused(text));
    }
    let bytes: &[u8] = b"\xff\xfe{\0";
    assert!(Recording::read_from(bytes, &Limits::default()).unwrap_err().to_string().contains("UTF-16"));
    let bytes: &[u8] = b"\x1f\x8b\x08\0";
    assert!(Recording::read_from(bytes, &Limits::default()).unwrap_err().to_string().contains("compressed"));
}

#[test]
fn a_missing_version_is_noted_and_a_byte_order_mark_is_skipped() {
    let recording = read("\u{feff}{\"log\":{\"entries\":[]}}").unwrap();
    assert_eq!(recording.notes, ["`log.version` is missing; read as 1.2"]);
    assert_eq!((recording.exchanges.len(), recording.creator.as_str()), (0, "unknown"));
    assert!(read(r#"{"log":{"entries":[],"version":1.1}}"#).unwrap().notes.is_empty());
}

#[test]
fn a_wrong_entry_is_named_by_number() {
    let base64 = r#","content":{"text":"@@@","encoding":"base64"}"#;
    for (request, response, message) in [
        ("", base64, "entry 2: the response body is not base64"),
        (
            "",
            r#","content":{"text":"x","encoding":"rot13"}"#,
            "entry 2: the response body is in an encoding that is not known",
        ),
        (r#","postData":{"text":"=","_encoding":"base64"}"#, "", "entry 2: the request body is not base64"),
        (
            r#","postData":{"_length":9,"params":[{"name":"a","_length":1,"_sha256":"AB"}]}"#,
            "",
            "entry 2: `_sha256` of the request body is no SHA-256 in lower-case hexadecimal",
        ),
        (
            r#","postData":{"_length":9,"params":[{"name":"a","value":"=","_encoding":"base64"}]}"#,
            "",
            "entry 2: the request body is not base64",
        ),
        (
            r#","postData":{"_length":9,"params":[{"name":"a","contentType":"x\r\ny"}]}"#,
            "",
            "entry 2: a part of its form has a line end in its head",
        ),
        (
            r#","postData":{"_length":1,"_sha256":"AB"}"#,
            "",
            "entry 2: `_sha256` of the request body is no SHA-256 in lower-case hexadecimal",
        ),
        (
            r#","headers":[{"name":"a b","value":""}]"#,
            "",
            "entry 2: a request header has a name that is none",
        ),
        (r#","headers":[{"value":""}]"#, "", "entry 2: a request header has no name"),
        (
            r#","headers":[{"name":"a","value":"x\u0000"}]"#,
            "",
            "entry 2: the header `a` holds a control character",
        ),
        (
            "",
            r#","headers":[{"name":"a","value":"\u0007"}]"#,
            "entry 2: the header `a` holds a control character",
        ),
        ("", r#","headers":7"#, "entry 2: invalid type, expected a sequence"),
        ("", r#","content":{"text":7}"#, "entry 2: invalid type, expected a string"),
        // What the value was stays out of the message.
        (r#","headers":"hush-hush""#, "", "entry 2: invalid type, expected a sequence"),
    ] {
        assert_eq!(wrong(request, response), message);
    }
    let with = |from: &str, to: &str| {
        refused(&har(&format!("{},{}", entry("", ""), entry("", "").replace(from, to))))
    };
    assert_eq!(with("http://h/x", "/x"), "entry 2: `request.url` is no URL: it has no scheme");
    assert_eq!(
        with("http://h/x", r"http://h/\u0000"),
        "entry 2: `request.url` is no URL: it holds a space or a control character"
    );
    assert_eq!(with("2026-01-01T00:00:00Z", "now"), "entry 2: `startedDateTime` is no date");
    assert_eq!(with("\"startedDateTime\"", "\"started\""), "entry 2: it has no `startedDateTime`");
    assert_eq!(with("\"request\"", "\"req\""), "entry 2: it has no `request`");
    assert_eq!(with("\"method\":\"POST\"", "\"method\":\"A B\""), "entry 2: `request.method` is no method");
    assert_eq!(with(":200", ":20.5"), "entry 2: `response.status` is no status");
    assert_eq!(with(":200", ":99999"), "entry 2: `response.status` is no status");
    assert!(with(":200", ":1e999").starts_with("entry 2: not JSON: number out of range"));
    assert!(with(":200", ":0200").starts_with("entry 2: not JSON: "));
}

#[test]
fn a_truncated_file_names_the_entry_it_ends_in() {
    let whole = har(&format!("{},{},{}", entry("", ""), entry("", ""), entry("", "")));
    for end in 1..whole.len() {
        let message = refused(&whole[..end]);
        assert!(message.contains("the file ends too early"), "{end}: {message}");
    }
    let second = whole.match_indices("startedDateTime").nth(1).unwrap().0;
    assert_eq!(refused(&whole[..second]), "entry 2: the file ends too early: it is truncated");
    assert!(refused(&format!("{whole}x")).starts_with("not JSON: trailing characters"));
}

#[test]
fn hostile_files_are_refused_without_much_memory() {
    let deep = "[".repeat(100_000);
    assert!(refused(&deep).starts_with("not JSON: "));
    assert_eq!(refused(&format!("{{\"x\":{deep}")), "nested too deep");
    let field = entry(&format!(",\"_x\":{deep}"), "");
    assert_eq!(refused(&har(&format!("{},{field}", entry("", "")))), "entry 2: nested too deep");
    // Brackets in a string are no nesting.
    let text = format!(r#","postData":{{"text":"\"{deep}\\"}}"#);
    assert_eq!(one(&text, "").request.body.length(), 100_002);

    let limits = Limits { file: 1000, body: 10 };
    let long = har(&entry(r#","postData":{"text":"12345678901"}"#, ""));
    let error = Recording::read_from(long.as_bytes(), &limits).unwrap_err();
    assert_eq!(error.to_string(), "entry 1: the request body is larger than 10 bytes");
    let endless = std::io::Read::chain(&b"{\"log\":{\"entries\":["[..], std::io::repeat(b' '));
    let error = Recording::read_from(endless, &limits).unwrap_err();
    assert_eq!(error.to_string(), "the file is larger than 1000 bytes");
}

fn exchanges() -> Vec<Exchange> {
    let base = Exchange {
        number: 1,
        started: datetime!(2026-01-02 03:04:05.678 UTC),
        took: Duration::from_micros(1500),
        request: Sent {
            method: "PUT".to_owned(),
            origin: "http://127.0.0.1:8090".to_owned(),
            target: "//a/%2F..;x?q=%20&r".to_owned(),
            headers: vec![
                pair("host", "127.0.0.1:8090"),
                pair("x-a", "1"),
                pair("X-A", "2"),
                pair("cookie", "a=1; b=2"),
            ],
            body: Payload::Bytes(Bytes::from_static(b"\xff\0")),
        },
        response: Answered {
            status: 201,
            headers: vec![
                pair("set-cookie", "a=1; Path=/"),
                pair("set-cookie", "b="),
                pair("location", "/x"),
            ],
            body: bytes("a\n\"é\"\t"),
        },
        comment: Some("by hand".to_owned()),
    };
    let mut empty = base.clone();
    empty.number = 2;
    empty.comment = None;
    empty.request.target = "*".to_owned();
    empty.request.headers = vec![pair("content-length", "5"), pair("transfer-encoding", "chunked")];
    empty.request.body = Payload::EMPTY;
    empty.response = Answered { status: 0, headers: Vec::new(), body: Payload::EMPTY };
    let mut omitted = base.clone();
    omitted.number = 3;
    omitted.request.body = Payload::Omitted { length: 1 << 40, sha256: Some("0f".repeat(32)) };
    omitted.response.body = Payload::Omitted { length: 7, sha256: None };
    let mut scrubbed = base.clone();
    scrubbed.number = 4;
    scrubbed.request.headers = vec![pair("content-length", "3")];
    // Three characters, as many as the length says, and yet text.
    scrubbed.request.body = bytes("éèà");
    let mut form = base.clone();
    form.number = 5;
    form.request.headers = vec![pair("content-type", "multipart/form-data; boundary=B")];
    let part = |name: &str, file_name: Option<&str>, content| Part {
        name: name.to_owned(),
        file_name: file_name.map(str::to_owned),
        content_type: file_name.map(|_| "image/png".to_owned()),
        headers: vec![pair("X-Own", "\"1\"")],
        content,
    };
    let parts = vec![
        part("dir", None, Content::Bytes(Bytes::from_static(b"/\r\na"))),
        part("empty", None, Content::Bytes(Bytes::new())),
        part("a", Some("\\\"é.png"), Content::Omitted { length: 1 << 40, sha256: Some("0f".repeat(32)) }),
        part("b", Some(""), Content::Bytes(Bytes::from_static(b"\xff\0"))),
    ];
    form.request.body = Payload::Form(Form { length: 1 << 41, parts });
    vec![base, empty, omitted, scrubbed, form]
}

#[test]
fn what_is_written_is_read_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.har");
    let recording = Recording {
        comment: Some("recorded: \"x\"".to_owned()),
        creator: format!("cellgate {}", env!("CARGO_PKG_VERSION")),
        exchanges: exchanges(),
        skipped: Vec::new(),
        notes: Vec::new(),
    };
    recording.write(&path).unwrap();
    assert_eq!(Recording::read(&path, &Limits::default()).unwrap(), recording);
    let names: Vec<_> =
        std::fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().file_name()).collect();
    assert_eq!(names, ["x.har"]);

    let error = Recording::read(&path, &Limits { file: 10, body: 10 }).unwrap_err();
    assert_eq!(error.to_string(), "the file is larger than 10 bytes");
}

#[test]
fn the_file_is_whole_after_every_entry() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.har");
    let mut writer = Writer::create_new(&path, None).unwrap();
    assert!(Writer::create_new(&path, None).is_err());
    for (count, exchange) in exchanges().iter().enumerate() {
        let recording = Recording::read(&path, &Limits::default()).unwrap();
        assert_eq!(recording.exchanges.len(), count);
        writer.append(exchange).unwrap();
        assert_eq!(writer.written(), count + 1);
    }
}

/// What the specification says must be there, is there.
#[test]
fn an_entry_has_all_fields_of_the_specification() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.har");
    Writer::create(&path, Some("c")).unwrap().append(&exchanges()[0]).unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    let log = &json["log"];
    assert_eq!((&log["version"], &log["creator"]["name"]), (&"1.2".into(), &"cellgate".into()));
    let entry = &log["entries"][0];
    let has = |value: &serde_json::Value, fields: &[&str]| {
        for field in fields {
            assert!(value.get(field).is_some(), "{field}: {value}");
        }
    };
    has(log, &["version", "creator", "entries", "comment"]);
    has(entry, &["startedDateTime", "time", "request", "response", "cache", "timings"]);
    has(
        &entry["request"],
        &["method", "url", "httpVersion", "cookies", "headers", "queryString", "headersSize", "bodySize"],
    );
    has(&entry["request"]["postData"], &["mimeType", "text"]);
    has(
        &entry["response"],
        &[
            "status",
            "statusText",
            "httpVersion",
            "cookies",
            "headers",
            "content",
            "redirectURL",
            "headersSize",
            "bodySize",
        ],
    );
    has(&entry["response"]["content"], &["size", "mimeType", "text"]);
    has(&entry["timings"], &["send", "wait", "receive"]);
    assert_eq!(entry["startedDateTime"], "2026-01-02T03:04:05.678Z");
    assert_eq!(entry["request"]["queryString"][0], serde_json::json!({"name": "q", "value": " "}));
    // A header is a line.
    assert!(text.contains("\n      { \"name\": \"x-a\", \"value\": \"1\" },\n"), "{text}");
}
