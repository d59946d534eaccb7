//! What "now" was while recording, and what it is while replaying.

use cellgate_record::Exchange;
use time::{Duration, OffsetDateTime};

use super::time::{Form, Written, Zone};

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
        let to = exchanges.iter().filter_map(ended).max().unwrap_or(now);
        Self { recorded: (from, to), fresh_from: now, fresh_to: None, slack: SLACK }
    }

    /// Of two spans that are over.
    pub fn of(recorded: (OffsetDateTime, OffsetDateTime), fresh: (OffsetDateTime, OffsetDateTime)) -> Self {
        Self { recorded, fresh_from: fresh.0, fresh_to: Some(fresh.1), slack: SLACK }
    }

    pub(crate) fn now(&self) -> OffsetDateTime {
        self.fresh_to.unwrap_or_else(OffsetDateTime::now_utc)
    }

    fn was_now(&self, time: OffsetDateTime) -> bool {
        time - self.recorded.0 >= -self.slack && time - self.recorded.1 <= self.slack
    }

    fn is_now(&self, time: OffsetDateTime) -> bool {
        time - self.fresh_from >= -self.slack && time - self.now() <= self.slack
    }

    /// Compares two times of a call that was recorded at `at`.
    pub(crate) fn compare(&self, at: OffsetDateTime, recorded: &Written, fresh: &Written) -> Times {
        let written_alike = written_alike(recorded.form, fresh.form);
        let instants = if recorded.form == Form::Today && fresh.form == Form::Today {
            true
        } else if recorded.form == Form::Date {
            recorded.instant == fresh.instant
                || (self.was_today(recorded.instant) && self.is_today(fresh.instant))
        } else if self.was_now(recorded.instant) {
            // A fraction tells that the very same instant cannot be chance, which it may be for the others.
            self.is_now(fresh.instant) || recorded.instant == fresh.instant
        } else {
            let whole = |time: &Written| time.instant.unix_timestamp();
            let alike = recorded.instant == fresh.instant
                || (recorded.fraction != fresh.fraction && whole(recorded) == whole(fresh));
            // An expiry lies as far ahead as the recorded one did.
            let ahead = recorded.instant > self.recorded.1
                && ((recorded.instant - at) - (fresh.instant - self.now())).abs() <= self.slack;
            alike || ahead
        };
        match (instants, written_alike) {
            (true, true) if (recorded.fraction == 0) == (fresh.fraction == 0) => Times::Alike,
            (true, true) => Times::Finer,
            (true, false) => Times::OtherForm,
            (false, _) if self.was_now(recorded.instant) => Times::NotNow,
            (false, _) => Times::Apart,
        }
    }

    fn was_today(&self, noon: OffsetDateTime) -> bool {
        noon - self.recorded.0 >= -Duration::hours(13) && noon - self.recorded.1 <= Duration::hours(13)
    }

    fn is_today(&self, noon: OffsetDateTime) -> bool {
        noon - self.fresh_from >= -Duration::hours(13) && noon - self.now() <= Duration::hours(13)
    }
}

/// How two times compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Times {
    Alike,
    /// Alike but for digits after the second.
    Finer,
    /// The same, written otherwise.
    OtherForm,
    /// The recorded one was the time of its recording, the fresh one is not that of the replay.
    NotNow,
    /// The recorded one is data, and the fresh one is another.
    Apart,
}

fn written_alike(recorded: Form, fresh: Form) -> bool {
    match (recorded, fresh) {
        (Form::Iso { blank: a, zone: x }, Form::Iso { blank: b, zone: y }) => {
            a == b && (x == y || (x == Zone::None && y == Zone::None))
        }
        _ => recorded == fresh,
    }
}

fn ended(exchange: &Exchange) -> Option<OffsetDateTime> {
    exchange.started.checked_add(Duration::try_from(exchange.took).ok()?)
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::super::time::parse;
    use super::*;

    fn clock() -> Clock {
        Clock::of(
            (datetime!(2026-01-02 03:00:00 UTC), datetime!(2026-01-02 03:10:00 UTC)),
            (datetime!(2027-05-05 10:00:00 UTC), datetime!(2027-05-05 10:01:00 UTC)),
        )
    }

    fn times(recorded: &str, fresh: &str) -> Option<Times> {
        let at = datetime!(2026-01-02 03:00:00 UTC);
        Some(clock().compare(at, &parse(recorded, at)?, &parse(fresh, at)?))
    }

    #[test]
    fn now_for_now_and_data_for_data() {
        for (recorded, fresh, expected) in [
            ("2026-01-02T03:05:00Z", "2027-05-05T10:00:30Z", Times::Alike),
            ("2026-01-02T03:14:00Z", "2027-05-05T09:56:00Z", Times::Alike),
            ("2026-01-02T03:05:00Z", "2027-05-05T12:00:00Z", Times::NotNow),
            ("2026-01-02T03:05:00Z", "1970-01-01T00:00:00Z", Times::NotNow),
            ("2026-01-02T03:05:00Z", "2027-05-05T10:00:30+00:00", Times::OtherForm),
            ("2026-01-02T03:05:00Z", "2027-05-05T10:00:30.123Z", Times::Finer),
            ("2026-01-02T03:05:00.5Z", "2027-05-05T10:00:30.123Z", Times::Alike),
            ("2020-01-02T03:05:00Z", "2020-01-02T03:05:00Z", Times::Alike),
            ("2020-01-02T03:05:00Z", "2020-01-02T04:05:00+01:00", Times::OtherForm),
            ("2020-01-02T03:05:00Z", "2020-01-02T03:05:00.700Z", Times::Finer),
            ("2020-01-02T03:05:00Z", "2027-05-05T10:00:30Z", Times::Apart),
            ("2020-01-02T03:05:00Z", "2020-01-02T03:05:01Z", Times::Apart),
            // a day ahead, and a day ahead of the replay
            ("2026-01-03T03:00:00Z", "2027-05-06T10:01:30Z", Times::Alike),
            ("2026-01-03T03:00:00Z", "2027-05-07T10:01:30Z", Times::Apart),
            ("1767323100", "1809511230", Times::Alike),
            ("1767323100", "1809511230000", Times::OtherForm),
            ("2026-01-02", "2027-05-05", Times::Alike),
            ("2026-01-01", "2027-05-05", Times::Apart),
            ("today at 03:05", "today at 12:01", Times::Alike),
            ("Fri, 02 Jan 2026 03:05:00 GMT", "Wed, 05 May 2027 10:00:30 GMT", Times::Alike),
            ("Fri, 02 Jan 2026 03:05:00 GMT", "Wed, 05 May 2027 14:00:30 GMT", Times::NotNow),
        ] {
            assert_eq!(times(recorded, fresh), Some(expected), "{recorded} {fresh}");
        }
    }
}
