//! Whether a replay can fail: a fixture that behaves, with one thing of its recorded answers changed.

use std::path::Path;
use std::time::Instant;

use serde_json::Value;

use super::{Rehearsal, file};
use crate::Outcome;
use crate::gateway::{Gateway, Installation};
use crate::prepare::Workshop;
use crate::tally::Tally;

/// A recording with an `ls` and without anything bad.
const FIXTURE: &str = "pydio8/curl/suite";

/// A change of a recording: its name, what does it (answering the entry's number, from 1), and the
/// place that the replay has to name.
type Change = (&'static str, fn(&mut Value) -> Option<usize>, &'static str);

const CHANGES: &[Change] = &[
    ("an attribute of an ls answer", attribute, "@is_file"),
    ("a status", status, "status"),
    ("a header that is missing", header, "header "),
];

pub async fn run(
    installation: &Installation,
    gateway: &Gateway,
    workshop: &Workshop,
    tally: &mut Tally,
    step: &str,
) {
    for (title, change, place) in CHANGES {
        let begun = Instant::now();
        let rehearsal = Rehearsal { installation, gateway, workshop, options: &[] };
        let name = format!("spoiled: {title}");
        match spoil(&rehearsal, title, *change, place).await {
            Ok(said) => tally.passed(step, &name, begun.elapsed(), &said),
            Err(why) => tally.failed(step, &name, &why),
        }
    }
}

async fn spoil(
    rehearsal: &Rehearsal<'_>,
    title: &str,
    change: fn(&mut Value) -> Option<usize>,
    place: &str,
) -> Outcome<String> {
    let name = format!("spoiled-{}", title.replace(' ', "-"));
    let copy = rehearsal.workshop.logs.join(format!("{name}.har"));
    let number = write(&file(rehearsal.workshop, FIXTURE), &copy, change)?;
    let outcome = rehearsal.replay(&copy, &name, &rehearsal.workshop.logs.join(&name)).await?;
    let bad: Vec<u64> = outcome.bad.keys().copied().collect();
    if bad != [number as u64] {
        return Err(format!("call {number} was changed, and the replay finds {bad:?}"));
    }
    let call = outcome.calls.iter().find(|call| call.number == number as u64);
    let found = call
        .into_iter()
        .flat_map(|call| &call.findings)
        .find(|finding| finding.weight == "different" && finding.place.contains(place));
    match found {
        Some(finding) => Ok(format!("call {number}: {}", finding.place)),
        None => Err(format!("call {number} is bad, but not for its {place}")),
    }
}

fn write(from: &Path, to: &Path, change: fn(&mut Value) -> Option<usize>) -> Outcome<usize> {
    let text = std::fs::read_to_string(from)
        .map_err(|error| format!("cannot read `{}`: {error}", from.display()))?;
    let mut har: Value =
        serde_json::from_str(&text).map_err(|error| format!("`{}`: {error}", from.display()))?;
    let number = change(&mut har).ok_or_else(|| format!("`{}` has nothing to change so", from.display()))?;
    std::fs::write(to, har.to_string())
        .map_err(|error| format!("cannot write `{}`: {error}", to.display()))?;
    Ok(number)
}

/// Changes the first answer that `wanted` says yes to.
fn change(har: &mut Value, mut wanted: impl FnMut(&str, &mut Value) -> bool) -> Option<usize> {
    let entries = har.pointer_mut("/log/entries")?.as_array_mut()?;
    for (at, entry) in entries.iter_mut().enumerate() {
        let url = entry.pointer("/request/url")?.as_str()?.to_owned();
        if wanted(&url, entry.get_mut("response")?) {
            return Some(at + 1);
        }
    }
    None
}

fn attribute(har: &mut Value) -> Option<usize> {
    change(har, |url, response| {
        let Some(Value::String(text)) = response.pointer_mut("/content/text") else { return false };
        if !url.contains("/ls/") || !text.contains("is_file=\"false\"") {
            return false;
        }
        *text = text.replacen("is_file=\"false\"", "is_file=\"other\"", 1);
        true
    })
}

fn status(har: &mut Value) -> Option<usize> {
    change(har, |url, response| {
        let Some(status) = response.get_mut("status") else { return false };
        if !url.contains("/mkdir/") || *status != 200 {
            return false;
        }
        *status = 409.into();
        true
    })
}

/// A header that the original is recorded to send, and the gateway does not.
fn header(har: &mut Value) -> Option<usize> {
    change(har, |url, response| {
        let Some(Value::Array(headers)) = response.get_mut("headers") else { return false };
        if !url.contains("/download/") {
            return false;
        }
        headers.push(serde_json::json!({"name": "ETag", "value": "\"as the original had it\""}));
        true
    })
}
