//! `cellgate audit-log`: what an access log of another server says about the calls its clients need.

use std::fs::File;
use std::io::{IsTerminal as _, Read, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use cellgate_contract::Contract;
use cellgate_contract::audit::{self, Audit, Format, Options, Report, Server};
use clap::ValueEnum;
use indicatif::{ProgressBar, ProgressStyle};

#[derive(clap::Args)]
#[command(
    after_help = "Exit status: 0 when every call in use is done here, 1 when one is partial or absent, 2 for errors."
)]
pub struct AuditLog {
    /// Access logs of nginx, Apache or Caddy, also compressed with gzip; `-` for standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Formats to try
    #[arg(long, value_enum, default_value_t = Formats::Auto)]
    format: Formats,
    /// The `log_format` of nginx the log is in: the string or the whole directive
    #[arg(long, value_name = "FORMAT", conflicts_with = "format")]
    nginx_format: Option<String>,
    /// The `LogFormat` of Apache the log is in: the string or the whole directive
    #[arg(long, value_name = "FORMAT", conflicts_with_all = ["format", "nginx_format"])]
    apache_format: Option<String>,
    /// Path below which the old server was, as in `/pydio`
    #[arg(long, value_name = "PATH", default_value = "", hide_default_value = true)]
    prefix: String,
    /// Where the old server had WebDAV; may be repeated [default: /dav, /shares, /webdav, /remote.php/webdav]
    #[arg(long, value_name = "PATH")]
    dav: Vec<String>,
    /// Count from this day or time on, as in `2024-06-30` (UTC) or `2024-06-30T12:00:00+02:00`
    #[arg(long, value_name = "TIME", value_parser = audit::since)]
    since: Option<i64>,
    /// Count up to this day, which is included, or this time
    #[arg(long, value_name = "TIME", value_parser = audit::until)]
    until: Option<i64>,
    /// List the names of users
    #[arg(long)]
    users: bool,
    /// Form of the report
    #[arg(long, value_enum, default_value_t = Form::Text)]
    report: Form,
    /// Write the report to this file
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Formats {
    Auto,
    Nginx,
    Apache,
    Caddy,
}

#[derive(Clone, Copy, ValueEnum)]
enum Form {
    Text,
    Json,
}

pub fn run(command: &AuditLog) -> ExitCode {
    match execute(command) {
        Ok(report) if report.all_done() => ExitCode::SUCCESS,
        Ok(_) => ExitCode::from(1),
        Err(why) => {
            eprintln!("cellgate: {why}");
            ExitCode::from(2)
        }
    }
}

fn execute(command: &AuditLog) -> Result<Report, String> {
    if let Some(output) = &command.output
        && command.files.iter().any(|file| same(file, output))
    {
        return Err(format!("`{}`: is a log to read, the report would replace it", output.display()));
    }
    let options = Options {
        formats: formats(command)?,
        prefix: command.prefix.clone(),
        dav: command.dav.clone(),
        since: command.since,
        until: command.until,
    };
    let mut audit = Audit::new(Contract::embedded(), options).map_err(|error| error.to_string())?;
    for file in &command.files {
        read(&mut audit, file)?;
    }
    let report = audit.report();
    let report = if command.users { report } else { report.without_users() };
    let text = match command.report {
        Form::Text => report.text(),
        Form::Json => {
            serde_json::to_string_pretty(&report).map_err(|error| format!("the report: {error}"))? + "\n"
        }
    };
    match &command.output {
        Some(output) => {
            std::fs::write(output, text).map_err(|error| format!("`{}`: {error}", output.display()))?
        }
        None => match std::io::stdout().write_all(text.as_bytes()) {
            // A pager that was left.
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => {}
            done => done.map_err(|error| format!("standard output: {error}"))?,
        },
    }
    Ok(report)
}

fn formats(command: &AuditLog) -> Result<Vec<Format>, String> {
    if let Some(format) = &command.nginx_format {
        let custom = Format::custom_nginx(format).map_err(|why| format!("--nginx-format: {why}"))?;
        return Ok(vec![custom]);
    }
    if let Some(format) = &command.apache_format {
        let custom = Format::custom_apache(format).map_err(|why| format!("--apache-format: {why}"))?;
        return Ok(vec![custom]);
    }
    Ok(Format::of(match command.format {
        Formats::Auto => Server::Auto,
        Formats::Nginx => Server::Nginx,
        Formats::Apache => Server::Apache,
        Formats::Caddy => Server::Caddy,
    }))
}

fn read(audit: &mut Audit<'_>, path: &Path) -> Result<(), String> {
    if path == Path::new("-") {
        let progress = progress(None, "standard input");
        return finish(audit, "standard input", std::io::stdin().lock(), &progress);
    }
    let name = path.display().to_string();
    let file = File::open(path).map_err(|error| format!("`{name}`: {error}"))?;
    let size = file.metadata().ok().filter(std::fs::Metadata::is_file).map(|metadata| metadata.len());
    let progress = progress(size, &name);
    finish(audit, &name, file, &progress)
}

fn finish(audit: &mut Audit<'_>, name: &str, log: impl Read, progress: &ProgressBar) -> Result<(), String> {
    let read = audit.read(name, progress.wrap_read(log)).map_err(|error| error.to_string());
    progress.finish_and_clear();
    read
}

/// Shown on a terminal only.
fn progress(size: Option<u64>, name: &str) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let (bar, template) = match size {
        Some(size) => (ProgressBar::new(size), "{bar:30} {percent:>3}%  {binary_bytes_per_sec}  {msg}"),
        None => (ProgressBar::no_length(), "{spinner} {binary_bytes}  {binary_bytes_per_sec}  {msg}"),
    };
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar.with_message(name.to_owned())
}

fn same(one: &Path, other: &Path) -> bool {
    match (one.canonicalize(), other.canonicalize()) {
        (Ok(one), Ok(other)) => one == other,
        _ => false,
    }
}
