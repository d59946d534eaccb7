//! Replay: a recording sent again, to another server, and its answers compared as their client reads
//! them.
//!
//! | room | what |
//! |---|---|
//! | `run` | the calls of a recording in order, each signed in anew |
//! | `relocate` | a recording of a server that had a protocol at another path |
//! | `auth/` | credentials of each protocol, obtained and applied |
//! | `send` | the HTTP client, and what it sends |
//! | `sign/` | S3 requests, signed again |
//! | `values` | what stands for what: names of secrets, ids and links of earlier answers, times |
//! | `reader` | what each client reads of an answer |
//! | `compare/` | status, headers, XML, JSON, bodies |
//! | `outcome` | what a whole replay came to |
//! | `verdict` | same, compatible, different, unsupported |
//! | `report/` | terminal, JSON, HTML |

mod auth;
mod compare;
mod outcome;
mod reader;
mod relocate;
pub mod report;
mod run;
mod send;
mod sign;
#[cfg(test)]
mod testing;
mod values;
mod verdict;

pub use auth::{Accounts, Passwords, Users, parse_key};
pub use compare::{Clock, judge};
pub use outcome::{CallOutcome, Outcome, Totals};
pub use reader::Reader;
pub use relocate::Relocation;
pub use run::{Options, Progress, ReplayError, replay, users_needed};
pub use send::{Authorities, Origin};
pub use sign::Key;
pub use values::Values;
pub use verdict::{Finding, Judgement, Verdict, Weight};
