//! Who is calling.
//!
//! The secret `gatewaysecret` is public, so a signature proves nothing by itself: the token or API
//! key that is its access key, or that comes beside it, is the credential. Every form ends in a
//! principal that [`cellgate_core::Identity`] has verified.
//!
//! | form | verified by |
//! |---|---|
//! | V4 header or query, access key = token or API key (A, E) | s3s, with [`Signatures`] |
//! | V4 with key `gateway` and `X-Pydio-Bearer` (F) | s3s; the token here |
//! | V4 query and `pydio_jwt`, inside or outside the signature (C, D) | s3s; [`pydio_jwt`] finds which |
//! | V2 header or query, same keys (B, C, D) | [`v2`]: s3s knows V2 as no real client signs it |
//! | V4 header for a region in capitals | [`v4`]: s3s refuses those |
//! | `Authorization: Bearer` alone | here |
//!
//! The letters are those of the Cells reference. Signed POST forms are not built.

mod pydio_jwt;
mod v2;
mod v4;

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use cellgate_core::http::Request;
use cellgate_core::identity::GATEWAY_SECRET;
use cellgate_core::principal::SharedPrincipal;
use cellgate_core::{Core, Credentials, Door, Error};
use http::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE};
use http::{Extensions, HeaderMap, Method};
use s3s::access::{S3Access, S3AccessContext};
use s3s::auth::{S3Auth, SecretKey};
use s3s::{S3Error, S3ErrorCode, S3Result};

pub(crate) use self::pydio_jwt::EXPIRES_MAX_S as PRESIGNED_MAX_S;
use crate::{error, headers, ops, route};

/// The access key of clients that put their token beside the signature.
const GATEWAY_KEY: &str = "gateway";
const BEARER_HEADER: &str = "x-pydio-bearer";
const BEARER_PARAMETER: &str = "pydio_jwt";
/// How far a header-signed request may be from our clock.
const SKEW_MAX_S: i64 = 900;

tokio::task_local! {
    /// The request that s3s is answering on this task: its hooks see the access key only.
    pub(crate) static CALL: Arc<Call>;
}

/// What is known of a request's caller on its way through s3s.
#[derive(Default)]
pub(crate) struct Call {
    /// Whose token came beside the signature.
    beside: Option<SharedPrincipal>,
    /// Who was verified before s3s saw the request, which it then takes for anonymous.
    verified: Option<SharedPrincipal>,
    /// Whose access key s3s is verifying a signature with.
    signer: Mutex<Option<SharedPrincipal>>,
    /// Cells lets no `pydio_jwt` link be shown in the browser, where it would run as the site.
    pub(crate) attachment: bool,
    admitted: OnceLock<SharedPrincipal>,
    operation: OnceLock<&'static str>,
}

impl Call {
    pub(crate) fn principal(&self) -> Option<&SharedPrincipal> {
        self.admitted.get()
    }

    pub(crate) fn operation(&self) -> Option<&'static str> {
        self.operation.get().copied()
    }

    fn set_signer(&self, principal: SharedPrincipal) {
        *self.signer.lock().unwrap_or_else(PoisonError::into_inner) = Some(principal);
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

/// How a request proves where it comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    V4Header,
    V4Query,
    V2Header,
    V2Query,
    Bearer,
    Unsigned,
}

impl Form {
    fn of(request: &Request) -> S3Result<Self> {
        let query: Vec<_> = route::parameters(request.uri().query()).collect();
        let has = |name: &str| query.iter().any(|(other, _)| other == name);
        let authorization = headers::text(request.headers(), AUTHORIZATION.as_str())?.unwrap_or_default();
        let scheme = authorization.split(' ').next().unwrap_or_default();
        let header = match scheme {
            "" => None,
            _ if scheme.starts_with("AWS4-") => Some(Self::V4Header),
            "AWS" => Some(Self::V2Header),
            _ if scheme.eq_ignore_ascii_case("Bearer") => Some(Self::Bearer),
            _ => {
                return Err(error::with(
                    S3ErrorCode::InvalidRequest,
                    "the authorization mechanism you have provided is not supported, use AWS4-HMAC-SHA256",
                ));
            }
        };
        let query = match (has("X-Amz-Signature"), has("Signature")) {
            (true, true) => return Err(two_forms()),
            (true, false) => Some(Self::V4Query),
            (false, true) => Some(Self::V2Query),
            (false, false) => None,
        };
        match (query, header) {
            // Scripts keep sending their Bearer with a presigned URL; the URL is what counts.
            (Some(query), None | Some(Self::Bearer)) => Ok(query),
            (Some(_), Some(_)) => Err(two_forms()),
            (None, header) => Ok(header.unwrap_or(Self::Unsigned)),
        }
    }
}

fn two_forms() -> S3Error {
    error::invalid("only one auth mechanism allowed: X-Amz-Algorithm, Signature or the Authorization header")
}

/// Verifies what s3s cannot, and takes out of the request what s3s would trip on.
pub(crate) async fn front(core: &Core, mut request: Request) -> S3Result<(Request, Call)> {
    refuse_what_cannot_pass(&request)?;
    let form = Form::of(&request)?;
    let mut call = Call::default();
    if let Some(token) = token_beside(&mut request)? {
        if !matches!(form, Form::V4Header | Form::V4Query | Form::V2Header | Form::V2Query) {
            return Err(error::denied("a token beside the signature needs a signature"));
        }
        call.beside = Some(verify_token(core, token).await?);
    }
    match form {
        Form::V4Header if v4::applies(&request) => {
            call.verified = Some(v4::authenticate(core, &call, &mut request).await?);
        }
        Form::V4Header | Form::Unsigned => {}
        Form::V4Query => {
            request.headers_mut().remove(AUTHORIZATION);
            call.attachment = pydio_jwt::settle(&mut request, true)?;
        }
        Form::V2Header | Form::V2Query => {
            refuse_chunked(request.headers())?;
            call.verified = Some(v2::authenticate(core, &call, &mut request).await?);
            call.attachment = pydio_jwt::settle(&mut request, false)?;
        }
        Form::Bearer => {
            refuse_chunked(request.headers())?;
            let token = bearer_token(request.headers())?.to_owned();
            request.headers_mut().remove(AUTHORIZATION);
            call.verified = Some(verify_token(core, token).await?);
        }
    }
    Ok((request, call))
}

fn refuse_what_cannot_pass(request: &Request) -> S3Result<()> {
    // XML 1.0 cannot carry them, so no answer could echo them.
    let control = |text: &str| text.chars().any(|c| c.is_ascii_control() && !matches!(c, '\t' | '\n' | '\r'));
    if route::parameters(request.uri().query()).any(|(name, value)| control(&name) || control(&value)) {
        return Err(error::invalid("a parameter contains a control character"));
    }
    let form = headers::text(request.headers(), CONTENT_TYPE.as_str()).ok().flatten().unwrap_or_default();
    if request.method() == Method::POST && form.to_ascii_lowercase().starts_with("multipart/form-data") {
        return Err(error::unsupported("upload by POST form"));
    }
    Ok(())
}

/// s3s takes the chunk frames out of bodies that V4 signed, and of no others.
fn refuse_chunked(request: &HeaderMap) -> S3Result<()> {
    let starts = |name: &str, with: &str| {
        request.get(name).is_some_and(|value| value.as_bytes().starts_with(with.as_bytes()))
    };
    let chunked = request
        .get_all(CONTENT_ENCODING)
        .iter()
        .any(|value| value.to_str().is_ok_and(|value| value.to_ascii_lowercase().contains("aws-chunked")));
    if chunked || starts("x-amz-content-sha256", "STREAMING-") {
        return Err(error::unsupported("a chunked body without a V4 signature"));
    }
    Ok(())
}

/// Takes the token beside the signature out of the request. The parameter beats the header, as in
/// Cells; it stays in the query for now, it may be signed.
fn token_beside(request: &mut Request) -> S3Result<Option<String>> {
    let header = headers::text(request.headers(), BEARER_HEADER)?.map(str::to_owned);
    request.headers_mut().remove(BEARER_HEADER);
    let mut parameters =
        route::parameters(request.uri().query()).filter(|(name, _)| name == BEARER_PARAMETER);
    let parameter = parameters.next().map(|(_, token)| token);
    if parameters.next().is_some() {
        return Err(error::invalid("duplicate parameter: pydio_jwt"));
    }
    Ok(parameter.or(header).filter(|token| !token.is_empty()))
}

fn bearer_token(request: &HeaderMap) -> S3Result<&str> {
    let authorization = headers::text(request, AUTHORIZATION.as_str())?.unwrap_or_default();
    Ok(authorization.split_once(' ').map(|(_, token)| token.trim()).unwrap_or_default())
}

async fn verify_token(core: &Core, token: String) -> S3Result<SharedPrincipal> {
    core.identity().verify(&Credentials::Token(token), Door::S3).await.map_err(|refused| match refused {
        // There is no access key to call unknown.
        Error::Unauthenticated(reason) => error::denied(reason.to_string()),
        other => error::answer(other),
    })
}

/// Finds the secrets of access keys for s3s.
pub(crate) struct Signatures(pub(crate) Core);

#[async_trait::async_trait]
impl S3Auth for Signatures {
    async fn get_secret_key(&self, access_key: &str) -> S3Result<SecretKey> {
        let call = current()?;
        let (principal, secret) = call.signing_key(&self.0, access_key).await?;
        call.set_signer(principal);
        Ok(SecretKey::from(secret))
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
        let caller = admit(cx.credentials().is_some(), cx.headers(), operation)?;
        cx.extensions_mut().insert(caller);
        Ok(())
    }
}

/// `signed`: s3s has verified a signature.
fn admit(signed: bool, headers: &HeaderMap, operation: Option<&'static str>) -> S3Result<Caller> {
    let call = current()?;
    if let Some(operation) = operation {
        let _ = call.operation.set(operation);
    }
    let principal = if signed {
        call.signer.lock().unwrap_or_else(PoisonError::into_inner).clone()
    } else {
        call.verified.clone()
    };
    let principal = principal.ok_or_else(|| error::denied("sign the request, or send a bearer token"))?;
    let _ = call.admitted.set(principal.clone());
    headers::refuse_unsupported(headers)?;
    Ok(Caller(principal))
}

/// The same for requests that do not go through the operations of s3s.
pub(crate) fn admit_direct(
    signed: bool,
    headers: &HeaderMap,
    operation: &'static str,
    extensions: &mut Extensions,
) -> S3Result<()> {
    let caller = admit(signed, headers, Some(operation))?;
    extensions.insert(caller);
    Ok(())
}

/// Whether this answer must be saved, not shown.
pub(crate) fn attachment_only() -> bool {
    CALL.try_with(|call| call.attachment).unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(query: &str, authorization: Option<&str>) -> S3Result<Form> {
        let mut request = http::Request::builder().uri(format!("/io/ws/a?{query}"));
        if let Some(value) = authorization {
            request = request.header(AUTHORIZATION, value);
        }
        Form::of(&request.body(cellgate_core::http::empty()).unwrap())
    }

    #[test]
    fn forms_are_told_apart() {
        let v4 = Some("AWS4-HMAC-SHA256 Credential=k/20300101/us-east-1/s3/aws4_request");
        assert_eq!(form("", v4).unwrap(), Form::V4Header);
        assert_eq!(form("", Some("AWS key:signature")).unwrap(), Form::V2Header);
        assert_eq!(form("", Some("Bearer t")).unwrap(), Form::Bearer);
        assert_eq!(form("", Some("bearer t")).unwrap(), Form::Bearer);
        assert_eq!(form("", None).unwrap(), Form::Unsigned);
        assert_eq!(form("X-Amz-Signature=1", None).unwrap(), Form::V4Query);
        assert_eq!(form("X-Amz-Signature=1", Some("Bearer t")).unwrap(), Form::V4Query);
        assert_eq!(form("%53ignature=1", Some("Bearer t")).unwrap(), Form::V2Query);
        for refused in [
            form("Signature=1&X-Amz-Signature=1", None),
            form("Signature=1", v4),
            form("", Some("Basic eA==")),
        ] {
            assert!(refused.is_err());
        }
    }
}
