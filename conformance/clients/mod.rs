//! Real clients: a folder each, with `client.toml` (what it needs) and a script (what it does).
//!
//! A script gets the gateway in its environment and prints one JSON line per case:
//!
//! ```json
//! {"client":"aws","case":"cp up and down","status":"pass","ms":812,"detail":""}
//! ```
//!
//! | variable | |
//! |---|---|
//! | `CELLGATE_URL` | `http://127.0.0.1:<port>` |
//! | `CELLGATE_USER`, `CELLGATE_PASSWORD` | a user of this client alone |
//! | `CELLGATE_KEY_ID`, `CELLGATE_KEY_SECRET` | that user's key |
//! | `CELLGATE_ADMIN_PASSWORD` | of the user `admin` |
//! | `CLIENTS` | this folder, for `case.sh` |
//! | `WORK` | an empty folder, the working folder too |
//!
//! `HOME` is the empty folder, so that nobody's settings decide a test.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde::Deserialize;
use tokio::process::Command;
use tokio::time::timeout;

use crate::Outcome;
use crate::engine::Stage;
use crate::gateway::{ADMIN_PASSWORD, Account};
use crate::prepare::{Need, Package, Thing, Workshop};
use crate::tally::{Status, Tally};

/// For a whole script.
const PATIENCE: Duration = Duration::from_secs(600);

/// A real client.
#[derive(Clone)]
pub struct Client {
    pub name: String,
    folder: PathBuf,
    script: String,
    pub needs: Vec<Need>,
    /// Fixtures that its script makes when it is recorded, with the script's arguments for each.
    pub flows: BTreeMap<String, Vec<String>>,
}

/// `client.toml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Manifest {
    /// File in the folder; its first line names the interpreter.
    script: String,
    needs: Vec<NeedEntry>,
    /// `<protocol>/<client>/<flow>` below `fixtures/`, and the arguments by which the script does that
    /// flow alone.
    flows: BTreeMap<String, Vec<String>>,
}

/// Either a program or a Python module, either from apt or from pip.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NeedEntry {
    program: Option<String>,
    module: Option<String>,
    apt: Option<String>,
    pip: Option<String>,
}

impl NeedEntry {
    fn need(self) -> Option<Need> {
        let thing = match (self.program, self.module) {
            (Some(name), None) => Thing::Program(name),
            (None, Some(name)) => Thing::Module(name),
            _ => return None,
        };
        let package = match (self.apt, self.pip) {
            (Some(name), None) => Package::Apt(name),
            (None, Some(name)) => Package::Pip(name),
            _ => return None,
        };
        Some(Need { thing, package })
    }
}

/// The clients that there are, by name.
pub fn all(workshop: &Workshop) -> Outcome<Vec<Client>> {
    let folder = workshop.root.join("conformance/clients");
    let mut clients = Vec::new();
    let entries =
        std::fs::read_dir(&folder).map_err(|error| format!("cannot read `{}`: {error}", folder.display()))?;
    for entry in entries.flatten() {
        let path = entry.path().join("client.toml");
        let Ok(text) = std::fs::read_to_string(&path) else { continue };
        let wrong = |why: String| format!("`{}`: {why}", path.display());
        let manifest: Manifest = toml::from_str(&text).map_err(|error| wrong(error.to_string()))?;
        let needs: Option<Vec<Need>> = manifest.needs.into_iter().map(NeedEntry::need).collect();
        clients.push(Client {
            name: entry.file_name().to_string_lossy().into_owned(),
            folder: entry.path(),
            script: manifest.script,
            flows: manifest.flows,
            needs: needs
                .ok_or_else(|| wrong("a need is one of program, module by one of apt, pip".into()))?,
        });
    }
    clients.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(clients)
}

/// Those asked for; all when none is.
pub fn named(all: &[Client], names: &[String]) -> Outcome<Vec<Client>> {
    if names.is_empty() {
        return Ok(all.to_vec());
    }
    names
        .iter()
        .map(|name| all.iter().find(|client| client.name == *name).cloned().ok_or(name))
        .collect::<Result<_, _>>()
        .map_err(|name| {
            let known: Vec<&str> = all.iter().map(|client| client.name.as_str()).collect();
            format!("there is no client `{name}`; there are {}", known.join(", "))
        })
}

pub async fn run(clients: &[Client], stage: &Stage, workshop: &Workshop, tally: &mut Tally) {
    let step = format!("clients {}", stage.name());
    tally.step(&step);
    if let Err(why) = drive(clients, stage, workshop, tally, &step).await {
        tally.failed(&step, "gateway", &why);
    }
}

async fn drive(
    clients: &[Client],
    stage: &Stage,
    workshop: &Workshop,
    tally: &mut Tally,
    step: &str,
) -> Outcome {
    let installation = stage.installation(workshop, "clients").await?;
    let gateway = installation.serve(None).await?;
    for client in clients {
        let lack =
            client.needs.iter().find_map(|need| Some((need.thing.name(), workshop.lacks(&need.thing)?)));
        if let Some((thing, reason)) = lack {
            Workshop::note_lack(tally, step, &client.name, &format!("{thing} is missing: {reason}"));
            continue;
        }
        let begun = Instant::now();
        let account = installation.account(&format!("user-{}", client.name)).await?;
        let visit = Visit { client, arguments: &[], url: &gateway.url, account: &account };
        if let Err(why) = visit.run(workshop, tally, step).await {
            tally.note(step, &client.name, Status::Fail, begun.elapsed(), &why);
        }
    }
    gateway.stop().await
}

/// A line of a script's output.
#[derive(Deserialize)]
struct Line {
    client: String,
    case: String,
    status: Status,
    ms: u64,
    #[serde(default)]
    detail: String,
}

/// One run of a client's script.
pub struct Visit<'a> {
    pub client: &'a Client,
    pub arguments: &'a [String],
    pub url: &'a str,
    pub account: &'a Account,
}

impl Visit<'_> {
    pub async fn run(&self, workshop: &Workshop, tally: &mut Tally, step: &str) -> Outcome {
        let Self { client, account, .. } = self;
        let work = tempfile::Builder::new()
            .prefix(&format!("work-{}-", client.name))
            .tempdir_in(&workshop.folder)
            .map_err(|error| format!("cannot make a folder: {error}"))?;
        let mut command = Command::new(client.folder.join(&client.script));
        command
            .args(self.arguments)
            .current_dir(work.path())
            .env_clear()
            .env("PATH", &workshop.path)
            .env("LANG", "C.UTF-8")
            .env("HOME", work.path())
            .env("WORK", work.path())
            .env("CLIENTS", client.folder.parent().map_or(OsStr::new(""), |folder| folder.as_os_str()))
            .env("CELLGATE_URL", self.url)
            .env("CELLGATE_USER", &account.login)
            .env("CELLGATE_PASSWORD", &account.password)
            .env("CELLGATE_KEY_ID", &account.key_id)
            .env("CELLGATE_KEY_SECRET", &account.key_secret)
            .env("CELLGATE_ADMIN_PASSWORD", ADMIN_PASSWORD)
            .stdin(Stdio::null())
            .kill_on_drop(true);
        // Where version managers keep the programs behind their stand-ins.
        for name in ["PYENV_ROOT", "PYENV_VERSION"] {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        let output = timeout(PATIENCE, command.output())
            .await
            .map_err(|_| format!("the script does not end within {} s", PATIENCE.as_secs()))?
            .map_err(|error| format!("cannot run the script: {error}"))?;
        let log = workshop.logs.join(format!("{}-{}.log", step.replace(' ', "-"), client.name));
        let _ = std::fs::write(&log, [output.stdout.as_slice(), b"\n-- stderr\n", &output.stderr].concat());
        let mut cases = 0_u32;
        for line in String::from_utf8_lossy(&output.stdout).lines() {
            let Ok(line) = serde_json::from_str::<Line>(line) else { continue };
            if line.client != client.name {
                return Err(format!("a case of `{}` in the script of `{}`", line.client, client.name));
            }
            cases += 1;
            let name = format!("{}: {}", line.client, line.case);
            tally.note(step, &name, line.status, Duration::from_millis(line.ms), &line.detail);
        }
        if !output.status.success() || cases == 0 {
            let stderr = String::from_utf8_lossy(&output.stderr);
            return Err(format!(
                "the script ended with {} after {cases} cases: {}",
                output.status,
                stderr.trim()
            ));
        }
        Ok(())
    }
}
