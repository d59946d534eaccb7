//! Personal tokens, Seafile tokens, links, API keys.

use std::time::Duration;

use super::*;
use crate::identity::GATEWAY_SECRET;

#[tokio::test]
async fn a_personal_token_is_bearer_password_and_access_key() {
    let (identity, alice) = with_alice().await;
    add(&identity, "bob", "B0b").await;
    let (kept, secret) = identity.create_token(alice.uuid, personal()).await.unwrap();
    assert_eq!(secret.len(), 43);
    for credentials in [token(&secret), password("alice", &secret), access_key(&secret)] {
        for _ in 0..2 {
            let principal = identity.verify(&credentials, Door::Dav).await.unwrap();
            assert_eq!(principal.login, "alice", "{credentials:?}");
        }
    }
    refused_as(identity.verify(&password("bob", &secret), Door::Dav).await, Unauthenticated::Wrong);
    let signing = identity.signing_key(&secret).await.unwrap();
    assert_eq!((signing.secret.as_str(), signing.principal.uuid), (GATEWAY_SECRET, alice.uuid));

    identity.delete_token(kept.uuid).await.unwrap();
    for credentials in [token(&secret), password("alice", &secret), access_key(&secret)] {
        refused_as(identity.verify(&credentials, Door::Dav).await, Unauthenticated::Wrong);
    }
    assert!(identity.signing_key(&secret).await.is_err());
    assert!(matches!(identity.delete_token(kept.uuid).await, Err(Error::NotFound(_))));
}

#[tokio::test]
async fn an_api_key_works_in_every_form() {
    let (identity, alice) = with_alice().await;
    let (kept, secret) = identity.create_key(alice.uuid, key()).await.unwrap();
    assert_eq!((kept.id.len(), secret.len()), (20, 40));
    assert!(secret.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    let forms = [
        password(&kept.id, &secret),
        password("alice", &secret),
        token(&format!("{}:{secret}", kept.id)),
        access_key(&kept.id),
    ];
    for credentials in &forms {
        for _ in 0..2 {
            let principal = identity.verify(credentials, Door::Pydio8).await.unwrap();
            assert_eq!(principal.uuid, alice.uuid, "{credentials:?}");
        }
    }
    assert_eq!(identity.signing_key(&kept.id).await.unwrap().secret, secret);
    for bad in [
        password(&kept.id, "guess"),
        password(&kept.id, ""),
        token(&kept.id),
        token(&format!("{}:", kept.id)),
        token(&format!("{}:guess", kept.id)),
        token(&secret),
        access_key(&secret),
        access_key(&format!("{}:{secret}", kept.id)),
    ] {
        refused_as(identity.verify(&bad, Door::Pydio8).await, Unauthenticated::Wrong);
    }

    identity.delete_key(&kept.id).await.unwrap();
    for credentials in &forms {
        refused_as(identity.verify(credentials, Door::Pydio8).await, Unauthenticated::Wrong);
    }
    assert!(identity.keys(None).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_scope_holds_for_what_it_was_given_to() {
    let (identity, alice) = with_alice().await;
    let scope = Scope {
        path: Some("personal-files//in/".into()),
        rights: Some(Rights::READ),
        doors: vec![Door::S3, Door::Dav],
    };
    let (kept, secret) =
        identity.create_key(alice.uuid, NewKey { scope, ..NewKey::default() }).await.unwrap();
    assert_eq!(kept.scope.path.as_deref(), Some("/personal-files/in"));
    let principal = identity.verify(&password(&kept.id, &secret), Door::Dav).await.unwrap();
    assert_eq!(principal.scope_path, Some(path("/personal-files/in")));
    assert_eq!(principal.scope.rights, Some(Rights::READ));
    let elsewhere = identity.verify(&password(&kept.id, &secret), Door::Cells).await;
    refused_as(elsewhere, Unauthenticated::OutOfScope);
    // The user's own password is not limited by a key's scope, nor by the cache's memory of it.
    let own = identity.verify(&password("alice", ALICE), Door::Cells).await.unwrap();
    assert_eq!(own.scope, Scope::default());

    let bad = Scope { path: Some("/a/../b".into()), ..Scope::default() };
    assert!(identity.create_key(alice.uuid, NewKey { scope: bad, ..NewKey::default() }).await.is_err());
}

#[tokio::test]
async fn expiry_is_checked_on_each_use_also_from_memory() {
    let (identity, alice) = with_alice().await;
    let short = NewToken { expires_in_s: Some(1), ..personal() };
    let (_, pat) = identity.create_token(alice.uuid, short).await.unwrap();
    let (kept, secret) =
        identity.create_key(alice.uuid, NewKey { expires_in_s: Some(1), ..NewKey::default() }).await.unwrap();
    let forms = [token(&pat), password("alice", &pat), password(&kept.id, &secret), access_key(&kept.id)];
    for credentials in &forms {
        identity.verify(credentials, Door::S3).await.unwrap();
    }
    tokio::time::sleep(Duration::from_millis(1100)).await;
    for credentials in &forms {
        refused_as(identity.verify(credentials, Door::S3).await, Unauthenticated::Expired);
    }
    refused_as(identity.signing_key(&kept.id).await, Unauthenticated::Expired);
    assert!(identity.tokens(alice.uuid).await.unwrap().is_empty());
    assert!(identity.keys(Some(alice.uuid)).await.unwrap().is_empty());
    identity.purge_expired().await.unwrap();
    for credentials in &forms {
        refused_as(identity.verify(credentials, Door::S3).await, Unauthenticated::Wrong);
    }
}

#[tokio::test]
async fn tokens_of_one_kind_are_not_tokens_of_another() {
    let (identity, alice) = with_alice().await;
    let make = |kind| identity.create_token(alice.uuid, NewToken { kind, ..personal() });
    let (link, link_secret) = make(TokenKind::Link).await.unwrap();
    assert_eq!((link_secret.len(), link_secret.matches('-').count()), (36, 4));
    let (_, seafile_secret) = make(TokenKind::Seafile).await.unwrap();
    assert_eq!(seafile_secret.len(), 40);
    assert!(seafile_secret.bytes().all(|byte| byte.is_ascii_hexdigit()));

    assert_eq!(identity.token(TokenKind::Link, &link_secret).await.unwrap(), Some(link));
    assert_eq!(identity.token(TokenKind::Seafile, &link_secret).await.unwrap(), None);
    refused_as(identity.verify(&token(&link_secret), Door::Seafile).await, Unauthenticated::Wrong);
    refused_as(identity.refresh(&link_secret, Door::Cells).await, Unauthenticated::Wrong);
    identity.verify(&token(&seafile_secret), Door::Seafile).await.unwrap();
    identity.revoke(&seafile_secret).await.unwrap();
    refused_as(identity.verify(&token(&seafile_secret), Door::Seafile).await, Unauthenticated::Wrong);
}

#[tokio::test]
async fn a_link_acts_for_its_user_within_its_limits() {
    let (identity, alice) = with_alice().await;
    let scope = Scope { doors: vec![Door::Seafile], rights: Some(Rights::READ), ..Scope::default() };
    let new = NewToken {
        kind: TokenKind::Link,
        scope: scope.clone(),
        payload: "{\"path\":\"/a\"}".into(),
        ..personal()
    };
    let (_, secret) = identity.create_token(alice.uuid, new).await.unwrap();
    let link = identity.token(TokenKind::Link, &secret).await.unwrap().unwrap();
    assert_eq!(link.payload, "{\"path\":\"/a\"}");
    let principal = identity.token_principal(&link, Door::Seafile).await.unwrap();
    assert_eq!((principal.uuid, &principal.scope), (alice.uuid, &scope));
    refused_as(identity.token_principal(&link, Door::Dav).await, Unauthenticated::OutOfScope);
    let locked = crate::identity::UserChange { locked: Some(true), ..Default::default() };
    identity.change_user("alice", locked).await.unwrap();
    refused_as(identity.token_principal(&link, Door::Seafile).await, Unauthenticated::Wrong);
}

#[tokio::test]
async fn a_standing_token_is_told_again_until_it_is_revoked() {
    let (identity, alice) = with_alice().await;
    let new = || NewToken { kind: TokenKind::Seafile, ..personal() };
    let (first, secret) = identity.standing_token(alice.uuid, new()).await.unwrap();
    let (again, same) = identity.standing_token(alice.uuid, new()).await.unwrap();
    assert_eq!((first.uuid, &secret), (again.uuid, &same));
    assert_eq!(secret.len(), 40);
    identity.verify(&token(&secret), Door::Seafile).await.unwrap();

    let device = NewToken { label: "phone".into(), ..new() };
    let (_, other) = identity.standing_token(alice.uuid, device).await.unwrap();
    assert_ne!(other, secret);
    // A token that was made with a random secret is not taken for a standing one.
    let random = NewToken { label: "random".into(), ..new() };
    identity.create_token(alice.uuid, random.clone()).await.unwrap();
    let (_, told) = identity.standing_token(alice.uuid, random).await.unwrap();
    identity.verify(&token(&told), Door::Seafile).await.unwrap();

    identity.revoke(&secret).await.unwrap();
    refused_as(identity.verify(&token(&secret), Door::Seafile).await, Unauthenticated::Wrong);
    let (_, fresh) = identity.standing_token(alice.uuid, new()).await.unwrap();
    assert_ne!(fresh, secret);
    assert!(identity.standing_token(alice.uuid, personal()).await.is_err());
}

#[tokio::test]
async fn no_secret_is_kept_as_it_is() {
    use crate::ports::View as _;
    let index = MemoryIndex::new();
    let identity = on(&index).await;
    let alice = add(&identity, "alice", ALICE).await;
    let (_, pat) = identity.create_token(alice.uuid, personal()).await.unwrap();
    let (_, secret) = identity.create_key(alice.uuid, key()).await.unwrap();
    let signed_in = identity.sign_in("alice", ALICE, Door::Cells).await.unwrap();
    let (_, session) = identity.create_session(Some(&signed_in.principal), Door::Web, 60).await.unwrap();
    let mut kept = 0;
    for kind in ["user", "token", "key", "session", "setting", "revoked"] {
        for record in index.records(kind, None).await.unwrap() {
            kept += 1;
            let text = format!("{record:?}");
            for secret in [ALICE, &pat, &secret, &session, &signed_in.refresh_token] {
                assert!(!text.contains(secret), "{kind}");
            }
        }
    }
    assert_eq!(kept, 6, "user, two tokens, key, session, server key");
}

#[tokio::test]
async fn keys_survive_a_restart_and_another_installation_does_not_know_them() {
    let index = MemoryIndex::new();
    let identity = on(&index).await;
    let alice = add(&identity, "alice", ALICE).await;
    let (kept, secret) = identity.create_key(alice.uuid, key()).await.unwrap();
    let signed_in = identity.sign_in("alice", ALICE, Door::Cells).await.unwrap();

    let restarted = on(&index).await;
    assert_eq!(restarted.signing_key(&kept.id).await.unwrap().secret, secret);
    restarted.verify(&token(&signed_in.access_token), Door::Cells).await.unwrap();

    let (elsewhere, _) = with_alice().await;
    refused_as(elsewhere.verify(&token(&signed_in.access_token), Door::Cells).await, Unauthenticated::Wrong);
}

// A store may keep silent about changes of `token` records; this note it must announce.
#[tokio::test]
async fn ending_a_token_that_caches_know_is_noted_in_a_record_of_its_own() {
    use crate::ports::View as _;
    let index = MemoryIndex::new();
    let identity = on(&index).await;
    let alice = add(&identity, "alice", ALICE).await;
    let make = |kind| identity.create_token(alice.uuid, NewToken { kind, ..personal() });
    let (deleted, _) = make(TokenKind::Personal).await.unwrap();
    let (revoked, secret) = make(TokenKind::Seafile).await.unwrap();
    let (link, _) = make(TokenKind::Link).await.unwrap();
    identity.delete_token(deleted.uuid).await.unwrap();
    identity.revoke(&secret).await.unwrap();
    identity.delete_token(link.uuid).await.unwrap();
    for (token, noted) in [(deleted, true), (revoked, true), (link, false)] {
        let note = index.record("revoked", &token.uuid.to_string()).await.unwrap();
        assert_eq!(note.is_some(), noted, "{:?}", token.kind);
    }
}
