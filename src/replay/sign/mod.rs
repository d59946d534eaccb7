//! S3 requests, signed again: the recorded signature was made at another time, for another host, with
//! another key.
//!
//! | room | what |
//! |---|---|
//! | `claim` | how a recorded request is signed, by whom and when |
//! | `moment` | the time that the new signature tells |
//! | `v4`, `v2` | the two signatures, each in a header or in the query |
//! | `frames` | `aws-chunked` bodies, their chunks signed or not |
//! | `query` | parameters of a target, changed one by one |
//!
//! Known gaps: POST forms with a signed policy; V2 with the bucket in the host name.

mod claim;
mod frames;
mod moment;
mod query;
mod v2;
mod v4;

use time::OffsetDateTime;

pub use self::claim::{Claim, Form};
pub use self::frames::{Frames, frames_of};
pub use self::moment::moment;
pub use self::query::{Query, encode};
use crate::send::Request;

/// An access key and its secret.
#[derive(Clone)]
pub struct Key {
    pub id: String,
    pub secret: String,
}

/// Signs a request in the way it was signed, whose recorded credentials are still in it.
pub fn sign(request: &mut Request, claim: &Claim, key: &Key, at: OffsetDateTime) -> Result<(), String> {
    match claim.form {
        Form::V4Header => v4::header(request, key, at),
        Form::V4Query => v4::query(request, key, at),
        Form::V2Header => v2::header(request, key, at),
        Form::V2Query => v2::query(request, key, at),
    }
}
