//! The command line. Commands work on the data folder and the database directly, also beside a
//! running server, which notices what they change.

mod audit_log;
mod contract;
mod identity;
mod places;
mod record;
mod replay;

use std::io::{IsTerminal as _, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

use crate::config::Config;
use crate::open::Installation;
use crate::serve;

/// One server for Pydio Cells, S3, WebDAV, Pydio 8 and Seafile clients, over the same files.
#[derive(Parser)]
#[command(name = "cellgate", version, about)]
struct Cli {
    #[command(flatten)]
    flags: Flags,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(clap::Args)]
struct Flags {
    /// Configuration file [default: cellgate.toml, if there is one]
    #[arg(long, global = true, env = "CELLGATE_CONFIG")]
    config: Option<PathBuf>,
    /// Address and port to listen on
    #[arg(long, global = true)]
    listen: Option<String>,
    /// Address and port of health and metrics
    #[arg(long, global = true)]
    admin_listen: Option<String>,
    /// Data folder
    #[arg(long, global = true)]
    data: Option<String>,
    /// `sqlite` or a `postgres://` URL
    #[arg(long, global = true)]
    database: Option<String>,
    /// Log filter, as in `info,cellgate_s3=debug`
    #[arg(long, global = true)]
    log: Option<String>,
}

#[derive(Subcommand)]
enum Command {
    /// Serve (the default)
    Serve,
    /// Users: list, create, change, delete
    #[command(subcommand)]
    User(identity::User),
    /// Groups of users
    #[command(subcommand)]
    Group(identity::Group),
    /// Roles and rights
    #[command(subcommand)]
    Role(identity::Role),
    /// API keys: pairs of id and secret for S3, Basic and Pydio 8 clients
    #[command(subcommand)]
    Key(identity::Key),
    /// Workspaces: entries into datasources
    #[command(subcommand)]
    Workspace(places::Workspace),
    /// Datasources: places where bytes are kept
    #[command(subcommand)]
    Datasource(places::Datasource),
    /// Locks: list, break
    #[command(subcommand)]
    Lock(places::Lock),
    /// Compare a datasource with its disk and repair the index
    Resync {
        /// Name of the datasource
        datasource: String,
    },
    /// What cellgate does of each protocol's operations
    Contract(contract::Contract),
    /// Record the traffic between clients and another server into a HAR file
    Record(record::Record),
    /// Send a recording to a server again and compare the answers
    Replay(replay::Replay),
    /// Which calls an access log of another server shows, and which of them are not done here
    AuditLog(audit_log::AuditLog),
    /// Check the configuration and print every problem
    CheckConfig,
    /// Print completions for a shell
    Completions { shell: clap_complete::Shell },
}

pub fn run() -> ExitCode {
    let cli = Cli::parse();
    // What needs no installation, and so no configuration.
    match &cli.command {
        Some(Command::Completions { shell }) => return completions(*shell),
        Some(Command::Contract(command)) => return contract::run(command),
        Some(Command::Record(command)) => return record::run(command),
        Some(Command::Replay(command)) => return replay::run(command),
        Some(Command::AuditLog(command)) => return audit_log::run(command),
        _ => {}
    }
    let config = match load(&cli.flags) {
        Ok(config) => config,
        Err(()) => return ExitCode::from(2),
    };
    if matches!(cli.command, Some(Command::CheckConfig)) {
        println!("the configuration is fine");
        return ExitCode::SUCCESS;
    }
    log(&config, matches!(cli.command, None | Some(Command::Serve)));
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("cellgate: cannot start the runtime: {error}");
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(execute(cli.command.unwrap_or(Command::Serve), config)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("cellgate: {why}");
            ExitCode::FAILURE
        }
    }
}

fn completions(shell: clap_complete::Shell) -> ExitCode {
    // Gathered first: the generator panics when its reader goes away early.
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "cellgate", &mut script);
    match std::io::stdout().write_all(&script) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

fn load(flags: &Flags) -> Result<Config, ()> {
    let flag = |name, value: &Option<String>| value.clone().map(|value| (name, value));
    let given: Vec<(&str, String)> = [
        flag("listen", &flags.listen),
        flag("admin_listen", &flags.admin_listen),
        flag("data", &flags.data),
        flag("database", &flags.database),
        flag("log", &flags.log),
    ]
    .into_iter()
    .flatten()
    .collect();
    Config::load(flags.config.as_deref(), |name| std::env::var(name).ok(), &given).map_err(|problems| {
        for problem in problems {
            eprintln!("cellgate: {problem}");
        }
    })
}

fn log(config: &Config, serving: bool) {
    // A command says what it did; what went wrong is enough of a log beside that.
    let filter = if serving { config.log.as_str() } else { "warn" };
    // s3s logs every refused request as an error, and what it signs when asked for more; the door
    // logs its own failures.
    let filter = format!("s3s=off,{filter}");
    let filter = tracing_subscriber::EnvFilter::try_new(filter).unwrap_or_default();
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    if config.log_json { builder.json().init() } else { builder.init() }
}

async fn execute(command: Command, config: Config) -> Result<(), String> {
    if matches!(command, Command::Serve) {
        return serve::serve(config).await;
    }
    let installation = Installation::open(&config, false).await?;
    let core = &installation.core;
    core.bootstrap_first(&config).await?;
    let done = match command {
        Command::User(command) => identity::user(core, command).await,
        Command::Group(command) => identity::group(core, command).await,
        Command::Role(command) => identity::role(core, command).await,
        Command::Key(command) => identity::key(core, command).await,
        Command::Workspace(command) => places::workspace(core, command).await,
        Command::Datasource(command) => places::datasource(core, command).await,
        Command::Lock(command) => places::lock(core, command).await,
        Command::Resync { datasource } => places::resync(core, &datasource).await,
        Command::Serve
        | Command::CheckConfig
        | Command::Completions { .. }
        | Command::Contract(_)
        | Command::Record(_)
        | Command::Replay(_)
        | Command::AuditLog(_) => Ok(()),
    };
    installation.close().await;
    done.map_err(|error| error.chain())
}

/// A command may be the first thing that happens to a data folder.
trait First {
    async fn bootstrap_first(&self, config: &Config) -> Result<(), String>;
}

impl First for cellgate_core::Core {
    async fn bootstrap_first(&self, config: &Config) -> Result<(), String> {
        let wanted = config.admin_password.as_ref().map(|password| password.0.clone());
        let chosen = wanted.is_some();
        let first = self.bootstrap(wanted).await.map_err(|error| error.chain())?;
        if let (Some(password), false) = (first, chosen) {
            eprintln!("cellgate: new installation; login `admin`, password `{password}` (shown this once)");
        }
        Ok(())
    }
}
