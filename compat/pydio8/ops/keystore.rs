//! `keystore_generate_auth_token`: token pairs for signed requests, which are not built.
//!
//! The protocol has a way to say so that every client understands: an empty answer means "no tokens
//! here", and they send Basic from then on.

use bytes::Bytes;
use cellgate_core::http::Response;

use crate::render::{TEXT, ok};

pub fn keystore_generate_auth_token() -> Response {
    ok(TEXT, Bytes::new())
}
