//! The actions, one file each, under the protocol's own names.
//!
//! What `/api/` and the session endpoint share runs through [`run`]; what only a session has is
//! called by [`crate::visit`].

pub mod copy;
pub mod delete;
pub mod download;
pub mod get_boot_conf;
pub mod get_content;
pub mod get_xml_registry;
pub mod keystore;
pub mod login;
pub mod ls;
pub mod mkdir;
pub mod mkfile;
pub mod put_content;
pub mod registry;
pub mod rename;
pub mod stat;
pub mod transfer;
pub mod upload;

use cellgate_core::http::Response;
use futures_util::future::BoxFuture;

use crate::body::FilePart;
use crate::call::Call;
use crate::error::Fault;

/// Actions whose half-done work would hurt: they run to their end whether the client waits or not.
pub fn mutates(action: &str) -> bool {
    matches!(action, "mkdir" | "mkfile" | "upload" | "put_content" | "rename" | "copy" | "move" | "delete")
}

/// What an action does with a call; it is told its name, because some are one work.
type Work = fn(&'static str, Call, Option<FilePart>) -> BoxFuture<'static, Result<Response, Fault>>;

/// What is built, by name.
const BUILT: &[(&str, Work)] = &[
    ("ls", |_, call, _| Box::pin(ls::ls(call))),
    ("stat", |_, call, _| Box::pin(stat::stat(call))),
    ("mkdir", |_, call, _| Box::pin(mkdir::mkdir(call))),
    ("mkfile", |_, call, _| Box::pin(mkfile::mkfile(call))),
    ("upload", |_, call, file| Box::pin(upload::upload(call, file))),
    ("download", |_, call, _| Box::pin(download::download(call))),
    ("get_content", |_, call, _| Box::pin(get_content::get_content(call))),
    ("put_content", |_, call, _| Box::pin(put_content::put_content(call))),
    ("rename", |_, call, _| Box::pin(rename::rename(call))),
    ("copy", |_, call, _| Box::pin(copy::copy(call))),
    ("move", |_, call, _| Box::pin(transfer::relocate(call))),
    ("delete", |_, call, _| Box::pin(delete::delete(call))),
    ("get_xml_registry", registered),
    ("state", registered),
    ("user_state", registered),
    ("keystore_generate_auth_token", |_, _, _| {
        Box::pin(async { Ok(keystore::keystore_generate_auth_token()) })
    }),
];

fn registered(
    action: &'static str,
    call: Call,
    _: Option<FilePart>,
) -> BoxFuture<'static, Result<Response, Fault>> {
    Box::pin(get_xml_registry::of_call(action, call))
}

pub fn is_built(action: &str) -> bool {
    BUILT.iter().any(|(name, _)| *name == action)
}

/// Runs an action of [`crate::actions`].
pub async fn run(action: &'static str, call: Call, file: Option<FilePart>) -> Result<Response, Fault> {
    match BUILT.iter().find(|(name, _)| *name == action) {
        Some((_, work)) => work(action, call, file).await,
        None => Err(Fault::NotBuilt(format!("The action {action}"))),
    }
}
