//! Users, groups, roles, grants, workspaces, datasources, settings.

use super::*;
use crate::identity::{Grant, Subject, Target, UserChange};

fn grant(subject: Subject, workspace: &Workspace, rights: Rights) -> Grant {
    Grant { uuid: Uuid::nil(), subject, target: Target::Workspace(workspace.uuid), rights }
}

/// With workspace `w` on datasource `d`.
async fn with_workspace() -> (Identity, User, Workspace) {
    let (identity, alice) = with_alice().await;
    identity.put_datasource(datasource("d")).await.unwrap();
    let w = identity.put_workspace(workspace("w", "d")).await.unwrap();
    (identity, alice, w)
}

async fn rights(identity: &Identity, workspace: &Workspace) -> Rights {
    let principal = identity.verify(&password("alice", ALICE), Door::Dav).await.unwrap();
    rights_in(&principal, workspace).await
}

#[tokio::test]
async fn two_logins_never_differ_by_case_alone() {
    let (identity, alice) = with_alice().await;
    for login in ["alice", "Alice", "ALICE"] {
        let new = NewUser { login: login.into(), ..NewUser::default() };
        assert!(matches!(identity.create_user(new).await, Err(Error::AlreadyExists(_))), "{login}");
    }
    assert_eq!(identity.user("alice").await.unwrap(), Some(alice.clone()));
    assert_eq!(identity.user("Alice").await.unwrap(), None);
    assert_eq!(identity.user_by_uuid(alice.uuid).await.unwrap().unwrap().login, "alice");
    assert!(matches!(identity.delete_user("ALICE").await, Err(Error::NotFound(_))));
    assert_eq!(identity.users().await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_user_that_cannot_be_is_not_created() {
    let identity = identity().await;
    let new = |login: &str| NewUser { login: login.into(), ..NewUser::default() };
    let long = "p".repeat(5000);
    for bad in [
        new(".."),
        new("a b"),
        NewUser { group: "/nowhere".into(), ..new("a") },
        NewUser { group: "/../x".into(), ..new("a") },
        NewUser { roles: vec![Uuid::new_v4()], ..new("a") },
        NewUser { password: Some(String::new()), ..new("a") },
        NewUser { password: Some(long), ..new("a") },
        NewUser { display_name: "a\0b".into(), ..new("a") },
    ] {
        assert!(identity.create_user(bad).await.is_err());
    }
    assert!(identity.users().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_change_changes_what_it_names() {
    let (identity, alice) = with_alice().await;
    let role = identity.put_role("editors").await.unwrap();
    identity.put_group("/sales", "Sales").await.unwrap();
    let change = UserChange {
        display_name: Some("Alice A.".into()),
        group: Some("sales/".into()),
        roles: Some(vec![role.uuid]),
        admin: Some(true),
        attributes: Some([("locale".to_owned(), "fr".to_owned())].into()),
        ..UserChange::default()
    };
    let changed = identity.change_user("alice", change).await.unwrap();
    assert_eq!(
        (changed.display_name.as_str(), changed.group.as_str(), changed.admin),
        ("Alice A.", "/sales", true)
    );
    assert_eq!((&changed.password, &changed.email), (&alice.password, &alice.email));
    assert_eq!(identity.user("alice").await.unwrap(), Some(changed.clone()));
    assert_eq!(identity.users_in("/sales").await.unwrap(), [changed]);
    let principal = identity.verify(&password("alice", ALICE), Door::Cells).await.unwrap();
    assert!(principal.admin);
    assert_eq!((principal.group.as_str(), principal.display_name.as_str()), ("/sales", "Alice A."));

    let nowhere = UserChange { group: Some("/nowhere".into()), ..UserChange::default() };
    assert!(identity.change_user("alice", nowhere).await.is_err());
    assert!(matches!(identity.change_user("bob", UserChange::default()).await, Err(Error::NotFound(_))));
}

#[tokio::test]
async fn groups_form_a_tree_and_are_deleted_from_below() {
    let (identity, _) = with_alice().await;
    assert!(matches!(identity.put_group("/sales/north", "").await, Err(Error::ParentMissing(_))));
    let sales = identity.put_group("/sales", "Sales").await.unwrap();
    identity.put_group("/sales/north", "North").await.unwrap();
    let renamed = identity.put_group("/sales/", "Selling").await.unwrap();
    assert_eq!((renamed.uuid, renamed.label.as_str()), (sales.uuid, "Selling"));
    assert_eq!(identity.group("sales").await.unwrap(), Some(renamed));
    let paths: Vec<String> = identity.groups().await.unwrap().into_iter().map(|group| group.path).collect();
    assert_eq!(paths, ["/sales", "/sales/north"]);

    let moved = UserChange { group: Some("/sales/north".into()), ..UserChange::default() };
    identity.change_user("alice", moved).await.unwrap();
    for path in ["/sales", "/sales/north"] {
        assert!(matches!(identity.delete_group(path).await, Err(Error::NotEmpty(_))), "{path}");
    }
    let back = UserChange { group: Some("/".into()), ..UserChange::default() };
    identity.change_user("alice", back).await.unwrap();
    identity.delete_group("/sales/north").await.unwrap();
    identity.delete_group("/sales").await.unwrap();
    assert!(matches!(identity.delete_group("/sales").await, Err(Error::NotFound(_))));
}

#[tokio::test]
async fn grants_reach_members_of_groups_below_and_yield_to_nearer_ones() {
    let (identity, alice, w) = with_workspace().await;
    let top = identity.put_group("/", "Everybody").await.unwrap();
    let sales = identity.put_group("/sales", "").await.unwrap();
    let north = identity.put_group("/sales/north", "").await.unwrap();
    let south = identity.put_group("/sales/south", "").await.unwrap();
    let role = identity.put_role("editors").await.unwrap();
    let change = UserChange { group: Some(north.path.clone()), ..UserChange::default() };
    identity.change_user("alice", change).await.unwrap();
    assert_eq!(rights(&identity, &w).await, Rights::NONE);

    let write = Rights { read: false, write: true };
    identity.grant(grant(Subject::Group(south.uuid), &w, Rights::ALL)).await.unwrap();
    assert_eq!(rights(&identity, &w).await, Rights::NONE);
    let on_top = identity.grant(grant(Subject::Group(top.uuid), &w, Rights::READ)).await.unwrap();
    assert_eq!(rights(&identity, &w).await, Rights::READ);
    identity.grant(grant(Subject::Group(sales.uuid), &w, write)).await.unwrap();
    assert_eq!(rights(&identity, &w).await, Rights::ALL);
    identity.delete_grant(on_top.uuid).await.unwrap();
    assert_eq!(rights(&identity, &w).await, write);

    identity.grant(grant(Subject::Role(role.uuid), &w, Rights::READ)).await.unwrap();
    assert_eq!(rights(&identity, &w).await, write, "she does not have the role");
    let change = UserChange { roles: Some(vec![role.uuid]), ..UserChange::default() };
    identity.change_user("alice", change).await.unwrap();
    assert_eq!(rights(&identity, &w).await, Rights::READ);
    let own = identity.grant(grant(Subject::User(alice.uuid), &w, Rights::ALL)).await.unwrap();
    assert_eq!(rights(&identity, &w).await, Rights::ALL);

    // The same pair again replaces.
    let replaced = identity.grant(grant(Subject::User(alice.uuid), &w, Rights::NONE)).await.unwrap();
    assert_eq!(replaced.uuid, own.uuid);
    assert_eq!(identity.grants_of(alice.uuid).await.unwrap(), [replaced]);
    assert_eq!(rights(&identity, &w).await, Rights::NONE);
    identity.delete_grant(own.uuid).await.unwrap();
    assert_eq!(rights(&identity, &w).await, Rights::READ);

    identity.delete_role("editors").await.unwrap();
    assert_eq!(rights(&identity, &w).await, write);
    assert!(identity.user("alice").await.unwrap().unwrap().roles.is_empty());
    assert!(identity.grants_of(role.uuid).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_grant_needs_a_subject_and_a_target_that_exist() {
    let (identity, alice, w) = with_workspace().await;
    let nobody = Uuid::new_v4();
    let elsewhere = Workspace { uuid: nobody, ..w.clone() };
    let on_node =
        Grant { target: Target::Node(NO_NODE), ..grant(Subject::User(alice.uuid), &w, Rights::ALL) };
    for bad in [
        grant(Subject::User(nobody), &w, Rights::ALL),
        grant(Subject::Group(alice.uuid), &w, Rights::ALL),
        grant(Subject::Role(alice.uuid), &w, Rights::ALL),
        grant(Subject::User(alice.uuid), &elsewhere, Rights::ALL),
        on_node,
    ] {
        assert!(matches!(identity.grant(bad).await, Err(Error::InvalidArgument(_))));
    }
    assert!(identity.grants().await.unwrap().is_empty());
    assert!(matches!(identity.delete_grant(nobody).await, Err(Error::NotFound(_))));
}

#[tokio::test]
async fn what_goes_takes_its_grants_along() {
    let (identity, alice, w) = with_workspace().await;
    identity.put_group("/sales", "").await.unwrap();
    let sales = identity.group("/sales").await.unwrap().unwrap();
    let other = identity.put_workspace(workspace("other", "d")).await.unwrap();
    identity.grant(grant(Subject::User(alice.uuid), &w, Rights::ALL)).await.unwrap();
    identity.grant(grant(Subject::User(alice.uuid), &other, Rights::ALL)).await.unwrap();
    identity.grant(grant(Subject::Group(sales.uuid), &other, Rights::ALL)).await.unwrap();

    identity.delete_workspace("w").await.unwrap();
    assert_eq!(identity.grants().await.unwrap().len(), 2);
    identity.delete_group("/sales").await.unwrap();
    assert_eq!(identity.grants().await.unwrap().len(), 1);
    identity.delete_user("alice").await.unwrap();
    assert!(identity.grants().await.unwrap().is_empty());
}

#[tokio::test]
async fn roles_are_found_by_label_and_made_once() {
    let identity = identity().await;
    let role = identity.put_role(" editors ").await.unwrap();
    assert_eq!(identity.put_role("editors").await.unwrap(), role);
    assert_eq!(identity.role("editors").await.unwrap(), Some(role.clone()));
    assert_eq!(identity.roles().await.unwrap(), [role]);
    assert!(identity.put_role(" ").await.is_err());
    assert!(matches!(identity.delete_role("readers").await, Err(Error::NotFound(_))));
}

#[tokio::test]
async fn no_name_leads_to_two_workspaces() {
    let (identity, _, w) = with_workspace().await;
    let w = identity.put_workspace(Workspace { aliases: vec!["1".into()], ..w }).await.unwrap();
    for bad in [
        workspace("w", "d"),
        workspace("1", "d"),
        Workspace { aliases: vec!["w".into()], ..workspace("x", "d") },
        Workspace { aliases: vec!["1".into()], ..workspace("x", "d") },
    ] {
        assert!(matches!(identity.put_workspace(bad).await, Err(Error::AlreadyExists(_))));
    }
    assert!(matches!(identity.put_workspace(workspace("x", "no")).await, Err(Error::InvalidArgument(_))));
    assert_eq!(*identity.workspaces().await.unwrap(), [std::sync::Arc::new(w.clone())]);

    let renamed = identity.put_workspace(Workspace { slug: "b".into(), ..w.clone() }).await.unwrap();
    assert_eq!(renamed.uuid, w.uuid);
    identity.put_workspace(workspace("a", "d")).await.unwrap();
    let slugs: Vec<String> =
        identity.workspaces().await.unwrap().iter().map(|workspace| workspace.slug.clone()).collect();
    assert_eq!(slugs, ["a", "b"]);
    assert!(matches!(identity.delete_workspace("w").await, Err(Error::NotFound(_))));
}

#[tokio::test]
async fn workspaces_are_remembered_until_something_changes() {
    let (identity, ..) = with_workspace().await;
    let first = identity.workspaces().await.unwrap();
    assert!(Arc::ptr_eq(&first, &identity.workspaces().await.unwrap()));
    identity.delete_workspace("w").await.unwrap();
    assert!(identity.workspaces().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_datasource_stays_while_a_workspace_leads_to_it() {
    let (identity, ..) = with_workspace().await;
    assert!(matches!(identity.delete_datasource("d").await, Err(Error::Conflict(_))));
    identity.delete_workspace("w").await.unwrap();
    identity.delete_datasource("d").await.unwrap();
    assert!(identity.datasources().await.unwrap().is_empty());
    assert!(matches!(identity.delete_datasource("d").await, Err(Error::NotFound(_))));
    let long = "x".repeat(64);
    for name in ["", "A", "a/b", "..", "a b", long.as_str()] {
        let put = identity.put_datasource(datasource(name)).await;
        assert!(matches!(put, Err(Error::InvalidName(_))), "{name}");
    }
}

#[tokio::test]
async fn settings_are_kept_and_the_server_key_is_not_one_of_them() {
    let index = MemoryIndex::new();
    let identity = on(&index).await;
    assert_eq!(identity.setting("title").await.unwrap(), None);
    identity.put_setting("title", "Ours \"and\" yours").await.unwrap();
    identity.put_setting("title", "Ours").await.unwrap();
    assert_eq!(on(&index).await.setting("title").await.unwrap().as_deref(), Some("Ours"));
    assert_eq!(identity.setting("server-key").await.unwrap(), None);
    assert!(identity.put_setting("server-key", "x").await.is_err());
}

#[tokio::test]
async fn a_commit_that_fails_leaves_nothing() {
    let index = MemoryIndex::new();
    let identity = on(&index).await;
    let alice = add(&identity, "alice", ALICE).await;
    let (_, pat) = identity.create_token(alice.uuid, personal()).await.unwrap();
    index.fail_next_commit();
    assert!(identity.delete_user("alice").await.is_err());
    identity.verify(&token(&pat), Door::Cells).await.unwrap();
    let signed_in = identity.sign_in("alice", ALICE, Door::Cells).await.unwrap();
    index.fail_next_commit();
    assert!(identity.refresh(&signed_in.refresh_token, Door::Cells).await.is_err());
    identity.refresh(&signed_in.refresh_token, Door::Cells).await.unwrap();
}
