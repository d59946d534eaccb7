//! What `cellgate contract` prints.

use std::process::ExitCode;

#[derive(clap::Args)]
pub struct Contract {}

pub fn run(_command: &Contract) -> ExitCode {
    eprintln!("cellgate: this command is not built yet");
    ExitCode::from(2)
}
