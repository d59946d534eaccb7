//! Secrets become names.

mod name;

pub use name::{Name, is_name, names};
