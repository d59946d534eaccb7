//! The contract on a terminal.

use std::fmt::Write as _;

use crate::{Contract, Edition, Table, Totals};

/// Totals per table when no tables are given, else the rows of those.
pub fn text(contract: &Contract, tables: Option<&[&Table]>) -> String {
    let mut out = String::new();
    match tables {
        None => totals(&mut out, contract),
        Some(tables) => {
            for (at, table) in tables.iter().enumerate() {
                if at > 0 {
                    out.push('\n');
                }
                rows(&mut out, table);
            }
        }
    }
    out
}

fn totals(out: &mut String, contract: &Contract) {
    let places: Vec<String> = contract.tables().iter().map(Table::place).collect();
    let width = places.iter().map(String::len).max().unwrap_or(0);
    let mut line = |place: &str, totals: &Totals, title: &str| {
        let Totals { operations, done, partial, absent } = totals;
        let line = format!("{place:width$}  {operations:>10}  {done:>5}  {partial:>7}  {absent:>6}  {title}");
        // Writing into a string does not fail.
        let _ = writeln!(out, "{}", line.trim_end());
    };
    for (place, table) in places.iter().zip(contract.tables()) {
        line(place, &table.totals(), &table.title);
    }
    line("together", &contract.totals(), "");
    let head = format!("{:width$}  operations   done  partial  absent\n", "");
    out.insert_str(0, &head);
}

fn rows(out: &mut String, table: &Table) {
    let _ = writeln!(out, "{} ({})", table.title, table.place());
    let _ = writeln!(out, "{}", summary(&table.totals()));
    let _ = writeln!(out, "from {}", table.source);
    for section in &table.sections {
        let _ = writeln!(out, "\n{}", section.title);
        for row in &section.rows {
            let edition = if row.edition == Edition::Enterprise { " (enterprise)" } else { "" };
            let _ = writeln!(out, "  {:7}  {}{edition}", row.state.word(), row.operation);
            if let Some(missing) = row.state.missing() {
                let _ = writeln!(out, "{:13}missing: {missing}", "");
            }
            if let Some(note) = &row.note {
                let _ = writeln!(out, "{:13}{note}", "");
            }
            for case in &row.cases {
                let _ = writeln!(out, "{:13}{case}", "");
            }
        }
    }
}

/// `169 operations: 2 done, 8 partial, 159 absent`
pub(super) fn summary(totals: &Totals) -> String {
    let Totals { operations, done, partial, absent } = totals;
    format!("{operations} operations: {done} done, {partial} partial, {absent} absent")
}
