//! Adoption of existing folders and repair after outside changes.

/// What a resync found and did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Report {
    pub added: u64,
    pub updated: u64,
    pub removed: u64,
    /// Leaves of a `flat` datasource whose blob is gone.
    pub missing: u64,
}
