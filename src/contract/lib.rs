//! The contract: every operation of every original protocol, what cellgate does of it, and by which
//! cases that is shown.
//!
//! | room | what |
//! |---|---|
//! | `embedded` | the tables this build carries |
//! | `table` | a table of `fixtures/<protocol>/contract/`, read and checked |
//! | `shape` | the form of the calls of an operation: method, path template, conditions |
//! | `classify` | which operation a request means |
//! | `print` | the tables as text, JSON and Markdown |
//! | `audit` | which calls an access log shows |
//! | `client` | which program sent a request |

pub mod audit;
mod classify;
pub mod client;
mod embedded;
pub mod print;
mod shape;
mod table;

pub use classify::{Call, Contract, Found, Mounts};
pub use embedded::{SOURCES, Source};
pub use shape::{Condition, Method, Segment, Shape};
pub use table::{Case, Edition, Problem, Row, Section, State, Table, Totals};
