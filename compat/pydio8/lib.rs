//! Pydio 8 and its predecessors: `/api/<workspace>/<action>` and the session endpoint `/index.php`.
//!
//! | room | what |
//! |---|---|
//! | `route` | a raw path to workspace, action and parameters |
//! | `actions` | the actions of the original and their patterns |
//! | `params`, `body` | query, form, multipart, raw uploads |
//! | `auth` | who calls `/api/` |
//! | `session`, `visit` | the session endpoint |
//! | `place`, `call` | the workspace of a call and everything an operation needs |
//! | `ops` | one file per action |
//! | `render` | XML and JSON |
//! | `error` | the core's errors in this protocol's words |
//!
//! Known gaps: token pairs and their HMAC, archives, shares, `changes`, `stat_hash`, search,
//! bookmarks, the `settings` workspace, tasks: they answer 501 with an error message. So does
//! `/api/v2`, in JSON. The session endpoint of the original also lives on `/`, which is the
//! listener's to hand over.

mod actions;
mod auth;
mod body;
mod call;
mod error;
mod ops;
mod params;
mod place;
mod render;
mod route;
mod session;
#[cfg(test)]
mod tests;
mod visit;

use cellgate_core::http::{Note, Protocol, Request, Response, date};
use cellgate_core::{Core, Door, Error};
use futures_util::future::BoxFuture;
use http::header::WWW_AUTHENTICATE;
use http::{HeaderValue, StatusCode};
use serde_json::json;

use crate::body::{FORM_LIMIT_BYTES, FilePart};
use crate::call::Call;
use crate::error::{Answer, Fault};
use crate::params::Params;
use crate::place::Place;
use crate::render::envelope::Envelope;
use crate::render::{Format, HTML, JSON, json as php, respond};
use crate::route::Route;

/// Every action the door knows, and whether it is built.
pub fn operations() -> impl Iterator<Item = (&'static str, bool)> {
    actions::names().map(|name| (name, ops::is_built(name) || visit::is_own(name)))
}

/// The door. See the module documentation.
pub struct Pydio8 {
    core: Core,
}

impl Pydio8 {
    pub fn new(core: Core) -> Self {
        Self { core }
    }
}

impl Protocol for Pydio8 {
    fn door(&self) -> Door {
        Door::Pydio8
    }

    fn mounts(&self) -> &'static [&'static str] {
        &["/api", "/index.php"]
    }

    fn serve(&self, request: Request) -> BoxFuture<'static, Response> {
        let core = self.core.clone();
        Box::pin(async move {
            match route::route(request.method(), request.uri().path()) {
                Route::Action { workspace, action, rest } => {
                    api(&core, request, &workspace, &action, &rest).await
                }
                Route::Session => visit::serve(&core, request).await,
                Route::V2 => v2(),
                Route::Nowhere => refuse(&request, "Could not find any endpoint for this URI"),
                Route::Malformed => refuse(&request, "The URL contains forbidden characters"),
            }
        })
    }
}

/// Answers `/api/<workspace>/<action>/…`.
async fn api(core: &Core, request: Request, workspace: &str, action: &str, rest: &str) -> Response {
    let (parts, body) = request.into_parts();
    let mut note = Note::default();
    let query = Params::from_query(parts.uri.query());
    let mut error_format = Format::of_error(&parts.headers, &query);
    let outcome = async {
        let tree = core.open(&auth::credentials(&parts.headers), Door::Pydio8).await?;
        note.principal = Some(tree.principal().login.clone());
        let place = Place::resolve(&tree, workspace).await?;
        let unknown = || Fault::text(format!("Could not find action {action}"));
        let action = actions::find(action).ok_or_else(unknown)?;
        // Actions without a pattern belong to the session endpoint.
        let pattern = action.pattern.ok_or_else(unknown)?;
        note.operation = Some(action.name);
        let intake = body::take(&parts.method, &parts.headers, query, body, FORM_LIMIT_BYTES).await?;
        let mut params = intake.params;
        error_format = Format::of_error(&parts.headers, &params);
        for (name, value) in route::bind(pattern, rest) {
            params.bind(name, value);
        }
        let call = Call {
            tree,
            place,
            format: Format::of(&parts.headers, &params),
            params,
            headers: parts.headers.clone(),
            now_s: date::now_ns() / 1_000_000_000,
        };
        run(action.name, call, intake.file).await
    }
    .await;
    let mut response = match outcome {
        Ok(response) => response,
        Err(fault) => answer(&fault, error_format),
    };
    response.extensions_mut().insert(note);
    response
}

/// Runs an action. What changes something goes on when the client does not wait for it.
async fn run(action: &'static str, call: Call, file: Option<FilePart>) -> Result<Response, Fault> {
    if !ops::mutates(action) {
        return ops::run(action, call, file).await;
    }
    match tokio::spawn(ops::run(action, call, file)).await {
        Ok(outcome) => outcome,
        Err(error) => Err(Error::internal(error).into()),
    }
}

/// Renders a failure.
fn answer(fault: &Fault, format: Format) -> Response {
    fault.log();
    match fault.answer() {
        Answer::Message(status, text) => Envelope::error(text).respond(status, format),
        Answer::Challenge => {
            let mut response = respond(StatusCode::UNAUTHORIZED, HTML, Vec::new());
            let challenge = HeaderValue::from_static("Basic realm=\"Pydio API\"");
            response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
            response
        }
        Answer::Refusal => respond(StatusCode::UNAUTHORIZED, HTML, fault.message()),
    }
}

fn refuse(request: &Request, text: &str) -> Response {
    let params = Params::from_query(request.uri().query());
    answer(&Fault::text(text), Format::of_error(request.headers(), &params))
}

/// The REST API v2.
fn v2() -> Response {
    let body = json!({"level": "Error", "message": "The REST API v2 is not implemented"});
    respond(StatusCode::NOT_IMPLEMENTED, JSON, php::text(&body))
}
