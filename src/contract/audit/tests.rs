//! The audit as a whole, against a small contract of its own.

use super::*;
use crate::Table;

const TABLE: &str = r#"
title = "Actions"
source = "a test"
calls = ["GET|POST /api/{workspace}/{operation}/{rest*}", "GET|POST /index.php?get_action={operation}"]

[[section]]
title = "Files"
rows = [
  { operation = "ls", state = "done", cases = ["client pydio8: ls"] },
  { operation = "download", state = "partial: no ranges", cases = ["client pydio8: download"] },
  { operation = "share", state = "absent" },
  { operation = "watch", state = "absent", edition = "enterprise" },
]
"#;

const DAV: &str = r#"
title = "Methods"
source = "a test"

[[section]]
title = "Methods"
rows = [{ operation = "PROPFIND", calls = ["PROPFIND /dav/{path*}"], state = "done", cases = ["client litmus: basic"] }]
"#;

fn contract() -> Contract {
    Contract::of(vec![
        Table::parse("pydio8", "actions", TABLE).unwrap(),
        Table::parse("webdav", "methods", DAV).unwrap(),
    ])
}

fn options() -> Options {
    Options {
        formats: Format::of(Server::Auto),
        prefix: String::new(),
        dav: Vec::new(),
        since: None,
        until: None,
    }
}

fn line(user: &str, request: &str, status: u16, agent: &str) -> String {
    format!("10.0.0.7 - {user} [10/Oct/2000:13:55:36 -0700] \"{request}\" {status} 5 \"-\" \"{agent}\"\n")
}

fn audit(options: Options, log: &str) -> Report {
    let contract = contract();
    let mut audit = Audit::new(&contract, options).unwrap();
    audit.read("access.log", log.as_bytes()).unwrap();
    audit.report()
}

#[test]
fn calls_are_counted_with_who_used_them_and_what_is_missing() {
    let log = [
        line("alice", "GET /api/my-files/ls/ HTTP/1.1", 200, "curl/7.88.1"),
        line(
            "alice",
            "GET /index.php?get_action=ls&secure_token=Ab3 HTTP/1.1",
            200,
            "Mozilla/5.0 Firefox/115.0",
        ),
        line("bob", "POST /api/my-files/share/public/a.txt HTTP/1.1", 200, "curl/8.5.0"),
        line("alice", "POST /api/my-files/share/public/a.txt HTTP/1.1", 200, "curl/8.5.0"),
        line("bob", "GET /api/my-files/download/a.txt HTTP/1.1", 206, "rclone/v1.60.1"),
    ]
    .concat();
    let report = audit(options(), &log);
    let calls: Vec<_> = report
        .calls
        .iter()
        .map(|call| {
            (
                call.operation.as_str(),
                call.state,
                call.missing.as_deref(),
                call.usage.requests,
                call.usage.users,
            )
        })
        .collect();
    assert_eq!(
        calls,
        [
            ("share", "absent", None, 2, 2),
            ("download", "partial", Some("no ranges"), 1, 1),
            ("ls", "done", None, 2, 1),
        ]
    );
    assert!(!report.all_done());
    let share = &report.calls[0].usage;
    assert_eq!(share.first.as_deref(), Some("2000-10-10T20:55:36Z"));
    assert_eq!(share.statuses.get("200"), Some(&2));
    assert_eq!((share.clients[0].client.as_str(), share.clients[0].requests), ("curl 8", 2));
    let curl = report.clients.iter().find(|client| client.client == "curl 8").unwrap();
    assert_eq!((curl.calls_not_done, curl.operations_not_done.join(",")), (2, "pydio8 share".to_owned()));
}

#[test]
fn names_of_users_are_told_only_when_asked_for() {
    let log = line("carol", "GET /api/my-files/share/x HTTP/1.1", 200, "x/1");
    let report = audit(options(), &log);
    assert_eq!(report.users.names.as_ref().unwrap()[0].user, "carol");
    assert!(report.text().contains("carol"));
    let report = report.without_users();
    assert_eq!(report.users.distinct, 1);
    assert!(!report.text().contains("carol"));
    assert!(!serde_json::to_string(&report).unwrap().contains("carol"));
}

#[test]
fn what_the_old_server_refused_too_is_missed_by_nobody() {
    let log = [
        line("-", "GET /api/x/share/y HTTP/1.1", 401, "bot/1"),
        line("root", "GET /api/x/share/y HTTP/1.1", 404, "bot/1"),
    ]
    .concat();
    let report = audit(options(), &log);
    assert!(report.all_done());
    assert!(report.calls[0].refused);
    assert_eq!(report.users.distinct, 0, "a name that was tried is no user");
    assert!(report.text().contains("refused by the old server each time"));
}

#[test]
fn what_is_in_a_body_is_counted_as_not_shown() {
    let log = [
        line("-", "POST /index.php HTTP/1.1", 200, "Pydio-Native-Android 1.0"),
        line("-", "POST /?secure_token=Ab3 HTTP/1.1", 200, "Pydio-Native-Android 1.0"),
        line("-", "POST /ws-my-files/ HTTP/1.1", 200, "Mozilla/5.0 Firefox/115.0"),
    ]
    .concat();
    let report = audit(options(), &log);
    assert_eq!(report.session_calls_not_shown.requests, 3);
    assert!(report.all_done());
    assert!(report.text().contains("`cellgate record`"));
}

#[test]
fn other_requests_are_grouped_without_names_ids_and_values() {
    let log = [
        line("-", "GET /plugins/gui.ajax/res/a.css?v=8.2 HTTP/1.1", 200, "Mozilla/5.0 Firefox/115.0"),
        line("-", "GET /plugins/gui.ajax/res/b.css HTTP/1.1", 200, "Mozilla/5.0 Firefox/115.0"),
        line("-", "GET /public/3f9ac0b1?key=hunter2 HTTP/1.1", 200, "Mozilla/5.0 Firefox/115.0"),
        line("-", "GET /wp-login.php HTTP/1.1", 404, "python-requests/2.31"),
    ]
    .concat();
    let report = audit(options(), &log);
    let groups: Vec<_> = report
        .other
        .iter()
        .map(|group| (group.group.as_deref().unwrap(), group.requests, group.requests_refused))
        .collect();
    assert_eq!(groups, [("/plugins/", 2, 0), ("/public/", 1, 0), ("/wp-login.php", 1, 1)]);
    assert_eq!(report.other[1].examples, ["GET /public/…?key"]);
    let all = report.text() + &serde_json::to_string(&report).unwrap();
    assert!(!all.contains("hunter2") && !all.contains("3f9ac0b1"));
}

#[test]
fn the_old_servers_prefix_and_webdav_places_are_taken_off() {
    let log = [
        line("-", "GET /pydio/api/my-files/ls/ HTTP/1.1", 200, "x/1"),
        line("-", "GET /api/my-files/ls/ HTTP/1.1", 200, "x/1"),
        line("-", "GET /pydioapi/my-files/ls/ HTTP/1.1", 200, "x/1"),
        line("-", "PROPFIND /pydio/files/a HTTP/1.1", 207, "x/1"),
        line("-", "PROPFIND /files HTTP/1.1", 207, "x/1"),
        line("-", "POST /pydio HTTP/1.1", 200, "x/1"),
    ]
    .concat();
    let options = Options { prefix: "pydio/".into(), dav: vec!["/files/".into()], ..options() };
    let report = audit(options, &log);
    let calls: Vec<_> =
        report.calls.iter().map(|call| (call.operation.as_str(), call.usage.requests)).collect();
    assert_eq!(calls, [("PROPFIND", 2), ("ls", 1)]);
    assert_eq!(report.session_calls_not_shown.requests, 1);
    assert_eq!(report.totals.other, 2);
}

#[test]
fn webdav_at_an_unknown_place_is_pointed_out() {
    let report = audit(options(), &line("-", "PROPFIND /files/my-files/ HTTP/1.1", 207, "x/1"));
    assert!(report.text().contains("WebDAV below /files/: `--dav /files` counts it"));
}

#[test]
fn only_the_time_asked_for_is_counted() {
    let log = ["09/Oct/2000:23:59:59 +0000", "10/Oct/2000:00:00:00 +0000", "11/Oct/2000:00:00:00 +0000"]
        .map(|time| format!("10.0.0.7 - - [{time}] \"GET /api/x/ls/ HTTP/1.1\" 200 5 \"-\" \"x/1\"\n"))
        .concat();
    let day = Options { since: since("2000-10-10").ok(), until: until("2000-10-10").ok(), ..options() };
    let report = audit(day, &log);
    assert_eq!((report.totals.requests, report.log.outside_lines), (1, 2));
    assert_eq!(report.log.first.as_deref(), Some("2000-10-10T00:00:00Z"));
}

#[test]
fn a_range_needs_a_format_with_time() {
    let formats = vec![Format::custom_apache("%h \"%r\" %s").unwrap()];
    let options = Options { formats, since: Some(0), ..options() };
    assert!(matches!(Audit::new(&contract(), options), Err(Failure::Timeless)));
}

#[test]
fn lines_of_no_format_are_counted_and_named() {
    let log =
        format!("{}\nnonsense\n\n{}", line("-", "GET / HTTP/1.1", 200, "x/1").trim_end(), "10.0.0.7 - -");
    let report = audit(options(), &log);
    assert_eq!(report.log.unreadable_lines, 2);
    let places: Vec<_> = report.log.unreadable_at.iter().map(|place| place.line).collect();
    assert_eq!(places, [2, 4]);
    assert_eq!(report.log.files[0].lines, 4);
    assert!(report.text().contains("2 lines in no known format: access.log:2, access.log:4\n"));
}

#[test]
fn a_file_without_a_readable_line_is_a_failure_that_says_what_was_tried() {
    let contract = contract();
    let mut audit = Audit::new(&contract, options()).unwrap();
    let endless = "nonsense\n".repeat(20_000);
    let failure = audit.read("error.log", endless.as_bytes()).unwrap_err().to_string();
    assert!(
        failure.starts_with("`error.log`: none of 10000 lines is in a format that was tried: Caddy JSON, "),
        "{failure}"
    );
    assert!(
        failure
            .contains("combined with host, combined, combined after other words, common with host, common"),
        "{failure}"
    );
    assert!(audit.read("empty.log", b"".as_slice()).is_ok());
}

#[test]
fn hostile_lines_stay_small_and_harmless() {
    let mut log = Vec::new();
    for at in 0..3_000 {
        let noise = format!("GET /n{at}x/\u{1b}[31m?a{at}b HTTP/1.1");
        log.extend(line(&format!("user{at}"), &noise, 200, &format!("agent{at}/1")).into_bytes());
    }
    log.extend(
        b"10.0.0.7 - \xff [10/Oct/2000:13:55:36 -0700] \"GET /\xff\xfe HTTP/1.1\" 200 5 \"-\" \"\xff\"\n",
    );
    log.extend(line("-", r"\x16\x03\x01\x02\x00", 400, "-").into_bytes());
    let contract = contract();
    let mut audit = Audit::new(&contract, options()).unwrap();
    audit.read("access.log", log.as_slice()).unwrap();
    let report = audit.report();
    assert_eq!((report.totals.requests, report.log.no_request_lines), (3_001, 1));
    assert_eq!(report.other.len(), 401);
    assert!(report.other.last().is_some_and(|group| group.group.is_none()));
    assert!(report.clients.len() <= 401);
    assert_eq!(report.other.iter().map(|group| group.requests).sum::<u64>(), 3_001);
    assert!(!report.text().contains('\u{1b}'));
}
