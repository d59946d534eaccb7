//! The S3 door: `/io`, and `/` for who signs it.
//!
//! s3s parses and writes XML; the core decides. In front of s3s, `auth` verifies who calls, in every
//! form there is, and `body` what they send, so that s3s answers anonymous requests with plain bodies.
//! Beside it stand the reads and copies that its typed inputs refuse (`route::Direct`).
//!
//! Buckets are `io` and `data`, which hold the whole tree of the caller, and every workspace
//! (`address`). Operations: those in `ops::BUILT`; all others answer 501 `NotImplemented`.
//!
//! `ops/archive.rs`: archives of folders, made as they are read, and members of archives.
//!
//! Where a node tree is not a key space:
//!
//! * `a` and `a/b` cannot both exist: the second one is refused, 409 `ParentIsObject` or
//!   `KeyIsParent`.
//! * A folder that came with a key leaves with the last one in it; others stay, and are listed as the
//!   empty object `folder/` while they are empty.
//! * Keys with empty segments, `.`, `..` or control characters are refused, 400 `InvalidArgument`;
//!   names above 255 bytes and keys above 1,024, 400 `KeyTooLongError`.
//! * Keys are NFC, whatever form they were asked for in.
//! * `folder/` takes metadata and tags, but no content: 400 `InvalidArgument`.
//! * `folder/.pydio` is the id of the folder, as clients of Cells know it: the core answers for it, and
//!   nothing lists it.
//!
//! Where Amazon does otherwise on purpose of its own:
//!
//! * A copy is the same content: it keeps the ETag, parts and checksums of an object made of parts,
//!   where Amazon makes one of a single part. Parts are counted from 1 without gaps.
//! * `LastModified` is when an object was written. `x-amz-meta-mtime` (rclone, s3cmd) is kept and given
//!   back, and is no time of the node: `aws s3 sync` takes an object for old whose time is before the
//!   local file's, and readers take one for unchanged that went back in time.
//!
//! Known gaps: grants of ACLs, encryption, thumbnails (`pydio-thumbstore/…` answers 501).

mod address;
mod asked;
mod auth;
mod body;
mod checksums;
mod cors;
mod domains;
mod error;
mod headers;
mod listing;
mod ops;
mod route;
mod settings;
mod tags;
mod versions;
mod wording;

use std::sync::Arc;

use cellgate_core::http::{Note, Protocol, Request, Response};
use cellgate_core::{Core, Door};
use futures_util::future::BoxFuture;
use http::StatusCode;
use s3s::config::{S3Config, StaticConfigProvider};
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s::validation::NameValidation;
use s3s::{HttpResponse, S3Error, S3ErrorCode, S3Response, S3Result};

use crate::asked::Asked;
use crate::auth::{CALL, Call, Front, Passed};
use crate::ops::{Answered, DirectRequest, Ops, direct, post_object};
use crate::route::Direct;

/// The operations that are built, by Amazon's names.
pub fn operations() -> impl Iterator<Item = &'static str> {
    ops::built()
}

pub use cors::{CorsRule, METHODS as CORS_METHODS};
pub use settings::Settings;

/// See the crate documentation. Cheap to clone.
#[derive(Clone)]
pub struct S3(Arc<Inner>);

struct Inner {
    front: Front,
    ops: Ops,
    service: S3Service,
    settings: Arc<Settings>,
}

impl S3 {
    pub fn new(core: Core) -> Self {
        Self::with(core, Settings::default())
    }

    pub fn with(core: Core, settings: Settings) -> Self {
        let settings = Arc::new(settings);
        let ops = Ops::new(core.clone(), settings.clone());
        let mut builder = S3ServiceBuilder::new(ops.clone());
        builder.set_auth(auth::NoSignatures);
        builder.set_access(auth::Admission);
        builder.set_validation(AnyBucket);
        builder.set_config(Arc::new(StaticConfigProvider::new(Arc::new(config()))));
        Self(Arc::new(Inner { front: Front::new(core), ops, service: builder.build(), settings }))
    }
}

fn config() -> S3Config {
    let mut config = S3Config::default();
    config.xml_max_body_size = body::document::MAX_BYTES;
    // The core has the limit on leaves.
    config.put_object_max_size = None;
    config.allow_post_signature = false;
    // `x-id` is noise that SDKs add; Cells' own endpoints carry wrong ones.
    config.operation_id_routing = false;
    config
}

/// `io` has two letters, Amazon wants three. Which bucket there is, [`auth::Admission`] says, after
/// it knows who asks.
struct AnyBucket;

impl NameValidation for AnyBucket {
    fn validate_bucket_name(&self, name: &str) -> bool {
        !name.is_empty()
    }
}

impl Protocol for S3 {
    fn door(&self) -> Door {
        Door::S3
    }

    fn mounts(&self) -> &'static [&'static str] {
        &["/io"]
    }

    fn owns_host(&self, host: &str) -> bool {
        domains::named(&self.0.settings.domains, host).is_some()
    }

    fn recognizes(&self, request: &Request) -> bool {
        let preflight =
            !self.0.settings.cors.is_empty() && request.uri().path() != "*" && cors::is_preflight(request);
        preflight || route::is_for_s3(request)
    }

    fn serve(&self, request: Request) -> BoxFuture<'static, Response> {
        Box::pin(Arc::clone(&self.0).answer(request))
    }
}

impl Inner {
    async fn answer(self: Arc<Self>, mut request: Request) -> Response {
        if let Some(bucket) = domains::bucket(&self.settings.domains, &request) {
            request.extensions_mut().insert(bucket);
        }
        let asked = Asked::of(&request);
        if let Some(answer) = cors::preflight(&self.settings.cors, &request) {
            return asked.finish(answer, Note::default()).await;
        }
        let grant = cors::Grant::of(&self.settings.cors, &request);
        let (response, note) = match self.serve_verified(request).await {
            Ok(answered) => answered,
            Err(error) => (render(error), Note::default()),
        };
        let mut response = asked.finish(response, note).await;
        grant.add_to(&mut response);
        response
    }

    async fn serve_verified(&self, mut request: Request) -> S3Result<(HttpResponse, Note)> {
        let (response, call) = if post_object::applies(request.method(), request.uri(), request.headers()) {
            // Of a form the policy is signed, not the target.
            route::bring_to_path_style(&mut request);
            let (upload, call) = Box::pin(self.front.pass_form(request)).await?;
            let call = Arc::new(call);
            let posted = post_object::post_object(&self.ops, upload);
            let posted = CALL.scope(call.clone(), Box::pin(posted)).await;
            (posted.unwrap_or_else(render), call)
        } else {
            let Passed { mut request, call, parameters } = self.front.pass(request).await?;
            // Behind the signature, which is of the target as it came.
            route::bring_to_path_style(&mut request);
            headers::quote_conditions(request.headers_mut());
            let call = Arc::new(call);
            // Boxed: a future that is handed on is copied, with all the room that it has.
            let answer = Box::pin(self.call(request, parameters, &call));
            (CALL.scope(call.clone(), answer).await, call)
        };
        let principal = call.principal().map(|principal| principal.login.clone());
        Ok((response, Note { principal, operation: call.operation() }))
    }

    async fn call(&self, request: Request, parameters: Vec<(String, String)>, call: &Call) -> HttpResponse {
        let request = match self.checked(request, call).await {
            Ok(request) => request,
            Err(refused) => return render(refused),
        };
        let response = match direct_of(&request, &parameters) {
            Some((how, bucket, key)) => {
                let (parts, _) = request.into_parts();
                let (method, headers, extensions) = (parts.method, parts.headers, parts.extensions);
                let request = DirectRequest { method, bucket, key, parameters, headers, extensions };
                direct::answer(&self.ops, how, request).await.map_or_else(render, plain)
            }
            // Boxed, as all that is large and rare: every request would carry its room along.
            None => Box::pin(self.by_s3s(request, call)).await,
        };
        match call.fault.take() {
            // What was wrong with a body is the cause of whatever was made of it.
            Some(fault) if !response.status().is_success() => render(fault),
            _ => response,
        }
    }

    async fn by_s3s(&self, mut request: Request, call: &Call) -> HttpResponse {
        if let Err(refused) = call.strip(request.uri_mut()) {
            return render(refused);
        }
        let mut response = match self.service.call(request.map(s3s::Body::http_body_unsync)).await {
            Ok(response) => response,
            Err(cause) => {
                tracing::error!(protocol = "s3", error = %cause, "no answer could be written: {cause}");
                render(S3Error::new(S3ErrorCode::InternalError))
            }
        };
        if let Some(Answered(status)) = response.extensions().get().copied() {
            *response.status_mut() = status;
        }
        response
    }

    /// Nothing is read of what nobody signed.
    async fn checked(&self, request: Request, call: &Call) -> S3Result<Request> {
        if !call.is_verified() {
            return Ok(request);
        }
        if !body::document::may_be(&request) {
            return Ok(request);
        }
        let checked = Box::pin(body::document::check(request)).await;
        checked.map_err(|refused| call.fault.take().unwrap_or(refused))
    }
}

/// How the request is answered without s3s, if it is, and the bucket and the key that it names.
fn direct_of(request: &Request, parameters: &[(String, String)]) -> Option<(Direct, String, String)> {
    // s3s says what is wrong with a path that cannot be decoded.
    let path = route::decode(request.uri().path()).ok()?;
    let how = Direct::of(request.method(), &path, parameters, request.headers())?;
    let (bucket, key) = route::split_bucket(&path);
    Some((how, bucket.to_owned(), key.to_owned()))
}

fn plain(answer: S3Response<s3s::Body>) -> HttpResponse {
    let mut response = HttpResponse::new(answer.output);
    *response.status_mut() = answer.status.unwrap_or_default();
    *response.headers_mut() = answer.headers;
    *response.extensions_mut() = answer.extensions;
    response
}

fn render(error: S3Error) -> HttpResponse {
    error.to_http_response().unwrap_or_else(|_| {
        let mut response = HttpResponse::new(s3s::Body::empty());
        *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        response
    })
}

pub(crate) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
