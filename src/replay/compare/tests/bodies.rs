use super::*;

#[test]
fn statuses() {
    let status = |status| answer(status, &[], "");
    let judgement = strict("webdav").call("PUT", "/dav/a").judge(&status(201), &status(204));
    different(&judgement, &["status"]);
    compatible(
        &replay("rclone/v1.60", "webdav").call("PUT", "/dav/a").judge(&status(201), &status(204)),
        &["status"],
    );
    different(
        &replay("rclone/v1.60", "webdav").call("GET", "/dav/a").judge(&status(200), &status(404)),
        &["status"],
    );
    let refused = answer(403, &[], "<Error><Code>AccessDenied</Code></Error>");
    let judgement = strict("s3").judge(&status(200), &refused);
    different(&judgement, &["status"]);
    assert!(why(&judgement).contains("AccessDenied"));
    compatible(&strict("s3").judge(&status(0), &status(200)), &["status"]);
}

#[test]
fn a_client_that_examines_no_status_reads_the_body() {
    let stat = |status, body: &str| answer(status, &[("Content-Type", "application/json")], body);
    let mut sync = replay("python-requests/2.31", "pydio8");
    let recorded = stat(200, "{\"size\":5}");
    compatible(&sync.judge(&recorded, &stat(500, "{\"size\":5}")), &["status"]);
    different(&sync.judge(&recorded, &stat(500, "{}")), &["$.size"]);
    different(&sync.judge(&recorded, &stat(401, "{\"size\":5}")), &["status"]);
}

#[test]
fn what_the_server_does_not_know_is_unsupported() {
    let status = |status| answer(status, &[], "");
    let unsupported = |mut replay: Replay, recorded: &Answered, fresh: &Answered| {
        replay.judge(recorded, fresh).verdict == Verdict::Unsupported
    };
    assert!(unsupported(strict("cells"), &status(200), &status(501)));
    assert!(!unsupported(strict("cells"), &status(501), &status(501)));
    assert!(!unsupported(strict("cells"), &status(404), &status(501)));
    let not = answer(400, &[], "<Error><Code>NotImplemented</Code></Error>");
    assert!(unsupported(strict("s3"), &status(200), &not));
    let unknown = xml("<tree><message type=\"ERROR\">Could not find action share</message></tree>");
    assert!(unsupported(strict("pydio8"), &xml("<tree/>"), &unknown));
    assert!(!unsupported(strict("pydio8"), &unknown, &unknown));
    assert!(unsupported(strict("webdav").call("LOCK", "/dav/a"), &status(200), &status(405)));
    assert!(!unsupported(strict("webdav").call("MKCOL", "/dav/a"), &status(201), &status(405)));
    assert!(!unsupported(strict("webdav").call("LOCK", "/dav/a"), &status(405), &status(405)));
}

#[test]
fn files_are_compared_byte_by_byte() {
    let file =
        |body: &str| answer(200, &[("Content-Type", "application/json"), ("Accept-Ranges", "bytes")], body);
    let mut script = strict("s3").call("GET", "/io/ws/a.json");
    same(&script.judge(&file("{\"a\": 1}"), &file("{\"a\": 1}")));
    let judgement = script.judge(&file("{\"a\": 1}"), &file("{\"a\":  1}"));
    different(&judgement, &["body"]);
    assert_eq!(why(&judgement), "they differ from byte 6 on");
    let dav = |body: &str| answer(200, &[("Content-Type", "text/html")], body);
    different(
        &strict("webdav").call("GET", "/dav/a.html").judge(&dav("<html>1"), &dav("<html>2")),
        &["body"],
    );
}

#[test]
fn bodies_that_were_left_out_go_by_hash_and_length() {
    let omitted = |length, sha256: Option<&str>| Answered {
        status: 200,
        headers: Vec::new(),
        body: Payload::Omitted { length, sha256: sha256.map(str::to_owned) },
    };
    let hello = answer(200, &[], "hello");
    let sha256 = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
    let mut script = strict("s3").call("GET", "/io/a");
    same(&script.judge(&omitted(5, Some(sha256)), &hello));
    same(&script.judge(&omitted(5, Some("aa")), &omitted(5, Some("aa"))));
    different(&script.judge(&omitted(5, Some("aa")), &hello), &["body"]);
    different(&script.judge(&omitted(6, Some(sha256)), &omitted(5, Some("bb"))), &["body"]);
    compatible(&script.judge(&omitted(5, None), &hello), &["body"]);
    script.values.set_content("aa", sha256);
    same(&script.judge(&omitted(5, Some("aa")), &hello));
    compatible(&script.judge(&omitted(5, Some("cc")), &hello), &["body"]);
    different(&script.judge(&omitted(7, Some("cc")), &hello), &["body"]);
    let listing =
        Answered { headers: owned(&[("Content-Type", "application/xml")]), ..omitted(70, Some("cc")) };
    compatible(&strict("s3").judge(&listing, &xml("<ListBucketResult/>")), &["header content-type", "body"]);
}

#[test]
fn pages_are_for_people() {
    let page = |text: &str| answer(200, &[("Content-Type", "text/html")], text);
    let mut script = strict("cells");
    compatible(&script.judge(&page("<!DOCTYPE html><p>old"), &page("<!DOCTYPE html><p>new")), &["body"]);
    same(&script.judge(&page("<p>old"), &page("<p>old")));
    let judgement =
        script.judge(&page("<p>old"), &answer(200, &[("Content-Type", "application/json")], "{}"));
    different(&judgement, &["header content-type"]);
}

#[test]
fn texts_are_compared_line_by_line() {
    let text = |text: &str| answer(200, &[("Content-Type", "text/plain")], text);
    let mut script = strict("pydio8");
    same(&script.judge(&text("-1"), &text("-1")));
    different(&script.judge(&text("-1"), &text("0")), &["body"]);
    same(&script.judge(&text("https://old.example.com/public/x"), &text("http://127.0.0.1:8080/public/x")));
    different(&script.judge(&text("a\nb\nc"), &text("a\nx\nc")), &["line 2"]);
    different(&script.judge(&text("a\nb"), &text("a")), &["body"]);
}

#[test]
fn a_body_on_one_side_only() {
    let created = |body: &str| answer(201, &[("Content-Type", "text/plain")], body);
    compatible(&strict("webdav").call("PUT", "/dav/a").judge(&created("Created"), &created("")), &["body"]);
    compatible(&strict("webdav").call("PUT", "/dav/a").judge(&created(""), &created("Created")), &["body"]);
    different(&strict("pydio8").judge(&json("{\"a\":1}"), &json("")), &["body"]);
    different(
        &strict("webdav").call("GET", "/dav/a").judge(&answer(200, &[], "x"), &answer(200, &[], "")),
        &["body"],
    );
    let failed = |body: &str| answer(404, &[("Content-Type", "text/html")], body);
    compatible(&strict("webdav").judge(&failed("<p>Not found"), &failed("")), &["body"]);
}

#[test]
fn a_judgement_has_its_bounds() {
    let many = |value: u32| {
        let members: Vec<_> = (0..500).map(|n| format!("\"m{n}\":\"{}{value}\"", "x".repeat(1000))).collect();
        format!("{{{}}}", members.join(","))
    };
    let judgement = strict("seafile").json(&many(1), &many(2));
    assert!(judgement.findings.len() < 50, "{}", judgement.findings.len());
    let last = judgement.findings.last().and_then(|finding| finding.why.clone());
    assert_eq!(last.as_deref(), Some("470 more"));
    let lengths = judgement.findings.iter().filter_map(|finding| finding.fresh.as_deref()).map(str::len);
    assert!(lengths.max() < Some(300));
}

#[test]
fn long_listings_are_compared_in_good_time() {
    let entry = |n: usize, kind: char| {
        format!("<tree filename=\"/{n}\" id=\"{n:08}-0000-4000-8000-{kind}00000000000\" bytesize=\"{n}\"/>")
    };
    let listing = |kind| -> String {
        let entries = (0..20_000).map(|n| entry(n, kind));
        format!("<tree filename=\"/\">{}</tree>", entries.collect::<String>())
    };
    let started = std::time::Instant::now();
    same(&strict("pydio8").xml(&listing('a'), &listing('b')));
    let judgement =
        strict("pydio8").xml(&listing('a'), &listing('b').replace("filename=\"/", "filename=\"/x"));
    assert_eq!(judgement.verdict, Verdict::Different);
    assert!(started.elapsed().as_secs() < 20, "{:?}", started.elapsed());
}
