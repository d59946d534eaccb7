//! What a whole replay came to.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::{Finding, Verdict};

#[derive(Debug, Clone, Serialize)]
pub struct Outcome {
    /// The recording, as it was named.
    pub file: String,
    /// The target's origin.
    pub against: String,
    #[serde(serialize_with = "rfc3339")]
    pub started: OffsetDateTime,
    pub calls: Vec<CallOutcome>,
    /// Entries that were not sent, by number, and why.
    pub skipped: Vec<(usize, String)>,
}

#[derive(Debug, Clone, Serialize)]
pub struct CallOutcome {
    /// The entry's place in its file, from 1.
    pub number: usize,
    /// `rclone/v1.60 (WebDAV)`.
    pub client: String,
    pub protocol: Option<String>,
    pub operation: Option<String>,
    pub method: String,
    pub target: String,
    pub recorded_status: u16,
    /// `None` where no answer came.
    pub fresh_status: Option<u16>,
    pub verdict: Verdict,
    pub findings: Vec<Finding>,
    pub ms: u64,
}

fn rfc3339<S: Serializer>(time: &OffsetDateTime, out: S) -> Result<S::Ok, S::Error> {
    out.serialize_str(&time.format(&Rfc3339).map_err(serde::ser::Error::custom)?)
}

/// How many calls came to which verdict.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Totals {
    pub calls: usize,
    pub same: usize,
    pub compatible: usize,
    pub different: usize,
    pub unsupported: usize,
}

impl Totals {
    fn add(&mut self, verdict: Verdict) {
        self.calls += 1;
        *match verdict {
            Verdict::Same => &mut self.same,
            Verdict::Compatible => &mut self.compatible,
            Verdict::Different => &mut self.different,
            Verdict::Unsupported => &mut self.unsupported,
        } += 1;
    }

    /// Whether every client would do as well as before.
    pub fn good(&self) -> bool {
        self.different == 0 && self.unsupported == 0
    }
}

impl Outcome {
    pub fn totals(&self) -> Totals {
        let mut totals = Totals::default();
        self.calls.iter().for_each(|call| totals.add(call.verdict));
        totals
    }

    /// By client, in alphabetical order.
    pub fn by_client(&self) -> BTreeMap<&str, Totals> {
        let mut clients: BTreeMap<&str, Totals> = BTreeMap::new();
        for call in &self.calls {
            clients.entry(&call.client).or_default().add(call.verdict);
        }
        clients
    }
}
