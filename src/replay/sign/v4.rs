//! Signature Version 4, as S3 uses it: the path is encoded once and not normalised.

use hmac::{Hmac, KeyInit as _, Mac as _};
use percent_encoding::{AsciiSet, percent_decode_str, percent_encode};
use sha2::{Digest as _, Sha256};
use time::OffsetDateTime;
use time::macros::format_description;

use super::claim;
use super::query::{NAMES, Query, encode};
use super::{Key, frames};
use crate::send::{Body, Request};

const PATH: &AsciiSet = &NAMES.remove(b'/');
const UNSIGNED: &str = "UNSIGNED-PAYLOAD";
const CONTENT_SHA256: &str = "x-amz-content-sha256";

/// What signatures of one request have in common.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Scope {
    signing_key: Vec<u8>,
    time: String,
    scope: String,
}

impl Scope {
    pub(super) fn new(secret: &str, at: OffsetDateTime, region: &str, service: &str) -> Self {
        let time = time_text(at);
        let day = time.get(..8).unwrap_or_default();
        let key = hmac_sha256(format!("AWS4{secret}").as_bytes(), day.as_bytes());
        let key = hmac_sha256(&hmac_sha256(&key, region.as_bytes()), service.as_bytes());
        let scope = format!("{day}/{region}/{service}/aws4_request");
        Self { signing_key: hmac_sha256(&key, b"aws4_request"), scope, time }
    }

    /// The signature of something that this algorithm and these digests describe.
    pub(super) fn signature(&self, algorithm: &str, lines: &[&str]) -> String {
        let text = format!("{algorithm}\n{}\n{}\n{}", self.time, self.scope, lines.join("\n"));
        hex::encode(hmac_sha256(&self.signing_key, text.as_bytes()))
    }
}

pub(super) fn header(request: &mut Request, key: &Key, at: OffsetDateTime) -> Result<(), String> {
    let authorization = request.header("authorization").unwrap_or_default().to_owned();
    let malformed = || "its `Authorization` is not one of Signature V4".to_owned();
    let credential = claim::parameter(&authorization, "Credential").ok_or_else(malformed)?;
    let names = claim::parameter(&authorization, "SignedHeaders").ok_or_else(malformed)?;
    let (region, service) = claim::place(credential).ok_or_else(malformed)?;
    let scope = Scope::new(&key.secret, at, region, service);

    // What is no time was meant to be none.
    let broken = request.header("x-amz-date").is_some_and(|stated| parse_time(stated).is_none());
    if !broken && (request.header("x-amz-date").is_some() || request.header("date").is_none()) {
        request.set_header("x-amz-date", &scope.time);
    }
    if request.header("date").is_some() {
        request.set_header("date", &super::v2::date_text(at));
    }
    // Clients sign what they mean to send; what is not sent here (`Connection`, `Expect`) drops out.
    let names: Vec<&str> = names.split(';').filter(|name| request.header(name).is_some()).collect();
    let payload = match request.header(CONTENT_SHA256) {
        Some(payload) => payload.to_owned(),
        None => sha256_of(&request.body),
    };
    let canonical = canonical(request, &Query::of(&request.target), &names, &payload);
    let signature = scope.signature("AWS4-HMAC-SHA256", &[&sha256(canonical.as_bytes())]);
    let scheme = authorization.split(' ').next().unwrap_or_default().to_owned();
    let value = format!(
        "{scheme} Credential={}/{}, SignedHeaders={}, Signature={signature}",
        key.id,
        scope.scope,
        names.join(";")
    );
    request.set_header("authorization", &value);
    if let Body::Framed(frames) = &mut request.body {
        frames.sign(frames::Chain::new(scope, signature));
    }
    Ok(())
}

pub(super) fn query(request: &mut Request, key: &Key, at: OffsetDateTime) -> Result<(), String> {
    let mut query = Query::of(&request.target);
    let malformed = || "its query lacks parameters of Signature V4".to_owned();
    let credential = query.get("X-Amz-Credential").ok_or_else(malformed)?;
    let names = query.get("X-Amz-SignedHeaders").ok_or_else(malformed)?;
    let (region, service) = claim::place(&credential).ok_or_else(malformed)?;
    let scope = Scope::new(&key.secret, at, region, service);
    query.set("X-Amz-Credential", &format!("{}/{}", key.id, scope.scope));
    if query.get("X-Amz-Date").is_some_and(|stated| parse_time(&stated).is_some()) {
        query.set("X-Amz-Date", &scope.time);
    }

    let names: Vec<&str> = names.split(';').filter(|name| request.header(name).is_some()).collect();
    query.set("X-Amz-SignedHeaders", &names.join(";"));
    let mut signed = query.clone();
    signed.remove("X-Amz-Signature");
    // The web client of Cells appends its token to the signed URL; the mobile ones sign it with the
    // rest.
    if query.position("pydio_jwt") > query.position("X-Amz-Signature") {
        signed.remove("pydio_jwt");
    }
    let payload = query.get("X-Amz-Content-Sha256").unwrap_or_else(|| {
        // A header counts where it is signed.
        let header = request.header(CONTENT_SHA256).filter(|_| names.contains(&CONTENT_SHA256));
        header.unwrap_or(UNSIGNED).to_owned()
    });
    let canonical = canonical(request, &signed, &names, &payload);
    let signature = scope.signature("AWS4-HMAC-SHA256", &[&sha256(canonical.as_bytes())]);
    query.set("X-Amz-Signature", &signature);
    request.target = query.target();
    Ok(())
}

fn canonical(request: &Request, query: &Query, names: &[&str], payload: &str) -> String {
    let path: Vec<u8> = percent_decode_str(query.path()).collect();
    // Lossy would change names that are no UTF-8; encoding goes by bytes.
    let path = percent_encode(&path, PATH).to_string();
    let mut parameters: Vec<_> =
        query.parameters().map(|(name, value)| (encode(&name), encode(&value))).collect();
    parameters.sort();
    let parameters: Vec<_> = parameters.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let lines: String = names.iter().map(|name| format!("{name}:{}\n", values(request, name))).collect();
    let (method, parameters, names) = (&request.method, parameters.join("&"), names.join(";"));
    format!("{method}\n{path}\n{parameters}\n{lines}\n{names}\n{payload}")
}

/// All values of a header, blanks around and within made one.
fn values(request: &Request, name: &str) -> String {
    let known = request.headers.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name));
    let values: Vec<String> =
        known.map(|(_, value)| value.split_ascii_whitespace().collect::<Vec<_>>().join(" ")).collect();
    values.join(",")
}

fn time_text(at: OffsetDateTime) -> String {
    let form = format_description!("[year][month][day]T[hour][minute][second]Z");
    at.to_offset(time::UtcOffset::UTC).format(form).unwrap_or_default()
}

/// Reads `20260101T000000Z`.
pub(super) fn parse_time(text: &str) -> Option<OffsetDateTime> {
    let form = format_description!("[year][month][day]T[hour][minute][second]Z");
    time::PrimitiveDateTime::parse(text.trim(), form).ok().map(time::PrimitiveDateTime::assume_utc)
}

fn hmac_sha256(key: &[u8], text: &[u8]) -> Vec<u8> {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else {
        // HMAC takes keys of any length.
        return Vec::new();
    };
    mac.update(text);
    mac.finalize().into_bytes().to_vec()
}

pub(super) fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

fn sha256_of(body: &Body) -> String {
    let mut hasher = Sha256::new();
    body.pieces().for_each(|piece| hasher.update(&piece));
    hex::encode(hasher.finalize())
}

#[cfg(test)]
mod tests;
