//! The conformance suite: the built `cellgate` binary, real clients, and the wire.
//!
//! | file | what |
//! |---|---|
//! | `prepare` | installs what is missing, by the ordinary package managers |
//! | `checks` | formatting, lints, unit tests, documentation, licences |
//! | `gateway`, `postgres`, `engine` | starts and stops what is tested, on either index engine |
//! | `matrix/` | every door writes, every other door sees it; locks hold everywhere |
//! | `clients/` | real clients, a folder each |
//! | `replay/` | the recordings of `fixtures/`, replayed and made |
//! | `durability`, `large`, `propfind` | `kill -9`, big files, big folders |
//! | `tally` | results, tables, the exit status |
//!
//! `cargo suite` is this binary; without a command it runs everything. Everything it starts it stops, also when interrupted.

mod checks;
mod clients;
mod durability;
mod engine;
mod gateway;
mod large;
mod matrix;
mod postgres;
mod prepare;
mod propfind;
mod replay;
mod run;
mod tally;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use tokio::signal::unix::{SignalKind, signal};

use crate::engine::Engine;
use crate::tally::Tally;

/// What went wrong, as one line for a reader.
pub type Outcome<T = ()> = Result<T, String>;

#[derive(Parser)]
#[command(name = "conformance", about = "Tests the cellgate binary with real clients")]
struct Cli {
    /// Test this binary instead of building one (dev profile)
    #[arg(long, global = true)]
    binary: Option<PathBuf>,
    /// Everything unless given
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Everything, on both index engines
    All,
    /// Formatting, lints, unit tests, documentation, licences
    Checks,
    /// Every door writes, every other door reads, lists, moves and deletes; locks hold everywhere
    Matrix(On),
    /// Real clients; all of them unless named
    Clients {
        names: Vec<String>,
        #[command(flatten)]
        on: On,
    },
    /// The recordings of `fixtures/`, sent again; all of them unless named by their beginnings
    Replay {
        names: Vec<String>,
        #[command(flatten)]
        on: On,
    },
    /// Makes the recorded fixtures again: the clients' scripts through `cellgate record`
    Record { names: Vec<String> },
    /// `kill -9` while doors write, then see what is there
    Durability {
        #[arg(long, default_value_t = 100)]
        rounds: u32,
        #[command(flatten)]
        on: On,
    },
    /// A 200 MiB file by `aws s3 cp`, read back through the other doors
    Large {
        #[arg(long, default_value_t = 200)]
        mib: u64,
        #[command(flatten)]
        on: On,
    },
    /// A folder with many files, listed by PROPFIND
    Propfind {
        #[arg(long, default_value_t = 100_000)]
        files: u32,
        #[command(flatten)]
        on: On,
    },
}

#[derive(Args)]
struct On {
    /// Index engine; both unless given
    #[arg(long, value_enum)]
    engine: Option<Engine>,
}

impl On {
    fn engines(&self) -> Vec<Engine> {
        match self.engine {
            Some(engine) => vec![engine],
            None => Engine::BOTH.to_vec(),
        }
    }
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("conformance: cannot start the runtime: {error}");
            return ExitCode::FAILURE;
        }
    };
    let mut tally = Tally::default();
    let finished = runtime.block_on(async {
        tokio::select! {
            outcome = run::run(&cli, &mut tally) => {
                if let Err(why) = outcome {
                    tally.failed("conformance", "run", &why);
                }
                true
            }
            // What is dropped here stops what it started.
            () = interrupted() => false,
        }
    });
    // Child processes that are being waited for after their kill.
    runtime.shutdown_timeout(std::time::Duration::from_secs(5));
    if !finished {
        eprintln!("conformance: interrupted");
        tally.failed("conformance", "run", "interrupted");
    }
    tally.finish()
}

async fn interrupted() {
    let (Ok(mut interrupt), Ok(mut terminate)) =
        (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}
