//! Prefix, delimiter and paging, with the semantics of S3.

use cellgate_core::testing::serve;

use crate::sign::{Signed, encode};
use crate::{Stage, assert_error, signer, stage, text, texts};

/// A page as a client reads it: keys and common prefixes, each in order.
async fn page(stage: &Stage, query: &str) -> (Vec<String>, Vec<String>) {
    let answer = stage.get(&format!("/io?{query}")).await;
    assert_eq!(answer.status, 200, "{query}: {}", answer.text());
    let xml = answer.text();
    let prefixes = texts(&xml, "CommonPrefixes").iter().map(|prefix| text(prefix, "Prefix")).collect();
    (texts(&xml, "Key"), prefixes)
}

const KEYS: [&str; 9] = [
    "common-files/a b",
    "common-files/a+b",
    "common-files/a-1",
    "common-files/a.txt",
    "common-files/a/x",
    "common-files/a/y/z",
    "common-files/a0",
    "common-files/b/empty/",
    "common-files/\u{e9}",
];

async fn seeded() -> Stage {
    let stage = stage().await;
    let encoded: Vec<String> = KEYS.iter().map(|key| encode(key).replace("%2F", "/")).collect();
    stage.seed(&encoded.iter().map(String::as_str).collect::<Vec<_>>()).await;
    stage
}

fn strings(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

#[tokio::test]
async fn keys_come_in_byte_order_without_folders_that_hold_something() {
    let stage = seeded().await;
    for list in ["list-type=2", "prefix=", "list-type=2&prefix=common-files/"] {
        assert_eq!(page(&stage, list).await, (strings(&KEYS), vec![]), "{list}");
    }
}

#[tokio::test]
async fn prefixes_are_strings() {
    let stage = seeded().await;
    for (prefix, keys) in [
        ("common-files/a", &KEYS[0..7]),
        ("common-files/a.", &KEYS[3..4]),
        ("common-files/a/", &KEYS[4..6]),
        ("common-files/a/y/z", &KEYS[5..6]),
        ("common-files/a/y/z/", &[]),
        ("common-files/b", &KEYS[7..8]),
        ("common-files/b/empty/", &KEYS[7..8]),
        ("common", &KEYS[..]),
        ("common-files/a%2Bb", &KEYS[1..2]),
        ("common-files/%C3%A9", &KEYS[8..9]),
        ("nothing/", &[]),
        ("common-files//", &[]),
        ("/common-files/", &[]),
        ("common-files/../", &[]),
        ("common-files/..", &[]),
        ("%0A", &[]),
    ] {
        assert_eq!(
            page(&stage, &format!("list-type=2&prefix={prefix}")).await,
            (strings(keys), vec![]),
            "{prefix}"
        );
    }
}

#[tokio::test]
async fn delimiters_group_keys() {
    let stage = seeded().await;
    let list = |prefix: &str, delimiter: &str| format!("list-type=2&prefix={prefix}&delimiter={delimiter}");
    assert_eq!(
        page(&stage, &list("", "/")).await,
        (vec![], strings(&["common-files/", "personal-files/"])),
        "the workspaces"
    );
    assert_eq!(
        page(&stage, &list("common-files/", "/")).await,
        (
            strings(&[KEYS[0], KEYS[1], KEYS[2], KEYS[3], KEYS[6], KEYS[8]]),
            strings(&["common-files/a/", "common-files/b/"])
        )
    );
    assert_eq!(page(&stage, &list("common-files/a", "/")).await.1, strings(&["common-files/a/"]));
    assert_eq!(
        page(&stage, &list("common-files/b/", "/")).await,
        (vec![], strings(&["common-files/b/empty/"]))
    );
    // An empty folder as prefix is the object that its key names.
    assert_eq!(
        page(&stage, &list("common-files/b/empty/", "/")).await,
        (strings(&["common-files/b/empty/"]), vec![])
    );
    assert_eq!(
        page(&stage, &list("common-files/", "-")).await,
        (
            strings(&[KEYS[0], KEYS[1], KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7], KEYS[8]]),
            strings(&["common-files/a-"])
        )
    );
    assert_eq!(
        page(&stage, &list("common-files/", "a/")).await.1,
        strings(&["common-files/a/"]),
        "two characters"
    );
    assert_eq!(
        page(&stage, &list("", "s/")).await,
        (vec![], strings(&["common-files/", "personal-files/"])),
        "a delimiter that ends a workspace's name"
    );
}

/// Every page size gives the same keys, whatever names the next page.
#[tokio::test]
async fn pages_of_every_size_join_to_the_whole() {
    let stage = seeded().await;
    for question in
        ["", "delimiter=/&prefix=common-files/", "delimiter=-", "prefix=common-files/a&delimiter=/"]
    {
        let (keys, prefixes) = page(&stage, &format!("list-type=2&{question}")).await;
        let mut whole = [keys, prefixes].concat();
        whole.sort();
        for size in 1..=whole.len() + 1 {
            for v2 in [true, false] {
                let (mut seen, mut next, mut pages) = (Vec::new(), String::new(), 0);
                loop {
                    let cursor = match (next.is_empty(), v2) {
                        (true, _) => String::new(),
                        (false, true) => format!("&continuation-token={}", encode(&next)),
                        (false, false) => format!("&marker={}", encode(&next)),
                    };
                    let kind = if v2 { "list-type=2&" } else { "" };
                    let answer = stage.get(&format!("/io?{kind}{question}&max-keys={size}{cursor}")).await;
                    let xml = answer.text();
                    assert_eq!(answer.status, 200, "{xml}");
                    let prefixes = texts(&xml, "CommonPrefixes");
                    let mut items = texts(&xml, "Key");
                    items.extend(prefixes.iter().map(|prefix| text(prefix, "Prefix")));
                    items.sort();
                    assert!(items.len() <= size, "{xml}");
                    if v2 {
                        assert_eq!(text(&xml, "KeyCount"), items.len().to_string());
                    }
                    seen.extend(items.clone());
                    pages += 1;
                    assert!(pages <= whole.len() + 1, "{question} does not end at {size}");
                    if text(&xml, "IsTruncated") != "true" {
                        break;
                    }
                    assert_eq!(items.len(), size, "{xml}");
                    next = match v2 {
                        true => text(&xml, "NextContinuationToken"),
                        false => Some(text(&xml, "NextMarker"))
                            .filter(|marker| !marker.is_empty())
                            .unwrap_or_else(|| items.last().unwrap().clone()),
                    };
                    assert!(!next.is_empty(), "{xml}");
                }
                assert_eq!(seen, whole, "{question} by {size}, v2: {v2}");
            }
        }
    }
}

#[tokio::test]
async fn markers_need_not_be_keys() {
    let stage = seeded().await;
    for (after, expected) in [
        ("common-files/a-", &KEYS[2..]),
        ("common-files/a/", &KEYS[4..]),
        ("common-files/a/x", &KEYS[5..]),
        ("common-files/a/y", &KEYS[5..]),
        ("common-files/a/y/zz", &KEYS[6..]),
        ("common-files/b", &KEYS[7..]),
        ("common-files/b/empty/", &KEYS[8..]),
        ("a", &KEYS[..]),
        ("zzz", &[]),
    ] {
        let encoded = encode(after);
        let (keys, _) = page(&stage, &format!("list-type=2&start-after={encoded}")).await;
        assert_eq!(keys, strings(expected), "start-after {after}");
        let (keys, _) = page(&stage, &format!("marker={encoded}")).await;
        assert_eq!(keys, strings(expected), "marker {after}");
    }
    let (keys, prefixes) =
        page(&stage, "list-type=2&delimiter=/&prefix=common-files/&start-after=common-files/a/x").await;
    assert_eq!(
        (keys, prefixes),
        (
            strings(&KEYS[6..7].iter().chain(&KEYS[8..]).copied().collect::<Vec<_>>()),
            strings(&["common-files/b/"])
        )
    );
}

#[tokio::test]
async fn answers_echo_the_question_and_describe_the_objects() {
    let stage = stage().await;
    stage.put("/io/common-files/a+b%20c.txt", "hello").await;
    let answer = stage
        .get("/io?list-type=2&prefix=common-files/a%2B&delimiter=/&start-after=a%2B&encoding-type=url&fetch-owner=true&max-keys=5000")
        .await;
    let xml = answer.text();
    for (element, value) in [
        ("Name", "io"),
        ("Prefix", "common-files/a%2B"),
        ("StartAfter", "a%2B"),
        ("Delimiter", "/"),
        ("EncodingType", "url"),
        ("MaxKeys", "1000"),
        ("KeyCount", "1"),
        ("IsTruncated", "false"),
        ("Key", "common-files/a%2Bb%20c.txt"),
        ("ETag", "\"5d41402abc4b2a76b9719d911017c592\""),
        ("Size", "5"),
        ("StorageClass", "STANDARD"),
        ("DisplayName", "alice"),
    ] {
        assert_eq!(text(&xml, element), value, "{element} in {xml}");
    }
    let modified = text(&xml, "LastModified");
    assert!(modified.ends_with('Z') && modified.contains('.'), "{modified}");
    let plain = stage.get("/io?list-type=2&prefix=common-files/").await.text();
    assert_eq!(text(&plain, "Key"), "common-files/a+b c.txt");
    assert!(!plain.contains("<Owner>"), "{plain}");
    let none = stage.get("/io?list-type=2&max-keys=0").await.text();
    assert_eq!((text(&none, "IsTruncated"), text(&none, "KeyCount")), ("false".into(), "0".into()));
}

#[tokio::test]
async fn wrong_questions_are_refused() {
    let stage = stage().await;
    for query in [
        "list-type=2&continuation-token=%3F",
        "list-type=2&encoding-type=xml",
        "encoding-type=xml",
        "max-keys=-1",
        "max-keys=x",
        "list-type=2&max-keys=99999999999",
        "prefix=%01",
    ] {
        assert_error(&stage.get(&format!("/io?{query}")).await, 400, "InvalidArgument");
    }
}

/// The sentence that Amazon answers with, as versitygw's issue 1794 has it.
#[tokio::test]
async fn page_sizes_are_integers() {
    let stage = stage().await;
    stage.seed(&["common-files/a"]).await;
    for (name, kind) in [
        ("max-keys", ""),
        ("max-keys", "list-type=2&"),
        ("max-keys", "versions&"),
        ("max-uploads", "uploads&"),
    ] {
        for size in ["x", "1.5", "2147483648", "-2147483649", "99999999999999999999", "1 0"] {
            let size = size.replace(' ', "%20");
            let answer = stage.get(&format!("/common-files?{kind}{name}={size}")).await;
            assert_error(&answer, 400, "InvalidArgument");
            let xml = answer.text();
            let why = format!("Provided {name} not an integer or within integer range");
            assert_eq!((text(&xml, "Message"), text(&xml, "ArgumentName")), (why, name.to_owned()));
            assert_eq!(text(&xml, "ArgumentValue"), size.replace("%20", " "));
        }
        assert_eq!(stage.get(&format!("/common-files?{kind}{name}=2147483647")).await.status, 200);
    }
    let parts = stage.get("/io/common-files/a?uploadId=x&max-parts=x").await;
    assert_error(&parts, 400, "InvalidArgument");
    assert_eq!(text(&parts.text(), "ArgumentName"), "max-parts");
    // Of an object it says nothing.
    assert_eq!(stage.get("/io/common-files/a?max-keys=x").await.status, 200);
    let unsigned = serve(&stage.s3, cellgate_core::testing::request("GET", "/io?max-keys=x")).await;
    assert_error(&unsigned, 403, "AccessDenied");
}

#[tokio::test]
async fn only_what_may_be_read_is_listed() {
    let stage = stage().await;
    stage.seed(&["common-files/a", "personal-files/mine"]).await;
    let reader = signer(&stage.core, "reader").await;
    let list = |query: &str| {
        let request = reader.header(Signed::new("GET", &format!("/io?list-type=2&{query}")));
        async { serve(&stage.s3, request).await.text() }
    };
    assert_eq!(texts(&list("").await, "Key"), ["common-files/a"]);
    assert_eq!(texts(&list("prefix=personal-files/").await, "Key"), Vec::<String>::new());
    let xml = list("delimiter=/").await;
    assert_eq!(texts(&xml, "CommonPrefixes").len(), 1, "{xml}");
}

#[tokio::test]
async fn an_empty_workspace_is_a_prefix_and_no_object() {
    let stage = stage().await;
    assert_eq!(page(&stage, "list-type=2").await, (vec![], vec![]));
    assert_eq!(page(&stage, "list-type=2&prefix=common-files/&delimiter=/").await, (vec![], vec![]));
}
