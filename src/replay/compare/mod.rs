//! A recorded answer and a fresh one, compared the way the client reads them.
//!
//! | room | what |
//! |---|---|
//! | `status` | the status, and answers that say "not supported" |
//! | `headers` | those that say something |
//! | `body` | which comparison a body gets: XML, JSON, lines, bytes |
//! | `xml`, `multistatus`, `json` | by structure |
//! | `siblings` | which entry of one list is which of the other |
//! | `scalar` | two values at one place: equal, standing for each other, or different |
//! | `words` | the same of longer texts, word by word |
//! | `kind`, `time`, `clock`, `digest` | what made-up words, times and digests look like |
//!
//! Known gaps: pages for people (HTML) are compared by their type alone; compressed archives that a server
//! packs on the fly by their length.

mod body;
mod clock;
mod digest;
mod findings;
mod headers;
mod json;
mod kind;
mod multistatus;
mod scalar;
mod siblings;
mod status;
mod time;
mod tree;
mod words;
mod xml;

pub use clock::Clock;

use ::time::OffsetDateTime;
use cellgate_record::{Answered, Exchange};

use crate::reader::Field;
use crate::{Finding, Judgement, Reader, Values, Weight};
use findings::Findings;
use scalar::Alike;

/// Compares the recorded answer of `exchange` with `fresh`, binding in `values` what stands for what.
///
/// Values that a request needs must be in `values` before it is sent, so answers are judged in their order.
pub fn judge(
    exchange: &Exchange,
    fresh: &Answered,
    reader: &Reader,
    values: &mut Values,
    clock: &Clock,
) -> Judgement {
    for digests in digest::of(&exchange.request) {
        values.add_digests(digests);
    }
    for sent in times_sent(exchange) {
        values.add_time(sent);
    }
    let mut comparison = Comparison {
        reader,
        values,
        clock,
        at: exchange.started,
        resource: exchange.request.path(),
        findings: Findings::default(),
    };
    let (request, recorded) = (&exchange.request, &exchange.response);
    let unsupported = status::unsupported(request, recorded, fresh, reader.protocol());
    if status::compare(&mut comparison, request, recorded, fresh) {
        headers::compare(&mut comparison, request, recorded, fresh);
        body::compare(&mut comparison, request, recorded, fresh);
    }
    comparison.findings.judgement(unsupported)
}

/// Documents in which a client sets times are short.
const TIMES_WITHIN: usize = 64 * 1024;

/// Times in the document that a request carries, such as the properties that Explorer sets.
fn times_sent(exchange: &Exchange) -> Vec<OffsetDateTime> {
    let body = exchange.request.body.bytes().filter(|body| body.len() <= TIMES_WITHIN);
    let text = body.and_then(|body| std::str::from_utf8(body).ok()).unwrap_or_default();
    let times =
        text.split(['<', '>', '"', '&', '=', '\n']).filter_map(|text| time::parse(text, exchange.started));
    times.filter(|time| time.form != time::Form::Today).map(|time| time.instant).collect()
}

/// One comparison under way.
struct Comparison<'a> {
    reader: &'a Reader,
    values: &'a mut Values,
    clock: &'a Clock,
    /// When the call was recorded.
    at: OffsetDateTime,
    /// The recorded path: versions are of it.
    resource: &'a str,
    findings: Findings,
}

const UNREAD: &str = "this client does not read it";

impl Comparison<'_> {
    /// Compares two values and notes what differs; `read`: the client looks at this place.
    fn leaf(&mut self, field: Field<'_>, place: &str, recorded: &str, fresh: &str, read: bool) {
        let (weight, why) = match self.scalar(field, place, recorded, fresh) {
            Alike::Same => return,
            Alike::Compatible(why) => (Weight::Compatible, Some(why.to_owned())),
            Alike::Different(_) if !read => (Weight::Compatible, Some(UNREAD.to_owned())),
            Alike::Different(why) => (Weight::Different, why),
        };
        let (recorded, fresh) = (self.show(field.name, recorded), self.show(field.name, fresh));
        self.note(weight, place, Some(&recorded), Some(&fresh), why.as_deref());
    }

    /// Notes something that is on one side only.
    fn absent(
        &mut self,
        field: Field<'_>,
        place: &str,
        recorded: Option<&str>,
        fresh: Option<&str>,
        weight: Weight,
    ) {
        let why = match (recorded, weight) {
            (Some(_), Weight::Compatible) => Some(UNREAD),
            (Some(_), Weight::Different) => Some("missing"),
            (None, _) => Some("additional"),
        };
        let (recorded, fresh) =
            (recorded.map(|text| self.show(field.name, text)), fresh.map(|text| self.show(field.name, text)));
        self.note(weight, place, recorded.as_deref(), fresh.as_deref(), why);
    }

    fn note(
        &mut self,
        weight: Weight,
        place: &str,
        recorded: Option<&str>,
        fresh: Option<&str>,
        why: Option<&str>,
    ) {
        let own = |text: &str| text.to_owned();
        let masked = |text: &str| self.values.mask(text).into_owned();
        self.findings.add(Finding {
            weight,
            place: masked(place),
            recorded: recorded.map(own),
            fresh: fresh.map(masked),
            why: why.map(masked),
        });
    }

    /// A value as reports may show it.
    fn show(&self, name: &str, text: &str) -> String {
        let text = self.values.mask(text);
        let secret = is_secret(name) && !text.is_empty() && cellgate_record::names(&text).next().is_none();
        let token = kind::kind(&text) == Some(kind::Kind::Jwt);
        if secret || token { "(a secret)".to_owned() } else { text.into_owned() }
    }
}

/// By the name of its field: what is no secret there is not worth much either.
fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let known = [
        "password",
        "passwd",
        "secret",
        "jwt",
        "cookie",
        "authorization",
        "signature",
        "api_key",
        "apikey",
        "secure_token",
        "access_token",
        "refresh_token",
        "id_token",
        "accesstoken",
        "idtoken",
        "refreshtoken",
        "auth_token",
    ];
    name == "token" || known.iter().any(|word| name.contains(word))
}

#[cfg(test)]
mod tests;
