//! The order of siblings, and spans of it.

use std::sync::Arc;

use super::{all, collection, fill, insert, keys, root};
use crate::node::NodeId;
use crate::ports::{Index, Span};

/// In the order that is expected: UTF-8 bytes, a collection as if it ended in a slash. Every pair of
/// neighbours is one that a locale, UTF-16, case folding or sorting by bare names would swap.
const AWKWARD: [&str; 32] = [
    " ", "!", "%", "%25", "'", "(1)", "*", "...", "A", "Z", "[x]", "\\", "_", "a b", "a%20b", "a+b", "a-b",
    "a.txt", "a/", "a0", "aB", "a_", "ab", "b", "ss", "~", "Ä", "ß", "é", "\u{fb01}", "～", "😀",
];

pub async fn siblings_come_in_key_order(index: Arc<dyn Index>) {
    let root = root(&index).await;
    let mut shuffled = AWKWARD;
    shuffled.reverse();
    shuffled.rotate_left(7);
    fill(&index, root.id, &shuffled).await;
    // A neighbour's children are no siblings.
    let other = insert(&index, collection(NodeId::ROOT, "other")).await;
    fill(&index, other.id, &["a", "b/"]).await;

    let children = index.children(root.id, &all()).await.unwrap();
    assert_eq!(keys(&children), AWKWARD);
    let inside = txn!(index, |txn| txn.children(root.id, &all()).await).unwrap();
    assert_eq!(inside, children);
}

struct Case {
    from: Option<&'static str>,
    exclusive: bool,
    prefix: Option<&'static str>,
    limit: usize,
    expected: &'static [&'static str],
}

async fn check(index: &Arc<dyn Index>, parent: NodeId, cases: Vec<Case>) {
    for case in cases {
        let span = Span {
            from: case.from.map(str::to_owned),
            exclusive: case.exclusive,
            prefix: case.prefix.map(str::to_owned),
            limit: case.limit,
        };
        let found = index.children(parent, &span).await.unwrap();
        assert_eq!(keys(&found), case.expected, "{span:?}");
        let asked = span.clone();
        let inside = txn!(index, |txn| txn.children(parent, &asked).await).unwrap();
        assert_eq!(keys(&inside), case.expected, "{span:?} in a transaction");
    }
}

pub async fn a_span_begins_where_it_is_told(index: Arc<dyn Index>) {
    let root = root(&index).await;
    fill(&index, root.id, &["a-b", "a/", "a0", "é", "😀"]).await;
    let case = |from, exclusive, limit, expected| Case { from, exclusive, prefix: None, limit, expected };
    let cases = vec![
        case(None, false, 2, &["a-b", "a/"]),
        // Nothing to leave out.
        case(None, true, 2, &["a-b", "a/"]),
        case(Some(""), true, 1, &["a-b"]),
        case(Some("a/"), false, 9, &["a/", "a0", "é", "😀"]),
        case(Some("a/"), true, 9, &["a0", "é", "😀"]),
        case(Some("a/"), true, 1, &["a0"]),
        // Text that names no node: a cursor outlives what it named.
        case(Some("a"), true, 1, &["a-b"]),
        case(Some("a.zip"), true, 1, &["a/"]),
        case(Some("a/\u{10ffff}"), true, 1, &["a0"]),
        case(Some("b"), false, 9, &["é", "😀"]),
        case(Some("A"), false, 1, &["a-b"]),
        case(Some("😀"), false, 9, &["😀"]),
        case(Some("😀"), true, 9, &[]),
        case(Some("\u{10ffff}"), false, 9, &[]),
    ];
    check(&index, root.id, cases).await;
}

pub async fn a_prefix_is_plain_text(index: Arc<dyn Index>) {
    let root = root(&index).await;
    fill(&index, root.id, &AWKWARD).await;
    let case = |prefix, expected: &'static [&'static str]| Case {
        from: None,
        exclusive: false,
        prefix: Some(prefix),
        limit: 100,
        expected,
    };
    let cases = vec![
        case("", &AWKWARD),
        case("%", &["%", "%25"]),
        case("%2", &["%25"]),
        case("_", &["_"]),
        case("a_", &["a_"]),
        case("*", &["*"]),
        case("[", &["[x]"]),
        case("\\", &["\\"]),
        case("'", &["'"]),
        case("a b", &["a b"]),
        case("A", &["A"]),
        case("é", &["é"]),
        // Shares its first byte with its neighbours.
        case("Ä", &["Ä"]),
        case("😀", &["😀"]),
        case("😀😀", &[]),
        case("a", &["a b", "a%20b", "a+b", "a-b", "a.txt", "a/", "a0", "aB", "a_", "ab"]),
        // Of the name, which has no slash.
        case("a/", &[]),
        case("c", &[]),
    ];
    check(&index, root.id, cases).await;
}

/// The end of a prefix' range is the next text of its length; these have none that is easy to name.
pub async fn prefixes_at_the_edges_of_unicode(index: Arc<dyn Index>) {
    let root = root(&index).await;
    let edges = [
        "a",
        "\u{7ff}",
        "\u{7ff}b",
        "\u{800}",
        "\u{d7ff}",
        "\u{d7ff}b",
        "\u{e000}",
        "\u{ffff}",
        "\u{ffff}b",
        "\u{10000}",
        "\u{10ffff}",
        "\u{10ffff}b",
        "\u{10ffff}\u{10ffff}",
    ];
    fill(&index, root.id, &edges).await;
    let case =
        |prefix, from, expected| Case { from, exclusive: false, prefix: Some(prefix), limit: 100, expected };
    let cases = vec![
        case("\u{7ff}", None, &["\u{7ff}", "\u{7ff}b"] as &[_]),
        case("\u{d7ff}", None, &["\u{d7ff}", "\u{d7ff}b"]),
        case("\u{ffff}", None, &["\u{ffff}", "\u{ffff}b"]),
        case("\u{10ffff}", None, &["\u{10ffff}", "\u{10ffff}b", "\u{10ffff}\u{10ffff}"]),
        case("\u{10ffff}\u{10ffff}", None, &["\u{10ffff}\u{10ffff}"]),
        case("\u{10ffff}", Some("\u{10ffff}a"), &["\u{10ffff}b", "\u{10ffff}\u{10ffff}"]),
    ];
    check(&index, root.id, cases).await;
}

pub async fn a_prefix_and_a_beginning_both_hold(index: Arc<dyn Index>) {
    let root = root(&index).await;
    fill(&index, root.id, &["a", "b", "b-1", "b-2/", "b-3", "c"]).await;
    let case = |from, exclusive, limit, expected| Case {
        from: Some(from),
        exclusive,
        prefix: Some("b"),
        limit,
        expected,
    };
    let cases = vec![
        // Before the prefix: all of it, its own first name included.
        case("a", true, 9, &["b", "b-1", "b-2/", "b-3"] as &[_]),
        case("", true, 9, &["b", "b-1", "b-2/", "b-3"]),
        case("b", false, 9, &["b", "b-1", "b-2/", "b-3"]),
        case("b", true, 9, &["b-1", "b-2/", "b-3"]),
        case("b-2/", true, 9, &["b-3"]),
        case("b-2", false, 1, &["b-2/"]),
        case("c", false, 9, &[]),
    ];
    check(&index, root.id, cases).await;
}

/// Following the last key with an exclusive span meets every sibling once, whatever the page size.
pub async fn pages_join_without_gap_or_repeat(index: Arc<dyn Index>) {
    let root = root(&index).await;
    fill(&index, root.id, &AWKWARD).await;
    for limit in [1, 2, 7, 32, 33] {
        let mut met = Vec::new();
        let mut from = None;
        loop {
            let span = Span { from: from.clone(), exclusive: true, prefix: None, limit };
            let page = keys(&index.children(root.id, &span).await.unwrap());
            assert!(page.len() <= limit);
            let Some(last) = page.last() else { break };
            from = Some(last.clone());
            met.extend(page);
        }
        assert_eq!(met, AWKWARD, "pages of {limit}");
    }
}
