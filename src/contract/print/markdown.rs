//! The contract as Markdown: `docs/contract.md`, and the totals in the README.

use std::fmt::Write as _;

use super::text::summary;
use crate::{Contract, Edition, Row, Table, Totals};

/// Between these lines of the README stands what [`readme`] writes.
pub const README_BEGIN: &str = "<!-- contract:begin -->";
pub const README_END: &str = "<!-- contract:end -->";

/// The page of all tables, or of those given.
pub fn markdown(contract: &Contract, tables: Option<&[&Table]>) -> String {
    let mut out = String::new();
    let every: Vec<&Table> = contract.tables().iter().collect();
    if tables.is_none() {
        out.push_str(HEAD);
        out.push_str("| table | operations | done | partial | absent |\n|---|--:|--:|--:|--:|\n");
        for table in &every {
            let name = format!("[{}](#{})", escaped(&table.title), table.place().replace('/', "-"));
            line(&mut out, &name, &table.totals());
        }
        line(&mut out, "together", &contract.totals());
    }
    for (at, table) in tables.unwrap_or(&every).iter().enumerate() {
        if at > 0 || tables.is_none() {
            out.push('\n');
        }
        of_table(&mut out, table);
    }
    out
}

/// Totals per protocol, for the README.
pub fn readme(contract: &Contract) -> String {
    let mut protocols: Vec<(&str, &str, Totals)> = Vec::new();
    for table in contract.tables() {
        match protocols.last_mut() {
            Some((protocol, _, totals)) if *protocol == table.protocol => *totals += table.totals(),
            _ => {
                let name = table.title.split_once(':').map_or(table.title.as_str(), |(name, _)| name);
                protocols.push((&table.protocol, name, table.totals()));
            }
        }
    }
    let mut out = "| protocol | operations | done | partial | absent |\n|---|--:|--:|--:|--:|\n".to_owned();
    for (_, name, totals) in &protocols {
        line(&mut out, &escaped(name), totals);
    }
    line(&mut out, "together", &contract.totals());
    out
}

const HEAD: &str = "\
# Contract

<!-- Written by `cellgate contract --format markdown` from fixtures/*/contract/; a test compares. -->

Every operation of every original protocol, and what cellgate does of it. *Done* is shown by at least one case:
a case of a real client's script (`client`), a recording that is replayed (`fixture`), or a test (`test`). *Partial*
says what is missing. *Absent* answers that it is not built, in the protocol's own way.

";

fn line(out: &mut String, name: &str, totals: &Totals) {
    let Totals { operations, done, partial, absent } = totals;
    // Writing into a string does not fail.
    let _ = writeln!(out, "| {name} | {operations} | {done} | {partial} | {absent} |");
}

fn of_table(out: &mut String, table: &Table) {
    let anchor = table.place().replace('/', "-");
    let _ = writeln!(out, "<a id=\"{anchor}\"></a>\n\n## {}\n", escaped(&table.title));
    let _ = writeln!(out, "{}. From {}.", summary(&table.totals()), escaped(&table.source));
    for section in &table.sections {
        let mut totals = Totals::default();
        section.rows.iter().for_each(|row| totals.count(&row.state));
        let title = html(&section.title);
        let _ = writeln!(out, "\n<details>\n<summary>{title} ({})</summary>\n", summary(&totals));
        out.push_str("| operation | state | missing, notes | cases |\n|---|---|---|---|\n");
        section.rows.iter().for_each(|row| of_row(out, row));
        out.push_str("\n</details>\n");
    }
}

fn of_row(out: &mut String, row: &Row) {
    let edition = (row.edition == Edition::Enterprise).then_some("Enterprise");
    let remarks: Vec<String> =
        [row.state.missing(), edition, row.note.as_deref()].into_iter().flatten().map(escaped).collect();
    let cases: Vec<String> = row.cases.iter().map(|case| escaped(&case.to_string())).collect();
    let _ = writeln!(
        out,
        "| {} | {} | {} | {} |",
        escaped(&row.operation),
        row.state.word(),
        remarks.join("; "),
        cases.join("<br>")
    );
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '&' => out.push_str("&amp;"),
            '|' | '\\' | '*' | '_' | '`' | '[' | ']' | '~' => out.extend(['\\', c]),
            _ => out.push(c),
        }
    }
    out
}

fn html(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_markdown_would_read_otherwise_is_escaped() {
        assert_eq!(escaped("GET|PUT /a_b/{x*} <t> & `c`"), "GET\\|PUT /a\\_b/{x\\*} &lt;t> &amp; \\`c\\`");
        assert_eq!(html("a < b & c"), "a &lt; b &amp; c");
    }
}
