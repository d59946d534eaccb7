//! The contract against what there is: the doors, the cases, the pages written from it.
//!
//! | room | what |
//! |---|---|
//! | `registered` | the tables and what the doors say they answer, in both directions |
//! | `probe` | the tables and what the doors really answer |
//! | `cases` | every case exists, and a recording holds a call of its operation |
//! | `har` | requests of a recording |
//! | `docs` | the pages written from the tables |

mod cases;
mod docs;
mod har;
mod probe;
mod registered;

use std::path::PathBuf;

use cellgate_contract::{Method, Row, Segment, Shape, State, Table};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn place(table: &Table, row: &Row) -> String {
    format!("{}: {}", table.place(), row.operation)
}

fn is_absent(row: &Row) -> bool {
    row.state == State::Absent
}

/// The methods of a shape; `ANY` for any.
fn methods(shape: &Shape) -> Vec<&str> {
    match &shape.method {
        Method::Any => vec!["ANY"],
        Method::Of(names) => names.iter().map(String::as_str).collect(),
    }
}

/// The path of a shape with the names of its parameters left away.
fn template(path: &[Segment]) -> String {
    let segment = |segment: &Segment| match segment {
        Segment::Literal(text) => format!("/{text}"),
        Segment::Affixed(before, after) => format!("/{before}{{}}{after}"),
        Segment::One => "/{}".to_owned(),
        Segment::Rest => "/{*}".to_owned(),
    };
    path.iter().map(segment).collect()
}

/// Stops the test with all problems, not with the first.
#[track_caller]
fn none(problems: Vec<String>) {
    assert!(problems.is_empty(), "{} problems:\n{}", problems.len(), problems.join("\n"));
}
