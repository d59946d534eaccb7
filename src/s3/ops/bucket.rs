//! `ListBuckets`, `HeadBucket`, `CreateBucket`, `DeleteBucket`.
//!
//! `io` and `data` hold what the caller's workspaces hold; each workspace is a bucket as well. A
//! bucket that is made is a workspace, by the core's rule of who may make one. Known gaps: object
//! lock, tags and access lists of new buckets are refused.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use cellgate_core::Error;
use cellgate_core::http::date;
use cellgate_core::principal::Principal;
use cellgate_core::workspace::Versioning;
use http::HeaderMap;
use s3s::dto::{
    Bucket as Shown, CreateBucketConfiguration, CreateBucketInput, CreateBucketOutput, DeleteBucketInput,
    DeleteBucketOutput, HeadBucketInput, HeadBucketOutput, ListBucketsInput, ListBucketsOutput, Owner,
};
use s3s::{S3Error, S3ErrorCode, S3Request, S3Response, S3Result};

use super::{Ops, bucket_ownership, survive};
use crate::address::WHOLE;
use crate::tags::Tags;
use crate::{error, headers};

/// The region SDKs fall back to; every other one is accepted in signatures as well.
pub(crate) const REGION: &str = "us-east-1";
/// Amazon's limit on one page of buckets.
const PAGE_MAX: i32 = 10_000;

pub(crate) async fn list_buckets(
    ops: &Ops,
    req: S3Request<ListBucketsInput>,
) -> S3Result<S3Response<ListBucketsOutput>> {
    let tree = ops.tree(&req.extensions).await?;
    let limit = match req.input.max_buckets {
        None => PAGE_MAX,
        Some(limit) if (1..=PAGE_MAX).contains(&limit) => limit,
        Some(_) => {
            return Err(error::invalid("Argument max-buckets must be an integer between 1 and 10000."));
        }
    };
    let limit = usize::try_from(limit).unwrap_or_default();
    let after = req.input.continuation_token.as_deref().map(read_token).transpose()?;
    let workspaces = tree.workspaces().await.map_err(error::answer)?;
    let oldest = workspaces.iter().map(|(workspace, _)| workspace.created_ns).filter(|ns| *ns > 0).min();
    let whole = WHOLE.map(|name| (name.to_owned(), oldest.unwrap_or_else(date::now_ns)));
    let own = workspaces.into_iter().map(|(workspace, _)| (workspace.slug, workspace.created_ns));
    let prefix = req.input.prefix.as_deref().unwrap_or_default();
    let elsewhere = req.input.bucket_region.as_ref().is_some_and(|region| region.as_str() != REGION);
    let mut buckets: Vec<Shown> = whole
        .into_iter()
        .chain(own)
        .filter(|(name, _)| !elsewhere && name.starts_with(prefix))
        .filter(|(name, _)| after.as_ref().is_none_or(|after| place(name) > place(after)))
        .take(limit + 1)
        .map(|(name, created_ns)| Shown {
            name: Some(name),
            creation_date: Some(headers::timestamp(created_ns)),
            bucket_region: Some(REGION.to_owned()),
            ..Shown::default()
        })
        .collect();
    let more = buckets.len() > limit;
    buckets.truncate(limit);
    let last = buckets.last().and_then(|bucket| bucket.name.as_ref()).filter(|_| more);
    Ok(S3Response::new(ListBucketsOutput {
        continuation_token: last.map(|name| URL_SAFE_NO_PAD.encode(name)),
        buckets: Some(buckets),
        owner: Some(owner(tree.principal())),
        prefix: req.input.prefix,
    }))
}

/// The order of buckets: those of the whole tree, then workspaces by slug.
fn place(name: &str) -> (usize, &str) {
    (WHOLE.iter().position(|whole| *whole == name).unwrap_or(WHOLE.len()), name)
}

fn read_token(token: &str) -> S3Result<String> {
    URL_SAFE_NO_PAD
        .decode(token)
        .ok()
        .and_then(|name| String::from_utf8(name).ok())
        .filter(|name| !name.is_empty())
        .ok_or_else(|| error::invalid("the continuation token provided is incorrect"))
}

pub(crate) async fn head_bucket(
    ops: &Ops,
    req: S3Request<HeadBucketInput>,
) -> S3Result<S3Response<HeadBucketOutput>> {
    ops.open(&req.extensions, &req.input.bucket).await?;
    let output = HeadBucketOutput { bucket_region: Some(REGION.to_owned()), ..HeadBucketOutput::default() };
    Ok(S3Response::new(output))
}

pub(crate) async fn create_bucket(
    ops: &Ops,
    req: S3Request<CreateBucketInput>,
) -> S3Result<S3Response<CreateBucketOutput>> {
    let name = req.input.bucket.as_str();
    let tree = match ops.open(&req.extensions, name).await {
        // rclone and the SDKs' helpers take this for what they wanted.
        Ok(_) => return Err(S3Error::new(S3ErrorCode::BucketAlreadyOwnedByYou)),
        Err(error) if *error.code() == S3ErrorCode::NoSuchBucket => ops.tree(&req.extensions).await?,
        Err(error) => return Err(error),
    };
    if !is_bucket_name(name) || ops.settings.reserved.iter().any(|reserved| reserved == name) {
        return Err(S3Error::new(S3ErrorCode::InvalidBucketName));
    }
    refuse_unsupported(&req.input)?;
    let configuration = req.input.create_bucket_configuration.as_ref();
    let tags = configuration.and_then(|asked| asked.tags.clone()).unwrap_or_default();
    let (slug, tags) = (name.to_owned(), Tags::of_bucket(tags)?.text());
    let made = survive(async move { tree.create_workspace(&slug, &tags).await }).await;
    made.map_err(|refused| match refused {
        Error::AlreadyExists(_) => S3Error::new(S3ErrorCode::BucketAlreadyExists),
        Error::Denied { .. } => error::denied("no right to create buckets"),
        other => error::answer(other),
    })?;
    let location = Some(format!("/{name}"));
    let mut more = HeaderMap::new();
    headers::insert(&mut more, "x-amz-bucket-arn", &format!("arn:aws:s3:::{name}"));
    Ok(S3Response::with_headers(CreateBucketOutput { location, ..CreateBucketOutput::default() }, more))
}

/// What a workspace cannot be made with.
fn refuse_unsupported(input: &CreateBucketInput) -> S3Result<()> {
    if input.object_lock_enabled_for_bucket.unwrap_or(false) {
        return Err(error::unsupported("object lock"));
    }
    bucket_ownership::check_new(input.object_ownership.as_ref())?;
    let Some(CreateBucketConfiguration { bucket, location, location_constraint, tags: _ }) =
        &input.create_bucket_configuration
    else {
        return Ok(());
    };
    if bucket.is_some() || location.is_some() {
        return Err(error::unsupported("a directory bucket"));
    }
    match location_constraint.as_ref().map(|constraint| constraint.as_str()) {
        None | Some("" | "EU") => Ok(()),
        Some(region) if is_region(region) => Ok(()),
        Some(_) => Err(S3Error::new(S3ErrorCode::InvalidLocationConstraint)),
    }
}

/// `us-east-1`, `ap-southeast-2`, `us-gov-west-1`: there is one place here, whatever it is called.
fn is_region(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let Some((number, words)) = parts.split_last() else { return false };
    let letters = |word: &&str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase());
    (2..=3).contains(&words.len()) && words.iter().all(letters) && number.parse::<u8>().is_ok()
}

/// Amazon's rules for names of general purpose buckets.
fn is_bucket_name(name: &str) -> bool {
    let edge = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    let bytes = name.as_bytes();
    (3..=63).contains(&bytes.len())
        && bytes
            .iter()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'.'))
        && edge(bytes.first())
        && edge(bytes.last())
        && !name.contains("..")
        && name.parse::<std::net::Ipv4Addr>().is_err()
        && !["xn--", "sthree-", "amzn-s3-demo-"].iter().any(|prefix| name.starts_with(prefix))
        && !["-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3"]
            .iter()
            .any(|suffix| name.ends_with(suffix))
}

pub(crate) async fn delete_bucket(
    ops: &Ops,
    req: S3Request<DeleteBucketInput>,
) -> S3Result<S3Response<DeleteBucketOutput>> {
    let (tree, bucket) = ops.open(&req.extensions, &req.input.bucket).await?;
    if bucket.root().is_root() {
        return Err(error::denied("this bucket is the tree of all workspaces and cannot be deleted"));
    }
    let name = req.input.bucket;
    let versioned = !matches!(tree.versioning(bucket.root()).await, Ok(Versioning::Off) | Err(_));
    let removed = survive(async move { tree.remove_workspace(&name).await }).await;
    removed.map_err(|refused| match refused {
        Error::NotEmpty(_) if versioned => error::with(
            S3ErrorCode::BucketNotEmpty,
            "The bucket you tried to delete is not empty. You must delete all versions in the bucket.",
        ),
        Error::NotEmpty(_) => S3Error::new(S3ErrorCode::BucketNotEmpty),
        Error::NotFound(_) => S3Error::new(S3ErrorCode::NoSuchBucket),
        Error::Denied { .. } => error::denied("no right to delete this bucket"),
        other => error::answer(other),
    })?;
    Ok(S3Response::new(DeleteBucketOutput {}))
}

/// Objects have no owners here: the caller owns what the caller sees.
pub(crate) fn owner(principal: &Principal) -> Owner {
    Owner { display_name: Some(principal.login.clone()), id: Some(principal.uuid.simple().to_string()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Amazon S3 User Guide, general purpose bucket naming rules, with its examples.
    #[test]
    fn names_follow_amazons_rules() {
        let long = "a".repeat(63);
        for name in ["log-delivery-march-2020", "amzn.s3.demo", "my-hosted-content", "123", "a.b", &long] {
            assert!(is_bucket_name(name), "{name}");
        }
        let longer = "a".repeat(64);
        for name in [
            "",
            "ab",
            "amzn_s3_demo_bucket",
            "AmznS3DemoBucket",
            "amzn-s3-demo-bucket-",
            "-bucket",
            "amzn..s3",
            ".abc",
            "abc.",
            "192.168.5.4",
            "xn--bucket",
            "bucket-s3alias",
            "bucket--x-s3",
            "buck\u{e9}t",
            "a/b",
            &longer,
        ] {
            assert!(!is_bucket_name(name), "{name}");
        }
    }

    #[test]
    fn regions_are_told_from_other_words() {
        for region in ["us-east-1", "eu-central-2", "us-gov-west-1", "ap-southeast-3"] {
            assert!(is_region(region), "{region}");
        }
        for other in ["", "default", "us-east", "US-EAST-1", "us-east-one", "a-b-c-d-1", "-1"] {
            assert!(!is_region(other), "{other}");
        }
    }
}
