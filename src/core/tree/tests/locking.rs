use super::*;
use crate::lock::{Lock, LockRequest};
use crate::principal::Door;
use crate::testing::{TestCore, test_core};
use crate::tree::{Existing, Removal, Remove, Transfer};

fn exclusive(deep: bool) -> LockRequest {
    LockRequest {
        owner: "<href>me</href>".into(),
        deep,
        shared: false,
        timeout_s: None,
        create: true,
        tokens: vec![],
    }
}

pub(super) async fn locked(core: &TestCore, at: &str, deep: bool) -> Lock {
    let tree = core.tree_through("admin", Door::Dav).await;
    tree.lock(&path(at), &exclusive(deep)).await.unwrap().0
}

/// Every mutation of `/common-files/d/a.txt`, through a tree, with tokens.
async fn mutations(tree: &Tree, tokens: &[String]) -> Vec<(&'static str, Result<()>)> {
    let a = path("/common-files/d/a.txt");
    let other = path("/common-files/free.txt");
    let transfer = || Transfer { tokens: tokens.to_vec(), ..Transfer::default() };
    let write = Write { tokens: tokens.to_vec(), ..Write::default() };
    let permanent = Remove { removal: Removal::Permanent, tokens: tokens.to_vec(), ..Remove::default() };
    let recycle = Remove { tokens: tokens.to_vec(), ..Remove::default() };
    let meta = [("k".to_owned(), Some("v".to_owned()))];
    vec![
        ("write", tree.write(&a, body("new"), write).await.map(drop)),
        ("set_meta", tree.set_meta(&a, "user", &meta, tokens).await.map(drop)),
        ("set_attributes", tree.set_attributes(&a, &meta, None, None, tokens).await.map(drop)),
        ("move away", tree.rename(&a, &path("/common-files/moved"), &transfer()).await.map(drop)),
        ("move onto", tree.rename(&other, &a, &transfer()).await.map(drop)),
        ("copy onto", tree.copy(&other, &a, &transfer()).await.map(drop)),
        ("recycle", tree.remove(&a, &recycle).await.map(drop)),
        ("remove", tree.remove(&a, &permanent).await.map(drop)),
        ("remove above", tree.remove(&path("/common-files/d"), &permanent).await.map(drop)),
        (
            "move above",
            tree.rename(&path("/common-files/d"), &path("/common-files/e"), &transfer()).await.map(drop),
        ),
    ]
}

#[tokio::test]
async fn a_lock_stops_every_mutation_of_everybody_else_in_every_door() {
    for (at, deep) in
        [("/common-files/d/a.txt", false), ("/common-files/d", true), ("/common-files/d/a.txt", true)]
    {
        let core = test_core().await;
        core.put("/common-files/d/a.txt", "old").await;
        core.put("/common-files/free.txt", "free").await;
        let lock = locked(&core, at, deep).await;
        for door in [Door::S3, Door::Pydio8, Door::Seafile, Door::Cells, Door::Dav] {
            // Another principal, even with the token; and the owner without it.
            let alice = core.tree_through("alice", door).await;
            let admin = core.tree_through("admin", door).await;
            let token = [lock.token.clone()];
            for (name, done) in
                mutations(&alice, &token).await.into_iter().chain(mutations(&admin, &[]).await)
            {
                assert!(matches!(done, Err(Error::Locked { .. })), "{name} via {door} under {at}: {done:?}");
            }
        }
        assert_eq!(core.get("/common-files/d/a.txt").await.unwrap(), "old");
        assert_eq!(core.get("/common-files/free.txt").await.unwrap(), "free");
    }
}

#[tokio::test]
async fn the_owner_with_the_token_works_and_ends_the_lock_with_the_node() {
    let core = test_core().await;
    core.put("/common-files/d/a.txt", "old").await;
    let lock = locked(&core, "/common-files/d/a.txt", false).await;
    let admin = core.tree_through("admin", Door::S3).await;
    let a = path("/common-files/d/a.txt");
    let write = Write { tokens: vec![lock.token.clone()], ..Write::default() };
    admin.write(&a, body("new"), write).await.unwrap();
    // The lock moves along, and is seen where the node is.
    let how = Transfer { tokens: vec![lock.token.clone()], ..Transfer::default() };
    admin.rename(&a, &path("/common-files/b.txt"), &how).await.unwrap();
    let (at, held) = admin.locks(&path("/common-files/b.txt")).await.unwrap().remove(0);
    assert_eq!((at.to_string().as_str(), held.token), ("/common-files/b.txt", lock.token.clone()));
    assert_eq!(core.locks().await.unwrap()[0].0.to_string(), "/pydiods1/b.txt");
    let gone = Remove { tokens: vec![lock.token], ..Remove::default() };
    admin.remove(&path("/common-files/b.txt"), &gone).await.unwrap();
    assert!(core.locks().await.unwrap().is_empty(), "no ghost of a lock");
}

#[tokio::test]
async fn a_lock_on_a_collection_guards_its_membership() {
    let core = test_core().await;
    core.put("/common-files/d/a.txt", "old").await;
    locked(&core, "/common-files/d", false).await;
    let alice = core.tree("alice").await;
    assert!(matches!(put(&alice, "/common-files/d/new", "x").await, Err(Error::Locked { .. })));
    let made =
        alice.create_collection(&path("/common-files/d/new"), Parents::Create, Existing::Refuse, &[]).await;
    assert!(matches!(made, Err(Error::Locked { .. })));
    // Depth 0: what is in it already can be written (RFC 4918 §7.4).
    put(&alice, "/common-files/d/a.txt", "new").await.unwrap();
}

#[tokio::test]
async fn exclusive_locks_stand_alone_and_shared_ones_together() {
    let core = test_core().await;
    core.put("/common-files/d/a.txt", "old").await;
    let (admin, alice) = (core.tree("admin").await, core.tree("alice").await);
    let at = path("/common-files/d/a.txt");
    let shared = LockRequest { shared: true, ..exclusive(false) };
    let one = admin.lock(&at, &shared).await.unwrap().0;
    let two = alice.lock(&at, &shared).await.unwrap().0;
    assert!(matches!(alice.lock(&at, &exclusive(false)).await, Err(Error::Locked { .. })));
    assert!(matches!(
        alice.lock(&path("/common-files/d"), &exclusive(true)).await,
        Err(Error::Locked { .. })
    ));
    // Any one of the shared locks lets its owner write.
    let write = Write { tokens: vec![two.token.clone()], ..Write::default() };
    alice.write(&at, body("new"), write).await.unwrap();
    admin.unlock(&at, &one.token).await.unwrap();
    alice.unlock(&at, &two.token).await.unwrap();
    admin.lock(&path("/common-files/d"), &exclusive(true)).await.unwrap();
    assert!(matches!(alice.lock(&at, &shared).await, Err(Error::Locked { .. })));
}

#[tokio::test]
async fn locks_are_renewed_broken_and_given_back_by_who_may() {
    let core = test_core().await;
    core.put("/common-files/a.txt", "old").await;
    let alice = core.tree("alice").await;
    let at = path("/common-files/a.txt");
    let lock = alice.lock(&at, &exclusive(false)).await.unwrap().0;
    let admin = core.tree("admin").await;
    assert!(admin.refresh_lock(&at, &lock.token, Some(60)).await.is_err());
    let renewed = alice.refresh_lock(&at, &lock.token, Some(86_400)).await.unwrap();
    assert!(renewed.expires_ns > lock.expires_ns);
    core.add_user("bob").await;
    let bob = core.tree("bob").await;
    assert!(matches!(bob.unlock(&at, &lock.token).await, Err(Error::Denied { .. })));
    assert!(matches!(bob.unlock(&at, "urn:uuid:none").await, Err(Error::NoSuchLock(_))));
    core.break_lock(&lock.token).await.unwrap();
    assert!(matches!(core.break_lock(&lock.token).await, Err(Error::NoSuchLock(_))));
    put(&bob, "/common-files/a.txt", "new").await.unwrap();
}

#[tokio::test]
async fn an_expired_lock_stops_nobody() {
    let core = test_core().await;
    core.put("/common-files/a.txt", "old").await;
    let mut lock = locked(&core, "/common-files/a.txt", false).await;
    lock.expires_ns = crate::http::date::now_ns() - 1;
    core.commit(move |txn| Box::pin(async move { txn.put_lock(&lock).await })).await.unwrap();
    put(&core.tree("alice").await, "/common-files/a.txt", "new").await.unwrap();
    assert!(core.locks().await.unwrap().is_empty());
}

#[tokio::test]
async fn locking_a_new_name_makes_an_empty_leaf() {
    let core = test_core().await;
    let tree = core.tree("alice").await;
    let at = path("/personal-files/new.txt");
    let (lock, created) = tree.lock(&at, &exclusive(false)).await.unwrap();
    assert!(created);
    let node = tree.stat(&at).await.unwrap();
    assert_eq!((node.size, node.etag.as_str()), (0, "d41d8cd98f00b204e9800998ecf8427e"));
    assert!(matches!(put(&tree, "/personal-files/new.txt", "x").await, Err(Error::Locked { .. })));
    let write = Write { tokens: vec![lock.token], ..Write::default() };
    tree.write(&at, body("x"), write).await.unwrap();
    let nowhere = tree.lock(&path("/personal-files/no/new.txt"), &exclusive(false)).await;
    assert!(matches!(nowhere, Err(Error::ParentMissing(_))));
}
