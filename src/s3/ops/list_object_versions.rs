//! `ListObjectVersions`.
//!
//! Every version of every key, newest first, with the delete markers. Prefix, delimiter and page
//! mean what they mean to `ListObjects`; a page goes on behind a version, also behind one that was
//! removed meanwhile. Folders that are objects have one version, `null`.

use cellgate_core::listing::{Depth, FileVersion, VersionEntry, VersionListing, VersionPage};
use cellgate_core::tree::VersionRef;
use cellgate_core::{Error, Node, Result, Tree};
use s3s::dto::{
    CommonPrefix, DeleteMarkerEntry, ListObjectVersionsInput, ListObjectVersionsOutput, ObjectVersion,
    ObjectVersionStorageClass, Owner,
};
use s3s::{S3Request, S3Response, S3Result};

use super::Ops;
use super::bucket::owner;
use super::get_object::EMPTY_MD5;
use super::list_objects::{Encoding, limit};
use crate::address::{Bucket, Place};
use crate::listing::{LAST, Question, Start, group_of};
use crate::versions;
use crate::{checksums, error, headers};

type Cursor = (String, Option<VersionRef>);

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
        limit: limit(input.max_keys)?,
    };
    let answer = list(&tree, &bucket, &question, version).await.map_err(error::answer)?;
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

#[derive(Debug, Default)]
struct Answer {
    items: Vec<Item>,
    more: bool,
}

async fn list(
    tree: &Tree,
    bucket: &Bucket,
    question: &Question,
    version: Option<VersionRef>,
) -> Result<Answer> {
    let mut answer = Answer::default();
    if question.limit == 0 {
        return Ok(answer);
    }
    let Some(place) = bucket.place(&question.prefix) else { return Ok(answer) };
    let Some(start) = Start::of(&place, question) else { return Ok(answer) };
    // A group is skipped whole, whatever version the marker names.
    let version = version.filter(|_| start.group.is_none());
    let after = start.after.map(|key| (key, version));
    let mut walk = Walk { tree, place: &place, question, answer: &mut answer, group: start.group };
    match walk.run(after, start.marker).await {
        Ok(()) => Ok(answer),
        // No such folder, or a file of that name: no key begins so.
        Err(Error::NotFound(_) | Error::ParentMissing(_) | Error::NotACollection(_)) => Ok(Answer::default()),
        Err(error) => Err(error),
    }
}

struct Walk<'a> {
    tree: &'a Tree,
    place: &'a Place,
    question: &'a Question,
    answer: &'a mut Answer,
    /// The last group that was answered.
    group: Option<String>,
}

impl Walk<'_> {
    async fn run(&mut self, mut after: Option<Cursor>, marker: bool) -> Result<()> {
        let depth = if self.question.delimiter == "/" { Depth::One } else { Depth::Infinity };
        let mut first = marker && self.place.rest.is_empty() && self.place.folder.depth() > 1;
        if first && self.own_key(Node::is_key).await? {
            first = false;
        }
        loop {
            let listing = VersionListing {
                depth,
                after,
                name_prefix: (!self.place.rest.is_empty()).then(|| self.place.rest.clone()),
                limit: self.question.limit - self.answer.items.len() + 1,
            };
            let page = self.tree.list_versions(&self.place.folder, &listing).await?;
            if first && page.entries.is_empty() && page.next.is_none() {
                return self.own_key(|node| !node.is_implied()).await.map(drop);
            }
            first = false;
            after = match self.take(page) {
                Some(next) => Some(next),
                None => return Ok(()),
            };
        }
    }

    /// Takes what fits; answers where to go on.
    fn take(&mut self, page: VersionPage) -> Option<Cursor> {
        for entry in page.entries {
            let key = format!("{}{}", self.place.text, entry.key());
            let item = if let Some(group) = group_of(&key, self.place, &self.question.delimiter) {
                if self.group.as_ref() == Some(&group) {
                    continue;
                }
                self.group = Some(group.clone());
                Item::Prefix(group)
            } else {
                match entry {
                    VersionEntry::Version { version, .. } => Item::Version { key, version },
                    VersionEntry::Collection { key: below, node, empty } => {
                        let depth = self.place.folder.depth() + below.matches('/').count();
                        if depth < 2 || !(node.is_key() || (empty && !node.is_implied())) {
                            continue;
                        }
                        Item::Folder { key, node }
                    }
                }
            };
            if self.answer.items.len() == self.question.limit {
                self.answer.more = true;
                return None;
            }
            self.answer.items.push(item);
        }
        let next = page.next?;
        // Rather than walk through a group that is answered already, go on behind it.
        let behind = self.group.as_ref().and_then(|group| {
            let relative = group.get(self.place.text.len()..)?;
            next.0.starts_with(relative).then(|| (format!("{relative}{LAST}"), None))
        });
        Some(behind.unwrap_or(next))
    }

    /// Answers the key of the folder that the prefix names, if that is an object.
    async fn own_key(&mut self, is_object: impl Fn(&Node) -> bool) -> Result<bool> {
        let node = self.tree.stat(&self.place.folder).await?;
        if !node.is_collection() || !is_object(&node) {
            return Ok(false);
        }
        self.answer.items.push(Item::Folder { key: self.place.text.clone(), node: Box::new(node) });
        Ok(true)
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
