use super::*;

#[test]
fn a_changed_member_is_found() {
    let mut script = strict("cells");
    let recorded = r#"{"Nodes":[{"Path":"ws/a","Type":"LEAF","Size":"5","MTime":"1767323045"}]}"#;
    same(&script.json(recorded, &recorded.replace("1767323045", "1809511230")));
    let judgement =
        script.json(recorded, &recorded.replace("1767323045", "1809511230").replace("\"5\"", "\"6\""));
    different(&judgement, &["$.Nodes[0].Size"]);
    let number = recorded.replace("1767323045", "1809511230").replace("\"5\"", "5");
    let judgement = script.json(recorded, &number);
    different(&judgement, &["$.Nodes[0].Size"]);
    assert_eq!(why(&judgement), "a number instead of a text");
    different(
        &script.json(recorded, r#"{"Nodes":[{"Path":"ws/a","Type":"LEAF","MTime":"1809511230"}]}"#),
        &["$.Nodes[0].Size"],
    );
}

#[test]
fn entries_are_found_by_what_names_them() {
    let mut script = strict("cells");
    let list = |entries: &[&str]| {
        let entries: Vec<_> =
            entries.iter().map(|path| format!("{{\"Path\":\"{path}\",\"Size\":\"1\"}}")).collect();
        format!("{{\"Nodes\":[{}]}}", entries.join(","))
    };
    compatible(&script.json(&list(&["a", "b"]), &list(&["b", "a"])), &["$.Nodes"]);
    different(&script.json(&list(&["a", "b"]), &list(&["a"])), &["$.Nodes[Path=\"b\"]"]);
    different(&script.json(&list(&["a", "b"]), &list(&["a", "b", "c"])), &["$.Nodes[Path=\"c\"]"]);
    // The list itself is left out while it is empty; that it is there is how the web UI sees that a file is.
    different(&script.json("{}", &list(&["a"])), &["$.Nodes"]);
    different(&script.json(&list(&["a"]), "{}"), &["$.Nodes"]);
}

#[test]
fn a_list_of_settings_may_have_grown() {
    let plugin = |names: &[&str]| {
        let list: Vec<_> = names.iter().map(|name| format!("{{\"@name\":\"{name}\",\"$\":\"1\"}}")).collect();
        format!("{{\"property\":[{}]}}", list.join(","))
    };
    let place = ["$.property[@name=\"B\"]"];
    compatible(&strict("pydio8").json(&plugin(&["A", "C"]), &plugin(&["A", "B", "C"])), &place);
    different(&strict("pydio8").json(&plugin(&["A", "B", "C"]), &plugin(&["A", "C"])), &place);
}

#[test]
fn zero_is_left_out_by_cells_alone() {
    same(&strict("cells").json(r#"{"a":0,"b":"","c":false,"d":[],"e":null,"f":"0"}"#, "{}"));
    same(&strict("cells").json("{}", r#"{"a":0,"b":"","c":false,"d":[],"e":null}"#));
    same(&strict("cells").json(r#"{"a":null}"#, r#"{"a":0}"#));
    different(&strict("seafile").json(r#"{"a":0,"b":null}"#, "{}"), &["$.a", "$.b"]);
    different(&strict("seafile").json(r#"{"a":null}"#, r#"{"a":0}"#), &["$.a"]);
    compatible(&strict("seafile").json("{}", r#"{"a":0}"#), &["$.a"]);
}

#[test]
fn members_named_by_paths_are_entries() {
    let node =
        |path: &str| format!("{{\"children\":{{\"/a\":{{\"bytesize\":1}},\"{path}\":{{\"bytesize\":2}}}}}}");
    let judgement = strict("pydio8").json(&node("/b"), &node("/c"));
    different(&judgement, &["$.children[\"/b\"]", "$.children[\"/c\"]"]);
    same(&strict("pydio8").json(&node("/b"), &node("/b")));
    let one = |path: &str| format!("{{\"{path}\":{{\"size\":1}}}}");
    different(&strict("pydio8").json(&one("/b"), &one("/c")), &["$[\"/b\"]", "$[\"/c\"]"]);
}

#[test]
fn json_in_a_text_is_read_as_json() {
    let meta = |inner: &str| serde_json::json!({"MetaStore": {"x": inner}}).to_string();
    let mut script = strict("cells");
    same(&script.json(&meta(r#"{"a":1,"b":"2"}"#), &meta(r#"{"b": "2", "a": 1}"#)));
    different(&script.json(&meta(r#"{"a":1}"#), &meta(r#"{"a":2}"#)), &["$.MetaStore.x (JSON) $.a"]);
    different(&script.json(&meta("\"ROOM\""), &meta("ROOM")), &["$.MetaStore.x"]);
}

#[test]
fn streams_are_compared_line_by_line() {
    let row = |seq: u32, path: &str| {
        format!(
            "{{\"seq\":\"{seq}\",\"node_id\":\"{}\",\"type\":\"create\",\"source\":\"NULL\",\"target\":\"{path}\"}}\n",
            seq + 100
        )
    };
    let stream =
        |from: u32, path: &str| format!("{}{}LAST_SEQ:{}", row(from, "/a"), row(from + 1, path), from + 1);
    let mut sync = replay("python-requests/2.31", "pydio8").call("GET", "/api/ws/changes/0/");
    same(&sync.json(&stream(7, "/b"), &stream(31, "/b")));
    assert_eq!(
        sync.values.substitute_target("/api/ws/changes/8/?stream=true"),
        "/api/ws/changes/32/?stream=true"
    );
    different(&sync.json(&stream(7, "/b"), &stream(31, "/c")), &["line 2.target"]);
    let mut script = strict("pydio8");
    different(&script.json(&stream(7, "/b"), &row(31, "/a")), &["body"]);
}

#[test]
fn what_a_client_does_not_read_is_compatible() {
    let recorded =
        r#"[{"id":"11111111-2222-4333-8444-555555555555","name":"docs","type":"dir","starred":false}]"#;
    let fresh = r#"[{"id":"99999999-2222-4333-8444-555555555555","name":"docs","type":"dir"}]"#;
    compatible(&replay("rclone/v1.60", "seafile").json(recorded, fresh), &["$[0].starred"]);
    different(&strict("seafile").json(recorded, fresh), &["$[0].starred"]);
}

#[test]
fn numbers_are_numbers_however_they_are_written() {
    same(&strict("seafile").json(r#"{"a":1.0,"b":1e2}"#, r#"{"a":1,"b":100}"#));
    different(&strict("seafile").json(r#"{"a":1.5}"#, r#"{"a":1}"#), &["$.a"]);
    different(&strict("seafile").json("[1,2]", "[1,2,3]"), &["$[2]"]);
    different(&strict("seafile").json("\"success\"", "\"failure\""), &["$"]);
}

#[test]
fn a_hostile_nesting_is_no_json() {
    let deep = "[".repeat(100_000);
    let judgement = strict("cells").json("{\"a\":1}", &deep);
    different(&judgement, &["body"]);
    assert!(why(&judgement).contains("is not"), "{}", why(&judgement));
}
