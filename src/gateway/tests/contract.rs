//! `cellgate contract` as it is run.

// clippy lets tests unwrap, but does not take their helpers for tests.
#![allow(clippy::unwrap_used)]

use std::process::{Command, Output, Stdio};

fn contract(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cellgate"));
    command.arg("contract").args(arguments).output().unwrap()
}

fn out(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[test]
fn totals_of_every_table_add_up() {
    let json: serde_json::Value = serde_json::from_str(&out(&contract(&["--format", "json"]))).unwrap();
    let of = |value: &serde_json::Value, key: &str| value["totals"][key].as_u64().unwrap();
    for key in ["operations", "done", "partial", "absent"] {
        let sum: u64 = json["tables"].as_array().unwrap().iter().map(|table| of(table, key)).sum();
        assert_eq!(of(&json, key), sum, "{key}");
    }
    let text = out(&contract(&[]));
    let line = text.lines().find(|line| line.starts_with("cells/rest")).unwrap();
    assert_eq!(line.split_whitespace().nth(1), Some("169"), "{line}");
    let together = text.lines().last().unwrap();
    assert_eq!(together.split_whitespace().nth(1), Some(of(&json, "operations").to_string().as_str()));
}

#[test]
fn a_protocol_or_a_table_has_its_rows() {
    for (word, tables) in [("seafile", 1), ("pydio8", 4), ("api-v1", 1), ("PYDIO8/api-v1", 1)] {
        let json: serde_json::Value =
            serde_json::from_str(&out(&contract(&[word, "--format", "json"]))).unwrap();
        assert_eq!(json["tables"].as_array().unwrap().len(), tables, "{word}");
    }
    let text = out(&contract(&["rest"]));
    assert!(text.contains("\nTree Service\n"), "{text}");
    assert!(text.contains("\n  done     DeleteNodes\n"), "{text}");
    assert!(text.contains("\n  absent   SharedResources (enterprise)\n"), "{text}");
}

#[test]
fn an_unknown_protocol_is_told_what_there_is() {
    let answer = contract(&["ftp"]);
    assert_eq!(answer.status.code(), Some(2));
    assert!(answer.stdout.is_empty());
    let why = String::from_utf8(answer.stderr).unwrap();
    assert!(
        why.starts_with("cellgate: no protocol `ftp`; there are cells, s3, webdav, pydio8, seafile;"),
        "{why}"
    );
    assert!(!contract(&["cells", "--format", "yaml"]).status.success());
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_cellgate"))
        .args(["contract", "--format", "markdown"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // More than a pipe holds is left unread.
    drop(child.stdout.take());
    let answer = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8(answer.stderr).unwrap(), "");
    assert!(answer.status.success(), "{}", answer.status);
}
