//! `GetObject` and `HeadObject` of keys that name no object, but an archive can answer.
//!
//! * `<folder>.zip`, `.tar`, `.tar.gz` beside a folder, and `<uuid>-selection.zip`: the archive is
//!   made while it is sent, so it has no length, no ETag, no ranges, and conditions are not looked at.
//! * `docs.zip/inner/a.txt`: a member of an archive. Ranges are answered where nothing has to be
//!   decompressed for them, else the whole member is.
//!
//! An object with such a key wins. In listings archives are plain objects.

use cellgate_core::archive::{Format, Member};
use cellgate_core::http::conditional::Conditions;
use cellgate_core::ports::Bits;
use cellgate_core::{Error, NodePath, Tree};
use http::header::{ACCEPT_RANGES, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method};
use s3s::{Body, S3Error, S3ErrorCode, S3Response, S3Result};

use super::get_object::{overrides, range, respond};
use super::{DirectRequest, Ops};
use crate::address::Key;
use crate::{body, error, headers};

/// A read whose key has the name of an archive in it.
pub(crate) struct Asked(DirectRequest);

impl Asked {
    pub(crate) fn of(req: &DirectRequest) -> Option<Self> {
        let current = matches!(req.parameter("versionId"), None | Some("" | "null"));
        let named = req.key.split('/').any(|name| Format::of_name(name).is_some());
        (current && named).then(|| Self(req.clone()))
    }

    /// The answer instead of `NoSuchKey`, if there is one.
    pub(crate) async fn instead(self, ops: &Ops, refused: S3Error) -> S3Result<S3Response<Body>> {
        if *refused.code() != S3ErrorCode::NoSuchKey {
            return Err(refused);
        }
        let req = self.0;
        let (tree, bucket) = ops.open(&req.extensions, &req.bucket).await?;
        let Key::Leaf(path) = bucket.key(&req.key)? else { return Err(refused) };
        match tree.member(&path).await {
            Ok(member) if member.node.is_leaf() => return inner(&req, &path, member).await,
            Ok(_) => return Err(refused),
            Err(Error::NotFound(_)) => {}
            Err(error) => return Err(error::answer(error)),
        }
        let overrides = overrides(&req)?;
        match made(&tree, &path, req.method == Method::HEAD).await {
            Ok((content, mut answer)) => {
                answer.extend(overrides);
                Ok(respond(content, answer, false))
            }
            Err(Error::NotFound(_)) => Err(refused),
            Err(error) => Err(error::answer(error)),
        }
    }
}

async fn made(tree: &Tree, path: &NodePath, head: bool) -> Result<(Body, HeaderMap), Error> {
    let pack = tree.pack_at(path).await?;
    let mut answer = HeaderMap::new();
    answer.insert(CONTENT_TYPE, HeaderValue::from_static(pack.format.mime()));
    answer.insert(ACCEPT_RANGES, HeaderValue::from_static("none"));
    let content = match head {
        true => Body::empty(),
        false => body::outgoing(Bits::Stream(tree.pack(pack).await?)),
    };
    Ok((content, answer))
}

async fn inner(req: &DirectRequest, path: &NodePath, member: Member) -> S3Result<S3Response<Body>> {
    let node = member.node.clone();
    let conditions = Conditions::from_headers(&req.headers);
    conditions.check_read(&node, &path.to_string()).map_err(error::answer)?;
    let mut answer = headers::object(&node);
    let span = match member.is_seekable() {
        true => range(req, Some(&node))?.map(|range| range.resolve(node.size)).transpose(),
        false => {
            answer.insert(ACCEPT_RANGES, HeaderValue::from_static("none"));
            Ok(None)
        }
    };
    let span = span.map_err(error::answer)?;
    answer.insert(CONTENT_LENGTH, HeaderValue::from(span.map_or(node.size, |span| span.len())));
    if let Some(span) = span {
        headers::insert(&mut answer, CONTENT_RANGE.as_str(), &span.content_range(node.size));
    }
    answer.extend(overrides(req)?);
    let content = match req.method == Method::HEAD {
        true => Body::empty(),
        false => body::outgoing(member.open(span).await.map_err(error::answer)?),
    };
    Ok(respond(content, answer, span.is_some()))
}
