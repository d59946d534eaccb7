//! The outcome of an audit. Its JSON has the fields below by their names; times are RFC 3339 in UTC,
//! counts of users are capped (`users_at_least`).

use std::cmp::Reverse;
use std::collections::BTreeMap;

use serde::Serialize;

use super::bounded::Names;
use super::tally::{Span, Tally, Use, Used};
use super::when::instant;
use crate::{Edition, State};

#[derive(Debug, Serialize)]
pub struct Report {
    pub log: Log,
    pub totals: Totals,
    /// What is not done here comes first, then the most used.
    pub calls: Vec<Call>,
    /// POSTs to Pydio 8's session endpoint: their action is in the body.
    pub session_calls_not_shown: Usage,
    pub clients: Vec<Client>,
    pub users: Users,
    /// Requests that are no call of the contract, by first segment.
    pub other: Vec<Group>,
}

/// What was read.
#[derive(Debug, Serialize)]
pub struct Log {
    pub files: Vec<File>,
    /// Lines by format; a file may mix them.
    pub formats: BTreeMap<String, u64>,
    pub first: Option<String>,
    pub last: Option<String>,
    pub unreadable_lines: u64,
    /// The first ones.
    pub unreadable_at: Vec<Place>,
    /// Lines of other logs in the same file.
    pub other_log_lines: u64,
    /// Lines before or after the asked time, or without one.
    pub outside_lines: u64,
    /// Connections without an HTTP request.
    pub no_request_lines: u64,
}

#[derive(Debug, Serialize)]
pub struct File {
    pub name: String,
    pub lines: u64,
}

#[derive(Debug, Serialize)]
pub struct Place {
    pub file: String,
    pub line: u64,
}

/// Requests; they add up to the first. Below: operations.
#[derive(Debug, Default, Serialize)]
pub struct Totals {
    pub requests: u64,
    pub done: u64,
    pub partial: u64,
    pub absent: u64,
    pub session_not_shown: u64,
    pub other: u64,
    pub operations_used: usize,
    pub operations_not_done: usize,
    /// Not done, and the old server refused each request as well.
    pub operations_refused: usize,
}

#[derive(Debug, Serialize)]
pub struct Call {
    pub protocol: String,
    pub table: String,
    pub operation: String,
    /// `done`, `partial` or `absent`
    pub state: &'static str,
    pub missing: Option<String>,
    pub enterprise: bool,
    pub note: Option<String>,
    /// The old server refused every request: nobody depends on it.
    pub refused: bool,
    #[serde(flatten)]
    pub usage: Usage,
}

impl Call {
    /// Whether somebody uses it who will miss something here.
    pub fn lacking(&self) -> bool {
        self.state != "done" && !self.refused
    }
}

#[derive(Debug, Serialize)]
pub struct Usage {
    pub requests: u64,
    /// Of these, answered with 400, 401, 403, 404, 405, 410, 421, 444 or 501.
    pub requests_refused: u64,
    pub first: Option<String>,
    pub last: Option<String>,
    /// By status; `none` for connections that ended before an answer.
    pub statuses: BTreeMap<String, u64>,
    /// The most frequent first.
    pub clients: Vec<Share>,
    pub users: usize,
    pub users_at_least: bool,
}

#[derive(Debug, Serialize)]
pub struct Share {
    pub client: String,
    pub requests: u64,
}

#[derive(Debug, Serialize)]
pub struct Client {
    pub client: String,
    pub requests: u64,
    /// Of the contract, as far as the log shows them.
    pub calls: u64,
    /// Of these, calls that are not done here and that somebody depends on.
    pub calls_not_done: u64,
    pub operations_not_done: Vec<String>,
    pub last: Option<String>,
}

#[derive(Debug, Serialize)]
pub struct Users {
    pub distinct: usize,
    pub at_least: bool,
    /// Only when asked for; the most active first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub names: Option<Vec<User>>,
}

#[derive(Debug, Serialize)]
pub struct User {
    pub user: String,
    pub requests: u64,
    /// Operations they use that are not done here.
    pub operations_not_done: Vec<String>,
    pub last: Option<String>,
}

#[derive(Debug, Serialize)]
pub struct Group {
    /// `null` for what is beyond the groups that are kept.
    pub group: Option<String>,
    pub requests: u64,
    pub requests_refused: u64,
    /// The most frequent ones, without names, ids and values.
    pub examples: Vec<String>,
}

const EXAMPLES: usize = 3;

impl Report {
    pub(super) fn of(tally: Tally<'_>) -> Self {
        let mut used: Vec<&Used<'_>> = tally.calls.values().collect();
        used.sort_by_key(|used| {
            let table = used.found.table;
            let state = rank(&used.found.row.state);
            (state, Reverse(used.used.requests), &table.protocol, &table.name, &used.found.row.operation)
        });
        let calls: Vec<Call> = used.iter().map(|used| call(used, &tally.clients)).collect();
        let totals = totals(&tally, &calls);
        Self {
            log: log(&tally),
            totals,
            session_calls_not_shown: usage(&tally.session, &tally.clients),
            clients: clients(&tally, &used),
            users: Users {
                distinct: tally.users.names().len(),
                at_least: tally.users.overflowed(),
                names: Some(users(&tally, &used)),
            },
            other: groups(&tally),
            calls,
        }
    }

    /// Forgets who the users were.
    pub fn without_users(mut self) -> Self {
        self.users.names = None;
        self
    }

    /// Whether everything that is used is done here.
    pub fn all_done(&self) -> bool {
        !self.calls.iter().any(Call::lacking)
    }

    pub fn text(&self) -> String {
        super::text::render(self)
    }
}

fn rank(state: &State) -> u8 {
    match state {
        State::Absent => 0,
        State::Partial(_) => 1,
        State::Done => 2,
    }
}

fn log(tally: &Tally<'_>) -> Log {
    let (first, last) = ends(tally.span);
    let read = tally.formats.iter().filter(|(_, lines)| *lines > 0);
    Log {
        files: tally.files.iter().map(|(name, lines)| File { name: name.clone(), lines: *lines }).collect(),
        formats: read.map(|(name, lines)| ((*name).to_owned(), *lines)).collect(),
        first,
        last,
        unreadable_lines: tally.unreadable,
        unreadable_at: tally
            .unreadable_at
            .iter()
            .map(|(file, line)| Place { file: file.clone(), line: *line })
            .collect(),
        other_log_lines: tally.other_log,
        outside_lines: tally.outside,
        no_request_lines: tally.no_request,
    }
}

fn ends(span: Span) -> (Option<String>, Option<String>) {
    span.0.map_or((None, None), |(first, last)| (Some(instant(first)), Some(instant(last))))
}

fn totals(tally: &Tally<'_>, calls: &[Call]) -> Totals {
    let requests =
        |state: &str| calls.iter().filter(|call| call.state == state).map(|call| call.usage.requests).sum();
    Totals {
        requests: tally.requests,
        done: requests("done"),
        partial: requests("partial"),
        absent: requests("absent"),
        session_not_shown: tally.session.requests,
        other: tally.others,
        operations_used: calls.len(),
        operations_not_done: calls.iter().filter(|call| call.lacking()).count(),
        operations_refused: calls.iter().filter(|call| call.state != "done" && call.refused).count(),
    }
}

fn call(used: &Used<'_>, clients: &Names) -> Call {
    let row = used.found.row;
    Call {
        protocol: used.found.table.protocol.clone(),
        table: used.found.table.name.clone(),
        operation: row.operation.clone(),
        state: row.state.word(),
        missing: row.state.missing().map(str::to_owned),
        enterprise: row.edition == Edition::Enterprise,
        note: row.note.clone(),
        refused: used.used.refused == used.used.requests,
        usage: usage(&used.used, clients),
    }
}

fn usage(used: &Use, names: &Names) -> Usage {
    let (first, last) = ends(used.span);
    let status = |status: u16| if status == 0 { "none".to_owned() } else { status.to_string() };
    let mut clients: Vec<Share> = used
        .clients
        .iter()
        .map(|(client, requests)| Share { client: client_name(names, *client), requests: *requests })
        .collect();
    clients.sort_by(|one, other| (other.requests, &one.client).cmp(&(one.requests, &other.client)));
    Usage {
        requests: used.requests,
        requests_refused: used.refused,
        first,
        last,
        statuses: used.statuses.iter().map(|(code, requests)| (status(*code), *requests)).collect(),
        clients,
        users: used.users.len(),
        users_at_least: used.more_users,
    }
}

fn client_name(names: &Names, client: u32) -> String {
    names.name(client).unwrap_or("other clients").to_owned()
}

/// Whether somebody depends on a call that is not done.
fn lacking(used: &Used<'_>) -> bool {
    used.found.row.state != State::Done && used.used.refused < used.used.requests
}

fn clients(tally: &Tally<'_>, used: &[&Used<'_>]) -> Vec<Client> {
    let mut clients: Vec<Client> = tally
        .by_client
        .iter()
        .map(|(number, seen)| {
            let of = |used: &&&Used<'_>| used.used.clients.get(number).copied();
            let not_done = used.iter().filter(|used| lacking(used)).filter(|used| of(used).is_some());
            Client {
                client: client_name(&tally.clients, *number),
                requests: seen.requests,
                calls: used.iter().filter_map(|used| of(&used)).sum(),
                calls_not_done: not_done.clone().filter_map(|used| of(&used)).sum(),
                operations_not_done: not_done.map(|used| operation(used)).collect(),
                last: ends(seen.span).1,
            }
        })
        .collect();
    clients.sort_by(|one, other| (other.requests, &one.client).cmp(&(one.requests, &other.client)));
    clients
}

fn users(tally: &Tally<'_>, used: &[&Used<'_>]) -> Vec<User> {
    let mut users: Vec<User> = tally
        .by_user
        .iter()
        .map(|(number, seen)| {
            let not_done =
                used.iter().filter(|used| lacking(used)).filter(|used| used.used.users.contains(number));
            User {
                user: tally.users.name(*number).unwrap_or("other users").to_owned(),
                requests: seen.requests,
                operations_not_done: not_done.map(|used| operation(used)).collect(),
                last: ends(seen.span).1,
            }
        })
        .collect();
    users.sort_by(|one, other| (other.requests, &one.user).cmp(&(one.requests, &other.user)));
    users
}

fn operation(used: &Used<'_>) -> String {
    format!("{} {}", used.found.table.protocol, used.found.row.operation)
}

fn groups(tally: &Tally<'_>) -> Vec<Group> {
    let mut groups: Vec<Group> = tally
        .groups
        .iter()
        .map(|(name, group)| Group {
            group: Some(name.clone()),
            requests: group.requests,
            requests_refused: group.refused,
            examples: group
                .examples
                .sorted()
                .into_iter()
                .take(EXAMPLES)
                .map(|(example, _)| example.to_owned())
                .collect(),
        })
        .collect();
    groups.sort_by(|one, other| (other.requests, &one.group).cmp(&(one.requests, &other.group)));
    if tally.ungrouped > 0 {
        let others =
            Group { group: None, requests: tally.ungrouped, requests_refused: 0, examples: Vec::new() };
        groups.push(others);
    }
    groups
}
