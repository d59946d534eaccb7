//! Contents that were made because the recording lacks them, found again in answers.
//!
//! A recorded download has the digest of the recorded upload, but that is known of plain uploads only:
//! not of those in frames or parts, nor of ranges. Where the fresh answer is what was made in the place
//! of the upload, its digest stands for the recorded one.

use bytes::Bytes;
use cellgate_record::{Answered, Payload, Sent};
use sha2::{Digest as _, Sha256};

use crate::Values;
use crate::send::{Body, Content, Made};
use crate::sign::{Frames, Query};

/// Larger ones are not put together again and again to look for them.
const LENGTH_MAX: u64 = 1 << 30;

#[derive(Default)]
pub struct Replaced {
    contents: Vec<Content>,
    /// Parts of uploads, by what the upload is called, in the order of their numbers.
    uploads: Vec<(String, Vec<(u64, Made)>)>,
}

impl Replaced {
    /// Remembers a body that had to be made.
    pub fn add(&mut self, sent: &Sent, body: &Body) {
        let (Body::Plain(content) | Body::Framed(Frames { content, .. })) = body;
        let Content::Made(made) = content else { return };
        self.contents.push(content.clone());
        let query = Query::of(&sent.target);
        let number = query.get("partNumber").and_then(|number| number.parse().ok());
        let (Some(upload), Some(number)) = (query.get("uploadId"), number) else { return };
        let parts = match self.uploads.iter_mut().find(|(known, _)| *known == upload) {
            Some((_, parts)) => parts,
            None => {
                self.uploads.push((upload, Vec::new()));
                match self.uploads.last_mut() {
                    Some((_, parts)) => parts,
                    None => return,
                }
            }
        };
        parts.retain(|(known, _)| *known != number);
        parts.push((number, *made));
        parts.sort_by_key(|(number, _)| *number);
    }

    /// Binds the digest of a recorded answer to that of the fresh one, where that is made content.
    pub fn bind(&self, recorded: &Answered, fresh: &Answered, values: &mut Values) {
        if self.contents.is_empty()
            || recorded.body.length() != fresh.body.length()
            || recorded.body.length() == 0
        {
            return;
        }
        let (Some(then), Some(now)) = (sha256(&recorded.body), sha256(&fresh.body)) else { return };
        if then != now && values.get(&then).is_none() && self.holds(fresh, &now) {
            values.set_content(&then, &now);
        }
    }

    fn holds(&self, fresh: &Answered, digest: &str) -> bool {
        let length = fresh.body.length();
        let (from, total) = match fresh.status {
            206 => match fresh.header("content-range").and_then(range) {
                Some(range) => range,
                None => return false,
            },
            _ => (0, length),
        };
        if total > LENGTH_MAX {
            return false;
        }
        let whole = self.contents.iter().filter(|content| content.length() == total);
        if whole.into_iter().any(|content| hash(content.slice(from, length)) == digest) {
            return true;
        }
        let uploads = self.uploads.iter().map(|(_, parts)| parts);
        uploads.into_iter().any(|parts| {
            let parts: Vec<Content> = parts.iter().map(|(_, made)| Content::Made(*made)).collect();
            parts.iter().map(Content::length).sum::<u64>() == total
                && hash(part(parts, from, length)) == digest
        })
    }
}

/// A range over contents in a row.
fn part(contents: Vec<Content>, from: u64, length: u64) -> impl Iterator<Item = Bytes> {
    let (mut skip, mut left) = (from, length);
    contents.into_iter().flat_map(move |content| {
        let start = skip.min(content.length());
        skip -= start;
        let take = left.min(content.length() - start);
        left -= take;
        content.slice(start, take)
    })
}

/// `bytes 0-99/1000`
fn range(text: &str) -> Option<(u64, u64)> {
    let (range, total) = text.strip_prefix("bytes ")?.split_once('/')?;
    Some((range.split_once('-')?.0.parse().ok()?, total.parse().ok()?))
}

fn sha256(body: &Payload) -> Option<String> {
    match body {
        Payload::Bytes(bytes) => Some(hex::encode(Sha256::digest(bytes))),
        Payload::Omitted { sha256, .. } => sha256.clone(),
    }
}

fn hash(pieces: impl Iterator<Item = Bytes>) -> String {
    let mut hasher = Sha256::new();
    pieces.for_each(|piece| hasher.update(&piece));
    hex::encode(hasher.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::sent;

    fn answer(status: u16, body: Vec<u8>, range: Option<&str>) -> Answered {
        let headers = range.map(|range| ("Content-Range".to_owned(), range.to_owned())).into_iter().collect();
        Answered { status, headers, body: Payload::Bytes(body.into()) }
    }

    fn recorded(length: u64) -> Answered {
        let body = Payload::Omitted { length, sha256: Some("ab".repeat(32)) };
        Answered { status: 200, headers: Vec::new(), body }
    }

    fn bytes(pieces: impl Iterator<Item = Bytes>) -> Vec<u8> {
        pieces.flat_map(|piece| piece.to_vec()).collect()
    }

    fn binds(replaced: &Replaced, recorded: &Answered, fresh: &Answered) -> bool {
        let mut values = Values::default();
        replaced.bind(recorded, fresh, &mut values);
        values.get(&"ab".repeat(32)).is_some()
    }

    #[test]
    fn a_download_of_made_content_is_known() {
        let content = Content::Made(Made::new("x", 100_000));
        let mut replaced = Replaced::default();
        replaced.add(&sent("PUT", "/io/a", &[]), &Body::Plain(content.clone()));
        let whole = answer(200, bytes(content.pieces()), None);
        assert!(binds(&replaced, &recorded(100_000), &whole));
        let some = answer(206, bytes(content.slice(70, 100)), Some("bytes 70-169/100000"));
        assert!(binds(&replaced, &recorded(100), &some));
        let shifted = answer(206, bytes(content.slice(71, 100)), Some("bytes 70-169/100000"));
        assert!(!binds(&replaced, &recorded(100), &shifted));
        assert!(!binds(&replaced, &recorded(100_000), &answer(200, vec![0; 100_000], None)));
        assert!(!binds(&replaced, &recorded(99_999), &whole));
    }

    #[test]
    fn parts_of_an_upload_make_one_content() {
        let mut replaced = Replaced::default();
        let parts = [Made::new("1", 70_000), Made::new("2", 50_000)];
        for (number, made) in [(2, parts[1]), (1, Made::new("other", 9)), (1, parts[0])] {
            let target = format!("/io/a?partNumber={number}&uploadId=u");
            replaced.add(&sent("PUT", &target, &[]), &Body::Plain(Content::Made(made)));
        }
        let contents = parts.map(Content::Made);
        let all: Vec<u8> = contents.iter().flat_map(|content| bytes(content.pieces())).collect();
        assert!(binds(&replaced, &recorded(120_000), &answer(200, all.clone(), None)));
        let middle = answer(206, all[69_990..70_010].to_vec(), Some("bytes 69990-70009/120000"));
        assert!(binds(&replaced, &recorded(20), &middle));
    }
}
