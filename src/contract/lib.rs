//! The contract: every operation of every original protocol, what cellgate does of it, and by which
//! cases that is shown.
//!
//! | room | what |
//! |---|---|
//! | `table` | the tables of `fixtures/<protocol>/contract/`, read and checked |
//! | `shape` | the form of the calls of an operation: method, path template, parameters |
//! | `classify` | which operation a request means |
