//! Whatever an answer is, it is the same as itself.

use proptest::prelude::*;
use serde_json::Value;

use super::*;

const PROTOCOLS: [&str; 6] = ["cells", "s3", "webdav", "pydio8", "seafile", ""];

fn words() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-zA-Z0-9/_. %+:;,=-]{0,24}",
        "[0-9]{1,19}",
        "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
        "[0-9a-f]{32}",
        "20[0-9]{2}-0[1-9]-[12][0-9]T1[0-9]:[0-5][0-9]:[0-5][0-9]Z",
        Just("__jwt_1__".to_owned()),
        "\\PC{0,12}",
    ]
}

fn names() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z]{1,6}",
        prop::sample::select(vec![
            "id", "Uuid", "etag", "href", "name", "Path", "size", "mtime", "seq", "token", "message"
        ])
        .prop_map(str::to_owned),
    ]
}

fn json_values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        words().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map(names(), inner, 0..5)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn escaped(text: &str) -> String {
    let text: String = text
        .chars()
        .filter(|char| !char.is_control() && *char != '\u{fffe}' && *char != '\u{ffff}')
        .collect();
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn xml_documents() -> impl Strategy<Value = String> {
    let attributes = || prop::collection::btree_map(names(), words(), 0..4);
    let leaf = (names(), attributes(), words())
        .prop_map(|(name, attributes, text)| tag(&name, &attributes, &escaped(&text)));
    leaf.prop_recursive(4, 40, 6, move |inner| {
        (names(), attributes(), prop::collection::vec(inner, 0..5))
            .prop_map(|(name, attributes, children)| tag(&name, &attributes, &children.concat()))
    })
}

fn tag(name: &str, attributes: &std::collections::BTreeMap<String, String>, inside: &str) -> String {
    let attributes: String =
        attributes.iter().map(|(name, value)| format!(" {name}=\"{}\"", escaped(value))).collect();
    format!("<{name}{attributes}>{inside}</{name}>")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn any_json_is_the_same_as_itself(value in json_values(), protocol in 0..PROTOCOLS.len()) {
        let body = value.to_string();
        // Spaced otherwise, so that it is not equal byte by byte.
        let spaced = serde_json::to_string_pretty(&value).unwrap_or_default() + " ";
        let judgement = strict(PROTOCOLS[protocol]).call("PROPFIND", "/x").json(&body, &spaced);
        prop_assert_eq!(judgement.verdict, Verdict::Same, "{:#?}", judgement.findings);
    }

    #[test]
    fn any_xml_is_the_same_as_itself(body in xml_documents(), protocol in 0..PROTOCOLS.len()) {
        let spaced = format!("<?xml version=\"1.0\"?>\n{body}\n");
        let judgement = strict(PROTOCOLS[protocol]).call("PROPFIND", "/x").xml(&body, &spaced);
        prop_assert_eq!(judgement.verdict, Verdict::Same, "{:#?}", judgement.findings);
    }

    #[test]
    fn nothing_that_a_server_answers_stops_the_comparison(
        recorded in prop::collection::vec(any::<u8>(), 0..200),
        fresh in prop::collection::vec(any::<u8>(), 0..200),
        header in "\\PC{0,30}",
        kind in prop::sample::select(vec!["text/xml", "application/json", "text/plain", "text/html", "x"]),
        protocol in 0..PROTOCOLS.len(),
    ) {
        let answer = |body: Vec<u8>| Answered {
            status: 200,
            headers: owned(&[("content-type", kind), ("etag", &header), ("set-cookie", &header), ("location", &header)]),
            body: Payload::Bytes(body.into()),
        };
        strict(PROTOCOLS[protocol]).judge(&answer(recorded), &answer(fresh));
    }
}
