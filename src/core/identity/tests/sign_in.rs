//! Signing in, refreshing, revoking; sessions.

use std::time::Duration;

use base64::Engine as _;

use super::*;
use crate::Settings;
use crate::identity::{GATEWAY_SECRET, UserChange};

#[tokio::test]
async fn an_access_token_works_where_clients_put_it() {
    let (identity, alice) = with_alice().await;
    let signed_in = identity.sign_in("alice", ALICE, Door::Cells).await.unwrap();
    let access = &signed_in.access_token;
    assert_eq!(signed_in.expires_in_s, 600);
    let now_s = crate::http::date::now_ns() / 1_000_000_000;
    assert!((now_s + 598..=now_s + 600).contains(&signed_in.expires_at_s));
    // It must fit into an S3 access key and a Basic header as it is.
    assert!(access.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte)), "{access}");
    for credentials in [token(access), access_key(access), password("alice", access)] {
        assert_eq!(identity.verify(&credentials, Door::S3).await.unwrap().uuid, alice.uuid);
    }
    refused_as(identity.verify(&password("bob", access), Door::S3).await, Unauthenticated::Wrong);
    assert_eq!(identity.signing_key(access).await.unwrap().secret, GATEWAY_SECRET);
    refused_as(identity.verify(&token(&signed_in.refresh_token), Door::Cells).await, Unauthenticated::Wrong);
}

#[tokio::test]
async fn an_access_token_says_who_and_until_when() {
    let (identity, alice) = with_alice().await;
    let signed_in = identity.sign_in("alice", ALICE, Door::Cells).await.unwrap();
    let parts: Vec<&str> = signed_in.access_token.split('.').collect();
    let json = |part: &str| -> serde_json::Value {
        let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(part).unwrap();
        serde_json::from_slice(&bytes).unwrap()
    };
    assert_eq!(json(parts[0])["alg"], "HS256");
    let claims = json(parts[1]);
    assert_eq!(claims["sub"], alice.uuid.to_string());
    assert_eq!(claims["name"], "alice");
    assert_eq!(claims["iss"], "cellgate");
    assert_eq!(claims["exp"], signed_in.expires_at_s);
    assert!(claims["iat"].is_i64() && claims["jti"].is_string());
}

#[tokio::test]
async fn a_token_that_was_tampered_with_is_none() {
    let (identity, _) = with_alice().await;
    let access = identity.sign_in("alice", ALICE, Door::Cells).await.unwrap().access_token;
    let parts: Vec<&str> = access.split('.').collect();
    let engine = base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let claims = String::from_utf8(engine.decode(parts[1]).unwrap()).unwrap();
    let forged = engine.encode(claims.replace("alice", "admin"));
    let unsigned = engine.encode("{\"typ\":\"JWT\",\"alg\":\"none\"}");
    for bad in [
        format!("{}.{forged}.{}", parts[0], parts[2]),
        format!("{unsigned}.{}.", parts[1]),
        format!("{unsigned}.{}.{}", parts[1], parts[2]),
        format!("{}.{}.", parts[0], parts[1]),
        format!("{access}x"),
    ] {
        refused_as(identity.verify(&token(&bad), Door::Cells).await, Unauthenticated::Wrong);
    }
}

#[tokio::test]
async fn an_access_token_ends_to_the_second_and_says_so() {
    let settings = Settings { access_token_s: 1, ..Settings::default() };
    let identity = Identity::load(Arc::new(MemoryIndex::new()), &settings).await.unwrap();
    add(&identity, "alice", ALICE).await;
    let access = identity.sign_in("alice", ALICE, Door::Cells).await.unwrap().access_token;
    let _ = identity.verify(&token(&access), Door::Cells).await;
    tokio::time::sleep(Duration::from_millis(1100)).await;
    refused_as(identity.verify(&token(&access), Door::Cells).await, Unauthenticated::Expired);
    refused_as(identity.signing_key(&access).await, Unauthenticated::Expired);
    unrelated_change(&identity).await;
    refused_as(identity.verify(&token(&access), Door::Cells).await, Unauthenticated::Expired);
}

#[tokio::test]
async fn a_refresh_token_is_good_once() {
    let (identity, alice) = with_alice().await;
    let first = identity.sign_in("alice", ALICE, Door::Cells).await.unwrap();
    assert_eq!(first.refresh_token.len(), 43);
    let second = identity.refresh(&first.refresh_token, Door::Cells).await.unwrap();
    assert_ne!(second.refresh_token, first.refresh_token);
    assert_ne!(second.access_token, first.access_token);
    assert_eq!(second.principal.uuid, alice.uuid);
    refused_as(identity.refresh(&first.refresh_token, Door::Cells).await, Unauthenticated::Wrong);
    identity.refresh(&second.refresh_token, Door::Cells).await.unwrap();
}

#[tokio::test]
async fn of_two_racing_refreshes_one_succeeds() {
    let (identity, alice) = with_alice().await;
    let signed_in = identity.sign_in("alice", ALICE, Door::Cells).await.unwrap();
    let one = identity.refresh(&signed_in.refresh_token, Door::Cells);
    let other = identity.refresh(&signed_in.refresh_token, Door::Cells);
    let (one, other) = tokio::join!(one, other);
    assert!(one.is_ok() != other.is_ok());
    assert_eq!(identity.tokens(alice.uuid).await.unwrap().len(), 1);
}

#[tokio::test]
async fn revoking_ends_a_token_of_any_kind_and_shrugs_at_strangers() {
    let (identity, _) = with_alice().await;
    let signed_in = identity.sign_in("alice", ALICE, Door::Cells).await.unwrap();
    identity.verify(&token(&signed_in.access_token), Door::Cells).await.unwrap();
    identity.revoke(&signed_in.access_token).await.unwrap();
    refused_as(identity.verify(&token(&signed_in.access_token), Door::Cells).await, Unauthenticated::Wrong);
    assert!(identity.signing_key(&signed_in.access_token).await.is_err());
    identity.revoke(&signed_in.refresh_token).await.unwrap();
    refused_as(identity.refresh(&signed_in.refresh_token, Door::Cells).await, Unauthenticated::Wrong);
    for stranger in ["", "x", "eyJ.a.b", &signed_in.refresh_token] {
        identity.revoke(stranger).await.unwrap();
    }
    identity.verify(&password("alice", ALICE), Door::Cells).await.unwrap();
}

#[tokio::test]
async fn a_new_password_ends_tokens_and_sessions_but_not_keys() {
    let (identity, alice) = with_alice().await;
    let signed_in = identity.sign_in("alice", ALICE, Door::Cells).await.unwrap();
    let (_, session) = identity.create_session(Some(&signed_in.principal), Door::Web, 60).await.unwrap();
    let (_, pat) = identity.create_token(alice.uuid, personal()).await.unwrap();
    let (kept, _) = identity.create_key(alice.uuid, key()).await.unwrap();

    let change = UserChange { password: Some("other".into()), ..UserChange::default() };
    identity.change_user("alice", change).await.unwrap();
    refused_as(identity.verify(&token(&signed_in.access_token), Door::Cells).await, Unauthenticated::Wrong);
    refused_as(identity.refresh(&signed_in.refresh_token, Door::Cells).await, Unauthenticated::Wrong);
    assert!(identity.session(&session).await.unwrap().is_none());
    identity.verify(&token(&pat), Door::Cells).await.unwrap();
    identity.signing_key(&kept.id).await.unwrap();
    let again = identity.sign_in("alice", "other", Door::Cells).await.unwrap();
    identity.verify(&token(&again.access_token), Door::Cells).await.unwrap();
}

#[tokio::test]
async fn deleting_a_user_leaves_nothing_that_opens_a_door() {
    let (identity, alice) = with_alice().await;
    let signed_in = identity.sign_in("alice", ALICE, Door::Cells).await.unwrap();
    let (_, session) = identity.create_session(Some(&signed_in.principal), Door::Web, 60).await.unwrap();
    let (_, pat) = identity.create_token(alice.uuid, personal()).await.unwrap();
    let (kept, _) = identity.create_key(alice.uuid, key()).await.unwrap();
    for credentials in [token(&signed_in.access_token), token(&pat), access_key(&kept.id)] {
        identity.verify(&credentials, Door::S3).await.unwrap();
    }
    identity.delete_user("alice").await.unwrap();
    for credentials in [
        token(&signed_in.access_token),
        access_key(&signed_in.access_token),
        token(&pat),
        access_key(&kept.id),
        Credentials::Session(session.clone()),
    ] {
        assert!(identity.verify(&credentials, Door::S3).await.is_err(), "{credentials:?}");
    }
    assert!(identity.refresh(&signed_in.refresh_token, Door::Cells).await.is_err());
    assert!(identity.tokens(alice.uuid).await.unwrap().is_empty());
    assert!(identity.keys(None).await.unwrap().is_empty());

    // The next of that name is somebody else.
    add(&identity, "alice", "other").await;
    refused_as(identity.verify(&token(&signed_in.access_token), Door::S3).await, Unauthenticated::Wrong);
}

#[tokio::test]
async fn what_is_signed_in_with_a_limited_token_has_its_limits_and_ends_with_it() {
    let (identity, alice) = with_alice().await;
    let scope = Scope { rights: Some(Rights::READ), doors: vec![Door::Cells], ..Scope::default() };
    let new = NewToken { scope: scope.clone(), expires_in_s: Some(100), ..personal() };
    let (kept, pat) = identity.create_token(alice.uuid, new).await.unwrap();
    refused_as(identity.sign_in("alice", &pat, Door::Pydio8).await, Unauthenticated::OutOfScope);
    let signed_in = identity.sign_in("alice", &pat, Door::Cells).await.unwrap();
    assert!(signed_in.expires_in_s <= 100);
    let refreshed = identity.refresh(&signed_in.refresh_token, Door::Cells).await.unwrap();
    for access in [&signed_in.access_token, &refreshed.access_token] {
        assert_eq!(identity.verify(&token(access), Door::Cells).await.unwrap().scope, scope);
        refused_as(identity.verify(&token(access), Door::S3).await, Unauthenticated::OutOfScope);
    }
    let refresh = identity.tokens(alice.uuid).await.unwrap();
    let refresh = refresh.iter().find(|token| token.kind == TokenKind::Refresh).unwrap();
    assert_eq!(refresh.expires_ns, kept.expires_ns);

    identity.delete_token(kept.uuid).await.unwrap();
    for access in [&signed_in.access_token, &refreshed.access_token] {
        refused_as(identity.verify(&token(access), Door::Cells).await, Unauthenticated::Wrong);
    }
    refused_as(identity.refresh(&refreshed.refresh_token, Door::Cells).await, Unauthenticated::Wrong);
}

#[tokio::test]
async fn what_is_signed_in_with_a_key_ends_with_the_key() {
    let (identity, alice) = with_alice().await;
    let (kept, secret) = identity.create_key(alice.uuid, key()).await.unwrap();
    let signed_in = identity.sign_in(&kept.id, &secret, Door::Cells).await.unwrap();
    assert_eq!(signed_in.principal.login, "alice");
    identity.verify(&token(&signed_in.access_token), Door::Cells).await.unwrap();
    identity.delete_key(&kept.id).await.unwrap();
    refused_as(identity.verify(&token(&signed_in.access_token), Door::Cells).await, Unauthenticated::Wrong);
    refused_as(identity.refresh(&signed_in.refresh_token, Door::Cells).await, Unauthenticated::Wrong);
}

#[tokio::test]
async fn a_session_may_begin_before_the_sign_in() {
    let (identity, alice) = with_alice().await;
    let (mut session, secret) = identity.create_session(None, Door::Pydio8, 60).await.unwrap();
    assert_eq!(secret.len(), 43);
    let cookie = Credentials::Session(secret.clone());
    refused_as(identity.verify(&cookie, Door::Pydio8).await, Unauthenticated::Missing);

    let principal = identity.verify(&password("alice", ALICE), Door::Pydio8).await.unwrap();
    session.sign_in(&principal);
    session.data.insert("secure_token".into(), "t".into());
    identity.save_session(&session).await.unwrap();
    let found = identity.session(&secret).await.unwrap().unwrap();
    assert_eq!(found, session);
    assert_eq!(identity.verify(&cookie, Door::Pydio8).await.unwrap().uuid, alice.uuid);

    identity.end_session(&session).await.unwrap();
    assert!(identity.session(&secret).await.unwrap().is_none());
    assert!(identity.verify(&cookie, Door::Pydio8).await.is_err());
    assert!(matches!(identity.save_session(&session).await, Err(Error::NotFound(_))), "ended is ended");
    assert!(identity.session(&secret).await.unwrap().is_none());
}

#[tokio::test]
async fn a_session_has_the_limits_of_what_opened_it_and_expires() {
    let (identity, alice) = with_alice().await;
    let (_, pat) =
        identity.create_token(alice.uuid, NewToken { scope: s3_only(), ..personal() }).await.unwrap();
    let principal = identity.verify(&token(&pat), Door::S3).await.unwrap();
    let (session, secret) = identity.create_session(Some(&principal), Door::S3, 60).await.unwrap();
    let cookie = Credentials::Session(secret);
    identity.verify(&cookie, Door::S3).await.unwrap();
    refused_as(identity.verify(&cookie, Door::Web).await, Unauthenticated::OutOfScope);
    assert_eq!(identity.session_principal(&session).await.unwrap().scope, s3_only());

    let (_, gone) = identity.create_session(Some(&principal), Door::S3, 0).await.unwrap();
    assert!(identity.session(&gone).await.unwrap().is_none());
    refused_as(identity.verify(&Credentials::Session(gone), Door::S3).await, Unauthenticated::Expired);
    refused_as(
        identity.verify(&Credentials::Session(String::new()), Door::S3).await,
        Unauthenticated::Expired,
    );
}
