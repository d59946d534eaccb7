//! What "now" was while recording, and what it is while replaying.

use cellgate_record::Exchange;
use time::{Duration, OffsetDateTime};

/// The two spans in which a time counts as "now".
#[derive(Debug, Clone)]
pub struct Clock {
    recorded: (OffsetDateTime, OffsetDateTime),
    fresh_from: OffsetDateTime,
    /// `None`: it is still running.
    fresh_to: Option<OffsetDateTime>,
    slack: Duration,
}

/// Clocks of two machines rarely differ by more; expiries and the like are longer.
const SLACK: Duration = Duration::minutes(5);

impl Clock {
    /// At the start of a replay of these.
    pub fn start(exchanges: &[Exchange]) -> Self {
        let now = OffsetDateTime::now_utc();
        let from = exchanges.iter().map(|one| one.started).min().unwrap_or(now);
        let to = exchanges.iter().map(|one| one.started + one.took).max().unwrap_or(now);
        Self { recorded: (from, to), fresh_from: now, fresh_to: None, slack: SLACK }
    }

    /// Whether a recorded time is from the time of the recording.
    pub fn was_now(&self, time: OffsetDateTime) -> bool {
        time >= self.recorded.0 - self.slack && time <= self.recorded.1 + self.slack
    }

    /// Whether a fresh time is from the time of the replay.
    pub fn is_now(&self, time: OffsetDateTime) -> bool {
        let to = self.fresh_to.unwrap_or_else(OffsetDateTime::now_utc);
        time >= self.fresh_from - self.slack && time <= to + self.slack
    }
}
