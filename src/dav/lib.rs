//! WebDAV at `/dav`: class 1 and 2 of RFC 4918 over the core's tree. The first level below the mount
//! is the caller's workspaces.
//!
//! Division of labour. dav-server 0.11 answers OPTIONS, GET of several ranges and PATCH (partial
//! update), over the adapter in `filesystem`. The rest goes from here straight to
//! [`cellgate_core::Tree`], because in dav-server
//! * a folder's DELETE and COPY are one call per descendant, and replacing deletes first: here each
//!   is one core operation, whole or not at all;
//! * PROPFIND writes entity tags without quotes, leaves missing properties out instead of answering
//!   404 for them, asks for dead properties per entry and is three times slower than wanted;
//! * PUT checks conditions before it writes; here they are checked with the commit;
//! * the lock table is its own; here locks are the core's and hold in every door;
//! * the mount root panics, and a `Destination` on another host is taken for ours.
//!
//! | file | what |
//! |---|---|
//! | `route`, `headers`, `auth`, `if_header` | what comes in |
//! | `ops/<method>` | one core operation each |
//! | `document`, `xml`, `props` | XML in, XML out, properties |
//! | `filesystem` | the tree as dav-server wants it |
//! | `error` | core errors as answers |
//!
//! Mutations run in tasks of their own: a client that hangs up does not tear them.
//!
//! Known gaps: no quota properties; `Depth: infinity` of PROPFIND is refused; the entity tags of an
//! `If` header beyond the one that is checked with the commit, and HTTP conditions of MKCOL,
//! PROPPATCH and LOCK, are checked before it; a fragment in a request line is dropped by the HTTP
//! library before we could refuse it; what `Accept-Encoding` allows is not used.

mod auth;
mod document;
mod error;
mod filesystem;
mod headers;
mod if_header;
mod ops;
mod props;
mod route;
mod xml;

use cellgate_core::http::conditional::Conditions;
use cellgate_core::http::{Note, Protocol, Request, Response};
use cellgate_core::{Core, Credentials, Door, Error, NodePath, Tree};
use dav_server::DavHandler;
use futures_util::future::BoxFuture;
use http::StatusCode;
use http::request::Parts;

use crate::error::{DavError, Result};
use crate::filesystem::Caller;
use crate::route::{Method, Target};

/// The WebDAV door. Cheap to clone.
#[derive(Clone)]
pub struct Dav {
    core: Core,
    library: DavHandler<Caller>,
}

/// One request, verified and understood.
struct Call {
    tree: Tree,
    path: NodePath,
    /// The URL ended in a slash.
    slash: bool,
    parts: Parts,
    /// Lock tokens submitted by the `If` header.
    tokens: Vec<String>,
    /// Conditions on the target, for the commit.
    conditions: Conditions,
    microsoft: bool,
    library: DavHandler<Caller>,
}

/// The methods the door answers.
pub fn operations() -> impl Iterator<Item = &'static str> {
    route::METHODS.iter().map(|(name, _)| *name)
}

impl Dav {
    pub fn new(core: Core) -> Self {
        Self { core, library: ops::options::library() }
    }

    async fn answer(self, request: Request) -> Response {
        let Some(method) = Method::of(request.method()) else {
            let error = DavError::Refused(StatusCode::NOT_IMPLEMENTED, "method not implemented".into());
            return error::render(&error, Method::Options, false);
        };
        let microsoft = headers::is_microsoft(request.headers());
        let mut note = Note { principal: None, operation: Some(method.as_str()) };
        let mut response = match self.run(method, microsoft, request, &mut note).await {
            Ok(response) => response,
            Err(error) => error::render(&error, method, microsoft),
        };
        response.extensions_mut().insert(note);
        response
    }

    async fn run(
        self,
        method: Method,
        microsoft: bool,
        request: Request,
        note: &mut Note,
    ) -> Result<Response> {
        let target = route::target(request.uri().path())?;
        let credentials = auth::credentials(request.headers());
        // Office and Windows ask for the options before they have a password; the answer says
        // nothing that is not the same for everybody.
        if method == Method::Options
            && (target == Target::Site || matches!(credentials, Credentials::Anonymous))
        {
            return Ok(ops::options::anonymous());
        }
        let tree = self.core.open(&credentials, Door::Dav).await?;
        note.principal = Some(tree.principal().login.clone());

        let (path, slash) = match target {
            Target::Node { path, slash } => (path, slash),
            Target::Site if method == Method::PropFind => return ops::propfind::site(request).await,
            Target::Site => {
                return Err(DavError::not_allowed("there are no files here, they are below /dav/"));
            }
        };
        guard_root(method, &path)?;
        guard_workspace(method, &tree, &path).await?;
        let (parts, body) = request.into_parts();
        let conditions = Conditions::from_headers(&parts.headers);
        let mut call = Call {
            tree,
            path,
            slash,
            parts,
            tokens: Vec::new(),
            conditions,
            microsoft,
            library: self.library,
        };
        ops::claims::evaluate(&mut call).await?;

        match method {
            Method::Options => ops::options::options(call).await,
            Method::Get => ops::get::get(call).await,
            Method::Head => ops::get::head(call).await,
            Method::Put => ops::put::put(call, body).await,
            Method::Patch => ops::patch::patch(call, body).await,
            Method::Delete => ops::delete::delete(call, body).await,
            Method::MkCol => ops::mkcol::mkcol(call, body).await,
            Method::Copy => ops::copy_move::copy(call, body).await,
            Method::Move => ops::copy_move::move_(call, body).await,
            Method::PropFind => ops::propfind::propfind(call, body).await,
            Method::PropPatch => ops::proppatch::proppatch(call, body).await,
            Method::Lock => ops::lock::lock(call, body).await,
            Method::Unlock => ops::unlock::unlock(call, body).await,
        }
    }
}

/// The list of workspaces is nobody's to change, whatever the rights.
fn guard_root(method: Method, path: &NodePath) -> Result<()> {
    if !path.is_root() {
        return Ok(());
    }
    match method {
        Method::Options | Method::Get | Method::Head | Method::PropFind => Ok(()),
        Method::Put | Method::Patch | Method::MkCol => {
            Err(DavError::not_allowed("the list of workspaces exists already and holds no content"))
        }
        Method::Delete | Method::Copy | Method::Move | Method::PropPatch | Method::Lock | Method::Unlock => {
            Err(DavError::forbidden("the list of workspaces cannot be changed here"))
        }
    }
}

/// Workspaces are made by administrators, not by MKCOL.
async fn guard_workspace(method: Method, tree: &Tree, path: &NodePath) -> Result<()> {
    let makes = matches!(method, Method::Put | Method::Patch | Method::MkCol);
    if path.depth() != 1 || !(makes || method == Method::Lock) {
        return Ok(());
    }
    match tree.stat(path).await {
        Ok(_) if makes => Err(DavError::not_allowed("this is a workspace")),
        Ok(_) => Ok(()),
        Err(Error::NotFound(_)) => Err(DavError::forbidden("workspaces cannot be made here")),
        Err(error) => Err(error.into()),
    }
}

impl Protocol for Dav {
    fn door(&self) -> Door {
        Door::Dav
    }

    fn mounts(&self) -> &'static [&'static str] {
        &[route::MOUNT]
    }

    fn serve(&self, request: Request) -> BoxFuture<'static, Response> {
        Box::pin(self.clone().answer(request))
    }
}
