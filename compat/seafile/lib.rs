//! The Seafile door: `/api2`, `/api/v2.1` and the file server under `/seafhttp`.
//!
//! A workspace is a library: its uuid is the library's id, its label the name.
//!
//! | room | what |
//! |---|---|
//! | `route` | which endpoint a request means |
//! | `auth` | `Authorization: Token …` |
//! | `params` | query, form, JSON and multipart parameters, read alike |
//! | `endpoints/` | the web API, one file per resource operation, and the list of what is not built |
//! | `fileserver/` | uploads and downloads behind the links that the API hands out |
//! | `library`, `ids`, `links`, `listing` | workspaces, ids, links and listings in Seafile's terms |
//! | `json`, `error` | answers |
//!
//! Known gaps: sizes and file counts of libraries are 0 (nothing accounts them yet), modifiers of files
//! are unknown, no encrypted libraries, no chunked uploads, no sharing, history or trash. The recycle
//! bin of a workspace is not shown in listings: here it is the trash, which has calls of its own.

mod auth;
mod endpoints;
mod error;
mod fileserver;
mod ids;
mod json;
mod library;
mod links;
mod listing;
mod params;
mod route;
#[cfg(test)]
mod tests;

use cellgate_core::http::{Protocol, Request, Response};
use cellgate_core::{Core, Door};
use futures_util::future::BoxFuture;

pub use endpoints::operations;

/// The Seafile web API over a core.
#[derive(Clone)]
pub struct Seafile {
    core: Core,
}

impl Seafile {
    pub fn new(core: Core) -> Self {
        Self { core }
    }
}

impl Protocol for Seafile {
    fn door(&self) -> Door {
        Door::Seafile
    }

    fn mounts(&self) -> &'static [&'static str] {
        &["/api2", "/api/v2.1", "/seafhttp"]
    }

    fn serve(&self, request: Request) -> BoxFuture<'static, Response> {
        Box::pin(route::serve(self.core.clone(), request))
    }
}
