use super::*;
use crate::core::{Makers, Settings};
use crate::identity::{Credentials, NewKey};
use crate::listing::Depth;
use crate::principal::{Door, Rights, Scope};
use crate::testing::{TestCore, test_core};
use crate::tree::{Removal, Remove};

async fn made_by(makers: Makers) -> TestCore {
    test_core().await.with(Settings { workspace_makers: makers, ..Settings::default() }).await
}

#[tokio::test]
async fn a_made_workspace_is_its_makers_alone() {
    let core = made_by(Makers::Everyone).await;
    let made = core.tree("alice").await.create_workspace("photos", "").await.unwrap();
    assert_eq!((made.slug.as_str(), made.recycle, made.default_rights), ("photos", false, Rights::NONE));
    let alice = core.tree("alice").await;
    put(&alice, "/photos/a", "x").await.unwrap();
    let reader = core.tree("reader").await;
    assert!(is_absent(reader.stat(&path("/photos/a")).await));
    // A name is taken for those, too, who cannot see what has it.
    for (tree, taken) in [(&alice, "photos"), (&reader, "photos"), (&alice, "my-files")] {
        assert!(matches!(tree.create_workspace(taken, "").await, Err(Error::AlreadyExists(_))), "{taken}");
    }
    assert!(is_absent(reader.remove_workspace("photos").await));
}

#[tokio::test]
async fn who_makes_workspaces_is_a_setting_and_no_key_widens_itself() {
    for (makers, admin, alice) in
        [(Makers::Nobody, false, false), (Makers::Admins, true, false), (Makers::Everyone, true, true)]
    {
        let core = made_by(makers).await;
        for (login, may) in [("admin", admin), ("alice", alice)] {
            let made = core.tree(login).await.create_workspace(&format!("of-{login}"), "").await;
            assert_eq!(made.is_ok(), may, "{makers:?} {login}");
            assert!(may || matches!(made, Err(Error::Denied { .. })), "{makers:?} {login}");
        }
    }
    let core = made_by(Makers::Everyone).await;
    let user = core.identity().user("alice").await.unwrap().unwrap().uuid;
    for scope in [
        Scope { rights: Some(Rights::READ), ..Scope::default() },
        Scope { path: Some("/common-files".into()), ..Scope::default() },
    ] {
        let new = NewKey { scope, ..NewKey::default() };
        let (key, secret) = core.identity().create_key(user, new).await.unwrap();
        let credentials = Credentials::Password { login: key.id, password: secret };
        let tree = core.open(&credentials, Door::S3).await.unwrap();
        assert!(matches!(tree.create_workspace("photos", "").await, Err(Error::Denied { .. })));
    }
}

#[tokio::test]
async fn only_an_empty_workspace_goes_and_only_by_who_may() {
    let core = made_by(Makers::Everyone).await;
    core.tree("alice").await.create_workspace("photos", "").await.unwrap();
    core.grant("reader", "photos", Rights::ALL).await;
    let (alice, reader) = (core.tree("alice").await, core.tree("reader").await);
    let leaf = put(&alice, "/photos/a/b", "x").await.unwrap();
    assert!(matches!(alice.remove_workspace("photos").await, Err(Error::NotEmpty(_))));
    alice.remove(&leaf.path, &Remove { removal: Removal::Permanent, ..Remove::default() }).await.unwrap();
    assert!(matches!(alice.remove_workspace("photos").await, Err(Error::NotEmpty(_))), "a folder is left");
    alice.remove(&path("/photos/a"), &Remove::default()).await.unwrap();
    let upload = alice.create_upload(&path("/photos/big"), Default::default(), None, None).await.unwrap();
    assert!(matches!(reader.remove_workspace("photos").await, Err(Error::Denied { .. })));
    for shared in ["common-files", "personal-files"] {
        let denied = core.tree("admin").await.remove_workspace(shared).await;
        assert!(matches!(denied, Err(Error::Denied { .. })), "{shared}");
    }
    alice.remove_workspace("photos").await.unwrap();
    assert!(is_absent(alice.remove_workspace("photos").await));
    // What was known of it before the removal leads nowhere.
    assert!(is_absent(put(&alice, "/photos/late", "x").await));

    core.tree("alice").await.create_workspace("photos", "").await.unwrap();
    let alice = core.tree("alice").await;
    assert_eq!(keys(&alice, "/photos", Depth::Infinity).await, Vec::<String>::new());
    assert!(alice.upload(&path("/photos/big"), upload.id).await.is_err(), "uploads end with it");
    assert!(is_absent(core.tree("reader").await.stat(&path("/photos")).await), "so do grants");
}

#[tokio::test]
async fn a_write_that_began_before_the_removal_is_refused_or_keeps_the_workspace() {
    let core = made_by(Makers::Everyone).await;
    for round in 0..20 {
        let slug = format!("race-{round}");
        core.tree("alice").await.create_workspace(&slug, "").await.unwrap();
        let tree = core.tree("alice").await;
        let at = format!("/{slug}/a");
        let (written, removed) = tokio::join!(put(&tree, &at, "x"), tree.remove_workspace(&slug));
        assert_ne!(written.is_ok(), removed.is_ok(), "{round}: {written:?} {removed:?}");
    }
}
