//! `docs/contract.md` and the totals in the README are written from the tables.
//!
//! With `UPDATE_DOCS=1` in the environment the test writes them instead of comparing.

use std::fs;

use cellgate_contract::{Contract, print};

use super::root;

const HOW: &str = "write it again with `UPDATE_DOCS=1 cargo t -p cellgate contract_tests::docs`";

#[test]
fn the_page_is_that_of_the_tables() {
    compare("docs/contract.md", |_| print::markdown(Contract::embedded(), None));
}

#[test]
fn the_readme_has_the_totals_of_the_tables() {
    compare("README.md", |readme| {
        let (before, rest) = readme.split_once(print::README_BEGIN).expect("the README marks the place");
        let (_, after) = rest.split_once(print::README_END).expect("the README marks its end");
        let totals = print::readme(Contract::embedded());
        format!("{before}{}\n{totals}{}{after}", print::README_BEGIN, print::README_END)
    });
}

#[track_caller]
fn compare(file: &str, written: impl Fn(&str) -> String) {
    let path = root().join(file);
    let found = fs::read_to_string(&path).unwrap_or_default();
    let expected = written(&found);
    if std::env::var_os("UPDATE_DOCS").is_some_and(|value| value == "1") {
        if found != expected {
            fs::write(&path, expected).unwrap();
        }
        return;
    }
    let line = found.lines().zip(expected.lines()).position(|(found, expected)| found != expected);
    let line = line.unwrap_or_else(|| found.lines().count().min(expected.lines().count())) + 1;
    assert!(found == expected, "{file} is not what the tables say, from line {line} on; {HOW}");
}
