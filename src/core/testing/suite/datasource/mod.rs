//! Cases for any datasource. Each gets a fresh, empty one.
//!
//! `blobs` holds for both forms: uploads in parts keep blobs in `structured` ones too.

pub(super) mod blobs;
pub(super) mod flat;
pub(super) mod paths;
pub(super) mod trees;

use std::sync::Arc;

use bytes::Bytes;

use crate::error::Result;
use crate::ports::{Datasource, Source, Staged, Stamp};
use crate::testing::whole;

/// Neither a multiple of a block nor small enough to come whole.
const LARGE_BYTES: usize = 3 * 1024 * 1024 + 17;

/// Bytes that tell every place apart, so that a shifted or repeated piece shows.
fn pattern(len: usize) -> Bytes {
    (0..len).map(|at| (at ^ (at >> 8) ^ (at >> 16)) as u8).collect::<Vec<_>>().into()
}

async fn stage(datasource: &Arc<dyn Datasource>, content: &[u8]) -> Staged {
    let mut staging = datasource.stage(Some(content.len() as u64)).await.unwrap();
    // Pieces as a network brings them: of no round size.
    for piece in content.chunks(61_441) {
        staging.write(Bytes::copy_from_slice(piece)).await.unwrap();
    }
    let staged = staging.finish().await.unwrap();
    assert_eq!(staged.size, content.len() as u64);
    staged
}

async fn read(datasource: &Arc<dyn Datasource>, source: Source<'_>, start: u64, end: u64) -> Result<Bytes> {
    whole(datasource.read(source, start, end).await?).await
}

fn names(path: &str) -> Vec<String> {
    path.split('/').filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

async fn publish(datasource: &Arc<dyn Datasource>, path: &str, content: &[u8]) -> Stamp {
    let staged = stage(datasource, content).await;
    let stamp = datasource.publish(staged.blob, &names(path), None).unwrap();
    assert_eq!(stamp.size, content.len() as u64);
    stamp
}

/// The whole file at a path, if it has this stamp.
async fn content(datasource: &Arc<dyn Datasource>, path: &str, stamp: Stamp) -> Result<Bytes> {
    read(datasource, Source::Path { names: &names(path), stamp }, 0, stamp.size).await
}
