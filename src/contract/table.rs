//! A table of the contract: its rows, what is done of them, and the cases that show it.
//!
//! ```toml
//! title = "Pydio 8: actions"
//! source = "reference/pydio8-v1.md § 7"
//! calls = ["ANY /api/{workspace}/{operation}/{rest*}"]   # for rows without calls; see `shape`
//!
//! [[section]]
//! title = "Files"
//! rows = [
//!   { operation = "ls", state = "done", cases = ["client pydio8: mkdir, ls"] },
//!   { operation = "share", state = "partial: no expiry", cases = ["test src/x.rs: shares"], note = "…" },
//!   { operation = "changes", state = "absent", edition = "enterprise", calls = [] },
//! ]
//! ```
//!
//! Whatever isn't understood is refused with the table and the row it stands in: a
//! misspelt field would otherwise be a case that no one runs.

use std::collections::HashSet;
use std::fmt;

use serde::{Deserialize, Deserializer, de};

use crate::shape::Shape;

/// One file of `fixtures/<protocol>/contract/`.
#[derive(Debug)]
pub struct Table {
    /// Folder below `fixtures/`: `cells`, `s3`, `webdav`, `pydio8`, `seafile`.
    pub protocol: String,
    /// File name without `.toml`.
    pub name: String,
    pub title: String,
    /// Where the list of operations comes from.
    pub source: String,
    pub sections: Vec<Section>,
}

#[derive(Debug)]
pub struct Section {
    pub title: String,
    pub rows: Vec<Row>,
}

/// One operation of the original.
#[derive(Debug)]
pub struct Row {
    /// Unique in its table.
    pub operation: String,
    pub state: State,
    /// What shows the state; never empty when it is `done`.
    pub cases: Vec<Case>,
    pub edition: Edition,
    pub note: Option<String>,
    /// The forms of its calls; empty for what no request shows by its form, such as a property.
    pub calls: Vec<Shape>,
}

/// What cellgate does of an operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    Done,
    /// With what is missing.
    Partial(String),
    Absent,
}

/// The edition of the original that has the operation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Edition {
    #[default]
    Community,
    Enterprise,
}

/// What shows that an operation works.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Case {
    /// A case of a script below `conformance/clients/`.
    Client { client: String, name: String },
    /// A recording below `fixtures/`, as `<protocol>/<client>/<flow>`.
    Fixture { flow: String },
    /// A test function of a Rust file, named from the root of the repository.
    Test { file: String, function: String },
}

/// How many operations a table has, by state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    pub operations: usize,
    pub done: usize,
    pub partial: usize,
    pub absent: usize,
}

/// Why a table is refused.
#[derive(Debug, thiserror::Error)]
#[error("fixtures/{protocol}/contract/{name}.toml: {}{why}", .row.as_deref().map(|row| format!("row `{row}`: ")).unwrap_or_default())]
pub struct Problem {
    pub protocol: String,
    pub name: String,
    pub row: Option<String>,
    pub why: String,
}

impl Table {
    /// Reads one table. The first problem found ends it.
    pub fn parse(protocol: &str, name: &str, text: &str) -> Result<Self, Problem> {
        let problem = |row: Option<&str>, why: String| Problem {
            protocol: protocol.to_owned(),
            name: name.to_owned(),
            row: row.map(str::to_owned),
            why,
        };
        let written: Written = toml::from_str(text).map_err(|error| problem(None, error.to_string()))?;
        let mut operations = HashSet::new();
        let mut sections = Vec::with_capacity(written.sections.len());
        for section in written.sections {
            let mut rows = Vec::with_capacity(section.rows.len());
            for row in section.rows {
                if row.operation.trim().is_empty() {
                    return Err(problem(None, format!("a row of `{}` has no operation", section.title)));
                }
                if !operations.insert(row.operation.clone()) {
                    return Err(problem(Some(&row.operation), "stands in the table twice".to_owned()));
                }
                if row.state == State::Done && row.cases.is_empty() {
                    return Err(problem(Some(&row.operation), "is `done` and no case shows it".to_owned()));
                }
                if row.state == State::Absent && !row.cases.is_empty() {
                    return Err(problem(Some(&row.operation), "is `absent` and has cases".to_owned()));
                }
                let calls = row.calls.as_ref().unwrap_or(&written.calls).iter();
                let calls = calls
                    .map(|call| Shape::parse(&call.replace("{operation}", &row.operation)))
                    .collect::<Result<Vec<_>, _>>()
                    .map_err(|why| problem(Some(&row.operation), why))?;
                rows.push(Row {
                    operation: row.operation,
                    state: row.state,
                    cases: row.cases,
                    edition: row.edition,
                    note: row.note,
                    calls,
                });
            }
            sections.push(Section { title: section.title, rows });
        }
        if operations.is_empty() {
            return Err(problem(None, "has no rows".to_owned()));
        }
        Ok(Self {
            protocol: protocol.to_owned(),
            name: name.to_owned(),
            title: written.title,
            source: written.source,
            sections,
        })
    }

    pub fn rows(&self) -> impl Iterator<Item = &Row> {
        self.sections.iter().flat_map(|section| &section.rows)
    }

    /// `folder/name`.
    pub fn place(&self) -> String {
        format!("{}/{}", self.protocol, self.name)
    }

    /// The row of an operation, by its exact name.
    pub fn row(&self, operation: &str) -> Option<&Row> {
        self.rows().find(|row| row.operation == operation)
    }

    pub fn totals(&self) -> Totals {
        let mut totals = Totals::default();
        self.rows().for_each(|row| totals.count(&row.state));
        totals
    }
}

impl Totals {
    pub fn count(&mut self, state: &State) {
        self.operations += 1;
        match state {
            State::Done => self.done += 1,
            State::Partial(_) => self.partial += 1,
            State::Absent => self.absent += 1,
        }
    }
}

impl std::ops::AddAssign for Totals {
    fn add_assign(&mut self, other: Self) {
        self.operations += other.operations;
        self.done += other.done;
        self.partial += other.partial;
        self.absent += other.absent;
    }
}

impl State {
    /// `done`, `partial` or `absent`.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Partial(_) => "partial",
            Self::Absent => "absent",
        }
    }

    pub fn missing(&self) -> Option<&str> {
        match self {
            Self::Partial(missing) => Some(missing),
            Self::Done | Self::Absent => None,
        }
    }

    fn parse(text: &str) -> Result<Self, String> {
        match text {
            "done" => Ok(Self::Done),
            "absent" => Ok(Self::Absent),
            _ => match text.strip_prefix("partial:").map(str::trim) {
                Some(missing) if !missing.is_empty() => Ok(Self::Partial(missing.to_owned())),
                Some(_) => Err("a `partial` state says what is missing, as in `partial: no expiry`".into()),
                None => {
                    Err(format!("expected `done`, `partial: what is missing` or `absent`, found `{text}`"))
                }
            },
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Partial(missing) => write!(f, "partial: {missing}"),
            Self::Done | Self::Absent => f.write_str(self.word()),
        }
    }
}

impl Edition {
    pub fn word(self) -> &'static str {
        match self {
            Self::Community => "community",
            Self::Enterprise => "enterprise",
        }
    }
}

impl Case {
    fn parse(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "expected `client <folder>: <case>`, `fixture <protocol>/<client>/<flow>` or \
                 `test <file>: <function>`, found `{text}`"
            )
        };
        let (kind, rest) = text.split_once(' ').ok_or_else(wrong)?;
        let pair = || match rest.split_once(": ") {
            Some((place, name)) if !place.is_empty() && !name.trim().is_empty() => {
                Ok((place.to_owned(), name.to_owned()))
            }
            _ => Err(wrong()),
        };
        match kind {
            "client" => pair().map(|(client, name)| Self::Client { client, name }),
            "test" => pair().map(|(file, function)| Self::Test { file, function }),
            "fixture" if rest.split('/').filter(|part| !part.is_empty()).count() == 3 => {
                Ok(Self::Fixture { flow: rest.to_owned() })
            }
            _ => Err(wrong()),
        }
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Client { client, name } => write!(f, "client {client}: {name}"),
            Self::Fixture { flow } => write!(f, "fixture {flow}"),
            Self::Test { file, function } => write!(f, "test {file}: {function}"),
        }
    }
}

impl<'de> Deserialize<'de> for State {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(from)?).map_err(de::Error::custom)
    }
}

impl<'de> Deserialize<'de> for Case {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(from)?).map_err(de::Error::custom)
    }
}

// What the file holds, before its rows are checked against each other.

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    title: String,
    source: String,
    #[serde(default)]
    calls: Vec<String>,
    #[serde(rename = "section", default)]
    sections: Vec<WrittenSection>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenSection {
    title: String,
    rows: Vec<WrittenRow>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenRow {
    operation: String,
    state: State,
    #[serde(default)]
    cases: Vec<Case>,
    #[serde(default)]
    calls: Option<Vec<String>>,
    #[serde(default)]
    edition: Edition,
    note: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(rows: &str) -> Result<Table, String> {
        let text = format!(
            "title = \"T\"\nsource = \"S\"\ncalls = [\"GET /x/{{operation}}\"]\n\
             [[section]]\ntitle = \"One\"\nrows = [\n{rows}\n]\n"
        );
        Table::parse("p", "t", &text).map_err(|problem| problem.to_string())
    }

    #[test]
    fn rows_have_the_calls_of_the_table_unless_they_have_their_own() {
        let table = table(
            r#"{ operation = "ls", state = "done", cases = ["client c: a: b", "fixture p/c/f", "test a/b.rs: f"] },
               { operation = "own", state = "partial: no expiry", calls = ["PUT /y", "PUT /z"], edition = "enterprise" },
               { operation = "none", state = "absent", calls = [], note = "a form" },"#,
        )
        .unwrap();
        let calls = |operation| table.row(operation).unwrap().calls.clone();
        assert_eq!(calls("ls"), [Shape::parse("GET /x/ls").unwrap()]);
        assert_eq!(calls("own").len(), 2);
        assert!(calls("none").is_empty());
        let cases: Vec<String> = table.row("ls").unwrap().cases.iter().map(Case::to_string).collect();
        assert_eq!(cases, ["client c: a: b", "fixture p/c/f", "test a/b.rs: f"]);
        assert_eq!(table.row("own").unwrap().state.missing(), Some("no expiry"));
        assert_eq!(table.row("own").unwrap().edition, Edition::Enterprise);
        assert_eq!(table.totals(), Totals { operations: 3, done: 1, partial: 1, absent: 1 });
    }

    #[test]
    fn a_bad_table_is_refused_with_its_name_and_its_row() {
        for (rows, words) in [
            (r#"{ operation = "x", state = "done" }"#, "row `x`: is `done` and no case shows it"),
            (
                r#"{ operation = "x", state = "absent", cases = ["test a: b"] }"#,
                "row `x`: is `absent` and has cases",
            ),
            (
                r#"{ operation = "x", state = "absent" }, { operation = "x", state = "absent" }"#,
                "row `x`: stands in the table twice",
            ),
            (r#"{ operation = " ", state = "absent" }"#, "a row of `One` has no operation"),
            (r#"{ operation = "x", state = "absent", calls = ["nonsense"] }"#, "row `x`: call `nonsense`"),
            (
                r#"{ operation = "x", state = "partial" }"#,
                "expected `done`, `partial: what is missing` or `absent`",
            ),
            (r#"{ operation = "x", state = "partial: " }"#, "says what is missing"),
            (r#"{ operation = "x", state = "absent", csaes = [] }"#, "unknown field `csaes`"),
            (
                r#"{ operation = "x", state = "done", cases = ["fixture a/b"] }"#,
                "expected `client <folder>: <case>`",
            ),
            (
                r#"{ operation = "x", state = "done", cases = ["script a: b"] }"#,
                "expected `client <folder>: <case>`",
            ),
            ("", "has no rows"),
        ] {
            let why = table(rows).unwrap_err();
            assert!(why.starts_with("fixtures/p/contract/t.toml: ") && why.contains(words), "{why}");
        }
    }
}
