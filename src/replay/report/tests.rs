use time::macros::datetime;

use super::{Style, html, json, text};
use crate::{CallOutcome, Finding, Outcome, Verdict, Weight};

fn call(number: usize, client: &str, verdict: Verdict, findings: Vec<Finding>) -> CallOutcome {
    CallOutcome {
        number,
        client: client.into(),
        protocol: Some("pydio8".into()),
        operation: Some("ls".into()),
        method: "GET".into(),
        target: "/api/my-files/ls/<b>".into(),
        recorded_status: 200,
        fresh_status: Some(if verdict == Verdict::Unsupported { 501 } else { 200 }),
        verdict,
        findings,
        ms: 3,
    }
}

fn finding(weight: Weight, place: &str, recorded: Option<&str>, fresh: Option<&str>) -> Finding {
    Finding {
        weight,
        place: place.into(),
        recorded: recorded.map(str::to_owned),
        fresh: fresh.map(str::to_owned),
        why: None,
    }
}

fn outcome() -> Outcome {
    let changed =
        finding(Weight::Different, "/tree/tree[@filename=\"/a\"]/@bytesize", Some("5"), Some("<6>"));
    let beside = finding(Weight::Compatible, "header x-beside", Some("1"), None);
    Outcome {
        file: "old.har".into(),
        against: "http://127.0.0.1:8080".into(),
        started: datetime!(2026-03-04 05:06:07 UTC),
        calls: vec![
            call(1, "curl/8.1 (Pydio 8)", Verdict::Same, Vec::new()),
            call(2, "curl/8.1 (Pydio 8)", Verdict::Compatible, vec![beside.clone()]),
            call(4, "PydioSync", Verdict::Different, vec![changed, beside]),
            call(5, "PydioSync", Verdict::Unsupported, Vec::new()),
        ],
        skipped: vec![(3, "a style sheet".into())],
    }
}

#[test]
fn the_terminal_tells_what_is_bad_and_folds_what_is_not() {
    let shown = text(&[outcome()], Style::default());
    let trouble = shown.find("PydioSync").unwrap();
    assert!(trouble < shown.find("curl/8.1").unwrap(), "those with trouble come first:\n{shown}");
    assert!(shown.contains(
        "PydioSync: 0 of 2 calls behave the same; 1 is answered in another way, 1 is not supported"
    ));
    assert!(shown.contains("@bytesize: `<6>`, recorded `5`"), "{shown}");
    assert!(!shown.contains("x-beside"), "{shown}");
    assert!(!shown.contains('\x1b'), "no colours unless asked for");
    assert!(shown.contains("entry 3: a style sheet"));
    assert!(shown.ends_with("4 calls: 1 same, 1 compatible, 1 different, 1 unsupported\n"), "{shown}");
    let verbose = text(&[outcome()], Style { color: true, verbose: true });
    assert!(verbose.contains("header x-beside: nothing, recorded `1`"), "{verbose}");
    assert!(verbose.contains("\x1b[31m"));
}

#[test]
fn programs_get_totals_clients_and_calls() {
    let value: serde_json::Value = serde_json::from_str(&json(&[outcome()])).unwrap();
    let recording = value.pointer("/recordings/0").unwrap();
    assert_eq!(value.pointer("/schema"), Some(&1.into()));
    assert_eq!(recording.pointer("/totals/unsupported"), Some(&1.into()));
    assert_eq!(recording.pointer("/clients/PydioSync/calls"), Some(&2.into()));
    assert_eq!(recording.pointer("/calls/2/verdict"), Some(&"different".into()));
    assert_eq!(recording.pointer("/calls/2/findings/0/weight"), Some(&"different".into()));
    assert_eq!(recording.pointer("/started"), Some(&"2026-03-04T05:06:07Z".into()));
}

#[test]
fn the_page_escapes_what_it_was_given_and_loads_nothing() {
    let page = html(&[outcome()]);
    assert!(page.contains("/api/my-files/ls/&lt;b&gt;"));
    assert!(page.contains("@filename=&quot;/a&quot;"));
    assert!(page.contains("<code>&lt;6&gt;</code>"));
    for foreign in ["<script", "src=", "href=", "@import", "url("] {
        assert!(!page.contains(foreign), "{foreign}");
    }
    let opened = page.matches("<details").count();
    assert_eq!(opened, page.matches("</details>").count());
    assert_eq!(
        page.matches("class=\"call is-").count() + page.matches("<details class=\"call is-").count(),
        4 + 2
    );
}

#[test]
fn direction_marks_are_shown_not_obeyed() {
    let mut outcome = outcome();
    outcome.file = "a\u{202e}gnp.har".into();
    let page = html(&[outcome]);
    assert!(!page.contains('\u{202e}'));
}
