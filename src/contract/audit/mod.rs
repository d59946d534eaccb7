//! What an access log says about the calls its clients need.
//!
//! | room | what |
//! |---|---|
//! | `lines` | lines of a file, also of a compressed one |
//! | `format` | which format a line is in; `nginx`, `apache`, `caddy`, `pattern` read them |
//! | `line` | method, path, status, agent, user and time of a line; `when` reads the time |
//! | `asked` | where a request goes, by prefix and mounts |
//! | `tally` | counts by call, client, user and group; `bounded` keeps them small |
//! | `place` | what may be shown of a request that is no call |
//! | `report` | the outcome, as JSON too; `text` prints it |
//!
//! Memory does not grow with the log. Names that a log brings (agents, users, first segments) have a
//! limit, and what is beyond it is counted together.
//!
//! Known gaps: a log shows no bodies and hardly any headers. What only a form or a header tells apart
//! is counted as the call without it: an S3 copy as a PUT. Where syslog writes its words in front of
//! a line, users are not known.

mod apache;
mod asked;
mod bounded;
mod caddy;
mod format;
mod line;
mod lines;
mod nginx;
mod pattern;
mod place;
mod report;
mod tally;
#[cfg(test)]
mod tests;
mod text;
mod when;

use std::io::{self, Read};

pub use format::{Format, Server};
pub use pattern::Unusable;
pub use report::Report;

use asked::{Asked, Places};
use lines::Lines;
use tally::Tally;

use crate::Contract;

/// After so many lines of which none could be read, the rest will not be either.
const PATIENCE: u64 = 10_000;

/// What to read and how.
pub struct Options {
    /// Tried in this order.
    pub formats: Vec<Format>,
    /// Where the old server was, as `/pydio`; empty for the root.
    pub prefix: String,
    /// Where it served WebDAV; empty for the usual places.
    pub dav: Vec<String>,
    /// Seconds since 1970, both ends; the later one is not counted.
    pub since: Option<i64>,
    pub until: Option<i64>,
}

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    #[error("`{name}`: {error}")]
    Read { name: String, error: io::Error },
    #[error(
        "`{name}`: none of {lines} lines is in a format that was tried: {tried}; \
         `--nginx-format` or `--apache-format` tell another one"
    )]
    NoFormat { name: String, lines: u64, tried: String },
    #[error("the format has no time that can be read, so there is no since or until")]
    Timeless,
}

/// Reads logs against a contract.
pub struct Audit<'c> {
    options: Options,
    places: Places,
    contract: &'c Contract,
    tally: Tally<'c>,
}

impl<'c> Audit<'c> {
    pub fn new(contract: &'c Contract, options: Options) -> Result<Self, Failure> {
        let ranged = options.since.is_some() || options.until.is_some();
        if ranged && !options.formats.iter().all(Format::timed) {
            return Err(Failure::Timeless);
        }
        let places = Places::new(&options.prefix, &options.dav);
        let tally = Tally::new(options.formats.iter().map(|format| format.name).collect());
        Ok(Self { options, places, contract, tally })
    }

    /// Reads one log to its end. Its lines count even if it fails later on.
    pub fn read(&mut self, name: &str, log: impl Read) -> Result<(), Failure> {
        let failed = |error| Failure::Read { name: name.to_owned(), error };
        let mut lines = Lines::of(log).map_err(failed)?;
        let (mut number, mut readable) = (0, 0_u64);
        while let Some(line) = lines.next().map_err(failed)? {
            number += 1;
            // Editors and shells leave empty lines.
            if line.is_empty() {
                continue;
            }
            if self.line(line) {
                readable += 1;
            } else {
                self.tally.unreadable(name, number);
                if readable == 0 && number >= PATIENCE {
                    break;
                }
            }
        }
        self.tally.file(name, number);
        if readable == 0 && number > 0 {
            let tried: Vec<&str> = self.options.formats.iter().map(|format| format.name).collect();
            return Err(Failure::NoFormat { name: name.to_owned(), lines: number, tried: tried.join(", ") });
        }
        Ok(())
    }

    /// Whether the line could be read.
    fn line(&mut self, raw: &[u8]) -> bool {
        let formats = self.options.formats.iter().enumerate();
        let Some((at, read)) =
            formats.into_iter().find_map(|(at, format)| format.read(raw).map(|read| (at, read)))
        else {
            return false;
        };
        self.tally.format(at);
        let line = match read {
            format::Read::Access(line) => line,
            format::Read::OtherLog => {
                self.tally.other_log();
                return true;
            }
        };
        let outside = |time: i64| {
            self.options.since.is_some_and(|since| time < since)
                || self.options.until.is_some_and(|until| time >= until)
        };
        let ranged = self.options.since.is_some() || self.options.until.is_some();
        if line.time.map_or(ranged, outside) {
            self.tally.outside();
            return true;
        }
        let asked = match &line.request {
            Some(request) => self.places.asked(self.contract, request),
            None => Asked::Nothing,
        };
        self.tally.count(&line, asked);
        true
    }

    pub fn report(self) -> Report {
        Report::of(self.tally)
    }
}

/// Reads a bound of the time that a user gives, as `2024-06-30`.
pub fn since(text: &str) -> Result<i64, String> {
    when::bound(text, false)
}

/// As [`since`]; a day is meant whole.
pub fn until(text: &str) -> Result<i64, String> {
    when::bound(text, true)
}
