//! Signature Version 4, in the header and in the query.
//!
//! A signer has some freedom; what may have been signed is computed in turn, the usual first: with
//! and without the `pydio_jwt` that the web client of Cells appends to a finished link, with path and
//! query encoded and as they were sent.

use cellgate_core::http::{Body, date};
use cellgate_core::principal::SharedPrincipal;
use http::header::AUTHORIZATION;
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use http_body::Body as _;
use s3s::{S3Error, S3ErrorCode, S3Result};
use sha2::{Digest as _, Sha256};

use super::canonical::{self, Raw, Reading};
use super::chain::{Chain, hex_of, signs};
use super::claim::Claim;
use super::keys::Key;
use super::query::Query;
use super::{BEARER_PARAMETER, Call, EMPTY_SHA256, Front};
use crate::body::{self, CONTENT_SHA256, UNSIGNED};
use crate::{error, headers};

/// The caller, and what the signatures of the body's chunks go on from.
pub(super) struct Verified {
    pub(super) principal: SharedPrincipal,
    key: Key,
    /// Time and scope, as lines of every text to sign.
    scope: String,
    signature: String,
}

impl Verified {
    pub(super) fn chain(self) -> Chain {
        Chain::new(self.key, self.scope, self.signature)
    }
}

pub(super) async fn by_header(
    front: &Front,
    call: &Call,
    query: &Query,
    request: &Parts,
    body: &mut Body,
) -> S3Result<Verified> {
    let authorization = headers::text(&request.headers, &AUTHORIZATION)?.unwrap_or_default();
    let claim = Claim::of_header(authorization, &request.headers, now_s())?;
    let announced = headers::text(&request.headers, CONTENT_SHA256)?.map(str::to_owned);
    body::check_announced(&request.headers)?;
    if let Some(payload) = announced {
        return verify(front, call, &claim, request, query, &[&payload]).await;
    }
    // Older curl does not say what it signs: the digest of `--data`, but of nothing for `-T`, which is
    // as much as not to sign the body.
    let payloads: &[&str] = match request.method == Method::PUT || body.is_end_stream() {
        true => &[UNSIGNED, EMPTY_SHA256],
        false => &[UNSIGNED],
    };
    match verify(front, call, &claim, request, query, payloads).await {
        Err(error) if error.code() == &S3ErrorCode::SignatureDoesNotMatch && !body.is_end_stream() => {
            let digest = Box::pin(body::gathered_digest(&request.headers, body)).await?;
            verify(front, call, &claim, request, query, &[&digest]).await
        }
        verified => verified,
    }
}

pub(super) async fn by_query(
    front: &Front,
    call: &Call,
    query: &Query,
    request: &mut Parts,
) -> S3Result<Verified> {
    let claim = Claim::of_query(query, now_s())?;
    let said = query.get("X-Amz-Content-Sha256").or(headers::text(&request.headers, CONTENT_SHA256)?);
    let payloads = [UNSIGNED, said.unwrap_or(UNSIGNED)];
    let payloads = if said.is_some_and(|said| said != UNSIGNED) { &payloads[..] } else { &payloads[..1] };
    let verified = verify(front, call, &claim, request, query, payloads).await?;
    adopt(query, &mut request.headers);
    Ok(verified)
}

async fn verify(
    front: &Front,
    call: &Call,
    claim: &Claim<'_>,
    request: &Parts,
    query: &Query,
    payloads: &[&str],
) -> S3Result<Verified> {
    let (principal, secret) = call.signing_key(&front.core, claim.scope.access_key).await?;
    refuse_unsigned(claim, &request.headers)?;
    let key = front.keys.get(&secret, claim.scope.date, claim.scope.region)?;
    // Two lines of every text that is signed here.
    let scope = claim.lines();
    for reading in readings(request, query) {
        let head = Sha256::new_with_prefix(canonical::head(request, query, claim.signed_headers, reading)?);
        for payload in payloads {
            let digest = head.clone().chain_update(payload).finalize();
            let text = ["AWS4-HMAC-SHA256\n", &scope, "\n", hex_of(&digest.into()).text()].concat();
            if signs(&key, &text, claim.signature) {
                let signature = claim.signature.to_owned();
                return Ok(Verified { principal, key, scope, signature });
            }
        }
    }
    Err(mismatch())
}

fn readings(request: &Parts, query: &Query) -> impl Iterator<Item = Reading> {
    const APPENDED: &[&str] = &[BEARER_PARAMETER];
    let raw: &[Raw] = match (canonical::is_ambiguous(request.uri.path()), request.uri.query().is_some()) {
        (false, false) => &[Raw::Nothing],
        (true, false) => &[Raw::Nothing, Raw::Path],
        (false, true) => &[Raw::Nothing, Raw::PathAndQuery],
        (true, true) => &[Raw::Nothing, Raw::Path, Raw::PathAndQuery],
    };
    let without: &[&'static [&'static str]] =
        if query.has(BEARER_PARAMETER) { &[APPENDED, &[]] } else { &[&[]] };
    raw.iter().flat_map(move |raw| without.iter().map(move |without| Reading { raw: *raw, without }))
}

/// A header that means something must have been signed: who holds a link must not make a copy of an
/// upload by adding `x-amz-copy-source`.
fn refuse_unsigned(claim: &Claim<'_>, headers: &HeaderMap) -> S3Result<()> {
    let mut unsigned: Vec<&str> = headers
        .keys()
        .map(HeaderName::as_str)
        .filter(|name| name.starts_with("x-amz-") && *name != CONTENT_SHA256 && !claim.signs(name))
        .collect();
    if !claim.signs("host") {
        unsigned.push("host");
    }
    if unsigned.is_empty() {
        return Ok(());
    }
    unsigned.sort_unstable();
    let refused = error::denied("There were headers present in the request which were not signed");
    Err(error::with_fields(refused, &[("HeadersNotSigned", &unsigned.join(", "))]))
}

/// Presigners move headers into the query. Checksums stay there: some SDKs sign the one of an empty
/// body into every link.
fn adopt(query: &Query, headers: &mut HeaderMap) {
    for (name, value) in query.pairs() {
        let name = name.to_ascii_lowercase();
        let adopted = name.starts_with("x-amz-")
            && !super::is_of_v4(&name)
            && !name.starts_with("x-amz-checksum-")
            && name != "x-amz-sdk-checksum-algorithm"
            && !headers.contains_key(&name);
        if let (true, Ok(name), Ok(value)) =
            (adopted, HeaderName::try_from(&name), HeaderValue::from_bytes(value.as_bytes()))
        {
            headers.insert(name, value);
        }
    }
}

fn mismatch() -> S3Error {
    S3Error::new(S3ErrorCode::SignatureDoesNotMatch)
}

fn now_s() -> i64 {
    date::now_ns().div_euclid(1_000_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
    const EMPTY: &str = crate::auth::EMPTY_SHA256;

    /// The signature that a request should have, by Amazon's scheme, as this module computes it.
    fn signature(secret: &str, request: &Parts, payload: &str, signed: &str, reading: Reading) -> String {
        let time = request.headers.get("x-amz-date").map(|time| time.to_str().unwrap().to_owned());
        let query = Query::of(&request.uri).unwrap();
        let time = time.unwrap_or_else(|| query.get("X-Amz-Date").unwrap().to_owned());
        let scope = format!("{}/us-east-1/s3/aws4_request", &time[..8]);
        let mut head = canonical::head(request, &query, signed, reading).unwrap();
        head.extend_from_slice(payload.as_bytes());
        let digest = hex::encode(Sha256::digest(head));
        let key = super::super::Keys::new().get(secret, &time[..8], "us-east-1").unwrap();
        let text = format!("AWS4-HMAC-SHA256\n{time}\n{scope}\n{digest}");
        hex::encode(super::super::keys::sign(key, text.as_bytes()))
    }

    const PLAIN: Reading = Reading { raw: Raw::Nothing, without: &[] };

    fn request(method: &str, uri: &str, headers: &[(&str, &str)]) -> Parts {
        let request = http::Request::builder().method(method).uri(uri);
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        request.body(()).unwrap().into_parts().0
    }

    /// Amazon S3 API Reference, "Authenticating Requests: Using the Authorization Header", "Using
    /// Query Parameters", and "Transferring Payload in Multiple Chunks".
    #[test]
    fn examples_of_amazon() {
        let host = ("host", "examplebucket.s3.amazonaws.com");
        let date = ("x-amz-date", "20130524T000000Z");
        let empty = ("x-amz-content-sha256", EMPTY);
        let basic = "host;x-amz-content-sha256;x-amz-date";
        let put = "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072";
        for (request, payload, signed, expected) in [
            (
                request("GET", "/test.txt", &[host, date, empty, ("range", "bytes=0-9")]),
                EMPTY,
                "host;range;x-amz-content-sha256;x-amz-date",
                "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
            ),
            (
                request(
                    "PUT",
                    "/test%24file.text",
                    &[
                        host,
                        date,
                        ("date", "Fri, 24 May 2013 00:00:00 GMT"),
                        ("x-amz-content-sha256", put),
                        ("x-amz-storage-class", "REDUCED_REDUNDANCY"),
                    ],
                ),
                put,
                "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class",
                "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
            ),
            (
                request("GET", "/?lifecycle", &[host, date, empty]),
                EMPTY,
                basic,
                "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
            ),
            (
                request("GET", "/?max-keys=2&prefix=J", &[host, date, empty]),
                EMPTY,
                basic,
                "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
            ),
            (
                request(
                    "GET",
                    "/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE\
                     %2F20130524%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z\
                     &X-Amz-Expires=86400&X-Amz-SignedHeaders=host",
                    &[host],
                ),
                UNSIGNED,
                "host",
                "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404",
            ),
        ] {
            assert_eq!(signature(SECRET, &request, payload, signed, PLAIN), expected, "{}", request.uri);
        }
    }

    /// curl 7.88 signs a query as it is written.
    #[test]
    fn queries_may_be_signed_as_they_were_sent() {
        let host = ("host", "examplebucket.s3.amazonaws.com");
        let get = |uri: &str| request("GET", uri, &[host, ("x-amz-date", "20130524T000000Z")]);
        let (sent, sorted) = (get("/a?prefix=J/&max-keys=2"), get("/a?max-keys=2&prefix=J%2F"));
        let text = |request: &Parts, raw: Raw| {
            let query = Query::of(&request.uri).unwrap();
            let head = canonical::head(request, &query, "host", Reading { raw, without: &[] }).unwrap();
            String::from_utf8(head).unwrap()
        };
        assert_eq!(text(&sent, Raw::Nothing), text(&sorted, Raw::PathAndQuery));
        assert!(text(&sent, Raw::PathAndQuery).starts_with("GET\n/a\nprefix=J/&max-keys=2\nhost:"));
        let query = Query::of(&sent.uri).unwrap();
        assert!(readings(&sent, &query).any(|reading| reading.raw == Raw::PathAndQuery));
    }

    /// "Signature calculations: chunked upload": 65 KiB and 1 KiB of `a`, then the end, without and
    /// with a signed trailer.
    #[test]
    fn examples_of_amazon_in_chunks() {
        let digest = |bytes: usize| Sha256::digest(vec![b'a'; bytes]).into();
        let key = || super::super::Keys::new().get(SECRET, "20130524", "us-east-1").unwrap();
        let scope = "20130524T000000Z\n20130524/us-east-1/s3/aws4_request";
        let chain = |seed: &str| Chain::new(key(), scope.to_owned(), seed.to_owned());
        let mut plain = chain("4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9");
        for (bytes, signature) in [
            (65_536, "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648"),
            (1_024, "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497"),
            (0, "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9"),
        ] {
            assert!(plain.chunk(digest(bytes), signature), "{bytes}");
        }
        let mut trailed = chain("106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e");
        for (bytes, signature) in [
            (65_536, "b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2"),
            (1_024, "1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7"),
            (0, "2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992"),
        ] {
            assert!(trailed.chunk(digest(bytes), signature), "{bytes}");
        }
        let signature = "d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435";
        assert!(trailed.trailers("x-amz-checksum-crc32c:sOO8/Q==\n", signature));
        assert!(!trailed.chunk(digest(0), signature));
    }

    /// The V4 vectors of the Cells reference, 3.3.
    #[test]
    fn vectors_of_the_reference() {
        let host = ("host", "cells.example.org");
        let date = ("x-amz-date", "20300101T000000Z");
        let get =
            request("GET", "/io/personal-files/report.txt", &[host, date, ("x-amz-content-sha256", EMPTY)]);
        assert_eq!(
            signature("gatewaysecret", &get, EMPTY, "host;x-amz-content-sha256;x-amz-date", PLAIN),
            "8fb9c4d3f5f1339972f28b2abbf67883d9b95f1bf7ae21b7eeda8364e6d9d5aa"
        );
        let presigned = "?X-Amz-Algorithm=AWS4-HMAC-SHA256\
            &X-Amz-Credential=demo-token%2F20300101%2Fus-east-1%2Fs3%2Faws4_request\
            &X-Amz-Date=20300101T000000Z&X-Amz-Expires=600&X-Amz-SignedHeaders=host";
        let names = "&response-content-disposition=attachment%3B%20filename%3D%25C3%25A9t%25C3%25A9.txt";
        for (uri, expected) in [
            (
                format!("/io/personal-files/report.txt{presigned}"),
                "8ea655ea890d2f420f2a2f563c6cc48e80b7c0683d80beaa88cc6ece410953bd",
            ),
            (
                format!("/io/personal-files/My%20Docs/%C3%A9t%C3%A9.txt{presigned}{names}"),
                "69a84a0fbebb7a1d811d51e0b0c5c6253dac36907185dcfb51681dcc81ab2f4e",
            ),
        ] {
            let appended = Reading { raw: Raw::Nothing, without: &[BEARER_PARAMETER] };
            for (uri, reading) in [
                (format!("{uri}&X-Amz-Signature={expected}"), PLAIN),
                (format!("{uri}&X-Amz-Signature={expected}&pydio_jwt=t"), appended),
            ] {
                let get = request("GET", &uri, &[host]);
                assert_eq!(signature("gatewaysecret", &get, UNSIGNED, "host", reading), expected, "{uri}");
            }
            let inside = request("GET", &format!("{uri}&pydio_jwt=t"), &[host]);
            assert_ne!(signature("gatewaysecret", &inside, UNSIGNED, "host", PLAIN), expected);
        }
    }
}
