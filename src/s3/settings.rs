//! What an installation decides for this door.

use crate::cors::CorsRule;

/// See `docs/configuration.md`.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// Hosts that are this door's with every path; what stands before one of them is a bucket.
    /// Lower case, without a port.
    pub domains: Vec<String>,
    /// First segments of other protocols' mounts. A bucket of such a name could not be reached by
    /// its path.
    pub reserved: Vec<String>,
    /// For every bucket; the first that fits holds.
    pub cors: Vec<CorsRule>,
}
