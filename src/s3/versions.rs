//! Versions as S3 names them: `versionId`, `x-amz-version-id`, delete markers.
//!
//! A content that was written while its workspace kept no versions is `null` here. Any content can
//! be asked for by the id that Cells' REST API shows as well.

use cellgate_core::listing::FileVersion;
use cellgate_core::tree::VersionRef;
use cellgate_core::workspace::Versioning;
use cellgate_core::{Error, Node, NodePath, Tree};
use http::header::{ALLOW, CONTENT_TYPE, LAST_MODIFIED};
use http::{HeaderMap, HeaderValue};
use s3s::{S3Error, S3ErrorCode, S3Result};

use crate::{error, headers};

pub(crate) const VERSION_ID: &str = "x-amz-version-id";
pub(crate) const SOURCE_VERSION_ID: &str = "x-amz-copy-source-version-id";
const DELETE_MARKER: &str = "x-amz-delete-marker";
const NULL: &str = "null";
/// Servers give ids of 26 letters and digits, and longer ones.
const ID_LENGTHS: std::ops::RangeInclusive<usize> = 20..=1024;

/// The version that a `versionId` asks for.
pub(crate) fn asked(version: Option<&str>) -> S3Result<Option<VersionRef>> {
    match version {
        None | Some("") => Ok(None),
        Some(NULL) => Ok(Some(VersionRef::Unversioned)),
        Some(id) => match uuid::Uuid::try_parse(id) {
            Ok(id) => Ok(Some(VersionRef::Id(id))),
            // An id, but none of ours.
            Err(_)
                if ID_LENGTHS.contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric()) =>
            {
                Err(error::with_fields(S3Error::new(S3ErrorCode::NoSuchVersion), &[("VersionId", id)]))
            }
            Err(_) => Err(error::argument("versionId", id, "Invalid version id specified")),
        },
    }
}

pub(crate) fn name(version: VersionRef) -> String {
    match version {
        VersionRef::Id(id) => id.to_string(),
        VersionRef::Unversioned => NULL.to_owned(),
    }
}

/// The id that answers about a leaf bear; none where versions were never kept.
pub(crate) async fn of(tree: &Tree, path: &NodePath, node: &Node) -> Option<String> {
    match node.version {
        Some(id) => Some(id.to_string()),
        None => match tree.versioning(path).await {
            Ok(Versioning::Enabled | Versioning::Suspended) => Some(NULL.to_owned()),
            Ok(Versioning::Off) | Err(_) => None,
        },
    }
}

/// The id that a write answers: none where it made no version that stays.
pub(crate) fn made(node: &Node) -> Option<String> {
    node.version.map(|id| id.to_string())
}

/// The same as a header.
pub(crate) fn stamp(answer: &mut HeaderMap, name: &str, version: Option<String>) {
    if let Some(version) = version {
        headers::insert(answer, name, &version);
    }
}

/// The leaf in the version asked for, or as it is.
pub(crate) async fn stat(tree: &Tree, path: &NodePath, version: Option<VersionRef>) -> Result<Node, Error> {
    match version {
        Some(version) => tree.stat_version(path, version).await,
        None => tree.stat(path).await,
    }
}

/// Why a leaf, or a version of it, cannot be read; says so when that is because it was deleted.
pub(crate) async fn missing(
    tree: &Tree,
    path: &NodePath,
    version: Option<VersionRef>,
    cause: Error,
) -> S3Error {
    match (version, &cause) {
        (None, Error::NotFound(_) | Error::IsACollection(_)) => match tree.marker(path).await {
            Ok(Some(marker)) => deleted(S3ErrorCode::NoSuchKey, &marker),
            _ => crate::ops::missing(cause),
        },
        (Some(version), Error::IsADeleteMarker(_)) => {
            let versions = tree.versions(path).await.unwrap_or_default();
            match versions.iter().find(|one| one.is(version)) {
                Some(marker) => deleted(S3ErrorCode::MethodNotAllowed, marker),
                None => error::answer(cause),
            }
        }
        _ => crate::ops::missing(cause),
    }
}

/// Why the source of a copy cannot be read. A delete marker is no source (400, as Amazon has it).
pub(crate) fn source_missing(cause: Error) -> S3Error {
    match cause {
        Error::IsADeleteMarker(_) => error::with(
            S3ErrorCode::InvalidRequest,
            "The source of a copy request may not specifically refer to a delete marker by version id.",
        ),
        cause => crate::ops::missing(cause),
    }
}

fn deleted(code: S3ErrorCode, marker: &FileVersion) -> S3Error {
    let mut answer = HeaderMap::new();
    // s3s replaces its own headers by these.
    answer.insert(CONTENT_TYPE, HeaderValue::from_static("application/xml"));
    headers::insert(&mut answer, DELETE_MARKER, "true");
    headers::insert(&mut answer, VERSION_ID, &name(marker.reference()));
    if code == S3ErrorCode::MethodNotAllowed {
        answer.insert(ALLOW, HeaderValue::from_static("DELETE"));
        headers::insert(
            &mut answer,
            LAST_MODIFIED.as_str(),
            &cellgate_core::http::date::http(marker.mtime_ns),
        );
    }
    let mut error = S3Error::new(code);
    error.set_headers(answer);
    error
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_uuids_or_null() {
        let id = uuid::Uuid::new_v4();
        assert_eq!(asked(None).unwrap(), None);
        assert_eq!(asked(Some("null")).unwrap(), Some(VersionRef::Unversioned));
        assert_eq!(asked(Some(&id.to_string())).unwrap(), Some(VersionRef::Id(id)));
        let foreign = asked(Some("01G65Z755AFWAKHE12NY0CQ9FH")).unwrap_err();
        assert_eq!(foreign.code(), &S3ErrorCode::NoSuchVersion);
        for text in ["1", "../x", "NULL", "é"] {
            assert_eq!(asked(Some(text)).unwrap_err().code(), &S3ErrorCode::InvalidArgument, "{text}");
        }
    }
}
