//! Passwords: verifying, remembering, refusing.

use std::time::Duration;

use super::*;
use crate::identity::UserChange;

#[tokio::test]
async fn login_and_password_open_every_door() {
    let (identity, alice) = with_alice().await;
    for door in Door::ALL {
        let principal = identity.verify(&password("alice", ALICE), door).await.unwrap();
        assert_eq!((principal.login.as_str(), principal.uuid), ("alice", alice.uuid));
        assert!(!principal.admin);
    }
}

#[tokio::test]
async fn wrong_and_missing_credentials_are_told_apart_from_nothing_else() {
    let (identity, _) = with_alice().await;
    let nobody = NewUser { login: "nobody".into(), ..NewUser::default() };
    identity.create_user(nobody).await.unwrap();
    refused_as(identity.verify(&Credentials::Anonymous, Door::Dav).await, Unauthenticated::Missing);
    for (login, secret) in
        [("alice", ""), ("alice", "al1ce-secret"), ("Alice", ALICE), ("bob", ALICE), ("", ""), ("nobody", "")]
    {
        let result = identity.verify(&password(login, secret), Door::Dav).await;
        refused_as(result, Unauthenticated::Wrong);
    }
    for text in ["", ":", "eyJ..", "eyJhbGciOiJub25lIn0.e30.", "cgAAAAAAAAAAAAAAAAAA", "a:b"] {
        refused_as(identity.verify(&token(text), Door::Dav).await, Unauthenticated::Wrong);
        refused_as(identity.verify(&access_key(text), Door::S3).await, Unauthenticated::Wrong);
    }
    refused_as(identity.verify(&token(&"x".repeat(100_000)), Door::Dav).await, Unauthenticated::Wrong);
}

#[tokio::test]
async fn an_old_hash_is_replaced_at_the_first_sign_in_and_not_before() {
    let (identity, _) = with_alice().await;
    let pydio8 = "sha256:1000:b2xkLXB5ZGlvLXNhbHQtZm9yLWFsaWNlLTAwMDAwMDE=:XMLlKNWqzvtx7YtdTKLY48WaJ2644RWq";
    for old in [pydio8.to_owned(), md5_of(ALICE)] {
        identity.set_password_hash("alice", &old).await.unwrap();
        refused_as(identity.verify(&password("alice", "guess"), Door::Dav).await, Unauthenticated::Wrong);
        assert_eq!(identity.user("alice").await.unwrap().unwrap().password, old);

        identity.verify(&password("alice", ALICE), Door::Dav).await.unwrap();
        let new = identity.user("alice").await.unwrap().unwrap().password;
        assert!(new.starts_with("$argon2id$"), "{new}");
        identity.verify(&password("alice", ALICE), Door::Dav).await.unwrap();
        unrelated_change(&identity).await;
        identity.verify(&password("alice", ALICE), Door::Dav).await.unwrap();
        assert_eq!(identity.user("alice").await.unwrap().unwrap().password, new, "once is enough");
    }
    assert!(identity.set_password_hash("alice", "plain text").await.is_err());
}

fn md5_of(text: &str) -> String {
    use md5::Digest as _;
    hex::encode(md5::Md5::digest(text.as_bytes()))
}

#[tokio::test]
async fn what_was_verified_is_remembered_until_the_directory_changes() {
    let (identity, _) = with_alice().await;
    let first = identity.verify(&password("alice", ALICE), Door::Dav).await.unwrap();
    let second = identity.verify(&password("alice", ALICE), Door::S3).await.unwrap();
    assert!(Arc::ptr_eq(&first, &second), "no second look");

    identity.put_datasource(datasource("d")).await.unwrap();
    let w = identity.put_workspace(workspace("w", "d")).await.unwrap();
    assert_eq!(rights_in(&second, &w).await, Rights::NONE);
    let w = Workspace { default_rights: Rights::READ, ..w };
    identity.put_workspace(w.clone()).await.unwrap();
    let third = identity.verify(&password("alice", ALICE), Door::Dav).await.unwrap();
    assert_eq!(rights_in(&third, &w).await, Rights::READ);
}

/// Takes all of the hashing pool, so that whoever needs a hash waits for ever.
async fn no_hashing(identity: &Identity) -> impl Drop {
    struct Held(Vec<tokio::sync::OwnedSemaphorePermit>);
    impl Drop for Held {
        fn drop(&mut self) {
            self.0.clear();
        }
    }
    Held(vec![identity.inner.hashing.turn().await.unwrap(), identity.inner.hashing.turn().await.unwrap()])
}

async fn answers(identity: &Identity, credentials: &Credentials) -> bool {
    tokio::time::timeout(Duration::from_millis(100), identity.verify(credentials, Door::Dav)).await.is_ok()
}

#[tokio::test]
async fn a_change_elsewhere_costs_no_new_hash() {
    let (identity, _) = with_alice().await;
    let good = password("alice", ALICE);
    identity.verify(&good, Door::Dav).await.unwrap();
    let _held = no_hashing(&identity).await;
    assert!(answers(&identity, &good).await);
    unrelated_change(&identity).await;
    assert!(answers(&identity, &good).await);
}

#[tokio::test]
async fn a_login_that_does_not_exist_costs_as_much_as_a_wrong_password() {
    let (identity, _) = with_alice().await;
    let held = no_hashing(&identity).await;
    let (wrong, unknown) = (password("alice", "guess"), password("bob", "guess"));
    assert!(!answers(&identity, &wrong).await);
    assert!(!answers(&identity, &unknown).await);
    drop(held);
    assert!(identity.verify(&unknown, Door::Dav).await.is_err());
}

#[tokio::test]
async fn a_new_password_ends_the_old_one_at_once() {
    let (identity, _) = with_alice().await;
    identity.verify(&password("alice", ALICE), Door::Dav).await.unwrap();
    let change = UserChange { password: Some("other".into()), ..UserChange::default() };
    identity.change_user("alice", change).await.unwrap();
    refused_as(identity.verify(&password("alice", ALICE), Door::Dav).await, Unauthenticated::Wrong);
    identity.verify(&password("alice", "other"), Door::Dav).await.unwrap();

    // And back: that it was wrong in between is not held against it.
    let change = UserChange { password: Some(ALICE.into()), ..UserChange::default() };
    identity.change_user("alice", change).await.unwrap();
    identity.verify(&password("alice", ALICE), Door::Dav).await.unwrap();
}

#[tokio::test]
async fn a_locked_or_deleted_user_is_out_at_once_and_an_unlocked_one_in() {
    let (identity, _) = with_alice().await;
    let good = password("alice", ALICE);
    identity.verify(&good, Door::Dav).await.unwrap();
    let locked = |locked| UserChange { locked: Some(locked), ..UserChange::default() };
    identity.change_user("alice", locked(true)).await.unwrap();
    refused_as(identity.verify(&good, Door::Dav).await, Unauthenticated::Wrong);
    identity.change_user("alice", locked(false)).await.unwrap();
    identity.verify(&good, Door::Dav).await.unwrap();
    identity.delete_user("alice").await.unwrap();
    refused_as(identity.verify(&good, Door::Dav).await, Unauthenticated::Wrong);
}

#[tokio::test]
async fn guessing_locks_the_login_out_of_new_passwords_only() {
    let (identity, alice) = with_alice().await;
    add(&identity, "bob", "B0b").await;
    let good = password("alice", ALICE);
    identity.verify(&good, Door::Dav).await.unwrap();
    let (_, pat) = identity.create_token(alice.uuid, personal()).await.unwrap();
    let (_, other_pat) = identity.create_token(alice.uuid, personal()).await.unwrap();
    for guess in 0..10 {
        let result = identity.verify(&password("alice", &format!("guess {guess}")), Door::Dav).await;
        refused_as(result, Unauthenticated::Wrong);
    }
    let eleventh = identity.verify(&password("alice", "another"), Door::Dav).await;
    refused_as(eleventh, Unauthenticated::LockedOut);

    identity.verify(&good, Door::Dav).await.unwrap();
    unrelated_change(&identity).await;
    identity.verify(&good, Door::Dav).await.unwrap();
    identity.verify(&token(&pat), Door::Cells).await.unwrap();
    identity.verify(&password("alice", &other_pat), Door::Dav).await.unwrap();
    identity.verify(&password("bob", "B0b"), Door::Dav).await.unwrap();
}

#[tokio::test]
async fn a_locked_out_login_refuses_the_right_password_too() {
    let (identity, _) = with_alice().await;
    for guess in 0..10 {
        let _ = identity.verify(&password("alice", &format!("guess {guess}")), Door::Dav).await;
    }
    refused_as(identity.verify(&password("alice", ALICE), Door::Dav).await, Unauthenticated::LockedOut);
    refused_as(identity.sign_in("alice", ALICE, Door::Cells).await, Unauthenticated::LockedOut);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_outdated_password_asked_many_times_is_one_failure() {
    let (identity, _) = with_alice().await;
    let requests = (0..32).map(|_| {
        let identity = identity.clone();
        tokio::spawn(async move { identity.verify(&password("alice", "last year's"), Door::Dav).await })
    });
    for request in futures_util::future::join_all(requests).await {
        refused_as(request.unwrap(), Unauthenticated::Wrong);
    }
    identity.verify(&password("alice", ALICE), Door::Dav).await.unwrap();
}

#[tokio::test]
async fn a_principal_verified_before_still_meets_the_door_of_its_scope() {
    let (identity, alice) = with_alice().await;
    let (_, secret) =
        identity.create_token(alice.uuid, NewToken { scope: s3_only(), ..personal() }).await.unwrap();
    let principal = identity.verify(&token(&secret), Door::S3).await.unwrap();
    let verified = Credentials::Verified(principal);
    identity.verify(&verified, Door::S3).await.unwrap();
    refused_as(identity.verify(&verified, Door::Dav).await, Unauthenticated::OutOfScope);
}

#[test]
fn credentials_do_not_show_what_they_hold() {
    for credentials in [password("alice", ALICE), token(ALICE), access_key(ALICE)] {
        assert!(!format!("{credentials:?}").contains(ALICE));
    }
}
