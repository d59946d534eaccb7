//! The Cells REST door: `/a`.
//!
//! | room | what |
//! |---|---|
//! | `route` | which endpoint a request means, and who may call it |
//! | `auth` | bearer tokens and Basic credentials |
//! | `endpoints/` | one file per operation, plus the list of those not built |
//! | `listing` | pages, order and filters of listings |
//! | `model` | nodes as Cells writes them |
//! | `json` | the JSON rules of all endpoints |
//! | `error` | core errors as Cells answers them |
//!
//! Known gaps: no resource policies, no cumulated size
//! of folders; `AllMetaProviders` is accepted without effect, as in Cells.

mod auth;
mod endpoints;
mod error;
mod jobs;
mod json;
mod listing;
mod model;
mod route;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use cellgate_core::http::{Protocol, Request, Response};
use cellgate_core::{Core, Door};
use futures_util::future::BoxFuture;

pub use endpoints::operations;

/// The Cells REST protocol over a core.
#[derive(Clone)]
pub struct Cells {
    state: Arc<State>,
}

/// What every call shares.
pub(crate) struct State {
    pub(crate) core: Core,
    pub(crate) jobs: jobs::Jobs,
}

impl Cells {
    pub fn new(core: Core) -> Self {
        Self { state: Arc::new(State { core, jobs: jobs::Jobs::default() }) }
    }
}

impl Protocol for Cells {
    fn door(&self) -> Door {
        Door::Cells
    }

    fn mounts(&self) -> &'static [&'static str] {
        &["/a"]
    }

    fn serve(&self, request: Request) -> BoxFuture<'static, Response> {
        Box::pin(route::serve(self.state.clone(), request))
    }
}
