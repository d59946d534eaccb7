//! The proof of a POST form: a signed policy, V4 or V2, in its fields. A bearer token in the header
//! will do as well.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cellgate_core::http::{Request, date};
use http::request::Parts;
use s3s::{S3Error, S3ErrorCode, S3Result};

use super::claim::{Scope, amz_time};
use super::form::{self, Form as Proof};
use super::policy::{self, Policy};
use super::query::Query;
use super::{Call, Front, SESSION, bearer_token, chain, token_beside, v2};
use crate::body::form::{Fields, Form};
use crate::error;

/// As long as Amazon lets a signing key be used.
const SIGNED_MAX_S: i64 = 7 * 24 * 3600;
const V4: [&str; 5] = ["policy", "x-amz-algorithm", "x-amz-credential", "x-amz-date", "x-amz-signature"];
const V2: [&str; 3] = ["policy", "awsaccesskeyid", "signature"];

/// A form from a caller who was verified.
pub(crate) struct Upload {
    pub(crate) request: Parts,
    pub(crate) form: Form,
    /// None where a bearer token came instead.
    pub(crate) policy: Option<Policy>,
}

impl Front {
    /// Reads a form up to its file and verifies who sends it.
    pub(crate) async fn pass_form(&self, request: Request) -> S3Result<(Upload, Call)> {
        let (mut request, body) = request.into_parts();
        let query = Query::of(&request.uri)?;
        let proof = Proof::of(&request.headers, &query)?;
        let mut call = Call::default();
        if let Some(token) = token_beside(&mut request.headers, &query)? {
            call.beside = Some(self.verify_token(token).await?);
        }
        let form = Form::read(&request.headers, body).await?;
        let fields = &form.fields;
        if fields.get("key").is_none_or(str::is_empty) {
            return Err(missing("key"));
        }
        if fields.get(SESSION).is_some_and(|token| !token.is_empty()) {
            return Err(S3Error::new(S3ErrorCode::InvalidToken));
        }
        let has = |names: &[&str]| names.iter().any(|name| fields.get(name).is_some());
        let (principal, policy) = match (proof, has(&V2[1..]), has(&V4)) {
            (Proof::Bearer | Proof::Unsigned, true, _) => self.by_policy_v2(&call, fields).await?,
            (Proof::Bearer | Proof::Unsigned, false, true) => self.by_policy_v4(&call, fields).await?,
            (Proof::Bearer, false, false) => {
                let token = bearer_token(&request.headers)?.to_owned();
                (self.verify_token(token).await?, None)
            }
            (Proof::Unsigned, false, false) => return Err(error::denied("Access Denied")),
            _ => return Err(form::two_forms()),
        };
        call.verified = Some(principal);
        Ok((Upload { request, form, policy }, call))
    }

    async fn by_policy_v4(&self, call: &Call, fields: &Fields) -> S3Result<Signed> {
        let [encoded, algorithm, credential, time, signature] = required(fields, V4)?;
        if algorithm != "AWS4-HMAC-SHA256" {
            return Err(error::argument("X-Amz-Algorithm", algorithm, "Only AWS4-HMAC-SHA256 is supported"));
        }
        let signed_at = amz_time(time).ok_or_else(|| {
            error::argument("X-Amz-Date", time, "X-Amz-Date must be formated via ISO8601 Long format")
        })?;
        if now_s() - signed_at > SIGNED_MAX_S {
            return Err(policy::expired());
        }
        // Its value holds the access key.
        let scope = Scope::parse(credential).map_err(|why| {
            error::with_fields(error::invalid(why), &[("ArgumentName", "x-amz-credential")])
        })?;
        let (principal, secret) = call.signing_key(&self.core, scope.access_key).await?;
        let key = self.keys.get(&secret, scope.date, scope.region)?;
        if !chain::signs(&key, encoded, signature) {
            return Err(S3Error::new(S3ErrorCode::SignatureDoesNotMatch));
        }
        Ok((principal, Some(Policy::parse(encoded, now_s())?)))
    }

    async fn by_policy_v2(&self, call: &Call, fields: &Fields) -> S3Result<Signed> {
        let [encoded, access_key, signature] = required(fields, V2)?;
        let (principal, secret) = call.signing_key(&self.core, access_key).await?;
        let signature = STANDARD.decode(signature).unwrap_or_default();
        if !v2::matches(&secret, encoded, &signature) {
            return Err(S3Error::new(S3ErrorCode::SignatureDoesNotMatch));
        }
        Ok((principal, Some(Policy::parse(encoded, now_s())?)))
    }
}

type Signed = (cellgate_core::principal::SharedPrincipal, Option<Policy>);

/// The values of fields that are needed together.
fn required<'f, const N: usize>(fields: &'f Fields, names: [&str; N]) -> S3Result<[&'f str; N]> {
    let mut values = [""; N];
    for (value, name) in values.iter_mut().zip(names) {
        *value = fields.get(name).ok_or_else(|| missing(name))?;
    }
    Ok(values)
}

fn missing(field: &str) -> S3Error {
    let text = format!(
        "Bucket POST must contain a field named '{field}'.  If it is specified, please check the order of the fields."
    );
    error::with_fields(error::invalid(text), &[("ArgumentName", field)])
}

fn now_s() -> i64 {
    date::now_ns().div_euclid(1_000_000_000)
}
