//! For a terminal: a table of clients, then every call that is not the same.

use std::fmt::Write as _;

use super::summary::{self, Client, bad, clients, operation, plural, status, word};
use crate::{CallOutcome, Finding, Outcome, Verdict, Weight};

/// How the terminal report looks.
#[derive(Debug, Clone, Copy, Default)]
pub struct Style {
    /// Escape sequences for colours; not into pipes, nor with `NO_COLOR`.
    pub color: bool,
    /// Compatible calls with their findings too.
    pub verbose: bool,
}

/// The report, ending with a line of sums.
pub fn text(outcomes: &[Outcome], style: Style) -> String {
    let mut out = String::new();
    for outcome in outcomes {
        let _ = writeln!(out, "{} against {}\n", outcome.file, outcome.against);
        let clients = clients(outcome);
        table(&mut out, &clients, style);
        for client in &clients {
            calls(&mut out, client, style);
        }
        skipped(&mut out, outcome, style);
        let totals = outcome.totals();
        let _ = writeln!(
            out,
            "\n{}: {} same, {} compatible, {} different, {} unsupported",
            plural(totals.calls, "call"),
            totals.same,
            totals.compatible,
            totals.different,
            totals.unsupported
        );
    }
    out
}

fn table(out: &mut String, clients: &[Client<'_>], style: Style) {
    let width = clients.iter().map(|client| client.name.chars().count()).max().unwrap_or(0).max(6);
    let _ = writeln!(
        out,
        "  {:<width$} {:>7} {:>7} {:>11} {:>10} {:>12}",
        "client", "calls", "same", "compatible", "different", "unsupported"
    );
    for client in clients {
        let totals = client.totals;
        let number = |count: usize, verdict, width: usize| {
            let text = format!("{count:>width$}");
            if count == 0 { text } else { painted(&text, verdict, style) }
        };
        let _ = writeln!(
            out,
            "  {:<width$} {:>7} {} {} {} {}",
            client.name,
            totals.calls,
            number(totals.same, Verdict::Same, 7),
            number(totals.compatible, Verdict::Compatible, 11),
            number(totals.different, Verdict::Different, 10),
            number(totals.unsupported, Verdict::Unsupported, 12),
        );
    }
}

fn calls(out: &mut String, client: &Client<'_>, style: Style) {
    let shown: Vec<&&CallOutcome> = client
        .calls
        .iter()
        .filter(|call| bad(call.verdict) || (style.verbose && call.verdict == Verdict::Compatible))
        .collect();
    let _ = writeln!(out, "\n{}: {}", client.name, client.sentence());
    for call in shown {
        let _ = writeln!(
            out,
            "  {} call {}, {}: {} {} ({}, recorded {})",
            painted(&format!("{:<11}", word(call.verdict)), call.verdict, style),
            call.number,
            operation(call),
            call.method,
            call.target,
            status(call.fresh_status),
            summary::status(Some(call.recorded_status)),
        );
        for finding in &call.findings {
            if style.verbose || finding.weight == Weight::Different {
                line(out, finding);
            }
        }
    }
}

fn line(out: &mut String, finding: &Finding) {
    let value = |value: &Option<String>| match value {
        Some(value) => format!("`{value}`"),
        None => "nothing".to_owned(),
    };
    let _ = write!(
        out,
        "      {}: {}, recorded {}",
        finding.place,
        value(&finding.fresh),
        value(&finding.recorded)
    );
    match &finding.why {
        Some(why) => drop(writeln!(out, " ({why})")),
        None => out.push('\n'),
    }
}

fn skipped(out: &mut String, outcome: &Outcome, style: Style) {
    if outcome.skipped.is_empty() {
        return;
    }
    let _ =
        writeln!(out, "\nnot sent: {}", plural(outcome.skipped.len(), "entry").replace("entrys", "entries"));
    let shown = if style.verbose { usize::MAX } else { 5 };
    for (number, why) in outcome.skipped.iter().take(shown) {
        let _ = writeln!(out, "  entry {number}: {why}");
    }
    if outcome.skipped.len() > shown {
        let _ = writeln!(out, "  and {} more", outcome.skipped.len() - shown);
    }
}

fn painted(text: &str, verdict: Verdict, style: Style) -> String {
    if !style.color {
        return text.to_owned();
    }
    let code = match verdict {
        Verdict::Same => 32,
        Verdict::Compatible => 36,
        Verdict::Different => 31,
        Verdict::Unsupported => 33,
    };
    format!("\x1b[{code}m{text}\x1b[0m")
}
