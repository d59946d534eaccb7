use super::*;

fn headers(list: &[(&str, &str)]) -> Answered {
    answer(200, list, "")
}

#[test]
fn a_missing_header_that_says_something_is_found() {
    let recorded = headers(&[
        ("ETag", "\"a\""),
        ("Date", "x"),
        ("Server", "y"),
        ("X-Powered-By", "PHP"),
        ("Accept-Ranges", "bytes"),
    ]);
    let fresh = headers(&[("etag", "\"a\""), ("accept-ranges", "bytes"), ("Server", "z"), ("X-New", "1")]);
    same(&strict("webdav").judge(&recorded, &fresh));
    let judgement = strict("webdav").judge(&recorded, &headers(&[("etag", "\"a\"")]));
    different(&judgement, &["header accept-ranges"]);
    assert_eq!(why(&judgement), "missing");
    compatible(
        &replay("rclone/v1.60", "webdav").judge(&recorded, &headers(&[("Accept-Ranges", "bytes")])),
        &["header etag"],
    );
}

#[test]
fn media_types() {
    let typed = |kind: &str| answer(200, &[("Content-Type", kind)], "body");
    let mut script = strict("seafile");
    let json = typed("text/plain; charset=utf-8");
    same(&script.judge(&json, &typed("Text/Plain;charset=UTF-8")));
    compatible(&script.judge(&json, &typed("text/plain")), &["header content-type"]);
    different(&script.judge(&json, &typed("text/csv")), &["header content-type"]);
    let xml = |kind: &str| answer(200, &[("Content-Type", kind)], "<a/>");
    compatible(&script.judge(&xml("text/xml"), &xml("application/xml")), &["header content-type"]);
    let stat = |kind: &str| answer(200, &[("Content-Type", kind)], "{}");
    let mut java = replay("Pydio-Native", "pydio8");
    different(
        &java.judge(&stat("application/json"), &stat("application/json; charset=utf-8")),
        &["header content-type"],
    );
}

#[test]
fn lists_are_sets() {
    let allow = |list: &str| headers(&[("Allow", list)]);
    let mut script = strict("webdav").call("OPTIONS", "/dav/");
    same(&script.judge(&allow("GET, PUT"), &allow("PUT,GET")));
    compatible(&script.judge(&allow("GET, PUT"), &allow("PUT, GET, LOCK")), &["header allow"]);
    different(&script.judge(&allow("GET, PUT, LOCK"), &allow("PUT, GET")), &["header allow"]);
    let dav = headers(&[("DAV", "1"), ("DAV", "2")]);
    same(&script.judge(&dav, &headers(&[("dav", "1, 2")])));
    different(&script.judge(&dav, &headers(&[("dav", "1")])), &["header dav"]);
}

#[test]
fn cookies_go_by_name_and_are_learnt() {
    let cookie = |text: &str| headers(&[("Set-Cookie", text)]);
    let mut script = strict("pydio8");
    same(&script.judge(&cookie("AjaXplorer=__cookie_1__; path=/"), &cookie("AjaXplorer=abc123; Path=/")));
    assert_eq!(script.values.get("__cookie_1__"), Some("abc123"));
    let judgement =
        script.judge(&cookie("AjaXplorer=__cookie_1__; path=/"), &cookie("session=abc124; path=/"));
    different(&judgement, &["header set-cookie AjaXplorer"]);
    assert!(!format!("{judgement:?}").contains("abc124"));
    compatible(
        &script.judge(&cookie("a=__cookie_1__"), &cookie("a=abc125; HttpOnly")),
        &["header set-cookie a"],
    );
    different(&script.judge(&cookie("a=__cookie_1__"), &cookie("a=; Max-Age=0")), &["header set-cookie a"]);
    different(&script.judge(&cookie("a=__cookie_1__"), &headers(&[])), &["header set-cookie"]);
}

#[test]
fn challenges_go_by_scheme() {
    let challenge = |text: &str| answer(401, &[("WWW-Authenticate", text)], "");
    let mut script = strict("webdav");
    same(&script.judge(&challenge("Basic realm=\"Cells DAV\""), &challenge("Basic realm=\"cellgate\"")));
    different(
        &script.judge(&challenge("Basic realm=\"x\""), &challenge("Bearer")),
        &["header www-authenticate"],
    );
    different(
        &script.judge(&challenge("Basic realm=\"x\""), &answer(401, &[], "")),
        &["header www-authenticate"],
    );
}

#[test]
fn names_of_downloads() {
    let named = |text: &str| headers(&[("Content-Disposition", text)]);
    let mut script = strict("webdav");
    compatible(
        &script.judge(
            &named("attachment; filename=\"a b.pdf\""),
            &named("attachment; filename*=UTF-8''a%20b.pdf"),
        ),
        &["header content-disposition"],
    );
    different(
        &script.judge(&named("attachment; filename=\"a.pdf\""), &named("attachment; filename=\"b.pdf\"")),
        &["header content-disposition"],
    );
    different(
        &script.judge(&named("attachment; filename=\"a.pdf\""), &named("inline; filename=\"a.pdf\"")),
        &["header content-disposition"],
    );
}

#[test]
fn redirects() {
    let to = |place: &str| answer(302, &[("Location", place)], "");
    let mut script = strict("cells");
    same(&script.judge(&to("https://old.example.com/login?x=1"), &to("http://127.0.0.1:8080/login?x=1")));
    same(&script.judge(&to("https://old.example.com/login"), &to("/login")));
    same(&script.judge(&to("/cb?code=__code_1__&state=abc"), &to("/cb?code=Zx8&state=abc")));
    assert_eq!(script.values.get("__code_1__"), Some("Zx8"));
    different(&script.judge(&to("/login"), &to("/other")), &["header location"]);
    different(
        &script.judge(&to("https://old.example.com/login"), &to("http://evil.example/login")),
        &["header location"],
    );
}

#[test]
fn the_length_counts_for_who_asks_for_it_alone() {
    let long = |length: &str| headers(&[("Content-Length", length)]);
    same(&strict("s3").judge(&long("5"), &long("6")));
    different(&strict("s3").call("HEAD", "/io/a").judge(&long("5"), &long("6")), &["header content-length"]);
    different(
        &strict("s3").call("HEAD", "/io/a").judge(&long("5"), &headers(&[])),
        &["header content-length"],
    );
}

#[test]
fn metadata_of_objects() {
    let meta = |value: &str| headers(&[("x-amz-meta-mtime", value)]);
    different(
        &strict("s3").judge(&meta("1700000000.5"), &meta("1700000001.5")),
        &["header x-amz-meta-mtime"],
    );
    different(&strict("s3").judge(&meta("1700000000.5"), &headers(&[])), &["header x-amz-meta-mtime"]);
}

#[test]
fn a_browser_enforces_where_it_may_read_from() {
    let open = headers(&[("Access-Control-Allow-Origin", "*")]);
    let place = ["header access-control-allow-origin"];
    compatible(&strict("seafile").judge(&open, &headers(&[])), &place);
    let origin = [("Origin", "https://app.example.com")];
    different(&strict("seafile").judge_sent(&origin, "", &open, &headers(&[])), &place);
}
