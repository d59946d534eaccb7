//! Paths to nodes, rights, locks: what every operation begins with.
pub(crate) fn fresh_etag() -> String {
    String::new()
}
pub(crate) fn path_of() {}
