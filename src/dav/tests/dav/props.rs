//! PROPFIND and PROPPATCH of one resource: the suite `props` of litmus, and live properties.

use crate::support::{Door, Response, ask, door, prop, responses};

fn update(inside: &str) -> String {
    format!("<?xml version='1.0'?><D:propertyupdate xmlns:D='DAV:'>{inside}</D:propertyupdate>")
}

fn set(properties: &str) -> String {
    update(&format!("<D:set><D:prop>{properties}</D:prop></D:set>"))
}

async fn find(door: &Door, path: &str, names: &str) -> Response {
    let answer = door.expect(207, ask("PROPFIND", path).header("depth", "0").body(prop(names))).await;
    responses(&answer).remove(0)
}

#[tokio::test]
async fn live_properties_of_a_file() {
    let door = door().await;
    let put = ask("PUT", "/a%20b.txt").body("hello").header("x-oc-mtime", "1577836800");
    let etag = door.expect(201, put).await.header("etag").to_owned();
    for body in ["", "<propfind xmlns='DAV:'><allprop/></propfind>"] {
        let answer = door.expect(207, ask("PROPFIND", "/a%20b.txt").header("depth", "0").body(body)).await;
        assert!(answer.header("content-type").contains("xml"));
        let found = responses(&answer).remove(0);
        assert_eq!(found.href, "/dav/common-files/a%20b.txt");
        let text = |local: &str| found.text(&format!("{{DAV:}}{local}"));
        assert_eq!(text("getcontentlength"), Some("5"));
        assert_eq!(text("getetag"), Some(etag.as_str()), "quoted, as in the header");
        assert_eq!(text("getlastmodified"), Some("Wed, 01 Jan 2020 00:00:00 GMT"));
        assert_eq!(text("displayname"), Some("a b.txt"));
        assert!(text("getcontenttype").unwrap().starts_with("text/plain"));
        assert_eq!(text("creationdate").unwrap().len(), "2020-01-01T00:00:00Z".len());
        assert!(found.dav("resourcetype").unwrap().inside.is_empty());
        assert_eq!(found.dav("supportedlock").unwrap().inside.len(), 10);
        assert!(found.dav("lockdiscovery").unwrap().inside.is_empty());
        assert!(found.properties.iter().all(|property| property.status == 200));
    }
}

#[tokio::test]
async fn live_properties_of_a_collection() {
    let door = door().await;
    door.mkcol("/c").await;
    for path in ["/c", "/c/"] {
        let found = find(
            &door,
            path,
            "<D:resourcetype/><D:getcontentlength/><D:getlastmodified/><D:quota-used-bytes/>",
        )
        .await;
        assert_eq!(found.href, "/dav/common-files/c/");
        assert_eq!(found.dav("resourcetype").unwrap().inside, ["{DAV:}collection"]);
        assert!(found.text("{DAV:}getlastmodified").is_some());
        assert_eq!(found.dav("getcontentlength").unwrap().status, 404);
        assert_eq!(found.dav("quota-used-bytes").unwrap().status, 404);
    }
}

#[tokio::test]
async fn names_and_includes() {
    let door = door().await;
    door.put("/a", "x").await;
    door.expect(207, ask("PROPPATCH", "/a").body(set("<p xmlns='urn:p'>v</p>"))).await;
    let answer = door
        .expect(
            207,
            ask("PROPFIND", "/a").header("depth", "0").body("<propfind xmlns='DAV:'><propname/></propfind>"),
        )
        .await;
    let found = responses(&answer).remove(0);
    assert!(found.dav("getetag").is_some_and(|property| property.text.is_empty()));
    assert!(found.property("{urn:p}p").is_some_and(|property| property.text.is_empty()));

    let include = "<propfind xmlns='DAV:'><unknown/><allprop/><include><getetag/><x xmlns='urn:x'/></include></propfind>";
    let answer = door.expect(207, ask("PROPFIND", "/a").header("depth", "0").body(include)).await;
    let found = responses(&answer).remove(0);
    assert_eq!(found.text("{urn:p}p"), Some("v"));
    assert_eq!(found.properties.iter().filter(|property| property.name == "{DAV:}getetag").count(), 1);
}

#[tokio::test]
async fn dead_properties_come_and_go() {
    let door = door().await;
    door.put("/prop", "x").await;
    // propset, propget
    let many: String = (0..10)
        .map(|n| format!("<prop{n} xmlns='http://example.com/neon/litmus/'>value{n}</prop{n}>"))
        .collect();
    let answer = door.expect(207, ask("PROPPATCH", "/prop").body(set(&many))).await;
    assert!(responses(&answer)[0].properties.iter().all(|property| property.status == 200));
    let names: String =
        (0..11).map(|n| format!("<prop{n} xmlns='http://example.com/neon/litmus/'/>")).collect();
    let found = find(&door, "/prop", &names).await;
    for n in 0..10 {
        let name = format!("{{http://example.com/neon/litmus/}}prop{n}");
        assert_eq!(found.text(&name), Some(format!("value{n}").as_str()));
    }
    assert_eq!(found.properties.last().unwrap().status, 404);
    // propdeletes, propreplace
    let remove =
        update("<D:remove><D:prop><prop0 xmlns='http://example.com/neon/litmus/'/></D:prop></D:remove>");
    door.expect(207, ask("PROPPATCH", "/prop").body(remove.clone())).await;
    // Removing what is not there is no error (RFC 4918 §9.2).
    let answer = door.expect(207, ask("PROPPATCH", "/prop").body(remove)).await;
    assert_eq!(responses(&answer)[0].properties[0].status, 200);
    door.expect(
        207,
        ask("PROPPATCH", "/prop").body(set("<prop1 xmlns='http://example.com/neon/litmus/'>new</prop1>")),
    )
    .await;
    let found = find(&door, "/prop", &names).await;
    assert_eq!(found.text("{http://example.com/neon/litmus/}prop0"), None);
    assert_eq!(found.text("{http://example.com/neon/litmus/}prop1"), Some("new"));
    // propremoveset, propsetremove: document order
    let both = update(
        "<D:remove><D:prop><x xmlns='u:'/></D:prop></D:remove><D:set><D:prop><x xmlns='u:'>y</x></D:prop></D:set>",
    );
    door.expect(207, ask("PROPPATCH", "/prop").body(both)).await;
    assert_eq!(find(&door, "/prop", "<x xmlns='u:'/>").await.text("{u:}x"), Some("y"));
    let both = update(
        "<D:set><D:prop><x xmlns='u:'>z</x></D:prop></D:set><D:remove><D:prop><x xmlns='u:'/></D:prop></D:remove>",
    );
    door.expect(207, ask("PROPPATCH", "/prop").body(both)).await;
    assert_eq!(find(&door, "/prop", "<x xmlns='u:'/>").await.text("{u:}x"), None);
}

/// `getcontentlanguage` is the one live property of RFC 4918 that a client may set (§15.3);
/// `executable` is set by cadaver's `chexec` and by davfs2.
#[tokio::test]
async fn properties_that_only_clients_know_are_kept() {
    let door = door().await;
    door.put("/p", "x").await;
    let apache = "http://apache.org/dav/props/";
    let names = format!("<D:getcontentlanguage/><executable xmlns='{apache}'/>");
    let before = find(&door, "/p", &names).await;
    assert!(before.properties.iter().all(|property| property.status == 404), "{before:?}");
    let values =
        format!("<D:getcontentlanguage>de</D:getcontentlanguage><executable xmlns='{apache}'>T</executable>");
    door.expect(207, ask("PROPPATCH", "/p").body(set(&values))).await;
    let found = find(&door, "/p", &names).await;
    assert_eq!(found.text("{DAV:}getcontentlanguage"), Some("de"));
    assert_eq!(found.text(&format!("{{{apache}}}executable")), Some("T"));
}

#[tokio::test]
async fn values_survive_as_they_are() {
    let door = door().await;
    door.put("/p", "x").await;
    // propnullns, prophighunicode, propvalnspace, propwformed
    let high = "\u{10000}\u{10FFFD}";
    let value = format!(
        "<nonamespace xmlns=''>randomvalue</nonamespace><hi xmlns='u:'>{high}</hi>\
         <ns xmlns='u:'><inner xmlns='http://bar.com' a='&quot;&lt;'>t</inner></ns>\
         <x:pre xmlns:x='u:' xml:lang='de'> a &amp; b <x:c/><![CDATA[<d>]]></x:pre><empty xmlns='u:'/>"
    );
    door.expect(207, ask("PROPPATCH", "/p").body(set(&value))).await;
    let names = "<nonamespace xmlns=''/><hi xmlns='u:'/><ns xmlns='u:'/><pre xmlns='u:'/><empty xmlns='u:'/>";
    let found = find(&door, "/p", names).await;
    assert_eq!(found.text("{}nonamespace"), Some("randomvalue"));
    assert_eq!(found.text("{u:}hi"), Some(high));
    assert_eq!(found.property("{u:}ns").unwrap().inside, ["{http://bar.com}inner"]);
    let pre = found.property("{u:}pre").unwrap();
    assert_eq!((pre.text.as_str(), pre.inside.clone()), (" a & b <d>", vec!["{u:}c".to_owned()]));
    assert_eq!(found.text("{u:}empty"), Some(""));
    let answer = door.expect(207, ask("PROPFIND", "/p").header("depth", "0")).await;
    let text = answer.text();
    assert!(text.contains("<x:pre xmlns:x=\"u:\" xml:lang=\"de\">"), "{text}");
    assert!(text.contains("a=\"&quot;&lt;\""), "{text}");
}

#[tokio::test]
async fn all_or_nothing() {
    let door = door().await;
    door.put("/p", "x").await;
    let before = door.core.stat("/common-files/p").await.unwrap();
    let mixed = set(
        "<a xmlns='u:'>1</a><D:getetag>forged</D:getetag><D:getlastmodified>Wed, 01 Jan 2020 00:00:00 GMT</D:getlastmodified>",
    );
    let answer = door.expect(207, ask("PROPPATCH", "/p").body(mixed)).await;
    let status = |name: &str| responses(&answer)[0].property(name).unwrap().status;
    assert_eq!(status("{DAV:}getetag"), 403);
    assert_eq!(status("{u:}a"), 424);
    assert_eq!(status("{DAV:}getlastmodified"), 424);
    assert!(answer.text().contains("<D:cannot-modify-protected-property/>"));
    assert_eq!(find(&door, "/p", "<a xmlns='u:'/>").await.text("{u:}a"), None);
    assert_eq!(door.core.stat("/common-files/p").await.unwrap(), before);
    for protected in [
        "creationdate",
        "resourcetype",
        "getcontentlength",
        "lockdiscovery",
        "supportedlock",
        "displayname",
        "new",
    ] {
        let answer = door
            .expect(207, ask("PROPPATCH", "/p").body(set(&format!("<D:{protected}>x</D:{protected}>"))))
            .await;
        assert_eq!(responses(&answer)[0].properties[0].status, 403, "{protected}");
    }
    let answer = door
        .expect(207, ask("PROPPATCH", "/p").body(set("<D:getlastmodified>soon</D:getlastmodified>")))
        .await;
    assert_eq!(responses(&answer)[0].properties[0].status, 409);
    door.expect(404, ask("PROPPATCH", "/none").body(set("<a xmlns='u:'/>"))).await;
}

#[tokio::test]
async fn times_can_be_set() {
    let door = door().await;
    door.put("/p", "x").await;
    for value in [
        "<D:getlastmodified>Wed, 01 Jan 2020 00:00:00 GMT</D:getlastmodified>",
        "<lastmodified xmlns='DAV:'>1577836800</lastmodified>",
        "<Win32LastModifiedTime xmlns='urn:schemas-microsoft-com:'>Wed, 01 Jan 2020 00:00:00 GMT</Win32LastModifiedTime>",
    ] {
        door.put("/p", "y").await;
        let answer = door.expect(207, ask("PROPPATCH", "/p").body(set(value))).await;
        assert_eq!(responses(&answer)[0].properties[0].status, 200, "{value}");
        assert_eq!(
            door.expect(200, ask("HEAD", "/p")).await.header("last-modified"),
            "Wed, 01 Jan 2020 00:00:00 GMT",
            "{value}"
        );
    }
}
