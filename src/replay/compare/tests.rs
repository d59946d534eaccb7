//! Pairs of answers through `judge`, as the run calls it.

mod bodies;
mod generated;
mod headers;
mod json;
mod values;
mod xml;

use bytes::Bytes;
use cellgate_record::{Answered, Exchange, Payload, Sent};
use time::macros::datetime;

use super::{Clock, judge};
use crate::{Judgement, Reader, Values, Verdict, Weight};

/// A replay under way, of one client.
struct Replay {
    reader: &'static Reader,
    values: Values,
    clock: Clock,
    method: &'static str,
    target: &'static str,
}

fn replay(agent: &str, protocol: &str) -> Replay {
    let mut values = Values::default();
    values.set_origin("https://old.example.com", "http://127.0.0.1:8080");
    Replay {
        reader: Reader::of(Some(agent), Some(protocol)),
        values,
        clock: Clock::of(
            (datetime!(2026-01-02 03:00:00 UTC), datetime!(2026-01-02 03:10:00 UTC)),
            (datetime!(2027-05-05 10:00:00 UTC), datetime!(2027-05-05 10:01:00 UTC)),
        ),
        method: "GET",
        target: "/x",
    }
}

/// Nobody that is known: reads strictly.
fn strict(protocol: &str) -> Replay {
    replay("script/1.0", protocol)
}

impl Replay {
    fn call(mut self, method: &'static str, target: &'static str) -> Self {
        (self.method, self.target) = (method, target);
        self
    }

    fn judge(&mut self, recorded: &Answered, fresh: &Answered) -> Judgement {
        self.judge_sent(&[], "", recorded, fresh)
    }

    fn judge_sent(
        &mut self,
        headers: &[(&str, &str)],
        body: &str,
        recorded: &Answered,
        fresh: &Answered,
    ) -> Judgement {
        let exchange = Exchange {
            number: 1,
            started: datetime!(2026-01-02 03:00:00 UTC),
            took: std::time::Duration::from_millis(20),
            request: Sent {
                method: self.method.into(),
                origin: "https://old.example.com".into(),
                target: self.target.into(),
                headers: owned(headers),
                body: Payload::Bytes(Bytes::copy_from_slice(body.as_bytes())),
            },
            response: recorded.clone(),
            comment: None,
        };
        judge(&exchange, fresh, self.reader, &mut self.values, &self.clock)
    }

    fn xml(&mut self, recorded: &str, fresh: &str) -> Judgement {
        self.judge(&xml(recorded), &xml(fresh))
    }

    fn json(&mut self, recorded: &str, fresh: &str) -> Judgement {
        self.judge(&json(recorded), &json(fresh))
    }
}

fn owned(headers: &[(&str, &str)]) -> Vec<(String, String)> {
    headers.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect()
}

fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> Answered {
    Answered {
        status,
        headers: owned(headers),
        body: Payload::Bytes(Bytes::copy_from_slice(body.as_bytes())),
    }
}

fn xml(body: &str) -> Answered {
    answer(200, &[("Content-Type", "text/xml; charset=UTF-8")], body)
}

fn json(body: &str) -> Answered {
    answer(200, &[("Content-Type", "application/json")], body)
}

/// Places of the findings of a weight.
fn places(judgement: &Judgement, weight: Weight) -> Vec<&str> {
    judgement.findings.iter().filter(|one| one.weight == weight).map(|one| one.place.as_str()).collect()
}

#[track_caller]
fn same(judgement: &Judgement) {
    assert_eq!(judgement.verdict, Verdict::Same, "{:#?}", judgement.findings);
    assert!(judgement.findings.is_empty());
}

#[track_caller]
fn compatible(judgement: &Judgement, at: &[&str]) {
    assert_eq!(judgement.verdict, Verdict::Compatible, "{:#?}", judgement.findings);
    assert_eq!(places(judgement, Weight::Compatible), at, "{:#?}", judgement.findings);
}

#[track_caller]
fn different(judgement: &Judgement, at: &[&str]) {
    assert_eq!(judgement.verdict, Verdict::Different, "{:#?}", judgement.findings);
    assert_eq!(places(judgement, Weight::Different), at, "{:#?}", judgement.findings);
}

/// The reason of the only finding.
#[track_caller]
fn why(judgement: &Judgement) -> &str {
    assert_eq!(judgement.findings.len(), 1, "{:#?}", judgement.findings);
    judgement.findings.first().and_then(|finding| finding.why.as_deref()).unwrap_or_default()
}
