//! What `cellgate contract` prints: the tables this build carries.

use std::io::Write as _;
use std::process::ExitCode;

use cellgate_contract::{Contract as Tables, print};

#[derive(clap::Args)]
pub struct Contract {
    /// A protocol (cells, s3, webdav, pydio8, seafile) or one of its tables; its operations instead of
    /// the totals
    protocol: Option<String>,
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Format {
    Text,
    Json,
    /// What docs/contract.md holds
    Markdown,
    /// The totals that stand in the README
    #[value(hide = true)]
    Readme,
}

pub fn run(command: &Contract) -> ExitCode {
    let contract = Tables::embedded();
    let tables = match &command.protocol {
        None => None,
        Some(word) => match print::named(contract, word) {
            Some(tables) => Some(tables),
            None => {
                eprintln!("cellgate: no protocol `{word}`; there are {}", print::names(contract));
                return ExitCode::from(2);
            }
        },
    };
    let tables = tables.as_deref();
    let text = match command.format {
        Format::Text => print::text(contract, tables),
        Format::Json => print::json(contract, tables),
        Format::Markdown => print::markdown(contract, tables),
        Format::Readme => print::readme(contract),
    };
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever read went away: `cellgate contract | head` has what it wanted.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("cellgate: cannot print: {error}");
            ExitCode::FAILURE
        }
    }
}
