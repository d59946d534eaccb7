//! How bytes of a leaf are kept.
