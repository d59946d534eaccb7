//! `cellgate audit-log`

use std::process::ExitCode;

#[derive(clap::Args)]
pub struct AuditLog {}

pub fn run(_command: &AuditLog) -> ExitCode {
    eprintln!("cellgate: this command is not built yet");
    ExitCode::from(2)
}
