//! The WebDAV door through `Protocol::serve`, over a core in memory. Expected values are RFC 4918's,
//! RFC 9110's, or what the named client needs. The sequences of litmus 0.13 are replayed in
//! `basic`, `copy_move`, `props` and `locks`.

#![allow(clippy::unwrap_used, clippy::expect_used)] // helpers of tests, outside of the tests themselves

mod auth;
mod basic;
mod conditions;
mod copy_move;
mod get;
mod hostile;
mod listing;
mod locks;
mod props;
mod support;
