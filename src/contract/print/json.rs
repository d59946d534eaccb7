//! The contract for programs.

use serde_json::{Value, json};

use crate::{Contract, Row, Table, Totals};

/// Totals per table when no tables are given, else the rows of those.
pub fn json(contract: &Contract, tables: Option<&[&Table]>) -> String {
    let value = match tables {
        None => json!({
            "tables": contract.tables().iter().map(|of| table(of, false)).collect::<Vec<_>>(),
            "totals": totals(&contract.totals()),
        }),
        Some(tables) => json!({ "tables": tables.iter().map(|of| table(of, true)).collect::<Vec<_>>() }),
    };
    format!("{value:#}\n")
}

fn table(table: &Table, with_rows: bool) -> Value {
    let mut value = json!({
        "protocol": table.protocol,
        "name": table.name,
        "title": table.title,
        "source": table.source,
        "totals": totals(&table.totals()),
    });
    if with_rows {
        let sections: Vec<Value> = table
            .sections
            .iter()
            .map(|section| {
                json!({ "title": section.title, "rows": section.rows.iter().map(row).collect::<Vec<_>>() })
            })
            .collect();
        value["sections"] = Value::Array(sections);
    }
    value
}

fn row(row: &Row) -> Value {
    json!({
        "operation": row.operation,
        "state": row.state.word(),
        "missing": row.state.missing(),
        "cases": row.cases.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "calls": row.calls.iter().map(|call| &call.text).collect::<Vec<_>>(),
        "edition": row.edition.word(),
        "note": row.note,
    })
}

fn totals(totals: &Totals) -> Value {
    let Totals { operations, done, partial, absent } = totals;
    json!({ "operations": operations, "done": done, "partial": partial, "absent": absent })
}
