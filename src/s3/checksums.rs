//! Checksums of objects and of uploads in parts, as Amazon names and combines them.
//!
//! What an upload in parts ends with is `COMPOSITE` (a digest of the parts' digests, written
//! `<base64>-<parts>`) or `FULL_OBJECT` (the content's, which CRCs can be joined to).

use cellgate_core::content::{Algorithm, Checksum};
use cellgate_core::node::Attributes;
use cellgate_core::parts::{DigestOf, WholeDigest};
use cellgate_core::upload::Upload;
use http::HeaderMap;
use s3s::dto::{ChecksumAlgorithm, ChecksumType};
use s3s::{S3Error, S3ErrorCode, S3Result};

use crate::error;
use crate::headers::{self, CHECKSUM, Promised};

const ALGORITHM: &str = "x-amz-checksum-algorithm";
const TYPE: &str = "x-amz-checksum-type";
const SDK_ALGORITHM: &str = "x-amz-sdk-checksum-algorithm";

fn refused(text: impl Into<String>) -> S3Error {
    error::with(S3ErrorCode::InvalidRequest, text)
}

pub(crate) fn several() -> S3Error {
    refused("Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.")
}

/// The algorithm of a header; Amazon's names are upper case.
pub(crate) fn algorithm(headers: &HeaderMap, name: &str) -> S3Result<Option<Algorithm>> {
    let Some(value) = headers::text(headers, name)? else { return Ok(None) };
    match Algorithm::parse(value) {
        None => Err(refused(
            "Checksum algorithm provided is unsupported. Please try again with any of the valid types: \
             [CRC32, CRC32C, CRC64NVME, MD5, SHA1, SHA256, SHA512, XXHASH128, XXHASH3, XXHASH64]",
        )),
        Some(algorithm) => Ok(Some(algorithm)),
    }
}

fn kind(headers: &HeaderMap) -> S3Result<Option<DigestOf>> {
    match headers::text(headers, TYPE)? {
        None => Ok(None),
        Some(kind) if kind.eq_ignore_ascii_case(ChecksumType::FULL_OBJECT) => Ok(Some(DigestOf::Content)),
        Some(kind) if kind.eq_ignore_ascii_case(ChecksumType::COMPOSITE) => Ok(Some(DigestOf::Parts)),
        Some(_) => Err(refused(format!("Value for {TYPE} header is invalid."))),
    }
}

/// What a `CreateMultipartUpload` announces its object's checksum to be.
pub(crate) fn announced(headers: &HeaderMap) -> S3Result<Option<WholeDigest>> {
    let kind = kind(headers)?;
    let Some(algorithm) = algorithm(headers, ALGORITHM)? else {
        return match kind {
            None => Ok(None),
            Some(_) => {
                Err(refused(format!("The {TYPE} header can only be used with the {ALGORITHM} header.")))
            }
        };
    };
    let digest = WholeDigest::new(algorithm, kind).ok_or_else(|| {
        let kind = kind.map_or("", name_of);
        let algorithm = algorithm.as_str();
        refused(format!("The {kind} checksum type cannot be used with the {algorithm} checksum algorithm."))
    })?;
    Ok(Some(digest))
}

/// What Amazon computes of an object in parts whose upload announced no checksum.
pub(crate) const BY_DEFAULT: WholeDigest =
    WholeDigest { algorithm: Algorithm::Crc64Nvme, of: DigestOf::Content };

/// The digests of a part: its client's, and the one that is computed by default where that is all.
/// SDKs repeat what they are shown, and may repeat one.
pub(crate) fn of_part(digests: &Attributes) -> impl Iterator<Item = (Algorithm, &str)> {
    let several = kept(digests).nth(1).is_some();
    kept(digests).filter(move |(algorithm, _)| !several || *algorithm != BY_DEFAULT.algorithm)
}

/// What Amazon computes of a body that comes without a checksum.
pub(crate) fn by_default(promised: &Promised) -> Option<Algorithm> {
    let none = promised.checksums.iter().all(|sum| sum.algorithm == Algorithm::ContentMd5);
    (none && promised.compute.is_empty()).then_some(BY_DEFAULT.algorithm)
}

/// Checks what is said of a body beside the digests themselves.
pub(crate) fn check_promised(headers: &HeaderMap, promised: &Promised) -> S3Result<()> {
    let digests = promised.checksums.iter().filter(|sum| sum.algorithm != Algorithm::ContentMd5);
    if digests.count() > 1 {
        return Err(several());
    }
    let Some(name) = headers::text(headers, SDK_ALGORITHM)?.filter(|name| !name.is_empty()) else {
        return Ok(());
    };
    let named = promised.checksums.iter().map(|sum| sum.algorithm).chain(promised.compute.iter().copied());
    let mut named = named.filter(|algorithm| *algorithm != Algorithm::ContentMd5).peekable();
    if named.peek().is_none() {
        return Err(refused(format!(
            "{SDK_ALGORITHM} specified, but no corresponding x-amz-checksum-* or x-amz-trailer headers \
             were found."
        )));
    }
    let asked = Algorithm::parse(name);
    match named.any(|algorithm| Some(algorithm) == asked) {
        true => Ok(()),
        false => Err(refused(format!("Value for {SDK_ALGORITHM} header is invalid."))),
    }
}

/// A part's digests must be of the kind that its upload announced. Answers the one that is computed
/// for a part that comes without.
pub(crate) fn check_part(upload: &Upload, promised: &Promised) -> S3Result<Option<Algorithm>> {
    let Some(digest) = upload.declared() else { return Ok(None) };
    let named = promised.checksums.iter().map(|sum| sum.algorithm).chain(promised.compute.iter().copied());
    let mut named = named.filter(|algorithm| *algorithm != Algorithm::ContentMd5).peekable();
    let other = match (named.peek(), digest.of) {
        (None, DigestOf::Content) => return Ok(Some(digest.algorithm)),
        (None, DigestOf::Parts) => "null".to_owned(),
        (Some(_), _) => match named.find(|other| *other != digest.algorithm) {
            None => return Ok(None),
            Some(other) => other.as_str().to_ascii_uppercase(),
        },
    };
    Err(refused(format!(
        "Checksum Type mismatch occurred, expected checksum Type: {}, actual checksum Type: {other}",
        digest.algorithm.as_str().to_ascii_uppercase()
    )))
}

/// What a `CompleteMultipartUpload` claims of its object.
#[derive(Debug, Default)]
pub(crate) struct Claim {
    pub(crate) checksums: Vec<Checksum>,
    pub(crate) of: Option<DigestOf>,
    /// How many parts its composite digest is of.
    pub(crate) parts: Option<usize>,
}

impl Claim {
    pub(crate) fn of(headers: &HeaderMap, declared: Option<WholeDigest>) -> S3Result<Self> {
        let name = |algorithm: Algorithm| format!("{CHECKSUM}{}", algorithm.as_str());
        let sent = Algorithm::ALL.into_iter().filter(|algorithm| headers.contains_key(name(*algorithm)));
        if sent.count() > 1 {
            return Err(several());
        }
        let kind = kind(headers)?;
        if let (Some(kind), Some(declared)) = (kind, declared)
            && kind != declared.of
        {
            return Err(refused(format!(
                "The upload was created using the {} checksum mode. The complete request must use the same \
                 checksum mode.",
                name_of(declared.of)
            )));
        }
        let mut claim = Self { of: kind, ..Self::default() };
        for algorithm in Algorithm::ALL {
            let name = name(algorithm);
            let Some(text) = headers::text(headers, &name)? else { continue };
            let invalid = || refused(format!("Value for {name} header is invalid."));
            // A composite one may end with the number of its parts.
            let (digest, parts) = match text.split_once('-') {
                Some((digest, parts)) => (digest, Some(parts.parse().map_err(|_| invalid())?)),
                None => (text, None),
            };
            let value = headers::decode(algorithm, digest).ok_or_else(invalid)?;
            let other = |declared: WholeDigest| {
                declared.algorithm != algorithm || (declared.of == DigestOf::Content && parts.is_some())
            };
            if declared.is_some_and(other) {
                return Err(invalid());
            }
            claim.checksums.push(Checksum { algorithm, value });
            claim.parts = parts;
        }
        Ok(claim)
    }
}

pub(crate) fn name_of(of: DigestOf) -> &'static str {
    match of {
        DigestOf::Content => ChecksumType::FULL_OBJECT,
        DigestOf::Parts => ChecksumType::COMPOSITE,
    }
}

pub(crate) fn type_of(of: DigestOf) -> ChecksumType {
    ChecksumType::from_static(name_of(of))
}

pub(crate) fn algorithm_name(algorithm: Algorithm) -> ChecksumAlgorithm {
    ChecksumAlgorithm::from(algorithm.as_str().to_ascii_uppercase())
}

/// The digests kept with an object, by algorithm: base64, `-<parts>` behind composite ones.
pub(crate) fn kept(attributes: &Attributes) -> impl Iterator<Item = (Algorithm, &str)> {
    Algorithm::ALL
        .into_iter()
        .filter_map(|algorithm| Some((algorithm, attributes.get(&Checksum::attribute(algorithm))?)))
}

/// The kind of the digests kept with an object, if there are any.
pub(crate) fn kept_type(attributes: &Attributes) -> Option<DigestOf> {
    let (_, value) = kept(attributes).next()?;
    Some(if value.contains('-') { DigestOf::Parts } else { DigestOf::Content })
}

/// Digests as elements of a document.
pub(crate) fn elements<'v>(digests: impl Iterator<Item = (Algorithm, &'v str)>) -> String {
    digests.fold(String::new(), |text, (algorithm, value)| {
        let name = algorithm.as_str().to_ascii_uppercase();
        text + &format!("<Checksum{name}>{value}</Checksum{name}>")
    })
}

/// Fills the checksum fields of one of s3s's types.
macro_rules! fill {
    ($target:expr, $values:expr) => {
        for (algorithm, value) in $values {
            let value = Some(value.to_owned());
            match algorithm {
                ::cellgate_core::content::Algorithm::Crc32 => $target.checksum_crc32 = value,
                ::cellgate_core::content::Algorithm::Crc32c => $target.checksum_crc32c = value,
                ::cellgate_core::content::Algorithm::Crc64Nvme => $target.checksum_crc64nvme = value,
                ::cellgate_core::content::Algorithm::Sha1 => $target.checksum_sha1 = value,
                ::cellgate_core::content::Algorithm::Sha256 => $target.checksum_sha256 = value,
                ::cellgate_core::content::Algorithm::Sha512 => $target.checksum_sha512 = value,
                ::cellgate_core::content::Algorithm::Md5 => $target.checksum_md5 = value,
                ::cellgate_core::content::Algorithm::XxHash64 => $target.checksum_xxhash64 = value,
                ::cellgate_core::content::Algorithm::XxHash3 => $target.checksum_xxhash3 = value,
                ::cellgate_core::content::Algorithm::XxHash128 => $target.checksum_xxhash128 = value,
                ::cellgate_core::content::Algorithm::ContentMd5 => {}
            }
        }
    };
}
pub(crate) use fill;

#[cfg(test)]
mod tests {
    use super::*;

    fn map(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    /// The combinations that Amazon's user guide lists under "Checking object integrity".
    #[test]
    fn types_go_with_their_algorithms() {
        for (algorithm, kind, expected) in [
            ("CRC32", None, Ok("COMPOSITE")),
            ("CRC32C", Some("FULL_OBJECT"), Ok("FULL_OBJECT")),
            ("CRC64NVME", None, Ok("FULL_OBJECT")),
            ("CRC64NVME", Some("COMPOSITE"), Err(())),
            ("SHA1", None, Ok("COMPOSITE")),
            ("SHA256", Some("FULL_OBJECT"), Err(())),
            ("MD4", None, Err(())),
            ("SHA256", Some("HALF"), Err(())),
        ] {
            let mut headers = map(&[(ALGORITHM, algorithm)]);
            if let Some(kind) = kind {
                headers.insert(TYPE, kind.parse().unwrap());
            }
            match (announced(&headers), expected) {
                (Ok(Some(digest)), Ok(kind)) => assert_eq!(name_of(digest.of), kind, "{algorithm}"),
                (Err(error), Err(())) => assert_eq!(error.code(), &S3ErrorCode::InvalidRequest),
                (other, _) => panic!("{algorithm} {kind:?}: {other:?}"),
            }
        }
        assert!(announced(&map(&[(TYPE, "COMPOSITE")])).is_err(), "a type of nothing");
        assert_eq!(announced(&map(&[])).unwrap(), None);
    }

    #[test]
    fn an_sdk_that_names_an_algorithm_sends_its_digest() {
        let check = |headers: HeaderMap| {
            Promised::of(&headers, &http::Extensions::new())
                .and_then(|promised| check_promised(&headers, &promised))
                .map_err(|error| error.code().as_str().to_owned())
        };
        let crc = ("x-amz-checksum-crc32", "NhCmhg==");
        assert_eq!(check(map(&[(SDK_ALGORITHM, "CRC32"), crc])), Ok(()));
        assert_eq!(
            check(map(&[(SDK_ALGORITHM, "CRC32"), ("x-amz-trailer", "x-amz-checksum-crc32")])),
            Ok(())
        );
        let refused = Err("InvalidRequest".to_owned());
        assert_eq!(check(map(&[(SDK_ALGORITHM, "CRC32")])), refused);
        assert_eq!(check(map(&[(SDK_ALGORITHM, "SHA1"), crc])), refused);
        let two = map(&[crc, ("x-amz-checksum-crc32c", "mnG7TA==")]);
        assert_eq!(check(two), refused);
    }
}
