//! What a leaf that was uploaded in parts still knows of them: their sizes, their digests, the
//! digest of the whole.
//!
//! Kept as attributes of the content, so that they come and go with it:
//!
//! | attribute | value |
//! |---|---|
//! | `parts:sizes` | sizes in order, equal ones in a row counted: `5242880*3,17` |
//! | `parts:<algorithm>` | the parts' digests in base64, with commas between |
//! | `parts:upload` | the upload it came from, by which a repeated completion is recognised |
//! | `checksum:<algorithm>` | of the whole; `<base64>-<parts>` is a digest of the parts' digests |
//!
//! Parts are counted from 1 without gaps, whatever numbers they were uploaded under. Known gap: the
//! digests of more than some hundred parts are not kept, see [`DIGESTS_MAX_BYTES`].

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use uuid::Uuid;

use crate::content::{Algorithm, Checksum};
use crate::digest::{self, Hashers};
use crate::error::{Error, Result};
use crate::http::range::{ByteRange, RangeSpec};
use crate::node::{Attributes, Node};
use crate::upload::{Part, Upload};

const SIZES: &str = "parts:sizes";
const UPLOAD: &str = "parts:upload";
const DECLARED: &str = "upload:digest";
const DEFAULT: &str = "upload:default";
/// Attributes are read with every row of a listing.
const DIGESTS_MAX_BYTES: usize = 16 * 1024;

/// What a digest of a whole upload is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DigestOf {
    /// The content, as if it had come in one piece. CRCs only: those of the parts can be joined.
    Content,
    /// The parts' digests.
    Parts,
}

/// The digest that an upload was announced to end with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WholeDigest {
    pub algorithm: Algorithm,
    pub of: DigestOf,
}

impl WholeDigest {
    /// The usual kind of an algorithm, or the one asked for; `None` if the two do not go together.
    pub fn new(algorithm: Algorithm, of: Option<DigestOf>) -> Option<Self> {
        let of = match (algorithm, of) {
            (Algorithm::Crc64Nvme, None | Some(DigestOf::Content)) => DigestOf::Content,
            (Algorithm::Crc64Nvme, Some(DigestOf::Parts)) => return None,
            (_, None) => DigestOf::Parts,
            (Algorithm::Crc32 | Algorithm::Crc32c, Some(of)) => of,
            (_, Some(DigestOf::Parts)) => DigestOf::Parts,
            (_, Some(DigestOf::Content)) => return None,
        };
        Some(Self { algorithm, of })
    }

    /// Notes it with the attributes of an upload that begins.
    pub fn declare(self, attributes: &mut Attributes) {
        attributes.set(DECLARED, self.text());
    }

    /// Notes it as what the upload ends with where its client asks for none.
    pub fn assume(self, attributes: &mut Attributes) {
        attributes.set(DEFAULT, self.text());
    }

    fn text(self) -> String {
        let of = if self.of == DigestOf::Content { "content" } else { "parts" };
        format!("{of}:{}", self.algorithm.as_str())
    }

    fn parse(text: &str) -> Option<Self> {
        let (of, algorithm) = text.split_once(':')?;
        let of = if of == "content" { DigestOf::Content } else { DigestOf::Parts };
        Some(Self { algorithm: Algorithm::parse(algorithm)?, of })
    }

    /// Computes it from parts that all bear that digest.
    fn compute(self, parts: &[Part]) -> Result<Vec<u8>> {
        let mut digests = Vec::with_capacity(parts.len());
        for part in parts {
            digests.push((digest_of(part, self.algorithm)?, part.size));
        }
        match self.of {
            DigestOf::Parts => {
                let mut hashers = Hashers::new(&[self.algorithm]);
                for (digest, _) in &digests {
                    hashers.update(digest);
                }
                let (_, computed) = hashers.finish();
                let found = computed.into_iter().find(|sum| sum.algorithm == self.algorithm);
                Ok(found.ok_or_else(|| Error::internal("a digest was not computed"))?.value)
            }
            DigestOf::Content => digest::join(self.algorithm, &digests).ok_or_else(|| {
                Error::InvalidArgument(format!("a {} cannot be joined", self.algorithm.as_str()))
            }),
        }
    }
}

impl Upload {
    /// The digest announced when the upload began.
    pub fn declared(&self) -> Option<WholeDigest> {
        WholeDigest::parse(self.attributes.get(DECLARED)?)
    }

    /// The digest that is computed of every part.
    pub(crate) fn computed(&self) -> Option<WholeDigest> {
        self.declared().or_else(|| WholeDigest::parse(self.attributes.get(DEFAULT)?))
    }
}

fn digest_of(part: &Part, algorithm: Algorithm) -> Result<Vec<u8>> {
    part.digests
        .get(&Checksum::attribute(algorithm))
        .and_then(|text| STANDARD.decode(text).ok())
        .ok_or(Error::InvalidPart { number: part.number, reason: "it was uploaded without that checksum" })
}

/// The attributes of a leaf that these parts become. `claimed` is what the client says the digest of
/// the whole is; an upload that announced none has one only then.
pub(crate) fn attributes_of(
    upload: &Upload,
    parts: &[Part],
    claimed: &[Checksum],
    claimed_of: Option<DigestOf>,
) -> Result<Attributes> {
    let mut attributes = upload.attributes.clone();
    attributes.0.remove(DECLARED);
    attributes.0.remove(DEFAULT);
    attributes.set(SIZES, sizes_text(parts.iter().map(|part| part.size)));
    attributes.set(UPLOAD, upload.id.to_string());
    let mut digests: Vec<WholeDigest> = upload.declared().into_iter().collect();
    for claim in claimed {
        if digests.iter().all(|digest| digest.algorithm != claim.algorithm) {
            digests.extend(WholeDigest::new(claim.algorithm, claimed_of));
        }
    }
    let announced = !digests.is_empty();
    if !announced {
        digests.extend(upload.computed());
    }
    for digest in digests {
        let algorithm = digest.algorithm;
        let value = digest.compute(parts)?;
        let differs = |claim: &&Checksum| claim.algorithm == algorithm && claim.value != value;
        if let Some(claim) = claimed.iter().find(differs) {
            return Err(claim.failed(value));
        }
        let text = match digest.of {
            DigestOf::Content => STANDARD.encode(value),
            DigestOf::Parts => format!("{}-{}", STANDARD.encode(value), parts.len()),
        };
        attributes.set(Checksum::attribute(algorithm), text);
        if !announced {
            continue;
        }
        let each: Vec<&str> =
            parts.iter().filter_map(|part| part.digests.get(&Checksum::attribute(algorithm))).collect();
        let each = each.join(",");
        if each.len() <= DIGESTS_MAX_BYTES {
            attributes.set(format!("parts:{}", algorithm.as_str()), each);
        }
    }
    Ok(attributes)
}

/// Whether an attribute says something of the bytes, and so stays with them whatever becomes of the
/// rest.
pub(crate) fn is_of_bytes(key: &str) -> bool {
    key.starts_with("checksum:") || (key.starts_with("parts:") && key != UPLOAD)
}

/// A copy did not come from the upload of its source.
pub(crate) fn forget_upload(attributes: &mut Attributes) {
    attributes.0.remove(UPLOAD);
}

/// Drops the digests that are not asked for, and those of parts.
pub(crate) fn keep_digests(attributes: &mut Attributes, algorithms: &[Algorithm]) {
    let asked = |key: &str| algorithms.iter().any(|algorithm| Checksum::attribute(*algorithm) == key);
    attributes.0.retain(|key, value| {
        let of_parts = key.starts_with("parts:") && key != SIZES && key != UPLOAD;
        let of_content = key.starts_with("checksum:") && (!asked(key) || value.contains('-'));
        !of_parts && !of_content
    });
}

impl Attributes {
    /// Drops what was said of bytes that are others now.
    pub fn forget_bytes(&mut self) {
        self.0.retain(|key, _| !key.starts_with("checksum:") && !key.starts_with("parts:"));
    }
}

/// One part of a leaf.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece<'a> {
    /// From 1, without gaps.
    pub number: u32,
    pub range: ByteRange,
    /// Digests in base64.
    pub digests: Vec<(Algorithm, &'a str)>,
}

impl Node {
    /// How many parts the content came in; `None` if it came in one piece.
    pub fn part_count(&self) -> Option<u32> {
        let counts = runs(self.attributes.get(SIZES)?).map(|(_, count)| count);
        Some(counts.fold(0, u32::saturating_add))
    }

    /// Where a part lies. What came in one piece is its own first part.
    pub fn part_range(&self, number: u32) -> Option<ByteRange> {
        let Some(sizes) = self.attributes.get(SIZES) else {
            return (number == 1).then_some(ByteRange { start: 0, end: self.size });
        };
        let (mut start, mut before) = (0_u64, 0_u32);
        for (size, count) in runs(sizes) {
            if number > before && number - before <= count {
                let start = start.checked_add(size.checked_mul(u64::from(number - before - 1))?)?;
                return Some(ByteRange { start, end: start.checked_add(size)?.min(self.size) });
            }
            start = start.checked_add(size.checked_mul(u64::from(count))?)?;
            before = before.saturating_add(count);
        }
        None
    }

    /// The span that a range means here.
    pub fn resolve(&self, range: RangeSpec) -> Result<ByteRange> {
        match range {
            RangeSpec::Part(number) => {
                self.part_range(number).ok_or(Error::RangeNotSatisfiable { size: self.size })
            }
            other => other.resolve(self.size),
        }
    }

    /// The parts behind number `after`, at most so many.
    pub fn pieces(&self, after: u32, limit: usize) -> Vec<Piece<'_>> {
        let lists: Vec<(Algorithm, Vec<&str>)> = Algorithm::ALL
            .into_iter()
            .filter_map(|algorithm| {
                let list = self.attributes.get(&format!("parts:{}", algorithm.as_str()))?;
                Some((algorithm, list.split(',').collect()))
            })
            .collect();
        let count = self.part_count().unwrap_or(0);
        (after.saturating_add(1)..=count)
            .take(limit)
            .filter_map(|number| {
                let at = number as usize - 1;
                let digests = lists.iter().filter_map(|(of, list)| Some((*of, *list.get(at)?))).collect();
                Some(Piece { number, range: self.part_range(number)?, digests })
            })
            .collect()
    }

    /// Whether the content came from this upload.
    pub(crate) fn came_from(&self, upload: Uuid) -> bool {
        self.attributes.get(UPLOAD).is_some_and(|id| id == upload.to_string())
    }
}

fn sizes_text(sizes: impl Iterator<Item = u64>) -> String {
    let mut runs: Vec<(u64, u32)> = Vec::new();
    for size in sizes {
        match runs.last_mut() {
            Some((last, count)) if *last == size => *count += 1,
            _ => runs.push((size, 1)),
        }
    }
    let runs = runs.into_iter().map(|(size, count)| match count {
        1 => size.to_string(),
        count => format!("{size}*{count}"),
    });
    runs.collect::<Vec<_>>().join(",")
}

fn runs(text: &str) -> impl Iterator<Item = (u64, u32)> + '_ {
    text.split(',').filter_map(|run| match run.split_once('*') {
        Some((size, count)) => Some((size.parse().ok()?, count.parse().ok()?)),
        None => Some((run.parse().ok()?, 1)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node::Content;
    use crate::principal::Door;

    fn part(number: u32, content: &[u8], algorithms: &[Algorithm]) -> Part {
        let mut hashers = Hashers::new(algorithms);
        hashers.update(content);
        let (etag, sums) = hashers.finish();
        let mut digests = Attributes::default();
        for sum in sums {
            digests.set(Checksum::attribute(sum.algorithm), STANDARD.encode(sum.value));
        }
        let size = content.len() as u64;
        Part { upload: Uuid::nil(), number, size, etag, content: Content::None, at_ns: 0, digests }
    }

    fn upload(digest: Option<WholeDigest>) -> Upload {
        let mut attributes = Attributes::default();
        if let Some(digest) = digest {
            digest.declare(&mut attributes);
        }
        Upload {
            id: Uuid::nil(),
            path: "/a/b".to_owned(),
            datasource: String::new(),
            principal: String::new(),
            door: Door::S3,
            created_ns: 0,
            expires_ns: 0,
            mime: None,
            mtime_ns: None,
            attributes,
        }
    }

    #[test]
    fn kinds_of_digests_go_with_their_algorithms() {
        use Algorithm::{Crc32, Crc64Nvme, Sha1, Sha256};
        let of = |algorithm, of| WholeDigest::new(algorithm, of).map(|digest| digest.of);
        assert_eq!(of(Crc32, None), Some(DigestOf::Parts));
        assert_eq!(of(Crc32, Some(DigestOf::Content)), Some(DigestOf::Content));
        assert_eq!(of(Crc64Nvme, None), Some(DigestOf::Content));
        assert_eq!(of(Crc64Nvme, Some(DigestOf::Parts)), None);
        assert_eq!(of(Sha1, None), Some(DigestOf::Parts));
        assert_eq!(of(Sha256, Some(DigestOf::Content)), None);
    }

    /// `123456789` has the check values of the CRC catalogue.
    #[test]
    fn crcs_of_parts_join_to_that_of_the_content() {
        for (algorithm, check) in [
            (Algorithm::Crc32, "cbf43926"),
            (Algorithm::Crc32c, "e3069283"),
            (Algorithm::Crc64Nvme, "ae8b14860a799888"),
        ] {
            let digest = WholeDigest::new(algorithm, Some(DigestOf::Content)).unwrap();
            for cut in 0..=9 {
                let (first, second) = b"123456789".split_at(cut);
                let parts = [part(1, first, &[algorithm]), part(2, second, &[algorithm])];
                assert_eq!(hex::encode(digest.compute(&parts).unwrap()), check, "{algorithm:?} {cut}");
            }
        }
        let digest = WholeDigest::new(Algorithm::Crc32, None).unwrap();
        assert!(digest.compute(&[part(1, b"x", &[])]).is_err());
    }

    /// SHA-256 over the binary SHA-256 of the parts, as Amazon describes composite checksums.
    #[test]
    fn a_digest_of_parts_names_their_number_and_is_checked_against_the_claim() {
        use sha2::Digest as _;
        let algorithm = Algorithm::Sha256;
        let parts = [part(1, b"one", &[algorithm]), part(2, b"two", &[algorithm])];
        let expected = {
            let (one, two) = (sha2::Sha256::digest("one"), sha2::Sha256::digest("two"));
            sha2::Sha256::digest([one, two].concat()).to_vec()
        };
        let upload = upload(WholeDigest::new(algorithm, None));
        let claim = |value: Vec<u8>| [Checksum { algorithm, value }];
        let attributes = attributes_of(&upload, &parts, &claim(expected.clone()), None).unwrap();
        let text = format!("{}-2", STANDARD.encode(&expected));
        assert_eq!(attributes.get("checksum:sha256"), Some(text.as_str()));
        assert_eq!(attributes.get(DECLARED), None);
        let wrong = attributes_of(&upload, &parts, &claim(vec![0; 32]), None);
        assert!(matches!(wrong, Err(Error::ChecksumMismatch { algorithm: "sha256", .. })));
    }

    #[test]
    fn sizes_are_written_in_runs_and_found_again() {
        assert_eq!(sizes_text([5, 5, 5, 2].into_iter()), "5*3,2");
        let mut node = crate::node::tests::leaf(17);
        assert_eq!(node.part_range(1), Some(ByteRange { start: 0, end: 17 }));
        assert_eq!((node.part_range(2), node.part_count()), (None, None));
        node.attributes.set(SIZES, "5*3,2");
        node.attributes.set("parts:crc32", "a,b,c,d");
        assert_eq!(node.part_count(), Some(4));
        let ranges: Vec<_> = (0..=5).map(|number| node.part_range(number)).collect();
        let range = |start, end| Some(ByteRange { start, end });
        assert_eq!(ranges, [None, range(0, 5), range(5, 10), range(10, 15), range(15, 17), None]);
        let pieces = node.pieces(2, 1);
        assert_eq!(pieces.len(), 1);
        assert_eq!((pieces[0].number, pieces[0].digests.as_slice()), (3, &[(Algorithm::Crc32, "c")][..]));
        // What another release or a damaged row may hold must not be trusted with arithmetic.
        node.attributes.set(SIZES, "18446744073709551615*4294967295,x,9*");
        assert_eq!(node.part_range(3), None);
    }
}
