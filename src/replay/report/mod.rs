//! The outcome for people and programs: terminal, JSON, one HTML page.

use crate::Outcome;

/// How the terminal report looks.
#[derive(Debug, Clone, Copy, Default)]
pub struct Style {
    /// Escape sequences for colours; not into pipes, nor with `NO_COLOR`.
    pub color: bool,
    /// Compatible calls with their findings too.
    pub verbose: bool,
}

/// For a terminal.
pub fn text(_outcomes: &[Outcome], _style: Style) -> String {
    String::new()
}

/// For programs.
pub fn json(_outcomes: &[Outcome]) -> String {
    String::new()
}

/// One self-contained page.
pub fn html(_outcomes: &[Outcome]) -> String {
    String::new()
}
