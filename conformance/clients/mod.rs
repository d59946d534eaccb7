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
//! | `CELLGATE_BINARY`, `CELLGATE_DATA`, `CELLGATE_DATABASE` | for commands of that gateway |
//! | `CLIENTS`, `PYTHONPATH` | this folder, for `case.sh` and `case.py` |
//! | `NODE_PATH` | the packages of a client of Node |
//! | `WORK` | an empty folder, the working folder too |
//!
//! `HOME` is the empty folder, so that nobody's settings decide a test.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use futures_util::stream::{self, StreamExt as _};
use serde::Deserialize;
use tokio::process::Command;
use tokio::time::timeout;

use crate::Outcome;
use crate::engine::Stage;
use crate::gateway::{ADMIN_PASSWORD, Account, Gateway, Installation};
use crate::prepare::{Need, Package, Thing, Workshop};
use crate::tally::{Status, Tally};

/// Most of the time a client starts itself or waits for the gateway, and no two share files.
const AT_ONCE: usize = 2;
/// For a whole script.
const PATIENCE: Duration = Duration::from_secs(600);

/// A real client.
#[derive(Clone)]
pub struct Client {
    pub name: String,
    folder: PathBuf,
    script: String,
    pub needs: Vec<Need>,
    /// Settings of the gateway that it wants for itself alone.
    pub settings: BTreeMap<String, String>,
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
    /// Variables of a gateway of its own; without any it shares one with the others.
    #[serde(default)]
    settings: BTreeMap<String, String>,
    /// `<protocol>/<client>/<flow>` below `fixtures/`, and the arguments by which the script does that
    /// flow alone.
    #[serde(default)]
    flows: BTreeMap<String, Vec<String>>,
}

/// One thing (a program, a module of Python or of Node) and one package that brings it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NeedEntry {
    program: Option<String>,
    module: Option<String>,
    node: Option<String>,
    apt: Option<String>,
    pip: Option<String>,
    /// A package path, by go, with the manifests in this folder.
    go: Option<String>,
    /// The manifests in this folder, by npm.
    #[serde(default)]
    npm: bool,
    /// The manifests in this folder, by cargo.
    #[serde(default)]
    cargo: bool,
    /// Why nothing can be installed.
    by_hand: Option<String>,
}

impl NeedEntry {
    fn need(self, folder: &Path) -> Option<Need> {
        let things = [
            self.program.map(Thing::Program),
            self.module.map(Thing::Module),
            self.node.map(Thing::NodeModule),
        ];
        let packages = [
            self.apt.map(Package::Apt),
            self.pip.map(Package::Pip),
            self.go.map(|package| Package::Go(package, folder.to_owned())),
            self.npm.then(|| Package::Npm(folder.to_owned())),
            self.cargo.then(|| Package::Cargo(folder.to_owned())),
            self.by_hand.map(Package::ByHand),
        ];
        Some(Need { thing: only(things)?, package: only(packages)? })
    }
}

fn only<T>(values: impl IntoIterator<Item = Option<T>>) -> Option<T> {
    let mut values = values.into_iter().flatten();
    let first = values.next();
    values.next().is_none().then_some(first).flatten()
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
        let needs: Option<Vec<Need>> =
            manifest.needs.into_iter().map(|need| need.need(&entry.path())).collect();
        clients.push(Client {
            name: entry.file_name().to_string_lossy().into_owned(),
            folder: entry.path(),
            script: manifest.script,
            flows: manifest.flows,
            settings: manifest.settings,
            needs: needs.ok_or_else(|| {
                wrong(
                    "a need is one of program, module, node by one of apt, pip, go, npm, cargo, by_hand"
                        .into(),
                )
            })?,
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
    let shared = stage.installation(workshop, "clients").await?;
    let gateway = shared.serve(None).await?;
    let mut ready = Vec::new();
    for client in clients {
        match client.needs.iter().find_map(|need| Some((need, workshop.lacks(&need.thing)?))) {
            None => ready.push(client),
            Some((need, reason)) => {
                let reason = format!("{} is missing: {reason}", need.thing.name());
                need.note_lack(tally, step, &client.name, &reason);
            }
        }
    }
    let visits = ready.into_iter().map(|client| {
        let (shared, gateway) = (&shared, &gateway);
        async move {
            let begun = Instant::now();
            let told = if client.settings.is_empty() {
                visit(client, shared, gateway, workshop, step).await
            } else {
                alone(client, stage, workshop, step).await
            };
            (client, told, begun.elapsed())
        }
    });
    // In their order, as if they had run one after the other.
    let mut visits = stream::iter(visits).buffered(AT_ONCE);
    while let Some((client, told, took)) = visits.next().await {
        if let Err(why) = told.and_then(|told| told.note(tally, step)) {
            tally.note(step, &client.name, Status::Fail, took, &why);
        }
    }
    drop(visits);
    gateway.stop().await
}

/// With a gateway of its own.
async fn alone(client: &Client, stage: &Stage, workshop: &Workshop, step: &str) -> Outcome<Told> {
    let mut installation = stage.installation(workshop, &client.name).await?;
    installation.set(&client.settings);
    let gateway = installation.serve(None).await?;
    let told = visit(client, &installation, &gateway, workshop, step).await;
    gateway.stop().await?;
    told
}

async fn visit(
    client: &Client,
    installation: &Installation,
    gateway: &Gateway,
    workshop: &Workshop,
    step: &str,
) -> Outcome<Told> {
    let account = installation.account(&format!("user-{}", client.name)).await?;
    let visit = Visit { client, arguments: &[], url: &gateway.url, account: &account, installation };
    visit.run(workshop, step).await
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

/// What a script said, and how it ended.
pub struct Told {
    lines: Vec<Line>,
    end: Outcome,
}

impl Told {
    pub fn note(self, tally: &mut Tally, step: &str) -> Outcome {
        for line in &self.lines {
            let name = format!("{}: {}", line.client, line.case);
            tally.note(step, &name, line.status, Duration::from_millis(line.ms), &line.detail);
        }
        self.end
    }
}

/// One run of a client's script.
pub struct Visit<'a> {
    pub client: &'a Client,
    pub arguments: &'a [String],
    pub url: &'a str,
    pub account: &'a Account,
    pub installation: &'a Installation,
}

impl Visit<'_> {
    pub async fn run(&self, workshop: &Workshop, step: &str) -> Outcome<Told> {
        let Self { client, account, .. } = self;
        let work = tempfile::Builder::new()
            .prefix(&format!("work-{}-", client.name))
            .tempdir_in(&workshop.folder)
            .map_err(|error| format!("cannot make a folder: {error}"))?;
        let clients = client.folder.parent().map_or(OsStr::new(""), |folder| folder.as_os_str());
        let mut command = Command::new(client.folder.join(&client.script));
        command
            .args(self.arguments)
            .current_dir(work.path())
            .env_clear()
            .env("PATH", &workshop.path)
            .env("LANG", "C.UTF-8")
            .env("HOME", work.path())
            .env("WORK", work.path())
            .env("CLIENTS", clients)
            .env("PYTHONPATH", clients)
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env("NODE_PATH", workshop.node_folder(&client.folder).join("node_modules"))
            .env("CELLGATE_URL", self.url)
            .env("CELLGATE_USER", &account.login)
            .env("CELLGATE_PASSWORD", &account.password)
            .env("CELLGATE_KEY_ID", &account.key_id)
            .env("CELLGATE_KEY_SECRET", &account.key_secret)
            .env("CELLGATE_ADMIN_PASSWORD", ADMIN_PASSWORD)
            .env("CELLGATE_BINARY", workshop.binary()?)
            .env("CELLGATE_DATA", self.installation.data())
            .env("CELLGATE_DATABASE", self.installation.database())
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
        let mut lines = Vec::new();
        for line in String::from_utf8_lossy(&output.stdout).lines() {
            let Ok(line) = serde_json::from_str::<Line>(line) else { continue };
            if line.client != client.name {
                return Err(format!("a case of `{}` in the script of `{}`", line.client, client.name));
            }
            lines.push(line);
        }
        let end = match output.status.success() && !lines.is_empty() {
            true => Ok(()),
            false => {
                let stderr = String::from_utf8_lossy(&output.stderr);
                let (status, cases) = (output.status, lines.len());
                Err(format!("the script ended with {status} after {cases} cases: {}", stderr.trim()))
            }
        };
        Ok(Told { lines, end })
    }
}
