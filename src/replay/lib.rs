//! Replay: a recording sent again, to another server, and its answers compared as their client reads
//! them.
//!
//! | room | what |
//! |---|---|
//! | `run` | the calls of a recording in order, each signed in anew |
//! | `auth/` | credentials of each protocol, obtained and applied |
//! | `values` | what stands for what: names of secrets, ids and links of earlier answers, times |
//! | `reader` | what each client reads of an answer |
//! | `compare/` | status, headers, XML, JSON, bodies |
//! | `verdict` | same, compatible, different, unsupported |
//! | `report/` | terminal, JSON, HTML |

mod verdict;

pub use verdict::{Finding, Judgement, Verdict, Weight};
