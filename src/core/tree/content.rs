//! How the bytes of a leaf are kept: in the index, as a blob, as several blobs, or at a path.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt, TryStreamExt};
use uuid::Uuid;

use crate::content::{Algorithm, Checksum, verify};
use crate::core::Mounted;
use crate::digest::Digester;
use crate::error::{Error, Result};
use crate::node::{Attributes, Content, Extent};
use crate::ports::{Bits, ByteStream, Form, Source, Staged, Stamp, Txn, View};
use crate::tree::{Tree, Write};

/// Bytes that arrived whole and in order, and are durable or small enough for the commit itself.
pub(crate) struct Received {
    pub size: u64,
    /// MD5, hex.
    pub md5: String,
    /// Verified or asked-for digests, as attributes.
    pub digests: Attributes,
    pub bytes: Held,
}

/// Where received bytes wait for their commit.
pub(crate) enum Held {
    Inline(Bytes),
    Staged(StagedGuard),
}

/// Removes a staged blob unless a commit took it over: whoever fails or disconnects in between
/// leaves nothing.
pub(crate) struct StagedGuard {
    mounted: Arc<Mounted>,
    staged: Option<Staged>,
}

impl StagedGuard {
    pub fn new(mounted: Arc<Mounted>, staged: Staged) -> Self {
        Self { mounted, staged: Some(staged) }
    }

    pub fn blob(&self) -> Uuid {
        self.staged.as_ref().map_or_else(Uuid::nil, |staged| staged.blob)
    }

    /// The commit holds: the blob is the tree's now.
    pub async fn keep(mut self) {
        let Some(staged) = self.staged.take() else { return };
        if self.mounted.bytes.form() == Form::Structured {
            return; // published within the commit
        }
        if let Err(error) = self.mounted.bytes.promote(&[staged.blob]).await {
            // It stays readable where it is, and the next start promotes it.
            tracing::warn!(blob = %staged.blob, error = %error.chain(), "blob not promoted yet");
        }
    }
}

impl Drop for StagedGuard {
    fn drop(&mut self) {
        let Some(staged) = self.staged.take() else { return };
        let mounted = self.mounted.clone();
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                if let Err(error) = mounted.bytes.remove(&[staged.blob]).await {
                    tracing::warn!(blob = %staged.blob, error = %error.chain(), "staged blob left behind");
                }
            });
        }
    }
}

impl Tree {
    /// Takes in a body: counts, hashes, checks, and keeps it durable. Nothing is left on an error.
    pub(crate) async fn receive(
        &self,
        mounted: &Arc<Mounted>,
        mut body: ByteStream,
        how: &mut Write,
    ) -> Result<Received> {
        let limit = match self.core.settings().max_leaf_bytes {
            0 => u64::MAX,
            limit => limit,
        };
        if let Some(size) = how.size
            && size > limit
        {
            return Err(Error::TooLarge { size, limit });
        }
        let inline_limit = mounted.bytes.inline_limit();
        let algorithms = algorithms(how);
        let mut digester = Digester::new(&algorithms);
        let mut small = BytesMut::new();
        let mut staging = None;
        let mut received: u64 = 0;
        while let Some(bytes) = body.try_next().await? {
            received += bytes.len() as u64;
            if received > limit {
                return Err(Error::TooLarge { size: received, limit });
            }
            if let Some(expected) = how.size
                && received > expected
            {
                return Err(Error::LengthMismatch { expected, received });
            }
            digester.update(&bytes).await?;
            match &mut staging {
                None if received <= inline_limit => small.extend_from_slice(&bytes),
                None => {
                    let mut new = mounted.bytes.stage(how.size).await?;
                    if !small.is_empty() {
                        new.write(small.split().freeze()).await?;
                    }
                    new.write(bytes).await?;
                    staging = Some(new);
                }
                Some(staging) => staging.write(bytes).await?,
            }
        }
        if let Some(expected) = how.size
            && received != expected
        {
            return Err(Error::LengthMismatch { expected, received });
        }
        let (md5, computed) = digester.finish().await?;
        verify(&how.checksums, &computed)?;
        let mut promised: Vec<Algorithm> = how.checksums.iter().map(|sum| sum.algorithm).collect();
        if let Some(late) = how.late.take() {
            let late = late()?;
            verify(&late, &computed)?;
            promised.extend(late.iter().map(|sum| sum.algorithm));
        }
        let mut digests = Attributes::default();
        for checksum in &computed {
            let kept = checksum.algorithm != Algorithm::ContentMd5;
            if kept && (promised.contains(&checksum.algorithm) || how.compute.contains(&checksum.algorithm)) {
                digests.set(Checksum::attribute(checksum.algorithm), base64(&checksum.value));
            }
        }
        let bytes = match staging {
            Some(staging) => Held::Staged(StagedGuard::new(mounted.clone(), staging.finish().await?)),
            // A structured leaf is a file even when it is empty.
            None if mounted.bytes.form() == Form::Structured => {
                let staged = mounted.bytes.stage(Some(0)).await?.finish().await?;
                Held::Staged(StagedGuard::new(mounted.clone(), staged))
            }
            None => Held::Inline(small.freeze()),
        };
        Ok(Received { size: received, md5, digests, bytes })
    }

    /// Opens a content: `[start, end)` of it.
    pub(crate) async fn open_content(
        &self,
        mounted: &Arc<Mounted>,
        content: &Content,
        names: &[String],
        stamp: Stamp,
        start: u64,
        end: u64,
    ) -> Result<Bits> {
        if start >= end {
            return Ok(Bits::Whole(Bytes::new()));
        }
        let index = &self.core.inner.index;
        match content {
            Content::None => Ok(Bits::Whole(Bytes::new())),
            Content::Inline(id) => inline_slice(index.as_ref(), *id, start, end).await.map(Bits::Whole),
            Content::Blob(id) => mounted.bytes.read(Source::Blob(*id), start, end).await,
            Content::Path => mounted.bytes.read(Source::Path { names, stamp }, start, end).await,
            Content::Extents(id) => {
                let extents = index
                    .extents(*id)
                    .await?
                    .ok_or_else(|| Error::internal("a leaf's list of extents is gone"))?;
                let spans = spans(&extents, start, end)?;
                let (mounted, index) = (mounted.clone(), index.clone());
                let pieces = futures_util::stream::iter(spans.into_iter().map(Ok))
                    .and_then(move |(content, start, end)| {
                        let (mounted, index) = (mounted.clone(), index.clone());
                        async move {
                            let bits = match content {
                                Content::Inline(id) => {
                                    Bits::Whole(inline_slice(index.as_ref(), id, start, end).await?)
                                }
                                Content::Blob(id) => mounted.bytes.read(Source::Blob(id), start, end).await?,
                                _ => return Err(Error::internal("an extent of an extent")),
                            };
                            Ok(into_stream(bits))
                        }
                    })
                    .try_flatten();
                Ok(Bits::Stream(pieces.boxed()))
            }
        }
    }
}

/// MD5, in hex, and further digests of a content that is read through.
pub(crate) async fn digested(mut body: ByteStream, algorithms: &[Algorithm]) -> Result<(String, Attributes)> {
    let mut digester = Digester::new(algorithms);
    while let Some(bytes) = body.try_next().await? {
        digester.update(&bytes).await?;
    }
    let (md5, sums) = digester.finish().await?;
    let mut digests = Attributes::default();
    for sum in sums {
        sum.keep(&mut digests);
    }
    Ok((md5, digests))
}

/// Writes received bytes into a transaction and says how the node refers to them. For `structured`
/// datasources publishing onto the path is the caller's last step.
pub(crate) async fn put_content(txn: &mut dyn Txn, mounted: &Mounted, held: &Held) -> Result<Content> {
    match held {
        Held::Inline(bytes) if bytes.is_empty() => Ok(Content::None),
        Held::Inline(bytes) => {
            // Ids in order of time: new rows stand side by side in every index that has them, so the
            // mutations of a commit share pages instead of dirtying one each.
            let id = Uuid::now_v7();
            txn.put_inline(id, bytes).await?;
            Ok(Content::Inline(id))
        }
        Held::Staged(guard) => Ok(match mounted.bytes.form() {
            Form::Flat => Content::Blob(guard.blob()),
            Form::Structured => Content::Path,
        }),
    }
}

/// Lets go of a content that a row referred to until now. What nothing refers to any more goes:
/// inline bytes with this commit, blobs after it.
pub(crate) async fn release(txn: &mut dyn Txn, datasource: &str, content: &Content) -> Result<()> {
    let mut contents = vec![content.clone()];
    while let Some(content) = contents.pop() {
        if matches!(content, Content::None | Content::Path) || txn.is_referenced(&content).await? {
            continue;
        }
        match content {
            Content::Inline(id) => txn.delete_inline(id).await?,
            Content::Blob(id) => txn.discard_blob(datasource, id).await?,
            Content::Extents(id) => {
                let extents = txn.extents(id).await?.unwrap_or_default();
                txn.delete_inline(id).await?;
                contents.extend(extents.iter().filter_map(|extent| Content::from_text(&extent.content)));
            }
            Content::None | Content::Path => {}
        }
    }
    Ok(())
}

pub(crate) fn into_stream(bits: Bits) -> ByteStream {
    bits.into_stream()
}

async fn inline_slice(view: &(impl View + ?Sized), id: Uuid, start: u64, end: u64) -> Result<Bytes> {
    let bytes = view.inline(id).await?.ok_or_else(|| Error::internal("a leaf's inline bytes are gone"))?;
    let range = usize::try_from(start).ok().zip(usize::try_from(end).ok());
    match range {
        Some((start, end)) if start <= end && end <= bytes.len() => Ok(bytes.slice(start..end)),
        _ => Err(Error::internal("a leaf's inline bytes are shorter than its size")),
    }
}

/// The pieces of the extents that `[start, end)` covers: each with its place in what holds it.
pub(crate) fn spans(extents: &[Extent], start: u64, end: u64) -> Result<Vec<(Content, u64, u64)>> {
    let mut spans = Vec::new();
    let mut offset: u64 = 0;
    for extent in extents {
        let (from, to) = (start.max(offset), end.min(offset + extent.size));
        if from < to {
            let content = Content::from_text(&extent.content)
                .ok_or_else(|| Error::internal("an extent that cannot be read"))?;
            spans.push((content, extent.start + from - offset, extent.start + to - offset));
        }
        offset += extent.size;
    }
    if offset < end {
        return Err(Error::internal("a leaf's extents are shorter than its size"));
    }
    Ok(spans)
}

fn algorithms(how: &Write) -> Vec<Algorithm> {
    let mut algorithms: Vec<Algorithm> =
        how.checksums.iter().map(|sum| sum.algorithm).chain(how.compute.iter().copied()).collect();
    algorithms.sort_unstable();
    algorithms.dedup();
    algorithms
}

pub(crate) fn base64(bytes: &[u8]) -> String {
    use ::base64::Engine as _;
    ::base64::engine::general_purpose::STANDARD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_covers_the_right_pieces_of_extents() {
        let (a, b) = (Uuid::new_v4(), Uuid::new_v4());
        let extents = [
            Extent { content: Content::Blob(a).to_text(), start: 0, size: 10 },
            Extent { content: Content::Inline(b).to_text(), start: 100, size: 5 },
        ];
        let (a, b) = (Content::Blob(a), Content::Inline(b));
        assert_eq!(spans(&extents, 0, 15).unwrap(), [(a.clone(), 0, 10), (b.clone(), 100, 105)]);
        assert_eq!(spans(&extents, 9, 11).unwrap(), [(a, 9, 10), (b.clone(), 100, 101)]);
        assert_eq!(spans(&extents, 11, 13).unwrap(), [(b, 101, 103)]);
        assert!(spans(&extents, 0, 16).is_err());
    }
}
