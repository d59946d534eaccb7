//! Recordings of HTTP traffic: HAR 1.2 files, made by a recording reverse proxy or by others.
//!
//! | room | what |
//! |---|---|
//! | `exchange` | one call and its answer |
//! | `har/` | reading and writing HAR files |
//! | `scrub/` | secrets become names |
//! | `proxy` | the recording reverse proxy |

mod exchange;

pub use exchange::{Answered, Exchange, Payload, Sent};
