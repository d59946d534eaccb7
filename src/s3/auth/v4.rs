//! Signature Version 4 for a region that s3s takes for none.
//!
//! s3s wants lower case; s3cmd lists buckets with its default region, `US`. What such a request may
//! be is kept small: signed in the header, without a body. Everything else of V4 is s3s's.

use cellgate_core::Core;
use cellgate_core::http::{Request, date};
use cellgate_core::principal::SharedPrincipal;
use http::header::{AUTHORIZATION, CONTENT_LENGTH, TRANSFER_ENCODING};
use http::{HeaderMap, Method};
use s3s::{S3Error, S3ErrorCode, S3Result};
use s3s_sigv4::{
    AmzDate, AuthorizationV4, EMPTY_STRING_SHA256_HASH, Payload, calculate_signature,
    create_canonical_request, create_string_to_sign,
};
use subtle::ConstantTimeEq as _;

use super::{Call, SKEW_MAX_S};
use crate::{error, headers, route};

/// Whether this module is to verify the request.
pub(super) fn applies(request: &Request) -> bool {
    let bodyless = matches!(*request.method(), Method::GET | Method::HEAD | Method::DELETE);
    let length = request.headers().get(CONTENT_LENGTH);
    let empty =
        length.is_none_or(|length| length == "0") && !request.headers().contains_key(TRANSFER_ENCODING);
    let authorization = headers::text(request.headers(), AUTHORIZATION.as_str()).ok().flatten();
    let region =
        authorization.and_then(|text| Some(AuthorizationV4::parse(text).ok()?.credential.aws_region));
    bodyless && empty && region.is_some_and(|region| !is_lower_case(region))
}

fn is_lower_case(region: &str) -> bool {
    region.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

/// Verifies the signature and takes it out of the request.
pub(super) async fn authenticate(
    core: &Core,
    call: &Call,
    request: &mut Request,
) -> S3Result<SharedPrincipal> {
    let now_s = date::now_ns().div_euclid(1_000_000_000);
    let authorization = headers::text(request.headers(), AUTHORIZATION.as_str())?.unwrap_or_default();
    let claim = AuthorizationV4::parse(authorization)
        .map_err(|_| error::with(S3ErrorCode::InvalidRequest, "invalid header: authorization"))?;
    let text = text_to_sign(&claim, request, now_s)?;
    let (principal, secret) = call.signing_key(core, claim.credential.access_key_id).await?;
    let (region, service) = (claim.credential.aws_region, claim.credential.aws_service);
    let computed = calculate_signature(&text.0, &secret, &text.1, region, service);
    if !bool::from(computed.as_bytes().ct_eq(claim.signature.as_bytes())) {
        return Err(mismatch());
    }
    request.headers_mut().remove(AUTHORIZATION);
    Ok(principal)
}

fn mismatch() -> S3Error {
    S3Error::new(S3ErrorCode::SignatureDoesNotMatch)
}

fn text_to_sign(claim: &AuthorizationV4<'_>, request: &Request, now_s: i64) -> S3Result<(String, AmzDate)> {
    if claim.algorithm != "AWS4-HMAC-SHA256" || claim.credential.aws_service != "s3" {
        return Err(error::unsupported("any signature but AWS4-HMAC-SHA256 for service s3"));
    }
    let date = headers::text(request.headers(), "x-amz-date")?.and_then(|date| AmzDate::parse(date).ok());
    let date = date.ok_or_else(|| error::with(S3ErrorCode::InvalidRequest, "missing header: x-amz-date"))?;
    let signed_at = date.to_time().ok_or_else(mismatch)?.as_second();
    if (signed_at - now_s).abs() > SKEW_MAX_S {
        return Err(S3Error::new(S3ErrorCode::RequestTimeTooSkewed));
    }
    if claim.credential.date != date.fmt_date().as_str() {
        return Err(mismatch());
    }
    let payload = match headers::text(request.headers(), "x-amz-content-sha256")? {
        Some("UNSIGNED-PAYLOAD") => Payload::Unsigned,
        Some(EMPTY_STRING_SHA256_HASH) => Payload::SingleChunk(EMPTY_STRING_SHA256_HASH),
        _ => return Err(mismatch()),
    };
    refuse_unsigned(&claim.signed_headers, request.headers())?;
    let mut signed = Vec::with_capacity(claim.signed_headers.len());
    for name in &claim.signed_headers {
        let value = match headers::text(request.headers(), name)? {
            Some(value) => value,
            // HTTP/2 has no Host header.
            None if *name == "host" => request.uri().authority().ok_or_else(mismatch)?.as_str(),
            None => return Err(mismatch()),
        };
        signed.push((*name, value));
    }
    let mut pairs: Vec<_> = route::parameters(request.uri().query()).collect();
    pairs.sort();
    let path = route::decode(request.uri().path())?;
    let canonical = create_canonical_request(request.method().as_str(), &path, &pairs, &signed, payload);
    let (region, service) = (claim.credential.aws_region, claim.credential.aws_service);
    Ok((create_string_to_sign(&canonical, &date, region, service), date))
}

/// A header that means something must have been signed.
fn refuse_unsigned(signed: &[&str], headers: &HeaderMap) -> S3Result<()> {
    let unsigned = headers.keys().map(http::HeaderName::as_str).any(|name| {
        name.starts_with("x-amz-")
            && name != "x-amz-content-sha256"
            && !signed.iter().any(|signed| signed.eq_ignore_ascii_case(name))
    });
    if unsigned || !signed.contains(&"host") {
        return Err(error::denied("there were headers present in the request which were not signed"));
    }
    Ok(())
}
