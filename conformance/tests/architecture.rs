//! The arrows between crates: doors and store know the core, recordings and their replay know no server,
//! the gateway knows all of them, the suite knows none.

// A test file: a broken expectation must stop the test there and then.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;

use cargo_metadata::{DependencyKind, MetadataCommand};

const GATEWAY: &str = "cellgate";
const CORE: &str = "cellgate-core";
const STORE: &str = "cellgate-store";
const SUITE: &str = "cellgate-conformance";
const CONTRACT: &str = "cellgate-contract";
const RECORD: &str = "cellgate-record";
const REPLAY: &str = "cellgate-replay";

/// Crates of this workspace with the crates of this workspace that they name, tests included.
fn arrows() -> Vec<(String, BTreeSet<String>)> {
    let metadata = MetadataCommand::new().no_deps().exec().unwrap();
    let ours: BTreeSet<String> =
        metadata.workspace_packages().iter().map(|package| package.name.to_string()).collect();
    let packages = metadata.workspace_packages();
    let mut arrows: Vec<(String, BTreeSet<String>)> = Vec::new();
    for package in packages {
        let named = package.dependencies.iter().filter(|dependency| {
            matches!(
                dependency.kind,
                DependencyKind::Normal | DependencyKind::Build | DependencyKind::Development
            )
        });
        let named = named.map(|dependency| dependency.name.clone()).filter(|name| ours.contains(name));
        arrows.push((package.name.to_string(), named.collect()));
    }
    arrows
}

fn only(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn doors_and_store_name_the_core_and_nothing_else() {
    let mut doors = 0;
    for (name, named) in arrows() {
        if [GATEWAY, CORE, SUITE, CONTRACT, RECORD, REPLAY].contains(&name.as_str()) {
            continue;
        }
        doors += 1;
        assert!(named.is_subset(&only(&[CORE])), "{name} names {named:?}");
    }
    // Cells, S3, WebDAV, sign-in, Pydio 8, Seafile, and the store.
    assert!(doors >= 7, "{doors} doors and stores");
}

#[test]
fn the_core_names_nobody() {
    let core = arrows().into_iter().find(|(name, _)| name == CORE).unwrap();
    // Its own name stands for its `testing` feature.
    assert!(core.1.is_subset(&only(&[CORE])), "{:?}", core.1);
}

#[test]
fn contract_and_recordings_know_no_server() {
    for (name, named) in arrows() {
        match name.as_str() {
            CONTRACT | RECORD => assert!(named.is_empty(), "{name} names {named:?}"),
            REPLAY => assert!(named.is_subset(&only(&[CONTRACT, RECORD])), "{name} names {named:?}"),
            _ => {}
        }
    }
}

#[test]
fn the_gateway_alone_names_the_store() {
    for (name, named) in arrows() {
        assert_eq!(named.contains(STORE), name == GATEWAY, "{name} names {named:?}");
    }
}

#[test]
fn the_gateway_names_every_door() {
    let arrows = arrows();
    let gateway = arrows.iter().find(|(name, _)| name == GATEWAY).unwrap();
    let all: BTreeSet<String> =
        arrows.iter().map(|(name, _)| name.clone()).filter(|name| name != GATEWAY && name != SUITE).collect();
    assert_eq!(gateway.1, all);
}

#[test]
fn the_suite_knows_the_wire_alone() {
    let suite = arrows().into_iter().find(|(name, _)| name == SUITE).unwrap();
    assert!(suite.1.is_empty(), "{:?}", suite.1);
}
