//! For programs.
//!
//! ```json
//! {"schema": 1, "recordings": [{"file": "…", "against": "…", "started": "<RFC 3339>",
//!   "totals": {"calls": 2, "same": 1, "compatible": 0, "different": 1, "unsupported": 0},
//!   "clients": {"<client>": {"calls": 2, …}},
//!   "calls": [{"number": 1, "client": "…", "protocol": "s3", "operation": "PutObject", "method": "PUT",
//!     "target": "/io/…", "recorded_status": 200, "fresh_status": 200, "verdict": "same", "ms": 3,
//!     "findings": [{"weight": "different", "place": "header etag", "recorded": "…", "fresh": null}]}],
//!   "skipped": [[3, "why"]]}]}
//! ```
//!
//! Fields may be added; `schema` changes when one changes its meaning.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::{Outcome, Totals};

#[derive(Serialize)]
struct Document<'a> {
    schema: u32,
    recordings: Vec<Recording<'a>>,
}

#[derive(Serialize)]
struct Recording<'a> {
    #[serde(flatten)]
    outcome: &'a Outcome,
    totals: Totals,
    clients: BTreeMap<&'a str, Totals>,
}

/// One document for all recordings, indented.
pub fn json(outcomes: &[Outcome]) -> String {
    let recordings = outcomes
        .iter()
        .map(|outcome| Recording { outcome, totals: outcome.totals(), clients: outcome.by_client() })
        .collect();
    let document = Document { schema: 1, recordings };
    // Only a map with keys that are no texts, or a failing `Serialize`, could fail here.
    serde_json::to_string_pretty(&document).unwrap_or_else(|error| format!("{{\"error\": \"{error}\"}}"))
}
