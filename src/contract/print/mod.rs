//! The contract as people and programs read it.
//!
//! | room | what |
//! |---|---|
//! | `text` | for a terminal |
//! | `json` | for programs |
//! | `markdown` | for `docs/contract.md` and the README |

mod json;
mod markdown;
mod text;

use crate::{Contract, Table};

pub use json::json;
pub use markdown::{README_BEGIN, README_END, markdown, readme};
pub use text::text;

/// The tables a word names: those of a protocol's folder, a table by its name or by `folder/name`.
/// None when it names nothing.
pub fn named<'c>(contract: &'c Contract, word: &str) -> Option<Vec<&'c Table>> {
    let word = word.to_lowercase();
    let tables: Vec<&Table> = contract
        .tables()
        .iter()
        .filter(|table| word == table.protocol || word == table.name || word == table.place())
        .collect();
    (!tables.is_empty()).then_some(tables)
}

/// What can be named, for whoever named something else.
pub fn names(contract: &Contract) -> String {
    let mut protocols: Vec<&str> = contract.tables().iter().map(|table| table.protocol.as_str()).collect();
    protocols.dedup();
    let tables: Vec<String> = contract.tables().iter().map(Table::place).collect();
    format!("{}; or one table: {}", protocols.join(", "), tables.join(", "))
}
