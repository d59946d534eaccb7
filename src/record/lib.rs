//! Recordings of HTTP traffic: HAR 1.2 files, made by a recording reverse proxy or by others.
//!
//! | room | what |
//! |---|---|
//! | `exchange` | one call and its answer |
//! | `form/` | multipart forms in parts |
//! | `copy` | what is kept of a body that passes |
//! | `har/` | reading and writing HAR files |
//! | `scrub/` | secrets become names |
//! | `proxy/` | the recording reverse proxy |
//! | `tls` | whom connections to other servers trust |

mod copy;
mod exchange;
mod form;
mod har;
mod proxy;
mod scrub;
mod tls;

pub use exchange::{Answered, Exchange, Payload, Sent};
pub use form::{Content, Form, Part};
pub use har::{At, HarError, Limits, Recording, Writer};
pub use proxy::{Options, ProxyError, Recorded, Recorder, Upstream};
pub use scrub::{Name, Scrubber, is_name, names};
pub use tls::tls_client;
