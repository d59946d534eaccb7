//! `cellgate replay`: a recording sent to a server again, its answers compared as their clients read
//! them.

mod prompt;

use std::io::{IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use cellgate_record::{Limits, Recording, Scrubber};
use cellgate_replay::report::{self, Style};
use cellgate_replay::{
    Accounts, Authorities, Options, Origin, Outcome, Passwords, Progress, Relocation, Users, parse_key,
};
use clap::ValueEnum;
use indicatif::{ProgressBar, ProgressStyle};

const PASSWORD: &str = "CELLGATE_PASSWORD";
const KEY: &str = "CELLGATE_KEY";

#[derive(clap::Args)]
#[command(after_help = "\
The password is that of --password-file, else that of CELLGATE_PASSWORD, else it is asked for. S3 requests are \
signed by a token of the user, or with the access key in CELLGATE_KEY (`ID:SECRET`).

Exit status: 0 when every call is the same or compatible, 1 when one is different or unsupported, 2 for errors.")]
pub struct Replay {
    /// Recordings: HAR files of `cellgate record`, browsers, mitmproxy
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Server to send them to, as in `https://files.example.com`
    #[arg(long, value_name = "URL", value_parser = Origin::parse)]
    against: Origin,
    /// User to sign in as; `OLD=NEW` for one of several recorded users; may be repeated
    #[arg(long, value_name = "NAME")]
    user: Vec<String>,
    /// Where the recorded server had something elsewhere: `/shares=/dav`, `/pydio=/`; may be repeated
    #[arg(long, value_name = "OLD=NEW", value_parser = Relocation::parse)]
    map: Vec<Relocation>,
    /// File with the password; with several users a line `NAME:PASSWORD` for each
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// Certificate authority of the server (PEM), instead of those the system trusts
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// Send the calls of this client only: a part of its name, as in `rclone`
    #[arg(long, value_name = "NAME")]
    client: Option<String>,
    /// Form of the report that is printed
    #[arg(long, value_enum, default_value_t = Form::Text)]
    report: Form,
    /// Write the report as one HTML page
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Write the report as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Print what is compatible in detail as well
    #[arg(long)]
    verbose: bool,
    /// Print nothing but errors
    #[arg(long, conflicts_with = "verbose")]
    quiet: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Form {
    Text,
    Json,
}

pub fn run(command: &Replay) -> ExitCode {
    match execute(command) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(why) => {
            eprintln!("cellgate: {why}");
            ExitCode::from(2)
        }
    }
}

/// Whether every client would do as well as before.
fn execute(command: &Replay) -> Result<bool, String> {
    let recordings =
        command.files.iter().map(|path| read(path, &command.map)).collect::<Result<Vec<_>, _>>()?;
    for report in [&command.html, &command.json].into_iter().flatten() {
        // Found out before there is anything to lose.
        if command.files.iter().any(|file| same(file, report)) {
            return Err(format!("`{}`: is a recording, the report would replace it", report.display()));
        }
    }
    let options = Options {
        against: command.against.clone(),
        authorities: command.ca.clone().map_or(Authorities::System, Authorities::File),
        accounts: accounts(command, &recordings)?,
        client: command.client.clone(),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| format!("cannot start the runtime: {error}"))?;
    let mut outcomes = Vec::with_capacity(recordings.len());
    for (path, recording) in command.files.iter().zip(&recordings) {
        outcomes.push(runtime.block_on(one(path, recording, &options, command.quiet))?);
    }
    tell(command, &outcomes)?;
    Ok(outcomes.iter().all(|outcome| outcome.totals().good()))
}

fn read(path: &Path, map: &[Relocation]) -> Result<Recording, String> {
    let mut recording = Recording::read(path, &Limits::default())
        .map_err(|error| format!("`{}`: {error}", path.display()))?;
    // Browsers record secrets as they are: from here on they have names, in reports too.
    let mut scrubber = Scrubber::new();
    recording.exchanges.iter().for_each(|exchange| scrubber.learn(exchange));
    recording.exchanges.iter_mut().for_each(|exchange| scrubber.scrub(exchange));
    for exchange in &mut recording.exchanges {
        map.iter().for_each(|relocation| relocation.apply(exchange));
    }
    Ok(recording)
}

fn accounts(command: &Replay, recordings: &[Recording]) -> Result<Accounts, String> {
    let users = Users::parse(&command.user).map_err(|why| format!("--user: {why}"))?;
    let key = match std::env::var(KEY) {
        Ok(text) if !text.is_empty() => Some(parse_key(&text).map_err(|why| format!("{KEY}: {why}"))?),
        _ => None,
    };
    let mut needed: Vec<String> = Vec::new();
    let mut anonymous = true;
    for recording in recordings {
        let client = command.client.as_deref();
        let needs = cellgate_replay::users_needed(&recording.exchanges, &users, key.is_some(), client);
        anonymous &= needs.is_none();
        needed.extend(needs.unwrap_or_default());
    }
    if !anonymous && command.user.is_empty() {
        return Err("the recorded calls sign in: give the user to sign in as with `--user NAME`".into());
    }
    needed.sort();
    needed.dedup();
    let passwords = passwords(command, &needed)?;
    Ok(Accounts { users, passwords, key })
}

fn passwords(command: &Replay, needed: &[String]) -> Result<Passwords, String> {
    let mut passwords = match (&command.password_file, std::env::var(PASSWORD)) {
        (Some(path), _) => {
            let wrong = |why: String| format!("`{}`: {why}", path.display());
            let text = std::fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
            Passwords::parse(&text).map_err(wrong)?
        }
        (None, Ok(password)) if !password.is_empty() => Passwords::one(password),
        _ => Passwords::default(),
    };
    for user in needed {
        if passwords.of(user).is_none() {
            let password = prompt::password(&format!("Password of {user} at {}: ", command.against))
                .map_err(|why| {
                    format!("no password of `{user}`: give `--password-file FILE` or {PASSWORD} ({why})")
                })?;
            passwords.set(user, password);
        }
    }
    Ok(passwords)
}

async fn one(path: &Path, recording: &Recording, options: &Options, quiet: bool) -> Result<Outcome, String> {
    let name = path.display().to_string();
    let bar = progress(quiet);
    let told = |progress: Progress<'_>| {
        bar.set_length(progress.total as u64);
        bar.set_position(progress.done as u64);
        // The path is enough.
        let path = progress.target.split('?').next().unwrap_or_default();
        let path: String = path.chars().filter(|char| !char.is_control()).take(200).collect();
        bar.set_message(format!("{} {path}", progress.method));
    };
    let outcome = cellgate_replay::replay(&name, &recording.exchanges, options, told).await;
    bar.finish_and_clear();
    let mut outcome = outcome.map_err(|error| format!("`{name}`: {error}"))?;
    outcome.skipped.extend(recording.skipped.iter().cloned());
    outcome.skipped.sort();
    Ok(outcome)
}

/// Shown on a terminal only.
fn progress(quiet: bool) -> ProgressBar {
    if quiet || !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(0);
    if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len}  {eta}  {wide_msg}") {
        bar.set_style(style);
    }
    bar
}

fn tell(command: &Replay, outcomes: &[Outcome]) -> Result<(), String> {
    let write = |path: &Path, text: String| {
        std::fs::write(path, text).map_err(|error| format!("`{}`: {error}", path.display()))
    };
    if let Some(path) = &command.html {
        write(path, report::html(outcomes))?;
    }
    if let Some(path) = &command.json {
        write(path, report::json(outcomes))?;
    }
    if command.quiet {
        return Ok(());
    }
    let text = match command.report {
        Form::Text => {
            let color = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
            report::text(outcomes, Style { color, verbose: command.verbose })
        }
        Form::Json => report::json(outcomes),
    };
    match std::io::stdout().write_all(text.as_bytes()) {
        // A pager that was left.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        done => done.map_err(|error| format!("standard output: {error}")),
    }
}

fn same(one: &Path, other: &Path) -> bool {
    match (one.canonicalize(), other.canonicalize()) {
        (Ok(one), Ok(other)) => one == other,
        _ => false,
    }
}
