//! `ListObjects`, `ListObjectsV2`.
//!
//! Both ask the same [`Question`]; they differ in how a page names the next one. A continuation
//! token is the last key, encoded, so that it holds on any gateway and after any restart.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use s3s::dto::{
    CommonPrefix, EncodingType, ListObjectsInput, ListObjectsOutput, ListObjectsV2Input, ListObjectsV2Output,
    Object, ObjectStorageClass, Owner,
};
use s3s::{S3Error, S3ErrorCode, S3Request, S3Response, S3Result};

use super::Ops;
use super::bucket::owner;
use super::get_object::EMPTY_MD5;
use crate::listing::{self, Answer, Item, PAGE_MAX, Question};
use crate::{checksums, error, headers, route};

pub(crate) async fn list_objects(
    ops: &Ops,
    req: S3Request<ListObjectsInput>,
) -> S3Result<S3Response<ListObjectsOutput>> {
    let (tree, bucket) = ops.open(&req.extensions, &req.input.bucket).await?;
    let input = req.input;
    let encoding = Encoding::of(input.encoding_type.as_ref())?;
    let question = Question {
        prefix: input.prefix.clone().unwrap_or_default(),
        delimiter: input.delimiter.clone().unwrap_or_default(),
        after: input.marker.clone().unwrap_or_default(),
        limit: limit(input.max_keys)?,
        ..Question::default()
    };
    let answer: Answer<Item> = listing::list(&tree, &bucket, &question).await.map_err(error::answer)?;
    // Only beside a delimiter, as Amazon has it: else the last key is the marker.
    let next_marker = (answer.more && !question.delimiter.is_empty())
        .then(|| answer.items.last().map(|item| encoding.write(item.key())))
        .flatten();
    let more = answer.more;
    let (contents, common_prefixes) = render(answer, encoding, Some(&owner(tree.principal())));
    Ok(S3Response::new(ListObjectsOutput {
        name: Some(input.bucket),
        prefix: Some(encoding.write(&question.prefix)),
        marker: Some(encoding.write(&question.after)),
        delimiter: input
            .delimiter
            .filter(|delimiter| !delimiter.is_empty())
            .map(|text| encoding.write(&text)),
        max_keys: Some(i32::try_from(question.limit).unwrap_or(i32::MAX)),
        is_truncated: Some(more),
        next_marker,
        contents: Some(contents),
        common_prefixes: Some(common_prefixes),
        encoding_type: input.encoding_type,
        request_charged: None,
    }))
}

pub(crate) async fn list_objects_v2(
    ops: &Ops,
    req: S3Request<ListObjectsV2Input>,
) -> S3Result<S3Response<ListObjectsV2Output>> {
    let (tree, bucket) = ops.open(&req.extensions, &req.input.bucket).await?;
    let input = req.input;
    let encoding = Encoding::of(input.encoding_type.as_ref())?;
    let after = match input.continuation_token.as_deref().filter(|token| !token.is_empty()) {
        Some(token) => read_token(token)?,
        None => input.start_after.clone().unwrap_or_default(),
    };
    let question = Question {
        prefix: input.prefix.clone().unwrap_or_default(),
        delimiter: input.delimiter.clone().unwrap_or_default(),
        after,
        limit: limit(input.max_keys)?,
        ..Question::default()
    };
    let answer: Answer<Item> = listing::list(&tree, &bucket, &question).await.map_err(error::answer)?;
    let next = answer.items.last().filter(|_| answer.more).map(|item| write_token(item.key()));
    let more = answer.more;
    let owner = owner(tree.principal());
    let shown = input.fetch_owner.unwrap_or(false).then_some(&owner);
    let (contents, common_prefixes) = render(answer, encoding, shown);
    Ok(S3Response::new(ListObjectsV2Output {
        name: Some(input.bucket),
        prefix: Some(encoding.write(&question.prefix)),
        delimiter: input
            .delimiter
            .filter(|delimiter| !delimiter.is_empty())
            .map(|text| encoding.write(&text)),
        max_keys: Some(i32::try_from(question.limit).unwrap_or(i32::MAX)),
        key_count: Some(i32::try_from(contents.len() + common_prefixes.len()).unwrap_or(i32::MAX)),
        is_truncated: Some(more),
        continuation_token: input.continuation_token,
        next_continuation_token: next,
        start_after: input.start_after.map(|after| encoding.write(&after)),
        contents: Some(contents),
        common_prefixes: Some(common_prefixes),
        encoding_type: input.encoding_type,
        request_charged: None,
    }))
}

/// A page size that is no number, of which s3s would say less.
pub(crate) fn no_limit(parameters: &[(String, String)]) -> S3Error {
    let Some((name, value)) = parameters.iter().find(|(name, value)| route::is_no_limit(name, value)) else {
        return S3Error::new(S3ErrorCode::InvalidArgument);
    };
    error::argument(name, value, format!("Provided {name} not an integer or within integer range"))
}

/// Page size; more than Amazon's is Amazon's.
pub(crate) fn limit(asked: Option<i32>) -> S3Result<usize> {
    match asked {
        None => Ok(PAGE_MAX),
        Some(limit) => usize::try_from(limit).map(|limit| limit.min(PAGE_MAX)).map_err(|_| {
            error::invalid(format!("Argument {limit} must be an integer between 0 and 2147483647"))
        }),
    }
}

fn write_token(key: &str) -> String {
    URL_SAFE_NO_PAD.encode(key)
}

fn read_token(token: &str) -> S3Result<String> {
    let invalid = || error::invalid("the continuation token provided is incorrect");
    let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| invalid())?;
    match String::from_utf8(bytes) {
        Ok(key) if !key.is_empty() => Ok(key),
        _ => Err(invalid()),
    }
}

/// How keys are written in the answer.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Encoding {
    Plain,
    Url,
}

/// As Amazon encodes: slashes stay. Python and Go clients read `+` as a space, so it must not.
const URL_SET: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~').remove(b'/').remove(b'*');

impl Encoding {
    pub(crate) fn of(asked: Option<&EncodingType>) -> S3Result<Self> {
        match asked.map(EncodingType::as_str) {
            None => Ok(Self::Plain),
            Some("url") => Ok(Self::Url),
            Some(_) => Err(error::invalid("the encoding type can only be `url`")),
        }
    }

    pub(crate) fn write(self, text: &str) -> String {
        match self {
            Self::Plain => text.to_owned(),
            Self::Url => utf8_percent_encode(text, URL_SET).to_string(),
        }
    }
}

fn render(
    answer: Answer<Item>,
    encoding: Encoding,
    owner: Option<&Owner>,
) -> (Vec<Object>, Vec<CommonPrefix>) {
    let mut contents = Vec::with_capacity(answer.items.len());
    let mut prefixes = Vec::new();
    for item in answer.items {
        match item {
            Item::Prefix(prefix) => prefixes.push(CommonPrefix { prefix: Some(encoding.write(&prefix)) }),
            Item::Object { key, node } => {
                let folder = node.is_collection();
                let kept = checksums::kept(&node.attributes);
                contents.push(Object {
                    key: Some(encoding.write(&key)),
                    e_tag: Some(headers::etag(if folder { EMPTY_MD5 } else { &node.etag })),
                    size: Some(if folder { 0 } else { i64::try_from(node.size).unwrap_or(i64::MAX) }),
                    last_modified: Some(headers::timestamp(node.mtime_ns)),
                    storage_class: Some(ObjectStorageClass::from_static(ObjectStorageClass::STANDARD)),
                    owner: owner.cloned(),
                    checksum_algorithm: Some(
                        kept.map(|(algorithm, _)| checksums::algorithm_name(algorithm)).collect(),
                    ),
                    checksum_type: checksums::kept_type(&node.attributes).map(checksums::type_of),
                    ..Object::default()
                });
            }
        }
    }
    (contents, prefixes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_carry_keys_and_refuse_the_rest() {
        for key in ["ws/a", "ws/a b+c/é", "ws/😀/"] {
            assert_eq!(read_token(&write_token(key)).unwrap(), key);
        }
        for token in ["", "?", "ws/a", "_w"] {
            assert!(read_token(token).is_err(), "{token}");
        }
    }

    #[test]
    fn url_encoding_leaves_slashes_and_hides_plus() {
        assert_eq!(Encoding::Url.write("ws/a b+c&é(1).txt"), "ws/a%20b%2Bc%26%C3%A9%281%29.txt");
        assert_eq!(Encoding::Plain.write("a+b"), "a+b");
    }

    #[test]
    fn page_sizes_are_capped_not_trusted() {
        assert_eq!(limit(None).unwrap(), 1_000);
        assert_eq!(limit(Some(0)).unwrap(), 0);
        assert_eq!(limit(Some(5_000)).unwrap(), 1_000);
        assert!(limit(Some(-1)).is_err());
    }
}
