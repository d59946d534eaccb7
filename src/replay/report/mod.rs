//! The outcome for people and programs: terminal, JSON, one HTML page.

mod html;
mod json;
mod summary;
#[cfg(test)]
mod tests;
mod text;

pub use html::html;
pub use json::json;
pub use text::{Style, text};
