//! `cellgate audit-log` as a user runs it.

#![allow(clippy::unwrap_used)] // helpers of tests, outside of the tests themselves

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

const DONE: &str = "10.0.0.7 - alice [10/Oct/2000:13:55:36 -0700] \"GET /api/my-files/stat/a.txt HTTP/1.1\" \
                    200 2 \"-\" \"curl/7.88.1\"\n";
/// BitTorrent is the one operation of S3 that nobody will build.
const ABSENT: &str = "10.0.0.7 - alice [10/Oct/2000:13:55:36 -0700] \"GET /io/personal-files/a.iso?torrent \
                      HTTP/1.1\" 200 512 \"-\" \"aws-cli/1.45.11\"\n";

fn audit(folder: &Path, arguments: &[&str], input: &[u8]) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_cellgate"))
        .arg("audit-log")
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A command that ends before it has read everything closes the pipe.
    let _ = child.stdin.take().unwrap().write_all(input);
    child.wait_with_output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

#[test]
fn the_status_says_whether_everything_in_use_is_done() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("done.log"), DONE).unwrap();
    std::fs::write(folder.path().join("both.log"), [DONE, ABSENT].concat()).unwrap();

    let done = audit(folder.path(), &["done.log"], b"");
    assert_eq!(done.status.code(), Some(0), "{}", text(&done.stderr));
    assert!(text(&done.stdout).contains("none: every call that the log shows is done\n"));
    assert_eq!(text(&done.stderr), "", "no progress without a terminal");

    let both = audit(folder.path(), &["both.log", "--report", "json"], b"");
    assert_eq!(both.status.code(), Some(1), "{}", text(&both.stderr));
    let report: serde_json::Value = serde_json::from_slice(&both.stdout).unwrap();
    assert_eq!(report["calls"][0]["operation"], "GetObjectTorrent");
    assert_eq!(report["calls"][0]["state"], "absent");
    assert_eq!(report["calls"][0]["clients"][0]["client"], "aws-cli 1");
    assert_eq!(report["totals"]["requests"], 2);
    assert!(!text(&both.stdout).contains("alice"));
}

#[test]
fn compressed_logs_standard_input_and_an_output_file_work_together() {
    let folder = tempfile::tempdir().unwrap();
    let log = std::fs::File::create(folder.path().join("access.log.gz")).unwrap();
    let mut log = flate2::write::GzEncoder::new(log, flate2::Compression::default());
    log.write_all(DONE.as_bytes()).unwrap();
    log.finish().unwrap();

    let arguments = ["access.log.gz", "-", "--users", "--output", "report.txt"];
    let found = audit(folder.path(), &arguments, ABSENT.as_bytes());
    assert_eq!(found.status.code(), Some(1), "{}", text(&found.stderr));
    assert_eq!(text(&found.stdout), "");
    let report = std::fs::read_to_string(folder.path().join("report.txt")).unwrap();
    assert!(report.starts_with("access.log.gz: 1 lines\nstandard input: 1 lines\n"), "{report}");
    assert!(report.contains("Users: 1 distinct") && report.contains("alice"), "{report}");
}

#[test]
fn custom_formats_are_given_as_they_stand_in_the_configuration() {
    let folder = tempfile::tempdir().unwrap();
    let nginx = "log_format short '$time_iso8601 $status \"$request\"';";
    let line = b"2000-10-10T13:55:36-07:00 200 \"GET /api/my-files/stat/a.txt HTTP/1.1\"\n";
    let found = audit(folder.path(), &["--nginx-format", nginx, "-"], line);
    assert_eq!(found.status.code(), Some(0), "{}", text(&found.stderr));
    let apache = "LogFormat \"%{%FT%T%z}t %>s \\\"%r\\\"\" short";
    let line = b"2000-10-10T13:55:36-0700 200 \"GET /api/my-files/stat/a.txt HTTP/1.1\"\n";
    let found = audit(folder.path(), &["--apache-format", apache, "-"], line);
    assert_eq!(found.status.code(), Some(0), "{}", text(&found.stderr));
    assert!(text(&found.stdout).contains("from 2000-10-10T20:55:36Z"));
}

#[test]
fn errors_have_their_own_status_and_say_what_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("error.log"), "not an access log\n").unwrap();
    std::fs::write(folder.path().join("access.log"), DONE).unwrap();
    for (arguments, expected) in [
        (&["missing.log"][..], "`missing.log`: "),
        (&["error.log"], "`error.log`: none of 1 lines is in a format that was tried: Caddy JSON, "),
        (&["access.log", "--format", "caddy"], "tried: Caddy JSON; "),
        (&["access.log", "--nginx-format", "$status"], "--nginx-format: it logs no request"),
        (&["access.log", "--since", "yesterday"], "expected a day or a time as `2024-06-30`"),
        (&["access.log", "--output", "./access.log"], "is a log to read"),
        (&[], "FILE"),
    ] {
        let found = audit(folder.path(), arguments, b"");
        assert_eq!(found.status.code(), Some(2), "{arguments:?}");
        assert!(text(&found.stderr).contains(expected), "{arguments:?}: {}", text(&found.stderr));
        assert_eq!(text(&found.stdout), "", "{arguments:?}");
    }
    assert_eq!(std::fs::read_to_string(folder.path().join("access.log")).unwrap(), DONE);
}
