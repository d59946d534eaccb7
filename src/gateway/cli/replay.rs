//! `cellgate replay`

use std::process::ExitCode;

#[derive(clap::Args)]
pub struct Replay {}

pub fn run(_command: &Replay) -> ExitCode {
    eprintln!("cellgate: this command is not built yet");
    ExitCode::from(2)
}
