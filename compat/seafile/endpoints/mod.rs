//! The web API, and the table of everything the door serves.

mod account_info;
mod auth_token;
mod batch;
mod dir;
mod dir_v21;
mod file;
mod file_v21;
mod ping;
mod repos;
mod server_info;
mod unbuilt;
mod upload_link;
mod work;

pub use unbuilt::UNBUILT;

use crate::fileserver;
use crate::route::Endpoint;

const ALL: &[&[Endpoint]] = &[
    account_info::ENDPOINTS,
    auth_token::ENDPOINTS,
    batch::ENDPOINTS,
    dir::ENDPOINTS,
    dir_v21::ENDPOINTS,
    file::ENDPOINTS,
    file_v21::ENDPOINTS,
    ping::ENDPOINTS,
    repos::ENDPOINTS,
    server_info::ENDPOINTS,
    upload_link::ENDPOINTS,
    fileserver::files::ENDPOINTS,
    fileserver::upload_api::ENDPOINTS,
];

pub fn built() -> impl Iterator<Item = &'static Endpoint> {
    ALL.iter().copied().flatten()
}

/// Every operation the door knows: methods, path template, and whether it is built. Where nothing of
/// a path is built, the methods are left empty.
pub fn operations() -> impl Iterator<Item = (&'static str, &'static str, bool)> {
    let built = built().map(|endpoint| (endpoint.method, endpoint.path, true));
    built.chain(UNBUILT.iter().map(|(methods, path)| (*methods, *path, false)))
}
