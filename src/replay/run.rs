//! The calls of a recording, sent in the order they started, each compared with its recorded answer.
//!
//! One after another, also where the client had several under way: what one of them needs has been
//! answered then.

mod body;
mod digests;
mod prepare;
mod replaced;
mod select;

use std::time::Instant;

use cellgate_record::{Answered, Exchange, Payload};
use time::OffsetDateTime;

use crate::auth::{Accounts, Auth, Users};
use crate::send::{Authorities, Client, Origin, SendError};
use crate::{CallOutcome, Clock, Finding, Judgement, Outcome, Reader, Values, Verdict, Weight, judge};
use replaced::Replaced;
use select::{Selected, Selection, select};

/// Of an answer whose recorded body is there to compare with.
const KEEP: u64 = 64 << 20;
/// Of one whose recorded body is not: enough for what an error says.
const KEEP_LITTLE: u64 = 1 << 20;
/// So often in a row without a connection, the target has gone.
const FAILURES_MAX: usize = 3;

pub struct Options {
    pub against: Origin,
    pub authorities: Authorities,
    pub accounts: Accounts,
    /// Calls of this client only: a part of its agent or of its name in the report.
    pub client: Option<String>,
}

/// How far a replay is.
#[derive(Debug, Clone, Copy)]
pub struct Progress<'a> {
    /// Calls that are done, before the one that is told of.
    pub done: usize,
    pub total: usize,
    pub method: &'a str,
    pub target: &'a str,
}

#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    #[error("the recording holds no call to replay{0}")]
    NothingToSend(String),
    #[error("{0}")]
    Target(String),
}

/// The users of the target whose passwords a replay of these will need; `None` if nobody signs in.
pub fn users_needed(
    exchanges: &[Exchange],
    users: &Users,
    has_key: bool,
    client: Option<&str>,
) -> Option<Vec<String>> {
    let selection = select(exchanges, client);
    let calls: Vec<&Exchange> = selection.calls.iter().map(|call| call.exchange).collect();
    crate::auth::users_needed(&calls, users, has_key)
}

/// Replays a recording that is called `name`.
pub async fn replay(
    name: &str,
    exchanges: &[Exchange],
    options: &Options,
    mut progress: impl FnMut(Progress<'_>),
) -> Result<Outcome, ReplayError> {
    let selection = select(exchanges, options.client.as_deref());
    if selection.calls.is_empty() {
        return Err(ReplayError::NothingToSend(left_out(&selection)));
    }
    let mut client =
        Client::new(options.against.clone(), &options.authorities).map_err(ReplayError::Target)?;
    client.greet().await.map_err(|error| ReplayError::Target(error.to_string()))?;

    let mut run = Run::new(&selection, exchanges, options, client);
    let mut calls = Vec::with_capacity(selection.calls.len());
    for (done, call) in selection.calls.iter().enumerate() {
        let sent = &call.exchange.request;
        let total = selection.calls.len();
        progress(Progress { done, total, method: &sent.method, target: &sent.target });
        calls.push(run.call(call).await);
    }
    Ok(Outcome {
        file: name.to_owned(),
        against: options.against.to_string(),
        started: run.started,
        calls,
        skipped: selection.skipped,
    })
}

fn left_out(selection: &Selection<'_>) -> String {
    match selection.skipped.as_slice() {
        [] => String::new(),
        [(number, reason), rest @ ..] => {
            let more = if rest.is_empty() { String::new() } else { format!(", and {} more", rest.len()) };
            format!(": entry {number} is {reason}{more}")
        }
    }
}

struct Run {
    client: Client,
    auth: Auth,
    values: Values,
    clock: Clock,
    replaced: Replaced,
    /// Hosts by which the recording calls its server.
    hosts: Vec<String>,
    started: OffsetDateTime,
    failures: usize,
}

impl Run {
    fn new(selection: &Selection<'_>, exchanges: &[Exchange], options: &Options, client: Client) -> Self {
        let mut values = Values::default();
        for origin in &selection.origins {
            values.set_origin(origin, &options.against.to_string());
        }
        let calls: Vec<&Exchange> = selection.calls.iter().map(|call| call.exchange).collect();
        let host = |origin: &String| origin.split_once("://").map(|(_, host)| host.to_owned());
        Self {
            auth: Auth::new(&calls, options.accounts.clone(), &mut values),
            client,
            values,
            clock: Clock::start(exchanges),
            replaced: Replaced::default(),
            hosts: selection.origins.iter().filter_map(host).collect(),
            started: OffsetDateTime::now_utc(),
            failures: 0,
        }
    }

    async fn call(&mut self, call: &Selected<'_>) -> CallOutcome {
        let begun = Instant::now();
        let (answer, judgement) = match self.send(call).await {
            Ok((answer, remark)) => {
                let judgement = self.judge(call, &answer, remark);
                (Some(answer), judgement)
            }
            Err(finding) => (None, Judgement { verdict: Verdict::Different, findings: vec![finding] }),
        };
        let (sent, recorded) = (&call.exchange.request, &call.exchange.response);
        let agent = sent.header("user-agent");
        CallOutcome {
            number: call.exchange.number,
            client: Reader::of(agent, call.protocol).label(agent),
            protocol: call.protocol.map(str::to_owned),
            operation: call.operation.map(str::to_owned),
            method: sent.method.clone(),
            target: sent.target.clone(),
            recorded_status: recorded.status,
            fresh_status: answer.map(|answer| answer.status),
            verdict: judgement.verdict,
            findings: judgement.findings,
            ms: u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX),
        }
    }

    /// The answer to a call, and what has to be said of how it was sent.
    async fn send(&mut self, call: &Selected<'_>) -> Result<(Answered, Option<Finding>), Finding> {
        if self.failures >= FAILURES_MAX {
            return Err(not_sent("the target has gone".into()));
        }
        let hosts = &self.hosts;
        let ours = |host: &str| hosts.iter().any(|known| known.eq_ignore_ascii_case(host));
        let prepared = prepare::prepare(call, ours, &mut self.auth, &mut self.values, &mut self.client).await;
        let (request, remark) = prepared.map_err(not_sent)?;
        self.replaced.add(&call.exchange.request, &request.body);
        let keep = match &call.exchange.response.body {
            Payload::Bytes(_) => KEEP,
            Payload::Omitted { .. } | Payload::Form(_) => KEEP_LITTLE,
        };
        let answer = self.client.send(&request, keep).await;
        self.failures = if matches!(answer, Err(SendError::Connect { .. })) { self.failures + 1 } else { 0 };
        match answer {
            Ok(answer) => Ok((answer, remark)),
            Err(error @ SendError::Unsendable(_)) => Err(not_sent(error.to_string())),
            Err(error) => Err(finding("answer", error.to_string())),
        }
    }

    fn judge(&mut self, call: &Selected<'_>, answer: &Answered, remark: Option<Finding>) -> Judgement {
        let exchange = call.exchange;
        self.auth.learn(exchange, answer, &mut self.values);
        self.replaced.bind(&exchange.response, answer, &mut self.values);
        let reader = Reader::of(exchange.request.header("user-agent"), call.protocol);
        let mut judgement = judge(exchange, answer, reader, &mut self.values, &self.clock);
        if let Some(remark) = remark {
            if judgement.verdict == Verdict::Same {
                judgement.verdict = Verdict::Compatible;
            }
            judgement.findings.push(remark);
        }
        judgement
    }
}

fn not_sent(why: String) -> Finding {
    finding("request", format!("not sent: {why}"))
}

fn finding(place: &str, what: String) -> Finding {
    Finding { weight: Weight::Different, place: place.into(), recorded: None, fresh: Some(what), why: None }
}

#[cfg(test)]
mod tests;
