use super::*;

const LISTING: &str = concat!(
    r#"<?xml version="1.0" encoding="UTF-8"?><tree filename="/" text="" is_file="false">"#,
    r#"<tree filename="/a" text="a" is_file="true" bytesize="5" ajxp_modiftime="1767323045" ajxp_mime="x"/>"#,
    r#"<tree filename="/b" text="b" is_file="false" bytesize="0" ajxp_modiftime="1700000000" ajxp_mime="ajxp_folder"/>"#,
    "</tree>"
);

const NOW: &str = "1809511230";

fn fresh() -> String {
    LISTING.replace("1767323045", NOW)
}

#[test]
fn a_listing_with_times_of_its_own_is_the_same() {
    same(&strict("pydio8").xml(LISTING, &fresh()));
    same(&strict("pydio8").xml(LISTING, &fresh().replace("<tree filename=\"/\"", "\n <tree filename=\"/\"")));
}

#[test]
fn a_changed_attribute_is_found() {
    let mut script = strict("pydio8");
    let judgement = script.xml(LISTING, &fresh().replace("bytesize=\"5\"", "bytesize=\"6\""));
    different(&judgement, &["/tree/tree[@filename=\"/a\"]/@bytesize"]);
    let finding = &judgement.findings[0];
    assert_eq!((finding.recorded.as_deref(), finding.fresh.as_deref()), (Some("5"), Some("6")));

    let judgement = script.xml(LISTING, &fresh().replace("text=\"b\"", "text=\"B\""));
    different(&judgement, &["/tree/tree[@filename=\"/b\"]/@text"]);
    let judgement = script.xml(LISTING, &fresh().replace(" is_file=\"true\"", ""));
    different(&judgement, &["/tree/tree[@filename=\"/a\"]/@is_file"]);
    assert_eq!(why(&judgement), "missing");
    let judgement = script.xml(LISTING, &fresh().replace("1700000000", "1700000001"));
    different(&judgement, &["/tree/tree[@filename=\"/b\"]/@ajxp_modiftime"]);
    let judgement = script.xml(LISTING, &fresh().replace(NOW, "1600000000"));
    different(&judgement, &["/tree/tree[@filename=\"/a\"]/@ajxp_modiftime"]);
    assert_eq!(why(&judgement), "the recorded one was the time of the call");
}

#[test]
fn one_entry_more_or_less_is_found() {
    let mut script = strict("pydio8");
    let more = fresh().replace("</tree>", "<tree filename=\"/c\" text=\"c\"/></tree>");
    different(&script.xml(LISTING, &more), &["/tree/tree[@filename=\"/c\"]"]);
    different(&script.xml(&more.replace(NOW, "1767323045"), &fresh()), &["/tree/tree[@filename=\"/c\"]"]);
    let empty = r#"<tree filename="/"></tree>"#;
    different(&script.xml(empty, r#"<tree filename="/"><tree filename="/c"/></tree>"#), &["/tree/tree"]);
}

#[test]
fn one_attribute_more_is_compatible() {
    let more = fresh().replace("text=\"b\"", "text=\"b\" icon=\"folder.png\"");
    compatible(&strict("pydio8").xml(LISTING, &more), &["/tree/tree[@filename=\"/b\"]/@icon"]);
}

#[test]
fn what_a_client_does_not_read_is_compatible() {
    let other = fresh().replace("text=\"b\"", "text=\"B\"");
    compatible(
        &replay("python-requests/2.31", "pydio8").xml(LISTING, &other),
        &["/tree/tree[@filename=\"/b\"]/@text"],
    );
    let other = fresh().replace("bytesize=\"5\"", "bytesize=\"6\"");
    different(
        &replay("python-requests/2.31", "pydio8").xml(LISTING, &other),
        &["/tree/tree[@filename=\"/a\"]/@bytesize"],
    );
}

#[test]
fn a_failure_in_the_place_of_a_listing_is_found() {
    let failure = r#"<tree><message type="ERROR">There was a problem</message></tree>"#;
    let judgement = strict("pydio8").xml(LISTING, failure);
    assert!(places(&judgement, Weight::Different).contains(&"/tree/message"), "{:#?}", judgement.findings);
    let gone = strict("pydio8").xml(r#"<tree><message type="SUCCESS">ok</message></tree>"#, "<html_error/>");
    different(&gone, &["/"]);
}

#[test]
fn texts_for_people_may_differ_but_not_their_kind() {
    let message = |kind: &str, text: &str| format!("<tree ><message type=\"{kind}\">{text}</message></tree>");
    let mut script = strict("pydio8");
    let done = message("SUCCESS", "The directory X has been created in P");
    compatible(&script.xml(&done, &message("SUCCESS", "X was created")), &["/tree/message"]);
    different(
        &script.xml(&done, &message("ERROR", "The directory X has been created in P")),
        &["/tree/message/@type"],
    );
    let mut sync = replay("python-requests/2.31", "pydio8");
    let gone = message("ERROR", "Cannot find file /a");
    compatible(&sync.xml(&gone, &message("ERROR", "cannot find file: a")), &["/tree/message"]);
    different(&sync.xml(&gone, &message("ERROR", "No such node")), &["/tree/message"]);
}

#[test]
fn today_is_another_day() {
    let entry = |text: &str| {
        format!("<tree filename=\"/\" ajxp_relativetime=\"{text}\" ajxp_description=\"Modified {text}\"/>")
    };
    same(&strict("pydio8").xml(&entry("today at 11:41"), &entry("today at 03:02")));
    let place = ["/tree/@ajxp_relativetime", "/tree/@ajxp_description"];
    compatible(&strict("pydio8").xml(&entry("today at 11:41"), &entry("yesterday at 03:02")), &place);
}

#[test]
fn a_registry_may_have_grown() {
    let registry = |actions: &str| format!("<r><actions>{actions}</actions></r>");
    let (ls, cp) = ("<action name=\"ls\"/>", "<action name=\"cp\"/>");
    let place = ["/r/actions/action[@name=\"cp\"]"];
    compatible(&strict("pydio8").xml(&registry(ls), &registry(&format!("{cp}{ls}"))), &place);
    different(&strict("pydio8").xml(&registry(&format!("{ls}{cp}")), &registry(ls)), &place);
}

#[test]
fn a_refused_property_may_be_accepted() {
    let patched = |status: &str| {
        multistatus(&response("/dav/a", &[("<Z:Win32FileAttributes xmlns:Z=\"urn:x\"/>", status)]))
    };
    let mut explorer = replay("Microsoft-WebDAV-MiniRedir/10.0", "webdav").call("PROPPATCH", "/dav/a");
    let place = ["/multistatus/response/Win32FileAttributes"];
    compatible(&explorer.judge(&patched("403 Forbidden"), &patched("200 OK")), &place);
    different(&explorer.judge(&patched("200 OK"), &patched("403 Forbidden")), &place);
}

#[test]
fn order_counts_where_the_client_relies_on_it() {
    let page = |keys: [&str; 2]| {
        let entries = keys.map(|key| format!("<Contents><Key>{key}</Key><Size>1</Size></Contents>"));
        format!(
            "<ListBucketResult xmlns=\"http://s3\"><Name>io</Name>{}</ListBucketResult>",
            entries.concat()
        )
    };
    let (sorted, turned) = (page(["a", "b"]), page(["b", "a"]));
    different(&strict("s3").xml(&sorted, &turned), &["/ListBucketResult/Contents"]);
    let turned = LISTING.replace("\"/a\"", "\"/z\"");
    let swapped = concat!(
        r#"<tree filename="/" text="" is_file="false">"#,
        r#"<tree filename="/b" text="b" is_file="false" bytesize="0" ajxp_modiftime="1700000000" ajxp_mime="ajxp_folder"/>"#,
        r#"<tree filename="/z" text="a" is_file="true" bytesize="5" ajxp_modiftime="1767323045" ajxp_mime="x"/>"#,
        "</tree>"
    )
    .replace("1767323045", NOW);
    compatible(&strict("pydio8").xml(&turned, &swapped), &["/tree/tree"]);
    same(&replay("Pydio-Native-Android", "pydio8").xml(&turned, &swapped));
}

#[test]
fn failures_of_s3_go_by_their_code() {
    let error = |code: &str, text: &str, request: &str| {
        let body = format!(
            "<Error><Code>{code}</Code><Message>{text}</Message><RequestId>{request}</RequestId></Error>"
        );
        answer(404, &[("Content-Type", "application/xml")], &body)
    };
    let recorded = error("NoSuchKey", "The specified key does not exist.", "16F0A1");
    compatible(&strict("s3").judge(&recorded, &error("NoSuchKey", "No such key.", "1")), &["/Error/Message"]);
    same(&strict("s3").judge(&recorded, &error("NoSuchKey", "The specified key does not exist.", "2")));
    different(
        &strict("s3").judge(&recorded, &error("NoSuchBucket", "The specified key does not exist.", "3")),
        &["/Error/Code"],
    );
}

fn multistatus(responses: &str) -> Answered {
    let body = format!("<D:multistatus xmlns:D=\"DAV:\">{responses}</D:multistatus>");
    answer(207, &[("Content-Type", "application/xml")], &body)
}

fn response(href: &str, stats: &[(&str, &str)]) -> String {
    let stat = |(props, status): &(&str, &str)| {
        format!("<D:propstat><D:prop>{props}</D:prop><D:status>HTTP/1.1 {status}</D:status></D:propstat>")
    };
    let stats: String = stats.iter().map(stat).collect();
    format!("<D:response><D:href>{href}</D:href>{stats}</D:response>")
}

const FILE: &str = "<D:getcontentlength>5</D:getcontentlength><D:getetag>\"a1\"</D:getetag>";
const FOLDER: &str = "<D:resourcetype><D:collection/></D:resourcetype>";

#[test]
fn multistatus_goes_by_property_and_status() {
    let recorded = multistatus(&response("/dav/a", &[(FILE, "200 OK"), ("<D:x/>", "404 Not Found")]));
    let split = [
        ("<x xmlns=\"DAV:\"/>", "404 Not Found"),
        ("<y:getcontentlength xmlns:y=\"DAV:\">5</y:getcontentlength>", "200 OK"),
        ("<D:getetag>\"a1\"</D:getetag>", "200 Fine"),
    ];
    let mut script = strict("webdav").call("PROPFIND", "/dav/a");
    same(&script.judge(&recorded, &multistatus(&response("/dav/a", &split))));
    let unsaid = multistatus(&response("/dav/a", &[(FILE, "200 OK")]));
    same(&script.judge(&recorded, &unsaid));
    let known = multistatus(&response("/dav/a", &[(FILE, "200 OK"), ("<D:x>1</D:x>", "200 OK")]));
    compatible(&script.judge(&recorded, &known), &["/multistatus/response/x"]);
    let gone = multistatus(&response(
        "/dav/a",
        &[("<D:getetag>\"a1\"</D:getetag>", "200 OK"), ("<D:getcontentlength/>", "404 Not Found")],
    ));
    different(&script.judge(&recorded, &gone), &["/multistatus/response/getcontentlength"]);
    let other = multistatus(&response("/dav/a", &[(&FILE.replace('5', "6"), "200 OK")]));
    different(&script.judge(&recorded, &other), &["/multistatus/response/getcontentlength"]);
}

#[test]
fn responses_are_found_by_address() {
    let (file, folder) =
        (response("/dav/a%20b", &[(FILE, "200 OK")]), response("/dav/f/", &[(FOLDER, "200 OK")]));
    let recorded = multistatus(&format!("{folder}{file}"));
    let mut rclone = replay("rclone/v1.60", "webdav").call("PROPFIND", "/dav/");
    same(&rclone.judge(&recorded, &multistatus(&format!("{file}{folder}"))));
    let mut script = strict("webdav").call("PROPFIND", "/dav/");
    compatible(
        &script.judge(&recorded, &multistatus(&format!("{file}{folder}"))),
        &["/multistatus/response"],
    );
    // an address in full, and another way of encoding
    let whole = format!("{folder}{}", file.replace("/dav/a%20b", "http://127.0.0.1:8080/dav/%61%20b"));
    compatible(
        &script.judge(&recorded, &multistatus(&whole)),
        &["/multistatus/response[href=\"/dav/a%20b\"]/href"],
    );
    let bare = format!("{}{file}", folder.replace("/dav/f/", "/dav/f"));
    different(
        &script.judge(&recorded, &multistatus(&bare)),
        &["/multistatus/response[href=\"/dav/f/\"]/href"],
    );
    different(
        &script.judge(&recorded, &multistatus(&folder)),
        &["/multistatus/response[href=\"/dav/a%20b\"]"],
    );
}

#[test]
fn a_new_lock_has_a_new_token() {
    let lock = |token: &str, timeout: &str| {
        let body = format!(
            "<D:prop xmlns:D=\"DAV:\"><D:lockdiscovery><D:activelock><D:timeout>{timeout}</D:timeout>\
             <D:locktoken><D:href>{token}</D:href></D:locktoken></D:activelock></D:lockdiscovery></D:prop>"
        );
        let header = format!("<{token}>");
        answer(200, &[("Content-Type", "text/xml"), ("Lock-Token", &header)], &body)
    };
    let mut script = strict("webdav").call("LOCK", "/dav/a");
    let token = "urn:uuid:11111111-2222-4333-8444-555555555555";
    let fresh = "urn:uuid:99999999-2222-4333-8444-555555555555";
    same(&script.judge(&lock(token, "Second-600"), &lock(fresh, "Second-599")));
    assert_eq!(script.values.substitute(&format!("(<{token}>)")), format!("(<{fresh}>)"));
    // Cells' tokens are plain numbers.
    let mut script = strict("webdav").call("LOCK", "/dav/a");
    same(&script.judge(&lock("1711101275", "Second-600"), &lock(fresh, "Second-600")));
    assert_eq!(
        script.values.substitute("</dav/a> (<1711101275>) 1711101275"),
        format!("</dav/a> (<{fresh}>) 1711101275")
    );
    different(
        &script.judge(&lock("1711101275", "Second-600"), &lock("urn:uuid:0", "Second-600")),
        &["header lock-token", "/prop/lockdiscovery/activelock/locktoken/href"],
    );
}

#[test]
fn a_body_that_is_no_xml_is_said_to_be_none() {
    let judgement = strict("pydio8").xml(LISTING, "<tree><tree></tree>");
    different(&judgement, &["body"]);
    assert!(why(&judgement).contains("the fresh one is not"), "{}", why(&judgement));
    // Where both are none, it is a text.
    different(&strict("pydio8").xml("Fatal error", "Fatal trouble"), &["body"]);
    same(&strict("pydio8").xml("<tree>", "<tree>"));
}
