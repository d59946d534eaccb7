//! Retention and legal hold: no bucket has object lock, and that is the answer Amazon gives then.

use s3s::{S3Response, S3Result};

use super::Ops;
use crate::headers;

/// The answer to all four, for who may know of the bucket.
pub(crate) async fn refuse<T>(
    ops: &Ops,
    extensions: &http::Extensions,
    bucket: &str,
) -> S3Result<S3Response<T>> {
    ops.open(extensions, bucket).await?;
    Err(headers::no_object_lock())
}
