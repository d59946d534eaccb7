//! The operations of the API: one file each, named as the specification names them.

mod bulk_stat_nodes;
mod create_nodes;
mod create_selection;
mod delete_nodes;
mod front_session;
mod head_node;
mod list_admin_tree;
mod restore_nodes;
mod unbuilt;
mod user_create_job;
mod user_list_jobs;

pub use unbuilt::UNBUILT;

use crate::route::Endpoint;

const ALL: &[&[Endpoint]] = &[
    bulk_stat_nodes::ENDPOINTS,
    create_nodes::ENDPOINTS,
    create_selection::ENDPOINTS,
    delete_nodes::ENDPOINTS,
    front_session::ENDPOINTS,
    head_node::ENDPOINTS,
    list_admin_tree::ENDPOINTS,
    restore_nodes::ENDPOINTS,
    user_create_job::ENDPOINTS,
    user_list_jobs::ENDPOINTS,
];

pub fn built() -> impl Iterator<Item = &'static Endpoint> {
    ALL.iter().copied().flatten()
}

/// Every operation the door knows: method, path template, name, and whether it is built.
pub fn operations() -> impl Iterator<Item = (&'static str, &'static str, &'static str, bool)> {
    let built = built().map(|endpoint| (endpoint.method, endpoint.path, endpoint.operation, true));
    built.chain(UNBUILT.iter().map(|(method, path, operation)| (*method, *path, *operation, false)))
}
