//! Parts that are copied from a leaf.
//!
//! Within a `flat` datasource a part shares the blobs of its source: its bytes are read for their
//! digests, and not written again.

use uuid::Uuid;

use crate::core::Mounted;
use crate::error::{Error, Result};
use crate::http::date::now_ns;
use crate::node::{Content, Extent, Node};
use crate::path::NodePath;
use crate::ports::Form;
use crate::tree::content::{digested, into_stream, spans};
use crate::tree::uploads::settle_part;
use crate::tree::{ReadOptions, Tree, Write};
use crate::upload::Part;

/// A range of more pieces than this is copied: a list is read with every look into its leaf, and
/// may grow by that much for each of its parts.
const PIECES_MAX: usize = 4;

impl Tree {
    /// Stores a range of a leaf as one part of an upload; a part with that number is replaced.
    pub async fn copy_part(
        &self,
        from: &NodePath,
        options: &ReadOptions,
        path: &NodePath,
        id: Uuid,
        number: u32,
    ) -> Result<Part> {
        let upload = self.open_upload(path, id, number).await?;
        let source = self.place_below_root(from, "copy").await?;
        let read = self.read(from, options).await?;
        let (start, end) = read.range.map_or((0, read.node.size), |range| (range.start, range.end));
        let pieces = match source.mounted.name == upload.datasource {
            true => self.pieces(&source.mounted, &read.node, start, end).await?,
            false => None,
        };
        let body = into_stream(read.bits);
        let Some(pieces) = pieces else {
            let how = Write { size: Some(end - start), ..Write::default() };
            return self.write_part(path, id, number, body, how).await;
        };
        let algorithm = upload.computed().map(|digest| digest.algorithm);
        let (etag, digests) = digested(body, algorithm.as_slice()).await?;
        let list = Uuid::now_v7();
        let (size, content) = (end - start, Content::Extents(list));
        let part = Part { upload: id, number, size, etag, content, at_ns: now_ns(), digests };
        let (shared, shown) = (read.node.content, from.to_string());
        let part = self.core.commit(move |txn| {
            Box::pin(async move {
                // What nothing refers to any more is on its way out.
                if !txn.is_referenced(&shared).await? {
                    return Err(Error::Unavailable(format!("`{shown}` keeps changing")));
                }
                txn.put_extents(list, &pieces).await?;
                settle_part(txn, &upload.datasource, part).await
            })
        });
        let part = part.await?;
        self.core.janitor().wake();
        Ok(part)
    }

    /// What a range of a leaf is made of, where a part can share it.
    async fn pieces(
        &self,
        mounted: &Mounted,
        node: &Node,
        start: u64,
        end: u64,
    ) -> Result<Option<Vec<Extent>>> {
        if mounted.bytes.form() != Form::Flat || end - start <= mounted.bytes.inline_limit() {
            return Ok(None);
        }
        let spans = match &node.content {
            Content::Blob(_) => vec![(node.content.clone(), start, end)],
            Content::Extents(list) => match self.core.inner.index.extents(*list).await? {
                Some(extents) => spans(&extents, start, end)?,
                None => return Ok(None),
            },
            _ => return Ok(None),
        };
        let extents = spans.into_iter().map(|(content, start, end)| Extent {
            content: content.to_text(),
            start,
            size: end - start,
        });
        Ok(Some(extents.collect::<Vec<_>>()).filter(|extents| extents.len() <= PIECES_MAX))
    }
}
