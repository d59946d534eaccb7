//! Every case of every row exists, and a recording holds a call of its operation.

use std::collections::HashMap;
use std::path::Path;

use cellgate_contract::{Case, Contract, Row, Table};

use super::har::Har;
use super::{none, place, root};

#[test]
fn every_case_exists() {
    let mut cases = Cases::default();
    let mut problems = Vec::new();
    for table in Contract::embedded().tables() {
        for row in table.rows() {
            for case in &row.cases {
                if let Err(why) = cases.check(table, row, case) {
                    problems.push(format!("{}: {case}: {why}", place(table, row)));
                }
            }
        }
    }
    none(problems);
}

/// A table says `done` only of what a case shows; that its parser refuses anything else is tested there.
#[test]
fn what_is_done_or_partial_is_shown() {
    let rows =
        Contract::embedded().tables().iter().flat_map(|table| table.rows().map(move |row| (table, row)));
    let unshown = rows.filter(|(_, row)| row.state.word() != "absent" && row.cases.is_empty());
    none(unshown.map(|(table, row)| format!("{}: no case shows it", place(table, row))).collect());
}

/// Files that were read.
#[derive(Default)]
struct Cases {
    files: HashMap<String, Option<String>>,
    recordings: HashMap<String, Result<Vec<String>, String>>,
}

impl Cases {
    fn check(&mut self, table: &Table, row: &Row, case: &Case) -> Result<(), String> {
        match case {
            Case::Client { client, name } => {
                let script = ["run.py", "run.js", "main.rs", "run.sh"]
                    .iter()
                    .find_map(|script| self.file(&format!("conformance/clients/{client}/{script}")))
                    .ok_or("there is no such client")?;
                let known = case_names(&script).any(|known| matches(known, name));
                known.then_some(()).ok_or_else(|| "its script has no such case".to_owned())
            }
            Case::Test { file, function } => {
                let text = self.file(file).ok_or("there is no such file")?;
                is_test(&text, function).then_some(()).ok_or_else(|| "no such test in it".to_owned())
            }
            Case::Fixture { flow } => {
                let operations = self.recording(flow)?;
                let shown = match row.calls.is_empty() {
                    // What has no form of its own is shown by calls of its protocol.
                    true => operations.iter().any(|known| known.starts_with(&format!("{}/", table.protocol))),
                    false => operations.contains(&place(table, row)),
                };
                shown.then_some(()).ok_or_else(|| {
                    format!("no call of it in the recording, which has: {}", operations.join(", "))
                })
            }
        }
    }

    fn file(&mut self, path: &str) -> Option<String> {
        let read = || {
            // A path leads down from the root of the repository.
            let down =
                Path::new(path).components().all(|part| matches!(part, std::path::Component::Normal(_)));
            down.then(|| std::fs::read_to_string(root().join(path)).ok()).flatten()
        };
        self.files.entry(path.to_owned()).or_insert_with(read).clone()
    }

    /// The operations of a recording, as [`place`] writes them.
    fn recording(&mut self, flow: &str) -> Result<Vec<String>, String> {
        if let Some(known) = self.recordings.get(flow) {
            return known.clone();
        }
        let mut read = || {
            let text = self.file(&format!("fixtures/{flow}.har")).ok_or("there is no such recording")?;
            let har: Har =
                serde_json::from_str(&text).map_err(|error| format!("it cannot be read: {error}"))?;
            let found = har.requests().filter_map(|request| request.operation());
            let mut operations: Vec<String> = found.map(|found| place(found.table, found.row)).collect();
            operations.sort();
            operations.dedup();
            Ok(operations)
        };
        let operations: Result<Vec<String>, String> = read();
        self.recordings.insert(flow.to_owned(), operations.clone());
        operations
    }
}

/// The names of a script's cases: `try "name"` of a shell script, `@case("name")` of a Python one.
fn case_names(script: &str) -> impl Iterator<Item = &str> {
    script.lines().filter(|line| !line.trim_start().starts_with('#')).filter_map(|line| {
        let (before, rest) = line
            .split_once("try \"")
            .or_else(|| line.split_once("@case(\""))
            .or_else(|| line.split_once("test(\""))?;
        let alone = before.is_empty() || before.ends_with([' ', '\t']);
        let (name, _) = rest.split_once('"')?;
        alone.then_some(name)
    })
}

/// Whether a name of a script is this case; `$name` in it stands for some text.
fn matches(known: &str, name: &str) -> bool {
    let Some((before, rest)) = known.split_once('$') else { return known == name };
    let end =
        rest.find(|c: char| !c.is_alphanumeric() && !matches!(c, '_' | '{' | '}')).unwrap_or(rest.len());
    let after = &rest[end..];
    name.strip_prefix(before)
        .and_then(|name| name.strip_suffix(after))
        .is_some_and(|middle| !middle.is_empty() && !middle.contains(' '))
}

/// Whether a file has a function of this name under a `#[test]` of some kind.
fn is_test(text: &str, function: &str) -> bool {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let wanted = format!("fn {function}(");
    lines.iter().enumerate().any(|(at, line)| {
        let declared = line.strip_prefix("async ").unwrap_or(line).starts_with(&wanted);
        let attributes =
            lines[..at].iter().rev().take_while(|line| line.starts_with("#[") || line.starts_with("//"));
        declared && attributes.into_iter().any(|line| line.starts_with("#[") && line.contains("test"))
    })
}

#[test]
fn cases_are_found_as_they_are_written() {
    let script = "try \"a, b\" f\n    try \"$name: c\" g\n[ -n \"$X\" ] || try \"d\" h\n# try \"e\" i\nretry \"f\" j\nskip \"g\" k\n@case(\"h\")\ntest(\"i\", async\n    test(\"j\", x(y)).await;\n";
    assert_eq!(case_names(script).collect::<Vec<_>>(), ["a, b", "$name: c", "d", "h", "i", "j"]);
    assert!(matches("a, b", "a, b") && !matches("a, b", "a"));
    assert!(
        matches("$name: c", "seafile: c")
            && !matches("$name: c", ": c")
            && !matches("$name: c", "seafile: d")
    );
    let rust = "/// fn c() {}\nfn a() {}\n#[test]\nfn b() {}\n#[tokio::test]\n// why\nasync fn d() {\n";
    for (function, expected) in [("a", false), ("b", true), ("c", false), ("d", true), ("e", false)] {
        assert_eq!(is_test(rust, function), expected, "{function}");
    }
}
