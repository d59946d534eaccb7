//! Contents that were made because the recording lacks them, found again in answers.
//!
//! A recorded download has the digest of the recorded upload, but that is known of plain uploads only:
//! not of those in frames or parts, nor of ranges. And checksums that a server computed stand in answers
//! alone. Where the fresh answer is what was made in the place of the upload, or a digest of it, it
//! stands for the recorded one.

use std::collections::HashSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use cellgate_record::{Answered, Payload, Sent};
use sha2::{Digest as _, Sha256};

use super::digests::{ALGORITHMS, Algorithm};
use crate::Values;
use crate::send::{Body, Content};
use crate::sign::Query;

/// Larger ones are not put together again to look for them.
const LENGTH_MAX: u64 = 1 << 30;

#[derive(Default)]
pub struct Replaced {
    contents: Vec<Content>,
    uploads: Vec<Upload>,
    /// Digests of all of them, as servers write them.
    digests: HashSet<String>,
}

/// An upload in parts, by their numbers.
struct Upload {
    id: String,
    parts: Vec<(u64, Content)>,
}

impl Replaced {
    /// Remembers a body that had to be made, and what it becomes a part of.
    pub fn add(&mut self, sent: &Sent, body: &Body) {
        let query = Query::of(&sent.target);
        let Some(id) = query.get("uploadId") else {
            return self.add_content(body);
        };
        match query.get("partNumber").and_then(|number| number.parse().ok()) {
            Some(number) => {
                self.add_content(body);
                self.add_part(id, number, body);
            }
            // The end of it.
            None if sent.method == "POST" => self.digest_upload(&id),
            None => {}
        }
    }

    fn add_content(&mut self, body: &Body) {
        for content in body.contents().iter().filter(|content| matches!(content, Content::Made(_))) {
            for algorithm in ALGORITHMS {
                let digest = algorithm.of(content.pieces());
                self.digests.extend([hex::encode(&digest), STANDARD.encode(digest)]);
            }
            self.contents.push(content.clone());
        }
    }

    fn add_part(&mut self, id: String, number: u64, body: &Body) {
        let Some(content) = body.contents().first() else { return };
        let part = (number, content.clone());
        match self.uploads.iter_mut().find(|upload| upload.id == id) {
            Some(upload) => {
                upload.parts.retain(|(known, _)| *known != number);
                upload.parts.push(part);
                upload.parts.sort_by_key(|(number, _)| *number);
            }
            None => self.uploads.push(Upload { id, parts: vec![part] }),
        }
    }

    /// S3 digests the whole, or the digests of the parts.
    fn digest_upload(&mut self, id: &str) {
        let Some(upload) = self.uploads.iter().find(|upload| upload.id == id) else { return };
        if !upload.parts.iter().any(|(_, part)| matches!(part, Content::Made(_))) {
            return;
        }
        let count = upload.parts.len();
        for algorithm in ALGORITHMS {
            let digests = upload.parts.iter().flat_map(|(_, part)| algorithm.of(part.pieces()));
            let composite = algorithm.of(std::iter::once(digests.collect::<Vec<u8>>().into()));
            self.digests.extend([
                format!("{}-{count}", hex::encode(&composite)),
                format!("{}-{count}", STANDARD.encode(&composite)),
            ]);
            if upload.length() <= LENGTH_MAX {
                let whole = algorithm.of(upload.slice(0, u64::MAX));
                self.digests.extend([hex::encode(&whole), STANDARD.encode(whole)]);
            }
        }
    }

    /// Binds what a recorded answer says of replaced content to what the fresh one says.
    pub fn bind(&self, recorded: &Answered, fresh: &Answered, values: &mut Values) {
        if self.contents.is_empty() {
            return;
        }
        for (name, now) in &fresh.headers {
            if let Some(then) = recorded.header(name) {
                self.bind_digest(then, now, values);
            }
        }
        for (then, now) in checksums(recorded).iter().zip(checksums(fresh)) {
            self.bind_digest(then, &now, values);
        }
        if recorded.body.length() == fresh.body.length()
            && recorded.body.length() > 0
            && let (Some(then), Some(now)) = (sha256(&recorded.body), sha256(&fresh.body))
            && then != now
            && values.get(&then).is_none()
            && self.holds(fresh, &now)
        {
            values.set_content(&then, &now);
        }
    }

    fn bind_digest(&self, then: &str, now: &str, values: &mut Values) {
        let (then, now) = (then.trim_matches('"'), now.trim_matches('"'));
        // Only a digest of the same kind can stand for it.
        if then != now && then.len() == now.len() && self.digests.contains(now) {
            values.set(then, now);
        }
    }

    fn holds(&self, fresh: &Answered, digest: &str) -> bool {
        if fresh.status != 206 {
            return self.digests.contains(digest);
        }
        let Some((from, total)) = fresh.header("content-range").and_then(range) else { return false };
        let length = fresh.body.length();
        let is_it =
            |pieces: &mut dyn Iterator<Item = Bytes>| hex::encode(Algorithm::Sha256.of(pieces)) == digest;
        let mut contents = self.contents.iter().filter(|content| content.length() == total);
        let mut uploads = self.uploads.iter().filter(|upload| upload.length() == total);
        contents.any(|content| is_it(&mut content.slice(from, length)))
            || uploads.any(|upload| is_it(&mut upload.slice(from, length)))
    }
}

impl Upload {
    fn length(&self) -> u64 {
        self.parts.iter().map(|(_, part)| part.length()).sum()
    }

    /// A range over all parts.
    fn slice(&self, from: u64, length: u64) -> impl Iterator<Item = Bytes> {
        let (mut skip, mut left) = (from, length);
        self.parts.iter().flat_map(move |(_, part)| {
            let start = skip.min(part.length());
            skip -= start;
            let take = left.min(part.length() - start);
            left -= take;
            part.slice(start, take)
        })
    }
}

/// The texts of `<ETag>` and `<Checksum…>` in an answer of S3.
fn checksums(answered: &Answered) -> Vec<String> {
    let Some(body) = answered.body.bytes().filter(|body| body.starts_with(b"<?xml")) else {
        return Vec::new();
    };
    let body = String::from_utf8_lossy(body).replace("&quot;", "\"");
    let elements = body.split('<').filter(|text| text.starts_with("Checksum") || text.starts_with("ETag>"));
    elements.filter_map(|text| text.split_once('>')).map(|(_, value)| value.to_owned()).collect()
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
        Payload::Form(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::send::Made;
    use crate::testing::{answered, sent};

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

    fn upload(parts: &[(u64, Content)]) -> Replaced {
        let mut replaced = Replaced::default();
        for (number, part) in parts {
            let target = format!("/io/a?partNumber={number}&uploadId=u");
            replaced.add(&sent("PUT", &target, &[]), &Body::Plain(part.clone()));
        }
        replaced.add(&sent("POST", "/io/a?uploadId=u", &[]), &Body::EMPTY);
        replaced
    }

    #[test]
    fn parts_of_an_upload_make_one_content() {
        let (one, two) = (Content::Made(Made::new("1", 70_000)), Content::Made(Made::new("2", 50_000)));
        // Out of order, and one of them sent twice.
        let other = Content::Made(Made::new("other", 9));
        let replaced = upload(&[(2, two.clone()), (1, other), (1, one.clone())]);
        let all: Vec<u8> = [one, two].iter().flat_map(|content| bytes(content.pieces())).collect();
        assert!(binds(&replaced, &recorded(120_000), &answer(200, all.clone(), None)));
        let middle = answer(206, all[69_990..70_010].to_vec(), Some("bytes 69990-70009/120000"));
        assert!(binds(&replaced, &recorded(20), &middle));
    }

    #[test]
    fn digests_of_made_content_stand_for_recorded_ones() {
        let made = Content::Made(Made::new("x", 10));
        let replaced = upload(&[(1, made.clone()), (2, Content::Bytes("end".into()))]);
        let crc = STANDARD.encode(Algorithm::Crc32.of(made.pieces()));
        let md5 = |part: &Content| Algorithm::Md5.of(part.pieces());
        let both = [md5(&made), md5(&Content::Bytes("end".into()))].concat();
        let etag = format!("{}-2", hex::encode(Algorithm::Md5.of(std::iter::once(both.into()))));

        let mut values = Values::default();
        let (mut then, mut now) = (answered(200, ""), answered(200, ""));
        then.headers.push(("x-amz-checksum-crc32".into(), "VbbRVg==".into()));
        now.headers.push(("X-Amz-Checksum-CRC32".into(), crc.clone()));
        replaced.bind(&then, &now, &mut values);
        assert_eq!(values.get("VbbRVg=="), Some(crc.as_str()));

        let xml = |etag: &str| {
            answered(
                200,
                &format!("<?xml version=\"1.0\"?><R><Key>a</Key><ETag>&quot;{etag}&quot;</ETag></R>"),
            )
        };
        let recorded = format!("{}-2", "0".repeat(32));
        replaced.bind(&xml(&recorded), &xml(&etag), &mut values);
        assert_eq!(values.get(&recorded), Some(etag.as_str()));

        // A digest of something else stands for nothing.
        let strange = format!("{}-2", "1".repeat(32));
        replaced.bind(&xml(&format!("{}-2", "2".repeat(32))), &xml(&strange), &mut values);
        assert_eq!(values.get(&format!("{}-2", "2".repeat(32))), None);
    }
}
