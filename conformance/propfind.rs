//! A folder with many files, listed by one PROPFIND: the answer must stream, in bounded memory.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Instant;

use bytes::Bytes;
use futures_util::StreamExt as _;

use crate::Outcome;
use crate::engine::Stage;
use crate::gateway::{Gateway, Installation};
use crate::matrix::doors::{self, Dav, Door, S3};
use crate::prepare::Workshop;
use crate::tally::Tally;

const FOLDER: &str = "/personal-files/many";
/// Writers at the same time: group commit makes many small files durable at once.
const WRITERS: usize = 64;
/// What a listing may cost, however long it is.
const GROWTH_MAX: u64 = 16 << 20;

pub async fn run(files: u32, stage: &Stage, workshop: &Workshop, tally: &mut Tally) {
    let step = format!("propfind {}", stage.name());
    tally.step(&step);
    let played = async {
        let installation = stage.installation(workshop, "propfind").await?;
        fill_and_list(files, &installation, tally, &step).await
    };
    if let Err(why) = played.await {
        tally.failed(&step, "propfind", &why);
    }
}

async fn fill_and_list(files: u32, installation: &Installation, tally: &mut Tally, step: &str) -> Outcome {
    let gateway = installation.serve(None).await?;
    let account = installation.account("alice").await?;
    let client = doors::client()?;
    let s3 = Arc::new(S3::new(&client, &gateway.url, &account.key_id, &account.key_secret));
    let title = format!("{files} files by PUT");
    tally.case(step, &title, fill(s3, files)).await;
    // Started anew, so that what the writing left in memory is not taken for the listing's.
    let address = gateway.address().to_owned();
    gateway.stop().await?;
    let gateway = installation.serve(Some(&address)).await?;
    let dav = Dav::new(&client, &gateway.url, &account);
    // The password is hashed once, and the pages of the binary are in memory.
    dav.list("/personal-files").await.map_err(|fault| fault.to_string())?;
    let title = format!("PROPFIND of {files} files");
    tally.case(step, &title, list(&dav, &gateway, files)).await;
    gateway.stop().await
}

async fn fill(s3: Arc<S3>, files: u32) -> Outcome<String> {
    let begun = Instant::now();
    let next = Arc::new(AtomicU32::new(0));
    let writers = (0..WRITERS).map(|_| {
        let (s3, next) = (s3.clone(), next.clone());
        tokio::spawn(async move {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= files {
                    return Ok(());
                }
                let path = format!("{FOLDER}/file {number:06}.txt");
                s3.write(&path, Bytes::from(format!("{number}\n")))
                    .await
                    .map_err(|fault| fault.to_string())?;
            }
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.map_err(|error| error.to_string()).flatten()?;
    }
    let per_second = f64::from(files) / begun.elapsed().as_secs_f64();
    Ok(format!("{per_second:.0} per second"))
}

async fn list(dav: &Dav, gateway: &Gateway, files: u32) -> Outcome<String> {
    let before = gateway.memory()?;
    let request = dav.request("PROPFIND", &format!("{FOLDER}/")).map_err(|fault| fault.to_string())?;
    let begun = Instant::now();
    let response = request.header("Depth", "1").send().await.map_err(|error| error.to_string())?;
    if response.status() != reqwest::StatusCode::MULTI_STATUS {
        return Err(format!("the answer is {}", response.status()));
    }
    let mut body = response.bytes_stream();
    let (mut first, mut pieces, mut bytes, mut tags) = (None, 0_u32, 0_usize, 0_u32);
    let mut peak = before;
    // Enough of the piece before to find a tag that lies across.
    let mut tail: Vec<u8> = Vec::new();
    while let Some(piece) = body.next().await {
        let piece = piece.map_err(|error| error.to_string())?;
        first.get_or_insert_with(|| begun.elapsed());
        pieces += 1;
        bytes += piece.len();
        tail.extend_from_slice(&piece);
        tags += count(&tail);
        let keep = tail.len().saturating_sub(END.len() - 1);
        tail.drain(..keep);
        if pieces % 16 == 0 {
            peak = peak.max(gateway.memory()?);
        }
    }
    let total = begun.elapsed();
    peak = peak.max(gateway.memory()?);
    let (first, grown) = (first.ok_or("the answer is empty")?, peak.since(before));
    let told = format!(
        "first byte after {:.1} ms, all {:.1} MB after {:.0} ms in {pieces} pieces; memory grew: {grown}",
        first.as_secs_f64() * 1e3,
        bytes as f64 / 1e6,
        total.as_secs_f64() * 1e3,
    );
    let entries = tags / 2;
    if entries != files + 1 {
        return Err(format!("{entries} entries instead of {}; {told}", files + 1));
    }
    if first >= total / 2 {
        return Err(format!("the answer does not stream; {told}"));
    }
    if grown.resident > GROWTH_MAX {
        return Err(format!("too much memory; {told}"));
    }
    Ok(told)
}

/// Ends the opening and the closing tag of every entry's name; no name contains it.
const END: &[u8] = b"href>";

fn count(bytes: &[u8]) -> u32 {
    let found = bytes.windows(END.len()).filter(|window| *window == END).count();
    u32::try_from(found).unwrap_or(u32::MAX)
}
