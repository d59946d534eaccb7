//! `pydio_jwt`: the token as a parameter of a presigned URL.
//!
//! The web client of Cells appends it after signing, the mobile ones sign it with the rest. The V4
//! query is computed without it first; if that does not match, s3s gets to see it with it.

use cellgate_core::http::Request;
use http::uri::PathAndQuery;
use http::{HeaderMap, Method, Uri};
use percent_encoding::percent_decode_str;
use s3s::{S3Error, S3ErrorCode, S3Result};
use s3s_sigv4::{
    PresignedUrlV4, calculate_signature, create_presigned_canonical_request, create_string_to_sign,
};

use super::BEARER_PARAMETER;
use crate::route;

const DISPOSITION: &str = "response-content-disposition";
pub(crate) const EXPIRES_MAX_S: u32 = 604_800;

/// Takes the parameter out of the query where the signature does not need it. Answers whether the
/// content must be sent as an attachment: Cells overrides every other disposition.
pub(super) fn settle(request: &mut Request, v4: bool) -> S3Result<bool> {
    let pairs: Vec<_> = route::parameters(request.uri().query()).collect();
    if !pairs.iter().any(|(name, _)| name == BEARER_PARAMETER) {
        return Ok(false);
    }
    let saved = pairs.iter().any(|(name, value)| name == DISPOSITION && value.starts_with("attachment"));
    if !v4 || signed_without(request) {
        retain_parameters(request, |name| name != BEARER_PARAMETER)?;
    }
    Ok(request.method() == Method::GET && !saved)
}

/// Whether the V4 signature of the query holds without the token. s3s verifies again, with the
/// dates and everything else; this only finds out what was signed. The secret is the public one:
/// the URLs in question come from clients that have no other.
fn signed_without(request: &Request) -> bool {
    let mut pairs: Vec<_> =
        route::parameters(request.uri().query()).filter(|(name, _)| name != BEARER_PARAMETER).collect();
    pairs.sort();
    presigned_v4(request.method(), request.uri(), request.headers(), &pairs)
        .is_some_and(|(computed, presented)| computed == presented)
}

/// The computed signature, and the presented one.
fn presigned_v4(
    method: &Method,
    uri: &Uri,
    headers: &HeaderMap,
    pairs: &[(String, String)],
) -> Option<(String, String)> {
    let url = PresignedUrlV4::parse(pairs, EXPIRES_MAX_S).ok()?;
    let path = percent_decode_str(uri.path()).decode_utf8().ok()?;
    let mut signed = Vec::with_capacity(url.signed_headers.len());
    for name in &url.signed_headers {
        let value = match headers.get(*name) {
            Some(value) => value.to_str().ok()?,
            // HTTP/2 has no Host header.
            None if *name == "host" => uri.authority()?.as_str(),
            None => return None,
        };
        signed.push((*name, value));
    }
    let canonical = create_presigned_canonical_request(method.as_str(), &path, pairs, &signed);
    let (region, service) = (url.credential.aws_region, url.credential.aws_service);
    let text = create_string_to_sign(&canonical, &url.amz_date, region, service);
    let secret = cellgate_core::identity::GATEWAY_SECRET;
    let computed = calculate_signature(&text, secret, &url.amz_date, region, service);
    Some((computed, url.signature.to_owned()))
}

/// Rewrites the query without some of its parameters. The others stay as they were written.
pub(super) fn retain_parameters(request: &mut Request, keep: impl Fn(&str) -> bool) -> S3Result<()> {
    let Some(query) = request.uri().query() else { return Ok(()) };
    let kept: Vec<&str> = query
        .split('&')
        .filter(|pair| {
            let name = pair.split_once('=').map_or(*pair, |(name, _)| name);
            route::parameters(Some(name)).next().is_none_or(|(name, _)| keep(&name))
        })
        .collect();
    let path = request.uri().path();
    let rewritten = if kept.is_empty() { path.to_owned() } else { format!("{path}?{}", kept.join("&")) };
    let mut parts = request.uri().clone().into_parts();
    let invalid = || S3Error::new(S3ErrorCode::InvalidURI);
    parts.path_and_query = Some(PathAndQuery::try_from(rewritten).map_err(|_| invalid())?);
    *request.uri_mut() = Uri::from_parts(parts).map_err(|_| invalid())?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(uri: &str) -> Request {
        let request = http::Request::builder().uri(uri).header("host", "cells.example.org");
        request.body(cellgate_core::http::empty()).unwrap()
    }

    const PRESIGNED: &str = "/io/personal-files/report.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256\
        &X-Amz-Credential=demo-token%2F20300101%2Fus-east-1%2Fs3%2Faws4_request\
        &X-Amz-Date=20300101T000000Z&X-Amz-Expires=600&X-Amz-SignedHeaders=host\
        &X-Amz-Signature=8ea655ea890d2f420f2a2f563c6cc48e80b7c0683d80beaa88cc6ece410953bd";
    const PRESIGNED_NAMES: &str = "/io/personal-files/My%20Docs/%C3%A9t%C3%A9.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256\
        &X-Amz-Credential=demo-token%2F20300101%2Fus-east-1%2Fs3%2Faws4_request\
        &X-Amz-Date=20300101T000000Z&X-Amz-Expires=600&X-Amz-SignedHeaders=host\
        &response-content-disposition=attachment%3B%20filename%3D%25C3%25A9t%25C3%25A9.txt\
        &X-Amz-Signature=69a84a0fbebb7a1d811d51e0b0c5c6253dac36907185dcfb51681dcc81ab2f4e";

    /// The presigned vectors of the Cells reference, 3.3.
    #[test]
    fn vectors_of_the_reference() {
        for uri in [PRESIGNED, PRESIGNED_NAMES] {
            assert!(signed_without(&request(uri)), "{uri}");
            let forged = uri.replace("Expires=600", "Expires=601");
            assert!(!signed_without(&request(&forged)), "{forged}");
        }
    }

    #[test]
    fn a_token_appended_after_signing_is_taken_out() {
        let mut appended = request(&format!("{PRESIGNED}&pydio_jwt=t"));
        assert!(settle(&mut appended, true).unwrap());
        assert_eq!(appended.uri().to_string(), PRESIGNED);

        let mut unknown = request(&format!("{PRESIGNED}00&pydio_jwt=t"));
        assert!(settle(&mut unknown, true).unwrap());
        assert!(unknown.uri().query().unwrap().ends_with("pydio_jwt=t"));

        let mut saved = request(&format!("{PRESIGNED_NAMES}&pydio_jwt=t"));
        assert!(!settle(&mut saved, true).unwrap());
        let mut none = request(PRESIGNED);
        assert!(!settle(&mut none, true).unwrap());
    }

    #[test]
    fn other_parameters_stay_as_written() {
        let mut request = request("/io/a?b=%2f&Signature=x&c");
        retain_parameters(&mut request, |name| name != "Signature").unwrap();
        assert_eq!(request.uri().to_string(), "/io/a?b=%2f&c");
        retain_parameters(&mut request, |_| false).unwrap();
        assert_eq!(request.uri().to_string(), "/io/a");
    }
}
