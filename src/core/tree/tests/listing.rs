use super::*;
use crate::testing::test_core;

/// Every page size yields the same keys in the same order, once.
async fn all_pages(tree: &Tree, at: &str, listing: &Listing) -> Vec<String> {
    let mut keys = Vec::new();
    let mut listing = listing.clone();
    loop {
        let page = tree.list(&path(at), &listing).await.unwrap();
        assert!(page.entries.len() <= listing.limit);
        keys.extend(page.entries.into_iter().map(|entry| entry.key));
        match page.next {
            Some(next) => listing.after = Some(next),
            None => return keys,
        }
    }
}

#[tokio::test]
async fn pages_of_any_size_join_to_the_same_listing_in_key_order() {
    let core = test_core().await;
    let tree = core.tree("alice").await;
    let names =
        ["a b", "a%20b", "a+b", "é", "[x]", "a-b", "a.txt", "a/1", "a/2/x", "a/2/y", "a0", "A", "z/z", "😀"];
    for name in names {
        put(&tree, &format!("/personal-files/{name}"), "x").await.unwrap();
    }
    let empty = path("/personal-files/a/empty");
    tree.create_collection(&empty, Parents::Create, crate::tree::Existing::Refuse, &[]).await.unwrap();
    let mut expected: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    expected.extend(["a/", "a/2/", "z/", "a/empty/"].map(str::to_owned));
    expected.sort();
    for limit in [1, 2, 3, 5, 100] {
        let listing = Listing { depth: Depth::Infinity, limit, ..Listing::default() };
        assert_eq!(all_pages(&tree, "/personal-files", &listing).await, expected, "pages of {limit}");
    }
    let direct = ["A", "[x]", "a b", "a%20b", "a+b", "a-b", "a.txt", "a/", "a0", "z/", "é", "😀"];
    for limit in [1, 4, 100] {
        let listing = Listing { limit, ..Listing::default() };
        assert_eq!(all_pages(&tree, "/personal-files", &listing).await, direct);
    }
    // A cursor is any text, whether or not a node bears it.
    let listing = |after: &str| Listing {
        depth: Depth::Infinity,
        after: Some(after.into()),
        limit: 100,
        ..Listing::default()
    };
    for after in ["a/", "a/1", "a/15", "a/2/", "a/2/x", "a/9/none", "b/none", "", "~"] {
        let behind: Vec<_> = expected.iter().filter(|key| key.as_str() > after).cloned().collect();
        assert_eq!(all_pages(&tree, "/personal-files", &listing(after)).await, behind, "behind `{after}`");
    }
}

#[tokio::test]
async fn only_empty_collections_are_marked_empty_at_every_page_size() {
    let core = test_core().await;
    let tree = core.tree("alice").await;
    put(&tree, "/personal-files/b/full/x", "x").await.unwrap();
    for folder in ["a", "b/empty", "c"] {
        let at = path("/personal-files").descend(folder).unwrap();
        tree.create_collection(&at, Parents::Create, crate::tree::Existing::Refuse, &[]).await.unwrap();
    }
    for limit in [1, 2, 3, 100] {
        let mut listing = Listing { depth: Depth::Infinity, limit, ..Listing::default() };
        let mut empty = Vec::new();
        loop {
            let page = tree.list(&path("/personal-files"), &listing).await.unwrap();
            empty.extend(page.entries.into_iter().filter(|entry| entry.empty).map(|entry| entry.key));
            match page.next {
                Some(next) => listing.after = Some(next),
                None => break,
            }
        }
        assert_eq!(empty, ["a/", "b/empty/", "c/"], "pages of {limit}");
    }
}

#[tokio::test]
async fn a_name_prefix_is_taken_literally() {
    let core = test_core().await;
    let tree = core.tree("alice").await;
    for name in ["fo", "foo", "foo/x", "fop", "f%", "f_o", "Foo"] {
        let _ = put(&tree, &format!("/personal-files/{name}"), "x").await;
    }
    put(&tree, "/personal-files/food/x", "x").await.unwrap();
    let with = |prefix: &str, depth| Listing {
        name_prefix: Some(prefix.into()),
        depth,
        limit: 2,
        ..Listing::default()
    };
    assert_eq!(all_pages(&tree, "/personal-files", &with("foo", Depth::One)).await, ["foo", "food/"]);
    assert_eq!(
        all_pages(&tree, "/personal-files", &with("foo", Depth::Infinity)).await,
        ["foo", "food/", "food/x"]
    );
    assert_eq!(all_pages(&tree, "/personal-files", &with("f%", Depth::One)).await, ["f%"]);
    assert_eq!(all_pages(&tree, "/personal-files", &with("f_", Depth::One)).await, ["f_o"]);
    assert!(tree.list(&path("/personal-files"), &with("a/b", Depth::One)).await.is_err());
}

#[tokio::test]
async fn the_root_lists_workspaces_and_walks_into_them() {
    let core = test_core().await;
    let tree = core.tree("alice").await;
    put(&tree, "/personal-files/a", "x").await.unwrap();
    put(&tree, "/common-files/b", "x").await.unwrap();
    assert_eq!(keys(&tree, "/", Depth::One).await, ["common-files/", "personal-files/"]);
    let expected = ["common-files/", "common-files/b", "personal-files/", "personal-files/a"];
    for limit in [1, 2, 10] {
        let listing = Listing { depth: Depth::Infinity, limit, ..Listing::default() };
        assert_eq!(all_pages(&tree, "/", &listing).await, expected);
    }
}

#[tokio::test]
async fn a_leaf_has_no_listing() {
    let core = test_core().await;
    let tree = core.tree("alice").await;
    put(&tree, "/personal-files/a", "x").await.unwrap();
    let listed = tree.list(&path("/personal-files/a"), &Listing::default()).await;
    assert!(matches!(listed, Err(Error::NotACollection(_))));
    assert!(is_absent(tree.list(&path("/personal-files/none"), &Listing::default()).await));
}
