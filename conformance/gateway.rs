//! The built binary: an installation of its own, its commands, and a running server.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::Outcome;
use crate::prepare::Workshop;

/// The admin's password in every installation.
pub const ADMIN_PASSWORD: &str = "conformance-admin";
/// How long a server may take to start or stop; a debug build on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A data folder and a database.
pub struct Installation {
    binary: PathBuf,
    folder: TempDir,
    database: String,
    log: PathBuf,
    settings: BTreeMap<String, String>,
}

/// A user of an installation, with a key.
#[derive(Clone)]
pub struct Account {
    pub login: String,
    pub password: String,
    pub key_id: String,
    pub key_secret: String,
}

impl Installation {
    pub fn new(workshop: &Workshop, name: &str, database: String) -> Outcome<Self> {
        let folder = tempfile::Builder::new()
            .prefix(&format!("{name}-"))
            .tempdir_in(&workshop.folder)
            .map_err(|error| format!("cannot make a data folder: {error}"))?;
        let log = workshop.logs.join(format!("gateway-{name}.log"));
        let _ = std::fs::remove_file(&log);
        Ok(Self { binary: workshop.binary()?.to_owned(), folder, database, log, settings: BTreeMap::new() })
    }

    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    pub fn database(&self) -> &str {
        &self.database
    }

    /// Variables for a server that is not set up as it is by default.
    pub fn set(&mut self, settings: &BTreeMap<String, String>) {
        self.settings.clone_from(settings);
    }

    fn command(&self) -> Outcome<Command> {
        let log = std::fs::File::options()
            .create(true)
            .append(true)
            .open(&self.log)
            .map_err(|error| format!("cannot open `{}`: {error}", self.log.display()))?;
        let mut command = Command::new(&self.binary);
        // What the caller's own environment says of a gateway is not meant for this one.
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("CELLGATE_") {
                command.env_remove(name);
            }
        }
        command
            .current_dir(self.folder.path())
            .env("CELLGATE_DATA", self.data())
            .env("CELLGATE_DATABASE", &self.database)
            .env("CELLGATE_ADMIN_PASSWORD", ADMIN_PASSWORD)
            // Clients make their own buckets, as the users that they are.
            .env("CELLGATE_S3_CREATE_BUCKETS", "everyone")
            .envs(&self.settings)
            .stderr(log)
            .kill_on_drop(true);
        Ok(command)
    }

    /// Starts the server; `address` `None` takes a free port.
    pub async fn serve(&self, address: Option<&str>) -> Outcome<Gateway> {
        let mut child = self
            .command()?
            .arg("serve")
            .env("CELLGATE_LISTEN", address.unwrap_or("127.0.0.1:0"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("cannot start `{}`: {error}", self.binary.display()))?;
        let stdout = child.stdout.take().ok_or("the gateway has no standard output")?;
        let mut lines = BufReader::new(stdout).lines();
        let first = match timeout(PATIENCE, lines.next_line()).await {
            Ok(Ok(Some(line))) => line,
            Ok(_) => return Err(format!("the gateway ended at its start: {}", tail(&self.log))),
            Err(_) => return Err(format!("the gateway says nothing: {}", tail(&self.log))),
        };
        let url = first
            .split_once(" listens on ")
            .map(|(_, url)| url.trim().to_owned())
            .ok_or_else(|| format!("the gateway's first line is `{first}`"))?;
        // A full pipe would stop it.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Ok(Gateway { child, url })
    }

    /// Runs one of the binary's commands and answers what it printed.
    pub async fn run(&self, arguments: &[&str], input: &str) -> Outcome<String> {
        let mut child = self
            .command()?
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| format!("cannot start `{}`: {error}", self.binary.display()))?;
        if let Some(mut stdin) = child.stdin.take() {
            // A command that does not read its input may be gone already.
            let _ = stdin.write_all(input.as_bytes()).await;
        }
        let output = timeout(PATIENCE, child.wait_with_output())
            .await
            .map_err(|_| format!("`cellgate {}` does not end", arguments.join(" ")))?
            .map_err(|error| error.to_string())?;
        if !output.status.success() {
            let stderr = String::from_utf8_lossy(&output.stderr);
            return Err(format!("`cellgate {}`: {}", arguments.join(" "), stderr.trim()));
        }
        String::from_utf8(output.stdout).map_err(|error| error.to_string())
    }

    /// Makes a user with a password and a key.
    pub async fn account(&self, login: &str) -> Outcome<Account> {
        self.account_with(login, format!("pass of {login}+1")).await
    }

    pub async fn account_with(&self, login: &str, password: String) -> Outcome<Account> {
        self.run(&["user", "create", login], &format!("{password}\n")).await?;
        let (key_id, key_secret) = self.key(login).await?;
        Ok(Account { login: login.to_owned(), password, key_id, key_secret })
    }

    async fn key(&self, login: &str) -> Outcome<(String, String)> {
        let printed = self.run(&["key", "create", login], "").await?;
        let value = |name: &str| {
            printed
                .lines()
                .find_map(|line| line.strip_prefix(name).map(|rest| rest.trim().to_owned()))
                .ok_or_else(|| format!("`cellgate key create` prints no {name}"))
        };
        Ok((value("id")?, value("secret")?))
    }

    /// Files in staging folders. There are none while nothing is written.
    pub fn staging(&self) -> Vec<PathBuf> {
        let mut found = Vec::new();
        walk(&self.data(), false, &mut found);
        found
    }
}

fn walk(folder: &Path, staged: bool, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => {
                walk(&path, staged || entry.file_name().to_string_lossy().contains("staging"), found);
            }
            Ok(_) if staged => found.push(path),
            _ => {}
        }
    }
}

/// Memory of a process, in bytes.
#[derive(Debug, Clone, Copy, Default)]
pub struct Memory {
    /// All of it, pages of mapped files included, which the kernel can take back at any time.
    pub resident: u64,
    /// What the process allocated.
    pub own: u64,
}

impl Memory {
    pub fn max(self, other: Self) -> Self {
        Self { resident: self.resident.max(other.resident), own: self.own.max(other.own) }
    }

    pub fn since(self, before: Self) -> Self {
        Self {
            resident: self.resident.saturating_sub(before.resident),
            own: self.own.saturating_sub(before.own),
        }
    }
}

impl std::fmt::Display for Memory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
        write!(f, "RSS by {:.1} MiB, without mapped files by {:.1} MiB", mib(self.resident), mib(self.own))
    }
}

/// A running server. Dropping it kills it.
pub struct Gateway {
    child: Child,
    pub url: String,
}

impl Gateway {
    /// `127.0.0.1:<port>`, to start on again.
    pub fn address(&self) -> &str {
        self.url.split_once("://").map_or(self.url.as_str(), |(_, address)| address)
    }

    pub fn pid(&self) -> Option<u32> {
        self.child.id()
    }

    /// Memory in use, as the kernel counts it.
    pub fn memory(&self) -> Outcome<Memory> {
        let pid = self.pid().ok_or("the gateway has ended")?;
        let status =
            std::fs::read_to_string(format!("/proc/{pid}/status")).map_err(|error| error.to_string())?;
        let bytes = |name: &str| {
            status
                .lines()
                .find_map(|line| line.strip_prefix(name))
                .and_then(|line| line.trim().split(' ').next()?.parse::<u64>().ok())
                .map(|kib| kib * 1024)
                .ok_or_else(|| format!("the kernel does not say {name}"))
        };
        Ok(Memory { resident: bytes("VmRSS:")?, own: bytes("RssAnon:")? })
    }

    /// `kill -9`.
    pub async fn kill(mut self) -> Outcome {
        self.child.kill().await.map_err(|error| format!("cannot kill the gateway: {error}"))
    }

    /// Asks it to stop. Ending in time, with success, is part of what is tested.
    pub async fn stop(mut self) -> Outcome {
        let pid = self.pid().and_then(|pid| i32::try_from(pid).ok()).and_then(Pid::from_raw);
        let pid = pid.ok_or("the gateway ended before it was asked to")?;
        kill_process(pid, Signal::TERM).map_err(|error| format!("cannot stop the gateway: {error}"))?;
        match timeout(PATIENCE, self.child.wait()).await {
            Ok(Ok(status)) if status.success() => Ok(()),
            Ok(Ok(status)) => Err(format!("the gateway ended with {status}")),
            Ok(Err(error)) => Err(format!("the gateway cannot be waited for: {error}")),
            Err(_) => Err("the gateway does not stop when asked to".into()),
        }
    }
}

/// The end of a log, for an error message.
pub fn tail(log: &Path) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().rev().take(8).collect();
    let lines: Vec<&str> = lines.into_iter().rev().collect();
    lines.join(" | ")
}
