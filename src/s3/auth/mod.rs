//! Who is calling.
//!
//! The secret `gatewaysecret` is public, so a signature proves nothing by itself: the token or API
//! key that is its access key, or that comes beside it, is the credential. Every form ends in a
//! principal that [`cellgate_core::Identity`] has verified, and all of it before s3s sees the request:
//! what s3s gets is anonymous, and its body plain.
//!
//! | form | verified by |
//! |---|---|
//! | V4 header or query, access key = token or API key (A, E) | [`v4`] |
//! | V4 with key `gateway` and `X-Pydio-Bearer` (F) | [`v4`]; the token here |
//! | V4 query and `pydio_jwt`, inside or outside the signature (C, D) | [`v4`] |
//! | V2 header or query, same keys (B, C, D) | [`v2`] |
//! | `Authorization: Bearer` alone | here |
//! | the policy of a POST form, V4 or V2 | [`post`] |
//!
//! The letters are those of the Cells reference. A credential is verified once, when the request
//! begins: an upload whose token expires meanwhile goes on.

mod canonical;
mod chain;
mod claim;
mod form;
mod keys;
mod policy;
mod post;
mod query;
mod v2;
mod v4;

use std::sync::{Arc, OnceLock};

use cellgate_core::http::Request;
use cellgate_core::identity::GATEWAY_SECRET;
use cellgate_core::principal::SharedPrincipal;
use cellgate_core::{Core, Credentials, Door, Error};
use http::header::AUTHORIZATION;
use http::{Extensions, HeaderMap, Method, Uri};
use http_body::Body as _;
use s3s::access::{S3Access, S3AccessContext};
use s3s::auth::{S3Auth, SecretKey};
use s3s::{S3Error, S3ErrorCode, S3Result};

pub(crate) use self::chain::{Chain, EMPTY_SHA256};
use self::form::Form;
pub(crate) use self::keys::Keys;
pub(crate) use self::post::Upload;
use self::query::Query;
use crate::body::{self, Fault};
use crate::{error, headers, ops, route};

/// The access key of clients that put their token beside the signature.
const GATEWAY_KEY: &str = "gateway";
const BEARER_HEADER: &str = "x-pydio-bearer";
const BEARER_PARAMETER: &str = "pydio_jwt";
/// Where Amazon takes the token of temporary credentials.
const SESSION: &str = "x-amz-security-token";
const DISPOSITION: &str = "response-content-disposition";
/// How far a header-signed request may be from our clock.
const SKEW_MAX_S: i64 = 900;

tokio::task_local! {
    /// The request that s3s is answering on this task.
    pub(crate) static CALL: Arc<Call>;
}

/// What is known of a request's caller on its way through s3s.
#[derive(Default)]
pub(crate) struct Call {
    /// Whose token came beside the signature.
    beside: Option<SharedPrincipal>,
    verified: Option<SharedPrincipal>,
    form: Option<Form>,
    /// Cells lets no `pydio_jwt` link be shown in the browser, where it would run as the site.
    pub(crate) attachment: bool,
    /// What is wrong with the body, once that is known.
    pub(crate) fault: Fault,
    admitted: OnceLock<SharedPrincipal>,
    operation: OnceLock<&'static str>,
}

impl Call {
    pub(crate) fn is_verified(&self) -> bool {
        self.verified.is_some()
    }

    /// Takes out of a target what has been verified: s3s would verify it again, and knows less.
    pub(crate) fn strip(&self, uri: &mut Uri) -> S3Result<()> {
        let Some(form) = self.form else { return Ok(()) };
        if route::parameters(uri.query()).any(|(name, _)| form.owns(&name)) {
            *uri = query::retain(uri, |name| !form.owns(name))?;
        }
        Ok(())
    }

    pub(crate) fn principal(&self) -> Option<&SharedPrincipal> {
        self.admitted.get()
    }

    pub(crate) fn operation(&self) -> Option<&'static str> {
        self.operation.get().copied()
    }

    /// The principal behind an access key whose signature is about to be verified, and the secret.
    async fn signing_key(&self, core: &Core, access_key: &str) -> S3Result<(SharedPrincipal, String)> {
        if access_key == GATEWAY_KEY {
            let beside = self.beside.clone().ok_or_else(|| S3Error::new(S3ErrorCode::InvalidAccessKeyId))?;
            return Ok((beside, GATEWAY_SECRET.to_owned()));
        }
        let key = core.identity().signing_key(access_key).await.map_err(error::answer)?;
        // The Java SDK puts the token in both places; two different callers are a mistake or worse.
        if self.beside.as_ref().is_some_and(|beside| beside.uuid != key.principal.uuid) {
            return Err(S3Error::new(S3ErrorCode::InvalidAccessKeyId));
        }
        Ok((key.principal, key.secret))
    }
}

/// A request that was verified, or is anonymous.
pub(crate) struct Passed {
    pub(crate) request: Request,
    pub(crate) call: Call,
    /// Decoded, in order, without those of the signature.
    pub(crate) parameters: Vec<(String, String)>,
}

/// What verifying takes.
#[derive(Clone)]
pub(crate) struct Front {
    pub(crate) core: Core,
    pub(crate) keys: Keys,
}

impl Front {
    pub(crate) fn new(core: Core) -> Self {
        Self { core, keys: Keys::new() }
    }

    /// Verifies a request and makes its body plain.
    pub(crate) async fn pass(&self, request: Request) -> S3Result<Passed> {
        let (mut parts, mut body) = request.into_parts();
        let query = Query::of(&parts.uri)?;
        let form = Form::of(&parts.headers, &query)?;
        if !matches!(form, Form::Bearer | Form::Unsigned) {
            refuse_session(&parts.headers, &query)?;
        }
        let mut call = Call::default();
        if let Some(token) = token_beside(&mut parts.headers, &query)? {
            if matches!(form, Form::Bearer | Form::Unsigned) {
                return Err(error::denied("a token beside the signature needs a signature"));
            }
            call.beside = Some(self.verify_token(token).await?);
        }
        // Only a body's chunks are signed one after the other.
        let has_body = !body.is_end_stream();
        let (principal, chain) = match form {
            Form::Unsigned => {
                return Ok(Passed {
                    request: Request::from_parts(parts, body),
                    call,
                    parameters: query.into_pairs(),
                });
            }
            Form::V4Header => {
                let verified = v4::by_header(self, &call, &query, &parts, &mut body).await?;
                (verified.principal.clone(), has_body.then(|| verified.chain()))
            }
            Form::V4Query => {
                let verified = v4::by_query(self, &call, &query, &mut parts).await?;
                (verified.principal.clone(), has_body.then(|| verified.chain()))
            }
            Form::V2Header | Form::V2Query => (Box::pin(v2::verify(self, &call, &parts)).await?, None),
            Form::Bearer => {
                let token = bearer_token(&parts.headers)?.to_owned();
                (self.verify_token(token).await?, None)
            }
        };
        check_owner(&parts.headers, &principal)?;
        call.verified = Some(principal);
        call.attachment = must_be_saved(&parts.method, &query);
        headers::join_metadata(&mut parts.headers);
        let body = body::uncover(&mut parts, body, chain, &call.fault)?;
        // s3s would verify it again, and knows less.
        parts.headers.remove(AUTHORIZATION);
        let mut parameters = query.into_pairs();
        parameters.retain(|(name, _)| !form.owns(name));
        call.form = Some(form);
        Ok(Passed { request: Request::from_parts(parts, body), call, parameters })
    }

    async fn verify_token(&self, token: String) -> S3Result<SharedPrincipal> {
        let token = Credentials::Token(token);
        self.core.identity().verify(&token, Door::S3).await.map_err(|refused| match refused {
            // There is no access key to call unknown.
            Error::Unauthenticated(reason) => error::denied(reason.to_string()),
            other => error::answer(other),
        })
    }
}

/// Buckets belong to who sees them, under the name that listings show as their owner's, or the access
/// key. Whoever expects another owner is to be told.
fn check_owner(headers: &HeaderMap, principal: &SharedPrincipal) -> S3Result<()> {
    for name in ["x-amz-expected-bucket-owner", "x-amz-source-expected-bucket-owner"] {
        let Some(expected) = headers::text(headers, name)? else { continue };
        let authorization = headers::text(headers, &AUTHORIZATION)?.unwrap_or_default();
        let owner = principal.uuid.simple().to_string();
        if expected != owner && !authorization.contains(&format!("Credential={expected}/")) {
            return Err(S3Error::new(S3ErrorCode::AccessDenied));
        }
    }
    Ok(())
}

/// Nobody has a session here, so its token is one of somewhere else. An empty one is none.
fn refuse_session(headers: &HeaderMap, query: &Query) -> S3Result<()> {
    let header = headers.get(SESSION).is_some_and(|token| !token.is_empty());
    let asked = |(name, token): (&str, &str)| name.eq_ignore_ascii_case(SESSION) && !token.is_empty();
    match header || query.pairs().any(asked) {
        true => Err(S3Error::new(S3ErrorCode::InvalidToken)),
        false => Ok(()),
    }
}

/// Whether the content must be sent as an attachment: Cells overrides every other disposition.
fn must_be_saved(method: &Method, query: &Query) -> bool {
    let saved = || query.get(DISPOSITION).is_some_and(|value| value.starts_with("attachment"));
    method == Method::GET && query.has(BEARER_PARAMETER) && !saved()
}

impl Form {
    /// Whether a parameter proves who calls, and says nothing else.
    fn owns(self, name: &str) -> bool {
        name == BEARER_PARAMETER
            || match self {
                Self::V4Query => is_of_v4(name),
                Self::V2Query => v2::PARAMETERS.contains(&name),
                _ => false,
            }
    }
}

/// Whether this parameter is the signature's own.
fn is_of_v4(name: &str) -> bool {
    const BESIDE: [&str; 2] = ["X-Amz-Security-Token", "X-Amz-Content-Sha256"];
    claim::PARAMETERS.iter().chain(&BESIDE).any(|own| own.eq_ignore_ascii_case(name))
}

/// Takes the token beside the signature out of the headers. The parameter goes before the header, as
/// in Cells.
fn token_beside(headers: &mut HeaderMap, query: &Query) -> S3Result<Option<String>> {
    let header = headers::text(headers, BEARER_HEADER)?.map(str::to_owned);
    headers.remove(BEARER_HEADER);
    let parameter = query.get(BEARER_PARAMETER).map(str::to_owned);
    Ok(parameter.or(header).filter(|token| !token.is_empty()))
}

fn bearer_token(request: &HeaderMap) -> S3Result<&str> {
    let authorization = headers::text(request, &AUTHORIZATION)?.unwrap_or_default();
    Ok(authorization.split_once(' ').map(|(_, token)| token.trim()).unwrap_or_default())
}

/// Nobody signs what s3s sees. Without a provider, though, it would never ask [`Admission`].
pub(crate) struct NoSignatures;

#[async_trait::async_trait]
impl S3Auth for NoSignatures {
    async fn get_secret_key(&self, _: &str) -> S3Result<SecretKey> {
        Err(S3Error::new(S3ErrorCode::InvalidAccessKeyId))
    }
}

fn current() -> S3Result<Arc<Call>> {
    CALL.try_with(Arc::clone).map_err(|_| S3Error::new(S3ErrorCode::InternalError))
}

/// The principal of a request, in its extensions once it is let in.
#[derive(Clone)]
pub(crate) struct Caller(pub(crate) SharedPrincipal);

/// Lets in who was verified, and what can be answered.
pub(crate) struct Admission;

#[async_trait::async_trait]
impl S3Access for Admission {
    async fn check(&self, cx: &mut S3AccessContext<'_>) -> S3Result<()> {
        let operation = ops::name(cx.s3_op().name());
        let caller = admit(cx.headers(), operation)?;
        cx.extensions_mut().insert(caller);
        Ok(())
    }
}

fn admit(headers: &HeaderMap, operation: Option<&'static str>) -> S3Result<Caller> {
    let call = current()?;
    if let Some(operation) = operation {
        let _ = call.operation.set(operation);
    }
    let principal = call.verified.clone();
    let principal = principal.ok_or_else(|| error::denied("sign the request, or send a bearer token"))?;
    let _ = call.admitted.set(principal.clone());
    headers::refuse_unsupported(headers)?;
    Ok(Caller(principal))
}

/// The same for requests that do not go through the operations of s3s.
pub(crate) fn admit_direct(
    headers: &HeaderMap,
    operation: Option<&'static str>,
    extensions: &mut Extensions,
) -> S3Result<()> {
    let caller = admit(headers, operation)?;
    extensions.insert(caller);
    Ok(())
}

/// Whether this answer must be saved, not shown.
pub(crate) fn attachment_only() -> bool {
    CALL.try_with(|call| call.attachment).unwrap_or(false)
}
