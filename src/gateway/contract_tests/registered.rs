//! The tables and what the doors say they answer: what a door registers stands in its table in the
//! right state, and a table promises nothing that no door registers.

use std::collections::{BTreeMap, BTreeSet};

use cellgate_contract::{Contract, Row, Shape, Table};

use super::{is_absent, methods, none, place, template};

fn table(place: &str) -> &'static Table {
    let tables = Contract::embedded().tables();
    tables.iter().find(|table| table.place() == place).unwrap_or_else(|| panic!("no table {place}"))
}

/// A template as the doors write it, in the form of [`template`].
fn written(path: &str) -> String {
    let greedy = ["{Node}", "{NodePath}", "{Login}", "{FullPath}"];
    let segment = |segment: &str| match segment {
        _ if segment.ends_with("*}") || greedy.contains(&segment) => "/{*}".to_owned(),
        _ if segment.starts_with('{') => "/{}".to_owned(),
        _ => format!("/{segment}"),
    };
    path.trim_start_matches('/').split('/').map(segment).collect()
}

#[test]
fn cells() {
    let mut problems = Vec::new();
    let table = table("cells/rest");
    let mut rows: BTreeMap<(String, String), &Row> = BTreeMap::new();
    for row in table.rows() {
        for call in &row.calls {
            rows.insert((methods(call).join("|"), template(&call.path)), row);
        }
    }
    let mut names = BTreeSet::new();
    for (method, path, operation, built) in cellgate_cells::operations() {
        names.insert(operation);
        match rows.remove(&(method.to_owned(), written(path))) {
            None => problems.push(format!("{method} {path} ({operation}) stands in no row")),
            Some(row) if built == is_absent(row) => {
                problems.push(format!("{}: the door has it {}", place(table, row), built_or_not(built)));
            }
            Some(row) if bare(&row.operation) != operation => {
                problems.push(format!("{}: the door calls it {operation}", place(table, row)));
            }
            Some(_) => {}
        }
    }
    problems.extend(rows.values().map(|row| format!("{}: the door does not know it", place(table, row))));
    for row in table.rows().filter(|row| !names.contains(bare(&row.operation))) {
        problems.push(format!("{}: no operation of the door", place(table, row)));
    }
    assert_eq!(table.totals().operations, 169, "the published list has 169 operations");
    none(problems);
}

fn built_or_not(built: bool) -> &'static str {
    if built { "built" } else { "not built" }
}

/// The name without what tells rows of one name apart.
fn bare(operation: &str) -> &str {
    operation.split_once(" (").map_or(operation, |(name, _)| name)
}

/// Methods, template and whether it is built.
type Registered = (&'static str, &'static str, bool);

/// Whether a template of the door, which may have an open end, takes a path of the table.
fn takes(door: &str, path: &str) -> bool {
    let mut path = path.split('/');
    for expected in door.split('/') {
        match (expected, path.next()) {
            ("{*}", _) => return true,
            ("{}", Some(_)) => {}
            (expected, Some(segment)) if expected == segment => {}
            _ => return false,
        }
    }
    path.next().is_none()
}

/// No methods are all of them; a HEAD is a GET here.
fn has_method(registered: &str, method: &str) -> bool {
    let method = if method == "HEAD" { "GET" } else { method };
    registered.is_empty() || registered.split(' ').any(|known| known == method)
}

#[test]
fn seafile() {
    let table = table("seafile/web-api");
    let registered: Vec<Registered> = cellgate_seafile::operations().collect();
    let mut problems = Vec::new();
    for (names, path, built) in &registered {
        let registered = written(path);
        let stands = |row: &Row, method: &str| {
            let has = |call: &Shape| {
                takes(&registered, &template(&call.path))
                    && methods(call).iter().any(|name| method.is_empty() || *name == "ANY" || *name == method)
            };
            is_absent(row) != *built && row.calls.iter().any(has)
        };
        for method in names.split(' ') {
            if !table.rows().any(|row| stands(row, method)) {
                let state = built_or_not(*built);
                problems.push(format!("{method} {path} is {state} and stands so in no row"));
            }
        }
    }
    for row in table.rows() {
        for call in &row.calls {
            let path = template(&call.path);
            if !["/api2/", "/api/v2.1/", "/seafhttp/"].iter().any(|mount| path.starts_with(mount)) {
                if !is_absent(row) {
                    problems.push(format!("{}: no mount of the door", place(table, row)));
                }
                continue;
            }
            for method in methods(call) {
                // The file server answers these for all of its paths before it looks for a route.
                if method == "OPTIONS" && path.starts_with("/seafhttp/") {
                    continue;
                }
                let known = |built: bool| {
                    registered.iter().any(|(names, registered, state)| {
                        *state == built
                            && takes(&written(registered), &path)
                            && (has_method(names, method) || method == "ANY")
                    })
                };
                // A variant of a call that is built may itself not be.
                let variant = !call.parameters.is_empty() || !call.headers.is_empty();
                let holds =
                    if is_absent(row) { known(false) || (variant && known(true)) } else { known(true) };
                if !holds {
                    problems.push(format!("{}: {method} {path} is not registered so", place(table, row)));
                }
            }
        }
    }
    none(problems);
}

#[test]
fn pydio8() {
    let table = table("pydio8/api-v1");
    let known: BTreeMap<&str, bool> = cellgate_pydio8::operations().collect();
    let mut problems = Vec::new();
    for (name, built) in &known {
        // Of the rows of one name, the bare one is the action of a file workspace.
        let rows: Vec<&Row> = table.rows().filter(|row| bare(&row.operation) == *name).collect();
        if rows.is_empty() {
            problems.push(format!("{name} stands in no row"));
        }
        if rows.iter().any(|row| !is_absent(row)) != *built {
            problems.push(format!("{name}: the door has it {}", built_or_not(*built)));
        }
    }
    for row in table.rows().filter(|row| !row.calls.is_empty() || !is_absent(row)) {
        if !known.contains_key(bare(&row.operation)) {
            problems.push(format!("{}: no action of the door", place(table, row)));
        }
    }
    assert_eq!(table.totals().operations, 331, "the original declares 331 actions");
    none(problems);
}

#[test]
fn webdav() {
    let known: BTreeSet<&str> = cellgate_dav::operations().collect();
    let table = table("webdav/methods");
    let mut problems = Vec::new();
    for method in &known {
        let stands = |row: &Row| {
            !is_absent(row)
                && row.calls.iter().any(|call| {
                    template(&call.path) == "/dav/{*}" && methods(call).contains(method) && plain(call)
                })
        };
        if !table.rows().any(stands) {
            problems.push(format!("{method} is answered and stands so in no row"));
        }
    }
    for row in table.rows() {
        for call in row.calls.iter().filter(|call| template(&call.path) == "/dav/{*}" && plain(call)) {
            for method in methods(call) {
                if known.contains(method) == is_absent(row) {
                    problems.push(format!("{}: the door has {method} otherwise", place(table, row)));
                }
            }
        }
    }
    none(problems);
}

/// Without conditions.
fn plain(call: &Shape) -> bool {
    call.parameters.is_empty() && call.headers.is_empty()
}

#[test]
fn s3() {
    let known: BTreeSet<&str> = cellgate_s3::operations().collect();
    let table = table("s3/operations");
    let mut problems = Vec::new();
    for name in &known {
        if table.row(name).is_none_or(is_absent) {
            problems.push(format!("{name} is built and stands so in no row"));
        }
    }
    // Other rows are ways of the door, in words.
    let operations = table.rows().filter(|row| !row.operation.contains(' '));
    for row in operations.filter(|row| !row.calls.is_empty()) {
        if known.contains(row.operation.as_str()) == is_absent(row) {
            problems.push(format!("{}: the door has it otherwise", place(table, row)));
        }
    }
    none(problems);
}
