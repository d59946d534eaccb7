use super::*;

#[test]
fn names_are_bound_replaced_and_missed() {
    let mut values = Values::default();
    values.set("__jwt_1__", "eyJ.new/+");
    assert_eq!(values.substitute("Bearer __jwt_1__"), "Bearer eyJ.new/+");
    assert_eq!(values.substitute_target("/a?t=__jwt_1__&u=__jwt_2__"), "/a?t=eyJ.new%2F%2B&u=__jwt_2__");
    assert_eq!(values.missing("__jwt_1__ __jwt_2__ __jwt_2__"), ["__jwt_2__"]);
    assert_eq!(values.get("__jwt_1__"), Some("eyJ.new/+"));
    assert_eq!(values.mask("it was eyJ.new/+!"), "it was __jwt_1__!");
}

#[test]
fn a_password_that_was_given_is_never_learnt_from_an_answer() {
    let mut values = Values::default();
    values.set("__password_1__", "given");
    values.learn_secret("__password_1__", "echoed");
    values.learn_secret("__jwt_1__", "first");
    values.learn_secret("__jwt_1__", "second");
    assert_eq!(values.get("__password_1__"), Some("given"));
    assert_eq!(values.get("__jwt_1__"), Some("second"));
}

#[test]
fn an_identifier_keeps_its_identity_both_ways() {
    let mut values = Values::default();
    let (a, b) = ("aaaaaaaa-0000-4000-8000-000000000001", "bbbbbbbb-0000-4000-8000-000000000001");
    assert_eq!(values.identify("uuid", a, "1"), Ok(()));
    assert_eq!(values.identify("uuid", a, "1"), Ok(()));
    assert_eq!(values.identify("uuid", a, "2"), Err(Conflict::Recorded("1".into())));
    assert_eq!(values.identify("uuid", b, "1"), Err(Conflict::Fresh(a.into())));
    assert_eq!(values.substitute_target(&format!("/a/copy-move-{a}?x={a}")), "/a/copy-move-1?x=1");
}

#[test]
fn short_identifiers_only_where_their_class_stands() {
    let mut values = Values::default();
    assert_eq!(values.identify("repository", "1", "my-files"), Ok(()));
    assert_eq!(values.identify("sequence", "12", "40"), Ok(()));
    assert_eq!(values.substitute_target("/api/1/changes/12/?n=1"), "/api/my-files/changes/40/?n=1");
    assert_eq!(
        values.substitute("get_action=ls&tmp_repository_id=1&page=1"),
        "get_action=ls&tmp_repository_id=my-files&page=1"
    );
    assert_eq!(values.substitute("{\"repository_id\":\"1\"}"), "{\"repository_id\":\"1\"}");
    assert_eq!(values.substitute_target("/1/1?a=1"), "/1/1?a=1");
}

#[test]
fn versions_move_together() {
    let mut values = Values::default();
    assert_eq!(values.version("/a", "1", "x"), Change::Alike);
    assert_eq!(values.version("/a", "2", "x"), Change::Stuck);
    assert_eq!(values.version("/a", "2", "y"), Change::Restless);
    assert_eq!(values.version("/b", "2", "z"), Change::Alike);
    assert_eq!(values.substitute("If-Match: \"2\", 2"), "If-Match: \"z\", 2");
}

#[test]
fn hosts_and_logins_of_links() {
    let mut values = Values::default();
    values.set_origin("https://old.example", "http://127.0.0.1:9");
    values.set_login("alice", "bob");
    assert_eq!(
        values.substitute("https://old.example/dav/alice/alice.txt at old.example"),
        "http://127.0.0.1:9/dav/bob/alice.txt at 127.0.0.1:9"
    );
}

#[test]
fn thousands_of_values_in_a_large_text() {
    let mut values = Values::default();
    let uuid = |n: usize, kind: char| format!("{n:08}-0000-4000-8000-{kind}00000000000");
    let mut text = String::new();
    for n in 0..20_000 {
        assert_eq!(values.identify("uuid", &uuid(n, 'a'), &uuid(n, 'b')), Ok(()));
        text.push_str(&format!("<id>{}</id>", uuid(n, 'a')));
    }
    let started = std::time::Instant::now();
    let replaced = values.substitute(&text);
    assert!(started.elapsed().as_secs() < 2, "{:?}", started.elapsed());
    assert!(!replaced.contains("-a0000"));
    assert_eq!(replaced.len(), text.len());
}
