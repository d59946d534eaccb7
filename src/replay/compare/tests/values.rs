//! What stands for what, over several calls.

use super::*;

const A: &str = "aaaaaaaa-1111-4222-8333-444444444444";
const B: &str = "bbbbbbbb-1111-4222-8333-444444444444";
const X: &str = "11111111-9999-4222-8333-444444444444";
const Y: &str = "22222222-9999-4222-8333-444444444444";

fn node(uuid: &str) -> String {
    format!("{{\"Node\":{{\"Uuid\":\"{uuid}\",\"Path\":\"ws/a\"}}}}")
}

#[test]
fn an_identifier_that_changes_is_found() {
    let mut script = strict("cells");
    same(&script.json(&node(A), &node(X)));
    same(&script.json(&node(A), &node(X)));
    assert_eq!(script.values.substitute_target(&format!("/a/share/link/{A}")), format!("/a/share/link/{X}"));
    let judgement = script.json(&node(A), &node(Y));
    different(&judgement, &["$.Node.Uuid"]);
    assert!(why(&judgement).contains("changed identity"), "{}", why(&judgement));
    let judgement = script.json(&node(B), &node(X));
    assert!(why(&judgement).contains("changed identity"), "{}", why(&judgement));
    // nor may it be the recorded one all of a sudden
    let judgement = script.json(&node(A), &node(A));
    assert!(why(&judgement).contains("changed identity"), "{}", why(&judgement));
}

#[test]
fn an_identifier_is_none_when_it_is_a_word() {
    let mut script = strict("cells");
    different(&script.json(&node(A), &node("")), &["$.Node.Uuid"]);
    different(&script.json(&node(A), &node("new")), &["$.Node.Uuid"]);
    let zero = "0000000000000000000000000000000000000000";
    let some = "da39a3ee5e6b4b0d3255bfef95601890afd80709";
    let entry = |id: &str| format!("[{{\"id\":\"{id}\",\"name\":\"a\"}}]");
    compatible(&strict("seafile").json(&entry(zero), &entry(some)), &["$[0].id"]);
    different(&strict("seafile").json(&entry(some), &entry(zero)), &["$[0].id"]);
    different(&strict("seafile").json(&entry(some), &entry("1")), &["$[0].id"]);
}

#[test]
fn secrets_are_learnt_and_never_shown() {
    let mut script = strict("cells");
    same(&script.json(
        r#"{"JWT":"__jwt_1__","Token":{"AccessToken":"__jwt_1__"}}"#,
        r#"{"JWT":"new-secret-1","Token":{"AccessToken":"new-secret-1"}}"#,
    ));
    assert_eq!(script.values.get("__jwt_1__"), Some("new-secret-1"));
    assert_eq!(script.values.substitute("Bearer __jwt_1__"), "Bearer new-secret-1");
    let judgement = script.json(
        r#"{"Label":"none"}"#,
        r#"{"Label":"it is new-secret-1","password":"hunter2","x":"eyJhbGci.eyJzdWIi.c2ln"}"#,
    );
    let said = format!("{judgement:?}");
    assert!(said.contains("it is __jwt_1__"), "{said}");
    assert!(!said.contains("new-secret-1") && !said.contains("hunter2") && !said.contains("eyJ"), "{said}");
}

#[test]
fn a_secret_within_a_longer_text_is_learnt() {
    let mut script = strict("pydio8");
    let login = r#"<tree ><logging_result value="1" secure_token="__secure_token_1__"/></tree>"#;
    same(&script.xml(login, &login.replace("__secure_token_1__", "f3Jxyz")));
    assert_eq!(script.values.get("__secure_token_1__"), Some("f3Jxyz"));
    different(&script.xml(login, &login.replace("\"1\"", "\"-1\"")), &["/tree/logging_result/@value"]);
    let link = |host: &str, token: &str| format!("\"{host}/seafhttp/upload-api/{token}\"");
    let mut script = strict("seafile");
    same(&script.json(
        &link("https://old.example.com", "__link_token_1__"),
        &link("http://127.0.0.1:8080", "0fed-12"),
    ));
    assert_eq!(script.values.get("__link_token_1__"), Some("0fed-12"));
    // An empty one is none.
    let judgement = script.json(r#"{"token":"__seafile_token_1__"}"#, r#"{"token":""}"#);
    different(&judgement, &["$.token"]);
}

#[test]
fn links_lead_to_the_target() {
    let link = |host: &str, id: &str| format!("\"{host}/seafhttp/files/{id}/report.txt\"");
    let mut script = strict("seafile");
    same(&script.json(&link("https://old.example.com", A), &link("http://127.0.0.1:8080", X)));
    assert_eq!(
        script.values.substitute(&link("https://old.example.com", A)),
        link("http://127.0.0.1:8080", X)
    );
    different(&script.json(&link("https://old.example.com", A), &link("http://elsewhere:8080", X)), &["$"]);
    let other = link("http://127.0.0.1:8080", X).replace("report", "other");
    different(&script.json(&link("https://old.example.com", A), &other), &["$"]);
}

#[test]
fn a_repository_is_one_of_its_class() {
    let registry = |id: &str| {
        format!("<r><repo id=\"{id}\" repositorySlug=\"my-files\"/><active_repo id=\"{id}\"/></r>")
    };
    let mut java = replay("Pydio-Native", "pydio8");
    same(&java.xml(&registry("1"), &registry("my-files-id")));
    assert_eq!(
        java.values.substitute("get_action=ls&tmp_repository_id=1"),
        "get_action=ls&tmp_repository_id=my-files-id"
    );
    assert_eq!(java.values.substitute("dir=/1&x=1"), "dir=/1&x=1");
    let judgement = java.xml(&registry("2"), &registry("my-files-id"));
    different(&judgement, &["/r/repo/@id", "/r/active_repo/@id"]);
}

#[test]
fn the_login_is_the_replays() {
    let mut script = strict("cells");
    script.values.set_login("alice", "bob");
    same(
        &script
            .json(r#"{"Login":"alice","Home":"/home/alice/x"}"#, r#"{"Login":"bob","Home":"/home/bob/x"}"#),
    );
    different(&script.json(r#"{"Login":"alice"}"#, r#"{"Login":"carol"}"#), &["$.Login"]);
    different(&script.json(r#"{"Name":"alice.txt"}"#, r#"{"Name":"bob.txt"}"#), &["$.Name"]);
}

#[test]
fn names_and_sizes_are_never_identifiers() {
    let mut script = strict("seafile");
    for (recorded, fresh) in [
        (r#"{"size":1234567890123}"#, r#"{"size":1234567890124}"#),
        (r#"{"name":"k3J9x0PqLm28ZtR5vN1a"}"#, r#"{"name":"a1B2c3D4e5F6g7H8i9J0"}"#),
        (r#"{"x":"report-2024.pdf"}"#, r#"{"x":"report-2025.pdf"}"#),
        (r#"{"flag":true}"#, r#"{"flag":false}"#),
        (r#"{"x":123456789012}"#, r#"{"x":123456789013}"#),
    ] {
        assert_eq!(script.json(recorded, fresh).verdict, Verdict::Different, "{recorded}");
    }
    same(&script.json(r#"{"x":"k3J9x0PqLm28ZtR5vN1a"}"#, r#"{"x":"a1B2c3D4e5F6g7H8i9J0"}"#));
}

#[test]
fn task_identifiers_have_any_form() {
    let mut script = strict("cells");
    let job = |id: &str| format!("{{\"JobUuid\":\"{id}\"}}");
    same(&script.json(&job(&format!("copy-move-{A}")), &job(&format!("copy-move-{X}"))));
    assert_eq!(script.values.substitute(&format!("\"copy-move-{A}\"")), format!("\"copy-move-{X}\""));
    let mut script = strict("cells");
    same(&script.json(&job(&format!("copy-move-{A}")), &job("k3J9x0PqLm28ZtR5vN1a")));
    assert_eq!(script.values.substitute(&format!("\"copy-move-{A}\"")), "\"k3J9x0PqLm28ZtR5vN1a\"");
}

#[test]
fn digests_of_what_was_sent_are_data() {
    let put = |etag: &str| answer(200, &[("ETag", etag)], "");
    let mut script = strict("s3").call("PUT", "/io/ws/a");
    let md5 = "\"5d41402abc4b2a76b9719d911017c592\"";
    same(&script.judge_sent(&[], "hello", &put(md5), &put(md5)));
    let judgement = script.judge_sent(&[], "hello", &put(md5), &put("\"62109206880d38a4010a98e11243924a\""));
    different(&judgement, &["header etag"]);
    assert!(why(&judgement).contains("digest"), "{}", why(&judgement));
    let list =
        |hash: &str| format!("<L><Contents><Key>a</Key><ETag>&quot;{hash}&quot;</ETag></Contents></L>");
    different(
        &script.xml(&list("5d41402abc4b2a76b9719d911017c592"), &list("62109206880d38a4010a98e11243924a")),
        &["/L/Contents/ETag"],
    );
}

#[test]
fn another_digest_of_the_same_content_will_do_where_nobody_checks() {
    let put = |etag: &str| answer(200, &[("ETag", etag)], "");
    let mut script = strict("s3").call("PUT", "/io/ws/a");
    // Cells' own hash, which looks like an MD5 and is none.
    let (hash, md5) = ("\"62109206880d38a4010a98e11243924a\"", "\"5d41402abc4b2a76b9719d911017c592\"");
    compatible(&script.judge_sent(&[], "hello", &put(hash), &put(md5)), &["header etag"]);
    assert_eq!(script.values.substitute(hash), md5);
    different(
        &script.judge_sent(&[], "world", &put(hash), &put("\"7d793037a0760186574b0282f2f435e7\"")),
        &["header etag"],
    );
}

#[test]
fn people_are_others_but_always_the_same() {
    let owner = |name: &str| format!("{{\"owner_name\":\"{name}\"}}");
    let mut script = strict("seafile");
    same(&script.json(&owner("Alice"), &owner("Administrator")));
    same(&script.json(&owner("Alice"), &owner("Administrator")));
    compatible(&script.json(&owner("Alice"), &owner("Carol")), &["$.owner_name"]);
    different(&script.json(&owner("Alice"), &owner("")), &["$.owner_name"]);
}

#[test]
fn checksums_of_replaced_parts_go_with_them() {
    let part = |crc: &str| answer(200, &[("x-amz-checksum-crc32", crc)], "");
    let mut script = strict("s3").call("PUT", "/io/a?partNumber=1&uploadId=u");
    same(&script.judge(&part("qFrXuQ=="), &part("SLGDUA==")));
    assert_eq!(
        script.values.substitute("<ChecksumCRC32>qFrXuQ==</ChecksumCRC32>"),
        "<ChecksumCRC32>SLGDUA==</ChecksumCRC32>"
    );
    different(
        &script.judge_sent(&[], "hello", &part("NhCmhg=="), &part("SLGDUA==")),
        &["header x-amz-checksum-crc32"],
    );
}

#[test]
fn etags_that_are_no_digests_stand_for_each_other() {
    let get = |etag: &str| answer(200, &[("ETag", etag)], "");
    let mut script = strict("webdav").call("GET", "/dav/a");
    same(&script.judge(&get("\"17cd3f5a2b0000004d2\""), &get("\"5-1\"")));
    assert_eq!(script.values.substitute("\"17cd3f5a2b0000004d2\""), "\"5-1\"");
    // The file was written: who asks with the old one must not be told that it is the same.
    let judgement = script.judge(&get("\"17cd3f5a2b0000004d3\""), &get("\"5-1\""));
    different(&judgement, &["header etag"]);
    compatible(&script.judge(&get("\"17cd3f5a2b0000004d3\""), &get("\"6-1\"")), &["header etag"]);
    different(&script.judge(&get("\"17cd3f5a2b0000004d3\""), &get("W/\"6-1\"")), &["header etag"]);
    different(&script.judge(&get("\"17cd3f5a2b0000004d3\""), &answer(200, &[], "")), &["header etag"]);
}

#[test]
fn times_are_sent_as_they_were_answered() {
    let get = |time: &str| answer(200, &[("Last-Modified", time)], "");
    let mut script = strict("webdav").call("GET", "/dav/a");
    let (then, now) = ("Fri, 02 Jan 2026 03:05:00 GMT", "Wed, 05 May 2027 10:00:30 GMT");
    same(&script.judge(&get(then), &get(now)));
    assert_eq!(script.values.substitute(then), now);
    let old = "Tue, 01 Jan 2019 00:00:00 GMT";
    same(&script.judge(&get(old), &get(old)));
    different(&script.judge(&get(old), &get(now)), &["header last-modified"]);
    different(&script.judge(&get(then), &get("2027-05-05T10:00:30Z")), &["header last-modified"]);
    let iso = |time: &str| format!("{{\"mtime\":\"{time}\"}}");
    let mut script = strict("seafile");
    different(&script.json(&iso("2026-01-02T03:05:00+00:00"), &iso("2027-05-05T10:00:30Z")), &["$.mtime"]);
    compatible(&script.json(&iso("2026-01-02T03:05:00Z"), &iso("2027-05-05T10:00:30.5Z")), &["$.mtime"]);
}

#[test]
fn a_time_that_the_client_had_set_will_do() {
    let get = |time: &str| answer(200, &[("Last-Modified", time)], "");
    let (then, set) = ("Fri, 02 Jan 2026 03:05:00 GMT", "Mon, 03 Mar 2025 16:21:05 GMT");
    let mut explorer = replay("Microsoft-WebDAV-MiniRedir/10.0", "webdav").call("PROPPATCH", "/dav/a");
    different(&explorer.judge(&get(then), &get(set)), &["header last-modified"]);
    let body = format!("<p><Z:Win32LastModifiedTime>{set}</Z:Win32LastModifiedTime></p>");
    compatible(&explorer.judge_sent(&[], &body, &get(then), &get(set)), &["header last-modified"]);
}

#[test]
fn upload_identifiers_and_pages() {
    let upload = |id: &str| format!("<I><UploadId>{id}</UploadId></I>");
    let mut script = strict("s3").call("POST", "/io/a?uploads");
    same(&script.xml(&upload("up1"), &upload("VXBsb2FkIElEIGZvciA2aWWpbmcn")));
    assert_eq!(
        script.values.substitute_target("/io/a?partNumber=1&uploadId=up1&x=up1"),
        "/io/a?partNumber=1&uploadId=VXBsb2FkIElEIGZvciA2aWWpbmcn&x=up1"
    );
    let page = |token: &str| format!("<L><NextContinuationToken>{token}</NextContinuationToken></L>");
    same(&script.xml(&page("1ueGcxLPRx1Tr/XYExHnhbYLgveDs2J/wm36Hy4vbOwM="), &page("b/2=")));
    assert_eq!(
        script
            .values
            .substitute_target("/io?continuation-token=1ueGcxLPRx1Tr%2FXYExHnhbYLgveDs2J%2Fwm36Hy4vbOwM%3D"),
        "/io?continuation-token=b%2F2%3D"
    );
    let version = |id: &str| answer(200, &[("x-amz-version-id", id)], "");
    different(&script.judge(&version("null"), &version("abc123")), &["header x-amz-version-id"]);
}
