//! Where the suite works, and what it needs there: clients and PostgreSQL, installed through the
//! ordinary package managers when they are missing.
//!
//! Each client says in its `client.toml` what it needs. apt is used by root, or where sudo asks no
//! password; everything else goes below `target/conformance`: Python packages into an environment,
//! Node's into a folder per client, programs that Go or Cargo build into `bin`.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::{Duration, Instant};

use rustix::process::geteuid;
use tokio::process::Command;
use tokio::time::timeout;

use crate::Outcome;
use crate::clients::Client;
use crate::postgres;
use crate::tally::{Status, Tally};

const STEP: &str = "prepare";

/// The folders of the suite and what it found.
pub struct Workshop {
    /// The repository.
    pub root: PathBuf,
    /// `target/conformance`.
    pub folder: PathBuf,
    pub logs: PathBuf,
    /// `PATH` of clients.
    pub path: OsString,
    binary: Option<PathBuf>,
    /// What is still missing, and why.
    missing: BTreeMap<String, String>,
}

/// One thing that must be there: a program or a Python module, and the package that brings it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Need {
    pub thing: Thing,
    pub package: Package,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Thing {
    Program(String),
    Module(String),
    /// Of Node, as `require` names it.
    NodeModule(String),
    /// PostgreSQL's server, which Debian keeps off the `PATH`.
    Postgres,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Package {
    Apt(String),
    /// With `==version` that version alone will do.
    Pip(String),
    /// A package path, and a client's folder with the `go.mod` and `go.sum` that pin it.
    Go(String, PathBuf),
    /// A client's folder with `package.json` and `package-lock.json`.
    Npm(PathBuf),
    /// A client's folder with `Cargo.toml` and `Cargo.lock`, no member of our workspace.
    Cargo(PathBuf),
    /// No registry has it: used where somebody installed it, for this reason.
    ByHand(String),
}

impl Thing {
    pub fn name(&self) -> &str {
        match self {
            Self::Program(name) | Self::Module(name) | Self::NodeModule(name) => name,
            Self::Postgres => "PostgreSQL",
        }
    }
}

impl Need {
    /// Notes what could not run for want of this.
    pub fn note_lack(&self, tally: &mut Tally, step: &str, case: &str, reason: &str) {
        match self.package {
            // Nobody can be blamed for it, not even by CI.
            Package::ByHand(_) => tally.skipped(step, case, reason),
            _ => Workshop::note_lack(tally, step, case, reason),
        }
    }
}

impl Package {
    /// What a program was built from.
    fn stamp(&self) -> Outcome<String> {
        let (folder, files): (_, &[&str]) = match self {
            Self::Cargo(folder) => (folder, &["Cargo.toml", "Cargo.lock", "main.rs"]),
            Self::Go(package, folder) if package == "." => (folder, &["go.mod", "go.sum", "main.go"]),
            Self::Go(_, folder) => (folder, &["go.mod", "go.sum"]),
            _ => return Ok(String::new()),
        };
        let read = |file: &&str| {
            let path = folder.join(file);
            std::fs::read_to_string(&path).map_err(|error| format!("`{}`: {error}", path.display()))
        };
        files.iter().map(read).collect()
    }
}

impl Workshop {
    pub fn open(binary: Option<PathBuf>) -> Outcome<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().ok_or("the suite has no repository")?;
        let exe = std::env::current_exe().map_err(|error| error.to_string())?;
        let target = exe.parent().and_then(Path::parent).ok_or("the suite has no target folder")?;
        let folder = target.join("conformance");
        let logs = folder.join("logs");
        std::fs::create_dir_all(&logs)
            .map_err(|error| format!("cannot make `{}`: {error}", logs.display()))?;
        let mut path = folder.join("venv/bin").into_os_string();
        path.push(":");
        path.push(folder.join("bin"));
        path.push(":");
        path.push(std::env::var_os("PATH").unwrap_or_default());
        let root = root.to_owned();
        // Gateways start in folders of their own, from where a relative path leads elsewhere.
        let binary = binary
            .map(|path| path.canonicalize().map_err(|error| format!("`{}`: {error}", path.display())))
            .transpose()?;
        Ok(Self { root, folder, logs, path, binary, missing: BTreeMap::new() })
    }

    /// The gateway under test.
    pub fn binary(&self) -> Outcome<&Path> {
        self.binary.as_deref().ok_or_else(|| "the gateway was not built".to_owned())
    }

    pub fn has_binary(&self) -> bool {
        self.binary.is_some()
    }

    pub fn set_binary(&mut self, binary: PathBuf) {
        self.binary = Some(binary);
    }

    /// Why something that is needed is not there.
    pub fn lacks(&self, thing: &Thing) -> Option<&str> {
        self.missing.get(thing.name()).map(String::as_str)
    }

    /// Where nobody looks at a skip, it counts as a failure.
    pub fn unattended() -> bool {
        std::env::var("CI").is_ok_and(|value| value == "true")
    }

    /// Notes what could not run for want of something.
    pub fn note_lack(tally: &mut Tally, step: &str, case: &str, reason: &str) {
        let status = if Self::unattended() { Status::Fail } else { Status::Skip };
        tally.note(step, case, status, Duration::ZERO, reason);
    }

    async fn is_there(&self, need: &Need) -> bool {
        let thing = match &need.thing {
            // Version managers leave stand-ins that only say that there is nothing.
            Thing::Program(name) if name == "aws" => format!("{name} --version"),
            Thing::Program(name) => format!("command -v {name}"),
            Thing::Module(name) => format!("python3 -c 'import {name}'"),
            Thing::NodeModule(name) => return self.has_node_module(&need.package, name),
            Thing::Postgres => return postgres::binaries().is_some(),
        };
        let pinned = match &need.package {
            Package::Pip(package) => package.split_once("==").map(|(name, version)| {
                format!(
                    "python3 -c 'import importlib.metadata as m, sys; sys.exit(m.version(\"{name}\") != \"{version}\")'"
                )
            }),
            // Other programs have these names too; cargo itself knows what is fresh.
            Package::Go(..) | Package::Cargo(_) => return self.is_built(need),
            Package::Apt(_) | Package::Npm(_) | Package::ByHand(_) => None,
        };
        let quick = Duration::from_secs(30);
        self.sh(&thing, quick).await.is_ok()
            && match pinned {
                Some(line) => self.sh(&line, quick).await.is_ok(),
                None => true,
            }
    }

    /// Whether `bin` has the program as its package is now.
    fn is_built(&self, need: &Need) -> bool {
        let stamp =
            std::fs::read_to_string(self.folder.join("bin").join(format!("{}.from", need.thing.name())));
        stamp.is_ok_and(|stamp| need.package.stamp().is_ok_and(|now| now == stamp))
    }

    fn has_node_module(&self, package: &Package, name: &str) -> bool {
        let Package::Npm(client) = package else { return false };
        let folder = self.node_folder(client);
        let same = |file: &str| {
            let [theirs, ours] = [client, &folder].map(|folder| std::fs::read(folder.join(file)).ok());
            theirs.is_some() && theirs == ours
        };
        same("package-lock.json") && folder.join("node_modules").join(name).is_dir()
    }

    /// Where the packages of a client of Node are.
    pub fn node_folder(&self, client: &Path) -> PathBuf {
        self.folder.join("node").join(client.file_name().unwrap_or_default())
    }

    async fn sh(&self, line: &str, patience: Duration) -> Outcome<Output> {
        let mut command = Command::new("sh");
        command.arg("-c").arg(line).env("PATH", &self.path).env("DEBIAN_FRONTEND", "noninteractive");
        let output = command.current_dir(&self.folder).stdin(Stdio::null()).kill_on_drop(true).output();
        let output = timeout(patience, output)
            .await
            .map_err(|_| format!("`{line}` does not end"))?
            .map_err(|error| format!("`{line}`: {error}"))?;
        if output.status.success() {
            return Ok(output);
        }
        let said = [output.stdout.as_slice(), &output.stderr].concat();
        let said = String::from_utf8_lossy(&said);
        let lines: Vec<&str> = said.lines().filter(|line| !line.trim().is_empty()).collect();
        let last = lines.get(lines.len().saturating_sub(3)..).unwrap_or_default();
        Err(format!("`{line}`: {}", last.join(" | ")))
    }
}

/// Finds what is there and installs what is not.
pub async fn prepare(workshop: &mut Workshop, clients: &[Client], tally: &mut Tally) {
    tally.step("prepare");
    let mut needs: BTreeSet<Need> = clients.iter().flat_map(|client| client.needs.iter().cloned()).collect();
    needs.insert(Need { thing: Thing::Postgres, package: Package::Apt("postgresql".into()) });
    let mut absent = Vec::new();
    for need in &needs {
        if !workshop.is_there(need).await {
            absent.push(need.clone());
        }
    }
    let mut apt: BTreeSet<String> = BTreeSet::new();
    let mut pip = false;
    for need in &absent {
        match &need.package {
            Package::Apt(package) => drop(apt.insert(package.clone())),
            Package::Pip(_) => pip = true,
            Package::Go(..) | Package::Npm(_) | Package::Cargo(_) | Package::ByHand(_) => {}
        }
    }
    let mut why: BTreeMap<Package, String> = BTreeMap::new();
    // The modules `venv` and `ensurepip` come in a package of their own on Debian.
    if pip && workshop.sh("python3 -c 'import venv, ensurepip'", Duration::from_secs(30)).await.is_err() {
        apt.insert("python3-venv".into());
    }
    if !apt.is_empty() {
        install_apt(workshop, &apt, &mut why, tally).await;
    }
    if pip {
        // All of them: once there is an environment, its Python is the one that clients find.
        let packages: BTreeSet<String> = needs
            .iter()
            .filter_map(|need| match &need.package {
                Package::Pip(package) => Some(package.clone()),
                _ => None,
            })
            .collect();
        if let Err(reason) = install_pip(workshop, &packages, tally).await {
            why.extend(packages.into_iter().map(|package| (Package::Pip(package), reason.clone())));
        }
    }
    for need in &absent {
        if let Err(reason) = install_other(workshop, need, tally).await {
            why.insert(need.package.clone(), reason);
        }
    }
    for need in absent {
        if !workshop.is_there(&need).await {
            let reason = why.get(&need.package).cloned().unwrap_or_else(|| "its package brought none".into());
            workshop.missing.insert(need.thing.name().to_owned(), reason);
        }
    }
    for need in &needs {
        match workshop.lacks(&need.thing).map(str::to_owned) {
            None => tally.count(STEP, need.thing.name(), Status::Pass, Duration::ZERO, ""),
            Some(reason) => need.note_lack(tally, STEP, need.thing.name(), &reason),
        }
    }
    let there = needs.iter().filter(|need| workshop.lacks(&need.thing).is_none());
    println!("  there: {}", there.map(|need| need.thing.name()).collect::<Vec<_>>().join(", "));
}

async fn install_apt(
    workshop: &Workshop,
    packages: &BTreeSet<String>,
    why: &mut BTreeMap<Package, String>,
    tally: &mut Tally,
) {
    let sudo = if geteuid().is_root() { "" } else { "sudo -n " };
    let begun = Instant::now();
    let all = packages.iter().map(String::as_str).collect::<Vec<_>>().join(" ");
    if let Err(reason) = workshop.sh(&format!("{sudo}apt-get update -q"), Duration::from_secs(300)).await {
        println!("  {reason}");
    }
    let install = |names: &str| format!("{sudo}apt-get install -q -y --no-install-recommends {names}");
    if let Err(reason) = workshop.sh(&install(&all), Duration::from_secs(600)).await {
        println!("  {reason}");
        // One that does not exist here must not keep the others away.
        for package in packages {
            if let Err(reason) = workshop.sh(&install(package), Duration::from_secs(300)).await {
                why.insert(Package::Apt(package.clone()), reason);
            }
        }
    }
    if why.is_empty() {
        tally.passed(STEP, "apt-get", begun.elapsed(), &all);
    }
}

async fn install_pip(workshop: &Workshop, packages: &BTreeSet<String>, tally: &mut Tally) -> Outcome {
    let begun = Instant::now();
    let all = packages.iter().map(String::as_str).collect::<Vec<_>>().join(" ");
    workshop.sh("test -x venv/bin/python3 || python3 -m venv venv", Duration::from_secs(120)).await?;
    let line = format!("venv/bin/python3 -m pip install -q --disable-pip-version-check {all}");
    workshop.sh(&line, Duration::from_secs(600)).await?;
    tally.passed(STEP, "pip", begun.elapsed(), &all);
    Ok(())
}

/// What neither apt nor pip brings.
async fn install_other(workshop: &Workshop, need: &Need, tally: &mut Tally) -> Outcome {
    let begun = Instant::now();
    let path = |path: &Path| format!("'{}'", path.display());
    let line = match &need.package {
        Package::Apt(_) | Package::Pip(_) => return Ok(()),
        Package::ByHand(reason) => return Err(reason.clone()),
        Package::Go(package, folder) => {
            let program = path(&workshop.folder.join("bin").join(need.thing.name()));
            let options = "-mod=readonly -ldflags='-s -w'";
            format!("cd {} && go build {options} -o {program} {package}", path(folder))
        }
        Package::Cargo(folder) => {
            let options = "--locked --debug --force --quiet --root . --target-dir cargo";
            format!("cargo install {options} --path {}", path(folder))
        }
        Package::Npm(client) => {
            let folder = path(&workshop.node_folder(client));
            let [package, lock] = ["package.json", "package-lock.json"].map(|file| path(&client.join(file)));
            let options = "--ignore-scripts --no-audit --no-fund --omit=dev --silent";
            format!("mkdir -p {folder} && cp {package} {lock} {folder} && cd {folder} && npm ci {options}")
        }
    };
    workshop.sh(&line, Duration::from_secs(1_200)).await?;
    if matches!(need.package, Package::Go(..) | Package::Cargo(_)) {
        let stamp = workshop.folder.join("bin").join(format!("{}.from", need.thing.name()));
        std::fs::write(&stamp, need.package.stamp()?)
            .map_err(|error| format!("cannot write `{}`: {error}", stamp.display()))?;
    }
    tally.passed(STEP, need.thing.name(), begun.elapsed(), "built or installed");
    Ok(())
}
