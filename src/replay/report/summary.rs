//! What every report says: how each client fared, and what stands in its way.

use std::collections::BTreeMap;

use crate::{CallOutcome, Outcome, Totals, Verdict};

/// One client of one recording.
pub struct Client<'a> {
    pub name: &'a str,
    pub totals: Totals,
    pub calls: Vec<&'a CallOutcome>,
}

/// Calls of one client that mean the same operation and came to the same bad verdict.
pub struct Obstacle<'a> {
    pub verdict: Verdict,
    /// `Pydio 8 ls`, or the method where no operation is known.
    pub operation: String,
    pub calls: usize,
    pub first: &'a CallOutcome,
}

/// The clients, those with the most trouble first.
pub fn clients(outcome: &Outcome) -> Vec<Client<'_>> {
    let totals = outcome.by_client();
    let mut clients: Vec<Client<'_>> = totals
        .into_iter()
        .map(|(name, totals)| Client {
            name,
            totals,
            calls: outcome.calls.iter().filter(|call| call.client == name).collect(),
        })
        .collect();
    clients.sort_by_key(|client| {
        (std::cmp::Reverse(client.totals.different + client.totals.unsupported), client.name)
    });
    clients
}

impl<'a> Client<'a> {
    /// One sentence for someone who decides on a migration.
    pub fn sentence(&self) -> String {
        let Totals { calls, same, compatible, different, unsupported } = self.totals;
        if different + unsupported == 0 {
            let but = match compatible {
                0 => String::new(),
                1 => "; in one, something differs that it does not read".to_owned(),
                some => format!("; in {some}, something differs that it does not read"),
            };
            return format!("{} of {} behave the same{but}", same + compatible, plural(calls, "call"));
        }
        let mut parts = Vec::new();
        if different > 0 {
            parts.push(format!("{} answered in another way", plural_be(different)));
        }
        if unsupported > 0 {
            parts.push(format!("{} not supported", plural_be(unsupported)));
        }
        format!("{} of {} behave the same; {}", same + compatible, plural(calls, "call"), parts.join(", "))
    }

    /// What stands in the way, by operation, the unsupported first.
    pub fn obstacles(&self) -> Vec<Obstacle<'a>> {
        let mut found: BTreeMap<(std::cmp::Reverse<Verdict>, String), Obstacle<'a>> = BTreeMap::new();
        for &call in self.calls.iter().filter(|call| bad(call.verdict)) {
            let operation = operation(call);
            found
                .entry((std::cmp::Reverse(call.verdict), operation.clone()))
                .or_insert_with(|| Obstacle { verdict: call.verdict, operation, calls: 0, first: call })
                .calls += 1;
        }
        found.into_values().collect()
    }
}

pub fn bad(verdict: Verdict) -> bool {
    matches!(verdict, Verdict::Different | Verdict::Unsupported)
}

pub fn operation(call: &CallOutcome) -> String {
    match (&call.protocol, &call.operation) {
        (Some(protocol), Some(operation)) => format!("{protocol} {operation}"),
        (Some(protocol), None) => format!("{protocol} {}", call.method),
        _ => call.method.clone(),
    }
}

pub fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Same => "same",
        Verdict::Compatible => "compatible",
        Verdict::Different => "different",
        Verdict::Unsupported => "unsupported",
    }
}

pub fn plural(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

fn plural_be(count: usize) -> String {
    if count == 1 { "1 is".to_owned() } else { format!("{count} are") }
}

/// A status, or that no answer came.
pub fn status(status: Option<u16>) -> String {
    status.map_or_else(|| "no answer".to_owned(), |status| status.to_string())
}
