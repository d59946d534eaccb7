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

use crate::body::FilePart;
use crate::call::Call;
use crate::error::Fault;

/// Actions whose half-done work would hurt: they run to their end whether the client waits or not.
pub fn mutates(action: &str) -> bool {
    matches!(action, "mkdir" | "mkfile" | "upload" | "put_content" | "rename" | "copy" | "move" | "delete")
}

/// Runs an action of [`crate::actions`].
pub async fn run(action: &'static str, call: Call, file: Option<FilePart>) -> Result<Response, Fault> {
    match action {
        "ls" => ls::ls(call).await,
        "stat" => stat::stat(call).await,
        "mkdir" => mkdir::mkdir(call).await,
        "mkfile" => mkfile::mkfile(call).await,
        "upload" => upload::upload(call, file).await,
        "download" => download::download(call).await,
        "get_content" => get_content::get_content(call).await,
        "put_content" => put_content::put_content(call).await,
        "rename" => rename::rename(call).await,
        "copy" => copy::copy(call).await,
        "move" => transfer::relocate(call).await,
        "delete" => delete::delete(call).await,
        "get_xml_registry" | "state" | "user_state" => get_xml_registry::of_call(action, call).await,
        "keystore_generate_auth_token" => Ok(keystore::keystore_generate_auth_token()),
        _ => Err(Fault::NotBuilt(format!("The action {action}"))),
    }
}
