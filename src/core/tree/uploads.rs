//! Uploads in parts.
//!
//! Parts are kept like any content, or share another's (`part_copy.rs`). Completing makes them the
//! extents of one leaf, so it copies nothing; only a `structured` datasource, where a leaf is one
//! file, joins them on disk.

use std::sync::Arc;

use md5::Digest as _;
use uuid::Uuid;

use crate::content::Checksum;
use crate::error::{Error, Result};
use crate::http::date::now_ns;
use crate::node::{Attributes, Content, Extent};
use crate::parts::{self, DigestOf};
use crate::path::NodePath;
use crate::ports::{ByteStream, Form, Source, Txn};
use crate::tree::access::{Place, shown};
use crate::tree::content::{Held, StagedGuard, base64, into_stream, put_content, release};
use crate::tree::write::Dress;
use crate::tree::{Existing, Parents, Tree, Write, Written};
use crate::upload::{PART_MAX, Part, Upload};

/// A part as the client believes it is stored.
#[derive(Debug, Clone)]
pub struct PartRef {
    pub number: u32,
    /// Without quotes; `None` does not check.
    pub etag: Option<String>,
    /// A digest that it must have been stored with.
    pub digest: Option<Checksum>,
}

/// How to complete an upload.
#[derive(Default)]
pub struct Complete {
    /// Parts in ascending order; `None` takes all that are stored.
    pub parts: Option<Vec<PartRef>>,
    /// Smallest part but the last one; 0 does not check.
    pub min_part_bytes: u64,
    /// Largest whole; 0 leaves it to the settings.
    pub max_bytes: u64,
    /// Conditions, parents and tokens of the write; its size and checksums are of the whole.
    pub write: Write,
    /// What the checksums are made of, where the upload did not announce any.
    pub digest_of: Option<DigestOf>,
}

impl Tree {
    /// Begins an upload to a path that may be written.
    pub async fn create_upload(
        &self,
        path: &NodePath,
        attributes: Attributes,
        mime: Option<String>,
        mtime_ns: Option<i64>,
    ) -> Result<Upload> {
        let place = self.place_below_root(path, "write").await?;
        let found = self.find_at(&place).await?;
        self.require_write(&place, &found, "write")?;
        self.require_collections(&place, &found)?;
        if place.is_root() || found.node().is_some_and(crate::node::Node::is_collection) {
            return Err(Error::IsACollection(path.to_string()));
        }
        let now = now_ns();
        let lifetime = i64::try_from(self.core.settings().upload_expiry_s).unwrap_or(i64::MAX);
        let upload = Upload {
            // In order of time: listings are, and go on behind an id.
            id: Uuid::now_v7(),
            path: path.to_string(),
            datasource: place.mounted.name.clone(),
            principal: self.principal.login.clone(),
            door: self.door,
            created_ns: now,
            expires_ns: now.saturating_add(lifetime.saturating_mul(1_000_000_000)),
            mime,
            mtime_ns,
            attributes,
        };
        let row = upload.clone();
        self.core.commit(move |txn| Box::pin(async move { txn.put_upload(&row).await })).await?;
        Ok(upload)
    }

    /// An upload of this principal to this path.
    pub async fn upload(&self, path: &NodePath, id: Uuid) -> Result<Upload> {
        self.core
            .inner
            .index
            .upload(id)
            .await?
            .filter(|upload| self.owns(upload, path))
            .ok_or_else(|| Error::NoSuchUpload(id.to_string()))
    }

    fn owns(&self, upload: &Upload, path: &NodePath) -> bool {
        upload.principal == self.principal.login
            && upload.expires_ns > now_ns()
            && upload.path == path.to_string()
    }

    /// The upload that a part with this number may be stored in.
    pub(crate) async fn open_upload(&self, path: &NodePath, id: Uuid, number: u32) -> Result<Upload> {
        if number == 0 || number > PART_MAX {
            return Err(Error::InvalidPart { number, reason: "part numbers go from 1 to 10000" });
        }
        let upload = self.upload(path, id).await?;
        let place = self.place_below_root(path, "write").await?;
        self.require_write(&place, &self.find_at(&place).await?, "write")?;
        Ok(upload)
    }

    /// Stores one part; a part with that number is replaced.
    pub async fn write_part(
        &self,
        path: &NodePath,
        id: Uuid,
        number: u32,
        body: ByteStream,
        mut how: Write,
    ) -> Result<Part> {
        let upload = self.open_upload(path, id, number).await?;
        let mounted = self.core.mounted(&upload.datasource).await?;
        // The digest of the whole is made of the parts', also where the client leaves one out.
        how.compute.extend(upload.computed().map(|digest| digest.algorithm));
        let received = self.receive(&mounted, body, &mut how).await?;
        let core = self.core.clone();
        let work = async move {
            let held = Arc::new(received.bytes);
            let bytes = held.clone();
            let (core_, mounted_) = (core.clone(), mounted.clone());
            let part = core_
                .commit(move |txn| {
                    Box::pin(async move {
                        let content = match put_content(txn, &mounted_, &bytes).await? {
                            Content::Path => match bytes.as_ref() {
                                Held::Staged(guard) => Content::Blob(guard.blob()),
                                Held::Inline(_) => Content::None,
                            },
                            content => content,
                        };
                        let part = Part {
                            upload: id,
                            number,
                            size: received.size,
                            etag: received.md5,
                            content,
                            at_ns: now_ns(),
                            digests: received.digests,
                        };
                        settle_part(txn, &mounted_.name, part).await
                    })
                })
                .await?;
            if let Some(Held::Staged(guard)) = Arc::into_inner(held) {
                guard.keep().await;
            }
            core.janitor().wake();
            Ok(part)
        };
        tokio::spawn(work).await.map_err(Error::internal)?
    }

    /// Parts with a number above `after`, ascending.
    pub async fn parts(&self, path: &NodePath, id: Uuid, after: u32, limit: usize) -> Result<Vec<Part>> {
        self.upload(path, id).await?;
        self.core.inner.index.parts(id, after, limit).await
    }

    /// Open uploads of this principal below a path, in the order of their paths and beginnings.
    pub async fn uploads(&self, below: &NodePath) -> Result<Vec<Upload>> {
        let now = now_ns();
        let mut uploads: Vec<Upload> = self
            .core
            .inner
            .index
            .uploads()
            .await?
            .into_iter()
            .filter(|upload| upload.principal == self.principal.login && upload.expires_ns > now)
            .filter(|upload| NodePath::parse(&upload.path).is_ok_and(|path| path.is_within(below)))
            .collect();
        uploads.sort_by(|a, b| (&a.path, a.id).cmp(&(&b.path, b.id)));
        Ok(uploads)
    }

    /// Makes the parts one leaf. The ETag is MD5 over the parts' MD5s, `-`, their number.
    ///
    /// Done again by a client that missed the answer, it answers the same as long as the leaf still
    /// is what the first time made of it.
    pub async fn complete_upload(&self, path: &NodePath, id: Uuid, how: Complete) -> Result<Written> {
        let named = how.parts.clone();
        match self.complete_once(path, id, how).await {
            // Of completions at the same time one takes the parts from the others.
            Err(error @ (Error::NoSuchUpload(_) | Error::InvalidPart { .. })) => {
                self.completed_before(path, id, named.as_deref()).await?.ok_or(error)
            }
            done => done,
        }
    }

    async fn completed_before(
        &self,
        path: &NodePath,
        id: Uuid,
        named: Option<&[PartRef]>,
    ) -> Result<Option<Written>> {
        let place = self.place_below_root(path, "write").await?;
        let found = self.find_at(&place).await?;
        self.require_write(&place, &found, "write")?;
        let Some(node) = found.node().filter(|node| node.came_from(id)) else { return Ok(None) };
        let same = named.is_none_or(|named| {
            let etags: Option<Vec<&str>> = named.iter().map(|part| part.etag.as_deref()).collect();
            etags.and_then(|etags| etag_of(etags.into_iter()).ok()).is_some_and(|etag| etag == node.etag)
        });
        Ok(same.then(|| Written { node: shown(&place, node.clone()), path: path.clone(), created: false }))
    }

    async fn complete_once(&self, path: &NodePath, id: Uuid, how: Complete) -> Result<Written> {
        if how.write.late.is_some() {
            return Err(Error::NotImplemented("a digest behind a list of parts"));
        }
        let upload = self.upload(path, id).await?;
        let place = self.place_below_root(path, "write").await?;
        if place.mounted.name != upload.datasource {
            return Err(Error::Conflict(format!("`{path}` leads to another datasource now")));
        }
        self.find_at(&place).await?;
        let stored = self.core.inner.index.parts(id, 0, PART_MAX as usize).await?;
        let parts = chosen(stored, &how)?;
        let size = parts.iter().map(|part| part.size).sum();
        for limit in [self.core.settings().max_leaf_bytes, how.max_bytes] {
            if limit > 0 && size > limit {
                return Err(Error::TooLarge { size, limit });
            }
        }
        let attributes = parts::attributes_of(&upload, &parts, &how.write.checksums, how.digest_of)?;
        // On disk a leaf is one file: joined before the commit, like any body.
        let joined = match place.mounted.bytes.form() {
            Form::Flat => None,
            Form::Structured => Some(join(&place, &parts).await?),
        };
        let tree = self.clone();
        let work = async move {
            let joined = Arc::new(joined);
            let (worker, bytes, core) = (tree.clone(), joined.clone(), tree.core.clone());
            let written = core
                .commit(move |txn| {
                    Box::pin(async move {
                        let held = bytes.as_ref().as_ref();
                        worker.complete_in(txn, place, upload, (parts, attributes), held, &how).await
                    })
                })
                .await?;
            if let Some(Some(Held::Staged(guard))) = Arc::into_inner(joined) {
                guard.keep().await;
            }
            tree.core.janitor().wake();
            Ok(written)
        };
        tokio::spawn(work).await.map_err(Error::internal)?
    }

    async fn complete_in(
        &self,
        txn: &mut dyn Txn,
        place: Place,
        upload: Upload,
        (parts, attributes): (Vec<Part>, Attributes),
        joined: Option<&Held>,
        how: &Complete,
    ) -> Result<Written> {
        if txn.upload(upload.id).await?.is_none() {
            return Err(Error::NoSuchUpload(upload.id.to_string()));
        }
        let stored = txn.parts(upload.id).await?;
        if !parts.iter().all(|part| stored.contains(part)) {
            return Err(Error::Conflict("a part was replaced while the upload was completed".into()));
        }
        let found = self.find_in(txn, &place).await?;
        self.require_write(&place, &found, "write")?;
        self.require_collections(&place, &found)?;
        let shown = place.path.to_string();
        if found.node().is_some_and(crate::node::Node::is_collection) {
            return Err(Error::IsACollection(shown));
        }
        if found.node().is_some() && how.write.existing == Existing::Refuse {
            return Err(Error::AlreadyExists(shown));
        }
        if found.missing > 1 && how.write.parents == Parents::MustExist {
            return Err(Error::ParentMissing(shown));
        }
        how.write.conditions.check_write(found.node(), &shown)?;
        let membership = found.node().is_none();
        self.require_unlocked(txn, &place, &found, membership, &how.write.tokens).await?;

        let size = parts.iter().map(|part| part.size).sum();
        let content = match (joined, parts.as_slice()) {
            (Some(_), _) => Content::Path,
            (None, [only]) => only.content.clone(),
            (None, parts) => {
                let extents = extents_of(txn, parts).await?;
                if extents.is_empty() {
                    Content::None
                } else {
                    let list = Uuid::new_v4();
                    txn.put_extents(list, &extents).await?;
                    Content::Extents(list)
                }
            }
        };
        let dress = Dress {
            size,
            etag: etag_of(parts.iter().map(|part| part.etag.as_str()))?,
            mime: upload.mime.clone(),
            mtime_ns: upload.mtime_ns.or(how.write.mtime_ns),
            attributes,
        };
        let datasource = place.mounted.name.clone();
        let written = self.settle_leaf(txn, place, found, content, joined, dress).await?;
        txn.delete_upload(upload.id).await?;
        // A list of extents was taken over whole, or piece by piece.
        let kept: Vec<&Content> = match (joined, parts.as_slice()) {
            (Some(_), _) => Vec::new(),
            (None, [only]) => vec![&only.content],
            (None, parts) => {
                let held = parts.iter().map(|part| &part.content);
                held.filter(|content| !matches!(content, Content::Extents(_))).collect()
            }
        };
        for part in &stored {
            if !kept.contains(&&part.content) {
                release(txn, &datasource, &part.content).await?;
            }
        }
        Ok(written)
    }

    /// Drops an upload and its parts; with `begun_s`, only one that began in that second.
    pub async fn abort_upload(&self, path: &NodePath, id: Uuid, begun_s: Option<i64>) -> Result<()> {
        let upload = self.upload(path, id).await?;
        if begun_s.is_some_and(|begun_s| begun_s != upload.created_ns.div_euclid(1_000_000_000)) {
            return Err(Error::PreconditionFailed(path.to_string()));
        }
        self.core.commit(move |txn| Box::pin(async move { drop_upload(txn, id).await })).await?;
        self.core.janitor().wake();
        Ok(())
    }
}

/// Puts a part into its upload, in the place of the one with its number.
pub(crate) async fn settle_part(txn: &mut dyn Txn, datasource: &str, part: Part) -> Result<Part> {
    if txn.upload(part.upload).await?.is_none() {
        return Err(Error::NoSuchUpload(part.upload.to_string()));
    }
    if let Some(old) = txn.put_part(&part).await? {
        release(txn, datasource, &old.content).await?;
    }
    Ok(part)
}

/// The pieces that parts are made of, in order.
async fn extents_of(txn: &mut dyn Txn, parts: &[Part]) -> Result<Vec<Extent>> {
    let mut extents = Vec::with_capacity(parts.len());
    for part in parts.iter().filter(|part| part.size > 0) {
        match part.content {
            Content::Extents(list) => {
                let pieces = txn.extents(list).await?;
                extents.extend(pieces.ok_or_else(|| Error::internal("a part's list of extents is gone"))?);
            }
            _ => extents.push(Extent { content: part.content.to_text(), start: 0, size: part.size }),
        }
    }
    Ok(extents)
}

/// Deletes an upload with what its parts hold. A missing one is fine: somebody was faster.
pub(crate) async fn drop_upload(txn: &mut dyn Txn, id: Uuid) -> Result<()> {
    let Some(upload) = txn.upload(id).await? else { return Ok(()) };
    let parts = txn.parts(id).await?;
    txn.delete_upload(id).await?;
    for part in parts {
        release(txn, &upload.datasource, &part.content).await?;
    }
    Ok(())
}

/// The stored parts that the client names, in its order.
fn chosen(stored: Vec<Part>, how: &Complete) -> Result<Vec<Part>> {
    let parts = match &how.parts {
        None => stored,
        Some(named) => {
            let mut parts = Vec::with_capacity(named.len());
            let mut last = 0;
            for part in named {
                let number = part.number;
                if number <= last {
                    return Err(Error::InvalidPart { number, reason: "part numbers must ascend" });
                }
                last = number;
                let held = stored
                    .binary_search_by_key(&number, |held| held.number)
                    .ok()
                    .and_then(|at| stored.get(at))
                    .ok_or(Error::InvalidPart { number, reason: "this part was not uploaded" })?;
                if part.etag.as_ref().is_some_and(|etag| *etag != held.etag) {
                    return Err(Error::InvalidPart { number, reason: "its ETag is another" });
                }
                if part.digest.as_ref().is_some_and(|claim| differs(held, claim)) {
                    return Err(Error::InvalidPart { number, reason: "its checksum is another" });
                }
                parts.push(held.clone());
            }
            parts
        }
    };
    let Some((_, before)) = parts.split_last() else {
        return Err(Error::InvalidPart { number: 1, reason: "an upload needs a part" });
    };
    if let Some(small) = before.iter().find(|part| part.size < how.min_part_bytes) {
        return Err(Error::PartTooSmall(small.number));
    }
    if let Some(expected) = how.write.size {
        let received = parts.iter().map(|part| part.size).sum();
        if received != expected {
            return Err(Error::LengthMismatch { expected, received });
        }
    }
    Ok(parts)
}

fn differs(held: &Part, claim: &Checksum) -> bool {
    let stored = held.digests.get(&Checksum::attribute(claim.algorithm));
    stored.is_none_or(|stored| stored != base64(&claim.value))
}

fn etag_of<'a>(parts: impl Iterator<Item = &'a str>) -> Result<String> {
    let mut all = md5::Md5::new();
    let mut count = 0;
    for etag in parts {
        all.update(hex::decode(etag).map_err(Error::internal)?);
        count += 1;
    }
    Ok(format!("{}-{count}", hex::encode(all.finalize())))
}

async fn join(place: &Place, parts: &[Part]) -> Result<Held> {
    use futures_util::TryStreamExt as _;
    let size = parts.iter().map(|part| part.size).sum();
    let mut staging = place.mounted.bytes.stage(Some(size)).await?;
    for part in parts {
        let Content::Blob(blob) = part.content else { continue };
        let bits = place.mounted.bytes.read(Source::Blob(blob), 0, part.size).await?;
        let mut stream = into_stream(bits);
        while let Some(bytes) = stream.try_next().await? {
            staging.write(bytes).await?;
        }
    }
    Ok(Held::Staged(StagedGuard::new(place.mounted.clone(), staging.finish().await?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(number: u32, size: u64, etag: &str) -> Part {
        Part {
            upload: Uuid::nil(),
            number,
            size,
            etag: etag.to_owned(),
            content: Content::None,
            at_ns: 0,
            digests: Attributes::default(),
        }
    }

    fn named(numbers: &[(u32, &str)], min_part_bytes: u64) -> Complete {
        let parts = numbers
            .iter()
            .map(|(number, etag)| PartRef { number: *number, etag: Some((*etag).to_owned()), digest: None })
            .collect();
        Complete { parts: Some(parts), min_part_bytes, ..Complete::default() }
    }

    #[test]
    fn parts_must_be_there_in_order_and_large_enough() {
        let stored = || vec![part(1, 5, "a"), part(3, 5, "b"), part(4, 1, "c")];
        assert_eq!(chosen(stored(), &named(&[(1, "a"), (4, "c")], 5)).unwrap().len(), 2);
        for (wrong, min) in [
            (vec![(3, "b"), (1, "a")], 0),
            (vec![(1, "a"), (1, "a")], 0),
            (vec![(2, "a")], 0),
            (vec![(1, "b")], 0),
            (vec![], 0),
            (vec![(1, "a"), (4, "c")], 6),
        ] {
            assert!(chosen(stored(), &named(&wrong, min)).is_err(), "{wrong:?}");
        }
    }

    /// As S3 does: MD5 over the binary MD5s of the parts.
    #[test]
    fn a_multipart_etag_is_the_digest_of_digests() {
        let etag = "5d41402abc4b2a76b9719d911017c592"; // MD5 of `hello`
        let expected = {
            let mut all = md5::Md5::new();
            all.update(hex::decode(etag).unwrap());
            all.update(hex::decode(etag).unwrap());
            format!("{}-2", hex::encode(all.finalize()))
        };
        assert_eq!(etag_of([etag, etag].into_iter()).unwrap(), expected);
    }
}
