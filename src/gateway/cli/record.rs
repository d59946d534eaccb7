//! `cellgate record`

use std::process::ExitCode;

#[derive(clap::Args)]
pub struct Record {}

pub fn run(_command: &Record) -> ExitCode {
    eprintln!("cellgate: this command is not built yet");
    ExitCode::from(2)
}
