//! Counts of what a log shows.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::asked::Asked;
use super::bounded::{Counts, Names};
use super::line::Line;
use super::place;
use crate::client::Client;
use crate::{Found, Row};

/// Programs with their major versions.
const CLIENTS: usize = 400;
const USERS: usize = 65_536;
/// Users that a single call remembers.
const USERS_OF_CALL: usize = 2_048;
const GROUPS: usize = 400;
const EXAMPLES: usize = 16;
/// Agents whose client is remembered.
const AGENTS: usize = 4_096;
const LONGEST_AGENT: usize = 512;
const LONGEST_USER: usize = 128;
const UNREADABLE: usize = 5;

/// Answers that refuse: somebody asked, but no use of the server shows in it.
const REFUSALS: [u16; 9] = [400, 401, 403, 404, 405, 410, 421, 444, 501];

pub struct Tally<'c> {
    pub formats: Vec<(&'static str, u64)>,
    pub files: Vec<(String, u64)>,
    pub unreadable: u64,
    /// File and number of the first ones.
    pub unreadable_at: Vec<(String, u64)>,
    pub other_log: u64,
    pub outside: u64,
    pub no_request: u64,
    pub requests: u64,
    pub span: Span,
    /// By the place of the row in memory: the contract outlives the tally.
    pub calls: HashMap<*const Row, Used<'c>>,
    pub session: Use,
    pub others: u64,
    pub groups: HashMap<String, Group>,
    /// What found no place in `groups`.
    pub ungrouped: u64,
    pub clients: Names,
    pub by_client: HashMap<u32, Seen>,
    pub users: Names,
    pub by_user: HashMap<u32, Seen>,
    agents: HashMap<String, u32>,
}

/// The first and the last time.
#[derive(Clone, Copy, Debug, Default)]
pub struct Span(pub Option<(i64, i64)>);

impl Span {
    fn add(&mut self, time: Option<i64>) {
        if let Some(time) = time {
            let (first, last) = self.0.unwrap_or((time, time));
            self.0 = Some((first.min(time), last.max(time)));
        }
    }
}

/// How something was used.
#[derive(Default)]
pub struct Use {
    pub requests: u64,
    pub refused: u64,
    pub span: Span,
    /// 0 for none.
    pub statuses: BTreeMap<u16, u64>,
    pub clients: HashMap<u32, u64>,
    pub users: HashSet<u32>,
    pub more_users: bool,
}

pub struct Used<'c> {
    pub found: Found<'c>,
    pub used: Use,
}

pub struct Group {
    pub requests: u64,
    pub refused: u64,
    pub examples: Counts,
}

/// Requests of a client or a user.
#[derive(Default)]
pub struct Seen {
    pub requests: u64,
    pub span: Span,
}

impl<'c> Tally<'c> {
    pub fn new(formats: Vec<&'static str>) -> Self {
        Self {
            formats: formats.into_iter().map(|name| (name, 0)).collect(),
            files: Vec::new(),
            unreadable: 0,
            unreadable_at: Vec::new(),
            other_log: 0,
            outside: 0,
            no_request: 0,
            requests: 0,
            span: Span::default(),
            calls: HashMap::new(),
            session: Use::default(),
            others: 0,
            groups: HashMap::new(),
            ungrouped: 0,
            clients: Names::up_to(CLIENTS),
            by_client: HashMap::new(),
            users: Names::up_to(USERS),
            by_user: HashMap::new(),
            agents: HashMap::new(),
        }
    }

    pub fn file(&mut self, name: &str, lines: u64) {
        self.files.push((name.to_owned(), lines));
    }

    pub fn format(&mut self, at: usize) {
        if let Some((_, lines)) = self.formats.get_mut(at) {
            *lines += 1;
        }
    }

    pub fn unreadable(&mut self, file: &str, number: u64) {
        self.unreadable += 1;
        if self.unreadable_at.len() < UNREADABLE {
            self.unreadable_at.push((file.to_owned(), number));
        }
    }

    pub fn other_log(&mut self) {
        self.other_log += 1;
    }

    pub fn outside(&mut self) {
        self.outside += 1;
    }

    pub fn count(&mut self, line: &Line<'_>, asked: Asked<'c>) {
        self.span.add(line.time);
        if let Asked::Nothing = asked {
            self.no_request += 1;
            return;
        }
        self.requests += 1;
        let refused = line.status.is_some_and(|status| REFUSALS.contains(&status));
        let who = Who {
            client: self.client(line.agent.as_deref()),
            // Whoever is refused may be nobody: logs have the name that was tried.
            user: line.user.as_deref().filter(|_| !refused).map(|user| self.user(user)),
            refused,
        };
        self.by_client.entry(who.client).or_default().add(line);
        if let Some(user) = who.user {
            self.by_user.entry(user).or_default().add(line);
        }
        match asked {
            Asked::Call(found) => {
                let used = self.calls.entry(std::ptr::from_ref(found.row));
                used.or_insert_with(|| Used { found, used: Use::default() }).used.add(line, &who);
            }
            Asked::Session => self.session.add(line, &who),
            Asked::Other | Asked::Nothing => self.other(line, refused),
        }
    }

    fn other(&mut self, line: &Line<'_>, refused: bool) {
        let Some(request) = &line.request else { return };
        self.others += 1;
        let name = place::group(&request.path);
        if !self.groups.contains_key(&name) && self.groups.len() >= GROUPS {
            self.ungrouped += 1;
            return;
        }
        let group = self.groups.entry(name).or_insert_with(|| Group {
            requests: 0,
            refused: 0,
            examples: Counts::up_to(EXAMPLES),
        });
        group.requests += 1;
        group.refused += u64::from(refused);
        group.examples.add(&place::example(&request.method, &request.path, request.query.as_deref()));
    }

    /// Agents come again and again, and telling their program takes a while.
    fn client(&mut self, agent: Option<&str>) -> u32 {
        let Some(agent) = agent else { return self.clients.number("unknown".into()) };
        if let Some(client) = self.agents.get(agent) {
            return *client;
        }
        let client = self.clients.number(Client::of(agent).to_string().into());
        if self.agents.len() >= AGENTS {
            self.agents.clear();
        }
        if agent.len() <= LONGEST_AGENT {
            self.agents.insert(agent.to_owned(), client);
        }
        client
    }

    fn user(&mut self, user: &str) -> u32 {
        let end =
            user.char_indices().map(|(at, _)| at).take_while(|at| *at <= LONGEST_USER).last().unwrap_or(0);
        let user = if user.len() <= LONGEST_USER { user } else { user.get(..end).unwrap_or_default() };
        self.users.number(user.into())
    }
}

struct Who {
    client: u32,
    user: Option<u32>,
    refused: bool,
}

impl Use {
    fn add(&mut self, line: &Line<'_>, who: &Who) {
        self.requests += 1;
        self.refused += u64::from(who.refused);
        self.span.add(line.time);
        *self.statuses.entry(line.status.unwrap_or(0)).or_default() += 1;
        *self.clients.entry(who.client).or_default() += 1;
        if let Some(user) = who.user
            && !self.users.contains(&user)
        {
            if self.users.len() < USERS_OF_CALL {
                self.users.insert(user);
            } else {
                self.more_users = true;
            }
        }
    }
}

impl Seen {
    fn add(&mut self, line: &Line<'_>) {
        self.requests += 1;
        self.span.add(line.time);
    }
}
