//! Requests that s3s does not see; [`Direct`] says which, and why.

use std::fmt::Display;

use http::header::AsHeaderName;
use http::{Extensions, HeaderMap, Method};
use s3s::{Body, S3Response, S3Result};

use super::{Ops, archive, copy_object, get_object, list_objects, subresource, upload_part_copy};
use crate::route::Direct;
use crate::{auth, error, headers};

/// Its signature is verified.
#[derive(Clone)]
pub(crate) struct DirectRequest {
    pub(crate) method: Method,
    pub(crate) bucket: String,
    /// Decoded, without the bucket.
    pub(crate) key: String,
    pub(crate) parameters: Vec<(String, String)>,
    pub(crate) headers: HeaderMap,
    pub(crate) extensions: Extensions,
}

impl DirectRequest {
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    /// The one header of that name.
    pub(crate) fn header<N>(&self, name: N) -> S3Result<Option<&str>>
    where
        N: AsHeaderName + Display + Copy,
    {
        headers::text(&self.headers, name)
    }

    fn is_part(&self) -> bool {
        self.parameter("uploadId").is_some()
    }

    /// What is asked for, of what is built.
    fn operation(&self, how: Direct) -> Option<&'static str> {
        Some(match how {
            Direct::Fixed(fixed) => fixed.operation,
            Direct::Copy if self.is_part() => "UploadPartCopy",
            Direct::Copy => "CopyObject",
            Direct::Read if self.method == Method::HEAD => "HeadObject",
            Direct::Read => "GetObject",
            Direct::Unknown | Direct::DirectoryBuckets | Direct::NoLimit => return None,
        })
    }
}

pub(crate) async fn answer(ops: &Ops, how: Direct, mut req: DirectRequest) -> S3Result<S3Response<Body>> {
    auth::admit_direct(&req.headers, req.operation(how), &mut req.extensions)?;
    match how {
        // Boxed: a read is not to carry room for the others.
        Direct::Fixed(fixed) => Box::pin(subresource::answer(ops, req, fixed)).await,
        Direct::Unknown => Err(error::unsupported("this sub-resource of a bucket")),
        Direct::DirectoryBuckets => Err(error::unsupported("listing directory buckets")),
        Direct::NoLimit => Err(list_objects::no_limit(&req.parameters)),
        Direct::Copy if req.is_part() => Box::pin(upload_part_copy::upload_part_copy(ops, req)).await,
        Direct::Copy => Box::pin(copy_object::copy_object(ops, req)).await,
        Direct::Read => {
            let asked = archive::Asked::of(&req);
            match (get_object::get_object(ops, req).await, asked) {
                (Err(refused), Some(asked)) => Box::pin(asked.instead(ops, refused)).await,
                (answer, _) => answer,
            }
        }
    }
}
