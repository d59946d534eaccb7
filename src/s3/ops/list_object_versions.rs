//! `ListObjectVersions`.
//!
//! Every version of every key, newest first, with the delete markers. Prefix, delimiter and page
//! mean what they mean to `ListObjects`; a page goes on behind a version, also behind one that was
//! removed meanwhile. Folders that are objects have one version, `null`.

use cellgate_core::listing::{FileVersion, VersionEntry, VersionListing};
use cellgate_core::tree::VersionRef;
use cellgate_core::{Node, NodePath, Result, Tree};
use s3s::dto::{
    CommonPrefix, DeleteMarkerEntry, ListObjectVersionsInput, ListObjectVersionsOutput, ObjectVersion,
    ObjectVersionStorageClass, Owner,
};
use s3s::{S3Request, S3Response, S3Result};

use super::Ops;
use super::bucket::owner;
use super::get_object::EMPTY_MD5;
use super::list_objects::{Encoding, limit};
use crate::listing::{self, Answer, Cursor, Listed, Question, Span};
use crate::{checksums, error, headers, versions};

pub(crate) async fn list_object_versions(
    ops: &Ops,
    req: S3Request<ListObjectVersionsInput>,
) -> S3Result<S3Response<ListObjectVersionsOutput>> {
    let (tree, bucket) = ops.open(&req.extensions, &req.input.bucket).await?;
    let input = req.input;
    let encoding = Encoding::of(input.encoding_type.as_ref())?;
    let key_marker = input.key_marker.clone().unwrap_or_default();
    let version = versions::asked(input.version_id_marker.as_deref())?;
    if version.is_some() && key_marker.is_empty() {
        return Err(error::invalid("A version-id marker cannot be specified without a key marker."));
    }
    let question = Question {
        prefix: input.prefix.clone().unwrap_or_default(),
        delimiter: input.delimiter.clone().unwrap_or_default(),
        after: key_marker,
        version,
        limit: limit(input.max_keys)?,
    };
    let answer: Answer<Item> = listing::list(&tree, &bucket, &question).await.map_err(error::answer)?;
    let next = answer.items.last().filter(|_| answer.more).map(Item::cursor);
    let mut output = ListObjectVersionsOutput {
        name: Some(input.bucket),
        prefix: Some(encoding.write(&question.prefix)),
        key_marker: Some(encoding.write(&question.after)),
        version_id_marker: Some(input.version_id_marker.unwrap_or_default()),
        delimiter: input.delimiter.map(|delimiter| encoding.write(&delimiter)),
        max_keys: Some(i32::try_from(question.limit).unwrap_or(i32::MAX)),
        is_truncated: Some(answer.more),
        next_key_marker: next.as_ref().map(|(key, _)| encoding.write(key)),
        next_version_id_marker: next.and_then(|(_, version)| version).map(versions::name),
        encoding_type: input.encoding_type,
        ..ListObjectVersionsOutput::default()
    };
    let owner = owner(tree.principal());
    for item in answer.items {
        render(&mut output, item, encoding, &owner);
    }
    Ok(S3Response::new(output))
}

#[derive(Debug)]
enum Item {
    Prefix(String),
    Folder { key: String, node: Box<Node> },
    Version { key: String, version: Box<FileVersion> },
}

impl Item {
    fn cursor(&self) -> Cursor {
        match self {
            Self::Prefix(key) => (key.clone(), None),
            Self::Folder { key, .. } => (key.clone(), Some(VersionRef::Unversioned)),
            Self::Version { key, version } => (key.clone(), Some(version.reference())),
        }
    }
}

impl Listed for Item {
    type Entry = VersionEntry;

    async fn page(
        tree: &Tree,
        folder: &NodePath,
        asked: Span,
    ) -> Result<(Vec<VersionEntry>, Option<Cursor>)> {
        let Span { depth, after, name_prefix, limit } = asked;
        let listing = VersionListing { depth, after, name_prefix, limit };
        let page = tree.list_versions(folder, &listing).await?;
        Ok((page.entries, page.next))
    }

    fn key(entry: &VersionEntry) -> &str {
        entry.key()
    }

    fn folder(entry: &VersionEntry) -> Option<(&Node, bool)> {
        match entry {
            VersionEntry::Collection { node, empty, .. } => Some((node, *empty)),
            VersionEntry::Version { .. } => None,
        }
    }

    fn object(key: String, entry: VersionEntry) -> Self {
        match entry {
            VersionEntry::Version { version, .. } => Self::Version { key, version },
            VersionEntry::Collection { node, .. } => Self::Folder { key, node },
        }
    }

    fn own(key: String, node: Node) -> Self {
        Self::Folder { key, node: Box::new(node) }
    }

    fn prefix(group: String) -> Self {
        Self::Prefix(group)
    }
}

fn render(output: &mut ListObjectVersionsOutput, item: Item, encoding: Encoding, owner: &Owner) {
    let standard = || Some(ObjectVersionStorageClass::from_static(ObjectVersionStorageClass::STANDARD));
    match item {
        Item::Prefix(prefix) => output
            .common_prefixes
            .get_or_insert_default()
            .push(CommonPrefix { prefix: Some(encoding.write(&prefix)) }),
        Item::Folder { key, node } => output.versions.get_or_insert_default().push(ObjectVersion {
            key: Some(encoding.write(&key)),
            version_id: Some(versions::name(VersionRef::Unversioned)),
            is_latest: Some(true),
            last_modified: Some(headers::timestamp(node.mtime_ns)),
            e_tag: Some(headers::etag(EMPTY_MD5)),
            size: Some(0),
            storage_class: standard(),
            owner: Some(owner.clone()),
            ..ObjectVersion::default()
        }),
        Item::Version { key, version } if version.marker => {
            output.delete_markers.get_or_insert_default().push(DeleteMarkerEntry {
                key: Some(encoding.write(&key)),
                version_id: Some(versions::name(version.reference())),
                is_latest: Some(version.latest),
                last_modified: Some(headers::timestamp(version.mtime_ns)),
                owner: Some(owner.clone()),
            });
        }
        Item::Version { key, version } => {
            output.versions.get_or_insert_default().push(ObjectVersion {
                key: Some(encoding.write(&key)),
                version_id: Some(versions::name(version.reference())),
                is_latest: Some(version.latest),
                last_modified: Some(headers::timestamp(version.mtime_ns)),
                e_tag: Some(headers::etag(&version.etag)),
                size: Some(i64::try_from(version.size).unwrap_or(i64::MAX)),
                storage_class: standard(),
                owner: Some(owner.clone()),
                checksum_algorithm: Some(
                    checksums::kept(&version.attributes)
                        .map(|(algorithm, _)| checksums::algorithm_name(algorithm))
                        .collect(),
                ),
                checksum_type: checksums::kept_type(&version.attributes).map(checksums::type_of),
                ..ObjectVersion::default()
            });
        }
    }
}
