//! The session endpoint, `/index.php`: which action a request names, who is signed in, whether the
//! secure token holds.
//!
//! ```text
//! get_boot_conf -> get_seed -> login -> switch_repository -> ls … -> logout
//! ```

use cellgate_core::http::{Client, Note, Request, Response, date};
use cellgate_core::{Core, Credentials, Door, Tree};
use http::header::{ACCEPT, CACHE_CONTROL, SET_COOKIE};
use http::request::Parts;
use http::{HeaderValue, StatusCode};

use crate::actions;
use crate::body::{self, FORM_LIMIT_BYTES, Intake, SIGN_IN_LIMIT_BYTES};
use crate::call::Call;
use crate::error::Fault;
use crate::ops::registry::registry;
use crate::ops::{get_boot_conf, get_xml_registry, login};
use crate::params::Params;
use crate::place::Place;
use crate::render::envelope::Envelope;
use crate::render::{Format, TEXT, blank, ok, respond};
use crate::session::Visit;
use crate::{answer, run};

/// Java takes this text, and no other, for a wrong token.
const NOT_ALLOWED: &str = "You are not allowed to access this resource.";

/// Actions that only a session has, or has in a way of its own.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Own {
    GetBootConf,
    GetSecureToken,
    GetSeed,
    Login,
    Logout,
    GetXmlRegistry,
    UserState,
    SwitchRepository,
}

const OWN: [(&str, Own); 8] = [
    ("get_boot_conf", Own::GetBootConf),
    ("get_secure_token", Own::GetSecureToken),
    ("get_seed", Own::GetSeed),
    ("login", Own::Login),
    ("logout", Own::Logout),
    ("get_xml_registry", Own::GetXmlRegistry),
    ("user_state", Own::UserState),
    ("switch_repository", Own::SwitchRepository),
];

fn own(action: &str) -> Option<Own> {
    OWN.iter().find(|(name, _)| *name == action).map(|(_, own)| *own)
}

/// Whether the session endpoint answers an action in a way of its own.
pub fn is_own(action: &str) -> bool {
    own(action).is_some()
}

/// Answers a request of the session endpoint.
pub async fn serve(core: &Core, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let query = Params::from_query(parts.uri.query());
    let secure = parts.extensions.get::<Client>().is_some_and(|client| client.secure);
    let mut note = Note::default();
    let mut error_format = Format::of_error(&parts.headers, &query);
    let outcome = async {
        // Before the body: who is not signed in cannot make us hold a large one.
        let found = Visit::find(core, &parts.headers, &query).await?;
        let signed_in = found.as_ref().is_some_and(|visit| visit.session.user.is_some());
        let limit = if signed_in { FORM_LIMIT_BYTES } else { SIGN_IN_LIMIT_BYTES };
        let intake = body::take(&parts.method, &parts.headers, query, body, limit).await?;
        error_format = Format::of_error(&parts.headers, &intake.params);
        let found = match found {
            Some(visit) => Some(visit),
            None if intake.params.posted("ajxp_sessid").is_some() => {
                Visit::find(core, &parts.headers, &intake.params).await?
            }
            None => None,
        };
        act(core, &parts, intake, found, &mut note).await
    }
    .await;
    let (mut response, visit) = match outcome {
        Ok(answered) => answered,
        Err(fault) => (answer(&fault, error_format), None),
    };
    let headers = response.headers_mut();
    if let Some(cookie) = visit.and_then(|visit| visit.set_cookie(secure)) {
        headers.insert(SET_COOKIE, cookie);
    }
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store, no-cache, must-revalidate"));
    response.extensions_mut().insert(note);
    response
}

type Answered = (Response, Option<Visit>);

async fn act(
    core: &Core,
    parts: &Parts,
    intake: Intake,
    visit: Option<Visit>,
    note: &mut Note,
) -> Result<Answered, Fault> {
    let format = Format::of(&parts.headers, &intake.params);
    let name = named(parts, &intake.params);
    let action = actions::find(&name);
    note.operation = action.map(|action| action.name);
    if let Some(visit) = &visit
        && !actions::exempt_from_token(&name)
        && !visit.admits(&intake.params)
    {
        return Ok((Envelope::error(NOT_ALLOWED).respond(StatusCode::OK, format), None));
    }
    let principal = match &visit {
        Some(visit) => visit.principal(core).await?,
        None => None,
    };
    note.principal = principal.as_ref().map(|principal| principal.login.clone());
    let tree = match principal {
        Some(principal) => Some(core.open(&Credentials::Verified(principal), Door::Pydio8).await?),
        None => None,
    };
    match own(&name) {
        Some(Own::GetBootConf) => {
            let visit = begun(core, visit).await?;
            Ok((get_boot_conf::get_boot_conf(&visit), Some(visit)))
        }
        Some(Own::GetSecureToken) => {
            let visit = begun(core, visit).await?;
            Ok((ok(TEXT, visit.token().to_owned()), Some(visit)))
        }
        Some(Own::GetSeed) => Ok((login::get_seed(), None)),
        Some(Own::Login) => {
            let (response, fresh) = login::login(core, visit, &intake.params, format).await?;
            if fresh.is_some() {
                note.principal = intake.params.get("userid").map(str::to_owned);
            }
            Ok((response, fresh))
        }
        Some(Own::Logout) => Ok((login::logout(core, visit, format).await?, None)),
        Some(own @ (Own::GetXmlRegistry | Own::UserState)) => {
            let place = match &tree {
                Some(tree) => Some(place(tree, visit.as_ref(), &intake.params).await?),
                None => None,
            };
            let limit = core.settings().max_leaf_bytes;
            let registry = registry(tree.as_ref(), place.as_ref(), limit).await?;
            let path = if own == Own::UserState { Some("user") } else { intake.params.filled("xPath") };
            Ok((get_xml_registry::render(&registry, path, format, &parts.headers), None))
        }
        Some(Own::SwitchRepository) | None => {
            signed_in(core, parts, intake, visit, tree, action, format).await
        }
    }
}

/// What needs somebody who is signed in.
async fn signed_in(
    core: &Core,
    parts: &Parts,
    intake: Intake,
    visit: Option<Visit>,
    tree: Option<Tree>,
    action: Option<actions::Action>,
    format: Format,
) -> Result<Answered, Fault> {
    let (Some(tree), Some(mut visit)) = (tree, visit) else {
        return Ok((Envelope::signal("require_auth", Vec::new()).respond(StatusCode::OK, format), None));
    };
    // `ping` and every other unknown action say no more than that the session lives.
    let Some(action) = action else {
        return Ok((respond(StatusCode::NO_CONTENT, TEXT, Vec::new()), None));
    };
    if own(action.name) == Some(Own::SwitchRepository) {
        let wanted = intake.params.filled("repository_id").unwrap_or_default();
        let wanted: String =
            wanted.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-')).collect();
        let place = Place::resolve(&tree, &wanted).await.map_err(in_session)?;
        visit.choose(core, place.workspace.uuid.to_string()).await?;
        return Ok((blank(), None));
    }
    let place = place(&tree, Some(&visit), &intake.params).await?;
    let call = Call {
        tree,
        place,
        params: intake.params,
        headers: parts.headers.clone(),
        format,
        now_s: date::now_ns() / 1_000_000_000,
    };
    Ok((run(action.name, call, intake.file).await.map_err(in_session)?, None))
}

/// The session of a request, or a new one.
async fn begun(core: &Core, visit: Option<Visit>) -> Result<Visit, Fault> {
    match visit {
        Some(visit) => Ok(visit),
        None => Ok(Visit::open(core, None, false).await?),
    }
}

/// The workspace of one call: its own, the session's, or the first one.
async fn place(tree: &Tree, visit: Option<&Visit>, params: &Params) -> Result<Place, Fault> {
    let chosen = params.filled("tmp_repository_id").or_else(|| visit.and_then(Visit::workspace));
    Place::resolve(tree, chosen.unwrap_or("pydio")).await.map_err(in_session)
}

/// A session has no 401; a workspace without rights is as unknown to it as one that is not there.
fn in_session(fault: Fault) -> Fault {
    match fault {
        Fault::NoWorkspaceRight => Fault::text("You have no right on this workspace"),
        fault => fault,
    }
}

/// `get_action`, else `action`; else what a browser or a client means by saying nothing.
fn named(parts: &Parts, params: &Params) -> String {
    let named = params.filled("get_action").or_else(|| params.filled("action"));
    let html = || {
        let accept = parts.headers.get(ACCEPT).and_then(|value| value.to_str().ok());
        accept.is_some_and(|accept| accept.contains("text/html"))
    };
    match named {
        Some(name) => name.to_owned(),
        None if html() => "get_boot_gui".to_owned(),
        None => "ping".to_owned(),
    }
}
