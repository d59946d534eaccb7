//! The report for a terminal: what matters first.

use std::fmt::Write as _;

use super::report::{Call, Group, Report, Usage};

/// Rows of a table whose rest is counted only; the JSON has all.
const LONG: usize = 40;
const CLIENTS: usize = 3;
const HINTS: usize = 3;

pub fn render(report: &Report) -> String {
    let mut out = String::new();
    head(&mut out, report);
    not_done(&mut out, report);
    not_shown(&mut out, report);
    all_calls(&mut out, report);
    clients(&mut out, report);
    users(&mut out, report);
    others(&mut out, report);
    out
}

fn head(out: &mut String, report: &Report) {
    let log = &report.log;
    for file in &log.files {
        line(out, &format!("{}: {} lines", plain(&file.name), file.lines));
    }
    if !log.formats.is_empty() {
        let formats: Vec<String> =
            log.formats.iter().map(|(name, lines)| format!("{name} ({lines})")).collect();
        line(out, &format!("formats: {}", formats.join(", ")));
    }
    if let (Some(first), Some(last)) = (&log.first, &log.last) {
        line(out, &format!("from {first} to {last}"));
    }
    for (lines, what) in [
        (log.no_request_lines, "lines of connections without an HTTP request"),
        (log.other_log_lines, "lines of other logs"),
        (log.outside_lines, "lines outside the time asked for"),
    ] {
        if lines > 0 {
            line(out, &format!("{lines} {what}"));
        }
    }
    if log.unreadable_lines > 0 {
        let at: Vec<String> =
            log.unreadable_at.iter().map(|place| format!("{}:{}", plain(&place.file), place.line)).collect();
        let more = if at.len() as u64 == log.unreadable_lines { "" } else { ", ..." };
        line(out, &format!("{} lines in no known format: {}{more}", log.unreadable_lines, at.join(", ")));
    }
    let totals = &report.totals;
    line(
        out,
        &format!(
            "{} requests: {} of calls done here, {} partial, {} absent, {} whose call the log does not show, {} no \
             calls",
            totals.requests,
            totals.done,
            totals.partial,
            totals.absent,
            totals.session_not_shown,
            totals.other
        ),
    );
}

fn not_done(out: &mut String, report: &Report) {
    let (lacking, refused): (Vec<&Call>, Vec<&Call>) =
        report.calls.iter().filter(|call| call.state != "done").partition(|call| call.lacking());
    title(out, "Calls not done here");
    if lacking.is_empty() {
        line(out, "  none: every call that the log shows is done");
    } else {
        let mut table =
            Table::new(&["requests", "users", "protocol", "operation", "last", "clients", "state"], &[0, 1]);
        for call in lacking {
            table.row(vec![
                call.usage.requests.to_string(),
                users_of(&call.usage),
                call.protocol.clone(),
                call.operation.clone(),
                day(call.usage.last.as_deref()),
                shares(&call.usage),
                state(call),
            ]);
        }
        table.write(out);
        line(
            out,
            "  What a `partial` call lacks may be what no client of yours asks for: `cellgate replay` tells.",
        );
    }
    if !refused.is_empty() {
        title(out, "Not done here, and refused by the old server each time");
        let mut table = Table::new(&["requests", "protocol", "operation", "statuses", "clients"], &[0]);
        for call in refused {
            table.row(vec![
                call.usage.requests.to_string(),
                call.protocol.clone(),
                call.operation.clone(),
                statuses(&call.usage),
                shares(&call.usage),
            ]);
        }
        table.write(out);
    }
}

fn state(call: &Call) -> String {
    let mut text = call.state.to_owned();
    if let Some(missing) = &call.missing {
        text.push_str(": ");
        text.push_str(missing);
    }
    if call.enterprise {
        text.push_str(" (Enterprise)");
    }
    text
}

fn not_shown(out: &mut String, report: &Report) {
    let session = &report.session_calls_not_shown;
    if session.requests > 0 {
        title(out, "Session calls whose action the log does not show");
        line(
            out,
            &format!(
                "  {} requests, {} users, last {}; {}",
                session.requests,
                users_of(session),
                day(session.last.as_deref()),
                shares(session)
            ),
        );
        line(
            out,
            "  Pydio 8 has the action of a POST to /index.php in its body; `cellgate record` in front of the",
        );
        line(out, "  old server shows it.");
    }
}

fn all_calls(out: &mut String, report: &Report) {
    let mut protocols: Vec<&str> = report.calls.iter().map(|call| call.protocol.as_str()).collect();
    protocols.sort_unstable();
    protocols.dedup();
    for protocol in protocols {
        title(out, &format!("All calls: {protocol}"));
        let mut calls: Vec<&Call> = report.calls.iter().filter(|call| call.protocol == protocol).collect();
        calls.sort_by(|one, other| {
            (other.usage.requests, &one.operation).cmp(&(one.usage.requests, &other.operation))
        });
        let mut table = Table::new(
            &["requests", "users", "operation", "state", "first", "last", "statuses", "clients"],
            &[0, 1],
        );
        for call in calls {
            table.row(vec![
                call.usage.requests.to_string(),
                users_of(&call.usage),
                call.operation.clone(),
                call.state.to_owned(),
                day(call.usage.first.as_deref()),
                day(call.usage.last.as_deref()),
                statuses(&call.usage),
                shares(&call.usage),
            ]);
        }
        table.write(out);
    }
}

fn clients(out: &mut String, report: &Report) {
    if report.clients.is_empty() {
        return;
    }
    title(out, "Clients");
    let mut table = Table::new(
        &["requests", "calls", "not done", "client", "last", "operations not done here"],
        &[0, 1, 2],
    );
    for client in report.clients.iter().take(LONG) {
        table.row(vec![
            client.requests.to_string(),
            client.calls.to_string(),
            client.calls_not_done.to_string(),
            client.client.clone(),
            day(client.last.as_deref()),
            some(&client.operations_not_done),
        ]);
    }
    table.write(out);
    rest(out, report.clients.len());
}

fn users(out: &mut String, report: &Report) {
    let users = &report.users;
    if users.distinct == 0 {
        return;
    }
    let more = if users.at_least { "at least " } else { "" };
    title(out, &format!("Users: {more}{} distinct", users.distinct));
    let Some(names) = &users.names else {
        line(out, "  --users lists them");
        return;
    };
    let mut table = Table::new(&["requests", "user", "last", "operations not done here"], &[0]);
    for user in names {
        table.row(vec![
            user.requests.to_string(),
            plain(&user.user),
            day(user.last.as_deref()),
            some(&user.operations_not_done),
        ]);
    }
    table.write(out);
}

fn others(out: &mut String, report: &Report) {
    if report.other.is_empty() {
        return;
    }
    title(out, "Requests that are no call of the contract: web pages, their parts, bots");
    let mut table = Table::new(&["requests", "refused", "below", "most frequent"], &[0, 1]);
    for group in report.other.iter().take(LONG) {
        let Group { group, requests, requests_refused, examples } = group;
        table.row(vec![
            requests.to_string(),
            requests_refused.to_string(),
            group.clone().unwrap_or_else(|| "elsewhere".to_owned()),
            examples.join("  "),
        ]);
    }
    table.write(out);
    rest(out, report.other.len());
    let answered = report.other.iter().filter(|group| group.requests_refused < group.requests);
    let dav = answered.filter(|group| group.examples.iter().any(|example| example.starts_with("PROPFIND ")));
    for group in dav.filter_map(|group| group.group.as_deref()).take(HINTS) {
        let place = group.trim_end_matches('/');
        line(
            out,
            &format!("  WebDAV below {group}: `--dav {place}` counts it, if that is where it was served"),
        );
    }
}

fn rest(out: &mut String, all: usize) {
    if all > LONG {
        line(out, &format!("  and {} more, in the JSON report", all - LONG));
    }
}

fn users_of(usage: &Usage) -> String {
    let more = if usage.users_at_least { "+" } else { "" };
    format!("{}{more}", usage.users)
}

fn shares(usage: &Usage) -> String {
    let clients: Vec<String> = usage.clients.iter().map(|share| share.client.clone()).collect();
    some(&clients)
}

fn some(names: &[String]) -> String {
    let mut text = names.iter().take(CLIENTS).map(|name| plain(name)).collect::<Vec<_>>().join(", ");
    if names.len() > CLIENTS {
        // Writing to a string cannot fail.
        let _ = write!(text, " +{}", names.len() - CLIENTS);
    }
    text
}

fn statuses(usage: &Usage) -> String {
    let parts: Vec<String> =
        usage.statuses.iter().map(|(status, requests)| format!("{status}: {requests}")).collect();
    parts.join(", ")
}

fn day(instant: Option<&str>) -> String {
    instant.and_then(|text| text.split_once('T')).map_or("-", |(day, _)| day).to_owned()
}

/// Names of files and users are shown to a terminal, which must not take them for its own commands.
fn plain(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { '?' } else { letter }).collect()
}

fn line(out: &mut String, text: &str) {
    out.push_str(text);
    out.push('\n');
}

fn title(out: &mut String, text: &str) {
    out.push('\n');
    line(out, text);
}

/// Columns of equal width; the last one ends where its text does.
struct Table {
    right: Vec<usize>,
    rows: Vec<Vec<String>>,
}

impl Table {
    fn new(head: &[&str], right: &[usize]) -> Self {
        let head = head.iter().map(|word| (*word).to_owned()).collect();
        Self { right: right.to_vec(), rows: vec![head] }
    }

    fn row(&mut self, cells: Vec<String>) {
        self.rows.push(cells);
    }

    fn write(&self, out: &mut String) {
        let columns = self.rows.first().map_or(0, Vec::len);
        let width = |column: usize| {
            self.rows
                .iter()
                .filter_map(|row| row.get(column))
                .map(|cell| cell.chars().count())
                .max()
                .unwrap_or(0)
        };
        let widths: Vec<usize> = (0..columns).map(width).collect();
        for row in &self.rows {
            let mut text = String::new();
            for (column, (cell, width)) in row.iter().zip(&widths).enumerate() {
                let padding = " ".repeat(width.saturating_sub(cell.chars().count()));
                text.push_str("  ");
                if self.right.contains(&column) {
                    text.extend([padding.as_str(), cell]);
                } else {
                    text.extend([cell, padding.as_str()]);
                }
            }
            line(out, text.trim_end());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_and_numbers_stand_right() {
        let mut table = Table::new(&["requests", "operation", "state"], &[0]);
        table.row(vec!["7".into(), "lé".into(), "done".into()]);
        table.row(vec!["1200".into(), "mkdir".into(), String::new()]);
        let mut out = String::new();
        table.write(&mut out);
        assert_eq!(out, "  requests  operation  state\n         7  lé         done\n      1200  mkdir\n");
    }

    #[test]
    fn control_characters_do_not_reach_the_terminal() {
        assert_eq!(plain("a\u{1b}[31mb\u{9b}"), "a?[31mb?");
    }
}
