//! One page that stands alone: no script, nothing loaded from elsewhere.

use std::fmt::{self, Display, Write as _};

use super::summary::{Client, bad, clients, operation, plural, status, word};
use crate::{CallOutcome, Finding, Outcome, Totals, Verdict, Weight};

const CSS: &str = include_str!("page.css");
const VERDICTS: [Verdict; 4] = [Verdict::Same, Verdict::Compatible, Verdict::Different, Verdict::Unsupported];

/// The page.
pub fn html(outcomes: &[Outcome]) -> String {
    let mut out = String::new();
    let _ = write!(
        out,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>Replay{}</title>\n<style>\n{CSS}{}</style>\n</head>\n<body>\n<div class=\"page\">\n",
        Escaped(&outcomes.first().map_or(String::new(), |outcome| format!(" of {}", outcome.file))),
        rules(),
    );
    picks(&mut out);
    for outcome in outcomes {
        recording(&mut out, outcome);
    }
    out.push_str("</div>\n</body>\n</html>\n");
    out
}

/// What hides the calls that are not picked: without a script, by the state of the buttons.
fn rules() -> String {
    let mut rules = String::new();
    for verdict in VERDICTS {
        let word = word(verdict);
        let _ = writeln!(
            rules,
            "#pick-{word}:checked ~ main .call:not(.is-{word}) {{ display: none; }}\n\
             #pick-{word}:checked ~ .filter label[for=pick-{word}] {{ border-color: var(--{word}); color: var(--{word}); }}"
        );
    }
    rules.push_str(
        "#pick-bad:checked ~ main .call:not(.is-different):not(.is-unsupported) { display: none; }\n\
         #pick-all:checked ~ .filter label[for=pick-all], #pick-bad:checked ~ .filter label[for=pick-bad] \
         { border-color: var(--ink); font-weight: 600; }\n",
    );
    rules
}

fn picks(out: &mut String) {
    const PICKS: [(&str, &str); 6] = [
        ("all", "All calls"),
        ("bad", "Needs attention"),
        ("different", "Different"),
        ("unsupported", "Unsupported"),
        ("compatible", "Compatible"),
        ("same", "Same"),
    ];
    for (at, (id, _)) in PICKS.iter().enumerate() {
        let checked = if at == 0 { " checked" } else { "" };
        let _ =
            writeln!(out, "<input class=\"pick\" type=\"radio\" name=\"pick\" id=\"pick-{id}\"{checked}>");
    }
    out.push_str("<div class=\"filter\" role=\"group\" aria-label=\"Show\">");
    for (id, label) in PICKS {
        let _ = write!(out, "<label for=\"pick-{id}\">{label}</label>");
    }
    out.push_str("</div>\n");
}

fn recording(out: &mut String, outcome: &Outcome) {
    let totals = outcome.totals();
    let _ = write!(
        out,
        "<main>\n<section class=\"card\">\n<h1>{}</h1>\n<p class=\"soft\">replayed against <code>{}</code>, {}</p>\n\
         <p class=\"verdict\">{}</p>\n",
        Escaped(&outcome.file),
        Escaped(&outcome.against),
        Escaped(&day(outcome)),
        verdict(totals),
    );
    bar(out, totals);
    let clients = clients(outcome);
    out.push_str("<table><thead><tr><th>Client</th><th></th></tr></thead><tbody>\n");
    for client in &clients {
        let _ = writeln!(
            out,
            "<tr><td>{}</td><td>{}</td></tr>",
            Escaped(client.name),
            Escaped(&client.sentence())
        );
    }
    out.push_str("</tbody></table>\n</section>\n");
    for client in &clients {
        section(out, client);
    }
    skipped(out, outcome);
    out.push_str("</main>\n");
}

fn day(outcome: &Outcome) -> String {
    let at = outcome.started;
    format!("{} {:02}:{:02} UTC", at.date(), at.hour(), at.minute())
}

fn verdict(totals: Totals) -> String {
    if totals.calls == 0 {
        "No call of this recording could be sent.".to_owned()
    } else if totals.good() {
        format!("All {} behave the same for their clients.", plural(totals.calls, "call"))
    } else {
        format!(
            "{} of {} need attention.",
            totals.different + totals.unsupported,
            plural(totals.calls, "call")
        )
    }
}

fn counts(totals: Totals) -> [(Verdict, usize); 4] {
    [
        (Verdict::Same, totals.same),
        (Verdict::Compatible, totals.compatible),
        (Verdict::Different, totals.different),
        (Verdict::Unsupported, totals.unsupported),
    ]
}

fn bar(out: &mut String, totals: Totals) {
    out.push_str("<div class=\"bar\" aria-hidden=\"true\">");
    for (verdict, count) in counts(totals) {
        if count > 0 {
            let _ =
                write!(out, "<span class=\"{}-fill\" style=\"flex-grow: {count}\"></span>", word(verdict));
        }
    }
    out.push_str("</div>\n<div class=\"legend\">");
    for (verdict, count) in counts(totals) {
        let word = word(verdict);
        let _ = write!(out, "<span><span class=\"dot {word}-fill\"></span><b>{count}</b> {word}</span>");
    }
    out.push_str("</div>\n");
}

fn section(out: &mut String, client: &Client<'_>) {
    let _ = write!(
        out,
        "<section class=\"card\">\n<h2>{}</h2>\n<p>{}</p>\n",
        Escaped(client.name),
        Escaped(&client.sentence())
    );
    bar(out, client.totals);
    let obstacles = client.obstacles();
    if !obstacles.is_empty() {
        out.push_str(
            "<table><thead><tr><th>What stands in the way</th><th></th><th>Calls</th><th>First</th></tr></thead><tbody>\n",
        );
        for obstacle in obstacles {
            let word = word(obstacle.verdict);
            let _ = writeln!(
                out,
                "<tr><td>{}</td><td><span class=\"tag {word}\">{word}</span></td><td class=\"number\">{}</td>\
                 <td>{}</td></tr>",
                Escaped(&obstacle.operation),
                obstacle.calls,
                First(obstacle.first),
            );
        }
        out.push_str("</tbody></table>\n");
    }
    out.push_str("<div class=\"calls\">\n");
    for call in &client.calls {
        entry(out, call);
    }
    out.push_str("</div>\n</section>\n");
}

/// The first difference of a call, in a cell.
struct First<'a>(&'a CallOutcome);

impl Display for First<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.findings.iter().find(|finding| finding.weight == Weight::Different) {
            Some(finding) => write!(f, "call {}: <code>{}</code>", self.0.number, Escaped(&finding.place)),
            None => write!(f, "call {}", self.0.number),
        }
    }
}

fn entry(out: &mut String, call: &CallOutcome) {
    let word = word(call.verdict);
    let line = format!(
        "<span class=\"soft\">{}</span><span class=\"tag {word}\">{word}</span>\
         <span><code>{} {}</code><br><span class=\"soft\">{}</span></span><span class=\"soft mono\">{}</span>",
        call.number,
        Escaped(&call.method),
        Escaped(&call.target),
        Escaped(&operation(call)),
        Escaped(&statuses(call)),
    );
    if call.findings.is_empty() {
        let _ = writeln!(out, "<div class=\"call is-{word}\"><div class=\"plain\">{line}</div></div>");
        return;
    }
    let open = if bad(call.verdict) { " open" } else { "" };
    let _ = write!(
        out,
        "<details class=\"call is-{word}\"{open}><summary>{line}</summary>\n\
         <table><thead><tr><th>Where</th><th>Recorded</th><th>Now</th></tr></thead><tbody>\n"
    );
    for finding in &call.findings {
        row(out, finding);
    }
    out.push_str("</tbody></table></details>\n");
}

fn statuses(call: &CallOutcome) -> String {
    let fresh = status(call.fresh_status);
    let recorded = call.recorded_status.to_string();
    if fresh == recorded { recorded } else { format!("{recorded} → {fresh}") }
}

fn row(out: &mut String, finding: &Finding) {
    let word = match finding.weight {
        Weight::Compatible => "compatible",
        Weight::Different => "different",
    };
    let _ =
        write!(out, "<tr><td><span class=\"tag {word}\">●</span> <code>{}</code>", Escaped(&finding.place));
    if let Some(why) = &finding.why {
        let _ = write!(out, "<br><span class=\"why\">{}</span>", Escaped(why));
    }
    let _ =
        writeln!(out, "</td><td>{}</td><td>{}</td></tr>", Value(&finding.recorded), Value(&finding.fresh));
}

struct Value<'a>(&'a Option<String>);

impl Display for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(value) => write!(f, "<code>{}</code>", Escaped(value)),
            None => f.write_str("<span class=\"soft\">nothing</span>"),
        }
    }
}

fn skipped(out: &mut String, outcome: &Outcome) {
    if outcome.skipped.is_empty() {
        return;
    }
    let _ = writeln!(
        out,
        "<section class=\"card\"><details><summary>{} not sent</summary><table><tbody>",
        outcome.skipped.len()
    );
    for (number, why) in &outcome.skipped {
        let _ = writeln!(out, "<tr><td class=\"number\">{number}</td><td>{}</td></tr>", Escaped(why));
    }
    out.push_str("</tbody></table></details></section>\n");
}

/// Text that came from a server or a recording, safe within an element or a quoted attribute.
struct Escaped<'a>(&'a str);

impl Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            match c {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                // Shown, not obeyed: control characters and marks that turn the direction of text.
                c if c.is_control()
                    || ('\u{202a}'..='\u{202e}').contains(&c)
                    || ('\u{2066}'..='\u{2069}').contains(&c) =>
                {
                    f.write_char('\u{fffd}')?;
                }
                c => f.write_char(c)?,
            }
        }
        Ok(())
    }
}
